/* SPDX-License-Identifier: BSD-3-Clause */
/* What a generation 1 machine has of a PC, seen by a monitor without PC devices of its own: its
 * ports are there before the start is answered, its line rises, and a reset puts it back. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/host-server/host_process.h"

enum { RAM_SIZE = 1 << 20 };

static void answer(struct monitor *monitor, const struct partition_header *header)
{
    const struct partition_status_reply reply = {
        {header->type | PARTITION_REPLY, sizeof(reply), header->cookie}, 0};
    monitor_send(monitor->control, &reply, sizeof(reply), -1);
}

/* START; returns how many port ranges were trapped until it was answered, in `starts`. */
static unsigned start(struct host_process *host, uint32_t flags, uint64_t starts[8])
{
    struct monitor *monitor = &host->guest.monitor;
    union {
        struct partition_header header;
        struct partition_trap trap;
        struct partition_status_reply reply;
    } message;
    unsigned count = 0;
    monitor_hello(monitor, host->socket, 1, flags);
    assert_int_equal(monitor->generation, 1);
    assert_int_equal(monitor_attach(monitor, host->socket, 0), 0);
    monitor->ram_file = memfd_create("ram", MFD_CLOEXEC);
    assert_int_equal(ftruncate(monitor->ram_file, RAM_SIZE), 0);
    monitor_ram(monitor, 0, RAM_SIZE, 0);
    close(monitor->ram_file);
    monitor_send_header(monitor, monitor->control, PARTITION_START);
    for (;;) {
        monitor_receive(monitor, monitor->control, &message, sizeof(message), NULL, 0, NULL);
        if (message.header.type == (PARTITION_START | PARTITION_REPLY)) {
            assert_int_equal(message.reply.status, 0);
            return count;
        }
        assert_int_equal(message.header.type, PARTITION_TRAP);
        assert_int_equal(message.trap.kind, PARTITION_SPACE_PORT);
        assert_true(count < 8);
        starts[count++] = message.trap.start;
        answer(monitor, &message.header);
    }
}

static uint32_t in(struct host_process *host, uint16_t port, uint32_t size)
{
    struct monitor *monitor = &host->guest.monitor;
    const struct partition_read read = {{PARTITION_READ, sizeof(read), 1}, port, size,
                                        PARTITION_SPACE_PORT};
    struct partition_read_reply reply;
    monitor_send(monitor->processors[0], &read, sizeof(read), -1);
    monitor_receive(monitor, monitor->processors[0], &reply, sizeof(reply), NULL, 0, NULL);
    return (uint32_t)reply.value;
}

static void out(struct host_process *host, uint16_t port, uint32_t size, uint32_t value)
{
    const struct partition_write write = {{PARTITION_WRITE, sizeof(write), 1}, port, size,
                                          PARTITION_SPACE_PORT, value};
    monitor_send(host->guest.monitor.processors[0], &write, sizeof(write), -1);
}

static struct partition_line next_line(struct host_process *host)
{
    struct monitor *monitor = &host->guest.monitor;
    struct partition_line line;
    monitor_receive(monitor, monitor->control, &line, sizeof(line), NULL, 0, NULL);
    assert_int_equal(line.header.type, PARTITION_LINE);
    assert_int_equal(line.line, 1);
    return line;
}

static int hvctl(struct host_process *host, const char *arguments)
{
    char command[512];
    snprintf(command, sizeof(command), "%s --control %s %s >/dev/null 2>&1", getenv("HVCTL"),
             host->control, arguments);
    return system(command);
}

static void ports_are_there_before_the_start_is_answered(void **state)
{
    struct host_process *host = *state;
    uint64_t starts[8];
    host_start(host, (const char *const[]){"--generation", "1", "--release", "2008r2", NULL});
    assert_int_equal(start(host, PARTITION_HELLO_ANSWERS | PARTITION_HELLO_BARE, starts), 3);
    assert_int_equal(starts[0], 0xcf8);
    assert_int_equal(starts[1], 0x60);
    assert_int_equal(starts[2], 0x64);
    out(host, 0xcf8, 4, 0x80000000);
    assert_int_equal(in(host, 0xcfc, 4), 0x71928086);
    out(host, 0xcf8, 4, 0x80004000);
    assert_int_equal(in(host, 0xcfc, 4), 0x53531414);
    assert_int_equal(in(host, 0x64, 1), 0x14);
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

static void a_key_raises_the_line_until_it_is_read(void **state)
{
    struct host_process *host = *state;
    uint64_t starts[8];
    host_start(host, (const char *const[]){"--generation", "1", NULL});
    start(host, PARTITION_HELLO_ANSWERS | PARTITION_HELLO_BARE, starts);
    assert_int_not_equal(hvctl(host, "key a"), 0); /* nobody has enabled it */
    out(host, 0x60, 1, 0xf4);
    assert_int_equal(next_line(host).level, 1);
    assert_int_equal(in(host, 0x60, 1), 0xfa);
    assert_int_equal(next_line(host).level, 0);
    assert_int_equal(hvctl(host, "key a"), 0);
    assert_int_equal(next_line(host).level, 1);
    assert_int_equal(in(host, 0x60, 1), 0x1e);
    assert_int_equal(next_line(host).level, 0);
    assert_int_equal(next_line(host).level, 1);
    assert_int_equal(in(host, 0x60, 1), 0x9e);
    assert_int_equal(next_line(host).level, 0);
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

static void the_reset_line_resets_and_the_controller_is_new(void **state)
{
    struct host_process *host = *state;
    struct partition_power power;
    uint64_t starts[8];
    host_start(host, (const char *const[]){"--generation", "1", NULL});
    start(host, PARTITION_HELLO_ANSWERS | PARTITION_HELLO_BARE, starts);
    out(host, 0x64, 1, 0x60);
    out(host, 0x60, 1, 0x00);
    out(host, 0x64, 1, 0xfe);
    monitor_receive(&host->guest.monitor, host->guest.monitor.control, &power, sizeof(power), NULL,
                    0, NULL);
    assert_int_equal(power.header.type, PARTITION_POWER);
    assert_int_equal(power.what, PARTITION_POWER_RESET);
    out(host, 0x64, 1, 0x20);
    assert_int_equal(in(host, 0x60, 1), 0x47);
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

static void a_monitor_with_a_pc_of_its_own_gets_none(void **state)
{
    struct host_process *host = *state;
    struct monitor *monitor = &host->guest.monitor;
    host_start(host, (const char *const[]){"--generation", "1", NULL});
    monitor_start(monitor, host->socket, 1, RAM_SIZE);
    assert_int_equal(in(host, 0x64, 1), 0xff); /* everything sent before it has been handled */
    struct pollfd entry = {.fd = monitor->control, .events = POLLIN};
    assert_int_equal(poll(&entry, 1, 0), 0); /* no TRAP, no answer */
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

static void accesses_of_odd_sizes_hit_nothing(void **state)
{
    struct host_process *host = *state;
    uint64_t starts[8];
    host_start(host, (const char *const[]){"--generation", "1", NULL});
    start(host, PARTITION_HELLO_ANSWERS | PARTITION_HELLO_BARE, starts);
    assert_int_equal(in(host, 0x64, 2), 0xffff);
    assert_int_equal(in(host, 0x60, 4), UINT32_MAX);
    out(host, 0x64, 4, 0xfe);
    out(host, 0xcf8, 8, 0x80000000);
    assert_int_equal(in(host, 0xcf8, 4), 0);
    assert_int_equal(in(host, 0x64, 1), 0x14); /* and the right size works */
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, host_set_up, host_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ports_are_there_before_the_start_is_answered),
        TEST(a_key_raises_the_line_until_it_is_read),
        TEST(the_reset_line_resets_and_the_controller_is_new),
        TEST(a_monitor_with_a_pc_of_its_own_gets_none),
        TEST(accesses_of_odd_sizes_hit_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
