/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The loader of kexts over any bytes as executable: reading, and linking against a made-up kernel.
 * No code of it runs.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/xnu-loader/test_kernel.h"
#include "xnu/loader/link.h"
#include "xnu/loader/macho_format.h"

#define PAGE 4096u
#define IMAGE_MAX (8u << 20) /* larger images only cost time */

static void check_error(const struct loader_error *error) {
    bool known = error->status == MACHINE_EXIT_KEXT || error->status == MACHINE_EXIT_LINK;
    if (!known || error->text[0] == '\0' || strchr(error->text, '\n') != NULL) {
        abort();
    }
}

static void try_link(const struct macho *macho) {
    static struct test_kernel kernel;
    struct loader_error error = {0};
    size_t size = link_memory_size(macho);
    uint8_t *memory = size <= IMAGE_MAX ? aligned_alloc(PAGE, size) : NULL;
    if (memory == NULL) {
        return;
    }
    test_kernel_init(&kernel);
    memset(memory, 0, size);
    const struct link_library library = {&kernel.kernel.symbols, "com.apple.kpi.iokit", true};
    struct link_request request = {macho, &library, 1, memory};
    if (link_kext(&request, &error) != 0) {
        check_error(&error);
    }
    free(memory);
}

static void try_slice(const uint8_t *bytes, size_t size, uint32_t processor) {
    static const uint32_t releases[] = {1006, 1013, 1205};
    struct loader_error error = {0};
    const uint8_t *slice;
    size_t slice_size;
    if (macho_slice(bytes, size, processor, &slice, &slice_size, &error) != 0) {
        check_error(&error);
        return;
    }
    for (unsigned i = 0; i < sizeof releases / sizeof releases[0]; i++) {
        struct macho macho;
        memset(&error, 0, sizeof error);
        if (macho_read(&macho, slice, slice_size, releases[i], &error) != 0) {
            check_error(&error);
            continue;
        }
        try_link(&macho);
        macho_free(&macho);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    try_slice(bytes, size, MACHO_PROCESSOR_X86_64);
    try_slice(bytes, size, MACHO_PROCESSOR_I386);
    return 0;
}
