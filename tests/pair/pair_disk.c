/* SPDX-License-Identifier: BSD-3-Clause */
/* Disks of the guest, as the rest of the kernel uses them. Kernel side. */
#include "tests/pair/pair_guest.h"

#include "abi/IOBufferMemoryDescriptor.h"
#include "abi/IOSCSIParallelInterfaceController.h"
#include "abi/IOSCSIParallelInterfaceDevice.h"
#include "abi/constants.h"
#include "abi/kpi/vm.h"
#include "abi/runtime.h"
#include "kext/storage/HyperVStorage.h"
#include "xnu/families/block_device.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/threads.h"

enum { WAIT_SECONDS = 10, WAIT_STEP_NANOSECONDS = 10000000, NO_DEVICE = 6 };

void pair_sleep(uint64_t nanoseconds)
{
    static const char event;

    machine_sleep(NULL, &event, machine_uptime() + nanoseconds, false);
}

bool pair_wait_for_disk(const char *name, bool there)
{
    uint64_t deadline = machine_uptime() + WAIT_SECONDS * PAIR_SECOND;

    while (machine_uptime() < deadline) {
        struct block_device *device = block_device_find(name);
        bool found = device != NULL;

        if (found)
            block_device_release(device);
        if (found == there)
            return true;
        pair_sleep(WAIT_STEP_NANOSECONDS);
    }
    return false;
}

uint64_t pair_disk_size(const char *name)
{
    struct block_device *device = block_device_find(name);
    uint64_t size = 0;

    if (device != NULL) {
        size = device->information.size;
        block_device_release(device);
    }
    return size;
}

static IOBufferMemoryDescriptor *make_memory(size_t length)
{
    return IOBufferMemoryDescriptor_inTaskWithPhysicalMask(kernel_task, kIODirectionInOut, length,
                                                           ~UINT64_C(4095));
}

static int transfer(const char *name, enum block_operation operation, uint64_t offset, void *bytes,
                    uint64_t length, bool fua)
{
    struct block_device *device = block_device_find(name);
    IOBufferMemoryDescriptor *memory = NULL;
    struct block_request request = {
        .operation = operation, .fua = fua, .offset = offset, .length = length,
    };
    int error;

    if (device == NULL)
        return NO_DEVICE;
    if (bytes != NULL) {
        memory = make_memory(length);
        request.memory = (IOMemoryDescriptor *)memory;
        if (operation == BLOCK_WRITE)
            memcpy(IOBufferMemoryDescriptor_getBytesNoCopy(memory), bytes, length);
    }
    error = block_device_run(device, &request);
    if (error == 0 && operation == BLOCK_READ)
        memcpy(bytes, IOBufferMemoryDescriptor_getBytesNoCopy(memory), length);
    iokit_release(memory);
    block_device_release(device);
    return error;
}

int pair_disk_read(const char *name, uint64_t offset, void *bytes, size_t length)
{
    return transfer(name, BLOCK_READ, offset, bytes, length, false);
}

int pair_disk_write(const char *name, uint64_t offset, const void *bytes, size_t length)
{
    return transfer(name, BLOCK_WRITE, offset, (void *)(uintptr_t)bytes, length, false);
}

int pair_disk_flush(const char *name)
{
    return transfer(name, BLOCK_FLUSH, 0, NULL, 0, false);
}

int pair_disk_write_through(const char *name, uint64_t offset, const void *bytes, size_t length)
{
    return transfer(name, BLOCK_WRITE, offset, (void *)(uintptr_t)bytes, length, true);
}

int pair_disk_discard(const char *name, uint64_t offset, uint64_t length)
{
    return transfer(name, BLOCK_DISCARD, offset, NULL, length, false);
}

int pair_disk_write_zeroes(const char *name, uint64_t offset, uint64_t length)
{
    return transfer(name, BLOCK_WRITE_ZEROES, offset, NULL, length, false);
}

bool pair_disk_information(const char *name, struct block_device_information *information)
{
    struct block_device *device = block_device_find(name);

    if (device == NULL)
        return false;
    *information = device->information;
    block_device_release(device);
    return true;
}

/* ---- one at a time, in the background ---- */

struct pair_write {
    struct block_device *device;
    IOBufferMemoryDescriptor *memory;
    struct block_request request;
    bool done;
};

static void write_done(struct block_request *request)
{
    struct pair_write *write = request->context;

    __atomic_store_n(&write->done, true, __ATOMIC_RELEASE);
    machine_wakeup(write, false);
}

struct pair_write *pair_disk_begin_write(const char *name, uint64_t offset, uint8_t fill,
                                         size_t length)
{
    struct pair_write *write = calloc(1, sizeof *write);

    write->device = block_device_find(name);
    write->memory = make_memory(length);
    memset(IOBufferMemoryDescriptor_getBytesNoCopy(write->memory), fill, length);
    write->request = (struct block_request){
        .operation = BLOCK_WRITE, .offset = offset, .length = length,
        .memory = (IOMemoryDescriptor *)write->memory, .done = write_done, .context = write,
    };
    block_device_submit(write->device, &write->request);
    return write;
}

bool pair_write_is_done(const struct pair_write *write)
{
    return __atomic_load_n(&write->done, __ATOMIC_ACQUIRE);
}

int pair_write_end(struct pair_write *write, unsigned seconds)
{
    uint64_t deadline = machine_uptime() + seconds * PAIR_SECOND;
    int error;

    while (!pair_write_is_done(write) && machine_uptime() < deadline)
        machine_sleep(NULL, write, machine_uptime() + WAIT_STEP_NANOSECONDS, false);
    if (!pair_write_is_done(write))
        return -1;
    error = write->request.error;
    iokit_release(write->memory);
    block_device_release(write->device);
    free(write);
    return error;
}

/* The disk's target and its controller, which live as long as `device`. NULL: no such disk. */
static IOSCSIParallelInterfaceController *controller_of(struct block_device *device,
                                                        uint64_t *target)
{
    IOService *nub = device != NULL ? IOService_getProvider(device->node) : NULL;

    if (nub == NULL)
        return NULL;
    *target = IOSCSIParallelInterfaceDevice_GetTargetIdentifier(
        (IOSCSIParallelInterfaceDevice *)nub);
    return (IOSCSIParallelInterfaceController *)IOService_getProvider(nub);
}

bool pair_disk_reset(const char *name)
{
    struct block_device *device = block_device_find(name);
    uint64_t target = 0;
    IOSCSIParallelInterfaceController *controller = controller_of(device, &target);
    bool done = controller != NULL &&
                IOSCSIParallelInterfaceController_LogicalUnitResetRequest(controller, target, 0) ==
                    kSCSIServiceResponse_FUNCTION_COMPLETE;

    if (device != NULL)
        block_device_release(device);
    return done;
}

uint64_t pair_disk_ring_full(const char *name)
{
    struct block_device *device = block_device_find(name);
    uint64_t target = 0;
    const struct HyperVStorage *controller =
        (const struct HyperVStorage *)controller_of(device, &target);
    struct device_channel_counters counters;
    uint64_t full = 0;
    uint32_t index;

    for (index = 0; controller != NULL && index < controller->channel_count; index++) {
        device_channel_counters(controller->channels[index].channel, &counters);
        full += counters.transmit_full;
    }
    if (device != NULL)
        block_device_release(device);
    return full;
}

/* ---- many at once ---- */

struct many {
    unsigned outstanding;
    unsigned failed;
};

static void one_done(struct block_request *request)
{
    struct many *many = request->context;

    if (request->error != 0)
        __atomic_fetch_add(&many->failed, 1, __ATOMIC_RELAXED);
    if (__atomic_sub_fetch(&many->outstanding, 1, __ATOMIC_ACQ_REL) == 0)
        machine_wakeup(many, false);
}

/* Submits `count` writes at once, each `step` bytes behind the one before, in memory and on the
 * disk. Takes `memory` over. */
static unsigned write_at_once(const char *name, IOBufferMemoryDescriptor *memory, unsigned count,
                              size_t length, size_t step)
{
    struct block_device *device = block_device_find(name);
    struct block_request *requests = calloc(count, sizeof *requests);
    struct many many = { .outstanding = count };
    unsigned index;

    for (index = 0; index < count; index++) {
        requests[index] = (struct block_request){
            .operation = BLOCK_WRITE, .offset = index * step, .length = length,
            .memory = (IOMemoryDescriptor *)memory, .memory_offset = index * step,
            .done = one_done, .context = &many,
        };
        block_device_submit(device, &requests[index]);
    }
    while (__atomic_load_n(&many.outstanding, __ATOMIC_ACQUIRE) != 0)
        machine_sleep(NULL, &many, machine_uptime() + WAIT_STEP_NANOSECONDS, false);
    free(requests);
    iokit_release(memory);
    block_device_release(device);
    return many.failed;
}

unsigned pair_disk_write_many(const char *name, unsigned count, size_t length)
{
    IOBufferMemoryDescriptor *memory = make_memory(count * length);
    uint8_t *bytes = IOBufferMemoryDescriptor_getBytesNoCopy(memory);
    unsigned index;

    for (index = 0; index < count; index++)
        memset(bytes + index * length, (int)(index + 1), length);
    return write_at_once(name, memory, count, length, length);
}

unsigned pair_disk_write_same(const char *name, unsigned count, size_t length, uint8_t fill)
{
    IOBufferMemoryDescriptor *memory = make_memory(length);

    memset(IOBufferMemoryDescriptor_getBytesNoCopy(memory), fill, length);
    return write_at_once(name, memory, count, length, 0);
}
