/* SPDX-License-Identifier: BSD-3-Clause */
/* Form of the generated data behind xnu_exports.h. */
#pragma once

#include "abi/xnu_exports.h"

/* A value in a range of releases (six digits). */
struct xnu_version {
    uint32_t first, last, value;
};

/* The occupant of a slot in a range of releases. */
struct xnu_slot {
    uint16_t slot;
    uint32_t first, last;
    const void *function;
};

/* The lists of one class; the version lists end with value 0. */
struct xnu_class_data {
    const struct xnu_slot *slots;
    size_t slot_count;
    const struct xnu_version *slot_numbers;
    const struct xnu_version *sizes;
};

extern struct xnu_class xnu_classes[];
extern const struct xnu_class_data xnu_class_data[];
extern const size_t xnu_classes_length;
extern const struct xnu_symbol xnu_symbols[];
extern const size_t xnu_symbols_length;

/* Releases at which something in the tables begins or ends, ascending; the last is 999999. */
extern const uint32_t xnu_releases[];
extern const size_t xnu_releases_length;
