/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads a Mach-O kext (MH_KEXT_BUNDLE or MH_OBJECT, x86_64 or i386) and checks it by the rules of
 * the kernel's linker (XNU libkern/kxld: kxld_object.c, kxld_seg.c, kxld_sect.c, kxld_symtab.c).
 * The bytes are hostile: every offset, count and index is checked here, once, so that later stages
 * may rely on the structures.
 */
#ifndef MACHV_XNU_LOADER_MACHO_H
#define MACHV_XNU_LOADER_MACHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xnu/loader/loader_error.h"

/* Files larger than this are not read; real kexts are below 100 MiB. */
#define MACHO_FILE_SIZE_MAX (256u << 20)
#define MACHO_IMAGE_SIZE_MAX (512u << 20)
#define MACHO_NAME_MAX 1023u /* bytes of a symbol name */
#define MACHO_SEGMENTS_MAX 16u
#define MACHO_SECTIONS_MAX 255u

struct macho_segment {
    char name[17];
    uint64_t address, size; /* size 0: skipped by the linker */
    uint64_t file_offset, file_size;
};

struct macho_section {
    char segment[17], name[17];
    uint64_t address, size;
    uint32_t offset;    /* in the file; meaningless for zerofill */
    uint32_t alignment; /* log2 */
    uint32_t flags;
    uint32_t relocation_offset, relocation_count; /* MH_OBJECT */
    uint32_t reserved1;                           /* first indirect symbol */
};

struct macho_symbol {
    const char *name; /* NUL terminated, in the file's bytes */
    uint8_t type;
    uint8_t section; /* 1-based; valid when the type is MACHO_SYMBOL_SECTION */
    uint16_t description;
    uint64_t value;
    bool is_stab;
    bool is_undefined;
    bool is_defined;  /* in a section, or absolute */
    bool is_exported; /* external and not private */
    bool is_weak;     /* weak reference */
};

struct macho_relocation {
    uint64_t address;  /* in the image; checked: the whole field lies in a section with contents */
    uint32_t target;   /* symbol index if external, else section ordinal (0 = absolute) */
    uint32_t scattered_value;
    uint8_t type, length; /* length: log2 of the bytes */
    bool external, pc_relative, scattered;
};

struct macho {
    const uint8_t *bytes; /* borrowed: must live as long as this structure */
    size_t size;
    bool is_64;
    bool is_object; /* MH_OBJECT */
    struct macho_segment segments[MACHO_SEGMENTS_MAX];
    unsigned segment_count;
    struct macho_section sections[MACHO_SECTIONS_MAX];
    unsigned section_count;
    struct macho_symbol *symbols; /* owned */
    size_t symbol_count;
    struct macho_relocation *relocations; /* owned; bundle: external, then local; object: all */
    size_t relocation_count;
    const uint8_t *indirect; /* indirect symbol table, unaligned u32 each; NULL: none */
    uint32_t indirect_count;
    uint64_t image_size; /* highest end of a segment that is loaded, page aligned */
    uint8_t uuid[16];
    bool has_uuid;
};

/*
 * Finds the slice for a processor type in a fat file, or takes a thin file as it is. 0, or -1 with
 * `error` set: not Mach-O, no such slice, damaged.
 */
int macho_slice(const uint8_t *bytes, size_t size, uint32_t processor, const uint8_t **slice,
                size_t *slice_size, struct loader_error *error);

/*
 * Reads one slice. `release` is the macOS release whose linker it is for (1006 = 10.6 ... 1300 =
 * 13): it decides about load commands and symbol renaming. On success call macho_free(). 0, or -1
 * with `error` set and nothing to free.
 */
int macho_read(struct macho *macho, const uint8_t *bytes, size_t size, uint32_t release,
               struct loader_error *error);
void macho_free(struct macho *macho);

/* The section that holds [address, address + size) with file contents or zerofill; NULL: none. */
const struct macho_section *macho_section_at(const struct macho *macho, uint64_t address,
                                             uint64_t size);
bool macho_section_is_zerofill(const struct macho_section *section);
/* The defined symbol of that name (never a stab); NULL: none. */
const struct macho_symbol *macho_find_symbol(const struct macho *macho, const char *name);

#endif
