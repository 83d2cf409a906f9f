/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests to the host: replies are matched by type and id, never by type alone (D9). */
#include "tests/unit/kext-core/connections.h"

static struct scene scene;
static connection_request_handle request, other;
static int result;

static int setup(void **state)
{
    connect_as(&scene, VMBUS_VERSION_5_3);
    assert_int_equal(receive_offer(&scene, 4, &class_a, &instance_a, 0), 0);
    assert_int_equal(receive_offer(&scene, 5, &class_a, &instance_b, 0), 0);
    return 0;
}

static bool done(connection_request_handle handle)
{
    return connection_request_result(&scene.connection, handle, &result);
}

static void open_channel_is_posted_as_the_protocol_says(void **state)
{
    uint8_t user_data[VMBUS_USER_DATA_SIZE];
    uint32_t gpadl_id = live_gpadl(&scene, 4);
    const struct connection_open_parameters parameters = { gpadl_id, 9, 2, user_data };
    struct vmbus_message_open_channel open;

    memset(user_data, 0x3C, sizeof user_data);
    assert_int_equal(connection_open_channel(&scene.connection, 4, &parameters, &scene.post,
                                             &request), 0);
    assert_int_equal(scene.post.size, 148);
    memcpy(&open, scene.post.payload, sizeof open);
    assert_int_equal(open.header.type, VMBUS_MESSAGE_OPEN_CHANNEL);
    assert_int_equal(open.channel_id, 4);
    assert_int_equal(open.ring_gpadl_id, gpadl_id);
    assert_int_equal(open.target_vp, 2);
    assert_int_equal(open.downstream_page_offset, 9);
    assert_memory_equal(open.user_data, user_data, sizeof user_data);
}

static void two_opens_in_flight_get_their_own_answers(void **state)
{
    uint32_t first, second;

    assert_int_equal(begin_open(&scene, 4, live_gpadl(&scene, 4), &request), 0);
    first = posted_open_id(&scene);
    assert_int_equal(begin_open(&scene, 5, live_gpadl(&scene, 5), &other), 0);
    second = posted_open_id(&scene);
    assert_int_not_equal(first, second);
    assert_int_equal(receive_open_result(&scene, 5, second, 1), 0);
    assert_false(done(request));
    assert_true(done(other));
    assert_int_equal(result, HV_ERROR_REFUSED);
    assert_int_equal(receive_open_result(&scene, 4, first, 0), 0);
    assert_true(done(request));
    assert_int_equal(result, 0);
    assert_int_equal(connection_channel_state(&scene.connection, 4), CHANNEL_OPEN);
    assert_int_equal(connection_channel_state(&scene.connection, 5), CHANNEL_OFFERED);
}

static void an_open_reply_with_another_channel_or_id_is_ignored_and_counted(void **state)
{
    uint32_t open_id;

    assert_int_equal(begin_open(&scene, 4, live_gpadl(&scene, 4), &request), 0);
    open_id = posted_open_id(&scene);
    assert_int_equal(receive_open_result(&scene, 5, open_id, 0), HV_ERROR_UNEXPECTED);
    assert_int_equal(receive_open_result(&scene, 4, open_id + 1, 0), HV_ERROR_UNEXPECTED);
    assert_int_equal(receive_open_result(&scene, 0xFFFFFFFF, open_id, 0), HV_ERROR_UNEXPECTED);
    assert_int_equal(scene.connection.counters.unexpected, 3);
    assert_false(done(request));
    assert_int_equal(receive_open_result(&scene, 4, open_id, 0), 0);
    assert_true(done(request));
    assert_int_equal(receive_open_result(&scene, 4, open_id, 0), HV_ERROR_UNEXPECTED);
}

static void two_gpadls_in_flight_get_their_own_answers(void **state)
{
    uint32_t first, second;

    assert_int_equal(begin_gpadl(&scene, 4, &first, &request), 0);
    assert_int_equal(begin_gpadl(&scene, 4, &second, &other), 0);
    assert_int_not_equal(first, second);
    assert_int_equal(receive_created(&scene, 5, second, 0), HV_ERROR_UNEXPECTED);
    assert_int_equal(receive_created(&scene, 4, 0, 0), HV_ERROR_UNEXPECTED);
    assert_int_equal(receive_created(&scene, 4, second, 0), 0);
    assert_false(done(request));
    assert_true(done(other));
    assert_int_equal(result, 0);
    assert_int_equal(receive_created(&scene, 4, first, 0x8000FFFF), 0);
    assert_true(done(request));
    assert_int_equal(result, HV_ERROR_REFUSED);
    assert_int_equal(connection_teardown_gpadl(&scene.connection, first, &scene.post, &request),
                     HV_ERROR_NOT_FOUND);
}

static void gpadl_ids_are_unique_and_never_zero(void **state)
{
    uint32_t gpadl_id;

    assert_int_equal(live_gpadl(&scene, 4), CONNECTION_GPADL_FIRST_ID);
    scene.connection.next_gpadl_id = 0xFFFFFFFF;
    assert_int_equal(live_gpadl(&scene, 4), 0xFFFFFFFF);
    scene.connection.next_gpadl_id = CONNECTION_GPADL_FIRST_ID;     /* run over, and in use */
    assert_int_equal(live_gpadl(&scene, 4), CONNECTION_GPADL_FIRST_ID + 1);
    scene.connection.next_gpadl_id = 0;
    assert_int_equal(begin_gpadl(&scene, 4, &gpadl_id, &request), 0);
    assert_int_equal(gpadl_id, 1);
}

/* D7: success of the teardown, and nothing else, lets memory go. */
static void a_teardown_is_over_when_the_host_names_that_gpadl(void **state)
{
    uint32_t first = live_gpadl(&scene, 4), second = live_gpadl(&scene, 5);
    struct vmbus_message_gpadl_teardown teardown;

    assert_int_equal(connection_teardown_gpadl(&scene.connection, first, &scene.post, &request), 0);
    memcpy(&teardown, scene.post.payload, sizeof teardown);
    assert_int_equal(scene.post.size, 16);
    assert_int_equal(teardown.channel_id, 4);
    assert_int_equal(teardown.gpadl_id, first);
    assert_int_equal(receive_torndown(&scene, second), HV_ERROR_UNEXPECTED);
    assert_int_equal(receive_torndown(&scene, 0), HV_ERROR_UNEXPECTED);
    assert_false(done(request));
    assert_int_equal(connection_teardown_gpadl(&scene.connection, first, &scene.post, &other),
                     HV_ERROR_STATE);
    assert_int_equal(receive_torndown(&scene, first), 0);
    assert_true(done(request));
    assert_int_equal(result, 0);
    assert_int_equal(receive_torndown(&scene, first), HV_ERROR_UNEXPECTED);
    /* The one that was named without being asked for is lent as before. */
    assert_int_equal(connection_teardown_gpadl(&scene.connection, second, &scene.post, &other), 0);
    assert_int_equal(receive_torndown(&scene, second), 0);
    assert_true(done(other));
}

static void a_teardown_outlasts_a_rescind(void **state)
{
    uint32_t gpadl_id = live_gpadl(&scene, 4);

    assert_int_equal(connection_teardown_gpadl(&scene.connection, gpadl_id, &scene.post, &request),
                     0);
    receive_channel(&scene, VMBUS_MESSAGE_RESCIND_CHANNEL, 4);
    assert_false(done(request));
    assert_int_equal(receive_torndown(&scene, gpadl_id), 0);
    assert_true(done(request));
    assert_int_equal(result, 0);
}

static void a_gpadl_can_be_torn_down_after_a_rescind(void **state)
{
    uint32_t gpadl_id;

    assert_int_equal(begin_gpadl(&scene, 4, &gpadl_id, &request), 0);
    receive_channel(&scene, VMBUS_MESSAGE_RESCIND_CHANNEL, 4);
    assert_true(done(request));
    assert_int_equal(result, HV_ERROR_GONE);
    assert_int_equal(connection_teardown_gpadl(&scene.connection, gpadl_id, &scene.post, &request),
                     0);
    assert_int_equal(receive_torndown(&scene, gpadl_id), 0);
    assert_true(done(request));
}

static void a_request_given_up_leaves_the_worst_case_behind(void **state)
{
    uint32_t gpadl_id, open_id;

    assert_int_equal(begin_gpadl(&scene, 4, &gpadl_id, &request), 0);
    connection_request_abandon(&scene.connection, request);
    assert_true(done(request));
    assert_int_equal(result, HV_ERROR_NOT_FOUND);
    assert_int_equal(receive_created(&scene, 4, gpadl_id, 0), HV_ERROR_UNEXPECTED);
    assert_int_equal(scene.connection.counters.late, 1);
    assert_int_equal(connection_teardown_gpadl(&scene.connection, gpadl_id, &scene.post, &request),
                     0);
    connection_request_abandon(&scene.connection, request);
    assert_int_equal(receive_torndown(&scene, gpadl_id), HV_ERROR_UNEXPECTED);
    assert_int_equal(scene.connection.counters.late, 2);

    assert_int_equal(begin_open(&scene, 5, live_gpadl(&scene, 5), &request), 0);
    open_id = posted_open_id(&scene);
    connection_request_abandon(&scene.connection, request);
    assert_int_equal(connection_channel_state(&scene.connection, 5), CHANNEL_OPEN);
    assert_int_equal(receive_open_result(&scene, 5, open_id, 0), HV_ERROR_UNEXPECTED);
    assert_int_equal(connection_close_channel(&scene.connection, 5, &scene.post), 0);
}

static void a_request_that_could_not_be_sent_leaves_nothing_behind(void **state)
{
    uint32_t gpadl_id;

    assert_int_equal(begin_gpadl(&scene, 4, &gpadl_id, &request), 0);
    connection_request_unsent(&scene.connection, request);
    assert_int_equal(connection_teardown_gpadl(&scene.connection, gpadl_id, &scene.post, &request),
                     HV_ERROR_NOT_FOUND);
    gpadl_id = live_gpadl(&scene, 4);
    assert_int_equal(begin_open(&scene, 4, gpadl_id, &request), 0);
    connection_request_unsent(&scene.connection, request);
    assert_int_equal(connection_channel_state(&scene.connection, 4), CHANNEL_OFFERED);
    assert_int_equal(connection_teardown_gpadl(&scene.connection, gpadl_id, &scene.post, &request),
                     0);
    connection_request_unsent(&scene.connection, request);
    assert_int_equal(connection_teardown_gpadl(&scene.connection, gpadl_id, &scene.post, &request),
                     0);
}

/* D8: each step in the wrong order is refused, and the right order works afterwards. */
static void steps_out_of_order_are_refused(void **state)
{
    const struct connection_open_parameters no_gpadl = { .ring_gpadl_id = 0xE1E10 };
    uint32_t gpadl_id, of_other = live_gpadl(&scene, 5);

    assert_int_equal(connection_open_channel(&scene.connection, 4, &no_gpadl, &scene.post,
                                             &request), HV_ERROR_NOT_FOUND);
    assert_int_equal(begin_open(&scene, 4, of_other, &request), HV_ERROR_NOT_FOUND);
    assert_int_equal(begin_open(&scene, 6, of_other, &request), HV_ERROR_NOT_FOUND);
    assert_int_equal(begin_open(&scene, 0xFFFFFFFF, of_other, &request), HV_ERROR_NOT_FOUND);
    assert_int_equal(begin_gpadl(&scene, 4, &gpadl_id, &request), 0);
    assert_int_equal(begin_open(&scene, 4, gpadl_id, &other), HV_ERROR_NOT_FOUND);  /* not live */
    assert_int_equal(receive_created(&scene, 4, gpadl_id, 0), 0);
    assert_true(done(request));
    assert_int_equal(connection_close_channel(&scene.connection, 4, &scene.post), HV_ERROR_STATE);
    assert_int_equal(begin_open(&scene, 4, gpadl_id, &request), 0);
    assert_int_equal(begin_open(&scene, 4, gpadl_id, &other), HV_ERROR_STATE);
    assert_int_equal(connection_release_channel(&scene.connection, 4, &scene.post),
                     HV_ERROR_STATE);
    assert_int_equal(receive_open_result(&scene, 4, posted_open_id(&scene), 0), 0);
    assert_true(done(request));
    assert_int_equal(connection_close_channel(&scene.connection, 4, &scene.post), 0);
    assert_int_equal(scene.post.size, 12);
    assert_int_equal(connection_close_channel(&scene.connection, 4, &scene.post), HV_ERROR_STATE);
}

static void moving_interrupts_is_answered_from_5_3_on(void **state)
{
    const struct vmbus_message_modify_channel_response no = {
        { VMBUS_MESSAGE_MODIFY_CHANNEL_RESPONSE, 0 }, 4, 1 };
    uint32_t gpadl_id;

    open_fully(&scene, 4, &gpadl_id);
    assert_int_equal(receive(&scene, &no, sizeof no), HV_ERROR_UNEXPECTED);
    assert_int_equal(connection_modify_channel(&scene.connection, 4, VMBUS_VP_NONE, &scene.post,
                                               &request), HV_ERROR_INVALID);
    assert_int_equal(connection_modify_channel(&scene.connection, 5, 1, &scene.post, &request),
                     HV_ERROR_STATE);
    assert_int_equal(connection_modify_channel(&scene.connection, 4, 1, &scene.post, &request), 0);
    assert_int_equal(connection_modify_channel(&scene.connection, 4, 0, &scene.post, &other),
                     HV_ERROR_STATE);
    assert_false(done(request));
    assert_int_equal(receive(&scene, &no, sizeof no), 0);
    assert_true(done(request));
    assert_int_equal(result, HV_ERROR_REFUSED);

    connect_as(&scene, VMBUS_VERSION_4_1);
    receive_offer(&scene, 4, &class_a, &instance_a, 0);
    open_fully(&scene, 4, &gpadl_id);
    assert_int_equal(connection_modify_channel(&scene.connection, 4, 1, &scene.post, &request), 0);
    assert_int_equal(request, 0);
    connect_as(&scene, VMBUS_VERSION_4_0);
    receive_offer(&scene, 4, &class_a, &instance_a, 0);
    open_fully(&scene, 4, &gpadl_id);
    assert_int_equal(connection_modify_channel(&scene.connection, 4, 1, &scene.post, &request),
                     HV_ERROR_NOT_SUPPORTED);
}

/* D23: every table may be full. */
static void full_tables_are_reported_and_recover(void **state)
{
    uint32_t gpadl_ids[CONNECTION_REQUESTS_MAXIMUM], gpadl_id;
    connection_request_handle handles[CONNECTION_REQUESTS_MAXIMUM];

    for (unsigned i = 0; i < CONNECTION_REQUESTS_MAXIMUM; i++)
        assert_int_equal(begin_gpadl(&scene, 4, &gpadl_ids[i], &handles[i]), 0);
    assert_int_equal(begin_gpadl(&scene, 4, &gpadl_id, &request), HV_ERROR_NO_RESOURCES);
    for (unsigned i = 0; i < CONNECTION_REQUESTS_MAXIMUM; i++) {
        assert_int_equal(receive_created(&scene, 4, gpadl_ids[i], 0), 0);
        assert_true(done(handles[i]));
    }
    for (unsigned i = CONNECTION_REQUESTS_MAXIMUM; i < CONNECTION_GPADLS_MAXIMUM; i++)
        live_gpadl(&scene, 4);
    assert_int_equal(begin_gpadl(&scene, 4, &gpadl_id, &request), HV_ERROR_NO_RESOURCES);
    assert_int_equal(connection_teardown_gpadl(&scene.connection, gpadl_ids[0], &scene.post,
                                               &request), 0);
    assert_int_equal(receive_torndown(&scene, gpadl_ids[0]), 0);
    live_gpadl(&scene, 4);
}

static void dead_handles_are_not_found(void **state)
{
    uint32_t gpadl_id;

    assert_int_equal(begin_gpadl(&scene, 4, &gpadl_id, &request), 0);
    receive_created(&scene, 4, gpadl_id, 0);
    assert_true(done(request));
    assert_int_equal(result, 0);
    assert_true(done(request));
    assert_int_equal(result, HV_ERROR_NOT_FOUND);
    assert_true(done(0));
    assert_int_equal(result, HV_ERROR_NOT_FOUND);
    assert_true(done(0xFFFFFFFF));
    assert_int_equal(result, HV_ERROR_NOT_FOUND);
}

int main(void)
{
#define request_test(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        request_test(open_channel_is_posted_as_the_protocol_says),
        request_test(two_opens_in_flight_get_their_own_answers),
        request_test(an_open_reply_with_another_channel_or_id_is_ignored_and_counted),
        request_test(two_gpadls_in_flight_get_their_own_answers),
        request_test(gpadl_ids_are_unique_and_never_zero),
        request_test(a_teardown_is_over_when_the_host_names_that_gpadl),
        request_test(a_teardown_outlasts_a_rescind),
        request_test(a_gpadl_can_be_torn_down_after_a_rescind),
        request_test(a_request_given_up_leaves_the_worst_case_behind),
        request_test(a_request_that_could_not_be_sent_leaves_nothing_behind),
        request_test(steps_out_of_order_are_refused),
        request_test(moving_interrupts_is_answered_from_5_3_on),
        request_test(full_tables_are_reported_and_recover),
        request_test(dead_handles_are_not_found),
    };

    return cmocka_run_group_tests_name("connection_requests", tests, NULL, NULL);
}
