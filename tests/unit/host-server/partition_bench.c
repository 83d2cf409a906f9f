/* SPDX-License-Identifier: BSD-3-Clause */
/* The machine that writes down what it is told, and its start. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/host-server/partition_bench.h"

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

const struct partition_operations bench_operations = {
    take_hello, take_ram, take_start, take_cpuid, take_read_msr, take_write_msr, take_hypercall,
    take_read, take_write, take_signal, take_power, take_written, take_end,
};

void bench_pump(void *context)
{
    struct bench *bench = context;
    partition_server_run(bench->server);
}

void bench_pump_often(struct bench *bench)
{
    for (unsigned i = 0; i < 20; i++) {
        partition_server_run(bench->server);
    }
}

int bench_set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    char error[256];
    strcpy(bench->folder, "/tmp/test-partition-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    snprintf(bench->path, sizeof(bench->path), "%s/socket", bench->folder);
    const struct partition_settings settings = {bench->path, 2, 0x2000, 2048, 0xf8000000};
    assert_int_equal(partition_server_open(&settings, &bench_operations, bench, &bench->server,
                                           error, sizeof(error)),
                     0);
    bench->monitor.pump = bench_pump;
    bench->monitor.pump_context = bench;
    *state = bench;
    return 0;
}

int bench_tear_down(void **state)
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

void bench_start(struct bench *bench)
{
    monitor_start(&bench->monitor, bench->path, 2, 1 << 20);
    bench_pump_often(bench);
    assert_int_equal(bench->starts, 1);
}

void bench_start_bare(struct bench *bench, uint32_t flags)
{
    monitor_hello(&bench->monitor, bench->path, 1, flags);
    assert_int_equal(monitor_attach(&bench->monitor, bench->path, 0), 0);
    bench->monitor.ram_file = memfd_create("ram", MFD_CLOEXEC);
    assert_int_equal(ftruncate(bench->monitor.ram_file, 0x1000), 0);
    monitor_ram(&bench->monitor, 0, 0x1000, 0);
    close(bench->monitor.ram_file);
    monitor_send_header(&bench->monitor, bench->monitor.control, PARTITION_START);
    while (bench->starts == 0) {
        bench_pump(bench);
    }
}
