/* SPDX-License-Identifier: BSD-3-Clause */
/* Version negotiation: what is posted for every version, byte by byte, and where the ladder goes
 * when the host accepts, refuses or says nothing (D16). */
#include "tests/unit/kext-core/connections.h"

static struct scene scene;

static const uint32_t ladder[] = {
    VMBUS_VERSION_6_0, VMBUS_VERSION_5_3, VMBUS_VERSION_5_2, VMBUS_VERSION_5_1,
    VMBUS_VERSION_5_0, VMBUS_VERSION_4_1, VMBUS_VERSION_4_0, VMBUS_VERSION_3_0,
    VMBUS_VERSION_2_4, VMBUS_VERSION_1_1, VMBUS_VERSION_0_13,
};

static const struct connection_parameters any_version = { .target_vp = 3,
                                                          .interrupt_page = 0x123456789000 };

static int setup(void **state)
{
    connection_init(&scene.connection);
    return 0;
}

/* The proposal in `post`, whole: every byte of the message is checked. */
static void assert_proposal(const struct connection_message *post, uint32_t version,
                            uint32_t connection_id)
{
    struct vmbus_message_initiate_contact expected;
    static const uint8_t zero[VMBUS_MESSAGE_SIZE_MAXIMUM];

    memset(&expected, 0, sizeof expected);
    expected.header.type = VMBUS_MESSAGE_INITIATE_CONTACT;
    expected.version = version;
    expected.target_vp = 3;
    if (version < VMBUS_VERSION_5_0)
        expected.interrupt_page = 0x123456789000;
    else
        expected.target_sint = 2;
    assert_int_equal(post->connection_id, connection_id);
    assert_int_equal(post->size, 40);
    assert_memory_equal(post->payload, &expected, 40);
    assert_memory_equal(post->payload + 40, zero, VMBUS_MESSAGE_SIZE_MAXIMUM - 40);
}

static uint32_t proposal_port(uint32_t version)
{
    return version >= VMBUS_VERSION_5_0 ? VMBUS_CONNECTION_MULTI_CLIENT
                                        : VMBUS_CONNECTION_MESSAGE;
}

static void a_host_that_refuses_is_asked_for_every_version_in_turn(void **state)
{
    assert_int_equal(connection_start(&scene.connection, &any_version, &scene.post), 0);
    assert_proposal(&scene.post, ladder[0], VMBUS_CONNECTION_MULTI_CLIENT);
    for (size_t i = 1; i < COUNT_OF(ladder); i++) {
        assert_int_equal(receive_version(&scene, 0, 0, 0), 0);
        assert_int_equal(scene.output.event, CONNECTION_EVENT_NONE);
        assert_proposal(&scene.output.post, ladder[i], proposal_port(ladder[i]));
    }
    assert_int_equal(receive_version(&scene, 0, 0, 0), 0);
    assert_int_equal(scene.output.event, CONNECTION_EVENT_FAILED);
    assert_int_equal(scene.output.post.size, 0);
    assert_int_equal(scene.connection.state, CONNECTION_DISCONNECTED);
}

static void each_version_can_be_agreed_on(void **state)
{
    static const struct vmbus_message_header request_offers = { VMBUS_MESSAGE_REQUEST_OFFERS, 0 };

    for (size_t accepted = 0; accepted < COUNT_OF(ladder); accepted++) {
        uint32_t port = VMBUS_CONNECTION_MESSAGE;

        setup(NULL);
        assert_int_equal(connection_start(&scene.connection, &any_version, &scene.post), 0);
        for (size_t i = 0; i < accepted; i++)
            receive_version(&scene, 0, 0, 0);
        if (ladder[accepted] >= VMBUS_VERSION_5_0)
            port = 77;                              /* the host says where to go on */
        assert_int_equal(receive_version(&scene, 1, 0, 77), 0);
        assert_int_equal(scene.output.event, CONNECTION_EVENT_CONNECTED);
        assert_int_equal(scene.connection.version, ladder[accepted]);
        assert_int_equal(scene.output.post.size, 8);
        assert_int_equal(scene.output.post.connection_id, port);
        assert_memory_equal(scene.output.post.payload, &request_offers, 8);
    }
}

static void a_host_that_says_nothing_is_tried_on_both_ports(void **state)
{
    assert_int_equal(connection_start(&scene.connection, &any_version, &scene.post), 0);
    assert_proposal(&scene.post, VMBUS_VERSION_6_0, VMBUS_CONNECTION_MULTI_CLIENT);
    assert_int_equal(connection_proposal_failed(&scene.connection, &scene.post), 0);
    assert_proposal(&scene.post, VMBUS_VERSION_6_0, VMBUS_CONNECTION_MESSAGE);
    for (size_t i = 1; i < COUNT_OF(ladder); i++) {     /* the other port is not tried again */
        assert_int_equal(connection_proposal_failed(&scene.connection, &scene.post), 0);
        assert_proposal(&scene.post, ladder[i], VMBUS_CONNECTION_MESSAGE);
    }
    assert_int_equal(connection_proposal_failed(&scene.connection, &scene.post),
                     HV_ERROR_REFUSED);
    assert_int_equal(scene.post.size, 0);
    assert_int_equal(connection_proposal_failed(&scene.connection, &scene.post), HV_ERROR_STATE);
}

/* Whatever an attempt came to, the next one begins at the top and on the newer port. */
static void assert_starts_anew(void)
{
    assert_int_equal(connection_start(&scene.connection, &any_version, &scene.post), 0);
    assert_proposal(&scene.post, ladder[0], VMBUS_CONNECTION_MULTI_CLIENT);
}

static void the_attempt_after_one_that_failed_begins_anew(void **state)
{
    assert_starts_anew();
    for (size_t i = 0; i < COUNT_OF(ladder); i++)
        receive_version(&scene, 0, 0, 0);
    assert_int_equal(scene.output.event, CONNECTION_EVENT_FAILED);
    assert_starts_anew();
    for (size_t i = 0; i <= COUNT_OF(ladder); i++)      /* the first on both ports */
        connection_proposal_failed(&scene.connection, &scene.post);
    assert_int_equal(scene.connection.state, CONNECTION_DISCONNECTED);
    assert_starts_anew();
    assert_int_equal(receive_version(&scene, 1, 0, 0), 0);
    assert_int_equal(scene.connection.version, ladder[0]);
}

static void a_connection_after_an_older_one_may_be_newer(void **state)
{
    for (size_t accepted = 0; accepted < COUNT_OF(ladder); accepted++) {
        setup(NULL);
        assert_starts_anew();
        connection_proposal_failed(&scene.connection, &scene.post); /* the other port from now on */
        for (size_t i = 0; i < accepted; i++)
            receive_version(&scene, 0, 0, 0);
        receive_version(&scene, 1, 0, 77);
        assert_int_equal(scene.connection.version, ladder[accepted]);
        assert_int_equal(connection_unload(&scene.connection, &scene.post), 0);
        assert_int_equal(receive_header(&scene, VMBUS_MESSAGE_UNLOAD_RESPONSE), 0);
        assert_starts_anew();
    }
}

static void limits_cut_the_ladder(void **state)
{
    struct connection_parameters limits = any_version;

    limits.version_maximum = VMBUS_VERSION_4_1 + 5;     /* between two: the next below */
    limits.version_minimum = VMBUS_VERSION_4_0;
    assert_int_equal(connection_start(&scene.connection, &limits, &scene.post), 0);
    assert_proposal(&scene.post, VMBUS_VERSION_4_1, VMBUS_CONNECTION_MESSAGE);
    receive_version(&scene, 0, 0, 0);
    assert_proposal(&scene.output.post, VMBUS_VERSION_4_0, VMBUS_CONNECTION_MESSAGE);
    receive_version(&scene, 0, 0, 0);
    assert_int_equal(scene.output.event, CONNECTION_EVENT_FAILED);
    limits.version_minimum = VMBUS_VERSION_5_0;
    assert_int_equal(connection_start(&scene.connection, &limits, &scene.post), HV_ERROR_INVALID);
    limits.version_maximum = 1;
    limits.version_minimum = 0;
    assert_int_equal(connection_start(&scene.connection, &limits, &scene.post), HV_ERROR_INVALID);
}

static void what_is_no_version_is_known_as_such(void **state)
{
    static const uint32_t not_versions[] = {
        0, 1, VMBUS_VERSION(3, 1), VMBUS_VERSION(7, 0), 0x7a7a, UINT32_MAX,
    };
    size_t index;

    for (index = 0; index < sizeof not_versions / sizeof *not_versions; index++)
        assert_false(connection_knows_version(not_versions[index]));
    assert_true(connection_knows_version(VMBUS_VERSION_0_13));
    assert_true(connection_knows_version(VMBUS_VERSION_6_0));
}

static void a_failed_connection_state_counts_from_2_4_on(void **state)
{
    for (size_t i = 0; i < COUNT_OF(ladder); i++) {
        const struct connection_parameters only = { .version_maximum = ladder[i],
                                                    .version_minimum = ladder[i] };

        setup(NULL);
        assert_int_equal(connection_start(&scene.connection, &only, &scene.post), 0);
        receive_version(&scene, 1, VMBUS_CONNECTION_STATE_UNKNOWN, 0);
        assert_int_equal(scene.output.event, ladder[i] >= VMBUS_VERSION_2_4
                                                 ? CONNECTION_EVENT_FAILED
                                                 : CONNECTION_EVENT_CONNECTED);
    }
}

static void a_host_that_names_no_port_is_reached_where_it_answered(void **state)
{
    assert_int_equal(connection_start(&scene.connection, &any_version, &scene.post), 0);
    receive_version(&scene, 1, 0, 0);
    assert_int_equal(scene.output.post.connection_id, VMBUS_CONNECTION_MULTI_CLIENT);
}

static void what_an_earlier_connection_left_is_dropped_until_the_answer(void **state)
{
    assert_int_equal(connection_start(&scene.connection, &any_version, &scene.post), 0);
    assert_int_equal(receive_offer(&scene, 5, &class_a, &instance_a, 0), HV_ERROR_UNEXPECTED);
    assert_int_equal(receive_channel(&scene, VMBUS_MESSAGE_RESCIND_CHANNEL, 5),
                     HV_ERROR_UNEXPECTED);
    assert_int_equal(receive_header(&scene, VMBUS_MESSAGE_ALL_OFFERS_DELIVERED),
                     HV_ERROR_UNEXPECTED);
    assert_int_equal(receive_header(&scene, VMBUS_MESSAGE_UNLOAD_RESPONSE), HV_ERROR_UNEXPECTED);
    assert_int_equal(scene.connection.counters.unexpected, 4);
    assert_int_equal(receive_version(&scene, 1, 0, 1), 0);
    assert_int_equal(receive_offer(&scene, 5, &class_a, &instance_a, 0), 0);
}

static void a_second_answer_changes_nothing(void **state)
{
    connect_as(&scene, VMBUS_VERSION_5_3);
    assert_int_equal(receive_version(&scene, 1, 0, 99), HV_ERROR_UNEXPECTED);
    assert_int_equal(receive_version(&scene, 0, 0, 0), HV_ERROR_UNEXPECTED);
    assert_int_equal(scene.connection.state, CONNECTION_CONNECTED);
    assert_int_equal(scene.connection.message_connection_id, 1);
    assert_int_equal(receive_header(&scene, VMBUS_MESSAGE_ALL_OFFERS_DELIVERED), 0);
}

static void a_short_answer_is_dropped_and_the_next_one_taken(void **state)
{
    static const uint8_t message[15] = { VMBUS_MESSAGE_VERSION_RESPONSE, [8] = 1 };

    assert_int_equal(connection_start(&scene.connection, &any_version, &scene.post), 0);
    for (uint32_t size = 0; size <= sizeof message; size++)
        assert_int_equal(receive(&scene, message, size), HV_ERROR_MALFORMED);
    assert_int_equal(scene.connection.counters.too_short, 16);
    assert_int_equal(receive_version(&scene, 1, 0, 1), 0);
}

static void unloading_forgets_everything_and_allows_a_new_start(void **state)
{
    static const struct vmbus_message_header unload = { VMBUS_MESSAGE_UNLOAD, 0 };
    connection_request_handle request;
    uint32_t gpadl_id;
    int result;

    connect_as(&scene, VMBUS_VERSION_5_3);
    receive_offer(&scene, 9, &class_a, &instance_a, 0);
    assert_int_equal(begin_gpadl(&scene, 9, &gpadl_id, &request), 0);
    assert_int_equal(connection_unload(&scene.connection, &scene.post), 0);
    assert_int_equal(scene.post.size, 8);
    assert_memory_equal(scene.post.payload, &unload, 8);
    assert_true(connection_request_result(&scene.connection, request, &result));
    assert_int_equal(result, HV_ERROR_GONE);
    assert_int_equal(connection_unload(&scene.connection, &scene.post), HV_ERROR_STATE);
    assert_int_equal(connection_start(&scene.connection, &any_version, &scene.post),
                     HV_ERROR_STATE);
    assert_int_equal(receive_header(&scene, VMBUS_MESSAGE_UNLOAD_RESPONSE), 0);
    assert_int_equal(scene.output.event, CONNECTION_EVENT_UNLOADED);
    assert_int_equal(connection_channel_state(&scene.connection, 9), CHANNEL_UNUSED);
    assert_int_equal(receive_header(&scene, VMBUS_MESSAGE_UNLOAD_RESPONSE), HV_ERROR_UNEXPECTED);
    assert_int_equal(connection_start(&scene.connection, &any_version, &scene.post), 0);
    assert_int_equal(receive_version(&scene, 1, 0, 1), 0);
    assert_int_equal(receive_offer(&scene, 9, &class_a, &instance_a, 0), 0);
}

int main(void)
{
#define version_test(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        version_test(a_host_that_refuses_is_asked_for_every_version_in_turn),
        version_test(each_version_can_be_agreed_on),
        version_test(a_host_that_says_nothing_is_tried_on_both_ports),
        version_test(the_attempt_after_one_that_failed_begins_anew),
        version_test(a_connection_after_an_older_one_may_be_newer),
        version_test(limits_cut_the_ladder),
        version_test(what_is_no_version_is_known_as_such),
        version_test(a_failed_connection_state_counts_from_2_4_on),
        version_test(a_host_that_names_no_port_is_reached_where_it_answered),
        version_test(what_an_earlier_connection_left_is_dropped_until_the_answer),
        version_test(a_second_answer_changes_nothing),
        version_test(a_short_answer_is_dropped_and_the_next_one_taken),
        version_test(unloading_forgets_everything_and_allows_a_new_start),
    };

    return cmocka_run_group_tests_name("connection_versions", tests, NULL, NULL);
}
