/* SPDX-License-Identifier: BSD-3-Clause */
/* Presses every key of a layout. */
#include "daemons/keyboard/layout_reader.h"

#include <string.h>

#define SPACE_BAR 0x31u

/* An accent that no key types by itself, by the key that is dead: no character, but a name
 * for it. */
#define NAMELESS(level, key) (0x110000u + (level) * KEY_LAYOUT_KEYS + (key))

/* The one character that these units are, or 0. */
static uint32_t one_character(const uint16_t *units, unsigned count)
{
    if (count == 1 && (units[0] < 0xD800 || units[0] >= 0xE000))
        return units[0];
    if (count == 2 && units[0] >= 0xD800 && units[0] < 0xDC00 && units[1] >= 0xDC00 &&
        units[1] < 0xE000)
        return 0x10000u + ((units[0] - 0xD800u) << 10) + (units[1] - 0xDC00u);
    return 0;
}

static uint32_t press(const struct key_translator *translator, uint8_t key, uint8_t level,
                      uint32_t *dead)
{
    uint16_t units[KEY_TRANSLATION_UNITS];
    unsigned count = translator->translate(translator->context, key, level, dead, units);

    return *dead == 0 ? one_character(units, count) : 0;
}

static bool is_known(const struct layout *layout, uint32_t accent)
{
    for (uint32_t i = 0; i < layout->composition_count; i++)
        if (layout->compositions[i].accent == accent)
            return true;
    return false;
}

/* What the dead key makes of every character that a key types. */
static void read_accent(const struct key_translator *translator, struct layout *layout,
                        uint32_t state, uint32_t accent)
{
    for (uint8_t level = 0; level < KEY_LAYOUT_LEVELS; level++)
        for (uint8_t key = 0; key < KEY_LAYOUT_KEYS; key++) {
            uint32_t base = layout->keys[level][key].character, dead = state, result;

            if (base == 0 || layout->keys[level][key].is_dead ||
                layout_compose(layout, accent, base) != 0)
                continue;
            result = press(translator, key, level, &dead);
            if (result != 0 && layout->composition_count < LAYOUT_COMPOSITIONS_MAXIMUM)
                layout->compositions[layout->composition_count++] =
                    (struct layout_composition){ accent, base, result };
        }
}

static void read_keys(const struct key_translator *translator, struct layout *layout,
                      uint32_t states[KEY_LAYOUT_LEVELS][KEY_LAYOUT_KEYS])
{
    for (uint8_t level = 0; level < KEY_LAYOUT_LEVELS; level++)
        for (uint8_t key = 0; key < KEY_LAYOUT_KEYS; key++) {
            struct layout_key *to = &layout->keys[level][key];
            uint32_t dead = 0, after;

            to->character = press(translator, key, level, &dead);
            states[level][key] = after = dead;
            if (dead == 0) {
                if (to->character < ' ' || to->character == 0x7F)
                    to->character = 0;  /* keys that no layout moves */
                continue;
            }
            to->is_dead = true;
            to->character = press(translator, SPACE_BAR, 0, &after);
            if (to->character == 0)
                to->character = NAMELESS(level, key);
        }
}

void layout_of_translator(const struct key_translator *translator, struct layout *layout)
{
    static uint32_t states[KEY_LAYOUT_LEVELS][KEY_LAYOUT_KEYS];

    memset(layout->keys, 0, sizeof layout->keys);
    layout->composition_count = 0;
    read_keys(translator, layout, states);
    for (uint8_t level = 0; level < KEY_LAYOUT_LEVELS; level++)
        for (uint8_t key = 0; key < KEY_LAYOUT_KEYS; key++) {
            const struct layout_key *dead_key = &layout->keys[level][key];

            if (dead_key->is_dead && !is_known(layout, dead_key->character))
                read_accent(translator, layout, states[level][key], dead_key->character);
        }
}

void layout_set_name(struct layout *layout, const char *text)
{
    size_t length = 0;

    memset(layout->name, 0, sizeof layout->name);
    for (; *text != '\0' && length + 1 < sizeof layout->name; text++)
        if (*text > ' ' && *text <= '~')
            layout->name[length++] = *text;
    if (length == 0)
        memcpy(layout->name, "unnamed", sizeof "unnamed");
}
