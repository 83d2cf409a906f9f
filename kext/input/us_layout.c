/* SPDX-License-Identifier: BSD-3-Clause */
/* Characters of Apple's U.S. layout. */
#include "kext/input/us_layout.h"

#include "kext/input/scan_codes.h"

/* ASCII by ADB code, without and with shift. */
static const uint8_t characters[2][0x33] = {
    { 'a', 's', 'd', 'f', 'h', 'g',  'z', 'x', 'c',  'v', 0,   'b', 'q', 'w', 'e', 'r', 'y',
      't', '1', '2', '3', '4', '6',  '5', '=', '9',  '7', '-', '8', '0', ']', 'o', 'u', '[',
      'i', 'p', 0,   'l', 'j', '\'', 'k', ';', '\\', ',', '/', 'n', 'm', '.', 0,   ' ', '`' },
    { 'A', 'S', 'D', 'F', 'H', 'G', 'Z', 'X', 'C', 'V', 0,   'B', 'Q', 'W', 'E', 'R', 'Y',
      'T', '!', '@', '#', '$', '^', '%', '+', '(', '&', '_', '*', ')', '}', 'O', 'U', '{',
      'I', 'P', 0,   'L', 'J', '"', 'K', ':', '|', '<', '?', 'N', 'M', '>', 0,   ' ', '~' },
};

#define OPTION       LAYOUT_OPTION
#define SHIFT_OPTION (LAYOUT_SHIFT | LAYOUT_OPTION)

/* What the option key gives, by the character of the key. */
static const struct {
    uint16_t character;
    uint8_t key;                        /* as ASCII */
    uint8_t modifiers;
} direct[] = {
    { 0xA1, '1', OPTION },         { 0xA2, '4', OPTION },         { 0xA3, '3', OPTION },
    { 0xA5, 'y', OPTION },         { 0xA7, '6', OPTION },         { 0xA9, 'g', OPTION },
    { 0xAA, '9', OPTION },         { 0xAB, '\\', OPTION },        { 0xAC, 'l', OPTION },
    { 0xAE, 'r', OPTION },         { 0xB0, '8', SHIFT_OPTION },   { 0xB1, '=', SHIFT_OPTION },
    { 0xB5, 'm', OPTION },         { 0xB6, '7', OPTION },         { 0xB7, '9', SHIFT_OPTION },
    { 0xBA, '0', OPTION },         { 0xBB, '\\', SHIFT_OPTION },  { 0xBF, '/', SHIFT_OPTION },
    { 0xC5, 'a', SHIFT_OPTION },   { 0xC6, '\'', SHIFT_OPTION },  { 0xC7, 'c', SHIFT_OPTION },
    { 0xD8, 'o', SHIFT_OPTION },   { 0xDF, 's', OPTION },         { 0xE5, 'a', OPTION },
    { 0xE6, '\'', OPTION },        { 0xE7, 'c', OPTION },         { 0xF7, '/', OPTION },
    { 0xF8, 'o', OPTION },         { 0x152, 'q', SHIFT_OPTION },  { 0x153, 'q', OPTION },
    { 0x192, 'f', OPTION },        { 0x3A9, 'z', OPTION },        { 0x3C0, 'p', OPTION },
    { 0x2013, '-', OPTION },       { 0x2014, '-', SHIFT_OPTION }, { 0x2018, ']', OPTION },
    { 0x2019, ']', SHIFT_OPTION }, { 0x201C, '[', OPTION },       { 0x201D, '[', SHIFT_OPTION },
    { 0x2022, '8', OPTION },       { 0x2026, ';', OPTION },       { 0x20AC, '2', SHIFT_OPTION },
    { 0x2122, '2', OPTION },       { 0x2202, 'd', OPTION },       { 0x2206, 'j', OPTION },
    { 0x2211, 'w', OPTION },       { 0x221A, 'v', OPTION },       { 0x221E, '5', OPTION },
    { 0x222B, 'b', OPTION },       { 0x2248, 'x', OPTION },       { 0x2260, '=', OPTION },
    { 0x2264, ',', OPTION },       { 0x2265, '.', OPTION },
};

/* Dead keys: option and `key`, then the letter. */
static const struct {
    uint8_t key;
    uint8_t letter;
    uint16_t character;
} composed[] = {
    { '`', 'A', 0xC0 }, { 'e', 'A', 0xC1 }, { 'i', 'A', 0xC2 }, { 'n', 'A', 0xC3 },
    { 'u', 'A', 0xC4 }, { '`', 'E', 0xC8 }, { 'e', 'E', 0xC9 }, { 'i', 'E', 0xCA },
    { 'u', 'E', 0xCB }, { '`', 'I', 0xCC }, { 'e', 'I', 0xCD }, { 'i', 'I', 0xCE },
    { 'u', 'I', 0xCF }, { 'n', 'N', 0xD1 }, { '`', 'O', 0xD2 }, { 'e', 'O', 0xD3 },
    { 'i', 'O', 0xD4 }, { 'n', 'O', 0xD5 }, { 'u', 'O', 0xD6 }, { '`', 'U', 0xD9 },
    { 'e', 'U', 0xDA }, { 'i', 'U', 0xDB }, { 'u', 'U', 0xDC }, { '`', 'a', 0xE0 },
    { 'e', 'a', 0xE1 }, { 'i', 'a', 0xE2 }, { 'n', 'a', 0xE3 }, { 'u', 'a', 0xE4 },
    { '`', 'e', 0xE8 }, { 'e', 'e', 0xE9 }, { 'i', 'e', 0xEA }, { 'u', 'e', 0xEB },
    { '`', 'i', 0xEC }, { 'e', 'i', 0xED }, { 'i', 'i', 0xEE }, { 'u', 'i', 0xEF },
    { 'n', 'n', 0xF1 }, { '`', 'o', 0xF2 }, { 'e', 'o', 0xF3 }, { 'i', 'o', 0xF4 },
    { 'n', 'o', 0xF5 }, { 'u', 'o', 0xF6 }, { '`', 'u', 0xF9 }, { 'e', 'u', 0xFA },
    { 'i', 'u', 0xFB }, { 'u', 'u', 0xFC }, { 'u', 'y', 0xFF }, { 'u', 'Y', 0x178 },
};

static bool stroke_of_ascii(uint32_t character, struct layout_stroke *stroke)
{
    uint8_t shift, key;

    for (shift = 0; character != 0 && shift < 2; shift++)
        for (key = 0; key < sizeof characters[0]; key++)
            if (characters[shift][key] == character) {
                *stroke = (struct layout_stroke){ key, shift ? LAYOUT_SHIFT : 0 };
                return true;
            }
    return false;
}

static bool stroke_of_control(uint32_t character, struct layout_stroke *stroke)
{
    stroke->modifiers = 0;
    switch (character) {
    case '\b': stroke->key = ADB_BACKSPACE; return true;
    case '\t': stroke->key = ADB_TAB;       return true;
    case '\r': stroke->key = ADB_RETURN;    return true;
    case 0x1B: stroke->key = ADB_ESCAPE;    return true;
    default:   return false;
    }
}

uint32_t layout_strokes(uint32_t character, struct layout_stroke strokes[2])
{
    uint32_t i;

    if (stroke_of_ascii(character, strokes) || stroke_of_control(character, strokes))
        return 1;
    if (character == 0xA0) {            /* the space that breaks no line */
        strokes[0] = (struct layout_stroke){ ADB_SPACE, LAYOUT_OPTION };
        return 1;
    }
    for (i = 0; i < sizeof direct / sizeof *direct; i++)
        if (direct[i].character == character && stroke_of_ascii(direct[i].key, strokes)) {
            strokes[0].modifiers = direct[i].modifiers;
            return 1;
        }
    for (i = 0; i < sizeof composed / sizeof *composed; i++)
        if (composed[i].character == character && stroke_of_ascii(composed[i].key, strokes) &&
            stroke_of_ascii(composed[i].letter, strokes + 1)) {
            strokes[0].modifiers = LAYOUT_OPTION;
            return 2;
        }
    return 0;
}

uint8_t layout_character(uint8_t key, uint8_t modifiers)
{
    return key < sizeof characters[0] && modifiers < 2 ? characters[modifiers][key] : 0;
}
