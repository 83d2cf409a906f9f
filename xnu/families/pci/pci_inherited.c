/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods of IOPCIDevice that releases override and that need nothing of their own here, and power
 * management, which functions do not have: what is asked for is refused. */
#include "xnu/families/pci/pci_private.h"

bool IOPCIDevice__hasPCIPowerManagement(IOPCIDevice *me, uint32_t state)
{
    return false;
}

int32_t IOPCIDevice__enablePCIPowerManagement(IOPCIDevice *me, uint32_t state)
{
    return kIOReturnUnsupported;
}

int32_t IOPCIDevice__requestProbe(IOPCIDevice *me, uint32_t options)
{
    return kIOReturnUnsupported;
}

int32_t IOPCIDevice__setProperties(IOPCIDevice *me, OSObject *properties)
{
    return IOService_super_setProperties((IOService *)me, properties);
}

int32_t IOPCIDevice__callPlatformFunction_symbol(IOPCIDevice *me, const OSSymbol *function,
                                                 bool wait, void *param1, void *param2,
                                                 void *param3, void *param4)
{
    return IOService_super_callPlatformFunction_symbol((IOService *)me, function, wait, param1,
                                                       param2, param3, param4);
}

int32_t IOPCIDevice__callPlatformFunction_cstring(IOPCIDevice *me, const char *function, bool wait,
                                                  void *param1, void *param2, void *param3,
                                                  void *param4)
{
    return IOService_super_callPlatformFunction_cstring((IOService *)me, function, wait, param1,
                                                        param2, param3, param4);
}

int32_t IOPCIDevice__newUserClient_dictionary(IOPCIDevice *me, struct task *owner, void *security,
                                              uint32_t type, OSDictionary *properties,
                                              IOUserClient **handler)
{
    return kIOReturnUnsupported;
}

int32_t IOPCIDevice__setPowerState(IOPCIDevice *me, unsigned long state, IOService *device)
{
    return IOService_super_setPowerState((IOService *)me, state, device);
}

int32_t IOPCIDevice__powerStateWillChangeTo(IOPCIDevice *me, unsigned long flags,
                                            unsigned long state, IOService *device)
{
    return IOService_super_powerStateWillChangeTo((IOService *)me, flags, state, device);
}

unsigned long IOPCIDevice__maxCapabilityForDomainState(IOPCIDevice *me, unsigned long state)
{
    return IOService_super_maxCapabilityForDomainState((IOService *)me, state);
}

unsigned long IOPCIDevice__initialPowerStateForDomainState(IOPCIDevice *me, unsigned long state)
{
    return IOService_super_initialPowerStateForDomainState((IOService *)me, state);
}

unsigned long IOPCIDevice__powerStateForDomainState(IOPCIDevice *me, unsigned long state)
{
    return IOService_super_powerStateForDomainState((IOService *)me, state);
}

bool IOPCIDevice__handleOpen(IOPCIDevice *me, IOService *client, uint32_t options, void *argument)
{
    return IOService_super_handleOpen((IOService *)me, client, options, argument);
}

void IOPCIDevice__handleClose(IOPCIDevice *me, IOService *client, uint32_t options)
{
    IOService_super_handleClose((IOService *)me, client, options);
}

void IOPCIDevice__detachFromChild(IOPCIDevice *me, IORegistryEntry *child,
                                  const IORegistryPlane *plane)
{
    IOService_super_detachFromChild((IOService *)me, child, plane);
}

bool IOPCIDevice__setProperty_symbol_object(IOPCIDevice *me, const OSSymbol *key, OSObject *value)
{
    return IOService_super_setProperty_symbol_object((IOService *)me, key, value);
}

bool IOPCIDevice__setProperty_string_object(IOPCIDevice *me, const OSString *key, OSObject *value)
{
    return IOService_super_setProperty_string_object((IOService *)me, key, value);
}

bool IOPCIDevice__setProperty_cstring_object(IOPCIDevice *me, const char *key, OSObject *value)
{
    return IOService_super_setProperty_cstring_object((IOService *)me, key, value);
}

bool IOPCIDevice__setProperty_cstring_cstring(IOPCIDevice *me, const char *key, const char *value)
{
    return IOService_super_setProperty_cstring_cstring((IOService *)me, key, value);
}

bool IOPCIDevice__setProperty_cstring_bool(IOPCIDevice *me, const char *key, bool value)
{
    return IOService_super_setProperty_cstring_bool((IOService *)me, key, value);
}

bool IOPCIDevice__setProperty_cstring_number(IOPCIDevice *me, const char *key, uint64_t value,
                                             uint32_t bits)
{
    return IOService_super_setProperty_cstring_number((IOService *)me, key, value, bits);
}

bool IOPCIDevice__setProperty_cstring_pointer(IOPCIDevice *me, const char *key, void *bytes,
                                              uint32_t size)
{
    return IOService_super_setProperty_cstring_pointer((IOService *)me, key, bytes, size);
}
