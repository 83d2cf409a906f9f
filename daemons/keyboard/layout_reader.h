/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds out what a layout types by pressing every key of it. */
#ifndef DAEMONS_KEYBOARD_LAYOUT_READER_H
#define DAEMONS_KEYBOARD_LAYOUT_READER_H

#include "layouts/layout.h"

#define KEY_TRANSLATION_UNITS 8u

/* A layout that can be asked, as macOS's UCKeyTranslate. */
struct key_translator {
    /* What the key types at the level (KEY_LAYOUT_SHIFT, ...), as UTF-16; *dead is what dead keys
     * before it left (0: none came), and becomes what this one leaves. Returns the units, at most
     * KEY_TRANSLATION_UNITS. */
    unsigned (*translate)(void *context, uint8_t key, uint8_t level, uint32_t *dead,
                          uint16_t units[KEY_TRANSLATION_UNITS]);
    void *context;
};

/* Fills in the keys and the compositions; the name is the caller's. Keys that type several
 * characters are left out, and dead keys that take more than one key after them beyond the
 * first. */
void layout_of_translator(const struct key_translator *translator, struct layout *layout);

/* A name for a layout, of whatever text: its printable ASCII, as much as there is room for. */
void layout_set_name(struct layout *layout, const char *text);

#endif
