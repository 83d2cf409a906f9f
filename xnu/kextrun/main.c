/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kextrun: runs macOS kexts in a Linux process. See docs/kextrun.md.
 */
#include <signal.h>

#include "xnu/kextrun/kextrun.h"

int main(int argc, char **argv) {
    struct kextrun_options options;
    sigset_t signals;
    switch (options_parse(&options, argc, argv)) {
    case OPTIONS_DONE:
        return MACHINE_EXIT_OK;
    case OPTIONS_ERROR:
        return MACHINE_EXIT_USAGE;
    default:
        break;
    }
    if (options.command != NULL) {
        return control_send_command(&options);
    }
    /* All threads inherit this: the signals come through a descriptor. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    return kextrun_run(&options);
}
