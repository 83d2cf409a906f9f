/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVGraphics: the video device's channel and memory, and what the screen shows. What the
 * framebuffer uses of it is in graphics_interface.h. */
#ifndef KEXT_GRAPHICS_HYPERVGRAPHICS_H
#define KEXT_GRAPHICS_HYPERVGRAPHICS_H

#include "abi/IODeviceMemory.h"
#include "abi/IOMemoryMap.h"
#include "abi/IOService.h"
#include "abi/IOTimerEventSource.h"
#include "abi/IOWorkLoop.h"
#include "abi/kpi/locks.h"
#include "abi/runtime.h"
#include "kext/core/device_channel.h"
#include "kext/graphics/display_modes.h"
#include "kext/graphics/graphics_interface.h"
#include "kext/graphics/pointer.h"
#include "kext/graphics/refresh.h"
#include "kext/graphics/screen_scan.h"
#include "kext/graphics/video.h"

/* Video memory: a part of the room for devices, where the host puts it. */
struct graphics_memory {
    uint64_t address;                   /* guest-physical; 0: none */
    uint32_t size;                      /* bytes */
    bool is_reserved;
    IODeviceMemory *descriptor;
    IOMemoryMap *map;
    const uint8_t *bytes;
};

/* Lock order: the gate of `work_loop`, then `lock`. The gate guards `scan`, `refresh`, the timers
 * and `client`; `lock` the rest that changes after start. */
struct HyperVGraphics {
    IOService super;
    HyperVVMBusDevice *device;
    struct device_channel *channel;
    IOWorkLoop *work_loop;
    IOTimerEventSource *answer_timer;   /* the host does not answer */
    IOTimerEventSource *screen_timer;   /* time to look at the screen */
    bool is_armed;                      /* screen_timer; in the gate */
    IOLock *lock;
    bool is_over;                       /* nothing more will come: do not wait */
    struct video video;
    struct graphics_memory memory;
    struct video_mode mode;             /* what the host shows; width 0: nothing */
    struct video_mode wanted;           /* what it has been asked for */
    bool is_mode_pending;
    bool is_setting;                    /* a thread waits for the host's word on a mode */
    struct display_modes modes;
    struct display_size host_wish;      /* from the EDID; width 0: none */
    struct display_size user[DISPLAY_MODES_USER];
    uint32_t user_count;
    struct pointer pointer;
    bool is_shape_due, is_position_due; /* to be sent at the next tick */
    struct graphics_client client;
    struct refresh refresh;
    struct screen_scan scan;
    uint64_t *marks;
    size_t mark_count;
    uint64_t messages_lost;             /* the ring had no room for them */
};
IOKIT_CLASS_DECLARE(14, HyperVGraphics, IOService);

/* ---- between the class's files --------------------------------------------------------------- */

/* Sends a message and the pixels that follow it, if any. Any thread that may block. */
int graphics_send(HyperVGraphics *self, const struct video_packet *packet, const uint8_t *pixels,
                  uint32_t pixel_bytes);

/* Finds room for the VRAM, where the boot screen is if there is one, and maps it. `boot` is what
 * the boot screen shows, width 0 if there is none. */
int graphics_memory_take(HyperVGraphics *self, struct video_mode *boot);
void graphics_memory_give_back(HyperVGraphics *self);

/* Makes the list of modes anew from what the host and the user said; `lock` is held. A host that
 * wishes for another size than before has the last word. */
void graphics_make_modes(HyperVGraphics *self);
/* Takes the sizes that the user names in `text`, `length` characters or up to a NUL, in place of
 * former ones; `lock` is held. HV_ERROR_INVALID: there is none, or the first does not fit;
 * HV_ERROR_STATE: it is not known yet what fits. */
int graphics_take_user_modes(HyperVGraphics *self, const char *text, size_t length);
/* Asks the host for a mode; `lock` is held. */
int graphics_ask_for_mode(HyperVGraphics *self, const struct video_mode *mode);
struct video_mode graphics_mode_of_size(const HyperVGraphics *self,
                                        const struct display_size *size);
/* Fills in the interface for the framebuffer. */
void graphics_fill_interface(HyperVGraphics *self, struct graphics_interface *interface);

/* The host shows another mode; in the gate. */
void graphics_screen_changed(HyperVGraphics *self);
/* The host has said what it wants to be told; in the gate. */
void graphics_features_changed(HyperVGraphics *self);
/* Looks at the screen and sends what is due. Action of screen_timer. */
void graphics_tick(OSObject *owner, IOTimerEventSource *timer);
/* Something is due at the next tick; any thread, without `lock`. */
void graphics_wake(HyperVGraphics *self);

#endif
