/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of the VNC server share. Nobody else includes it. */
#ifndef HOST_DISPLAY_VNC_INTERNAL_H
#define HOST_DISPLAY_VNC_INTERNAL_H

#include <rfb/rfb.h>
#include <rfb/rfbregion.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/devices/video.h"
#include "host/display/vnc.h"
#include "host/display/vnc_relay.h"

enum {
    VNC_BLANK_WIDTH = 640, /* shown while the guest shows nothing */
    VNC_BLANK_HEIGHT = 480,
    VNC_BITS = 8,
    VNC_SAMPLES = 3,
    VNC_POSITIONS_KEPT = 64,
};

struct vnc_position {
    int x, y;
};

/*
 * The picture is a copy: encoders look at a pixel several times, and the guest may change its
 * memory in between. Only what the guest says has changed is copied, and only while somebody looks.
 */
struct vnc_picture {
    uint8_t *pixels;
    uint32_t width, height, depth;
    sraRegionPtr changed;  /* to be copied */
    sraRegionPtr suspected; /* to be compared, whole rows */
    bool mode_changed, all_changed;
    uint64_t look_ns;      /* when a silent guest's memory is looked at again */
};

struct vnc_cursor {
    rfbCursor cursor;
    uint8_t mask[SYNTHVID_POINTER_EDGE * SYNTHVID_POINTER_EDGE / 8];
    uint8_t alpha[SYNTHVID_POINTER_EDGE * SYNTHVID_POINTER_EDGE];
    uint8_t pixels[SYNTHVID_POINTER_EDGE * SYNTHVID_POINTER_EDGE * 4];
    uint8_t colours[SYNTHVID_POINTER_EDGE * SYNTHVID_POINTER_EDGE * 3]; /* red, green, blue */
};

struct vnc {
    struct virtual_device device; /* first */
    struct vnc_settings settings;
    struct video_observer observer;
    rfbScreenInfoPtr screen;
    char *passwords[2];           /* a list, as LibVNCServer wants it */
    int epoll;
    int listener;                 /* -1: none yet */
    uint16_t port;                /* that it listens on, if it does */
    struct vnc_relays relays;
    unsigned viewers;
    struct vnc_picture picture;
    struct vnc_cursor cursor;
    /* Where viewers have put the pointer lately: the guest's report of it is an echo. */
    struct vnc_position positions[VNC_POSITIONS_KEPT];
    unsigned position_count;
};

/* One for each client, its clientData. */
struct vnc_viewer {
    int buttons, x, y; /* of the last pointer event; x -1: there was none */
    bool knows_size; /* it was told that the size can be set */
    bool knows_alpha; /* it wants pointers with alpha */
    uint32_t accent; /* of a dead key that waits for its letter; 0: none */
};

/* vnc_picture.c */
/* Fills in vnc->observer, and shows a blank screen. 0 or -ENOMEM. */
int vnc_picture_open(struct vnc *vnc);
void vnc_picture_close(struct vnc *vnc);
/* Takes what has changed since the last call, if anybody looks. */
void vnc_picture_update(struct vnc *vnc, uint64_t now_ns);
uint64_t vnc_picture_deadline(const struct vnc *vnc);
void vnc_picture_set_format(rfbPixelFormat *format, uint32_t depth);

/* vnc_cursor.c */
void vnc_cursor_shaped(void *vnc);
void vnc_cursor_moved(void *vnc);
void vnc_cursor_close(struct vnc *vnc);

/* vnc_shapes.c: before an update, the shape that the library cannot send, if it is a new one. */
void vnc_shape_send(rfbClientPtr client);
/* Viewers may ask for pointers with alpha. */
void vnc_alpha_offer(void);
void vnc_alpha_end(rfbClientPtr client);

/* vnc_input.c */
void vnc_key_event(rfbBool down, rfbKeySym symbol, rfbClientPtr client);
void vnc_pointer_event(int buttons, int x, int y, rfbClientPtr client);
/* Viewers that know scan codes may send them: QEMU's extension of the protocol. */
void vnc_scan_codes_offer(void);
void vnc_scan_codes_end(rfbClientPtr client);
/* What the library keeps of an extension for a client goes. */
void vnc_extension_end(rfbClientPtr client, rfbProtocolExtension *extension);

#endif
