/* SPDX-License-Identifier: BSD-3-Clause */
/* report_fields.h - the input fields of a HID report descriptor, and their values in a report.
 *
 * Source: USB Device Class Definition for HID 1.11, section 6.2.2. Of what it describes, push, pop
 * and long items are refused; array fields and fields of more than 32 bits are counted into the
 * report but give no values. */
#ifndef XNU_FAMILIES_HID_REPORT_FIELDS_H
#define XNU_FAMILIES_HID_REPORT_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

enum { REPORT_FIELDS_MAX = 64 };

struct report_field {
    uint16_t page, usage;
    uint8_t report_id;                  /* 0: the descriptor has none */
    bool is_relative;
    uint32_t bit;                       /* from the report's start, after the id */
    uint32_t bits;                      /* 1 .. 32 */
    int32_t minimum, maximum;           /* logical */
};

struct report_fields {
    uint16_t primary_page, primary_usage; /* of the first application collection */
    bool has_ids;
    uint32_t count;
    struct report_field fields[REPORT_FIELDS_MAX];
};

/* Reads a descriptor. False: it is not in order, or has too many fields. */
bool report_fields_read(struct report_fields *fields, const uint8_t *bytes, uint32_t length);

/* The value of the field in a report of `length` bytes, its id (if the descriptor has ids) first.
 * Signed when the field's minimum is. False: the report is of another id, or too short. */
bool report_field_value(const struct report_fields *fields, const struct report_field *field,
                        const uint8_t *report, uint32_t length, int32_t *value);

#endif
