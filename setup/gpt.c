/* SPDX-License-Identifier: BSD-3-Clause */
/* GUID partition tables. */
#include "setup/gpt.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <zlib.h>

enum {
    ENTRY_SIZE = 128,
    ENTRY_COUNT = 128,
    ENTRY_SECTORS = ENTRY_SIZE * ENTRY_COUNT / SECTOR,
    HEADER_SIZE = 92,
};

const uint8_t gpt_type_efi[16] = {0x28, 0x73, 0x2A, 0xC1, 0x1F, 0xF8, 0xD2, 0x11,
                                  0xBA, 0x4B, 0x00, 0xA0, 0xC9, 0x3E, 0xC9, 0x3B};
const uint8_t gpt_type_hfs[16] = {0x00, 0x53, 0x46, 0x48, 0x00, 0x00, 0xAA, 0x11,
                                  0xAA, 0x11, 0x00, 0x30, 0x65, 0x43, 0xEC, 0xAC};
const uint8_t gpt_type_apfs[16] = {0xEF, 0x57, 0x34, 0x7C, 0x00, 0x00, 0xAA, 0x11,
                                   0xAA, 0x11, 0x00, 0x30, 0x65, 0x43, 0xEC, 0xAC};

static void store(uint8_t *at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

static uint64_t load(const uint8_t *at, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)at[i] << (8 * i);
    }
    return value;
}

static bool put(int image, uint64_t sector, const void *bytes, size_t size,
                struct setup_error *error)
{
    return pwrite(image, bytes, size, (off_t)(sector * SECTOR)) == (ssize_t)size ||
           setup_fail(error, "the partition table cannot be written: %s", strerror(errno));
}

static bool get(int image, uint64_t sector, void *bytes, size_t size)
{
    return pread(image, bytes, size, (off_t)(sector * SECTOR)) == (ssize_t)size;
}

static void random_guid(uint8_t guid[16])
{
    if (getrandom(guid, 16, 0) != 16) {
        memset(guid, 0x5A, 16);
    }
    guid[7] = (guid[7] & 0x0F) | 0x40; /* version 4, as stored little-endian */
    guid[8] = (guid[8] & 0x3F) | 0x80;
}

static void seal_header(uint8_t *header)
{
    store(header + 16, 0, 4);
    store(header + 16, crc32(0, header, HEADER_SIZE), 4);
}

static void make_mbr(uint8_t mbr[SECTOR], uint64_t sectors)
{
    memset(mbr, 0, SECTOR);
    uint8_t *entry = mbr + 446;
    entry[2] = 2; /* first sector in CHS */
    entry[4] = 0xEE;
    memset(entry + 5, 0xFF, 3);
    store(entry + 8, 1, 4);
    store(entry + 12, sectors - 1 > 0xFFFFFFFF ? 0xFFFFFFFF : sectors - 1, 4);
    mbr[510] = 0x55;
    mbr[511] = 0xAA;
}

static void make_header(uint8_t header[SECTOR], uint64_t sectors, const uint8_t *entries)
{
    memset(header, 0, SECTOR);
    memcpy(header, "EFI PART", 8);
    store(header + 8, 0x00010000, 4);
    store(header + 12, HEADER_SIZE, 4);
    store(header + 24, 1, 8);
    store(header + 32, sectors - 1, 8);
    store(header + 40, 2 + ENTRY_SECTORS, 8);
    store(header + 48, sectors - GPT_TAIL_SECTORS - 1, 8);
    random_guid(header + 56);
    store(header + 72, 2, 8);
    store(header + 80, ENTRY_COUNT, 4);
    store(header + 84, ENTRY_SIZE, 4);
    store(header + 88, crc32(0, entries, ENTRY_SIZE * ENTRY_COUNT), 4);
    seal_header(header);
}

/* Writes the backup that belongs to a primary header whose fields are final. */
static bool put_backup(int image, uint64_t sectors, const uint8_t *header, const uint8_t *entries,
                       size_t entries_size, struct setup_error *error)
{
    uint8_t backup[SECTOR];
    memcpy(backup, header, SECTOR);
    store(backup + 24, sectors - 1, 8);
    store(backup + 32, 1, 8);
    store(backup + 72, sectors - GPT_TAIL_SECTORS, 8);
    seal_header(backup);
    return put(image, sectors - GPT_TAIL_SECTORS, entries, entries_size, error) &&
           put(image, sectors - 1, backup, SECTOR, error);
}

bool gpt_write(int image, uint64_t sectors, const struct gpt_partition *partition, const char *name,
               struct setup_error *error)
{
    static uint8_t entries[ENTRY_SIZE * ENTRY_COUNT];
    uint8_t mbr[SECTOR], header[SECTOR];
    memset(entries, 0, sizeof entries);
    memcpy(entries, partition->type, 16);
    random_guid(entries + 16);
    store(entries + 32, partition->first, 8);
    store(entries + 40, partition->last, 8);
    for (size_t i = 0; name[i] != '\0' && i < 35; i++) {
        entries[56 + 2 * i] = (uint8_t)name[i];
    }
    make_mbr(mbr, sectors);
    make_header(header, sectors, entries);
    return put(image, 0, mbr, sizeof mbr, error) && put(image, 1, header, sizeof header, error) &&
           put(image, 2, entries, sizeof entries, error) &&
           put_backup(image, sectors, header, entries, sizeof entries, error);
}

/* Reads and checks the primary header and its entries (at most 16 KiB, the usual size). */
static bool read_table(int image, uint64_t sectors, uint8_t header[SECTOR], uint8_t *entries)
{
    if (sectors < 2 * GPT_TAIL_SECTORS || !get(image, 1, header, SECTOR) ||
        memcmp(header, "EFI PART", 8) != 0 || load(header + 12, 4) != HEADER_SIZE) {
        return false;
    }
    uint32_t checksum = (uint32_t)load(header + 16, 4);
    uint8_t copy[HEADER_SIZE];
    memcpy(copy, header, HEADER_SIZE);
    store(copy + 16, 0, 4);
    uint64_t count = load(header + 80, 4), size = load(header + 84, 4), at = load(header + 72, 8);
    return crc32(0, copy, HEADER_SIZE) == checksum && size == ENTRY_SIZE && count <= ENTRY_COUNT &&
           at >= 2 && at <= sectors - ENTRY_SECTORS && get(image, at, entries, count * size) &&
           crc32(0, entries, (unsigned)(count * size)) == (uint32_t)load(header + 88, 4);
}

bool gpt_present(int image, uint64_t sectors)
{
    static uint8_t entries[ENTRY_SIZE * ENTRY_COUNT];
    uint8_t header[SECTOR];
    return read_table(image, sectors, header, entries);
}

static bool holds_fat(int image, uint64_t sector)
{
    uint8_t boot[SECTOR];
    return get(image, sector, boot, SECTOR) && boot[510] == 0x55 && boot[511] == 0xAA &&
           (memcmp(boot + 82, "FAT32", 5) == 0 || memcmp(boot + 54, "FAT1", 4) == 0);
}

bool gpt_find_fat(int image, uint64_t sectors, struct gpt_partition *partition,
                  struct setup_error *error)
{
    static uint8_t entries[ENTRY_SIZE * ENTRY_COUNT];
    uint8_t header[SECTOR];
    if (!read_table(image, sectors, header, entries)) {
        *partition = (struct gpt_partition){.first = 0, .last = sectors - 1};
        return holds_fat(image, 0) ||
               setup_fail(error, "no partition table and no FAT volume on it");
    }
    bool found = false;
    for (uint64_t i = 0; i < load(header + 80, 4); i++) {
        const uint8_t *entry = entries + i * ENTRY_SIZE;
        struct gpt_partition one = {.first = load(entry + 32, 8), .last = load(entry + 40, 8)};
        memcpy(one.type, entry, 16);
        if (one.first == 0 || one.last < one.first || one.last >= sectors ||
            !holds_fat(image, one.first)) {
            continue;
        }
        bool efi = memcmp(one.type, gpt_type_efi, 16) == 0;
        if (!found || efi) {
            *partition = one;
            found = true;
        }
        if (efi) {
            break;
        }
    }
    return found || setup_fail(error, "no FAT partition on it");
}

bool gpt_move_backup(int image, uint64_t sectors, struct setup_error *error)
{
    static uint8_t entries[ENTRY_SIZE * ENTRY_COUNT];
    uint8_t header[SECTOR], mbr[SECTOR], old[SECTOR] = {0};
    memset(entries, 0, sizeof entries);
    if (!read_table(image, sectors, header, entries) || !get(image, 0, mbr, SECTOR)) {
        return setup_fail(error, "the partition table is damaged");
    }
    uint64_t old_backup = load(header + 32, 8);
    store(header + 32, sectors - 1, 8);
    store(header + 48, sectors - GPT_TAIL_SECTORS - 1, 8);
    seal_header(header);
    uint8_t protective[SECTOR];
    make_mbr(protective, sectors);
    if (mbr[450] == 0xEE) {
        memcpy(mbr + 458, protective + 458, 4); /* the size of the protective partition */
    }
    return put_backup(image, sectors, header, entries, sizeof entries, error) &&
           put(image, 1, header, SECTOR, error) && put(image, 0, mbr, SECTOR, error) &&
           (old_backup >= sectors - GPT_TAIL_SECTORS || put(image, old_backup, old, SECTOR, error));
}
