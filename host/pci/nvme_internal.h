/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the files of the NVMe controller. */
#ifndef HOST_PCI_NVME_INTERNAL_H
#define HOST_PCI_NVME_INTERNAL_H

#include "host/disk/disk.h"
#include "host/pci/pci_function.h"
#include "protocol/nvme.h"

enum {
    NVME_QUEUES = 17,          /* the admin queue and 16 for I/O */
    NVME_ENTRIES_MAXIMUM = 1024,
    NVME_PAGE = 4096,
    NVME_TRANSFER_SHIFT = 7,   /* log2 of the pages that a command may move */
    NVME_SEGMENTS = (1 << NVME_TRANSFER_SHIFT) + 1,
    NVME_EVENTS_MAXIMUM = 4,   /* asynchronous event requests that may wait */
    NVME_NAMESPACE = 1,
};

/* A completion queue in guest memory. */
struct nvme_completion_queue {
    bool exists, wants_interrupts;
    uint8_t phase;
    uint16_t vector;
    uint32_t entries, head, tail; /* head is the guest's, as its doorbell said */
    uint64_t base;                /* guest-physical */
    struct nvme_request *full_first, **full_last; /* completions that wait for room */
};

struct nvme_submission_queue {
    bool exists;
    uint16_t completion_queue;
    uint32_t entries, head, tail; /* tail is the guest's */
    uint64_t base;
};

/* A command, from its fetch until its completion is in guest memory. */
struct nvme_request {
    struct disk_request disk; /* first */
    struct nvme *controller;
    struct nvme_command command;
    uint16_t submission_queue, submission_head; /* head when it was fetched */
    uint16_t completion_queue;
    uint16_t status;
    uint32_t result;
    uint32_t generation;      /* of the controller: an old one's completion is dropped */
    struct nvme_dataset_range *ranges; /* DATASET_MANAGEMENT: owned */
    unsigned range_count, range_next;
    struct nvme_request *next;
    struct iovec vector[NVME_SEGMENTS];
};

struct nvme {
    struct pci_function *function;
    struct disk *disk; /* owned */
    char serial[21];
    unsigned queue_count; /* of I/O queues that the guest may have */
    uint32_t configuration, queue_sizes;
    uint64_t admin_submission, admin_completion;
    bool is_ready, is_fatal, is_shut_down;
    uint32_t generation;
    unsigned in_flight; /* requests with the disk, of all generations */
    bool write_cache;
    uint32_t features[16]; /* what SET_FEATURES said, for GET_FEATURES */
    unsigned event_count; /* event requests that wait */
    struct nvme_submission_queue submission[NVME_QUEUES];
    struct nvme_completion_queue completion[NVME_QUEUES];
    struct { uint64_t commands, reads, writes, errors; } counters;
};

/* nvme_queues.c */
void nvme_queues_reset(struct nvme *controller);
/* A doorbell at `offset` behind NVME_DOORBELLS. */
void nvme_doorbell(struct nvme *controller, uint64_t offset, uint32_t value);
/* Puts a completion into its queue, or lets it wait for room; frees the request. */
void nvme_complete(struct nvme_request *request, uint16_t status);
/* Frees a request that is not to be completed. */
void nvme_drop(struct nvme_request *request);
/* Drops the completions that wait for room in a queue. */
void nvme_drop_waiting(struct nvme_completion_queue *queue);

/* nvme_admin.c, nvme_io.c: carry a command out; they end in nvme_complete(), now or later. */
void nvme_admin_command(struct nvme_request *request);
void nvme_io_command(struct nvme_request *request);
/* Flushes the disk on the controller's own account: in_flight says when it is done. */
void nvme_flush(struct nvme *controller);

/*
 * nvme_io.c: the guest memory that a command's PRPs name, `size` bytes, as segments of
 * request->vector. Returns their number, or 0 and *status.
 */
unsigned nvme_map(struct nvme_request *request, uint64_t size, uint16_t *status);

#endif
