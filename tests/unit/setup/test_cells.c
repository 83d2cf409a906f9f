/* SPDX-License-Identifier: BSD-3-Clause */
/* Every cell of the support table: built, checked, and damaged. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "seed_rows.h"
#include "setup/check.h"
#include "setup/config_rows.h"
#include "setup/files.h"
#include "setup/text.h"

static struct fixture fixture;
static const char *acpi_folder;

static int make_fixture(void **state)
{
    fixture_make(&fixture, acpi_folder);
    return 0;
}

static int free_fixture(void **state)
{
    fixture_free(&fixture);
    return 0;
}

/* Builds into a fresh folder; the caller removes and frees it. */
static char *build(const struct target *target)
{
    struct setup_error error = {""};
    struct report report = {0};
    char *output = folder_stage(fixture.folder, &error);
    struct build_options options = fixture_build(&fixture, target, output);
    if (!build_efi(&options, &report, &error)) {
        fail_msg("macOS %s on %s: %s", target->macos->version, target->host->id, error.text);
    }
    report_free(&report);
    return output;
}

static void remove_output(char *output)
{
    folder_remove(output);
    free(output);
}

static void assert_clean(const struct config_document *document, const char *oc,
                         const struct target *target)
{
    struct report report = {0};
    check_configuration(document, oc, target, &report);
    for (size_t i = 0; i < report.finding_count; i++) {
        const struct report_finding *finding = &report.findings[i];
        if (finding->severity != SEVERITY_NOTE) {
            fail_msg("macOS %s on %s: %s %s: %s", target->macos->version, target->host->id,
                     finding->id, finding->path, finding->reason);
        }
    }
    report_free(&report);
}

static void build_and_check(const struct target *target)
{
    char *output = build(target);
    char *efi = path_join(output, "EFI");
    char *oc = path_join(efi, "OC");
    struct config_document *document = fixture_config(output);
    assert_seed_rows(document, efi, target);
    assert_clean(document, oc, target);
    config_free(document);
    free(oc);
    free(efi);
    remove_output(output);
}

/* Calls `visit` for each cell that is not refused, with both kernels where there are two. */
static size_t for_each_cell(void (*visit)(const struct target *target))
{
    size_t cells = 0;
    for (size_t m = 0; m < macos_release_count; m++) {
        for (size_t h = 0; h < windows_host_count; h++) {
            for (unsigned generation = 1; generation <= 2; generation++) {
                struct target target =
                    make_target(macos_releases[m].version, windows_hosts[h].id, generation);
                static const enum kernel_width kernels[] = {KERNEL_32, KERNEL_64};
                for (size_t k = 0; k < 2; k++) {
                    target.kernel = kernels[k];
                    if (target_refusal(&target) == NULL) {
                        visit(&target);
                        cells++;
                    }
                }
            }
        }
    }
    return cells;
}

static void every_cell_builds_with_every_seed_row_and_checks_clean(void **state)
{
    /* 18 releases, two of them with two kernels, on 15 pairs of host and generation. */
    assert_int_equal(for_each_cell(build_and_check), 20 * 15);
}

static bool finds(const struct config_document *document, const struct target *target,
                  const char *id)
{
    struct report report = {0};
    bool found = false;
    check_configuration(document, NULL, target, &report);
    for (size_t i = 0; i < report.finding_count; i++) {
        found = found || (strcmp(report.findings[i].id, id) == 0 &&
                          report.findings[i].severity != SEVERITY_NOTE);
    }
    report_free(&report);
    return found;
}

static const char *damaged_value(const struct row_field *field)
{
    switch (field->type) {
    case CONFIG_BOOLEAN: return strcmp(field->value, "true") == 0 ? "false" : "true";
    case CONFIG_INTEGER: return "77";
    case CONFIG_DATA: return "EEEE";
    default:
        return strstr(field->key == NULL ? "" : field->key, "Kernel") != NULL ? "99.9.9" : "other";
    }
}

static struct config_document *copy_of(const struct config_document *document)
{
    struct setup_error error;
    size_t size = 0;
    const char *text = config_text(document, &size);
    return config_parse(text, size, &error);
}

/* Damages one thing and asserts that the check names the row. */
static void assert_damage_is_named(const struct config_document *document,
                                   const struct target *target, const struct row *row,
                                   const char *path, enum config_type type, const char *value)
{
    struct config_document *damaged = copy_of(document);
    assert_true(config_set(damaged, path, type, value));
    if (!finds(damaged, target, row->id)) {
        fail_msg("macOS %s on %s: %s set to %s: %s is not named", target->macos->version,
                 target->host->id, path, value, row->id);
    }
    config_free(damaged);
}

/* The path of the entry that the row made. */
static char *entry_path(const struct config_document *document, const struct row *row)
{
    size_t index = 0;
    int array = config_find(document, row->path);
    for (int entry = config_first(document, array); entry != CONFIG_NONE;
         entry = config_next(document, entry), index++) {
        for (size_t i = 0; i < row_field_count(row); i++) {
            const struct row_field *field = &row->fields[i];
            if (field->identity &&
                config_equals(document, config_child(document, entry, field->key), field->type,
                              field->value)) {
                return format_string("%s[%zu]", row->path, index);
            }
        }
    }
    return NULL;
}

static void damage_entry(const struct config_document *document, const struct target *target,
                         const struct row *row)
{
    char *entry = entry_path(document, row);
    assert_non_null(entry);
    char *enabled = format_string("%s->Enabled", entry);
    assert_damage_is_named(document, target, row, enabled, CONFIG_BOOLEAN, "false");
    free(enabled);
    for (size_t i = 0; i < row_field_count(row); i++) {
        const struct row_field *field = &row->fields[i];
        /* A comment may say anything; an open upper bound is still met by 99.9.9. */
        if (strcmp(field->key, "Comment") == 0 ||
            (strcmp(field->key, "MaxKernel") == 0 && field->value[0] == '\0')) {
            continue;
        }
        char *path = format_string("%s->%s", entry, field->key);
        assert_damage_is_named(document, target, row, path, field->type, damaged_value(field));
        free(path);
    }
    struct config_document *without = copy_of(document);
    config_remove(without, config_find(without, entry));
    assert_true(finds(without, target, row->id));
    config_free(without);
    free(entry);
}

struct damage {
    const struct config_document *document;
    const struct target *target;
};

enum { ROWS_MAX = 100 };
static const struct row *damaged_rows[ROWS_MAX];
static size_t damaged_count;

static void remember(const struct row *row)
{
    for (size_t i = 0; i < damaged_count; i++) {
        if (damaged_rows[i] == row) {
            return;
        }
    }
    assert_true(damaged_count < ROWS_MAX);
    damaged_rows[damaged_count++] = row;
}

static void damage_row(const struct row *row, void *context)
{
    const struct damage *damage = context;
    remember(row);
    if (row->kind == ROW_ENTRY) {
        damage_entry(damage->document, damage->target, row);
        return;
    }
    const char *value = row->kind == ROW_WORD ? "-v -legacyX" : damaged_value(&row->fields[0]);
    assert_damage_is_named(damage->document, damage->target, row, row->path, row->fields[0].type,
                           value);
    struct config_document *without = copy_of(damage->document);
    config_remove(without, config_find(without, row->path));
    assert_true(finds(without, damage->target, row->id));
    config_free(without);
}

static void damage_every_row(const struct target *target)
{
    char *output = build(target);
    struct config_document *document = fixture_config(output);
    struct damage damage = {document, target};
    rows_for_target(target, damage_row, &damage);
    config_free(document);
    remove_output(output);
}

static void damage_to_any_row_is_named(void **state)
{
    static const char *const hosts[] = {"ws2012r2", "ws2019", "ws2025"};
    for (size_t m = 0; m < macos_release_count; m++) {
        for (size_t h = 0; h < sizeof hosts / sizeof hosts[0]; h++) {
            struct target target = make_target(macos_releases[m].version, hosts[h], 2);
            target.apple_id = true;
            target.framebuffer = target.macos->darwin < 20;
            damage_every_row(&target);
        }
    }
    struct target old = make_target("10.6", "ws2019", 2);
    old.kernel = KERNEL_32;
    damage_every_row(&old);
    struct target amd = make_target("12", "ws2022", 2);
    amd.processor = find_processor("amd");
    damage_every_row(&amd);
    assert_int_equal(damaged_count, acpi_row_count + firmware_row_count + kernel_row_count);
}

/* Breaks one row at a time for one target, repairs it, and expects a clean check. */
static void repair_row(const struct row *row, void *context)
{
    const struct damage *damage = context;
    struct setup_error error;
    struct config_document *damaged = copy_of(damage->document);
    char *path = row->kind == ROW_ENTRY ? entry_path(damaged, row) : copy_string(row->path);
    config_remove(damaged, config_find(damaged, path));
    assert_true(fix_configuration(damaged, NULL, damage->target, NULL, &error));
    assert_clean(damaged, NULL, damage->target);
    config_free(damaged);
    free(path);
}

static void a_missing_row_is_repaired(void **state)
{
    static const char *const releases[] = {"10.4", "10.5", "10.9", "15"};
    for (size_t i = 0; i < 4; i++) {
        struct target target = make_target(releases[i], "ws2022", 2);
        char *output = build(&target);
        struct config_document *document = fixture_config(output);
        struct damage damage = {document, &target};
        rows_for_target(&target, repair_row, &damage);
        config_free(document);
        remove_output(output);
    }
}

int main(int argc, char **argv)
{
    acpi_folder = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_builds_with_every_seed_row_and_checks_clean),
        cmocka_unit_test(damage_to_any_row_is_named),
        cmocka_unit_test(a_missing_row_is_repaired),
    };
    return cmocka_run_group_tests(tests, make_fixture, free_fixture);
}
