/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest and host in one process: an adapter whose host gets one byte of its conversation wrong, in
 * each field of each answer in turn (each byte is tests/unit/kext-network's affair), or does not
 * answer. The adapter comes up or it does not; nothing else suffers, and when the host offers it
 * again it works. */
#include "tests/pair/pair_guest.h"

enum {
    HEADER_BYTES = 16,    /* of a packet in a ring; whose answer it is stands there */
    ANSWER_BYTES = 40,    /* of an NVSP message */
    ANSWERS = 5,          /* version, buffers, and of RNDIS's carriers */
    STATUS = 12,          /* of the first: a version that the host has taken is refused; then the */
    STATUS_END = 16,      /* guest goes on to ask for others, as if that were its own mistake */
    PAGES_BYTES = 16 + ANSWER_BYTES, /* buffer, one range, message */
    PAGES = 2,            /* replies of RNDIS come so */
    STEP = 3,             /* fields have four bytes, so none is left out */
    CHANNEL = 3,
    SIZE = 500,
};

static char corruption[80]; /* of this run */

static void handshake_body(struct pair *pair)
{
    unsigned tries;

    pair_host_end_faults(pair->host);
    if (pair_wait_for_network(true) && pair_wait_for_link(true))
        pair_network_round_trip(SIZE, 0); /* whether it passes depends on what was wrong */
    pair_host_remove_adapter(pair->host);
    for (tries = 0; tries < 300 && !pair_host_add_adapter(pair->host); tries++)
        pair_sleep(PAIR_SECOND / 10);
    PAIR_CHECK(pair, tries < 300);
    PAIR_CHECK(pair, pair_wait_for_network(true));
    PAIR_CHECK(pair, pair_wait_for_link(true));
    pair_network_forget();
    PAIR_CHECK(pair, pair_network_round_trip(SIZE, 0));
}

static void lie_in_each(const char *subject, unsigned count, unsigned bytes)
{
    const struct pair_options options = {
        .release = "2022", .network = true, .faults = { corruption },
    };
    unsigned number, offset;

    for (number = 1; number <= count; number++) {
        for (offset = 0; offset < bytes; offset += STEP) {
            if (bytes == ANSWER_BYTES && number == 1 && offset >= STATUS && offset < STATUS_END)
                continue;
            snprintf(corruption, sizeof corruption, "%s,corrupt=%u,channel=%u,nth=%u,times=1",
                     subject, HEADER_BYTES + offset, CHANNEL, number);
            pair_run(&options, handshake_body, 1);
        }
    }
}

static void whatever_is_wrong_with_an_answer_the_adapter_works_when_offered_again(void **state)
{
    (void)state;
    lie_in_each("completion", ANSWERS, ANSWER_BYTES);
}

static void whatever_is_wrong_with_received_pages_likewise(void **state)
{
    (void)state;
    lie_in_each("packet", PAGES, PAGES_BYTES);
}

static void whatever_is_not_answered_likewise(void **state)
{
    static const struct { const char *subject; unsigned count; } answers[] = {
        { "completion", ANSWERS }, { "packet", PAGES },
    };
    const struct pair_options options = {
        .release = "2022", .network = true, .faults = { corruption },
    };
    unsigned index, number;

    (void)state;
    for (index = 0; index < sizeof answers / sizeof *answers; index++) {
        for (number = 1; number <= answers[index].count; number++) {
            snprintf(corruption, sizeof corruption, "%s,drop,channel=%u,nth=%u,times=1",
                     answers[index].subject, CHANNEL, number);
            pair_run(&options, handshake_body, 1);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_wrong_with_an_answer_the_adapter_works_when_offered_again),
        cmocka_unit_test(whatever_is_wrong_with_received_pages_likewise),
        cmocka_unit_test(whatever_is_not_answered_likewise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
