/* SPDX-License-Identifier: BSD-3-Clause */
/* IOPCIBridge: configures a bus and publishes its functions. */
#include "xnu/families/pci/pci_private.h"

#include "abi/IODeviceMemory.h"
#include "abi/IOPCIHostBridge.h"
#include "abi/kpi/libkern.h"
#include "xnu/bsd/format.h"
#include "xnu/iokit/device_tree.h"
#include "xnu/libkern/plist_objects.h"
#include "xnu/libkern/release.h"

enum { RELEASE_UNIT = 100, LOCATION_ROOM = 16, FRAGMENTS = 8, LOCKING = 1 };

/* Windows that drivers declare where a machine has none. */
#define PLACEHOLDER_START 0x80000000u
#define PLACEHOLDER_SIZE 0x7f000000u
#define PLACEHOLDER_PORTS 0x10000u

/* ---- life ---- */

static IORangeAllocator *make_window(void)
{
    return IORangeAllocator_withRange(0, 0, FRAGMENTS, LOCKING);
}

static bool make_state(IOPCIBridge *me)
{
    struct pci_bridge *state;

    if (bridge_state(me))
        return true;
    state = kernel_allocate(sizeof(*state));
    me->reserved = (void *)state;
    if (!state)
        return false;
    state->memory_low = make_window();
    state->memory_high = make_window();
    state->ports = make_window();
    return state->memory_low && state->memory_high && state->ports;
}

void IOPCIBridge__free(IOPCIBridge *me)
{
    struct pci_bridge *state = bridge_state(me);

    if (state) {
        object_release(state->memory_low);
        object_release(state->memory_high);
        object_release(state->ports);
        kernel_free(state, sizeof(*state));
        me->reserved = NULL;
    }
    IOService_super_free((IOService *)me);
}

/* From macOS 12 on a bridge without a PCI device above it must be of the host bridges' class. */
static bool may_be_here(IOPCIBridge *me, IOService *provider)
{
    if (object_cast(provider, &IOPCIDevice_gMetaClass) ||
        !release_behaviour()->host_bridge_class || object_cast(me, &IOPCIHostBridge_gMetaClass))
        return true;
    machine_log("IOPCIFamily: %s is a host bridge and must derive from IOPCIHostBridge\n",
                object_class_name(me));
    return false;
}

bool IOPCIBridge__start(IOPCIBridge *me, IOService *provider)
{
    if (!IOService_super_start((IOService *)me, provider) || !make_state(me) ||
        !may_be_here(me, provider) || !IOPCIBridge_configure(me, provider))
        return false;
    pci_scan_bus(me, provider);
    IOPCIBridge_probeBus(me, provider, IOPCIBridge_firstBusNum(me));
    IORegistryEntry_setProperty_cstring_bool(entry_of(provider), "IOPCIConfigured", true);
    IOService_registerService((IOService *)me, 0);
    return true;
}

void IOPCIBridge__stop(IOPCIBridge *me, IOService *provider)
{
    IOService_super_stop((IOService *)me, provider);
}

bool IOPCIBridge__configure(IOPCIBridge *me, IOService *provider)
{
    return true;
}

uint8_t IOPCIBridge__firstBusNum(IOPCIBridge *me)
{
    return 0;
}

uint8_t IOPCIBridge__lastBusNum(IOPCIBridge *me)
{
    return UINT8_MAX;
}

/* ---- windows ---- */

static bool add_memory(IOPCIBridge *me, uint64_t start, uint64_t size)
{
    struct pci_bridge *state = bridge_state(me);

    if (!state || size == 0 || start + size < start)
        return false;
    if (start == PLACEHOLDER_START && size == PLACEHOLDER_SIZE)
        return true;
    IORangeAllocator_deallocate(start > UINT32_MAX ? state->memory_high : state->memory_low, start,
                                size);
    return true;
}

bool IOPCIBridge__addBridgeMemoryRange(IOPCIBridge *me, uint64_t start, uint64_t size, bool host)
{
    return add_memory(me, start, size);
}

bool IOPCIBridge__addBridgePrefetchableMemoryRange_bool(IOPCIBridge *me, uint64_t start,
                                                        uint64_t size, bool host)
{
    return add_memory(me, start, size);
}

bool IOPCIBridge__addBridgeIORange(IOPCIBridge *me, uint64_t start, uint64_t size)
{
    if (!bridge_state(me) || size == 0 || start + size > PLACEHOLDER_PORTS)
        return false;
    if (start != 0 || size != PLACEHOLDER_PORTS)
        IORangeAllocator_deallocate(bridge_state(me)->ports, start, size);
    return true;
}

/* ---- nubs ---- */

OSDictionary *IOPCIBridge__constructProperties(IOPCIBridge *me, IOPCIAddressSpace space)
{
    return NULL; /* nothing beyond what the scan makes */
}

IOPCIDevice *IOPCIBridge__createNub(IOPCIBridge *me, OSDictionary *from)
{
    return object_new(&IOPCIDevice_gMetaClass);
}

void IOPCIBridge__spaceFromProperties_dictionary(IOPCIBridge *me, OSDictionary *table,
                                                 IOPCIAddressSpace *space)
{
    OSData *reg = as_data(OSDictionary_getObject_cstring(table, "reg"));
    IOPCIAddressSpace given;

    space->bits = 0;
    if (!reg || OSData_getLength(reg) < sizeof(given.bits))
        return;
    memcpy(&given.bits, OSData_getBytesNoCopy(reg), sizeof(given.bits));
    space->s.busNum = given.s.busNum;
    space->s.deviceNum = given.s.deviceNum;
    space->s.functionNum = given.s.functionNum;
}

bool IOPCIBridge__initializeNub(IOPCIBridge *me, IOPCIDevice *nub, OSDictionary *from)
{
    IODeviceMemory *ports = IOPCIBridge_ioDeviceMemory(me);

    IOPCIBridge_spaceFromProperties_dictionary(me, from, &nub->space);
    nub->parent = me;
    if (ports)
        nub->ioMap = IOMemoryDescriptor_map_number((IOMemoryDescriptor *)ports, 0);
    return true;
}

static void save_registers(IOPCIDevice *nub)
{
    for (unsigned i = 0; i < PCI_SAVED_REGISTERS; i++)
        nub_state(nub)->saved[i] =
            IOPCIDevice_configRead32_space(nub, nub->space, (uint8_t)(4 * i));
}

bool IOPCIBridge__publishNub(IOPCIBridge *me, IOPCIDevice *nub, uint32_t index)
{
    char location[LOCATION_ROOM];

    if (!nub)
        return false;
    format_text(location, sizeof(location), nub->space.s.functionNum ? "%X,%X" : "%X",
                (unsigned)nub->space.s.deviceNum, (unsigned)nub->space.s.functionNum);
    IORegistryEntry_setLocation_cstring(entry_of(nub), location, NULL);
    save_registers(nub);
    if (!IOService_attach((IOService *)nub, (IOService *)me))
        return false;
    IORegistryEntry_setProperty_cstring_bool(entry_of(nub), "IOPCIConfigured", true);
    IOService_registerService((IOService *)nub, 0);
    return true;
}

static void publish(IOPCIBridge *me, IOPCIDevice *nub, uint32_t index)
{
    OSDictionary *properties = IORegistryEntry_dictionaryWithProperties(entry_of(nub));

    if (!properties || !IOPCIBridge_initializeNub(me, nub, properties) ||
        !IOPCIBridge_publishNub(me, nub, index))
        IORegistryEntry_detachAll(entry_of(nub), gIODTPlane);
    object_release(properties);
}

/* What the scan made, and is not in the service plane yet. */
void IOPCIBridge__probeBus(IOPCIBridge *me, IOService *provider, uint8_t number)
{
    OSArray *children = registry_copy_links(entry_of(provider), REGISTRY_CHILDREN, gIODTPlane);
    unsigned i;

    for (i = 0; children && i < array_count(children); i++) {
        IOPCIDevice *nub = object_cast(array_at(children, i), &IOPCIDevice_gMetaClass);

        if (nub && nub->parent == me && !IORegistryEntry_inPlane(entry_of(nub), gIOServicePlane))
            publish(me, nub, i);
    }
    object_release(children);
}

bool IOPCIBridge__isDTNub(IOPCIBridge *me, IOPCIDevice *nub)
{
    return true;
}

/* The nub goes: its place on the bus is free again. */
void IOPCIBridge_removeDevice(IOPCIBridge *me, IOPCIDevice *nub, uint32_t options)
{
    if (bridge_state(me))
        pci_release_ranges(me, nub_state(nub)->ranges);
    memset(nub_state(nub)->ranges, 0, sizeof(nub_state(nub)->ranges));
}

/* ---- matching ---- */

bool IOPCIBridge__pciMatchNub(IOPCIBridge *me, IOPCIDevice *nub, OSDictionary *table,
                              int32_t *score)
{
    struct match_rules rules = {.release = release_number() / RELEASE_UNIT};
    struct plist *personality = plist_from_object((OSObject *)table, NULL);
    enum match_answer answer = MATCH_NO;

    if (personality)
        answer = pci_match_registers(personality, &nub_state(nub)->registers, &rules);
    plist_release(personality);
    return answer == MATCH_YES;
}

bool IOPCIBridge__matchNubWithPropertyTable(IOPCIBridge *me, IOService *nub, OSDictionary *table,
                                            int32_t *score)
{
    IOPCIDevice *device = object_cast(nub, &IOPCIDevice_gMetaClass);

    return device && IOPCIBridge_pciMatchNub(me, device, table, score);
}

/* One list of values and masks against a register of the nub. */
bool IOPCIBridge__matchKeys(IOPCIBridge *me, IOPCIDevice *nub, const char *keys, uint32_t mask,
                            uint8_t offset)
{
    uint32_t value = nub_state(nub)->saved[offset / 4 % PCI_SAVED_REGISTERS];
    struct pci_value wanted;
    size_t position = 0;

    while (pci_next_value(keys, &position, mask, release_number() / RELEASE_UNIT, &wanted))
        if ((wanted.value & wanted.mask) == (value & wanted.mask))
            return true;
    return false;
}

bool IOPCIBridge__compareNubName(IOPCIBridge *me, const IOService *nub, OSString *name,
                                 OSString **matched)
{
    return IODTCompareNubName((const IORegistryEntry *)nub, name, matched);
}
