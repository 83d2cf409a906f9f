/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef XNU_FAMILIES_HID_KEYBOARD_EVENT_DEVICE_H
#define XNU_FAMILIES_HID_KEYBOARD_EVENT_DEVICE_H

#include <stdbool.h>

#include "abi/IOHIKeyboard.h"

/* Puts an IOHIDKeyboardEventDevice on top of the keyboard, which it opens until it is terminated.
 * On the thread that starts the keyboard. False: it cannot be. */
bool keyboard_event_device_add(IOHIKeyboard *keyboard);

#endif
