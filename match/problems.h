/* SPDX-License-Identifier: BSD-3-Clause */
/* What was wrong with an input: kept as a list, so that the rest of the input can still be used. */
#ifndef MACHV_MATCH_PROBLEMS_H
#define MACHV_MATCH_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

enum problem_severity { PROBLEM_NOTE, PROBLEM_WARNING, PROBLEM_ERROR };

enum { PROBLEM_TEXT_SIZE = 320, PROBLEMS_KEPT = 1000 };

struct problem {
    enum problem_severity severity;
    char *place;   /* file or argument; owned */
    size_t line;   /* from 1; 0 when there is none */
    size_t offset; /* bytes from the start, for files without lines */
    bool has_offset;
    unsigned times; /* how often the same text was reported for the same place */
    char text[PROBLEM_TEXT_SIZE];
};

struct problems {
    struct problem *list;
    size_t count;
    size_t dropped; /* over PROBLEMS_KEPT */
    size_t errors;  /* dropped ones too */
};

/* Adds one. A text that was said of the same place just before is counted there instead of
 * repeated. `problems` may be NULL. */
void problems_add(struct problems *problems, enum problem_severity severity, const char *place,
                  size_t line, const char *format, ...) __attribute__((format(printf, 5, 6)));
void problems_add_at_offset(struct problems *problems, enum problem_severity severity,
                            const char *place, size_t offset, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void problems_clear(struct problems *problems);

/* "note", "warning", "error". */
const char *problem_severity_name(enum problem_severity severity);

#endif
