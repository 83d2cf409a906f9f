/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A disk as a virtual device sees it: blocks that can be read, written, flushed and discarded,
 * asynchronously, with data moving directly between the back end and the caller's memory.
 *
 * One thread owns a disk and its engine. Back ends: disk_file.c, disk_memory.c, disk_nbd.c; a
 * filter (disk_faults.c) is a disk too, in front of another one.
 */
#ifndef HOST_DISK_DISK_H
#define HOST_DISK_DISK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct disk;
struct disk_engine;

enum disk_operation {
    DISK_READ,
    DISK_WRITE,
    DISK_FLUSH,       /* everything acknowledged before is on the medium when this is done */
    DISK_DISCARD,     /* the range's contents no longer matter */
    DISK_WRITE_ZEROES,
};

/* One operation in flight. The caller's, and untouched by the caller, from submit until done. */
struct disk_request {
    enum disk_operation operation;
    bool force_unit_access; /* writes: on the medium before done */
    uint64_t offset;        /* bytes, a multiple of the block size */
    uint64_t length;        /* bytes, a multiple of the block size; 0 for DISK_FLUSH */
    struct iovec *vector;   /* READ, WRITE: exactly `length` bytes; the back end may edit it */
    unsigned vector_count;

    /* Called once, from disk_engine_run(), never from within disk_submit(). */
    void (*done)(struct disk_request *request);

    /* Valid in `done`: 0 or a negative errno, and how much was moved, <= length. */
    int result;
    uint64_t transferred;

    /* The back end's, while in flight. */
    struct disk *disk;
    struct disk_request *next;
    uint64_t due_ns;
    void (*expired)(struct disk_request *request);
    void *private_data;
};

struct disk_geometry {
    uint64_t size;                /* bytes, a multiple of block_size */
    uint32_t block_size;          /* logical: 512 or 4096 */
    uint32_t physical_block_size; /* >= block_size */
    bool read_only;
    bool can_discard;
};

/* What a back end or filter does. Every operation is required but `resize`. */
struct disk_operations {
    const char *kind; /* "file", "memory", "nbd", "faults" */
    /* The request has been checked against the geometry. Must end in disk_complete(), later. */
    void (*submit)(struct disk *disk, struct disk_request *request);
    /* New size in bytes. Returns 0 or a negative errno; -EOPNOTSUPP is assumed when NULL. */
    int (*resize)(struct disk *disk, uint64_t size);
    /* Nothing is in flight. Frees `disk` itself too. */
    void (*close)(struct disk *disk);
};

/* The part that all back ends share: first member of theirs. */
struct disk {
    const struct disk_operations *operations;
    struct disk_engine *engine; /* not owned */
    struct disk_geometry geometry;
    char *name;          /* what the user called it; owned, freed by disk_release() */
    const char *format;  /* "raw", "vhdx", ...; static text */
    unsigned in_flight;
    struct {
        uint64_t operations, bytes_read, bytes_written, flushes, errors;
        uint64_t forced; /* writes with force_unit_access */
        /* By the processor on the way between the caller's memory and what keeps the data: page
         * cache, memory, socket. Back ends count, filters do not. */
        uint64_t bytes_copied;
    } counters;
};

/*
 * Starts a request. Nothing is sent to the kernel before disk_engine_submit(). Requests are not
 * ordered against each other. A request that breaks the geometry is done with -EINVAL (alignment,
 * vector), -ERANGE (past the end) or -EROFS.
 */
void disk_submit(struct disk *disk, struct disk_request *request);

/* Changes the size. Returns 0, -EOPNOTSUPP, -EINVAL (not whole blocks) or another errno. */
int disk_resize(struct disk *disk, uint64_t size);

/* Closes a disk that has nothing in flight. NULL is allowed. */
void disk_close(struct disk *disk);

/* ---- For back ends ---- */

/* Fills in the shared part. Returns 0 or -ENOMEM. */
int disk_initialise(struct disk *disk, struct disk_engine *engine,
                    const struct disk_operations *operations, const char *name,
                    const char *format, const struct disk_geometry *geometry);

/* Frees what disk_initialise() allocated. */
void disk_release(struct disk *disk);

/* Ends a request: `done` is called by the engine, soon. result is 0 or a negative errno. */
void disk_complete(struct disk_request *request, int result, uint64_t transferred);

/* Drops the first `bytes` of a vector, in place. */
void disk_vector_advance(struct iovec **vector, unsigned *count, uint64_t bytes);

#endif
