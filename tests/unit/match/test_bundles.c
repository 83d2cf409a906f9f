/* SPDX-License-Identifier: BSD-3-Clause */
/* Bundles and folders, versions, libraries, the rules of lint, Mach-O headers, and installation. */
#include "tests/unit/match/support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "match/install.h"
#include "match/libraries.h"
#include "match/lint.h"
#include "match/macho.h"
#include "match/plist_libplist.h"
#include "match/release.h"
#include "match/version.h"

static const struct kext_options lenient = { .architecture = "x86_64", .mode = PLIST_FILE_LENIENT };

static char *make_root(void)
{
    char root[] = "/tmp/kextmatch-test-XXXXXX";

    assert_non_null(mkdtemp(root));
    return strdup(root);
}

static void remove_root(char *root)
{
    char command[100];

    snprintf(command, sizeof command, "rm -r '%s'", root);
    assert_int_equal(system(command), 0);
    free(root);
}

static void put_bytes(const char *path, const void *bytes, size_t size)
{
    char folder[400];
    FILE *file;
    size_t index;

    snprintf(folder, sizeof folder, "%s", path);
    for (index = 1; folder[index] != '\0'; index++)
        if (folder[index] == '/') {
            folder[index] = '\0';
            mkdir(folder, 0755);
            folder[index] = '/';
        }
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* A small x86_64 kext executable without anything in it. */
static void put_executable(const char *path, unsigned cpu_word, bool is_signed)
{
    unsigned char bytes[64] = { 0xCF, 0xFA, 0xED, 0xFE, 7, 0, 0, 1, 3, 0, 0, 0, 11 };

    bytes[4] = (unsigned char)cpu_word;
    if (is_signed) {
        bytes[16] = 1;
        bytes[20] = 16;
        bytes[32] = 0x1D;
        bytes[36] = 16;
    }
    put_bytes(path, bytes, sizeof bytes);
}

static void put_bundle(const char *root, const char *name, const char *identifier,
                       const char *version, const char *more)
{
    char path[300];
    char text[2000];

    snprintf(path, sizeof path, "%s/%s/Contents/Info.plist", root, name);
    snprintf(text, sizeof text,
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><dict>"
             "<key>CFBundleIdentifier</key><string>%s</string><key>CFBundlePackageType</"
             "key><string>KEXT</string>"
             "<key>CFBundleVersion</key><string>%s</string>%s</dict></plist>",
             identifier, version, more);
    put_bytes(path, text, strlen(text));
}

/* ---- reading ---- */

static void folders_bundles_plugins_and_plain_lists_are_read(void **state)
{
    struct kext_set set = { NULL };
    struct problems problems = { 0 };
    struct kext_options without = lenient;
    char *root = make_root();
    char path[300];

    (void)state;
    put_bundle(root, "B.kext", "org.b", "1.0", "");
    put_bundle(root, "A.kext", "org.a", "1.0", "");
    put_bundle(root, "A.kext/Contents/PlugIns/P.kext", "org.p", "1.0", "");
    put_bundle(root, "A.kext/Contents/PlugIns/P.kext/Contents/PlugIns/Q.kext", "org.q", "1.0", "");
    snprintf(path, sizeof path, "%s/notes.txt", root);
    put_bytes(path, "x", 1);
    assert_true(kext_set_load(&set, root, &lenient, &problems));
    assert_int_equal(set.count, 3); /* plug-ins of plug-ins are not scanned */
    assert_string_equal(set.kexts[0]->identifier, "org.a");
    assert_string_equal(set.kexts[1]->identifier, "org.p");
    assert_ptr_equal(set.kexts[1]->container, set.kexts[0]);
    assert_string_equal(set.kexts[2]->identifier, "org.b");
    kext_set_clear(&set);
    without.without_plugins = true;
    assert_true(kext_set_load(&set, root, &without, &problems));
    assert_int_equal(set.count, 2);
    kext_set_clear(&set);
    snprintf(path, sizeof path, "%s/A.kext/Contents/Info.plist", root);
    assert_true(kext_set_load(&set, path, &lenient, &problems));
    assert_int_equal(problems.count, 0);
    assert_false(kext_set_load(&set, "/nowhere.kext", &lenient, &problems));
    assert_int_equal(problems.errors, 1);
    kext_set_clear(&set);
    problems_clear(&problems);
    remove_root(root);
}

static void a_broken_kext_does_not_hide_the_others(void **state)
{
    struct kext_set set = { NULL };
    struct problems problems = { 0 };
    char *root = make_root();
    char path[300];

    (void)state;
    snprintf(path, sizeof path, "%s/A.kext/Contents/Info.plist", root);
    put_bytes(path, "<plist>\n<dict>", 14);
    put_bundle(root, "B.kext", "org.b", "1.0", "");
    assert_true(kext_set_load(&set, root, &lenient, &problems));
    assert_int_equal(set.count, 1);
    assert_int_equal(problems.errors, 1);
    assert_int_equal(problems.list[0].line, 2);
    kext_set_clear(&set);
    problems_clear(&problems);
    remove_root(root);
}

static void binary_lists_are_read_leniently_and_refused_strictly(void **state)
{
    static const char text[] =
        "<plist version=\"1.0\"><dict><key>CFBundleIdentifier</key><string>org.b</string></dict>"
        "</plist>";
    const struct kext_options strict = { .mode = PLIST_FILE_STRICT };
    struct kext_set set = { NULL };
    struct problems problems = { 0 };
    size_t size;
    char *bytes = libplist_xml_to_binary(text, sizeof text - 1, &size);

    (void)state;
    assert_non_null(kext_set_add_text(&set, bytes, size, "Info.plist", &lenient, &problems));
    assert_true(set.kexts[0]->is_binary);
    assert_null(kext_set_add_text(&set, bytes, size, "Info.plist", &strict, &problems));
    kext_set_clear(&set);
    problems_clear(&problems);
    free(bytes);
}

static void architecture_forms_replace_os_and_io_keys_only(void **state)
{
    static const char text[] =
        "<plist><dict><key>OSBundleLibraries</key><string>any</string>"
        "<key>OSBundleLibraries_x86_64</key><string>64</string><key>CFBundleName</key>"
        "<string>any</string><key>CFBundleName_x86_64</key><string>64</string></dict></plist>";
    struct kext_set set = { NULL };
    struct kext *kext = kext_set_add_text(&set, text, sizeof text - 1, "x", &lenient, NULL);

    (void)state;
    assert_string_equal(plist_string(kext_value(kext, "OSBundleLibraries", "x86_64")), "64");
    assert_string_equal(plist_string(kext_value(kext, "OSBundleLibraries", "i386")), "any");
    assert_string_equal(plist_string(kext_value(kext, "CFBundleName", "x86_64")), "any");
    kext_set_clear(&set);
}

static void versions_are_numbers(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } rows[] = {
        { "1", 1000000009000 },
        { "1.0.0d1", 1000000001001 },
        { "1.0.0fc1", 1000000007001 },
        { "1.0.0f0", -1 },
        { "1.0.0b0", 1000000005000 },
        { "1.0b", -1 },
        { "1.0.0d256", -1 },
        { "12345", -1 },
        { "1..2", 1000000029000 },
        { "1.2.1234.", 1000212349000 },
        { "1.2.3.", -1 },
        { "1.2.3.4", -1 },
        { "1.0.0 beta", 1000000009000 },
        { "1.0.0D1", -1 },
        { "", -1 },
        { "9999.9999.9999fc255", 9999999999997255 },
        { "12345678901234567890", -1 },
    };
    char text[VERSION_TEXT_SIZE];
    size_t index;

    (void)state;
    for (index = 0; index < sizeof rows / sizeof *rows; index++)
        if (version_parse(rows[index].text) != rows[index].value)
            fail_msg("%s: %lld", rows[index].text, (long long)version_parse(rows[index].text));
    version_format(version_parse("01.002.0b3"), text);
    assert_string_equal(text, "1.2.0b3");
    assert_int_equal(version_parse(text), version_parse("1.2.0b3"));
    assert_int_equal(release_parse("10.15.4"), 1015);
    assert_int_equal(release_parse("13.2"), 1300);
    assert_int_equal(release_parse("9"), 0);
    assert_int_equal(release_darwin(1004), 8);
    assert_int_equal(release_darwin(1100), 20);
    assert_int_equal(release_darwin(2600), 25);
}

static void libraries_resolve_by_version_and_compatible_version(void **state)
{
    static const char wants[] = "<key>OSBundleLibraries</key><dict><key>org.lib</key><string>1.5</"
                                "string><key>org.none</key><string>1</string>"
                                "<key>com.apple.kpi.libkern</key><string>8.0.0</"
                                "string><key>com.apple.kpi.bsd</key><string>7.0</string>"
                                "<key>com.apple.kpi.mach</key><string>99.0</"
                                "string><key>com.apple.kernel</key><string>6.0</string>"
                                "<key>com.apple.iokit.IOPCIFamily</key><string>2.0</"
                                "string><key>org.lib2</key><string>x</string></dict>";
    static const enum library_status expected[] = {
        LIBRARY_FOUND,   LIBRARY_MISSING, LIBRARY_BUILT_IN,  LIBRARY_NOT_COMPATIBLE,
        LIBRARY_TOO_OLD, LIBRARY_REFUSED, LIBRARY_NOT_GIVEN, LIBRARY_BAD_VERSION,
    };
    struct kext_set set = { NULL };
    struct problems problems = { 0 };
    char *root = make_root();
    struct library *libraries;
    size_t count;
    size_t index;
    char chain[100];

    (void)state;
    put_bundle(root, "A.kext", "org.a", "1.0", wants);
    put_bundle(root, "L1.kext", "org.lib", "1.4",
               "<key>OSBundleCompatibleVersion</key><string>1.0</string>");
    put_bundle(root, "L2.kext", "org.lib", "2.0",
               "<key>OSBundleCompatibleVersion</key><string>1.0</string>"
               "<key>OSBundleLibraries</key><dict><key>org.a</key><string>1.0</string></dict>");
    assert_true(kext_set_load(&set, root, &lenient, &problems));
    libraries = libraries_resolve(&set, set.kexts[0], "x86_64", 1200, &count);
    assert_int_equal(count, sizeof expected / sizeof *expected);
    for (index = 0; index < count; index++)
        assert_int_equal(libraries[index].status, expected[index]);
    assert_string_equal(libraries[0].kext->path + strlen(root),
                        "/L2.kext"); /* the highest version */
    assert_true(libraries[3].kernel_differs);
    assert_true(libraries_find_cycle(&set, set.kexts[0], "x86_64", chain, sizeof chain));
    assert_string_equal(chain, "org.a -> org.lib -> org.a");
    free(libraries);
    kext_set_clear(&set);
    problems_clear(&problems);
    remove_root(root);
}

/* ---- lint ---- */

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

/* ---- Mach-O ---- */

static void executables_tell_architectures_and_signature(void **state)
{
    char *root = make_root();
    char path[300];
    struct macho macho;
    size_t offset;
    size_t size;
    size_t length;
    char why[100];
    char *bytes;

    (void)state;
    snprintf(path, sizeof path, "%s/x", root);
    put_executable(path, 7, true);
    bytes = read_whole(path, &size);
    assert_true(macho_parse(bytes, size, &macho, &offset, why, sizeof why));
    assert_non_null(macho_find(&macho, "x86_64"));
    assert_true(macho.slices[0].is_kext);
    assert_true(macho.slices[0].has_signature);
    assert_null(macho_find(&macho, "i386"));
    for (length = 0; length < 48; length++)
        assert_false(macho_parse(bytes, length, &macho, &offset, why, sizeof why));
    free(bytes);
    remove_root(root);
}

/* ---- installation ---- */

struct stop {
    int steps; /* until the process dies, or the step is refused */
    bool die;
};

static bool count_down(void *context, const char *what, const char *path)
{
    struct stop *stop = context;

    (void)what;
    (void)path;
    if (stop->steps-- > 0)
        return true;
    if (stop->die)
        _exit(42);
    return false;
}

static char *content(const char *root, const char *path)
{
    char full[400];
    size_t size;

    snprintf(full, sizeof full, "%s/%s", root, path);
    return read_whole(full, &size);
}

static size_t count_names(const char *root)
{
    char path[300];
    DIR *directory;
    struct dirent *entry;
    size_t count = 0;

    snprintf(path, sizeof path, "%s/Library/Extensions", root);
    directory = opendir(path);
    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(directory);
    return count;
}

struct place {
    char *root;
    char old[300];
    char new[300];
    struct install_options options;
};

static struct place make_place(void)
{
    struct place place = { .root = make_root() };

    place.options =
        (struct install_options){ .root = place.root, .owner = getuid(), .group = getgid() };
    snprintf(place.old, sizeof place.old, "%s/1/A.kext", place.root);
    snprintf(place.new, sizeof place.new, "%s/2/A.kext", place.root);
    put_bundle(place.root, "1/A.kext", "org.a", "1.0", "");
    put_bundle(place.root, "2/A.kext", "org.a", "2.0", "");
    put_bundle(place.root, "2/A.kext/Contents/PlugIns/P.kext", "org.p", "2.0", "");
    return place;
}

static void assert_version(const struct place *place, const char *version)
{
    char *text = content(place->root, "Library/Extensions/A.kext/Contents/Info.plist");

    assert_non_null(strstr(text, version));
    free(text);
}

static void install_puts_owner_and_modes_right_and_replaces_the_old(void **state)
{
    struct place place = make_place();
    struct problems problems = { 0 };
    struct stat status;
    char path[400];

    (void)state;
    snprintf(path, sizeof path, "%s/Contents/Info.plist", place.new);
    assert_int_equal(chmod(path, 0666), 0);
    assert_true(install_bundle(place.old, &place.options, &problems));
    assert_version(&place, "1.0");
    assert_true(install_bundle(place.new, &place.options, &problems));
    assert_version(&place, "2.0");
    assert_int_equal(problems.count, 0);
    assert_int_equal(count_names(place.root), 1);
    snprintf(path, sizeof path, "%s/Library/Extensions/A.kext/Contents/Info.plist", place.root);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0644);
    assert_true(install_remove("A.kext", &place.options, &problems));
    assert_int_equal(count_names(place.root), 0);
    assert_false(install_remove("A.kext", &place.options, &problems));
    problems_clear(&problems);
    remove_root(place.root);
}

/* At whichever step it fails or the machine stops, the old bundle is whole, and the next install
 * succeeds. */
static void an_interrupted_install_leaves_the_old_state_whole(void **state)
{
    int steps;
    int die;

    (void)state;
    for (die = 0; die < 2; die++)
        for (steps = 0; steps < 3; steps++) {
            struct place place = make_place();
            struct stop stop = { steps, die };
            struct problems problems = { 0 };
            int status = 0;

            assert_true(install_bundle(place.old, &place.options, &problems));
            place.options.step = count_down;
            place.options.context = &stop;
            if (die) {
                pid_t child = fork();

                if (child == 0)
                    _exit(install_bundle(place.new, &place.options, NULL) ? 0 : 1);
                assert_int_equal(waitpid(child, &status, 0), child);
                assert_int_equal(WEXITSTATUS(status), 42);
            } else {
                assert_false(install_bundle(place.new, &place.options, &problems));
                assert_true(problems.errors > 0);
                assert_int_equal(count_names(place.root), 1); /* no trace of the copy */
            }
            assert_version(&place, "1.0");
            place.options.step = NULL;
            assert_true(install_bundle(place.new, &place.options, NULL));
            assert_version(&place, "2.0");
            assert_int_equal(count_names(place.root), 1);
            problems_clear(&problems);
            remove_root(place.root);
        }
}

static void what_is_no_file_is_not_installed(void **state)
{
    struct place place = make_place();
    struct problems problems = { 0 };
    char path[400];

    (void)state;
    assert_true(install_bundle(place.old, &place.options, &problems));
    snprintf(path, sizeof path, "%s/Contents/pipe", place.new);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(install_bundle(place.new, &place.options, &problems));
    assert_version(&place, "1.0");
    assert_false(install_bundle("/tmp/no-bundle", &place.options, &problems));
    problems_clear(&problems);
    remove_root(place.root);
}

static void the_system_folder_is_refused_unless_forced(void **state)
{
    struct place place = make_place();
    struct problems problems = { 0 };
    char system[300];

    (void)state;
    snprintf(system, sizeof system, "%s/System", place.root);
    assert_int_equal(mkdir(system, 0755), 0);
    place.options.root = system;
    assert_false(install_bundle(place.old, &place.options, &problems));
    assert_non_null(strstr(problems.list[0].text, "10.11"));
    place.options.force = true;
    assert_true(install_bundle(place.old, &place.options, &problems));
    problems_clear(&problems);
    remove_root(place.root);
}

static void advice_is_that_of_the_release(void **state)
{
    const char *lines[16];
    size_t count = install_advice(1008, INSTALL_UNSIGNED, lines, 16);

    (void)state;
    assert_non_null(strstr(lines[0], "System/Library/Extensions alone"));
    assert_true(count >= 3);
    count = install_advice(1300, INSTALL_UNSIGNED, lines, 16);
    assert_non_null(strstr(lines[0], "kmutil"));
    assert_non_null(strstr(lines[count - 2], "csr"));
    count = install_advice(1013, INSTALL_SIGNED, lines, 16);
    assert_non_null(strstr(lines[1], "allow"));
    count = install_advice(1013, INSTALL_REMOVAL, lines, 16);
    assert_int_equal(count, 2);
    assert_non_null(strstr(lines[0], "rebuild"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_bundles_plugins_and_plain_lists_are_read),
        cmocka_unit_test(a_broken_kext_does_not_hide_the_others),
        cmocka_unit_test(binary_lists_are_read_leniently_and_refused_strictly),
        cmocka_unit_test(architecture_forms_replace_os_and_io_keys_only),
        cmocka_unit_test(versions_are_numbers),
        cmocka_unit_test(libraries_resolve_by_version_and_compatible_version),
        cmocka_unit_test(each_mistake_of_the_broken_kext_is_found),
        cmocka_unit_test(ids_of_rules_are_there_once_each_with_a_fix),
        cmocka_unit_test(every_rule_about_keys_speaks_and_clean_keys_are_silent),
        cmocka_unit_test(rules_about_the_set_see_shadows_and_duplicates),
        cmocka_unit_test(installed_files_must_not_be_writable_by_others),
        cmocka_unit_test(executables_tell_architectures_and_signature),
        cmocka_unit_test(install_puts_owner_and_modes_right_and_replaces_the_old),
        cmocka_unit_test(an_interrupted_install_leaves_the_old_state_whole),
        cmocka_unit_test(what_is_no_file_is_not_installed),
        cmocka_unit_test(the_system_folder_is_refused_unless_forced),
        cmocka_unit_test(advice_is_that_of_the_release),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
