/* SPDX-License-Identifier: BSD-3-Clause */
/* What a configuration must say for macOS on Hyper-V, one row each. `hvsetup build` applies the
 * rows, `hvsetup check` looks for them.
 */
#ifndef MACHV_SETUP_DATA_ROWS_H
#define MACHV_SETUP_DATA_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "setup/config_document.h"
#include "setup/data/support.h"
#include "setup/report.h"

enum row_kind {
    ROW_VALUE, /* the key at `path` has one value */
    ROW_ENTRY, /* the array at `path` has an enabled entry with these fields */
    ROW_WORD,  /* the string at `path` contains a word */
};

enum { ROW_FIELDS_MAX = 10 };

/* A row's field; for ROW_VALUE and ROW_WORD the only one, without a key. */
struct row_field {
    const char *key;
    enum config_type type;
    const char *value;
    bool identity;    /* tells which entry is meant */
    const char *also; /* another value that is as good; NULL for none */
};

enum row_option { OPTION_NONE, OPTION_APPLE_ID, OPTION_FRAMEBUFFER, OPTION_AMD };

/* Zero means: no condition. */
struct row_condition {
    unsigned darwin_first;
    unsigned darwin_last;
    unsigned build_first; /* Windows build of the host */
    unsigned build_last;
    unsigned generation;
    enum kernel_width kernel;
    enum row_option option;
};

struct row {
    const char *id;
    enum row_kind kind;
    const char *path;
    struct row_field fields[ROW_FIELDS_MAX];
    struct row_condition when;
    enum severity severity;
    const char *why;
    const char *file; /* of an entry: the file or bundle that must be there, below its folder */
};

extern const struct row acpi_rows[];
extern const size_t acpi_row_count;
extern const struct row kernel_rows[];
extern const size_t kernel_row_count;
extern const struct row firmware_rows[];
extern const size_t firmware_row_count;

/* Calls `visit` for each row that holds for the target, in the order in which they are applied. */
void rows_for_target(const struct target *target,
                     void (*visit)(const struct row *row, void *context), void *context);
bool row_applies(const struct row *row, const struct target *target);
size_t row_field_count(const struct row *row);

#endif
