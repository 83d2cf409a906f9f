/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Links a kext in memory by the rules of the kernel's linker (XNU libkern/kxld: kxld_kext.c,
 * kxld_object.c, kxld_reloc.c, kxld_vtable.c): symbols, vtable patching, relocations. What the
 * kernel would refuse is refused here with the same reason.
 */
#ifndef MACHV_XNU_LOADER_LINK_H
#define MACHV_XNU_LOADER_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "xnu/loader/loader_error.h"
#include "xnu/loader/macho.h"
#include "xnu/loader/symbol_source.h"

struct link_request {
    const struct macho *macho;
    const struct link_library *libraries;
    size_t library_count;
    /*
     * Where the image goes: writable memory of link_memory_size() bytes, page aligned, zeroed. The
     * image comes first, then, on pages of their own, the islands: jumps to imported functions that
     * are too far away for a 32-bit displacement.
     */
    uint8_t *memory;
};

/* Bytes of memory for an image and its islands, a multiple of the page size. */
size_t link_memory_size(const struct macho *macho);

/* Final address of the kext's own symbol. */
static inline uintptr_t link_symbol_address(const uint8_t *memory,
                                            const struct macho_symbol *symbol) {
    return (symbol->type & 0x0E) == 0x0E ? (uintptr_t)memory + symbol->value : symbol->value;
}

/* 0, or -1 with `error` set (MACHINE_EXIT_LINK, or MACHINE_EXIT_KEXT for damage found late). */
int link_kext(const struct link_request *request, struct loader_error *error);

#endif
