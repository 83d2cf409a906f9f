/* SPDX-License-Identifier: BSD-3-Clause */
/* Disks: memory and raw files, checks, completion rules, faults. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/disk/disk.h"
#include "host/disk/disk_engine.h"
#include "host/disk/disk_faults.h"
#include "host/disk/disk_memory.h"
#include "host/disk/disk_open.h"

enum { SIZE = 1 << 20, WAIT_MS = 10000 };

struct bench {
    struct disk_engine *engine;
    char path[64];
    char error[512];
};

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    bench->engine = disk_engine_new();
    strcpy(bench->path, "/tmp/test-disk-XXXXXX");
    int file = mkstemp(bench->path);
    assert_int_equal(ftruncate(file, SIZE), 0);
    close(file);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    disk_engine_free(bench->engine);
    unlink(bench->path);
    free(bench);
    return 0;
}

static struct disk *open_file(struct bench *bench, bool read_only)
{
    const struct disk_options options = {bench->path, DISK_FORMAT_RAW, read_only, 512};
    struct disk *disk = NULL;
    assert_int_equal(disk_open(bench->engine, &options, &disk, bench->error, sizeof(bench->error)),
                     0);
    return disk;
}

static bool was_done;
static void done(struct disk_request *request)
{
    was_done = true;
}

/* Submits, and waits until it is done. */
static void run(struct bench *bench, struct disk *disk, struct disk_request *request)
{
    was_done = false;
    request->done = done;
    disk_submit(disk, request);
    assert_false(was_done); /* never from within disk_submit() */
    disk_engine_submit(bench->engine);
    for (unsigned i = 0; i < 1000 && !was_done; i++) {
        struct pollfd entry = {.fd = disk_engine_descriptor(bench->engine), .events = POLLIN};
        if (disk_engine_deadline_ns(bench->engine) != 0) {
            assert_int_equal(poll(&entry, 1, WAIT_MS), 1);
        }
        disk_engine_run(bench->engine, 1);
    }
    assert_true(was_done);
}

static int transfer(struct bench *bench, struct disk *disk, enum disk_operation operation,
                    uint64_t offset, void *bytes, size_t length)
{
    struct iovec piece = {bytes, length};
    struct disk_request request = {.operation = operation, .offset = offset, .length = length,
                                   .vector = &piece, .vector_count = 1};
    run(bench, disk, &request);
    assert_int_equal(request.transferred, request.result == 0 ? length : 0);
    return request.result;
}

static int command(struct bench *bench, struct disk *disk, enum disk_operation operation,
                   uint64_t offset, uint64_t length)
{
    struct disk_request request = {.operation = operation, .offset = offset, .length = length};
    run(bench, disk, &request);
    return request.result;
}

/* ---- What every back end does ---- */

static void check_contents(struct bench *bench, struct disk *disk)
{
    static uint8_t written[65536], read[65536];
    for (unsigned i = 0; i < sizeof(written); i++) {
        written[i] = (uint8_t)(i * 31 + i / 512);
    }
    assert_int_equal(transfer(bench, disk, DISK_WRITE, 4096, written, sizeof(written)), 0);
    assert_int_equal(transfer(bench, disk, DISK_READ, 4096, read, sizeof(read)), 0);
    assert_memory_equal(read, written, sizeof(read));
    assert_int_equal(command(bench, disk, DISK_FLUSH, 0, 0), 0);
    assert_int_equal(command(bench, disk, DISK_WRITE_ZEROES, 8192, 512), 0);
    assert_int_equal(transfer(bench, disk, DISK_READ, 8192, read, 1024), 0);
    for (unsigned i = 0; i < 512; i++) {
        assert_int_equal(read[i], 0);
    }
    assert_int_equal(read[512], written[4096 + 512]);
    assert_int_equal(command(bench, disk, DISK_DISCARD, 12288, 4096), 0);
    /* Pieces of odd sizes, out of order in memory. */
    struct iovec pieces[] = {{read + 3000, 100}, {read, 412}, {read + 5000, 512}};
    struct disk_request request = {.operation = DISK_READ, .offset = 4096, .length = 1024,
                                   .vector = pieces, .vector_count = 3};
    run(bench, disk, &request);
    assert_int_equal(request.result, 0);
    assert_memory_equal(read + 3000, written, 100);
    assert_memory_equal(read, written + 100, 412);
    assert_memory_equal(read + 5000, written + 512, 512);
}

static void check_refusals(struct bench *bench, struct disk *disk)
{
    static uint8_t block[1024];
    const uint64_t size = disk->geometry.size;
    assert_int_equal(transfer(bench, disk, DISK_READ, size, block, 512), -ERANGE);
    assert_int_equal(transfer(bench, disk, DISK_READ, size - 512, block, 1024), -ERANGE);
    assert_int_equal(transfer(bench, disk, DISK_READ, UINT64_MAX - 511, block, 512), -ERANGE);
    assert_int_equal(transfer(bench, disk, DISK_READ, 100, block, 512), -EINVAL);
    assert_int_equal(transfer(bench, disk, DISK_READ, 0, block, 100), -EINVAL);
    assert_int_equal(transfer(bench, disk, DISK_READ, 0, block, 0), -EINVAL);
    assert_int_equal(command(bench, disk, DISK_READ, 0, 512), -EINVAL); /* no vector */
    struct iovec pieces[] = {{block, 512}, {block, 513}};
    struct disk_request request = {.operation = DISK_WRITE, .length = 1024, .vector = pieces,
                                   .vector_count = 2};
    run(bench, disk, &request);
    assert_int_equal(request.result, -EINVAL);
    assert_int_equal(transfer(bench, disk, DISK_READ, size - 512, block, 512), 0);
}

static void a_memory_disk_keeps_its_contents(void **state)
{
    struct bench *bench = *state;
    struct disk *disk = disk_memory_open(bench->engine, SIZE, 512);
    check_contents(bench, disk);
    check_refusals(bench, disk);
    assert_int_equal(disk_resize(disk, 2 * SIZE), 0);
    assert_int_equal(command(bench, disk, DISK_WRITE_ZEROES, 2 * SIZE - 512, 512), 0);
    assert_int_equal(disk_resize(disk, 2 * SIZE + 1), -EINVAL);
    disk_close(disk);
}

static void a_raw_file_keeps_its_contents(void **state)
{
    struct bench *bench = *state;
    struct stat status;
    uint8_t byte;
    struct disk *disk = open_file(bench, false);
    assert_int_equal(disk->geometry.size, SIZE);
    check_contents(bench, disk);
    check_refusals(bench, disk);
    assert_int_equal(disk_resize(disk, 2 * SIZE), 0);
    disk_close(disk);
    assert_int_equal(stat(bench->path, &status), 0);
    assert_int_equal(status.st_size, 2 * SIZE);
    int file = open(bench->path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(pread(file, &byte, 1, 4097), 1);
    assert_int_equal(byte, 31);
    close(file);
}

static void a_disk_of_4096_byte_blocks_refuses_smaller_pieces(void **state)
{
    struct bench *bench = *state;
    static uint8_t block[4096];
    struct disk *disk = disk_memory_open(bench->engine, SIZE, 4096);
    assert_int_equal(transfer(bench, disk, DISK_READ, 512, block, 4096), -EINVAL);
    assert_int_equal(transfer(bench, disk, DISK_READ, 4096, block, 512), -EINVAL);
    assert_int_equal(transfer(bench, disk, DISK_READ, 4096, block, 4096), 0);
    disk_close(disk);
}

static void a_read_only_disk_is_not_written(void **state)
{
    struct bench *bench = *state;
    uint8_t block[512];
    struct disk *disk = open_file(bench, true);
    assert_int_equal(transfer(bench, disk, DISK_WRITE, 0, block, 512), -EROFS);
    assert_int_equal(command(bench, disk, DISK_DISCARD, 0, 512), -EROFS);
    assert_int_equal(command(bench, disk, DISK_WRITE_ZEROES, 0, 512), -EROFS);
    assert_int_equal(transfer(bench, disk, DISK_READ, 0, block, 512), 0);
    assert_int_equal(command(bench, disk, DISK_FLUSH, 0, 0), 0);
    assert_int_equal(disk_resize(disk, 2 * SIZE), -EROFS);
    disk_close(disk);
}

static void a_write_with_force_unit_access_succeeds(void **state)
{
    struct bench *bench = *state;
    uint8_t block[512] = {9};
    struct disk *disk = open_file(bench, false);
    struct iovec piece = {block, sizeof(block)};
    struct disk_request request = {.operation = DISK_WRITE, .length = 512, .vector = &piece,
                                   .vector_count = 1, .force_unit_access = true};
    run(bench, disk, &request);
    assert_int_equal(request.result, 0);
    disk_close(disk);
}

/* Small writes are done on the spot, large ones and the rest of those of many pieces are not. */
static void writes_of_every_size_and_shape_arrive(void **state)
{
    struct bench *bench = *state;
    struct disk *disk = open_file(bench, false);
    static uint8_t written[SIZE / 2], read[SIZE / 2];
    static struct iovec pieces[2048];
    for (unsigned i = 0; i < sizeof(written); i++) {
        written[i] = (uint8_t)(i * 7 + i / 1000);
    }
    for (size_t length = 512; length <= sizeof(written); length *= 2) {
        memset(read, 0, sizeof(read));
        assert_int_equal(transfer(bench, disk, DISK_WRITE, length, written, length), 0);
        assert_int_equal(transfer(bench, disk, DISK_READ, length, read, length), 0);
        assert_memory_equal(read, written, length);
    }
    /* More pieces than one system call takes, of less than what is written on the spot. */
    const size_t piece = 16, length = piece * 2048;
    for (unsigned i = 0; i < 2048; i++) {
        pieces[i] = (struct iovec){written + length - (i + 1) * piece, piece};
    }
    struct disk_request request = {.operation = DISK_WRITE, .offset = 512, .length = length,
                                   .vector = pieces, .vector_count = 2048};
    run(bench, disk, &request);
    assert_int_equal(request.result, 0);
    assert_int_equal(transfer(bench, disk, DISK_READ, 512, read, length), 0);
    for (unsigned i = 0; i < 2048; i++) {
        assert_memory_equal(read + i * piece, written + length - (i + 1) * piece, piece);
    }
    disk_close(disk);
}

/* Flushes and refusals copy nothing. */
static void what_is_copied_is_counted(void **state)
{
    struct bench *bench = *state;
    static uint8_t bytes[SIZE / 2];
    struct disk *disks[] = {open_file(bench, false),
                            disk_memory_open(bench->engine, SIZE, 512)};
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(transfer(bench, disks[i], DISK_WRITE, 0, bytes, sizeof(bytes)), 0);
        assert_int_equal(disks[i]->counters.bytes_copied, sizeof(bytes));
        assert_int_equal(transfer(bench, disks[i], DISK_WRITE, 512, bytes, 512), 0);
        assert_int_equal(transfer(bench, disks[i], DISK_READ, 0, bytes, 4096), 0);
        assert_int_equal(command(bench, disks[i], DISK_FLUSH, 0, 0), 0);
        assert_int_equal(transfer(bench, disks[i], DISK_READ, SIZE, bytes, 512), -ERANGE);
        assert_int_equal(disks[i]->counters.bytes_copied, sizeof(bytes) + 512 + 4096);
        disk_close(disks[i]);
    }
}

static void a_write_that_the_file_system_cuts_off_is_an_error(void **state)
{
    struct bench *bench = *state;
    struct disk *disk = open_file(bench, false);
    static uint8_t bytes[4096];
    struct rlimit before, limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    limit = before;
    limit.rlim_cur = 8192;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    struct iovec piece = {bytes, sizeof(bytes)};
    struct disk_request request = {.operation = DISK_WRITE, .offset = 8192 - 512,
                                   .length = sizeof(bytes), .vector = &piece, .vector_count = 1};
    run(bench, disk, &request);
    int beyond = transfer(bench, disk, DISK_WRITE, 8192, bytes, sizeof(bytes));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(request.result, -EFBIG);
    assert_int_equal(request.transferred, 512);
    assert_int_equal(beyond, -EFBIG);
    assert_int_equal(transfer(bench, disk, DISK_WRITE, 8192, bytes, sizeof(bytes)), 0);
    assert_int_equal(disk->counters.errors, 2);
    disk_close(disk);
}

static void a_file_cut_short_under_us_is_an_error_not_a_crash(void **state)
{
    struct bench *bench = *state;
    uint8_t block[1024];
    struct disk *disk = open_file(bench, false);
    assert_int_equal(truncate(bench->path, 512), 0);
    assert_int_equal(transfer(bench, disk, DISK_READ, 4096, block, 512), -EIO);
    struct iovec piece = {block, 1024};
    struct disk_request request = {.operation = DISK_READ, .length = 1024, .vector = &piece,
                                   .vector_count = 1};
    run(bench, disk, &request);
    assert_int_equal(request.result, -EIO);
    assert_int_equal(request.transferred, 512);
    disk_close(disk);
}

static void many_requests_are_in_flight_at_a_time(void **state)
{
    enum { REQUESTS = 1000 };
    struct bench *bench = *state;
    static uint8_t blocks[REQUESTS][512];
    struct disk *disk = open_file(bench, false);
    struct disk_request *requests = calloc(REQUESTS, sizeof(*requests));
    struct iovec *pieces = calloc(REQUESTS, sizeof(*pieces));
    for (unsigned i = 0; i < REQUESTS; i++) {
        memset(blocks[i], (int)i, 512);
        pieces[i] = (struct iovec){blocks[i], 512};
        requests[i] = (struct disk_request){.operation = DISK_WRITE, .offset = i * 512u,
                                            .length = 512, .vector = &pieces[i],
                                            .vector_count = 1, .done = done};
        disk_submit(disk, &requests[i]);
    }
    assert_int_equal(disk->in_flight, REQUESTS);
    while (disk->in_flight > 0) {
        struct pollfd entry = {.fd = disk_engine_descriptor(bench->engine), .events = POLLIN};
        disk_engine_submit(bench->engine);
        if (disk_engine_run(bench->engine, 1) == 0) {
            assert_int_equal(poll(&entry, 1, WAIT_MS), 1);
        }
    }
    for (unsigned i = 0; i < REQUESTS; i++) {
        assert_int_equal(requests[i].result, 0);
    }
    uint8_t back[512];
    assert_int_equal(transfer(bench, disk, DISK_READ, 777 * 512, back, 512), 0);
    assert_memory_equal(back, blocks[777], 512);
    assert_false(disk_engine_busy(bench->engine));
    free(pieces);
    free(requests);
    disk_close(disk);
}

/* ---- Opening ---- */

static int try_open(struct bench *bench, const char *path, bool read_only, uint32_t block_size,
                    struct disk **disk)
{
    const struct disk_options options = {path, DISK_FORMAT_DETECT, read_only, block_size};
    return disk_open(bench->engine, &options, disk, bench->error, sizeof(bench->error));
}

static void one_disk_is_not_opened_twice_for_writing(void **state)
{
    struct bench *bench = *state;
    struct disk *first = open_file(bench, false), *second;
    assert_int_equal(try_open(bench, bench->path, false, 512, &second), -EBUSY);
    assert_non_null(strstr(bench->error, "in use"));
    assert_int_equal(try_open(bench, bench->path, true, 512, &second), -EBUSY);
    disk_close(first);
    first = open_file(bench, true);
    assert_int_equal(try_open(bench, bench->path, true, 512, &second), 0); /* two readers */
    disk_close(second);
    assert_int_equal(try_open(bench, bench->path, false, 512, &second), -EBUSY);
    disk_close(first);
    assert_int_equal(try_open(bench, bench->path, false, 512, &second), 0);
    disk_close(second);
}

static void what_cannot_be_opened_is_said_in_one_line(void **state)
{
    struct bench *bench = *state;
    struct disk *disk;
    assert_int_equal(try_open(bench, "/tmp/no-such-disk.img", false, 512, &disk), -ENOENT);
    assert_non_null(strstr(bench->error, "/tmp/no-such-disk.img"));
    assert_int_equal(try_open(bench, "/tmp", false, 512, &disk), -EISDIR);
    assert_int_equal(truncate(bench->path, 1000), 0);
    assert_int_equal(try_open(bench, bench->path, false, 512, &disk), -EINVAL);
    assert_non_null(strstr(bench->error, "truncate"));
    assert_int_equal(truncate(bench->path, 0), 0);
    assert_int_equal(try_open(bench, bench->path, false, 512, &disk), -EINVAL);
    assert_int_equal(try_open(bench, bench->path, false, 1024, &disk), -EINVAL);
    assert_int_equal(try_open(bench, "memory:", false, 512, &disk), -EINVAL);
    assert_int_equal(try_open(bench, "memory:1000", false, 512, &disk), -EINVAL);
    assert_int_equal(try_open(bench, "memory:0", false, 512, &disk), -EINVAL);
    assert_int_equal(try_open(bench, "memory:64K", true, 4096, &disk), 0);
    assert_true(disk->geometry.read_only);
    disk_close(disk);
}

static void formats_are_told_by_their_marks(void **state)
{
    static const struct {
        const char *mark;
        size_t at, length;
        bool in_last;
        enum disk_format format;
    } marks[] = {
        {"vhdxfile", 0, 8, false, DISK_FORMAT_VHDX},  {"QFI\xfb", 0, 4, false, DISK_FORMAT_QCOW2},
        {"conectix", 0, 8, false, DISK_FORMAT_VHD},   {"conectix", 0, 8, true, DISK_FORMAT_VHD},
        {"KDMV", 0, 4, false, DISK_FORMAT_VMDK},      {"\x7f\x10\xda\xbe", 64, 4, false,
                                                       DISK_FORMAT_VDI},
        {"QFI\xfb", 1, 4, false, DISK_FORMAT_RAW},    {"vhdxfile", 0, 8, true, DISK_FORMAT_RAW},
    };
    for (unsigned i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        uint8_t first[512] = {0}, last[512] = {0};
        memcpy((marks[i].in_last ? last : first) + marks[i].at, marks[i].mark, marks[i].length);
        assert_int_equal(disk_format_detect(first, last), marks[i].format);
    }
    enum disk_format format;
    assert_int_equal(disk_format_from_text("vpc", &format), 0);
    assert_int_equal(format, DISK_FORMAT_VHD);
    assert_int_equal(disk_format_from_text("iso", &format), -EINVAL);
}

static void sizes_are_read_with_their_units(void **state)
{
    uint64_t size;
    assert_int_equal(disk_size_from_text("512", &size), 0);
    assert_int_equal(size, 512);
    assert_int_equal(disk_size_from_text("20G", &size), 0);
    assert_int_equal(size, 20ull << 30);
    assert_int_equal(disk_size_from_text("1t", &size), 0);
    assert_int_equal(size, 1ull << 40);
    static const char *const bad[] = {"", "G", "-1", "1X", "1GB", " 1", "0x10",
                                      "99999999999999999999"};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_true(disk_size_from_text(bad[i], &size) < 0);
    }
    assert_int_equal(disk_size_from_text("16777216T", &size), -ERANGE);
}

/* ---- Faults ---- */

static struct disk *open_faulty(struct bench *bench, const struct disk_fault_settings *settings,
                                uint64_t seed)
{
    return disk_faults_open(disk_memory_open(bench->engine, SIZE, 512), settings, seed);
}

static void a_filter_without_faults_changes_nothing(void **state)
{
    struct bench *bench = *state;
    struct disk *disk = open_faulty(bench, &(struct disk_fault_settings){0}, 1);
    check_contents(bench, disk);
    check_refusals(bench, disk);
    disk_close(disk);
}

static void errors_come_at_their_rate_and_are_repeated_by_the_seed(void **state)
{
    struct bench *bench = *state;
    const struct disk_fault_settings settings = {.error_ppm = 250000};
    uint8_t block[512];
    char runs[3][401] = {{0}};
    for (unsigned r = 0; r < 3; r++) {
        struct disk *disk = open_faulty(bench, &settings, r == 2 ? 99 : 7);
        for (unsigned i = 0; i < 400; i++) {
            int result = transfer(bench, disk, DISK_READ, i * 512u, block, 512);
            assert_true(result == 0 || result == -EIO);
            runs[r][i] = result == 0 ? '.' : 'x';
        }
        struct disk_fault_settings now;
        struct disk_fault_counters counters;
        disk_faults_get(disk, &now, &counters);
        assert_in_range(counters.errors, 60, 140);
        disk_close(disk);
    }
    assert_string_equal(runs[0], runs[1]);
    assert_string_not_equal(runs[0], runs[2]);
}

static void a_short_request_moves_its_first_part(void **state)
{
    struct bench *bench = *state;
    const struct disk_fault_settings settings = {.short_ppm = 1000000};
    struct disk *disk = open_faulty(bench, &settings, 3);
    uint8_t bytes[4096];
    bool moved_some = false;
    for (unsigned i = 0; i < 20; i++) {
        struct iovec pieces[] = {{bytes, 700}, {bytes + 700, 3396}};
        struct disk_request request = {.operation = DISK_READ, .length = 4096, .vector = pieces,
                                       .vector_count = 2};
        memset(bytes, 0xaa, sizeof(bytes));
        run(bench, disk, &request);
        assert_int_equal(request.result, 0);
        assert_true(request.transferred < 4096 && request.transferred % 512 == 0);
        for (unsigned b = 0; b < 4096; b++) {
            assert_int_equal(bytes[b], b < request.transferred ? 0 : 0xaa);
        }
        moved_some |= request.transferred > 0;
    }
    assert_true(moved_some);
    disk_close(disk);
}

static void a_delayed_request_ends_when_the_callers_clock_says_so(void **state)
{
    struct bench *bench = *state;
    const struct disk_fault_settings settings = {.delay_ppm = 1000000, .delay_min_ns = 500,
                                                 .delay_max_ns = 500};
    struct disk *disk = open_faulty(bench, &settings, 3);
    struct disk_request request = {.operation = DISK_FLUSH, .done = done};
    was_done = false;
    disk_submit(disk, &request);
    disk_engine_run(bench->engine, 1000);
    disk_engine_run(bench->engine, 1000);
    assert_int_equal(disk_engine_deadline_ns(bench->engine), 1500);
    disk_engine_run(bench->engine, 1499);
    assert_false(was_done);
    disk_engine_run(bench->engine, 1500);
    assert_true(was_done);
    disk_close(disk);
}

/* A request that says of itself that it has ended. */
struct noted {
    struct disk_request request; /* first */
    bool ended;
};

static void note_end(struct disk_request *request)
{
    ((struct noted *)request)->ended = true;
}

/* D19: neither a disk that is slow nor one that never answers keeps another one waiting. */
static void a_slow_disk_holds_up_no_other(void **state)
{
    struct bench *bench = *state;
    const struct disk_fault_settings slow = {.delay_ppm = 1000000, .delay_min_ns = 5000,
                                             .delay_max_ns = 5000};
    const struct disk_fault_settings quicker = {.delay_ppm = 1000000, .delay_min_ns = 500,
                                                .delay_max_ns = 500};
    const struct disk_fault_settings silent = {.lost_ppm = 1000000};
    struct disk *disks[] = {open_faulty(bench, &silent, 1), open_faulty(bench, &slow, 2),
                            open_faulty(bench, &quicker, 3),
                            disk_memory_open(bench->engine, 4096, 512)};
    struct noted flushes[4];
    for (unsigned i = 0; i < 4; i++) {
        flushes[i] = (struct noted){.request = {.operation = DISK_FLUSH, .done = note_end}};
        disk_submit(disks[i], &flushes[i].request);
        disk_engine_run(bench->engine, 0); /* the slow one waits before the others come */
    }
    disk_engine_run(bench->engine, 1);
    assert_true(flushes[3].ended);
    disk_engine_run(bench->engine, 501);
    disk_engine_run(bench->engine, 502);
    assert_true(flushes[2].ended);
    assert_false(flushes[1].ended);
    disk_engine_run(bench->engine, 5001);
    disk_engine_run(bench->engine, 5002);
    assert_true(flushes[1].ended);
    assert_false(flushes[0].ended);
    disk_faults_release_lost(disks[0]);
    disk_engine_run(bench->engine, 5003);
    assert_true(flushes[0].ended);
    for (unsigned i = 0; i < 4; i++) {
        disk_close(disks[i]);
    }
}

static void a_lost_request_ends_when_released(void **state)
{
    struct bench *bench = *state;
    const struct disk_fault_settings settings = {.lost_ppm = 1000000};
    struct disk *disk = open_faulty(bench, &settings, 3);
    struct disk_request request = {.operation = DISK_FLUSH, .done = done};
    was_done = false;
    disk_submit(disk, &request);
    for (unsigned i = 0; i < 5; i++) {
        disk_engine_run(bench->engine, i);
    }
    assert_false(was_done);
    assert_int_equal(disk->in_flight, 1);
    disk_faults_release_lost(disk);
    disk_engine_run(bench->engine, 9);
    assert_true(was_done);
    disk_close(disk);
}

static void fault_texts_are_read(void **state)
{
    struct disk_fault_settings settings = {0};
    assert_int_equal(disk_faults_parse("error=1%", &settings), 0);
    assert_int_equal(settings.error_ppm, 10000);
    assert_int_equal(disk_faults_parse("short=0.5", &settings), 0);
    assert_int_equal(settings.short_ppm, 500000);
    assert_int_equal(disk_faults_parse("delay=1ms-20ms@5%", &settings), 0);
    assert_int_equal(settings.delay_min_ns, 1000000);
    assert_int_equal(settings.delay_max_ns, 20000000);
    assert_int_equal(settings.delay_ppm, 50000);
    assert_int_equal(disk_faults_parse("delay=3us", &settings), 0);
    assert_int_equal(settings.delay_max_ns, 3000);
    assert_int_equal(settings.delay_ppm, 1000000);
    static const char *const bad[] = {"", "error", "error=", "error=2", "error=-1", "error=nan",
                                      "error=1%x", "delay=5", "delay=5ms-1ms", "delay=1ms@9",
                                      "delay=1ms-", "delay=-1ms", "lost=x", "late=1%"};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (disk_faults_parse(bad[i], &settings) == 0) {
            fail_msg("accepted: %s", bad[i]);
        }
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_memory_disk_keeps_its_contents),
        TEST(a_raw_file_keeps_its_contents),
        TEST(a_disk_of_4096_byte_blocks_refuses_smaller_pieces),
        TEST(a_read_only_disk_is_not_written),
        TEST(a_write_with_force_unit_access_succeeds),
        TEST(writes_of_every_size_and_shape_arrive),
        TEST(what_is_copied_is_counted),
        TEST(a_write_that_the_file_system_cuts_off_is_an_error),
        TEST(a_file_cut_short_under_us_is_an_error_not_a_crash),
        TEST(many_requests_are_in_flight_at_a_time),
        TEST(one_disk_is_not_opened_twice_for_writing),
        TEST(what_cannot_be_opened_is_said_in_one_line),
        TEST(formats_are_told_by_their_marks),
        TEST(sizes_are_read_with_their_units),
        TEST(a_filter_without_faults_changes_nothing),
        TEST(errors_come_at_their_rate_and_are_repeated_by_the_seed),
        TEST(a_short_request_moves_its_first_part),
        TEST(a_delayed_request_ends_when_the_callers_clock_says_so),
        TEST(a_slow_disk_holds_up_no_other),
        TEST(a_lost_request_ends_when_released),
        TEST(fault_texts_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
