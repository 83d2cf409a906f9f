/* SPDX-License-Identifier: BSD-3-Clause */
/* Installation: owner and modes, replacement, interruption at every step, refusals. */
#include "tests/unit/match/support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "match/install.h"

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
        cmocka_unit_test(install_puts_owner_and_modes_right_and_replaces_the_old),
        cmocka_unit_test(an_interrupted_install_leaves_the_old_state_whole),
        cmocka_unit_test(what_is_no_file_is_not_installed),
        cmocka_unit_test(the_system_folder_is_refused_unless_forced),
        cmocka_unit_test(advice_is_that_of_the_release),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
