/* SPDX-License-Identifier: BSD-3-Clause */
/* The synthetic keyboard: keys and text on their way to the guest, indicator lights on their way
 * back. */
#ifndef HOST_DEVICES_KEYBOARD_H
#define HOST_DEVICES_KEYBOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/devices/virtual_device.h"

enum { KEYBOARD_QUEUE = 8192 }; /* events that may wait for the guest */

/* A key of scan code set 1: the code without break bit, and KEYBOARD_EVENT_E0 or _E1 or 0. */
struct keyboard_key {
    uint16_t code; /* 1 .. 0x7F, 0xF1, 0xF2 */
    uint32_t prefix;
};

struct keyboard_report {
    bool ready;              /* the guest's driver has agreed on the protocol */
    uint64_t events;         /* sent to the guest */
    uint64_t refused;        /* not taken: no driver, or the queue was full */
    unsigned waiting, held;  /* events in the queue; keys down */
    bool indicators_said;
    uint16_t indicators;     /* KEYBOARD_INDICATOR_*, as the guest said last */
};

/* Returns NULL when memory is short. */
struct virtual_device *keyboard_new(void);

/*
 * A key goes down or up. Returns 0; -ENOTCONN: no driver listens; -EAGAIN: the guest does not keep
 * up (a release always finds room, so that no key stays down); -EINVAL: no such key. A release of a
 * key that is not down is nothing.
 */
int keyboard_press(struct virtual_device *device, struct keyboard_key key, bool down);

/* The key is down for the guest. */
bool keyboard_is_held(const struct virtual_device *device, struct keyboard_key key);

/* Every key that is down goes up: the viewer went away. */
void keyboard_release_all(struct virtual_device *device);

/*
 * Types text (UTF-8) as Unicode events: all of it or, with an error of keyboard_press, nothing. A
 * line feed is the Return key; what is no UTF-8 is U+FFFD.
 */
int keyboard_type(struct virtual_device *device, const char *text);

void keyboard_report(const struct virtual_device *device, struct keyboard_report *report);

#endif
