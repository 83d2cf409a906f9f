/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A kext in memory: linked into guest RAM, started and stopped (XNU libkern/c++/OSKext.cpp: load,
 * start, stop, unload; OSRuntime.cpp). Call on a kernel thread.
 */
#ifndef MACHV_XNU_LOADER_KEXT_H
#define MACHV_XNU_LOADER_KEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xnu/libkern/module.h"
#include "xnu/loader/loader_error.h"
#include "xnu/loader/macho.h"
#include "xnu/loader/symbol_source.h"
#include "xnu/machine/traps.h"

/* The libkern side of loading: registering and removing a kext's classes (xnu/libkern/module.h). */
struct kext_runtime {
    int (*start)(const struct module_code *code);  /* module_start */
    int (*finish)(const struct module_code *code); /* module_finish */
    bool (*has_instances)(const char *identifier); /* module_has_instances */
};

/*
 * `_kmod_info` as both forms of a kext have it (XNU osfmk/mach/kmod.h, 64-bit). It may lie at any
 * address that a damaged kext gives it.
 */
struct kext_info {
    uint64_t next;
    int32_t info_version;
    uint32_t id;
    char name[64];
    char version[64];
    int32_t reference_count;
    uint64_t reference_list;
    uint64_t address;
    uint64_t size;
    uint64_t header_size;
    int (*start)(struct kext_info *info, void *data);
    int (*stop)(struct kext_info *info, void *data);
} __attribute__((packed));
_Static_assert(sizeof(struct kext_info) == 0xC4, "kmod_info, 64-bit");

struct kext {
    char identifier[64];
    char version[64];
    uint8_t *memory; /* pages of guest RAM */
    size_t memory_size;
    uint8_t *file; /* owned; names of symbols point into it */
    struct macho macho;
    struct kext_info *info; /* in the image */
    const struct macho_symbol **by_address, **by_name; /* defined; exported; owned, sorted */
    size_t address_count, name_count;
    module_function **functions; /* constructors, then destructors; owned */
    struct module_code code;
    struct symbol_source exports; /* for kexts that link against this one */
    struct machine_image image;
    bool started;
};

struct kext_load_request {
    const char *identifier, *version; /* of the Info.plist; they replace kmod_info's */
    uint8_t *file; /* malloc()ed executable, thin or fat; the kext takes it, also on failure */
    size_t size;
    const struct link_library *libraries;
    size_t library_count;
    uint32_t release;
};

/* Links the executable into guest RAM. 0, or -1 with `error` set and nothing to unload. */
int kext_load(struct kext *kext, const struct kext_load_request *request,
              struct loader_error *error);
/* Registers its classes, then calls its start function. On failure it stays loaded, not started. */
int kext_start(struct kext *kext, const struct kext_runtime *runtime, struct loader_error *error);
/*
 * Calls its stop function, then takes its classes away. -1: it refused (or objects of its classes
 * live), and goes on running.
 */
int kext_stop(struct kext *kext, const struct kext_runtime *runtime, struct loader_error *error);
/* Releases the memory of a kext that is not started. */
void kext_unload(struct kext *kext);

#endif
