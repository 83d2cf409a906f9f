/* SPDX-License-Identifier: BSD-3-Clause */
/* The bridge of the tests, and the functions behind it. */
#include "tests/unit/xnu-families/fake_pci.h"

#include "xnu/iokit/service.h"
#include "xnu/libkern/module.h"

struct FakeBridge {
    IOPCIHostBridge super;
};

struct PlainBridge {
    IOPCIBridge super;
};

struct fake_pci fake_pci;

/* ---- configuration space ---- */

static struct fake_function *function_at(IOPCIAddressSpace space)
{
    if (space.s.busNum != FAKE_BUS || space.s.deviceNum >= FAKE_FUNCTIONS ||
        space.s.functionNum != 0 || !fake_pci.functions[space.s.deviceNum].present)
        return NULL;
    return &fake_pci.functions[space.s.deviceNum];
}

static unsigned offset_of(IOPCIAddressSpace space, uint8_t offset)
{
    return space.es.registerNumExtended << 8 | offset;
}

static uint32_t read_config(IOPCIAddressSpace space, uint8_t offset, unsigned size)
{
    struct fake_function *function = function_at(space);
    uint32_t value = UINT32_MAX;

    if (function)
        memcpy(&value, &function->config[offset_of(space, offset)], size);
    return value;
}

static void write_config(IOPCIAddressSpace space, uint8_t offset, unsigned size, uint32_t value)
{
    struct fake_function *function = function_at(space);
    unsigned at = offset_of(space, offset);

    if (!function)
        return;
    if (at >= 0x10 && at < 0x28) {
        uint32_t mask = function->bars[(at - 0x10) / 4];
        bool upper = at > 0x10 && (function->bars[(at - 0x14) / 4] & 7) == 4;
        uint32_t fixed = upper ? 0 : mask & (mask & 1 ? 3 : 15);

        value = (value & (mask & ~fixed)) | fixed;
    } else if (at == 0x30) {
        value &= function->rom;
    }
    memcpy(&function->config[at], &value, size);
}

static uint32_t read32(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset)
{
    return read_config(space, offset, 4);
}
static uint16_t read16(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset)
{
    return (uint16_t)read_config(space, offset, 2);
}
static uint8_t read8(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset)
{
    return (uint8_t)read_config(space, offset, 1);
}
static void write32(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset, uint32_t value)
{
    write_config(space, offset, 4, value);
}
static void write16(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset, uint16_t value)
{
    write_config(space, offset, 2, value);
}
static void write8(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset, uint8_t value)
{
    write_config(space, offset, 1, value);
}

/* ---- the bridge ---- */

static bool configure(IOPCIBridge *me, IOService *provider)
{
    IOPCIBridge_addBridgeMemoryRange(me, FAKE_WINDOW, FAKE_WINDOW_SIZE, true);
    IOPCIBridge_addBridgeMemoryRange(me, FAKE_HIGH_WINDOW, UINT64_C(1) << 28, true);
    IOPCIBridge_addBridgeIORange(me, 0x1000, 0x1000);
    return true;
}

static IODeviceMemory *no_ports(IOPCIBridge *me)
{
    return NULL;
}

static IOPCIAddressSpace bridge_space(IOPCIBridge *me)
{
    return (IOPCIAddressSpace){.bits = FAKE_BUS << 16};
}

static uint8_t bus_number(IOPCIBridge *me)
{
    return FAKE_BUS;
}

static int32_t platform_function(IOService *me, const OSSymbol *name, bool wait, void *nub,
                                 void *unused, void *vector, void *message)
{
    uint32_t words[3] = {FAKE_MESSAGE_ADDRESS, 0, FAKE_MESSAGE_DATA};

    if (strcmp(OSString_getCStringNoCopy((OSString *)name), "GetMessagedInterruptAddress") != 0)
        return kIOReturnUnsupported;
    if (fake_pci.interrupts_refused)
        return kIOReturnIOError;
    fake_pci.vectors_asked[fake_pci.asked++ % 8] = (uintptr_t)vector;
    memcpy(message, words, sizeof(words));
    return kIOReturnSuccess;
}

#define METHODS                                                                               \
    .configure = configure, .ioDeviceMemory = no_ports, .getBridgeSpace = bridge_space,       \
    .firstBusNum = bus_number, .lastBusNum = bus_number, .configRead32 = read32,              \
    .configRead16 = read16, .configRead8 = read8, .configWrite32 = write32,                   \
    .configWrite16 = write16, .configWrite8 = write8,                                         \
    .callPlatformFunction_symbol = platform_function

IOKIT_CLASS(10, FakeBridge, IOPCIHostBridge, METHODS)
IOKIT_CLASS(11, PlainBridge, IOPCIBridge, METHODS)

/* ---- set-up ---- */

void fake_pci_start(void)
{
    memset(&fake_pci, 0, sizeof(fake_pci));
    iokit_test_start();
}

void fake_put(struct fake_function *function, unsigned offset, unsigned size, uint32_t value)
{
    memcpy(&function->config[offset], &value, size);
}

struct fake_function *fake_add(unsigned device, uint16_t vendor, uint16_t id, uint32_t class_code)
{
    struct fake_function *function = &fake_pci.functions[device];

    memset(function, 0, sizeof(*function));
    function->present = true;
    fake_put(function, 0, 4, (uint32_t)id << 16 | vendor);
    fake_put(function, 8, 4, class_code << 8 | 0x02);
    return function;
}

void fake_capability(struct fake_function *function, uint8_t kind, uint8_t offset)
{
    unsigned last = 0x34;

    while (function->config[last] != 0)
        last = function->config[last] + 1u;
    function->config[last] = offset;
    function->config[offset] = kind;
    function->config[6] |= 0x10;
}

IOPCIBridge *fake_bridge(const OSMetaClass *class)
{
    IOService *provider = make_nub("pci-host", NULL);
    IOService *bridge = (IOService *)OSMetaClass_alloc((OSMetaClass *)class);

    CHECK(IORegistryEntry_attachToParent(as_entry(provider),
                                         as_entry(IOService_getProvider(provider)), gIODTPlane));
    CHECK(IORegistryEntry_init_dictionary(as_entry(bridge), NULL));
    CHECK(IOService_attach(bridge, provider));
    object_release(bridge);
    if (!IOService_start(bridge, provider)) {
        IOService_detach(bridge, provider);
        return NULL;
    }
    CHECK(wait_idle());
    return (IOPCIBridge *)bridge;
}

IOPCIDevice *fake_nub(IOPCIBridge *bridge, unsigned device)
{
    OSArray *clients = service_copy_clients((IOService *)bridge);
    IOPCIDevice *found = NULL;

    for (unsigned i = 0; i < array_count(clients); i++) {
        IOPCIDevice *nub = object_cast(array_at(clients, i), &IOPCIDevice_gMetaClass);

        if (nub && nub->space.s.deviceNum == device)
            found = nub;
    }
    object_release(clients);
    return found;
}
