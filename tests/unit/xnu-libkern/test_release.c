/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of releases: each macOS has its Darwin, and does what the table in docs/platform.md
 * says from the release on that it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "xnu/libkern/release.h"

static void every_macos_has_its_darwin(void **state)
{
    static const struct {
        const char *name;
        unsigned major, minor;
    } releases[] = {
        {"10.6", 10, 0}, {"10.6.8", 10, 8}, {"10.7.5", 11, 5}, {"10.8", 12, 0}, {"10.9.5", 13, 5},
        {"10.10", 14, 0}, {"10.11.6", 15, 6}, {"10.12", 16, 0}, {"10.13", 17, 0},
        {"10.14", 18, 0}, {"10.15", 19, 0}, {"11", 20, 1}, {"11.5", 20, 6}, {"12", 21, 1},
        {"12.0.1", 21, 1}, {"12.5", 21, 6}, {"13", 22, 1}, {"13.5", 22, 6}, {"14", 23, 0},
        {"14.5", 23, 5}, {"15.5", 24, 5}, {"26", 25, 0},
    };
    unsigned major, minor, revision;

    (void)state;
    for (size_t i = 0; i < sizeof(releases) / sizeof(releases[0]); i++) {
        assert_true(release_select(releases[i].name));
        release_kernel_version(&major, &minor, &revision);
        assert_int_equal(major, releases[i].major);
        assert_int_equal(minor, releases[i].minor);
    }
}

static void what_is_no_release_is_refused(void **state)
{
    static const char *const bad[] = {"", "10", "10.5", "10.17", "9", "16", "25", "27", "13.", "x",
                                      "13.5.1.2", "13 ", "100", "10.6.100"};

    (void)state;
    release_select("13");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(release_select(bad[i]));
    assert_int_equal(release_number(), RELEASE(13, 0, 0));
    release_select("12");
    assert_int_equal(release_number(), RELEASE(12, 0, 1));
}

struct row {
    size_t behaviour;
    const char *before; /* the last release without it; NULL: every one has it */
    const char *since;  /* the first with it */
};

#define ROW(name, before, since) {offsetof(struct release_behaviour, name), before, since}

static bool has(const struct row *row, const char *release)
{
    assert_true(release_select(release));
    return *(const bool *)((const char *)release_behaviour() + row->behaviour);
}

static void behaviour_changes_where_the_table_says(void **state)
{
    static const struct row rows[] = {
        ROW(immutable_collections_panic, NULL, "10.6"),
        ROW(msix, "10.6.8", "10.7"),
        ROW(catalogue_by_class, "10.8.5", "10.9"),
        ROW(resources_match_anything, "10.8.5", "10.9"),
        ROW(gate_checks_work_loop, "10.10.5", "10.11"),
        ROW(panic_actions, "10.10.5", "10.11"),
        ROW(client_closes_once, "10.10.5", "10.11"),
        ROW(keyboard_event_device, "10.11.6", "10.12"),
        ROW(will_terminate_notification, "10.12.6", "10.13"),
        ROW(client_locking, "10.15.7", "11"),
        ROW(first_processor_only, "11.7", "12"),
        ROW(host_bridge_class, "11.7", "12"),
        ROW(client_entitlements, "12.7", "13"),
        ROW(resource_match_array, "13.6", "14"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(!rows[i].before || !has(&rows[i], rows[i].before));
        assert_true(has(&rows[i], rows[i].since));
        assert_true(has(&rows[i], "26"));
    }
}

static void more_threads_match_from_11_on(void **state)
{
    (void)state;
    release_select("10.15.7");
    assert_int_equal(release_behaviour()->configuration_threads, 64);
    release_select("11");
    assert_int_equal(release_behaviour()->configuration_threads, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_macos_has_its_darwin),
        cmocka_unit_test(what_is_no_release_is_refused),
        cmocka_unit_test(behaviour_changes_where_the_table_says),
        cmocka_unit_test(more_threads_match_from_11_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
