/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of descriptions: numbers, flags, texts, and complaints about them. */
#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/pci/description_internal.h"

int pci_complain(const struct pci_reader *reader, const char *format, ...)
{
    va_list arguments;
    int used = snprintf(reader->error, reader->error_size, "%s: ", reader->source);
    va_start(arguments, format);
    if (used >= 0 && (size_t)used < reader->error_size) {
        vsnprintf(reader->error + used, reader->error_size - (size_t)used, format, arguments);
    }
    va_end(arguments);
    return -EINVAL;
}

/* ---- Values ---- */

/* A number, or a text such as "0x10d3". Returns 0, or -EINVAL if it is neither, or too large. */
static int number_from(struct json_object *value, uint64_t most, uint64_t *number)
{
    if (json_object_is_type(value, json_type_int)) {
        const int64_t given = json_object_get_int64(value);
        *number = (uint64_t)given;
        return given >= 0 && *number <= most ? 0 : -EINVAL;
    }
    if (!json_object_is_type(value, json_type_string)) {
        return -EINVAL;
    }
    char *end;
    const char *text = json_object_get_string(value);
    errno = 0;
    *number = strtoull(text, &end, 0);
    return isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0 && *number <= most
               ? 0
               : -EINVAL;
}

int pci_read_number(const struct pci_reader *reader, struct json_object *members, const char *name,
                    uint64_t most, uint64_t *number)
{
    struct json_object *value;
    if (json_object_object_get_ex(members, name, &value) &&
        number_from(value, most, number) != 0) {
        return pci_complain(reader, "\"%s\" is a number from 0 to %llu, or a text such as \"0x1a\"",
                            name, (unsigned long long)most);
    }
    return 0;
}

int pci_read_flag(const struct pci_reader *reader, struct json_object *members, const char *name,
                  bool *flag)
{
    struct json_object *value;
    if (json_object_object_get_ex(members, name, &value)) {
        if (!json_object_is_type(value, json_type_boolean)) {
            return pci_complain(reader, "\"%s\" is true or false", name);
        }
        *flag = json_object_get_boolean(value);
    }
    return 0;
}

const char *pci_text(struct json_object *members, const char *name)
{
    struct json_object *value;
    return json_object_object_get_ex(members, name, &value) &&
                   json_object_is_type(value, json_type_string)
               ? json_object_get_string(value)
               : NULL;
}

bool pci_is_listed(const char *const *names, const char *name)
{
    for (; names != NULL && *names != NULL; names++) {
        if (strcmp(*names, name) == 0) {
            return true;
        }
    }
    return false;
}

int pci_check_members(const struct pci_reader *reader, struct json_object *members,
                      const char *const *known, const char *const *more)
{
    json_object_object_foreach(members, name, value) {
        if (!pci_is_listed(known, name) && !pci_is_listed(more, name)) {
            return pci_complain(reader, "there is no member \"%s\" here; docs/pci.md lists them",
                                name);
        }
    }
    return 0;
}
