/* SPDX-License-Identifier: BSD-3-Clause */
/* IOPCIBridge: memory and interrupts of nubs, capabilities, saved states. */
#include "xnu/families/pci/pci_private.h"

#include "abi/IODeviceMemory.h"
#include "abi/IOPCIHostBridge.h"
#include "abi/IOSubMemoryDescriptor.h"
#include "abi/kpi/libkern.h"
#include "xnu/libkern/release.h"

enum {
    CELLS = 5,
    CAPABILITIES_MAX = 48,           /* as many as fit, so that a loop ends */
    EXTENDED_FIRST = 0x100,
    EXTENDED_LAST = 0xffc,
    EXTENDED_MAX = (0x1000 - EXTENDED_FIRST) / 8,
    CAPABILITY_FIRST = 0x40,
};

/* ---- memory ---- */

static IODeviceMemory *make_memory(IOPCIBridge *me, IOPCIAddressSpace flags, uint64_t start,
                                   uint64_t size)
{
    IODeviceMemory *ports;

    if (flags.s.space != kIOPCIIOSpace)
        return IODeviceMemory_withRange(start, size);
    ports = IOPCIBridge_ioDeviceMemory(me);
    return ports ? IODeviceMemory_withSubRange(ports, start, size) : NULL;
}

bool IOPCIBridge__constructRange(IOPCIBridge *me, IOPCIAddressSpace *flags, uint64_t start,
                                 uint64_t size, OSArray *array)
{
    IODeviceMemory *memory = make_memory(me, *flags, start, size);
    bool good = memory && OSArray_setObject_metaclassbase(array, (OSMetaClassBase *)memory);

    if (good)
        IOMemoryDescriptor_setTag((IOMemoryDescriptor *)memory, flags->bits);
    object_release(memory);
    return good;
}

int32_t IOPCIBridge__getDTNubAddressing(IOPCIBridge *me, IOPCIDevice *nub)
{
    OSData *assigned =
        as_data(IORegistryEntry_getProperty_cstring(entry_of(nub), "assigned-addresses"));
    OSArray *memory = OSArray_withCapacity(PCI_RANGES);
    uint32_t cells[CELLS], i;

    if (!memory)
        return kIOReturnNoMemory;
    for (i = 0; assigned && (i + 1) * sizeof(cells) <= OSData_getLength(assigned); i++) {
        IOPCIAddressSpace flags;

        memcpy(cells, (const char *)OSData_getBytesNoCopy(assigned) + i * sizeof(cells),
               sizeof(cells));
        flags.bits = cells[0];
        IOPCIBridge_constructRange(me, &flags, (uint64_t)cells[1] << 32 | cells[2],
                                   (uint64_t)cells[3] << 32 | cells[4], memory);
    }
    if (array_count(memory) > 0)
        IORegistryEntry_setProperty_symbol_object(entry_of(nub), gIODeviceMemoryKey,
                                                  (OSObject *)memory);
    object_release(memory);
    return kIOReturnSuccess;
}

int32_t IOPCIBridge__getNubAddressing(IOPCIBridge *me, IOPCIDevice *nub)
{
    return kIOReturnError;
}

/* At the first matching. Interrupts too before macOS 12; later, when somebody looks at them. */
int32_t IOPCIBridge__getNubResources(IOPCIBridge *me, IOService *service)
{
    IOPCIDevice *nub = object_cast(service, &IOPCIDevice_gMetaClass);
    int32_t result;

    if (!nub)
        return kIOReturnBadArgument;
    if (nub_state(nub)->resourced)
        return kIOReturnSuccess;
    nub_state(nub)->resourced = true;
    IORegistryEntry_setProperty_cstring_bool(entry_of(nub), "IOPCIResourced", true);
    result = IOPCIBridge_getDTNubAddressing(me, nub);
    if (!release_behaviour()->host_bridge_class) {
        nub_state(nub)->interrupts_resolved = true;
        pci_messages_allocate(nub);
    }
    return result;
}

/* ---- capabilities ---- */

static bool has_capabilities(IOPCIBridge *me, IOPCIAddressSpace space)
{
    return IOPCIBridge_configRead32(me, space, kIOPCIConfigCommand) >> 16 &
           kIOPCIStatusCapabilities;
}

/* The header of the first capability of this kind behind `*offset` (0: any). */
static uint32_t find_capability(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t kind,
                                uint32_t *offset)
{
    uint32_t position, header, rounds;
    bool behind = *offset == 0;

    if (!has_capabilities(me, space))
        return 0;
    position = IOPCIBridge_configRead8(me, space, kIOPCIConfigCapabilitiesPtr) & 0xfcu;
    for (rounds = 0; position >= CAPABILITY_FIRST && rounds < CAPABILITIES_MAX; rounds++) {
        header = IOPCIBridge_configRead32(me, space, (uint8_t)position);
        if (behind && (header & 0xff) == kind) {
            *offset = position;
            return header;
        }
        behind = behind || position == *offset;
        position = header >> 8 & 0xfc;
    }
    return 0;
}

static uint32_t find_extended(IOPCIBridge *me, IOPCIAddressSpace space, uint32_t kind,
                              uint32_t *offset)
{
    uint32_t position = EXTENDED_FIRST, header, rounds;
    bool behind = *offset == 0;

    for (rounds = 0; position >= EXTENDED_FIRST && position <= EXTENDED_LAST &&
                     rounds < EXTENDED_MAX; rounds++) {
        space.es.registerNumExtended = position >> 8;
        header = IOPCIBridge_configRead32(me, space, (uint8_t)position);
        if (header == 0 || header == UINT32_MAX)
            return 0;
        if (behind && (header & 0xffff) == kind) {
            *offset = position;
            return header;
        }
        behind = behind || position == *offset;
        position = header >> 20 & EXTENDED_LAST;
    }
    return 0;
}

uint32_t IOPCIBridge__findPCICapability(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t kind,
                                        uint8_t *offset)
{
    uint32_t found = 0;
    uint32_t header = find_capability(me, space, kind, &found);

    if (header && offset)
        *offset = (uint8_t)found;
    return header;
}

/* A negative kind names a PCI Express extended capability. */
uint32_t IOPCIBridge__extendedFindPCICapability_space(IOPCIBridge *me, IOPCIAddressSpace space,
                                                      uint32_t kind, uint64_t *offset)
{
    uint32_t found = offset ? (uint32_t)*offset : 0;
    uint32_t header = (int32_t)kind < 0 ? find_extended(me, space, 0 - kind, &found)
                                        : find_capability(me, space, (uint8_t)kind, &found);

    if (header && offset)
        *offset = found;
    return header;
}

/* ---- saved state ---- */

int32_t IOPCIBridge__saveDeviceState(IOPCIBridge *me, IOPCIDevice *nub, uint32_t options)
{
    for (unsigned i = 0; i < PCI_SAVED_REGISTERS; i++)
        nub_state(nub)->saved[i] = IOPCIBridge_configRead32(me, nub->space, (uint8_t)(4 * i));
    return kIOReturnSuccess;
}

/* The command register last: it turns decoding on. */
int32_t IOPCIBridge__restoreDeviceState(IOPCIBridge *me, IOPCIDevice *nub, uint32_t options)
{
    for (unsigned i = PCI_SAVED_REGISTERS; i-- > 1;)
        IOPCIBridge_configWrite32(me, nub->space, (uint8_t)(4 * i), nub_state(nub)->saved[i]);
    return kIOReturnSuccess;
}

int32_t IOPCIBridge__setDevicePowerState(IOPCIBridge *me, IOPCIDevice *nub, unsigned long state)
{
    return kIOReturnUnsupported;
}

int32_t IOPCIBridge__setDeviceASPMState(IOPCIBridge *me, IOPCIDevice *nub, IOService *client,
                                        uint32_t state)
{
    return kIOReturnUnsupported;
}

int32_t IOPCIBridge__checkLink(IOPCIBridge *me, uint32_t options)
{
    return kIOReturnUnsupported;
}

/* ---- methods that releases override and that need nothing of their own here ---- */

bool IOPCIBridge__init_dictionary(IOPCIBridge *me, OSDictionary *properties)
{
    return IOService_super_init_dictionary((IOService *)me, properties);
}

int32_t IOPCIBridge__setProperties(IOPCIBridge *me, OSObject *properties)
{
    return IOService_super_setProperties((IOService *)me, properties);
}

int32_t IOPCIBridge__callPlatformFunction_symbol(IOPCIBridge *me, const OSSymbol *function,
                                                 bool wait, void *param1, void *param2,
                                                 void *param3, void *param4)
{
    return IOService_super_callPlatformFunction_symbol((IOService *)me, function, wait, param1,
                                                       param2, param3, param4);
}

int32_t IOPCIBridge__newUserClient_dictionary(IOPCIBridge *me, struct task *owner, void *security,
                                              uint32_t type, OSDictionary *properties,
                                              IOUserClient **handler)
{
    return kIOReturnUnsupported;
}

int32_t IOPCIBridge__setPowerState(IOPCIBridge *me, unsigned long state, IOService *device)
{
    return IOService_super_setPowerState((IOService *)me, state, device);
}

unsigned long IOPCIBridge__maxCapabilityForDomainState(IOPCIBridge *me, unsigned long state)
{
    return IOService_super_maxCapabilityForDomainState((IOService *)me, state);
}

unsigned long IOPCIBridge__initialPowerStateForDomainState(IOPCIBridge *me, unsigned long state)
{
    return IOService_super_initialPowerStateForDomainState((IOService *)me, state);
}

unsigned long IOPCIBridge__powerStateForDomainState(IOPCIBridge *me, unsigned long state)
{
    return IOService_super_powerStateForDomainState((IOService *)me, state);
}

/* ---- IOPCIHostBridge, from macOS 12 on ---- */

void IOPCIHostBridge__free(IOPCIHostBridge *me)
{
    IOPCIBridge_super_free((IOPCIBridge *)me);
}

IOService *IOPCIHostBridge__probe(IOPCIHostBridge *me, IOService *provider, int32_t *score)
{
    return IOPCIBridge_super_probe((IOPCIBridge *)me, provider, score);
}

bool IOPCIHostBridge__start(IOPCIHostBridge *me, IOService *provider)
{
    return IOPCIBridge_super_start((IOPCIBridge *)me, provider);
}

bool IOPCIHostBridge__configure(IOPCIHostBridge *me, IOService *provider)
{
    return IOPCIBridge_super_configure((IOPCIBridge *)me, provider);
}
