/* SPDX-License-Identifier: BSD-3-Clause */
/* The SCSI family with a driver in C: order of calls, tasks, errors, timeouts, targets that come
 * and go. */
#include "tests/unit/xnu-families/family_test.h"

#include "tests/unit/xnu-families/fake_hba.h"

#include "abi/IOBufferMemoryDescriptor.h"
#include "abi/constants/errno.h"
#include "abi/kpi/vm.h"

#include "xnu/families/block_device.h"
#include "xnu/families/scsi/scsi_private.h"

/* ---- helpers -------------------------------------------------------------------------------- */

static struct block_device *wait_for_disk(const char *name)
{
    struct block_device *device = NULL;

    for (int i = 0; i < 10000 && !device; i++) {
        device = block_device_find(name);
        if (!device)
            sleep_ms(10);
    }
    CHECK(device != NULL);
    return device;
}

static IOBufferMemoryDescriptor *make_buffer(size_t size)
{
    return IOBufferMemoryDescriptor_inTaskWithOptions(kernel_task, kIODirectionOutIn, size, 4096);
}

static uint8_t *bytes_of(IOBufferMemoryDescriptor *buffer)
{
    return IOBufferMemoryDescriptor_getBytesNoCopy(buffer);
}

static int transfer(struct block_device *device, enum block_operation operation, uint64_t offset,
                    uint64_t length, IOBufferMemoryDescriptor *buffer)
{
    struct block_request request = {
        .operation = operation,
        .offset = offset,
        .length = length,
        .memory = (IOMemoryDescriptor *)buffer,
    };

    return block_device_run(device, &request);
}

/* A disk can be found a little before its node is in the registry, which hears. */
static struct block_device *wait_for_published_disk(const char *name)
{
    struct block_device *device = wait_for_disk(name);

    while (!__atomic_load_n(&device->published, __ATOMIC_ACQUIRE))
        sleep_ms(10);
    return device;
}

static void say_that_the_size_may_have_changed(void)
{
    IOSCSIParallelInterfaceDevice *nub =
        IOSCSIParallelInterfaceController_GetTargetForID(fake_hba.controller, 0);

    IOService_messageClients((IOService *)nub, kIOMessageMediaParametersHaveChanged, NULL, 0);
}

static bool wait_for_size(struct block_device *device, uint64_t size)
{
    for (unsigned try = 0; try < 1000 && block_device_size(device) != size; try++)
        sleep_ms(10);
    return block_device_size(device) == size;
}

/* ---- start ---------------------------------------------------------------------------------- */

static bool called_in_order(const char *const *names, unsigned count)
{
    unsigned at = 0;

    for (unsigned i = 0; i < fake_hba.call_count && at < count; i++)
        at += strcmp(fake_hba.calls[i], names[at]) == 0;
    return at == count;
}

static void drivers_are_started_in_the_order_they_rely_on_body(void *argument)
{
    static const char *const order[] = {
        "CreateDeviceInterrupt", "InitializeController", "ReportInitiatorIdentifier",
        "ReportHighestSupportedDeviceID", "ReportMaximumTaskCount", "ReportHBASpecificTaskDataSize",
        "ReportHBAConstraints", "InitializeDMASpecification", "StartController",
        "DoesHBAPerformDeviceManagement", "InitializeTargetForID",
    };

    fake_hba_reset();
    CHECK(fake_hba_start());
    CHECK(called_in_order(order, sizeof order / sizeof order[0]));
    unsigned specifications = 0;
    for (unsigned i = 0; i < fake_hba.call_count; i++)
        specifications += strcmp(fake_hba.calls[i], "InitializeDMASpecification") == 0;
    CHECK(specifications == fake_hba.task_count);
    block_device_release(wait_for_disk("disk0"));
    fake_hba_stop();
}

static void drivers_are_started_in_the_order_they_rely_on(void **state)
{
    run_family(drivers_are_started_in_the_order_they_rely_on_body);
}

static bool was_called(const char *name)
{
    return called_in_order(&name, 1);
}

static void a_failed_initialize_is_not_followed_by_terminate_body(void *argument)
{
    fake_hba_reset();
    fake_hba.fail_initialize = true;
    CHECK(!fake_hba_start());
    CHECK(!was_called("TerminateController") && !was_called("ReportMaximumTaskCount"));
}

static void a_failed_initialize_is_not_followed_by_terminate(void **state)
{
    run_family(a_failed_initialize_is_not_followed_by_terminate_body);
}

static void a_failed_start_is_followed_by_terminate_body(void *argument)
{
    fake_hba_reset();
    fake_hba.fail_start = true;
    CHECK(!fake_hba_start());
    CHECK(was_called("TerminateController") && !was_called("StopController"));
}

static void a_failed_start_is_followed_by_terminate(void **state)
{
    run_family(a_failed_start_is_followed_by_terminate_body);
}

static void a_missing_alignment_mask_panics_body(void *argument)
{
    fake_hba_reset();
    fake_hba.no_alignment_mask = true;
    fake_hba_start();
}

static void a_missing_alignment_mask_panics(void **state)
{
    run_family_panic(a_missing_alignment_mask_panics_body);
}

static void targets_are_those_that_answer_body(void *argument)
{
    fake_hba_reset();
    fake_hba.present[2] = true;
    CHECK(fake_hba_start());
    CHECK(IOSCSIParallelInterfaceController_GetTargetForID(fake_hba.controller, 0) != NULL);
    CHECK(IOSCSIParallelInterfaceController_GetTargetForID(fake_hba.controller, 1) == NULL);
    CHECK(IOSCSIParallelInterfaceController_GetTargetForID(fake_hba.controller, 2) != NULL);
    CHECK(!IOSCSIParallelInterfaceController_CreateTargetForID(fake_hba.controller, 2));
    CHECK(!IOSCSIParallelInterfaceController_CreateTargetForID(fake_hba.controller,
                                                               fake_hba.initiator_id));
    CHECK(IOSCSIParallelInterfaceController_GetHBATargetDataSize(fake_hba.controller, 2) == 16);
    CHECK(IOSCSIParallelInterfaceController_GetHBATargetDataPointer(fake_hba.controller, 2) !=
          NULL);
    CHECK(IOSCSIParallelInterfaceController_GetHBATargetDataPointer(fake_hba.controller, 1) ==
          NULL);
    block_device_release(wait_for_disk("disk0"));
    block_device_release(wait_for_disk("disk1"));
    fake_hba_stop();
}

static void targets_are_those_that_answer(void **state)
{
    run_family(targets_are_those_that_answer_body);
}

static void targets_made_before_the_start_is_over_get_their_commands_body(void *argument)
{
    fake_hba_reset();
    fake_hba.manages_targets = true;
    fake_hba.scans_early = true;
    fake_hba.present[0] = true;
    CHECK(fake_hba_start());
    block_device_release(wait_for_disk("disk0"));
    fake_hba_stop();
}

static void targets_made_before_the_start_is_over_get_their_commands(void **state)
{
    run_family(targets_made_before_the_start_is_over_get_their_commands_body);
}

/* ---- data ----------------------------------------------------------------------------------- */

static void data_go_to_the_disk_and_come_back_body(void *argument)
{
    enum { SIZE = 1 << 20 };

    fake_hba_reset();
    fake_hba.max_bytes = 64 << 10;
    CHECK(fake_hba_start());
    struct block_device *device = wait_for_disk("disk0");
    CHECK(device->information.size == (uint64_t)FAKE_BLOCKS * FAKE_BLOCK);
    CHECK(device->information.block_size == FAKE_BLOCK);
    CHECK(device->information.physical_block_size == 4096);
    CHECK(strcmp(device->information.product, "FAKE DISK") == 0);
    IOBufferMemoryDescriptor *out = make_buffer(SIZE), *in = make_buffer(SIZE);
    for (unsigned i = 0; i < SIZE; i++)
        bytes_of(out)[i] = (uint8_t)(i * 7 + i / 512);
    CHECK(transfer(device, BLOCK_WRITE, 4096, SIZE, out) == 0);
    CHECK(memcmp(fake_hba.media[0] + 4096, bytes_of(out), SIZE) == 0);
    CHECK(transfer(device, BLOCK_READ, 4096, SIZE, in) == 0);
    CHECK(memcmp(bytes_of(in), bytes_of(out), SIZE) == 0);
    CHECK(fake_hba.largest_transfer == fake_hba.max_bytes);
    CHECK(fake_hba_operations(kSCSICmd_READ_10) == SIZE / fake_hba.max_bytes);
    object_release(out);
    object_release(in);
    block_device_release(device);
    fake_hba_stop();
}

static void data_go_to_the_disk_and_come_back(void **state)
{
    run_family(data_go_to_the_disk_and_come_back_body);
    run_family_real(data_go_to_the_disk_and_come_back_body);
}

static void requests_outside_the_disk_are_refused_body(void *argument)
{
    fake_hba_reset();
    CHECK(fake_hba_start());
    struct block_device *device = wait_for_disk("disk0");
    IOBufferMemoryDescriptor *buffer = make_buffer(4096);
    uint64_t size = device->information.size;
    CHECK(transfer(device, BLOCK_READ, size, 512, buffer) == EINVAL);
    CHECK(transfer(device, BLOCK_READ, size - 512, 1024, buffer) == EINVAL);
    CHECK(transfer(device, BLOCK_READ, 1, 512, buffer) == EINVAL);
    CHECK(transfer(device, BLOCK_READ, 0, 100, buffer) == EINVAL);
    CHECK(transfer(device, BLOCK_DISCARD, 0, 512, NULL) == ENOTSUP);
    CHECK(transfer(device, BLOCK_READ, size, 0, buffer) == 0);
    CHECK(transfer(device, BLOCK_READ, size - 512, 512, buffer) == 0);
    object_release(buffer);
    block_device_release(device);
    fake_hba_stop();
}

static void requests_outside_the_disk_are_refused(void **state)
{
    run_family(requests_outside_the_disk_are_refused_body);
}

static void a_disk_has_the_size_that_it_tells_when_its_driver_says_so_body(void *argument)
{
    enum { GROWN = 2 * FAKE_BLOCKS };

    fake_hba_reset();
    fake_hba_resize(GROWN);
    fake_hba.blocks = FAKE_BLOCKS;
    CHECK(fake_hba_start());
    struct block_device *device = wait_for_published_disk("disk0");
    IOBufferMemoryDescriptor *buffer = make_buffer(512);
    uint64_t end = (uint64_t)GROWN * FAKE_BLOCK;
    CHECK(transfer(device, BLOCK_WRITE, end - 512, 512, buffer) == EINVAL);
    fake_hba.blocks = GROWN;
    say_that_the_size_may_have_changed();
    CHECK(wait_for_size(device, end));
    CHECK(transfer(device, BLOCK_WRITE, end - 512, 512, buffer) == 0);
    fake_hba.blocks = 8;
    fake_hba.faults[0] = (struct fake_fault){ kSCSICmd_READ_CAPACITY, 1,
                                              kSCSITaskStatus_CHECK_CONDITION, 5, 0x20, 0 };
    say_that_the_size_may_have_changed(); /* and cannot be read: nothing changes */
    while (fake_hba.faults[0].count != 0)
        sleep_ms(10);
    CHECK(block_device_size(device) == end);
    say_that_the_size_may_have_changed();
    CHECK(wait_for_size(device, 8 * FAKE_BLOCK));
    CHECK(transfer(device, BLOCK_READ, 8 * FAKE_BLOCK, 512, buffer) == EINVAL);
    object_release(buffer);
    block_device_release(device);
    fake_hba_stop();
}

static void a_disk_has_the_size_that_it_tells_when_its_driver_says_so(void **state)
{
    run_family(a_disk_has_the_size_that_it_tells_when_its_driver_says_so_body);
    run_family_real(a_disk_has_the_size_that_it_tells_when_its_driver_says_so_body);
}

static void a_disk_with_blocks_of_another_size_is_taken_away_body(void *argument)
{
    fake_hba_reset();
    CHECK(fake_hba_start());
    struct block_device *device = wait_for_published_disk("disk0");
    IOBufferMemoryDescriptor *buffer = make_buffer(4096);
    fake_hba.told_block_size = 4096;
    say_that_the_size_may_have_changed();
    for (unsigned try = 0; try < 1000 && !device->gone; try++)
        sleep_ms(10);
    CHECK(transfer(device, BLOCK_READ, 0, 4096, buffer) == ENXIO);
    object_release(buffer);
    block_device_release(device);
    fake_hba_stop();
}

static void a_disk_with_blocks_of_another_size_is_taken_away(void **state)
{
    run_family(a_disk_with_blocks_of_another_size_is_taken_away_body);
}

static void discard_and_zeroes_use_the_disks_limits_body(void *argument)
{
    fake_hba_reset();
    fake_hba.provisioning = true;
    CHECK(fake_hba_start());
    struct block_device *device = wait_for_disk("disk0");
    CHECK(device->information.can_discard && device->information.can_write_zeroes);
    memset(fake_hba.media[0], 0xEE, FAKE_BLOCKS * FAKE_BLOCK);
    CHECK(transfer(device, BLOCK_DISCARD, 512, 300 * 512, NULL) == 0);
    CHECK(fake_hba_operations(kSCSICmd_UNMAP) == 3);
    CHECK(fake_hba.unmapped_blocks == 300);
    CHECK(fake_hba.media[0][511] == 0xEE && fake_hba.media[0][512] == 0 &&
          fake_hba.media[0][301 * 512 - 1] == 0 && fake_hba.media[0][301 * 512] == 0xEE);
    CHECK(transfer(device, BLOCK_WRITE_ZEROES, 400 * 512, 512 * 512, NULL) == 0);
    CHECK(fake_hba_operations(0x93) == 2);
    CHECK(fake_hba.media[0][400 * 512] == 0 && fake_hba.media[0][912 * 512 - 1] == 0 &&
          fake_hba.media[0][912 * 512] == 0xEE);
    block_device_release(device);
    fake_hba_stop();
}

static void discard_and_zeroes_use_the_disks_limits(void **state)
{
    run_family(discard_and_zeroes_use_the_disks_limits_body);
}

static void a_stable_write_is_followed_by_a_flush_body(void *argument)
{
    fake_hba_reset();
    fake_hba.write_cache = true;
    CHECK(fake_hba_start());
    struct block_device *device = wait_for_disk("disk0");
    IOBufferMemoryDescriptor *buffer = make_buffer(4096);
    struct block_request request = { .operation = BLOCK_WRITE, .fua = true, .length = 4096,
                                     .memory = (IOMemoryDescriptor *)buffer };
    CHECK(block_device_run(device, &request) == 0);
    CHECK(fake_hba_operations(kSCSICmd_SYNCHRONIZE_CACHE) == 1);
    CHECK(transfer(device, BLOCK_WRITE, 0, 4096, buffer) == 0);
    CHECK(fake_hba_operations(kSCSICmd_SYNCHRONIZE_CACHE) == 1);
    CHECK(transfer(device, BLOCK_FLUSH, 0, 0, NULL) == 0);
    CHECK(fake_hba_operations(kSCSICmd_SYNCHRONIZE_CACHE) == 2);
    object_release(buffer);
    block_device_release(device);
    fake_hba_stop();
}

static void a_stable_write_is_followed_by_a_flush(void **state)
{
    run_family(a_stable_write_is_followed_by_a_flush_body);
}

/* ---- many in flight -------------------------------------------------------------------------- */

struct flight {
    struct block_request request;
    unsigned *done;
};

static void flight_done(struct block_request *request)
{
    unsigned *done = ((struct flight *)request)->done;

    CHECK(request->error == 0);
    __atomic_fetch_add(done, 1, __ATOMIC_RELAXED);
    machine_wakeup(done, false);
}

static void submit_many(struct block_device *device, IOBufferMemoryDescriptor *buffer,
                        struct flight *flights, unsigned count, unsigned *done)
{
    for (unsigned i = 0; i < count; i++) {
        flights[i] = (struct flight){
            { .operation = BLOCK_READ, .offset = i * 4096ull, .length = 4096,
              .memory = (IOMemoryDescriptor *)buffer, .memory_offset = i * 4096ull,
              .done = flight_done }, done };
        block_device_submit(device, &flights[i].request);
    }
}

static void as_many_tasks_are_outstanding_as_the_driver_has_body(void *argument)
{
    enum { COUNT = 32 };
    static struct flight flights[COUNT];
    unsigned done = 0;

    fake_hba_reset();
    CHECK(fake_hba_start());
    struct block_device *device = wait_for_disk("disk0");
    IOBufferMemoryDescriptor *buffer = make_buffer(COUNT * 4096);
    fake_hba.hold = true;
    fake_hba.most_outstanding = 0;
    submit_many(device, buffer, flights, COUNT, &done);
    CHECK(fake_hba.held_count == fake_hba.task_count && done == 0);
    fake_hba.hold = false;
    fake_hba_release();
    while (__atomic_load_n(&done, __ATOMIC_RELAXED) < COUNT)
        machine_sleep(NULL, &done, machine_uptime() + MS, false);
    CHECK(fake_hba.most_outstanding == fake_hba.task_count);
    object_release(buffer);
    block_device_release(device);
    fake_hba_stop();
}

static void as_many_tasks_are_outstanding_as_the_driver_has(void **state)
{
    run_family(as_many_tasks_are_outstanding_as_the_driver_has_body);
}

static void a_target_without_queueing_gets_one_task_at_a_time_body(void *argument)
{
    enum { COUNT = 8 };
    static struct flight flights[COUNT];
    unsigned done = 0;

    fake_hba_reset();
    fake_hba.command_queueing = false;
    CHECK(fake_hba_start());
    struct block_device *device = wait_for_disk("disk0");
    IOBufferMemoryDescriptor *buffer = make_buffer(COUNT * 4096);
    fake_hba.hold = true;
    submit_many(device, buffer, flights, COUNT, &done);
    for (unsigned i = 0; i < COUNT; i++) {
        CHECK(fake_hba.held_count == 1 && done == i);
        fake_hba_release();
    }
    CHECK(done == COUNT);
    object_release(buffer);
    block_device_release(device);
    fake_hba_stop();
}

static void a_target_without_queueing_gets_one_task_at_a_time(void **state)
{
    run_family(a_target_without_queueing_gets_one_task_at_a_time_body);
}

/* ---- errors --------------------------------------------------------------------------------- */

struct error_row {
    struct fake_fault fault;
    int error;
    unsigned commands;                   /* how often the driver saw it; 0: do not care */
};

static void errors_are_repeated_or_told_body(void *argument)
{
    static const struct error_row rows[] = {
        { { kSCSICmd_READ_10, 1, kSCSITaskStatus_CHECK_CONDITION, 6, 0x29, 0 }, 0, 2 },
        { { kSCSICmd_READ_10, 1, kSCSITaskStatus_CHECK_CONDITION, 0xB, 0, 0 }, 0, 2 },
        { { kSCSICmd_READ_10, 1, kSCSITaskStatus_CHECK_CONDITION, 2, 4, 1 }, 0, 2 },
        { { kSCSICmd_READ_10, 1, kSCSITaskStatus_BUSY }, 0, 2 },
        { { kSCSICmd_READ_10, 1, kSCSITaskStatus_TASK_SET_FULL }, 0, 2 },
        { { kSCSICmd_READ_10, 1, kSCSITaskStatus_DeliveryFailure }, 0, 2 },
        { { kSCSICmd_READ_10, 1, .refuse = true }, 0, 2 },
        { { kSCSICmd_READ_10, 1, kSCSITaskStatus_CHECK_CONDITION, 3, 0x11, 0 }, EIO, 1 },
        { { kSCSICmd_READ_10, 1, kSCSITaskStatus_CHECK_CONDITION, 5, 0x20, 0 }, ENOTSUP, 1 },
        { { kSCSICmd_READ_10, 1, kSCSITaskStatus_CHECK_CONDITION, 2, 0x3A, 0 }, ENXIO, 1 },
        { { kSCSICmd_READ_10, 1, kSCSITaskStatus_CHECK_CONDITION, 7, 0x27, 0 }, EROFS, 1 },
        { { kSCSICmd_READ_10, 1, kSCSITaskStatus_RESERVATION_CONFLICT }, EBUSY, 1 },
        { { kSCSICmd_READ_10, 1, kSCSITaskStatus_DeviceNotPresent }, ENXIO, 1 },
        { { kSCSICmd_READ_10, 100, kSCSITaskStatus_CHECK_CONDITION, 6, 0x29, 0 }, EIO, 9 },
    };

    fake_hba_reset();
    CHECK(fake_hba_start());
    struct block_device *device = wait_for_disk("disk0");
    IOBufferMemoryDescriptor *buffer = make_buffer(4096);
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fake_hba.faults[0] = rows[i].fault;
        fake_hba.operation_count = 0;
        int error = transfer(device, BLOCK_READ, 0, 4096, buffer);
        if (error != rows[i].error)
            fprintf(stderr, "row %u: error %d\n", i, error);
        CHECK(error == rows[i].error);
        CHECK(fake_hba.operation_count == rows[i].commands);
        fake_hba.faults[0].count = 0;
        CHECK(transfer(device, BLOCK_READ, 0, 4096, buffer) == 0);
    }
    object_release(buffer);
    block_device_release(device);
    fake_hba_stop();
}

static void errors_are_repeated_or_told(void **state)
{
    run_family(errors_are_repeated_or_told_body);
}

static void a_lost_completion_times_out_and_is_repeated_body(void *argument)
{
    fake_hba_reset();
    CHECK(fake_hba_start());
    struct block_device *device = wait_for_disk("disk0");
    IOBufferMemoryDescriptor *buffer = make_buffer(4096);
    fake_hba.faults[0] = (struct fake_fault){ kSCSICmd_READ_10, 1, .lose = true };
    uint64_t before = machine_uptime();
    CHECK(transfer(device, BLOCK_READ, 0, 4096, buffer) == 0);
    CHECK(fake_hba.timeouts == 1);
    CHECK(machine_uptime() - before >= 30000 * MS);
    /* The late completion hits a task that is not outstanding: it is noticed, nothing breaks. */
    IOSCSIParallelInterfaceController_CompleteParallelTask(fake_hba.controller, fake_hba.lost,
                                                           kSCSITaskStatus_GOOD,
                                                           kSCSIServiceResponse_TASK_COMPLETE);
    CHECK(controller_private(fake_hba.controller)->stray_completions == 1);
    CHECK(transfer(device, BLOCK_READ, 0, 4096, buffer) == 0);
    object_release(buffer);
    block_device_release(device);
    fake_hba_stop();
}

static void a_lost_completion_times_out_and_is_repeated(void **state)
{
    run_family(a_lost_completion_times_out_and_is_repeated_body);
}

static void a_disk_that_becomes_ready_late_is_published_body(void *argument)
{
    fake_hba_reset();
    fake_hba.faults[0] = (struct fake_fault){ kSCSICmd_TEST_UNIT_READY, 40,
                                              kSCSITaskStatus_CHECK_CONDITION, 2, 4, 1 };
    CHECK(fake_hba_start());
    block_device_release(wait_for_disk("disk0"));
    CHECK(fake_hba_operations(kSCSICmd_TEST_UNIT_READY) > 40);
    fake_hba_stop();
}

static void a_disk_that_becomes_ready_late_is_published(void **state)
{
    run_family(a_disk_that_becomes_ready_late_is_published_body);
}

static void a_disk_without_capacity_gets_no_device_body(void *argument)
{
    fake_hba_reset();
    fake_hba.faults[0] = (struct fake_fault){ kSCSICmd_READ_CAPACITY, 100,
                                              kSCSITaskStatus_CHECK_CONDITION, 2, 0x3A, 0 };
    CHECK(fake_hba_start());
    sleep_ms(5000);
    CHECK(block_device_find("disk0") == NULL);
    CHECK(fake_hba_operations(kSCSICmd_READ_CAPACITY) == 1);
    fake_hba_stop();
}

static void a_disk_without_capacity_gets_no_device(void **state)
{
    run_family(a_disk_without_capacity_gets_no_device_body);
}

/* ---- coming and going ------------------------------------------------------------------------ */

static void a_removed_target_takes_its_disk_along_body(void *argument)
{
    fake_hba_reset();
    CHECK(fake_hba_start());
    struct block_device *device = wait_for_disk("disk0");
    IOBufferMemoryDescriptor *buffer = make_buffer(4096);
    IOSCSIParallelInterfaceController_DestroyTargetForID(fake_hba.controller, 0);
    CHECK(IOSCSIParallelInterfaceController_GetTargetForID(fake_hba.controller, 0) == NULL);
    CHECK(block_device_find("disk0") == NULL);
    CHECK(transfer(device, BLOCK_READ, 0, 4096, buffer) == ENXIO);
    block_device_release(device);
    CHECK(IOSCSIParallelInterfaceController_CreateTargetForID(fake_hba.controller, 0));
    device = wait_for_disk("disk0");
    CHECK(transfer(device, BLOCK_READ, 0, 4096, buffer) == 0);
    block_device_release(device);
    object_release(buffer);
    fake_hba_stop();
}

static void a_removed_target_takes_its_disk_along(void **state)
{
    run_family(a_removed_target_takes_its_disk_along_body);
}

static void commands_that_wait_for_a_removed_target_fail_body(void *argument)
{
    struct block_request first = { .operation = BLOCK_READ, .length = 4096 };
    static struct flight flights[16];
    unsigned done = 0;

    fake_hba_reset();
    fake_hba.command_queueing = false;
    CHECK(fake_hba_start());
    struct block_device *device = wait_for_disk("disk0");
    IOBufferMemoryDescriptor *buffer = make_buffer(16 * 4096);
    fake_hba.hold = true;
    submit_many(device, buffer, flights, 1, &done);
    first.memory = (IOMemoryDescriptor *)buffer;
    IOSCSIParallelInterfaceController_DestroyTargetForID(fake_hba.controller, 0);
    CHECK(block_device_run(device, &first) == ENXIO);
    CHECK(done == 0);                    /* the one that the driver has is the driver's to end */
    fake_hba_release();
    CHECK(done == 1);
    object_release(buffer);
    block_device_release(device);
    fake_hba_stop();
}

static void commands_that_wait_for_a_removed_target_fail(void **state)
{
    run_family(commands_that_wait_for_a_removed_target_fail_body);
}

static void stop_calls_the_driver_in_order_body(void *argument)
{
    static const char *const order[] = { "StopController", "TerminateController" };

    fake_hba_reset();
    CHECK(fake_hba_start());
    block_device_release(wait_for_disk("disk0"));
    fake_hba_stop();
    CHECK(called_in_order(order, 2));
    CHECK(block_device_find("disk0") == NULL);
}

static void stop_calls_the_driver_in_order(void **state)
{
    run_family(stop_calls_the_driver_in_order_body);
}

static void tasks_are_processed_on_the_clients_thread_without_the_gate_body(void *argument)
{
    fake_hba_reset();
    CHECK(fake_hba_start());
    struct block_device *device = wait_for_disk("disk0");
    IOBufferMemoryDescriptor *buffer = make_buffer(4096);
    CHECK(transfer(device, BLOCK_READ, 0, 4096, buffer) == 0);
    CHECK(!fake_hba.in_gate && !fake_hba.on_loop_thread);
    object_release(buffer);
    block_device_release(device);
    fake_hba_stop();
}

static void tasks_are_processed_on_the_clients_thread_without_the_gate(void **state)
{
    run_family(tasks_are_processed_on_the_clients_thread_without_the_gate_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drivers_are_started_in_the_order_they_rely_on),
        cmocka_unit_test(a_failed_initialize_is_not_followed_by_terminate),
        cmocka_unit_test(a_failed_start_is_followed_by_terminate),
        cmocka_unit_test(a_missing_alignment_mask_panics),
        cmocka_unit_test(targets_are_those_that_answer),
        cmocka_unit_test(targets_made_before_the_start_is_over_get_their_commands),
        cmocka_unit_test(data_go_to_the_disk_and_come_back),
        cmocka_unit_test(requests_outside_the_disk_are_refused),
        cmocka_unit_test(a_disk_has_the_size_that_it_tells_when_its_driver_says_so),
        cmocka_unit_test(a_disk_with_blocks_of_another_size_is_taken_away),
        cmocka_unit_test(discard_and_zeroes_use_the_disks_limits),
        cmocka_unit_test(a_stable_write_is_followed_by_a_flush),
        cmocka_unit_test(as_many_tasks_are_outstanding_as_the_driver_has),
        cmocka_unit_test(a_target_without_queueing_gets_one_task_at_a_time),
        cmocka_unit_test(errors_are_repeated_or_told),
        cmocka_unit_test(a_lost_completion_times_out_and_is_repeated),
        cmocka_unit_test(a_disk_that_becomes_ready_late_is_published),
        cmocka_unit_test(a_disk_without_capacity_gets_no_device),
        cmocka_unit_test(a_removed_target_takes_its_disk_along),
        cmocka_unit_test(commands_that_wait_for_a_removed_target_fail),
        cmocka_unit_test(stop_calls_the_driver_in_order),
        cmocka_unit_test(tasks_are_processed_on_the_clients_thread_without_the_gate),
    };
    return cmocka_run_group_tests_name("SCSI family", tests, NULL, NULL);
}
