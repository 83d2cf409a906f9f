/* SPDX-License-Identifier: BSD-3-Clause */
/* The conversation with a daemon: handshake, one request, late and senseless replies. */
#include "kext/services/daemon_link.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static struct daemon_link link;
static struct daemon_reply reply;

static int take(uint32_t type, uint32_t said, uint32_t sequence, uint32_t status, uint32_t real)
{
    uint8_t *message = calloc(1, sizeof(struct service_control_header) + real);
    const struct service_control_header header = { type, said, sequence, status };
    int result;

    memcpy(message, &header, sizeof header);
    result = daemon_link_receive(&link, message, (uint32_t)sizeof header + real, &reply);
    free(message);
    return result;
}

static int hello(uint32_t version)
{
    const struct service_control_hello message = {
        .header = { .type = SERVICE_CONTROL_HELLO, .size = 8 }, .version = version,
    };

    return daemon_link_receive(&link, &message, sizeof message, &reply);
}

static int setup(void **state)
{
    memset(&link, 0, sizeof link);
    assert_int_equal(daemon_link_connect(&link), 0);
    return 0;
}

static int setup_ready(void **state)
{
    setup(state);
    assert_int_equal(hello(SERVICE_CONTROL_VERSION), DAEMON_HELLO);
    return 0;
}

static void one_client_at_a_time(void **state)
{
    assert_int_equal(daemon_link_connect(&link), HV_ERROR_STATE);
    assert_false(daemon_link_disconnect(&link));
    assert_int_equal(daemon_link_connect(&link), 0);
}

static void a_hello_comes_first_once_and_in_our_version(void **state)
{
    assert_int_equal(take(SERVICE_CONTROL_REPLY, 0, 0, 0, 0), HV_ERROR_MALFORMED);
    assert_int_equal(hello(SERVICE_CONTROL_VERSION + 1), HV_ERROR_NOT_SUPPORTED);
    assert_int_equal(hello(0), HV_ERROR_NOT_SUPPORTED);
    assert_false(link.ready);
    assert_int_equal(hello(SERVICE_CONTROL_VERSION), DAEMON_HELLO);
    assert_true(link.ready);
    assert_int_equal(hello(SERVICE_CONTROL_VERSION), HV_ERROR_MALFORMED);
}

static void a_reply_answers_the_request_it_names(void **state)
{
    struct service_control_header header;

    daemon_link_request(&link, 40, &header);
    assert_int_equal(header.type, SERVICE_CONTROL_REQUEST);
    assert_int_equal(header.size, 40);
    assert_int_equal(take(SERVICE_CONTROL_REPLY, 0, header.sequence + 1, 0, 0),
                     HV_ERROR_UNEXPECTED);
    assert_int_equal(take(SERVICE_CONTROL_REPLY, 40, header.sequence, 77, 40), DAEMON_REPLY);
    assert_int_equal(reply.status, 77);
    assert_int_equal(reply.size, 40);
    assert_int_equal(take(SERVICE_CONTROL_REPLY, 40, header.sequence, 77, 40),
                     HV_ERROR_UNEXPECTED);
}

static void a_body_is_the_requests_size_or_none(void **state)
{
    struct service_control_header header;

    daemon_link_request(&link, 40, &header);
    assert_int_equal(take(SERVICE_CONTROL_REPLY, 39, header.sequence, 0, 39), HV_ERROR_MALFORMED);
    assert_int_equal(take(SERVICE_CONTROL_REPLY, 8000, header.sequence, 0, 8000),
                     HV_ERROR_MALFORMED);
    assert_int_equal(take(SERVICE_CONTROL_REPLY, 40, header.sequence, 0, 39), HV_ERROR_MALFORMED);
    assert_int_equal(take(SERVICE_CONTROL_REPLY, 0, header.sequence, 0, 1), HV_ERROR_MALFORMED);
    assert_int_equal(take(SERVICE_CONTROL_REPLY, 0, header.sequence, 0, 0), DAEMON_REPLY);
}

static void what_was_given_up_is_not_answered_any_more(void **state)
{
    struct service_control_header first, second;

    daemon_link_request(&link, 8, &first);
    assert_true(daemon_link_give_up(&link));
    assert_false(daemon_link_give_up(&link));
    assert_int_equal(take(SERVICE_CONTROL_REPLY, 0, first.sequence, 0, 0), HV_ERROR_UNEXPECTED);
    daemon_link_request(&link, 8, &second);
    assert_int_equal(take(SERVICE_CONTROL_REPLY, 0, first.sequence, 0, 0), HV_ERROR_UNEXPECTED);
    assert_int_equal(take(SERVICE_CONTROL_REPLY, 0, second.sequence, 0, 0), DAEMON_REPLY);
    assert_int_equal(link.counters.late, 2);
}

static void a_client_that_dies_leaves_its_request(void **state)
{
    struct service_control_header header;

    daemon_link_request(&link, 8, &header);
    assert_true(daemon_link_disconnect(&link));
    assert_int_equal(daemon_link_connect(&link), 0);
    assert_false(link.ready);
    assert_int_equal(hello(SERVICE_CONTROL_VERSION), DAEMON_HELLO);
    assert_int_equal(take(SERVICE_CONTROL_REPLY, 0, header.sequence, 0, 0), HV_ERROR_UNEXPECTED);
}

static void short_messages_and_unknown_types_are_refused(void **state)
{
    static const uint8_t nothing[16];

    for (uint32_t length = 0; length < 16; length++)
        assert_int_equal(daemon_link_receive(&link, nothing, length, &reply), HV_ERROR_MALFORMED);
    for (uint32_t type = 0; type < 12; type++)
        if (type != SERVICE_CONTROL_REPLY)
            assert_int_equal(take(type, 0, 0, 0, 0), HV_ERROR_MALFORMED);
    assert_true(link.ready);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_client_at_a_time, setup),
        cmocka_unit_test_setup(a_hello_comes_first_once_and_in_our_version, setup),
        cmocka_unit_test_setup(a_reply_answers_the_request_it_names, setup_ready),
        cmocka_unit_test_setup(a_body_is_the_requests_size_or_none, setup_ready),
        cmocka_unit_test_setup(what_was_given_up_is_not_answered_any_more, setup_ready),
        cmocka_unit_test_setup(a_client_that_dies_leaves_its_request, setup_ready),
        cmocka_unit_test_setup(short_messages_and_unknown_types_are_refused, setup_ready),
    };

    return cmocka_run_group_tests_name("daemon_link", tests, NULL, NULL);
}
