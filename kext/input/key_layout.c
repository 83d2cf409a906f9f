/* SPDX-License-Identifier: BSD-3-Clause */
/* Characters -> strokes. */
#include "kext/input/key_layout.h"

#include "kext/core/errors.h"
#include "kext/core/shared_memory.h"
#include "kext/input/scan_codes.h"
#include "layouts/built_in_layouts.h"

#define DEFAULT_NAME "us"

/* Apple's "Unicode Hex Input": as U.S. without Option; with it hexadecimal digits. */
static const struct key_layout hexadecimal = { "unicode-hex-input", NULL, 0, true };

#define BUILT_IN (sizeof built_in_layouts / sizeof built_in_layouts[0])

static bool has_name(const struct key_layout *layout, const char *name, uint32_t length)
{
    uint32_t i;

    for (i = 0; i < length; i++)
        if (layout->name[i] == '\0' || layout->name[i] != name[i])
            return false;
    return layout->name[i] == '\0';
}

const struct key_layout *key_layout_named(const char *name, uint32_t length)
{
    for (uint32_t i = 0; i < BUILT_IN; i++)
        if (has_name(&built_in_layouts[i], name, length))
            return &built_in_layouts[i];
    return has_name(&hexadecimal, name, length) ? &hexadecimal : NULL;
}

const struct key_layout *key_layout_default(void)
{
    return key_layout_named(DEFAULT_NAME, sizeof DEFAULT_NAME - 1);
}

/* ---- a layout from outside ---- */

/* Modifiers are never the key of a stroke: they would stay down. */
static bool is_stroke(uint8_t key, uint8_t modifiers)
{
    return key < KEY_LAYOUT_KEYS && (key < ADB_RIGHT_COMMAND || key > ADB_RIGHT_CONTROL) &&
           modifiers < KEY_LAYOUT_LEVELS;
}

static bool is_entry(const struct key_layout_entry *entry)
{
    bool has_dead_key = entry->dead_key != KEY_LAYOUT_NO_KEY;

    return entry->character >= ' ' && entry->character != 0x7F && entry->character < 0x110000 &&
           (entry->character < 0xD800 || entry->character >= 0xE000) &&
           is_stroke(entry->key, entry->modifiers) &&
           (has_dead_key ? is_stroke(entry->dead_key, entry->dead_modifiers)
                         : entry->dead_modifiers == 0);
}

/* Printable, ended, and nothing behind the end. */
static bool is_name(const char name[KEY_LAYOUT_NAME_SIZE])
{
    uint32_t length = 0;

    while (length < KEY_LAYOUT_NAME_SIZE && name[length] > ' ' && name[length] <= '~')
        length++;
    for (uint32_t i = length; i < KEY_LAYOUT_NAME_SIZE; i++)
        if (name[i] != '\0')
            return false;
    return length > 0 && length < KEY_LAYOUT_NAME_SIZE;
}

int key_layout_check(const void *bytes, uint32_t length, struct key_layout *layout)
{
    const struct key_layout_header *header = bytes;
    const struct key_layout_entry *entries = (const void *)(header + 1);

    if (length < sizeof *header || header->magic != KEY_LAYOUT_MAGIC ||
        header->version != KEY_LAYOUT_VERSION || header->count > KEY_LAYOUT_ENTRIES_MAXIMUM ||
        length != sizeof *header + header->count * sizeof *entries || !is_name(header->name))
        return HV_ERROR_MALFORMED;
    for (uint32_t i = 0; i < header->count; i++)
        if (!is_entry(&entries[i]) ||
            (i > 0 && entries[i].character <= entries[i - 1].character))
            return HV_ERROR_MALFORMED;
    *layout = (struct key_layout){ header->name, entries, header->count, false };
    return 0;
}

/* ---- strokes ---- */

/* Keys that are where they are on every layout. */
static uint8_t key_of_control(uint32_t character)
{
    switch (character) {
    case '\b': return ADB_BACKSPACE;
    case '\t': return ADB_TAB;
    case '\r': return ADB_RETURN;
    case 0x1B: return ADB_ESCAPE;
    default:   return ADB_NONE;
    }
}

static uint32_t strokes_of_entry(const struct key_layout *layout, uint32_t character,
                                 struct key_stroke *strokes)
{
    uint32_t low = 0, high = layout->count, count = 0;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (layout->entries[middle].character < character)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == layout->count || layout->entries[low].character != character)
        return 0;
    if (layout->entries[low].dead_key != KEY_LAYOUT_NO_KEY)
        strokes[count++] = (struct key_stroke){ layout->entries[low].dead_key,
                                                layout->entries[low].dead_modifiers };
    strokes[count++] =
        (struct key_stroke){ layout->entries[low].key, layout->entries[low].modifiers };
    return count;
}

static uint32_t strokes_of_unit(uint32_t unit, struct key_stroke *strokes)
{
    for (uint32_t i = 0; i < 4; i++) {
        uint8_t digit = (uint8_t)"0123456789abcdef"[unit >> (12 - 4 * i) & 15];

        strokes_of_entry(key_layout_default(), digit, &strokes[i]);
        strokes[i].modifiers = KEY_LAYOUT_OPTION;
    }
    return 4;
}

static uint32_t strokes_of_digits(uint32_t character, struct key_stroke *strokes)
{
    uint32_t count = 0;

    if (character < 0x7F)
        return strokes_of_entry(key_layout_default(), character, strokes);
    if (character >= 0x10000) {
        count = strokes_of_unit(0xD800 + ((character - 0x10000) >> 10), strokes);
        character = 0xDC00 + ((character - 0x10000) & 0x3FF);
    }
    return count + strokes_of_unit(character, strokes + count);
}

uint32_t key_layout_strokes(const struct key_layout *layout, uint32_t character,
                            struct key_stroke strokes[KEY_STROKES_MAXIMUM])
{
    uint8_t control = key_of_control(character);

    if (control != ADB_NONE) {
        strokes[0] = (struct key_stroke){ control, 0 };
        return 1;
    }
    return layout->is_hexadecimal ? strokes_of_digits(character, strokes)
                                  : strokes_of_entry(layout, character, strokes);
}

uint8_t key_layout_us_character(uint8_t key, uint8_t modifiers)
{
    const struct key_layout *us = key_layout_default();

    for (uint32_t i = 0; i < us->count && us->entries[i].character < 0x7F; i++)
        if (us->entries[i].key == key && us->entries[i].modifiers == modifiers &&
            us->entries[i].dead_key == KEY_LAYOUT_NO_KEY)
            return (uint8_t)us->entries[i].character;
    return 0;
}
