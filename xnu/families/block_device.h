/* SPDX-License-Identifier: BSD-3-Clause */
/* block_device.h - disks as the rest of the kernel sees them: a size, blocks, requests.
 *
 * A driver's family publishes a device; whoever serves it (the NBD export) observes devices come
 * and go. Requests are asynchronous, any number may be in flight, in no order but that a flush
 * covers the writes that were done before it was submitted. Errors are positive errno values of
 * macOS.
 */
#ifndef XNU_FAMILIES_BLOCK_DEVICE_H
#define XNU_FAMILIES_BLOCK_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/IOMemoryDescriptor.h"
#include "abi/IOService.h"

enum block_operation {
    BLOCK_READ,
    BLOCK_WRITE,
    BLOCK_FLUSH,
    BLOCK_DISCARD,
    BLOCK_WRITE_ZEROES,
};

/* Owned by who submits it, until `done` is called. */
struct block_request {
    enum block_operation operation;
    bool fua;                        /* a write that is on stable storage when it is done */
    bool may_discard;                /* write zeroes: the blocks may be deallocated */
    uint64_t offset, length;         /* bytes, multiples of the block size; 0, 0 for a flush */
    IOMemoryDescriptor *memory;      /* of reads and writes; prepared, stays so until done */
    uint64_t memory_offset;          /* bytes */
    /* Called once, without locks, on any thread, perhaps before block_device_submit returns. */
    void (*done)(struct block_request *request);
    void *context;
    int error;                       /* result: 0 or an errno */
    uint32_t pending;                /* the device's */
    /* While the machine sleeps: */
    struct block_device *device;
    struct block_request *next;
};

struct block_device_information {
    uint64_t size;                   /* bytes */
    uint32_t block_size;             /* power of two, 512 ... 65536 */
    uint32_t physical_block_size;
    bool read_only;
    bool removable;
    bool has_cache;                  /* flushes are needed */
    bool can_discard;
    bool can_write_zeroes;
    uint32_t queue_depth;            /* commands that the device takes at a time */
    char vendor[9], product[17];
};

struct block_device_operations {
    /* The request has been checked against the information. */
    void (*submit)(void *context, struct block_request *request);
    /* The device may have another size: looks, and calls block_device_set_size. On any thread,
     * which is not held up. NULL: it never has. */
    void (*look_again)(void *context);
    /* The last reference is gone. */
    void (*release)(void *context);
};

struct block_device {
    char name[16];                   /* "disk0": the BSD name */
    unsigned unit;
    struct block_device_information information; /* `size` changes: block_device_size() */
    const struct block_device_operations *operations;
    void *context;
    bool gone;                       /* written under the list's lock */
    bool publishing, published;
    uint32_t references;
    IOService *node;                 /* in the registry */
    struct block_device *next;
};

/* A device that nobody sees yet, with one reference for the caller. NULL: no memory. */
struct block_device *block_device_create(const struct block_device_information *information,
                                         const struct block_device_operations *operations,
                                         void *context);

/* Gives the device the lowest free unit, a node below `parent` in the registry and tells the
 * observer. Nothing happens if it has been retracted already. */
void block_device_publish(struct block_device *device, IOService *parent);

/* The device is gone: it cannot be found any more, requests from now on fail with ENXIO, the
 * observer is told, the node terminated. Requests in flight end as the device ends them. Gives the
 * reference of block_device_create back. May be called while another thread publishes the device.
 */
void block_device_retract(struct block_device *device);

static inline uint64_t block_device_size(const struct block_device *device)
{
    return __atomic_load_n(&device->information.size, __ATOMIC_ACQUIRE);
}

/* The device has so many bytes now: for requests from here on, in the registry, and the observer is
 * told. Nothing happens if it had as many before. */
void block_device_set_size(struct block_device *device, uint64_t size);

/* Checks the request and hands it to the device. */
void block_device_submit(struct block_device *device, struct block_request *request);

/* Submits and waits; returns the error. */
int block_device_run(struct block_device *device, struct block_request *request);

/* ---- sleep ---- */

/* Requests that are submitted from now on wait; every disk is told to put on its medium what it has
 * done. Waits for that. */
void block_devices_sleep(void);
/* What waited goes on, in its order. */
void block_devices_wake(void);

/* ---- references ---- */

void block_device_retain(struct block_device *device);
void block_device_release(struct block_device *device);

/* A device by its name, with a reference, or NULL. */
struct block_device *block_device_find(const char *name);

/* Called after a device was published, when it has another size and when it goes away. When set, it
 * is told of all devices that exist. One observer; NULL for none. */
struct block_device_observer {
    void (*added)(void *context, struct block_device *device);
    void (*removed)(void *context, struct block_device *device);
    void (*resized)(void *context, struct block_device *device);
    void *context;
};
void block_device_observe(const struct block_device_observer *observer);

#endif
