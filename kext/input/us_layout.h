/* SPDX-License-Identifier: BSD-3-Clause */
/* Which keys type a character on Apple's U.S. layout. I/O Kit keyboards report keys, not
 * characters, so this is how text reaches a program.
 *
 * Source: Apple's U.S. keyboard layout, as Key Caps / the Keyboard Viewer show it. */
#ifndef KEXT_INPUT_US_LAYOUT_H
#define KEXT_INPUT_US_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#define LAYOUT_SHIFT  0x1u
#define LAYOUT_OPTION 0x2u

struct layout_stroke {
    uint8_t key;                        /* ADB code */
    uint8_t modifiers;                  /* LAYOUT_... */
};

/* The strokes that type the character: one, or a dead key and the letter. Returns how many (0: the
 * layout does not have it). */
uint32_t layout_strokes(uint32_t character, struct layout_stroke strokes[2]);

/* The ASCII character of a key without (modifiers 0) or with LAYOUT_SHIFT; 0: none. */
uint8_t layout_character(uint8_t key, uint8_t modifiers);

#endif
