/* SPDX-License-Identifier: BSD-3-Clause */
/* relocate.c: what relocating has in common on both architectures: targets and the fixup list. */
#include <stdlib.h>
#include <string.h>

#include "tools/kextlink/link.h"

void relocation_error(struct link *link, const struct input_section *section,
                      const struct relocation *relocation, const char *text)
{
    link_error(link, "%s: %s,%s+0x%x: %s", section->object->name, section->segment, section->name,
               relocation->address, text);
}

static bool external_target(struct link *link, const struct input_section *section,
                            const struct relocation *relocation, struct target *out)
{
    const struct object *object = section->object;
    struct symbol *symbol;

    symbol = relocation->symbol < object->symbol_count ? object->symbols[relocation->symbol] : NULL;
    if (!symbol) {
        relocation_error(link, section, relocation, "malformed: relocation against no symbol");
        return false;
    }
    if (symbol->absolute) {
        relocation_error(link, section, relocation,
                         arena_format(&link->arena, "refers to absolute symbol %s: a kext has none",
                                      symbol->name));
        return false;
    }
    if (symbol->section && !symbol->section->output) {
        relocation_error(link, section, relocation,
                         arena_format(&link->arena, "refers to %s in section %s,%s, which is not "
                                      "part of a kext", symbol->name, symbol->section->segment,
                                      symbol->section->name));
        return false;
    }
    *out = (struct target){symbol, symbol->section};
    return true;
}

static struct input_section *section_of_address(const struct object *object, uint32_t address)
{
    for (uint32_t i = 0; i < object->section_count; i++)
        if (address >= object->sections[i].address &&
            address - object->sections[i].address < object->sections[i].size)
            return &object->sections[i];
    return NULL;
}

bool relocation_target(struct link *link, const struct input_section *section,
                       const struct relocation *relocation, struct target *out)
{
    const struct object *object = section->object;
    struct input_section *target = NULL;

    if (relocation->address > section->size ||
        section->size - relocation->address < UINT64_C(1) << relocation->length) {
        relocation_error(link, section, relocation, "malformed: outside of its section");
        return false;
    }
    if (relocation->external)
        return external_target(link, section, relocation, out);
    if (relocation->scattered)
        target = section_of_address(object, relocation->value);
    else if (relocation->symbol > 0 && relocation->symbol <= object->section_count)
        target = &object->sections[relocation->symbol - 1];
    if (!target)
        relocation_error(link, section, relocation, "malformed: refers to no section");
    else if (!target->output)
        relocation_error(link, section, relocation,
                         arena_format(&link->arena, "refers to section %s,%s, which is not part of "
                                      "a kext", target->segment, target->name));
    *out = (struct target){NULL, target};
    return target && target->output;
}

static void add(struct link *link, const struct input_section *section, struct fixup fixup)
{
    fixup.object = section ? section->object : fixup.symbol ? fixup.symbol->object : NULL;
    fixup.place = section ? section->output : link->got_section;
    ARENA_APPEND(&link->arena, link->fixups, link->fixup_count, fixup);
}

/* i386 code adds an index to such a word, as in array[i - 1]; pointers in data are used as is. */
static bool may_leave_its_section(const struct input_section *section)
{
    return section && section->object->architecture == ARCHITECTURE_I386 &&
           (section->output->flags & MACHO_S_ATTR_PURE_INSTRUCTIONS);
}

void fixup_local(struct link *link, const struct input_section *section, uint64_t address,
                 const struct input_section *target)
{
    const struct output_section *output = target->output;
    uint64_t value = load_word(link, address);

    if ((value < output->address || value > output->address + output->size) &&
        !may_leave_its_section(section))
        link_error(link, "%s: %s,%s+0x%llx: pointer to 0x%llx lies outside of the section %s,%s it "
                         "is relative to", target->object->name, section->segment, section->name,
                   (unsigned long long)(address - section->output_address),
                   (unsigned long long)value, output->segment, output->name);
    add(link, section, (struct fixup){.address = address, .kind = FIXUP_LOCAL_POINTER,
                                      .target = target->output});
}

void fixup_import(struct link *link, const struct input_section *section, uint64_t address,
                  enum fixup_kind kind, struct symbol *symbol)
{
    symbol->used = true;
    add(link, section, (struct fixup){.address = address, .kind = kind, .symbol = symbol});
}

static int compare_fixups(const void *left, const void *right)
{
    const struct fixup *a = left, *b = right;

    return a->address < b->address ? -1 : a->address > b->address;
}

/* Two relocations of one word would make the result depend on the loader's order. */
static void check_overlap(struct link *link)
{
    for (size_t i = 1; i < link->fixup_count; i++) {
        const struct fixup *previous = &link->fixups[i - 1], *fixup = &link->fixups[i];
        size_t size = previous->kind == FIXUP_IMPORT_BRANCH ? 4 : word_size(link);

        if (fixup->address - previous->address < size)
            link_error(link, "%s: malformed: two relocations overlap at address 0x%llx (%s,%s)",
                       fixup->object->name, (unsigned long long)fixup->address,
                       fixup->place->segment, fixup->place->name);
    }
}

void relocate(struct link *link)
{
    for (size_t i = 0; i < link->section_count; i++) {
        const struct output_section *output = &link->sections[i];

        for (size_t j = 0; j < output->piece_count; j++) {
            if (link->architecture == ARCHITECTURE_X86_64)
                relocate_section_x86_64(link, output->pieces[j]);
            else
                relocate_section_i386(link, output->pieces[j]);
        }
    }
    if (link->got_section)
        fill_got_x86_64(link);
    if (link->fixup_count)
        qsort(link->fixups, link->fixup_count, sizeof *link->fixups, compare_fixups);
    check_overlap(link);
}

const struct fixup *fixup_at(const struct link *link, uint64_t address)
{
    size_t low = 0, high = link->fixup_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (link->fixups[middle].address < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < link->fixup_count && link->fixups[low].address == address ? &link->fixups[low]
                                                                           : NULL;
}
