/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest and host in one process: disks from probing to the last write, with disks that come and go
 * and a host that fails requests. */
#include "tests/pair/pair_guest.h"

enum { SEEDS = 5, MEBIBYTE = 1 << 20 };

static uint8_t buffer[3 * MEBIBYTE];

static void fill(uint8_t *bytes, size_t length, unsigned seed)
{
    size_t index;

    for (index = 0; index < length; index++)
        bytes[index] = (uint8_t)(index * 7 + index / 4096 + seed);
}

static void round_trip_body(struct pair *pair)
{
    uint8_t *medium;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    PAIR_CHECK(pair, pair_disk_size("disk0") == 8 * MEBIBYTE);
    medium = pair_host_disk(pair->host, 0);
    fill(medium, 8 * MEBIBYTE, 3);
    PAIR_CHECK(pair, pair_disk_read("disk0", 4096, buffer, sizeof buffer) == 0);
    PAIR_CHECK(pair, memcmp(buffer, medium + 4096, sizeof buffer) == 0);
    fill(buffer, sizeof buffer, 99);
    PAIR_CHECK(pair, pair_disk_write("disk0", 512 * 3, buffer, sizeof buffer) == 0);
    PAIR_CHECK(pair, pair_disk_flush("disk0") == 0);
    PAIR_CHECK(pair, memcmp(buffer, medium + 512 * 3, sizeof buffer) == 0);
    PAIR_CHECK(pair, pair_disk_read("disk0", 512 * 5, buffer, 512) == 0);
    PAIR_CHECK(pair, memcmp(buffer, medium + 512 * 5, 512) == 0);
}

static void what_is_written_is_on_the_medium_and_read_back(void **state)
{
    const struct pair_options options = { .release = "2022", .disk_bytes = { 8 * MEBIBYTE } };

    (void)state;
    pair_run(&options, round_trip_body, SEEDS);
}

static void storage_works_with_every_release(void **state)
{
    static const char *const releases[] = { "2008r2", "2012", "2012r2", "2016", "2019", "2025" };
    size_t index;

    (void)state;
    for (index = 0; index < sizeof releases / sizeof *releases; index++) {
        const struct pair_options options = { .release = releases[index],
                                              .disk_bytes = { 8 * MEBIBYTE } };

        pair_run(&options, round_trip_body, 1);
    }
}

static void many_body(struct pair *pair)
{
    const uint8_t *medium;
    unsigned index;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    PAIR_CHECK(pair, pair_disk_write_many("disk0", 200, 16384) == 0);
    medium = pair_host_disk(pair->host, 0);
    for (index = 0; index < 200; index++)
        PAIR_CHECK(pair, medium[index * 16384] == (uint8_t)(index + 1) &&
                             medium[index * 16384 + 16383] == (uint8_t)(index + 1));
}

static void hundreds_of_requests_in_flight_all_arrive(void **state)
{
    const struct pair_options options = { .release = "2022", .disk_bytes = { 8 * MEBIBYTE } };

    (void)state;
    pair_run(&options, many_body, SEEDS);
}

static void coming_and_going_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    PAIR_CHECK(pair, pair_wait_for_disk("disk1", true));
    PAIR_CHECK(pair, pair_host_add_disk(pair->host, 7, 4 * MEBIBYTE));
    PAIR_CHECK(pair, pair_wait_for_disk("disk2", true));
    PAIR_CHECK(pair, pair_disk_size("disk2") == 4 * MEBIBYTE);
    PAIR_CHECK(pair, pair_host_remove_disk(pair->host, 7));
    PAIR_CHECK(pair, pair_wait_for_disk("disk2", false));
    fill(buffer, MEBIBYTE, 5);
    PAIR_CHECK(pair, pair_disk_write("disk0", 0, buffer, MEBIBYTE) == 0);
    PAIR_CHECK(pair, pair_disk_write("disk1", 0, buffer, MEBIBYTE) == 0);
}

static void disks_come_and_go_and_the_others_go_on(void **state)
{
    const struct pair_options options = { .release = "2022",
                                          .disk_bytes = { MEBIBYTE, 2 * MEBIBYTE } };

    (void)state;
    pair_run(&options, coming_and_going_body, SEEDS);
}

/* The host lists its LUNs to whoever asks any of them: the first need not be among them. */
static void without_first_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    PAIR_CHECK(pair, pair_host_remove_disk(pair->host, 0));
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", false));
    PAIR_CHECK(pair, pair_host_add_disk(pair->host, 9, 4 * MEBIBYTE));
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    PAIR_CHECK(pair, pair_disk_size("disk0") == 4 * MEBIBYTE);
    fill(buffer, MEBIBYTE, 6);
    PAIR_CHECK(pair, pair_disk_write("disk0", 0, buffer, MEBIBYTE) == 0);
    PAIR_CHECK(pair, memcmp(pair_host_lun(pair->host, 9), buffer, MEBIBYTE) == 0);
}

static void a_controller_without_lun_0_has_its_disks(void **state)
{
    const struct pair_options options = { .release = "2022", .disk_bytes = { MEBIBYTE } };

    (void)state;
    pair_run(&options, without_first_body, SEEDS);
}

static void rescind_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    pair_host_remove_controller(pair->host);
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", false));
    PAIR_CHECK(pair, pair_disk_write("disk0", 0, buffer, 512) != 0);
    pair_sleep(5 * PAIR_SECOND);
    PAIR_CHECK(pair, pair_host_heartbeats(pair->host) >= 1);
}

static void a_controller_taken_away_ends_its_disks_and_nothing_else(void **state)
{
    const struct pair_options options = { .release = "2022", .disk_bytes = { MEBIBYTE } };

    (void)state;
    pair_run(&options, rescind_body, SEEDS);
}

static void failing_body(struct pair *pair)
{
    unsigned failures = 0;
    unsigned index;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    pair_host_storage_faults(pair->host, 200000, 200000);
    for (index = 0; index < 100; index++) {
        memset(buffer, (int)index + 1, 4096);
        failures += pair_disk_write("disk0", index * 4096, buffer, 4096) != 0;
    }
    pair_host_storage_faults(pair->host, 0, 0);
    for (index = 0; index < 100; index++) {
        memset(buffer, (int)index + 1, 4096);
        PAIR_CHECK(pair, pair_disk_write("disk0", index * 4096, buffer, 4096) == 0);
        PAIR_CHECK(pair, memcmp(pair_host_disk(pair->host, 0) + index * 4096, buffer, 4096) == 0);
    }
    PAIR_CHECK(pair, failures < 100);
}

static void after_failed_and_busy_requests_the_next_good_one_works(void **state)
{
    const struct pair_options options = { .release = "2022", .disk_bytes = { MEBIBYTE },
                                          .seed = 11 };

    (void)state;
    pair_run(&options, failing_body, SEEDS);
}

static void held_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    memset(buffer, 0x77, 4096);
    pair_host_disk_faults(pair->host, 0, 0, 0, 0, 1000000);
    PAIR_CHECK(pair, pair_disk_write("disk0", 8192, buffer, 4096) == 0);
    pair_host_disk_faults(pair->host, 0, 0, 0, 0, 0);
    PAIR_CHECK(pair, memcmp(pair_host_disk(pair->host, 0) + 8192, buffer, 4096) == 0);
    PAIR_CHECK(pair, pair_disk_write("disk0", 0, buffer, 4096) == 0);
}

/* The reset asks for its completion, or the host would refuse it. */
static void a_request_that_the_host_holds_back_ends_by_a_reset(void **state)
{
    const struct pair_options options = { .release = "2022", .disk_bytes = { MEBIBYTE } };

    (void)state;
    pair_run(&options, held_body, SEEDS);
}

/* ---- online resize ---- */

/* The next command brings the news; the driver has the system look. */
static bool grows_to(uint64_t size)
{
    unsigned try;

    for (try = 0; try < 100 && pair_disk_size("disk0") != size; try++) {
        pair_disk_read("disk0", 0, buffer, 512);
        pair_sleep(PAIR_SECOND / 100);
    }
    return pair_disk_size("disk0") == size;
}

static void resize_body(struct pair *pair)
{
    const uint64_t old_end = 8 * MEBIBYTE, new_end = 24 * MEBIBYTE;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    memset(buffer, 0x51, 4096);
    PAIR_CHECK(pair, pair_disk_write("disk0", old_end - 4096, buffer, 4096) == 0);
    PAIR_CHECK(pair, pair_disk_write("disk0", old_end, buffer, 4096) != 0);
    PAIR_CHECK(pair, pair_host_resize_disk(pair->host, 0, new_end));
    PAIR_CHECK(pair, grows_to(new_end));
    memset(buffer, 0x52, 4096);
    PAIR_CHECK(pair, pair_disk_write("disk0", new_end - 4096, buffer, 4096) == 0);
    PAIR_CHECK(pair, memcmp(pair_host_disk(pair->host, 0) + new_end - 4096, buffer, 4096) == 0);
    memset(buffer, 0x51, 4096);
    PAIR_CHECK(pair, memcmp(pair_host_disk(pair->host, 0) + old_end - 4096, buffer, 4096) == 0);
    PAIR_CHECK(pair, pair_host_resize_disk(pair->host, 0, 4 * MEBIBYTE));
    PAIR_CHECK(pair, grows_to(4 * MEBIBYTE));
    PAIR_CHECK(pair, pair_disk_read("disk0", old_end - 4096, buffer, 4096) != 0);
    PAIR_CHECK(pair, pair_disk_read("disk0", 4 * MEBIBYTE - 4096, buffer, 4096) == 0);
}

static void a_disk_that_grows_or_shrinks_has_its_new_size(void **state)
{
    static const char *const releases[] = { "2012r2", "2016", "2022", "2025" };
    size_t index;

    (void)state;
    for (index = 0; index < sizeof releases / sizeof *releases; index++) {
        const struct pair_options options = { .release = releases[index],
                                              .disk_bytes = { 8 * MEBIBYTE } };

        pair_run(&options, resize_body, SEEDS);
    }
}

/* One size after the other, with requests under way all the time; the last one counts. */
static void restless_body(struct pair *pair)
{
    struct pair_write *writes[8];
    unsigned index;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    for (index = 0; index < 8; index++) {
        writes[index] = pair_disk_begin_write("disk0", index * 65536, (uint8_t)(index + 1), 65536);
        PAIR_CHECK(pair, pair_host_resize_disk(pair->host, 0, (9 + index) * MEBIBYTE));
    }
    for (index = 0; index < 8; index++) {
        PAIR_CHECK(pair, pair_write_end(writes[index], 10) == 0);
        PAIR_CHECK(pair, pair_host_disk(pair->host, 0)[index * 65536] == index + 1);
    }
    PAIR_CHECK(pair, grows_to(16 * MEBIBYTE));
    PAIR_CHECK(pair, pair_host_resize_disk(pair->host, 0, 32 * MEBIBYTE));
    writes[0] = pair_disk_begin_write("disk0", 0, 0x53, 65536);
    PAIR_CHECK(pair, pair_host_remove_disk(pair->host, 0)); /* while the system looks, perhaps */
    PAIR_CHECK(pair, pair_write_end(writes[0], 10) >= 0);
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", false));
}

static void sizes_that_change_under_load_end_in_the_last_one(void **state)
{
    const struct pair_options options = { .release = "2022", .disk_bytes = { 8 * MEBIBYTE } };

    (void)state;
    pair_run(&options, restless_body, 4 * SEEDS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_on_the_medium_and_read_back),
        cmocka_unit_test(storage_works_with_every_release),
        cmocka_unit_test(hundreds_of_requests_in_flight_all_arrive),
        cmocka_unit_test(disks_come_and_go_and_the_others_go_on),
        cmocka_unit_test(a_controller_without_lun_0_has_its_disks),
        cmocka_unit_test(a_controller_taken_away_ends_its_disks_and_nothing_else),
        cmocka_unit_test(after_failed_and_busy_requests_the_next_good_one_works),
        cmocka_unit_test(a_request_that_the_host_holds_back_ends_by_a_reset),
        cmocka_unit_test(a_disk_that_grows_or_shrinks_has_its_new_size),
        cmocka_unit_test(sizes_that_change_under_load_end_in_the_last_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
