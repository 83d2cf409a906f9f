/* SPDX-License-Identifier: BSD-3-Clause */
/* The keyboard controller of a generation 1 machine as a virtual device: its ports, its lines, and
 * the keys that a person presses. Nothing on VMBus; the ports are there from the start, unless the
 * monitor has a keyboard controller of its own. */
#ifndef HOST_PLATFORM_PS2_H
#define HOST_PLATFORM_PS2_H

#include <stdbool.h>

#include "host/devices/keyboard.h"
#include "host/devices/virtual_device.h"

/* Returns NULL when memory is short. */
struct virtual_device *ps2_new(void);

/* The guest's driver has enabled the keyboard; the key is down; the light is on. */
bool ps2_is_ready(const struct virtual_device *device);
bool ps2_is_held(const struct virtual_device *device, struct keyboard_key key);
bool ps2_caps_lock(const struct virtual_device *device);

/*
 * A key goes down or up. Returns 0; -ENOTCONN: no driver listens; -EAGAIN: the guest does not keep
 * up (a release always finds room); -EINVAL: no such key. A release of a key that is not down is
 * nothing.
 */
int ps2_press(struct virtual_device *device, struct keyboard_key key, bool down);

/* Every key that is down goes up. */
void ps2_release_all(struct virtual_device *device);

/* Types text (UTF-8) as a person would on a US keyboard: all of it or, with an error of ps2_press,
 * or -EILSEQ when no key types one of its characters, nothing. */
int ps2_type(struct virtual_device *device, const char *text);

#endif
