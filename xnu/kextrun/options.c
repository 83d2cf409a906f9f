/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads the command line.
 */
#include "xnu/kextrun/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xnu/kextrun/net_client.h"
#include "xnu/machine/machine.h"

#define MEMORY_MB_MIN 16u
#define MEMORY_MB_MAX 65536u

static const char usage[] =
    "usage: kextrun [options] KEXT...\n"
    "       kextrun ioreg|stats|log|threads|sleep|wake|panic|quit --control SOCKET\n"
    "       kextrun display modes|set SIZE|draw FILE|console --control SOCKET\n"
    "       kextrun set CLASS PROPERTY TEXT|@FILE --control SOCKET\n"
    "       kextrun layout [FILE] --control SOCKET\n"
    "       kextrun net [list|ping ADDRESS [COUNT]|fetch URL|connect ADDRESS PORT] --control "
    "SOCKET\n"
    "Runs macOS kexts in a Linux process.\n"
    "\n"
    "  --partition SOCKET   attach to the simulated Hyper-V host at this socket (hvhost)\n"
    "  --control SOCKET     listen for commands: ioreg, stats, log, threads, display, set,\n"
    "                       layout, net, sleep, wake, panic, quit\n"
    "  --macos RELEASE      the macOS to be: 10.6 to 15, or 26 (default 13)\n"
    "  --arch ARCH          x86_64 (default); i386 kexts are only checked\n"
    "  --processors N       virtual processors (default 1)\n"
    "  --memory MB          guest RAM (default 256)\n"
    "  --boot-args TEXT     the kernel's boot arguments\n"
    "  --ioreg              print the registry when all drivers have started, and end\n"
    "  --nbd FOLDER         export each disk by NBD: a Unix socket diskN.sock in this folder\n"
    "  --net stack          plug en0 into a TCP/IP stack in this process (default)\n"
    "  --net tap=NAME|none  into a TAP device, or into nothing\n"
    "  --input-log FILE     record what keyboards and pointers report\n"
    "  --kernel-controls FOLDER  offer each kernel control as a Unix socket in this folder\n"
    "  --deterministic      one thread, virtual time, a seeded scheduler\n"
    "  --seed N             its seed (default: a new one, which is printed)\n"
    "  --verbose            say what is loaded where\n"
    "  --help, --version\n"
    "\n"
    "ioreg takes --plane NAME, --properties and --json; net list takes --json; sleep\n"
    "takes --force.\n"
    "SIGTERM and SIGINT end the machine in order. Exit statuses: see the manual.\n";

enum {
    OPTION_PARTITION = 256,
    OPTION_CONTROL,
    OPTION_MACOS,
    OPTION_ARCH,
    OPTION_PROCESSORS,
    OPTION_MEMORY,
    OPTION_BOOT_ARGS,
    OPTION_IOREG,
    OPTION_NBD,
    OPTION_NET,
    OPTION_INPUT_LOG,
    OPTION_KERNEL_CONTROLS,
    OPTION_DETERMINISTIC,
    OPTION_SEED,
    OPTION_VERBOSE,
    OPTION_PLANE,
    OPTION_PROPERTIES,
    OPTION_JSON,
    OPTION_FORCE,
    OPTION_HELP,
    OPTION_VERSION,
};

static const struct option long_options[] = {
    {"partition", required_argument, NULL, OPTION_PARTITION},
    {"control", required_argument, NULL, OPTION_CONTROL},
    {"macos", required_argument, NULL, OPTION_MACOS},
    {"arch", required_argument, NULL, OPTION_ARCH},
    {"processors", required_argument, NULL, OPTION_PROCESSORS},
    {"memory", required_argument, NULL, OPTION_MEMORY},
    {"boot-args", required_argument, NULL, OPTION_BOOT_ARGS},
    {"ioreg", no_argument, NULL, OPTION_IOREG},
    {"nbd", required_argument, NULL, OPTION_NBD},
    {"net", required_argument, NULL, OPTION_NET},
    {"input-log", required_argument, NULL, OPTION_INPUT_LOG},
    {"kernel-controls", required_argument, NULL, OPTION_KERNEL_CONTROLS},
    {"deterministic", no_argument, NULL, OPTION_DETERMINISTIC},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"verbose", no_argument, NULL, OPTION_VERBOSE},
    {"plane", required_argument, NULL, OPTION_PLANE},
    {"properties", no_argument, NULL, OPTION_PROPERTIES},
    {"json", no_argument, NULL, OPTION_JSON},
    {"force", no_argument, NULL, OPTION_FORCE},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static const char *const commands[] = {"ioreg",  "stats", "log",   "threads", "display", "set",
                                       "layout", "net",   "sleep", "wake",    "panic",   "quit"};
/* What words follow is theirs to say. */
static const char *const commands_with_words[] = {"display", "set", "layout", "net"};

static enum options_result fail(const char *format, const char *value) {
    fprintf(stderr, "kextrun: ");
    fprintf(stderr, format, value);
    fprintf(stderr, " (see kextrun --help)\n");
    return OPTIONS_ERROR;
}

static bool number(const char *text, uint64_t least, uint64_t most, uint64_t *value) {
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 0);
    return errno == 0 && end != text && *end == '\0' && text[0] != '-' && *value >= least &&
           *value <= most;
}

static enum options_result set_number(int option, struct kextrun_options *options) {
    uint64_t value;
    switch (option) {
    case OPTION_PROCESSORS:
        if (!number(optarg, 1, MACHINE_PROCESSORS_MAX, &value)) {
            return fail("--processors %s: a number from 1 to 64 is wanted", optarg);
        }
        options->processors = (unsigned)value;
        return OPTIONS_RUN;
    case OPTION_MEMORY:
        if (!number(optarg, MEMORY_MB_MIN, MEMORY_MB_MAX, &value)) {
            return fail("--memory %s: megabytes from 16 to 65536 are wanted", optarg);
        }
        options->memory_mb = value;
        return OPTIONS_RUN;
    default:
        if (!number(optarg, 0, UINT64_MAX, &value)) {
            return fail("--seed %s: a number is wanted", optarg);
        }
        options->seed = value;
        options->seed_given = true;
        return OPTIONS_RUN;
    }
}

static enum options_result set_network(struct kextrun_options *options) {
    if (strncmp(optarg, "tap=", 4) == 0 && optarg[4] != '\0') {
        options->net = KEXTRUN_NET_TAP;
        options->tap = optarg + 4;
        return OPTIONS_RUN;
    }
    if (strcmp(optarg, "stack") == 0 || strcmp(optarg, "none") == 0) {
        options->net = optarg[0] == 's' ? KEXTRUN_NET_STACK : KEXTRUN_NET_NONE;
        return OPTIONS_RUN;
    }
    fprintf(stderr, "kextrun: --net %s: stack, tap=NAME or none is wanted\n", optarg);
    return OPTIONS_ERROR;
}

static enum options_result set_architecture(struct kextrun_options *options) {
    options->is_i386 = strcmp(optarg, "i386") == 0;
    if (!options->is_i386 && strcmp(optarg, "x86_64") != 0) {
        return fail("--arch %s: x86_64 or i386 is wanted", optarg);
    }
    return OPTIONS_RUN;
}

/* Adds a word to the request that goes over the control socket. */
static enum options_result add_word(struct kextrun_options *options, const char *word,
                                    const char *value) {
    size_t used = strlen(options->request);
    int written = snprintf(options->request + used, sizeof options->request - used, " %s%s", word,
                           value);
    if (written < 0 || (size_t)written >= sizeof options->request - used ||
        strpbrk(value, " \n") != NULL) {
        return fail("--plane %s: that is no name of a plane", value);
    }
    return OPTIONS_RUN;
}

static enum options_result apply(int option, struct kextrun_options *options) {
    switch (option) {
    case OPTION_PARTITION:
        options->partition = optarg;
        return OPTIONS_RUN;
    case OPTION_CONTROL:
        options->control = optarg;
        return OPTIONS_RUN;
    case OPTION_MACOS:
        options->macos = optarg;
        return OPTIONS_RUN;
    case OPTION_ARCH:
        return set_architecture(options);
    case OPTION_BOOT_ARGS:
        options->boot_args = optarg;
        return OPTIONS_RUN;
    case OPTION_IOREG:
        options->ioreg = true;
        return OPTIONS_RUN;
    case OPTION_NET:
        return set_network(options);
    case OPTION_NBD:
        options->nbd = optarg;
        return OPTIONS_RUN;
    case OPTION_INPUT_LOG:
        options->input_log = optarg;
        return OPTIONS_RUN;
    case OPTION_KERNEL_CONTROLS:
        options->kernel_controls = optarg;
        return OPTIONS_RUN;
    case OPTION_DETERMINISTIC:
        options->deterministic = true;
        return OPTIONS_RUN;
    case OPTION_VERBOSE:
        options->verbose = true;
        return OPTIONS_RUN;
    case OPTION_PLANE:
        return add_word(options, "plane=", optarg);
    case OPTION_PROPERTIES:
        return add_word(options, "properties", "");
    case OPTION_JSON:
        return add_word(options, "json", "");
    case OPTION_FORCE:
        return add_word(options, "force", "");
    default:
        return set_number(option, options);
    }
}

static enum options_result parse_options(struct kextrun_options *options, int argc,
                                         char **argv) {
    int option;
    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
        switch (option) {
        case OPTION_HELP:
            fputs(usage, stdout);
            return OPTIONS_DONE;
        case OPTION_VERSION:
            puts("kextrun " KEXTRUN_VERSION);
            return OPTIONS_DONE;
        case ':':
            return fail("option %s needs a value", argv[optind - 1]);
        case '?':
            return fail("unknown option %s", argv[optind - 1]);
        default: {
            enum options_result result = apply(option, options);
            if (result != OPTIONS_RUN) {
                return result;
            }
        }
        }
    }
    return OPTIONS_RUN;
}

/*
 * The command with its words, then what options added. The kextrun that runs has another working
 * folder: a file that is there is named by its whole path.
 */
static enum options_result make_request(struct kextrun_options *options) {
    char added[sizeof options->request], path[PATH_MAX + 1] = "@";
    size_t used = 0;
    memcpy(added, options->request, sizeof added);
    for (size_t i = 0; i <= options->kext_count; i++) {
        const char *word = i < options->kext_count ? options->kexts[i] : added;
        const bool is_last = i + 1 == options->kext_count &&
                             (i > 1 || (i == 1 && strcmp(options->command, "layout") == 0));
        const bool has_sign = is_last && word[0] == '@'; /* of a file among other things */
        if (is_last && realpath(word + has_sign, path + 1) != NULL) {
            word = path + !has_sign;
        }
        int length = snprintf(options->request + used, sizeof options->request - used, "%s%s",
                              i > 0 && i < options->kext_count ? " " : "", word);
        used += (size_t)length;
        if (used >= sizeof options->request || strchr(options->request, '\n') != NULL) {
            return fail("%s: its words are too long, or have a line's end in them",
                        options->command);
        }
    }
    return OPTIONS_RUN;
}

static bool has_words(const char *command) {
    for (size_t i = 0; i < sizeof commands_with_words / sizeof commands_with_words[0]; i++) {
        if (strcmp(command, commands_with_words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The first word may be a command instead of a kext. */
static enum options_result parse_words(struct kextrun_options *options, int argc, char **argv) {
    options->kexts = (const char *const *)argv + optind;
    options->kext_count = (size_t)(argc - optind);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (options->kext_count != 0 && strcmp(options->kexts[0], commands[i]) == 0) {
            options->command = commands[i];
        }
    }
    if (options->command == NULL) {
        return options->kext_count != 0 ? OPTIONS_RUN : fail("no kext was given%s", "");
    }
    options->words = options->kexts + 1;
    options->word_count = options->kext_count - 1;
    if (options->word_count != 0 && !has_words(options->command)) {
        return fail("%s is followed by something that is no option", options->command);
    }
    if (options->control == NULL) {
        return fail("%s needs --control SOCKET", options->command);
    }
    if (strcmp(options->command, "net") == 0) {
        return net_client_parse(options) ? OPTIONS_RUN : OPTIONS_ERROR;
    }
    return make_request(options);
}

enum options_result options_parse(struct kextrun_options *options, int argc, char **argv) {
    *options = (struct kextrun_options){
        .macos = "13", .boot_args = "", .processors = 1, .memory_mb = 256};
    enum options_result result = parse_options(options, argc, argv);
    return result == OPTIONS_RUN ? parse_words(options, argc, argv) : result;
}
