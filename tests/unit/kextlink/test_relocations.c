/* SPDX-License-Identifier: BSD-3-Clause */
/* What a linked kext's words and branches lead to, read back by the tests' own parser. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/kextlink/bench.h"
#include "tests/unit/kextlink/loader/kext_file.h"

/* constructs.c links first, so that its sections do not begin where the object's did in __data. */
static void link_constructs(const char *architecture, struct kext_file *file)
{
    const char *output = bench_path("constructs");
    struct outcome outcome = bench_link("-o '%s' -arch %s '%s' '%s' '%s'", output, architecture,
                                        bench_compile(architecture, "module", ""),
                                        bench_compile(architecture, "constructs", ""),
                                        bench_compile(architecture, "sample", ""));
    size_t size;
    uint8_t *bytes;

    assert_string_equal(outcome.messages, "");
    assert_int_equal(outcome.exit_code, 0);
    bytes = bench_read(output, &size);
    if (!kext_file_read(file, bytes, size))
        fail_msg("%s: %s", architecture, file->problem);
}

static void release(struct kext_file *file)
{
    free((void *)file->bytes);
    kext_file_free(file);
}

static uint64_t address_of(const struct kext_file *file, const char *name)
{
    const struct kext_symbol *symbol = kext_file_symbol(file, name);

    if (!symbol || !symbol->section)
        fail_msg("no %s", name);
    return symbol->value;
}

static void assert_points(const struct kext_file *file, uint64_t place, uint64_t target)
{
    const struct kext_relocation *relocation = kext_file_relocation(file, place);

    assert_non_null(relocation);
    assert_false(relocation->external);
    assert_int_equal(kext_file_word(file, place), target);
}

static void assert_imports(const struct kext_file *file, uint64_t place, const char *name)
{
    const struct kext_relocation *relocation = kext_file_relocation(file, place);

    assert_non_null(relocation);
    assert_true(relocation->external);
    assert_string_equal(file->symbols[relocation->symbol].name, name);
}

static void test_data_pointers(const char *architecture)
{
    struct kext_file file;
    size_t word;

    link_constructs(architecture, &file);
    word = kext_file_word_size(&file);
    assert_points(&file, address_of(&file, "_own_pointer"), address_of(&file, "_own_common") + 12);
    assert_points(&file, address_of(&file, "_constant_pointer"), address_of(&file, "_own_data"));
    assert_points(&file, address_of(&file, "_own_function_pointer"), address_of(&file, "_helper"));
    assert_imports(&file, address_of(&file, "_imported_pointer"), "_imported_data");
    assert_imports(&file, address_of(&file, "_function_pointer"), "_imported_function");
    for (size_t i = 0; i < 3; i++) {
        static const char *const expected[] = {"first", "second", "third"};
        uint64_t place = address_of(&file, "_own_strings") + i * word;
        uint64_t string = kext_file_word(&file, place);

        assert_points(&file, place, string);
        assert_string_equal((char *)file.image + string, expected[i]);
    }
    assert_int_equal(*(int *)(file.image + address_of(&file, "_own_data")), 0x11111111);
    release(&file);
}

static void pointers_in_data_lead_to_their_targets_x86_64(void **state)
{
    test_data_pointers("x86_64");
}

static void pointers_in_data_lead_to_their_targets_i386(void **state)
{
    test_data_pointers("i386");
}

static int32_t displacement(const struct kext_file *file, uint64_t place)
{
    int32_t value;

    memcpy(&value, file->image + place, sizeof value);
    return value;
}

/* The first occurrence of the bytes at or behind `from`. */
static uint64_t find(const struct kext_file *file, uint64_t from, const char *bytes, size_t size)
{
    const uint8_t *found =
        memmem(file->image + from, file->image_size - from, bytes, size);

    if (!found)
        fail_msg("instruction not found behind 0x%llx", (unsigned long long)from);
    return (uint64_t)(found - file->image);
}

static void code_reaches_own_data_x86_64(void **state)
{
    struct kext_file file;
    uint64_t at, data;

    link_constructs("x86_64", &file);
    data = address_of(&file, "_own_data");
    /* movl $7, own_data(%rip): the displacement is followed by four bytes (SIGNED_4). */
    at = find(&file, address_of(&file, "_use_everything"), "\xc7\x05", 2);
    assert_int_equal(at + 10 + (uint64_t)(int64_t)displacement(&file, at + 2), data);
    /* movb $1 (SIGNED_1) and movw $1 (SIGNED_2). */
    at = find(&file, address_of(&file, "_use_everything"), "\xc6\x05", 2);
    assert_int_equal(at + 7 + (uint64_t)(int64_t)displacement(&file, at + 2), data);
    at = find(&file, address_of(&file, "_use_everything"), "\x66\xc7\x05", 3);
    assert_int_equal(at + 9 + (uint64_t)(int64_t)displacement(&file, at + 3), data);
    /* imull by own_data in helper: movl own_data(%rip), %eax. */
    at = find(&file, address_of(&file, "_helper"), "\x8b\x05", 2);
    assert_int_equal(at + 6 + (uint64_t)(int64_t)displacement(&file, at + 2), data);
    release(&file);
}

static void imported_data_goes_through_the_got_x86_64(void **state)
{
    struct kext_file file;
    const struct kext_section *got;
    uint64_t at, slot;
    size_t slots = 0;

    link_constructs("x86_64", &file);
    got = kext_file_section(&file, "__got");
    assert_non_null(got);
    for (uint64_t place = got->address; place < got->address + got->size; place += 8)
        slots += kext_file_relocation(&file, place) != NULL;
    assert_int_equal(slots, got->size / 8);
    /* movq imported_data@GOTPCREL(%rip), %rax */
    at = find(&file, address_of(&file, "_use_everything"), "\x48\x8b\x05", 3);
    slot = at + 7 + (uint64_t)(int64_t)displacement(&file, at + 3);
    assert_imports(&file, slot, "_imported_data");
    /* cmpq imported_function@GOTPCREL(%rip), %rdi: no load, so the slot itself is compared with. */
    at = find(&file, address_of(&file, "_compare_import"), "\x48\x3b\x3d", 3);
    slot = at + 7 + (uint64_t)(int64_t)displacement(&file, at + 3);
    assert_imports(&file, slot, "_imported_function");
    release(&file);
}

static void a_got_load_of_own_data_becomes_lea_x86_64(void **state)
{
    const char *output = bench_path("relaxed");
    struct kext_file file;
    struct outcome outcome;
    uint64_t at;
    uint8_t *bytes;
    size_t size;

    outcome = bench_link("-o '%s' '%s' '%s' '%s' '%s'", output,
                         bench_compile("x86_64", "constructs", ""),
                         bench_compile("x86_64", "module", ""),
                         bench_compile("x86_64", "sample", ""),
                         bench_compile("x86_64", "provider", ""));
    assert_string_equal(outcome.messages, "");
    bytes = bench_read(output, &size);
    if (!kext_file_read(&file, bytes, size))
        fail_msg("%s", file.problem);
    assert_null(kext_file_symbol(&file, "_undefined"));
    at = find(&file, address_of(&file, "_use_everything"), "\x48\x8d\x05", 3);
    for (;; at = find(&file, at + 1, "\x48\x8d\x05", 3))
        if (at + 7 + (uint64_t)(int64_t)displacement(&file, at + 3) ==
            address_of(&file, "_imported_data"))
            break;
    /* The comparison still needs a slot, which now holds a local pointer. */
    at = find(&file, address_of(&file, "_compare_import"), "\x48\x3b\x3d", 3);
    assert_points(&file, at + 7 + (uint64_t)(int64_t)displacement(&file, at + 3),
                  address_of(&file, "_imported_function"));
    release(&file);
}

static void calls_reach_functions_in_other_objects(void **state)
{
    static const char *const architectures[] = {"x86_64", "i386"};

    for (int i = 0; i < 2; i++) {
        const char *output = bench_path("calls");
        struct kext_file file;
        bool found = false;
        uint8_t *bytes;
        size_t size;

        assert_int_equal(
            bench_link("-o '%s' '%s' '%s' '%s' '%s'", output,
                       bench_compile(architectures[i], "constructs", ""),
                       bench_compile(architectures[i], "module", ""),
                       bench_compile(architectures[i], "sample", ""),
                       bench_compile(architectures[i], "provider", "")).exit_code, 0);
        bytes = bench_read(output, &size);
        if (!kext_file_read(&file, bytes, size))
            fail_msg("%s", file.problem);
        for (uint64_t at = address_of(&file, "_use_everything");
             at < address_of(&file, "_compare_import"); at++)
            if ((file.image[at] == 0xe8 || file.image[at] == 0xe9) &&
                at + 5 + (uint64_t)(int64_t)displacement(&file, at + 1) ==
                    address_of(&file, "_imported_function"))
                found = kext_file_relocation(&file, at + 1) == NULL;
        assert_true(found);
        release(&file);
    }
}

static void imported_branches_are_left_to_the_kernel(void **state)
{
    static const char *const architectures[] = {"x86_64", "i386"};

    for (int i = 0; i < 2; i++) {
        struct kext_file file;
        size_t branches = 0;

        link_constructs(architectures[i], &file);
        for (size_t j = 0; j < file.relocation_count; j++) {
            const struct kext_relocation *relocation = &file.relocations[j];
            uint32_t content = (uint32_t)displacement(&file, relocation->address);

            if (!relocation->pc_relative)
                continue;
            branches++;
            /* i386: the addend (0) minus the address of the next instruction. */
            assert_int_equal(content, file.is_64 ? 0 : -(uint32_t)(relocation->address + 4));
            assert_true(file.image[relocation->address - 1] == 0xe8 ||
                        file.image[relocation->address - 1] == 0xe9);
        }
        assert_true(branches >= 4);
        release(&file);
    }
}

static void a_jump_table_leads_into_its_function(void **state)
{
    struct kext_file file;
    const struct kext_section *constants;
    uint64_t function, end;
    size_t entries = 0;

    link_constructs("i386", &file);
    function = address_of(&file, "_use_everything");
    end = address_of(&file, "_compare_import");
    constants = kext_file_section(&file, "__const");
    for (uint64_t at = constants->address; at < constants->address + constants->size; at += 4) {
        const struct kext_relocation *relocation = kext_file_relocation(&file, at);
        uint64_t target = kext_file_word(&file, at);

        entries += relocation && !relocation->external && target > function && target < end;
    }
    assert_int_equal(entries, 10);
    release(&file);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pointers_in_data_lead_to_their_targets_x86_64),
        cmocka_unit_test(pointers_in_data_lead_to_their_targets_i386),
        cmocka_unit_test(code_reaches_own_data_x86_64),
        cmocka_unit_test(imported_data_goes_through_the_got_x86_64),
        cmocka_unit_test(a_got_load_of_own_data_becomes_lea_x86_64),
        cmocka_unit_test(calls_reach_functions_in_other_objects),
        cmocka_unit_test(imported_branches_are_left_to_the_kernel),
        cmocka_unit_test(a_jump_table_leads_into_its_function),
    };

    bench_program = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests(tests, bench_setup, bench_teardown);
}
