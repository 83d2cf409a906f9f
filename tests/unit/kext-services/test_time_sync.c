/* SPDX-License-Identifier: BSD-3-Clause */
/* Time: the delay of delivery is taken out, impossible times are refused,
 * a late daemon hears it. */
#include "kext/services/time_sync.h"
#include "tests/unit/kext-services/fake_daemon.h"

/* 2024-01-01, in the host's units. */
#define NEW_YEAR (IC_TIME_UNIX_EPOCH + UINT64_C(1704067200) * IC_TIME_UNITS_PER_SECOND)
#define SECOND   IC_TIME_UNITS_PER_SECOND

static struct integration_engine engine;
static struct time_sync service;
static struct fake_daemon fake;
static uint64_t reference, tick; /* the clock goes on by a tick at each look */

static uint64_t reference_now(void *context)
{
    reference += tick;
    return reference;
}

static int setup(void **state)
{
    memset(&service, 0, sizeof service);
    fake_daemon_init(&fake);
    service.port = &fake.port;
    service.reference_now = reference_now;
    reference = 1000 * SECOND;
    tick = 0;
    integration_init(&engine, &time_sync_service, &service);
    negotiate_with(&engine, IC_TIME_SYNC_4_0);
    return 0;
}

static uint32_t say(uint64_t time, uint64_t at, uint8_t flags)
{
    const struct ic_time_sync_4_0 body = { .host_time = time, .reference_time = at,
                                           .flags = flags, .leap = 1, .stratum = 3 };
    uint32_t status;

    ask_engine(&engine, IC_MESSAGE_TIME_SYNC, &body, sizeof body, &status);
    return status;
}

static struct service_control_time heard(void)
{
    struct service_control_time time;

    assert_int_equal(fake.size, sizeof time);
    memcpy(&time, fake.body, sizeof time);
    return time;
}

static void the_time_since_the_host_looked_is_added(void **state)
{
    assert_int_equal(say(NEW_YEAR, reference - 3 * SECOND, IC_TIME_SYNC), IC_STATUS_OK);
    assert_int_equal(heard().host_time, NEW_YEAR + 3 * SECOND);
    assert_int_equal(heard().flags, IC_TIME_SYNC);
    assert_int_equal(heard().leap, 1);
    assert_int_equal(heard().stratum, 3);
    assert_int_equal(service.syncs, 1);
}

static void a_daemon_that_comes_late_hears_the_time_of_then(void **state)
{
    fake.there = false;
    assert_int_equal(say(NEW_YEAR, reference, IC_TIME_SYNC), IC_STATUS_OK);
    reference += 90 * SECOND;
    fake.there = true;
    time_sync_daemon_ready(&service);
    assert_int_equal(heard().host_time, NEW_YEAR + 90 * SECOND);
    assert_int_equal(heard().flags, IC_TIME_SYNC);
}

static void a_daemon_hears_nothing_before_the_host_has_said_a_time(void **state)
{
    time_sync_daemon_ready(&service);
    assert_int_equal(fake.told, 0);
}

static void what_a_host_said_before_it_began_anew_is_not_repeated(void **state)
{
    assert_int_equal(say(NEW_YEAR, reference, IC_TIME_SYNC), IC_STATUS_OK);
    negotiate_with(&engine, IC_TIME_SYNC_4_0);
    fake.told = 0;
    time_sync_daemon_ready(&service);
    assert_int_equal(fake.told, 0);
    assert_int_equal(say(NEW_YEAR + 7200 * SECOND, reference, IC_TIME_SYNC), IC_STATUS_OK);
    assert_int_equal(heard().host_time, NEW_YEAR + 7200 * SECOND);
    assert_int_equal(heard().flags, IC_TIME_SYNC);
}

static void older_versions_have_the_time_as_it_is(void **state)
{
    const struct ic_time_sync body = { .host_time = NEW_YEAR, .flags = IC_TIME_SAMPLE };
    uint32_t status;

    negotiate_with(&engine, IC_TIME_SYNC_3_0);
    ask_engine(&engine, IC_MESSAGE_TIME_SYNC, &body, IC_TIME_SYNC_SIZE_MINIMUM, &status);
    assert_int_equal(status, IC_STATUS_OK);
    assert_int_equal(heard().host_time, NEW_YEAR);
    assert_int_equal(heard().flags, IC_TIME_SAMPLE);
    ask_engine(&engine, IC_MESSAGE_TIME_SYNC, &body, IC_TIME_SYNC_SIZE_MINIMUM - 1, &status);
    assert_int_equal(status, IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(fake.told, 1);
}

static void an_older_hosts_time_is_not_of_the_future(void **state)
{
    const struct ic_time_sync body = { .host_time = NEW_YEAR, .flags = IC_TIME_SYNC };
    uint32_t status;

    negotiate_with(&engine, IC_TIME_SYNC_3_0);
    tick = 1;
    ask_engine(&engine, IC_MESSAGE_TIME_SYNC, &body, sizeof body, &status);
    assert_int_equal(status, IC_STATUS_OK);
    assert_in_range(heard().host_time, NEW_YEAR, NEW_YEAR + 5);
}

static void impossible_times_are_refused_and_the_next_good_one_is_taken(void **state)
{
    static const uint64_t bad[] = {
        0, 1, IC_TIME_UNIX_EPOCH, TIME_SYNC_EARLIEST - 1,       /* 1601, 1970, 2000 */
        TIME_SYNC_LATEST + 1, UINT64_C(0x7FFFFFFFFFFFFFFF),     /* 2200, 30828 */
        UINT64_MAX,
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(say(bad[i], reference, IC_TIME_SYNC), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(service.refused, COUNT_OF(bad));
    assert_int_equal(fake.told, 0);
    assert_false(service.known);
    assert_int_equal(say(TIME_SYNC_EARLIEST, reference, IC_TIME_SYNC), IC_STATUS_OK);
    assert_int_equal(say(TIME_SYNC_LATEST, reference, IC_TIME_SYNC), IC_STATUS_OK);
    assert_int_equal(fake.told, 2);
}

static void a_reference_time_of_the_future_or_of_no_age_is_refused(void **state)
{
    assert_int_equal(say(NEW_YEAR, reference + TIME_SYNC_REFERENCE_SLACK + 1, IC_TIME_SYNC),
                     IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(say(NEW_YEAR, UINT64_MAX, IC_TIME_SYNC), IC_STATUS_INVALID_ARGUMENT);
    reference = UINT64_MAX;                         /* the sum would go round */
    assert_int_equal(say(NEW_YEAR, 0, IC_TIME_SYNC), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(fake.told, 0);
    assert_int_equal(say(NEW_YEAR, reference, IC_TIME_SYNC), IC_STATUS_OK);
}

static void a_host_whose_counter_is_a_little_ahead_is_believed(void **state)
{
    assert_int_equal(say(NEW_YEAR, reference + 1, IC_TIME_SYNC), IC_STATUS_OK);
    assert_int_equal(heard().host_time, NEW_YEAR);
    assert_int_equal(say(NEW_YEAR, reference + TIME_SYNC_REFERENCE_SLACK, IC_TIME_SYNC),
                     IC_STATUS_OK);
    assert_int_equal(heard().host_time, NEW_YEAR);
    reference += 2 * SECOND;
    time_sync_daemon_ready(&service);
    assert_int_equal(heard().host_time, NEW_YEAR + SECOND);
}

static void a_probe_is_answered_and_changes_nothing(void **state)
{
    assert_int_equal(say(NEW_YEAR, reference, IC_TIME_PROBE), IC_STATUS_OK);
    assert_false(service.known);
    assert_int_equal(fake.told, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_time_since_the_host_looked_is_added, setup),
        cmocka_unit_test_setup(a_daemon_that_comes_late_hears_the_time_of_then, setup),
        cmocka_unit_test_setup(a_daemon_hears_nothing_before_the_host_has_said_a_time, setup),
        cmocka_unit_test_setup(what_a_host_said_before_it_began_anew_is_not_repeated, setup),
        cmocka_unit_test_setup(older_versions_have_the_time_as_it_is, setup),
        cmocka_unit_test_setup(an_older_hosts_time_is_not_of_the_future, setup),
        cmocka_unit_test_setup(impossible_times_are_refused_and_the_next_good_one_is_taken, setup),
        cmocka_unit_test_setup(a_reference_time_of_the_future_or_of_no_age_is_refused, setup),
        cmocka_unit_test_setup(a_host_whose_counter_is_a_little_ahead_is_believed, setup),
        cmocka_unit_test_setup(a_probe_is_answered_and_changes_nothing, setup),
    };

    return cmocka_run_group_tests_name("time_sync", tests, NULL, NULL);
}
