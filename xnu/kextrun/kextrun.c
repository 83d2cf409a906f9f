/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of the machine: start, run until asked to end, end in order.
 */
#include "xnu/kextrun/kextrun.h"

#include <stdio.h>
#include <string.h>

#include "xnu/bsd/kern_control_export.h"
#include "xnu/console/console.h"
#include "xnu/families/nbd_export.h"
#include "xnu/families/network/wire_export.h"
#include "xnu/families/system_sleep.h"
#include "xnu/iokit/startup.h"
#include "xnu/libkern/release.h"
#include "xnu/machine/files.h"
#include "xnu/machine/log.h"
#include "xnu/machine/machine.h"
#include "xnu/machine/partition.h"

void kextrun_request_end(struct kextrun *kextrun, enum kextrun_end end) {
    int runs = KEXTRUN_RUNS;
    if (atomic_compare_exchange_strong(&kextrun->end, &runs, (int)end)) {
        machine_wakeup(&kextrun->end, false);
    }
}

/*
 * Host threads and kernel threads come here. A host that is gone cannot take part in an orderly
 * end, and one that pulled the plug does not want it.
 */
static void on_power(void *context, enum machine_power what, int status, const char *reason) {
    struct kextrun *kextrun = context;
    /* Without a host nothing can be stopped in order: each driver would wait for its answer. */
    if (machine_thread_self() != NULL && status >= 0) {
        machine_log("kextrun: %s", reason);
        kextrun_request_end(kextrun, KEXTRUN_HALTED);
        return;
    }
    fprintf(stderr, "kextrun: %s\n", reason);
    control_socket_close(kextrun);
    machine_exit(status < 0 ? MACHINE_EXIT_PARTITION : MACHINE_EXIT_OK);
}

static void wait_for_end(struct kextrun *kextrun) {
    while (atomic_load(&kextrun->end) == KEXTRUN_RUNS) {
        machine_wait_prepare(&kextrun->end, MACHINE_NEVER, false);
        if (atomic_load(&kextrun->end) == KEXTRUN_RUNS) {
            machine_wait_block();
        } else {
            machine_wait_cancel();
        }
    }
}

static void shut_down(struct kextrun *kextrun) {
    /* A machine that sleeps has to wake to go down; without a host, only what waits for it. */
    if (atomic_load(&kextrun->end) != KEXTRUN_HALTED) {
        system_wake();
    } else {
        system_sleep_give_up();
    }
    /* Outside clients go first: a driver cannot end while they use it. */
    if (kextrun->disks_exported) {
        nbd_export_stop();
    }
    wire_export_stop();
    if (kextrun->controls_exported) {
        kern_control_export_stop();
    }
    if (kextrun->kernel_started && atomic_load(&kextrun->end) != KEXTRUN_HALTED) {
        xnu_shutdown(false);
        if (kextrun->loader != NULL) {
            loader_unload_all(kextrun->loader, &kextrun->error);
        }
    }
    console_stop();
}

static void machine_body(void *argument) {
    struct kextrun *kextrun = argument;
    machine_partition_set_power_hook(on_power, kextrun);
    if (signals_listen(kextrun) == 0 && steps_run(kextrun) == 0) {
        wait_for_end(kextrun);
    }
    shut_down(kextrun);
    machine_partition_set_power_hook(NULL, NULL);
}

/* What a user can do about a start that failed, where the message does not say it itself. */
static const char *remedy(int status) {
    switch (status) {
    case MACHINE_EXIT_KEXT:
        return "; check the path and --arch, or build or copy the bundle again";
    case MACHINE_EXIT_LINK:
        return "; name the kext that has it as well, or another --macos";
    case MACHINE_EXIT_START:
        return "; the kernel's log above says why";
    default:
        return "";
    }
}

static int run_machine(struct kextrun *kextrun, const struct machine_configuration *configuration) {
    int error = machine_start(configuration);
    if (error != 0) {
        fprintf(stderr, "kextrun: cannot start the machine: %s\n", machine_error_text(error));
        machine_stop();
        return MACHINE_EXIT_FAILURE;
    }
    error = machine_run("kernel_task", machine_body, kextrun);
    control_socket_close(kextrun);
    machine_stop();
    if (kextrun->loader != NULL) {
        loader_destroy(kextrun->loader);
    }
    if (error != 0) {
        fprintf(stderr, "kextrun: %s\n", machine_error_text(error));
        return MACHINE_EXIT_FAILURE;
    }
    if (kextrun->error.status != 0) {
        fprintf(stderr, "kextrun: %s%s\n", kextrun->error.text, remedy(kextrun->error.status));
    }
    return kextrun->error.status;
}

int kextrun_run(const struct kextrun_options *options) {
    struct kextrun kextrun = {.options = options, .listener = -1, .signals = -1};
    struct machine_configuration configuration = {
        .memory_bytes = options->memory_mb << 20,
        .processors = options->processors,
        .deterministic = options->deterministic,
        .seed = options->seed,
    };
    if (!release_select(options->macos)) {
        fprintf(stderr, "kextrun: --macos %s: a release from 10.6 to 15, or 26, is wanted\n",
                options->macos);
        return MACHINE_EXIT_USAGE;
    }
    if (options->deterministic) {
        if (!options->seed_given) {
            machine_random_bytes(&configuration.seed, sizeof(uint32_t));
        }
        printf("kextrun: deterministic, seed %llu\n", (unsigned long long)configuration.seed);
        fflush(stdout);
    }
    return run_machine(&kextrun, &configuration);
}
