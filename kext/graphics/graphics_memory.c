/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the VRAM is. The host puts it where the guest says; at the start it is where the firmware
 * said, and the boot screen is drawn there, so there it stays if it can. */
#include "abi/IOMemoryDescriptor.h"
#include "abi/IOPlatformExpert.h"
#include "abi/constants.h"
#include "abi/kpi/libkern.h"
#include "kext/core/log.h"
#include "kext/core/shared_memory.h"
#include "kext/graphics/HyperVGraphics.h"

#define PAGE_MASK UINT64_C(0xFFF)
#define ALIGNMENT UINT64_C(0x100000)    /* as Linux places it */

static const char who[] = "HyperVGraphics";

/* What the boot screen shows, and where. False: there is none that lies in the VRAM. */
static bool read_boot_screen(const struct graphics_memory *memory, struct video_mode *boot,
                             uint64_t *address)
{
    IOPlatformExpert *platform = IOService_getPlatform();
    PE_Video video;

    memset(&video, 0, sizeof video);
    memset(boot, 0, sizeof *boot);
    if (platform == NULL || IOPlatformExpert_getConsoleInfo(platform, &video) != kIOReturnSuccess)
        return false;
    *address = video.v_baseAddr;
#if defined(__i386__)
    *address |= (uint64_t)(uint32_t)video.v_baseAddrHigh << 32;
#endif
    *address &= ~PAGE_MASK;             /* the lowest bit is a flag */
    if (*address == 0 || video.v_width == 0 || video.v_width > DISPLAY_EDGE_MAXIMUM ||
        video.v_height == 0 || video.v_height > DISPLAY_EDGE_MAXIMUM ||
        (video.v_depth != 16 && video.v_depth != 32) ||
        video.v_rowBytes < video.v_width * video.v_depth / 8 ||
        video.v_rowBytes > memory->size / video.v_height)
        return false;
    *boot = (struct video_mode){ (uint32_t)video.v_width, (uint32_t)video.v_height,
                                 (uint32_t)video.v_rowBytes, (uint8_t)video.v_depth };
    return true;
}

static int find_room(HyperVGraphics *self, struct video_mode *boot)
{
    struct graphics_memory *memory = &self->memory;
    uint64_t address;
    int error = HV_ERROR_NOT_FOUND;

    if (read_boot_screen(memory, boot, &address)) {
        error = device_reserve_mmio(self->device, address, memory->size);
        memory->is_reserved = error == 0;
        memory->address = address;
        /* Some hosts' firmware has it outside of the room that the tables name. */
        if (error == 0 || error == HV_ERROR_NOT_FOUND)
            return 0;
        hv_log(who, "another device lies behind the boot screen: the VRAM moves");
        memset(boot, 0, sizeof *boot);
    }
    error = device_allocate_mmio(self->device, memory->size, ALIGNMENT, UINT32_MAX, &address);
    if (error != 0 && sizeof(void *) > 4)
        error = device_allocate_mmio(self->device, memory->size, ALIGNMENT, UINT64_MAX, &address);
    memory->is_reserved = error == 0;
    memory->address = error == 0 ? address : 0;
    return error;
}

int graphics_memory_take(HyperVGraphics *self, struct video_mode *boot)
{
    struct graphics_memory *memory = &self->memory;
    int error;

    memory->size = (uint32_t)device_offer(self->device)->mmio_megabytes << 20;
    if (memory->size == 0)
        return HV_ERROR_INVALID;
    error = find_room(self, boot);
    if (error != 0)
        return error;
    memory->descriptor = IODeviceMemory_withRange(memory->address, memory->size);
    if (memory->descriptor == NULL)
        return HV_ERROR_NO_RESOURCES;
    /* Ordinary memory of the host, which maps it cacheable as well. */
    memory->map = IOMemoryDescriptor_map_number((IOMemoryDescriptor *)memory->descriptor,
                                                kIOMapCopybackCache);
    if (memory->map == NULL)
        return HV_ERROR_NO_RESOURCES;
    memory->bytes = (const uint8_t *)(uintptr_t)IOMemoryMap_getVirtualAddress(memory->map);
    return 0;
}

/* A host that still has the device still shows this memory: it stays taken. */
void graphics_memory_give_back(HyperVGraphics *self)
{
    struct graphics_memory *memory = &self->memory;

    iokit_release_clear(memory->map);
    iokit_release_clear(memory->descriptor);
    memory->bytes = NULL;
    if (memory->is_reserved && device_is_gone(self->device))
        device_release_mmio(self->device, memory->address);
    memory->is_reserved = false;
    memory->address = 0;
}
