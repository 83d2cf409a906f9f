/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/macho.h"

#include <stdio.h>
#include <string.h>

enum {
    FAT_HEADER_SIZE = 8,
    FAT_ROW_SIZE = 20,
    HEADER_32_SIZE = 28,
    HEADER_64_SIZE = 32,
    TYPE_OBJECT = 1,
    TYPE_KEXT_BUNDLE = 11,
    COMMAND_SYMBOLS = 2,
    COMMAND_SIGNATURE = 0x1D,
    COMMANDS_MAX = 10000,
};

static const uint32_t magic_fat = 0xCAFEBABE;
static const uint32_t magic_32 = 0xFEEDFACE;
static const uint32_t magic_64 = 0xFEEDFACF;

struct architecture {
    uint32_t cpu;
    const char *name;
};

static const struct architecture architectures[] = {
    { 7, "i386" }, { 0x01000007, "x86_64" }, { 12, "arm" }, { 0x0100000C, "arm64" },
    { 18, "ppc" }, { 0x01000012, "ppc64" },
};

struct reader {
    const unsigned char *bytes;
    size_t size;
    size_t *offset;
    char *why;
    size_t why_size;
};

static bool fail(const struct reader *reader, size_t offset, const char *why)
{
    *reader->offset = offset;
    snprintf(reader->why, reader->why_size, "%s", why);
    return false;
}

static uint32_t big(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t little(const unsigned char *at)
{
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static void name_architecture(uint32_t cpu, char name[16])
{
    size_t index;

    snprintf(name, 16, "cpu %x", cpu & 0xFFFFFFF);
    for (index = 0; index < sizeof architectures / sizeof *architectures; index++)
        if (architectures[index].cpu == cpu)
            snprintf(name, 16, "%s", architectures[index].name);
}

static bool read_commands(const struct reader *reader, size_t start, size_t end, size_t at,
                          uint32_t count, uint32_t (*number)(const unsigned char *),
                          struct macho_slice *slice)
{
    if (count > COMMANDS_MAX)
        return fail(reader, start, "more load commands than any kext has");
    for (; count > 0; count--) {
        uint32_t size;

        if (end - at < 8)
            return fail(reader, at, "the load commands are cut off");
        size = number(reader->bytes + at + 4);
        if (size < 8 || size > end - at)
            return fail(reader, at, "a load command reaches outside the file");
        slice->has_signature |= number(reader->bytes + at) == COMMAND_SIGNATURE;
        slice->has_kmod_info |= number(reader->bytes + at) == COMMAND_SYMBOLS;
        at += size;
    }
    return true;
}

static bool read_slice(const struct reader *reader, size_t start, size_t size, struct macho *macho)
{
    struct macho_slice *slice = &macho->slices[macho->count];
    const unsigned char *header = reader->bytes + start;
    uint32_t (*number)(const unsigned char *);
    uint32_t magic;
    bool wide;

    if (size < HEADER_64_SIZE)
        return fail(reader, start, "too small for a Mach-O header");
    magic = little(header);
    number = magic == magic_32 || magic == magic_64 ? little : big;
    magic = number(header);
    if (magic != magic_32 && magic != magic_64)
        return fail(reader, start, "no Mach-O file");
    wide = magic == magic_64;
    *slice = (struct macho_slice){ .file_type = number(header + 12) };
    name_architecture(number(header + 4), slice->architecture);
    slice->is_kext =
        slice->file_type == TYPE_KEXT_BUNDLE || (!wide && slice->file_type == TYPE_OBJECT);
    if (!read_commands(reader, start, start + size,
                       start + (wide ? HEADER_64_SIZE : HEADER_32_SIZE), number(header + 16),
                       number, slice))
        return false;
    macho->count++;
    return true;
}

static bool read_fat(const struct reader *reader, struct macho *macho)
{
    uint32_t count = big(reader->bytes + 4);
    uint32_t index;

    if (count == 0 || count > MACHO_SLICES_MAX)
        return fail(reader, 4, "a fat file of no or too many architectures");
    if (reader->size < FAT_HEADER_SIZE + count * FAT_ROW_SIZE)
        return fail(reader, 4, "the fat header is cut off");
    for (index = 0; index < count; index++) {
        const unsigned char *row = reader->bytes + FAT_HEADER_SIZE + index * FAT_ROW_SIZE;
        uint32_t start = big(row + 8);
        uint32_t size = big(row + 12);

        if (start > reader->size || size > reader->size - start)
            return fail(reader, FAT_HEADER_SIZE + index * FAT_ROW_SIZE,
                        "an architecture reaches outside the file");
        if (!read_slice(reader, start, size, macho))
            return false;
    }
    return true;
}

bool macho_parse(const void *bytes, size_t size, struct macho *macho, size_t *offset, char *why,
                 size_t why_size)
{
    struct reader reader = { bytes, size, offset, why, why_size };

    *macho = (struct macho){ .count = 0 };
    *offset = 0;
    if (size < FAT_HEADER_SIZE)
        return fail(&reader, 0, "too small for a Mach-O file");
    if (big(bytes) == magic_fat)
        return read_fat(&reader, macho);
    return read_slice(&reader, 0, size, macho);
}

const struct macho_slice *macho_find(const struct macho *macho, const char *architecture)
{
    size_t index;

    for (index = 0; index < macho->count; index++)
        if (strcmp(macho->slices[index].architecture, architecture) == 0)
            return &macho->slices[index];
    return NULL;
}

void macho_architectures(const struct macho *macho, char *text, size_t size)
{
    size_t length = 0;
    size_t index;

    text[0] = '\0';
    for (index = 0; index < macho->count && length < size; index++)
        length += (size_t)snprintf(text + length, size - length, "%s%s", index == 0 ? "" : " ",
                                   macho->slices[index].architecture);
}
