/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as an Apple disk image: refused, or decoded. */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "setup/dmg.h"

enum { SECTORS_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int input = memfd_create("input", MFD_CLOEXEC), output = memfd_create("output", MFD_CLOEXEC);
    char path[64];
    struct setup_error error;
    struct dmg dmg;
    snprintf(path, sizeof path, "/proc/self/fd/%d", input);
    if (write(input, data, size) == (ssize_t)size && dmg_open(&dmg, path, &error)) {
        uint8_t start[4096];
        dmg_read_start(&dmg, start, sizeof start, &error);
        if (dmg.sectors <= SECTORS_MAX) {
            dmg_decode(&dmg, output, 0, &error);
        }
        dmg_close(&dmg);
    }
    close(input);
    close(output);
    return 0;
}
