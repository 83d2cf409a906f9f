/* SPDX-License-Identifier: BSD-3-Clause */
/* hvtimesyncd's decisions and clocks; hvbackupd's freezing, which always ends. */
#include <errno.h>

#include "daemons/backup/freezer.h"
#include "daemons/common/daemon.h"
#include "daemons/timesync/clock.h"
#include "daemons/timesync/policy.h"
#include "tests/unit/daemons/scratch.h"

#define NOW INT64_C(1704067200000000000)        /* 2024-01-01 */
#define MS  INT64_C(1000000)

static uint64_t host_at(int64_t unix_ns)
{
    return IC_TIME_UNIX_EPOCH + (uint64_t)(unix_ns / 100);
}

static void small_differences_are_slewed_and_large_ones_set(void **state)
{
    static const struct { int64_t offset; bool sync; enum time_action action; } cases[] = {
        { 0, true, TIME_NOTHING },         { 9 * MS, true, TIME_NOTHING },
        { -9 * MS, true, TIME_NOTHING },   { 10 * MS, true, TIME_SLEW },
        { -10 * MS, true, TIME_SLEW },     { 499 * MS, true, TIME_SLEW },
        { 500 * MS, true, TIME_STEP },     { -500 * MS, true, TIME_STEP },
        { 99 * MS, false, TIME_NOTHING },  { 100 * MS, false, TIME_SLEW },
        { 500 * MS, false, TIME_STEP },    { -86400000 * MS, true, TIME_STEP },
        { 7200000 * MS, true, TIME_STEP }, { 7200000 * MS, false, TIME_STEP },
    };
    int64_t offset;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(time_decide(host_at(NOW + cases[i].offset), NOW, cases[i].sync, &offset),
                         cases[i].action);
        assert_int_equal(offset, cases[i].offset);
    }
}

static void impossible_times_are_refused(void **state)
{
    static const uint64_t bad[] = { 0, 1, IC_TIME_UNIX_EPOCH - 1, IC_TIME_UNIX_EPOCH,
                                    UINT64_C(0x7FFFFFFFFFFFFFFF), UINT64_MAX };
    int64_t offset;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(time_decide(bad[i], NOW, true, &offset), TIME_REFUSE);
}

static void a_clock_in_a_file_is_set_there_alone(void **state)
{
    struct adjustable_clock system, file;
    const char *path = strdup(in_scratch("clock"));

    clock_of_system(&system);
    clock_of_file(&file, path);
    assert_true(llabs(file.now(&file) - system.now(&system)) < 1000 * MS);
    assert_int_equal(file.step(&file, 3600000 * MS), 0);
    assert_int_equal(file.slew(&file, -100 * MS), 0);
    assert_true(llabs(file.now(&file) - system.now(&system) - 3599900 * MS) < 1000 * MS);
    put_file("clock", "nonsense", 8);
    assert_true(llabs(file.now(&file) - system.now(&system)) < 1000 * MS);
    file.path = in_scratch("missing/clock");
    assert_int_equal(file.step(&file, 1), -1);
    free((char *)(uintptr_t)path);
}

/* ---- Freezing ---- */

static struct freezer freezer;
static unsigned frozen, thawed;
static int freeze_error;

static int fake_freeze(int descriptor)
{
    if (freeze_error != 0 && frozen == 1)
        return freeze_error;
    frozen++;
    return 0;
}

static int fake_thaw(int descriptor)
{
    thawed++;
    return 0;
}

static int setup(void **state)
{
    static char volumes[256], hook[256];

    if (scratch_make(state) != 0)
        return -1;
    mkdir(in_scratch("a"), 0755);
    mkdir(in_scratch("b"), 0755);
    snprintf(volumes, sizeof volumes, "%s/a:%s/b", scratch, scratch);
    snprintf(hook, sizeof hook, "echo $1 >>%s/hook", scratch);
    memset(&freezer, 0, sizeof freezer);
    freezer.volumes = volumes;
    freezer.hook = hook;
    freezer.limit = UINT64_C(3600000000000);
    freezer.freeze_volume = fake_freeze;
    freezer.thaw_volume = fake_thaw;
    frozen = thawed = 0;
    freeze_error = 0;
    return 0;
}

static void assert_hook_saw(const char *expected)
{
    char text[128] = "";
    FILE *file = fopen(in_scratch("hook"), "r");

    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    assert_string_equal(text, expected);
}

static void freeze_and_thaw_take_every_volume(void **state)
{
    assert_int_equal(freezer_wait_ms(&freezer), -1);
    assert_int_equal(freezer_freeze(&freezer), IC_STATUS_OK);
    assert_int_equal(frozen, 2);
    assert_true(freezer_wait_ms(&freezer) > 0);
    assert_int_equal(freezer_freeze(&freezer), IC_STATUS_FAIL);     /* it is frozen already */
    assert_int_equal(freezer_thaw(&freezer), IC_STATUS_OK);
    assert_int_equal(thawed, 2);
    assert_int_equal(freezer_thaw(&freezer), IC_STATUS_FAIL);
    assert_hook_saw("freeze\nthaw\n");
}

static void a_freeze_that_fails_thaws_what_it_has_frozen(void **state)
{
    freeze_error = EIO;
    assert_int_equal(freezer_freeze(&freezer), IC_STATUS_FAIL);
    assert_int_equal(frozen, 1);
    assert_int_equal(thawed, 1);
    assert_false(freezer.frozen);
    assert_hook_saw("freeze\nthaw\n");
    freeze_error = 0;
    frozen = 0;
    assert_int_equal(freezer_freeze(&freezer), IC_STATUS_OK);
    freezer_release(&freezer);
}

static void a_volume_that_cannot_freeze_is_no_failure(void **state)
{
    freeze_error = ENOTSUP;
    assert_int_equal(freezer_freeze(&freezer), IC_STATUS_OK);
    assert_int_equal(freezer.count, 1);
    assert_int_equal(freezer_thaw(&freezer), IC_STATUS_OK);
    assert_int_equal(thawed, 1);
}

static void a_volume_that_is_missing_is_a_failure(void **state)
{
    freezer.volumes = in_scratch("missing");
    assert_int_equal(freezer_freeze(&freezer), IC_STATUS_FAIL);
    assert_false(freezer.frozen);
}

static void the_limit_thaws_and_the_host_hears_of_it(void **state)
{
    freezer.limit = 0;
    assert_int_equal(freezer_freeze(&freezer), IC_STATUS_OK);
    assert_int_equal(freezer_wait_ms(&freezer), 0);
    freezer_expire(&freezer);
    assert_int_equal(thawed, 2);
    assert_int_equal(freezer_wait_ms(&freezer), -1);
    assert_int_equal(freezer_thaw(&freezer), IC_STATUS_FAIL);
    assert_int_equal(thawed, 2);
}

static void a_host_that_goes_away_thaws(void **state)
{
    assert_int_equal(freezer_freeze(&freezer), IC_STATUS_OK);
    freezer_release(&freezer);
    assert_int_equal(thawed, 2);
    freezer_release(&freezer);
    assert_int_equal(thawed, 2);
}

static void what_a_killed_daemon_left_frozen_is_thawed_by_the_next(void **state)
{
    struct freezer next;
    char journal[128];

    snprintf(journal, sizeof journal, "%s", in_scratch("journal"));
    freezer.journal = journal;
    freezer_recover(&freezer);
    assert_int_equal(thawed, 0);                /* nothing was */
    next = freezer;
    assert_int_equal(freezer_freeze(&freezer), IC_STATUS_OK);
    assert_int_equal(file_size("journal"), 0);
    freezer_recover(&next);                     /* as after the death of the first */
    assert_int_equal(thawed, 2);
    assert_hook_saw("freeze\nthaw\n");
    assert_int_equal(file_size("journal"), -1);
    assert_int_equal(freezer_freeze(&next), IC_STATUS_OK);
    assert_int_equal(freezer_thaw(&next), IC_STATUS_OK);
    assert_int_equal(file_size("journal"), -1);
}

static void without_a_journal_nothing_is_frozen(void **state)
{
    freezer.journal = in_scratch("missing/journal");
    assert_int_equal(freezer_freeze(&freezer), IC_STATUS_FAIL);
    assert_int_equal(frozen, 0);
}

static void a_hook_that_fails_forbids_the_freeze(void **state)
{
    freezer.hook = "exit 1";
    assert_int_equal(freezer_freeze(&freezer), IC_STATUS_FAIL);
    assert_int_equal(frozen, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scratch_remove)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_differences_are_slewed_and_large_ones_set),
        cmocka_unit_test(impossible_times_are_refused),
        TEST(a_clock_in_a_file_is_set_there_alone),
        TEST(freeze_and_thaw_take_every_volume),
        TEST(a_freeze_that_fails_thaws_what_it_has_frozen),
        TEST(a_volume_that_cannot_freeze_is_no_failure),
        TEST(a_volume_that_is_missing_is_a_failure),
        TEST(the_limit_thaws_and_the_host_hears_of_it),
        TEST(a_host_that_goes_away_thaws),
        TEST(what_a_killed_daemon_left_frozen_is_thawed_by_the_next),
        TEST(without_a_journal_nothing_is_frozen),
        TEST(a_hook_that_fails_forbids_the_freeze),
    };

    return cmocka_run_group_tests_name("time and backup", tests, NULL, NULL);
}
