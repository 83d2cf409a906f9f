/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * object.c: reads one Mach-O relocatable object (MH_OBJECT, i386 or x86_64) of clang or llc.
 *
 * The bytes are not trusted: every offset, count and name is checked against the file before use.
 * 32-bit structures are widened to their 64-bit forms first, so that one path handles both.
 */
#include <string.h>

#include "tools/kextlink/link.h"

struct reader {
    struct link *link;
    struct object *object;
    const uint8_t *bytes;
    size_t size;
    bool is_64;
    struct macho_header header;
    size_t header_size;
    bool has_segment;
    struct macho_symtab symtab; /* cmd is 0 until seen */
};

/* Reports why this file is no usable object; always false. */
#define REFUSE(reader, ...)                                                                        \
    (link_error((reader)->link, "%s: %s", (reader)->object->name,                                  \
                arena_format(&(reader)->link->arena, __VA_ARGS__)),                                \
     false)

static bool in_file(const struct reader *reader, uint64_t offset, uint64_t length)
{
    return offset <= reader->size && length <= reader->size - offset;
}

static bool read_header(struct reader *reader)
{
    struct macho_header *header = &reader->header;
    struct link *link = reader->link;
    enum architecture architecture;

    if (!in_file(reader, 0, sizeof *header))
        return REFUSE(reader, "not a Mach-O object: only %zu bytes long", reader->size);
    memcpy(header, reader->bytes, sizeof *header);
    if (header->magic != MACHO_MAGIC_32 && header->magic != MACHO_MAGIC_64)
        return REFUSE(reader, "not a Mach-O object (first word 0x%08x): compile with "
                              "-target <arch>-apple-macosx and without -flto", header->magic);
    reader->is_64 = header->magic == MACHO_MAGIC_64;
    reader->header_size = sizeof *header + (reader->is_64 ? 4 : 0);
    if (header->cputype != (reader->is_64 ? MACHO_CPU_X86_64 : MACHO_CPU_I386))
        return REFUSE(reader, "processor type 0x%x is neither i386 nor x86_64", header->cputype);
    if (header->filetype != MACHO_TYPE_OBJECT)
        return REFUSE(reader, "file type %u is not an object (1): give the output of clang -c",
                      header->filetype);
    if (!in_file(reader, reader->header_size, header->sizeofcmds))
        return REFUSE(reader, "truncated: load commands of %u bytes do not fit in the file",
                      header->sizeofcmds);
    architecture = reader->is_64 ? ARCHITECTURE_X86_64 : ARCHITECTURE_I386;
    if (link->architecture == ARCHITECTURE_ANY)
        link->architecture = architecture;
    if (link->architecture != architecture)
        return REFUSE(reader, "is for %s, but this link is for %s: link each architecture alone "
                              "and join the slices with kextpack fat",
                      architecture_name(architecture), architecture_name(link->architecture));
    reader->object->architecture = architecture;
    return true;
}

static struct macho_section_64 widen_section(const struct macho_section_32 *narrow)
{
    struct macho_section_64 wide = {
        .addr = narrow->addr, .size = narrow->size, .offset = narrow->offset,
        .align = narrow->align, .reloff = narrow->reloff, .nreloc = narrow->nreloc,
        .flags = narrow->flags, .reserved1 = narrow->reserved1, .reserved2 = narrow->reserved2,
    };

    memcpy(wide.sectname, narrow->sectname, sizeof wide.sectname);
    memcpy(wide.segname, narrow->segname, sizeof wide.segname);
    return wide;
}

static bool read_section(struct reader *reader, const struct macho_section_64 *header,
                         struct input_section *section)
{
    bool zerofill = (header->flags & MACHO_SECTION_TYPE_MASK) == MACHO_S_ZEROFILL;

    section->object = reader->object;
    memcpy(section->segment, header->segname, sizeof header->segname);
    memcpy(section->name, header->sectname, sizeof header->sectname);
    section->address = header->addr;
    section->size = header->size;
    section->flags = header->flags;
    section->alignment = header->align;
    section->relocation_count = header->nreloc;
    if (header->align > 12)
        return REFUSE(reader, "section %s,%s is aligned to 2^%u: a kext's load address is only a "
                              "multiple of 2^12", section->segment, section->name, header->align);
    if (header->size > UINT32_MAX || header->addr > UINT32_MAX)
        return REFUSE(reader, "section %s,%s lies beyond 4 GiB", section->segment, section->name);
    if (!zerofill && header->size > 0) {
        if (!in_file(reader, header->offset, header->size))
            return REFUSE(reader, "truncated: section %s,%s of 0x%llx bytes at file offset 0x%x",
                          section->segment, section->name, (unsigned long long)header->size,
                          header->offset);
        section->content = reader->bytes + header->offset;
    }
    if (header->nreloc) {
        uint64_t length = (uint64_t)header->nreloc * sizeof(struct macho_relocation);

        if (!in_file(reader, header->reloff, length))
            return REFUSE(reader, "truncated: %u relocations of section %s,%s at file offset 0x%x",
                          header->nreloc, section->segment, section->name, header->reloff);
        if (zerofill)
            return REFUSE(reader, "zerofill section %s,%s has relocations", section->segment,
                          section->name);
        section->relocations = reader->bytes + header->reloff;
    }
    return true;
}

static bool read_segment(struct reader *reader, size_t offset, uint32_t command_size)
{
    size_t head = reader->is_64 ? sizeof(struct macho_segment_64) : sizeof(struct macho_segment_32);
    size_t each = reader->is_64 ? sizeof(struct macho_section_64) : sizeof(struct macho_section_32);
    struct object *object = reader->object;
    uint32_t count;

    if (reader->has_segment)
        return REFUSE(reader, "has more than one segment: not a relocatable object of a compiler");
    reader->has_segment = true;
    if (command_size < head)
        return REFUSE(reader, "malformed: segment command of %u bytes", command_size);
    count = load_u32(reader->bytes + offset + head - 8);
    if (count > 255 || count > (command_size - head) / each)
        return REFUSE(reader, "malformed: %u sections in a segment command of %u bytes", count,
                      command_size);
    object->section_count = count;
    object->sections = arena_allocate(&reader->link->arena, count * sizeof *object->sections);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *from = reader->bytes + offset + head + i * each;
        struct macho_section_64 header;

        if (reader->is_64) {
            memcpy(&header, from, sizeof header);
        } else {
            struct macho_section_32 narrow;

            memcpy(&narrow, from, sizeof narrow);
            header = widen_section(&narrow);
        }
        if (!read_section(reader, &header, &object->sections[i]))
            return false;
    }
    return true;
}

static bool read_command(struct reader *reader, size_t offset,
                         const struct macho_load_command *command)
{
    switch (command->cmd) {
    case MACHO_LC_SEGMENT:
    case MACHO_LC_SEGMENT_64:
        if ((command->cmd == MACHO_LC_SEGMENT_64) != reader->is_64)
            return REFUSE(reader, "malformed: segment command of the other word size");
        return read_segment(reader, offset, command->cmdsize);
    case MACHO_LC_SYMTAB:
        if (reader->symtab.cmd)
            return REFUSE(reader, "malformed: two symbol tables");
        if (command->cmdsize != sizeof reader->symtab)
            return REFUSE(reader, "malformed: symbol table command of %u bytes", command->cmdsize);
        memcpy(&reader->symtab, reader->bytes + offset, sizeof reader->symtab);
        return true;
    case MACHO_LC_DYSYMTAB: /* ranges of the symbol table, which the symbols themselves tell */
    case MACHO_LC_VERSION_MIN_MACOSX:
    case MACHO_LC_BUILD_VERSION:
    case MACHO_LC_DATA_IN_CODE:
    case MACHO_LC_LINKER_OPTIMIZATION_HINT:
        return true;
    case MACHO_LC_LINKER_OPTION:
        return REFUSE(reader, "asks for libraries (LC_LINKER_OPTION): a kext has none, compile "
                              "without modules and autolinking");
    default:
        return REFUSE(reader, "load command 0x%x is not expected in an object", command->cmd);
    }
}

static bool read_commands(struct reader *reader)
{
    size_t offset = reader->header_size;
    size_t end = offset + reader->header.sizeofcmds;

    for (uint32_t i = 0; i < reader->header.ncmds; i++) {
        struct macho_load_command command;

        if (end - offset < sizeof command)
            return REFUSE(reader, "truncated: load command %u of %u", i, reader->header.ncmds);
        memcpy(&command, reader->bytes + offset, sizeof command);
        if (command.cmdsize < sizeof command || command.cmdsize > end - offset)
            return REFUSE(reader, "malformed: load command %u has size %u", i, command.cmdsize);
        if (!read_command(reader, offset, &command))
            return false;
        offset += command.cmdsize;
    }
    if (!reader->has_segment)
        return REFUSE(reader, "malformed: no segment");
    return true;
}

/* The symbol an external entry stands for: the one of that name in the whole link. */
static struct symbol *enter_external(struct reader *reader, const char *name)
{
    struct symbol *symbol = symbol_enter(reader->link, name);

    if (!symbol->object)
        symbol->object = reader->object;
    return symbol;
}

static bool read_undefined(struct reader *reader, const char *name,
                           const struct macho_nlist_64 *entry, struct symbol **out)
{
    if (entry->n_value != 0)
        return REFUSE(reader, "%s is a common symbol: compile with -fno-common", name);
    if (!(entry->n_type & MACHO_N_EXT))
        return REFUSE(reader, "malformed: undefined symbol %s is not external", name);
    if (entry->n_desc & (MACHO_N_WEAK_REF | MACHO_N_WEAK_DEF))
        return REFUSE(reader, "%s is a weak reference: kernels refuse it, remove the weak "
                              "attribute", name);
    *out = enter_external(reader, name);
    return true;
}

static bool read_defined(struct reader *reader, const char *name,
                         const struct macho_nlist_64 *entry, struct symbol **out)
{
    struct object *object = reader->object;
    struct input_section *section = NULL;
    struct symbol *symbol;

    if (entry->n_desc & (MACHO_N_WEAK_DEF | MACHO_N_WEAK_REF))
        return REFUSE(reader, "%s is a weak definition: a kext cannot have one, remove the weak "
                              "attribute", name);
    if ((entry->n_type & MACHO_N_TYPE) == MACHO_N_SECT) {
        if (entry->n_sect == 0 || entry->n_sect > object->section_count)
            return REFUSE(reader, "malformed: symbol %s is in section %u of %u", name,
                          entry->n_sect, object->section_count);
        section = &object->sections[entry->n_sect - 1];
        if (entry->n_value < section->address ||
            entry->n_value - section->address > section->size)
            return REFUSE(reader, "malformed: symbol %s lies outside of its section %s,%s", name,
                          section->segment, section->name);
    }
    if (entry->n_type & MACHO_N_EXT) {
        symbol = enter_external(reader, name);
        if (symbol->section || symbol->absolute)
            return REFUSE(reader, "%s is defined here and in %s: make one of them static or give "
                                  "it another name", name, symbol->object->name);
        symbol->private_external = (entry->n_type & MACHO_N_PEXT) != 0;
    } else {
        symbol = arena_allocate(&reader->link->arena, sizeof *symbol);
        symbol->name = name;
    }
    symbol->object = object;
    symbol->section = section;
    symbol->offset = section ? entry->n_value - section->address : entry->n_value;
    symbol->absolute = section == NULL;
    *out = symbol;
    return true;
}

static bool read_symbol(struct reader *reader, uint32_t index, const struct macho_nlist_64 *entry)
{
    const char *strings = (const char *)reader->bytes + reader->symtab.stroff;
    struct symbol **out = &reader->object->symbols[index];
    const char *name;

    if (entry->n_type & MACHO_N_STAB)
        return true;
    if (entry->n_strx >= reader->symtab.strsize ||
        !memchr(strings + entry->n_strx, 0, reader->symtab.strsize - entry->n_strx))
        return REFUSE(reader, "malformed: the name of symbol %u is outside of the string table",
                      index);
    name = strings + entry->n_strx;
    if (!*name && (entry->n_type & MACHO_N_EXT))
        return REFUSE(reader, "malformed: external symbol %u has no name", index);
    switch (entry->n_type & MACHO_N_TYPE) {
    case MACHO_N_UNDF:
        return read_undefined(reader, name, entry, out);
    case MACHO_N_SECT:
    case MACHO_N_ABS:
        return read_defined(reader, name, entry, out);
    case MACHO_N_INDR:
        return REFUSE(reader, "%s is an indirect symbol: a kext cannot have aliases of imports",
                      name);
    default:
        return REFUSE(reader, "malformed: symbol %s has type 0x%02x", name, entry->n_type);
    }
}

static bool read_symbols(struct reader *reader)
{
    size_t each = reader->is_64 ? sizeof(struct macho_nlist_64) : sizeof(struct macho_nlist_32);
    const struct macho_symtab *symtab = &reader->symtab;
    struct object *object = reader->object;

    if (!symtab->cmd)
        return true;
    if (!in_file(reader, symtab->symoff, (uint64_t)symtab->nsyms * each))
        return REFUSE(reader, "truncated: %u symbols at file offset 0x%x", symtab->nsyms,
                      symtab->symoff);
    if (!in_file(reader, symtab->stroff, symtab->strsize))
        return REFUSE(reader, "truncated: string table of %u bytes at file offset 0x%x",
                      symtab->strsize, symtab->stroff);
    object->symbol_count = symtab->nsyms;
    object->symbols =
        arena_allocate(&reader->link->arena, symtab->nsyms * sizeof *object->symbols);
    for (uint32_t i = 0; i < symtab->nsyms; i++) {
        const uint8_t *from = reader->bytes + symtab->symoff + i * each;
        struct macho_nlist_64 entry;

        /* The two forms differ in the width of the last field only. */
        memcpy(&entry, from, sizeof(struct macho_nlist_32));
        entry.n_value = reader->is_64 ? load_u64(from + 8) : load_u32(from + 8);
        if (!read_symbol(reader, i, &entry))
            return false;
    }
    return true;
}

bool object_read(struct link *link, const struct link_input *input)
{
    struct object *object = arena_allocate(&link->arena, sizeof *object);
    struct reader reader = {
        .link = link, .object = object, .bytes = input->bytes, .size = input->size,
    };

    object->name = arena_copy_string(&link->arena, input->name, strlen(input->name));
    if (!read_header(&reader) || !read_commands(&reader) || !read_symbols(&reader))
        return false;
    ARENA_APPEND(&link->arena, link->objects, link->object_count, object);
    return true;
}

void relocation_read(const struct input_section *section, uint32_t index, struct relocation *out)
{
    const uint8_t *bytes = section->relocations + index * sizeof(struct macho_relocation);
    uint32_t word0 = load_u32(bytes), word1 = load_u32(bytes + 4);

    *out = (struct relocation){.address = word0};
    /* Only i386 has the scattered form; the top bit of an x86_64 address is part of the address
     * and then lies outside of any section. */
    if ((word0 & MACHO_RELOC_SCATTERED) && section->object->architecture == ARCHITECTURE_I386) {
        out->scattered = true;
        out->address = word0 & 0xffffff;
        out->type = word0 >> 24 & 0xf;
        out->length = word0 >> 28 & 3;
        out->pc_relative = word0 >> 30 & 1;
        out->value = word1;
        return;
    }
    out->symbol = word1 & 0xffffff;
    out->pc_relative = word1 >> 24 & 1;
    out->length = word1 >> 25 & 3;
    out->external = word1 >> 27 & 1;
    out->type = word1 >> 28;
}
