/* SPDX-License-Identifier: BSD-3-Clause */
/* boot_args.h - the boot arguments and the kernel's rules for reading them.
 *
 * Source: xnu pexpert/gen/bootargs.c. A word is `name`, `name=value` or `-name`; words are
 * separated by white space.
 */
#ifndef XNU_BSD_BOOT_ARGS_H
#define XNU_BSD_BOOT_ARGS_H

#include <stdbool.h>
#include <stddef.h>

enum { BOOT_ARGS_MAX = 1024 };

/* Looks `name` up in `line` and stores its value, as PE_parse_boot_argn does:
 * `-name` and a bare `name` store the integer 1; a number (decimal, 0x, 0b, leading 0 octal, suffix
 * K, M or G, minus sign) stores min(size, 8) bytes of it; anything else, and any value whose name
 * starts with '_', is copied as a string and cut to size - 1 characters. The whole word must match.
 * Returns whether the name was found; `value` is untouched when not. */
bool boot_args_find(const char *line, const char *name, void *value, size_t size);

/* Sets the boot argument line (copied, cut at BOOT_ARGS_MAX - 1). Call before drivers run. */
void boot_args_set(const char *line);

/* The line that was set, never NULL. */
const char *boot_args_line(void);

#endif
