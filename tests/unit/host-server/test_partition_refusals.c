/* SPDX-License-Identifier: BSD-3-Clause */
/* The partition server against a scripted monitor that does not keep to the protocol. */
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
        bench_set_up((void **)&bench);
        bench->monitor.control = monitor_connect(bench->path);
        monitor_send(bench->monitor.control, &hello, sizeof(hello), -1);
        expect_failure(bench, bad[i].status, bad[i].text);
        assert_int_equal(bench->hellos, 0);
        close(bench->monitor.control);
        bench_tear_down((void **)&bench);
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
    bench_start(bench);
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
    bench_start(bench);
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
        bench_set_up((void **)&bench);
        monitor_hello(&bench->monitor, bench->path, 1, 0);
        bench->monitor.ram_file = memfd_create("ram", MFD_CLOEXEC);
        assert_int_equal(ftruncate(bench->monitor.ram_file, 0x10000), 0);
        monitor_ram(&bench->monitor, bad[i].gpa, bad[i].size, bad[i].offset);
        expect_failure(bench, -EINVAL, "RAM: range");
        assert_int_equal(bench->rams, 0);
        close(bench->monitor.ram_file);
        bench_tear_down((void **)&bench);
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
        bench_set_up((void **)&bench);
        bench_start(bench);
        monitor_send(bench->monitor.control, &bad[i].header, bad[i].size, -1);
        expect_failure(bench, bad[i].status, bad[i].text);
        bench_tear_down((void **)&bench);
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
        bench_set_up((void **)&bench);
        bench_start(bench);
        monitor_send(bench->monitor.processors[1], &bad[i].header, bad[i].size, -1);
        expect_failure(bench, bad[i].status, bad[i].text);
        bench_tear_down((void **)&bench);
    }
}

static void a_closed_processor_connection_ends_the_session(void **state)
{
    struct bench *bench = *state;
    bench_start(bench);
    close(bench->monitor.processors[1]);
    bench->monitor.processors[1] = -1;
    bench_pump_often(bench);
    assert_int_equal(bench->how, PARTITION_END_VANISHED);
}

static void the_monitor_cannot_shrink_the_shared_pages(void **state)
{
    struct bench *bench = *state;
    bench_start(bench);
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
    assert_int_equal(partition_server_open(&settings, &bench_operations, bench, &other, error,
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
    assert_int_equal(partition_server_open(&settings, &bench_operations, bench, &bench->server,
                                           error, sizeof(error)),
                     0);
    bench_start(bench);
}

static void a_file_that_is_no_socket_stays(void **state)
{
    struct bench *bench = *state;
    char path[128], error[256];
    struct partition_server *other;
    snprintf(path, sizeof(path), "%s/plain", bench->folder);
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    const struct partition_settings settings = {path, 2, 0x2000, 2048};
    assert_int_equal(partition_server_open(&settings, &bench_operations, bench, &other, error,
                                           sizeof(error)),
                     -EEXIST);
    assert_int_equal(unlink(path), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, bench_set_up, bench_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_hellos_are_refused),
        TEST(a_machine_that_cannot_be_made_is_said),
        TEST(a_second_monitor_is_turned_away_and_the_first_stays),
        TEST(a_stranger_is_turned_away_and_the_session_stays),
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
    return cmocka_run_group_tests_name("partition_refusals", tests, NULL, NULL);
}
