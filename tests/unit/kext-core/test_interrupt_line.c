/* SPDX-License-Identifier: BSD-3-Clause */
/* A device's interrupt: one owner, and none lost while it is disabled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kext/core/interrupt_line.h"

static void it_has_one_owner(void **state)
{
    struct interrupt_line line = { false };

    (void)state;
    assert_true(interrupt_line_register(&line));
    assert_false(interrupt_line_register(&line));
    interrupt_line_unregister(&line);
    assert_true(interrupt_line_register(&line));
}

static void what_comes_while_disabled_is_told_once(void **state)
{
    struct interrupt_line line = { false };

    (void)state;
    interrupt_line_register(&line);
    assert_false(interrupt_line_raise(&line));
    assert_false(interrupt_line_raise(&line));
    assert_true(interrupt_line_enable(&line));
    assert_false(interrupt_line_enable(&line));
    assert_true(interrupt_line_raise(&line));
    interrupt_line_disable(&line);
    assert_false(interrupt_line_enable(&line));
}

static void nobody_is_told_of_nobodys_interrupt(void **state)
{
    struct interrupt_line line = { false };

    (void)state;
    assert_false(interrupt_line_raise(&line));
    assert_false(interrupt_line_enable(&line));
    assert_false(interrupt_line_raise(&line));
    interrupt_line_register(&line);
    assert_false(interrupt_line_enable(&line));     /* what came before was another's */
    interrupt_line_unregister(&line);
    assert_false(interrupt_line_raise(&line));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_one_owner),
        cmocka_unit_test(what_comes_while_disabled_is_told_once),
        cmocka_unit_test(nobody_is_told_of_nobodys_interrupt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
