/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be said of a kext's executable without loading it (format: Apple's mach-o/loader.h,
 * mach-o/fat.h). */
#ifndef MACHV_MATCH_MACHO_H
#define MACHV_MATCH_MACHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MACHO_SLICES_MAX = 16, MACHO_SIZE_MAX = 512 << 20 };

struct macho_slice {
    char architecture[16]; /* "x86_64", "i386", "arm64", "ppc", or the number */
    uint32_t file_type;
    bool is_kext;       /* MH_KEXT_BUNDLE, or MH_OBJECT as 32-bit kexts may be */
    bool has_signature; /* LC_CODE_SIGNATURE; says nothing about its validity */
    bool has_kmod_info; /* a symbol table is there, so that _kmod_info can be */
};

struct macho {
    struct macho_slice slices[MACHO_SLICES_MAX];
    size_t count;
};

/* Reads headers and load commands, thin or fat. Returns false with a reason in `why` and the offset
 * of the trouble: not Mach-O, or parts that reach outside the file. */
bool macho_parse(const void *bytes, size_t size, struct macho *macho, size_t *offset, char *why,
                 size_t why_size);
const struct macho_slice *macho_find(const struct macho *macho, const char *architecture);
/* "x86_64 i386" */
void macho_architectures(const struct macho *macho, char *text, size_t size);

#endif
