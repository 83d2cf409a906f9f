/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest and host in one process: what is asked of a disk besides reading and writing reaches the
 * medium, and 64 LUNs are 64 targets. */
#include "tests/pair/pair_guest.h"

#include "xnu/families/block_device.h"

enum {
    MEBIBYTE = 1 << 20,
    BLOCK = 4096,
    LUNS = 64,
    STEP = 64 << 10,
    HOST_TOO_OLD = 45, /* ENOTSUP of macOS */
};

static uint8_t buffer[4 * MEBIBYTE];

static bool all_are(const uint8_t *bytes, uint8_t value, size_t length)
{
    return bytes[0] == value && memcmp(bytes, bytes + 1, length - 1) == 0;
}

/* Fills the medium and takes `length` bytes of it away with `erase`; nothing else may change. */
static void check_erased(struct pair *pair, int (*erase)(const char *, uint64_t, uint64_t),
                         uint64_t offset, uint64_t length)
{
    uint8_t *medium = pair_host_disk(pair->host, 0);

    memset(medium, 0x5a, 8 * MEBIBYTE);
    PAIR_CHECK(pair, erase("disk0", offset, length) == 0);
    PAIR_CHECK(pair, all_are(medium + offset, 0, length));
    PAIR_CHECK(pair, all_are(medium, 0x5a, offset));
    PAIR_CHECK(pair, all_are(medium + offset + length, 0x5a, 8 * MEBIBYTE - offset - length));
}

static void erasing_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    check_erased(pair, pair_disk_discard, MEBIBYTE, BLOCK);
    check_erased(pair, pair_disk_discard, MEBIBYTE, 6 * MEBIBYTE);
    check_erased(pair, pair_disk_write_zeroes, 512, 512);
    /* More than one WRITE SAME may name. */
    check_erased(pair, pair_disk_write_zeroes, MEBIBYTE + 512, 6 * MEBIBYTE);
}

static void unmap_and_write_same_reach_the_medium(void **state)
{
    static const char *const releases[] = { "2012", "2012r2", "2016", "2022", "2025" };
    size_t index;

    (void)state;
    for (index = 0; index < sizeof releases / sizeof *releases; index++) {
        const struct pair_options options = {
            .release = releases[index], .disk_bytes = { 8 * MEBIBYTE },
        };

        pair_run(&options, erasing_body, 1);
    }
}

static void too_old_body(struct pair *pair)
{
    uint8_t *medium = pair_host_disk(pair->host, 0);

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    memset(medium, 0x5a, MEBIBYTE);
    PAIR_CHECK(pair, pair_disk_discard("disk0", 0, MEBIBYTE) == HOST_TOO_OLD);
    PAIR_CHECK(pair, pair_disk_write_zeroes("disk0", 0, MEBIBYTE) == HOST_TOO_OLD);
    PAIR_CHECK(pair, all_are(medium, 0x5a, MEBIBYTE));
}

static void a_host_without_unmap_is_not_asked_for_it(void **state)
{
    const struct pair_options options = { .release = "2008r2", .disk_bytes = { MEBIBYTE } };

    (void)state;
    pair_run(&options, too_old_body, 1);
}

static void check_counts(struct pair *pair, uint64_t forced_writes, uint64_t flushes)
{
    PAIR_CHECK(pair, pair_host_forced_writes(pair->host, 0) == forced_writes);
    PAIR_CHECK(pair, pair_host_flushes(pair->host, 0) == flushes);
}

static void cache_body(struct pair *pair)
{
    struct block_device_information about = { 0 };

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    PAIR_CHECK(pair, pair_disk_information("disk0", &about));
    PAIR_CHECK(pair, about.has_cache && about.can_discard && !about.read_only && !about.removable);
    PAIR_CHECK(pair, strcmp(about.vendor, "Msft") == 0);
    PAIR_CHECK(pair, strcmp(about.product, "Virtual Disk") == 0);
    memset(buffer, 1, BLOCK);
    PAIR_CHECK(pair, pair_disk_write("disk0", 0, buffer, BLOCK) == 0);
    check_counts(pair, 0, 0);
    /* The bit in the command, and no flush behind it. */
    PAIR_CHECK(pair, pair_disk_write_through("disk0", 0, buffer, BLOCK) == 0);
    check_counts(pair, 1, 0);
    PAIR_CHECK(pair, pair_disk_flush("disk0") == 0);
    check_counts(pair, 1, 1);
}

static void flushes_and_writes_through_the_cache_reach_the_disk(void **state)
{
    const struct pair_options options = { .release = "2022", .disk_bytes = { MEBIBYTE } };

    (void)state;
    pair_run(&options, cache_body, 1);
}

static void parts_body(struct pair *pair)
{
    const uint8_t *medium = pair_host_disk(pair->host, 0);
    size_t index;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    for (index = 0; index < sizeof buffer; index++)
        buffer[index] = (uint8_t)(index / 509);
    /* From a block that is no page, so that the parts begin inside pages. */
    PAIR_CHECK(pair, pair_disk_write("disk0", 1536, buffer, sizeof buffer) == 0);
    PAIR_CHECK(pair, memcmp(medium + 1536, buffer, sizeof buffer) == 0);
    memset(buffer, 0, sizeof buffer);
    PAIR_CHECK(pair, pair_disk_read("disk0", 1536, buffer, sizeof buffer) == 0);
    PAIR_CHECK(pair, memcmp(medium + 1536, buffer, sizeof buffer) == 0);
}

static void requests_above_the_limit_are_taken_apart(void **state)
{
    static const char *const releases[] = { "2008r2", "2012", "2022" }; /* 256 KiB, 2 MiB, 2 MiB */
    size_t index;

    (void)state;
    for (index = 0; index < sizeof releases / sizeof *releases; index++) {
        const struct pair_options options = {
            .release = releases[index], .disk_bytes = { 8 * MEBIBYTE },
        };

        pair_run(&options, parts_body, 1);
    }
}

/* The disk at LUN n has n + 1 steps, by which the guest's disk tells where it is. */
static void luns_body(struct pair *pair)
{
    char name[16];
    unsigned lun;
    unsigned disk;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    for (lun = 1; lun < LUNS; lun++)
        PAIR_CHECK(pair, pair_host_add_disk(pair->host, lun, (lun + 1) * STEP));
    for (disk = 0; disk < LUNS; disk++) {
        snprintf(name, sizeof name, "disk%u", disk);
        PAIR_CHECK(pair, pair_wait_for_disk(name, true));
        lun = (unsigned)(pair_disk_size(name) / STEP) - 1;
        memset(buffer, (int)lun + 1, BLOCK);
        PAIR_CHECK(pair, lun < LUNS && pair_disk_write(name, lun * STEP, buffer, BLOCK) == 0);
    }
    for (lun = 0; lun < LUNS; lun++)
        PAIR_CHECK(pair, all_are(pair_host_lun(pair->host, lun) + lun * STEP, (uint8_t)(lun + 1),
                                 BLOCK));
}

static void each_of_64_luns_is_a_disk_of_its_own(void **state)
{
    const struct pair_options options = { .release = "2022", .disk_bytes = { STEP } };

    (void)state;
    pair_run(&options, luns_body, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(unmap_and_write_same_reach_the_medium),
        cmocka_unit_test(a_host_without_unmap_is_not_asked_for_it),
        cmocka_unit_test(flushes_and_writes_through_the_cache_reach_the_disk),
        cmocka_unit_test(requests_above_the_limit_are_taken_apart),
        cmocka_unit_test(each_of_64_luns_is_a_disk_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
