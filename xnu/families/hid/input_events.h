/* SPDX-License-Identifier: BSD-3-Clause */
/* input_events.h - where the events of all keyboards and pointers end: the input log
 * (xnu/machine/input_log.h).
 *
 * Lines of the log:
 *   keyboard opened NAME | keyboard closed NAME
 *   key down 0x00 flags 0x20002 char U+0041     (without char: it typed nothing)
 *   key up 0x00 flags 0x20002
 *   flags 0x20002                               (a modifier changed)
 *   special 0 down | special 0 up               (NX_KEYTYPE_...)
 *   pointer opened NAME
 *   pointer x 16384 y 0 buttons 0x1             (positions in the device's own range)
 *   pointer x 16384 y 0 buttons 0x1 wheel -1 horizontal 2 */
#ifndef XNU_FAMILIES_HID_INPUT_EVENTS_H
#define XNU_FAMILIES_HID_INPUT_EVENTS_H

#include "abi/IOHIKeyboard.h"

#include "xnu/families/hid/report_fields.h"
#include "xnu/families/hid/typed_text.h"

/* Opens the keyboard as the event system of the release does, until it is terminated. On the
 * thread that starts it. */
void input_events_add_keyboard(IOHIKeyboard *keyboard);

/* What a keyboard does, for whoever has opened it. Key codes are ADB's, flags KEY_FLAG_...; `set`
 * and `character` are what the key mapping says, 0 and 0 if nothing. */
void input_events_opened(const IOService *keyboard);
void input_events_closed(const IOService *keyboard);
void input_events_flags(uint32_t flags);
void input_events_key_up(uint32_t key, uint32_t flags);
void input_events_key_down(struct typed_text *text, uint32_t key, uint32_t flags, uint32_t set,
                           uint32_t character);
void input_events_special(uint32_t flavor, bool down);

/* A pointer as its reports left it. Zero at first. */
struct pointer_state {
    int32_t x, y;
    uint32_t buttons;
};

/* What an absolute pointer's X and Y can be. */
struct pointer_range {
    int32_t minimum_x, maximum_x, minimum_y, maximum_y;
};

/* Who wants to know besides the log. Calls come from the threads of drivers. */
struct input_observer {
    void (*typed)(uint32_t character);  /* Unicode; \r is the Return key, 0x7f backspace */
    void (*pointed)(const struct pointer_state *pointer, const struct pointer_range *range);
};

/* NULL: nobody. Borrowed. */
void input_events_observe(const struct input_observer *observer);

void input_events_add_pointer(const char *name);
/* An input report of a device with these fields came. */
void input_events_pointer(struct pointer_state *pointer, const struct report_fields *fields,
                          const uint8_t *report, uint32_t length);

#endif
