/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints a JSON value as indented lines. */
#include "host/hvctl/print.h"

#include <json-c/json.h>

enum { INDENT = 2, NAME_WIDTH = 18 };

static void print_value(FILE *to, const char *name, struct json_object *value, int indent);

static void print_members(FILE *to, struct json_object *object, int indent)
{
    json_object_object_foreach(object, name, value) {
        print_value(to, name, value, indent);
    }
}

static void print_list(FILE *to, const char *name, struct json_object *list, int indent)
{
    size_t count = json_object_array_length(list);
    fprintf(to, "%*s%s:%s\n", indent, "", name, count == 0 ? " none" : "");
    for (size_t i = 0; i < count; i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        if (json_object_is_type(item, json_type_object)) {
            fprintf(to, "%*s-\n", indent, "");
            print_members(to, item, indent + INDENT);
        } else {
            fprintf(to, "%*s- %s\n", indent, "", json_object_get_string(item));
        }
    }
}

static void print_value(FILE *to, const char *name, struct json_object *value, int indent)
{
    if (json_object_is_type(value, json_type_array)) {
        print_list(to, name, value, indent);
    } else if (json_object_is_type(value, json_type_object)) {
        fprintf(to, "%*s%s:\n", indent, "", name);
        print_members(to, value, indent + INDENT);
    } else if (json_object_is_type(value, json_type_double)) {
        fprintf(to, "%*s%-*s %.3f\n", indent, "", NAME_WIDTH, name, json_object_get_double(value));
    } else {
        fprintf(to, "%*s%-*s %s\n", indent, "", NAME_WIDTH, name, json_object_get_string(value));
    }
}

void hvctl_print(FILE *to, struct json_object *value)
{
    if (json_object_is_type(value, json_type_object)) {
        print_members(to, value, 0);
    }
}
