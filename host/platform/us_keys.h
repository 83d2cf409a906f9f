/* SPDX-License-Identifier: BSD-3-Clause */
/* Which key of a US keyboard types a character. */
#ifndef HOST_PLATFORM_US_KEYS_H
#define HOST_PLATFORM_US_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#define US_KEY_SHIFT 0x2au

/* Sets the key's code of scan code set 1, and whether shift goes with it. A line feed is the Return
 * key. False: no key types the character. */
bool us_key_of_character(uint32_t character, uint8_t *code, bool *shift);

#endif
