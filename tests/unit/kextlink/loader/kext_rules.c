/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kext_rules.c: what loaders from 10.4 to kmutil and OpenCore's injector demand of a kext's layout.
 * Sources: XNU libkern/kxld/kxld_object.c, kxld_seg.c, kxld_sect.c, kxld_reloc.c;
 * libsa/kld_patch.c; OpenCorePkg OcAppleKernelLib and OcMachoLib; dyld kernel-collection-builder.
 */
#include "tests/unit/kextlink/loader/kext_rules.h"

#include <string.h>

static bool check_segments_64(struct kext_file *file)
{
    static const struct {
        const char *name;
        uint32_t protection;
    } expected[] = {{"__TEXT", 5}, {"__DATA", 3}, {"__LINKEDIT", 1}};
    uint64_t file_end = 0, memory_end = 0;

    if (file->file_type != 0xb || file->flags != 0x85)
        return kext_problem(file, "file type 0x%x flags 0x%x", file->file_type, file->flags);
    if (file->segment_count != 3)
        return kext_problem(file, "%zu segments", file->segment_count);
    for (int i = 0; i < 3; i++) {
        const struct kext_segment *segment = &file->segments[i];

        if (strcmp(segment->name, expected[i].name) != 0 ||
            segment->protection != expected[i].protection)
            return kext_problem(file, "segment %s protection %u", segment->name,
                                segment->protection);
        if (segment->address != memory_end || segment->file_offset != file_end ||
            segment->address % 4096 || segment->memory_size % 4096 ||
            segment->file_size > segment->memory_size)
            return kext_problem(file, "segment %s does not follow the one before on a page",
                                segment->name);
        if (i < 2 && (segment->address != segment->file_offset || segment->file_size % 4096))
            return kext_problem(file, "segment %s: file offset is not its address", segment->name);
        memory_end += segment->memory_size;
        file_end += segment->file_size;
    }
    return file_end == file->size || kext_problem(file, "bytes behind __LINKEDIT");
}

static bool check_segments_32(struct kext_file *file)
{
    const struct kext_segment *segment = &file->segments[0];

    if (file->file_type != 1 || file->flags != 0)
        return kext_problem(file, "file type 0x%x flags 0x%x", file->file_type, file->flags);
    if (file->segment_count != 1 || segment->name[0] || segment->address != 0 ||
        segment->protection != 7)
        return kext_problem(file, "not one unnamed rwx segment at address 0");
    if (file->section_count == 0 || strcmp(file->sections[0].name, "__text") != 0 ||
        file->sections[0].address != 0)
        return kext_problem(file, "__text is not first at address 0");
    for (int i = 0; i < 16; i++)
        if (file->image[i] != 0x90)
            return kext_problem(file, "a function could have address 0");
    for (size_t i = 0; i < file->section_count; i++)
        if ((file->sections[i].flags & 0xff) != 1 &&
            file->sections[i].offset != segment->file_offset + file->sections[i].address)
            return kext_problem(file, "section %s: content is not where its address says",
                                file->sections[i].name);
    return true;
}

static const struct kext_segment *segment_of(const struct kext_file *file,
                                             const struct kext_section *section)
{
    for (size_t i = 0; i < file->segment_count; i++)
        if (!file->is_64 || strcmp(file->segments[i].name, section->segment) == 0)
            return &file->segments[i];
    return NULL;
}

static bool check_sections(struct kext_file *file)
{
    bool zerofill_seen = false;
    uint64_t end = 0;

    for (size_t i = 0; i < file->section_count; i++) {
        const struct kext_section *section = &file->sections[i];
        const struct kext_segment *segment = segment_of(file, section);
        uint32_t type = section->flags & 0xff;

        if (!segment || section->address < segment->address ||
            section->address + section->size > segment->address + segment->memory_size)
            return kext_problem(file, "section %s outside of its segment", section->name);
        if (section->address < end || section->address % (1u << section->alignment))
            return kext_problem(file, "section %s overlaps or is not aligned", section->name);
        if (section->size == 0)
            return kext_problem(file, "section %s is empty", section->name);
        end = section->address + section->size;
        if (type == 1) {
            zerofill_seen = true;
            if (section->offset != 0 || section->relocation_count != 0)
                return kext_problem(file, "zerofill section %s has content", section->name);
        } else if (zerofill_seen) {
            return kext_problem(file, "section %s follows zerofill", section->name);
        } else if (type != 0 && type != 2 && type != 9 && type != 0xa) {
            return kext_problem(file, "section %s has type %u", section->name, type);
        } else if (file->is_64 && section->offset != section->address) {
            return kext_problem(file, "section %s: file offset is not its address", section->name);
        }
    }
    return true;
}

static bool check_symbol(struct kext_file *file, size_t index, unsigned int *phase)
{
    const struct kext_symbol *symbol = &file->symbols[index];
    bool undefined = (symbol->type & 0x0e) == 0, external = symbol->type & 1;
    unsigned int kind = undefined ? 2 : external ? 1 : 0;

    if (kind < *phase)
        return kext_problem(file, "symbol %s is out of order", symbol->name);
    if (kind > 0 && kind == *phase && strcmp(file->symbols[index - 1].name, symbol->name) >= 0)
        return kext_problem(file, "symbol %s is not sorted by name", symbol->name);
    if (kind == 2 && (symbol->type != 1 || symbol->section != 0 || symbol->value != 0))
        return kext_problem(file, "undefined symbol %s has odd fields", symbol->name);
    if (kind == 1 && strncmp(symbol->name, "__Z", 3) && strcmp(symbol->name, "_kmod_info"))
        return kext_problem(file, "%s is external: it may collide with a library's", symbol->name);
    if (symbol->description & 0x68)
        return kext_problem(file, "symbol %s: n_desc 0x%x", symbol->name, symbol->description);
    if (!symbol->name[0] || symbol->name[0] == 'L')
        return kext_problem(file, "temporary symbol \"%s\"", symbol->name);
    if (kind < 2) {
        const struct kext_section *section;

        if ((symbol->type & ~0x10) != (0x0e | external) || symbol->section == 0 ||
            symbol->section > file->section_count)
            return kext_problem(file, "symbol %s: type 0x%x section %u", symbol->name,
                                symbol->type, symbol->section);
        section = &file->sections[symbol->section - 1];
        if (symbol->value < section->address || symbol->value > section->address + section->size)
            return kext_problem(file, "symbol %s outside of its section", symbol->name);
    }
    *phase = kind;
    return true;
}

static bool check_symbols(struct kext_file *file)
{
    unsigned int phase = 0;
    size_t counts[3] = {0};

    for (size_t i = 0; i < file->symbol_count; i++) {
        if (!check_symbol(file, i, &phase))
            return false;
        counts[phase]++;
    }
    if (counts[0] == 0)
        return kext_problem(file, "no local symbol: kld_patch would lose an external one");
    if (file->is_64 && (counts[0] != file->local_count || counts[1] != file->defined_count ||
                        counts[2] != file->undefined_count))
        return kext_problem(file, "LC_DYSYMTAB counts differ from the symbol table");
    file->local_count = counts[0];
    file->defined_count = counts[1];
    file->undefined_count = counts[2];
    return true;
}

/* kxld finds a table's second relocation and walks backwards through the following ones. */
static bool check_descending(struct kext_file *file)
{
    size_t index = 0;

    for (size_t i = 0; i < file->section_count; i++) {
        for (uint32_t j = 0; j < file->sections[i].relocation_count; j++, index++)
            if (j > 0 && file->relocations[index].address >= file->relocations[index - 1].address)
                return kext_problem(file, "relocations of %s do not descend",
                                    file->sections[i].name);
    }
    return true;
}

bool kext_rules_check(struct kext_file *file)
{
    return (file->is_64 ? check_segments_64(file) : check_segments_32(file)) &&
           check_sections(file) && check_symbols(file) &&
           (file->is_64 || check_descending(file));
}

static const struct kext_section *section_at(const struct kext_file *file, uint64_t address)
{
    for (size_t i = 0; i < file->section_count; i++)
        if (address >= file->sections[i].address &&
            address < file->sections[i].address + file->sections[i].size)
            return &file->sections[i];
    return NULL;
}

static bool check_import(struct kext_file *file, const struct kext_relocation *relocation)
{
    if (relocation->symbol < file->local_count + file->defined_count ||
        relocation->symbol >= file->symbol_count)
        return kext_problem(file, "external relocation at 0x%llx against a symbol of the kext",
                            (unsigned long long)relocation->address);
    if (file->is_64 && relocation->pc_relative &&
        (relocation->type != 2 || relocation->length != 2))
        return kext_problem(file, "pc-relative relocation of type %u", relocation->type);
    if (file->is_64 && kext_file_word(file, relocation->address) != 0 && !relocation->pc_relative)
        return kext_problem(file, "addend on %s", file->symbols[relocation->symbol].name);
    return true;
}

/* A local pointer names the section it points into and must stay inside of it. */
static bool check_local(struct kext_file *file, const struct kext_section *place,
                        const struct kext_relocation *relocation)
{
    const struct kext_section *section;
    uint64_t target = kext_file_word(file, relocation->address);

    if (relocation->symbol == 0 || relocation->symbol > file->section_count)
        return kext_problem(file, "local relocation at 0x%llx names section %u: kernels skip it",
                            (unsigned long long)relocation->address, relocation->symbol);
    section = &file->sections[relocation->symbol - 1];
    /* i386 code adds an index to the word first. */
    if ((target < section->address || target > section->address + section->size) &&
        (file->is_64 || strcmp(place->name, "__text") != 0))
        return kext_problem(file, "pointer at 0x%llx to 0x%llx leaves section %s",
                            (unsigned long long)relocation->address, (unsigned long long)target,
                            section->name);
    return true;
}

bool kext_rules_check_relocations(struct kext_file *file)
{
    for (size_t i = 0; i < file->relocation_count; i++) {
        const struct kext_relocation *relocation = &file->relocations[i];
        const struct kext_section *place = section_at(file, relocation->address);
        bool branch = relocation->pc_relative;

        if (!place || (place->flags & 0xff) == 1)
            return kext_problem(file, "relocation at 0x%llx in no content",
                                (unsigned long long)relocation->address);
        if (branch && (strcmp(place->name, "__text") != 0 || !relocation->external))
            return kext_problem(file, "pc-relative relocation in %s", place->name);
        if (relocation->type != (file->is_64 && branch ? 2 : 0) ||
            relocation->length != (file->is_64 && !branch ? 3 : 2))
            return kext_problem(file, "relocation type %u length %u", relocation->type,
                                relocation->length);
        if (file->is_64 && !branch && strcmp(place->segment, "__TEXT") == 0)
            return kext_problem(file, "pointer in read-only %s", place->name);
        if (file->is_64 && !branch && relocation->address % 4096 > 4088)
            return kext_problem(file, "pointer at 0x%llx crosses a page",
                                (unsigned long long)relocation->address);
        if (!(relocation->external ? check_import(file, relocation)
                                   : check_local(file, place, relocation)))
            return false;
    }
    return true;
}
