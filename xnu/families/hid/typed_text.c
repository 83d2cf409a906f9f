/* SPDX-License-Identifier: BSD-3-Clause */
/* typed_text.c - option characters and dead keys: of Apple's U.S. layout, by key code, and of
 * layouts from files. */
#include "xnu/families/hid/typed_text.h"

#include "layouts/layout.h"

enum { KEYS = 0x33, DEAD_GRAVE = 0x60, DEAD_ACUTE = 0xb4, DEAD_CIRCUMFLEX = 0x2c6,
       DEAD_TILDE = 0x2dc, DEAD_DIAERESIS = 0xa8 };

/* With option, and with option and shift. 0: nothing. */
static const uint16_t option_characters[KEYS][2] = {
    [0x00] = { 0xe5, 0xc5 },     [0x01] = { 0xdf, 0xcd },     [0x02] = { 0x2202, 0xce },
    [0x03] = { 0x192, 0xcf },    [0x04] = { 0x2d9, 0xd3 },    [0x05] = { 0xa9, 0x2dd },
    [0x06] = { 0x3a9, 0xb8 },    [0x07] = { 0x2248, 0x2db },  [0x08] = { 0xe7, 0xc7 },
    [0x09] = { 0x221a, 0x25ca }, [0x0b] = { 0x222b, 0x131 },  [0x0c] = { 0x153, 0x152 },
    [0x0d] = { 0x2211, 0x201e }, [0x0e] = { 0, 0xb4 },        [0x0f] = { 0xae, 0x2030 },
    [0x10] = { 0xa5, 0xc1 },     [0x11] = { 0x2020, 0x2c7 },  [0x12] = { 0xa1, 0x2044 },
    [0x13] = { 0x2122, 0x20ac }, [0x14] = { 0xa3, 0x2039 },   [0x15] = { 0xa2, 0x203a },
    [0x16] = { 0xa7, 0xfb02 },   [0x17] = { 0x221e, 0xfb01 }, [0x18] = { 0x2260, 0xb1 },
    [0x19] = { 0xaa, 0xb7 },     [0x1a] = { 0xb6, 0x2021 },   [0x1b] = { 0x2013, 0x2014 },
    [0x1c] = { 0x2022, 0xb0 },   [0x1d] = { 0xba, 0x201a },   [0x1e] = { 0x2018, 0x2019 },
    [0x1f] = { 0xf8, 0xd8 },     [0x20] = { 0, 0xa8 },        [0x21] = { 0x201c, 0x201d },
    [0x22] = { 0, 0x2c6 },       [0x23] = { 0x3c0, 0x220f },  [0x25] = { 0xac, 0xd2 },
    [0x26] = { 0x2206, 0xd4 },   [0x27] = { 0xe6, 0xc6 },     [0x28] = { 0x2da, 0xf8ff },
    [0x29] = { 0x2026, 0xda },   [0x2a] = { 0xab, 0xbb },     [0x2b] = { 0x2264, 0xaf },
    [0x2c] = { 0xf7, 0xbf },     [0x2d] = { 0, 0x2dc },       [0x2e] = { 0xb5, 0xc2 },
    [0x2f] = { 0x2265, 0x2d8 },  [0x31] = { 0xa0, 0xa0 },     [0x32] = { 0, 0x60 },
};

static uint16_t dead_key(uint32_t key)
{
    switch (key) {
    case 0x0e: return DEAD_ACUTE;
    case 0x20: return DEAD_DIAERESIS;
    case 0x22: return DEAD_CIRCUMFLEX;
    case 0x2d: return DEAD_TILDE;
    case 0x32: return DEAD_GRAVE;
    default:   return 0;
    }
}

/* Accented capitals from 0xc0 on; the small letters are 0x20 higher. */
static uint32_t accented(uint32_t dead, uint32_t letter)
{
    static const struct { uint16_t dead; const char *letters; uint8_t first[6]; } rows[] = {
        { DEAD_GRAVE, "AEIOU", { 0xc0, 0xc8, 0xcc, 0xd2, 0xd9 } },
        { DEAD_ACUTE, "AEIOU", { 0xc1, 0xc9, 0xcd, 0xd3, 0xda } },
        { DEAD_CIRCUMFLEX, "AEIOU", { 0xc2, 0xca, 0xce, 0xd4, 0xdb } },
        { DEAD_TILDE, "ANO", { 0xc3, 0xd1, 0xd5 } },
        { DEAD_DIAERESIS, "AEIOU", { 0xc4, 0xcb, 0xcf, 0xd6, 0xdc } },
    };
    uint32_t capital = letter >= 'a' && letter <= 'z' ? letter - 0x20 : letter;

    if (dead == DEAD_DIAERESIS && capital == 'Y')
        return letter == 'y' ? 0xff : 0x178;
    for (uint32_t row = 0; row < sizeof rows / sizeof rows[0]; row++)
        for (uint32_t i = 0; rows[row].dead == dead && rows[row].letters[i]; i++)
            if ((uint8_t)rows[row].letters[i] == capital)
                return rows[row].first[i] + (letter - capital);
    return 0;
}

uint32_t typed_text_key(struct typed_text *text, uint32_t key, uint32_t plain, bool shift,
                        bool option)
{
    uint32_t dead = text->dead;
    uint32_t character = plain;

    text->dead = 0;
    if (option) {
        character = key < KEYS ? option_characters[key][shift] : 0;
        if (!shift && dead_key(key)) {
            text->dead = dead_key(key);
            return 0;
        }
    }
    if (dead) {
        uint32_t combined = option ? 0 : accented(dead, character);

        /* An accent that fits no letter is lost; on a Mac it would be a character before this one.
         * */
        return combined ? combined : character;
    }
    return character;
}

/* Caps lock counts for letters only: those whose capital is 0x20 below. */
static bool has_capital(const struct layout *layout, uint32_t key)
{
    uint32_t small = layout->keys[0][key].character;

    return small >= 'a' && small - layout->keys[KEY_LAYOUT_SHIFT][key].character == 0x20;
}

uint32_t typed_text_layout_key(struct typed_text *text, const struct layout *layout, uint32_t key,
                               uint32_t plain, bool shift, bool option, bool caps_lock)
{
    uint32_t level = (shift ? KEY_LAYOUT_SHIFT : 0) | (option ? KEY_LAYOUT_OPTION : 0);
    uint32_t dead = text->dead, character, combined;

    if (key >= KEY_LAYOUT_KEYS)
        return 0;
    if (caps_lock && !option && has_capital(layout, key))
        level = KEY_LAYOUT_SHIFT;
    character = layout->keys[level][key].character;
    if (character == 0)                 /* Return and its like; a dead key waits on */
        return plain < 0x20 || plain == 0x7F ? plain : 0;
    text->dead = layout->keys[level][key].is_dead ? character : 0;
    if (text->dead)
        return 0;
    combined = dead ? layout_compose(layout, dead, character) : 0;
    return combined ? combined : character;
}
