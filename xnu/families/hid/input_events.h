/* SPDX-License-Identifier: BSD-3-Clause */
/* input_events.h - where the events of all keyboards end: the input log (xnu/machine/input_log.h).
 *
 * Lines of the log:
 *   keyboard opened NAME | keyboard closed NAME
 *   key down 0x00 flags 0x20002 char U+0041     (without char: it typed nothing)
 *   key up 0x00 flags 0x20002
 *   flags 0x20002                               (a modifier changed)
 *   special 0 down | special 0 up               (NX_KEYTYPE_...) */
#ifndef XNU_FAMILIES_HID_INPUT_EVENTS_H
#define XNU_FAMILIES_HID_INPUT_EVENTS_H

#include "abi/IOHIKeyboard.h"

/* Opens the keyboard as the event system does, until it is terminated. On the thread that starts it. */
void input_events_add_keyboard(IOHIKeyboard *keyboard);

#endif
