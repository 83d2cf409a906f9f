/* SPDX-License-Identifier: BSD-3-Clause */
/* keyboard_usages.h - ADB key codes and special keys as USB usages, and back.
 *
 * Sources: HID Usage Tables (keyboard page 7, consumer page 12); Apple's IOHIDFamily
 * (Cosmo_USB2ADB, ev_keymap.h) for which key has which ADB code. */
#ifndef XNU_FAMILIES_HID_KEYBOARD_USAGES_H
#define XNU_FAMILIES_HID_KEYBOARD_USAGES_H

#include <stdint.h>

enum {
    USAGE_CAPS_LOCK = 0x39,
    USAGE_LEFT_CONTROL = 0xe0,          /* then shift, option, command; the right ones follow */
    USAGE_MODIFIERS = 8,
    USAGE_NONE = 0,
    ADB_CODE_CAPS_LOCK = 0x39,
    ADB_CODE_NONE = 0xff,
    SPECIAL_KEY_NONE = 0xff,
};

/* Usage on the keyboard page of an ADB code; USAGE_NONE: it has none. */
uint8_t keyboard_usage_of_code(uint32_t code);
/* ADB_CODE_NONE: no such key. Where two codes have the same usage, the later one. */
uint8_t keyboard_code_of_usage(uint8_t usage);

/* The same for special keys (NX_KEYTYPE_...) and the consumer page. */
uint8_t consumer_usage_of_special(uint32_t special);
uint8_t special_of_consumer_usage(uint8_t usage);

#endif
