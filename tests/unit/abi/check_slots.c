/* SPDX-License-Identifier: BSD-3-Clause */
/* Holds the tables that X_INHERIT lays out against abi/tables.
 *
 * Usage: check_slots TABLES ARCHITECTURE RELEASE OBJECT. OBJECT is layout.c compiled for macOS: it
 * has one table `_check_table_X` a class X. Each of its slots must be a relocation to the symbol
 * that occupies it in that release, with no addend. Exit: 0 all alike, 1 a difference, which is
 * printed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/abi/tables.h"

#define CHECK_PREFIX "_check_table_"
#define LOAD_SEGMENT 1u
#define LOAD_SYMTAB 2u
#define LOAD_SEGMENT_64 0x19u
#define MAX_SECTIONS 32

struct section {
    uint64_t address, size;
    uint32_t offset, relocations, relocation_count;
    const char **targets;   /* symbol that the word at this index refers to */
};

struct object {
    const unsigned char *bytes;
    size_t word;            /* bytes of a pointer */
    struct section sections[MAX_SECTIONS];
    size_t section_count;
    uint32_t symbols, symbol_count, strings;
};

static uint32_t u32(const struct object *object, size_t offset)
{
    uint32_t value;

    memcpy(&value, object->bytes + offset, sizeof value);
    return value;
}

static uint64_t pointer(const struct object *object, size_t offset)
{
    uint64_t value = 0;

    memcpy(&value, object->bytes + offset, object->word);
    return value;
}

static const char *symbol_name(const struct object *object, uint32_t index)
{
    size_t entry = object->symbols + index * (8 + object->word);

    return (const char *)object->bytes + object->strings + u32(object, entry);
}

static void read_segment(struct object *object, size_t command)
{
    int wide = object->word == 8;
    size_t count = u32(object, command + (wide ? 64 : 48)), i;

    for (i = 0; i < count && object->section_count < MAX_SECTIONS; i++) {
        size_t at = command + (wide ? 72 + i * 80 : 56 + i * 68);
        size_t tail = at + 32 + 2 * object->word;
        struct section *section = &object->sections[object->section_count++];

        section->address = pointer(object, at + 32);
        section->size = pointer(object, at + 32 + object->word);
        section->offset = u32(object, tail);
        section->relocations = u32(object, tail + 8);
        section->relocation_count = u32(object, tail + 12);
        section->targets = calloc(section->size / object->word + 1, sizeof *section->targets);
    }
}

static void read_object(struct object *object)
{
    size_t at, i;
    uint32_t commands;

    object->word = u32(object, 0) == 0xFEEDFACFu ? 8 : 4;
    commands = u32(object, 16);
    at = object->word == 8 ? 32 : 28;
    for (i = 0; i < commands; i++, at += u32(object, at + 4)) {
        uint32_t kind = u32(object, at);

        if (kind == LOAD_SEGMENT || kind == LOAD_SEGMENT_64)
            read_segment(object, at);
        if (kind == LOAD_SYMTAB) {
            object->symbols = u32(object, at + 8);
            object->symbol_count = u32(object, at + 12);
            object->strings = u32(object, at + 16);
        }
    }
}

static void read_relocations(struct object *object)
{
    size_t i, j;

    for (i = 0; i < object->section_count; i++) {
        struct section *section = &object->sections[i];

        for (j = 0; j < section->relocation_count; j++) {
            size_t at = section->relocations + 8 * j;
            uint32_t place = u32(object, at), target = u32(object, at + 4);

            if ((target >> 27 & 1) != 0 && place / object->word <= section->size / object->word)
                section->targets[place / object->word] = symbol_name(object, target & 0xFFFFFF);
        }
    }
}

/* Compares one table; returns the number of differences. */
static int check_class(const struct object *object, const struct abi_tables *tables,
                       const char *class, uint32_t release, size_t entry)
{
    const struct section *section = &object->sections[object->bytes[entry + 5] - 1];
    uint64_t offset = pointer(object, entry + 8) - section->address;
    const char *expected[MAX_SLOTS];
    size_t count = abi_class_slots(tables, class, release, expected), slot;
    size_t first = offset / object->word + 2;
    int differences = 0;

    for (slot = 0; slot < count; slot++) {
        const char *found = section->targets[first + slot];

        if (found == NULL || expected[slot] == NULL || strcmp(found, expected[slot]) != 0 ||
            pointer(object, section->offset + (first + slot) * object->word) != 0) {
            printf("# %s slot %zu: %s, expected %s\n", class, slot, found ? found : "nothing",
                   expected[slot] ? expected[slot] : "nothing");
            differences++;
        }
    }
    if (section->targets[first - 1] != NULL || section->targets[first - 2] != NULL)
        differences++;
    return differences;
}

static unsigned char *read_all(const char *path)
{
    FILE *file = fopen(path, "rb");
    unsigned char *bytes;
    long length;

    if (file == NULL) {
        perror(path);
        exit(2);
    }
    fseek(file, 0, SEEK_END);
    length = ftell(file);
    rewind(file);
    bytes = malloc((size_t)length + 8);
    if (bytes == NULL || fread(bytes, 1, (size_t)length, file) != (size_t)length)
        exit(2);
    fclose(file);
    return bytes;
}

int main(int argc, char **argv)
{
    struct object object = {0};
    struct abi_tables *tables;
    uint32_t i, release;
    int differences = 0, classes = 0;

    if (argc != 5)
        return 2;
    tables = abi_tables_read(argv[1], argv[2]);
    release = (uint32_t)strtoul(argv[3], NULL, 10);
    object.bytes = read_all(argv[4]);
    read_object(&object);
    read_relocations(&object);
    for (i = 0; i < object.symbol_count; i++) {
        const char *name = symbol_name(&object, i);

        if (strncmp(name, CHECK_PREFIX, strlen(CHECK_PREFIX)) != 0)
            continue;
        classes++;
        differences += check_class(&object, tables, name + strlen(CHECK_PREFIX), release,
                                   object.symbols + i * (8 + object.word));
    }
    printf("# %d classes, %d differences\n", classes, differences);
    for (i = 0; i < object.section_count; i++)
        free(object.sections[i].targets);
    free((void *)object.bytes);
    abi_tables_free(tables);
    return differences != 0 || classes < 90;
}
