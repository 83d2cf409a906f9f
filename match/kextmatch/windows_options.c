/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/kextmatch/windows_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *windows_architecture(const char *name)
{
    static const char *const names[][2] = { { "x86_64", "amd64" }, { "i386", "x86" } };
    size_t index;

    for (index = 0; index < sizeof names / sizeof *names; index++)
        if (strcmp(name, names[index][0]) == 0)
            return names[index][1];
    return name;
}

static bool parse_number(const char *option, const char *text, int base, unsigned *number)
{
    char *end;

    *number = (unsigned)strtoul(text, &end, base);
    if (end != text && *end == '\0')
        return true;
    fprintf(stderr, "kextmatch: --%s: \"%s\" is no number\n", option, text);
    return false;
}

bool windows_options(const struct session *session, struct inf_target *target,
                     struct inf_options *options)
{
    const struct options *given = &session->options;

    *target =
        (struct inf_target){ windows_architecture(session->architecture), 10, 0, 26100, 0, 0 };
    *options = (struct inf_options){ .architecture = target->architecture };
    if (given->windows != NULL &&
        sscanf(given->windows, "%u.%u.%u.%u.%x", &target->major, &target->minor, &target->build,
               &target->product, &target->suite) < 2) {
        fprintf(stderr, "kextmatch: --windows: \"%s\" is no MAJOR.MINOR.BUILD\n", given->windows);
        return false;
    }
    if (given->code_page != NULL &&
        !parse_number("code-page", given->code_page, 10, &options->code_page))
        return false;
    if (options->code_page != 0 && options->code_page != 1252 && options->code_page != 28591) {
        fprintf(stderr, "kextmatch: --code-page: 1252 and 28591 are known\n");
        return false;
    }
    return given->language == NULL ||
           parse_number("language", given->language, 16, &options->language);
}
