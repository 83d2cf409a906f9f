/* SPDX-License-Identifier: BSD-3-Clause */
/* When small writes are done on the spot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/disk/write_patience.h"

enum { QUICK = WRITE_PATIENCE_NS, SLOW = WRITE_PATIENCE_NS + 1 };

/* Writes that are handed over before one is done on the spot again. */
static unsigned handed_over(struct write_patience *patience)
{
    unsigned count = 0;
    while (!write_patience_allows(patience)) {
        count++;
    }
    return count;
}

static void quick_writes_go_on_being_done_on_the_spot(void **state)
{
    struct write_patience patience = {0};
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(write_patience_allows(&patience));
        write_patience_learn(&patience, QUICK);
    }
}

static void a_slow_write_sends_those_after_it_away(void **state)
{
    struct write_patience patience = {0};
    write_patience_learn(&patience, SLOW);
    assert_int_equal(handed_over(&patience), WRITE_PATIENCE_PAUSE);
}

static void slow_writes_in_a_row_send_more_and_more_away_up_to_a_limit(void **state)
{
    struct write_patience patience = {0};
    unsigned expected = WRITE_PATIENCE_PAUSE;
    for (unsigned i = 0; i < 20; i++) {
        write_patience_learn(&patience, SLOW);
        assert_int_equal(handed_over(&patience), expected);
        expected = expected < WRITE_PATIENCE_PAUSE_MAX ? expected * 2 : expected;
    }
    assert_int_equal(expected, WRITE_PATIENCE_PAUSE_MAX);
}

static void one_quick_write_restores_the_patience(void **state)
{
    struct write_patience patience = {0};
    write_patience_learn(&patience, SLOW);
    handed_over(&patience);
    write_patience_learn(&patience, SLOW);
    handed_over(&patience);
    write_patience_learn(&patience, QUICK);
    assert_true(write_patience_allows(&patience));
    write_patience_learn(&patience, SLOW);
    assert_int_equal(handed_over(&patience), WRITE_PATIENCE_PAUSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quick_writes_go_on_being_done_on_the_spot),
        cmocka_unit_test(a_slow_write_sends_those_after_it_away),
        cmocka_unit_test(slow_writes_in_a_row_send_more_and_more_away_up_to_a_limit),
        cmocka_unit_test(one_quick_write_restores_the_patience),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
