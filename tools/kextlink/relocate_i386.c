/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * relocate_i386.c: applies the relocations of i386 objects. The output is again an object, whose
 * words hold addresses in it; the kernel adds its load address.
 *
 * Only the plain 32-bit form (GENERIC_RELOC_VANILLA) exists in code built with -mkernel, and only
 * that one is understood by all loaders. kld of 10.4/10.5 wants references to the kext's own
 * globals as section-relative entries, and external ones for imports alone.
 */
#include <string.h>

#include "tools/kextlink/link.h"

static bool has_expected_form(struct link *link, const struct input_section *section,
                              const struct relocation *relocation)
{
    if (relocation->type != GENERIC_VANILLA || relocation->length != 2) {
        relocation_error(link, section, relocation,
                         "position-independent code: build with -mkernel (static relocation "
                         "model)");
        return false;
    }
    if (relocation->pc_relative && !(section->output->flags & MACHO_S_ATTR_PURE_INSTRUCTIONS)) {
        relocation_error(link, section, relocation,
                         "pc-relative reference outside of __text: kernels before 10.7 compute it "
                         "wrongly");
        return false;
    }
    return true;
}

static void relocate_import(struct link *link, const struct input_section *section,
                            const struct relocation *relocation, struct symbol *symbol)
{
    uint64_t address = section->output_address + relocation->address;
    uint8_t *bytes = link->image + address;
    uint32_t next = (uint32_t)section->address + relocation->address + 4;

    if (!relocation->pc_relative) {
        /* The content is an addend, which all i386 loaders keep: super calls load a function from
         * the parent's table in this way. */
        fixup_import(link, section, address, FIXUP_IMPORT_POINTER, symbol);
        return;
    }
    /* The content is the addend minus the address of the next instruction. */
    if (load_u32(bytes) + next != 0)
        relocation_error(link, section, relocation,
                         arena_format(&link->arena, "branch to import %s plus 0x%x: calls go "
                                      "to the beginning of a function", symbol->name,
                                      load_u32(bytes) + next));
    store_u32(bytes, -(uint32_t)(address + 4));
    fixup_import(link, section, address, FIXUP_IMPORT_BRANCH, symbol);
}

/* References to something of this kext: `content` is S + C or an address in the object. */
static void relocate_own(struct link *link, const struct input_section *section,
                         const struct relocation *relocation, const struct target *target)
{
    uint64_t address = section->output_address + relocation->address;
    uint8_t *bytes = link->image + address;
    uint32_t value = load_u32(bytes);
    uint32_t place_moved = (uint32_t)(section->output_address - section->address);

    if (target->symbol)
        value += (uint32_t)symbol_address(target->symbol);
    else
        value += (uint32_t)(target->section->output_address - target->section->address);
    if (relocation->pc_relative)
        value -= place_moved;
    store_u32(bytes, value);
    if (!relocation->pc_relative)
        fixup_local(link, section, address, target->section);
}

void relocate_section_i386(struct link *link, const struct input_section *section)
{
    for (uint32_t i = 0; i < section->relocation_count; i++) {
        struct relocation relocation;
        struct target target;

        relocation_read(section, i, &relocation);
        if (!has_expected_form(link, section, &relocation) ||
            !relocation_target(link, section, &relocation, &target))
            continue;
        if (target.section)
            relocate_own(link, section, &relocation, &target);
        else
            relocate_import(link, section, &relocation, target.symbol);
    }
}
