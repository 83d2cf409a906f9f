/* SPDX-License-Identifier: BSD-3-Clause */
/* Sections of the send buffer: each is given to one user at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "kext/network/send_sections.h"

static struct send_sections sections;

static void every_section_is_taken_once(void **state)
{
    static bool seen[100];

    send_sections_init(&sections, 100);
    for (int i = 0; i < 100; i++) {
        uint32_t section = send_sections_take(&sections);

        assert_in_range(section, 0, 99);
        assert_false(seen[section]);
        seen[section] = true;
    }
    assert_int_equal(send_sections_take(&sections), SEND_SECTION_NONE);
    assert_true(send_sections_give(&sections, 42));
    assert_int_equal(send_sections_take(&sections), 42);
}

static void giving_what_was_not_taken_changes_nothing(void **state)
{
    send_sections_init(&sections, 3);
    assert_false(send_sections_give(&sections, 0));
    assert_false(send_sections_give(&sections, 3));
    assert_false(send_sections_give(&sections, UINT32_MAX));
    assert_int_equal(sections.free_count, 3);
    assert_int_equal(send_sections_take(&sections), 0);
    assert_true(send_sections_give(&sections, 0));
    assert_false(send_sections_give(&sections, 0));
    assert_int_equal(sections.free_count, 3);
}

static void more_sections_than_the_table_has_are_not_used(void **state)
{
    send_sections_init(&sections, UINT32_MAX);
    assert_int_equal(sections.count, SEND_SECTIONS_MAX);
    send_sections_init(&sections, 0);
    assert_int_equal(send_sections_take(&sections), SEND_SECTION_NONE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_section_is_taken_once),
        cmocka_unit_test(giving_what_was_not_taken_changes_nothing),
        cmocka_unit_test(more_sections_than_the_table_has_are_not_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
