/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of files as the host writes them. */
#include "daemons/filecopy/name.h"

#include <string.h>

#include "protocol/utf16.h"

/* A surrogate alone reads as the replacement character; one that was really sent is no name
 * either. Control characters would make nonsense of logs and of the journal, and Windows has no
 * names with them. */
static bool is_printable(uint32_t character)
{
    return character >= ' ' && character != 0x7F && character != UTF16_REPLACEMENT;
}

static bool is_text(const uint8_t *units, size_t length)
{
    size_t at = 0;

    while (at < length)
        if (!is_printable(utf16_take(units, length, &at)))
            return false;
    return true;
}

bool file_name_read(const void *units, size_t count, char *to)
{
    const uint8_t *bytes = units;
    size_t length = 0;

    while (length < count && (bytes[2 * length] | bytes[2 * length + 1]) != 0)
        length++;
    if (length == count || length == 0 || !is_text(bytes, length))
        return false;
    utf16_to_utf8(units, count, to, FILE_NAME_MAX);
    return true;
}

bool file_name_is_plain(const char *name)
{
    return name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
           strchr(name, '/') == NULL && strlen(name) <= 255;
}

bool file_path_normalise(char *path)
{
    const char *at;

    for (char *c = path; *c != '\0'; c++)
        if (*c == '\\')
            *c = '/';
    if (((path[0] | 0x20) >= 'a' && (path[0] | 0x20) <= 'z') && path[1] == ':' && path[2] == '/')
        memmove(path, path + 2, strlen(path) - 1);
    if (path[0] != '/')
        return false;
    for (at = path; at != NULL; at = strchr(at + 1, '/')) {
        size_t length = strcspn(at + 1, "/");

        if ((length == 1 && at[1] == '.') || (length == 2 && at[1] == '.' && at[2] == '.'))
            return false;
    }
    return true;
}
