/* SPDX-License-Identifier: BSD-3-Clause */
/* The one use of libplist, behind types that do not collide with its names. */
#ifndef MACHV_MATCH_PLIST_LIBPLIST_H
#define MACHV_MATCH_PLIST_LIBPLIST_H

#include <stddef.h>

/* XML text of a binary property list, for free(); NULL when libplist refuses it. */
char *libplist_binary_to_xml(const void *bytes, size_t size, size_t *length);
/* XML out and in again, for comparisons in tests; NULL when libplist refuses the text. */
char *libplist_xml_to_binary(const void *text, size_t size, size_t *length);

#endif
