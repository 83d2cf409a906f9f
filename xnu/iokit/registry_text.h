/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the two forms in which the registry is printed. */
#ifndef MACHV_XNU_IOKIT_REGISTRY_TEXT_H
#define MACHV_XNU_IOKIT_REGISTRY_TEXT_H

#include "abi/IORegistryEntry.h"

#include <stddef.h>

struct text_output {
    void (*print)(void *context, const char *text, size_t length);
    void *context;
};

void text_write(struct text_output *output, const char *text);
/* One piece of at most 511 characters. */
void text_format(struct text_output *output, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The bytes of `data`, two lower-case digits each. */
void text_hexadecimal(struct text_output *output, OSData *data);
/* What an object of a class of its own (a medium, a block of statistics) says of itself, in plain
 * ones, +1; NULL: nothing. */
OSObject *text_copy_plain(OSObject *value);
/* A property's value as ioreg shows it. */
void text_value(struct text_output *output, OSObject *value, unsigned depth);

/* The tree as one JSON object: name, location, class, id, state, properties, children. */
void registry_print_json(struct text_output *output, const IORegistryPlane *plane);

#endif
