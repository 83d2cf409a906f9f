/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line of kextrun (docs/kextrun.md).
 */
#ifndef MACHV_XNU_KEXTRUN_OPTIONS_H
#define MACHV_XNU_KEXTRUN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEXTRUN_REQUEST_MAX 1024u /* bytes of a command, a path in it included */
/* DEFAULT: the stack; with --deterministic nothing, since the stack has threads of its own. */
enum kextrun_net { KEXTRUN_NET_DEFAULT, KEXTRUN_NET_STACK, KEXTRUN_NET_TAP, KEXTRUN_NET_NONE };

struct kextrun_options {
    const char *partition; /* socket of hvhost; NULL: a bare machine */
    const char *control;   /* socket to listen on, or to talk to; NULL: none */
    const char *macos;
    const char *boot_args;
    const char *nbd; /* folder for the sockets of exported disks; NULL: none */
    const char *input_log; /* file for input events; NULL: none */
    enum kextrun_net net; /* what en0 is plugged into */
    const char *tap;      /* the TAP device, with KEXTRUN_NET_TAP */
    const char *kernel_controls; /* folder for the sockets of kernel controls; NULL: none */
    bool is_i386;
    unsigned processors;
    uint64_t memory_mb;
    bool ioreg;
    bool deterministic;
    uint64_t seed;
    bool seed_given;
    bool verbose;
    const char *const *kexts;
    size_t kext_count;
    const char *command; /* ioreg, stats, log, threads, display, net, ...; NULL: run kexts */
    const char *const *words; /* what follows it */
    size_t word_count;
    char request[KEXTRUN_REQUEST_MAX]; /* the command as it goes over the control socket */
};

enum options_result {
    OPTIONS_RUN,   /* do what the options say */
    OPTIONS_DONE,  /* help or version was printed */
    OPTIONS_ERROR, /* one line was printed */
};

enum options_result options_parse(struct kextrun_options *options, int argc, char **argv);

#endif
