/* SPDX-License-Identifier: BSD-3-Clause */
/* Dynamic memory: the way to the reports, and requests that are declined in due form. */
#include "kext/services/dynamic_memory.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static struct dynamic_memory memory;
static uint8_t answer[DYNAMIC_MEMORY_MESSAGE_MAXIMUM];

static uint16_t answer_type(void)
{
    struct dynamic_memory_header header;

    memcpy(&header, answer, sizeof header);
    return header.type;
}

static int reply(uint16_t type, uint64_t flags)
{
    const struct dynamic_memory_accepted message = { { type, sizeof message, 1 }, flags };

    return dynamic_memory_receive(&memory, &message, sizeof message, answer);
}

static int request(uint16_t type)
{
    const struct dynamic_memory_balloon_request message = { { type, sizeof message, 77 }, 1000, 0 };

    return dynamic_memory_receive(&memory, &message, sizeof message, answer);
}

static int setup(void **state)
{
    assert_int_equal(dynamic_memory_begin(&memory, 65536, answer), 16);
    return 0;
}

static int setup_ready(void **state)
{
    setup(state);
    assert_int_equal(reply(DYNAMIC_MEMORY_VERSION_RESPONSE, 1), 32);
    assert_int_equal(reply(DYNAMIC_MEMORY_CAPABILITIES_RESPONSE, 1), 0);
    assert_int_equal(memory.state, DYNAMIC_MEMORY_READY);
    return 0;
}

static void versions_are_walked_down_and_the_last_says_so(void **state)
{
    struct dynamic_memory_version_request proposal;

    memcpy(&proposal, answer, sizeof proposal);
    assert_int_equal(proposal.version, DYNAMIC_MEMORY_VERSION_2_0);
    assert_int_equal(proposal.flags, 0);
    assert_int_equal(reply(DYNAMIC_MEMORY_VERSION_RESPONSE, 0), 16);
    assert_int_equal(reply(DYNAMIC_MEMORY_VERSION_RESPONSE, 0), 16);
    memcpy(&proposal, answer, sizeof proposal);
    assert_int_equal(proposal.version, DYNAMIC_MEMORY_VERSION_0_3);
    assert_int_equal(proposal.flags, DYNAMIC_MEMORY_LAST_ATTEMPT);
    assert_int_equal(reply(DYNAMIC_MEMORY_VERSION_RESPONSE, 0), 0);
    assert_int_equal(memory.state, DYNAMIC_MEMORY_FAILED);
}

static void the_attempt_after_one_that_failed_begins_anew(void **state)
{
    struct dynamic_memory_version_request proposal;

    while (reply(DYNAMIC_MEMORY_VERSION_RESPONSE, 0) > 0)
        ;
    assert_int_equal(memory.state, DYNAMIC_MEMORY_FAILED);
    assert_int_equal(reply(DYNAMIC_MEMORY_VERSION_RESPONSE, 1), HV_ERROR_UNEXPECTED);
    assert_int_equal(dynamic_memory_begin(&memory, 65536, answer), sizeof proposal);
    memcpy(&proposal, answer, sizeof proposal);
    assert_int_equal(proposal.version, DYNAMIC_MEMORY_VERSION_2_0);
    assert_int_equal(proposal.flags, 0);
    assert_int_equal(reply(DYNAMIC_MEMORY_VERSION_RESPONSE, 1), 32);
    assert_int_equal(memory.version, DYNAMIC_MEMORY_VERSION_2_0);
}

static void no_ability_is_claimed(void **state)
{
    struct dynamic_memory_capabilities capabilities;

    assert_int_equal(reply(DYNAMIC_MEMORY_VERSION_RESPONSE, 1), 32);
    memcpy(&capabilities, answer, sizeof capabilities);
    assert_int_equal(capabilities.header.type, DYNAMIC_MEMORY_CAPABILITIES);
    assert_int_equal(capabilities.capabilities, 0);
    assert_int_equal(capabilities.minimum_pages, 65536);
}

static void every_request_for_memory_is_declined(void **state)
{
    struct dynamic_memory_balloon_response balloon;
    struct dynamic_memory_hot_add_response added;

    assert_int_equal(request(DYNAMIC_MEMORY_BALLOON_REQUEST), 16);
    memcpy(&balloon, answer, sizeof balloon);
    assert_int_equal(balloon.header.type, DYNAMIC_MEMORY_BALLOON_RESPONSE);
    assert_int_equal(balloon.header.transaction_id, 77);
    assert_int_equal(balloon.more_and_count, 0);
    assert_int_equal(request(DYNAMIC_MEMORY_HOT_ADD_REQUEST), 16);
    memcpy(&added, answer, sizeof added);
    assert_int_equal(added.header.type, DYNAMIC_MEMORY_HOT_ADD_RESPONSE);
    assert_int_equal(added.pages, 0);
    assert_int_equal(added.result, 0);
    assert_int_equal(request(DYNAMIC_MEMORY_UNBALLOON_REQUEST), 8);
    assert_int_equal(answer_type(), DYNAMIC_MEMORY_UNBALLOON_RESPONSE);
    assert_int_equal(memory.declined, 3);
}

static void a_report_adds_up(void **state)
{
    const struct dynamic_memory_figures figures = { 1000, 300 };
    struct dynamic_memory_status status;

    assert_int_equal(dynamic_memory_report(&memory, &figures, answer), sizeof status);
    memcpy(&status, answer, sizeof status);
    assert_int_equal(status.available_pages, 300);
    assert_int_equal(status.committed_pages, 700);
}

static void messages_out_of_turn_are_dropped(void **state)
{
    assert_int_equal(reply(DYNAMIC_MEMORY_CAPABILITIES_RESPONSE, 1), HV_ERROR_UNEXPECTED);
    assert_int_equal(request(DYNAMIC_MEMORY_BALLOON_REQUEST), HV_ERROR_UNEXPECTED);
    assert_int_equal(reply(DYNAMIC_MEMORY_VERSION_RESPONSE, 1), 32);
    assert_int_equal(reply(DYNAMIC_MEMORY_VERSION_RESPONSE, 1), HV_ERROR_UNEXPECTED);
    assert_int_equal(reply(DYNAMIC_MEMORY_CAPABILITIES_RESPONSE, 1), 0);
    assert_int_equal(memory.state, DYNAMIC_MEMORY_READY);
}

static void lengths_and_types_that_make_no_sense_are_dropped(void **state)
{
    static const struct dynamic_memory_header bad[] = {
        { DYNAMIC_MEMORY_BALLOON_REQUEST, 7, 0 }, { DYNAMIC_MEMORY_BALLOON_REQUEST, 9, 0 },
        { 13, 8, 0 }, { UINT16_MAX, 8, 0 }, { DYNAMIC_MEMORY_STATUS, 8, 0 },
        { DYNAMIC_MEMORY_VERSION_RESPONSE, 8, 0 },
        { DYNAMIC_MEMORY_VERSION_RESPONSE, UINT16_MAX, 0 },
    };
    uint32_t length;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(dynamic_memory_receive(&memory, &bad[i], sizeof bad[i], answer),
                         HV_ERROR_MALFORMED);
    for (length = 0; length < 8; length++)
        assert_int_equal(dynamic_memory_receive(&memory, bad, length, answer), HV_ERROR_MALFORMED);
    assert_int_equal(request(DYNAMIC_MEMORY_BALLOON_REQUEST), 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(versions_are_walked_down_and_the_last_says_so, setup),
        cmocka_unit_test_setup(the_attempt_after_one_that_failed_begins_anew, setup),
        cmocka_unit_test_setup(no_ability_is_claimed, setup),
        cmocka_unit_test_setup(every_request_for_memory_is_declined, setup_ready),
        cmocka_unit_test_setup(a_report_adds_up, setup_ready),
        cmocka_unit_test_setup(messages_out_of_turn_are_dropped, setup),
        cmocka_unit_test_setup(lengths_and_types_that_make_no_sense_are_dropped, setup_ready),
    };

    return cmocka_run_group_tests_name("dynamic memory", tests, NULL, NULL);
}
