/* SPDX-License-Identifier: BSD-3-Clause */
/* NVSP as the host judges it: each rule with a guest that breaks it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "host/devices/netvsc_session.h"

static struct netvsc_session session;
static struct netvsc_decision decision;

static enum netvsc_verdict say(const struct nvsp_message *message, size_t size, bool on_primary)
{
    netvsc_session_handle(&session, message, size, on_primary, &decision);
    return decision.verdict;
}

static enum netvsc_verdict say_type(uint32_t type)
{
    const struct nvsp_message message = {.type = type};
    return say(&message, sizeof(message), true);
}

static bool offer(uint32_t version)
{
    const struct nvsp_message message = {.type = NVSP_INIT, .init = {version, version}};
    assert_int_equal(say(&message, sizeof(message), true), NETVSC_ANSWER);
    return decision.answer.init_complete.status == NVSP_STATUS_SUCCESS;
}

static void begin(uint32_t version_max, uint32_t version)
{
    session = (struct netvsc_session){.version_max = version_max, .sub_channels_max = 8};
    netvsc_session_reset(&session);
    assert_true(offer(version));
}

static void configure(uint32_t mtu)
{
    const struct nvsp_message message = {.type = NVSP_SEND_NDIS_CONFIG,
                                         .ndis_config = {.mtu = mtu}};
    assert_int_equal(say(&message, sizeof(message), true), NETVSC_NOTHING);
}

static enum netvsc_verdict lend(uint32_t type, uint16_t id)
{
    const struct nvsp_message message = {.type = type, .buffer = {.gpadl_id = 9, .id = id}};
    return say(&message, sizeof(message), true);
}

static void versions_above_the_hosts_are_refused_and_the_next_is_tried(void **state)
{
    session = (struct netvsc_session){.version_max = NVSP_VERSION_4};
    netvsc_session_reset(&session);
    assert_false(offer(NVSP_VERSION_6_1));
    assert_false(offer(NVSP_VERSION_5));
    assert_false(offer(0x00020000)); /* no such version */
    assert_true(offer(NVSP_VERSION_4));
    assert_int_equal(session.version, NVSP_VERSION_4);
    assert_int_equal(say_type(NVSP_INIT), NETVSC_STOP); /* once only */
}

static void nothing_goes_before_the_version(void **state)
{
    session = (struct netvsc_session){.version_max = NVSP_VERSION_6_1};
    netvsc_session_reset(&session);
    assert_int_equal(say_type(NVSP_SEND_RECEIVE_BUFFER), NETVSC_STOP);
    assert_int_equal(say_type(NVSP_RNDIS_PACKET), NETVSC_STOP);
    assert_true(offer(NVSP_VERSION_6_1));
}

static void short_messages_stop_the_channel(void **state)
{
    const struct nvsp_message message = {.type = NVSP_INIT};
    begin(NVSP_VERSION_6_1, NVSP_VERSION_6_1);
    for (size_t size = 0; size < 28; size++) {
        assert_int_equal(say(&message, size, true), NETVSC_STOP);
    }
}

static void the_configuration_comes_once_and_before_the_buffer(void **state)
{
    begin(NVSP_VERSION_6_1, NVSP_VERSION_6_1);
    assert_int_equal(lend(NVSP_SEND_RECEIVE_BUFFER, NVSP_RECEIVE_BUFFER_ID), NETVSC_STOP);
    configure(9014);
    assert_int_equal(session.mtu, 9014);
    assert_int_equal(say_type(NVSP_SEND_NDIS_CONFIG), NETVSC_STOP);
    assert_int_equal(lend(NVSP_SEND_RECEIVE_BUFFER, 1), NETVSC_STOP);
    assert_int_equal(lend(NVSP_SEND_RECEIVE_BUFFER, NVSP_RECEIVE_BUFFER_ID), NETVSC_RECEIVE_BUFFER);
    assert_int_equal(decision.gpadl_id, 9);
    session.receive_buffer = true;
    assert_int_equal(lend(NVSP_SEND_RECEIVE_BUFFER, NVSP_RECEIVE_BUFFER_ID), NETVSC_STOP);
    begin(NVSP_VERSION_6_1, NVSP_VERSION_1); /* which has no configuration */
    assert_int_equal(lend(NVSP_SEND_RECEIVE_BUFFER, NVSP_RECEIVE_BUFFER_ID), NETVSC_RECEIVE_BUFFER);
}

static void an_mtu_out_of_range_is_the_default(void **state)
{
    static const uint32_t bad[] = {0, 1513, 9217, UINT32_MAX};
    for (size_t i = 0; i < 4; i++) {
        begin(NVSP_VERSION_6_1, NVSP_VERSION_6_1);
        configure(bad[i]);
        assert_int_equal(session.mtu, NVSP_MTU_DEFAULT);
    }
}

static void rndis_needs_a_receive_buffer_and_control_the_primary(void **state)
{
    struct nvsp_message message = {.type = NVSP_RNDIS_PACKET,
                                   .rndis = {.channel_type = NVSP_CHANNEL_CONTROL}};
    begin(NVSP_VERSION_6_1, NVSP_VERSION_6_1);
    assert_int_equal(say(&message, sizeof(message), true), NETVSC_STOP);
    session.receive_buffer = true;
    assert_int_equal(say(&message, sizeof(message), true), NETVSC_RNDIS);
    assert_int_equal(say(&message, sizeof(message), false), NETVSC_STOP);
    message.rndis.channel_type = NVSP_CHANNEL_DATA;
    assert_int_equal(say(&message, sizeof(message), false), NETVSC_RNDIS);
    message.rndis.channel_type = 2;
    assert_int_equal(say(&message, sizeof(message), true), NETVSC_STOP);
}

static void sub_channels_are_granted_once_and_within_the_limit(void **state)
{
    struct nvsp_message message = {.type = NVSP_SUB_CHANNEL,
                                   .sub_channel = {NVSP_SUB_CHANNEL_ALLOCATE, 9}};
    begin(NVSP_VERSION_6_1, NVSP_VERSION_6_1);
    assert_int_equal(say(&message, sizeof(message), true), NETVSC_ANSWER);
    assert_int_equal(decision.answer.sub_channel_complete.status, NVSP_STATUS_FAILURE);
    message.sub_channel.count = 8;
    assert_int_equal(say(&message, sizeof(message), true), NETVSC_SUB_CHANNELS);
    assert_int_equal(decision.sub_channels, 8);
    assert_int_equal(say(&message, sizeof(message), true), NETVSC_ANSWER);
    begin(NVSP_VERSION_6_1, NVSP_VERSION_4);
    assert_int_equal(say(&message, sizeof(message), true), NETVSC_STOP);
}

static void only_what_was_lent_can_be_revoked(void **state)
{
    begin(NVSP_VERSION_6_1, NVSP_VERSION_6_1);
    assert_int_equal(say_type(NVSP_REVOKE_RECEIVE_BUFFER), NETVSC_STOP);
    session.receive_buffer = session.send_buffer = true;
    assert_int_equal(say_type(NVSP_REVOKE_RECEIVE_BUFFER), NETVSC_REVOKE_RECEIVE_BUFFER);
    assert_int_equal(say_type(NVSP_REVOKE_SEND_BUFFER), NETVSC_REVOKE_SEND_BUFFER);
    assert_int_equal(say_type(NVSP_REVOKE_SEND_BUFFER), NETVSC_STOP);
    assert_int_equal(say_type(9999), NETVSC_STOP);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_above_the_hosts_are_refused_and_the_next_is_tried),
        cmocka_unit_test(nothing_goes_before_the_version),
        cmocka_unit_test(short_messages_stop_the_channel),
        cmocka_unit_test(the_configuration_comes_once_and_before_the_buffer),
        cmocka_unit_test(an_mtu_out_of_range_is_the_default),
        cmocka_unit_test(rndis_needs_a_receive_buffer_and_control_the_primary),
        cmocka_unit_test(sub_channels_are_granted_once_and_within_the_limit),
        cmocka_unit_test(only_what_was_lent_can_be_revoked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
