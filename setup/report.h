/* SPDX-License-Identifier: BSD-3-Clause */
/* What a run decided and found, printed for people or as JSON. */
#ifndef MACHV_SETUP_REPORT_H
#define MACHV_SETUP_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR };

struct report_decision {
    char *what;  /* a key path or a file */
    char *value; /* may be empty */
    char *why;
};

struct report_finding {
    enum severity severity;
    char *id; /* stable; named after the row or rule that found it */
    char *path;
    char *reason;
    char *fix;
    bool fixable; /* `check --fix` knows how */
};

struct report {
    struct report_decision *decisions;
    size_t decision_count;
    struct report_finding *findings;
    size_t finding_count;
};

/* Adds a decision; all texts are copied. */
void report_decide(struct report *report, const char *what, const char *value, const char *why);
/* Adds a finding; all texts are copied. */
void report_find(struct report *report, const struct report_finding *finding);
/* Findings that are more than notes. */
size_t report_problem_count(const struct report *report);
const char *severity_name(enum severity severity);

struct report_style {
    bool json;
    bool quiet;  /* decisions and notes are left out */
    bool colour; /* for a terminal */
};

/* Decisions in the order in which they were made, then findings. */
void report_print(const struct report *report, const struct report_style *style, FILE *stream);
void report_free(struct report *report);

#endif
