/* SPDX-License-Identifier: BSD-3-Clause */
/* IOACPIPlatformDevice: a nub for an ACPI device of the machine description. There is no AML
 * here: objects that the description has no value for do not exist. Source of the interface:
 * MacKernelSDK's IOACPIPlatformDevice.h; names as a Mac's registry shows them. */
#include "abi/IOACPIPlatformDevice.h"
#include "abi/IOPlatformExpert.h"
#include "abi/kpi/libkern.h"

#include "xnu/iokit/platform.h"
#include "xnu/iokit/service.h"
#include "xnu/machine/traps.h"

enum { STATUS_PRESENT = 0xf, SPACE_MEMORY = 0, SPACE_PORTS = 1, OBJECT_BITS = 32 };

static const struct machine_device *description_of(const IOACPIPlatformDevice *me)
{
    return me->_deviceHandle;
}

/* ---- life and place ---- */

bool IOACPIPlatformDevice__init_service_pointer_dictionary(IOACPIPlatformDevice *me,
                                                           IOService *platform, void *handle,
                                                           OSDictionary *properties)
{
    if (!IORegistryEntry_init_dictionary(entry_of(me), properties))
        return false;
    me->_deviceHandle = handle;
    me->_platform = (IOACPIPlatformExpert *)platform;
    return true;
}

void IOACPIPlatformDevice__free(IOACPIPlatformDevice *me)
{
    IOPlatformDevice_super_free((IOPlatformDevice *)me);
}

bool IOACPIPlatformDevice__attachToParent(IOACPIPlatformDevice *me, IORegistryEntry *parent,
                                          const IORegistryPlane *plane)
{
    return IOPlatformDevice_super_attachToParent((IOPlatformDevice *)me, parent, plane);
}

void IOACPIPlatformDevice__detachFromParent(IOACPIPlatformDevice *me, IORegistryEntry *parent,
                                            const IORegistryPlane *plane)
{
    IOPlatformDevice_super_detachFromParent((IOPlatformDevice *)me, parent, plane);
}

bool IOACPIPlatformDevice__getPathComponent(IOACPIPlatformDevice *me, char *path, int32_t *length,
                                            const IORegistryPlane *plane)
{
    return IOPlatformDevice_super_getPathComponent((IOPlatformDevice *)me, path, length, plane);
}

bool IOACPIPlatformDevice__compareName(IOACPIPlatformDevice *me, OSString *name,
                                       OSString **matched)
{
    return IOPlatformDevice_super_compareName((IOPlatformDevice *)me, name, matched);
}

int32_t IOACPIPlatformDevice__getResources(IOACPIPlatformDevice *me)
{
    return IOPlatformDevice_super_getResources((IOPlatformDevice *)me);
}

void *IOACPIPlatformDevice__getDeviceHandle(IOACPIPlatformDevice *me)
{
    return me->_deviceHandle;
}

uint32_t IOACPIPlatformDevice__getDeviceStatus(IOACPIPlatformDevice *me)
{
    return STATUS_PRESENT;
}

uint32_t IOACPIPlatformDevice__getDeviceType(IOACPIPlatformDevice *me)
{
    return me->_deviceType;
}

void IOACPIPlatformDevice__setDeviceType(IOACPIPlatformDevice *me, uint32_t type)
{
    me->_deviceType = type;
}

/* ---- objects of the device ---- */

static OSObject *text_object(const char *text)
{
    return text ? (OSObject *)OSString_withCString(text) : NULL;
}

/* The value of a predefined object, +1; NULL: the device has no such object. */
static OSObject *make_value(const struct machine_device *device, const char *name)
{
    if (strcmp(name, "_STA") == 0)
        return (OSObject *)OSNumber_withNumber_number(STATUS_PRESENT, OBJECT_BITS);
    if (!device)
        return NULL;
    if (strcmp(name, "_HID") == 0)
        return text_object(device->hardware_id);
    if (strcmp(name, "_CID") == 0)
        return text_object(device->compatible_id);
    if (strcmp(name, "_UID") == 0)
        return text_object(device->unique_id);
    return NULL;
}

int32_t IOACPIPlatformDevice__evaluateObject_cstring(IOACPIPlatformDevice *me, const char *name,
                                                     OSObject **result, OSObject **parameters,
                                                     uint32_t count, uint32_t options)
{
    OSObject *value = make_value(description_of(me), name);

    if (!value)
        return kIOReturnNotFound;
    if (result)
        *result = value;
    else
        object_release(value);
    return kIOReturnSuccess;
}

int32_t IOACPIPlatformDevice__evaluateObject_symbol(IOACPIPlatformDevice *me, const OSSymbol *name,
                                                    OSObject **result, OSObject **parameters,
                                                    uint32_t count, uint32_t options)
{
    return IOACPIPlatformDevice_evaluateObject_cstring(
        me, OSString_getCStringNoCopy((OSString *)name), result, parameters, count, options);
}

int32_t IOACPIPlatformDevice__validateObject_cstring(IOACPIPlatformDevice *me, const char *name)
{
    return IOACPIPlatformDevice_evaluateObject_cstring(me, name, NULL, NULL, 0, 0);
}

int32_t IOACPIPlatformDevice__validateObject_symbol(IOACPIPlatformDevice *me, const OSSymbol *name)
{
    return IOACPIPlatformDevice_validateObject_cstring(me,
                                                       OSString_getCStringNoCopy((OSString *)name));
}

int32_t IOACPIPlatformDevice__evaluateInteger_cstring_integer64s(IOACPIPlatformDevice *me,
                                                                 const char *name, uint64_t *value,
                                                                 OSObject **parameters,
                                                                 uint32_t count, uint32_t options)
{
    OSObject *object = NULL;
    OSNumber *number;
    int32_t result = IOACPIPlatformDevice_evaluateObject_cstring(me, name, &object, parameters,
                                                                 count, options);

    if (result != kIOReturnSuccess)
        return result;
    number = as_number(object);
    if (number)
        *value = OSNumber_unsigned64BitValue(number);
    else
        result = kIOReturnBadArgument;
    object_release(object);
    return result;
}

int32_t IOACPIPlatformDevice__evaluateInteger_cstring_integer32s(IOACPIPlatformDevice *me,
                                                                 const char *name, uint32_t *value,
                                                                 OSObject **parameters,
                                                                 uint32_t count, uint32_t options)
{
    uint64_t wide = 0;
    int32_t result = IOACPIPlatformDevice_evaluateInteger_cstring_integer64s(me, name, &wide,
                                                                             parameters, count,
                                                                             options);

    if (result == kIOReturnSuccess)
        *value = (uint32_t)wide;
    return result;
}

int32_t IOACPIPlatformDevice__evaluateInteger_symbol_integer64s(IOACPIPlatformDevice *me,
                                                                const OSSymbol *name,
                                                                uint64_t *value,
                                                                OSObject **parameters,
                                                                uint32_t count, uint32_t options)
{
    return IOACPIPlatformDevice_evaluateInteger_cstring_integer64s(
        me, OSString_getCStringNoCopy((OSString *)name), value, parameters, count, options);
}

int32_t IOACPIPlatformDevice__evaluateInteger_symbol_integer32s(IOACPIPlatformDevice *me,
                                                                const OSSymbol *name,
                                                                uint32_t *value,
                                                                OSObject **parameters,
                                                                uint32_t count, uint32_t options)
{
    return IOACPIPlatformDevice_evaluateInteger_cstring_integer32s(
        me, OSString_getCStringNoCopy((OSString *)name), value, parameters, count, options);
}

/* ---- ports and memory: without a map the offset is the port itself ---- */

void IOACPIPlatformDevice__ioWrite32(IOACPIPlatformDevice *me, uint16_t port, uint32_t value,
                                     IOMemoryMap *map)
{
    machine_port_write(port, sizeof(value), value);
}

void IOACPIPlatformDevice__ioWrite16(IOACPIPlatformDevice *me, uint16_t port, uint16_t value,
                                     IOMemoryMap *map)
{
    machine_port_write(port, sizeof(value), value);
}

void IOACPIPlatformDevice__ioWrite8(IOACPIPlatformDevice *me, uint16_t port, uint8_t value,
                                    IOMemoryMap *map)
{
    machine_port_write(port, sizeof(value), value);
}

uint32_t IOACPIPlatformDevice__ioRead32(IOACPIPlatformDevice *me, uint16_t port, IOMemoryMap *map)
{
    return machine_port_read(port, sizeof(uint32_t));
}

uint16_t IOACPIPlatformDevice__ioRead16(IOACPIPlatformDevice *me, uint16_t port, IOMemoryMap *map)
{
    return (uint16_t)machine_port_read(port, sizeof(uint16_t));
}

uint8_t IOACPIPlatformDevice__ioRead8(IOACPIPlatformDevice *me, uint16_t port, IOMemoryMap *map)
{
    return (uint8_t)machine_port_read(port, sizeof(uint8_t));
}

static bool whole_access(uint32_t bit_width, uint32_t bit_offset)
{
    return bit_offset == 0 &&
           (bit_width == 8 || bit_width == 16 || bit_width == 32 || bit_width == 64);
}

int32_t IOACPIPlatformDevice__readAddressSpace(IOACPIPlatformDevice *me, uint64_t *value,
                                               uint32_t space, IOACPIAddress address,
                                               uint32_t bit_width, uint32_t bit_offset,
                                               uint32_t options)
{
    if (!whole_access(bit_width, bit_offset))
        return kIOReturnBadArgument;
    if (space == SPACE_MEMORY)
        *value = machine_mmio_read(address.addr64, bit_width / 8);
    else if (space == SPACE_PORTS && bit_width <= 32)
        *value = machine_port_read((uint16_t)address.addr64, bit_width / 8);
    else
        return kIOReturnUnsupported;
    return kIOReturnSuccess;
}

int32_t IOACPIPlatformDevice__writeAddressSpace(IOACPIPlatformDevice *me, uint64_t value,
                                                uint32_t space, IOACPIAddress address,
                                                uint32_t bit_width, uint32_t bit_offset,
                                                uint32_t options)
{
    if (!whole_access(bit_width, bit_offset))
        return kIOReturnBadArgument;
    if (space == SPACE_MEMORY)
        machine_mmio_write(address.addr64, bit_width / 8, value);
    else if (space == SPACE_PORTS && bit_width <= 32)
        machine_port_write((uint16_t)address.addr64, bit_width / 8, (uint32_t)value);
    else
        return kIOReturnUnsupported;
    return kIOReturnSuccess;
}

/* ---- what needs AML, events or power resources: this machine has none ---- */

const OSData *IOACPIPlatformDevice__getACPITableData(IOACPIPlatformDevice *me, const char *name,
                                                     uint32_t instance)
{
    return NULL;
}

int32_t IOACPIPlatformDevice__installInterruptForFixedEvent(IOACPIPlatformDevice *me,
                                                            uint32_t event)
{
    return kIOReturnUnsupported;
}

int32_t IOACPIPlatformDevice__installInterruptForGPE(IOACPIPlatformDevice *me, uint32_t number,
                                                     void *block, uint32_t options)
{
    return kIOReturnUnsupported;
}

int32_t IOACPIPlatformDevice__acquireGlobalLock(IOACPIPlatformDevice *me, uint32_t *token,
                                                const struct mach_timespec *timeout)
{
    *token = 0;
    return kIOReturnSuccess; /* no firmware to share it with */
}

void IOACPIPlatformDevice__releaseGlobalLock(IOACPIPlatformDevice *me, uint32_t token)
{
}

int32_t IOACPIPlatformDevice__registerAddressSpaceHandler(
    IOACPIPlatformDevice *me, uint32_t space,
    int32_t (*handler)(uint32_t, IOACPIAddress, uint64_t *, uint32_t, uint32_t, void *),
    void *context, uint32_t options)
{
    return kIOReturnUnsupported;
}

void IOACPIPlatformDevice__unregisterAddressSpaceHandler(
    IOACPIPlatformDevice *me, uint32_t space,
    int32_t (*handler)(uint32_t, IOACPIAddress, uint64_t *, uint32_t, uint32_t, void *),
    uint32_t options)
{
}

bool IOACPIPlatformDevice__hasSystemWakeCapability(IOACPIPlatformDevice *me)
{
    return false;
}

int32_t IOACPIPlatformDevice__setSystemWakeCapabilityEnable(IOACPIPlatformDevice *me, bool enable)
{
    return kIOReturnUnsupported;
}

bool IOACPIPlatformDevice__hasACPIPowerStateSupport(IOACPIPlatformDevice *me, uint32_t state)
{
    return false;
}

int32_t IOACPIPlatformDevice__setACPIPowerManagementEnable(IOACPIPlatformDevice *me, bool enable,
                                                           uint32_t state, uint32_t options)
{
    return kIOReturnUnsupported;
}

bool IOACPIPlatformDevice__initACPIPowerManagement(IOACPIPlatformDevice *me, IOService *parent)
{
    return true;
}

void IOACPIPlatformDevice__stopACPIPowerManagement(IOACPIPlatformDevice *me, IOService *parent)
{
}

int32_t IOACPIPlatformDevice__setPowerState(IOACPIPlatformDevice *me, unsigned long state,
                                            IOService *device)
{
    return IOPMAckImplied;
}
