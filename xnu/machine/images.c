/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names for addresses: the loaded kexts, and this program itself.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>

#include "xnu/machine/machine_private.h"

#define IMAGES_MAX 128u

static _Atomic(const struct machine_image *) images[IMAGES_MAX];

int machine_image_add(const struct machine_image *image) {
    for (unsigned i = 0; i < IMAGES_MAX; i++) {
        const struct machine_image *none = NULL;
        if (atomic_compare_exchange_strong(&images[i], &none, image)) {
            return 0;
        }
    }
    return -ENOSPC;
}

void machine_image_remove(const struct machine_image *image) {
    for (unsigned i = 0; i < IMAGES_MAX; i++) {
        const struct machine_image *expected = image;
        atomic_compare_exchange_strong(&images[i], &expected, NULL);
    }
}

static bool describe_in_image(uintptr_t address, char *text, size_t size) {
    for (unsigned i = 0; i < IMAGES_MAX; i++) {
        const struct machine_image *image = atomic_load(&images[i]);
        if (image == NULL || address - image->start >= image->size) {
            continue;
        }
        uint64_t offset = 0;
        const char *symbol =
            image->symbol != NULL ? image->symbol(image->context, address, &offset) : NULL;
        if (symbol != NULL) {
            snprintf(text, size, "%s + 0x%llx in %s", symbol, (unsigned long long)offset,
                     image->name);
        } else {
            snprintf(text, size, "0x%llx in %s", (unsigned long long)(address - image->start),
                     image->name);
        }
        return true;
    }
    return false;
}

void machine_describe_address(uintptr_t address, char *text, size_t size) {
    Dl_info info;
    if (describe_in_image(address, text, size)) {
        return;
    }
    if (address != 0 && dladdr((void *)address, &info) != 0) {
        if (info.dli_sname != NULL) {
            snprintf(text, size, "%s + 0x%llx", info.dli_sname,
                     (unsigned long long)(address - (uintptr_t)info.dli_saddr));
        } else {
            snprintf(text, size, "0x%llx in %s",
                     (unsigned long long)(address - (uintptr_t)info.dli_fbase), info.dli_fname);
        }
        return;
    }
    snprintf(text, size, "0x%llx", (unsigned long long)address);
}
