/* SPDX-License-Identifier: BSD-3-Clause */
/* ACPI tables in memory: finding them, and hiding the processor devices that the ACPI code of Mac
 * OS X 10.6 and older does not bear. Nothing is trusted: addresses are only told, lengths checked.
 *
 * Windows Server 2019 and later have 240 to 2048 devices "ACPI0007", nearly all of them absent.
 * A Device is hidden by making it a Name of a Buffer that holds what the device was: same place,
 * same length, same name, so that all else in the table stays where it is and may refer to it.
 *
 * Source: ACPI specification 6.5, 5.2 (tables) and 20.2 (AML). */
#ifndef KEXT_PLATFORM_ACPI_TABLES_H
#define KEXT_PLATFORM_ACPI_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#define ACPI_RSDP_SIZE       20u        /* of the first revision */
#define ACPI_RSDP_SIZE_2     36u
#define ACPI_HEADER_SIZE     36u        /* of every other table */
#define ACPI_TABLE_MAXIMUM   (4u << 20)

struct acpi_roots {
    uint64_t xsdt;                      /* 0: there is none */
    uint64_t rsdt;
};

/* Reads the root pointer, of which `length` bytes are there. Returns 0 or HV_ERROR_MALFORMED. */
int acpi_read_rsdp(const uint8_t *bytes, uint32_t length, struct acpi_roots *roots);

/* Length of the table whose header `header` is, ACPI_HEADER_SIZE to ACPI_TABLE_MAXIMUM; 0 if that
 * is no header. */
uint32_t acpi_table_length(const uint8_t header[ACPI_HEADER_SIZE]);

/* `signature`: four characters. */
bool acpi_table_is(const uint8_t header[ACPI_HEADER_SIZE], const char *signature);

/* True if the bytes of the table add up to nothing. */
bool acpi_checksum_is_good(const uint8_t *table, uint32_t length);

/* Address of the table at `index` of an XSDT or RSDT; 0: there is none. */
uint64_t acpi_root_entry(const uint8_t *table, uint32_t length, uint32_t index);

/* Address of the DSDT in a FADT; 0: there is none. */
uint64_t acpi_dsdt_of_fadt(const uint8_t *table, uint32_t length);

/* Hides all processor devices of a DSDT or SSDT and makes its checksum right again. Returns how
 * many there were. */
uint32_t acpi_hide_processors(uint8_t *table, uint32_t length);

#endif
