/* SPDX-License-Identifier: BSD-3-Clause */
/* What all daemons share: options, log, signals, and the conversation with the service in the
 * kernel (protocol/service_control.h).
 *
 * A daemon never forks: launchd and systemd want it so. It logs to the system log; with
 * --foreground to standard error. It connects when the service is there and again when it comes
 * back, and does nothing while there is nothing to do.
 *
 * Exit status: 0 ended by SIGTERM or SIGINT, 1 the system refused something, 2 wrong usage. */
#ifndef DAEMONS_COMMON_DAEMON_H
#define DAEMONS_COMMON_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/integration.h"
#include "protocol/service_control.h"

/* An option of the program's own. */
struct daemon_option {
    const char *word;           /* "--command" */
    const char *value;          /* name of its value for the help, NULL: it has none */
    const char *help;
    const char **text;          /* where its value goes; for options without one, the word */
};

struct daemon_program {
    const char *name;           /* "hvshutdownd" */
    const char *control;        /* SERVICE_CONTROL_* */
    const char *purpose;        /* one line for --help */
    const struct daemon_option *options;        /* ended by a NULL word; NULL: none */

    /* After the options were read. 0, or an exit status after one line of log. NULL: nothing. */
    int (*start)(void);
    /* A request of the host's: `size` bytes in `body`, which may be changed in place; *replies says
     * that the host shall see that (it is false at first, which echoes the request). Returns
     * IC_STATUS_*. NULL: there are no requests. */
    uint32_t (*request)(void *body, uint32_t size, bool *replies);
    /* A notice. NULL: there are none. */
    void (*notice)(const void *body, uint32_t size);
    /* What was under way is void: the host began anew, or the service is gone. NULL: nothing is. */
    void (*reset)(void);
    /* Milliseconds until `timer` is to be called, -1: never. Both NULL: no timer. */
    int (*wait_ms)(void);
    void (*timer)(void);
};

/* Runs the program to its end; returns its exit status. */
int daemon_main(int argc, char **argv, const struct daemon_program *program);

/* ---- Log ---- */

void daemon_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
void daemon_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Only with --debug. */
void daemon_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- Help for the programs ---- */

/* Runs a shell command with up to two arguments, its $1 and $2 (NULL: none), and `input` on its
 * standard input (NULL: nothing). Waits for its end. Returns its exit status, or -1. */
int daemon_run(const char *command, const char *first, const char *second, const char *input);

/* Nanoseconds of a clock that only goes forward. */
uint64_t daemon_uptime(void);

#endif
