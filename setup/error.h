/* SPDX-License-Identifier: BSD-3-Clause */
/* One line that says what went wrong, handed up to the program, which prints it. */
#ifndef MACHV_SETUP_ERROR_H
#define MACHV_SETUP_ERROR_H

#include <stdbool.h>

enum { SETUP_ERROR_SIZE = 640 };

struct setup_error {
    char text[SETUP_ERROR_SIZE];
};

/* Writes the line and returns false, so that a caller can say `return setup_fail(error, ...)`. */
__attribute__((format(printf, 2, 3))) bool setup_fail(struct setup_error *error, const char *format,
                                                      ...);

#endif
