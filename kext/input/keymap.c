/* SPDX-License-Identifier: BSD-3-Clause */
/* Builds the key mapping: numbers of one byte (after a first word that says so), lists with their
 * counts before. */
#include "kext/input/keymap.h"

#include "kext/input/key_layout.h"
#include "kext/input/scan_codes.h"

#define BYTE_NUMBERS 0u                 /* the first, big-endian 16-bit word */

/* Numbers of modifiers, NX_MODIFIERKEY_... */
#define MODIFIER_CAPS_LOCK     0u
#define MODIFIER_SHIFT         1u
#define MODIFIER_RIGHT_SHIFT   9u

/* Numbers of special keys, NX_KEYTYPE_... */
#define SPECIAL_CAPS_LOCK 4u
#define SPECIAL_POWER     6u
#define SPECIAL_NUM_LOCK  10u

#define NO_CHARACTER   0xFFu            /* instead of a mask of modifiers */
#define SET_ASCII      0x00u
#define SET_FUNCTION   0xFEu            /* keys that have no character */

static const struct {
    uint8_t modifier, key;
} modifiers[] = {
    { MODIFIER_CAPS_LOCK, ADB_CAPS_LOCK },
    { MODIFIER_SHIFT, ADB_LEFT_SHIFT },
    { 2, ADB_LEFT_CONTROL },
    { 3, ADB_LEFT_OPTION },
    { 4, ADB_LEFT_COMMAND },
    { MODIFIER_RIGHT_SHIFT, ADB_RIGHT_SHIFT },
    { 10, ADB_RIGHT_CONTROL },
    { 11, ADB_RIGHT_OPTION },
    { 12, ADB_RIGHT_COMMAND },
};
#define MODIFIERS (sizeof modifiers / sizeof *modifiers)

static const struct {
    uint8_t special, key;
} specials[] = {
    { SPECIAL_CAPS_LOCK, ADB_CAPS_LOCK }, { SPECIAL_POWER, 0x7F }, { SPECIAL_NUM_LOCK, 0x47 },
    { 0, 0x48 }, { 1, 0x49 }, { 7, 0x4A },      /* volume up, down, mute */
};
#define SPECIALS (sizeof specials / sizeof *specials)

struct writer {
    uint8_t *bytes;
    uint32_t length;
};

static void put(struct writer *writer, uint32_t value)
{
    if (writer->length < KEYMAP_BYTES_MAXIMUM)
        writer->bytes[writer->length++] = (uint8_t)value;
}

static void put_character(struct writer *writer, uint32_t set, uint32_t code)
{
    put(writer, set);
    put(writer, code);
}

static bool is_modifier(uint8_t key)
{
    for (uint32_t i = 0; i < MODIFIERS; i++)
        if (modifiers[i].key == key)
            return true;
    return false;
}

/* Keys that type a control character, whatever the layout. */
static uint8_t control_character(uint8_t key)
{
    switch (key) {
    case ADB_RETURN:    return '\r';
    case ADB_TAB:       return '\t';
    case ADB_BACKSPACE: return 0x7F;
    case ADB_ESCAPE:    return 0x1B;
    case 0x4C:          return 0x03;    /* Enter */
    default:            return 0;
    }
}

/* A mask of the modifiers that matter, then a character for each combination of them. */
static void put_key(struct writer *writer, uint8_t key)
{
    uint8_t plain = key_layout_us_character(key, 0);
    uint8_t shifted = key_layout_us_character(key, KEY_LAYOUT_SHIFT);

    if (is_modifier(key)) {
        put(writer, NO_CHARACTER);
    } else if (plain == 0) {
        uint8_t control = control_character(key);

        put(writer, 0);
        put_character(writer, control ? SET_ASCII : SET_FUNCTION, control ? control : key);
    } else if (plain >= 'a' && plain <= 'z') {
        put(writer, 1u << MODIFIER_CAPS_LOCK | 1u << MODIFIER_SHIFT);
        put_character(writer, SET_ASCII, plain);
        put_character(writer, SET_ASCII, shifted);
        put_character(writer, SET_ASCII, shifted);
        put_character(writer, SET_ASCII, shifted);
    } else {
        put(writer, 1u << MODIFIER_SHIFT);
        put_character(writer, SET_ASCII, plain);
        put_character(writer, SET_ASCII, shifted);
    }
}

uint32_t keymap_build(uint8_t bytes[KEYMAP_BYTES_MAXIMUM])
{
    struct writer writer = { bytes, 0 };
    uint32_t i;

    put(&writer, BYTE_NUMBERS);
    put(&writer, BYTE_NUMBERS);
    put(&writer, MODIFIERS);
    for (i = 0; i < MODIFIERS; i++) {
        put(&writer, modifiers[i].modifier);
        put(&writer, 1);
        put(&writer, modifiers[i].key);
    }
    put(&writer, ADB_CODES);
    for (i = 0; i < ADB_CODES; i++)
        put_key(&writer, (uint8_t)i);
    put(&writer, 0);                    /* no sequences */
    put(&writer, SPECIALS);
    for (i = 0; i < SPECIALS; i++) {
        put(&writer, specials[i].special);
        put(&writer, specials[i].key);
    }
    return writer.length;
}
