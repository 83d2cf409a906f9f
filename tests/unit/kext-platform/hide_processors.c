/* SPDX-License-Identifier: BSD-3-Clause */
/* hide_processors FILE: hides the processor devices of an ACPI table and prints how many. */
#include <stdio.h>
#include <stdlib.h>

#include "kext/platform/acpi_tables.h"

int main(int argc, char **argv)
{
    static uint8_t table[ACPI_TABLE_MAXIMUM];
    FILE *file = argc == 2 ? fopen(argv[1], "r+b") : NULL;
    size_t length = file != NULL ? fread(table, 1, sizeof table, file) : 0;

    if (length < ACPI_HEADER_SIZE || acpi_table_length(table) != length ||
        !acpi_checksum_is_good(table, (uint32_t)length)) {
        fprintf(stderr, "hide_processors: no ACPI table\n");
        return 1;
    }
    printf("%u\n", acpi_hide_processors(table, (uint32_t)length));
    rewind(file);
    return fwrite(table, 1, length, file) == length && fclose(file) == 0 &&
                   acpi_checksum_is_good(table, (uint32_t)length)
               ? 0
               : 1;
}
