/* SPDX-License-Identifier: BSD-3-Clause */
/* Queues: where they lie, commands in, completions out, interrupts. */
#include "tests/kexts/nvme/NVMeReader.h"

#include "abi/kpi/libkern.h"

#define NO_ANSWER 0xffffu
#define ENTRY_SIZES                                                                                \
    (6u << NVME_CONFIGURATION_SUBMISSION_SHIFT | 4u << NVME_CONFIGURATION_COMPLETION_SHIFT)

static void lay(NVMeReader *reader, struct nvme_queue *queue, uint16_t number, uint32_t offset)
{
    queue->number = number;
    queue->tail = queue->head = 0;
    queue->phase = 1;
    queue->commands = (volatile struct nvme_command *)(reader->bytes + offset);
    queue->commands_address = reader->physical + offset;
    queue->completions =
        (volatile struct nvme_completion *)(reader->bytes + offset + NVME_READER_PAGE);
    queue->completions_address = reader->physical + offset + NVME_READER_PAGE;
    memset(reader->bytes + offset, 0, 2 * NVME_READER_PAGE);
}

/* The controller says when it is ready by a bit, not by an interrupt. */
static bool await_ready(NVMeReader *reader, uint32_t mask, uint32_t wanted)
{
    for (unsigned i = 0; i < NVME_READER_WAIT_MILLISECONDS; i++) {
        if ((nvme_read32(reader, NVME_STATUS) & mask) == wanted)
            return true;
        IOSleep(1);
    }
    return false;
}

static void write64(NVMeReader *reader, uint32_t offset, uint64_t value)
{
    nvme_write32(reader, offset, (uint32_t)value);
    nvme_write32(reader, offset + 4, (uint32_t)(value >> 32));
}

bool nvme_reset(NVMeReader *reader)
{
    nvme_write32(reader, NVME_CONFIGURATION, 0);
    if (!await_ready(reader, NVME_STATUS_READY, 0))
        return false;
    lay(reader, &reader->admin, 0, 0);
    lay(reader, &reader->io, 1, 2 * NVME_READER_PAGE);
    nvme_write32(reader, NVME_ADMIN_QUEUE_SIZES,
                 (NVME_READER_ENTRIES - 1) | (NVME_READER_ENTRIES - 1) << 16);
    write64(reader, NVME_ADMIN_SUBMISSION, reader->admin.commands_address);
    write64(reader, NVME_ADMIN_COMPLETION, reader->admin.completions_address);
    nvme_write32(reader, NVME_CONFIGURATION, NVME_CONFIGURATION_ENABLE | ENTRY_SIZES);
    return await_ready(reader, NVME_STATUS_READY, NVME_STATUS_READY);
}

void nvme_shut_down(NVMeReader *reader)
{
    nvme_write32(reader, NVME_CONFIGURATION, NVME_CONFIGURATION_ENABLE | ENTRY_SIZES | 1u << 14);
    await_ready(reader, NVME_STATUS_SHUTDOWN_COMPLETE, NVME_STATUS_SHUTDOWN_COMPLETE);
    nvme_write32(reader, NVME_CONFIGURATION, 0);
}

static void interrupted(OSObject *target, void *reference, IOService *nub, int32_t number)
{
    struct nvme_queue *queue = reference;

    __atomic_fetch_add(&queue->interrupts, 1, __ATOMIC_SEQ_CST);
    thread_wakeup((event_t)&queue->interrupts);
}

bool nvme_start_interrupts(NVMeReader *reader)
{
    struct nvme_queue *queues[] = { &reader->admin, &reader->io };
    IOService *nub = (IOService *)reader->device;

    for (int32_t i = 0; i < 2; i++) {
        if (IOService_registerInterrupt(nub, i, (OSObject *)reader, interrupted, queues[i]) !=
            kIOReturnSuccess)
            return false;
        reader->registered++;
        if (IOService_enableInterrupt(nub, i) != kIOReturnSuccess)
            return false;
    }
    return true;
}

void nvme_stop_interrupts(NVMeReader *reader)
{
    while (reader->registered > 0) {
        IOService_disableInterrupt((IOService *)reader->device, (int32_t)--reader->registered);
        IOService_unregisterInterrupt((IOService *)reader->device, (int32_t)reader->registered);
    }
}

static bool has_completion(const struct nvme_queue *queue)
{
    return (queue->completions[queue->head].status & NVME_COMPLETION_PHASE) == queue->phase;
}

/* Sleeps until the queue's interrupt; completions are looked for only then. */
static bool await_completion(struct nvme_queue *queue, uint32_t interrupts_before)
{
    uint64_t deadline;
    wait_result_t result = THREAD_AWAKENED;

    clock_interval_to_deadline(NVME_READER_WAIT_MILLISECONDS, kMillisecondScale, &deadline);
    while (queue->interrupts == interrupts_before && result != THREAD_TIMED_OUT) {
        assert_wait_deadline((event_t)&queue->interrupts, THREAD_UNINT, deadline);
        if (queue->interrupts != interrupts_before)
            thread_wakeup((event_t)&queue->interrupts);
        result = thread_block(THREAD_CONTINUE_NULL);
    }
    return queue->interrupts != interrupts_before && has_completion(queue);
}

static void ring(NVMeReader *reader, uint32_t doorbell, uint16_t value)
{
    nvme_write32(reader, NVME_DOORBELLS + 4 * doorbell, value);
}

uint16_t nvme_run(NVMeReader *reader, struct nvme_queue *queue, struct nvme_command *command)
{
    uint32_t before = queue->interrupts;
    uint16_t status;

    command->id = queue->tail;
    memcpy((void *)(uintptr_t)&queue->commands[queue->tail], command, sizeof *command);
    queue->tail = (queue->tail + 1) % NVME_READER_ENTRIES;
    __sync_synchronize();
    ring(reader, 2u * queue->number, queue->tail);
    if (!await_completion(queue, before))
        return NO_ANSWER;
    status = queue->completions[queue->head].status >> 1;
    if (queue->completions[queue->head].id != command->id)
        status = NO_ANSWER;
    queue->head = (queue->head + 1) % NVME_READER_ENTRIES;
    if (queue->head == 0)
        queue->phase ^= 1;
    ring(reader, 2u * queue->number + 1, queue->head);
    return status;
}
