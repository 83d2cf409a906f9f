/* SPDX-License-Identifier: BSD-3-Clause */
/* Command-line options. */
#include "setup/hvsetup/options.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "setup/text.h"

int complain(const struct options *options, int code, const char *text)
{
    fprintf(stderr, "hvsetup: %s\n", text);
    if (option(options, "json") != NULL) {
        struct json_object *root = json_object_new_object();
        json_object_object_add(root, "error", json_object_new_string(text));
        puts(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
                                                      JSON_C_TO_STRING_NOSLASHESCAPE));
        json_object_put(root);
    }
    return code;
}

/* Looks a name up in the list. Returns its own spelling, or NULL. */
static const char *find_known(const char *known, const char *name, size_t length, bool *takes_value)
{
    for (const char *at = known; *at != '\0';) {
        size_t word = strcspn(at, " ");
        *takes_value = word > 0 && at[word - 1] == '=';
        if (word - *takes_value == length && strncmp(at, name, length) == 0) {
            return at;
        }
        at += word + strspn(at + word, " ");
    }
    return NULL;
}

static bool parse_option(struct options *options, int argc, char **argv, int *index,
                         const char *known, struct setup_error *error)
{
    const char *name = argv[*index] + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals == NULL ? strlen(name) : (size_t)(equals - name);
    bool takes_value = false;
    if (find_known(known, name, length, &takes_value) == NULL) {
        return setup_fail(error, "no such option: %s (see hvsetup --help)", argv[*index]);
    }
    const char *value = equals == NULL ? "" : equals + 1;
    if (takes_value && equals == NULL) {
        if (*index + 1 >= argc) {
            return setup_fail(error, "%s needs a value", argv[*index]);
        }
        value = argv[++*index];
    } else if (!takes_value && equals != NULL) {
        return setup_fail(error, "--%.*s takes no value", (int)length, name);
    }
    options->names[options->count] = name;
    options->values[options->count++] = value;
    return true;
}

bool options_parse(struct options *options, int argc, char **argv, const char *known,
                   struct setup_error *error)
{
    memset(options, 0, sizeof *options);
    bool only_files = false;
    for (int i = 0; i < argc; i++) {
        if (options->count == OPTIONS_MAX || options->positional_count == OPTIONS_MAX) {
            return setup_fail(error, "too many arguments");
        }
        if (!only_files && strcmp(argv[i], "--") == 0) {
            only_files = true;
        } else if (!only_files && strncmp(argv[i], "--", 2) == 0) {
            if (!parse_option(options, argc, argv, &i, known, error)) {
                return false;
            }
        } else {
            options->positional[options->positional_count++] = argv[i];
        }
    }
    return true;
}

static bool name_is(const char *given, const char *name)
{
    size_t length = strlen(name);
    return strncmp(given, name, length) == 0 && (given[length] == '\0' || given[length] == '=');
}

const char *option(const struct options *options, const char *name)
{
    for (size_t i = options->count; i > 0; i--) {
        if (name_is(options->names[i - 1], name)) {
            return options->values[i - 1];
        }
    }
    return NULL;
}

size_t option_all(const struct options *options, const char *name, const char **values,
                  size_t capacity)
{
    size_t count = 0;
    for (size_t i = 0; i < options->count && count < capacity; i++) {
        if (name_is(options->names[i], name)) {
            values[count++] = options->values[i];
        }
    }
    return count;
}

bool option_number(const struct options *options, const char *name, unsigned low, unsigned high,
                   unsigned fallback, unsigned *number, struct setup_error *error)
{
    const char *text = option(options, name);
    *number = fallback;
    if (text == NULL) {
        return true;
    }
    char *end = NULL;
    unsigned long value = strtoul(text, &end, 10);
    if (end == text || *end != '\0' || text[0] == '-' || value < low || value > high) {
        return setup_fail(error, "--%s %s: a number from %u to %u is meant (no unit)", name, text,
                          low, high);
    }
    *number = (unsigned)value;
    return true;
}

static bool fail_with_choices(struct setup_error *error, const char *name, const char *given,
                              struct text *choices)
{
    bool failed = given == NULL
                      ? setup_fail(error, "--%s is missing: %s", name, choices->bytes)
                      : setup_fail(error, "--%s %s is unknown: %s", name, given, choices->bytes);
    text_free(choices);
    return failed;
}

static bool read_macos(const struct options *options, struct target *target,
                       struct setup_error *error)
{
    const char *given = option(options, "macos");
    target->macos = given == NULL ? NULL : find_macos(given);
    if (target->macos != NULL) {
        return true;
    }
    struct text choices = {0};
    for (size_t i = 0; i < macos_release_count; i++) {
        text_format(&choices, "%s%s", i == 0 ? "" : " ", macos_releases[i].version);
    }
    return fail_with_choices(error, "macos", given, &choices);
}

static bool read_host(const struct options *options, struct target *target,
                      struct setup_error *error)
{
    const char *given = option(options, "host");
    target->host = given == NULL ? NULL : find_host(given);
    if (target->host != NULL) {
        return true;
    }
    struct text choices = {0};
    for (size_t i = 0; i < windows_host_count; i++) {
        text_format(&choices, "%s%s%s%s", i == 0 ? "" : " ", windows_hosts[i].id,
                    windows_hosts[i].aliases[0] == '\0' ? "" : " ", windows_hosts[i].aliases);
    }
    return fail_with_choices(error, "host", given, &choices);
}

static bool read_processor(const struct options *options, struct target *target,
                           struct setup_error *error)
{
    const char *given = option(options, "cpu");
    target->processor = given == NULL ? NULL : find_processor(given);
    if (given == NULL || target->processor != NULL) {
        return true;
    }
    struct text choices = {0};
    for (size_t i = 0; i < processor_count; i++) {
        text_format(&choices, "%s%s", i == 0 ? "" : " ", processors[i].id);
    }
    return fail_with_choices(error, "cpu", given, &choices);
}

bool options_target(const struct options *options, struct target *target, struct setup_error *error)
{
    memset(target, 0, sizeof *target);
    if (!read_macos(options, target, error) || !read_host(options, target, error) ||
        !read_processor(options, target, error) ||
        !option_number(options, "gen", 1, 2, 2, &target->generation, error) ||
        !option_number(options, "processors", 1, 240, 0, &target->vm_processors, error)) {
        return false;
    }
    const char *arch = option(options, "arch");
    target->kernel = target->macos->kernel64 ? KERNEL_64 : KERNEL_32;
    if (arch != NULL && strcmp(arch, "i386") != 0 && strcmp(arch, "x86_64") != 0) {
        return setup_fail(error, "--arch %s is unknown: i386 x86_64", arch);
    }
    if (arch != NULL) {
        target->kernel = strcmp(arch, "i386") == 0 ? KERNEL_32 : KERNEL_64;
    }
    target->apple_id = option(options, "apple-id") != NULL;
    target->framebuffer = option(options, "framebuffer") != NULL;
    return true;
}

struct report_style options_style(const struct options *options)
{
    return (struct report_style){
        .json = option(options, "json") != NULL,
        .quiet = option(options, "quiet") != NULL,
        .colour = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == NULL,
    };
}
