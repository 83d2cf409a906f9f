/* SPDX-License-Identifier: BSD-3-Clause */
/* The synthetic mouse: an absolute pointer with five buttons and a wheel, or two. */
#ifndef HOST_DEVICES_MOUSE_H
#define HOST_DEVICES_MOUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/devices/virtual_device.h"
#include "protocol/mouse.h"

enum { MOUSE_QUEUE = 1024 }; /* reports that may wait for the guest */

struct mouse_report_state {
    bool ready;            /* the guest's driver has acknowledged the device */
    uint64_t reports;      /* sent to the guest */
    uint64_t merged;       /* positions that a newer one replaced before the guest saw them */
    uint64_t refused;
    unsigned waiting;
    struct mouse_report last; /* as told last, sent or waiting */
};

struct mouse_settings {
    /* Windows' own mouse has none; with one its descriptor and its reports are longer. */
    bool has_horizontal_wheel;
};

/* NULL settings: as Windows' own. Returns NULL when memory is short. */
struct virtual_device *mouse_new(const struct mouse_settings *settings);

/*
 * Each returns 0; -ENOTCONN: no driver listens; -EAGAIN: the guest does not keep up (the release of
 * a button always finds room); -EINVAL: out of range.
 *
 * The pointer moves to x, y: 0 .. MOUSE_COORDINATE_MAXIMUM over the screen's width and height.
 */
int mouse_move(struct virtual_device *device, uint32_t x, uint32_t y);
/* Buttons 0 left, 1 right, 2 middle, 3, 4. */
int mouse_button(struct virtual_device *device, unsigned button, bool down);
/* Detents, up is positive. */
int mouse_wheel(struct virtual_device *device, int detents);
/* Detents of the horizontal wheel, right is positive; -ENODEV: it has none. */
int mouse_pan(struct virtual_device *device, int detents);

/* Every button that is down goes up: the viewer went away. */
void mouse_release_all(struct virtual_device *device);

void mouse_report_state(const struct virtual_device *device, struct mouse_report_state *state);

#endif
