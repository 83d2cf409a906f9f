/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/kextmatch/clean_output.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

enum { BLOCK = 4096, STANDARD_OUTPUT = 1, STANDARD_ERROR = 2 };

static bool is_control(char character)
{
    return ((unsigned char)character < ' ' && character != '\n' && character != '\t') ||
           character == 0x7F;
}

static bool write_all(int descriptor, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(descriptor, bytes, size);

        if (written < 0)
            return false;
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

static ssize_t write_clean(void *descriptor, const char *bytes, size_t size)
{
    char block[BLOCK];
    size_t taken = 0;

    while (taken < size) {
        size_t length = 0;

        for (; length < sizeof block && taken + length < size; length++)
            block[length] = is_control(bytes[taken + length]) ? '?' : bytes[taken + length];
        if (!write_all((int)(intptr_t)descriptor, block, length))
            return 0;
        taken += length;
    }
    return (ssize_t)size;
}

void clean_output_begin(void)
{
    const cookie_io_functions_t functions = { .write = write_clean };
    FILE *output = fopencookie((void *)(intptr_t)STANDARD_OUTPUT, "w", functions);
    FILE *error = fopencookie((void *)(intptr_t)STANDARD_ERROR, "w", functions);

    if (output != NULL)
        stdout = output;
    if (error != NULL) {
        setvbuf(error, NULL, _IOLBF, BLOCK);
        stderr = error;
    }
}
