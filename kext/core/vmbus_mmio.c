/* SPDX-License-Identifier: BSD-3-Clause */
/* The bus's part of the address space: where its windows are, and devices that take of them.
 *
 * The windows are resources of the ACPI device above VMBus (generation 2: "VMOD") or of the PCI
 * root (generation 1). Source: DSDT dumps; Linux vmbus_drv, which walks up the same way. */
#include "abi/IODeviceMemory.h"
#include "abi/IOPlatformExpert.h"
#include "abi/IORegistryIterator.h"
#include "abi/OSArray.h"
#include "abi/OSData.h"
#include "abi/constants.h"
#include "kext/core/device.h"
#include "kext/core/log.h"

static const char who[] = "HyperVVMBus";

#define BOOT_SCREEN_SIZE UINT64_C(0x4000000)    /* as much video memory as machines usually have */

static uint32_t add_records(struct mmio_space *space, IORegistryEntry *entry)
{
    OSData *data =
        iokit_cast(OSData, IORegistryEntry_getProperty_cstring(entry, "acpi-address-spaces"));

    return data == NULL ? 0
                        : mmio_add_address_spaces(space, OSData_getBytesNoCopy(data),
                                                  OSData_getLength(data));
}

static uint32_t add_device_memory(struct mmio_space *space, IORegistryEntry *entry)
{
    IOService *service = iokit_cast(IOService, entry);
    uint32_t added = 0;

    for (uint32_t i = 0; service != NULL && i < MMIO_WINDOWS_MAXIMUM; i++) {
        IOMemoryDescriptor *memory =
            (IOMemoryDescriptor *)IOService_getDeviceMemoryWithIndex(service, i);
        uint64_t first;

        if (memory == NULL)
            break;
        first = dma_physical_address(memory, 0);
        if (first != 0 &&
            mmio_add_window(space, first, first + IOMemoryDescriptor_getLength(memory) - 1) == 0)
            added++;
    }
    return added;
}

/* VMBus's own ACPI device and those above it. */
static uint32_t add_from_above(struct mmio_space *space, IORegistryEntry *entry)
{
    const IORegistryPlane *plane = IORegistryEntry_getPlane("IOACPIPlane");
    uint32_t added = 0;

    while (plane != NULL && entry != NULL && added == 0) {
        added = add_records(space, entry);
        if (added == 0)
            added = add_device_memory(space, entry);
        entry = IORegistryEntry_getParentEntry(entry, plane);
    }
    return added;
}

/* Any root bridge. */
static uint32_t add_from_bridges(struct mmio_space *space)
{
    const IORegistryPlane *plane = IORegistryEntry_getPlane("IOACPIPlane");
    IORegistryIterator *iterator =
        plane == NULL ? NULL
                      : IORegistryIterator_iterateOver_plane(plane, kIORegistryIterateRecursively);
    IORegistryEntry *entry;
    uint32_t added = 0;

    if (iterator == NULL)
        return 0;
    while (added == 0 && (entry = IORegistryIterator_getNextObjectRecursive(iterator)) != NULL)
        added = add_records(space, entry);
    iokit_release(iterator);
    return added;
}

/* The screen that the firmware left, and what video memory may follow it: for the video driver,
 * which comes later than others. */
static void keep_boot_screen(struct mmio_space *space)
{
    IOPlatformExpert *platform = IOService_getPlatform();
    uint64_t address;
    PE_Video video;

    if (platform == NULL || IOPlatformExpert_getConsoleInfo(platform, &video) != kIOReturnSuccess)
        return;
    address = video.v_baseAddr;
#if defined(__i386__)
    address |= (uint64_t)(uint32_t)video.v_baseAddrHigh << 32;
#endif
    address &= ~(uint64_t)1;            /* a flag */
    if (address != 0)
        mmio_keep(space, address, BOOT_SCREEN_SIZE);
}

void vmbus_find_mmio(HyperVVMBus *bus)
{
    IORegistryEntry *device =
        (IORegistryEntry *)IOService_getProvider((IOService *)bus->controller);

    if (add_from_above(&bus->mmio, device) == 0 && add_from_bridges(&bus->mmio) == 0 &&
        mmio_add_window(&bus->mmio, MMIO_LOW_FIRST, MMIO_LOW_LAST) == 0)
        hv_log(who, "the machine names no room for devices: taking that below 4 GiB");
    keep_boot_screen(&bus->mmio);
}

int device_reserve_mmio(HyperVVMBusDevice *device, uint64_t address, uint64_t size)
{
    HyperVVMBus *bus = device->bus;
    int error;

    IOLockLock(bus->lock);
    error = mmio_reserve(&bus->mmio, address, size);
    IOLockUnlock(bus->lock);
    return error;
}

int device_allocate_mmio(HyperVVMBusDevice *device, uint64_t size, uint64_t alignment,
                         uint64_t highest, uint64_t *address)
{
    HyperVVMBus *bus = device->bus;
    int error;

    IOLockLock(bus->lock);
    error = mmio_allocate(&bus->mmio, size, alignment, highest, address);
    IOLockUnlock(bus->lock);
    return error;
}

void device_release_mmio(HyperVVMBusDevice *device, uint64_t address)
{
    HyperVVMBus *bus = device->bus;

    IOLockLock(bus->lock);
    mmio_release(&bus->mmio, address);
    IOLockUnlock(bus->lock);
}
