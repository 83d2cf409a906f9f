/* SPDX-License-Identifier: BSD-3-Clause */
/* ACPI tables: found by checked addresses, and processor devices hidden in place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kext/core/errors.h"
#include "kext/platform/acpi_tables.h"

/* ---- making tables ---- */

struct table {
    uint8_t bytes[1 << 18];
    uint32_t length;
};

static struct table table;

static void put(const void *bytes, uint32_t length)
{
    memcpy(table.bytes + table.length, bytes, length);
    table.length += length;
}

static void put_number(uint64_t value, uint32_t size)
{
    put(&value, size);
}

static void begin_table(const char *signature)
{
    memset(&table, 0, sizeof table);
    memcpy(table.bytes, signature, 4);
    table.length = ACPI_HEADER_SIZE;
}

static void end_table(void)
{
    uint8_t sum = 0;

    memcpy(table.bytes + 4, &table.length, 4);
    table.bytes[9] = 0;
    for (uint32_t i = 0; i < table.length; i++)
        sum = (uint8_t)(sum + table.bytes[i]);
    table.bytes[9] = (uint8_t)-sum;
}

/* A Device with a package length of `bytes` bytes, whose body is the id and `extra` more. */
static uint32_t put_device(const char *name, const char *id, uint32_t bytes, uint32_t extra)
{
    uint32_t start = table.length, name_size = (uint32_t)strlen(name);
    uint32_t value = bytes + name_size + 6 + (uint32_t)strlen(id) + 1 + extra;
    uint8_t package[4] = { 0 };

    put("\x5B\x82", 2);
    if (bytes == 1) {
        assert_true(value < 0x40);
        package[0] = (uint8_t)value;
    } else {
        package[0] = (uint8_t)((bytes - 1) << 6 | (value & 0x0F));
        for (uint32_t i = 1; i < bytes; i++)
            package[i] = (uint8_t)(value >> (8 * i - 4));
    }
    put(package, bytes);
    put(name, name_size);
    put("\x08_HID\x0D", 6);
    put(id, (uint32_t)strlen(id) + 1);
    for (uint32_t i = 0; i < extra; i++)
        put_number(0xA3, 1);
    return start;
}

/* What stands at `at` is Name (NAME, Buffer (...) {...}) that ends where the device did. */
static void expect_buffer(uint32_t at, const char *name, uint32_t end)
{
    const uint8_t *bytes = table.bytes + at;
    uint32_t name_size = (uint32_t)strlen(name), package, more, size;

    assert_int_equal(bytes[0], 0x08);
    assert_memory_equal(bytes + 1, name, name_size);
    bytes += 1 + name_size;
    assert_int_equal(bytes[0], 0x11);
    bytes++;
    more = bytes[0] >> 6;
    package = more == 0 ? bytes[0] : bytes[0] & 0x0F;
    for (uint32_t i = 1; i <= more; i++)
        package |= (uint32_t)bytes[i] << (8 * i - 4);
    assert_int_equal(bytes - table.bytes + package, end);
    bytes += 1 + more;
    if (bytes[0] == 0x0B) {
        size = bytes[1] | (uint32_t)bytes[2] << 8;
        bytes += 3;
    } else {
        assert_int_equal(bytes[0], 0x0C);
        memcpy(&size, bytes + 1, 4);
        bytes += 5;
    }
    assert_int_equal(bytes - table.bytes + size, end);
}

/* ---- finding them ---- */

static void the_root_pointer_names_the_tables(void **state)
{
    uint8_t bytes[36] = "RSD PTR ";
    struct acpi_roots roots;
    uint8_t sum = 0;

    (void)state;
    memcpy(bytes + 16, "\x00\x10\x20\x30", 4);
    for (unsigned i = 0; i < 20; i++)
        sum = (uint8_t)(sum + bytes[i]);
    bytes[8] = (uint8_t)-sum;
    assert_int_equal(acpi_read_rsdp(bytes, 20, &roots), 0);
    assert_int_equal(roots.rsdt, 0x30201000);
    assert_int_equal(roots.xsdt, 0);
    assert_int_equal(acpi_read_rsdp(bytes, 19, &roots), HV_ERROR_MALFORMED);
    bytes[15] = 2;                          /* revision 2 has more, and another checksum */
    bytes[8] = (uint8_t)(bytes[8] - 2);
    assert_int_equal(acpi_read_rsdp(bytes, 20, &roots), HV_ERROR_MALFORMED);
    memcpy(bytes + 24, "\x00\x00\x00\x40\x01\x00\x00\x00", 8);
    sum = 0;
    for (unsigned i = 0; i < 36; i++)
        sum = (uint8_t)(sum + bytes[i]);
    bytes[32] = (uint8_t)-sum;
    assert_int_equal(acpi_read_rsdp(bytes, 36, &roots), 0);
    assert_int_equal(roots.xsdt, UINT64_C(0x140000000));
    bytes[33]++;
    assert_int_equal(acpi_read_rsdp(bytes, 36, &roots), HV_ERROR_MALFORMED);
    bytes[0] = 'r';
    assert_int_equal(acpi_read_rsdp(bytes, 36, &roots), HV_ERROR_MALFORMED);
}

static void roots_list_tables_up_to_their_end(void **state)
{
    (void)state;
    begin_table("XSDT");
    put_number(UINT64_C(0x123456789), 8);
    put_number(0x2000, 8);
    put_number(0x77, 4);                    /* half an entry is none */
    end_table();
    assert_int_equal(acpi_root_entry(table.bytes, table.length, 0), UINT64_C(0x123456789));
    assert_int_equal(acpi_root_entry(table.bytes, table.length, 1), 0x2000);
    assert_int_equal(acpi_root_entry(table.bytes, table.length, 2), 0);
    assert_int_equal(acpi_root_entry(table.bytes, table.length, UINT32_MAX), 0);
    begin_table("RSDT");
    put_number(0x1000, 4);
    end_table();
    assert_int_equal(acpi_root_entry(table.bytes, table.length, 0), 0x1000);
    assert_int_equal(acpi_root_entry(table.bytes, table.length, 1), 0);
}

static void the_fadt_names_the_dsdt(void **state)
{
    (void)state;
    begin_table("FACP");
    table.length = 40;
    put_number(0x1000, 4);
    assert_int_equal(acpi_dsdt_of_fadt(table.bytes, table.length), 0x1000);
    assert_int_equal(acpi_dsdt_of_fadt(table.bytes, 43), 0);
    table.length = 140;
    put_number(UINT64_C(0x123456789), 8);
    assert_int_equal(acpi_dsdt_of_fadt(table.bytes, table.length), UINT64_C(0x123456789));
    assert_int_equal(acpi_dsdt_of_fadt(table.bytes, 147), 0x1000);
}

static void lengths_and_checksums_are_looked_at(void **state)
{
    static const uint32_t bad[] = { 0, 35, ACPI_TABLE_MAXIMUM + 1, UINT32_MAX };

    (void)state;
    begin_table("DSDT");
    end_table();
    assert_int_equal(acpi_table_length(table.bytes), 36);
    assert_true(acpi_table_is(table.bytes, "DSDT"));
    assert_false(acpi_table_is(table.bytes, "SSDT"));
    assert_true(acpi_checksum_is_good(table.bytes, table.length));
    table.bytes[20]++;
    assert_false(acpi_checksum_is_good(table.bytes, table.length));
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        memcpy(table.bytes + 4, &bad[i], 4);
        assert_int_equal(acpi_table_length(table.bytes), 0);
    }
}

/* ---- hiding ---- */

static void processors_become_buffers_of_the_same_size(void **state)
{
    static const struct {
        const char *name;
        uint32_t bytes, extra;
    } devices[] = {
        { "P001", 1, 0 }, { "P002", 1, 30 }, { "\\P003", 1, 10 }, { "P004", 2, 100 },
        { "P005", 2, 4000 }, { "P006", 3, 5000 }, { "Q000", 4, 20 }, { "P007", 3, 70000 },
        { "_ABC", 2, 0 },
    };
    enum { COUNT = sizeof devices / sizeof *devices };
    uint32_t at[COUNT], end[COUNT];

    (void)state;
    begin_table("DSDT");
    put("\xA3\xA3", 2);
    for (unsigned i = 0; i < COUNT; i++) {
        at[i] = put_device(devices[i].name, "ACPI0007", devices[i].bytes, devices[i].extra);
        end[i] = table.length;
        put("\xA3", 1);
    }
    end_table();
    assert_int_equal(acpi_hide_processors(table.bytes, table.length), COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        expect_buffer(at[i], devices[i].name, end[i]);
        assert_int_equal(table.bytes[end[i]], 0xA3);    /* what follows is untouched */
    }
    assert_true(acpi_checksum_is_good(table.bytes, table.length));
    assert_int_equal(acpi_hide_processors(table.bytes, table.length), 0);   /* and stay hidden */
}

static void other_devices_and_a_damaged_table_stay_as_they_are(void **state)
{
    static uint8_t before[sizeof table.bytes];

    (void)state;
    begin_table("DSDT");
    put_device("COM1", "PNP0501", 1, 10);
    put_device("P00x", "ACPI0007", 1, 10);          /* no name */
    put_device("P001", "ACPI0007x", 1, 10);
    put("\x5B\x82\x30P001\x08_HID\x0D" "ACPI000", 18);  /* ends before its length says */
    end_table();
    memcpy(before, table.bytes, table.length);
    assert_int_equal(acpi_hide_processors(table.bytes, table.length), 0);
    assert_memory_equal(table.bytes, before, table.length);
}

/* Cut anywhere, with nothing behind it to read. */
static void a_cut_table_is_never_read_beyond_its_end(void **state)
{
    (void)state;
    begin_table("SSDT");
    put_device("P001", "ACPI0007", 2, 10);
    put_device("P002", "ACPI0007", 4, 10);
    end_table();
    for (uint32_t length = ACPI_HEADER_SIZE; length < table.length; length++) {
        uint8_t *copy = malloc(length);

        memcpy(copy, table.bytes, length);
        assert_true(acpi_hide_processors(copy, length) < 2);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_root_pointer_names_the_tables),
        cmocka_unit_test(roots_list_tables_up_to_their_end),
        cmocka_unit_test(the_fadt_names_the_dsdt),
        cmocka_unit_test(lengths_and_checksums_are_looked_at),
        cmocka_unit_test(processors_become_buffers_of_the_same_size),
        cmocka_unit_test(other_devices_and_a_damaged_table_stay_as_they_are),
        cmocka_unit_test(a_cut_table_is_never_read_beyond_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
