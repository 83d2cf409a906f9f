/* SPDX-License-Identifier: BSD-3-Clause */
/* hvctl type-text, key, mouse, screenshot and display. */
#include "host/hvctl/console_commands.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void add_text(struct json_object *arguments, const char *name, const char *text)
{
    json_object_object_add(arguments, name, json_object_new_string(text));
}

int hvctl_read_type_text(int count, char **words, struct json_object *arguments)
{
    if (count != 1) {
        return -1;
    }
    add_text(arguments, "text", words[0]);
    return 0;
}

int hvctl_read_key(int count, char **words, struct json_object *arguments)
{
    if (count != 1 && count != 2) {
        return -1;
    }
    add_text(arguments, "keys", words[0]);
    if (count == 2) {
        add_text(arguments, "way", words[1]);
    }
    return 0;
}

static int add_number(struct json_object *arguments, const char *name, const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);
    json_object_object_add(arguments, name, json_object_new_int64(number));
    return end == text || *end != '\0' ? -1 : 0;
}

int hvctl_read_mouse(int count, char **words, struct json_object *arguments)
{
    if (count != (count > 0 && strcmp(words[0], "move") == 0 ? 3 : 2)) {
        return -1;
    }
    add_text(arguments, "action", words[0]);
    return add_number(arguments, "first", words[1]) != 0 ||
                   (count == 3 && add_number(arguments, "second", words[2]) != 0)
               ? -1
               : 0;
}

/* "1920x1080" */
int hvctl_read_display_set(int count, char **words, struct json_object *arguments)
{
    int width, height, end = 0;
    if (count != 1 || sscanf(words[0], "%5dx%5d%n", &width, &height, &end) != 2 ||
        words[0][end] != '\0') {
        return -1;
    }
    json_object_object_add(arguments, "width", json_object_new_int(width));
    json_object_object_add(arguments, "height", json_object_new_int(height));
    return 0;
}

int hvctl_read_display_changes(int count, char **words, struct json_object *arguments)
{
    if (count != 1 || (strcmp(words[0], "guest") != 0 && strcmp(words[0], "monitor") != 0)) {
        return -1;
    }
    add_text(arguments, "changes", words[0]);
    return 0;
}

/* hvhost has another working directory: it gets the whole path. */
int hvctl_read_screenshot(int count, char **words, struct json_object *arguments)
{
    char folder[PATH_MAX], path[2 * PATH_MAX];
    if (count == 2 && strcmp(words[1], "--pointer") == 0) {
        json_object_object_add(arguments, "pointer", json_object_new_boolean(true));
    } else if (count != 1) {
        return -1;
    }
    if (words[0][0] == '/' || getcwd(folder, sizeof(folder)) == NULL) {
        add_text(arguments, "file", words[0]);
        return 0;
    }
    snprintf(path, sizeof(path), "%s/%s", folder, words[0]);
    add_text(arguments, "file", path);
    return 0;
}
