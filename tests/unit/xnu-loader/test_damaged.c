/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Damaged executables: each field of a good one set to something impossible, then thousands of
 * random changes; nothing may crash, and what is refused is refused in one line.
 */
#include "tests/unit/xnu-loader/kext_builder.h"
#include "tests/unit/xnu-loader/test_kernel.h"
#include "tests/unit/xnu-machine/machine_test.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "xnu/loader/link.h"
#include "xnu/loader/macho_format.h"

static uint8_t *good, *copy;
static size_t good_size;
static struct test_kernel kernel;

static uint32_t get32(const uint8_t *bytes) {
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static void put32(uint8_t *bytes, uint32_t value) {
    memcpy(bytes, &value, sizeof value);
}

static void put64(uint8_t *bytes, uint64_t value) {
    memcpy(bytes, &value, sizeof value);
}

static uint8_t *command_in(uint8_t *file, uint32_t wanted, unsigned nth) {
    uint8_t *command = file + 32;
    for (uint32_t i = get32(file + 16); i != 0; i--, command += get32(command + 4)) {
        if (get32(command) == wanted && nth-- == 0) {
            return command;
        }
    }
    fail_msg("no load command %x", wanted);
    return NULL;
}

/* Links into plain memory: no code runs. */
static int try_link(const struct macho *macho, struct loader_error *error) {
    const struct link_library library = {&kernel.kernel.symbols, "com.apple.kpi.iokit", true};
    uint8_t *memory = NULL;
    if (posix_memalign((void **)&memory, 4096, link_memory_size(macho)) != 0) {
        return -1;
    }
    memset(memory, 0, link_memory_size(macho));
    struct link_request request = {macho, &library, 1, memory};
    int result = link_kext(&request, error);
    free(memory);
    return result;
}

static int try_bytes(const uint8_t *bytes, size_t size, uint32_t release,
                     struct loader_error *error) {
    struct macho macho;
    memset(error, 0, sizeof *error);
    /* At the very end of its own allocation, so that a read beyond it is noticed. */
    uint8_t *exact = malloc(size != 0 ? size : 1);
    memcpy(exact, bytes, size);
    int result = macho_read(&macho, exact, size, release, error);
    if (result == 0) {
        result = try_link(&macho, error);
        macho_free(&macho);
    }
    free(exact);
    return result;
}

static void assert_refused(const char *reason) {
    struct loader_error error;
    int result = try_bytes(copy, good_size, 1013, &error);
    if (result == 0 || strstr(error.text, reason) == NULL) {
        fail_msg("%s: %s", result == 0 ? "accepted" : "refused", error.text);
    }
    memcpy(copy, good, good_size);
    assert_int_equal(try_bytes(copy, good_size, 1013, &error), 0);
}

static void the_header_is_checked(void **state) {
    struct loader_error error;
    assert_int_equal(try_bytes(good, good_size, 1013, &error), 0);
    put32(copy, 0x12345678);
    assert_refused("not a Mach-O file (it begins with 12345678)");
    put32(copy + 4, 12);
    assert_refused("processor type 0xc");
    put32(copy + 12, 2);
    assert_refused("file type 2 is no kext");
    put32(copy + 12, MACHO_OBJECT);
    assert_refused("a 64-bit kext must be a kext bundle");
    put32(copy + 16, 1000);
    assert_refused("load commands are longer");
    put32(copy + 20, 0xFFFFFFF0);
    assert_refused("load commands lie outside");
    put32(copy + 32 + 4, 0);
    assert_refused("impossible size");
    put32(copy + 32 + 4, 0x7FFFFFFC);
    assert_refused("impossible size");
    for (size_t size = 0; size < 200; size++) {
        assert_int_equal(try_bytes(good, size, 1013, &error), -1);
    }
}

static void load_commands_follow_the_release(void **state) {
    static const struct {
        uint32_t command, first;
    } commands[] = {{MACHO_CODE_SIGNATURE, 1008}, {MACHO_VERSION_MIN_MACOSX, 1008},
                    {MACHO_FUNCTION_STARTS, 1008}, {MACHO_SEGMENT_SPLIT_INFO, 1010},
                    {MACHO_BUILD_VERSION, 1014}, {MACHO_NOTE, 1014}, {MACHO_MAIN, 0},
                    {MACHO_UNIXTHREAD, 0}, {0x77, 0}};
    struct loader_error error;
    uint8_t *uuid = command_in(copy, MACHO_UUID, 0);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        put32(uuid, commands[i].command);
        /* From 1015 on the fixture's pads are renamed and do not fit the test kernel. */
        for (uint32_t release = 1006; release <= 1014; release++) {
            bool expected = commands[i].first != 0 && release >= commands[i].first;
            int result = try_bytes(copy, good_size, release, &error);
            assert_int_equal(result, expected ? 0 : -1);
            assert_true(expected || strstr(error.text, "invalid load command type") != NULL);
        }
    }
    put32(uuid, MACHO_DYLD_CHAINED_FIXUPS);
    assert_refused("chained fixups");
}

static void segments_and_sections_are_checked(void **state) {
    uint8_t *segment = command_in(copy, MACHO_SEGMENT_64, 0);
    uint8_t *section = segment + 72;
    put64(segment + 40, UINT64_MAX);
    assert_refused("contents outside the file");
    put64(segment + 32, UINT64_C(1) << 40);
    assert_refused("ends beyond");
    put64(segment + 24, UINT64_MAX - 4095);
    assert_refused("ends beyond");
    put64(segment + 24, 8);
    assert_refused("does not begin at a page");
    put32(segment + 64, 100);
    assert_refused("more sections than its command holds");
    memcpy(segment + 8, "__OTHER", 8);
    assert_refused("names segment __TEXT but lies in __OTHER");
    put64(command_in(copy, MACHO_SEGMENT_64, 1) + 24, 0);
    assert_refused("overlap");
    put64(section + 40, UINT64_MAX);
    assert_refused("outside its segment");
    put32(section + 48, 0xFFFFFFFF);
    assert_refused("contents outside the file");
    put32(section + 52, 63);
    assert_refused("not aligned");
    put32(section + 64, 0x7);
    assert_refused("invalid type 7");
    put32(section + 64, MACHO_SECTION_ZEROFILL);
    assert_refused("");
    put32(section + 48, get32(section + 48) + 16);
    assert_refused("is not where its segment is");
    memcpy(command_in(copy, MACHO_SEGMENT_64, 2) + 8, "__WHAT\0\0\0\0", 11);
    assert_refused("no segment __LINKEDIT");
}

static void symbols_are_checked(void **state) {
    uint8_t *symtab = command_in(copy, MACHO_SYMTAB, 0);
    uint8_t *record = builder_symbol(copy, "_kernel_record");
    uint8_t *start = builder_symbol(copy, "__ZN6Driver5startEP6Parent");
    put32(symtab + 8, 0xFFFFFFFF);
    assert_refused("symbol table lies outside");
    put32(symtab + 12, 0xFFFFFFFF);
    assert_refused("symbol table lies outside");
    put32(symtab + 20, 0xFFFFFFFF);
    assert_refused("symbol table lies outside");
    put32(symtab + 20, 5);
    assert_refused("a symbol's name");
    put32(symtab, MACHO_NOTE + 1);
    put32(record, 0x7FFFFFFF);
    assert_refused("invalid load command");
    put32(record, 0x7FFFFFFF);
    assert_refused("name lies outside the string table");
    put64(record + 8, 16);
    assert_refused("common symbol _kernel_record");
    record[4] = 0x0C;
    assert_refused("symbol _kernel_record has the type 0xc");
    record[4] = 0x0A;
    assert_refused("an alias");
    start[5] = 0;
    assert_refused("lies in section 0 of");
    start[5] = 200;
    assert_refused("lies in section 200 of");
    put64(start + 8, UINT64_MAX - 3);
    assert_refused("lies outside its section");
}

static void relocations_are_checked(void **state) {
    uint8_t *dysymtab = command_in(copy, MACHO_DYSYMTAB, 0);
    uint8_t *external = copy + get32(dysymtab + 64), *local = copy + get32(dysymtab + 72);
    put32(dysymtab + 64, 0xFFFFFFFF);
    assert_refused("relocation table lies outside");
    put32(dysymtab + 76, 0x7FFFFFFF);
    assert_refused("relocation table lies outside");
    put32(external, 0xFFFFFFFC);
    assert_refused("its place has no contents");
    put32(external + 4, get32(external + 4) | 0xFFFFFF);
    assert_refused("its symbol does not exist");
    put32(local + 4, get32(local + 4) | 0xFFFFFF);
    assert_refused("its section does not exist");
    put32(external + 4, get32(external + 4) & ~(1u << 27));
    assert_refused("relocation");
    put32(external + 4, (get32(external + 4) & 0x0FFFFFFF) | MACHO_X86_64_SUBTRACTOR << 28);
    assert_refused("a difference of symbols");
    put32(external + 4, (get32(external + 4) & 0x0FFFFFFF) | MACHO_X86_64_GOT << 28);
    assert_refused("a GOT that kexts do not have");
    put32(external + 4, (get32(external + 4) & 0x0FFFFFFF) | 15u << 28);
    assert_refused("an unknown relocation type");
    put32(external + 4, get32(external + 4) ^ 1u << 25);
    assert_refused("relocation");
}

static void names_of_classes_are_checked(void **state) {
    uint8_t *name = memmem(copy, good_size, "__ZTV6Driver", 13);
    memcpy(name, "__ZTV6Drivel", 12);
    assert_refused("vtable __ZTV6Driver is missing");
    name = memmem(copy, good_size, "__ZTVN6Driver9MetaClassE", 25);
    memcpy(name, "__ZTVN6Drivel", 13);
    assert_refused("vtable __ZTVN6Driver9MetaClassE is missing");
    name = memmem(copy, good_size, "__ZN6Parent10gMetaClassE", 25);
    memcpy(name, "__ZN6Parent10gMetaClasse", 24);
    assert_refused("does not lead to a class");
    name = memmem(copy, good_size, "__ZN6Parent10gMetaClassE", 25);
    memcpy(name, "__ZN6Parens10gMetaClassE", 24);
    assert_refused("vtable __ZTV6Parens of __ZTV6Driver is in none of the libraries");
}

static void fat_files_are_split(void **state) {
    uint8_t fat[64 + 8] = {0xCA, 0xFE, 0xBA, 0xBE, 0, 0, 0, 2};
    struct loader_error error = {0};
    const uint8_t *slice;
    size_t size;
    uint8_t *entry = fat + 8;
    entry[3] = 7;   /* i386 */
    entry[11] = 48; /* offset */
    entry[15] = 8;  /* size */
    entry[20] = 1;  /* x86_64 */
    entry[23] = 7;
    entry[31] = 56;
    entry[35] = 16;
    assert_int_equal(macho_slice(fat, sizeof fat, MACHO_PROCESSOR_X86_64, &slice, &size, &error),
                     0);
    assert_ptr_equal(slice, fat + 56);
    assert_int_equal(size, 16);
    assert_int_equal(macho_slice(fat, sizeof fat, MACHO_PROCESSOR_I386, &slice, &size, &error), 0);
    assert_ptr_equal(slice, fat + 48);
    entry[23] = 12;
    assert_int_equal(macho_slice(fat, sizeof fat, MACHO_PROCESSOR_X86_64, &slice, &size, &error),
                     -1);
    assert_string_equal(error.text, "the executable has no slice for x86_64");
    memset(&error, 0, sizeof error);
    entry[35] = 17;
    assert_int_equal(macho_slice(fat, sizeof fat, MACHO_PROCESSOR_X86_64, &slice, &size, &error),
                     -1);
    assert_non_null(strstr(error.text, "a slice lies outside the file"));
    memset(&error, 0, sizeof error);
    fat[7] = 200;
    assert_int_equal(macho_slice(fat, sizeof fat, MACHO_PROCESSOR_X86_64, &slice, &size, &error),
                     -1);
    memset(&error, 0, sizeof error);
    assert_int_equal(macho_slice(fat, 6, MACHO_PROCESSOR_X86_64, &slice, &size, &error), -1);
}

static void i386_kexts_are_checked_and_said_not_to_run(void **state) {
    size_t size;
    struct loader_error error = {0};
    struct macho macho;
    uint8_t *executable = builder_kext("i386", "client", "", &size);
    if (macho_read(&macho, executable, size, 1006, &error) != 0) {
        fail_msg("%s", error.text);
    }
    assert_true(macho.is_object && !macho.is_64 && macho.relocation_count > 10);
    assert_non_null(macho_find_symbol(&macho, "_kmod_info"));
    assert_int_equal(try_link(&macho, &error), -1);
    assert_string_equal(error.text, "the executable is sound, but 32-bit code cannot run here");
    macho_free(&macho);
    memset(&error, 0, sizeof error);
    for (size_t cut = 0; cut < size; cut += 37) {
        struct loader_error ignored = {0};
        if (macho_read(&macho, executable, cut, 1006, &ignored) == 0) {
            macho_free(&macho);
        }
    }
    free(executable);
}

/* Fixed seed: the same changes each time. */
static void random_damage_never_crashes(void **state) {
    struct loader_error error;
    uint64_t random = 88172645463325252u;
    unsigned accepted = 0, refused = 0;
    for (unsigned round = 0; round < 3000; round++) {
        memcpy(copy, good, good_size);
        for (unsigned change = 0; change < 1 + round % 4; change++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            /* Mostly in the commands and the tables, where it matters. */
            size_t limit = round % 2 ? 1200 : good_size;
            copy[random % limit] = (uint8_t)(random >> 40);
        }
        if (try_bytes(copy, good_size, 1013, &error) == 0) {
            accepted++;
        } else {
            refused++;
            assert_true(error.status == MACHINE_EXIT_KEXT || error.status == MACHINE_EXIT_LINK);
            assert_true(error.text[0] != '\0' && strchr(error.text, '\n') == NULL);
        }
    }
    memcpy(copy, good, good_size);
    assert_true(accepted > 100 && refused > 100);
}

static int setup(void **state) {
    if (builder_setup(state) != 0) {
        return -1;
    }
    test_kernel_init(&kernel);
    good = builder_kext("x86_64", "driver", "", &good_size);
    copy = malloc(good_size);
    memcpy(copy, good, good_size);
    return 0;
}

static int teardown(void **state) {
    free(good);
    free(copy);
    return builder_teardown(state);
}

int main(int argc, char **argv) {
    builder_kextlink = argc > 1 ? argv[1] : NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_is_checked),
        cmocka_unit_test(load_commands_follow_the_release),
        cmocka_unit_test(segments_and_sections_are_checked),
        cmocka_unit_test(symbols_are_checked),
        cmocka_unit_test(relocations_are_checked),
        cmocka_unit_test(names_of_classes_are_checked),
        cmocka_unit_test(fat_files_are_split),
        cmocka_unit_test(i386_kexts_are_checked_and_said_not_to_run),
        cmocka_unit_test(random_damage_never_crashes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
