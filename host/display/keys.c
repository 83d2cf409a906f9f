/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keys by name and by X11 key symbol. Scan codes follow Microsoft's table of set 1; symbols are
 * those of X11's keysymdef.h.
 */
#include "host/display/keys.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "protocol/keyboard.h"

#define E0 0x100u /* the prefix, in the table below */

/* The keys with characters on them: code, without and with shift. */
static const struct {
    uint8_t code;
    char plain, shifted;
} character_keys[] = {
    {0x02, '1', '!'}, {0x03, '2', '@'}, {0x04, '3', '#'}, {0x05, '4', '$'}, {0x06, '5', '%'},
    {0x07, '6', '^'}, {0x08, '7', '&'}, {0x09, '8', '*'}, {0x0a, '9', '('}, {0x0b, '0', ')'},
    {0x0c, '-', '_'}, {0x0d, '=', '+'}, {0x10, 'q', 'Q'}, {0x11, 'w', 'W'}, {0x12, 'e', 'E'},
    {0x13, 'r', 'R'}, {0x14, 't', 'T'}, {0x15, 'y', 'Y'}, {0x16, 'u', 'U'}, {0x17, 'i', 'I'},
    {0x18, 'o', 'O'}, {0x19, 'p', 'P'}, {0x1a, '[', '{'}, {0x1b, ']', '}'}, {0x1e, 'a', 'A'},
    {0x1f, 's', 'S'}, {0x20, 'd', 'D'}, {0x21, 'f', 'F'}, {0x22, 'g', 'G'}, {0x23, 'h', 'H'},
    {0x24, 'j', 'J'}, {0x25, 'k', 'K'}, {0x26, 'l', 'L'}, {0x27, ';', ':'}, {0x28, '\'', '"'},
    {0x29, '`', '~'}, {0x2b, '\\', '|'}, {0x2c, 'z', 'Z'}, {0x2d, 'x', 'X'}, {0x2e, 'c', 'C'},
    {0x2f, 'v', 'V'}, {0x30, 'b', 'B'}, {0x31, 'n', 'N'}, {0x32, 'm', 'M'}, {0x33, ',', '<'},
    {0x34, '.', '>'}, {0x35, '/', '?'}, {0x39, ' ', ' '},
};

/* The others; several names or symbols may mean one key. Symbol 0, name "": none. */
static const struct {
    const char *name;
    uint32_t symbol;
    uint16_t code;
} named_keys[] = {
    {"escape", 0xff1b, 0x01}, {"esc", 0, 0x01}, {"backspace", 0xff08, 0x0e}, {"tab", 0xff09, 0x0f},
    {"backtab", 0xfe20, 0x0f}, {"enter", 0xff0d, 0x1c}, {"return", 0, 0x1c}, {"space", 0, 0x39},
    {"control", 0xffe3, 0x1d}, {"ctrl", 0, 0x1d}, {"right-control", 0xffe4, 0x1d | E0},
    {"shift", 0xffe1, 0x2a}, {"right-shift", 0xffe2, 0x36}, {"alt", 0xffe9, 0x38},
    {"option", 0xffe7, 0x38}, {"right-alt", 0xffea, 0x38 | E0}, {"alt-gr", 0xfe03, 0x38 | E0},
    {"right-option", 0xffe8, 0x38 | E0}, {"command", 0xffeb, 0x5b | E0}, {"win", 0, 0x5b | E0},
    {"right-command", 0xffec, 0x5c | E0}, {"menu", 0xff67, 0x5d | E0},
    {"caps-lock", 0xffe5, 0x3a}, {"num-lock", 0xff7f, 0x45}, {"scroll-lock", 0xff14, 0x46},
    {"f1", 0xffbe, 0x3b}, {"f2", 0xffbf, 0x3c}, {"f3", 0xffc0, 0x3d}, {"f4", 0xffc1, 0x3e},
    {"f5", 0xffc2, 0x3f}, {"f6", 0xffc3, 0x40}, {"f7", 0xffc4, 0x41}, {"f8", 0xffc5, 0x42},
    {"f9", 0xffc6, 0x43}, {"f10", 0xffc7, 0x44}, {"f11", 0xffc8, 0x57}, {"f12", 0xffc9, 0x58},
    {"f13", 0xffca, 0x64}, {"f14", 0xffcb, 0x65}, {"f15", 0xffcc, 0x66}, {"f16", 0xffcd, 0x67},
    {"f17", 0xffce, 0x68}, {"f18", 0xffcf, 0x69}, {"f19", 0xffd0, 0x6a}, {"f20", 0xffd1, 0x6b},
    {"f21", 0xffd2, 0x6c}, {"f22", 0xffd3, 0x6d}, {"f23", 0xffd4, 0x6e}, {"f24", 0xffd5, 0x76},
    {"print-screen", 0xff61, 0x37 | E0}, {"pause", 0xff13, 0x46 | E0},
    {"insert", 0xff63, 0x52 | E0}, {"help", 0xff6a, 0x52 | E0}, {"delete", 0xffff, 0x53 | E0},
    {"home", 0xff50, 0x47 | E0}, {"end", 0xff57, 0x4f | E0}, {"page-up", 0xff55, 0x49 | E0},
    {"page-down", 0xff56, 0x51 | E0}, {"left", 0xff51, 0x4b | E0}, {"up", 0xff52, 0x48 | E0},
    {"right", 0xff53, 0x4d | E0}, {"down", 0xff54, 0x50 | E0}, {"power", 0, 0x5e | E0},
    {"numpad-0", 0xffb0, 0x52}, {"numpad-1", 0xffb1, 0x4f}, {"numpad-2", 0xffb2, 0x50},
    {"numpad-3", 0xffb3, 0x51}, {"numpad-4", 0xffb4, 0x4b}, {"numpad-5", 0xffb5, 0x4c},
    {"numpad-6", 0xffb6, 0x4d}, {"numpad-7", 0xffb7, 0x47}, {"numpad-8", 0xffb8, 0x48},
    {"numpad-9", 0xffb9, 0x49}, {"numpad-decimal", 0xffae, 0x53}, {"numpad-comma", 0xffac, 0x7e},
    {"numpad-multiply", 0xffaa, 0x37}, {"numpad-add", 0xffab, 0x4e},
    {"numpad-subtract", 0xffad, 0x4a}, {"numpad-divide", 0xffaf, 0x35 | E0},
    {"numpad-enter", 0xff8d, 0x1c | E0}, {"numpad-equal", 0xffbd, 0x59},
    {"iso", 0, 0x56}, {"yen", 0, 0x7d}, {"ro", 0, 0x73}, {"kana", 0xff27, 0x70},
    {"henkan", 0xff23, 0x79}, {"muhenkan", 0xff22, 0x7b}, {"hangul", 0xff31, 0xf2},
    {"hanja", 0xff34, 0xf1}, {"mute", 0x1008ff12, 0x20 | E0},
    {"volume-down", 0x1008ff11, 0x2e | E0}, {"volume-up", 0x1008ff13, 0x30 | E0},
    {"play", 0x1008ff14, 0x22 | E0}, {"", 0x1008ff31, 0x22 | E0}, {"stop", 0x1008ff15, 0x24 | E0},
    {"previous-track", 0x1008ff16, 0x10 | E0}, {"next-track", 0x1008ff17, 0x19 | E0},
    {"home-page", 0x1008ff18, 0x32 | E0}, {"mail", 0x1008ff19, 0x6c | E0},
    {"search", 0x1008ff1b, 0x65 | E0}, {"calculator", 0x1008ff1d, 0x21 | E0},
    {"back", 0x1008ff26, 0x6a | E0}, {"forward", 0x1008ff27, 0x69 | E0},
    {"stop-loading", 0x1008ff28, 0x68 | E0}, {"refresh", 0x1008ff29, 0x67 | E0},
    {"wake", 0x1008ff2b, 0x63 | E0}, {"sleep", 0x1008ff2f, 0x5f | E0},
    {"favourites", 0x1008ff30, 0x66 | E0}, {"media", 0x1008ff32, 0x6d | E0},
    {"my-computer", 0x1008ff33, 0x6b | E0}, {"", 0x1008ff2a, 0x5e | E0},
    {"sys-req", 0xff15, 0x54}, {"", 0xff6b, 0x46 | E0}, {"", 0xff7e, 0x38 | E0},
    /* Hiragana, katakana: as the Japanese keyboard has them. */
    {"hiragana", 0xff25, 0x77}, {"katakana", 0xff26, 0x78}, {"international-6", 0, 0x5c},
    /* The numeric pad with num lock off. */
    {"", 0xff95, 0x47}, {"", 0xff96, 0x4b}, {"", 0xff97, 0x48}, {"", 0xff98, 0x4d},
    {"", 0xff99, 0x50}, {"", 0xff9a, 0x49}, {"", 0xff9b, 0x51}, {"", 0xff9c, 0x4f},
    {"", 0xff9d, 0x4c}, {"", 0xff9e, 0x52}, {"", 0xff9f, 0x53}, {"", 0xff89, 0x0f},
    {"", 0xff80, 0x39},
};

static struct keyboard_key key_of_entry(uint16_t code)
{
    return (struct keyboard_key){code & 0xff, code & E0 ? KEYBOARD_EVENT_E0 : 0};
}

static bool key_of_character(uint32_t character, struct keyboard_key *key)
{
    for (unsigned i = 0; i < sizeof(character_keys) / sizeof(character_keys[0]); i++) {
        if (character == (uint8_t)character_keys[i].plain ||
            character == (uint8_t)character_keys[i].shifted) {
            *key = key_of_entry(character_keys[i].code);
            return true;
        }
    }
    return false;
}

/* "0x1e", "e0-4b", "e1-1d" */
static bool key_of_code(const char *name, struct keyboard_key *key)
{
    const char *digits = name + (name[0] == '0' ? 2 : 3);
    uint32_t prefix;
    char *end;
    if (strncasecmp(name, "0x", 2) == 0) {
        prefix = 0;
    } else if (strncasecmp(name, "e0-", 3) == 0) {
        prefix = KEYBOARD_EVENT_E0;
    } else if (strncasecmp(name, "e1-", 3) == 0) {
        prefix = KEYBOARD_EVENT_E1;
    } else {
        return false;
    }
    unsigned long code = strtoul(digits, &end, 16);
    *key = (struct keyboard_key){(uint16_t)code, prefix};
    return end != digits && *end == '\0' && code > 0 && code <= 0xff;
}

bool key_of_name(const char *name, struct keyboard_key *key)
{
    if (name[0] != '\0' && name[1] == '\0') {
        return key_of_character((uint8_t)name[0], key);
    }
    for (unsigned i = 0; name[0] != '\0' && i < sizeof(named_keys) / sizeof(named_keys[0]); i++) {
        if (strcasecmp(name, named_keys[i].name) == 0) {
            *key = key_of_entry(named_keys[i].code);
            return true;
        }
    }
    return key_of_code(name, key);
}

bool key_of_symbol(uint32_t symbol, struct keyboard_key *key)
{
    for (unsigned i = 0; i < sizeof(named_keys) / sizeof(named_keys[0]); i++) {
        if (symbol != 0 && symbol == named_keys[i].symbol) {
            *key = key_of_entry(named_keys[i].code);
            return true;
        }
    }
    return symbol < 0x80 && key_of_character(symbol, key);
}

enum symbol_shift shift_of_symbol(uint32_t symbol)
{
    for (unsigned i = 0; i < sizeof(character_keys) / sizeof(character_keys[0]); i++) {
        const char plain = character_keys[i].plain, shifted = character_keys[i].shifted;
        if (plain != shifted && symbol == (uint8_t)plain) {
            return SYMBOL_SHIFT_UNWANTED;
        }
        if (plain != shifted && symbol == (uint8_t)shifted) {
            return SYMBOL_SHIFT_WANTED;
        }
    }
    return SYMBOL_SHIFT_ANY;
}

bool symbol_is_letter(uint32_t symbol)
{
    return (symbol >= 'a' && symbol <= 'z') || (symbol >= 'A' && symbol <= 'Z');
}

/* Characters whose symbols are neither Latin 1 nor made of the code point. */
static const struct {
    uint16_t symbol, character;
} other_characters[] = {
    {0x20ac, 0x20ac}, /* euro */
    {0x13bc, 0x152}, {0x13bd, 0x153}, {0x13be, 0x178}, /* OE, oe, Y with diaeresis */
    {0xaa9, 0x2014}, {0xaaa, 0x2013}, {0xaae, 0x2026}, /* dashes, ellipsis */
    {0xad0, 0x2018}, {0xad1, 0x2019}, {0xad2, 0x201c}, {0xad3, 0x201d}, /* quotation marks */
    {0xac9, 0x2122}, {0xaf1, 0x2020}, {0xaf2, 0x2021}, {0xae6, 0x2022},
};

uint32_t character_of_symbol(uint32_t symbol)
{
    if ((symbol >= 0x20 && symbol < 0x7f) || (symbol >= 0xa0 && symbol <= 0xff)) {
        return symbol; /* Latin 1 is its own symbol */
    }
    for (unsigned i = 0; i < sizeof(other_characters) / sizeof(other_characters[0]); i++) {
        if (other_characters[i].symbol == symbol) {
            return other_characters[i].character;
        }
    }
    /* All others are the code point plus 0x1000000. */
    return symbol > 0x1000000 && symbol <= 0x110ffff ? symbol - 0x1000000 : 0;
}
