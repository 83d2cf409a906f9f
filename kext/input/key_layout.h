/* SPDX-License-Identifier: BSD-3-Clause */
/* Which keys type a character on the layout that macOS uses. I/O Kit keyboards report keys, not
 * characters, so this is how text reaches a program. Layouts are built in (layouts/), or come from
 * the agent that knows what the user has chosen (protocol/key_layout.h). */
#ifndef KEXT_INPUT_KEY_LAYOUT_H
#define KEXT_INPUT_KEY_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/key_layout.h"

struct key_layout {
    const char *name;
    const struct key_layout_entry *entries; /* ascending by character */
    uint32_t count;
    bool is_hexadecimal;                /* Option and four digits a UTF-16 unit type anything */
};

struct key_stroke {
    uint8_t key;                        /* ADB code */
    uint8_t modifiers;                  /* KEY_LAYOUT_SHIFT, ... */
};

/* Two units of four digits. */
#define KEY_STROKES_MAXIMUM 8u

/* The layout of that name, or NULL. It lives for ever. */
const struct key_layout *key_layout_named(const char *name, uint32_t length);

/* Apple's U.S. layout. */
const struct key_layout *key_layout_default(void);

/* Checks a layout of `length` bytes (private memory, as protocol/key_layout.h has it) and makes
 * `layout` of it, which refers to these bytes. Returns 0 or HV_ERROR_MALFORMED. */
int key_layout_check(const void *bytes, uint32_t length, struct key_layout *layout);

/* The strokes that type the character: one, a dead key and a letter, or hexadecimal digits. Keys
 * that no layout moves (Return, Tab, ...) are known besides. Returns how many (0: there is no
 * way). */
uint32_t key_layout_strokes(const struct key_layout *layout, uint32_t character,
                            struct key_stroke strokes[KEY_STROKES_MAXIMUM]);

/* The ASCII character of a key of the U.S. layout without (modifiers 0) or with KEY_LAYOUT_SHIFT;
 * 0: none. */
uint8_t key_layout_us_character(uint8_t key, uint8_t modifiers);

#endif
