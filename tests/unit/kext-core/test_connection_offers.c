/* SPDX-License-Identifier: BSD-3-Clause */
/* Offers and rescinds: known, unknown, repeated, malformed, in every state (D15). */
#include "tests/unit/kext-core/connections.h"

static struct scene scene;

static int setup(void **state)
{
    connect_as(&scene, VMBUS_VERSION_5_2);
    return 0;
}

static void an_offer_is_handed_on_with_what_it_says(void **state)
{
    struct vmbus_message_offer_channel offer = make_offer(2047, &class_a, &instance_a, 0);

    offer.flags = VMBUS_OFFER_PIPE | VMBUS_OFFER_ENUMERATE_INTERFACE;
    offer.pipe.pipe_type = VMBUS_OFFER_PIPE_TYPE_MESSAGE;
    offer.mmio_megabytes = 8;
    offer.monitor_allocated = 1;
    offer.monitor_id = 12;
    assert_int_equal(receive(&scene, &offer, sizeof offer), 0);
    assert_int_equal(scene.output.event, CONNECTION_EVENT_OFFER);
    assert_int_equal(scene.output.channel_id, 2047);
    assert_int_equal(scene.output.offer.connection_id, 0x2000 + 2047);
    assert_true(guid_equal(&scene.output.offer.class_id, &class_a));
    assert_true(guid_equal(&scene.output.offer.instance_id, &instance_a));
    assert_true(scene.output.offer.message_pipe);
    assert_true(scene.output.offer.dedicated_interrupt);
    assert_true(scene.output.offer.monitored);
    assert_int_equal(scene.output.offer.monitor_id, 12);
    assert_int_equal(scene.output.offer.mmio_megabytes, 8);
    assert_int_equal(connection_channel_state(&scene.connection, 2047), CHANNEL_OFFERED);
}

static void old_hosts_offers_lack_what_they_did_not_have(void **state)
{
    struct vmbus_message_offer_channel offer = make_offer(7, &class_a, &instance_a, 3);

    connect_as(&scene, VMBUS_VERSION_0_13);
    assert_int_equal(receive(&scene, &offer, VMBUS_OFFER_SIZE_0_13), 0);
    assert_int_equal(scene.output.offer.connection_id, VMBUS_CONNECTION_EVENT);
    assert_false(scene.output.offer.dedicated_interrupt);
    assert_int_equal(scene.output.offer.subchannel_index, 0);
    connect_as(&scene, VMBUS_VERSION_1_1);
    assert_int_equal(receive(&scene, &offer, VMBUS_OFFER_SIZE_0_13), HV_ERROR_MALFORMED);
    assert_int_equal(receive(&scene, &offer, sizeof offer), 0);
    assert_int_equal(scene.output.offer.connection_id, 0x2007);
    assert_int_equal(scene.output.offer.subchannel_index, 0);
    connect_as(&scene, VMBUS_VERSION_2_4);
    assert_int_equal(receive(&scene, &offer, sizeof offer), 0);
    assert_int_equal(scene.output.offer.subchannel_index, 3);
}

/* D5: ids at and beyond the edges. */
static void impossible_channel_ids_are_refused_and_the_next_offer_works(void **state)
{
    static const uint32_t bad[] = { 0, 2048, 0x80000001, 0xFFFFFFFF };

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(receive_offer(&scene, bad[i], &class_a, &instance_a, 0),
                         HV_ERROR_MALFORMED);
        assert_int_equal(scene.output.event, CONNECTION_EVENT_NONE);
    }
    assert_int_equal(scene.connection.counters.bad_offer, COUNT_OF(bad));
    assert_int_equal(receive_offer(&scene, 1, &class_a, &instance_a, 0), 0);
    connect_as(&scene, VMBUS_VERSION_1_1);
    assert_int_equal(receive_offer(&scene, 256, &class_a, &instance_a, 0), HV_ERROR_MALFORMED);
    assert_int_equal(receive_offer(&scene, 255, &class_a, &instance_a, 0), 0);
}

static void a_channel_id_in_use_or_a_device_twice_is_refused(void **state)
{
    assert_int_equal(receive_offer(&scene, 4, &class_a, &instance_a, 0), 0);
    assert_int_equal(receive_offer(&scene, 4, &class_b, &instance_b, 0), HV_ERROR_MALFORMED);
    assert_int_equal(receive_offer(&scene, 5, &class_a, &instance_a, 0), HV_ERROR_MALFORMED);
    assert_int_equal(scene.connection.counters.duplicate_offer, 2);
    assert_int_equal(receive_offer(&scene, 5, &class_a, &instance_a, 1), 0);    /* sub-channel */
    assert_int_equal(receive_offer(&scene, 6, &class_a, &instance_a, 1), HV_ERROR_MALFORMED);
    assert_int_equal(receive_offer(&scene, 6, &class_a, &instance_b, 0), 0);
    assert_int_equal(receive_offer(&scene, 7, &class_b, &instance_a, 0), 0);
}

static void unknown_and_short_messages_are_dropped_and_the_next_one_works(void **state)
{
    struct vmbus_message_offer_channel offer = make_offer(4, &class_a, &instance_a, 0);
    static const uint32_t never_sent[] = { 0, VMBUS_MESSAGE_REQUEST_OFFERS,
                                           VMBUS_MESSAGE_OPEN_CHANNEL, VMBUS_MESSAGE_UNLOAD,
                                           VMBUS_MESSAGE_RESUME, VMBUS_MESSAGE_TYPE_COUNT,
                                           0xFFFFFFFF };

    for (size_t i = 0; i < COUNT_OF(never_sent); i++)
        assert_int_equal(receive_header(&scene, never_sent[i]), HV_ERROR_NOT_SUPPORTED);
    assert_int_equal(scene.connection.counters.unknown_type, COUNT_OF(never_sent));
    for (uint32_t size = 0; size < sizeof offer; size++)
        assert_int_equal(receive(&scene, &offer, size), HV_ERROR_MALFORMED);
    assert_int_equal(receive(&scene, &offer, sizeof offer), 0);
}

static void messages_longer_than_they_need_be_are_taken(void **state)
{
    uint8_t message[VMBUS_MESSAGE_SIZE_MAXIMUM] = { VMBUS_MESSAGE_ALL_OFFERS_DELIVERED };

    assert_int_equal(receive(&scene, message, sizeof message), 0);
    assert_int_equal(scene.output.event, CONNECTION_EVENT_OFFERS_DELIVERED);
    assert_int_equal(receive(&scene, message, sizeof message), HV_ERROR_UNEXPECTED);
}

static void a_rescind_is_handed_on_once_and_ends_with_the_release(void **state)
{
    const struct vmbus_message_channel released = { { VMBUS_MESSAGE_RELID_RELEASED, 0 }, 4 };

    receive_offer(&scene, 4, &class_a, &instance_a, 0);
    assert_int_equal(receive_channel(&scene, VMBUS_MESSAGE_RESCIND_CHANNEL, 4), 0);
    assert_int_equal(scene.output.event, CONNECTION_EVENT_RESCIND);
    assert_int_equal(scene.output.channel_id, 4);
    assert_int_equal(receive_channel(&scene, VMBUS_MESSAGE_RESCIND_CHANNEL, 4),
                     HV_ERROR_MALFORMED);
    assert_int_equal(receive_offer(&scene, 4, &class_a, &instance_a, 0), HV_ERROR_MALFORMED);
    assert_int_equal(connection_release_channel(&scene.connection, 4, &scene.post), 0);
    assert_int_equal(scene.post.size, 12);
    assert_memory_equal(scene.post.payload, &released, 12);
    assert_int_equal(connection_release_channel(&scene.connection, 4, &scene.post),
                     HV_ERROR_NOT_FOUND);
    assert_int_equal(receive_offer(&scene, 4, &class_a, &instance_a, 0), 0);
}

static void the_same_device_may_return_under_a_new_id_before_the_old_one_is_released(void **state)
{
    receive_offer(&scene, 4, &class_a, &instance_a, 0);
    receive_channel(&scene, VMBUS_MESSAGE_RESCIND_CHANNEL, 4);
    assert_int_equal(receive_offer(&scene, 5, &class_a, &instance_a, 0), 0);
}

static void unknown_rescinds_are_counted_and_ignored(void **state)
{
    static const uint32_t unknown[] = { 0, 1, 2047, 2048, 0xFFFFFFFF };

    for (size_t i = 0; i < COUNT_OF(unknown); i++)
        assert_int_equal(receive_channel(&scene, VMBUS_MESSAGE_RESCIND_CHANNEL, unknown[i]),
                         HV_ERROR_MALFORMED);
    assert_int_equal(scene.connection.counters.bad_rescind, COUNT_OF(unknown));
}

/* D15: a rescind in each state a channel can be in. */
static void a_rescind_in_each_state_ends_what_waits_and_leads_to_the_release(void **state)
{
    connection_request_handle request;
    uint32_t gpadl_id;
    int result;

    for (unsigned step = 0; step < 4; step++) {
        setup(NULL);
        receive_offer(&scene, 4, &class_a, &instance_a, 0);
        request = 0;
        if (step == 1)
            assert_int_equal(begin_gpadl(&scene, 4, &gpadl_id, &request), 0);
        if (step == 2)
            assert_int_equal(begin_open(&scene, 4, live_gpadl(&scene, 4), &request), 0);
        if (step == 3)
            open_fully(&scene, 4, &gpadl_id);
        assert_int_equal(receive_channel(&scene, VMBUS_MESSAGE_RESCIND_CHANNEL, 4), 0);
        if (request != 0) {
            assert_true(connection_request_result(&scene.connection, request, &result));
            assert_int_equal(result, HV_ERROR_GONE);
        }
        assert_int_equal(begin_gpadl(&scene, 4, &gpadl_id, &request), HV_ERROR_GONE);
        if (step >= 2)              /* the host may have it open: it is closed first */
            assert_int_equal(connection_release_channel(&scene.connection, 4, &scene.post),
                             HV_ERROR_STATE);
        assert_int_equal(connection_close_channel(&scene.connection, 4, &scene.post),
                         step >= 2 ? 0 : HV_ERROR_STATE);
        assert_int_equal(connection_release_channel(&scene.connection, 4, &scene.post), 0);
    }
}

int main(void)
{
#define offer_test(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        offer_test(an_offer_is_handed_on_with_what_it_says),
        offer_test(old_hosts_offers_lack_what_they_did_not_have),
        offer_test(impossible_channel_ids_are_refused_and_the_next_offer_works),
        offer_test(a_channel_id_in_use_or_a_device_twice_is_refused),
        offer_test(unknown_and_short_messages_are_dropped_and_the_next_one_works),
        offer_test(messages_longer_than_they_need_be_are_taken),
        offer_test(a_rescind_is_handed_on_once_and_ends_with_the_release),
        offer_test(the_same_device_may_return_under_a_new_id_before_the_old_one_is_released),
        offer_test(unknown_rescinds_are_counted_and_ignored),
        offer_test(a_rescind_in_each_state_ends_what_waits_and_leads_to_the_release),
    };

    return cmocka_run_group_tests_name("connection_offers", tests, NULL, NULL);
}
