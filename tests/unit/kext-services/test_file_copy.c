/* SPDX-License-Identifier: BSD-3-Clause */
/* File copy: lengths and order of operations, before the daemon sees them. */
#include "kext/services/file_copy.h"
#include "tests/unit/kext-services/fake_daemon.h"

static struct integration_engine engine;
static struct file_copy service;
static struct fake_daemon fake;

static int setup(void **state)
{
    memset(&service, 0, sizeof service);
    fake_daemon_init(&fake);
    service.port = &fake.port;
    integration_init(&engine, &file_copy_service, &service);
    negotiate_with(&engine, IC_FILE_COPY_1_1);
    fake.resets = 0;
    return 0;
}

/* The status that the host gets: the daemon's, where it was asked. */
static uint32_t send(const void *body, uint32_t size, uint32_t daemon_status)
{
    uint32_t status;

    ask_engine(&engine, IC_MESSAGE_FILE_COPY, body, size, &status);
    if (status == UINT32_MAX) {
        file_copy_answered(&service, daemon_status);
        status = daemon_status;
    }
    return status;
}

static uint32_t start(uint64_t size)
{
    const struct ic_file_copy_start body = { .header.operation = IC_FILE_COPY_START,
                                             .file_size = size };

    return send(&body, sizeof body, IC_STATUS_OK);
}

static uint32_t write_at(uint64_t offset, uint32_t size)
{
    static struct ic_file_copy_write body;

    body.header.operation = IC_FILE_COPY_WRITE;
    body.offset = offset;
    body.size = size;
    return send(&body, sizeof body, IC_STATUS_OK);
}

static uint32_t end(uint32_t operation)
{
    const struct ic_file_copy_header body = { .operation = operation };

    return send(&body, sizeof body, IC_STATUS_OK);
}

static void a_whole_copy_goes_through(void **state)
{
    assert_int_equal(start(10000), IC_STATUS_OK);
    assert_int_equal(write_at(0, 6144), IC_STATUS_OK);
    assert_int_equal(write_at(6144, 3856), IC_STATUS_OK);
    assert_int_equal(end(IC_FILE_COPY_COMPLETE), IC_STATUS_OK);
    assert_int_equal(fake.asked, 2);
    assert_int_equal(fake.told, 2);
    assert_int_equal(service.copies, 1);
    assert_false(service.copying);
}

static void pieces_outside_the_file_or_the_message_are_refused(void **state)
{
    static const struct { uint64_t offset; uint32_t size; } bad[] = {
        { 0, 0 }, { 0, 6145 }, { 0, UINT32_MAX }, { 10000, 1 }, { 9999, 2 }, { UINT64_MAX, 1 },
        { UINT64_MAX - 5, 6 }, { 0x8000000000000000, 6144 },
    };

    assert_int_equal(start(10000), IC_STATUS_OK);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(write_at(bad[i].offset, bad[i].size), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(fake.asked, 1);
    assert_int_equal(fake.told, 0);
    assert_int_equal(write_at(9999, 1), IC_STATUS_OK);
}

static void a_piece_must_be_in_its_message(void **state)
{
    struct ic_file_copy_write body = { .header.operation = IC_FILE_COPY_WRITE, .size = 100 };
    const uint32_t head = offsetof(struct ic_file_copy_write, data);

    assert_int_equal(start(10000), IC_STATUS_OK);
    assert_int_equal(send(&body, head + 99, IC_STATUS_OK), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(send(&body, head - 1, IC_STATUS_OK), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(send(&body, head + 100, IC_STATUS_OK), IC_STATUS_OK);
}

static void operations_out_of_order_are_refused(void **state)
{
    assert_int_equal(end(IC_FILE_COPY_COMPLETE), IC_STATUS_FAIL);
    service.file_size = 100;
    assert_int_equal(write_at(0, 10), IC_STATUS_FAIL);
    assert_int_equal(end(IC_FILE_COPY_CANCEL), IC_STATUS_OK);
    assert_int_equal(end(4), IC_STATUS_NOT_SUPPORTED);
    assert_int_equal(fake.asked, 0);
    assert_int_equal(start(1), IC_STATUS_OK);
    assert_int_equal(write_at(0, 1), IC_STATUS_OK);
}

/* Writes pieces of a byte that the host need not wait for. */
static void give_ahead(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(write_at(i, 1), IC_STATUS_OK);
}

static void each_sixteenth_piece_waits_for_the_daemon(void **state)
{
    assert_int_equal(start(100), IC_STATUS_OK);
    give_ahead(3 * (FILE_COPY_AHEAD_MAXIMUM + 1) + 1);
    assert_int_equal(fake.asked, 1 + 3);
    assert_int_equal(fake.told, 3 * FILE_COPY_AHEAD_MAXIMUM + 1);
    assert_int_equal(start(100), IC_STATUS_OK);         /* and counts from the start again */
    give_ahead(FILE_COPY_AHEAD_MAXIMUM);
    assert_int_equal(fake.asked, 1 + 3 + 1);
}

static void a_failure_of_the_daemon_ends_the_copy(void **state)
{
    static const struct ic_file_copy_write body = { .header.operation = IC_FILE_COPY_WRITE,
                                                    .size = 1 };

    assert_int_equal(start(100), IC_STATUS_OK);
    give_ahead(FILE_COPY_AHEAD_MAXIMUM);
    assert_int_equal(send(&body, sizeof body, IC_STATUS_DISK_FULL), IC_STATUS_DISK_FULL);
    assert_int_equal(write_at(1, 1), IC_STATUS_FAIL);
    assert_int_equal(start(10), IC_STATUS_OK);
}

static void the_end_tells_of_a_failure_with_the_last_pieces(void **state)
{
    const struct ic_file_copy_header complete = { .operation = IC_FILE_COPY_COMPLETE };

    assert_int_equal(start(1), IC_STATUS_OK);
    assert_int_equal(write_at(0, 1), IC_STATUS_OK);
    assert_int_equal(send(&complete, sizeof complete, IC_STATUS_DISK_FULL), IC_STATUS_DISK_FULL);
    assert_int_equal(service.copies, 0);
    assert_false(service.copying);
    assert_int_equal(start(1), IC_STATUS_OK);
}

static void a_second_start_drops_the_first_copy(void **state)
{
    assert_int_equal(start(10), IC_STATUS_OK);
    assert_int_equal(start(20), IC_STATUS_OK);
    assert_int_equal(fake.resets, 1);
    assert_int_equal(write_at(19, 1), IC_STATUS_OK);
}

static void a_new_negotiation_drops_the_copy(void **state)
{
    assert_int_equal(start(10), IC_STATUS_OK);
    negotiate_with(&engine, IC_FILE_COPY_1_1);
    assert_int_equal(fake.resets, 1);
    assert_int_equal(write_at(0, 1), IC_STATUS_FAIL);
}

static void a_daemon_that_goes_ends_the_copy(void **state)
{
    assert_int_equal(start(10), IC_STATUS_OK);
    fake.there = false;
    assert_int_equal(write_at(0, 1), IC_STATUS_FAIL);
    fake.there = true;
    assert_int_equal(write_at(0, 1), IC_STATUS_FAIL);
    assert_int_equal(start(10), IC_STATUS_OK);
}

static void a_start_that_is_short_or_of_negative_size_is_refused(void **state)
{
    const struct ic_file_copy_start body = { .header.operation = IC_FILE_COPY_START };

    assert_int_equal(send(&body, sizeof body - 1, IC_STATUS_OK), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(send(&body, 35, IC_STATUS_OK), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(start(0x8000000000000000), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(fake.asked, 0);
    assert_int_equal(start(0), IC_STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_whole_copy_goes_through, setup),
        cmocka_unit_test_setup(pieces_outside_the_file_or_the_message_are_refused, setup),
        cmocka_unit_test_setup(a_piece_must_be_in_its_message, setup),
        cmocka_unit_test_setup(operations_out_of_order_are_refused, setup),
        cmocka_unit_test_setup(each_sixteenth_piece_waits_for_the_daemon, setup),
        cmocka_unit_test_setup(a_failure_of_the_daemon_ends_the_copy, setup),
        cmocka_unit_test_setup(the_end_tells_of_a_failure_with_the_last_pieces, setup),
        cmocka_unit_test_setup(a_second_start_drops_the_first_copy, setup),
        cmocka_unit_test_setup(a_new_negotiation_drops_the_copy, setup),
        cmocka_unit_test_setup(a_daemon_that_goes_ends_the_copy, setup),
        cmocka_unit_test_setup(a_start_that_is_short_or_of_negative_size_is_refused, setup),
    };

    return cmocka_run_group_tests_name("file_copy", tests, NULL, NULL);
}
