/* SPDX-License-Identifier: BSD-3-Clause */
/* hvsetup doctor */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "setup/doctor.h"
#include "setup/files.h"
#include "setup/hvsetup/options.h"
#include "setup/text.h"

enum { LOG_MAX = 64 << 20 };

static bool read_stream(FILE *stream, char **bytes, size_t *size, struct setup_error *error)
{
    struct text text = {0};
    char block[4096];
    size_t count = 0;
    while ((count = fread(block, 1, sizeof block, stream)) > 0 && text.length <= LOG_MAX) {
        text_add(&text, block, count);
    }
    *size = text.length;
    bool ok = text.length <= LOG_MAX && !ferror(stream);
    *bytes = text_take(&text);
    if (!ok) {
        free(*bytes);
        setup_fail(error, "the log cannot be read, or is larger than 64 MiB");
    }
    return ok;
}

int command_doctor(const struct options *options)
{
    struct setup_error error;
    char *bytes = NULL;
    size_t size = 0;
    if (options->positional_count != 1) {
        return complain(options, EXIT_UNREADABLE,
                        "doctor: one log file is meant, or - for the standard input");
    }
    const char *path = options->positional[0];
    bool ok = strcmp(path, "-") == 0 ? read_stream(stdin, &bytes, &size, &error)
                                     : file_read(path, LOG_MAX, &bytes, &size, &error);
    if (!ok) {
        return complain(options, EXIT_UNREADABLE, error.text);
    }
    struct report report = {0};
    struct report_style style = options_style(options);
    doctor_examine(bytes, size, &report);
    report_print(&report, &style, stdout);
    size_t problems = report_problem_count(&report);
    if (problems == 0 && !style.json && !style.quiet) {
        puts("nothing known in it; a log of OpenCore's DEBUG version with Misc->Debug->Target 67 "
             "says more");
    }
    report_free(&report);
    free(bytes);
    return problems == 0 ? EXIT_CLEAN : EXIT_FINDINGS;
}
