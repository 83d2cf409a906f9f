/* SPDX-License-Identifier: BSD-3-Clause */
/* Data exchange and backup: what the engines let through to their daemons. */
#include "kext/services/backup.h"
#include "kext/services/kvp.h"
#include "tests/unit/kext-services/fake_daemon.h"

static struct integration_engine engine;
static struct kvp kvp;
static struct backup backup;
static struct fake_daemon fake;

static int setup_kvp(void **state)
{
    memset(&kvp, 0, sizeof kvp);
    fake_daemon_init(&fake);
    kvp.port = &fake.port;
    integration_init(&engine, &kvp_service, &kvp);
    negotiate_with(&engine, IC_KVP_4_0);
    return 0;
}

/* The disks: held or not, willing or not. */
static struct {
    bool held, refuses;
    unsigned asked_before_end;  /* requests that the daemon had when the hold ended */
} disks;

static bool begin_hold(void *context)
{
    disks.held = !disks.refuses;
    return disks.held;
}

static bool end_hold(void *context)
{
    const bool held = disks.held;

    disks.held = false;
    disks.asked_before_end = fake.asked;
    return held;
}

static int setup_backup(void **state)
{
    memset(&backup, 0, sizeof backup);
    memset(&disks, 0, sizeof disks);
    fake_daemon_init(&fake);
    backup.port = &fake.port;
    backup.hold = (struct backup_hold){ NULL, begin_hold, end_hold };
    integration_init(&engine, &backup_service, &backup);
    negotiate_with(&engine, IC_VSS_5_0);
    return 0;
}

static uint32_t exchange(uint8_t operation, uint8_t pool, uint32_t key, uint32_t value,
                         uint32_t size)
{
    static uint8_t body[8000];
    const struct ic_kvp_header header = { operation, pool };
    uint32_t status;

    memset(body, 0, sizeof body);
    memcpy(body, &header, sizeof header);
    if (operation == IC_KVP_DELETE) {
        memcpy(body + 4, &key, sizeof key);
    } else {
        memcpy(body + 8, &key, sizeof key);
        memcpy(body + 12, &value, sizeof value);
    }
    ask_engine(&engine, IC_MESSAGE_KVP, body, size, &status);
    return status;
}

static void every_operation_reaches_the_daemon_whole(void **state)
{
    static const uint32_t sizes[] = { 2576, 2576, 520, 2580, 7428, 7428 };

    for (uint8_t operation = IC_KVP_GET; operation <= IC_KVP_SET_IP; operation++) {
        assert_int_equal(exchange(operation, 0, 2, 2, sizes[operation]), UINT32_MAX);
        assert_int_equal(fake.size, sizes[operation]);
        assert_int_equal(fake.body[0], operation);
        assert_int_equal(exchange(operation, 0, 2, 2, sizes[operation] - 1),
                         IC_STATUS_INVALID_ARGUMENT);
    }
    assert_int_equal(fake.asked, 6);
    assert_int_equal(kvp.refused, 6);
}

static void sizes_beyond_their_arrays_are_refused(void **state)
{
    assert_int_equal(exchange(IC_KVP_SET, 0, 513, 2, 2580), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(exchange(IC_KVP_SET, 0, 2, 2049, 2580), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(exchange(IC_KVP_GET, 0, UINT32_MAX, 2, 2580), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(exchange(IC_KVP_DELETE, 0, 513, 2, 2580), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(fake.asked, 0);
    assert_int_equal(exchange(IC_KVP_SET, 0, 512, 2048, 2580), UINT32_MAX);
}

static void unknown_operations_and_pools_are_refused(void **state)
{
    assert_int_equal(exchange(6, 0, 2, 2, 7428), IC_STATUS_NOT_SUPPORTED);
    assert_int_equal(exchange(255, 0, 2, 2, 7428), IC_STATUS_NOT_SUPPORTED);
    assert_int_equal(exchange(IC_KVP_GET, 5, 2, 2, 2580), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(exchange(IC_KVP_GET, 4, 2, 2, 2580), UINT32_MAX);
}

static void address_blocks_reach_the_daemon_with_the_length_of_their_form(void **state)
{
    const uint32_t text = sizeof(struct ic_kvp_ip), binary = sizeof(struct ic_kvp_ip_binary);

    assert_int_equal(exchange(IC_KVP_GET_IP, 0, 0, 0, text + 8), UINT32_MAX);
    assert_int_equal(fake.size, text);
    assert_int_equal(exchange(IC_KVP_SET_IP, 0, 0, 0, text - 1), IC_STATUS_INVALID_ARGUMENT);
    negotiate_with(&engine, IC_KVP_5_0);
    assert_int_equal(exchange(IC_KVP_GET_IP, 0, 0, 0, text), UINT32_MAX);
    assert_int_equal(fake.size, binary);
    assert_int_equal(exchange(IC_KVP_SET_IP, 0, 0, 0, binary), UINT32_MAX);
    assert_int_equal(fake.size, binary);
    assert_int_equal(exchange(IC_KVP_SET_IP, 0, 0, 0, binary - 1), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(exchange(IC_KVP_ENUMERATE, 2, 0, 0, 2580), UINT32_MAX);
    assert_int_equal(fake.size, 2580);
}

static void data_exchange_without_a_daemon_fails_at_once(void **state)
{
    fake.there = false;
    assert_int_equal(exchange(IC_KVP_ENUMERATE, 2, 0, 0, 2580), IC_STATUS_FAIL);
    fake.there = true;
    assert_int_equal(exchange(IC_KVP_ENUMERATE, 2, 0, 0, 2580), UINT32_MAX);
}

static uint32_t operate(uint8_t operation, uint32_t size)
{
    uint8_t body[64] = { operation };
    uint32_t status;

    ask_engine(&engine, IC_MESSAGE_VSS, body, size, &status);
    return status;
}

static void freeze_and_thaw_are_the_daemons(void **state)
{
    assert_int_equal(operate(IC_VSS_HOT_BACKUP, 12), UINT32_MAX);
    assert_int_equal(operate(IC_VSS_FREEZE, 20), UINT32_MAX);
    assert_int_equal(operate(IC_VSS_THAW, 12), UINT32_MAX);
    assert_int_equal(fake.asked, 3);
    assert_int_equal(fake.size, sizeof(struct ic_vss_header));
    assert_int_equal(fake.body[0], IC_VSS_THAW);
}

static void disks_are_held_between_the_daemons_freeze_and_thaw(void **state)
{
    operate(IC_VSS_HOT_BACKUP, 12);
    assert_int_equal(backup_answering(&backup, IC_STATUS_OK), IC_STATUS_OK);
    assert_false(disks.held);
    operate(IC_VSS_FREEZE, 20);
    assert_false(disks.held);                   /* the daemon still writes */
    assert_int_equal(backup_answering(&backup, IC_STATUS_OK), IC_STATUS_OK);
    assert_true(disks.held);
    operate(IC_VSS_THAW, 12);
    assert_false(disks.held);
    assert_int_equal(disks.asked_before_end, 2);
    assert_int_equal(backup_answering(&backup, IC_STATUS_OK), IC_STATUS_OK);
}

static void a_freeze_that_fails_holds_nothing(void **state)
{
    operate(IC_VSS_FREEZE, 20);
    assert_int_equal(backup_answering(&backup, IC_STATUS_FAIL), IC_STATUS_FAIL);
    assert_false(disks.held);
    disks.refuses = true;
    fake.resets = 0;
    operate(IC_VSS_FREEZE, 20);
    assert_int_equal(backup_answering(&backup, IC_STATUS_OK), IC_STATUS_FAIL);
    assert_int_equal(fake.resets, 1);           /* so the daemon thaws */
    disks.refuses = false;
    operate(IC_VSS_FREEZE, 20);
    assert_int_equal(backup_answering(&backup, IC_STATUS_OK), IC_STATUS_OK);
    assert_true(disks.held);
}

static void a_hold_that_ended_by_itself_spoils_the_backup(void **state)
{
    operate(IC_VSS_FREEZE, 20);
    backup_answering(&backup, IC_STATUS_OK);
    disks.held = false;                         /* the limit */
    operate(IC_VSS_THAW, 12);
    assert_int_equal(backup_answering(&backup, IC_STATUS_OK), IC_STATUS_FAIL);
    operate(IC_VSS_FREEZE, 20);
    assert_int_equal(backup_answering(&backup, IC_STATUS_OK), IC_STATUS_OK);
    operate(IC_VSS_THAW, 12);
    assert_int_equal(backup_answering(&backup, IC_STATUS_OK), IC_STATUS_OK);
}

static void a_daemon_that_dies_and_a_host_that_begins_anew_end_the_hold(void **state)
{
    operate(IC_VSS_FREEZE, 20);
    backup_answering(&backup, IC_STATUS_OK);
    backup_let_go(&backup);
    assert_false(disks.held);
    backup_let_go(&backup);
    operate(IC_VSS_FREEZE, 20);
    assert_int_equal(backup_answering(&backup, IC_STATUS_OK), IC_STATUS_OK);
    assert_true(disks.held);
    negotiate_with(&engine, IC_VSS_5_0);
    assert_false(disks.held);
}

static void without_a_daemon_no_backup_is_promised(void **state)
{
    fake.there = false;
    assert_int_equal(operate(IC_VSS_HOT_BACKUP, 12), IC_STATUS_FAIL);
    assert_int_equal(operate(IC_VSS_FREEZE, 20), IC_STATUS_FAIL);
    assert_int_equal(operate(IC_VSS_THAW, 12), IC_STATUS_FAIL);
    assert_int_equal(operate(IC_VSS_BACKUP_COMPLETE, 12), IC_STATUS_OK);
}

static void the_possible_backup_is_named_in_the_answer(void **state)
{
    struct ic_buffer buffer;
    struct ic_vss_flags flags = { .header.operation = IC_VSS_HOT_BACKUP };

    make_message(&buffer, IC_MESSAGE_VSS, &flags, sizeof flags);
    assert_int_equal(receive_message(&engine, &buffer), 0);
    memcpy(&flags, buffer.bytes + IC_HEADER, sizeof flags);
    assert_int_equal(flags.flags, IC_VSS_HOT_BACKUP_POSSIBLE | IC_VSS_HOT_BACKUP_NO_RECOVERY);
}

static void what_macos_cannot_do_and_short_messages_are_refused(void **state)
{
    assert_int_equal(operate(IC_VSS_AUTO_RECOVER, 64), IC_STATUS_NOT_SUPPORTED);
    assert_int_equal(operate(IC_VSS_QUERY_CLUSTER, 64), IC_STATUS_NOT_SUPPORTED);
    assert_int_equal(operate(200, 64), IC_STATUS_NOT_SUPPORTED);
    assert_int_equal(operate(IC_VSS_HOT_BACKUP, 11), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(operate(IC_VSS_FREEZE, 7), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(fake.asked, 0);
    assert_int_equal(operate(IC_VSS_FREEZE, 8), UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_operation_reaches_the_daemon_whole, setup_kvp),
        cmocka_unit_test_setup(sizes_beyond_their_arrays_are_refused, setup_kvp),
        cmocka_unit_test_setup(unknown_operations_and_pools_are_refused, setup_kvp),
        cmocka_unit_test_setup(address_blocks_reach_the_daemon_with_the_length_of_their_form,
                               setup_kvp),
        cmocka_unit_test_setup(data_exchange_without_a_daemon_fails_at_once, setup_kvp),
        cmocka_unit_test_setup(freeze_and_thaw_are_the_daemons, setup_backup),
        cmocka_unit_test_setup(disks_are_held_between_the_daemons_freeze_and_thaw, setup_backup),
        cmocka_unit_test_setup(a_freeze_that_fails_holds_nothing, setup_backup),
        cmocka_unit_test_setup(a_hold_that_ended_by_itself_spoils_the_backup, setup_backup),
        cmocka_unit_test_setup(a_daemon_that_dies_and_a_host_that_begins_anew_end_the_hold,
                               setup_backup),
        cmocka_unit_test_setup(without_a_daemon_no_backup_is_promised, setup_backup),
        cmocka_unit_test_setup(the_possible_backup_is_named_in_the_answer, setup_backup),
        cmocka_unit_test_setup(what_macos_cannot_do_and_short_messages_are_refused, setup_backup),
    };

    return cmocka_run_group_tests_name("kvp and backup", tests, NULL, NULL);
}
