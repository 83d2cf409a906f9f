/* SPDX-License-Identifier: BSD-3-Clause */
/* A keyboard layout: what each key types, and the table of the other direction that the keyboard
 * driver takes (protocol/key_layout.h). No libc but memcpy and memset, no allocation.
 *
 * The text form of a layout, one thing a line:
 *
 *     # a comment
 *     name german
 *     level shift option       one of: plain, shift, option, shift option; four rows follow:
 *     ≥¬”#£ﬁ^\˜·¯˙˚            codes 32 12 13 14 15 17 16 1A 1C 19 1D 1B 18 (hexadecimal),
 *     »„‰¸˝ˇÁÛØ∏°␀’            0C 0D 0E 0F 11 10 20 22 1F 23 21 1E 2A,
 *     ÅÍ™ÏÌÓıˆﬂŒÆ              00 01 02 03 05 04 26 28 25 29 27,
 *     “‡ÙÇ◊‹›˘˛÷—              0A 06 07 08 09 0B 2D 2E 2B 2F 2C: a character a key
 *     dead ´ aáeéiíoóuú        after the dead key ´: a character, what it becomes, ...
 *
 * ◌ before a character: the key is dead. ␀: the key types nothing. A dead key and the space bar
 * give the accent itself. The space bar types a space, with option one that breaks no line. */
#ifndef LAYOUTS_LAYOUT_H
#define LAYOUTS_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/key_layout.h"

#define LAYOUT_COMPOSITIONS_MAXIMUM 1024u

struct layout_key {
    uint32_t character;                 /* 0: the key types nothing */
    bool is_dead;                       /* it is the accent of what comes next */
};

struct layout_composition {
    uint32_t accent, base, result;
};

struct layout {
    char name[KEY_LAYOUT_NAME_SIZE];
    struct layout_key keys[KEY_LAYOUT_LEVELS][KEY_LAYOUT_KEYS]; /* level: KEY_LAYOUT_SHIFT, ... */
    struct layout_composition compositions[LAYOUT_COMPOSITIONS_MAXIMUM];
    uint32_t composition_count;
};

/* Reads a layout's text of `length` bytes. 0, or the number of the first line that is wrong. */
uint32_t layout_read(struct layout *layout, const char *text, size_t length);

/* What the accent makes of the character, 0: nothing. */
uint32_t layout_compose(const struct layout *layout, uint32_t accent, uint32_t base);

/* Writes the table, header first, entries by character; of several ways to type one the shortest.
 * What does not fit into the largest table is left out. Returns its bytes. */
size_t layout_make_table(const struct layout *layout, uint8_t table[KEY_LAYOUT_BYTES_MAXIMUM]);

#endif
