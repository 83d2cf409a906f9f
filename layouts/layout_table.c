/* SPDX-License-Identifier: BSD-3-Clause */
/* From what keys type to which keys type it. */
#include <string.h>

#include "layouts/layout.h"

struct table {
    uint8_t *entries;                   /* packed, at any address */
    uint32_t count;
};

static struct key_layout_entry entry_at(const struct table *table, uint32_t index)
{
    struct key_layout_entry entry;

    memcpy(&entry, table->entries + index * sizeof entry, sizeof entry);
    return entry;
}

#define ISO_KEY 0x0Au                   /* ANSI keyboards do not have it */

/* Strokes first, then the kind of keyboard, then modifiers. */
static uint32_t cost(const struct key_layout_entry *entry)
{
    return (entry->dead_key == KEY_LAYOUT_NO_KEY ? 0 : 0x100u) +
           (entry->key == ISO_KEY || entry->dead_key == ISO_KEY ? 0x10u : 0) +
           (uint32_t)__builtin_popcount(entry->dead_modifiers) +
           (uint32_t)__builtin_popcount(entry->modifiers);
}

static bool is_character(uint32_t character)
{
    return character >= ' ' && character != 0x7F && character < 0x110000 &&
           (character < 0xD800 || character >= 0xE000);
}

/* Keeps the order, and of two ways the cheaper. */
static void add(struct table *table, const struct key_layout_entry *entry)
{
    const size_t size = sizeof *entry;
    uint32_t low = 0, high = table->count;

    if (!is_character(entry->character))
        return;
    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (entry_at(table, middle).character < entry->character)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < table->count) {
        struct key_layout_entry there = entry_at(table, low);

        if (there.character == entry->character) {
            if (cost(entry) < cost(&there))
                memcpy(table->entries + low * size, entry, size);
            return;
        }
    }
    if (table->count == KEY_LAYOUT_ENTRIES_MAXIMUM)
        return;
    memmove(table->entries + (low + 1) * size, table->entries + low * size,
            (table->count - low) * size);
    memcpy(table->entries + low * size, entry, size);
    table->count++;
}

uint32_t layout_compose(const struct layout *layout, uint32_t accent, uint32_t base)
{
    for (uint32_t i = 0; i < layout->composition_count; i++)
        if (layout->compositions[i].accent == accent && layout->compositions[i].base == base)
            return layout->compositions[i].result;
    return 0;
}

/* Everything that follows the dead key. */
static void add_composed(struct table *table, const struct layout *layout, uint8_t dead_level,
                         uint8_t dead_key)
{
    uint32_t accent = layout->keys[dead_level][dead_key].character;

    for (uint8_t level = 0; level < KEY_LAYOUT_LEVELS; level++)
        for (uint8_t key = 0; key < KEY_LAYOUT_KEYS; key++) {
            const struct layout_key *base = &layout->keys[level][key];
            struct key_layout_entry entry = { 0, dead_key, dead_level, key, level };

            if (base->character == 0 || base->is_dead)
                continue;
            entry.character = layout_compose(layout, accent, base->character);
            add(table, &entry);
        }
}

size_t layout_make_table(const struct layout *layout, uint8_t bytes[KEY_LAYOUT_BYTES_MAXIMUM])
{
    struct key_layout_header header = { .magic = KEY_LAYOUT_MAGIC, .version = KEY_LAYOUT_VERSION };
    struct table table = { bytes + sizeof header, 0 };

    for (uint8_t level = 0; level < KEY_LAYOUT_LEVELS; level++)
        for (uint8_t key = 0; key < KEY_LAYOUT_KEYS; key++) {
            const struct layout_key *from = &layout->keys[level][key];
            struct key_layout_entry entry = { from->character, KEY_LAYOUT_NO_KEY, 0, key, level };

            if (from->is_dead)
                add_composed(&table, layout, level, key);
            else
                add(&table, &entry);
        }
    header.count = (uint16_t)table.count;
    memcpy(header.name, layout->name, sizeof header.name);
    memcpy(bytes, &header, sizeof header);
    return sizeof header + table.count * sizeof(struct key_layout_entry);
}
