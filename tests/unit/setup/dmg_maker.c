/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes the same layout as hdiutil: runs, property list, trailer. */
#include "dmg_maker.h"

#include <bzlib.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "setup/dmg.h"
#include "setup/text.h"

enum { PIECE = 256 * DMG_SECTOR };

static void add_big(struct text *text, uint64_t value, unsigned size)
{
    for (unsigned i = size; i > 0; i--) {
        char byte = (char)(value >> (8 * (i - 1)));
        text_add(text, &byte, 1);
    }
}

static void add_zeros(struct text *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        text_add(text, "", 1);
    }
}

/* Literals of up to 128 bytes, then runs of the byte before: enough to use three kinds of ADC
 * codes. */
static size_t pack_adc(const uint8_t *from, size_t size, uint8_t *to)
{
    size_t out = 0;
    for (size_t in = 0; in < size;) {
        size_t same = 0;
        while (in > 0 && in + same < size && from[in + same] == from[in - 1] && same < 67) {
            same++;
        }
        if (same >= 18) {
            to[out++] = (uint8_t)(0x40 | (same - 4));
            to[out++] = 0;
            to[out++] = 0;
            in += same;
        } else if (same >= 3) {
            to[out++] = (uint8_t)((same - 3) << 2);
            to[out++] = 0;
            in += same;
        } else {
            size_t count = size - in < 16 ? size - in : 16;
            to[out++] = (uint8_t)(0x80 | (count - 1));
            memcpy(to + out, from + in, count);
            out += count;
            in += count;
        }
    }
    return out;
}

static size_t pack(uint32_t type, const uint8_t *from, size_t size, uint8_t *to, size_t capacity)
{
    uLongf deflated = capacity;
    unsigned squeezed = (unsigned)capacity;
    size_t out = 0;
    switch (type) {
    case DMG_ZLIB: compress2(to, &deflated, from, size, 9); return deflated;
    case DMG_BZIP2:
        BZ2_bzBuffToBuffCompress((char *)to, &squeezed, (char *)from, (unsigned)size, 9, 0, 0);
        return squeezed;
    case DMG_LZMA:
        lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, from, size, to, &out, capacity);
        return out;
    case DMG_ADC: return pack_adc(from, size, to);
    default: memcpy(to, from, size); return size;
    }
}

static int all_zero(const uint8_t *bytes, size_t size)
{
    while (size > 0 && bytes[size - 1] == 0) {
        size--;
    }
    return size == 0;
}

static void add_run(struct text *runs, uint32_t type, uint64_t sector, uint64_t count,
                    uint64_t offset, uint64_t length)
{
    add_big(runs, type, 4);
    add_big(runs, 0, 4);
    add_big(runs, sector, 8);
    add_big(runs, count, 8);
    add_big(runs, offset, 8);
    add_big(runs, length, 8);
}

static unsigned add_pieces(const struct dmg_recipe *recipe, struct text *data, struct text *runs)
{
    uint8_t *packed = allocate(2 * PIECE + 4096);
    unsigned count = 0, stored = 0;
    for (size_t at = 0; at < recipe->size; at += PIECE, count++) {
        size_t size = recipe->size - at < PIECE ? recipe->size - at : PIECE;
        uint64_t sector = at / DMG_SECTOR + (count == 0 ? recipe->sector_shift : 0);
        if (all_zero(recipe->disk + at, size)) {
            add_run(runs, DMG_ZERO, sector, size / DMG_SECTOR, data->length, 0);
            continue;
        }
        size_t length = pack(recipe->type, recipe->disk + at, size, packed, 2 * PIECE + 4096);
        add_run(runs, recipe->type, sector, size / DMG_SECTOR, data->length,
                length + (stored++ == 0 ? recipe->length_shift : 0));
        text_add(data, packed, length);
    }
    add_run(runs, 0xFFFFFFFF, recipe->size / DMG_SECTOR, 0, data->length, 0);
    free(packed);
    return count + 1;
}

static void add_trailer(struct text *data, const struct dmg_recipe *recipe, uint64_t data_length,
                        uint64_t properties_length)
{
    size_t start = data->length;
    text_add(data, "koly", 4);
    add_big(data, 4, 4);
    add_big(data, 512, 4);
    add_big(data, 1, 4);
    add_big(data, 0, 8);
    add_big(data, 0, 8); /* data fork */
    add_big(data, data_length, 8);
    add_zeros(data, 16);
    add_big(data, 1, 4);
    add_big(data, recipe->segments == 0 ? 1 : recipe->segments, 4);
    add_zeros(data, start + 0xD8 - data->length);
    add_big(data, data_length, 8);
    add_big(data, properties_length, 8);
    add_zeros(data, start + 0x1E8 - data->length);
    add_big(data, 1, 4);
    add_big(data, recipe->size / DMG_SECTOR, 8);
    add_zeros(data, start + 512 - data->length);
}

void make_dmg(const char *path, const struct dmg_recipe *recipe)
{
    struct text data = {0}, runs = {0}, mish = {0}, properties = {0};
    unsigned count = add_pieces(recipe, &data, &runs);
    uint64_t data_length = data.length;
    text_add(&mish, "mish", 4);
    add_big(&mish, 1, 4);
    add_big(&mish, 0, 8);
    add_big(&mish, recipe->size / DMG_SECTOR, 8);
    add_zeros(&mish, 0x40 - mish.length);
    add_big(&mish, 2, 4);
    add_big(&mish, 32, 4);
    add_big(&mish, (uint32_t)crc32(0, recipe->disk, (unsigned)recipe->size) + recipe->wrong_sum, 4);
    add_zeros(&mish, 0xC8 - mish.length);
    add_big(&mish, count, 4);
    text_add(&mish, runs.bytes, runs.length);
    char *encoded = base64_encode((const uint8_t *)mish.bytes, mish.length);
    text_format(
        &properties,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">\n<dict>\n"
        "<key>resource-fork</key>\n<dict>\n<key>blkx</key>\n<array>\n<dict>\n"
        "<key>Attributes</key>\n<string>0x0050</string>\n<key>Data</key>\n<data>%s</data>\n"
        "<key>ID</key>\n<string>0</string>\n</dict>\n</array>\n</dict>\n</dict>\n</plist>\n",
        encoded);
    text_add(&data, properties.bytes, properties.length);
    add_trailer(&data, recipe, data_length, properties.length);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(data.bytes, 1, data.length, file) != data.length ||
        fclose(file) != 0) {
        abort();
    }
    free(encoded);
    text_free(&data);
    text_free(&runs);
    text_free(&mish);
    text_free(&properties);
}

uint8_t *make_disk(size_t size)
{
    uint8_t *disk = allocate(size);
    uint32_t random = 7;
    for (size_t at = PIECE; at + PIECE <= size; at += 3 * PIECE) {
        for (size_t i = 0; i < PIECE; i++) {
            random = random * 1664525 + 1013904223;
            disk[at + i] = i % 64 < 32 ? (uint8_t)(random >> 24) : (uint8_t)('a' + at / PIECE % 26);
        }
    }
    memcpy(disk + 1024, "H+\0\4", 4);
    return disk;
}
