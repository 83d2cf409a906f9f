/* SPDX-License-Identifier: BSD-3-Clause */
/* Errors as one line of text. */
#include "setup/error.h"

#include <stdarg.h>
#include <stdio.h>

bool setup_fail(struct setup_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return false;
}
