/* SPDX-License-Identifier: BSD-3-Clause */
/* What IOHIKeyboard asks of any of our keyboards: macOS sees ADB keyboards, by their codes. For
 * the classes' tables. */
#ifndef KEXT_INPUT_ADB_KEYBOARD_H
#define KEXT_INPUT_ADB_KEYBOARD_H

#include "abi/IOHIKeyboard.h"
#include "abi/kpi/threads.h"
#include "kext/input/keyboard.h"

uint32_t adb_device_type(IOHIDevice *keyboard);
uint32_t adb_interface_id(IOHIDevice *keyboard);
uint32_t adb_max_key_codes(IOHIKeyboard *keyboard);

/* The options that the boot arguments say. */
struct keyboard_options adb_keyboard_options(void);

/* Caps lock. Up to macOS 10.11 a press of its key switches it, the superclass asks for the light,
 * and that is all. From 10.12 on IOHIDFamily puts a USB keyboard on top of ours, whose caps lock
 * key is down while the superclass holds caps lock to be on; and the system above switches at every
 * "down" of that one, and sets the light itself, on a thread of its own. So that it goes down and
 * up with the real key, both press and release of that are a whole stroke for the superclass; and
 * what the superclass asks for meanwhile says nothing. Zero-filled at first. */
struct adb_caps_lock {
    thread_t volatile stroking;         /* who dispatches such a stroke; NULL: nobody */
};

/* Tells the system of a key, now. On one thread at a time. */
void adb_dispatch(IOHIKeyboard *keyboard, struct adb_caps_lock *caps_lock,
                  const struct keyboard_change *change);

/* In setAlphaLockFeedback: what is asked for is the light. False: see above. */
bool adb_means_light(const struct adb_caps_lock *caps_lock);

#endif
