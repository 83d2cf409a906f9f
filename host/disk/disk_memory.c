/* SPDX-License-Identifier: BSD-3-Clause */
/* A disk in memory. */
#include "host/disk/disk_memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "host/disk/disk.h"

struct memory_disk {
    struct disk disk;
    uint8_t *bytes; /* anonymous mapping: pages that nobody wrote cost nothing */
};

static void memory_submit(struct disk *disk, struct disk_request *request)
{
    uint8_t *at = ((struct memory_disk *)disk)->bytes + request->offset;
    switch (request->operation) {
    case DISK_READ:
    case DISK_WRITE:
        for (unsigned i = 0; i < request->vector_count; i++) {
            const struct iovec *piece = &request->vector[i];
            if (request->operation == DISK_READ) {
                memcpy(piece->iov_base, at, piece->iov_len);
            } else {
                memcpy(at, piece->iov_base, piece->iov_len);
            }
            at += piece->iov_len;
        }
        disk->counters.bytes_copied += request->length;
        break;
    case DISK_DISCARD:
    case DISK_WRITE_ZEROES:
        memset(at, 0, request->length);
        break;
    case DISK_FLUSH:
        break;
    }
    disk_complete(request, 0, request->length);
}

static int memory_resize(struct disk *disk, uint64_t size)
{
    struct memory_disk *memory = (struct memory_disk *)disk;
    void *bytes = mremap(memory->bytes, disk->geometry.size, size, MREMAP_MAYMOVE);
    if (bytes == MAP_FAILED) {
        return -errno;
    }
    memory->bytes = bytes;
    return 0;
}

static void memory_close(struct disk *disk)
{
    struct memory_disk *memory = (struct memory_disk *)disk;
    munmap(memory->bytes, disk->geometry.size);
    disk_release(disk);
    free(memory);
}

static const struct disk_operations memory_operations = {
    .kind = "memory",
    .submit = memory_submit,
    .resize = memory_resize,
    .close = memory_close,
};

struct disk *disk_memory_open(struct disk_engine *engine, uint64_t size, uint32_t block_size)
{
    if (size == 0 || size % block_size != 0) {
        return NULL;
    }
    struct memory_disk *memory = calloc(1, sizeof(*memory));
    if (memory == NULL) {
        return NULL;
    }
    memory->bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    const struct disk_geometry geometry = {
        .size = size,
        .block_size = block_size,
        .physical_block_size = 4096,
        .can_discard = true,
    };
    char name[40];
    snprintf(name, sizeof(name), "memory:%llu", (unsigned long long)size);
    if (memory->bytes == MAP_FAILED ||
        disk_initialise(&memory->disk, engine, &memory_operations, name, "memory",
                        &geometry) != 0) {
        if (memory->bytes != MAP_FAILED) {
            munmap(memory->bytes, size);
        }
        free(memory);
        return NULL;
    }
    return &memory->disk;
}

uint8_t *disk_memory_bytes(struct disk *disk)
{
    return ((struct memory_disk *)disk)->bytes;
}
