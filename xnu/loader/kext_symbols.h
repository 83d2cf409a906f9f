/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The symbols of a loaded kext: as a source for kexts that link against it, and for reports.
 */
#ifndef MACHV_XNU_LOADER_KEXT_SYMBOLS_H
#define MACHV_XNU_LOADER_KEXT_SYMBOLS_H

#include "xnu/loader/kext.h"

/* Builds the sorted lists and kext->exports. 0, or -1 with `error` set. */
int kext_symbols_prepare(struct kext *kext, struct loader_error *error);
void kext_symbols_free(struct kext *kext);
/* struct machine_image's symbol function; context: struct kext. */
const char *kext_symbols_describe(void *context, uintptr_t address, uint64_t *offset);

#endif
