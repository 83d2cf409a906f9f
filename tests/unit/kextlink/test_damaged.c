/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Objects whose bytes were damaged: each is refused with a message that names the file and the
 * reason, and the undamaged object still links afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/kextlink/bench.h"

struct object {
    const char *architecture;
    bool is_64;
    uint8_t *bytes;
    size_t size;
};

static struct object object_of(const char *architecture, const char *source, const char *flags)
{
    struct object object = {architecture, strcmp(architecture, "x86_64") == 0, NULL, 0};

    object.bytes = bench_read(bench_compile(architecture, source, flags), &object.size);
    return object;
}

static uint32_t get(const struct object *object, size_t offset)
{
    uint32_t value;

    assert_true(offset + 4 <= object->size);
    memcpy(&value, object->bytes + offset, sizeof value);
    return value;
}

static void put(struct object *object, size_t offset, uint32_t value)
{
    assert_true(offset + 4 <= object->size);
    memcpy(object->bytes + offset, &value, sizeof value);
}

/* File offset of the first load command of this kind. */
static size_t command(const struct object *object, uint32_t kind)
{
    size_t at = object->is_64 ? 32 : 28;

    for (uint32_t i = 0; i < get(object, 16); i++, at += get(object, at + 4))
        if (get(object, at) == kind)
            return at;
    fail_msg("no load command 0x%x", kind);
    return 0;
}

static size_t segment(const struct object *object)
{
    return command(object, object->is_64 ? 0x19 : 0x1);
}

/* File offset of the header of section `index`. */
static size_t section(const struct object *object, size_t index)
{
    return segment(object) + (object->is_64 ? 72 : 56) + index * (object->is_64 ? 80 : 68);
}

/* Offsets of a field after addr and size in a section header. */
static size_t section_field(const struct object *object, size_t index, size_t field)
{
    return section(object, index) + (object->is_64 ? 48 : 40) + 4 * field;
}
enum { FIELD_OFFSET, FIELD_ALIGN, FIELD_RELOFF, FIELD_NRELOC, FIELD_FLAGS };

static size_t relocation(const struct object *object, size_t section_index, size_t index)
{
    return get(object, section_field(object, section_index, FIELD_RELOFF)) + 8 * index;
}

/* File offset of the symbol's entry. */
static size_t symbol(const struct object *object, const char *name)
{
    size_t symtab = command(object, 2), each = object->is_64 ? 16 : 12;
    size_t strings = get(object, symtab + 16);

    for (uint32_t i = 0; i < get(object, symtab + 12); i++) {
        size_t entry = get(object, symtab + 8) + i * each;

        if (strcmp((char *)object->bytes + strings + get(object, entry), name) == 0)
            return entry;
    }
    fail_msg("no symbol %s", name);
    return 0;
}

/* Links the damaged object beside a good module; then frees it. */
static void assert_object_refused(struct object *object, const char *message)
{
    const char *path = bench_path("damaged.o");
    struct outcome outcome;

    bench_write(path, object->bytes, object->size);
    outcome = bench_link("-o '%s' -arch %s '%s' '%s'", bench_path("output"), object->architecture,
                         path, bench_compile(object->architecture, "module", ""));
    if (outcome.exit_code != 1 || !strstr(outcome.messages, message) ||
        !strstr(outcome.messages, "damaged.o: "))
        fail_msg("%s: exit code %d, messages \"%s\", expected \"%s\"", object->architecture,
                 outcome.exit_code, outcome.messages, message);
    free(object->bytes);
}

static const char *const architectures[] = {"x86_64", "i386"};
#define FOR_EACH_ARCHITECTURE(name)                                                                \
    for (const char *const *name = architectures; name < architectures + 2; name++)

/* Writes one word at an offset that depends on the object; expects the message. */
#define ASSERT_DAMAGE(architecture, source, flags, offset, value, message)                         \
    do {                                                                                           \
        struct object object = object_of(architecture, source, flags);                             \
        put(&object, offset, value);                                                               \
        assert_object_refused(&object, message);                                                   \
    } while (0)

static void what_is_no_object_is_refused(void **state)
{
    FOR_EACH_ARCHITECTURE(each) {
        struct object object = object_of(*each, "sample", "");

        object.size = 20;
        assert_object_refused(&object, "not a Mach-O object: only 20 bytes long");
        ASSERT_DAMAGE(*each, "sample", "", 0, 0x464c457f, "not a Mach-O object");
        ASSERT_DAMAGE(*each, "sample", "", 4, 18, "is neither i386 nor x86_64");
        ASSERT_DAMAGE(*each, "sample", "", 12, 2, "file type 2 is not an object");
    }
}

static void a_truncated_object_is_refused(void **state)
{
    FOR_EACH_ARCHITECTURE(each) {
        struct object object = object_of(*each, "sample", "");

        object.size = 100;
        assert_object_refused(&object, "truncated: load commands of");
        object = object_of(*each, "sample", "");
        object.size = section(&object, 0) + 200;
        put(&object, 20, (uint32_t)(object.size - (object.is_64 ? 32 : 28)));
        assert_object_refused(&object, "malformed: load command 0 has size");
        object = object_of(*each, "sample", "");
        object.size -= 1;
        assert_object_refused(&object, "truncated: string table");
    }
}

static void malformed_load_commands_are_refused(void **state)
{
    FOR_EACH_ARCHITECTURE(each) {
        ASSERT_DAMAGE(*each, "sample", "", segment(&object) + 4, 4, "load command 0 has size 4");
        ASSERT_DAMAGE(*each, "sample", "", segment(&object) + 4, 0x7fffffff,
                      "load command 0 has size 2147483647");
        ASSERT_DAMAGE(*each, "sample", "", 16, 1000, "load command");
        ASSERT_DAMAGE(*each, "sample", "", section(&object, 0) - 8, 200, "200 sections in a");
        ASSERT_DAMAGE(*each, "sample", "", segment(&object), 0xc,
                      "load command 0xc is not expected in an object");
        ASSERT_DAMAGE(*each, "sample", "", segment(&object), object.is_64 ? 1 : 0x19,
                      "segment command of the other word size");
        ASSERT_DAMAGE(*each, "sample", "", command(&object, 2), 0xb, "malformed");
        ASSERT_DAMAGE(*each, "sample", "", command(&object, 0x24), 2,
                      "malformed: symbol table command of 16 bytes");
    }
}

static void section_ranges_are_checked(void **state)
{
    FOR_EACH_ARCHITECTURE(each) {
        ASSERT_DAMAGE(*each, "sample", "", section_field(&object, 0, FIELD_OFFSET), 0xfffffff0,
                      "truncated: section __TEXT,__text");
        ASSERT_DAMAGE(*each, "sample", "", section_field(&object, 0, FIELD_RELOFF), 0xfffffff0,
                      "relocations of section __TEXT,__text");
        ASSERT_DAMAGE(*each, "sample", "", section_field(&object, 0, FIELD_NRELOC), 0x20000000,
                      "truncated: 536870912 relocations");
        ASSERT_DAMAGE(*each, "sample", "", section_field(&object, 0, FIELD_ALIGN), 40,
                      "is aligned to 2^40");
        ASSERT_DAMAGE(*each, "sample", "", section(&object, 0) + (object.is_64 ? 40 : 36),
                      0xfffffff0, "truncated: section __TEXT,__text of 0xfffffff0 bytes");
        ASSERT_DAMAGE(*each, "sample", "", section_field(&object, 0, FIELD_FLAGS), 1,
                      "zerofill section __TEXT,__text has relocations");
    }
}

static void symbol_entries_are_checked(void **state)
{
    FOR_EACH_ARCHITECTURE(each) {
        ASSERT_DAMAGE(*each, "sample", "", symbol(&object, "__ZTV6Sample"), 0xffffff,
                      "is outside of the string table");
        ASSERT_DAMAGE(*each, "sample", "", symbol(&object, "__ZTV6Sample") + 4, 0xff0f,
                      "symbol __ZTV6Sample is in section 255 of");
        ASSERT_DAMAGE(*each, "sample", "", symbol(&object, "__ZTV6Sample") + 8, 0x7fffff,
                      "symbol __ZTV6Sample lies outside of its section");
        ASSERT_DAMAGE(*each, "sample", "", symbol(&object, "__ZTV6Sample") + 4, 0x0109,
                      "symbol __ZTV6Sample has type 0x09");
        ASSERT_DAMAGE(*each, "sample", "", symbol(&object, "__ZTV6Parent") + 4, 0x0000,
                      "undefined symbol __ZTV6Parent is not external");
        ASSERT_DAMAGE(*each, "sample", "", symbol(&object, "__ZTV6Parent") + 8, 16,
                      "__ZTV6Parent is a common symbol");
        ASSERT_DAMAGE(*each, "sample", "", symbol(&object, "__ZTV6Parent") + 4, 0x000b,
                      "__ZTV6Parent is an indirect symbol");
        ASSERT_DAMAGE(*each, "sample", "", command(&object, 2) + 12, 0x10000000,
                      "truncated: 268435456 symbols");
    }
}

static void an_absolute_symbol_may_not_be_referred_to(void **state)
{
    FOR_EACH_ARCHITECTURE(each)
        ASSERT_DAMAGE(*each, "sample", "", symbol(&object, "__ZTV6Parent") + 4, 0x0003,
                      "refers to absolute symbol __ZTV6Parent");
}

static void relocation_entries_are_checked(void **state)
{
    FOR_EACH_ARCHITECTURE(each) {
        ASSERT_DAMAGE(*each, "sample", "", relocation(&object, 0, 0), 0xfffff,
                      "malformed: outside of its section");
        ASSERT_DAMAGE(*each, "sample", "", relocation(&object, 0, 0) + 4,
                      0x0c000000 | (object.is_64 ? 0x0dffffff : 0xffffff),
                      "malformed: relocation against no symbol");
        ASSERT_DAMAGE(*each, "sample", "", relocation(&object, 0, 0) + 4,
                      object.is_64 ? 0x250000ff : 0x040000ff, "malformed: refers to no section");
        ASSERT_DAMAGE(*each, "sample", "", relocation(&object, 0, 0) + 4,
                      object.is_64 ? 0xfd000000 : 0xf4000001, object.is_64 ? "malformed: "
                                                                          : "position-independent");
    }
    /* SUBTRACTOR alone, and against an import. */
    ASSERT_DAMAGE("x86_64", "constructs", "", relocation(&object, 1, 0) + 4, 0x5e000000,
                  "malformed: SUBTRACTOR without its UNSIGNED");
    /* GOT reference with an addend. */
    {
        struct object object = object_of("x86_64", "constructs", "");
        size_t text = get(&object, section_field(&object, 0, FIELD_OFFSET));

        for (size_t i = 0; i < get(&object, section_field(&object, 0, FIELD_NRELOC)); i++)
            if (get(&object, relocation(&object, 0, i) + 4) >> 28 == 3)
                put(&object, text + get(&object, relocation(&object, 0, i)), 8);
        assert_object_refused(&object, "GOT reference with addend 8");
    }
}

static void overlapping_relocations_are_refused(void **state)
{
    FOR_EACH_ARCHITECTURE(each) {
        struct object object = object_of(*each, "constructs", "");
        size_t data = 0;

        while (memcmp(object.bytes + section(&object, data), "__data", 7) != 0)
            data++;
        put(&object, relocation(&object, data, 1), get(&object, relocation(&object, data, 0)));
        assert_object_refused(&object, "two relocations overlap");
    }
}

static void a_difference_with_an_import_is_refused(void **state)
{
    struct object object = object_of("x86_64", "odd", "-DOWN_DIFFERENCE -DIMPORT_FOR_DAMAGE");
    size_t data = 0, index = (symbol(&object, "_imported") -
                              get(&object, command(&object, 2) + 8)) / 16;

    while (memcmp(object.bytes + section(&object, data), "__data", 7) != 0)
        data++;
    for (size_t i = 0; i < get(&object, section_field(&object, data, FIELD_NRELOC)); i++) {
        uint32_t word = get(&object, relocation(&object, data, i) + 4);

        if (word >> 28 == 0)
            put(&object, relocation(&object, data, i) + 4,
                (word & 0xff000000) | (uint32_t)index);
    }
    assert_object_refused(&object, "difference with import _imported is not known");
}

static void the_undamaged_object_still_links(void **state)
{
    FOR_EACH_ARCHITECTURE(each) {
        struct outcome outcome =
            bench_link("-o '%s' '%s' '%s'", bench_path("good"), bench_compile(*each, "sample", ""),
                       bench_compile(*each, "module", ""));

        assert_string_equal(outcome.messages, "");
        assert_int_equal(outcome.exit_code, 0);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(a_truncated_object_is_refused),
        cmocka_unit_test(malformed_load_commands_are_refused),
        cmocka_unit_test(section_ranges_are_checked),
        cmocka_unit_test(symbol_entries_are_checked),
        cmocka_unit_test(an_absolute_symbol_may_not_be_referred_to),
        cmocka_unit_test(relocation_entries_are_checked),
        cmocka_unit_test(overlapping_relocations_are_refused),
        cmocka_unit_test(a_difference_with_an_import_is_refused),
        cmocka_unit_test(the_undamaged_object_still_links),
    };

    bench_program = argc > 1 ? argv[1] : NULL;
    return cmocka_run_group_tests(tests, bench_setup, bench_teardown);
}
