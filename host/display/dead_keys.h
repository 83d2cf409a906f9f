/* SPDX-License-Identifier: BSD-3-Clause */
/* Dead keys of viewers' keyboards: an accent, then the letter that it goes on. */
#ifndef HOST_DISPLAY_DEAD_KEYS_H
#define HOST_DISPLAY_DEAD_KEYS_H

#include <stdint.h>

/* The accent (as a character of its own) of an X11 symbol of a dead key, 0: it is none. */
uint32_t accent_of_symbol(uint32_t symbol);

/*
 * The letter with the accent on it; the accent itself for a space or the same accent again; 0:
 * there is no such letter.
 */
uint32_t accented_character(uint32_t accent, uint32_t letter);

#endif
