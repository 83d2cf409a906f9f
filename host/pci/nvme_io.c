/* SPDX-License-Identifier: BSD-3-Clause */
/* NVMe I/O commands: from PRPs and block numbers to requests of the disk. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/guest_memory.h"
#include "host/pci/nvme_internal.h"

enum { FORCE_UNIT_ACCESS = 1 << 30, PRPS_A_PAGE = NVME_PAGE / 8 };

/* ---- PRPs ---- */

/* What is still to be mapped, and with what. */
struct mapping {
    struct nvme_request *request;
    uint64_t left; /* bytes */
    unsigned count;
};

/* Adds up to a page at `gpa`. Returns an NVMe status. */
static uint16_t add_page(struct mapping *mapping, uint64_t gpa)
{
    const struct guest_memory *memory = mapping->request->controller->function->memory;
    const uint64_t room = NVME_PAGE - gpa % NVME_PAGE;
    const size_t size = (size_t)(mapping->left < room ? mapping->left : room);
    uint8_t *at = memory != NULL ? guest_memory_translate(memory, gpa, size) : NULL;
    if (at == NULL) {
        return NVME_DATA_TRANSFER_ERROR | NVME_DO_NOT_RETRY;
    }
    struct iovec *last = mapping->count > 0 ? &mapping->request->vector[mapping->count - 1] : NULL;
    if (last != NULL && (uint8_t *)last->iov_base + last->iov_len == at) {
        last->iov_len += size;
    } else if (mapping->count < NVME_SEGMENTS) {
        mapping->request->vector[mapping->count++] = (struct iovec){at, size};
    } else {
        return NVME_INVALID_FIELD | NVME_DO_NOT_RETRY;
    }
    mapping->left -= size;
    return NVME_SUCCESS;
}

/* Follows lists of PRPs; the last entry of a full page leads to the next list. */
static uint16_t add_list(struct mapping *mapping, uint64_t list)
{
    uint64_t entries[PRPS_A_PAGE];
    while (mapping->left > 0) {
        if (list % sizeof(entries[0]) != 0) {
            return NVME_INVALID_PRP_OFFSET | NVME_DO_NOT_RETRY;
        }
        const uint64_t needed = (mapping->left + NVME_PAGE - 1) / NVME_PAGE;
        const unsigned room = (unsigned)((NVME_PAGE - list % NVME_PAGE) / sizeof(entries[0]));
        const unsigned count = needed < room ? (unsigned)needed : room;
        const bool goes_on = needed > room;
        if (goes_on && room < 2) {
            return NVME_INVALID_PRP_OFFSET | NVME_DO_NOT_RETRY; /* a list of nothing but a link */
        }
        if (pci_dma_read(mapping->request->controller->function, list, entries,
                         count * sizeof(entries[0])) != 0) {
            return NVME_DATA_TRANSFER_ERROR | NVME_DO_NOT_RETRY;
        }
        for (unsigned i = 0; i < count - goes_on; i++) {
            uint16_t status = entries[i] % NVME_PAGE != 0
                                  ? NVME_INVALID_PRP_OFFSET | NVME_DO_NOT_RETRY
                                  : add_page(mapping, entries[i]);
            if (status != NVME_SUCCESS) {
                return status;
            }
        }
        list = entries[count - 1];
    }
    return NVME_SUCCESS;
}

unsigned nvme_map(struct nvme_request *request, uint64_t size, uint16_t *status)
{
    struct mapping mapping = {.request = request, .left = size};
    const struct nvme_command *command = &request->command;
    if (!pci_is_master(request->controller->function)) {
        *status = NVME_DATA_TRANSFER_ERROR | NVME_DO_NOT_RETRY;
        return 0;
    }
    if (command->prp1 % 4 != 0) {
        *status = NVME_INVALID_PRP_OFFSET | NVME_DO_NOT_RETRY;
        return 0;
    }
    *status = add_page(&mapping, command->prp1);
    if (*status == NVME_SUCCESS && mapping.left > NVME_PAGE) {
        *status = add_list(&mapping, command->prp2);
    } else if (*status == NVME_SUCCESS && mapping.left > 0) {
        *status = command->prp2 % NVME_PAGE != 0 ? NVME_INVALID_PRP_OFFSET | NVME_DO_NOT_RETRY
                                                 : add_page(&mapping, command->prp2);
    }
    return *status == NVME_SUCCESS ? mapping.count : 0;
}

/* ---- The disk ---- */

static uint16_t status_of(const struct disk_request *request)
{
    const bool moves = request->operation == DISK_READ || request->operation == DISK_WRITE;
    if (request->result == 0 && (!moves || request->transferred == request->length)) {
        return NVME_SUCCESS;
    }
    switch (request->result) {
    case -ERANGE:
        return NVME_LBA_OUT_OF_RANGE | NVME_DO_NOT_RETRY;
    case -EROFS:
        return NVME_READ_ONLY | NVME_DO_NOT_RETRY;
    case -EINVAL:
        return NVME_INVALID_FIELD | NVME_DO_NOT_RETRY;
    default:
        return request->operation == DISK_READ ? NVME_READ_ERROR : NVME_WRITE_FAULT;
    }
}

static void submit(struct nvme_request *request);

/* The next range of DATASET_MANAGEMENT, if there is one. */
static bool next_range(struct nvme_request *request)
{
    const uint32_t block = request->controller->disk->geometry.block_size;
    while (request->range_next < request->range_count) {
        const struct nvme_dataset_range *range = &request->ranges[request->range_next++];
        if (range->blocks != 0) {
            request->disk.offset = range->first * block;
            request->disk.length = (uint64_t)range->blocks * block;
            return true;
        }
    }
    return false;
}

static void done(struct disk_request *disk)
{
    struct nvme_request *request = (struct nvme_request *)disk;
    request->controller->in_flight--;
    if (disk->result == 0 && request->generation == request->controller->generation &&
        next_range(request)) {
        submit(request);
        return;
    }
    nvme_complete(request, status_of(disk));
}

static void submit(struct nvme_request *request)
{
    request->disk.done = done;
    request->controller->in_flight++;
    disk_submit(request->controller->disk, &request->disk);
}

void nvme_flush(struct nvme *controller)
{
    struct nvme_request *request = calloc(1, sizeof(*request));
    if (request == NULL) {
        return;
    }
    request->controller = controller;
    request->generation = controller->generation - 1; /* nobody waits for its completion */
    request->disk.operation = DISK_FLUSH;
    submit(request);
}

/* ---- Commands ---- */

/* The blocks that a command names. Returns an NVMe status. */
static uint16_t set_blocks(struct nvme_request *request)
{
    const struct disk_geometry *geometry = &request->controller->disk->geometry;
    const uint64_t first = request->command.cdw10 | (uint64_t)request->command.cdw11 << 32;
    const uint64_t count = (request->command.cdw12 & 0xffff) + 1u;
    const uint64_t blocks = geometry->size / geometry->block_size;
    if (first >= blocks || count > blocks - first) {
        return NVME_LBA_OUT_OF_RANGE | NVME_DO_NOT_RETRY;
    }
    request->disk.offset = first * geometry->block_size;
    request->disk.length = count * geometry->block_size;
    return NVME_SUCCESS;
}

static uint16_t read_or_write(struct nvme_request *request)
{
    const bool writes = request->command.opcode == NVME_WRITE;
    uint16_t status = set_blocks(request);
    if (status != NVME_SUCCESS) {
        return status;
    }
    if (request->disk.length > (uint64_t)NVME_PAGE << NVME_TRANSFER_SHIFT) {
        return NVME_INVALID_FIELD | NVME_DO_NOT_RETRY;
    }
    request->disk.vector = request->vector;
    request->disk.vector_count = nvme_map(request, request->disk.length, &status);
    request->disk.operation = writes ? DISK_WRITE : DISK_READ;
    request->disk.force_unit_access =
        writes && ((request->command.cdw12 & FORCE_UNIT_ACCESS) != 0 ||
                   !request->controller->write_cache);
    if (status == NVME_SUCCESS && writes) {
        request->controller->counters.writes++;
    } else if (status == NVME_SUCCESS) {
        request->controller->counters.reads++;
    }
    return status;
}

static uint16_t write_zeroes(struct nvme_request *request)
{
    request->disk.operation = DISK_WRITE_ZEROES;
    return set_blocks(request);
}

static uint16_t flush(struct nvme_request *request)
{
    request->disk.operation = DISK_FLUSH;
    return NVME_SUCCESS;
}

static uint16_t check_ranges(const struct nvme_request *request)
{
    const struct disk_geometry *geometry = &request->controller->disk->geometry;
    const uint64_t blocks = geometry->size / geometry->block_size;
    for (unsigned i = 0; i < request->range_count; i++) {
        const struct nvme_dataset_range *range = &request->ranges[i];
        if (range->first > blocks || range->blocks > blocks - range->first) {
            return NVME_LBA_OUT_OF_RANGE | NVME_DO_NOT_RETRY;
        }
    }
    return NVME_SUCCESS;
}

static uint16_t read_ranges(struct nvme_request *request)
{
    const size_t size = request->range_count * sizeof(request->ranges[0]);
    uint16_t status;
    request->ranges = malloc(size);
    if (request->ranges == NULL) {
        return NVME_INTERNAL_ERROR;
    }
    const unsigned count = nvme_map(request, size, &status);
    uint8_t *to = (uint8_t *)request->ranges;
    for (unsigned i = 0; i < count; i++) {
        memcpy(to, request->vector[i].iov_base, request->vector[i].iov_len);
        to += request->vector[i].iov_len;
    }
    return status;
}

/* Anything but deallocation is advice that may be ignored. */
static uint16_t manage_dataset(struct nvme_request *request)
{
    request->range_count = (request->command.cdw10 & 0xff) + 1;
    uint16_t status = read_ranges(request);
    if (status == NVME_SUCCESS) {
        status = check_ranges(request);
    }
    if ((request->command.cdw11 & NVME_DATASET_DEALLOCATE) == 0 ||
        !request->controller->disk->geometry.can_discard) {
        request->range_count = 0;
    }
    request->disk.operation = DISK_DISCARD;
    return status;
}

static const struct {
    uint8_t opcode;
    uint16_t (*prepare)(struct nvme_request *request); /* an NVMe status */
} commands[] = {
    {NVME_FLUSH, flush},
    {NVME_WRITE, read_or_write},
    {NVME_READ, read_or_write},
    {NVME_WRITE_ZEROES, write_zeroes},
    {NVME_DATASET_MANAGEMENT, manage_dataset},
};

void nvme_io_command(struct nvme_request *request)
{
    const struct nvme_command *command = &request->command;
    uint16_t status = NVME_INVALID_OPCODE | NVME_DO_NOT_RETRY;
    for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (commands[i].opcode != command->opcode) {
            continue;
        }
        const bool all = command->opcode == NVME_FLUSH && command->namespace_id == UINT32_MAX;
        status = all || command->namespace_id == NVME_NAMESPACE
                     ? commands[i].prepare(request)
                     : NVME_INVALID_NAMESPACE | NVME_DO_NOT_RETRY;
    }
    if (status == NVME_SUCCESS && command->opcode == NVME_DATASET_MANAGEMENT &&
        !next_range(request)) {
        nvme_complete(request, NVME_SUCCESS); /* nothing to deallocate */
    } else if (status == NVME_SUCCESS) {
        submit(request);
    } else {
        nvme_complete(request, status);
    }
}
