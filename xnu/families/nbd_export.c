/* SPDX-License-Identifier: BSD-3-Clause */
/* nbd_export.c - block devices behind the NBD servers. Data buffers are guest RAM, so that a driver
 * moves the data straight into what is sent, and out of what was received. */
#include "xnu/families/nbd_export.h"

#include "abi/IOBufferMemoryDescriptor.h"
#include "abi/constants/errno.h"
#include "abi/kpi/threads.h"
#include "abi/kpi/vm.h"

#include "xnu/bsd/format.h"
#include "xnu/families/block_device.h"
#include "xnu/iokit/threads_private.h"
#include "xnu/libkern/object.h"
#include "xnu/machine/log.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/nbd_socket.h"

enum {
    DIRECTORY_SIZE = 80,
    SMALLEST_SHIFT = 12,                 /* buffers are powers of two, 4 KiB ... 32 MiB */
    LARGEST_SHIFT = 25,
    SIZES = LARGEST_SHIFT - SMALLEST_SHIFT + 2,  /* the first has no memory at all */
};

/* What a request needs on this side. */
struct export_buffer {
    struct block_request request;
    struct nbd_job *job;
    IOBufferMemoryDescriptor *memory;
    unsigned size_index;
    struct export_buffer *next;
};

struct exported {
    struct exported *next;
    struct block_device *device;
    struct nbd_export export;
    char description[32];
    struct nbd_server *server;
};

static char directory[DIRECTORY_SIZE];
static struct machine_spin_lock lock;    /* guards the list, the buffers and the count */
static struct exported *exports;
static struct export_buffer *free_buffers[SIZES];
static size_t cached_bytes;
static unsigned stopping;                /* servers whose stop is going on */
static char stopped_event;

/* ---- buffers -------------------------------------------------------------------------------- */

static unsigned size_index(uint32_t length)
{
    unsigned index = 1;

    if (length == 0)
        return 0;
    while (length > UINT32_C(1) << (SMALLEST_SHIFT + index - 1))
        index++;
    return index;
}

static size_t size_of(unsigned index)
{
    return index == 0 ? 0 : (size_t)1 << (SMALLEST_SHIFT + index - 1);
}

static void destroy_buffer(struct export_buffer *buffer)
{
    object_release(buffer->memory);
    machine_release(buffer, sizeof *buffer);
}

static struct export_buffer *take_cached(unsigned index)
{
    machine_spin_lock(&lock);
    struct export_buffer *buffer = free_buffers[index];
    if (buffer) {
        free_buffers[index] = buffer->next;
        cached_bytes -= size_of(index);
    }
    machine_spin_unlock(&lock);
    return buffer;
}

static void drop_cached(void)
{
    for (unsigned index = 0; index < SIZES; index++)
        for (struct export_buffer *buffer; (buffer = take_cached(index)) != NULL;)
            destroy_buffer(buffer);
}

static struct export_buffer *make_buffer(unsigned index)
{
    struct export_buffer *buffer = machine_allocate_zeroed(sizeof *buffer, 0);

    if (!buffer || index == 0)
        return buffer;
    buffer->size_index = index;
    buffer->memory = IOBufferMemoryDescriptor_inTaskWithOptions(kernel_task, kIODirectionOutIn,
                                                                size_of(index), MACHINE_PAGE_SIZE);
    if (buffer->memory)
        return buffer;
    machine_release(buffer, sizeof *buffer);
    return NULL;
}

static struct export_buffer *get_buffer(uint32_t length)
{
    unsigned index = size_index(length);
    struct export_buffer *buffer = take_cached(index);

    if (!buffer)
        buffer = make_buffer(index);
    if (!buffer) {
        drop_cached();
        buffer = make_buffer(index);
    }
    return buffer;
}

/* At most an eighth of the memory is kept for the next requests. */
static void put_buffer(struct export_buffer *buffer)
{
    size_t size = size_of(buffer->size_index);

    machine_spin_lock(&lock);
    bool keep = cached_bytes + size <= max_mem / 8;
    if (keep) {
        buffer->next = free_buffers[buffer->size_index];
        free_buffers[buffer->size_index] = buffer;
        cached_bytes += size;
    }
    machine_spin_unlock(&lock);
    if (!keep)
        destroy_buffer(buffer);
}

/* ---- requests ------------------------------------------------------------------------------- */

static uint32_t nbd_error(int error)
{
    switch (error) {
    case 0: return NBD_SUCCESS;
    case EINVAL: return NBD_EINVAL;
    case ENOMEM: return NBD_ENOMEM;
    case ENOSPC: return NBD_ENOSPC;
    case ENOTSUP: return NBD_ENOTSUP;
    case EROFS: return NBD_EPERM;
    case ENXIO: return NBD_ESHUTDOWN;
    default: return NBD_EIO;
    }
}

static void request_done(struct block_request *request)
{
    struct export_buffer *buffer = request->context;

    nbd_server_complete(buffer->job, nbd_error(request->error));
}

static bool prepare(void *context, struct nbd_job *job)
{
    bool has_data = job->request.command == NBD_CMD_READ || job->request.command == NBD_CMD_WRITE;
    struct export_buffer *buffer = get_buffer(has_data ? job->request.length : 0);

    if (!buffer)
        return false;
    buffer->job = job;
    job->buffer = buffer;
    job->data = buffer->memory ? IOBufferMemoryDescriptor_getBytesNoCopy(buffer->memory) : NULL;
    return true;
}

static void finish(void *context, struct nbd_job *job)
{
    if (job->buffer)
        put_buffer(job->buffer);
}

static enum block_operation operation_of(uint16_t command)
{
    switch (command) {
    case NBD_CMD_READ: return BLOCK_READ;
    case NBD_CMD_WRITE: return BLOCK_WRITE;
    case NBD_CMD_TRIM: return BLOCK_DISCARD;
    case NBD_CMD_WRITE_ZEROES: return BLOCK_WRITE_ZEROES;
    default: return BLOCK_FLUSH;
    }
}

static void submit(void *context, struct nbd_job *job)
{
    struct exported *exported = context;
    struct export_buffer *buffer = job->buffer;

    buffer->request = (struct block_request){
        .operation = operation_of(job->request.command),
        .fua = job->request.fua,
        .may_discard = job->request.may_trim,
        .offset = job->request.offset,
        .length = job->request.length,
        .memory = (IOMemoryDescriptor *)buffer->memory,
        .done = request_done,
        .context = buffer,
    };
    block_device_submit(exported->device, &buffer->request);
}

static const struct nbd_server_operations operations = { prepare, submit, finish };

/* ---- devices -------------------------------------------------------------------------------- */

static void describe(struct exported *exported)
{
    const struct block_device_information *about = &exported->device->information;

    format_text(exported->description, sizeof exported->description, "%s %s", about->vendor,
                about->product);
    exported->export = (struct nbd_export){
        .name = exported->device->name,
        .description = exported->description,
        .size = block_device_size(exported->device),
        .block_size = about->block_size,
        .preferred_size = about->physical_block_size > 4096 ? about->physical_block_size : 4096,
        .read_only = about->read_only,
        .can_flush = true,
        .can_fua = true,
        .can_trim = about->can_discard,
        .can_write_zeroes = about->can_write_zeroes,
    };
}

/* True: it was another. */
static bool follow_size(struct block_device *device)
{
    bool changed = false;

    machine_spin_lock(&lock);
    for (struct exported *exported = exports; exported; exported = exported->next) {
        uint64_t size = block_device_size(device);
        if (exported->device == device)
            changed = __atomic_exchange_n(&exported->export.size, size, __ATOMIC_RELAXED) != size;
    }
    machine_spin_unlock(&lock);
    return changed;
}

static void device_added(void *context, struct block_device *device)
{
    char path[DIRECTORY_SIZE + 24];
    struct exported *exported = machine_allocate_zeroed(sizeof *exported, 0);

    if (!exported)
        return;
    block_device_retain(device);
    exported->device = device;
    describe(exported);
    format_text(path, sizeof path, "%s/%s.sock", directory, device->name);
    exported->server = nbd_server_start(path, &exported->export, &operations, exported);
    if (!exported->server) {
        block_device_release(device);
        machine_release(exported, sizeof *exported);
        return;
    }
    machine_log("%s: %llu bytes (%s) at %s", device->name,
                (unsigned long long)exported->export.size, exported->description, path);
    machine_spin_lock(&lock);
    exported->next = exports;
    exports = exported;
    machine_spin_unlock(&lock);
    follow_size(device); /* if it changed while nobody looked */
}

/* Clients that connect from now on see the new size; those that are there may use it. */
static void device_resized(void *context, struct block_device *device)
{
    if (follow_size(device))
        machine_log("%s: %llu bytes now", device->name,
                    (unsigned long long)block_device_size(device));
}

static struct exported *take_exported(const struct block_device *device)
{
    machine_spin_lock(&lock);
    struct exported **link = &exports;
    while (*link && device && (*link)->device != device)
        link = &(*link)->next;
    struct exported *exported = *link;
    if (exported)
        *link = exported->next;
    machine_spin_unlock(&lock);
    return exported;
}

static void stop_exported(struct exported *exported)
{
    nbd_server_stop(exported->server);
    block_device_release(exported->device);
    machine_release(exported, sizeof *exported);
}

static void stop_thread(void *parameter, wait_result_t result)
{
    stop_exported(parameter);
    machine_spin_lock(&lock);
    stopping--;
    machine_wakeup(&stopped_event, false);
    machine_spin_unlock(&lock);
}

/* Whoever removes a device may be the thread that its last requests need: wait for them on another.
 */
static void device_removed(void *context, struct block_device *device)
{
    struct exported *exported = take_exported(device);
    thread_t thread;

    if (!exported)
        return;
    machine_spin_lock(&lock);
    stopping++;
    machine_spin_unlock(&lock);
    if (kernel_thread_start_named("nbd stop", stop_thread, exported, &thread) == KERN_SUCCESS)
        thread_deallocate(thread);
    else
        stop_thread(exported, 0);
}

int nbd_export_start(const char *new_directory)
{
    static const struct block_device_observer observer = {
        .added = device_added, .removed = device_removed, .resized = device_resized,
    };

    if (format_text(directory, sizeof directory, "%s", new_directory) >= DIRECTORY_SIZE)
        return ENAMETOOLONG;
    block_device_observe(&observer);
    return 0;
}

void nbd_export_stop(void)
{
    struct exported *exported;

    block_device_observe(NULL);
    while ((exported = take_exported(NULL)) != NULL)
        stop_exported(exported);
    machine_spin_lock(&lock);
    while (stopping != 0) {
        machine_wait_prepare(&stopped_event, MACHINE_NEVER, false);
        machine_spin_unlock(&lock);
        machine_wait_block();
        machine_spin_lock(&lock);
    }
    machine_spin_unlock(&lock);
    drop_cached();
}
