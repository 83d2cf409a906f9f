/* SPDX-License-Identifier: BSD-3-Clause */
/* Compares a configuration with OpenCore's schema: types, sizes, missing and unknown keys. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "setup/check.h"
#include "setup/data/schema.h"
#include "setup/text.h"

struct schema_check {
    const struct config_document *document;
    struct report *report;
};

static void find(const struct schema_check *check, enum severity severity, const char *id,
                 const char *path, const char *reason, const char *fix)
{
    report_find(check->report, &(struct report_finding){severity, (char *)id, (char *)path,
                                                        (char *)reason, (char *)fix, false});
}

static const char *type_word(char type)
{
    switch (type) {
    case CONFIG_DICTIONARY: return "a dictionary";
    case CONFIG_ARRAY: return "an array";
    case CONFIG_STRING: return "a string";
    case CONFIG_DATA: return "data";
    case CONFIG_INTEGER: return "an integer";
    case CONFIG_BOOLEAN: return "a boolean";
    default: return "a real or a date";
    }
}

/* Hexadecimal digits that were pasted as text into data would match nothing. */
static bool is_hex_text(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!isxdigit(bytes[i])) {
            return false;
        }
    }
    return count >= 6 && count % 2 == 0;
}

static void check_data(const struct schema_check *check, const char *path, int node,
                       const char *type)
{
    uint8_t *bytes = NULL;
    size_t count = 0;
    if (!config_data(check->document, node, &bytes, &count)) {
        find(check, SEVERITY_ERROR, "schema-base64", path, "the data is not base64",
             "write the bytes as base64");
        return;
    }
    size_t wanted = strtoul(type + 1, NULL, 10);
    if (wanted != 0 && count != 0 && count != wanted) {
        char *reason = format_string("%zu bytes where OpenCore wants %zu", count, wanted);
        find(check, count > wanted ? SEVERITY_ERROR : SEVERITY_WARNING, "schema-size", path, reason,
             "give all the bytes, or none");
        free(reason);
    }
    if (is_hex_text(bytes, count)) {
        char *reason = format_string("the bytes spell \"%.*s\": hexadecimal digits stored as text",
                                     (int)count, (const char *)bytes);
        find(check, SEVERITY_WARNING, "schema-hex-text", path, reason,
             "convert the digits to bytes before the base64");
        free(reason);
    }
    free(bytes);
}

static void check_value(const struct schema_check *check, const char *path, int node,
                        const char *type)
{
    enum config_type is = config_type(check->document, node);
    int64_t number = 0;
    bool fits = type[0] == 'm' ? is == CONFIG_BOOLEAN || is == CONFIG_INTEGER ||
                                     is == CONFIG_STRING || is == CONFIG_DATA
                               : (char)is == type[0];
    if (!fits) {
        char *reason = format_string("%s where OpenCore wants %s", type_word((char)is),
                                     type[0] == 'm' ? "a boolean, integer, string or data"
                                                    : type_word(type[0]));
        find(check, SEVERITY_ERROR, "schema-type", path, reason, "give it the right type");
        free(reason);
    } else if (is == CONFIG_DATA) {
        check_data(check, path, node, type[0] == 'd' ? type : "d");
    } else if (is == CONFIG_INTEGER && !config_integer(check->document, node, &number)) {
        find(check, SEVERITY_ERROR, "schema-integer", path, "not a decimal number",
             "write it in decimal digits");
    }
}

static char *key_path(const char *path, const char *key)
{
    return format_string("%s%s%s", path, path[0] == '\0' ? "" : "->", key);
}

static bool key_is_known(const char *keys, const char *key)
{
    char name[64], type[8];
    while ((keys = schema_next_key(keys, name, type)) != NULL) {
        if (strcmp(name, key) == 0 || strcmp(name, "*") == 0) {
            return true;
        }
    }
    return false;
}

static void check_unknown(const struct schema_check *check, const char *path, int dictionary,
                          const char *keys)
{
    for (int child = config_first(check->document, dictionary); child != CONFIG_NONE;
         child = config_next(check->document, child)) {
        const char *key = config_key(check->document, child);
        if (key[0] != '#' && !key_is_known(keys, key)) {
            char *child_path = key_path(path, key);
            find(check, SEVERITY_NOTE, "schema-unknown", child_path,
                 "not in the schema of OpenCore 1.0.8; another release may know it", "");
            free(child_path);
        }
    }
}

static void check_dictionary(const struct schema_check *check, const char *path, int dictionary,
                             const char *keys)
{
    if (config_type(check->document, dictionary) != CONFIG_DICTIONARY) {
        find(check, SEVERITY_ERROR, "schema-type", path, "not a dictionary",
             "give it the right type");
        return;
    }
    check_unknown(check, path, dictionary, keys);
    char name[64], type[8];
    while ((keys = schema_next_key(keys, name, type)) != NULL) {
        if (strcmp(name, "*") == 0) {
            for (int child = config_first(check->document, dictionary); child != CONFIG_NONE;
                 child = config_next(check->document, child)) {
                char *child_path = key_path(path, config_key(check->document, child));
                check_value(check, child_path, child, type);
                free(child_path);
            }
            continue;
        }
        char *child_path = key_path(path, name);
        int child = config_child(check->document, dictionary, name);
        if (child != CONFIG_NONE) {
            check_value(check, child_path, child, type);
        } else if (strchr(type, '?') == NULL && strchr(type, '*') == NULL) {
            find(check, SEVERITY_WARNING, "schema-missing", child_path, "OpenCore wants this key",
                 "copy it from the sample of the same release");
        }
        free(child_path);
    }
}

/* Every element of the array, or every child of the dictionary, that the section is about. */
static void check_each(const struct schema_check *check, const char *container_path,
                       const char *keys)
{
    int container = config_find(check->document, container_path);
    size_t index = 0;
    for (int child = config_first(check->document, container); child != CONFIG_NONE;
         child = config_next(check->document, child), index++) {
        const char *key = config_key(check->document, child);
        if (key != NULL && key[0] == '#') {
            continue;
        }
        char *path = key != NULL ? key_path(container_path, key)
                                 : format_string("%s[%zu]", container_path, index);
        check_dictionary(check, path, child, keys);
        free(path);
    }
}

void check_schema(const struct config_document *document, struct report *report)
{
    struct schema_check check = {document, report};
    for (size_t i = 0; i < schema_section_count; i++) {
        const struct schema_section *section = &schema_sections[i];
        size_t length = strlen(section->path);
        char *path = copy_string(section->path);
        if (length > 2 && strcmp(path + length - 2, "[]") == 0) {
            path[length - 2] = '\0';
            check_each(&check, path, section->keys);
        } else if (length > 3 && strcmp(path + length - 3, "->*") == 0) {
            path[length - 3] = '\0';
            check_each(&check, path, section->keys);
        } else {
            int node = config_find(document, path);
            if (node != CONFIG_NONE && config_type(document, node) == CONFIG_DICTIONARY) {
                check_dictionary(&check, path, node, section->keys);
            }
        }
        free(path);
    }
}
