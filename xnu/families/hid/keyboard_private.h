/* SPDX-License-Identifier: BSD-3-Clause */
/* keyboard_private.h - numbers of keyboard events (Apple's IOLLEvent.h). */
#ifndef XNU_FAMILIES_HID_KEYBOARD_PRIVATE_H
#define XNU_FAMILIES_HID_KEYBOARD_PRIVATE_H

enum {
    KEY_EVENT_DOWN = 10,
    KEY_EVENT_UP = 11,
    KEY_EVENT_FLAGS_CHANGED = 12,
};

enum {
    KEY_FLAG_CAPS_LOCK = 0x10000,
    KEY_FLAG_SHIFT = 0x20000,
    KEY_FLAG_CONTROL = 0x40000,
    KEY_FLAG_OPTION = 0x80000,
    KEY_FLAG_COMMAND = 0x100000,
    /* which of the two keys it is */
    KEY_FLAG_LEFT_CONTROL = 0x1,
    KEY_FLAG_LEFT_SHIFT = 0x2,
    KEY_FLAG_RIGHT_SHIFT = 0x4,
    KEY_FLAG_LEFT_COMMAND = 0x8,
    KEY_FLAG_RIGHT_COMMAND = 0x10,
    KEY_FLAG_LEFT_OPTION = 0x20,
    KEY_FLAG_RIGHT_OPTION = 0x40,
    KEY_FLAG_RIGHT_CONTROL = 0x2000,
};

#endif
