/* SPDX-License-Identifier: BSD-3-Clause */
/* Fuzz target: what a viewer means. Symbols, names and accents of any kind: a key that is found is
 * one that the keyboard takes, a character one that UTF-8 can hold. */
#include <stdlib.h>
#include <string.h>

#include "host/devices/keyboard.h"
#include "host/display/dead_keys.h"
#include "host/display/keys.h"
#include "protocol/keyboard.h"
#include "protocol/utf16.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_key(struct keyboard_key key)
{
    const uint32_t prefixes = KEYBOARD_EVENT_E0 | KEYBOARD_EVENT_E1;
    if (key.code == 0 || key.code > 0xff || (key.prefix & ~prefixes) != 0 ||
        key.prefix == prefixes) {
        abort();
    }
}

static void check_character(uint32_t character)
{
    uint8_t text[8] = {0};
    const char *at = (const char *)text;
    if (character == 0) {
        return;
    }
    utf8_put(character, text);
    const uint32_t back = utf8_take(&at);
    if (character > 0x10ffff || (back != character && back != 0xfffd)) {
        abort();
    }
}

static void check_symbol(uint32_t symbol, uint32_t letter)
{
    struct keyboard_key key;
    if (key_of_symbol(symbol, &key)) {
        check_key(key);
    }
    if (shift_of_symbol(symbol) != SYMBOL_SHIFT_ANY && !key_of_symbol(symbol, &key)) {
        abort(); /* only keys have a shift */
    }
    check_character(character_of_symbol(symbol));
    const uint32_t accent = accent_of_symbol(symbol);
    if (accent != 0) {
        check_character(accented_character(accent, letter));
        if (accented_character(accent, ' ') != accent) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct keyboard_key key;
    char *name = malloc(size + 1);
    memcpy(name, data, size);
    name[size] = '\0';
    if (key_of_name(name, &key)) {
        check_key(key);
    }
    free(name);
    for (; size >= 8; data += 8, size -= 8) {
        uint32_t words[2];
        memcpy(words, data, sizeof(words));
        check_symbol(words[0], words[1]);
        check_symbol(words[0] & 0xffff, words[1] & 0xff);
        check_symbol(0xfe50 + (words[0] & 15), words[1] & 0x7f);
    }
    return 0;
}
