/* SPDX-License-Identifier: BSD-3-Clause */
/* Synthetic video: a frame buffer in memory that the guest names, and messages about it over a
 * message pipe. After the pipe header comes struct synthvid_header, whose size includes itself
 * (Linux practice; no peer checks it).
 *
 * Sources: Linux hyperv_fb and hyperv_drm, OpenVMM uidevices. */
#ifndef PROTOCOL_SYNTHVID_H
#define PROTOCOL_SYNTHVID_H

#include "protocol/wire.h"

enum synthvid_type {
    SYNTHVID_ERROR                  = 0,
    SYNTHVID_VERSION_REQUEST        = 1,    /* guest */
    SYNTHVID_VERSION_RESPONSE       = 2,    /* host */
    SYNTHVID_VRAM_LOCATION          = 3,    /* guest */
    SYNTHVID_VRAM_LOCATION_ACK      = 4,    /* host */
    SYNTHVID_SITUATION_UPDATE       = 5,    /* guest: the mode */
    SYNTHVID_SITUATION_UPDATE_ACK   = 6,    /* host */
    SYNTHVID_POINTER_POSITION       = 7,    /* guest */
    SYNTHVID_POINTER_SHAPE          = 8,    /* guest */
    SYNTHVID_FEATURE_CHANGE         = 9,    /* host: what it wants to be told */
    SYNTHVID_DIRT                   = 10,   /* guest: rectangles that changed */
    SYNTHVID_BIOS_INFO_REQUEST      = 11,   /* guest, 3.3 */
    SYNTHVID_BIOS_INFO_RESPONSE     = 12,   /* host */
    SYNTHVID_RESOLUTIONS_REQUEST    = 13,   /* guest, 3.5 */
    SYNTHVID_RESOLUTIONS_RESPONSE   = 14,   /* host */
    SYNTHVID_CAPABILITY_REQUEST     = 15,   /* guest, 3.5 */
    SYNTHVID_CAPABILITY_RESPONSE    = 16    /* host */
};

#define SYNTHVID_MESSAGE_MAXIMUM 16384u     /* bytes */

#define SYNTHVID_VERSION(major, minor) ((uint32_t)(minor) << 16 | (uint32_t)(major))
#define SYNTHVID_VERSION_MAJOR(word)   ((word) & 0xFFFFu)
#define SYNTHVID_VERSION_MINOR(word)   ((word) >> 16)
#define SYNTHVID_VERSION_3_0 SYNTHVID_VERSION(3, 0)     /* 16 bits a pixel, 1600 x 1200 */
#define SYNTHVID_VERSION_3_2 SYNTHVID_VERSION(3, 2)     /* 32 bits a pixel */
#define SYNTHVID_VERSION_3_5 SYNTHVID_VERSION(3, 5)     /* the host has a list of resolutions */

struct synthvid_header {
    uint32_t type;                          /* enum synthvid_type */
    uint32_t size;
} WIRE_PACKED;
WIRE_SIZE(struct synthvid_header, 8);

struct synthvid_version_request {
    struct synthvid_header header;
    uint32_t version;
} WIRE_PACKED;
WIRE_SIZE(struct synthvid_version_request, 12);

#define SYNTHVID_ACCEPTED               1u
#define SYNTHVID_ACCEPTED_WITH_EXCHANGE 2u

struct synthvid_version_response {
    struct synthvid_header header;
    uint32_t version;
    uint8_t accepted;                       /* 0, or SYNTHVID_ACCEPTED... */
    uint8_t outputs;                        /* 1 */
} WIRE_PACKED;
WIRE_SIZE(struct synthvid_version_response, 14);

struct synthvid_vram_location {
    struct synthvid_header header;
    uint64_t context;                       /* comes back in the ack */
    uint8_t is_specified;                   /* 0: the guest takes the memory back */
    uint64_t address;                       /* guest-physical */
} WIRE_PACKED;
WIRE_SIZE(struct synthvid_vram_location, 25);
WIRE_OFFSET(struct synthvid_vram_location, address, 17);

struct synthvid_ack {                       /* of VRAM location and situation update */
    struct synthvid_header header;
    uint64_t context;
} WIRE_PACKED;
WIRE_SIZE(struct synthvid_ack, 16);

struct synthvid_situation_update {
    struct synthvid_header header;
    uint64_t context;
    uint8_t outputs;                        /* 1 */
    uint8_t is_active;
    uint32_t vram_offset;                   /* bytes; 0 since Windows 10 */
    uint8_t depth;                          /* bits a pixel: 16 (5:6:5) or 32 (B, G, R, unused) */
    uint32_t width;                         /* pixels */
    uint32_t height;
    uint32_t pitch;                         /* bytes */
} WIRE_PACKED;
WIRE_SIZE(struct synthvid_situation_update, 35);
WIRE_OFFSET(struct synthvid_situation_update, width, 23);

struct synthvid_pointer_position {
    struct synthvid_header header;
    uint8_t is_visible;
    uint8_t output;                         /* 0 */
    int32_t x;
    int32_t y;
} WIRE_PACKED;
WIRE_SIZE(struct synthvid_pointer_position, 18);

#define SYNTHVID_POINTER_COMPLETE 0xFFu     /* part */
#define SYNTHVID_POINTER_EDGE     96u       /* pixels, the largest pointer */
#define SYNTHVID_POINTER_BYTES    8192u     /* of pixels, the most in one message */

/* The order of the rows is nowhere written down. MacHyperVSupport, which was tried on real hosts,
 * turns macOS's image over before sending, and pointers of RDP, which shows them, are bottom-up. */
struct synthvid_pointer_shape {
    struct synthvid_header header;
    uint8_t part;                           /* 0, 1, ...; SYNTHVID_POINTER_COMPLETE: last */
    uint8_t is_argb;                        /* 0: an AND mask, then an XOR mask */
    uint32_t width;
    uint32_t height;
    uint32_t hot_x;
    uint32_t hot_y;
    uint8_t pixels[];                       /* B, G, R, A; rows from the bottom, see above */
} WIRE_PACKED;
WIRE_SIZE(struct synthvid_pointer_shape, 26);

struct synthvid_feature_change {
    struct synthvid_header header;
    uint8_t is_dirt_needed;
    uint8_t is_position_needed;
    uint8_t is_shape_needed;
    uint8_t is_situation_needed;
    /* newer hosts: the EDID of the display follows, SYNTHVID_EDID_SIZE bytes */
} WIRE_PACKED;
WIRE_SIZE(struct synthvid_feature_change, 12);

#define SYNTHVID_EDID_SIZE          128u
#define SYNTHVID_RECTANGLES_MAXIMUM 255u

struct synthvid_rectangle {
    int32_t left;
    int32_t top;
    int32_t right;                          /* exclusive */
    int32_t bottom;                         /* exclusive */
} WIRE_PACKED;
WIRE_SIZE(struct synthvid_rectangle, 16);

struct synthvid_dirt {
    struct synthvid_header header;
    uint8_t output;                         /* 0 */
    uint8_t rectangle_count;
    struct synthvid_rectangle rectangles[];
} WIRE_PACKED;
WIRE_SIZE(struct synthvid_dirt, 10);

struct synthvid_bios_info_response {
    struct synthvid_header header;
    uint32_t is_stop_device_supported;
    uint8_t reserved[12];
} WIRE_PACKED;
WIRE_SIZE(struct synthvid_bios_info_response, 24);

#define SYNTHVID_RESOLUTIONS_MAXIMUM 64u

struct synthvid_resolutions_request {
    struct synthvid_header header;
    uint8_t maximum;                        /* SYNTHVID_RESOLUTIONS_MAXIMUM */
} WIRE_PACKED;
WIRE_SIZE(struct synthvid_resolutions_request, 9);

struct synthvid_resolution {
    uint16_t width;
    uint16_t height;
} WIRE_PACKED;
WIRE_SIZE(struct synthvid_resolution, 4);

struct synthvid_resolutions_response {
    struct synthvid_header header;
    uint8_t edid[SYNTHVID_EDID_SIZE];
    uint8_t count;                          /* 0: no list */
    uint8_t default_index;
    uint8_t is_standard;                    /* `count` struct synthvid_resolution follow */
} WIRE_PACKED;
WIRE_SIZE(struct synthvid_resolutions_response, 139);
WIRE_OFFSET(struct synthvid_resolutions_response, count, 136);

struct synthvid_capability_response {
    struct synthvid_header header;
    uint32_t is_locked_on_disconnect;
    uint8_t reserved[60];
} WIRE_PACKED;
WIRE_SIZE(struct synthvid_capability_response, 72);

#endif
