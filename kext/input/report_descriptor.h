/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks a HID report descriptor before macOS is given it: items in bounds, collections balanced,
 * sizes sane.
 *
 * Source: USB Device Class Definition for HID 1.11, section 6.2.2. */
#ifndef KEXT_INPUT_REPORT_DESCRIPTOR_H
#define KEXT_INPUT_REPORT_DESCRIPTOR_H

#include <stdbool.h>
#include <stdint.h>

struct report_shape {
    uint32_t input_bytes; /* of an input report; with report ids of the longest, id included */
    bool has_report_ids;
};

/* Returns 0, or HV_ERROR_MALFORMED. `shape` is valid after 0. */
int report_descriptor_check(const uint8_t *bytes, uint32_t length, struct report_shape *shape);

/* Some hosts have a descriptor whose "usage maximum" of the buttons reads "logical maximum"; mends
 * that one. */
void report_descriptor_mend(uint8_t *bytes, uint32_t length);

#endif
