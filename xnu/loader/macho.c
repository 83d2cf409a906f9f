/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mach-O: fat header, header, load commands, segments and sections.
 */
#include "xnu/loader/macho.h"

#include <stdlib.h>
#include <string.h>

#include "xnu/loader/macho_format.h"
#include "xnu/loader/macho_private.h"

#define FAT_SLICES_MAX 32u
#define PAGE_MASK UINT64_C(0xFFF)

static int damaged(struct loader_error *error, const char *what) {
    return loader_fail(error, MACHINE_EXIT_KEXT, "malformed Mach-O: %s", what);
}

static uint32_t get32_big(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* ---- fat files ------------------------------------------------------------------------------ */

static int find_slice(const uint8_t *bytes, size_t size, uint32_t processor, const uint8_t **slice,
                      size_t *slice_size, struct loader_error *error) {
    uint32_t count = size >= 8 ? get32_big(bytes + 4) : 0;
    if (count == 0 || count > FAT_SLICES_MAX || (size - 8) / 20 < count) {
        return damaged(error, "the fat header's slices lie outside the file");
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *entry = bytes + 8 + i * 20;
        uint32_t offset = get32_big(entry + 8), length = get32_big(entry + 12);
        if (offset > size || length > size - offset) {
            return damaged(error, "a slice lies outside the file");
        }
        if (get32_big(entry) == processor) {
            *slice = bytes + offset;
            *slice_size = length;
            return 0;
        }
    }
    return loader_fail(error, MACHINE_EXIT_KEXT, "the executable has no slice for %s",
                       processor == MACHO_PROCESSOR_X86_64 ? "x86_64" : "i386");
}

int macho_slice(const uint8_t *bytes, size_t size, uint32_t processor, const uint8_t **slice,
                size_t *slice_size, struct loader_error *error) {
    if (size >= 4 && get32_big(bytes) == MACHO_FAT_MAGIC) {
        return find_slice(bytes, size, processor, slice, slice_size, error);
    }
    if (size < MACHO_HEADER_SIZE_32) {
        return loader_fail(error, MACHINE_EXIT_KEXT, "not a Mach-O file (%zu bytes)", size);
    }
    uint32_t magic = macho_get32(bytes), found = macho_get32(bytes + 4);
    if (magic != MACHO_MAGIC_32 && magic != MACHO_MAGIC_64) {
        return loader_fail(error, MACHINE_EXIT_KEXT, "not a Mach-O file (it begins with %08x)",
                           magic);
    }
    if (found != processor) {
        return loader_fail(error, MACHINE_EXIT_KEXT, "the executable is for processor type 0x%x, "
                           "not for %s", found,
                           processor == MACHO_PROCESSOR_X86_64 ? "x86_64" : "i386");
    }
    *slice = bytes;
    *slice_size = size;
    return 0;
}

/* ---- load commands -------------------------------------------------------------------------- */

/* First release whose linker takes the command in an executable kext, 0: none does. */
static uint32_t first_release(uint32_t command) {
    switch (command) {
    case MACHO_SEGMENT:
    case MACHO_SEGMENT_64:
    case MACHO_SYMTAB:
    case MACHO_DYSYMTAB:
    case MACHO_UUID:
        return 1006;
    case MACHO_CODE_SIGNATURE:
    case MACHO_DYLD_INFO:
    case MACHO_DYLD_INFO_ONLY:
    case MACHO_FUNCTION_STARTS:
    case MACHO_DATA_IN_CODE:
    case MACHO_DYLIB_CODE_SIGN_DRS:
    case MACHO_SOURCE_VERSION:
    case MACHO_VERSION_MIN_MACOSX:
        return 1008;
    case MACHO_SEGMENT_SPLIT_INFO:
        return 1010;
    case MACHO_BUILD_VERSION:
    case MACHO_NOTE:
        return 1014;
    default:
        return 0;
    }
}

static int check_command(const struct macho *macho, uint32_t command, uint32_t release,
                         struct loader_error *error) {
    if (command == MACHO_DYLD_CHAINED_FIXUPS || command == MACHO_DYLD_EXPORTS_TRIE) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "the executable uses chained fixups, which only kernel collections "
                           "know; link it with classic relocations");
    }
    if (macho->is_object && (command == MACHO_DYSYMTAB || command == MACHO_VERSION_MIN_MACOSX ||
                             command == MACHO_SOURCE_VERSION)) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "malformed Mach-O: invalid load command type 0x%x in an object file",
                           command);
    }
    if (macho->is_object && command == MACHO_UNIXTHREAD) {
        return 0;
    }
    uint32_t first = first_release(command);
    if (first == 0 || release < first) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "malformed Mach-O: invalid load command type 0x%x for macOS %u.%u",
                           command, release / 100, release % 100);
    }
    return 0;
}

static void copy_name(char name[17], const uint8_t *bytes) {
    memcpy(name, bytes, 16);
    name[16] = '\0';
}

static bool section_type_allowed(uint32_t type) {
    switch (type) {
    case MACHO_SECTION_REGULAR:
    case MACHO_SECTION_ZEROFILL:
    case MACHO_SECTION_CSTRINGS:
    case MACHO_SECTION_4BYTE:
    case MACHO_SECTION_8BYTE:
    case MACHO_SECTION_LITERAL_POINTERS:
    case MACHO_SECTION_NON_LAZY_POINTERS:
    case MACHO_SECTION_STUBS:
    case MACHO_SECTION_INIT_POINTERS:
    case MACHO_SECTION_TERM_POINTERS:
    case MACHO_SECTION_COALESCED:
    case MACHO_SECTION_16BYTE:
        return true;
    default:
        return false;
    }
}

static int check_section(const struct macho *macho, const struct macho_segment *segment,
                         const struct macho_section *section, struct loader_error *error) {
    bool zerofill = macho_section_is_zerofill(section);
    uint64_t in_segment = section->address - segment->address;
    if (!section_type_allowed(section->flags & MACHO_SECTION_TYPE)) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "malformed Mach-O: section %s has the invalid type %u", section->name,
                           section->flags & MACHO_SECTION_TYPE);
    }
    if (section->alignment > 15 ||
        section->address % (UINT64_C(1) << section->alignment) != 0) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "malformed Mach-O: section %s is not aligned to 2^%u", section->name,
                           section->alignment);
    }
    if (section->address < segment->address || in_segment > segment->size ||
        section->size > segment->size - in_segment) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "malformed Mach-O: section %s lies outside its segment", section->name);
    }
    if (!macho->is_object && strcmp(section->segment, segment->name) != 0) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "malformed Mach-O: section %s names segment %s but lies in %s",
                           section->name, section->segment, segment->name);
    }
    if (zerofill ? section->offset != 0
                 : section->offset > macho->size || section->size > macho->size - section->offset) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "malformed Mach-O: section %s has contents outside the file",
                           section->name);
    }
    if (!macho->is_object && !zerofill && section->size != 0 &&
        section->offset != segment->file_offset + in_segment) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "malformed Mach-O: section %s is not where its segment is in the file",
                           section->name);
    }
    return 0;
}

static int read_sections(struct macho *macho, const struct macho_segment *segment,
                         const uint8_t *bytes, uint32_t count, struct loader_error *error) {
    unsigned wide = macho->is_64 ? 8 : 4;
    for (uint32_t i = 0; i < count; i++, bytes += macho->is_64 ? 80 : 68) {
        if (macho->section_count == MACHO_SECTIONS_MAX) {
            return damaged(error, "more than 255 sections");
        }
        struct macho_section *section = &macho->sections[macho->section_count++];
        const uint8_t *rest = bytes + 32 + 2 * wide;
        copy_name(section->name, bytes);
        copy_name(section->segment, bytes + 16);
        section->address = macho_get_word(macho, bytes + 32);
        section->size = macho_get_word(macho, bytes + 32 + wide);
        section->offset = macho_get32(rest);
        section->alignment = macho_get32(rest + 4);
        section->relocation_offset = macho_get32(rest + 8);
        section->relocation_count = macho_get32(rest + 12);
        section->flags = macho_get32(rest + 16);
        section->reserved1 = macho_get32(rest + 20);
        if (check_section(macho, segment, section, error) != 0) {
            return -1;
        }
    }
    return 0;
}

static int check_segment(struct macho *macho, const struct macho_segment *segment,
                         struct loader_error *error) {
    if (segment->file_offset > macho->size ||
        segment->file_size > macho->size - segment->file_offset) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "malformed Mach-O: segment %s has contents outside the file",
                           segment->name);
    }
    if (segment->address > MACHO_IMAGE_SIZE_MAX || segment->size > MACHO_IMAGE_SIZE_MAX ||
        segment->address + segment->size > MACHO_IMAGE_SIZE_MAX) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "malformed Mach-O: segment %s ends beyond %u MiB", segment->name,
                           MACHO_IMAGE_SIZE_MAX >> 20);
    }
    if (!macho->is_object && segment->size != 0 && segment->address % (PAGE_MASK + 1) != 0) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "malformed Mach-O: segment %s does not begin at a page", segment->name);
    }
    for (unsigned i = 0; i + 1 < macho->segment_count; i++) {
        const struct macho_segment *other = &macho->segments[i];
        if (segment->address < other->address + other->size &&
            other->address < segment->address + segment->size) {
            return loader_fail(error, MACHINE_EXIT_KEXT,
                               "malformed Mach-O: segments %s and %s overlap", segment->name,
                               other->name);
        }
    }
    return 0;
}

static int read_segment(struct macho *macho, const uint8_t *command, uint32_t size,
                        struct loader_error *error) {
    unsigned wide = macho->is_64 ? 8 : 4;
    uint32_t head = 8 + 16 + 4 * wide + 16, each = macho->is_64 ? 80 : 68;
    if (size < head) {
        return damaged(error, "a segment command is too short");
    }
    uint32_t count = macho_get32(command + head - 8);
    if (count > (size - head) / each) {
        return damaged(error, "a segment has more sections than its command holds");
    }
    if (macho->segment_count == MACHO_SEGMENTS_MAX) {
        return damaged(error, "more than 16 segments");
    }
    struct macho_segment *segment = &macho->segments[macho->segment_count++];
    copy_name(segment->name, command + 8);
    segment->address = macho_get_word(macho, command + 24);
    segment->size = macho_get_word(macho, command + 24 + wide);
    segment->file_offset = macho_get_word(macho, command + 24 + 2 * wide);
    segment->file_size = macho_get_word(macho, command + 24 + 3 * wide);
    if (check_segment(macho, segment, error) != 0) {
        return -1;
    }
    uint64_t end = (segment->address + segment->size + PAGE_MASK) & ~PAGE_MASK;
    if (strcmp(segment->name, "__LINKEDIT") != 0 && end > macho->image_size) {
        macho->image_size = end;
    }
    if (count != 0 && strcmp(segment->name, "__LINKEDIT") == 0) {
        return damaged(error, "segment __LINKEDIT has sections");
    }
    return read_sections(macho, segment, command + head, count, error);
}

static int read_command(struct macho *macho, struct macho_tables *tables, uint32_t command,
                        const uint8_t *bytes, uint32_t size, struct loader_error *error) {
    switch (command) {
    case MACHO_SEGMENT:
    case MACHO_SEGMENT_64:
        if ((command == MACHO_SEGMENT_64) != macho->is_64) {
            return damaged(error, "a segment command of the other word size");
        }
        return read_segment(macho, bytes, size, error);
    case MACHO_SYMTAB:
        if (size < 24 || tables->symtab != NULL) {
            return damaged(error, "a symbol table command too short or twice");
        }
        tables->symtab = bytes;
        return 0;
    case MACHO_DYSYMTAB:
        if (size < 80 || tables->dysymtab != NULL) {
            return damaged(error, "a dynamic symbol table command too short or twice");
        }
        tables->dysymtab = bytes;
        return 0;
    case MACHO_UUID:
        if (size < 24) {
            return damaged(error, "a UUID command too short");
        }
        memcpy(macho->uuid, bytes + 8, 16);
        macho->has_uuid = true;
        return 0;
    default:
        return 0;
    }
}

static int read_commands(struct macho *macho, struct macho_tables *tables, uint32_t release,
                         struct loader_error *error) {
    size_t header = macho->is_64 ? MACHO_HEADER_SIZE_64 : MACHO_HEADER_SIZE_32;
    uint32_t count = macho_get32(macho->bytes + 16), bytes = macho_get32(macho->bytes + 20);
    if (bytes > macho->size - header) {
        return damaged(error, "the load commands lie outside the file");
    }
    const uint8_t *at = macho->bytes + header, *end = at + bytes;
    for (uint32_t i = 0; i < count; i++) {
        if (end - at < 8) {
            return damaged(error, "the load commands are longer than the header says");
        }
        uint32_t command = macho_get32(at), size = macho_get32(at + 4);
        if (size < 8 || size % 4 != 0 || size > (size_t)(end - at)) {
            return damaged(error, "a load command has an impossible size");
        }
        if (check_command(macho, command, release, error) != 0 ||
            read_command(macho, tables, command, at, size, error) != 0) {
            return -1;
        }
        at += size;
    }
    return 0;
}

/* ---- the whole ------------------------------------------------------------------------------ */

static int read_header(struct macho *macho, struct loader_error *error) {
    uint32_t magic = macho->size >= 4 ? macho_get32(macho->bytes) : 0;
    macho->is_64 = magic == MACHO_MAGIC_64;
    if (magic != MACHO_MAGIC_64 && magic != MACHO_MAGIC_32) {
        return loader_fail(error, MACHINE_EXIT_KEXT, "not a Mach-O file (it begins with %08x)",
                           magic);
    }
    if (macho->size < (macho->is_64 ? MACHO_HEADER_SIZE_64 : MACHO_HEADER_SIZE_32)) {
        return damaged(error, "the header is longer than the file");
    }
    uint32_t processor = macho_get32(macho->bytes + 4), type = macho_get32(macho->bytes + 12);
    if (processor != (macho->is_64 ? MACHO_PROCESSOR_X86_64 : MACHO_PROCESSOR_I386)) {
        return loader_fail(error, MACHINE_EXIT_KEXT, "processor type 0x%x is not known",
                           processor);
    }
    macho->is_object = type == MACHO_OBJECT;
    if (type != MACHO_KEXT_BUNDLE && type != MACHO_OBJECT) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "file type %u is no kext (MH_KEXT_BUNDLE is 11)", type);
    }
    if (macho->is_64 && macho->is_object) {
        return loader_fail(error, MACHINE_EXIT_KEXT,
                           "a 64-bit kext must be a kext bundle, this is an object file");
    }
    return 0;
}

static int check_segments(const struct macho *macho, struct loader_error *error) {
    bool linkedit = false;
    unsigned loaded = 0;
    for (unsigned i = 0; i < macho->segment_count; i++) {
        bool is_linkedit = strcmp(macho->segments[i].name, "__LINKEDIT") == 0;
        linkedit |= is_linkedit;
        loaded += macho->segments[i].size != 0 && !is_linkedit;
    }
    if (loaded == 0) {
        return damaged(error, "no segment to load");
    }
    if (macho->is_object && loaded != 1) {
        return damaged(error, "an object file with more than one segment");
    }
    if (!macho->is_object && !linkedit) {
        return damaged(error, "no segment __LINKEDIT");
    }
    return 0;
}

int macho_read(struct macho *macho, const uint8_t *bytes, size_t size, uint32_t release,
               struct loader_error *error) {
    struct macho_tables tables = {0};
    memset(macho, 0, sizeof *macho);
    macho->bytes = bytes;
    macho->size = size;
    if (read_header(macho, error) != 0 ||
        read_commands(macho, &tables, release, error) != 0 || check_segments(macho, error) != 0 ||
        macho_read_symbols(macho, &tables, release, error) != 0 ||
        macho_read_relocations(macho, &tables, error) != 0) {
        macho_free(macho);
        return -1;
    }
    return 0;
}

void macho_free(struct macho *macho) {
    free(macho->symbols);
    free(macho->relocations);
    macho->symbols = NULL;
    macho->relocations = NULL;
    macho->symbol_count = macho->relocation_count = 0;
}

bool macho_section_is_zerofill(const struct macho_section *section) {
    return (section->flags & MACHO_SECTION_TYPE) == MACHO_SECTION_ZEROFILL;
}

const struct macho_section *macho_section_at(const struct macho *macho, uint64_t address,
                                             uint64_t size) {
    for (unsigned i = 0; i < macho->section_count; i++) {
        const struct macho_section *section = &macho->sections[i];
        if (address >= section->address && size <= section->size &&
            address - section->address <= section->size - size) {
            return section;
        }
    }
    return NULL;
}
