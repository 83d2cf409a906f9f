/* SPDX-License-Identifier: BSD-3-Clause */
/* Which processors are too many for which macOS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kext/platform/cpu_limit.h"

static void only_tiger_has_too_little_room(void **state)
{
    (void)state;
    assert_false(cpu_is_surplus(8, 0));
    assert_false(cpu_is_surplus(8, 15));
    assert_true(cpu_is_surplus(8, 16));
    assert_true(cpu_is_surplus(8, UINT32_MAX));
    for (uint32_t darwin = 9; darwin < 40; darwin++)
        assert_false(cpu_is_surplus(darwin, 2047));
    assert_false(cpu_is_surplus(7, 16));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(only_tiger_has_too_little_room) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
