/* SPDX-License-Identifier: BSD-3-Clause */
/* hvhost from start to end. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/hvhost/hvhost.h"

enum {
    SIGNAL_BASE = 0x2000, /* VMBus channels' connection ids: this plus the channel id */
    SIGNAL_COUNT = 2048,
};

/* Guest RAM is a file of the monitor's; if it is cut short there is nothing left to run. */
static void memory_vanished(int signal)
{
    static const char text[] = "hvhost: the monitor took guest RAM away\n";
    if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0) {
        /* nobody can be told */
    }
    _exit(HVHOST_EXIT_MONITOR);
}

static int open_sockets(struct hvhost *host)
{
    char error[512];
    const struct partition_settings settings = {
        .path = host->options.socket_path,
        .generation = host->options.generation,
        .signal_base = SIGNAL_BASE,
        .signal_count = SIGNAL_COUNT,
        .boot_screen = hvhost_boot_screen(host),
    };
    int result = partition_server_open(&settings, &hvhost_partition_operations, host,
                                       &host->partition, error, sizeof(error));
    if (result == 0 && host->options.control_path != NULL) {
        result = control_server_open(host->options.control_path, hvhost_control, host,
                                     &host->control, error, sizeof(error));
    }
    if (result != 0) {
        fprintf(stderr, "hvhost: %s\n", error);
    }
    return result;
}

static int start(struct hvhost *host)
{
    host->start_ns = host->now_ns = hvhost_clock_ns();
    host->release = *host->options.release;
    if (host->options.vmbus_max != 0 && host->options.vmbus_max < host->release.versions.vmbus) {
        host->release.versions.vmbus = host->options.vmbus_max;
    }
    guest_memory_initialise(&host->memory);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGBUS, memory_vanished);
    hvhost_faults_open(host);
    hvhost_space_open(host);
    host->disks = disk_engine_new();
    if (host->disks == NULL) {
        perror("hvhost: disk engine");
        return -errno;
    }
    int result = hvhost_report_open(host);
    if (result == 0) {
        result = hvhost_make_devices(host);
    }
    if (result == 0) {
        result = open_sockets(host);
    }
    if (result == 0) {
        result = hvhost_loop_open(host);
        if (result != 0) {
            fprintf(stderr, "hvhost: event loop: %s\n", strerror(-result));
        }
    }
    return result;
}

/* Everything acknowledged is on the medium when the disks are closed; guest RAM goes last. */
static void finish(struct hvhost *host)
{
    hvhost_end_openings(host);
    if (host->machine_made) {
        partition_server_goodbye(host->partition, 0, "the end"); /* if nobody has said so yet */
        host_machine_reset(&host->machine);
        hvhost_clear_faults(host);
        hvhost_drain(host);
        host_machine_free(&host->machine);
    }
    hvhost_faults_close(host);
    hvhost_free_devices(host);
    disk_engine_free(host->disks);
    if (host->control != NULL) {
        control_server_flush(host->control);
    }
    control_server_free(host->control);
    partition_server_free(host->partition);
    hvhost_space_close(host);
    hvhost_report_close(host);
}

static enum hvhost_exit exit_code(const struct hvhost *host)
{
    if (host->report.violations > 0) {
        return HVHOST_EXIT_VIOLATION;
    }
    if (host->crashed) {
        return HVHOST_EXIT_CRASHED;
    }
    return host->exit_code;
}

int main(int argc, char **argv)
{
    static struct hvhost host; /* the one machine of this process */
    int result = hvhost_parse_options(argc, argv, &host.options);
    if (result != 0) {
        return result > 0 ? HVHOST_EXIT_CLEAN : HVHOST_EXIT_USAGE;
    }
    if (start(&host) != 0) {
        finish(&host);
        return host.exit_code != HVHOST_EXIT_CLEAN ? host.exit_code : HVHOST_EXIT_START;
    }
    hvhost_event(&host, "listening", NULL, "%s", host.options.socket_path);
    hvhost_loop(&host);
    hvhost_loop_close(&host);
    finish(&host);
    return exit_code(&host);
}
