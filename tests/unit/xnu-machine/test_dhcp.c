/* SPDX-License-Identifier: BSD-3-Clause */
/* DHCP messages of the stack's client: what it says, and that it believes no answer that is not
 * one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xnu/machine/dhcp_message.h"

enum { TRANSACTION = 0x12345678, OPTIONS = 240 };

static const uint8_t hardware[6] = { 0x00, 0x15, 0x5d, 1, 2, 3 };

/* An answer with these options behind the cookie; its bytes. */
static size_t make_answer(uint8_t *message, const uint8_t *options, size_t size)
{
    static const uint8_t cookie[] = { 99, 130, 83, 99 }, address[] = { 10, 0, 2, 15 };
    static const uint8_t transaction[] = { 0x12, 0x34, 0x56, 0x78 };

    memset(message, 0, OPTIONS);
    message[0] = 2;
    message[1] = 1;
    message[2] = 6;
    memcpy(message + 4, transaction, 4);
    memcpy(message + 16, address, 4);
    memcpy(message + 28, hardware, 6);
    memcpy(message + 236, cookie, 4);
    if (size != 0)
        memcpy(message + OPTIONS, options, size);
    return OPTIONS + size;
}

static bool take(const uint8_t *options, size_t size, struct dhcp_reply *reply)
{
    uint8_t message[1500];
    size_t length = make_answer(message, options, size);

    return dhcp_read(message, length, TRANSACTION, hardware, reply);
}

static const uint8_t *option_of(const uint8_t *message, uint8_t wanted)
{
    for (const uint8_t *at = message + OPTIONS; at < message + DHCP_MESSAGE_MAX && *at != 255;
         at += 2 + at[1])
        if (*at == wanted)
            return at;
    return NULL;
}

static void a_discover_says_who_asks(void **state)
{
    const struct dhcp_request request = { .type = DHCP_DISCOVER, .transaction = TRANSACTION,
                                          .hardware = { 0x00, 0x15, 0x5d, 1, 2, 3 } };
    uint8_t message[DHCP_MESSAGE_MAX];

    (void)state;
    dhcp_write(&request, message);
    assert_int_equal(message[0], 1);
    assert_memory_equal(message + 4, "\x12\x34\x56\x78", 4);
    assert_int_equal(message[10], 0x80); /* answers come as broadcasts: there is no address yet */
    assert_memory_equal(message + 28, hardware, 6);
    assert_memory_equal(option_of(message, 53), "\x35\x01\x01", 3);
    assert_null(option_of(message, 50));
    assert_null(option_of(message, 54));
}

static void a_request_names_the_offer(void **state)
{
    const struct dhcp_request request = { .type = DHCP_REQUEST,
                                          .transaction = TRANSACTION,
                                          .requested = { 10, 0, 2, 15 },
                                          .server = { 10, 0, 2, 2 } };
    uint8_t message[DHCP_MESSAGE_MAX];

    (void)state;
    dhcp_write(&request, message);
    assert_memory_equal(option_of(message, 53), "\x35\x01\x03", 3);
    assert_memory_equal(option_of(message, 50), "\x32\x04\x0a\x00\x02\x0f", 6);
    assert_memory_equal(option_of(message, 54), "\x36\x04\x0a\x00\x02\x02", 6);
}

static void an_offer_is_understood(void **state)
{
    static const uint8_t options[] = { 0, 53, 1,    2,    1,  4, 255, 255, 255, 0, 3,   8, 10, 0,
                                       2, 2,  10,   0,    2,  3, 6,   4,   10,  0, 2,   3, 51, 4,
                                       0, 1,  0x51, 0x80, 54, 4, 10,  0,   2,   2, 255, 9, 9 };
    struct dhcp_reply reply;

    (void)state;
    assert_true(take(options, sizeof options, &reply));
    assert_int_equal(reply.type, DHCP_OFFER);
    assert_memory_equal(reply.address, "\x0a\x00\x02\x0f", 4);
    assert_memory_equal(reply.mask, "\xff\xff\xff\x00", 4);
    assert_memory_equal(reply.router, "\x0a\x00\x02\x02", 4);
    assert_memory_equal(reply.name_server, "\x0a\x00\x02\x03", 4);
    assert_memory_equal(reply.server, "\x0a\x00\x02\x02", 4);
    assert_int_equal(reply.seconds, 86400);
}

static void what_is_no_answer_to_us_is_passed_over_and_the_next_one_taken(void **state)
{
    static const uint8_t options[] = { 53, 1, 5, 255 };
    static const size_t lies[] = { 0, 4, 28, 33, 236, 239 };
    uint8_t message[300];
    struct dhcp_reply reply;

    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        size_t size = make_answer(message, options, sizeof options);

        message[lies[i]] ^= 3;
        assert_false(dhcp_read(message, size, TRANSACTION, hardware, &reply));
        message[lies[i]] ^= 3;
        assert_true(dhcp_read(message, size, TRANSACTION, hardware, &reply));
    }
    for (size_t size = 0; size < OPTIONS; size++)
        assert_false(dhcp_read(message, size, TRANSACTION, hardware, &reply));
}

static void options_beyond_the_message_are_refused(void **state)
{
    static const uint8_t no_length[] = { 53, 1, 5, 1 },
                         too_long[] = { 53, 1, 5, 1, 5, 255, 255, 255, 0 };
    static const uint8_t short_mask[] = { 53, 1, 5, 1, 3, 255, 255, 255 },
                         no_type[] = { 1, 4, 255, 255, 255, 0 };
    static const uint8_t odd_type[] = { 53, 1, 1, 255 }, long_type[] = { 53, 2, 5, 5, 255 };
    struct dhcp_reply reply;

    (void)state;
    assert_false(take(no_length, sizeof no_length, &reply));
    assert_false(take(too_long, sizeof too_long, &reply));
    assert_true(take(short_mask, sizeof short_mask, &reply));
    assert_int_equal(reply.mask[0], 0);
    assert_false(take(no_type, sizeof no_type, &reply));
    assert_false(take(odd_type, sizeof odd_type, &reply)); /* what a client says, not a server */
    assert_false(take(long_type, sizeof long_type, &reply));
    assert_false(take(NULL, 0, &reply));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_discover_says_who_asks),
        cmocka_unit_test(a_request_names_the_offer),
        cmocka_unit_test(an_offer_is_understood),
        cmocka_unit_test(what_is_no_answer_to_us_is_passed_over_and_the_next_one_taken),
        cmocka_unit_test(options_beyond_the_message_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
