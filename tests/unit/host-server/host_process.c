/* SPDX-License-Identifier: BSD-3-Clause */
/* A real hvhost process for tests. */
#include "tests/unit/host-server/host_process.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/vmbus_classes.h"

static const struct guid scsi_class = VMBUS_CLASS_SCSI;

/* The host says "listening" on standard error once the sockets are there. */
static void wait_until_listening(struct host_process *host)
{
    char text[4096];
    size_t used = 0;
    struct pollfd entry = {.fd = host->errors, .events = POLLIN};
    do {
        assert_int_equal(poll(&entry, 1, MONITOR_WAIT_MS), 1);
        ssize_t got = read(host->errors, text + used, sizeof(text) - 1 - used);
        if (got <= 0) {
            fail_msg("hvhost did not start: %.*s", (int)used, text);
        }
        used += (size_t)got;
        text[used] = '\0';
    } while (strstr(text, "listening") == NULL);
}

void host_start(struct host_process *host, const char *const *more)
{
    const char *program = getenv("HVHOST");
    const char *arguments[32] = {program, "--socket", host->socket, "--control", host->control};
    unsigned count = 5;
    int pipe_ends[2];
    while (more != NULL && *more != NULL) {
        arguments[count++] = *more++;
    }
    assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
    host->process = fork();
    if (host->process == 0) {
        dup2(pipe_ends[1], STDERR_FILENO);
        execv(program, (char *const *)(uintptr_t)arguments);
        _exit(126);
    }
    close(pipe_ends[1]);
    host->errors = pipe_ends[0];
    wait_until_listening(host);
}

int host_exit_code(struct host_process *host)
{
    int status;
    assert_int_equal(waitpid(host->process, &status, 0), host->process);
    host->process = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int host_set_up(void **state)
{
    struct host_process *host = calloc(1, sizeof(*host));
    strcpy(host->folder, "/tmp/test-hvhost-XXXXXX");
    assert_non_null(mkdtemp(host->folder));
    snprintf(host->socket, sizeof(host->socket), "%s/socket", host->folder);
    snprintf(host->control, sizeof(host->control), "%s/control", host->folder);
    snprintf(host->disk, sizeof(host->disk), "%s/disk.img", host->folder);
    int file = open(host->disk, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(file, HOST_DISK_SIZE), 0);
    close(file);
    *state = host;
    return 0;
}

int host_tear_down(void **state)
{
    struct host_process *host = *state;
    if (host->process > 0) {
        kill(host->process, SIGKILL);
        waitpid(host->process, NULL, 0);
    }
    close(host->errors);
    unlink(host->disk);
    unlink(host->socket);
    unlink(host->control);
    rmdir(host->folder);
    free(host);
    return 0;
}

void host_start_with_storage(struct host_process *host, struct guest_channel *channel,
                               const char *const *more)
{
    const char *arguments[16] = {"--disk", host->disk};
    unsigned count = 2;
    struct storvsc_properties properties;
    while (more != NULL && *more != NULL) {
        arguments[count++] = *more++;
    }
    host_start(host, arguments);
    guest_start(&host->guest, host->socket, 1);
    assert_true(guest_contact(&host->guest, VMBUS_VERSION_5_3));
    guest_collect_offers(&host->guest);
    guest_open(&host->guest, guest_find_offer(&host->guest, &scsi_class, 0), channel);
    guest_storage_start(&host->guest, channel, STORVSC_VERSION_6_2, &properties);
    assert_int_equal(properties.transfer_bytes_max, 2 << 20);
}

void host_power_off(struct host_process *host)
{
    monitor_power(&host->guest.monitor, PARTITION_POWER_OFF);
    monitor_goodbye(&host->guest.monitor, 0, "power off");
}
