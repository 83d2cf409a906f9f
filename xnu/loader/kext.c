/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loading, starting and stopping a kext.
 */
#include "xnu/loader/kext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xnu/loader/kext_symbols.h"
#include "xnu/loader/link.h"
#include "xnu/loader/macho_format.h"
#include "xnu/machine/log.h"
#include "xnu/machine/memory.h"

/* Which sections hold constructors changed over the releases (XNU OSRuntime.cpp). */
#define OLD_SECTIONS_FIRST 1007u
#define OLD_SECTIONS_LAST 1013u

static uint32_t last_kext_id;

/* ---- code ----------------------------------------------------------------------------------- */

static bool has_code(const struct macho_section *section) {
    return (section->flags & MACHO_SECTION_HAS_CODE) != 0 ||
           (strcmp(section->segment, "__TEXT") == 0 && strcmp(section->name, "__text") == 0);
}

/* The end of the function that begins at this place of the address-sorted list. */
static uint64_t function_end(const struct kext *kext, size_t index,
                             const struct macho_section *section) {
    uint64_t start = kext->by_address[index]->value, end = section->address + section->size;
    for (size_t i = index + 1; i < kext->address_count; i++) {
        if (kext->by_address[i]->value > start) {
            return kext->by_address[i]->value < end ? kext->by_address[i]->value : end;
        }
    }
    return end;
}

/* CPUID and the like must trap: in each function, found by its symbol. */
static int replace_instructions(struct kext *kext, struct loader_error *error) {
    for (size_t i = 0; i < kext->address_count; i++) {
        const struct macho_symbol *symbol = kext->by_address[i];
        bool in_section = (symbol->type & MACHO_SYMBOL_TYPE) == MACHO_SYMBOL_SECTION;
        const struct macho_section *section =
            in_section ? &kext->macho.sections[symbol->section - 1] : NULL;
        bool alias = i != 0 && kext->by_address[i - 1]->value == symbol->value;
        if (section == NULL || !has_code(section) || alias ||
            macho_section_is_zerofill(section)) {
            continue;
        }
        uint64_t end = function_end(kext, i, section);
        if (end > symbol->value &&
            traps_replace_instructions(kext->memory + symbol->value, end - symbol->value, NULL) <
                0) {
            return loader_fail(error, MACHINE_EXIT_FAILURE,
                               "too many CPUID, PUSHF and POPF instructions");
        }
    }
    return 0;
}

/* __TEXT may be executed and not written, everything else the other way round. */
static int protect(struct kext *kext, struct loader_error *error) {
    int result = 0;
    for (unsigned i = 0; i < kext->macho.segment_count && result == 0; i++) {
        const struct macho_segment *segment = &kext->macho.segments[i];
        if (strcmp(segment->name, "__TEXT") == 0 && segment->size != 0) {
            result = machine_pages_protect(kext->memory + segment->address, segment->size,
                                           MACHINE_READ | MACHINE_EXECUTE);
        }
    }
    size_t islands = kext->memory_size - kext->macho.image_size;
    if (result == 0 && islands != 0) {
        result = machine_pages_protect(kext->memory + kext->macho.image_size, islands,
                                       MACHINE_READ | MACHINE_EXECUTE);
    }
    return result == 0 ? 0
                       : loader_fail(error, MACHINE_EXIT_FAILURE, "cannot protect its code");
}

/* ---- kmod_info and constructors ------------------------------------------------------------- */

static bool in_image(const struct kext *kext, uintptr_t address) {
    return address - (uintptr_t)kext->memory < kext->macho.image_size;
}

static int prepare_info(struct kext *kext, struct loader_error *error) {
    const struct macho_symbol *symbol = macho_find_symbol(&kext->macho, "_kmod_info");
    const struct macho_section *section =
        symbol == NULL ? NULL
                       : macho_section_at(&kext->macho, symbol->value, sizeof *kext->info);
    if (section == NULL || macho_section_is_zerofill(section)) {
        return loader_fail(error, MACHINE_EXIT_LINK,
                           symbol == NULL ? "the executable has no _kmod_info"
                                          : "_kmod_info has no room with contents in the file");
    }
    struct kext_info *info = (struct kext_info *)(kext->memory + symbol->value);
    if (strncmp(info->name, kext->identifier, sizeof info->name) != 0) {
        machine_log("kext %s: its kmod_info is named \"%.63s\"; the Info.plist counts",
                    kext->identifier, info->name);
    }
    if (!in_image(kext, (uintptr_t)info->start) || !in_image(kext, (uintptr_t)info->stop)) {
        return loader_fail(error, MACHINE_EXIT_LINK,
                           "kmod_info's start or stop function lies outside the kext");
    }
    memset(info->name, 0, sizeof info->name);
    memset(info->version, 0, sizeof info->version);
    memcpy(info->name, kext->identifier, strlen(kext->identifier));
    memcpy(info->version, kext->version, strlen(kext->version));
    info->next = 0;
    info->id = ++last_kext_id;
    info->reference_count = 0;
    info->reference_list = 0;
    info->address = (uintptr_t)kext->memory;
    info->size = kext->macho.image_size;
    info->header_size = 0;
    kext->info = info;
    return 0;
}

static bool is_structor_section(const struct macho_section *section, bool constructors,
                                uint32_t release) {
    bool old = release >= OLD_SECTIONS_FIRST && release <= OLD_SECTIONS_LAST;
    if (strcmp(section->name, constructors ? "__mod_init_func" : "__mod_term_func") == 0) {
        return true;
    }
    return old && strcmp(section->name, constructors ? "__constructor" : "__destructor") == 0;
}

/* Appends the pointers of the sections; returns the new count, or counts only if `to` is NULL. */
static size_t gather(const struct kext *kext, bool constructors, uint32_t release,
                     module_function **to) {
    size_t count = 0;
    for (unsigned i = 0; i < kext->macho.section_count; i++) {
        const struct macho_section *section = &kext->macho.sections[i];
        if (!is_structor_section(section, constructors, release) ||
            macho_section_is_zerofill(section)) {
            continue;
        }
        size_t pointers = section->size / sizeof(module_function *);
        if (to != NULL) {
            memcpy(to + count, kext->memory + section->address, pointers * sizeof to[0]);
        }
        count += pointers;
    }
    return count;
}

static int prepare_code(struct kext *kext, uint32_t release, struct loader_error *error) {
    size_t constructors = gather(kext, true, release, NULL);
    size_t destructors = gather(kext, false, release, NULL);
    kext->functions = calloc(constructors + destructors + 1, sizeof kext->functions[0]);
    if (kext->functions == NULL) {
        return loader_fail(error, MACHINE_EXIT_FAILURE, "no memory");
    }
    gather(kext, true, release, kext->functions);
    gather(kext, false, release, kext->functions + constructors);
    for (size_t i = 0; i < constructors + destructors; i++) {
        uintptr_t function = (uintptr_t)kext->functions[i];
        if (function != 0 && !in_image(kext, function)) {
            return loader_fail(error, MACHINE_EXIT_LINK,
                               "a constructor or destructor lies outside the kext");
        }
    }
    kext->code = (struct module_code){
        .identifier = kext->identifier,
        .constructors = kext->functions,
        .constructor_count = constructors,
        .destructors = kext->functions + constructors,
        .destructor_count = destructors,
        .start = kext->memory,
        .end = kext->memory + kext->macho.image_size,
    };
    return 0;
}

/* ---- load and unload ------------------------------------------------------------------------ */

static int read_executable(struct kext *kext, const struct kext_load_request *request,
                           struct loader_error *error) {
    const uint8_t *slice;
    size_t size;
    if (macho_slice(request->file, request->size, MACHO_PROCESSOR_X86_64, &slice, &size, error) !=
        0) {
        return -1;
    }
    return macho_read(&kext->macho, slice, size, request->release, error);
}

static int place(struct kext *kext, const struct kext_load_request *request,
                 struct loader_error *error) {
    kext->memory_size = link_memory_size(&kext->macho);
    kext->memory = machine_pages_allocate(kext->memory_size, 0, MACHINE_NO_LIMIT);
    if (kext->memory == NULL) {
        return loader_fail(error, MACHINE_EXIT_FAILURE, "no %zu bytes of guest RAM for it",
                           kext->memory_size);
    }
    struct link_request link = {.macho = &kext->macho,
                                .libraries = request->libraries,
                                .library_count = request->library_count,
                                .memory = kext->memory};
    if (link_kext(&link, error) != 0 || kext_symbols_prepare(kext, error) != 0 ||
        prepare_info(kext, error) != 0 || prepare_code(kext, request->release, error) != 0 ||
        replace_instructions(kext, error) != 0 || protect(kext, error) != 0) {
        return -1;
    }
    kext->image = (struct machine_image){.name = kext->identifier,
                                         .start = (uintptr_t)kext->memory,
                                         .size = kext->macho.image_size,
                                         .symbol = kext_symbols_describe,
                                         .context = kext};
    if (machine_image_add(&kext->image) != 0) {
        return loader_fail(error, MACHINE_EXIT_FAILURE, "too many kexts are loaded");
    }
    return 0;
}

int kext_load(struct kext *kext, const struct kext_load_request *request,
              struct loader_error *error) {
    memset(kext, 0, sizeof *kext);
    kext->file = request->file;
    snprintf(kext->identifier, sizeof kext->identifier, "%s", request->identifier);
    snprintf(kext->version, sizeof kext->version, "%s", request->version);
    if (read_executable(kext, request, error) != 0 || place(kext, request, error) != 0) {
        kext_unload(kext);
        return -1;
    }
    return 0;
}

void kext_unload(struct kext *kext) {
    machine_image_remove(&kext->image);
    if (kext->memory != NULL) {
        traps_forget(kext->memory, kext->memory_size);
        machine_pages_release(kext->memory, kext->memory_size);
    }
    kext_symbols_free(kext);
    free(kext->functions);
    macho_free(&kext->macho);
    free(kext->file);
    memset(kext, 0, sizeof *kext);
}

/* ---- start and stop ------------------------------------------------------------------------- */

int kext_start(struct kext *kext, const struct kext_runtime *runtime, struct loader_error *error) {
    int status = runtime->start(&kext->code);
    if (status != 0) {
        return loader_fail(error, MACHINE_EXIT_START, "its classes cannot be registered (0x%x)",
                           (unsigned)status);
    }
    status = kext->info->start(kext->info, NULL);
    if (status != 0) {
        runtime->finish(&kext->code);
        return loader_fail(error, MACHINE_EXIT_START, "its start function returned 0x%x",
                           (unsigned)status);
    }
    kext->started = true;
    return 0;
}

int kext_stop(struct kext *kext, const struct kext_runtime *runtime, struct loader_error *error) {
    if (!kext->started) {
        return 0;
    }
    if (runtime->has_instances(kext->identifier)) {
        return loader_fail(error, MACHINE_EXIT_START, "objects of its classes live");
    }
    int status = kext->info->stop(kext->info, NULL);
    if (status != 0) {
        return loader_fail(error, MACHINE_EXIT_START, "its stop function returned 0x%x",
                           (unsigned)status);
    }
    kext->started = false;
    status = runtime->finish(&kext->code);
    if (status != 0) {
        return loader_fail(error, MACHINE_EXIT_START, "its classes cannot be removed (0x%x)",
                           (unsigned)status);
    }
    return 0;
}
