/* SPDX-License-Identifier: BSD-3-Clause */
/* Known boot hangs are named, and nothing is made up. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "setup/data/boot_hangs.h"
#include "setup/doctor.h"
#include "setup/text.h"

static bool names(const char *text, size_t size, const char *id)
{
    struct report report = {0};
    bool found = false;
    doctor_examine(text, size, &report);
    for (size_t i = 0; i < report.finding_count; i++) {
        found = found || strcmp(report.findings[i].id, id) == 0;
    }
    report_free(&report);
    return found;
}

static bool names_text(const char *text, const char *id)
{
    return names(text, strlen(text), id);
}

static void the_symptoms_that_users_report_are_named(void **state)
{
    assert_true(names_text("#[EB|LOG:EXITBS:START] 2023-01-01T00:00:00", "exitbs-start"));
    assert_true(names_text("#[EB.MM.AKM|FAIL] !! Err(0xE)\n", "memory-map") ||
                names_text("[EB.MM.AKM] Err(0xE)", "memory-map"));
    assert_true(names_text("OCABC: No slide values are usable! Use custom slide!", "slide"));
    assert_true(names_text("Still waiting for root device", "prohibitory-sign"));
    assert_true(names_text("OC: No schema for Foo at 3 index", "schema"));
    assert_true(
        names_text("panic(cpu 0): Unknown CPU: family = 0x6, model = 0xb7", "unknown-processor"));
    assert_true(names_text("x\nIOConsoleUsers: gIOScreenLockState 3\n", "installer-window"));
    assert_true(names_text("HyperVFileCopy: waiting for the host", "guest-service"));
    assert_true(names_text("OC: Plist Kexts\\MacHyperVSupport.kext\\Info.plist failed to load",
                           "kext-open"));
}

static void every_entry_of_the_table_can_be_found(void **state)
{
    for (size_t i = 0; i < boot_hang_count; i++) {
        for (size_t p = 0; p < HANG_PATTERNS_MAX && boot_hangs[i].patterns[p] != NULL; p++) {
            char *text = format_string("first\n%s\n%s\n",
                                       boot_hangs[i].also == NULL ? "" : boot_hangs[i].also,
                                       boot_hangs[i].patterns[p]);
            if (!names_text(text, boot_hangs[i].id)) {
                fail_msg("%s is not found in its own text", boot_hangs[i].id);
            }
            free(text);
        }
    }
}

static void a_boot_that_went_on_is_not_called_stuck(void **state)
{
    struct text text = {0};
    text_add_string(&text, "EXITBS:START\n");
    for (int i = 0; i < 40; i++) {
        text_add_string(&text, "kernel line\n");
    }
    assert_false(names(text.bytes, text.length, "exitbs-start"));
    text_free(&text);
}

static void a_log_in_utf_16_is_read(void **state)
{
    static const char word[] = "EXITBS:START";
    char wide[2 + 2 * sizeof word] = "\xFF\xFE";
    for (size_t i = 0; i < sizeof word - 1; i++) {
        wide[2 + 2 * i] = word[i];
    }
    assert_true(names(wide, sizeof wide, "exitbs-start"));
}

static void nothing_is_found_in_nothing(void **state)
{
    struct report report = {0};
    doctor_examine("", 0, &report);
    doctor_examine("\0\xFF\x80<<<", 6, &report);
    doctor_examine("all is well\n", 12, &report);
    assert_int_equal(report.finding_count, 0);
    report_free(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_symptoms_that_users_report_are_named),
        cmocka_unit_test(every_entry_of_the_table_can_be_found),
        cmocka_unit_test(a_boot_that_went_on_is_not_called_stuck),
        cmocka_unit_test(a_log_in_utf_16_is_read),
        cmocka_unit_test(nothing_is_found_in_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
