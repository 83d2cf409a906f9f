/* SPDX-License-Identifier: BSD-3-Clause */
/* key_mapping.h - a keyboard's key mapping (defaultKeymapOfLength) in a form that can be asked.
 *
 * Source of the format: Apple's ev_keymap.h and IOHIDSystem's IOHIKeyboardMapper. */
#ifndef XNU_FAMILIES_HID_KEY_MAPPING_H
#define XNU_FAMILIES_HID_KEY_MAPPING_H

#include <stdbool.h>
#include <stdint.h>

enum {
    KEY_MAPPING_KEYS = 256,
    KEY_MAPPING_MODIFIERS = 16,
    KEY_MAPPING_NO_MODIFIER = 0xff,
};

/* NX_MODIFIERKEY_... */
enum {
    KEY_MODIFIER_CAPS_LOCK = 0,
    KEY_MODIFIER_SHIFT = 1,
    KEY_MODIFIER_CONTROL = 2,
    KEY_MODIFIER_OPTION = 3,
    KEY_MODIFIER_COMMAND = 4,
    KEY_MODIFIER_RIGHT_SHIFT = 9,
    KEY_MODIFIER_RIGHT_CONTROL = 10,
    KEY_MODIFIER_RIGHT_OPTION = 11,
    KEY_MODIFIER_RIGHT_COMMAND = 12,
};

struct key_mapping {
    const uint8_t *bytes;                 /* the keyboard's, which must outlive this */
    uint32_t length;
    bool short_numbers;                   /* numbers are 16 bits, big-endian */
    uint32_t keys[KEY_MAPPING_KEYS];      /* where a key's entry begins; 0: it types nothing */
    uint8_t modifier[KEY_MAPPING_KEYS];   /* or KEY_MAPPING_NO_MODIFIER */
};

/* Reads the mapping. False: it is not in order (no list runs beyond its end after this said
 * true). */
bool key_mapping_read(struct key_mapping *mapping, const uint8_t *bytes, uint32_t length);

/* What the key types with these modifiers (bit n: modifier n is on). False: nothing. */
bool key_mapping_character(const struct key_mapping *mapping, uint32_t key, uint32_t modifiers,
                           uint32_t *set, uint32_t *code);

#endif
