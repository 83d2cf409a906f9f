/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * macho.h: the part of the Mach-O file format that kexts use.
 *
 * Names follow Apple's <mach-o/loader.h>, <mach-o/nlist.h> and <mach-o/reloc.h> closely enough to
 * be recognised; the structures are declared here so that no Apple header is needed.
 * All fields are little-endian except those of the fat header, which are big-endian.
 */
#ifndef TOOLS_KEXTLINK_MACHO_H
#define TOOLS_KEXTLINK_MACHO_H

#include <assert.h>
#include <stdint.h>

enum {
    MACHO_MAGIC_32 = 0xfeedface,
    MACHO_MAGIC_64 = 0xfeedfacf,
    MACHO_FAT_MAGIC = 0xcafebabe,

    MACHO_CPU_I386 = 7,
    MACHO_CPU_X86_64 = 0x01000007,
    MACHO_CPU_SUBTYPE_ALL = 3,

    MACHO_TYPE_OBJECT = 0x1,
    MACHO_TYPE_KEXT_BUNDLE = 0xb,

    /* NOUNDEFS, DYLDLINK, TWOLEVEL: what kext injectors require of a linked bundle. */
    MACHO_FLAGS_KEXT_BUNDLE = 0x85,
};

enum macho_command {
    MACHO_LC_SEGMENT = 0x1,
    MACHO_LC_SYMTAB = 0x2,
    MACHO_LC_DYSYMTAB = 0xb,
    MACHO_LC_SEGMENT_64 = 0x19,
    MACHO_LC_UUID = 0x1b,
    MACHO_LC_VERSION_MIN_MACOSX = 0x24,
    MACHO_LC_DATA_IN_CODE = 0x29,
    MACHO_LC_LINKER_OPTION = 0x2d,
    MACHO_LC_LINKER_OPTIMIZATION_HINT = 0x2e,
    MACHO_LC_BUILD_VERSION = 0x32,
};

enum {
    MACHO_SECTION_TYPE_MASK = 0xff,
    MACHO_S_REGULAR = 0x0,
    MACHO_S_ZEROFILL = 0x1,
    MACHO_S_CSTRING_LITERALS = 0x2,
    MACHO_S_4BYTE_LITERALS = 0x3,
    MACHO_S_8BYTE_LITERALS = 0x4,
    MACHO_S_MOD_INIT_FUNC_POINTERS = 0x9,
    MACHO_S_MOD_TERM_FUNC_POINTERS = 0xa,
    MACHO_S_COALESCED = 0xb,
    MACHO_S_16BYTE_LITERALS = 0xe,

    MACHO_S_ATTR_SOME_INSTRUCTIONS = 0x400,
};
#define MACHO_S_ATTR_PURE_INSTRUCTIONS 0x80000000u
#define MACHO_S_ATTR_DEBUG 0x02000000u

enum {
    MACHO_N_STAB = 0xe0,
    MACHO_N_PEXT = 0x10,
    MACHO_N_TYPE = 0x0e,
    MACHO_N_EXT = 0x01,

    MACHO_N_UNDF = 0x0,
    MACHO_N_ABS = 0x2,
    MACHO_N_INDR = 0xa,
    MACHO_N_SECT = 0xe,

    MACHO_N_WEAK_REF = 0x40,
    MACHO_N_WEAK_DEF = 0x80,
    MACHO_N_DYNAMIC_LOOKUP = 0xfe00, /* two-level ordinal "search everywhere" */
};

enum macho_reloc_x86_64 {
    X86_64_UNSIGNED = 0,
    X86_64_SIGNED = 1,
    X86_64_BRANCH = 2,
    X86_64_GOT_LOAD = 3,
    X86_64_GOT = 4,
    X86_64_SUBTRACTOR = 5,
    X86_64_SIGNED_1 = 6,
    X86_64_SIGNED_2 = 7,
    X86_64_SIGNED_4 = 8,
    X86_64_TLV = 9,
};

enum macho_reloc_i386 {
    GENERIC_VANILLA = 0,
    GENERIC_PAIR = 1,
    GENERIC_SECTDIFF = 2,
    GENERIC_PB_LA_PTR = 3,
    GENERIC_LOCAL_SECTDIFF = 4,
};

#define MACHO_RELOC_SCATTERED 0x80000000u

/* The header of a 64-bit file has one more word (reserved, zero) than these 28 bytes. */
struct macho_header {
    uint32_t magic;
    uint32_t cputype;
    uint32_t cpusubtype;
    uint32_t filetype;
    uint32_t ncmds;
    uint32_t sizeofcmds;
    uint32_t flags;
};
static_assert(sizeof(struct macho_header) == 28, "mach_header");

struct macho_load_command {
    uint32_t cmd;
    uint32_t cmdsize;
};

struct macho_segment_32 {
    uint32_t cmd;
    uint32_t cmdsize;
    char segname[16];
    uint32_t vmaddr;
    uint32_t vmsize;
    uint32_t fileoff;
    uint32_t filesize;
    uint32_t maxprot;
    uint32_t initprot;
    uint32_t nsects;
    uint32_t flags;
};
static_assert(sizeof(struct macho_segment_32) == 56, "segment_command");

struct macho_segment_64 {
    uint32_t cmd;
    uint32_t cmdsize;
    char segname[16];
    uint64_t vmaddr;
    uint64_t vmsize;
    uint64_t fileoff;
    uint64_t filesize;
    uint32_t maxprot;
    uint32_t initprot;
    uint32_t nsects;
    uint32_t flags;
};
static_assert(sizeof(struct macho_segment_64) == 72, "segment_command_64");

struct macho_section_32 {
    char sectname[16];
    char segname[16];
    uint32_t addr;
    uint32_t size;
    uint32_t offset;
    uint32_t align; /* power of two */
    uint32_t reloff;
    uint32_t nreloc;
    uint32_t flags;
    uint32_t reserved1;
    uint32_t reserved2;
};
static_assert(sizeof(struct macho_section_32) == 68, "section");

struct macho_section_64 {
    char sectname[16];
    char segname[16];
    uint64_t addr;
    uint64_t size;
    uint32_t offset;
    uint32_t align;
    uint32_t reloff;
    uint32_t nreloc;
    uint32_t flags;
    uint32_t reserved1;
    uint32_t reserved2;
    uint32_t reserved3;
};
static_assert(sizeof(struct macho_section_64) == 80, "section_64");

struct macho_symtab {
    uint32_t cmd;
    uint32_t cmdsize;
    uint32_t symoff;
    uint32_t nsyms;
    uint32_t stroff;
    uint32_t strsize;
};
static_assert(sizeof(struct macho_symtab) == 24, "symtab_command");

struct macho_dysymtab {
    uint32_t cmd;
    uint32_t cmdsize;
    uint32_t ilocalsym, nlocalsym;
    uint32_t iextdefsym, nextdefsym;
    uint32_t iundefsym, nundefsym;
    uint32_t tocoff, ntoc;
    uint32_t modtaboff, nmodtab;
    uint32_t extrefsymoff, nextrefsyms;
    uint32_t indirectsymoff, nindirectsyms;
    uint32_t extreloff, nextrel;
    uint32_t locreloff, nlocrel;
};
static_assert(sizeof(struct macho_dysymtab) == 80, "dysymtab_command");

struct macho_uuid {
    uint32_t cmd;
    uint32_t cmdsize;
    uint8_t uuid[16];
};
static_assert(sizeof(struct macho_uuid) == 24, "uuid_command");

struct macho_nlist_32 {
    uint32_t n_strx;
    uint8_t n_type;
    uint8_t n_sect; /* 1-based ordinal over all sections; 0 = none */
    uint16_t n_desc;
    uint32_t n_value;
};
static_assert(sizeof(struct macho_nlist_32) == 12, "nlist");

struct macho_nlist_64 {
    uint32_t n_strx;
    uint8_t n_type;
    uint8_t n_sect;
    uint16_t n_desc;
    uint64_t n_value;
};
static_assert(sizeof(struct macho_nlist_64) == 16, "nlist_64");

/* word1: symbolnum:24, pcrel:1, length:2, extern:1, type:4 (unless word0 has the scattered bit). */
struct macho_relocation {
    uint32_t word0;
    uint32_t word1;
};
static_assert(sizeof(struct macho_relocation) == 8, "relocation_info");

/* Where a kext's kmod_info has what the linker checks (packed to 4; XNU osfmk/mach/kmod.h). */
enum {
    KMOD_INFO_VERSION_64 = 0x08,
    KMOD_INFO_NAME_64 = 0x10,
    KMOD_INFO_VERSION_STRING_64 = 0x50,
    KMOD_INFO_START_64 = 0xb4,
    KMOD_INFO_STOP_64 = 0xbc,
    KMOD_INFO_SIZE_64 = 0xc4,
    KMOD_INFO_VERSION_32 = 0x04,
    KMOD_INFO_NAME_32 = 0x0c,
    KMOD_INFO_VERSION_STRING_32 = 0x4c,
    KMOD_INFO_START_32 = 0xa0,
    KMOD_INFO_STOP_32 = 0xa4,
    KMOD_INFO_SIZE_32 = 0xa8,
    KMOD_INFO_STRING_SIZE = 64,
};

#endif
