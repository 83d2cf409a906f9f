/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * write_object.c: the i386 output, MH_OBJECT with one unnamed segment and a symbol table.
 *
 * LC_DYSYMTAB is left out because kxld of 10.6 refuses it in an object. The relocations of each
 * section are in descending order: kxld finds the second entry of a table and counts backwards.
 */
#include <string.h>

#include "tools/kextlink/write.h"

struct object_plan {
    uint64_t content, relocations, symbols, strings, end; /* file offsets */
    size_t strings_size;
};

static struct object_plan plan(const struct link *link)
{
    size_t symbols = link->local_count + link->defined_count + link->import_count;
    size_t header = sizeof(struct macho_header) + sizeof(struct macho_segment_32) +
                    link->section_count * sizeof(struct macho_section_32) +
                    sizeof(struct macho_symtab);
    struct object_plan plan = {.strings_size = string_table_size(link)};

    plan.content = align_up(header, 16);
    plan.relocations = align_up(plan.content + link->file_backed_end, 8);
    plan.symbols = plan.relocations + sizeof(struct macho_relocation) * link->fixup_count;
    plan.strings = align_up(plan.symbols + symbols * sizeof(struct macho_nlist_32), 8);
    plan.end = plan.strings + plan.strings_size;
    return plan;
}

/* Writes the section's relocations at *offset, advances it, and returns their number. */
static uint32_t write_section_relocations(const struct link *link,
                                          const struct output_section *section, uint64_t *offset)
{
    uint32_t count = 0;

    for (size_t i = link->fixup_count; i-- > 0;) {
        const struct fixup *fixup = &link->fixups[i];

        if (fixup->place != section)
            continue;
        write_relocation(link, fixup, section->address, link->output + *offset);
        *offset += sizeof(struct macho_relocation);
        count++;
    }
    return count;
}

static uint8_t *write_sections(const struct link *link, const struct object_plan *plan,
                               uint8_t *out)
{
    uint64_t relocations = plan->relocations;

    for (size_t i = 0; i < link->section_count; i++) {
        const struct output_section *section = &link->sections[i];
        struct macho_section_32 header = {
            .addr = (uint32_t)section->address, .size = (uint32_t)section->size,
            .align = section->alignment, .flags = section->flags,
            .offset = section->zerofill ? 0 : (uint32_t)(plan->content + section->address),
            .reloff = (uint32_t)relocations,
        };

        write_name(header.sectname, section->name);
        write_name(header.segname, section->segment);
        header.nreloc = write_section_relocations(link, section, &relocations);
        if (header.nreloc == 0)
            header.reloff = 0;
        memcpy(out, &header, sizeof header);
        out += sizeof header;
    }
    return out;
}

void write_object(struct link *link)
{
    struct object_plan file = plan(link);
    struct macho_segment_32 segment = {
        .cmd = MACHO_LC_SEGMENT, .nsects = (uint32_t)link->section_count,
        .cmdsize = (uint32_t)(sizeof segment +
                              link->section_count * sizeof(struct macho_section_32)),
        .vmsize = (uint32_t)link->end, .fileoff = (uint32_t)file.content,
        .filesize = (uint32_t)link->file_backed_end, .maxprot = 7, .initprot = 7,
    };
    struct macho_symtab symtab = {
        MACHO_LC_SYMTAB, sizeof symtab, (uint32_t)file.symbols,
        (uint32_t)(link->local_count + link->defined_count + link->import_count),
        (uint32_t)file.strings, (uint32_t)file.strings_size,
    };
    struct macho_header header = {
        .magic = MACHO_MAGIC_32, .cputype = MACHO_CPU_I386, .cpusubtype = MACHO_CPU_SUBTYPE_ALL,
        .filetype = MACHO_TYPE_OBJECT, .ncmds = 2,
        .sizeofcmds = segment.cmdsize + (uint32_t)sizeof symtab,
    };
    uint8_t *out;

    link->output_size = file.end;
    link->output = arena_allocate(&link->arena, link->output_size);
    memcpy(link->output, &header, sizeof header);
    memcpy(link->output + sizeof header, &segment, sizeof segment);
    out = write_sections(link, &file, link->output + sizeof header + sizeof segment);
    memcpy(out, &symtab, sizeof symtab);
    memcpy(link->output + file.content, link->image, link->file_backed_end);
    write_symbols(link, link->output + file.symbols, link->output + file.strings);
}
