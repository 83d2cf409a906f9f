/* SPDX-License-Identifier: BSD-3-Clause */
/* The rules of lint: each speaks when it should, and is silent when it should not. */
#include "tests/unit/match/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "match/lint.h"

static const struct kext_options lenient = { .architecture = "x86_64", .mode = PLIST_FILE_LENIENT };

static bool has(const struct findings *findings, const char *id)
{
    size_t index;

    for (index = 0; index < findings->count; index++)
        if (strcmp(lint_rules[findings->list[index].rule].id, id) == 0)
            return true;
    return false;
}

static struct findings lint_path(const char *path, bool install_rules)
{
    const struct lint_options options = { .architecture = "x86_64",
                                          .install_rules = install_rules,
                                          .owner = getuid(),
                                          .group = getgid() };
    struct kext_set set = { NULL };
    struct problems problems = { 0 };
    struct findings findings = { NULL };

    kext_set_load(&set, path, &lenient, &problems);
    lint_kexts(&set, &problems, &options, &findings);
    kext_set_clear(&set);
    problems_clear(&problems);
    return findings;
}

static void each_mistake_of_the_broken_kext_is_found(void **state)
{
    static const char *const ids[] = {
        "version-invalid", "bundle-required",   "executable-missing", "libraries-missing",
        "pci-swapped-ids", "pci-mask-narrow",   "pci-list-ends",      "pci-mask-zero",
        "name-spelling",   "pci-type",          "score-type",         "provider-class-unreachable",
        "class-missing",   "pci-subsystem-too",
    };
    struct findings findings = lint_path(fixture("lint/Broken.kext"), false);
    size_t index;

    (void)state;
    for (index = 0; index < sizeof ids / sizeof *ids; index++)
        if (!has(&findings, ids[index]))
            fail_msg("%s is not found", ids[index]);
    for (index = 0; index < findings.count; index++)
        assert_true(*findings.list[index].text != '\0');
    findings_clear(&findings);
}

static void ids_of_rules_are_there_once_each_with_a_fix(void **state)
{
    size_t index;
    size_t other;

    (void)state;
    for (index = 0; index < LINT_RULES; index++) {
        assert_non_null(lint_rules[index].id);
        assert_non_null(lint_rules[index].fix);
        for (other = 0; other < index; other++)
            assert_string_not_equal(lint_rules[index].id, lint_rules[other].id);
    }
}

/* One personality of one kext; then which rules speak. */
static struct findings lint_keys(const char *const *personalities, size_t count,
                                 const char *names_text)
{
    struct lint_options options = { .architecture = "x86_64" };
    struct pci_ids *names =
        names_text == NULL ? NULL : pci_ids_parse(names_text, strlen(names_text), "names", NULL);
    struct kext_set set = { NULL };
    struct problems none = { 0 };
    struct findings findings = { NULL };
    char identifier[16];
    size_t index;

    for (index = 0; index < count; index++) {
        snprintf(identifier, sizeof identifier, "org.k%zu", index);
        add_kext(&set, identifier, personalities[index]);
    }
    options.names = names;
    lint_kexts(&set, &none, &options, &findings);
    kext_set_clear(&set);
    pci_ids_free(names);
    return findings;
}

static void every_rule_about_keys_speaks_and_clean_keys_are_silent(void **state)
{
    static const struct {
        const char *keys;
        const char *id;
    } rows[] = {
        { "<key>IOPCIPrimaryMatch</key><string>0x110d38086</string>", "pci-overlong" },
        { "<key>IOPCIPrimaryMatch</key><string></string>", "pci-empty" },
        { "<key>IOPCIPrimaryMatch</key><string>0x10d38086 0x10d38086</string>",
          "pci-duplicate-value" },
        { "<key>IOPCIClassMatch</key><string>0x020000</string>", "pci-class-bytes" },
        { "<key>IOPCIClassMatch</key><string>0x15338086</string>", "pci-class-value" },
        { "<key>IONameMatch</key><integer>1</integer>", "name-type" },
        { "<key>IONameMatch</key><string>pci*86</string>", "name-wildcard" },
        { "<key>IOPropertyMatch</key><dict><key>device-id</key><integer>1</integer></dict>",
          "property-number" },
        { "<key>IOMatchCategory</key><integer>1</integer>", "category-type" },
        { "<key>IOKitDebug</key><string>1</string>", "debug-type" },
        { "<key>IOPCIMatch_x86_64</key><string>0x10d38086</string>", "architecture-key-ignored" },
        { "<key>CFBundleIdentifier</key><string>org.nobody</string>",
          "personality-bundle-unknown" },
        { "<key>CFBundleIdentifier</key><string>org.k0</string>", "personality-bundle-codeless" },
        { "", "no-match-key" },
    };
    static const char names[] =
        "8086  Intel\n\t10d3  82574L\nC 02  Network controller\n\t00  Ethernet controller\n";
    const char *clean =
        personality("P", "<key>CFBundleIdentifier</key><string>com.apple.kpi.iokit</string>"
                         "<key>IOPCIPrimaryMatch</key><string>0x10d38086</string>");
    struct findings findings = lint_keys(&clean, 1, names);
    size_t index;

    (void)state;
    assert_int_equal(findings.count, 0);
    findings_clear(&findings);
    for (index = 0; index < sizeof rows / sizeof *rows; index++) {
        const char *one = personality("P", rows[index].keys);

        findings = lint_keys(&one, 1, names);
        if (!has(&findings, rows[index].id))
            fail_msg("%s: no %s", rows[index].keys, rows[index].id);
        findings_clear(&findings);
    }
}

static void rules_about_the_set_see_shadows_and_duplicates(void **state)
{
    const char *shadow[] = {
        personality("Broad",
                    "<key>IOPCIPrimaryMatch</key><string>0x00008086&amp;0x0000ffff</string>"
                    "<key>IOProbeScore</key><integer>2000</integer>"),
        personality("Exact", "<key>IOPCIPrimaryMatch</key><string>0x10d38086</string>"),
    };
    const char *class[] = {
        personality("Class", "<key>IOPCIClassMatch</key><string>0x02000000&amp;0xffff0000</string>"
                             "<key>IOProbeScore</key><integer>9</integer>"),
        personality(
            "Both",
            "<key>IOPCIPrimaryMatch</key><string>0x10d38086</string><key>IOPCIClassMatch</key>"
            "<string>0x02000000</string>"),
    };
    const char *behind[] = {
        personality("First", "<key>IOPCIPrimaryMatch</key><string>0x10d38086 0x10d48086</string>"
                             "<key>IOProbeScore</key><integer>9</integer>"),
        personality("Never", "<key>IOPCIPrimaryMatch</key><string>0x10d48086</string>"),
    };
    struct findings findings = lint_keys(shadow, 2, NULL);

    (void)state;
    assert_true(has(&findings, "vendor-shadows"));
    findings_clear(&findings);
    findings = lint_keys(class, 2, NULL);
    assert_true(has(&findings, "class-shadows"));
    findings_clear(&findings);
    findings = lint_keys(behind, 2, NULL);
    assert_true(has(&findings, "personality-unreachable"));
    findings_clear(&findings);
}

static void installed_files_must_not_be_writable_by_others(void **state)
{
    struct findings findings;
    char *root = make_root();
    char path[300];

    (void)state;
    put_bundle(root, "A.kext", "org.a", "1.0", "");
    snprintf(path, sizeof path, "%s/A.kext", root);
    findings = lint_path(path, true);
    assert_false(has(&findings, "file-mode") || has(&findings, "file-owner") ||
                 has(&findings, "file-link"));
    findings_clear(&findings);
    snprintf(path, sizeof path, "%s/A.kext/Contents/Info.plist", root);
    assert_int_equal(chmod(path, 0664), 0);
    snprintf(path, sizeof path, "%s/A.kext/Contents/out", root);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    snprintf(path, sizeof path, "%s/A.kext", root);
    findings = lint_path(path, true);
    assert_true(has(&findings, "file-mode"));
    assert_true(has(&findings, "file-link"));
    findings_clear(&findings);
    remove_root(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_of_the_broken_kext_is_found),
        cmocka_unit_test(ids_of_rules_are_there_once_each_with_a_fix),
        cmocka_unit_test(every_rule_about_keys_speaks_and_clean_keys_are_silent),
        cmocka_unit_test(rules_about_the_set_see_shadows_and_duplicates),
        cmocka_unit_test(installed_files_must_not_be_writable_by_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
