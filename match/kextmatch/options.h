/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line: one table of options for all commands. */
#ifndef MACHV_MATCH_KEXTMATCH_OPTIONS_H
#define MACHV_MATCH_KEXTMATCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* Exit statuses of every command. */
enum {
    STATUS_MATCHED = 0, /* matched, clean, done */
    STATUS_NOTHING = 1, /* no match, findings, not installed */
    STATUS_TROUBLE = 2, /* usage, or an input that could not be read */
};

enum command_bit {
    COMMAND_MATCH = 1 << 0,
    COMMAND_IDS = 1 << 1,
    COMMAND_WHO = 1 << 2,
    COMMAND_DEVICES = 1 << 3,
    COMMAND_LINT = 1 << 4,
    COMMAND_INF = 1 << 5,
    COMMAND_CONVERT = 1 << 6,
    COMMAND_INSTALL = 1 << 7,
    COMMAND_UNINSTALL = 1 << 8,
    COMMAND_VERIFY = 1 << 9,
    COMMAND_ALL = (1 << 10) - 1,
};

struct string_list {
    const char **strings; /* borrowed from argv */
    size_t count;
};

struct options {
    bool help;
    bool json;
    bool quiet;
    bool all;
    bool explain;
    bool live;
    bool strict;
    bool no_plugins;
    bool dry_run;
    bool force;
    bool install_rules;
    bool rules;
    bool list_a;
    bool all_models;
    const char *macos;
    const char *architecture;
    const char *pci_ids;
    const char *sysfs;
    const char *root;
    const char *owner;
    const char *windows;
    const char *code_page;
    const char *language;
    const char *express;
    const char *bundle_id;
    const char *class_name;
    const char *limit;
    struct string_list kexts;
    struct string_list devices;
    struct string_list names;
    struct string_list select;
    struct string_list operands;
};

/* Parses the arguments behind the command's name. Returns false after a message on standard error.
 */
bool options_parse(struct options *options, enum command_bit command, int count, char **arguments);
void options_clear(struct options *options);
/* Prints the options of a command, one a line. */
void options_describe(enum command_bit command);

#endif
