/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Image formats, against QEMU's own tools: what we write is what qemu-io reads, and the other way
 * round. Skipped where the tools are not installed.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/disk/disk.h"
#include "host/disk/disk_engine.h"
#include "host/disk/disk_open.h"

enum { WAIT_MS = 20000 };

struct bench {
    struct disk_engine *engine;
    char folder[64];
    char path[128];
    char error[1024];
};

static int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int shell(const char *format, ...)
{
    char command[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    return system(command);
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    bench->engine = disk_engine_new();
    strcpy(bench->folder, "/tmp/test-images-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    disk_engine_free(bench->engine);
    shell("rm -rf %s", bench->folder);
    free(bench);
    return 0;
}

static void create(struct bench *bench, const char *qemu_format, const char *options)
{
    snprintf(bench->path, sizeof(bench->path), "%s/disk", bench->folder);
    assert_int_equal(shell("qemu-img create -q -f %s %s %s 16M", qemu_format, options, bench->path),
                     0);
}

static int try_open(struct bench *bench, enum disk_format format, bool read_only,
                    struct disk **disk)
{
    const struct disk_options options = {bench->path, format, read_only, 512};
    return disk_open(bench->engine, &options, disk, bench->error, sizeof(bench->error));
}

static unsigned done_count;
static void done(struct disk_request *request)
{
    done_count++;
}

static void wait_for(struct bench *bench, unsigned count)
{
    disk_engine_submit(bench->engine);
    while (done_count < count) {
        struct pollfd entry = {.fd = disk_engine_descriptor(bench->engine), .events = POLLIN};
        if (disk_engine_deadline_ns(bench->engine) != 0) {
            assert_int_equal(poll(&entry, 1, WAIT_MS), 1);
        }
        disk_engine_run(bench->engine, 1);
    }
}

static int transfer(struct bench *bench, struct disk *disk, enum disk_operation operation,
                    uint64_t offset, uint64_t length, struct iovec *pieces, unsigned count)
{
    struct disk_request request = {.operation = operation, .offset = offset, .length = length,
                                   .vector = pieces, .vector_count = count, .done = done};
    done_count = 0;
    disk_submit(disk, &request);
    wait_for(bench, 1);
    return request.result;
}

static void check_format(struct bench *bench, const char *qemu_format, const char *options,
                         enum disk_format format)
{
    static uint8_t bytes[65536], back[65536];
    struct disk *disk;
    create(bench, qemu_format, options);
    assert_int_equal(shell("qemu-io -f %s -c 'write -P 0x11 0 64k' %s >/dev/null", qemu_format,
                           bench->path), 0);
    if (try_open(bench, DISK_FORMAT_DETECT, false, &disk) != 0) {
        fail_msg("%s", bench->error);
    }
    assert_string_equal(disk->format, disk_format_text(format));
    assert_true(disk->geometry.size >= 16 << 20);
    struct iovec one = {back, sizeof(back)};
    assert_int_equal(transfer(bench, disk, DISK_READ, 0, 65536, &one, 1), 0);
    for (unsigned i = 0; i < sizeof(back); i++) {
        assert_int_equal(back[i], 0x11);
    }
    memset(bytes, 0x22, sizeof(bytes));
    struct iovec scattered[] = {{bytes, 512}, {bytes + 4096, 3584}, {bytes + 8192, 4096}};
    assert_int_equal(transfer(bench, disk, DISK_WRITE, 8 << 20, 8192, scattered, 3), 0);
    struct iovec scattered_back[] = {{back, 100}, {back + 200, 8092}};
    assert_int_equal(transfer(bench, disk, DISK_READ, 8 << 20, 8192, scattered_back, 2), 0);
    assert_int_equal(back[0], 0x22);
    assert_int_equal(back[199], 0x11);
    assert_int_equal(back[8291], 0x22);
    /* Through the socket, and what lies in pieces once more. */
    assert_int_equal(disk->counters.bytes_copied, 65536 + 2 * 8192 + 2 * 8192);
    assert_int_equal(transfer(bench, disk, DISK_WRITE_ZEROES, 0, 4096, NULL, 0), 0);
    assert_int_equal(transfer(bench, disk, DISK_DISCARD, 32768, 4096, NULL, 0), 0);
    assert_int_equal(transfer(bench, disk, DISK_FLUSH, 0, 0, NULL, 0), 0);
    disk_close(disk);
    assert_int_equal(shell("qemu-io -f %s -c 'read -P 0x22 8M 8k' -c 'read -P 0 0 4k' "
                           "-c 'read -P 0x11 4k 4k' %s | grep -q 'Pattern verification failed'",
                           qemu_format, bench->path) == 0, 0);
    if (format != DISK_FORMAT_VHD) {
        assert_int_equal(shell("qemu-img check -q -f %s %s >/dev/null", qemu_format, bench->path),
                         0);
    }
}

static void vhdx_images_work(void **state)
{
    check_format(*state, "vhdx", "", DISK_FORMAT_VHDX);
}

static void dynamic_vhd_images_work(void **state)
{
    check_format(*state, "vpc", "-o subformat=dynamic", DISK_FORMAT_VHD);
}

static void fixed_vhd_images_work(void **state)
{
    check_format(*state, "vpc", "-o subformat=fixed", DISK_FORMAT_VHD);
}

static void qcow2_images_work(void **state)
{
    check_format(*state, "qcow2", "", DISK_FORMAT_QCOW2);
}

static void many_requests_over_nbd_all_come_back(void **state)
{
    enum { REQUESTS = 200 };
    struct bench *bench = *state;
    static uint8_t bytes[REQUESTS][4096];
    struct disk_request requests[REQUESTS];
    struct iovec pieces[REQUESTS];
    struct disk *disk;
    create(bench, "qcow2", "");
    assert_int_equal(try_open(bench, DISK_FORMAT_QCOW2, false, &disk), 0);
    for (unsigned round = 0; round < 2; round++) {
        done_count = 0;
        for (unsigned i = 0; i < REQUESTS; i++) {
            if (round == 0) {
                memset(bytes[i], (int)i, sizeof(bytes[i]));
            } else {
                memset(bytes[i], 0xff, sizeof(bytes[i]));
            }
            pieces[i] = (struct iovec){bytes[i], sizeof(bytes[i])};
            requests[i] = (struct disk_request){
                .operation = round == 0 ? DISK_WRITE : DISK_READ, .offset = i * 4096u,
                .length = 4096, .vector = &pieces[i], .vector_count = 1, .done = done,
                .force_unit_access = i % 50 == 0 && round == 0};
            disk_submit(disk, &requests[i]);
        }
        wait_for(bench, REQUESTS);
    }
    for (unsigned i = 0; i < REQUESTS; i++) {
        assert_int_equal(requests[i].result, 0);
        assert_int_equal(bytes[i][4095], (uint8_t)i);
    }
    disk_close(disk);
}

static void an_image_in_use_is_refused_with_the_reason(void **state)
{
    struct bench *bench = *state;
    struct disk *first, *second;
    create(bench, "qcow2", "");
    assert_int_equal(try_open(bench, DISK_FORMAT_QCOW2, false, &first), 0);
    assert_true(try_open(bench, DISK_FORMAT_QCOW2, false, &second) < 0);
    assert_non_null(strstr(bench->error, bench->path));
    assert_non_null(strstr(bench->error, "lock"));
    disk_close(first);
    assert_int_equal(try_open(bench, DISK_FORMAT_QCOW2, false, &second), 0);
    disk_close(second);
}

static void a_broken_image_is_refused_with_the_reason(void **state)
{
    struct bench *bench = *state;
    struct disk *disk;
    create(bench, "raw", "");
    assert_true(try_open(bench, DISK_FORMAT_VHDX, false, &disk) < 0);
    assert_non_null(strstr(bench->error, "vhdx"));
    assert_null(strchr(bench->error, '\n'));
    assert_int_equal(try_open(bench, DISK_FORMAT_DETECT, false, &disk), 0);
    assert_string_equal(disk->format, "raw");
    disk_close(disk);
}

static void a_server_that_dies_fails_requests(void **state)
{
    struct bench *bench = *state;
    uint8_t bytes[512];
    struct iovec piece = {bytes, sizeof(bytes)};
    struct disk *disk;
    create(bench, "qcow2", "");
    assert_int_equal(try_open(bench, DISK_FORMAT_QCOW2, false, &disk), 0);
    assert_int_equal(shell("kill -9 $(ps -o pid=,comm= --ppid %d | "
                           "awk '$2 == \"qemu-nbd\" {print $1}')", getpid()), 0);
    /* Its end may be seen at once or while the request is under way. */
    assert_true(transfer(bench, disk, DISK_READ, 0, 512, &piece, 1) < 0);
    piece = (struct iovec){bytes, sizeof(bytes)};
    assert_true(transfer(bench, disk, DISK_READ, 0, 512, &piece, 1) < 0);
    disk_close(disk);
}

static void an_nbd_uri_works(void **state)
{
    struct bench *bench = *state;
    uint8_t bytes[1024];
    struct iovec piece = {bytes, sizeof(bytes)};
    struct disk *disk;
    if (shell("command -v nbdkit >/dev/null") != 0) {
        skip();
    }
    assert_int_equal(shell("nbdkit -U %s/socket -P %s/pid pattern 1M", bench->folder,
                           bench->folder), 0);
    snprintf(bench->path, sizeof(bench->path), "nbd+unix:///?socket=%s/socket", bench->folder);
    assert_true(try_open(bench, DISK_FORMAT_DETECT, false, &disk) < 0);
    assert_non_null(strstr(bench->error, "readonly"));
    assert_int_equal(try_open(bench, DISK_FORMAT_DETECT, true, &disk), 0);
    assert_int_equal(disk->geometry.size, 1 << 20);
    assert_int_equal(transfer(bench, disk, DISK_READ, 512, 1024, &piece, 1), 0);
    assert_memory_equal(bytes, "\0\0\0\0\0\0\2\0\0\0\0\0\0\0\2\x08", 16);
    disk_close(disk);
    assert_int_equal(shell("kill $(cat %s/pid)", bench->folder), 0);
}

static void force_unit_access_works_with_a_server_that_does_not_know_it(void **state)
{
    struct bench *bench = *state;
    uint8_t bytes[512] = {7};
    struct iovec piece = {bytes, sizeof(bytes)};
    struct disk_request request = {.operation = DISK_WRITE, .length = 512, .vector = &piece,
                                   .vector_count = 1, .force_unit_access = true, .done = done};
    struct disk *disk;
    if (shell("command -v nbdkit >/dev/null") != 0) {
        skip();
    }
    assert_int_equal(shell("nbdkit -U %s/socket -P %s/pid eval get_size='echo 1M' "
                           "can_fua='echo none' "
                           "can_write='exit 0' pwrite='cat >/dev/null' pread='exit 1' "
                           "can_flush='exit 0' flush='echo Flush >%s/log'", bench->folder,
                           bench->folder, bench->folder), 0);
    snprintf(bench->path, sizeof(bench->path), "nbd+unix:///?socket=%s/socket", bench->folder);
    assert_int_equal(try_open(bench, DISK_FORMAT_DETECT, false, &disk), 0);
    done_count = 0;
    disk_submit(disk, &request);
    wait_for(bench, 1);
    assert_int_equal(request.result, 0);
    assert_int_equal(shell("grep -q Flush %s/log", bench->folder), 0);
    disk_close(disk);
    assert_int_equal(shell("kill $(cat %s/pid)", bench->folder), 0);
}

/* ---- Opened without waiting ---- */

struct opened {
    unsigned calls;
    int result;
    struct disk *disk;
    char error[1024];
};

static void note_opened(void *context, int result, struct disk *disk, const char *error)
{
    struct opened *opened = context;
    opened->calls++;
    opened->result = result;
    opened->disk = disk;
    snprintf(opened->error, sizeof(opened->error), "%s", error);
}

static struct disk_opening *begin(struct bench *bench, const char *path, struct opened *opened)
{
    const struct disk_options options = {path, DISK_FORMAT_DETECT, false, 512};
    memset(opened, 0, sizeof(*opened));
    return disk_open_begin(bench->engine, &options, note_opened, opened);
}

static void wait_until_opened(struct bench *bench, const struct opened *opened)
{
    while (opened->calls == 0) {
        struct pollfd entry = {.fd = disk_engine_descriptor(bench->engine), .events = POLLIN};
        assert_int_equal(poll(&entry, 1, WAIT_MS), 1);
        disk_engine_run(bench->engine, 1);
    }
}

static void an_image_is_opened_without_waiting_for_it(void **state)
{
    struct bench *bench = *state;
    uint8_t bytes[512];
    struct iovec piece = {bytes, sizeof(bytes)};
    struct opened opened;
    create(bench, "vhdx", "");
    assert_non_null(begin(bench, bench->path, &opened));
    assert_int_equal(opened.calls, 0);
    wait_until_opened(bench, &opened);
    assert_int_equal(opened.result, 0);
    assert_int_equal(opened.disk->geometry.size, 16 << 20);
    assert_int_equal(transfer(bench, opened.disk, DISK_READ, 0, 512, &piece, 1), 0);
    disk_close(opened.disk);
    assert_int_equal(opened.calls, 1);
}

static void an_image_that_cannot_be_opened_says_why_later(void **state)
{
    struct bench *bench = *state;
    struct opened opened;
    create(bench, "vhdx", "");
    assert_int_equal(shell("truncate -s 200K %s", bench->path), 0);
    assert_non_null(begin(bench, bench->path, &opened));
    wait_until_opened(bench, &opened);
    assert_true(opened.result < 0);
    assert_null(opened.disk);
    assert_non_null(strstr(opened.error, "qemu-img check"));
    create(bench, "vhdx", "");
    assert_non_null(begin(bench, bench->path, &opened));
    wait_until_opened(bench, &opened);
    assert_int_equal(opened.result, 0);
    disk_close(opened.disk);
}

static void what_needs_nobody_else_is_open_at_once(void **state)
{
    struct bench *bench = *state;
    struct opened opened;
    assert_null(begin(bench, "memory:1M", &opened));
    assert_int_equal(opened.calls, 1);
    assert_int_equal(opened.result, 0);
    disk_close(opened.disk);
    assert_null(begin(bench, "/no/such/file", &opened));
    assert_int_equal(opened.calls, 1);
    assert_true(opened.result < 0);
    assert_non_null(strstr(opened.error, "/no/such/file"));
}

static void an_opening_that_nobody_answers_can_be_given_up(void **state)
{
    struct bench *bench = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct opened opened;
    const int silent = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", bench->folder);
    assert_int_equal(bind(silent, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(silent, 1), 0);
    snprintf(bench->path, sizeof(bench->path), "nbd+unix:///?socket=%s/socket", bench->folder);
    struct disk_opening *opening = begin(bench, bench->path, &opened);
    assert_non_null(opening);
    for (unsigned i = 0; i < 100; i++) {
        disk_engine_run(bench->engine, i);
    }
    assert_int_equal(opened.calls, 0);
    disk_opening_cancel(opening);
    close(silent);
    assert_null(begin(bench, bench->path, &opened)); /* a server that has gone is known at once */
    assert_int_equal(opened.calls, 1);
    assert_true(opened.result < 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(vhdx_images_work),
        TEST(dynamic_vhd_images_work),
        TEST(fixed_vhd_images_work),
        TEST(qcow2_images_work),
        TEST(many_requests_over_nbd_all_come_back),
        TEST(an_image_in_use_is_refused_with_the_reason),
        TEST(a_broken_image_is_refused_with_the_reason),
        TEST(a_server_that_dies_fails_requests),
        TEST(an_nbd_uri_works),
        TEST(an_image_is_opened_without_waiting_for_it),
        TEST(an_image_that_cannot_be_opened_says_why_later),
        TEST(what_needs_nobody_else_is_open_at_once),
        TEST(an_opening_that_nobody_answers_can_be_given_up),
        TEST(force_unit_access_works_with_a_server_that_does_not_know_it),
    };
    if (shell("command -v qemu-img >/dev/null && command -v qemu-io >/dev/null && "
              "command -v qemu-nbd >/dev/null") != 0) {
        puts("1..0 # SKIP qemu-utils is not installed");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
