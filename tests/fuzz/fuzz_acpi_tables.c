/* SPDX-License-Identifier: BSD-3-Clause */
/* Fuzz target: ACPI tables of any bytes. Nothing is read beyond the end, and the checksum is
 * right after a change. */
#include <stdlib.h>
#include <string.h>

#include "kext/platform/acpi_tables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct acpi_roots roots;
    uint8_t *table = malloc(size != 0 ? size : 1);      /* so that reading beyond it shows */
    uint32_t length = (uint32_t)size;

    memcpy(table, data, size);
    acpi_read_rsdp(table, length, &roots);
    if (length >= ACPI_HEADER_SIZE) {
        acpi_table_length(table);
        acpi_root_entry(table, length, table[0]);
        acpi_dsdt_of_fadt(table, length);
        if (acpi_hide_processors(table, length) != 0)
            require(acpi_checksum_is_good(table, length));
    }
    free(table);
    return 0;
}
