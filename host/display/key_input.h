/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the keys that a person presses go: to the synthetic keyboard if the guest's driver uses it,
 * else to the keyboard of a generation 1 machine, as Hyper-V does. */
#ifndef HOST_DISPLAY_KEY_INPUT_H
#define HOST_DISPLAY_KEY_INPUT_H

#include "host/devices/keyboard.h"

/* Either may be NULL: the release or the generation has none. */
struct key_input {
    struct virtual_device *synthetic, *ps2;
};

/* As keyboard_press(). A release goes to both: one of them has the key down. */
int key_input_press(const struct key_input *input, struct keyboard_key key, bool down);

/* As keyboard_type(); with -EILSEQ from a keyboard that can only type what is on its keys. */
int key_input_type(const struct key_input *input, const char *text);

/* Whether the key is down, and whether caps lock's light is on, at the keyboard that is used. */
bool key_input_is_held(const struct key_input *input, struct keyboard_key key);
bool key_input_caps_lock(const struct key_input *input);

void key_input_release_all(const struct key_input *input);

#endif
