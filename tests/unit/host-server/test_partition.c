/* SPDX-License-Identifier: BSD-3-Clause */
/* The partition server against a scripted monitor that keeps to the protocol. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/host-server/partition_bench.h"

/* ---- What a good monitor gets ---- */

static void a_monitor_attaches_and_starts(void **state)
{
    struct bench *bench = *state;
    struct partition_report report;
    bench_start(bench);
    assert_int_equal(bench->rams, 1);
    bench->monitor.ram[12345] = 77;
    assert_int_equal(bench->ram[12345], 77); /* shared, not copied */
    assert_int_equal(bench->monitor.generation, 2);
    partition_server_report(bench->server, &report);
    assert_true(report.connected && report.started);
    assert_int_equal(report.ram_bytes, 1 << 20);
}

static void exits_are_answered(void **state)
{
    struct bench *bench = *state;
    uint64_t value;
    bench_start(bench);
    struct partition_cpuid_reply cpuid = monitor_cpuid(&bench->monitor, 1, 0x40000003);
    assert_int_equal(cpuid.eax, 0x40000003);
    assert_int_equal(cpuid.ebx, 1);
    assert_int_equal(monitor_cpuid(&bench->monitor, 1, 0x40000100).eax, 0);
    assert_int_equal(monitor_rdmsr(&bench->monitor, 1, 0x40000020, &value), 0);
    assert_int_equal(value, 0x140000020ull);
    assert_int_equal(monitor_rdmsr(&bench->monitor, 0, 0x400000b0, &value), -1);
    assert_int_equal(value, 0);
    assert_int_equal(monitor_rdmsr(&bench->monitor, 0, 0x40000200, &value), -1);
    assert_int_equal(monitor_wrmsr(&bench->monitor, 0, 0x40000000, 1), 0);
    assert_int_equal(monitor_wrmsr(&bench->monitor, 0, 0x40000000, 2), -1);
    assert_int_equal(monitor_wrmsr(&bench->monitor, 0, 0x1b, 1), -1);
    assert_int_equal(monitor_hypercall(&bench->monitor, 1, 1, 20, 300), 321);
}

static void accesses_are_read_and_posted(void **state)
{
    struct bench *bench = *state;
    struct partition_read read = {{PARTITION_READ, sizeof(read), 9}, 0xfe000000, 4, 0};
    struct partition_write write = {{PARTITION_WRITE, sizeof(write), 10}, 0x3f8, 1,
                                    PARTITION_SPACE_PORT, 0x55};
    struct partition_read_reply reply;
    bench_start(bench);
    monitor_send(bench->monitor.processors[0], &write, sizeof(write), -1);
    monitor_send(bench->monitor.processors[0], &read, sizeof(read), -1);
    monitor_receive(&bench->monitor, bench->monitor.processors[0], &reply, sizeof(reply), NULL, 0,
                    NULL);
    assert_int_equal(reply.value, 0xfe000004);
    assert_int_equal(reply.header.cookie, 9);
    assert_int_equal(bench->writes, 1);
    assert_int_equal(bench->last_write.value, 0x55);
}

static void signals_arrive_through_the_bitmap(void **state)
{
    struct bench *bench = *state;
    bench_start(bench);
    monitor_signal(&bench->monitor, 0x2001);
    monitor_signal(&bench->monitor, 0x2000 + 2047);
    bench_pump_often(bench);
    assert_int_equal(bench->signal_count, 2);
    assert_int_equal(bench->signals[0], 0x2001);
    assert_int_equal(bench->signals[1], 0x2000 + 2047);
    monitor_signal(&bench->monitor, 0x2001);
    assert_int_equal(partition_server_poll_signals(bench->server), 1);
    bench_pump_often(bench); /* its event descriptor, with nothing behind it any more */
    assert_int_equal(bench->signal_count, 3);
}

static void interrupts_arrive_through_the_bitmap(void **state)
{
    struct bench *bench = *state;
    bench_start(bench);
    partition_server_raise(bench->server, 1, 0xf3);
    partition_server_raise(bench->server, 1, 0xf3);
    partition_server_raise(bench->server, 7, 0xf3); /* no such processor: nothing */
    assert_true(monitor_wait_vector(&bench->monitor, 1, 0xf3));
    partition_server_raise(bench->server, 1, 16);
    assert_true(monitor_wait_vector(&bench->monitor, 1, 16));
}

static void who_watches_the_bitmap_is_not_sent_events(void **state)
{
    struct bench *bench = *state;
    bench_start(bench);
    struct partition_vector_page *page = &bench->monitor.vectors[1];
    uint64_t count;
    page->watchers = 2;
    partition_server_raise(bench->server, 1, 0xf3);
    assert_int_equal(page->words[0xf3 / 64], 1ull << 0xf3 % 64);
    assert_int_equal(read(bench->monitor.interrupt_events[1], &count, sizeof(count)), -1);
    assert_int_equal(errno, EAGAIN);
    partition_server_raise(bench->server, 0, 0xf3); /* another processor's are not watched */
    assert_true(monitor_wait_vector(&bench->monitor, 0, 0xf3));
    page->words[0xf3 / 64] = 0;
    page->watchers = 0;
    partition_server_raise(bench->server, 1, 0xf3);
    assert_true(monitor_wait_vector(&bench->monitor, 1, 0xf3));
}

static void goodbye_ends_the_session(void **state)
{
    struct bench *bench = *state;
    bench_start(bench);
    monitor_goodbye(&bench->monitor, -5, "tired\n");
    bench_pump_often(bench);
    assert_true(bench->ended);
    assert_int_equal(bench->how, PARTITION_END_GOODBYE);
    assert_int_equal(bench->status, -5);
    assert_string_equal(bench->text, "tired?"); /* no control characters in logs */
}

static void power_is_passed_on(void **state)
{
    struct bench *bench = *state;
    struct partition_power power = {0};
    bench_start(bench);
    monitor_power(&bench->monitor, PARTITION_POWER_RESET);
    bench_pump_often(bench);
    assert_int_equal(bench->powers, 1);
    assert_int_equal(bench->power, PARTITION_POWER_RESET);
    assert_int_equal(partition_server_power(bench->server, PARTITION_POWER_OFF, NULL), 0);
    monitor_receive(&bench->monitor, bench->monitor.control, &power, sizeof(power), NULL, 0, NULL);
    assert_int_equal(power.header.type, PARTITION_POWER);
    assert_int_equal(power.what, PARTITION_POWER_OFF);
}

/* ---- MAP, UNMAP, TRAP ---- */

static void done(void *context, int status)
{
    struct bench *bench = context;
    bench->done_count++;
    bench->done_status = status;
}

static void answer(struct bench *bench, const struct partition_header *request, int32_t status)
{
    struct partition_status_reply reply = {
        {request->type | PARTITION_REPLY, sizeof(reply), request->cookie}, status};
    monitor_send(bench->monitor.control, &reply, sizeof(reply), -1);
    bench_pump_often(bench);
}

static void map_is_live_once_it_is_answered(void **state)
{
    struct bench *bench = *state;
    struct partition_map map = {0};
    struct partition_trap trap = {0};
    int descriptor, file = memfd_create("video", MFD_CLOEXEC);
    unsigned count;
    bench_start(bench);
    assert_int_equal(partition_server_map(bench->server, 0xf8000000, 0x800000, file, 0,
                                          PARTITION_MAP_WRITABLE, done, bench),
                     0);
    assert_int_equal(bench->done_count, 0);
    monitor_receive(&bench->monitor, bench->monitor.control, &map, sizeof(map), &descriptor, 1,
                    &count);
    assert_int_equal(count, 1);
    close(descriptor);
    close(file);
    assert_int_equal(map.gpa, 0xf8000000);
    answer(bench, &map.header, -ENOMEM);
    assert_int_equal(bench->done_count, 1);
    assert_int_equal(bench->done_status, -ENOMEM);
    assert_int_equal(partition_server_trap(bench->server, PARTITION_SPACE_PORT, 0x100, 16, true,
                                           done, bench),
                     0);
    monitor_receive(&bench->monitor, bench->monitor.control, &trap, sizeof(trap), NULL, 0, NULL);
    assert_int_equal(trap.on, 1);
    answer(bench, &trap.header, 0);
    assert_int_equal(bench->done_status, 0);
    assert_false(bench->ended);
    answer(bench, &trap.header, 0); /* a second time: nobody waits for it */
    assert_int_equal(bench->how, PARTITION_END_PROTOCOL);
}

static void a_monitor_that_does_not_answer_is_believed(void **state)
{
    struct bench *bench = *state;
    monitor_hello(&bench->monitor, bench->path, 1, 0);
    assert_int_equal(partition_server_unmap(bench->server, 0xf8000000, 0x1000, done, bench), 0);
    assert_int_equal(bench->done_count, 1);
    assert_int_equal(bench->done_status, 0);
}

static void watched(void *context, int status,
                    const uint64_t written[PARTITION_WATCH_BLOCKS_MAX / 64])
{
    struct bench *bench = context;
    bench->watched_count++;
    bench->done_status = status;
    bench->watched_first = written[0];
    bench->watched_last = written[PARTITION_WATCH_BLOCKS_MAX / 64 - 1];
}

static void what_was_written_is_asked_and_told(void **state)
{
    struct bench *bench = *state;
    struct partition_watch watch;
    struct partition_watch_reply reply = {
        .header = {PARTITION_WATCH | PARTITION_REPLY, sizeof(reply), 0}};
    struct partition_written written = {{PARTITION_WRITTEN, sizeof(written), 9}, 0xf8000000};
    bench_start_bare(bench, PARTITION_HELLO_ANSWERS | PARTITION_HELLO_WATCHES);
    assert_true(partition_server_can_watch(bench->server));
    assert_int_equal(partition_server_watch(bench->server, 0xf8000000, 0x800000, watched, bench),
                     0);
    monitor_receive(&bench->monitor, bench->monitor.control, &watch, sizeof(watch), NULL, 0, NULL);
    assert_int_equal(watch.header.type, PARTITION_WATCH);
    assert_int_equal(watch.gpa, 0xf8000000);
    assert_int_equal(watch.size, 0x800000);
    reply.header.cookie = watch.header.cookie;
    reply.written[0] = 0x8001;
    reply.written[PARTITION_WATCH_BLOCKS_MAX / 64 - 1] = 1;
    monitor_send(bench->monitor.control, &reply, sizeof(reply), -1);
    monitor_send(bench->monitor.control, &written, sizeof(written), -1);
    bench_pump_often(bench);
    assert_int_equal(bench->watched_count, 1);
    assert_int_equal(bench->done_status, 0);
    assert_int_equal(bench->watched_first, 0x8001);
    assert_int_equal(bench->watched_last, 1);
    assert_int_equal(bench->writtens, 1);
    assert_int_equal(bench->written_gpa, 0xf8000000);
    assert_false(bench->ended);
}

static void a_watch_needs_a_monitor_that_can_and_ends_with_it(void **state)
{
    struct bench *bench = *state;
    bench_start_bare(bench, PARTITION_HELLO_ANSWERS | PARTITION_HELLO_WATCHES);
    assert_int_equal(partition_server_watch(bench->server, 0, 0x1000, watched, bench), 0);
    monitor_vanish(&bench->monitor);
    bench_pump_often(bench);
    assert_int_equal(bench->watched_count, 1);
    assert_int_equal(bench->done_status, -ENOTCONN);
    assert_int_equal(bench->watched_first, 0);
    bench_tear_down(state);
    bench_set_up(state);
    bench = *state;
    bench_start(bench);
    assert_false(partition_server_can_watch(bench->server));
    assert_int_equal(partition_server_watch(bench->server, 0, 0x1000, watched, bench),
                     -EOPNOTSUPP);
}

static void pending_requests_end_with_the_session(void **state)
{
    struct bench *bench = *state;
    bench_start(bench);
    assert_int_equal(partition_server_unmap(bench->server, 0, 0x1000, done, bench), 0);
    monitor_vanish(&bench->monitor);
    bench_pump_often(bench);
    assert_int_equal(bench->how, PARTITION_END_VANISHED);
    assert_int_equal(bench->done_status, -ENOTCONN);
    assert_int_equal(partition_server_unmap(bench->server, 0, 0x1000, done, bench), -ENOTCONN);
}

static void a_boot_screen_is_for_monitors_that_ask(void **state)
{
    struct bench *bench = *state;
    monitor_hello(&bench->monitor, bench->path, 1, PARTITION_HELLO_BOOT_SCREEN);
    assert_int_equal(bench->monitor.boot_screen, 0xf8000000);
}

static void other_monitors_have_no_boot_screen(void **state)
{
    struct bench *bench = *state;
    monitor_hello(&bench->monitor, bench->path, 1, 0);
    assert_int_equal(bench->monitor.boot_screen, 0);
}

static void start_is_answered_and_lines_are_told(void **state)
{
    struct bench *bench = *state;
    struct partition_status_reply reply;
    struct partition_line line;
    bench_start_bare(bench, PARTITION_HELLO_BARE);
    monitor_receive(&bench->monitor, bench->monitor.control, &reply, sizeof(reply), NULL, 0, NULL);
    assert_int_equal(reply.header.type, PARTITION_START | PARTITION_REPLY);
    assert_int_equal(reply.header.cookie, bench->monitor.cookie);
    assert_int_equal(reply.status, 0);
    partition_server_line(bench->server, 1, true);
    partition_server_line(bench->server, 1, true); /* no change */
    partition_server_line(bench->server, 12, true);
    partition_server_line(bench->server, 1, false);
    static const uint32_t expected[][2] = {{1, 1}, {12, 1}, {1, 0}};
    for (unsigned i = 0; i < 3; i++) {
        monitor_receive(&bench->monitor, bench->monitor.control, &line, sizeof(line), NULL, 0,
                        NULL);
        assert_int_equal(line.header.type, PARTITION_LINE);
        assert_int_equal(line.line, expected[i][0]);
        assert_int_equal(line.level, expected[i][1]);
    }
}

static void a_monitor_with_its_own_devices_hears_of_neither(void **state)
{
    struct bench *bench = *state;
    struct partition_power power;
    bench_start_bare(bench, 0);
    partition_server_line(bench->server, 1, true);
    assert_int_equal(partition_server_power(bench->server, PARTITION_POWER_OFF, NULL), 0);
    monitor_receive(&bench->monitor, bench->monitor.control, &power, sizeof(power), NULL, 0, NULL);
    assert_int_equal(power.header.type, PARTITION_POWER); /* nothing came before it */
}

/* While nobody reads, changes that do not fit are kept; the level that counts comes in the end. */
static void lines_that_find_no_room_are_told_later(void **state)
{
    struct bench *bench = *state;
    struct partition_status_reply reply;
    struct partition_line line = {.level = 0};
    bench_start_bare(bench, PARTITION_HELLO_BARE);
    for (unsigned i = 0; i < 100001; i++) {
        partition_server_line(bench->server, 1, i % 2 == 0);
    }
    monitor_receive(&bench->monitor, bench->monitor.control, &reply, sizeof(reply), NULL, 0, NULL);
    unsigned count = 0;
    while (recv(bench->monitor.control, &line, sizeof(line), MSG_DONTWAIT) == sizeof(line)) {
        count++;
    }
    assert_in_range(count, 2, 100000);
    if (line.level == 0) {
        bench_pump(bench);
        monitor_receive(&bench->monitor, bench->monitor.control, &line, sizeof(line), NULL, 0,
                        NULL);
    }
    assert_int_equal(line.level, 1);
    partition_server_line(bench->server, 1, false); /* and the next change works */
    monitor_receive(&bench->monitor, bench->monitor.control, &line, sizeof(line), NULL, 0, NULL);
    assert_int_equal(line.level, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, bench_set_up, bench_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_monitor_attaches_and_starts),
        TEST(exits_are_answered),
        TEST(accesses_are_read_and_posted),
        TEST(signals_arrive_through_the_bitmap),
        TEST(interrupts_arrive_through_the_bitmap),
        TEST(who_watches_the_bitmap_is_not_sent_events),
        TEST(a_boot_screen_is_for_monitors_that_ask),
        TEST(other_monitors_have_no_boot_screen),
        TEST(goodbye_ends_the_session),
        TEST(power_is_passed_on),
        TEST(map_is_live_once_it_is_answered),
        TEST(a_monitor_that_does_not_answer_is_believed),
        TEST(what_was_written_is_asked_and_told),
        TEST(a_watch_needs_a_monitor_that_can_and_ends_with_it),
        TEST(pending_requests_end_with_the_session),
        TEST(lines_that_find_no_room_are_told_later),
        TEST(a_monitor_with_its_own_devices_hears_of_neither),
        TEST(start_is_answered_and_lines_are_told),
    };
    return cmocka_run_group_tests_name("partition", tests, NULL, NULL);
}
