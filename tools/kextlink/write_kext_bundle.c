/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * write_kext_bundle.c: the x86_64 output, MH_KEXT_BUNDLE.
 *
 * Three segments, LC_SYMTAB, LC_DYSYMTAB and LC_UUID: the commands that every loader from 10.6 to
 * kmutil and OpenCore accepts. __LINKEDIT holds, as ld64 wrote it: local relocations, symbols,
 * external relocations, strings.
 */
#include <string.h>

#include "tools/kextlink/sha1.h"
#include "tools/kextlink/write.h"

struct bundle {
    struct link *link;
    uint64_t data_address;  /* = file offset */
    uint64_t data_file_end; /* = file offset of __LINKEDIT */
    uint64_t data_end;      /* zerofill included; = address of __LINKEDIT */
    size_t local_relocations, external_relocations;
    uint64_t locrel, symbols, extrel, strings, end; /* file offsets */
    uint64_t strings_size;
};

static void plan(struct bundle *bundle)
{
    struct link *link = bundle->link;
    size_t symbols = link->local_count + link->defined_count + link->import_count;

    bundle->data_file_end = align_up(link->file_backed_end, PAGE_SIZE_X86);
    bundle->data_end = align_up(link->end, PAGE_SIZE_X86);
    bundle->data_address = bundle->data_file_end;
    for (size_t i = link->section_count; i-- > 0;)
        if (strcmp(link->sections[i].segment, "__DATA") == 0)
            bundle->data_address = link->sections[i].address & ~(uint64_t)(PAGE_SIZE_X86 - 1);
    for (size_t i = 0; i < link->fixup_count; i++) {
        if (link->fixups[i].kind == FIXUP_LOCAL_POINTER)
            bundle->local_relocations++;
        else
            bundle->external_relocations++;
    }
    bundle->strings_size = string_table_size(link);
    bundle->locrel = bundle->data_file_end;
    bundle->symbols = bundle->locrel + 8 * bundle->local_relocations;
    bundle->extrel = bundle->symbols + sizeof(struct macho_nlist_64) * symbols;
    bundle->strings = bundle->extrel + 8 * bundle->external_relocations;
    bundle->end = bundle->strings + bundle->strings_size;
}

static uint8_t *put(uint8_t *out, const void *bytes, size_t size)
{
    memcpy(out, bytes, size);
    return out + size;
}

static uint8_t *put_segment(uint8_t *out, const struct link *link,
                            struct macho_segment_64 segment)
{
    uint8_t *command = out;

    segment.cmd = MACHO_LC_SEGMENT_64;
    segment.maxprot = 7;
    out += sizeof segment;
    for (size_t i = 0; i < link->section_count; i++) {
        const struct output_section *section = &link->sections[i];
        struct macho_section_64 header = {
            .addr = section->address, .size = section->size, .align = section->alignment,
            .offset = section->zerofill ? 0 : (uint32_t)section->address, .flags = section->flags,
        };

        if (strncmp(section->segment, segment.segname, 16) != 0)
            continue;
        write_name(header.sectname, section->name);
        write_name(header.segname, section->segment);
        out = put(out, &header, sizeof header);
        segment.nsects++;
    }
    segment.cmdsize = (uint32_t)(out - command);
    memcpy(command, &segment, sizeof segment);
    return out;
}

static uint8_t *put_segments(uint8_t *out, const struct bundle *b)
{
    out = put_segment(out, b->link, (struct macho_segment_64){
        .segname = "__TEXT", .vmsize = b->data_address, .filesize = b->data_address,
        .initprot = 5,
    });
    out = put_segment(out, b->link, (struct macho_segment_64){
        .segname = "__DATA", .vmaddr = b->data_address, .vmsize = b->data_end - b->data_address,
        .fileoff = b->data_address, .filesize = b->data_file_end - b->data_address, .initprot = 3,
    });
    return put_segment(out, b->link, (struct macho_segment_64){
        .segname = "__LINKEDIT", .vmaddr = b->data_end,
        .vmsize = align_up(b->end - b->data_file_end, PAGE_SIZE_X86),
        .fileoff = b->data_file_end, .filesize = b->end - b->data_file_end, .initprot = 1,
    });
}

/* Writes header and commands; returns where the UUID goes. */
static uint8_t *write_header(const struct bundle *bundle, uint8_t *file)
{
    const struct link *link = bundle->link;
    struct macho_header header = {
        .magic = MACHO_MAGIC_64, .cputype = MACHO_CPU_X86_64,
        .cpusubtype = MACHO_CPU_SUBTYPE_ALL, .filetype = MACHO_TYPE_KEXT_BUNDLE, .ncmds = 6,
        .sizeofcmds = (uint32_t)link->header_size - (uint32_t)sizeof header - 4,
        .flags = MACHO_FLAGS_KEXT_BUNDLE,
    };
    struct macho_symtab symtab = {
        MACHO_LC_SYMTAB, sizeof symtab, (uint32_t)bundle->symbols,
        (uint32_t)(link->local_count + link->defined_count + link->import_count),
        (uint32_t)bundle->strings, (uint32_t)bundle->strings_size,
    };
    struct macho_dysymtab dysymtab = {
        .cmd = MACHO_LC_DYSYMTAB, .cmdsize = sizeof dysymtab,
        .nlocalsym = (uint32_t)link->local_count,
        .iextdefsym = (uint32_t)link->local_count, .nextdefsym = (uint32_t)link->defined_count,
        .iundefsym = (uint32_t)(link->local_count + link->defined_count),
        .nundefsym = (uint32_t)link->import_count,
        .extreloff = bundle->external_relocations ? (uint32_t)bundle->extrel : 0,
        .nextrel = (uint32_t)bundle->external_relocations,
        .locreloff = bundle->local_relocations ? (uint32_t)bundle->locrel : 0,
        .nlocrel = (uint32_t)bundle->local_relocations,
    };
    struct macho_uuid uuid = {MACHO_LC_UUID, sizeof uuid, {0}};

    file = put(file, &header, sizeof header) + 4;
    file = put_segments(file, bundle);
    file = put(file, &symtab, sizeof symtab);
    file = put(file, &dysymtab, sizeof dysymtab);
    return put(file, &uuid, sizeof uuid) - sizeof uuid.uuid;
}

/* A version 5 UUID (RFC 9562) of the whole file with the UUID's own bytes zero. */
static void write_uuid(const struct link *link, uint8_t *uuid)
{
    uint8_t digest[20];

    sha1(link->output, link->output_size, digest);
    memcpy(uuid, digest, 16);
    uuid[6] = (uuid[6] & 0x0f) | 0x50;
    uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

void write_kext_bundle(struct link *link)
{
    struct bundle bundle = {.link = link};
    uint8_t *local, *external, *uuid;

    plan(&bundle);
    link->output_size = bundle.end;
    link->output = arena_allocate(&link->arena, link->output_size);
    memcpy(link->output, link->image, link->file_backed_end);
    uuid = write_header(&bundle, link->output);
    local = link->output + bundle.locrel;
    external = link->output + bundle.extrel;
    for (size_t i = 0; i < link->fixup_count; i++) {
        uint8_t **out = link->fixups[i].kind == FIXUP_LOCAL_POINTER ? &local : &external;

        write_relocation(link, &link->fixups[i], 0, *out);
        *out += sizeof(struct macho_relocation);
    }
    write_symbols(link, link->output + bundle.symbols, link->output + bundle.strings);
    write_uuid(link, uuid);
}
