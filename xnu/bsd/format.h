/* SPDX-License-Identifier: BSD-3-Clause */
/* format.h - printf formatting as the kernel does it, without a C library.
 *
 * Conversions: d i u o x X c s p b %, with the flags - + space # 0, width, precision (both also as
 * *), and the lengths hh h l ll q j t z. %b takes an integer and a string that names its bits
 * ("\20\1ONE\2TWO": base, then bit number and name). An unknown conversion is copied as it is.
 * Source: xnu osfmk/kern/printf.c, documentation of IOLog.
 */
#ifndef XNU_BSD_FORMAT_H
#define XNU_BSD_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* Writes at most `size` bytes, a NUL among them (nothing when size is 0), and returns the length
 * that the whole text would have had, as snprintf does. */
int format_string(char *buffer, size_t size, const char *format, va_list arguments);

/* The same with the arguments in place. */
int format_text(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
