/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices' memory and registers in guest-physical space, from a device through to the monitor. */
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

#include "host/hvhost/hvhost.h"
#include "tests/unit/host-server/monitor.h"

/* A device that writes down what it is told. */
struct register_device {
    struct virtual_device device;
    const struct device_machine *machine;
    uint64_t ready_at;
    int ready_status;
    unsigned ready_count;
    uint64_t last_address, last_value;
    enum device_space last_space;
    uint32_t last_size;
    int map_on_write; /* a file that the next write makes appear at 0xf9000000; 0: none */
};

static void attach(struct virtual_device *device, const struct device_machine *machine)
{
    ((struct register_device *)device)->machine = machine;
}

static int plug(struct virtual_device *device, struct vmbus_server *server)
{
    return 0;
}

static void range_ready(struct virtual_device *device, uint64_t start, int status)
{
    struct register_device *registers = (struct register_device *)device;
    registers->ready_at = start;
    registers->ready_status = status;
    registers->ready_count++;
}

static uint64_t read_register(struct virtual_device *device, enum device_space space,
                              uint64_t address, uint32_t size)
{
    return 0x1122334455667788ull;
}

static void write_register(struct virtual_device *device, enum device_space space,
                           uint64_t address, uint32_t size, uint64_t value)
{
    struct register_device *registers = (struct register_device *)device;
    registers->last_space = space;
    registers->last_address = address;
    registers->last_size = size;
    registers->last_value = value;
    if (registers->map_on_write != 0) {
        assert_int_equal(registers->machine->map(registers->machine->context, device, 0xf9000000,
                                                 0x1000, registers->map_on_write, 0,
                                                 DEVICE_MAP_WRITABLE), 0);
        registers->map_on_write = 0;
    }
}

static const struct virtual_device_operations operations = {
    .kind = "registers",
    .attach = attach,
    .plug = plug,
    .range_ready = range_ready,
    .read = read_register,
    .write = write_register,
};

struct bench {
    struct hvhost host;
    struct register_device registers;
    struct monitor monitor;
    char folder[64], path[96];
};

static void pump(void *context)
{
    partition_server_run(((struct bench *)context)->host.partition);
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    char error[256];
    strcpy(bench->folder, "/tmp/test-space-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    snprintf(bench->path, sizeof(bench->path), "%s/socket", bench->folder);
    const struct partition_settings settings = {bench->path, 2, 0x2000, 2048};
    bench->registers.device.operations = &operations;
    bench->host.devices = &bench->registers.device;
    bench->host.release = *host_release_newest();
    bench->host.report.log = fopen("/dev/null", "w");
    guest_memory_initialise(&bench->host.memory);
    hvhost_space_open(&bench->host);
    assert_int_equal(partition_server_open(&settings, &hvhost_partition_operations, &bench->host,
                                           &bench->host.partition, error, sizeof(error)),
                     0);
    bench->monitor.pump = pump;
    bench->monitor.pump_context = bench;
    monitor_start(&bench->monitor, bench->path, 1, 1 << 20);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    host_machine_free(&bench->host.machine);
    partition_server_free(bench->host.partition);
    hvhost_space_close(&bench->host);
    monitor_vanish(&bench->monitor);
    fclose(bench->host.report.log);
    rmdir(bench->folder);
    free(bench);
    return 0;
}

static void answer(struct bench *bench, void *message, size_t size, int32_t status)
{
    struct partition_header *header = message;
    int descriptor = -1;
    unsigned count;
    assert_int_equal(monitor_receive(&bench->monitor, bench->monitor.control, message, size,
                                     &descriptor, 1, &count),
                     size);
    if (count > 0) {
        close(descriptor);
    }
    struct partition_status_reply reply = {
        {header->type | PARTITION_REPLY, sizeof(reply), header->cookie}, status};
    monitor_send(bench->monitor.control, &reply, sizeof(reply), -1);
    pump(bench);
}

static uint64_t guest_read(struct bench *bench, uint32_t kind, uint64_t address, uint32_t size)
{
    struct partition_read read = {{PARTITION_READ, sizeof(read), 1}, address, size, kind};
    struct partition_read_reply reply;
    monitor_send(bench->monitor.processors[0], &read, sizeof(read), -1);
    monitor_receive(&bench->monitor, bench->monitor.processors[0], &reply, sizeof(reply), NULL, 0,
                    NULL);
    return reply.value;
}

static void guest_write(struct bench *bench, uint32_t kind, uint64_t address, uint32_t size,
                        uint64_t value)
{
    struct partition_write write = {{PARTITION_WRITE, sizeof(write), 1}, address, size, kind,
                                    value};
    monitor_send(bench->monitor.processors[0], &write, sizeof(write), -1);
    pump(bench);
}

static void accesses_come_to_the_device_that_trapped_the_range(void **state)
{
    struct bench *bench = *state;
    struct register_device *registers = &bench->registers;
    const struct device_machine *machine = registers->machine;
    struct partition_trap message;
    assert_int_equal(machine->trap(machine->context, &registers->device, DEVICE_SPACE_MEMORY,
                                   0xfe000000, 4096, true), 0);
    answer(bench, &message, sizeof(message), 0);
    assert_int_equal(message.start, 0xfe000000);
    assert_int_equal(registers->ready_at, 0xfe000000);
    assert_int_equal(registers->ready_status, 0);
    assert_int_equal(guest_read(bench, 0, 0xfe000010, 4), 0x55667788);
    assert_int_equal(guest_read(bench, 0, 0xfe000010, 1), 0x88);
    guest_write(bench, 0, 0xfe000ffe, 2, 0xffffabcd);
    assert_int_equal(registers->last_address, 0xfe000ffe);
    assert_int_equal(registers->last_value, 0xabcd);
    assert_int_equal(registers->last_size, 2);
    /* Beyond the end, in the other space, and after it was taken away: an empty bus. */
    assert_int_equal(guest_read(bench, 0, 0xfe000ffe, 4), 0xffffffff);
    assert_int_equal(guest_read(bench, 1, 0x10, 2), 0xffff);
    assert_int_equal(machine->trap(machine->context, &registers->device, DEVICE_SPACE_MEMORY,
                                   0xfe000000, 4096, false), 0);
    answer(bench, &message, sizeof(message), 0);
    assert_int_equal(message.on, 0);
    assert_int_equal(guest_read(bench, 0, 0xfe000010, 8), UINT64_MAX);
}

static void a_refused_trap_is_told_and_gone(void **state)
{
    struct bench *bench = *state;
    struct register_device *registers = &bench->registers;
    const struct device_machine *machine = registers->machine;
    struct partition_trap message;
    assert_int_equal(machine->trap(machine->context, &registers->device, DEVICE_SPACE_PORT, 0x100,
                                   8, true), 0);
    assert_int_equal(machine->trap(machine->context, &registers->device, DEVICE_SPACE_PORT, 0x107,
                                   2, true), -EEXIST);
    assert_int_equal(machine->trap(machine->context, &registers->device, DEVICE_SPACE_PORT, 0x200,
                                   0, true), -EINVAL);
    answer(bench, &message, sizeof(message), -EBUSY);
    assert_int_equal(registers->ready_status, -EBUSY);
    assert_int_equal(guest_read(bench, 1, 0x100, 1), 0xff);
    assert_int_equal(machine->trap(machine->context, &registers->device, DEVICE_SPACE_PORT, 0x107,
                                   2, true), 0);
}

static void memory_is_mapped_and_unmapped(void **state)
{
    struct bench *bench = *state;
    struct register_device *registers = &bench->registers;
    const struct device_machine *machine = registers->machine;
    struct partition_map map_message;
    struct partition_unmap unmap_message;
    int file = memfd_create("video", MFD_CLOEXEC);
    assert_int_equal(machine->map(machine->context, &registers->device, 0xf8000000, 0x800000, file,
                                  0, DEVICE_MAP_WRITABLE | DEVICE_MAP_FRAMEBUFFER), 0);
    close(file);
    answer(bench, &map_message, sizeof(map_message), 0);
    assert_int_equal(map_message.flags, PARTITION_MAP_WRITABLE | PARTITION_MAP_FRAMEBUFFER);
    assert_int_equal(registers->ready_at, 0xf8000000);
    assert_int_equal(machine->unmap(machine->context, &registers->device, 0xf8000000, 0x800000), 0);
    answer(bench, &unmap_message, sizeof(unmap_message), 0);
    assert_int_equal(registers->ready_count, 2);
}

static bool has_reply(struct bench *bench)
{
    struct pollfd poll_for = {.fd = bench->monitor.processors[0], .events = POLLIN};
    return poll(&poll_for, 1, 0) == 1;
}

static void a_read_waits_for_the_ranges_that_writes_before_it_asked_for(void **state)
{
    struct bench *bench = *state;
    struct register_device *registers = &bench->registers;
    const struct device_machine *machine = registers->machine;
    struct partition_trap trap_message;
    struct partition_map map_message;
    struct partition_read read = {{PARTITION_READ, sizeof(read), 5}, 0xfe000000, 4, 0};
    struct partition_read_reply reply;
    int file = memfd_create("bar", MFD_CLOEXEC);
    assert_int_equal(ftruncate(file, 0x1000), 0);
    assert_int_equal(machine->trap(machine->context, &registers->device, DEVICE_SPACE_MEMORY,
                                   0xfe000000, 4096, true), 0);
    answer(bench, &trap_message, sizeof(trap_message), 0);
    registers->map_on_write = file;
    guest_write(bench, 0, 0xfe000004, 4, 2);
    monitor_send(bench->monitor.processors[0], &read, sizeof(read), -1);
    pump(bench);
    pump(bench);
    assert_false(has_reply(bench));
    answer(bench, &map_message, sizeof(map_message), 0);
    assert_true(has_reply(bench));
    monitor_receive(&bench->monitor, bench->monitor.processors[0], &reply, sizeof(reply), NULL, 0,
                    NULL);
    assert_int_equal(reply.header.cookie, 5);
    assert_int_equal(reply.value, 0x55667788);
    /* And the next one is answered at once. */
    assert_int_equal(guest_read(bench, 0, 0xfe000000, 4), 0x55667788);
    close(file);
}

static void a_processor_that_does_not_wait_ends_the_session(void **state)
{
    struct bench *bench = *state;
    struct register_device *registers = &bench->registers;
    const struct device_machine *machine = registers->machine;
    struct partition_trap message;
    struct partition_read read = {{PARTITION_READ, sizeof(read), 5}, 0xfe000000, 4, 0};
    int file = memfd_create("bar", MFD_CLOEXEC);
    assert_int_equal(machine->trap(machine->context, &registers->device, DEVICE_SPACE_MEMORY,
                                   0xfe000000, 4096, true), 0);
    answer(bench, &message, sizeof(message), 0);
    registers->map_on_write = file;
    guest_write(bench, 0, 0xfe000004, 4, 2);
    monitor_send(bench->monitor.processors[0], &read, sizeof(read), -1);
    monitor_send(bench->monitor.processors[0], &read, sizeof(read), -1);
    pump(bench);
    pump(bench);
    assert_true(bench->host.stopping);
    assert_int_equal(bench->host.exit_code, HVHOST_EXIT_MONITOR);
    close(file);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(accesses_come_to_the_device_that_trapped_the_range),
        TEST(a_refused_trap_is_told_and_gone),
        TEST(memory_is_mapped_and_unmapped),
        TEST(a_read_waits_for_the_ranges_that_writes_before_it_asked_for),
        TEST(a_processor_that_does_not_wait_ends_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
