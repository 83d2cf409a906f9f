/* SPDX-License-Identifier: BSD-3-Clause */
/* keyboard_reports.h - what the event system makes of the reports of a USB keyboard: keys that
 * came and went since the last one, modifiers, and caps lock, which every "down" of its key
 * switches. */
#ifndef XNU_FAMILIES_HID_KEYBOARD_REPORTS_H
#define XNU_FAMILIES_HID_KEYBOARD_REPORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "xnu/families/hid/key_mapping.h"
#include "xnu/families/hid/typed_text.h"

enum { KEYBOARD_REPORT_KEYS = 6 };

/* The boot keyboard's report (HID 1.11, appendix B.1), and keys of the consumer page behind it. */
struct keyboard_report {
    uint8_t modifiers;                          /* bit n: usage 0xe0 + n is down */
    uint8_t reserved;
    uint8_t keys[KEYBOARD_REPORT_KEYS];         /* usages that are down; 0: none */
    uint8_t consumer[KEYBOARD_REPORT_KEYS];
};

_Static_assert(sizeof(struct keyboard_report) == 14, "a keyboard's report");

struct keyboard_reports {
    struct keyboard_report last;
    struct key_mapping mapping;                 /* what its keys type */
    struct typed_text text;
    uint32_t flags;
    uint16_t modifiers;                         /* for the mapping */
    bool caps_lock;
};

/* Zero-filled `reports` become those of a keyboard whose keys type by this mapping, which stays the
 * caller's. False: it is not in order. */
bool keyboard_reports_begin(struct keyboard_reports *reports, const uint8_t *mapping,
                            uint32_t length);

/* Writes what is new into the input log. */
void keyboard_reports_take(struct keyboard_reports *reports, const struct keyboard_report *report);

#endif
