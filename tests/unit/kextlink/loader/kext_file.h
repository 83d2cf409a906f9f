/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kext_file.h: reads a linked kext back, independently of kextlink: own structures, own parser, and
 * the layout rules of kernel loaders (XNU libkern/kxld, libsa/kld_patch.c, OpenCore's
 * OcAppleKernelLib) as checks. Used by the tests of kextlink and of the built bundles.
 */
#ifndef TESTS_KEXTLINK_KEXT_FILE_H
#define TESTS_KEXTLINK_KEXT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kext_section {
    char segment[17], name[17];
    uint64_t address, size;
    uint32_t offset, alignment, flags;
    uint32_t relocation_offset, relocation_count;
};

struct kext_symbol {
    const char *name;
    uint8_t type, section;
    uint16_t description;
    uint64_t value;
};

struct kext_relocation {
    uint64_t address; /* absolute in the image, also for i386 */
    uint32_t symbol;  /* symbol index, or section ordinal */
    bool external, pc_relative;
    uint8_t length, type;
};

struct kext_segment {
    char name[17];
    uint64_t address, memory_size, file_offset, file_size;
    uint32_t protection;
};

struct kext_file {
    const uint8_t *bytes;
    size_t size;
    bool is_64;
    uint32_t file_type, flags;
    struct kext_segment segments[8];
    size_t segment_count;
    struct kext_section sections[64];
    size_t section_count;
    struct kext_symbol *symbols; /* owned */
    size_t symbol_count, local_count, defined_count, undefined_count;
    struct kext_relocation *relocations; /* owned; sorted by address */
    size_t relocation_count;
    uint8_t uuid[16];
    uint8_t *image; /* owned: the loaded content, zerofill included, before relocation */
    uint64_t image_size;
    char problem[256]; /* why reading or a check failed */
};

/* Parses `bytes` (kept by the caller until kext_file_free) and checks every layout rule. Returns
 * false with file->problem set if a kernel loader would refuse, or should have. */
bool kext_file_read(struct kext_file *file, const uint8_t *bytes, size_t size);
void kext_file_free(struct kext_file *file);

const struct kext_symbol *kext_file_symbol(const struct kext_file *file, const char *name);
const struct kext_relocation *kext_file_relocation(const struct kext_file *file, uint64_t address);
/* Any symbol that has this address; NULL = none. */
const struct kext_symbol *kext_file_symbol_at(const struct kext_file *file, uint64_t address);
uint64_t kext_file_word(const struct kext_file *file, uint64_t address);
const struct kext_section *kext_file_section(const struct kext_file *file, const char *name);
static inline size_t kext_file_word_size(const struct kext_file *file)
{
    return file->is_64 ? 8 : 4;
}

/* The slice for a processor type inside a fat file; the file if it is not fat. False: none. */
bool kext_file_slice(const uint8_t *bytes, size_t size, uint32_t processor, const uint8_t **slice,
                     size_t *slice_size);

#endif
