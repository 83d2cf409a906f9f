/* SPDX-License-Identifier: BSD-3-Clause */
#include "xnu/families/hid/key_flags.h"

#include "xnu/families/hid/key_mapping.h"
#include "xnu/families/hid/keyboard_private.h"

static const struct {
    uint8_t modifier, folded;           /* a right key counts as the left one for what it types */
    uint32_t flags;
} modifier_flags[] = {
    { KEY_MODIFIER_SHIFT, KEY_MODIFIER_SHIFT, KEY_FLAG_SHIFT | KEY_FLAG_LEFT_SHIFT },
    { KEY_MODIFIER_CONTROL, KEY_MODIFIER_CONTROL, KEY_FLAG_CONTROL | KEY_FLAG_LEFT_CONTROL },
    { KEY_MODIFIER_OPTION, KEY_MODIFIER_OPTION, KEY_FLAG_OPTION | KEY_FLAG_LEFT_OPTION },
    { KEY_MODIFIER_COMMAND, KEY_MODIFIER_COMMAND, KEY_FLAG_COMMAND | KEY_FLAG_LEFT_COMMAND },
    { KEY_MODIFIER_RIGHT_SHIFT, KEY_MODIFIER_SHIFT, KEY_FLAG_SHIFT | KEY_FLAG_RIGHT_SHIFT },
    { KEY_MODIFIER_RIGHT_CONTROL, KEY_MODIFIER_CONTROL, KEY_FLAG_CONTROL | KEY_FLAG_RIGHT_CONTROL },
    { KEY_MODIFIER_RIGHT_OPTION, KEY_MODIFIER_OPTION, KEY_FLAG_OPTION | KEY_FLAG_RIGHT_OPTION },
    { KEY_MODIFIER_RIGHT_COMMAND, KEY_MODIFIER_COMMAND, KEY_FLAG_COMMAND | KEY_FLAG_RIGHT_COMMAND },
};

uint32_t key_flags(uint16_t down, bool caps_lock, uint16_t *modifiers)
{
    uint32_t flags = caps_lock ? KEY_FLAG_CAPS_LOCK : 0;

    *modifiers = caps_lock ? 1u << KEY_MODIFIER_CAPS_LOCK : 0;
    for (uint32_t i = 0; i < sizeof modifier_flags / sizeof modifier_flags[0]; i++)
        if (down >> modifier_flags[i].modifier & 1) {
            flags |= modifier_flags[i].flags;
            *modifiers |= (uint16_t)(1u << modifier_flags[i].folded);
        }
    return flags;
}
