/* SPDX-License-Identifier: BSD-3-Clause */
/* A keyboard layout as HyperVKeyboard takes it (property HVKeyboardLayout): which strokes type a
 * character. A header, then `count` entries, ascending by character. Little endian. */
#ifndef PROTOCOL_KEY_LAYOUT_H
#define PROTOCOL_KEY_LAYOUT_H

#include "protocol/wire.h"

#define KEY_LAYOUT_PROPERTY "HVKeyboardLayout"  /* set to a layout, or the name of a known one */

#define KEY_LAYOUT_MAGIC           0x4C4B5648u  /* "HVKL" */
#define KEY_LAYOUT_VERSION         1u
#define KEY_LAYOUT_NAME_SIZE       32u
#define KEY_LAYOUT_ENTRIES_MAXIMUM 4096u

#define KEY_LAYOUT_KEYS   128u          /* ADB codes are below this */
#define KEY_LAYOUT_NO_KEY 0xFFu

/* Modifiers that are down while the key is pressed; no others. */
#define KEY_LAYOUT_SHIFT  0x1u
#define KEY_LAYOUT_OPTION 0x2u
#define KEY_LAYOUT_LEVELS 4u            /* combinations of them */

struct key_layout_header {
    uint32_t magic;
    uint16_t version;
    uint16_t count;                     /* at most KEY_LAYOUT_ENTRIES_MAXIMUM */
    char name[KEY_LAYOUT_NAME_SIZE];    /* printable ASCII, then zeros to the end, at least one */
} WIRE_PACKED;
WIRE_SIZE(struct key_layout_header, 40);
WIRE_OFFSET(struct key_layout_header, name, 8);

struct key_layout_entry {
    uint32_t character;                 /* from U+0020 on; no surrogate, no U+007F */
    uint8_t dead_key;                   /* pressed first, or KEY_LAYOUT_NO_KEY */
    uint8_t dead_modifiers;             /* KEY_LAYOUT_SHIFT, ..._OPTION; 0 without a dead key */
    uint8_t key;
    uint8_t modifiers;
} WIRE_PACKED;
WIRE_SIZE(struct key_layout_entry, 8);

#define KEY_LAYOUT_BYTES_MAXIMUM \
    (sizeof(struct key_layout_header) + \
     KEY_LAYOUT_ENTRIES_MAXIMUM * sizeof(struct key_layout_entry))

#endif
