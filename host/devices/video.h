/* SPDX-License-Identifier: BSD-3-Clause */
/* The synthetic video device: a frame buffer that appears where the guest wants it, its mode and
 * its changes. */
#ifndef HOST_DEVICES_VIDEO_H
#define HOST_DEVICES_VIDEO_H

#include <stdbool.h>
#include <stdint.h>

#include "host/devices/video_pointer.h"
#include "host/devices/virtual_device.h"
#include "protocol/synthvid.h"

enum { VIDEO_VRAM_MEGABYTES_MAX = 256 };

/* The screen that firmware leaves behind, 32 bits a pixel. */
enum { VIDEO_BOOT_WIDTH = 1024, VIDEO_BOOT_HEIGHT = 768 };

struct video_settings {
    uint32_t version_max;     /* SYNTHVID_VERSION() of the newest version spoken */
    uint32_t vram_megabytes;  /* 1 .. VIDEO_VRAM_MEGABYTES_MAX */
    struct synthvid_resolution resolutions[SYNTHVID_RESOLUTIONS_MAXIMUM]; /* offered by 3.5 */
    unsigned resolution_count, resolution_default;
};

/* What those of Windows are: 4 MB before 3.2, else 8, or what the largest resolution needs. */
void video_default_settings(uint32_t version_max, struct video_settings *settings);

/* The list ends with this size, nothing of it is wider or higher, and the memory holds it in 32 bits.
 * Nothing for versions without a list. */
void video_limit_settings(struct video_settings *settings, uint32_t width, uint32_t height);

/* The picture. `pixels` is the guest's memory: it may change at any time. */
struct video_screen {
    const uint8_t *pixels;
    uint32_t width, height, pitch; /* pixels, pixels, bytes */
    uint32_t depth;                /* 32: B, G, R, unused; 16: 5:6:5 */
};

/* Who shows the picture. Called from the device's run() or `ready`; may be NULL each. */
struct video_observer {
    void *context;
    void (*mode_changed)(void *context);
    void (*changed)(void *context, const struct synthvid_rectangle *rectangle); /* on the screen */
    /* Something in rows top .. bottom - 1 may be another than before. */
    void (*written)(void *context, uint32_t top, uint32_t bottom);
    void (*pointer_shaped)(void *context); /* or shown, or hidden */
    void (*pointer_moved)(void *context);
};

struct video_report {
    uint32_t version;   /* agreed on; 0: none yet */
    bool mapped, active;
    uint64_t vram_address;
    uint64_t dirt_messages, rectangles;
    uint64_t watch_answers; /* of the monitor, to what was written */
    uint64_t pointer_shapes;
};

/* Returns NULL when memory is short. */
struct virtual_device *video_new(const struct video_settings *settings);

/*
 * The video memory appears at `address` (a page's) with the picture of firmware: black, active
 * before any driver runs, until one places the memory itself. 0 or a negative errno.
 */
int video_show_boot_screen(struct virtual_device *device, uint64_t address);

/* There is a picture, and neither a driver nor the monitor that would say what changes in it. */
bool video_is_silent(const struct virtual_device *device);

/* The pointer as the guest wants it shown; valid as long as the device. */
const struct video_pointer *video_pointer(const struct virtual_device *device);

/*
 * The display has another size now, and the guest is asked to follow: the size is the preferred one
 * of the list and of the EDID. 0; -ERANGE: no such mode fits into the video memory; -ENOTCONN: no
 * driver listens; -EOPNOTSUPP: its version of the protocol cannot be told (before 3.5).
 */
int video_resize(struct virtual_device *device, uint32_t width, uint32_t height);

/* False: the guest shows no picture. Valid until the device runs again. */
bool video_screen(const struct virtual_device *device, struct video_screen *screen);

/* `observer` is the caller's; NULL: nobody looks. */
void video_observe(struct virtual_device *device, const struct video_observer *observer);

/* A viewer came or the last one left: the guest is told whether changes are wanted. */
void video_want_changes(struct virtual_device *device, bool wanted);

/* The guest is to say what changes, as real hosts want it, although the monitor could; or the
 * monitor again, as at first. */
void video_let_guest_tell(struct virtual_device *device, bool guest_tells);

void video_report(const struct virtual_device *device, struct video_report *report);

#endif
