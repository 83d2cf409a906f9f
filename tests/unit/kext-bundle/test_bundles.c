/* SPDX-License-Identifier: BSD-3-Clause */
/* The built bundles: Info.plist and executable agree with each other and with what kernels read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "match/plist.h"
#include "tests/unit/kext-bundle/support.h"

/* Runs `check` on each slice with its bundle's Info.plist. */
static void for_each_slice(void (*check)(const struct slice *, const struct kext_file *,
                                         const struct plist *))
{
    assert_true(slice_count > 0);
    for (size_t i = 0; i < slice_count; i++) {
        struct plist *info = bundle_info(slices[i].name);
        struct kext_file file;
        size_t size;
        uint8_t *bytes = bundle_executable(slices[i].name, &size);

        slice_read(&slices[i], bytes, size, &file);
        check(&slices[i], &file, info);
        kext_file_free(&file);
        free(bytes);
        plist_release(info);
    }
}

static const char *string_of(const struct plist *info, const char *key)
{
    const char *text = plist_string(plist_get(info, key));

    if (!text)
        fail_msg("no string %s", key);
    return text;
}

static void check_names(const struct slice *slice, const struct kext_file *file,
                        const struct plist *info)
{
    const struct kext_symbol *kmod_info = kext_file_symbol(file, "_kmod_info");
    const char *strings;
    char identifier[128];

    assert_non_null(kmod_info);
    strings = (const char *)file->image + kmod_info->value + (file->is_64 ? 0x10 : 0x0c);
    assert_string_equal(strings, string_of(info, "CFBundleIdentifier"));
    assert_string_equal(strings + 64, string_of(info, "CFBundleVersion"));
    snprintf(identifier, sizeof identifier, "org.machv.driver.%s", slice->name);
    assert_string_equal(string_of(info, "CFBundleIdentifier"), identifier);
    assert_string_equal(string_of(info, "CFBundleExecutable"), slice->name);
    assert_string_equal(string_of(info, "CFBundlePackageType"), "KEXT");
    assert_string_equal(string_of(info, "OSBundleRequired"), "Root");
}

static void info_plist_and_kmod_info_agree(void **state)
{
    for_each_slice(check_names);
}

/* The kernel sets start and stop from here: both must be functions of the kext. */
static void check_entry_points(const struct slice *slice, const struct kext_file *file,
                               const struct plist *info)
{
    const struct kext_symbol *kmod_info = kext_file_symbol(file, "_kmod_info");
    uint64_t start = kmod_info->value + (file->is_64 ? 0xb4 : 0xa0);
    const struct kext_section *text = kext_file_section(file, "__text");

    for (size_t i = 0; i < 2; i++) {
        uint64_t place = start + i * kext_file_word_size(file);
        uint64_t function = kext_file_word(file, place);

        assert_non_null(kext_file_relocation(file, place));
        assert_in_range(function, text->address, text->address + text->size - 1);
    }
}

static void start_and_stop_are_functions_of_the_kext(void **state)
{
    for_each_slice(check_entry_points);
}

static void check_personality(const struct slice *slice, const struct kext_file *file,
                              const struct plist *info, const char *name,
                              const struct plist *personality)
{
    const char *class = plist_string(plist_get(personality, "IOClass"));
    const char *identifier = plist_string(plist_get(personality, "CFBundleIdentifier"));
    char table[160];

    if (!class || !identifier || !plist_string(plist_get(personality, "IOProviderClass")))
        fail_msg("%s: personality %s lacks a string", slice->name, name);
    if (strcmp(identifier, string_of(info, "CFBundleIdentifier")) != 0)
        return; /* another bundle's class, as IOHIDFamily's */
    snprintf(table, sizeof table, "__ZTV%zu%s", strlen(class), class);
    if (!kext_file_symbol(file, table))
        fail_msg("%s %s: personality %s: class %s is not in the executable", slice->name,
                 slice->architecture, name, class);
}

static void check_personalities(const struct slice *slice, const struct kext_file *file,
                                const struct plist *info)
{
    const struct plist *personalities = plist_get(info, "IOKitPersonalities");

    assert_true(plist_is(personalities, PLIST_DICTIONARY));
    for (size_t i = 0; i < plist_count(personalities); i++)
        check_personality(slice, file, info, plist_key_at(personalities, i),
                          plist_value_at(personalities, i));
}

static void each_personality_names_a_class_of_the_executable(void **state)
{
    for_each_slice(check_personalities);
}

static void check_libraries(const struct slice *slice, const struct kext_file *file,
                            const struct plist *info)
{
    const char *libraries[LIBRARIES_MAX];
    size_t count = libraries_for(info, slice->architecture, libraries);

    for (size_t i = 0; i < count; i++) {
        assert_int_equal(strncmp(libraries[i], "com.apple.", 10), 0);
        /* Kernels from 10.6 refuse it to kexts that are not Apple's. */
        assert_string_not_equal(libraries[i], "com.apple.kpi.private");
    }
}

static void only_libraries_open_to_third_parties_are_linked(void **state)
{
    for_each_slice(check_libraries);
}

/* The kernel calls each word of these sections, and nothing else runs a class's registration. */
static void check_constructors(const struct slice *slice, const struct kext_file *file,
                               const struct plist *info)
{
    const struct kext_section *section =
        kext_file_section(file, file->is_64 ? "__mod_init_func" : "__constructor");
    size_t classes = 0;

    for (size_t i = 0; i < file->symbol_count; i++)
        classes += strstr(file->symbols[i].name, "10superClassE") != NULL &&
                   file->symbols[i].section != 0;
    assert_int_equal(section ? section->size / kext_file_word_size(file) : 0, classes);
}

static void each_class_has_one_constructor(void **state)
{
    for_each_slice(check_constructors);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(info_plist_and_kmod_info_agree),
        cmocka_unit_test(start_and_stop_are_functions_of_the_kext),
        cmocka_unit_test(each_personality_names_a_class_of_the_executable),
        cmocka_unit_test(only_libraries_open_to_third_parties_are_linked),
        cmocka_unit_test(each_class_has_one_constructor),
    };

    slices_parse(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
