/* SPDX-License-Identifier: BSD-3-Clause */
/* kextmatch: which driver takes which device, as I/O Kit and Windows decide it, and why. */
#include "match/kextmatch/clean_output.h"
#include "match/kextmatch/commands.h"
#include "match/kextmatch/options.h"

#include <stdio.h>
#include <string.h>

struct command {
    const char *name;
    int (*run)(int count, char **arguments);
    const char *help;
};

static const struct command commands[] = {
    { "match", command_match, "which personality wins each device, in each match category" },
    { "who", command_who, "all kexts that could claim a device" },
    { "ids", command_ids, "all devices that a kext claims, by name" },
    { "devices", command_devices, "what is known of devices: registers, names, ids in every form" },
    { "lint", command_lint, "mistakes in kexts and their personalities" },
    { "inf", command_inf, "which line of which INF file Windows takes for a device" },
    { "convert", command_convert, "INF file to personalities, or personalities to hardware ids" },
    { "install", command_install, "check a kext and put it into Library/Extensions" },
    { "uninstall", command_uninstall, "take an installed kext away" },
    { "verify", command_verify, "check what is installed" },
};

static int print_help(FILE *file)
{
    size_t index;

    fprintf(file, "usage: kextmatch COMMAND [OPTION...]\n\n");
    for (index = 0; index < sizeof commands / sizeof *commands; index++)
        fprintf(file, "  %-10s %s\n", commands[index].name, commands[index].help);
    fprintf(file, "\nkextmatch COMMAND --help lists the options of a command. Exit status: 0 "
                  "matched or clean,\n"
                  "1 no match or findings, 2 usage or unreadable input. See kextmatch(1).\n");
    return file == stdout ? STATUS_MATCHED : STATUS_TROUBLE;
}

int main(int count, char **arguments)
{
    size_t index;

    clean_output_begin();
    if (count < 2)
        return print_help(stderr);
    if (strcmp(arguments[1], "--help") == 0 || strcmp(arguments[1], "-h") == 0 ||
        strcmp(arguments[1], "help") == 0)
        return print_help(stdout);
    if (strcmp(arguments[1], "--version") == 0) {
        printf("kextmatch %s\n", MACHV_VERSION);
        return STATUS_MATCHED;
    }
    for (index = 0; index < sizeof commands / sizeof *commands; index++)
        if (strcmp(arguments[1], commands[index].name) == 0)
            return commands[index].run(count - 2, arguments + 2);
    fprintf(stderr, "kextmatch: unknown command \"%s\"; kextmatch --help lists them\n",
            arguments[1]);
    return STATUS_TROUBLE;
}
