/* SPDX-License-Identifier: BSD-3-Clause */
/* Matches a log with the table of boot hangs. */
#include "setup/doctor.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "setup/data/boot_hangs.h"
#include "setup/text.h"

enum { LAST_LINES = 12 };

/* Without the NUL bytes of UTF-16 and other control characters. The caller frees it. */
static char *plain_text(const char *text, size_t size)
{
    struct text plain = {0};
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte == '\n' || byte == '\t' || (byte >= ' ' && byte < 0x7F)) {
            text_add(&plain, &byte, 1);
        }
    }
    return text_take(&plain);
}

/* Where the last lines that say something begin. */
static const char *last_lines(const char *text)
{
    const char *at = text + strlen(text);
    unsigned lines = 0;
    bool something = false;
    while (at > text && lines < LAST_LINES) {
        at--;
        if (*at == '\n') {
            lines += something;
            something = false;
        } else if (!isspace((unsigned char)*at)) {
            something = true;
        }
    }
    return at;
}

/* The line that holds `at`, shortened; the caller frees it. */
static char *line_at(const char *text, const char *at)
{
    const char *start = at;
    while (start > text && start[-1] != '\n') {
        start--;
    }
    size_t length = strcspn(start, "\n");
    return format_string("%.*s", (int)(length > 120 ? 120 : length), start);
}

/* The last place of the pattern, in any case; NULL when it is nowhere. */
static const char *find_pattern(const char *text, const char *pattern)
{
    const char *found = NULL;
    for (const char *at = strcasestr(text, pattern); at != NULL; at = strcasestr(at + 1, pattern)) {
        found = at;
    }
    return found;
}

static const char *match(const char *text, const char *end, const struct boot_hang *hang)
{
    if (hang->also != NULL && find_pattern(text, hang->also) == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < HANG_PATTERNS_MAX && hang->patterns[i] != NULL; i++) {
        const char *found = find_pattern(hang->at_end ? end : text, hang->patterns[i]);
        if (found != NULL) {
            return found;
        }
    }
    return NULL;
}

static void name_version(const char *text, const char *marker, const char *what,
                         struct report *report)
{
    const char *found = find_pattern(text, marker);
    if (found != NULL) {
        char *line = line_at(text, found);
        report_decide(report, what, line, "named in the log");
        free(line);
    }
}

void doctor_examine(const char *text, size_t size, struct report *report)
{
    char *plain = plain_text(text, size);
    const char *end = last_lines(plain);
    name_version(plain, "opencore rel-", "OpenCore", report);
    name_version(plain, "opencore dbg-", "OpenCore", report);
    name_version(plain, "darwin kernel version", "Kernel", report);
    for (size_t i = 0; i < boot_hang_count; i++) {
        const struct boot_hang *hang = &boot_hangs[i];
        const char *found = match(plain, end, hang);
        if (found == NULL) {
            continue;
        }
        char *line = line_at(plain, found);
        char *reason = format_string("%s (seen: %s)", hang->cause, line);
        report_find(report,
                    &(struct report_finding){hang->severity, (char *)hang->id, (char *)hang->path,
                                             reason, (char *)hang->cure, false});
        free(reason);
        free(line);
    }
    free(plain);
}
