/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * check_module.c: the parts of a kext that are not classes: kmod_info, constructors, and words that
 * a loader could not relocate. kmod_info's layout: XNU osfmk/mach/kmod.h, packed to 4 bytes.
 */
#include <string.h>

#include "tools/kextlink/link.h"

struct kmod_layout {
    size_t size, info_version, name, version, start, stop;
};

static const struct kmod_layout layout_i386 = {
    KMOD_INFO_SIZE_32, KMOD_INFO_VERSION_32, KMOD_INFO_NAME_32,
    KMOD_INFO_VERSION_STRING_32, KMOD_INFO_START_32, KMOD_INFO_STOP_32,
};
static const struct kmod_layout layout_x86_64 = {
    KMOD_INFO_SIZE_64, KMOD_INFO_VERSION_64, KMOD_INFO_NAME_64,
    KMOD_INFO_VERSION_STRING_64, KMOD_INFO_START_64, KMOD_INFO_STOP_64,
};

/* Bytes from the symbol to the next one or to the section's end. */
static uint64_t room_of(const struct link *link, const struct symbol *symbol)
{
    const struct output_section *section = symbol->section->output;
    uint64_t address = symbol_address(symbol), end = section->address + section->size;

    for (size_t i = 0; i < link->local_count + link->defined_count; i++) {
        uint64_t other = symbol_address(link->by_address[i]);

        if (other > address && other < end)
            return other - address;
    }
    return end - address;
}

static void check_kmod_string(struct link *link, uint64_t address, const char *field,
                              const char *key, const char *expected)
{
    const char *text = (const char *)link->image + address;

    if (!memchr(text, 0, KMOD_INFO_STRING_SIZE) || !*text)
        link_error(link, "_kmod_info: %s is %s", field,
                   *text ? "longer than 63 bytes" : "empty");
    else if (expected && strcmp(text, expected) != 0)
        link_error(link, "_kmod_info: %s is \"%s\", but Info.plist has %s \"%s\"", field, text, key,
                   expected);
}

static void check_kmod_function(struct link *link, uint64_t address, const char *field)
{
    const struct fixup *fixup = fixup_at(link, address);

    if (!fixup || fixup->kind != FIXUP_LOCAL_POINTER ||
        !(fixup->target->flags & MACHO_S_ATTR_PURE_INSTRUCTIONS))
        link_error(link, "_kmod_info: no function of this kext at field %s: the structure has the "
                         "wrong size or packing (use IOKIT_MODULE)", field);
}

static void check_kmod_info(struct link *link)
{
    bool is_64 = link->architecture == ARCHITECTURE_X86_64;
    const struct kmod_layout *layout = is_64 ? &layout_x86_64 : &layout_i386;
    const struct symbol *symbol = symbol_find(link, "_kmod_info");
    uint64_t address;

    if (!symbol || !symbol->in_output || !symbol->section) {
        link_error(link, "_kmod_info is missing: one source must declare the module "
                         "(IOKIT_MODULE)");
        return;
    }
    address = symbol_address(symbol);
    if (symbol->section->output->zerofill) {
        link_error(link, "_kmod_info is in zerofill data: it must be initialised");
    } else if (address % 4 != 0) {
        link_error(link, "_kmod_info is misaligned: address 0x%llx is no multiple of 4",
                   (unsigned long long)address);
    } else if (room_of(link, symbol) < layout->size) {
        link_error(link, "_kmod_info has 0x%llx bytes, %s needs 0x%zx",
                   (unsigned long long)room_of(link, symbol),
                   architecture_name(link->architecture), layout->size);
    } else {
        if (load_u32(link->image + address + layout->info_version) != 1)
            link_error(link, "_kmod_info: info_version is %u instead of 1",
                       load_u32(link->image + address + layout->info_version));
        check_kmod_string(link, address + layout->name, "name", "CFBundleIdentifier",
                          link->expected_identifier);
        check_kmod_string(link, address + layout->version, "version", "CFBundleVersion",
                          link->expected_version);
        check_kmod_function(link, address + layout->start, "start");
        check_kmod_function(link, address + layout->stop, "stop");
    }
}

static const struct output_section *find_section(const struct link *link, const char *name)
{
    for (size_t i = 0; i < link->section_count; i++)
        if (strcmp(link->sections[i].name, name) == 0)
            return &link->sections[i];
    return NULL;
}

/* Each word of a constructor section is called: it must be an address in code. */
static void check_pointers_to_code(struct link *link, const char *name)
{
    const struct output_section *section = find_section(link, name);
    size_t word = word_size(link);

    if (!section)
        return;
    for (uint64_t offset = 0; offset < section->size; offset += word) {
        const struct fixup *fixup = fixup_at(link, section->address + offset);

        if (!fixup || fixup->kind != FIXUP_LOCAL_POINTER ||
            !(fixup->target->flags & MACHO_S_ATTR_PURE_INSTRUCTIONS))
            link_error(link, "section %s,%s: word %llu is no function of this kext, but the kernel "
                             "would call it", section->segment, section->name,
                       (unsigned long long)(offset / word));
    }
}

static void check_constructors(struct link *link)
{
    const struct symbol *initialize = symbol_find(link, "_OSRuntimeInitializeCPP");
    bool used = initialize && initialize->used;

    if (link->architecture == ARCHITECTURE_X86_64) {
        check_pointers_to_code(link, "__mod_init_func");
        check_pointers_to_code(link, "__mod_term_func");
        if (used)
            link_error(link, "%s: _OSRuntimeInitializeCPP is not exported to x86_64 kexts: the "
                             "kernel runs the constructors itself", initialize->object->name);
        return;
    }
    check_pointers_to_code(link, "__constructor");
    check_pointers_to_code(link, "__destructor");
    if (find_section(link, "__constructor") && !used)
        link_error(link, "the kext has constructors, but nothing calls _OSRuntimeInitializeCPP: on "
                         "macOS 10.4 and 10.5 the module's start function must (IOKIT_MODULE)");
}

/* Chained fixups of kernel collections cannot express a pointer that crosses a page. */
static void check_page_crossing(struct link *link)
{
    for (size_t i = 0; i < link->fixup_count; i++) {
        const struct fixup *fixup = &link->fixups[i];
        uint64_t address = fixup->address;
        size_t nearest = 0;

        if (fixup->kind == FIXUP_IMPORT_BRANCH || address % PAGE_SIZE_X86 <= PAGE_SIZE_X86 - 8)
            continue;
        while (nearest + 1 < link->local_count + link->defined_count &&
               symbol_address(link->by_address[nearest + 1]) <= address)
            nearest++;
        link_error(link, "%s: a pointer at 0x%llx in %s crosses a page: kernel collections cannot "
                         "relocate it, align the object", fixup->object->name,
                   (unsigned long long)address, link->by_address[nearest]->name);
    }
}

/* kld of 10.4 takes such a name for one that g++ 2.95 mangled, and mangles it again. */
static void check_names(struct link *link)
{
    for (size_t i = link->local_count; i < link->local_count + link->defined_count; i++) {
        const char *name = link->output_symbols[i]->name;

        if (strstr(name + strspn(name, "_"), "__"))
            link_warning(link, "%s: \"__\" within an external name makes macOS 10.4 take it for an "
                               "old C++ name", name);
    }
}

void check_module(struct link *link)
{
    check_kmod_info(link);
    check_constructors(link);
    if (link->architecture == ARCHITECTURE_X86_64)
        check_page_crossing(link);
    else
        check_names(link);
}
