/* SPDX-License-Identifier: BSD-3-Clause */
/* key_flags.h - the modifiers that are down, as the flags of events and as what a key mapping
 * wants (Apple's IOLLEvent.h, ev_keymap.h). */
#ifndef XNU_FAMILIES_HID_KEY_FLAGS_H
#define XNU_FAMILIES_HID_KEY_FLAGS_H

#include <stdbool.h>
#include <stdint.h>

/* Flags of events: KEY_FLAG_... `down` has a bit for each KEY_MODIFIER_ that is held. *modifiers
 * becomes the same for a key mapping, to which right keys are left ones and caps lock is a
 * modifier too. */
uint32_t key_flags(uint16_t down, bool caps_lock, uint16_t *modifiers);

#endif
