/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVGraphicsBridge: for when MacHyperVFramebuffer.kext is not installed. A PCI bus with one
 * display on it, whose memory is the VRAM with the boot screen: Apple's own framebuffer for boot
 * screens takes such a device. Machines of generation 1 have one of their own.
 *
 * It competes with HyperVGraphicsFramebuffer for HyperVGraphics (IOMatchCategory) and loses. If
 * that kext comes only later, it takes the display's place on this bus. */
#include "abi/kpi/globals.h"
#include "kext/core/boot_arguments.h"
#include "kext/core/log.h"
#include "kext/graphics/HyperVGraphics.h"
#include "kext/graphics/display_config.h"
#include "kext/pci/HyperVPCIRoot.h"

static const char who[] = "HyperVGraphicsBridge";

#define ROOT_SECONDS 10u

struct HyperVGraphicsBridge {
    host_bridge super;
    HyperVPCIRoot *root;
    struct pci_root_bus root_bus;
    uint8_t bus_number;                 /* 0: none */
    IORegistryEntry *tree;              /* the provider's parent in the device tree */
    IOSimpleLock *lock;                 /* guards `config`; taken with interrupts off */
    struct display_config config;
};
HOST_BRIDGE_DECLARE(20, HyperVGraphicsBridge);

static HyperVGraphicsBridge *from(void *me)
{
    return me;
}

/* ---- configuration space: any context -------------------------------------------------------- */

static uint32_t read_config(void *me, IOPCIAddressSpace space, uint32_t offset, uint32_t size)
{
    HyperVGraphicsBridge *self = me;
    uint32_t value = UINT32_MAX;
    IOInterruptState state;

    if (space.s.deviceNum != 0 || space.s.functionNum != 0)
        return value;
    state = IOSimpleLockLockDisableInterrupt(self->lock);
    value = display_config_read(&self->config, offset, size);
    IOSimpleLockUnlockEnableInterrupt(self->lock, state);
    return value;
}

static void write_config(void *me, IOPCIAddressSpace space, uint32_t offset, uint32_t size,
                         uint32_t value)
{
    HyperVGraphicsBridge *self = me;
    IOInterruptState state;

    if (space.s.deviceNum != 0 || space.s.functionNum != 0)
        return;
    state = IOSimpleLockLockDisableInterrupt(self->lock);
    display_config_write(&self->config, offset, size, value);
    IOSimpleLockUnlockEnableInterrupt(self->lock, state);
}

static uint32_t config_read32(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset)
{
    return read_config(me, space, host_bridge_offset(space, offset), 4);
}

static uint16_t config_read16(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset)
{
    return (uint16_t)read_config(me, space, host_bridge_offset(space, offset), 2);
}

static uint8_t config_read8(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset)
{
    return (uint8_t)read_config(me, space, host_bridge_offset(space, offset), 1);
}

static void config_write32(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset,
                           uint32_t value)
{
    write_config(me, space, host_bridge_offset(space, offset), 4, value);
}

static void config_write16(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset,
                           uint16_t value)
{
    write_config(me, space, host_bridge_offset(space, offset), 2, value);
}

static void config_write8(IOPCIBridge *me, IOPCIAddressSpace space, uint8_t offset, uint8_t value)
{
    write_config(me, space, host_bridge_offset(space, offset), 1, value);
}

/* ---- what the family asks -------------------------------------------------------------------- */

static bool bridge_configure(IOPCIBridge *me, IOService *provider)
{
    const struct display_config *config = &from(me)->config;

    IOPCIBridge_addBridgeMemoryRange(me, config->address, config->size, true);
    return host_bridge_super(configure)((host_bridge *)me, provider);
}

static uint8_t bridge_bus_number(IOPCIBridge *me)
{
    return from(me)->bus_number;
}

static IODeviceMemory *bridge_ports(IOPCIBridge *me)
{
    return NULL;
}

static IOPCIAddressSpace bridge_space(IOPCIBridge *me)
{
    IOPCIAddressSpace space = { .bits = 0 };

    space.s.busNum = from(me)->bus_number;
    return space;
}

/* ---- start and stop -------------------------------------------------------------------------- */

/* A base address for the VRAM that holds at least the picture. */
static bool make_display(HyperVGraphicsBridge *self, HyperVGraphics *graphics)
{
    uint64_t picture = (uint64_t)graphics->mode.pitch * graphics->mode.height;
    uint32_t size = display_config_make(&self->config, graphics->memory.address,
                                        graphics->memory.size);

    if (size >= picture)
        return true;
    hv_log(who, "no PCI device can have the screen's memory at 0x%llx",
           (unsigned long long)graphics->memory.address);
    return false;
}

static bool join_root(HyperVGraphicsBridge *self, IOService *provider)
{
    HyperVPCIRoot *root = pci_root_wait(ROOT_SECONDS);

    if (root == NULL || root->has_ports)
        return false;                   /* generation 1: the display is there */
    iokit_retain(root);
    self->root = root;
    self->root_bus = (struct pci_root_bus){ self, read_config, write_config };
    self->bus_number = pci_root_add_bus(self->root, &self->root_bus);
    self->tree = pci_root_device_tree(self->root);
    iokit_retain(self->tree);
    return self->bus_number != 0 && self->tree != NULL &&
           IORegistryEntry_attachToParent((IORegistryEntry *)provider, self->tree, gIODTPlane);
}

static void leave_root(HyperVGraphicsBridge *self, IOService *provider)
{
    if (self->bus_number != 0)
        pci_root_remove_bus(self->root, self->bus_number);
    self->bus_number = 0;
    if (self->tree != NULL)
        IORegistryEntry_detachFromParent((IORegistryEntry *)provider, self->tree, gIODTPlane);
    iokit_release_clear(self->tree);
    iokit_release_clear(self->root);
}

static bool bridge_start(IOService *me, IOService *provider)
{
    HyperVGraphicsBridge *self = from(me);
    HyperVGraphics *graphics = iokit_cast(HyperVGraphics, provider);

    if (boot_argument_given("-hvgfxboff") || graphics == NULL || !make_display(self, graphics))
        return false;
    self->lock = IOSimpleLockAlloc();
    if (self->lock == NULL)
        return false;
    if (join_root(self, provider) && host_bridge_super(start)((host_bridge *)me, provider))
        return true;
    leave_root(self, provider);
    return false;
}

static void bridge_stop(IOService *me, IOService *provider)
{
    leave_root(from(me), provider);
    host_bridge_super(stop)((host_bridge *)me, provider);
}

static void bridge_free(OSObject *me)
{
    if (from(me)->lock != NULL)
        IOSimpleLockFree(from(me)->lock);
    host_bridge_super(free)((host_bridge *)me);
}

HOST_BRIDGE_CLASS(20, HyperVGraphicsBridge,
                  .start = bridge_start,
                  .stop = bridge_stop,
                  .free = bridge_free,
                  .configure = bridge_configure,
                  .firstBusNum = bridge_bus_number,
                  .lastBusNum = bridge_bus_number,
                  .ioDeviceMemory = bridge_ports,
                  .getBridgeSpace = bridge_space,
                  .configRead32 = config_read32,
                  .configRead16 = config_read16,
                  .configRead8 = config_read8,
                  .configWrite32 = config_write32,
                  .configWrite16 = config_write16,
                  .configWrite8 = config_write8)
