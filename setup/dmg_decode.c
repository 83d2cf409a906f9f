/* SPDX-License-Identifier: BSD-3-Clause */
/* Decodes the runs of a disk image. */
#include <bzlib.h>
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "setup/dmg.h"
#include "setup/files.h"
#include "setup/progress.h"
#include "setup/text.h"

enum {
    COPY_BLOCK = 1 << 20,
    LZMA_MEMORY = 256 << 20,
};

/* Apple Data Compression: literals, and two or three byte references into what was written. */
static bool decode_adc(const uint8_t *from, size_t length, uint8_t *to, size_t size)
{
    size_t in = 0, out = 0;
    while (in < length && out < size) {
        uint8_t code = from[in];
        size_t count = 0, back = 0, used = 0;
        if (code & 0x80) {
            count = (code & 0x7F) + 1u;
            if (count > length - in - 1 || count > size - out) {
                return false;
            }
            memcpy(to + out, from + in + 1, count);
            in += 1 + count;
            out += count;
            continue;
        }
        used = code & 0x40 ? 3 : 2;
        if (used > length - in) {
            return false;
        }
        if (code & 0x40) {
            count = (code & 0x3F) + 4u;
            back = ((size_t)from[in + 1] << 8 | from[in + 2]) + 1;
        } else {
            count = (code >> 2 & 0x0F) + 3u;
            back = ((size_t)(code & 0x03) << 8 | from[in + 1]) + 1;
        }
        if (back > out || count > size - out) {
            return false;
        }
        for (size_t i = 0; i < count; i++, out++) {
            to[out] = to[out - back];
        }
        in += used;
    }
    return out == size;
}

bool dmg_decode_run(uint32_t type, const uint8_t *from, size_t length, uint8_t *to, size_t size)
{
    uLongf inflated = size;
    unsigned expanded = (unsigned)size;
    size_t in = 0, out = 0;
    uint64_t memory = LZMA_MEMORY;
    switch (type) {
    case DMG_ZLIB: return uncompress(to, &inflated, from, length) == Z_OK && inflated == size;
    case DMG_BZIP2:
        return BZ2_bzBuffToBuffDecompress((char *)to, &expanded, (char *)from, (unsigned)length, 0,
                                          0) == BZ_OK &&
               expanded == size;
    case DMG_LZMA:
        return lzma_stream_buffer_decode(&memory, 0, NULL, from, &in, length, to, &out, size) ==
                   LZMA_OK &&
               out == size;
    case DMG_ADC: return decode_adc(from, length, to, size);
    default: return false;
    }
}

struct decoder {
    const struct dmg *dmg;
    int output;
    uint64_t offset;
    uint8_t *packed;
    uint8_t *plain;
    uint32_t *sums; /* running CRC-32 of each table */
    struct setup_error *error;
};

static bool put(const struct decoder *decoder, const struct dmg_run *run, uint64_t at,
                const uint8_t *bytes, size_t size)
{
    uint64_t place = decoder->offset + run->sector * DMG_SECTOR + at;
    ssize_t written = pwrite(decoder->output, bytes, size, (off_t)place);
    return written == (ssize_t)size || setup_fail(decoder->error, "the image cannot be written: %s",
                                                  strerror(written < 0 ? errno : ENOSPC));
}

/* Zeros are not written: the output is zero there. They count for the checksum. */
static void sum_zeros(const struct decoder *decoder, const struct dmg_run *run)
{
    static const uint8_t zeros[1 << 16];
    for (uint64_t left = run->count * DMG_SECTOR; left > 0;) {
        size_t part = left < sizeof zeros ? left : sizeof zeros;
        decoder->sums[run->table] =
            (uint32_t)crc32(decoder->sums[run->table], zeros, (unsigned)part);
        left -= part;
    }
}

static bool copy_raw(const struct decoder *decoder, const struct dmg_run *run)
{
    uint64_t size = run->count * DMG_SECTOR;
    for (uint64_t done = 0; done < size;) {
        size_t part = size - done < COPY_BLOCK ? size - done : COPY_BLOCK;
        if (pread(decoder->dmg->file, decoder->plain, part, (off_t)(run->offset + done)) !=
            (ssize_t)part) {
            return setup_fail(decoder->error, "the disk image ends too early");
        }
        decoder->sums[run->table] =
            (uint32_t)crc32(decoder->sums[run->table], decoder->plain, (unsigned)part);
        if (!put(decoder, run, done, decoder->plain, part)) {
            return false;
        }
        done += part;
    }
    return true;
}

static bool expand(struct decoder *decoder, const struct dmg_run *run)
{
    size_t size = run->count * DMG_SECTOR;
    if (run->length > DMG_RUN_MAX) {
        return setup_fail(decoder->error, "the disk image is damaged: a piece of %llu bytes",
                          (unsigned long long)run->length);
    }
    decoder->packed = reallocate(decoder->packed, run->length + 1);
    decoder->plain = reallocate(decoder->plain, size > COPY_BLOCK ? size : COPY_BLOCK);
    if (pread(decoder->dmg->file, decoder->packed, run->length, (off_t)run->offset) !=
            (ssize_t)run->length ||
        !dmg_decode_run(run->type, decoder->packed, run->length, decoder->plain, size)) {
        return setup_fail(decoder->error,
                          "the disk image is damaged: sector %llu cannot be decoded",
                          (unsigned long long)run->sector);
    }
    decoder->sums[run->table] =
        (uint32_t)crc32(decoder->sums[run->table], decoder->plain, (unsigned)size);
    return put(decoder, run, 0, decoder->plain, size);
}

static bool decode_one(struct decoder *decoder, const struct dmg_run *run)
{
    if (files_interrupted()) {
        return setup_fail(decoder->error, "interrupted");
    }
    switch (run->type) {
    case DMG_ZERO: sum_zeros(decoder, run); return true;
    case DMG_IGNORE: return true;
    case DMG_RAW: return copy_raw(decoder, run);
    default: return expand(decoder, run);
    }
}

static bool check_sums(const struct decoder *decoder)
{
    for (size_t i = 0; i < decoder->dmg->table_count; i++) {
        const struct dmg_checksum *sum = &decoder->dmg->checksums[i];
        if (sum->present && sum->value != decoder->sums[i]) {
            return setup_fail(decoder->error,
                              "the disk image is damaged: the checksum of part %zu is "
                              "%08X, not %08X",
                              i, decoder->sums[i], sum->value);
        }
    }
    return true;
}

static void start(struct decoder *decoder, const struct dmg *dmg, int output, uint64_t offset,
                  struct setup_error *error)
{
    *decoder = (struct decoder){.dmg = dmg, .output = output, .offset = offset, .error = error};
    decoder->plain = allocate(COPY_BLOCK);
    decoder->sums = allocate((dmg->table_count + 1) * sizeof *decoder->sums);
}

static void stop(struct decoder *decoder)
{
    free(decoder->packed);
    free(decoder->plain);
    free(decoder->sums);
}

/* The runs of the disk; a raw image is one run. */
static const struct dmg_run *all_runs(const struct dmg *dmg, struct dmg_run *whole, size_t *count)
{
    *whole = (struct dmg_run){.type = DMG_RAW, .count = dmg->sectors};
    *count = dmg->run_count > 0 ? dmg->run_count : 1;
    return dmg->run_count > 0 ? dmg->runs : whole;
}

bool dmg_read_start(const struct dmg *dmg, uint8_t *bytes, size_t size, struct setup_error *error)
{
    int memory = memfd_create("start", MFD_CLOEXEC);
    if (memory < 0) {
        return setup_fail(error, "out of memory");
    }
    struct decoder decoder;
    struct dmg_run whole;
    size_t count = 0;
    const struct dmg_run *runs = all_runs(dmg, &whole, &count);
    bool ok = true;
    start(&decoder, dmg, memory, 0, error);
    for (size_t i = 0; i < count && ok; i++) {
        struct dmg_run run = runs[i];
        if (run.sector * DMG_SECTOR < size) {
            if (run.type == DMG_RAW && run.count > size / DMG_SECTOR) {
                run.count = size / DMG_SECTOR;
            }
            ok = run.type == DMG_ZERO || decode_one(&decoder, &run);
        }
    }
    stop(&decoder);
    memset(bytes, 0, size);
    ok = ok && pread(memory, bytes, size, 0) >= 0;
    close(memory);
    return ok;
}

bool dmg_decode(const struct dmg *dmg, int output, uint64_t offset, struct setup_error *error)
{
    struct decoder decoder;
    struct dmg_run whole;
    size_t count = 0;
    const struct dmg_run *runs = all_runs(dmg, &whole, &count);
    struct progress progress;
    bool ok = true;
    uint64_t done = 0;
    start(&decoder, dmg, output, offset, error);
    progress_start(&progress, "reading", dmg->sectors);
    for (size_t i = 0; i < count && ok; i++) {
        ok = decode_one(&decoder, &runs[i]);
        done += runs[i].count;
        progress_show(&progress, done);
    }
    progress_end(&progress);
    ok = ok && check_sums(&decoder);
    stop(&decoder);
    return ok;
}
