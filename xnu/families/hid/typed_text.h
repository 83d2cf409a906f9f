/* SPDX-License-Identifier: BSD-3-Clause */
/* typed_text.h - what a person has typed: key codes and modifiers -> characters, by a layout with
 * its option characters and dead keys, as a macOS program would get it. */
#ifndef XNU_FAMILIES_HID_TYPED_TEXT_H
#define XNU_FAMILIES_HID_TYPED_TEXT_H

#include <stdbool.h>
#include <stdint.h>

struct layout;

struct typed_text {
    uint32_t dead; /* the accent that waits for a letter; 0: none */
};

/* A key went down. `plain` is the character of the key mapping, 0 if it has none (shift and caps
 * lock are in it already). Returns the Unicode character typed, or 0: none (yet). By Apple's U.S.
 * layout. */
uint32_t typed_text_key(struct typed_text *text, uint32_t key, uint32_t plain, bool shift,
                        bool option);

/* By another one. */
uint32_t typed_text_layout_key(struct typed_text *text, const struct layout *layout, uint32_t key,
                               uint32_t plain, bool shift, bool option, bool caps_lock);

#endif
