/* SPDX-License-Identifier: BSD-3-Clause */
/* Apple disk images: recognises the kind and decodes it to raw sectors.
 *
 * The format: a trailer "koly" in the last 512 bytes, a property list with one "mish" table for
 * each partition, runs of compressed sectors. (QEMU block/dmg.c, libdmg-hfsplus; all fields
 * big-endian.)
 */
#ifndef MACHV_SETUP_DMG_H
#define MACHV_SETUP_DMG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "setup/error.h"

enum {
    DMG_SECTOR = 512,
    DMG_RUN_MAX = 64 << 20,        /* bytes that one run decodes to */
    DMG_PROPERTIES_MAX = 16 << 20, /* bytes of the property list */
    DMG_RUNS_MAX = 4 << 20,
};
#define DMG_SECTORS_MAX ((uint64_t)4 << 30) /* 2 TiB */

enum dmg_run_type {
    DMG_ZERO = 0x00000000,
    DMG_RAW = 0x00000001,
    DMG_IGNORE = 0x00000002,
    DMG_ADC = 0x80000004,
    DMG_ZLIB = 0x80000005,
    DMG_BZIP2 = 0x80000006,
    DMG_LZFSE = 0x80000007,
    DMG_LZMA = 0x80000008,
};

struct dmg_run {
    uint32_t type;
    uint32_t table;  /* index of the checksum that it belongs to */
    uint64_t sector; /* on the disk */
    uint64_t count;  /* sectors */
    uint64_t offset; /* bytes in the file */
    uint64_t length;
};

struct dmg_checksum {
    bool present; /* CRC-32, and no run that was left out */
    uint32_t value;
};

struct dmg {
    int file;
    const char *kind; /* hdiutil's name: "UDZO", "UDRW" ... */
    uint64_t sectors;
    struct dmg_run *runs; /* none for a raw image */
    size_t run_count;
    struct dmg_checksum *checksums;
    size_t table_count;
};

/* False: not a disk image, damaged, or of a kind that cannot be read; `error` names it and what to
 * do. */
bool dmg_open(struct dmg *dmg, const char *path, struct setup_error *error);
void dmg_close(struct dmg *dmg);

/* Writes the sectors at `offset` bytes of an open file that is all zeros there, with a progress
 * bar, and compares the checksums. */
bool dmg_decode(const struct dmg *dmg, int output, uint64_t offset, struct setup_error *error);

/* The first `size` bytes of the disk, to see what it holds. */
bool dmg_read_start(const struct dmg *dmg, uint8_t *bytes, size_t size, struct setup_error *error);

/* One compressed run of `length` bytes into exactly `size` bytes. False: damaged. */
bool dmg_decode_run(uint32_t type, const uint8_t *from, size_t length, uint8_t *to, size_t size);

#endif
