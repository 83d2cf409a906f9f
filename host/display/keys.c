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

/* The others; several names or symbols may mean one key. Symbol 0: none. */
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
    for (unsigned i = 0; i < sizeof(named_keys) / sizeof(named_keys[0]); i++) {
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

uint32_t character_of_symbol(uint32_t symbol)
{
    if ((symbol >= 0x20 && symbol < 0x7f) || (symbol >= 0xa0 && symbol <= 0xff)) {
        return symbol; /* Latin 1 is its own symbol */
    }
    if (symbol == 0x20ac) {
        return 0x20ac; /* the euro sign has one of its own that equals its code point */
    }
    /* All others are the code point plus 0x1000000. */
    return symbol > 0x1000000 && symbol <= 0x110ffff ? symbol - 0x1000000 : 0;
}
