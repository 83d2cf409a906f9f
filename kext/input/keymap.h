/* SPDX-License-Identifier: BSD-3-Clause */
/* The key mapping that IOHIKeyboard wants: which keys are modifiers, what each key types, special
 * keys. Made of the U.S. layout; macOS replaces what keys type by the user's own layout.
 *
 * Source of the format: Apple's public ev_keymap.h and IOHIDSystem's IOHIKeyboardMapper. */
#ifndef KEXT_INPUT_KEYMAP_H
#define KEXT_INPUT_KEYMAP_H

#include <stdint.h>

#define KEYMAP_BYTES_MAXIMUM 1024u

/* Writes the mapping; returns its length, at most KEYMAP_BYTES_MAXIMUM. */
uint32_t keymap_build(uint8_t bytes[KEYMAP_BYTES_MAXIMUM]);

#endif
