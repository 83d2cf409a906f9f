/* SPDX-License-Identifier: BSD-3-Clause */
/* kext_file.c: the parser. The layout rules are in kext_rules.c. */
#include "tests/unit/kextlink/loader/kext_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/kextlink/loader/kext_rules.h"

bool kext_problem(struct kext_file *file, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(file->problem, sizeof file->problem, format, arguments);
    va_end(arguments);
    return false;
}

static uint64_t get(const struct kext_file *file, uint64_t offset, int bytes)
{
    uint64_t value = 0;

    if (offset + (uint64_t)bytes > file->size)
        return 0;
    for (int i = bytes; i-- > 0;)
        value = value << 8 | file->bytes[offset + (uint64_t)i];
    return value;
}

static bool read_segment(struct kext_file *file, uint64_t at)
{
    int word = file->is_64 ? 8 : 4;
    uint64_t count = get(file, at + (file->is_64 ? 64 : 48), 4);
    struct kext_segment *segment = &file->segments[file->segment_count++];

    if (file->segment_count > 8 || file->section_count + count > 64)
        return kext_problem(file, "too many segments or sections");
    memcpy(segment->name, file->bytes + at + 8, 16);
    segment->address = get(file, at + 24, word);
    segment->memory_size = get(file, at + 24 + (uint64_t)word, word);
    segment->file_offset = get(file, at + 24 + 2 * (uint64_t)word, word);
    segment->file_size = get(file, at + 24 + 3 * (uint64_t)word, word);
    segment->protection = (uint32_t)get(file, at + 28 + 4 * (uint64_t)word, 4);
    at += file->is_64 ? 72 : 56;
    for (uint64_t i = 0; i < count; i++, at += file->is_64 ? 80 : 68) {
        struct kext_section *section = &file->sections[file->section_count++];
        uint64_t rest = at + 32 + 2 * (uint64_t)word;

        memcpy(section->name, file->bytes + at, 16);
        memcpy(section->segment, file->bytes + at + 16, 16);
        section->address = get(file, at + 32, word);
        section->size = get(file, at + 32 + (uint64_t)word, word);
        section->offset = (uint32_t)get(file, rest, 4);
        section->alignment = (uint32_t)get(file, rest + 4, 4);
        section->relocation_offset = (uint32_t)get(file, rest + 8, 4);
        section->relocation_count = (uint32_t)get(file, rest + 12, 4);
        section->flags = (uint32_t)get(file, rest + 16, 4);
    }
    return true;
}

static bool read_symbols(struct kext_file *file, uint64_t at)
{
    uint64_t table = get(file, at + 8, 4), count = get(file, at + 12, 4);
    uint64_t strings = get(file, at + 16, 4), strings_size = get(file, at + 20, 4);
    uint64_t each = file->is_64 ? 16 : 12;

    if (table + count * each > file->size || strings + strings_size > file->size)
        return kext_problem(file, "symbol table outside of the file");
    if (strings_size == 0 || file->bytes[strings] != 0 ||
        file->bytes[strings + strings_size - 1] != 0)
        return kext_problem(file, "string table does not begin and end with NUL");
    file->symbols = calloc(count + 1, sizeof *file->symbols);
    file->symbol_count = count;
    for (uint64_t i = 0; i < count; i++, table += each) {
        uint64_t name = get(file, table, 4);

        if (name >= strings_size)
            return kext_problem(file, "name of symbol %d outside of the string table", (int)i);
        file->symbols[i] = (struct kext_symbol){
            .name = (const char *)file->bytes + strings + name,
            .type = (uint8_t)get(file, table + 4, 1), .section = (uint8_t)get(file, table + 5, 1),
            .description = (uint16_t)get(file, table + 6, 2),
            .value = get(file, table + 8, file->is_64 ? 8 : 4),
        };
    }
    return true;
}

static bool read_relocations(struct kext_file *file, uint64_t at, uint64_t count, uint64_t base)
{
    if (at + 8 * count > file->size)
        return kext_problem(file, "relocations outside of the file");
    file->relocations = realloc(file->relocations, (file->relocation_count + count + 1) *
                                                       sizeof *file->relocations);
    for (uint64_t i = 0; i < count; i++, at += 8) {
        uint32_t word = (uint32_t)get(file, at + 4, 4);

        file->relocations[file->relocation_count++] = (struct kext_relocation){
            .address = base + get(file, at, 4), .symbol = word & 0xffffff,
            .pc_relative = word >> 24 & 1, .length = word >> 25 & 3, .external = word >> 27 & 1,
            .type = (uint8_t)(word >> 28),
        };
    }
    return true;
}

static bool read_dysymtab(struct kext_file *file, uint64_t at)
{
    uint64_t external = file->relocation_count, locals = get(file, at + 76, 4);

    file->local_count = get(file, at + 12, 4);
    file->defined_count = get(file, at + 20, 4);
    file->undefined_count = get(file, at + 28, 4);
    if (get(file, at + 8, 4) != 0 || get(file, at + 16, 4) != file->local_count ||
        get(file, at + 24, 4) != file->local_count + file->defined_count)
        return kext_problem(file, "LC_DYSYMTAB: ranges do not follow one another");
    for (uint64_t field = at + 32; field < at + 64; field += 4)
        if (get(file, field, 4) != 0)
            return kext_problem(file, "LC_DYSYMTAB: a table that kexts do not have");
    if (!read_relocations(file, get(file, at + 64, 4), get(file, at + 68, 4), 0) ||
        !read_relocations(file, get(file, at + 72, 4), locals, 0))
        return false;
    for (size_t i = 0; i < file->relocation_count; i++)
        if (file->relocations[i].external != (i < file->relocation_count - locals))
            return kext_problem(file, "relocation %d is in the wrong table", (int)i);
    for (size_t i = 1; i < file->relocation_count; i++)
        if (i != file->relocation_count - locals && i != external &&
            file->relocations[i].address <= file->relocations[i - 1].address)
            return kext_problem(file, "relocations are not sorted by address");
    return true;
}

static bool read_command(struct kext_file *file, uint64_t at)
{
    uint32_t command = (uint32_t)get(file, at, 4), size = (uint32_t)get(file, at + 4, 4);

    switch (command) {
    case 0x1:
    case 0x19:
        return (command == 0x19) == file->is_64 ? read_segment(file, at)
                                                : kext_problem(file, "segment of other width");
    case 0x2:
        return size == 24 ? read_symbols(file, at) : kext_problem(file, "LC_SYMTAB size");
    case 0xb:
        if (!file->is_64)
            return kext_problem(file, "LC_DYSYMTAB: kxld of 10.6 refuses it in an i386 object");
        return size == 80 ? read_dysymtab(file, at) : kext_problem(file, "LC_DYSYMTAB size");
    case 0x1b:
        if (!file->is_64 || size != 24)
            return kext_problem(file, "LC_UUID: not expected");
        memcpy(file->uuid, file->bytes + at + 8, 16);
        return true;
    default:
        return kext_problem(file, "load command 0x%x is refused by some kernel", command);
    }
}

static int compare_relocations(const void *left, const void *right)
{
    const struct kext_relocation *a = left, *b = right;

    return a->address < b->address ? -1 : a->address > b->address;
}

static bool load_image(struct kext_file *file)
{
    for (size_t i = 0; i < file->section_count; i++) {
        const struct kext_section *section = &file->sections[i];

        if (section->address + section->size > file->image_size)
            file->image_size = section->address + section->size;
    }
    if (file->image_size > 64 << 20)
        return kext_problem(file, "image too large");
    file->image = calloc(1, file->image_size + 16);
    for (size_t i = 0; i < file->section_count; i++) {
        const struct kext_section *section = &file->sections[i];

        if ((section->flags & 0xff) == 1)
            continue;
        if (section->offset + section->size > file->size)
            return kext_problem(file, "section %s outside of the file", section->name);
        memcpy(file->image + section->address, file->bytes + section->offset, section->size);
    }
    return true;
}

bool kext_file_read(struct kext_file *file, const uint8_t *bytes, size_t size)
{
    uint64_t at, commands, end;

    *file = (struct kext_file){.bytes = bytes, .size = size};
    file->is_64 = get(file, 0, 4) == 0xfeedfacf;
    if (!file->is_64 && get(file, 0, 4) != 0xfeedface)
        return kext_problem(file, "no Mach-O magic");
    if (get(file, 4, 4) != (file->is_64 ? 0x01000007 : 7) || get(file, 8, 4) != 3)
        return kext_problem(file, "wrong processor type");
    file->file_type = (uint32_t)get(file, 12, 4);
    file->flags = (uint32_t)get(file, 24, 4);
    commands = get(file, 16, 4);
    at = file->is_64 ? 32 : 28;
    end = at + get(file, 20, 4);
    for (uint64_t i = 0; i < commands; i++) {
        uint64_t command_size = get(file, at + 4, 4);

        if (command_size < 8 || at + command_size > end || end > size)
            return kext_problem(file, "load command %d outside of the header", (int)i);
        if (!read_command(file, at))
            return false;
        at += command_size;
    }
    if (at != end)
        return kext_problem(file, "sizeofcmds does not match the commands");
    for (size_t i = 0; !file->is_64 && i < file->section_count; i++)
        if (!read_relocations(file, file->sections[i].relocation_offset,
                              file->sections[i].relocation_count, file->sections[i].address))
            return false;
    if (!load_image(file) || !kext_rules_check(file))
        return false;
    qsort(file->relocations, file->relocation_count, sizeof *file->relocations,
          compare_relocations);
    return kext_rules_check_relocations(file);
}

void kext_file_free(struct kext_file *file)
{
    free(file->symbols);
    free(file->relocations);
    free(file->image);
    *file = (struct kext_file){0};
}

const struct kext_symbol *kext_file_symbol(const struct kext_file *file, const char *name)
{
    for (size_t i = 0; i < file->symbol_count; i++)
        if (strcmp(file->symbols[i].name, name) == 0)
            return &file->symbols[i];
    return NULL;
}

const struct kext_symbol *kext_file_symbol_at(const struct kext_file *file, uint64_t address)
{
    const struct kext_symbol *found = NULL;

    for (size_t i = 0; i < file->symbol_count; i++)
        if ((file->symbols[i].type & 0x0e) == 0x0e && file->symbols[i].value == address)
            found = &file->symbols[i]; /* externals come later and win */
    return found;
}

const struct kext_relocation *kext_file_relocation(const struct kext_file *file, uint64_t address)
{
    struct kext_relocation key = {.address = address};

    return file->relocation_count ? bsearch(&key, file->relocations, file->relocation_count,
                                            sizeof key, compare_relocations)
                                  : NULL;
}

uint64_t kext_file_word(const struct kext_file *file, uint64_t address)
{
    uint64_t value = 0;

    if (address + 8 > file->image_size + 8)
        return 0;
    memcpy(&value, file->image + address, kext_file_word_size(file));
    return value;
}

const struct kext_section *kext_file_section(const struct kext_file *file, const char *name)
{
    for (size_t i = 0; i < file->section_count; i++)
        if (strcmp(file->sections[i].name, name) == 0)
            return &file->sections[i];
    return NULL;
}

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

bool kext_file_slice(const uint8_t *bytes, size_t size, uint32_t processor, const uint8_t **slice,
                     size_t *slice_size)
{
    uint32_t count;

    if (size < 8 || big_endian(bytes) != 0xcafebabe) {
        *slice = bytes;
        *slice_size = size;
        return size >= 8 && (bytes[4] | bytes[5] << 8 | bytes[6] << 16 |
                             (uint32_t)bytes[7] << 24) == processor;
    }
    count = big_endian(bytes + 4);
    for (uint32_t i = 0; i < count && 8 + 20 * (i + 1) <= size; i++) {
        const uint8_t *entry = bytes + 8 + 20 * i;
        uint32_t offset = big_endian(entry + 8);

        *slice_size = big_endian(entry + 12);
        if (big_endian(entry) != processor || offset > size || *slice_size > size - offset)
            continue;
        *slice = bytes + offset;
        return true;
    }
    return false;
}
