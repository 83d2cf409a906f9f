/* SPDX-License-Identifier: BSD-3-Clause */
/* key_mapping.c - reads key mappings; they come from drivers, so every step is checked. */
#include "xnu/families/hid/key_mapping.h"

#include <stddef.h>

enum { ALL_MODIFIERS_OFF = 0xff, ALL_MODIFIERS_OFF_SHORT = 0xffff, MODIFIERS_IN_MASK = 8 };

struct cursor {
    const struct key_mapping *mapping;
    uint32_t at;
    bool overrun;
};

static uint32_t next_number(struct cursor *cursor)
{
    const struct key_mapping *mapping = cursor->mapping;
    uint32_t size = mapping->short_numbers ? 2 : 1;

    if (cursor->overrun || cursor->at + size > mapping->length) {
        cursor->overrun = true;
        return 0;
    }
    uint32_t value = mapping->bytes[cursor->at];
    if (size == 2)
        value = value << 8 | mapping->bytes[cursor->at + 1];
    cursor->at += size;
    return value;
}

static uint32_t bits_in(uint32_t mask)
{
    uint32_t count = 0;

    for (; mask; mask &= mask - 1)
        count++;
    return count;
}

static uint32_t no_character(const struct key_mapping *mapping)
{
    return mapping->short_numbers ? ALL_MODIFIERS_OFF_SHORT : ALL_MODIFIERS_OFF;
}

static void read_modifiers(struct key_mapping *mapping, struct cursor *cursor)
{
    uint32_t groups = next_number(cursor);

    for (uint32_t i = 0; i < groups && !cursor->overrun; i++) {
        uint32_t modifier = next_number(cursor), keys = next_number(cursor);

        for (uint32_t j = 0; j < keys && !cursor->overrun; j++) {
            uint32_t key = next_number(cursor);

            if (key >= KEY_MAPPING_KEYS || modifier >= KEY_MAPPING_MODIFIERS)
                cursor->overrun = true;
            else
                mapping->modifier[key] = (uint8_t)modifier;
        }
    }
}

static void skip(struct cursor *cursor, uint32_t numbers)
{
    for (uint32_t i = 0; i < numbers && !cursor->overrun; i++)
        next_number(cursor);
}

static void read_keys(struct key_mapping *mapping, struct cursor *cursor)
{
    uint32_t count = next_number(cursor);

    if (count > KEY_MAPPING_KEYS)
        cursor->overrun = true;
    for (uint32_t key = 0; key < count && !cursor->overrun; key++) {
        uint32_t start = cursor->at, mask = next_number(cursor);

        if (mask == no_character(mapping))
            continue;
        if (bits_in(mask) > MODIFIERS_IN_MASK) {
            cursor->overrun = true;
            return;
        }
        mapping->keys[key] = start;
        skip(cursor, 2u << bits_in(mask));
    }
}

static void read_rest(struct cursor *cursor)
{
    uint32_t sequences = next_number(cursor);

    for (uint32_t i = 0; i < sequences && !cursor->overrun; i++)
        skip(cursor, 2 * next_number(cursor));
    skip(cursor, 2 * next_number(cursor));
}

bool key_mapping_read(struct key_mapping *mapping, const uint8_t *bytes, uint32_t length)
{
    *mapping = (struct key_mapping){ .bytes = bytes, .length = length };
    for (uint32_t key = 0; key < KEY_MAPPING_KEYS; key++)
        mapping->modifier[key] = KEY_MAPPING_NO_MODIFIER;
    if (bytes == NULL || length < 2 || bytes[0] != 0 || bytes[1] > 1)
        return false;
    mapping->short_numbers = bytes[1] == 1;

    struct cursor cursor = { mapping, 2, false };
    read_modifiers(mapping, &cursor);
    read_keys(mapping, &cursor);
    read_rest(&cursor);
    return !cursor.overrun;
}

bool key_mapping_character(const struct key_mapping *mapping, uint32_t key, uint32_t modifiers,
                           uint32_t *set, uint32_t *code)
{
    if (key >= KEY_MAPPING_KEYS || mapping->keys[key] == 0)
        return false;
    struct cursor cursor = { mapping, mapping->keys[key], false };
    uint32_t mask = next_number(&cursor), index = 0, bit = 0;

    for (uint32_t modifier = 0; modifier < KEY_MAPPING_MODIFIERS; modifier++) {
        if (!(mask >> modifier & 1))
            continue;
        index |= (modifiers >> modifier & 1) << bit;
        bit++;
    }
    skip(&cursor, 2 * index);
    *set = next_number(&cursor);
    *code = next_number(&cursor);
    return !cursor.overrun;
}
