/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/plist_libplist.h"

#include <plist/plist.h>
#include <stdlib.h>
#include <string.h>

/* Its own memory functions need not be ours. */
static char *take(char *made, uint32_t made_length, size_t *length)
{
    char *copy = made == NULL ? NULL : malloc((size_t)made_length + 1);

    if (copy != NULL) {
        memcpy(copy, made, made_length);
        copy[made_length] = '\0';
        *length = made_length;
    }
    if (made != NULL)
        plist_to_xml_free(made);
    return copy;
}

char *libplist_binary_to_xml(const void *bytes, size_t size, size_t *length)
{
    plist_t node = NULL;
    char *text = NULL;
    uint32_t made = 0;

    if (size > UINT32_MAX)
        return NULL;
    plist_from_bin(bytes, (uint32_t)size, &node);
    if (node != NULL)
        plist_to_xml(node, &text, &made);
    plist_free(node);
    return take(text, made, length);
}

char *libplist_xml_to_binary(const void *text, size_t size, size_t *length)
{
    plist_t node = NULL;
    char *bytes = NULL;
    uint32_t made = 0;

    if (size > UINT32_MAX)
        return NULL;
    plist_from_xml(text, (uint32_t)size, &node);
    if (node != NULL)
        plist_to_bin(node, &bytes, &made);
    plist_free(node);
    return take(bytes, made, length);
}
