/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest and host in one process: storage when things go wrong. In each test nothing is lost, no
 * write is done twice, and what was acknowledged is on the medium. */
#include "tests/pair/pair_guest.h"

#include <sys/mman.h>

enum {
    MEBIBYTE = 1 << 20,
    SEEDS = 3,
    BLOCK = 4096,
    TIMEOUT_SECONDS = 60,
    HEADER_BYTES = 16, /* of a packet in a ring; whose answer it is stands there */
    COMPLETION_BYTES = 64,
};

static const struct pair_options options = { .disk_bytes = { 8 * MEBIBYTE } };
static uint8_t buffer[2 * MEBIBYTE];
static char corruption[64]; /* the fault of this run */

static bool medium_has(struct pair *pair, uint64_t offset, uint8_t fill, size_t length)
{
    const uint8_t *medium = pair_host_disk(pair->host, 0) + offset;

    return medium[0] == fill && memcmp(medium, medium + 1, length - 1) == 0;
}

/* Write, flush, read: all is as it ought to be. */
static void check_works(struct pair *pair, uint8_t fill)
{
    memset(buffer, fill, BLOCK);
    PAIR_CHECK(pair, pair_disk_write("disk0", 7 * MEBIBYTE, buffer, BLOCK) == 0);
    PAIR_CHECK(pair, pair_disk_flush("disk0") == 0);
    PAIR_CHECK(pair, medium_has(pair, 7 * MEBIBYTE, fill, BLOCK));
    memset(buffer, 0, BLOCK);
    PAIR_CHECK(pair, pair_disk_read("disk0", 7 * MEBIBYTE, buffer, BLOCK) == 0);
    PAIR_CHECK(pair, buffer[0] == fill && buffer[BLOCK - 1] == fill);
}

/* ---- a host that never answers ---- */

static void silent_body(struct pair *pair)
{
    struct pair_write *write;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    PAIR_CHECK(pair, pair_host_add_fault(pair->host, "completion,drop"));
    write = pair_disk_begin_write("disk0", 0, 0x11, BLOCK);
    pair_sleep(5 * TIMEOUT_SECONDS * PAIR_SECOND);
    /* The pages are still the host's: the request must not end, neither well nor badly. */
    PAIR_CHECK(pair, !pair_write_is_done(write));
    PAIR_CHECK(pair, pair_host_resets(pair->host) == 1);
    PAIR_CHECK(pair, pair_host_bytes_written(pair->host, 0) == BLOCK);
    pair_host_end_faults(pair->host);
    check_works(pair, 0x12); /* others go on */
    pair_host_remove_controller(pair->host);
    PAIR_CHECK(pair, pair_write_end(write, 10) > 0);
}

static void a_request_without_answer_stays_open_until_the_channel_is_gone(void **state)
{
    (void)state;
    pair_run(&options, silent_body, SEEDS);
}

/* ---- a host that answers late ---- */

static void late_body(struct pair *pair)
{
    struct pair_write *write;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    PAIR_CHECK(pair, pair_host_add_fault(pair->host, "completion,delay=1500000000,times=1"));
    write = pair_disk_begin_write("disk0", BLOCK, 0x21, BLOCK);
    pair_sleep(2 * TIMEOUT_SECONDS * PAIR_SECOND);
    PAIR_CHECK(pair, !pair_write_is_done(write));
    PAIR_CHECK(pair, pair_host_resets(pair->host) == 1); /* asked for once, and answered */
    PAIR_CHECK(pair, pair_write_end(write, TIMEOUT_SECONDS) == 0);
    PAIR_CHECK(pair, medium_has(pair, BLOCK, 0x21, BLOCK));
    PAIR_CHECK(pair, pair_host_bytes_written(pair->host, 0) == BLOCK); /* and done once */
    check_works(pair, 0x22);
}

static void an_answer_after_the_time_out_is_taken_and_the_write_not_repeated(void **state)
{
    (void)state;
    pair_run(&options, late_body, SEEDS);
}

/* ---- a host that answers twice, in another order, or with rubbish ---- */

static void many_body(struct pair *pair)
{
    unsigned index;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    PAIR_CHECK(pair, pair_disk_write_many("disk0", 200, 16384) == 0);
    for (index = 0; index < 200; index++)
        PAIR_CHECK(pair, medium_has(pair, index * 16384, (uint8_t)(index + 1), 16384));
    PAIR_CHECK(pair, pair_host_bytes_written(pair->host, 0) == 200 * 16384);
    pair_host_end_faults(pair->host);
    check_works(pair, 0x31);
}

static void answers_that_come_twice_or_in_another_order_harm_nobody(void **state)
{
    static const char *const rules[] = {
        "completion,duplicate", "completion,duplicate,percent=30", "completion,reorder,percent=50",
        "completion,delay=50000,percent=20",
    };
    size_t index;

    (void)state;
    for (index = 0; index < sizeof rules / sizeof *rules; index++) {
        struct pair_options faulty = options;

        faulty.faults[0] = rules[index];
        pair_run(&faulty, many_body, SEEDS);
    }
}

/* What cannot be understood is no answer of success: the write is told as failed, or done again. */
static void garbled_body(struct pair *pair)
{
    unsigned index;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    PAIR_CHECK(pair, pair_host_add_fault(pair->host, "completion,truncate=20,percent=30"));
    for (index = 0; index < 100; index++) {
        memset(buffer, (int)index + 1, BLOCK);
        if (pair_disk_write("disk0", index * BLOCK, buffer, BLOCK) == 0)
            PAIR_CHECK(pair, medium_has(pair, index * BLOCK, (uint8_t)(index + 1), BLOCK));
    }
    pair_host_end_faults(pair->host);
    check_works(pair, 0x32);
}

static void answers_that_are_cut_off_are_no_success(void **state)
{
    (void)state;
    pair_run(&options, garbled_body, SEEDS);
}

/* A bit wrong in every byte of answers, byte after byte: what is told as done has been done. */
static void wrong_body(struct pair *pair)
{
    unsigned index;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    pair_host_add_fault(pair->host, corruption);
    for (index = 0; index < 8; index++) {
        memset(buffer, (int)index + 1, BLOCK);
        if (pair_disk_write("disk0", index * BLOCK, buffer, BLOCK) == 0)
            PAIR_CHECK(pair, medium_has(pair, index * BLOCK, (uint8_t)(index + 1), BLOCK));
        memset(pair_host_disk(pair->host, 0) + MEBIBYTE, (int)index + 101, BLOCK);
        memset(buffer, 0, BLOCK);
        if (pair_disk_read("disk0", MEBIBYTE, buffer, BLOCK) == 0)
            PAIR_CHECK(pair, buffer[0] == index + 101 && buffer[BLOCK - 1] == index + 101);
    }
    pair_host_end_faults(pair->host);
    check_works(pair, 0x33);
}

static void answers_with_a_wrong_byte_are_survived(void **state)
{
    unsigned offset;

    (void)state;
    for (offset = 0; offset < COMPLETION_BYTES; offset++) {
        snprintf(corruption, sizeof corruption, "completion,corrupt=%u,percent=40",
                 HEADER_BYTES + offset);
        pair_run(&options, wrong_body, 1);
    }
}

/* ---- a host that starts anew in the middle ---- */

static void vanishing_body(struct pair *pair)
{
    enum { WRITES = 40 };
    struct pair_write *writes[WRITES];
    unsigned acknowledged = 0;
    unsigned index;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    pair_host_disk_faults(pair->host, 0, 0, 0, 500000, 0);
    for (index = 0; index < WRITES; index++)
        writes[index] = pair_disk_begin_write("disk0", index * BLOCK, (uint8_t)(index + 1), BLOCK);
    pair_sleep(PAIR_SECOND / 200);
    pair_host_remove_controller(pair->host);
    for (index = 0; index < WRITES; index++) {
        int error = pair_write_end(writes[index], 30);

        PAIR_CHECK(pair, error >= 0); /* every one ends */
        if (error == 0) {
            acknowledged++;
            PAIR_CHECK(pair, medium_has(pair, index * BLOCK, (uint8_t)(index + 1), BLOCK));
        }
    }
    printf("# note: %u of %u acknowledged\n", acknowledged, (unsigned)WRITES);
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", false));
    pair_host_disk_faults(pair->host, 0, 0, 0, 0, 0);
    while (!pair_host_controller_is_released(pair->host))
        pair_sleep(PAIR_SECOND / 10);
    PAIR_CHECK(pair, pair_host_add_controller(pair->host));
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    check_works(pair, 0x41);
}

static void a_controller_that_goes_and_comes_again_loses_no_acknowledged_write(void **state)
{
    (void)state;
    pair_run(&options, vanishing_body, 5);
}

/* ---- short transfers ---- */

static void short_body(struct pair *pair)
{
    unsigned done = 0;
    unsigned index;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    for (index = 0; index < 64 * BLOCK; index++)
        pair_host_disk(pair->host, 0)[index] = (uint8_t)(index / BLOCK + 1);
    pair_host_disk_faults(pair->host, 0, 0, 500000, 0, 0);
    for (index = 0; index < 64; index++) {
        memset(buffer, 0, BLOCK);
        if (pair_disk_read("disk0", index * BLOCK, buffer, BLOCK) == 0) {
            done++;
            PAIR_CHECK(pair, buffer[0] == index + 1 && buffer[BLOCK - 1] == index + 1);
        }
        memset(buffer, (int)index + 101, BLOCK);
        if (pair_disk_write("disk0", MEBIBYTE + index * BLOCK, buffer, BLOCK) == 0)
            PAIR_CHECK(pair, medium_has(pair, MEBIBYTE + index * BLOCK, (uint8_t)(index + 101),
                                        BLOCK));
    }
    PAIR_CHECK(pair, done > 0 && done < 64);
    pair_host_disk_faults(pair->host, 0, 0, 0, 0, 0);
    check_works(pair, 0x51);
}

static void a_short_transfer_is_never_a_whole_one(void **state)
{
    (void)state;
    pair_run(&options, short_body, SEEDS);
}

/* ---- sense of every kind ---- */

static void sense_body(struct pair *pair)
{
    static const uint16_t additional[] = { 0x0000, 0x0401, 0x1100, 0x2000, 0x2400, 0x2700, 0x2800,
                                           0x2900, 0x2a09, 0x3a00, 0x4400 };
    unsigned key;
    size_t index;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    for (key = 0; key < 16; key++) {
        for (index = 0; index < sizeof additional / sizeof *additional; index++) {
            uint8_t fill = (uint8_t)(key * 11 + index + 1);

            pair_host_sense_fault(pair->host, 1000000, (uint8_t)key, additional[index]);
            memset(buffer, 0xff, BLOCK);
            PAIR_CHECK(pair, pair_disk_write("disk0", 0, buffer, BLOCK) != 0);
            PAIR_CHECK(pair, pair_disk_read("disk0", 0, buffer, BLOCK) != 0);
            PAIR_CHECK(pair, pair_host_bytes_written(pair->host, 0) ==
                                 (key * (sizeof additional / sizeof *additional) + index) * BLOCK);
            pair_host_sense_fault(pair->host, 0, 0, 0);
            check_works(pair, fill);
        }
    }
}

static void sense_of_every_kind_is_an_error_and_the_next_request_works(void **state)
{
    (void)state;
    pair_run(&options, sense_body, 1);
}

/* What passes by itself is not told to whoever uses the disk. */
static void passing_body(struct pair *pair)
{
    static const struct {
        uint8_t key;
        uint16_t additional;
    } passing[] = { { 0x6, 0x2900 }, { 0x6, 0x2a09 }, { 0x6, 0x2800 }, { 0xb, 0x0000 },
                    { 0x2, 0x0401 } };
    unsigned index;
    size_t kind;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    for (kind = 0; kind < sizeof passing / sizeof *passing; kind++) {
        pair_host_sense_fault(pair->host, 300000, passing[kind].key, passing[kind].additional);
        for (index = 0; index < 30; index++) {
            memset(buffer, (int)(index + kind * 30 + 1), BLOCK);
            PAIR_CHECK(pair, pair_disk_write("disk0", index * BLOCK, buffer, BLOCK) == 0);
            PAIR_CHECK(pair, medium_has(pair, index * BLOCK, buffer[0], BLOCK));
        }
    }
}

static void attentions_and_becoming_ready_are_waited_out(void **state)
{
    (void)state;
    pair_run(&options, passing_body, 1);
}

/* ---- the ring is full ---- */

/* How often a ring was full, over all seeds: which thread sends is the schedule's affair, and only
 * the ring of the sub-channel is too small for what a burst holds. */
static uint64_t *times_full;

static void fill_ring(struct pair *pair)
{
    PAIR_CHECK(pair, pair_disk_write_same("disk0", 240, 2 * MEBIBYTE, 0x61) == 0);
}

static void full_body(struct pair *pair)
{
    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    pair_on_processor(pair, 1, fill_ring); /* the processor of the sub-channel */
    *times_full += pair_disk_ring_full("disk0");
    PAIR_CHECK(pair, medium_has(pair, 0, 0x61, 2 * MEBIBYTE));
    PAIR_CHECK(pair, pair_host_bytes_written(pair->host, 0) == UINT64_C(240) * 2 * MEBIBYTE);
    check_works(pair, 0x62);
}

static void tasks_that_find_the_ring_full_wait_their_turn(void **state)
{
    (void)state;
    times_full = mmap(NULL, sizeof *times_full, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(times_full, MAP_FAILED);
    pair_run(&options, full_body, 10);
    assert_true(*times_full > 0);
    munmap(times_full, sizeof *times_full);
}

/* ---- resets ---- */

static void reset_body(struct pair *pair)
{
    struct pair_write *write;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    PAIR_CHECK(pair, pair_disk_reset("disk0")); /* nothing to wait for */
    pair_host_disk_faults(pair->host, 0, 0, 0, 0, 1000000);
    write = pair_disk_begin_write("disk0", 0, 0x71, BLOCK);
    pair_sleep(PAIR_SECOND / 10);
    PAIR_CHECK(pair, !pair_write_is_done(write));
    PAIR_CHECK(pair, pair_disk_reset("disk0")); /* the host lets go of it */
    PAIR_CHECK(pair, pair_write_end(write, 1) == 0);
    PAIR_CHECK(pair, medium_has(pair, 0, 0x71, BLOCK));
    pair_host_disk_faults(pair->host, 0, 0, 0, 0, 0);

    PAIR_CHECK(pair, pair_host_add_fault(pair->host, "completion,drop,times=2"));
    write = pair_disk_begin_write("disk0", BLOCK, 0x72, BLOCK);
    pair_sleep(PAIR_SECOND / 10);
    PAIR_CHECK(pair, !pair_disk_reset("disk0")); /* not answered */
    PAIR_CHECK(pair, !pair_disk_reset("disk0")); /* answered, but the write does not come back */
    PAIR_CHECK(pair, !pair_write_is_done(write));
    pair_host_end_faults(pair->host);
    check_works(pair, 0x73);
    pair_host_remove_controller(pair->host);
    PAIR_CHECK(pair, pair_write_end(write, 10) > 0);
}

static void a_reset_says_done_only_when_nothing_of_the_unit_is_out(void **state)
{
    (void)state;
    pair_run(&options, reset_body, SEEDS);
}

/* A bit wrong in each byte of the answer to a reset. A reset is told as done only when the answer
 * says so, whatever else is wrong with it; the next one works. */
static void wrong_reset_body(struct pair *pair)
{
    unsigned offset;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true));
    for (offset = 0; offset < COMPLETION_BYTES; offset++) {
        bool status_is_wrong = offset < 4 || (offset >= 8 && offset < 12);

        snprintf(corruption, sizeof corruption, "completion,corrupt=%u,times=1",
                 HEADER_BYTES + offset);
        if (!pair_host_add_fault(pair->host, corruption)) {
            pair_host_end_faults(pair->host); /* the plan is full */
            return;
        }
        PAIR_CHECK(pair, pair_disk_reset("disk0") == !status_is_wrong);
        PAIR_CHECK(pair, pair_disk_reset("disk0"));
    }
    check_works(pair, 0x81);
}

static void a_reset_is_done_only_when_its_answer_says_so(void **state)
{
    (void)state;
    pair_run(&options, wrong_reset_body, 1);
}

/* ---- a disk that does not answer, beside one that does ---- */

static void neighbour_body(struct pair *pair)
{
    enum { STUCK = 40, REQUESTS = 200, BYTES = 16384 };
    const uint8_t *medium = pair_host_disk(pair->host, 1);
    struct pair_write *stuck[STUCK];
    unsigned index;

    PAIR_CHECK(pair, pair_wait_for_disk("disk0", true) && pair_wait_for_disk("disk1", true));
    pair_host_disk_faults(pair->host, 0, 0, 0, 0, 1000000);
    for (index = 0; index < STUCK; index++)
        stuck[index] = pair_disk_begin_write("disk0", index * BLOCK, 0x81, BLOCK);
    PAIR_CHECK(pair, pair_disk_write_many("disk1", REQUESTS, BYTES) == 0);
    for (index = 0; index < REQUESTS; index++)
        PAIR_CHECK(pair, medium[index * BYTES] == (uint8_t)(index + 1));
    PAIR_CHECK(pair, pair_disk_flush("disk1") == 0);
    for (index = 0; index < STUCK; index++)
        PAIR_CHECK(pair, !pair_write_is_done(stuck[index]));
    pair_host_disk_faults(pair->host, 0, 0, 0, 0, 0);
    PAIR_CHECK(pair, pair_disk_reset("disk0")); /* the host lets go of all of them */
    for (index = 0; index < STUCK; index++)
        PAIR_CHECK(pair, pair_write_end(stuck[index], 1) == 0);
    check_works(pair, 0x82);

    PAIR_CHECK(pair, pair_host_add_fault(pair->host, "completion,drop,times=1"));
    stuck[0] = pair_disk_begin_write("disk1", 0, 0x83, BLOCK);
    pair_sleep(PAIR_SECOND / 10);
    PAIR_CHECK(pair, pair_disk_reset("disk0")); /* waits for what is out of this unit only */
    PAIR_CHECK(pair, !pair_disk_reset("disk1"));
    check_works(pair, 0x84);
    pair_host_remove_controller(pair->host);
    PAIR_CHECK(pair, pair_write_end(stuck[0], 10) > 0);
}

static void a_disk_that_does_not_answer_holds_up_no_other(void **state)
{
    const struct pair_options two = { .disk_bytes = { 8 * MEBIBYTE, 8 * MEBIBYTE } };

    (void)state;
    pair_run(&two, neighbour_body, SEEDS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_without_answer_stays_open_until_the_channel_is_gone),
        cmocka_unit_test(an_answer_after_the_time_out_is_taken_and_the_write_not_repeated),
        cmocka_unit_test(answers_that_come_twice_or_in_another_order_harm_nobody),
        cmocka_unit_test(answers_that_are_cut_off_are_no_success),
        cmocka_unit_test(answers_with_a_wrong_byte_are_survived),
        cmocka_unit_test(a_controller_that_goes_and_comes_again_loses_no_acknowledged_write),
        cmocka_unit_test(a_short_transfer_is_never_a_whole_one),
        cmocka_unit_test(sense_of_every_kind_is_an_error_and_the_next_request_works),
        cmocka_unit_test(attentions_and_becoming_ready_are_waited_out),
        cmocka_unit_test(tasks_that_find_the_ring_full_wait_their_turn),
        cmocka_unit_test(a_reset_says_done_only_when_nothing_of_the_unit_is_out),
        cmocka_unit_test(a_reset_is_done_only_when_its_answer_says_so),
        cmocka_unit_test(a_disk_that_does_not_answer_holds_up_no_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
