/* SPDX-License-Identifier: BSD-3-Clause */
/* Binary property lists: libplist turns them into XML, which is then read as any other. */
#include "match/plist_file.h"

#include "match/plist_libplist.h"

#include <stdio.h>
#include <stdlib.h>

struct plist *plist_parse_binary(const void *bytes, size_t size, struct plist_diagnostic *error)
{
    const struct plist_reader lenient = { .lenient = true };
    struct plist *value;
    size_t length;
    char *text;

    if (!plist_check_binary(bytes, size, error))
        return NULL;
    text = libplist_binary_to_xml(bytes, size, &length);
    if (text == NULL) {
        snprintf(error->text, sizeof error->text, "libplist cannot read it");
        return NULL;
    }
    value = plist_parse_xml(text, length, &lenient, error);
    free(text);
    return value;
}
