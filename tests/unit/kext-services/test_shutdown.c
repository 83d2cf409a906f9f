/* SPDX-License-Identifier: BSD-3-Clause */
/* Shutdown: who decides, and in which order host and daemon hear of it. */
#include "kext/services/shutdown.h"
#include "tests/unit/kext-services/fake_daemon.h"

static struct integration_engine engine;
static struct shutdown service;
static struct fake_daemon fake;

static int setup(void **state)
{
    memset(&service, 0, sizeof service);
    fake_daemon_init(&fake);
    service.port = &fake.port;
    integration_init(&engine, &shutdown_service, &service);
    negotiate_with(&engine, IC_SHUTDOWN_3_2);
    return 0;
}

static uint32_t ask_for(uint32_t flags)
{
    const struct ic_shutdown body = { .reason = 7, .timeout = 60, .flags = flags };
    uint32_t status;

    ask_engine(&engine, IC_MESSAGE_SHUTDOWN, &body, sizeof body, &status);
    return status;
}

static void the_daemon_is_told_only_after_the_host_has_its_answer(void **state)
{
    uint32_t flags;

    assert_int_equal(ask_for(IC_SHUTDOWN_RESTART | IC_SHUTDOWN_FORCE), UINT32_MAX);
    assert_int_equal(fake.asked, 1);
    assert_int_equal(fake.told, 0);
    shutdown_answered(&service, IC_STATUS_OK);
    assert_int_equal(fake.told, 1);
    assert_int_equal(fake.size, IC_SHUTDOWN_SIZE_MINIMUM);
    memcpy(&flags, fake.body + 8, sizeof flags);
    assert_int_equal(flags, IC_SHUTDOWN_RESTART | IC_SHUTDOWN_FORCE);
}

static void a_refusal_of_the_daemon_is_the_end_of_it(void **state)
{
    assert_int_equal(ask_for(0), UINT32_MAX);
    shutdown_answered(&service, IC_STATUS_FAIL);
    assert_int_equal(fake.told, 0);
    assert_int_equal(ask_for(0), UINT32_MAX);
}

static void without_a_daemon_the_host_hears_so_at_once(void **state)
{
    fake.there = false;
    assert_int_equal(ask_for(0), IC_STATUS_FAIL);
    fake.there = true;
    assert_int_equal(ask_for(0), UINT32_MAX);
}

static void hibernation_and_unknown_flags_are_refused_without_the_daemon(void **state)
{
    assert_int_equal(ask_for(IC_SHUTDOWN_HIBERNATE), IC_STATUS_NOT_SUPPORTED);
    assert_int_equal(ask_for(IC_SHUTDOWN_HIBERNATE | IC_SHUTDOWN_FORCE), IC_STATUS_NOT_SUPPORTED);
    assert_int_equal(ask_for(IC_SHUTDOWN_HIBERNATE | IC_SHUTDOWN_RESTART),
                     IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(ask_for(8), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(ask_for(UINT32_MAX), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(fake.asked, 0);
    assert_int_equal(ask_for(0), UINT32_MAX);
}

static void a_restart_needs_a_version_that_has_it(void **state)
{
    negotiate_with(&engine, IC_SHUTDOWN_3_0);
    assert_int_equal(ask_for(IC_SHUTDOWN_RESTART), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(ask_for(0), UINT32_MAX);
    negotiate_with(&engine, IC_SHUTDOWN_3_1);
    assert_int_equal(ask_for(IC_SHUTDOWN_RESTART), UINT32_MAX);
}

static void a_second_request_hears_that_one_is_in_progress(void **state)
{
    assert_int_equal(ask_for(0), UINT32_MAX);
    shutdown_answered(&service, IC_STATUS_OK);
    assert_int_equal(ask_for(0), IC_STATUS_SHUTDOWN_IN_PROGRESS);
    shutdown_daemon_ready(&service);        /* it came to nothing: the guest is still here */
    assert_int_equal(ask_for(0), UINT32_MAX);
}

static void short_bodies_are_refused_and_long_ones_cut(void **state)
{
    static const uint8_t body[4000];
    uint32_t status;

    for (uint32_t size = 0; size < IC_SHUTDOWN_SIZE_MINIMUM; size++) {
        ask_engine(&engine, IC_MESSAGE_SHUTDOWN, body, size, &status);
        assert_int_equal(status, IC_STATUS_INVALID_ARGUMENT);
    }
    assert_int_equal(fake.asked, 0);
    ask_engine(&engine, IC_MESSAGE_SHUTDOWN, body, IC_SHUTDOWN_SIZE_MINIMUM, &status);
    assert_int_equal(fake.size, IC_SHUTDOWN_SIZE_MINIMUM);
    ask_engine(&engine, IC_MESSAGE_SHUTDOWN, body, sizeof body, &status);
    assert_int_equal(fake.size, sizeof(struct ic_shutdown));
}

static void a_new_negotiation_resets_the_daemon(void **state)
{
    unsigned before = fake.resets;

    negotiate_with(&engine, IC_SHUTDOWN_3_2);
    assert_int_equal(fake.resets, before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_daemon_is_told_only_after_the_host_has_its_answer, setup),
        cmocka_unit_test_setup(a_refusal_of_the_daemon_is_the_end_of_it, setup),
        cmocka_unit_test_setup(without_a_daemon_the_host_hears_so_at_once, setup),
        cmocka_unit_test_setup(hibernation_and_unknown_flags_are_refused_without_the_daemon, setup),
        cmocka_unit_test_setup(a_restart_needs_a_version_that_has_it, setup),
        cmocka_unit_test_setup(a_second_request_hears_that_one_is_in_progress, setup),
        cmocka_unit_test_setup(short_bodies_are_refused_and_long_ones_cut, setup),
        cmocka_unit_test_setup(a_new_negotiation_resets_the_daemon, setup),
    };

    return cmocka_run_group_tests_name("shutdown", tests, NULL, NULL);
}
