/* SPDX-License-Identifier: BSD-3-Clause */
/* Command-line options: --name VALUE, --name=VALUE, --flag, and what is left over. */
#ifndef MACHV_SETUP_HVSETUP_OPTIONS_H
#define MACHV_SETUP_HVSETUP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "setup/data/support.h"
#include "setup/error.h"
#include "setup/report.h"

enum {
    OPTIONS_MAX = 64,
    EXIT_CLEAN = 0,
    EXIT_FINDINGS = 1,   /* findings, or a refusal */
    EXIT_UNREADABLE = 2, /* wrong usage, or something that cannot be read or written */
};

struct options {
    const char *names[OPTIONS_MAX];
    const char *values[OPTIONS_MAX]; /* "" for a flag */
    size_t count;
    const char *positional[OPTIONS_MAX];
    size_t positional_count;
};

/* `known` lists the names separated by spaces; a name that takes a value ends in '='. */
bool options_parse(struct options *options, int argc, char **argv, const char *known,
                   struct setup_error *error);
/* The last value given, NULL when the option was not. */
const char *option(const struct options *options, const char *name);
/* Copies all values of an option, at most `capacity`; returns their number. */
size_t option_all(const struct options *options, const char *name, const char **values,
                  size_t capacity);
/* A decimal number within bounds; `fallback` when the option was not given. */
bool option_number(const struct options *options, const char *name, unsigned low, unsigned high,
                   unsigned fallback, unsigned *number, struct setup_error *error);

#define TARGET_OPTIONS "macos= host= gen= cpu= arch= processors= apple-id framebuffer "
#define OUTPUT_OPTIONS "json quiet data= help "

/* Reads the options of TARGET_OPTIONS. False: one is missing or unknown; the line lists the
 * choices. */
bool options_target(const struct options *options, struct target *target,
                    struct setup_error *error);
struct report_style options_style(const struct options *options);

/* ---- the commands; each returns an exit code ---- */
int command_build(const struct options *options);
int command_check(const struct options *options);
int command_doctor(const struct options *options);
int command_vm(const struct options *options);
int command_image(const struct options *options);

/* Prints "hvsetup: ..." on standard error, with --json also {"error": "..."} on standard output.
 * Returns `code`. */
int complain(const struct options *options, int code, const char *text);

#endif
