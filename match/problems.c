/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool was_said(struct problems *problems, const struct problem *problem, const char *place)
{
    size_t index = problems->count;

    while (index > 0 && problems->count - index < 16) {
        struct problem *earlier = &problems->list[--index];

        if (earlier->severity == problem->severity && strcmp(earlier->text, problem->text) == 0 &&
            strcmp(earlier->place, place) == 0) {
            earlier->times++;
            return true;
        }
    }
    return false;
}

static void add(struct problems *problems, struct problem *problem, const char *place)
{
    struct problem *grown;

    problems->errors += problem->severity == PROBLEM_ERROR;
    if (was_said(problems, problem, place))
        return;
    if (problems->count == PROBLEMS_KEPT) {
        problems->dropped++;
        return;
    }
    grown = realloc(problems->list, (problems->count + 1) * sizeof *grown);
    if (grown == NULL)
        return;
    problems->list = grown;
    problem->place = strdup(place);
    if (problem->place != NULL)
        grown[problems->count++] = *problem;
}

/* Adds `problem` with the text that the format makes. */
__attribute__((format(printf, 4, 0))) static void
add_text(struct problems *problems, struct problem *problem, const char *place, const char *format,
         va_list arguments)
{
    if (problems == NULL)
        return;
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
    add(problems, problem, place);
}

void problems_add(struct problems *problems, enum problem_severity severity, const char *place,
                  size_t line, const char *format, ...)
{
    struct problem problem = { .severity = severity, .line = line, .times = 1 };
    va_list arguments;

    va_start(arguments, format);
    add_text(problems, &problem, place, format, arguments);
    va_end(arguments);
}

void problems_add_at_offset(struct problems *problems, enum problem_severity severity,
                            const char *place, size_t offset, const char *format, ...)
{
    struct problem problem = {
        .severity = severity, .offset = offset, .has_offset = true, .times = 1
    };
    va_list arguments;

    va_start(arguments, format);
    add_text(problems, &problem, place, format, arguments);
    va_end(arguments);
}

void problems_clear(struct problems *problems)
{
    size_t index;

    for (index = 0; index < problems->count; index++)
        free(problems->list[index].place);
    free(problems->list);
    *problems = (struct problems){ 0 };
}

const char *problem_severity_name(enum problem_severity severity)
{
    static const char *const names[] = { "note", "warning", "error" };

    return names[severity];
}
