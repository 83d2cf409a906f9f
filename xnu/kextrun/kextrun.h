/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A machine that runs kexts: the state of the program, its start-up as a list of named steps, and
 * the ways it ends.
 */
#ifndef MACHV_XNU_KEXTRUN_KEXTRUN_H
#define MACHV_XNU_KEXTRUN_KEXTRUN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "xnu/kextrun/options.h"
#include "xnu/loader/loader.h"

enum kextrun_end {
    KEXTRUN_RUNS = 0,
    KEXTRUN_QUIT,   /* asked to: shut down in order */
    KEXTRUN_HALTED, /* the guest did it itself: nothing is left to stop */
};

struct kextrun {
    const struct kextrun_options *options;
    struct loader *loader;
    bool kernel_started, disks_exported, controls_exported;
    atomic_int end;  /* enum kextrun_end; sleepers on its address are woken when it changes */
    struct loader_error error; /* why the start failed, or the kexts would not stop */
    int listener;    /* control socket, -1 */
    int signals;     /* signalfd, -1 */
};

/* A step of the start; -1 with kextrun->error set ends it. Runs on a kernel thread. */
typedef int kextrun_step_function(struct kextrun *kextrun);

/*
 * The steps, in order: "partition", "boot arguments", "kernel", "kernel controls", "input log",
 * "disks" (from there on what drivers publish is exported), "network", "screen", "control", "host",
 * "console", "kexts", "personalities", "quiet".
 * A test may change the list; it stays changed until steps_reset().
 */
void steps_reset(void);
bool steps_remove(const char *name); /* false: there is no such step */
bool steps_replace(const char *name, kextrun_step_function *function);
int steps_run(struct kextrun *kextrun);

/*
 * Runs the machine from start to end; the program's exit status. One line about a failure goes to
 * standard error.
 */
int kextrun_run(const struct kextrun_options *options);

/* Ends the machine. Any thread. */
void kextrun_request_end(struct kextrun *kextrun, enum kextrun_end end);

/* control_server.c: serves the control socket and the signals, on kernel threads. */
int control_socket_listen(struct kextrun *kextrun);
void control_socket_close(struct kextrun *kextrun);
int signals_listen(struct kextrun *kextrun);

/* control_client.c: sends the command and prints the answer; the program's exit status. */
int control_send_command(const struct kextrun_options *options);

#endif
