/* SPDX-License-Identifier: BSD-3-Clause */
/* Recognises Apple disk images and reads their tables. */
#include "setup/dmg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "match/plist.h"
#include "setup/files.h"
#include "setup/text.h"

enum {
    TRAILER_SIZE = 512,
    MISH_HEADER = 0xCC, /* bytes before the runs */
    MISH_RUN = 40,
    CHECKSUM_CRC32 = 2,
};

static uint64_t big(const uint8_t *bytes, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static bool read_at(int file, uint64_t offset, void *bytes, size_t size)
{
    return pread(file, bytes, size, (off_t)offset) == (ssize_t)size;
}

static bool add_run(struct dmg *dmg, const struct dmg_run *run, uint64_t file_size)
{
    if (run->type == 0x7FFFFFFE || run->type == 0xFFFFFFFF) {
        return true; /* a comment, the end */
    }
    bool stored = run->type != DMG_ZERO && run->type != DMG_IGNORE;
    if (run->count > DMG_SECTORS_MAX || run->sector > DMG_SECTORS_MAX ||
        run->sector + run->count > dmg->sectors || dmg->run_count == DMG_RUNS_MAX ||
        (stored && (run->offset > file_size || run->length > file_size - run->offset)) ||
        (stored && run->type != DMG_RAW && run->count > DMG_RUN_MAX / DMG_SECTOR)) {
        return false;
    }
    if (dmg->run_count % 1024 == 0) {
        dmg->runs = reallocate(dmg->runs, (dmg->run_count + 1024) * sizeof *dmg->runs);
    }
    dmg->runs[dmg->run_count++] = *run;
    if (run->type == DMG_IGNORE) {
        dmg->checksums[run->table].present = false;
    }
    return true;
}

/* One "mish" table. */
static bool add_table(struct dmg *dmg, const uint8_t *mish, size_t size, uint64_t data_offset,
                      uint64_t file_size)
{
    if (size < MISH_HEADER || memcmp(mish, "mish", 4) != 0) {
        return false;
    }
    uint64_t first = big(mish + 0x08, 8), count = big(mish + 0xC8, 4);
    uint64_t base = big(mish + 0x18, 8);
    if (count > (size - MISH_HEADER) / MISH_RUN || base > file_size || first > DMG_SECTORS_MAX) {
        return false;
    }
    uint32_t table = (uint32_t)dmg->table_count++;
    dmg->checksums = reallocate(dmg->checksums, dmg->table_count * sizeof *dmg->checksums);
    dmg->checksums[table] =
        (struct dmg_checksum){big(mish + 0x40, 4) == CHECKSUM_CRC32, (uint32_t)big(mish + 0x48, 4)};
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *at = mish + MISH_HEADER + i * MISH_RUN;
        uint64_t sector = big(at + 8, 8), offset = big(at + 24, 8);
        if (sector > DMG_SECTORS_MAX || offset > file_size) {
            return false;
        }
        struct dmg_run run = {.type = (uint32_t)big(at, 4),
                              .table = table,
                              .sector = first + sector,
                              .count = big(at + 16, 8),
                              .offset = data_offset + base + offset,
                              .length = big(at + 32, 8)};
        if (!add_run(dmg, &run, file_size)) {
            return false;
        }
    }
    return true;
}

static bool add_tables(struct dmg *dmg, const struct plist *properties, uint64_t data_offset,
                       uint64_t file_size)
{
    const struct plist *tables = plist_get(plist_get(properties, "resource-fork"), "blkx");
    uint64_t decoded = 0;
    for (size_t i = 0; i < plist_count(tables); i++) {
        size_t size = 0;
        const struct plist *data = plist_get(plist_value_at(tables, i), "Data");
        const void *bytes = plist_is(data, PLIST_DATA) ? plist_bytes(data, &size) : NULL;
        if (bytes == NULL || !add_table(dmg, bytes, size, data_offset, file_size)) {
            return false;
        }
    }
    for (size_t i = 0; i < dmg->run_count; i++) {
        decoded += dmg->runs[i].count; /* more than the disk has: runs lie over one another */
    }
    return dmg->run_count > 0 && decoded <= dmg->sectors;
}

static bool read_tables(struct dmg *dmg, const uint8_t *trailer, uint64_t file_size)
{
    uint64_t data_offset = big(trailer + 0x18, 8), size = big(trailer + 0xE0, 8);
    uint64_t offset = big(trailer + 0xD8, 8);
    if (data_offset > file_size || offset > file_size || size > file_size - offset || size == 0 ||
        size > DMG_PROPERTIES_MAX || dmg->sectors == 0 || dmg->sectors > DMG_SECTORS_MAX) {
        return false;
    }
    char *text = allocate(size);
    struct plist_reader reader = {.lenient = true};
    struct plist_diagnostic diagnostic;
    struct plist *properties = read_at(dmg->file, offset, text, size)
                                   ? plist_parse_xml(text, size, &reader, &diagnostic)
                                   : NULL;
    free(text);
    bool ok = properties != NULL && add_tables(dmg, properties, data_offset, file_size);
    plist_release(properties);
    return ok;
}

static const struct {
    uint32_t type;
    const char *kind;
} kinds[] = {{DMG_LZMA, "ULMO"},
             {DMG_LZFSE, "ULFO"},
             {DMG_BZIP2, "UDBZ"},
             {DMG_ADC, "UDCO"},
             {DMG_ZLIB, "UDZO"}};

static void name_kind(struct dmg *dmg)
{
    dmg->kind = "UDRO";
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        for (size_t i = 0; i < dmg->run_count; i++) {
            if (dmg->runs[i].type == kinds[k].type) {
                dmg->kind = kinds[k].kind;
                return;
            }
        }
    }
}

#define ON_A_MAC "On a Mac: hdiutil convert IN.dmg -format UDRW -o OUT.dmg"

static bool check_runs(const struct dmg *dmg, const char *path, struct setup_error *error)
{
    for (size_t i = 0; i < dmg->run_count; i++) {
        switch (dmg->runs[i].type) {
        case DMG_ZERO:
        case DMG_RAW:
        case DMG_IGNORE:
        case DMG_ADC:
        case DMG_ZLIB:
        case DMG_BZIP2:
        case DMG_LZMA: break;
        case DMG_LZFSE:
            return setup_fail(
                error, "%s is compressed with LZFSE (ULFO), which hvsetup does not read. " ON_A_MAC,
                path);
        default:
            return setup_fail(error, "%s has a run of the unknown type %08X. " ON_A_MAC, path,
                              dmg->runs[i].type);
        }
    }
    return true;
}

static bool open_compressed(struct dmg *dmg, const char *path, const uint8_t *trailer,
                            uint64_t file_size, struct setup_error *error)
{
    if (big(trailer + 0x04, 4) != 4 || big(trailer + 0x08, 4) != TRAILER_SIZE) {
        return setup_fail(error, "%s: an image format of version %llu, only 4 is known", path,
                          (unsigned long long)big(trailer + 0x04, 4));
    }
    if (big(trailer + 0x3C, 4) > 1) {
        return setup_fail(error, "%s is one of %llu segments. " ON_A_MAC, path,
                          (unsigned long long)big(trailer + 0x3C, 4));
    }
    dmg->sectors = big(trailer + 0x1EC, 8);
    if (!read_tables(dmg, trailer, file_size)) {
        return setup_fail(error, "%s: its tables are damaged; download or copy it again", path);
    }
    name_kind(dmg);
    return check_runs(dmg, path, error);
}

/* Raw images have no mark of their own; what they hold has. */
static bool holds_a_disk(const struct dmg *dmg)
{
    static const struct {
        uint64_t offset;
        const char *magic;
        size_t size;
    } marks[] = {{512, "EFI PART", 8}, {0, "ER", 2},    {1024, "H+\0\4", 4},
                 {1024, "HX\0\5", 4},  {32, "NXSB", 4}, {510, "\x55\xAA", 2},
                 {32769, "CD001", 5},  {1024, "BD", 2}};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        char bytes[8];
        if (read_at(dmg->file, marks[i].offset, bytes, marks[i].size) &&
            memcmp(bytes, marks[i].magic, marks[i].size) == 0) {
            return true;
        }
    }
    return false;
}

static bool open_raw(struct dmg *dmg, const char *path, uint64_t file_size,
                     struct setup_error *error)
{
    char magic[8] = "";
    read_at(dmg->file, 0, magic, sizeof magic);
    if (memcmp(magic, "encrcdsa", 8) == 0) {
        return setup_fail(error, "%s is encrypted. " ON_A_MAC, path);
    }
    if (memcmp(magic, "sprs", 4) == 0) {
        return setup_fail(error, "%s is a sparse image (UDSP). " ON_A_MAC, path);
    }
    if (memcmp(magic, "xar!", 4) == 0) {
        return setup_fail(error,
                          "%s is an installer package, not a disk image: the image is inside it, "
                          "or is made by the installer",
                          path);
    }
    dmg->kind = "UDRW";
    dmg->sectors = file_size / DMG_SECTOR;
    if (file_size % DMG_SECTOR != 0 || !holds_a_disk(dmg)) {
        return setup_fail(error,
                          "%s: not a disk image: no trailer, and neither a partition table nor a "
                          "file system in it",
                          path);
    }
    return true;
}

bool dmg_open(struct dmg *dmg, const char *path, struct setup_error *error)
{
    memset(dmg, 0, sizeof *dmg);
    dmg->file = -1;
    if (folder_exists(path)) {
        return setup_fail(error, "%s is a folder (a sparse bundle?). " ON_A_MAC, path);
    }
    dmg->file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (dmg->file < 0 || fstat(dmg->file, &status) != 0) {
        bool failed = setup_fail(error, "%s: %s", path, strerror(errno));
        dmg_close(dmg);
        return failed;
    }
    uint64_t size = (uint64_t)status.st_size;
    uint8_t trailer[TRAILER_SIZE];
    bool compressed = size >= TRAILER_SIZE &&
                      read_at(dmg->file, size - TRAILER_SIZE, trailer, TRAILER_SIZE) &&
                      memcmp(trailer, "koly", 4) == 0;
    bool ok = compressed ? open_compressed(dmg, path, trailer, size, error)
                         : open_raw(dmg, path, size, error);
    if (!ok) {
        dmg_close(dmg);
    }
    return ok;
}

void dmg_close(struct dmg *dmg)
{
    if (dmg->file >= 0) {
        close(dmg->file);
    }
    free(dmg->runs);
    free(dmg->checksums);
    memset(dmg, 0, sizeof *dmg);
    dmg->file = -1;
}
