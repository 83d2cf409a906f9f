/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * relocate_x86_64.c: applies the relocations of x86_64 objects.
 *
 * What may be left for the kernel are 64-bit pointers and call displacements only: all loaders from
 * 10.6 on understand those two, and kmutil understands nothing else. Everything else is resolved
 * here or refused. P = place, S = symbol's address, C = content of the place.
 */
#include <string.h>

#include "tools/kextlink/link.h"

struct place {
    struct link *link;
    const struct input_section *section;
    struct relocation relocation;
    struct target target;
    uint8_t *bytes;
    uint64_t address; /* in the output */
};

#define REFUSE(place, ...)                                                                         \
    relocation_error((place)->link, (place)->section, &(place)->relocation,                        \
                     arena_format(&(place)->link->arena, __VA_ARGS__))

/* The address in the output of an address in the object that lies in (or at the end of) section. */
static uint64_t moved(const struct input_section *section, uint64_t object_address)
{
    return object_address - section->address + section->output_address;
}

static void put_displacement(const struct place *place, uint64_t target, uint64_t base)
{
    int64_t displacement = (int64_t)(target - base);

    if (displacement != (int32_t)displacement)
        REFUSE(place, "displacement 0x%llx does not fit in 32 bits",
               (unsigned long long)displacement);
    else
        store_u32(place->bytes, (uint32_t)displacement);
}

static int64_t displacement_of(const struct place *place)
{
    return (int32_t)load_u32(place->bytes);
}

static void relocate_pointer(const struct place *place)
{
    const struct target *target = &place->target;
    uint64_t content = load_u64(place->bytes);

    if (strcmp(place->section->output->segment, "__TEXT") == 0) {
        REFUSE(place, "64-bit address in __TEXT, which is read-only in a kernel: take the address "
                      "in C, or put the constant in __DATA,__const");
    } else if (!target->section) {
        if (content != 0)
            REFUSE(place, "address of import %s plus 0x%llx: kernels overwrite the addend, compute "
                          "it at run time", target->symbol->name, (unsigned long long)content);
        fixup_import(place->link, place->section, place->address, FIXUP_IMPORT_POINTER,
                     target->symbol);
    } else {
        if (target->symbol)
            content += symbol_address(target->symbol);
        else
            content = moved(target->section, content);
        store_u64(place->bytes, content);
        fixup_local(place->link, place->section, place->address, target->section);
    }
}

/* SIGNED_N: N more bytes of the instruction follow the displacement. */
static void relocate_signed(const struct place *place, unsigned int following)
{
    const struct target *target = &place->target;
    int64_t content = displacement_of(place);

    if (!target->section) {
        REFUSE(place, "pc-relative access to import %s: declare it so that the compiler goes "
                      "through the GOT (extern, default visibility)", target->symbol->name);
    } else if (target->symbol) {
        put_displacement(place, symbol_address(target->symbol) + (uint64_t)content,
                         place->address + 4);
    } else {
        uint64_t end = place->section->address + place->relocation.address + 4 + following;

        put_displacement(place, moved(target->section, end + (uint64_t)content),
                         place->address + 4 + following);
    }
}

static void relocate_branch(const struct place *place)
{
    const struct target *target = &place->target;

    if (target->section) {
        relocate_signed(place, 0);
    } else if (!(place->section->output->flags & MACHO_S_ATTR_PURE_INSTRUCTIONS)) {
        REFUSE(place, "branch to import %s outside of __text", target->symbol->name);
    } else if (displacement_of(place) != 0) {
        REFUSE(place, "branch to import %s plus %lld: kernels overwrite the addend",
               target->symbol->name, (long long)displacement_of(place));
    } else {
        fixup_import(place->link, place->section, place->address, FIXUP_IMPORT_BRANCH,
                     target->symbol);
    }
}

/* Code that wants the address of a GOT slot. Where it only loads from the slot of a symbol that is
 * defined here, the load (8B) becomes the address computation itself (lea, 8D). */
static void relocate_got(const struct place *place)
{
    const struct target *target = &place->target;
    uint64_t slot;

    if (displacement_of(place) != 0) {
        REFUSE(place, "GOT reference with addend %lld", (long long)displacement_of(place));
    } else if (!target->symbol) {
        REFUSE(place, "malformed: GOT reference without a symbol");
    } else if (target->section && place->relocation.type == X86_64_GOT_LOAD &&
               place->relocation.address >= 2 && place->bytes[-2] == 0x8b) {
        place->bytes[-2] = 0x8d;
        put_displacement(place, symbol_address(target->symbol), place->address + 4);
    } else if (!target->symbol->has_got_slot) {
        REFUSE(place, "malformed: GOT reference that overlaps another relocation");
    } else {
        slot = place->link->got_section->address + 8 * (uint64_t)target->symbol->got_index;
        put_displacement(place, slot, place->address + 4);
    }
}

/* A difference of two symbols, both defined here, is a constant. Consumes the second entry too. */
static void relocate_difference(const struct place *place, const struct relocation *second)
{
    struct target minuend;
    uint64_t difference;
    bool wide = place->relocation.length == 3;

    if (second->type != X86_64_UNSIGNED || second->address != place->relocation.address ||
        second->length != place->relocation.length || second->pc_relative ||
        place->relocation.pc_relative || place->relocation.length < 2) {
        REFUSE(place, "malformed: SUBTRACTOR without its UNSIGNED");
        return;
    }
    if (!relocation_target(place->link, place->section, second, &minuend))
        return;
    if (!place->target.symbol || !minuend.symbol) {
        REFUSE(place, "difference of section addresses: give both ends a symbol");
        return;
    }
    if (!place->target.section || !minuend.section) {
        REFUSE(place, "difference with import %s is not known before the kext is loaded",
               place->target.section ? minuend.symbol->name : place->target.symbol->name);
        return;
    }
    difference = symbol_address(minuend.symbol) - symbol_address(place->target.symbol);
    if (wide)
        store_u64(place->bytes, load_u64(place->bytes) + difference);
    else
        store_u32(place->bytes, load_u32(place->bytes) + (uint32_t)difference);
}

/* The fixed form each type must have; false = refused. */
static bool has_expected_form(const struct place *place)
{
    const struct relocation *relocation = &place->relocation;
    bool pointer = relocation->type == X86_64_UNSIGNED || relocation->type == X86_64_SUBTRACTOR;

    if (relocation->type == X86_64_UNSIGNED && relocation->length == 2) {
        REFUSE(place, "32-bit absolute address: a kext is loaded above 4 GiB, compile with "
                      "-mkernel");
        return false;
    }
    if (relocation->type == X86_64_TLV) {
        REFUSE(place, "thread-local variable: the kernel has none");
        return false;
    }
    if (relocation->pc_relative == pointer || relocation->type > X86_64_TLV ||
        (relocation->type == X86_64_UNSIGNED && relocation->length != 3) ||
        (!pointer && relocation->length != 2)) {
        REFUSE(place, "malformed: relocation of type %u, length %u, pc-relative %u",
               relocation->type, relocation->length, relocation->pc_relative);
        return false;
    }
    return true;
}

static void relocate_one(const struct place *place)
{
    switch (place->relocation.type) {
    case X86_64_UNSIGNED:
        relocate_pointer(place);
        break;
    case X86_64_SIGNED:
        relocate_signed(place, 0);
        break;
    case X86_64_SIGNED_1:
        relocate_signed(place, 1);
        break;
    case X86_64_SIGNED_2:
        relocate_signed(place, 2);
        break;
    case X86_64_SIGNED_4:
        relocate_signed(place, 4);
        break;
    case X86_64_BRANCH:
        relocate_branch(place);
        break;
    case X86_64_GOT:
    case X86_64_GOT_LOAD:
        relocate_got(place);
        break;
    }
}

void relocate_section_x86_64(struct link *link, const struct input_section *section)
{
    for (uint32_t i = 0; i < section->relocation_count; i++) {
        struct place place = {.link = link, .section = section};
        struct relocation second = {.type = UINT8_MAX};

        relocation_read(section, i, &place.relocation);
        if (!relocation_target(link, section, &place.relocation, &place.target))
            continue;
        place.address = section->output_address + place.relocation.address;
        place.bytes = link->image + place.address;
        if (!has_expected_form(&place))
            continue;
        if (place.relocation.type != X86_64_SUBTRACTOR) {
            relocate_one(&place);
            continue;
        }
        if (++i < section->relocation_count)
            relocation_read(section, i, &second);
        relocate_difference(&place, &second);
    }
}

void fill_got_x86_64(struct link *link)
{
    for (size_t i = 0; i < link->got_count; i++) {
        struct symbol *symbol = link->got[i];
        uint64_t address = link->got_section->address + 8 * i;

        if (symbol->absolute || (symbol->section && !symbol->section->output))
            continue; /* reported where it is used */
        if (symbol->section) {
            store_u64(link->image + address, symbol_address(symbol));
            fixup_local(link, NULL, address, symbol->section);
        } else {
            fixup_import(link, NULL, address, FIXUP_IMPORT_POINTER, symbol);
        }
    }
}
