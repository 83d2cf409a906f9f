/* SPDX-License-Identifier: BSD-3-Clause */
/* Which key is meant: by the name that people write, or by the symbol that a VNC viewer sends. */
#ifndef HOST_DISPLAY_KEYS_H
#define HOST_DISPLAY_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "host/devices/keyboard.h"

/* "a", "7", "enter", "left", "f12", "numpad-5", "volume-up", or a scan code as "0x1e" or "e0-4b".
 * Case does not matter. False: no such key. */
bool key_of_name(const char *name, struct keyboard_key *key);

/* The key of an X11 key symbol on a US keyboard: both symbols of a key are that key. False: no key
 * has it. */
bool key_of_symbol(uint32_t symbol, struct keyboard_key *key);

/* What a key with two characters on it needs to give this one. */
enum symbol_shift { SYMBOL_SHIFT_ANY, SYMBOL_SHIFT_WANTED, SYMBOL_SHIFT_UNWANTED };
enum symbol_shift shift_of_symbol(uint32_t symbol);
/* A letter of a US keyboard: caps lock changes what its key gives. */
bool symbol_is_letter(uint32_t symbol);

/* The character that an X11 key symbol stands for, 0 if none. */
uint32_t character_of_symbol(uint32_t symbol);

#endif
