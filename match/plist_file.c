/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/plist_file.h"

#include "match/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct place {
    const char *path;
    struct problems *problems;
};

static void warn(void *context, const struct plist_diagnostic *warning)
{
    const struct place *place = context;

    problems_add(place->problems, PROBLEM_WARNING, place->path, warning->line, "%s", warning->text);
}

bool plist_looks_binary(const char *bytes, size_t size)
{
    return size >= 8 && memcmp(bytes, "bplist", 6) == 0;
}

static struct plist *read_binary(const char *bytes, size_t size, const char *path,
                                 enum plist_file_mode mode, struct problems *problems)
{
    struct plist_diagnostic error = { 0 };
    struct plist *value;

    if (mode == PLIST_FILE_STRICT) {
        problems_add(problems, PROBLEM_ERROR, path, 0,
                     "a binary property list: the kernel reads XML only");
        return NULL;
    }
    value = plist_parse_binary(bytes, size, &error);
    if (value == NULL)
        problems_add_at_offset(problems, PROBLEM_ERROR, path, error.offset, "%s", error.text);
    return value;
}

struct plist *plist_read(const char *bytes, size_t size, const char *path,
                         enum plist_file_mode mode, struct problems *problems)
{
    struct place place = { path, problems };
    struct plist_reader reader = { mode == PLIST_FILE_LENIENT, warn, &place };
    struct plist_diagnostic error = { 0 };
    struct plist *value;

    if (plist_looks_binary(bytes, size))
        return read_binary(bytes, size, path, mode, problems);
    value = plist_parse_xml(bytes, size, &reader, &error);
    if (value == NULL)
        problems_add(problems, PROBLEM_ERROR, path, error.line, "column %u: %s", error.column,
                     error.text);
    return value;
}

struct plist *plist_read_file(const char *path, enum plist_file_mode mode,
                              struct problems *problems)
{
    size_t size;
    char *bytes = file_read(path, PLIST_SIZE_MAX, &size);
    struct plist *value;

    if (bytes == NULL) {
        problems_add(problems, PROBLEM_ERROR, path, 0, "cannot be read: %s", strerror(errno));
        return NULL;
    }
    value = plist_read(bytes, size, path, mode, problems);
    free(bytes);
    return value;
}
