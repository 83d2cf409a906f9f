/* SPDX-License-Identifier: BSD-3-Clause */
/* Words of the integration services' commands. */
#include "host/hvctl/services.h"

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

static void add_true(struct json_object *arguments, const char *name)
{
    json_object_object_add(arguments, name, json_object_new_boolean(true));
}

/* An option: a flag, or one with a value behind it. */
struct option {
    const char *word, *member;
    bool has_value;
};

/* Takes the options out of the words, wherever they stand; returns how many words are left. */
static int take_options(int count, char **words, const struct option *options, unsigned known,
                        struct json_object *arguments)
{
    int left = 0;
    for (int i = 0; i < count; i++) {
        unsigned found = 0;
        while (found < known && strcmp(words[i], options[found].word) != 0) {
            found++;
        }
        if (found == known) {
            if (strncmp(words[i], "--", 2) == 0) {
                return -1;
            }
            words[left++] = words[i];
        } else if (!options[found].has_value) {
            add_true(arguments, options[found].member);
        } else if (i + 1 < count) {
            add_text(arguments, options[found].member, words[++i]);
        } else {
            return -1;
        }
    }
    return left;
}

static int take_shutdown_options(int count, char **words, struct json_object *arguments)
{
    static const struct option options[] = {{"--force", "force", false},
                                            {"--hibernate", "hibernate", false},
                                            {"--reason", "reason", true}};
    return take_options(count, words, options, 3, arguments) == 0 ? 0 : -1;
}

int hvctl_read_shutdown(int count, char **words, struct json_object *arguments)
{
    return take_shutdown_options(count, words, arguments);
}

int hvctl_read_restart(int count, char **words, struct json_object *arguments)
{
    add_true(arguments, "restart");
    return take_shutdown_options(count, words, arguments);
}

int hvctl_read_time(int count, char **words, struct json_object *arguments)
{
    char *end;
    if (count == 0) {
        return 0;
    }
    if (count != 2 || strcmp(words[0], "--skew") != 0) {
        return -1;
    }
    double skew = strtod(words[1], &end);
    json_object_object_add(arguments, "skew", json_object_new_double(skew));
    return end != words[1] && *end == '\0' ? 0 : -1;
}

int hvctl_read_resumed(int count, char **words, struct json_object *arguments)
{
    char *end;
    if (count != 1) {
        return -1;
    }
    double seconds = strtod(words[0], &end);
    json_object_object_add(arguments, "seconds", json_object_new_double(seconds));
    return end != words[0] && *end == '\0' ? 0 : -1;
}

int hvctl_read_copy_file(int count, char **words, struct json_object *arguments)
{
    static const struct option options[] = {{"--create-path", "create_path", false},
                                            {"--force", "force", false}};
    char path[PATH_MAX], folder[PATH_MAX];
    if (take_options(count, words, options, 2, arguments) != 2) {
        return -1;
    }
    /* The host has a working directory of its own; what is not there it refuses by its whole
     * name. */
    if (realpath(words[0], path) == NULL &&
        (words[0][0] == '/' || getcwd(folder, sizeof(folder)) == NULL ||
         snprintf(path, sizeof(path), "%s/%s", folder, words[0]) >= (int)sizeof(path))) {
        snprintf(path, sizeof(path), "%s", words[0]);
    }
    add_text(arguments, "source", path);
    add_text(arguments, "destination", words[1]);
    return 0;
}

static int read_kvp(const char *action, int count, char **words, int wanted,
                    struct json_object *arguments)
{
    static const struct option options[] = {{"--pool", "pool", true}};
    int left = take_options(count, words, options, 1, arguments);
    add_text(arguments, "action", action);
    if (left != wanted) {
        return -1;
    }
    if (wanted > 0) {
        add_text(arguments, "key", words[0]);
    }
    if (wanted > 1) {
        add_text(arguments, "value", words[1]);
    }
    return 0;
}

int hvctl_read_kvp_get(int count, char **words, struct json_object *arguments)
{
    return read_kvp("get", count, words, 1, arguments);
}

int hvctl_read_kvp_set(int count, char **words, struct json_object *arguments)
{
    return read_kvp("set", count, words, 2, arguments);
}

int hvctl_read_kvp_add(int count, char **words, struct json_object *arguments)
{
    return read_kvp("add", count, words, 2, arguments);
}

int hvctl_read_kvp_list(int count, char **words, struct json_object *arguments)
{
    return read_kvp("list", count, words, 0, arguments);
}

int hvctl_read_kvp_remove(int count, char **words, struct json_object *arguments)
{
    return read_kvp("remove", count, words, 1, arguments);
}

int hvctl_read_ip(int count, char **words, struct json_object *arguments)
{
    static const struct option options[] = {
        {"--dhcp", "dhcp", false},         {"--addresses", "addresses", true},
        {"--subnets", "subnets", true},    {"--gateways", "gateways", true},
        {"--dns", "dns", true},
    };
    if (take_options(count, words, options, 5, arguments) != 1) {
        return -1;
    }
    if (json_object_object_length(arguments) > 0) {
        add_true(arguments, "set");
    }
    add_text(arguments, "adapter", words[0]);
    return 0;
}

int hvctl_read_freeze(int count, char **words, struct json_object *arguments)
{
    add_text(arguments, "action", "freeze");
    return count == 0 ? 0 : -1;
}

int hvctl_read_thaw(int count, char **words, struct json_object *arguments)
{
    add_text(arguments, "action", "thaw");
    return count == 0 ? 0 : -1;
}

int hvctl_read_enable(int count, char **words, struct json_object *arguments)
{
    if (count != 1) {
        return -1;
    }
    add_true(arguments, "on");
    add_text(arguments, "service", words[0]);
    return 0;
}

int hvctl_read_disable(int count, char **words, struct json_object *arguments)
{
    if (count != 1) {
        return -1;
    }
    add_text(arguments, "service", words[0]);
    return 0;
}

/* ---- Progress ---- */

enum { BAR_WIDTH = 40 };
static bool bar_shown;

void hvctl_show_progress(struct json_object *event)
{
    struct json_object *name, *bytes, *size;
    if (!isatty(STDERR_FILENO) || !json_object_object_get_ex(event, "event", &name) ||
        strcmp(json_object_get_string(name), "copy-progress") != 0 ||
        !json_object_object_get_ex(event, "bytes", &bytes) ||
        !json_object_object_get_ex(event, "size", &size) || json_object_get_uint64(size) == 0) {
        return;
    }
    double share = (double)json_object_get_uint64(bytes) / (double)json_object_get_uint64(size);
    int filled = (int)(share * BAR_WIDTH);
    fprintf(stderr, "\r[%.*s%*s] %3d %%", filled, "########################################",
            BAR_WIDTH - filled, "", (int)(share * 100));
    bar_shown = true;
}

void hvctl_end_progress(void)
{
    if (bar_shown) {
        fputc('\n', stderr);
        bar_shown = false;
    }
}
