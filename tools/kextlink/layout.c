/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * layout.c: which output section each input section goes to, and all addresses.
 *
 * x86_64: __TEXT begins with the header and load commands at address 0; __DATA begins on the next
 * page; file offset equals address in both, because kxld reads superclass pointers of local classes
 * at "file offset = relocation address". i386: one segment, __text first at address 0, because
 * kxld computes branches relative to the section and is right only there.
 */
#include <string.h>

#include "tools/kextlink/link.h"

enum { MAXIMUM_KEXT_SIZE = 64 << 20, LEADING_PAD_I386 = 16 };

/* The output sections in their order. */
enum output_kind {
    TEXT_TEXT,
    TEXT_CONST,
    TEXT_CSTRING,
    TEXT_CONSTRUCTOR,
    TEXT_DESTRUCTOR,
    DATA_GOT,
    DATA_MOD_INIT,
    DATA_MOD_TERM,
    DATA_CONST,
    DATA_DATA,
    DATA_COMMON,
    DATA_BSS,
    OUTPUT_KIND_COUNT,
    DROPPED,
    WRONG_ARCHITECTURE,
    NOT_ALLOWED,
};

static const struct output_section output_kinds[OUTPUT_KIND_COUNT] = {
    [TEXT_TEXT] = {"__TEXT", "__text",
                   .flags = MACHO_S_ATTR_PURE_INSTRUCTIONS | MACHO_S_ATTR_SOME_INSTRUCTIONS},
    [TEXT_CONST] = {"__TEXT", "__const"},
    [TEXT_CSTRING] = {"__TEXT", "__cstring", .flags = MACHO_S_CSTRING_LITERALS},
    [TEXT_CONSTRUCTOR] = {"__TEXT", "__constructor"},
    [TEXT_DESTRUCTOR] = {"__TEXT", "__destructor"},
    [DATA_GOT] = {"__DATA", "__got", .alignment = 3},
    [DATA_MOD_INIT] = {"__DATA", "__mod_init_func", .flags = MACHO_S_MOD_INIT_FUNC_POINTERS},
    [DATA_MOD_TERM] = {"__DATA", "__mod_term_func", .flags = MACHO_S_MOD_TERM_FUNC_POINTERS},
    [DATA_CONST] = {"__DATA", "__const"},
    [DATA_DATA] = {"__DATA", "__data"},
    [DATA_COMMON] = {"__DATA", "__common", .flags = MACHO_S_ZEROFILL, .zerofill = true},
    [DATA_BSS] = {"__DATA", "__bss", .flags = MACHO_S_ZEROFILL, .zerofill = true},
};

static const struct {
    const char *segment, *name;
    enum output_kind kind;
} rules[] = {
    {"__TEXT", "__text", TEXT_TEXT},
    {"__TEXT", "__StaticInit", TEXT_TEXT},
    {"__TEXT", "__const", TEXT_CONST},
    {"__TEXT", "__literal4", TEXT_CONST},
    {"__TEXT", "__literal8", TEXT_CONST},
    {"__TEXT", "__literal16", TEXT_CONST},
    {"__TEXT", "__cstring", TEXT_CSTRING},
    {"__TEXT", "__constructor", TEXT_CONSTRUCTOR},
    {"__TEXT", "__destructor", TEXT_DESTRUCTOR},
    {"__DATA", "__mod_init_func", DATA_MOD_INIT},
    {"__DATA", "__mod_term_func", DATA_MOD_TERM},
    {"__DATA", "__const", DATA_CONST},
    {"__DATA", "__data", DATA_DATA},
    {"__DATA", "__common", DATA_COMMON},
    {"__DATA", "__bss", DATA_BSS},
    {"__TEXT", "__eh_frame", DROPPED},
    {"__TEXT", "__unwind_info", DROPPED},
    {"__LD", NULL, DROPPED},
    {"__DWARF", NULL, DROPPED},
};

/* On x86_64 __TEXT is read-only after linking, so constants with pointers go to __DATA. */
static bool has_pointers(const struct input_section *section)
{
    bool paired = false;

    for (uint32_t i = 0; i < section->relocation_count; i++) {
        struct relocation relocation;

        relocation_read(section, i, &relocation);
        if (relocation.type == X86_64_UNSIGNED && !paired)
            return true;
        paired = relocation.type == X86_64_SUBTRACTOR;
    }
    return false;
}

static enum output_kind kind_of(const struct link *link, const struct input_section *section)
{
    bool is_64 = link->architecture == ARCHITECTURE_X86_64;
    enum output_kind kind = NOT_ALLOWED;

    for (size_t i = 0; i < sizeof rules / sizeof *rules && kind == NOT_ALLOWED; i++)
        if (strcmp(section->segment, rules[i].segment) == 0 &&
            (!rules[i].name || strcmp(section->name, rules[i].name) == 0))
            kind = rules[i].kind;
    if (kind == NOT_ALLOWED && strcmp(section->segment, "__TEXT") == 0 &&
        (section->flags & MACHO_S_ATTR_PURE_INSTRUCTIONS))
        return TEXT_TEXT;
    if (kind == TEXT_CONST && is_64 && has_pointers(section))
        return DATA_CONST;
    if ((is_64 && (kind == TEXT_CONSTRUCTOR || kind == TEXT_DESTRUCTOR)) ||
        (!is_64 && (kind == DATA_MOD_INIT || kind == DATA_MOD_TERM)))
        return WRONG_ARCHITECTURE;
    if (kind < OUTPUT_KIND_COUNT && output_kinds[kind].zerofill != (section->content == NULL) &&
        section->size > 0)
        return NOT_ALLOWED;
    return kind;
}

static void report_refused(struct link *link, const struct input_section *section,
                           enum output_kind kind)
{
    const char *file = section->object->name;

    if (kind == WRONG_ARCHITECTURE)
        link_error(link, "%s: section %s,%s: constructors and destructors of an %s kext belong in "
                         "%s (nothing runs them elsewhere)", file, section->segment, section->name,
                   architecture_name(link->architecture),
                   link->architecture == ARCHITECTURE_X86_64
                       ? "__DATA,__mod_init_func and __DATA,__mod_term_func"
                       : "__TEXT,__constructor and __TEXT,__destructor");
    else
        link_error(link, "%s: section %s,%s is not allowed in a kext: compile with -mkernel and "
                         "without thread-local, Objective-C or section attributes", file,
                   section->segment, section->name);
}

static void append_piece(struct link *link, struct output_section *output,
                         struct input_section *section)
{
    uint64_t offset = align_up(output->size, UINT64_C(1) << section->alignment);

    section->output = output;
    section->output_address = offset; /* the section's own address is added once it is known */
    output->size = offset + section->size;
    if (output->alignment < section->alignment)
        output->alignment = section->alignment;
    ARENA_APPEND(&link->arena, output->pieces, output->piece_count, section);
}

/* One slot for each symbol that code reaches through the global offset table. */
static void count_got_slots(struct link *link, const struct input_section *section)
{
    for (uint32_t i = 0; i < section->relocation_count; i++) {
        struct relocation relocation;
        struct symbol *symbol;
        bool load_of_own;

        relocation_read(section, i, &relocation);
        if ((relocation.type != X86_64_GOT && relocation.type != X86_64_GOT_LOAD) ||
            !relocation.external || relocation.symbol >= section->object->symbol_count)
            continue;
        symbol = section->object->symbols[relocation.symbol];
        /* A load of one of our own addresses becomes a lea (relocate_x86_64.c). */
        load_of_own = symbol && symbol->section && relocation.type == X86_64_GOT_LOAD &&
                      relocation.address >= 2 && relocation.address <= section->size &&
                      section->content[relocation.address - 2] == 0x8b;
        if (!symbol || symbol->has_got_slot || load_of_own)
            continue;
        symbol->has_got_slot = true;
        symbol->got_index = (uint32_t)link->got_count;
        ARENA_APPEND(&link->arena, link->got, link->got_count, symbol);
    }
}

static void gather(struct link *link, struct output_section *outputs)
{
    for (size_t i = 0; i < link->object_count; i++) {
        struct object *object = link->objects[i];

        for (uint32_t j = 0; j < object->section_count; j++) {
            struct input_section *section = &object->sections[j];
            enum output_kind kind = kind_of(link, section);

            if (section->flags & MACHO_S_ATTR_DEBUG)
                kind = DROPPED;
            if (kind < OUTPUT_KIND_COUNT)
                append_piece(link, &outputs[kind], section);
            else if (kind != DROPPED && section->size > 0)
                report_refused(link, section, kind);
            if (section->output && link->architecture == ARCHITECTURE_X86_64)
                count_got_slots(link, section);
        }
    }
    outputs[DATA_GOT].size = 8 * link->got_count;
}

/* Leaves only the sections that have content. */
static void keep_filled(struct link *link, struct output_section *outputs)
{
    link->sections = outputs;
    for (size_t kind = 0; kind < OUTPUT_KIND_COUNT; kind++) {
        struct output_section *output = &outputs[link->section_count];

        if (outputs[kind].size > 0) {
            *output = outputs[kind];
            output->ordinal = (uint32_t)++link->section_count;
        } else {
            output = NULL;
        }
        for (size_t i = 0; i < outputs[kind].piece_count; i++)
            outputs[kind].pieces[i]->output = output;
        if (kind == DATA_GOT)
            link->got_section = output;
    }
}

static void assign_addresses(struct link *link)
{
    const char *segment = link->section_count ? link->sections[0].segment : "";
    uint64_t address = link->header_size;

    for (size_t i = 0; i < link->section_count; i++) {
        struct output_section *output = &link->sections[i];

        if (link->architecture == ARCHITECTURE_X86_64 && strcmp(segment, output->segment) != 0)
            address = align_up(address, PAGE_SIZE_X86);
        segment = output->segment;
        output->address = align_up(address, UINT64_C(1) << output->alignment);
        address = output->address + output->size;
        if (!output->zerofill)
            link->file_backed_end = address;
        for (size_t j = 0; j < output->piece_count; j++)
            output->pieces[j]->output_address += output->address;
    }
    link->end = address;
}

static void copy_content(struct link *link)
{
    link->image = arena_allocate(&link->arena, link->file_backed_end);
    for (size_t i = 0; i < link->section_count; i++) {
        const struct output_section *output = &link->sections[i];

        if (output->flags & MACHO_S_ATTR_PURE_INSTRUCTIONS)
            memset(link->image + output->address, 0x90, output->size);
        for (size_t j = 0; j < output->piece_count; j++) {
            const struct input_section *piece = output->pieces[j];

            if (piece->content)
                memcpy(link->image + piece->output_address, piece->content, piece->size);
        }
    }
}

bool layout_sections(struct link *link)
{
    bool is_64 = link->architecture == ARCHITECTURE_X86_64;
    struct output_section *outputs = arena_allocate(&link->arena, sizeof output_kinds);

    memcpy(outputs, output_kinds, sizeof output_kinds);
    /* No function may have address 0 on i386: kext injectors take a table slot that holds 0 for
     * the end of the table. */
    if (!is_64)
        outputs[TEXT_TEXT].size = LEADING_PAD_I386;
    gather(link, outputs);
    if (outputs[TEXT_TEXT].piece_count == 0)
        link_error(link, "no code: none of the objects has a __TEXT,__text section");
    keep_filled(link, outputs);
    if (is_64)
        link->header_size = sizeof(struct macho_header) + 4 + 3 * sizeof(struct macho_segment_64) +
                            link->section_count * sizeof(struct macho_section_64) +
                            sizeof(struct macho_symtab) + sizeof(struct macho_dysymtab) +
                            sizeof(struct macho_uuid);
    assign_addresses(link);
    if (link->end > MAXIMUM_KEXT_SIZE)
        link_error(link, "the kext would be 0x%llx bytes large; the limit is 0x%x",
                   (unsigned long long)link->end, MAXIMUM_KEXT_SIZE);
    if (link->error_count)
        return false;
    copy_content(link);
    return true;
}
