/* SPDX-License-Identifier: BSD-3-Clause */
/* How MacHyperVFramebuffer.kext uses HyperVGraphics. From macOS 11 on a kext in /Library/Extensions
 * cannot be linked to one that the boot loader brought, so the two meet by name:
 *
 *     struct graphics_interface graphics = { .version = GRAPHICS_INTERFACE_VERSION };
 *     IOService_callPlatformFunction_cstring(service, GRAPHICS_INTERFACE, false, &graphics, ...)
 *
 * fills in the rest, or returns kIOReturnUnsupported (another version). The functions take
 * `graphics.service`, which the caller retains, and are for threads that may block, outside of the
 * gate of HyperVGraphics' work loop. Results are 0 or negative codes of kext/core/errors.h. */
#ifndef KEXT_GRAPHICS_GRAPHICS_INTERFACE_H
#define KEXT_GRAPHICS_GRAPHICS_INTERFACE_H

#include "abi/IODeviceMemory.h"
#include "kext/core/errors.h"
#include "kext/graphics/display_modes.h"

#define GRAPHICS_INTERFACE         "HyperVGraphicsInterface"
#define GRAPHICS_INTERFACE_VERSION 1u

typedef struct HyperVGraphics HyperVGraphics;

/* Who shows the screen to macOS. */
struct graphics_client {
    void *owner;
    /* The list of modes, or which one is preferred, has changed. On HyperVGraphics' work loop: do
     * the rest elsewhere. */
    void (*modes_changed)(void *owner);
};

struct graphics_interface {
    uint32_t version;
    HyperVGraphics *service;
    uint32_t bytes_per_pixel;           /* 4: B, G, R, unused; 2: 5:6:5 */

    /* One client at a time: HV_ERROR_STATE while there is another. `client` is copied. */
    int (*connect)(HyperVGraphics *service, const struct graphics_client *client);
    /* No call of the client is under way, and none will come. */
    void (*disconnect)(HyperVGraphics *service, void *owner);

    /* Copies the modes there are now. */
    void (*get_modes)(HyperVGraphics *service, struct display_modes *modes);
    /* What the host shows. */
    struct display_size (*get_mode)(HyperVGraphics *service);
    /* Sets a mode of the list, lines without gaps, and waits for the host's word. HV_ERROR_INVALID:
     * not in the list; HV_ERROR_TIMED_OUT, HV_ERROR_GONE: the old mode is what is left. */
    int (*set_mode)(HyperVGraphics *service, const struct display_size *size);
    /* The whole of the VRAM; +1. */
    IODeviceMemory *(*copy_memory)(HyperVGraphics *service);

    /* Shape and position of the pointer, as pointer_set_shape and pointer_move (pointer.h). */
    int (*set_pointer)(HyperVGraphics *service, const uint32_t *pixels, uint32_t width,
                       uint32_t height, uint32_t hot_x, uint32_t hot_y);
    int (*move_pointer)(HyperVGraphics *service, int32_t x, int32_t y, bool visible);
};

#endif
