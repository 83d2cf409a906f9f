/* SPDX-License-Identifier: BSD-3-Clause */
/* Disks of the guest, as the rest of the kernel uses them. Kernel side. */
#include "tests/pair/pair_guest.h"

#include "abi/IOBufferMemoryDescriptor.h"
#include "abi/constants.h"
#include "abi/kpi/vm.h"
#include "abi/runtime.h"
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

static int transfer(const char *name, enum block_operation operation, uint64_t offset, void *bytes, size_t length)
{
    struct block_device *device = block_device_find(name);
    IOBufferMemoryDescriptor *memory = NULL;
    struct block_request request = { .operation = operation, .offset = offset, .length = length };
    int error;

    if (device == NULL)
        return NO_DEVICE;
    if (length > 0) {
        memory = IOBufferMemoryDescriptor_inTaskWithPhysicalMask(kernel_task, kIODirectionInOut, length,
                                                                 ~UINT64_C(4095));
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
    return transfer(name, BLOCK_READ, offset, bytes, length);
}

int pair_disk_write(const char *name, uint64_t offset, const void *bytes, size_t length)
{
    return transfer(name, BLOCK_WRITE, offset, (void *)(uintptr_t)bytes, length);
}

int pair_disk_flush(const char *name)
{
    return transfer(name, BLOCK_FLUSH, 0, NULL, 0);
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

unsigned pair_disk_write_many(const char *name, unsigned count, size_t length)
{
    struct block_device *device = block_device_find(name);
    IOBufferMemoryDescriptor *memory = IOBufferMemoryDescriptor_inTaskWithPhysicalMask(
        kernel_task, kIODirectionInOut, count * length, ~UINT64_C(4095));
    struct block_request *requests = calloc(count, sizeof *requests);
    struct many many = { .outstanding = count };
    uint8_t *bytes = IOBufferMemoryDescriptor_getBytesNoCopy(memory);
    unsigned index;

    for (index = 0; index < count; index++) {
        memset(bytes + index * length, (int)(index + 1), length);
        requests[index] = (struct block_request){
            .operation = BLOCK_WRITE, .offset = index * length, .length = length,
            .memory = (IOMemoryDescriptor *)memory, .memory_offset = index * length,
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
