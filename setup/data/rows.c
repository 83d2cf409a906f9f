/* SPDX-License-Identifier: BSD-3-Clause */
/* Which rows hold for which target. */
#include "setup/data/rows.h"

static bool option_given(enum row_option option, const struct target *target)
{
    switch (option) {
    case OPTION_APPLE_ID: return target->apple_id;
    case OPTION_FRAMEBUFFER: return target->framebuffer;
    case OPTION_AMD: return target->processor != NULL && target->processor->amd;
    default: return true;
    }
}

bool row_applies(const struct row *row, const struct target *target)
{
    const struct row_condition *when = &row->when;
    unsigned darwin = target->macos->darwin, build = target->host->build;
    return darwin >= when->darwin_first &&
           (when->darwin_last == 0 || darwin <= when->darwin_last) && build >= when->build_first &&
           (when->build_last == 0 || build <= when->build_last) &&
           (when->generation == 0 || when->generation == target->generation) &&
           (when->kernel == 0 || when->kernel == target->kernel) &&
           option_given(when->option, target);
}

size_t row_field_count(const struct row *row)
{
    size_t count = 0;
    while (count < ROW_FIELDS_MAX && row->fields[count].value != NULL) {
        count++;
    }
    return count;
}

void rows_for_target(const struct target *target,
                     void (*visit)(const struct row *row, void *context), void *context)
{
    const struct {
        const struct row *rows;
        size_t count;
    } tables[] = {{acpi_rows, acpi_row_count},
                  {firmware_rows, firmware_row_count},
                  {kernel_rows, kernel_row_count}};
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        for (size_t i = 0; i < tables[t].count; i++) {
            if (row_applies(&tables[t].rows[i], target)) {
                visit(&tables[t].rows[i], context);
            }
        }
    }
}
