/* SPDX-License-Identifier: BSD-3-Clause */
/* Between OSString, OSSymbol and the serialisers. */
#ifndef MACHV_XNU_LIBKERN_STRING_PRIVATE_H
#define MACHV_XNU_LIBKERN_STRING_PRIVATE_H

#include "abi/OSSerialize.h"
#include "abi/OSString.h"

#include <stdbool.h>

enum {
    STRING_NO_COPY = 1,              /* flags: the text is the caller's */
    STRING_SIZE_MAX = (1 << 18) - 1, /* with the NUL; kMaxStringLength, 10.12 and later */
};

/* The private part of an OSString or OSSymbol, as macOS 10.12 and later lay it out. Drivers
 * cannot see it; older releases had the same fields in another order. */
struct string_layout {
    OSObject object;
    char *text;
    unsigned flags;
    unsigned size;                  /* with the NUL */
};

_Static_assert(sizeof(OSString) == sizeof(struct string_layout), "room of OSString");

static inline struct string_layout *string_of(const void *string)
{
    return (struct string_layout *)string;
}

/* Writes text with the three entities of the kernel's dialect. */
bool string_serialize_text(const char *text, OSSerialize *serializer);

#endif
