/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Error lines of the loader. What comes from a file may hold anything: only printable characters
 * reach the terminal.
 */
#include "xnu/loader/loader_error.h"

#include <stdio.h>
#include <string.h>

static void make_printable(char *text) {
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7F) {
            *text = '?';
        }
    }
}

int loader_fail(struct loader_error *error, int status, const char *format, ...) {
    va_list arguments;
    if (error->status != 0) {
        return -1;
    }
    error->status = status;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    make_printable(error->text);
    return -1;
}

void loader_error_prefix(struct loader_error *error, const char *prefix) {
    char whole[sizeof error->text];
    snprintf(whole, sizeof whole, "%s: %s", prefix, error->text);
    make_printable(whole);
    memcpy(error->text, whole, sizeof whole);
}
