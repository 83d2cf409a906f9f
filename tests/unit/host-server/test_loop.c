/* SPDX-License-Identifier: BSD-3-Clause */
/* The loop of hvhost with devices whose descriptors have news: one that has no room for what its
 * own has costs the others nothing, and is heard again when it has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/hvhost/hvhost.h"

enum {
    MILLISECOND = 1000000,
    PATIENCE_MS = 10000, /* until a test gives up */
    TICKS = 3,
    SLEEPS_MAX = 50,     /* there are a few; a loop that goes round and round has thousands */
};

/* A device with a descriptor. It takes what the descriptor has while it listens, and ends the loop
 * once it has taken as much as it wants. */
struct source {
    struct virtual_device device; /* first */
    struct hvhost *host;
    int descriptor;
    bool listens;
    unsigned heard, wanted;
};

/* Lets a source listen after a millisecond, and ends the loop when nothing else has. */
struct clock {
    struct virtual_device device; /* first */
    struct hvhost *host;
    struct source *late;
    uint64_t next_ns;
    bool gave_up;
};

struct bench {
    struct hvhost host;
    struct clock clock;
    struct source full, other;
    char folder[64], path[96];
};

static int source_descriptor(struct virtual_device *device)
{
    return ((struct source *)device)->descriptor;
}

static bool source_listens(struct virtual_device *device)
{
    return ((struct source *)device)->listens;
}

static void source_run(struct virtual_device *device, uint64_t now_ns)
{
    struct source *source = (struct source *)device;
    uint64_t count;
    if (source->listens && read(source->descriptor, &count, sizeof(count)) == sizeof(count) &&
        ++source->heard == source->wanted) {
        source->host->stopping = true;
    }
}

static const struct virtual_device_operations source_operations = {
    .kind = "source",
    .descriptor = source_descriptor,
    .listens = source_listens,
    .run = source_run,
};

static uint64_t clock_deadline_ns(struct virtual_device *device)
{
    return ((struct clock *)device)->next_ns;
}

static void clock_run(struct virtual_device *device, uint64_t now_ns)
{
    struct clock *clock = (struct clock *)device;
    if (now_ns < clock->next_ns) {
        return;
    }
    if (clock->late == NULL) {
        clock->gave_up = true;
        clock->host->stopping = true;
        return;
    }
    clock->late->listens = true;
    clock->late = NULL;
    clock->next_ns = now_ns + (uint64_t)PATIENCE_MS * MILLISECOND;
}

static const struct virtual_device_operations clock_operations = {
    .kind = "clock",
    .deadline_ns = clock_deadline_ns,
    .run = clock_run,
};

static int set_up(void **state)
{
    const struct itimerspec soon = {{0, 20 * MILLISECOND}, {0, 20 * MILLISECOND}};
    struct bench *bench = calloc(1, sizeof(*bench));
    char error[256];
    strcpy(bench->folder, "/tmp/test-loop-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    snprintf(bench->path, sizeof(bench->path), "%s/socket", bench->folder);
    const struct partition_settings settings = {bench->path, 2, 0x2000, 2048};
    struct hvhost *host = &bench->host;
    bench->clock = (struct clock){{.operations = &clock_operations}, host, &bench->other,
                                  hvhost_clock_ns() + MILLISECOND, false};
    bench->full = (struct source){{.operations = &source_operations}, host,
                                  eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK), false, 0, 1};
    bench->other = (struct source){{.operations = &source_operations}, host,
                                   timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
                                   false, 0, TICKS};
    assert_int_equal(timerfd_settime(bench->other.descriptor, 0, &soon, NULL), 0);
    host->devices = &bench->clock.device;
    bench->clock.device.next = &bench->full.device;
    bench->full.device.next = &bench->other.device;
    host->report.log = fopen("/dev/null", "w");
    host->disks = disk_engine_new();
    assert_int_equal(partition_server_open(&settings, &hvhost_partition_operations, host,
                                           &host->partition, error, sizeof(error)), 0);
    assert_int_equal(hvhost_loop_open(host), 0);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    hvhost_loop_close(&bench->host);
    partition_server_free(bench->host.partition);
    disk_engine_free(bench->host.disks);
    close(bench->full.descriptor);
    close(bench->other.descriptor);
    fclose(bench->host.report.log);
    rmdir(bench->folder);
    free(bench);
    return 0;
}

static void a_device_without_room_holds_up_no_other(void **state)
{
    struct bench *bench = *state;
    hvhost_loop(&bench->host);
    assert_false(bench->clock.gave_up);
    assert_int_equal(bench->other.heard, TICKS);
    assert_int_equal(bench->full.heard, 0);
    /* What it has no room for is no reason to wake up. */
    assert_in_range(bench->host.polling.sleeps, 1, SLEEPS_MAX);
}

static void a_device_that_has_room_again_is_heard(void **state)
{
    struct bench *bench = *state;
    hvhost_loop(&bench->host);
    bench->host.stopping = false;
    bench->other.listens = false;
    bench->clock.late = &bench->full;
    bench->clock.next_ns = hvhost_clock_ns() + MILLISECOND;
    hvhost_loop(&bench->host);
    assert_false(bench->clock.gave_up);
    assert_int_equal(bench->full.heard, 1);
    assert_int_equal(bench->other.heard, TICKS);
    /* From now on it is news that wakes it. */
    const uint64_t one = 1;
    bench->host.stopping = false;
    bench->full.wanted = 2;
    assert_int_equal(write(bench->full.descriptor, &one, sizeof(one)), sizeof(one));
    hvhost_loop(&bench->host);
    assert_false(bench->clock.gave_up);
    assert_int_equal(bench->full.heard, 2);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_device_without_room_holds_up_no_other, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_device_that_has_room_again_is_heard, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
