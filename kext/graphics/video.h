/* SPDX-License-Identifier: BSD-3-Clause */
/* Synthetic video's engine: agreement on a version, the host's resolutions, where the VRAM is, the
 * mode, changes and the pointer. No I/O Kit in here; calls are serialised by the caller.
 *
 * Sources: Linux hyperv_fb and hyperv_drm, OpenVMM uidevices. The messages of 3.3 (BIOS
 * information) and of 3.5 (capabilities) say nothing that a guest like this one would use; they are
 * not asked for. */
#ifndef KEXT_GRAPHICS_VIDEO_H
#define KEXT_GRAPHICS_VIDEO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kext/core/errors.h"
#include "protocol/synthvid.h"
#include "protocol/vmbus_ring.h"

enum video_state {
    VIDEO_ASKED,                        /* a version has been proposed */
    VIDEO_LISTING,                      /* the host has been asked for its resolutions */
    VIDEO_AGREED,                       /* the VRAM may be located, then modes set */
    VIDEO_REFUSED                       /* the host takes none of our versions */
};

#define VIDEO_RECTANGLES_MAXIMUM 16u    /* in one message of ours */

/* A message to the host, pipe header first; length in bytes. */
struct video_packet {
    uint32_t length;
    uint8_t bytes[sizeof(struct vmbus_pipe_header) + sizeof(struct synthvid_dirt) +
                  VIDEO_RECTANGLES_MAXIMUM * sizeof(struct synthvid_rectangle)];
};

struct video_mode {
    uint32_t width, height;             /* pixels */
    uint32_t pitch;                     /* bytes */
    uint8_t depth;                      /* bits a pixel: 32 or 16 */
};

/* What the host wants to be told. */
struct video_features {
    bool dirt, position, shape, situation;
};

struct video_counters {
    uint64_t malformed;                 /* messages that break their format */
    uint64_t unexpected;                /* replies that nobody waits for, unknown messages */
};

struct video {
    enum video_state state;
    uint32_t proposal;                  /* place of the proposed version in the list of ours */
    uint32_t version;                   /* agreed on; SYNTHVID_VERSION() */
    uint64_t last_context;              /* given to a request; 0 is never given */
    uint64_t location_context;          /* of the request that is waited for, or 0 */
    uint64_t situation_context;
    struct video_features features;
    struct synthvid_resolution resolutions[SYNTHVID_RESOLUTIONS_MAXIMUM];
    uint32_t resolution_count;          /* 0: the host has no list */
    uint32_t resolution_default;        /* below the count */
    bool has_edid;
    uint8_t edid[SYNTHVID_EDID_SIZE];   /* as the host sent it last */
    struct video_counters counters;
};

enum video_event {
    VIDEO_NOTHING,
    VIDEO_SEND,                         /* `packet` goes to the host, and an answer will come */
    VIDEO_READY,                        /* the state is VIDEO_AGREED now */
    VIDEO_LOCATED,                      /* the VRAM is where it was said to be */
    VIDEO_MODE_SET,
    VIDEO_FEATURES_CHANGED,             /* `features`; `edid_changed`: `edid` is another one */
    VIDEO_OVER                          /* the state is VIDEO_REFUSED now */
};

struct video_result {
    enum video_event event;
    bool edid_changed;
    struct video_packet packet;
};

/* Begins anew with the newest version that a host with this VMBus version (VMBUS_VERSION_*) can
 * speak, and fills in the first message, to be sent when the channel is open. */
void video_begin(struct video *video, uint32_t vmbus_version, struct video_packet *packet);

/* Handles the data of one packet, `length` bytes with its padding (private memory). Returns 0 with
 * `result`; HV_ERROR_MALFORMED or HV_ERROR_UNEXPECTED: it was dropped. */
int video_receive(struct video *video, const void *packet, uint32_t length,
                  struct video_result *result);

/* The host has not answered the last VIDEO_SEND: goes on without the answer. */
void video_timed_out(struct video *video, struct video_result *result);

/* Bits a pixel that the version agreed on has: 16 before 3.2, else 32. */
uint8_t video_depth(const struct video *video);

/* The rest makes messages for the state VIDEO_AGREED. */

/* `address` of the VRAM: guest-physical, of a page. VIDEO_LOCATED follows. */
void video_make_location(struct video *video, uint64_t address, struct video_packet *packet);

/* The mode must fit into the VRAM: hosts do not answer otherwise. VIDEO_MODE_SET follows. */
void video_make_situation(struct video *video, const struct video_mode *mode,
                          struct video_packet *packet);

/* `count` rectangles, 1 to VIDEO_RECTANGLES_MAXIMUM, none empty, all on the screen. */
void video_make_dirt(const struct synthvid_rectangle *rectangles, uint32_t count,
                     struct video_packet *packet);

/* Pixels; where the hot spot is. */
void video_make_position(int32_t x, int32_t y, bool visible, struct video_packet *packet);

/* One part of the pointer's shape; `pixel_bytes` bytes of the picture follow the packet in the same
 * message (SYNTHVID_POINTER_BYTES at most). */
void video_make_shape(uint8_t part, uint32_t width, uint32_t height, uint32_t hot_x,
                      uint32_t hot_y, uint32_t pixel_bytes, struct video_packet *packet);

#endif
