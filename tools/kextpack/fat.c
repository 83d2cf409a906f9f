/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fat.c: joins slices into a fat file (Mach-O "universal binary"): a big-endian header, and each
 * slice at a multiple of 4096.
 */
#include <stdlib.h>
#include <string.h>

#include "tools/kextlink/macho.h"
#include "tools/kextpack/kextpack.h"

enum { SLICES_MAX = 8, SLICE_ALIGNMENT_SHIFT = 12, FAT_HEADER = 8, FAT_ENTRY = 20 };

struct slice {
    const char *name;
    uint8_t *bytes; /* owned */
    size_t size;
    struct macho_header header;
    uint32_t offset;
};

static void put_big_endian(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (24 - 8 * i));
}

static int read_slice(struct slice *slices, int index, const char *name)
{
    struct slice *slice = &slices[index];

    slice->name = name;
    slice->bytes = read_file(name, &slice->size);
    if (!slice->bytes)
        return EXIT_TROUBLE;
    if (slice->size < sizeof slice->header)
        return fail(EXIT_REFUSED, "%s: not a Mach-O file", name);
    memcpy(&slice->header, slice->bytes, sizeof slice->header);
    if (slice->header.magic != MACHO_MAGIC_32 && slice->header.magic != MACHO_MAGIC_64)
        return fail(EXIT_REFUSED, "%s: not a Mach-O file of one architecture", name);
    for (int i = 0; i < index; i++)
        if (slices[i].header.cputype == slice->header.cputype)
            return fail(EXIT_REFUSED, "%s and %s are of the same architecture", slices[i].name,
                        name);
    return EXIT_DONE;
}

static int write_slices(const char *output, struct slice *slices, int count)
{
    uint64_t alignment = UINT64_C(1) << SLICE_ALIGNMENT_SHIFT;
    uint64_t size = FAT_HEADER + (uint64_t)count * FAT_ENTRY;
    uint8_t *file;
    bool written;

    for (int i = 0; i < count; i++) {
        size = (size + alignment - 1) & ~(alignment - 1);
        slices[i].offset = (uint32_t)size;
        size += slices[i].size;
    }
    if (size > UINT32_MAX)
        return fail(EXIT_REFUSED, "the slices together exceed 4 GiB");
    file = calloc(1, size);
    if (!file)
        return fail(EXIT_TROUBLE, "out of memory");
    put_big_endian(file, MACHO_FAT_MAGIC);
    put_big_endian(file + 4, (uint32_t)count);
    for (int i = 0; i < count; i++) {
        uint8_t *entry = file + FAT_HEADER + i * FAT_ENTRY;

        put_big_endian(entry, slices[i].header.cputype);
        put_big_endian(entry + 4, slices[i].header.cpusubtype);
        put_big_endian(entry + 8, slices[i].offset);
        put_big_endian(entry + 12, (uint32_t)slices[i].size);
        put_big_endian(entry + 16, SLICE_ALIGNMENT_SHIFT);
        memcpy(file + slices[i].offset, slices[i].bytes, slices[i].size);
    }
    written = write_file(output, file, size, 0777);
    free(file);
    return written ? EXIT_DONE : EXIT_TROUBLE;
}

int pack_fat(int argc, char **argv)
{
    struct slice slices[SLICES_MAX] = {0};
    int first, code = EXIT_DONE, count;
    const char *output = option(argc, argv, "-o", &first);

    count = argc - first;
    if (!output || count < 1 || count > SLICES_MAX)
        return fail(EXIT_TROUBLE, "usage: kextpack fat -o OUT SLICE... (at most %d)", SLICES_MAX);
    for (int i = 0; i < count && code == EXIT_DONE; i++)
        code = read_slice(slices, i, argv[first + i]);
    if (code == EXIT_DONE)
        code = write_slices(output, slices, count);
    for (int i = 0; i < count; i++)
        free(slices[i].bytes);
    return code;
}
