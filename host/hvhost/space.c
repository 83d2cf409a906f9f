/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest-physical space outside of RAM: memory of devices that appears there, and registers whose
 * accesses come to them. A range counts once the monitor has said that it is live.
 */
#include <errno.h>
#include <stdlib.h>

#include "host/hvhost/hvhost.h"

/* A request to the monitor that is under way. */
struct space_request {
    struct hvhost *host;
    struct virtual_device *device;
    enum { SPACE_MAP, SPACE_UNMAP, SPACE_TRAP_ON, SPACE_TRAP_OFF, SPACE_WATCH } what;
    enum device_space space;
    uint64_t start, size;
};

static bool is_overlapped(const struct hvhost *host, enum device_space space, uint64_t start,
                          uint64_t size)
{
    for (const struct hvhost_trap *trap = host->traps; trap != NULL; trap = trap->next) {
        if (trap->space == space && start < trap->start + trap->size &&
            trap->start < start + size) {
            return true;
        }
    }
    return false;
}

static int add_trap(const struct space_request *request)
{
    struct hvhost_trap *trap = calloc(1, sizeof(*trap));
    if (trap == NULL) {
        return -ENOMEM;
    }
    *trap = (struct hvhost_trap){
        .device = request->device,
        .start = request->start,
        .size = request->size,
        .space = request->space,
        .next = request->host->traps,
    };
    request->host->traps = trap;
    return 0;
}

static void remove_trap(struct hvhost *host, enum device_space space, uint64_t start)
{
    for (struct hvhost_trap **link = &host->traps; *link != NULL; link = &(*link)->next) {
        struct hvhost_trap *trap = *link;
        if (trap->space == space && trap->start == start) {
            *link = trap->next;
            free(trap);
            return;
        }
    }
}

static void answered(void *context, int status)
{
    struct space_request *request = context;
    struct virtual_device *device = request->device;
    if (request->what == SPACE_TRAP_ON && status != 0) {
        remove_trap(request->host, request->space, request->start);
    }
    if (device->operations->range_ready != NULL) {
        device->operations->range_ready(device, request->start, status);
    }
    free(request);
}

static struct space_request *new_request(struct hvhost *host, struct virtual_device *device,
                                         uint64_t start, uint64_t size)
{
    struct space_request *request = calloc(1, sizeof(*request));
    if (request != NULL) {
        request->host = host;
        request->device = device;
        request->start = start;
        request->size = size;
    }
    return request;
}

static int map(void *context, struct virtual_device *device, uint64_t gpa, uint64_t size,
               int descriptor, uint64_t file_offset, uint32_t flags)
{
    struct hvhost *host = context;
    struct space_request *request = new_request(host, device, gpa, size);
    if (request == NULL) {
        return -ENOMEM;
    }
    const uint32_t wire_flags = (flags & DEVICE_MAP_WRITABLE ? PARTITION_MAP_WRITABLE : 0) |
                                (flags & DEVICE_MAP_FRAMEBUFFER ? PARTITION_MAP_FRAMEBUFFER : 0);
    request->what = SPACE_MAP;
    int result = partition_server_map(host->partition, gpa, size, descriptor, file_offset,
                                      wire_flags, answered, request);
    if (result != 0) {
        free(request);
    }
    return result;
}

static int unmap(void *context, struct virtual_device *device, uint64_t gpa, uint64_t size)
{
    struct hvhost *host = context;
    struct space_request *request = new_request(host, device, gpa, size);
    if (request == NULL) {
        return -ENOMEM;
    }
    request->what = SPACE_UNMAP;
    int result = partition_server_unmap(host->partition, gpa, size, answered, request);
    if (result != 0) {
        free(request);
    }
    return result;
}

static int trap(void *context, struct virtual_device *device, enum device_space space,
                uint64_t start, uint64_t size, bool on)
{
    struct hvhost *host = context;
    if (size == 0 || start + size < start || device->operations->read == NULL ||
        device->operations->write == NULL) {
        return -EINVAL;
    }
    if (on && is_overlapped(host, space, start, size)) {
        return -EEXIST;
    }
    struct space_request *request = new_request(host, device, start, size);
    if (request == NULL) {
        return -ENOMEM;
    }
    request->what = on ? SPACE_TRAP_ON : SPACE_TRAP_OFF;
    request->space = space;
    /* On before the monitor is asked: the first access may come ahead of its answer. */
    int result = on ? add_trap(request) : 0;
    if (result == 0) {
        result = partition_server_trap(host->partition,
                                       space == DEVICE_SPACE_PORT ? PARTITION_SPACE_PORT
                                                                  : PARTITION_SPACE_MEMORY,
                                       start, size, on, answered, request);
        if (!on || result != 0) {
            remove_trap(host, space, start);
        }
    }
    if (result != 0) {
        free(request);
    }
    return result;
}

static void watch_answered(void *context, int status,
                           const uint64_t written[PARTITION_WATCH_BLOCKS_MAX / 64])
{
    struct space_request *request = context;
    const size_t blocks = (request->size + PARTITION_WATCH_BLOCK - 1) / PARTITION_WATCH_BLOCK;
    request->device->operations->range_written(request->device, request->start, status, written,
                                               blocks);
    free(request);
}

static int watch(void *context, struct virtual_device *device, uint64_t gpa, uint64_t size)
{
    struct hvhost *host = context;
    struct space_request *request = new_request(host, device, gpa, size);
    if (request == NULL) {
        return -ENOMEM;
    }
    request->what = SPACE_WATCH;
    int result = partition_server_watch(host->partition, gpa, size, watch_answered, request);
    if (result != 0) {
        free(request);
        return result;
    }
    host->watching = device;
    host->watched_start = gpa;
    return 0;
}

static bool can_watch(void *context)
{
    const struct hvhost *host = context;
    return partition_server_can_watch(host->partition);
}

void hvhost_space_touched(struct hvhost *host, uint64_t gpa)
{
    if (host->watching != NULL && gpa == host->watched_start) {
        host->watching->operations->range_touched(host->watching, gpa);
    }
}

static void line(void *context, unsigned number, bool level)
{
    struct hvhost *host = context;
    partition_server_line(host->partition, number, level);
}

static void reset(void *context)
{
    struct hvhost *host = context;
    host->reset_wanted = true;
    hvhost_event(host, "reset", NULL, "the guest pulled the reset line");
    partition_server_power(host->partition, PARTITION_POWER_RESET, NULL);
}

static void interrupt(void *context, uint32_t processor, uint8_t vector)
{
    struct hvhost *host = context;
    partition_server_raise(host->partition, processor, vector);
}

void hvhost_space_open(struct hvhost *host)
{
    host->services = (struct device_machine){
        .context = host,
        .map = map,
        .unmap = unmap,
        .trap = trap,
        .watch = watch,
        .can_watch = can_watch,
        .line = line,
        .reset = reset,
        .interrupt = interrupt,
    };
}

void hvhost_space_close(struct hvhost *host)
{
    while (host->traps != NULL) {
        struct hvhost_trap *first = host->traps;
        host->traps = first->next;
        free(first);
    }
}

/* ---- Accesses ---- */

static struct virtual_device *device_at(const struct hvhost *host, uint32_t kind,
                                        uint64_t address, uint32_t size)
{
    enum device_space space =
        kind == PARTITION_SPACE_PORT ? DEVICE_SPACE_PORT : DEVICE_SPACE_MEMORY;
    for (const struct hvhost_trap *trap = host->traps; trap != NULL; trap = trap->next) {
        if (trap->space == space && address >= trap->start &&
            address - trap->start < trap->size && size <= trap->size - (address - trap->start)) {
            return trap->device;
        }
    }
    return NULL;
}

/* Where nothing is, all bits are read as ones, as on an empty bus; writes go nowhere. */
uint64_t hvhost_space_read(struct hvhost *host, const struct partition_read *access)
{
    struct virtual_device *device = device_at(host, access->kind, access->address, access->size);
    const uint64_t mask = access->size == 8 ? UINT64_MAX : (1ull << access->size * 8) - 1;
    if (device == NULL) {
        return mask;
    }
    return mask & device->operations->read(device, (enum device_space)access->kind,
                                           access->address, access->size);
}

void hvhost_space_write(struct hvhost *host, const struct partition_write *access)
{
    struct virtual_device *device = device_at(host, access->kind, access->address, access->size);
    const uint64_t mask = access->size == 8 ? UINT64_MAX : (1ull << access->size * 8) - 1;
    if (device != NULL) {
        device->operations->write(device, (enum device_space)access->kind, access->address,
                                  access->size, access->value & mask);
    }
}
