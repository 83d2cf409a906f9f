/* SPDX-License-Identifier: BSD-3-Clause */
#include "match/kextmatch/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { FLAG, VALUE, LIST };

struct row {
    const char *name;
    char letter; /* NUL for none */
    enum kind kind;
    size_t offset;
    unsigned commands;
    const char *argument;
    const char *help;
};

#define AT(member) offsetof(struct options, member)

enum {
    READS_KEXTS = COMMAND_MATCH | COMMAND_IDS | COMMAND_WHO | COMMAND_LINT | COMMAND_CONVERT |
                  COMMAND_INSTALL | COMMAND_UNINSTALL | COMMAND_VERIFY,
    READS_DEVICES = COMMAND_MATCH | COMMAND_WHO | COMMAND_DEVICES | COMMAND_INF,
};

static const struct row rows[] = {
    { "kext", 'k', LIST, AT(kexts),
      COMMAND_MATCH | COMMAND_WHO | COMMAND_LINT | COMMAND_INSTALL | COMMAND_VERIFY, "KEXT...",
      "bundles, folders of bundles, Info.plist files, in order of addition" },
    { "device", 'd', LIST, AT(devices), READS_DEVICES, "DEVICE...",
      "ids, names, or files that describe devices (\"-\": standard input)" },
    { "name", 'n', LIST, AT(names), COMMAND_MATCH | COMMAND_WHO | COMMAND_DEVICES, "NAME,...",
      "names that firmware or a boot loader adds to the devices" },
    { "select", 's', LIST, AT(select), READS_DEVICES, "LABEL...",
      "take only these devices of the files: slot or name, as `devices` shows it" },
    { "live", 0, FLAG, AT(live), READS_DEVICES, NULL, "the devices of this machine (Linux sysfs)" },
    { "sysfs", 0, VALUE, AT(sysfs), READS_DEVICES, "DIR", "where sysfs is, instead of /sys" },
    { "all", 'a', FLAG, AT(all), COMMAND_MATCH | COMMAND_INF, NULL,
      "also those that lose, in order" },
    { "explain", 'e', FLAG, AT(explain), COMMAND_MATCH | COMMAND_WHO, NULL,
      "every key that is looked at, with register, mask and value" },
    { "macos", 0, VALUE, AT(macos), READS_KEXTS, "RELEASE",
      "rules of this release: 10.4 - 10.15, 11 ... (newest)" },
    { "arch", 0, VALUE, AT(architecture), READS_KEXTS | COMMAND_INF, "ARCH",
      "architecture: x86_64 (default), i386, arm64; for INF files amd64, x86, arm64" },
    { "strict", 0, FLAG, AT(strict), READS_KEXTS, NULL,
      "refuse what the kernel's property list reader refuses" },
    { "no-plugins", 0, FLAG, AT(no_plugins), READS_KEXTS, NULL,
      "leave out bundles in PlugIns folders" },
    { "windows", 0, VALUE, AT(windows), COMMAND_INF | COMMAND_CONVERT, "VERSION",
      "MAJOR.MINOR.BUILD[.PRODUCT[.SUITE]] (10.0.26100)" },
    { "list-a", 0, FLAG, AT(list_a), COMMAND_INF, NULL,
      "order of ids as documented, instead of as observed" },
    { "express", 0, VALUE, AT(express), COMMAND_INF, "TYPE",
      "PCI Express device type: adds ids with DT_" },
    { "code-page", 0, VALUE, AT(code_page), COMMAND_INF | COMMAND_CONVERT, "NUMBER",
      "of single-byte INF files: 1252 (default) or 28591" },
    { "language", 0, VALUE, AT(language), COMMAND_INF | COMMAND_CONVERT, "LLLL",
      "language of INF strings, four hexadecimal digits" },
    { "all-models", 0, FLAG, AT(all_models), COMMAND_CONVERT, NULL,
      "translate every models section, not only the one this Windows takes" },
    { "bundle-id", 0, VALUE, AT(bundle_id), COMMAND_CONVERT, "ID",
      "CFBundleIdentifier of the personalities" },
    { "class", 0, VALUE, AT(class_name), COMMAND_CONVERT, "NAME",
      "IOClass, instead of one made from the service" },
    { "limit", 0, VALUE, AT(limit), COMMAND_CONVERT | COMMAND_IDS, "N",
      "ids that a mask may stand for (256)" },
    { "rules", 0, FLAG, AT(rules), COMMAND_LINT, NULL, "list all rules: id, severity, fix" },
    { "install-rules", 0, FLAG, AT(install_rules), COMMAND_LINT, NULL,
      "also check owners and modes of the files as an installed kext needs them" },
    { "root", 0, VALUE, AT(root), COMMAND_INSTALL | COMMAND_UNINSTALL | COMMAND_VERIFY, "DIR",
      "volume to install on, instead of /" },
    { "owner", 0, VALUE, AT(owner), COMMAND_LINT | COMMAND_INSTALL | COMMAND_VERIFY, "UID:GID",
      "owner that installed files must have (0:0, root:wheel)" },
    { "dry-run", 0, FLAG, AT(dry_run), COMMAND_INSTALL | COMMAND_UNINSTALL, NULL,
      "say what would be done" },
    { "force", 0, FLAG, AT(force), COMMAND_INSTALL | COMMAND_UNINSTALL, NULL,
      "install in spite of findings, or into System/Library/Extensions" },
    { "pci-ids", 0, VALUE, AT(pci_ids), COMMAND_ALL, "FILE",
      "list of names, instead of the system's pci.ids" },
    { "json", 'j', FLAG, AT(json), COMMAND_ALL, NULL, "print JSON" },
    { "quiet", 'q', FLAG, AT(quiet), COMMAND_ALL, NULL, "no warnings and notes about inputs" },
    { "help", 'h', FLAG, AT(help), COMMAND_ALL, NULL, "print this" },
};

static bool list_add(struct string_list *list, const char *string)
{
    const char **grown;

    if ((list->count & (list->count - 1)) == 0) {
        grown = realloc(list->strings, (list->count == 0 ? 1 : list->count * 2) * sizeof *grown);
        if (grown == NULL) {
            fprintf(stderr, "kextmatch: out of memory\n");
            return false;
        }
        list->strings = grown;
    }
    list->strings[list->count++] = string;
    return true;
}

static const struct row *find_row(enum command_bit command, const char *argument,
                                  const char **value)
{
    const char *equals;
    size_t length;
    size_t index;

    *value = NULL;
    for (index = 0; index < sizeof rows / sizeof *rows; index++) {
        const struct row *row = &rows[index];

        if ((row->commands & command) == 0)
            continue;
        if (argument[1] != '-') {
            if (row->letter == argument[1] && (argument[2] == '\0' || row->kind != FLAG)) {
                *value = argument[2] == '\0' ? NULL : argument + 2;
                return row;
            }
            continue;
        }
        equals = strchr(argument, '=');
        length = equals == NULL ? strlen(argument + 2) : (size_t)(equals - argument - 2);
        if (strlen(row->name) == length && strncmp(row->name, argument + 2, length) == 0 &&
            (equals == NULL || row->kind != FLAG)) {
            *value = equals == NULL ? NULL : equals + 1;
            return row;
        }
    }
    return NULL;
}

static bool is_option(const char *argument)
{
    return argument[0] == '-' && argument[1] != '\0';
}

/* Takes one option and its values; `*index` is at the option. */
static bool take_option(struct options *options, const struct row *row, const char *value,
                        int count, char **arguments, int *index)
{
    char *at = (char *)options + row->offset;

    if (row->kind == FLAG) {
        *(bool *)at = true;
        return true;
    }
    if (value == NULL) {
        if (*index + 1 >= count || (is_option(arguments[*index + 1]) && row->kind == LIST)) {
            fprintf(stderr, "kextmatch: --%s needs %s\n", row->name, row->argument);
            return false;
        }
        value = arguments[++*index];
    }
    if (row->kind == VALUE) {
        *(const char **)at = value;
        return true;
    }
    if (!list_add((struct string_list *)at, value))
        return false;
    while (*index + 1 < count && !is_option(arguments[*index + 1]))
        if (!list_add((struct string_list *)at, arguments[++*index]))
            return false;
    return true;
}

bool options_parse(struct options *options, enum command_bit command, int count, char **arguments)
{
    bool only_operands = false;
    int index;

    *options = (struct options){ 0 };
    for (index = 0; index < count; index++) {
        const char *value;
        const struct row *row;

        if (only_operands || !is_option(arguments[index])) {
            if (!list_add(&options->operands, arguments[index]))
                return false;
            continue;
        }
        if (strcmp(arguments[index], "--") == 0) {
            only_operands = true;
            continue;
        }
        row = find_row(command, arguments[index], &value);
        if (row == NULL) {
            fprintf(stderr, "kextmatch: unknown option %s\n", arguments[index]);
            return false;
        }
        if (!take_option(options, row, value, count, arguments, &index))
            return false;
    }
    return true;
}

void options_clear(struct options *options)
{
    free(options->kexts.strings);
    free(options->devices.strings);
    free(options->names.strings);
    free(options->select.strings);
    free(options->operands.strings);
}

void options_describe(enum command_bit command)
{
    char left[48];
    size_t index;

    for (index = 0; index < sizeof rows / sizeof *rows; index++) {
        const struct row *row = &rows[index];

        if ((row->commands & command) == 0)
            continue;
        snprintf(left, sizeof left, "%c%c%s--%s%s%s", row->letter == 0 ? ' ' : '-',
                 row->letter == 0 ? ' ' : row->letter, row->letter == 0 ? "  " : ", ", row->name,
                 row->argument == NULL ? "" : " ", row->argument == NULL ? "" : row->argument);
        printf("  %-28s %s\n", left, row->help);
    }
}
