/* SPDX-License-Identifier: BSD-3-Clause */
/* hvsetup: from "I have a Windows host and want macOS" to a bootable, checked configuration. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "setup/files.h"
#include "setup/hvsetup/options.h"

struct command {
    const char *name;
    int (*run)(const struct options *options);
    const char *known; /* options */
    const char *help;
};

static const struct command commands[] = {
    {"build", command_build,
     TARGET_OPTIONS OUTPUT_OPTIONS "opencore= out= kext= driver= amd-patches= recovery= image= ",
     "build --macos V --host H [--gen 1|2] --opencore RELEASE --out FOLDER\n"
     "      [--kext Lilu.kext] [--kext VirtualSMC.kext] [--driver HfsPlus.efi] [--cpu NAME]\n"
     "      [--processors N] [--amd-patches FILE] [--apple-id] [--framebuffer]\n"
     "      [--recovery BaseSystem.dmg] [--image EFI.vhdx]\n"
     "                        write an EFI folder, and say why each setting is what it is\n"},
    {"check", command_check, TARGET_OPTIONS OUTPUT_OPTIONS "fix ",
     "check EFI|config.plist|EFI.vhdx --macos V --host H [--gen 1|2] [--fix]\n"
     "                        find what is missing or wrong for Hyper-V\n"},
    {"doctor", command_doctor, OUTPUT_OPTIONS,
     "doctor LOG|-            name the cause of a boot that stops\n"},
    {"vm", command_vm,
     TARGET_OPTIONS OUTPUT_OPTIONS "name= folder= efi-disk= system-disk= installer= switch= "
                                   "memory= disk= screen= dda= out= force ",
     "vm --macos V --host H [--gen 1|2] [--name NAME] [--folder F] [--efi-disk EFI.vhdx]\n"
     "      [--system-disk F] [--installer F] [--switch S] [--memory MIB] [--processors N]\n"
     "      [--disk GIB] [--screen 1920x1080] [--dda LOCATION=BAR,BAR...] [--out FILE [--force]]\n"
     "                        print the PowerShell that creates the VM; run nothing\n"},
    {"image", command_image, OUTPUT_OPTIONS,
     "image Installer.dmg OUT.vhdx|OUT.vhd\n"
     "                        make a disk of an installer or recovery image\n"},
};

static void print_help(FILE *stream)
{
    fputs("usage: hvsetup COMMAND ...\n\n", stream);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        fputs(commands[i].help, stream);
    }
    fputs("\nAll commands: --json, --quiet, --data FOLDER (tables and kexts), --help, --version.\n"
          "Exit: 0 clean, 1 findings or a refusal, 2 wrong usage or something unreadable.\n",
          stream);
}

static void interrupt(int signal_number)
{
    files_interrupt();
}

static void handle_interrupts(void)
{
    struct sigaction action = {.sa_handler = interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
    const char *name = argc < 2 ? "" : argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help(stdout);
        return EXIT_CLEAN;
    }
    if (strcmp(name, "--version") == 0) {
        puts("hvsetup " MACHV_VERSION " (OpenCore schema 1.0.8)");
        return EXIT_CLEAN;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            struct options options;
            struct setup_error error;
            if (!options_parse(&options, argc - 2, argv + 2, commands[i].known, &error)) {
                return complain(&options, EXIT_UNREADABLE, error.text);
            }
            if (option(&options, "help") != NULL) {
                fputs(commands[i].help, stdout);
                return EXIT_CLEAN;
            }
            umask(022);
            handle_interrupts();
            return commands[i].run(&options);
        }
    }
    fprintf(stderr, "hvsetup: %s%s (see hvsetup --help)\n",
            argc < 2 ? "a command is missing: build, check, doctor, vm or image"
                     : "no such command: ",
            name);
    return EXIT_UNREADABLE;
}
