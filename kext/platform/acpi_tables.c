/* SPDX-License-Identifier: BSD-3-Clause */
/* ACPI tables. */
#include "kext/platform/acpi_tables.h"

#include "kext/core/errors.h"
#include "kext/core/shared_memory.h"

#define RSDP_REVISION 15u
#define RSDP_RSDT     16u
#define RSDP_XSDT     24u

#define HEADER_LENGTH   4u
#define HEADER_CHECKSUM 9u

#define FADT_DSDT   40u
#define FADT_X_DSDT 140u

static uint32_t word(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static uint64_t long_word(const uint8_t *bytes)
{
    return word(bytes) | (uint64_t)word(bytes + 4) << 32;
}

static uint8_t sum(const uint8_t *bytes, uint32_t length)
{
    uint8_t total = 0;

    for (uint32_t i = 0; i < length; i++)
        total = (uint8_t)(total + bytes[i]);
    return total;
}

static bool same(const uint8_t *bytes, const char *text, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        if (bytes[i] != (uint8_t)text[i])
            return false;
    return true;
}

int acpi_read_rsdp(const uint8_t *bytes, uint32_t length, struct acpi_roots *roots)
{
    if (length < ACPI_RSDP_SIZE || !same(bytes, "RSD PTR ", 8) || sum(bytes, ACPI_RSDP_SIZE) != 0)
        return HV_ERROR_MALFORMED;
    *roots = (struct acpi_roots){ .rsdt = word(bytes + RSDP_RSDT) };
    if (bytes[RSDP_REVISION] >= 2) {
        if (length < ACPI_RSDP_SIZE_2 || sum(bytes, ACPI_RSDP_SIZE_2) != 0)
            return HV_ERROR_MALFORMED;
        roots->xsdt = long_word(bytes + RSDP_XSDT);
    }
    return 0;
}

uint32_t acpi_table_length(const uint8_t header[ACPI_HEADER_SIZE])
{
    uint32_t length = word(header + HEADER_LENGTH);

    return length >= ACPI_HEADER_SIZE && length <= ACPI_TABLE_MAXIMUM ? length : 0;
}

bool acpi_table_is(const uint8_t header[ACPI_HEADER_SIZE], const char *signature)
{
    return same(header, signature, 4);
}

bool acpi_checksum_is_good(const uint8_t *table, uint32_t length)
{
    return sum(table, length) == 0;
}

uint64_t acpi_root_entry(const uint8_t *table, uint32_t length, uint32_t index)
{
    uint32_t size = acpi_table_is(table, "XSDT") ? 8 : 4;

    if (index >= (length - ACPI_HEADER_SIZE) / size)
        return 0;
    table += ACPI_HEADER_SIZE + index * size;
    return size == 8 ? long_word(table) : word(table);
}

uint64_t acpi_dsdt_of_fadt(const uint8_t *table, uint32_t length)
{
    uint64_t address = 0;

    if (length >= FADT_X_DSDT + 8)
        address = long_word(table + FADT_X_DSDT);
    if (address == 0 && length >= FADT_DSDT + 4)
        address = word(table + FADT_DSDT);
    return address;
}

/* ---- AML ------------------------------------------------------------------------------------- */

#define OP_EXTENDED 0x5Bu
#define OP_DEVICE   0x82u               /* behind OP_EXTENDED */
#define OP_NAME     0x08u
#define OP_BUFFER   0x11u
#define OP_WORD     0x0Bu
#define OP_LONG     0x0Cu

#define NAME_SIZE 4u

/* Name (_HID, "ACPI0007"), the first thing in the device. */
static const char hardware_id[] = "\x08_HID\x0D" "ACPI0007";

struct device {
    uint32_t name;                      /* offset of its NameString's bytes */
    uint32_t name_size;
    uint32_t end;
};

/* A PkgLength (20.2.4) at `at`: what it says, counted from there, and the bytes it takes. 0: none.
 */
static uint32_t package_length(const uint8_t *table, uint32_t length, uint32_t at, uint32_t *bytes)
{
    uint32_t more, value;

    if (at >= length)
        return 0;
    more = table[at] >> 6;
    if (more >= length - at)
        return 0;
    *bytes = more + 1;
    if (more == 0)
        return table[at];
    value = table[at] & 0x0F;
    for (uint32_t i = 1; i <= more; i++)
        value |= (uint32_t)table[at + i] << (8 * i - 4);
    return value;
}

static bool is_name_character(uint8_t c, bool first)
{
    return (c >= 'A' && c <= 'Z') || c == '_' || (!first && c >= '0' && c <= '9');
}

/* Bytes of a name of one segment, with or without a root prefix, at `at`; 0: no such name. */
static uint32_t name_size(const uint8_t *table, uint32_t end, uint32_t at)
{
    uint32_t prefix = at < end && table[at] == '\\' ? 1 : 0;

    if (end - at < prefix + NAME_SIZE)
        return 0;
    for (uint32_t i = 0; i < NAME_SIZE; i++)
        if (!is_name_character(table[at + prefix + i], i == 0))
            return 0;
    return prefix + NAME_SIZE;
}

static bool find_processor(const uint8_t *table, uint32_t length, uint32_t at,
                           struct device *device)
{
    uint32_t package, bytes = 0, id;

    if (length - at < 2 || table[at] != OP_EXTENDED || table[at + 1] != OP_DEVICE)
        return false;
    package = package_length(table, length, at + 2, &bytes);
    if (package < bytes || package > length - (at + 2))
        return false;
    device->end = at + 2 + package;
    device->name = at + 2 + bytes;
    device->name_size = name_size(table, device->end, device->name);
    id = device->name + device->name_size;
    return device->name_size != 0 && device->end - id >= sizeof hardware_id &&
           same(table + id, hardware_id, sizeof hardware_id);
}

static uint32_t put_package_length(uint8_t *to, uint32_t value)
{
    uint32_t more = value < 0x40 ? 0 : value < 0x1000 ? 1 : value < 0x100000 ? 2 : 3;

    if (more == 0) {
        to[0] = (uint8_t)value;
        return 1;
    }
    to[0] = (uint8_t)(more << 6 | (value & 0x0F));
    for (uint32_t i = 1; i <= more; i++)
        to[i] = (uint8_t)(value >> (8 * i - 4));
    return more + 1;
}

static uint32_t put_number(uint8_t *to, uint32_t value, uint32_t size)
{
    to[0] = size == 2 ? OP_WORD : OP_LONG;
    for (uint32_t i = 0; i < size; i++)
        to[1 + i] = (uint8_t)(value >> 8 * i);
    return 1 + size;
}

/* Device (NAME) { ... } -> Name (NAME, Buffer () { ... }). What is written is shorter than what of
 * the device it covers: its id alone has 15 bytes. */
static void make_buffer(uint8_t *table, uint32_t at, const struct device *device)
{
    uint8_t name[1 + NAME_SIZE];
    uint32_t package = device->end - (at + 1 + device->name_size + 1), size, used;

    memcpy(name, table + device->name, device->name_size);
    table[at++] = OP_NAME;
    memcpy(table + at, name, device->name_size);
    at += device->name_size;
    table[at++] = OP_BUFFER;
    used = put_package_length(table + at, package);
    at += used;
    size = package - used > 0xFFFF + 3 ? 4 : 2;
    put_number(table + at, package - used - (1 + size), size);
}

uint32_t acpi_hide_processors(uint8_t *table, uint32_t length)
{
    struct device device;
    uint32_t hidden = 0, at = ACPI_HEADER_SIZE;

    while (at < length) {
        if (find_processor(table, length, at, &device)) {
            make_buffer(table, at, &device);
            at = device.end;
            hidden++;
        } else {
            at++;
        }
    }
    if (hidden != 0)
        table[HEADER_CHECKSUM] = (uint8_t)(table[HEADER_CHECKSUM] - sum(table, length));
    return hidden;
}
