/* SPDX-License-Identifier: BSD-3-Clause */
/* Verifies and copies recovery images. */
#include "setup/recovery.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "setup/files.h"
#include "setup/sha256.h"
#include "setup/text.h"

enum {
    CHUNKLIST_MAX = 16 << 20,
    HEADER_SIZE = 0x24,
    CHUNK_ENTRY_SIZE = 4 + SHA256_SIZE,
    BLOCK = 1 << 16,
};

char *recovery_chunklist(const char *dmg)
{
    const char *dot = strrchr(dmg, '.');
    size_t stem = dot == NULL ? strlen(dmg) : (size_t)(dot - dmg);
    char *path = format_string("%.*s.chunklist", (int)stem, dmg);
    if (!file_exists(path)) {
        free(path);
        return NULL;
    }
    return path;
}

static uint64_t little(const char *bytes, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)(uint8_t)bytes[i] << (8 * i);
    }
    return value;
}

static bool verify_chunk(FILE *image, uint32_t size, const char *expected)
{
    static uint8_t block[BLOCK];
    struct sha256 hash;
    uint8_t digest[SHA256_SIZE];
    sha256_start(&hash);
    while (size > 0) {
        size_t part = size < BLOCK ? size : BLOCK;
        if (fread(block, 1, part, image) != part) {
            return false;
        }
        sha256_add(&hash, block, part);
        size -= (uint32_t)part;
    }
    sha256_finish(&hash, digest);
    return memcmp(digest, expected, SHA256_SIZE) == 0;
}

static bool verify_chunks(const char *dmg, const char *list, size_t size, struct setup_error *error)
{
    uint64_t count = little(list + 0x0C, 8), offset = little(list + 0x14, 8);
    if (offset > size || count == 0 || count > (size - offset) / CHUNK_ENTRY_SIZE) {
        return setup_fail(error, "the chunklist of %s is damaged", dmg);
    }
    FILE *image = fopen(dmg, "rb");
    if (image == NULL) {
        return setup_fail(error, "%s: cannot be read", dmg);
    }
    bool ok = true;
    for (uint64_t i = 0; i < count && ok; i++) {
        const char *entry = list + offset + i * CHUNK_ENTRY_SIZE;
        ok = verify_chunk(image, (uint32_t)little(entry, 4), entry + 4) ||
             setup_fail(error, "%s: piece %llu of %llu is damaged; download it again", dmg,
                        (unsigned long long)i + 1, (unsigned long long)count);
    }
    if (ok && fgetc(image) != EOF) {
        ok = setup_fail(error, "%s: longer than its chunklist says; download it again", dmg);
    }
    fclose(image);
    return ok;
}

bool recovery_verify(const char *dmg, const char *chunklist, struct setup_error *error)
{
    char *list = NULL;
    size_t size = 0;
    if (!file_read(chunklist, CHUNKLIST_MAX, &list, &size, error)) {
        return false;
    }
    bool ok = size >= HEADER_SIZE && memcmp(list, "CNKL", 4) == 0 &&
              little(list + 4, 4) == HEADER_SIZE && list[8] == 1 && list[9] == 1;
    ok = ok ? verify_chunks(dmg, list, size, error)
            : setup_fail(error, "%s: not a chunklist of version 1", chunklist);
    free(list);
    return ok;
}

bool recovery_copy(const char *dmg, const char *staging, struct report *report,
                   struct setup_error *error)
{
    char *chunklist = recovery_chunklist(dmg);
    if (chunklist == NULL) {
        return setup_fail(error, "%s: its .chunklist is not beside it", dmg);
    }
    char *folder = path_join(staging, RECOVERY_FOLDER);
    char *image_to = path_join(folder, "BaseSystem.dmg");
    char *list_to = path_join(folder, "BaseSystem.chunklist");
    bool ok = recovery_verify(dmg, chunklist, error) && folder_make(folder, error) &&
              file_copy(dmg, image_to, error) && file_copy(chunklist, list_to, error);
    if (ok) {
        report_decide(
            report, RECOVERY_FOLDER, "BaseSystem.dmg",
            "every piece has the hash of the chunklist; OpenCore starts it from the EFI disk");
    }
    free(list_to);
    free(image_to);
    free(folder);
    free(chunklist);
    return ok;
}
