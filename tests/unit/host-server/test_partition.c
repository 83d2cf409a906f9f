/* SPDX-License-Identifier: BSD-3-Clause */
/* The partition server against a scripted monitor: every message, well and badly formed. */
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

#include "host/server/partition_server.h"
#include "tests/unit/host-server/monitor.h"

/* A machine that writes down what it is told. */
struct bench {
    struct partition_server *server;
    struct monitor monitor;
    char folder[64], path[96];
    int hello_result;
    unsigned hellos, rams, starts, powers, writes;
    uint32_t signals[8], signal_count;
    uint64_t ram_gpa, ram_size;
    uint8_t *ram;
    struct partition_write last_write;
    uint32_t power;
    bool ended;
    enum partition_end how;
    int status;
    char text[PARTITION_TEXT_MAX + 1];
    unsigned writtens, watched_count;
    uint64_t written_gpa, watched_first, watched_last;
    int done_status;
    unsigned done_count;
};

static int take_hello(void *context, const struct partition_hello *hello)
{
    struct bench *bench = context;
    bench->hellos++;
    return bench->hello_result;
}

static int take_ram(void *context, uint64_t gpa, uint64_t size, void *host)
{
    struct bench *bench = context;
    if (bench->rams > 0 && gpa < bench->ram_gpa + bench->ram_size) {
        return -EEXIST;
    }
    bench->rams++;
    bench->ram_gpa = gpa;
    bench->ram_size = size;
    bench->ram = host;
    return 0;
}

static int take_start(void *context)
{
    ((struct bench *)context)->starts++;
    return 0;
}

static void take_cpuid(void *context, uint32_t processor, uint32_t leaf, uint32_t subleaf,
                       struct partition_cpuid_reply *reply)
{
    reply->eax = leaf;
    reply->ebx = processor;
    reply->ecx = subleaf;
    reply->edx = 0x1234;
}

static int take_read_msr(void *context, uint32_t processor, uint32_t index, uint64_t *value)
{
    *value = (uint64_t)processor << 32 | index;
    return index == 0x400000b0 ? PARTITION_MSR_FAULT : 0;
}

static int take_write_msr(void *context, uint32_t processor, uint32_t index, uint64_t value)
{
    return value == 1 ? 0 : PARTITION_MSR_FAULT;
}

static uint64_t take_hypercall(void *context, uint32_t processor,
                               const struct partition_hypercall *call)
{
    return call->control + call->input + call->output;
}

static uint64_t take_read(void *context, uint32_t processor, const struct partition_read *access)
{
    return access->address + access->size;
}

static void take_write(void *context, uint32_t processor, const struct partition_write *access)
{
    struct bench *bench = context;
    bench->writes++;
    bench->last_write = *access;
}

static void take_signal(void *context, uint32_t connection_id)
{
    struct bench *bench = context;
    bench->signals[bench->signal_count++ % 8] = connection_id;
}

static void take_power(void *context, uint32_t what, const uint64_t crash[5])
{
    struct bench *bench = context;
    bench->powers++;
    bench->power = what;
}

static void take_written(void *context, uint64_t gpa)
{
    struct bench *bench = context;
    bench->writtens++;
    bench->written_gpa = gpa;
}

static void take_end(void *context, enum partition_end how, int status, const char *text)
{
    struct bench *bench = context;
    assert_false(bench->ended);
    bench->ended = true;
    bench->how = how;
    bench->status = status;
    snprintf(bench->text, sizeof(bench->text), "%s", text);
}

static const struct partition_operations operations = {
    take_hello, take_ram, take_start, take_cpuid, take_read_msr, take_write_msr, take_hypercall,
    take_read, take_write, take_signal, take_power, take_written, take_end,
};

static void pump(void *context)
{
    struct bench *bench = context;
    partition_server_run(bench->server);
}

static void pump_often(struct bench *bench)
{
    for (unsigned i = 0; i < 20; i++) {
        partition_server_run(bench->server);
    }
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    char error[256];
    strcpy(bench->folder, "/tmp/test-partition-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    snprintf(bench->path, sizeof(bench->path), "%s/socket", bench->folder);
    const struct partition_settings settings = {bench->path, 2, 0x2000, 2048, 0xf8000000};
    assert_int_equal(partition_server_open(&settings, &operations, bench, &bench->server, error,
                                           sizeof(error)),
                     0);
    bench->monitor.pump = pump;
    bench->monitor.pump_context = bench;
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    partition_server_free(bench->server);
    if (bench->monitor.signals != NULL) {
        monitor_vanish(&bench->monitor);
    }
    rmdir(bench->folder);
    free(bench);
    return 0;
}

static void start(struct bench *bench)
{
    monitor_start(&bench->monitor, bench->path, 2, 1 << 20);
    pump_often(bench);
    assert_int_equal(bench->starts, 1);
}

/* ---- What a good monitor gets ---- */

static void a_monitor_attaches_and_starts(void **state)
{
    struct bench *bench = *state;
    struct partition_report report;
    start(bench);
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
    start(bench);
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
    start(bench);
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
    start(bench);
    monitor_signal(&bench->monitor, 0x2001);
    monitor_signal(&bench->monitor, 0x2000 + 2047);
    pump_often(bench);
    assert_int_equal(bench->signal_count, 2);
    assert_int_equal(bench->signals[0], 0x2001);
    assert_int_equal(bench->signals[1], 0x2000 + 2047);
    monitor_signal(&bench->monitor, 0x2001);
    assert_int_equal(partition_server_poll_signals(bench->server), 1);
    pump_often(bench); /* its event descriptor, with nothing behind it any more */
    assert_int_equal(bench->signal_count, 3);
}

static void interrupts_arrive_through_the_bitmap(void **state)
{
    struct bench *bench = *state;
    start(bench);
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
    start(bench);
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
    start(bench);
    monitor_goodbye(&bench->monitor, -5, "tired\n");
    pump_often(bench);
    assert_true(bench->ended);
    assert_int_equal(bench->how, PARTITION_END_GOODBYE);
    assert_int_equal(bench->status, -5);
    assert_string_equal(bench->text, "tired?"); /* no control characters in logs */
}

static void power_is_passed_on(void **state)
{
    struct bench *bench = *state;
    struct partition_power power = {0};
    start(bench);
    monitor_power(&bench->monitor, PARTITION_POWER_RESET);
    pump_often(bench);
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
    pump_often(bench);
}

static void map_is_live_once_it_is_answered(void **state)
{
    struct bench *bench = *state;
    struct partition_map map = {0};
    struct partition_trap trap = {0};
    int descriptor, file = memfd_create("video", MFD_CLOEXEC);
    unsigned count;
    start(bench);
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

static void start_bare(struct bench *bench, uint32_t flags);

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
    start_bare(bench, PARTITION_HELLO_ANSWERS | PARTITION_HELLO_WATCHES);
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
    pump_often(bench);
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
    start_bare(bench, PARTITION_HELLO_ANSWERS | PARTITION_HELLO_WATCHES);
    assert_int_equal(partition_server_watch(bench->server, 0, 0x1000, watched, bench), 0);
    monitor_vanish(&bench->monitor);
    pump_often(bench);
    assert_int_equal(bench->watched_count, 1);
    assert_int_equal(bench->done_status, -ENOTCONN);
    assert_int_equal(bench->watched_first, 0);
    tear_down(state);
    set_up(state);
    bench = *state;
    start(bench);
    assert_false(partition_server_can_watch(bench->server));
    assert_int_equal(partition_server_watch(bench->server, 0, 0x1000, watched, bench),
                     -EOPNOTSUPP);
}

static void pending_requests_end_with_the_session(void **state)
{
    struct bench *bench = *state;
    start(bench);
    assert_int_equal(partition_server_unmap(bench->server, 0, 0x1000, done, bench), 0);
    monitor_vanish(&bench->monitor);
    pump_often(bench);
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

/* ---- What a bad one gets ---- */

static void expect_failure(struct bench *bench, int status, const char *text)
{
    assert_int_equal(monitor_expect_goodbye(&bench->monitor, bench->monitor.control, text), status);
    assert_true(bench->ended);
    assert_int_equal(bench->how, PARTITION_END_PROTOCOL);
    assert_int_equal(bench->status, status);
}

static void bad_hellos_are_refused(void **state)
{
    static const struct {
        uint32_t version, processors, mode, flags;
        const char *text;
        int status;
    } bad[] = {
        {2, 1, 64, 0, "version", -EPROTONOSUPPORT},
        {1, 0, 64, 0, "processors", -EINVAL},
        {1, 241, 64, 0, "processors", -EINVAL},
        {1, 1, 16, 0, "guest mode", -EINVAL},
        {1, 1, 64, 0x100, "flags", -EINVAL},
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct partition_hello hello = {{PARTITION_HELLO, sizeof(hello), 1}, bad[i].version,
                                        bad[i].processors, bad[i].mode, bad[i].flags};
        struct bench *bench;
        set_up((void **)&bench);
        bench->monitor.control = monitor_connect(bench->path);
        monitor_send(bench->monitor.control, &hello, sizeof(hello), -1);
        expect_failure(bench, bad[i].status, bad[i].text);
        assert_int_equal(bench->hellos, 0);
        close(bench->monitor.control);
        tear_down((void **)&bench);
    }
}

static void a_machine_that_cannot_be_made_is_said(void **state)
{
    struct bench *bench = *state;
    struct partition_hello hello = {{PARTITION_HELLO, sizeof(hello), 1}, 1, 1, 64, 0};
    struct partition_hello_reply reply;
    bench->hello_result = -ENOMEM;
    bench->monitor.control = monitor_connect(bench->path);
    monitor_send(bench->monitor.control, &hello, sizeof(hello), -1);
    monitor_receive(&bench->monitor, bench->monitor.control, &reply, sizeof(reply), NULL, 0, NULL);
    assert_int_equal(reply.status, -ENOMEM);
    expect_failure(bench, -ENOMEM, "cannot be made");
    close(bench->monitor.control);
}

static void a_second_monitor_is_turned_away_and_the_first_stays(void **state)
{
    struct bench *bench = *state;
    struct partition_hello hello = {{PARTITION_HELLO, sizeof(hello), 1}, 1, 1, 64, 0};
    uint64_t value;
    start(bench);
    int second = monitor_connect(bench->path);
    monitor_send(second, &hello, sizeof(hello), -1);
    assert_int_equal(monitor_expect_goodbye(&bench->monitor, second, "has its monitor"), -EBUSY);
    close(second);
    assert_false(bench->ended);
    assert_int_equal(monitor_rdmsr(&bench->monitor, 0, 0x40000002, &value), 0);
}

static void a_stranger_is_turned_away_and_the_session_stays(void **state)
{
    struct bench *bench = *state;
    struct partition_header nonsense = {PARTITION_CPUID, sizeof(nonsense), 1};
    uint64_t value;
    start(bench);
    int stranger = monitor_connect(bench->path);
    monitor_send(stranger, &nonsense, sizeof(nonsense), -1);
    assert_int_equal(monitor_expect_goodbye(&bench->monitor, stranger, "HELLO or ATTACH"), -EPROTO);
    close(stranger);
    stranger = monitor_connect(bench->path);
    monitor_send(stranger, "short", 5, -1);
    assert_int_equal(monitor_expect_goodbye(&bench->monitor, stranger, "malformed"), -EBADMSG);
    close(stranger);
    assert_int_equal(monitor_rdmsr(&bench->monitor, 0, 0x40000002, &value), 0);
}

/* A monitor without PC devices of its own, and with RAM and processors. */
static void start_bare(struct bench *bench, uint32_t flags)
{
    monitor_hello(&bench->monitor, bench->path, 1, flags);
    assert_int_equal(monitor_attach(&bench->monitor, bench->path, 0), 0);
    bench->monitor.ram_file = memfd_create("ram", MFD_CLOEXEC);
    assert_int_equal(ftruncate(bench->monitor.ram_file, 0x1000), 0);
    monitor_ram(&bench->monitor, 0, 0x1000, 0);
    close(bench->monitor.ram_file);
    monitor_send_header(&bench->monitor, bench->monitor.control, PARTITION_START);
    while (bench->starts == 0) {
        pump(bench);
    }
}

static void start_is_answered_and_lines_are_told(void **state)
{
    struct bench *bench = *state;
    struct partition_status_reply reply;
    struct partition_line line;
    start_bare(bench, PARTITION_HELLO_BARE);
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
    start_bare(bench, 0);
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
    start_bare(bench, PARTITION_HELLO_BARE);
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
        pump(bench);
        monitor_receive(&bench->monitor, bench->monitor.control, &line, sizeof(line), NULL, 0,
                        NULL);
    }
    assert_int_equal(line.level, 1);
    partition_server_line(bench->server, 1, false); /* and the next change works */
    monitor_receive(&bench->monitor, bench->monitor.control, &line, sizeof(line), NULL, 0, NULL);
    assert_int_equal(line.level, 0);
}

static void bad_attaches_are_refused_and_the_next_works(void **state)
{
    struct bench *bench = *state;
    monitor_hello(&bench->monitor, bench->path, 2, 0);
    assert_int_equal(monitor_attach(&bench->monitor, bench->path, 2), -EINVAL);
    assert_int_equal(monitor_attach(&bench->monitor, bench->path, 0), 0);
    int first = bench->monitor.processors[0];
    assert_int_equal(monitor_attach(&bench->monitor, bench->path, 0), -EBUSY);
    bench->monitor.processors[0] = first;
    assert_int_equal(monitor_attach(&bench->monitor, bench->path, 1), 0);
}

static void attach_before_hello_is_refused(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(monitor_attach(&bench->monitor, bench->path, 0), -ENOTCONN);
}

static void start_needs_processors_and_ram(void **state)
{
    struct bench *bench = *state;
    monitor_hello(&bench->monitor, bench->path, 1, 0);
    monitor_send_header(&bench->monitor, bench->monitor.control, PARTITION_START);
    expect_failure(bench, -EINVAL, "0 of 1 processors");
}

static void start_without_ram_is_refused(void **state)
{
    struct bench *bench = *state;
    monitor_hello(&bench->monitor, bench->path, 1, 0);
    assert_int_equal(monitor_attach(&bench->monitor, bench->path, 0), 0);
    monitor_send_header(&bench->monitor, bench->monitor.control, PARTITION_START);
    expect_failure(bench, -EINVAL, "no RAM");
}

static void bad_ram_is_refused(void **state)
{
    static const struct {
        uint64_t gpa, size, offset;
    } bad[] = {
        {1, 0x1000, 0}, {0, 0x800, 0}, {0, 0x1000, 8}, {0, 0, 0}, {0, 0x11000, 0},
        {0, 0x1000, 0x10000}, {UINT64_MAX - 0xfff, 0x1000, 0}, {0, 1ull << 63, 0},
        {0, 0x1000, 1ull << 63},
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct bench *bench;
        set_up((void **)&bench);
        monitor_hello(&bench->monitor, bench->path, 1, 0);
        bench->monitor.ram_file = memfd_create("ram", MFD_CLOEXEC);
        assert_int_equal(ftruncate(bench->monitor.ram_file, 0x10000), 0);
        monitor_ram(&bench->monitor, bad[i].gpa, bad[i].size, bad[i].offset);
        expect_failure(bench, -EINVAL, "RAM: range");
        assert_int_equal(bench->rams, 0);
        close(bench->monitor.ram_file);
        tear_down((void **)&bench);
    }
}

static void overlapping_ram_is_refused(void **state)
{
    struct bench *bench = *state;
    monitor_hello(&bench->monitor, bench->path, 1, 0);
    bench->monitor.ram_file = memfd_create("ram", MFD_CLOEXEC);
    assert_int_equal(ftruncate(bench->monitor.ram_file, 0x10000), 0);
    monitor_ram(&bench->monitor, 0, 0x2000, 0);
    monitor_ram(&bench->monitor, 0x1000, 0x2000, 0);
    expect_failure(bench, -EEXIST, "RAM: range");
    close(bench->monitor.ram_file);
}

static void ram_without_a_descriptor_is_refused(void **state)
{
    struct bench *bench = *state;
    struct partition_ram ram = {{PARTITION_RAM, sizeof(ram), 3}, 0, 0x1000, 0};
    monitor_hello(&bench->monitor, bench->path, 1, 0);
    monitor_send(bench->monitor.control, &ram, sizeof(ram), -1);
    expect_failure(bench, -EBADMSG, "descriptor");
}

/* One started session a row: what comes on the control connection ends it like this. */
static void bad_control_messages_end_the_session(void **state)
{
    struct {
        struct partition_header header;
        uint8_t body[64];
        size_t size;
        int status;
        const char *text;
    } bad[] = {
        {{99, 16, 1}, {0}, 16, -EPROTO, "unknown type"},
        {{PARTITION_MAP, 16, 1}, {0}, 16, -EPROTO, "unknown type"},
        {{PARTITION_CPUID, 24, 1}, {0}, 24, -EPROTO, "unknown type"},
        {{PARTITION_START, 16, 1}, {0}, 16, -EBUSY, "started already"},
        {{PARTITION_START, 17, 1}, {0}, 17, -EBADMSG, "17 bytes"},
        {{PARTITION_POWER, 20, 1}, {0}, 20, -EBADMSG, "20 bytes"},
        {{PARTITION_POWER, 60, 1}, {3}, 60, -EINVAL, "unknown kind"},
        {{PARTITION_GOODBYE, 16, 1}, {0}, 16, -EBADMSG, "16 bytes"},
        {{PARTITION_HELLO, 32, 1}, {1, 0, 0, 0, 1, 0, 0, 0, 64}, 32, -EBUSY, "there has been one"},
        {{PARTITION_START, 99, 1}, {0}, 16, -EBADMSG, "malformed"},
        {{PARTITION_TRAP | PARTITION_REPLY, 20, 1}, {0}, 20, -EPROTO, "nobody waits"},
        {{PARTITION_WATCH | PARTITION_REPLY, 20, 1}, {0}, 20, -EBADMSG, "20 bytes"},
        {{PARTITION_WRITTEN, 16, 1}, {0}, 16, -EBADMSG, "16 bytes"},
        {{PARTITION_WATCH, 32, 1}, {0}, 32, -EPROTO, "unknown type"},
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct bench *bench;
        set_up((void **)&bench);
        start(bench);
        monitor_send(bench->monitor.control, &bad[i].header, bad[i].size, -1);
        expect_failure(bench, bad[i].status, bad[i].text);
        tear_down((void **)&bench);
    }
}

static void bad_processor_messages_end_the_session(void **state)
{
    struct {
        struct partition_header header;
        uint8_t body[200];
        size_t size;
        int status;
        const char *text;
    } bad[] = {
        {{PARTITION_ATTACH, 20, 1}, {0}, 20, -EPROTO, "type 16"},
        {{23, 16, 1}, {0}, 16, -EPROTO, "type 23"},
        {{PARTITION_CPUID, 23, 1}, {0}, 23, -EBADMSG, "23 bytes"},
        {{PARTITION_RDMSR, 24, 1}, {0}, 24, -EBADMSG, "24 bytes"},
        {{PARTITION_HYPERCALL, 40, 1}, {0}, 40, -EBADMSG, "40 bytes"},
        {{PARTITION_READ, 32, 1}, {0, 0, 0, 0, 0, 0, 0, 0, 3}, 32, -EINVAL, "READ"},
        {{PARTITION_READ, 32, 1}, {0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1}, 32, -EINVAL, "READ"},
        {{PARTITION_WRITE, 40, 1}, {0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2}, 40, -EINVAL, "WRITE"},
        {{PARTITION_CPUID, 99, 1}, {0}, 24, -EBADMSG, "malformed"},
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct bench *bench;
        set_up((void **)&bench);
        start(bench);
        monitor_send(bench->monitor.processors[1], &bad[i].header, bad[i].size, -1);
        expect_failure(bench, bad[i].status, bad[i].text);
        tear_down((void **)&bench);
    }
}

static void a_closed_processor_connection_ends_the_session(void **state)
{
    struct bench *bench = *state;
    start(bench);
    close(bench->monitor.processors[1]);
    bench->monitor.processors[1] = -1;
    pump_often(bench);
    assert_int_equal(bench->how, PARTITION_END_VANISHED);
}

static void the_monitor_cannot_shrink_the_shared_pages(void **state)
{
    struct bench *bench = *state;
    start(bench);
    assert_int_equal(ftruncate(bench->monitor.page_file, 0), -1);
}

/* ---- The socket's file ---- */

static void a_live_socket_is_not_replaced_and_a_dead_one_is(void **state)
{
    struct bench *bench = *state;
    const struct partition_settings settings = {bench->path, 2, 0x2000, 2048};
    struct partition_server *other;
    char error[256];
    struct stat status;
    assert_int_equal(partition_server_open(&settings, &operations, bench, &other, error,
                                           sizeof(error)),
                     -EADDRINUSE);
    assert_non_null(strstr(error, bench->path));
    assert_int_equal(stat(bench->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    /* A dead one: its server goes without removing it. */
    char moved[128];
    snprintf(moved, sizeof(moved), "%s.old", bench->path);
    assert_int_equal(rename(bench->path, moved), 0);
    partition_server_free(bench->server);
    assert_int_equal(rename(moved, bench->path), 0);
    assert_int_equal(partition_server_open(&settings, &operations, bench, &bench->server, error,
                                           sizeof(error)),
                     0);
    start(bench);
}

static void a_file_that_is_no_socket_stays(void **state)
{
    struct bench *bench = *state;
    char path[128], error[256];
    struct partition_server *other;
    snprintf(path, sizeof(path), "%s/plain", bench->folder);
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    const struct partition_settings settings = {path, 2, 0x2000, 2048};
    assert_int_equal(partition_server_open(&settings, &operations, bench, &other, error,
                                           sizeof(error)),
                     -EEXIST);
    assert_int_equal(unlink(path), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

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
        cmocka_unit_test(bad_hellos_are_refused),
        TEST(a_machine_that_cannot_be_made_is_said),
        TEST(a_second_monitor_is_turned_away_and_the_first_stays),
        TEST(a_stranger_is_turned_away_and_the_session_stays),
        TEST(lines_that_find_no_room_are_told_later),
        TEST(a_monitor_with_its_own_devices_hears_of_neither),
        TEST(start_is_answered_and_lines_are_told),
        TEST(bad_attaches_are_refused_and_the_next_works),
        TEST(attach_before_hello_is_refused),
        TEST(start_needs_processors_and_ram),
        TEST(start_without_ram_is_refused),
        cmocka_unit_test(bad_ram_is_refused),
        TEST(overlapping_ram_is_refused),
        TEST(ram_without_a_descriptor_is_refused),
        cmocka_unit_test(bad_control_messages_end_the_session),
        cmocka_unit_test(bad_processor_messages_end_the_session),
        TEST(a_closed_processor_connection_ends_the_session),
        TEST(the_monitor_cannot_shrink_the_shared_pages),
        TEST(a_live_socket_is_not_replaced_and_a_dead_one_is),
        TEST(a_file_that_is_no_socket_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
