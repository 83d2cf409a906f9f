/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Why something could not be loaded: one line for the user and the exit status of the program
 * (xnu/machine/panic.h).
 */
#ifndef MACHV_XNU_LOADER_LOADER_ERROR_H
#define MACHV_XNU_LOADER_LOADER_ERROR_H

#include <stdarg.h>

#include "xnu/machine/panic.h"

struct loader_error {
    int status;     /* enum machine_exit_status, 0 while there is none */
    char text[400]; /* one line, without \n; names the file or bundle and the value */
};

/* Sets status and text, unless an earlier error is there. Always -1: `return loader_fail(...)`. */
int loader_fail(struct loader_error *error, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "prefix: " before the text. */
void loader_error_prefix(struct loader_error *error, const char *prefix);

#endif
