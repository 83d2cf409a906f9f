/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest and host in one process: a DVD drive whose discs come and go. */
#include "tests/pair/pair_guest.h"

enum { SEEDS = 5, LUN = 3, MEBIBYTE = 1 << 20, HOST_BUSY = -16 };

static const struct pair_options options = { .release = "2022", .disk_bytes = { MEBIBYTE } };
static uint8_t buffer[MEBIBYTE];

static bool holds(const char *name, uint64_t size, uint8_t fill)
{
    if (pair_disk_size(name) != size || pair_disk_read(name, size - 4096, buffer, 4096) != 0)
        return false;
    return buffer[0] == fill && buffer[4095] == fill;
}

/* The disk is there first, and stays what it is. */
static void boot_with_drive(struct pair *pair, uint64_t bytes)
{
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    PAIR_CHECK(pair, pair_host_add_drive(pair->host, LUN, bytes, 0x5a));
}

static void from_start_body(struct pair *pair)
{
    boot_with_drive(pair, 2 * MEBIBYTE);
    PAIR_CHECK(pair, pair_wait_for_disk("disk1", true));
    PAIR_CHECK(pair, holds("disk1", 2 * MEBIBYTE, 0x5a));
    PAIR_CHECK(pair, pair_disk_write("disk1", 0, buffer, 4096) != 0);
    pair_sleep(5 * PAIR_SECOND);
    PAIR_CHECK(pair, holds("disk1", 2 * MEBIBYTE, 0x5a));
}

static void a_disc_is_a_disk_that_cannot_be_written(void **state)
{
    (void)state;
    pair_run(&options, from_start_body, SEEDS);
}

static void insert_body(struct pair *pair)
{
    boot_with_drive(pair, 0);
    pair_sleep(3 * PAIR_SECOND);
    PAIR_CHECK(pair, pair_wait_for_disk("disk1", false));
    PAIR_CHECK(pair, pair_host_insert_disc(pair->host, LUN, MEBIBYTE, 0x11, false) == 0);
    PAIR_CHECK(pair, pair_wait_for_disk("disk1", true));
    PAIR_CHECK(pair, holds("disk1", MEBIBYTE, 0x11));
    PAIR_CHECK(pair, pair_host_eject_disc(pair->host, LUN, true) == 0);
    PAIR_CHECK(pair, pair_wait_for_disk("disk1", false));
    PAIR_CHECK(pair, pair_host_insert_disc(pair->host, LUN, 3 * MEBIBYTE, 0x22, false) == 0);
    PAIR_CHECK(pair, pair_wait_for_disk("disk1", true));
    PAIR_CHECK(pair, holds("disk1", 3 * MEBIBYTE, 0x22));
}

static void discs_come_and_go(void **state)
{
    (void)state;
    pair_run(&options, insert_body, SEEDS);
}

static void locked_body(struct pair *pair)
{
    boot_with_drive(pair, MEBIBYTE);
    PAIR_CHECK(pair, pair_wait_for_disk("disk1", true));
    PAIR_CHECK(pair, pair_host_eject_disc(pair->host, LUN, false) == HOST_BUSY);
    PAIR_CHECK(pair, pair_wait_for_disk("disk1", false));
    pair_sleep(PAIR_SECOND);
    PAIR_CHECK(pair, pair_host_insert_disc(pair->host, LUN, 2 * MEBIBYTE, 0x33, false) == 0);
    PAIR_CHECK(pair, pair_wait_for_disk("disk1", true));
    PAIR_CHECK(pair, holds("disk1", 2 * MEBIBYTE, 0x33));
}

static void a_disc_in_use_is_let_go_when_the_host_asks(void **state)
{
    (void)state;
    pair_run(&options, locked_body, SEEDS);
}

static void exchange_body(struct pair *pair)
{
    boot_with_drive(pair, MEBIBYTE);
    PAIR_CHECK(pair, pair_wait_for_disk("disk1", true));
    PAIR_CHECK(pair, pair_host_insert_disc(pair->host, LUN, 2 * MEBIBYTE, 0x44, true) == 0);
    pair_sleep(3 * PAIR_SECOND);
    PAIR_CHECK(pair, pair_wait_for_disk("disk1", true));
    PAIR_CHECK(pair, holds("disk1", 2 * MEBIBYTE, 0x44));
}

static void a_disc_exchanged_between_two_looks_is_noticed(void **state)
{
    (void)state;
    pair_run(&options, exchange_body, SEEDS);
}

static void drive_goes_body(struct pair *pair)
{
    boot_with_drive(pair, MEBIBYTE);
    PAIR_CHECK(pair, pair_wait_for_disk("disk1", true));
    PAIR_CHECK(pair, pair_host_remove_disk(pair->host, LUN));
    PAIR_CHECK(pair, pair_wait_for_disk("disk1", false));
    PAIR_CHECK(pair, pair_host_add_drive(pair->host, LUN, 2 * MEBIBYTE, 0x55));
    PAIR_CHECK(pair, pair_wait_for_disk("disk1", true));
    PAIR_CHECK(pair, holds("disk1", 2 * MEBIBYTE, 0x55));
    pair_host_remove_controller(pair->host);
    PAIR_CHECK(pair, pair_wait_for_disk("disk1", false));
}

static void the_drive_itself_comes_and_goes(void **state)
{
    (void)state;
    pair_run(&options, drive_goes_body, SEEDS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disc_is_a_disk_that_cannot_be_written),
        cmocka_unit_test(discs_come_and_go),
        cmocka_unit_test(a_disc_in_use_is_let_go_when_the_host_asks),
        cmocka_unit_test(a_disc_exchanged_between_two_looks_is_noticed),
        cmocka_unit_test(the_drive_itself_comes_and_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
