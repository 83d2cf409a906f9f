/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/sim_disk.h"

#include "abi/IOBufferMemoryDescriptor.h"
#include "abi/constants.h"
#include "abi/kpi/vm.h"
#include "abi/runtime.h"
#include "tests/sim/sim_random.h"
#include "xnu/families/block_device.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/threads.h"

enum { DEPTH_MAX = 64, PATIENCE_SECONDS = 120, STEP_NANOSECONDS = 10000000 };

#define UNDECIDED UINT32_MAX /* a write failed: old, new or a mixture */

struct sim_request {
    struct block_request request;
    struct sim_disk *disk;
    IOBufferMemoryDescriptor *memory;
    uint32_t block, count;
    uint32_t version; /* what a write puts there */
    bool in_flight;
};

struct sim_disk {
    const char *name;
    struct block_device *device;
    uint64_t random;
    uint32_t versions[SIM_BLOCKS]; /* last acknowledged write; 0: zeros */
    bool taken[SIM_BLOCKS];        /* by a request in flight */
    uint32_t next_version;
    unsigned outstanding;
    struct sim_request requests[DEPTH_MAX];
    struct sim_counters counters;
};

/* Every word of a block tells where it belongs and who wrote it. */
static uint64_t word_of(uint32_t block, uint32_t version, unsigned index)
{
    return version == 0 ? 0 : (uint64_t)version << 40 ^ (uint64_t)block << 16 ^ index;
}

static bool block_is(const uint8_t *bytes, uint32_t block, uint32_t version)
{
    unsigned index;

    for (index = 0; index < SIM_BLOCK / sizeof(uint64_t); index++) {
        uint64_t word;

        memcpy(&word, bytes + index * sizeof word, sizeof word);
        if (word != word_of(block, version, index))
            return false;
    }
    return true;
}

static void fill_block(uint8_t *bytes, uint32_t block, uint32_t version)
{
    unsigned index;

    for (index = 0; index < SIM_BLOCK / sizeof(uint64_t); index++) {
        uint64_t word = word_of(block, version, index);

        memcpy(bytes + index * sizeof word, &word, sizeof word);
    }
}

static void count_wrong(struct sim_disk *disk, uint32_t block, const char *where)
{
    if (disk->counters.wrong_blocks++ == 0)
        fprintf(stderr, "%s: block %u does not hold version %u, as acknowledged (%s)\n", disk->name,
                block, disk->versions[block], where);
}

/* ---- one request ---- */

static void settle(struct sim_request *slot)
{
    struct sim_disk *disk = slot->disk;
    const uint8_t *bytes = IOBufferMemoryDescriptor_getBytesNoCopy(slot->memory);
    uint32_t index;

    for (index = 0; index < slot->count; index++) {
        uint32_t block = slot->block + index;

        if (slot->request.operation == BLOCK_WRITE)
            disk->versions[block] = slot->request.error == 0 ? slot->version : UNDECIDED;
        else if (slot->request.error == 0 && disk->versions[block] != UNDECIDED &&
                 !block_is(bytes + index * SIM_BLOCK, block, disk->versions[block]))
            count_wrong(disk, block, "read");
        disk->taken[block] = false;
    }
    disk->counters.completed++;
    disk->counters.failed += slot->request.error != 0;
    slot->in_flight = false;
}

static void request_done(struct block_request *request)
{
    struct sim_request *slot = request->context;

    settle(slot);
    slot->disk->outstanding--;
    machine_wakeup(slot->disk, false);
}

/* A range that no request in flight touches, or a count of 0. */
static void choose_range(struct sim_disk *disk, struct sim_request *slot)
{
    uint32_t limit = sim_random_below(&disk->random, 4) == 0 ? SIM_REQUEST_BLOCKS_MAX : 4;
    uint32_t wanted = 1 + sim_random_below(&disk->random, limit);

    slot->block = sim_random_below(&disk->random, SIM_BLOCKS);
    slot->count = 0;
    while (slot->count < wanted && slot->block + slot->count < SIM_BLOCKS &&
           !disk->taken[slot->block + slot->count])
        slot->count++;
}

static void submit(struct sim_disk *disk, struct sim_request *slot)
{
    uint8_t *bytes = IOBufferMemoryDescriptor_getBytesNoCopy(slot->memory);
    uint32_t kind = sim_random_below(&disk->random, 16);
    uint32_t index;

    slot->request = (struct block_request){ .done = request_done, .context = slot };
    slot->count = 0;
    if (kind != 0)
        choose_range(disk, slot);
    slot->request.operation = slot->count == 0 ? BLOCK_FLUSH : kind < 9 ? BLOCK_WRITE : BLOCK_READ;
    if (slot->count != 0) {
        slot->request.offset = (uint64_t)slot->block * SIM_BLOCK;
        slot->request.length = (uint64_t)slot->count * SIM_BLOCK;
        slot->request.memory = (IOMemoryDescriptor *)slot->memory;
    }
    slot->version = disk->next_version++;
    memset(bytes, 0xEE, (size_t)slot->count * SIM_BLOCK);
    for (index = 0; index < slot->count; index++) {
        disk->taken[slot->block + index] = true;
        if (slot->request.operation == BLOCK_WRITE)
            fill_block(bytes + index * SIM_BLOCK, slot->block + index, slot->version);
    }
    slot->in_flight = true;
    disk->outstanding++;
    disk->counters.submitted++;
    block_device_submit(disk->device, &slot->request);
}

/* ---- all of them ---- */

struct sim_disk *sim_disk_create(const char *name, uint64_t seed)
{
    struct block_device *device = block_device_find(name);
    struct sim_disk *disk = device == NULL ? NULL : calloc(1, sizeof *disk);
    unsigned index;

    if (disk == NULL)
        return NULL;
    disk->name = name;
    disk->device = device;
    disk->random = seed;
    disk->next_version = 1;
    for (index = 0; index < DEPTH_MAX; index++) {
        disk->requests[index].disk = disk;
        disk->requests[index].memory = IOBufferMemoryDescriptor_inTaskWithPhysicalMask(
            kernel_task, kIODirectionInOut, SIM_REQUEST_BLOCKS_MAX * SIM_BLOCK, ~UINT64_C(4095));
    }
    return disk;
}

void sim_disk_destroy(struct sim_disk *disk)
{
    unsigned index;

    for (index = 0; index < DEPTH_MAX; index++)
        iokit_release(disk->requests[index].memory);
    block_device_release(disk->device);
    free(disk);
}

/* Waits until fewer than `fewer` requests are out. */
static bool wait_below(struct sim_disk *disk, unsigned fewer)
{
    uint64_t deadline = machine_uptime() + PATIENCE_SECONDS * PAIR_SECOND;

    while (disk->outstanding >= fewer && machine_uptime() < deadline)
        machine_sleep(NULL, disk, machine_uptime() + STEP_NANOSECONDS, false);
    return disk->outstanding < fewer;
}

bool sim_disk_work(struct sim_disk *disk, unsigned requests, unsigned depth)
{
    unsigned slot;

    while (requests-- > 0) {
        if (!wait_below(disk, depth))
            return false;
        for (slot = 0; disk->requests[slot].in_flight;)
            slot++;
        submit(disk, &disk->requests[slot]);
    }
    return wait_below(disk, 1);
}

void sim_disk_verify(struct sim_disk *disk, const uint8_t *medium)
{
    static uint8_t bytes[SIM_DISK_BYTES];
    uint32_t block;

    if (pair_disk_read(disk->name, 0, bytes, sizeof bytes) != 0) {
        fprintf(stderr, "%s cannot be read though nothing goes wrong any more\n", disk->name);
        disk->counters.wrong_blocks++;
        return;
    }
    for (block = 0; block < SIM_BLOCKS; block++) {
        if (disk->versions[block] == UNDECIDED)
            continue;
        if (!block_is(bytes + block * SIM_BLOCK, block, disk->versions[block]))
            count_wrong(disk, block, "read at the end");
        if (!block_is(medium + block * SIM_BLOCK, block, disk->versions[block]))
            count_wrong(disk, block, "on the medium");
    }
}

const struct sim_counters *sim_disk_counters(const struct sim_disk *disk)
{
    return &disk->counters;
}
