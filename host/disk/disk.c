/* SPDX-License-Identifier: BSD-3-Clause */
/* What is common to all disks: checks, counters, completion. */
#include "host/disk/disk.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/disk/disk_engine.h"

static int check_vector(const struct disk_request *request)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < request->vector_count; i++) {
        if (request->vector[i].iov_len > request->length - sum) {
            return -EINVAL;
        }
        sum += request->vector[i].iov_len;
    }
    return sum == request->length ? 0 : -EINVAL;
}

static int check_request(const struct disk *disk, const struct disk_request *request)
{
    const struct disk_geometry *geometry = &disk->geometry;
    if (request->operation == DISK_FLUSH) {
        return 0;
    }
    if (request->operation != DISK_READ && geometry->read_only) {
        return -EROFS;
    }
    if ((request->offset | request->length) % geometry->block_size != 0 || request->length == 0) {
        return -EINVAL;
    }
    if (request->offset > geometry->size || request->length > geometry->size - request->offset) {
        return -ERANGE;
    }
    if (request->operation == DISK_READ || request->operation == DISK_WRITE) {
        return check_vector(request);
    }
    return 0;
}

void disk_submit(struct disk *disk, struct disk_request *request)
{
    assert(request->done != NULL);
    request->disk = disk;
    request->next = NULL;
    request->result = 0;
    request->transferred = 0;
    disk->in_flight++;
    disk->counters.operations++;
    int error = check_request(disk, request);
    if (error != 0) {
        disk_complete(request, error, 0);
        return;
    }
    disk->operations->submit(disk, request);
}

void disk_complete(struct disk_request *request, int result, uint64_t transferred)
{
    struct disk *disk = request->disk;
    assert(disk->in_flight > 0);
    assert(result <= 0 && transferred <= request->length);
    request->result = result;
    request->transferred = transferred;
    if (result != 0) {
        disk->counters.errors++;
    } else if (request->operation == DISK_READ) {
        disk->counters.bytes_read += transferred;
    } else if (request->operation == DISK_WRITE) {
        disk->counters.bytes_written += transferred;
        disk->counters.forced += request->force_unit_access;
    } else if (request->operation == DISK_FLUSH) {
        disk->counters.flushes++;
    }
    disk_engine_defer(disk->engine, request);
}

int disk_resize(struct disk *disk, uint64_t size)
{
    if (disk->operations->resize == NULL) {
        return -EOPNOTSUPP;
    }
    if (size == 0 || size % disk->geometry.block_size != 0) {
        return -EINVAL;
    }
    if (disk->geometry.read_only) {
        return -EROFS;
    }
    int error = disk->operations->resize(disk, size);
    if (error == 0) {
        disk->geometry.size = size;
    }
    return error;
}

void disk_close(struct disk *disk)
{
    if (disk == NULL) {
        return;
    }
    assert(disk->in_flight == 0);
    disk->operations->close(disk);
}

int disk_initialise(struct disk *disk, struct disk_engine *engine,
                    const struct disk_operations *operations, const char *name,
                    const char *format, const struct disk_geometry *geometry)
{
    assert(geometry->block_size == 512 || geometry->block_size == 4096);
    assert(geometry->physical_block_size >= geometry->block_size);
    assert(geometry->size % geometry->block_size == 0);
    disk->operations = operations;
    disk->engine = engine;
    disk->geometry = *geometry;
    disk->format = format;
    disk->name = strdup(name);
    return disk->name == NULL ? -ENOMEM : 0;
}

void disk_release(struct disk *disk)
{
    free(disk->name);
    disk->name = NULL;
}

void disk_vector_advance(struct iovec **vector, unsigned *count, uint64_t bytes)
{
    while (*count > 0 && bytes >= (*vector)->iov_len) {
        bytes -= (*vector)->iov_len;
        (*vector)++;
        (*count)--;
    }
    if (bytes > 0) {
        assert(*count > 0);
        (*vector)->iov_base = (char *)(*vector)->iov_base + bytes;
        (*vector)->iov_len -= bytes;
    }
}
