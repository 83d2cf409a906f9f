/* SPDX-License-Identifier: BSD-3-Clause */
/* What IOHIKeyboard asks of any of our keyboards: macOS sees ADB keyboards, by their codes. For
 * the classes' tables. */
#ifndef KEXT_INPUT_ADB_KEYBOARD_H
#define KEXT_INPUT_ADB_KEYBOARD_H

#include "abi/IOHIKeyboard.h"
#include "kext/input/keyboard.h"

uint32_t adb_device_type(IOHIDevice *keyboard);
uint32_t adb_interface_id(IOHIDevice *keyboard);
uint32_t adb_max_key_codes(IOHIKeyboard *keyboard);

/* The options that the boot arguments say. */
struct keyboard_options adb_keyboard_options(void);

/* Tells the system of a key, now. */
void adb_dispatch(IOHIKeyboard *keyboard, const struct keyboard_change *change);

#endif
