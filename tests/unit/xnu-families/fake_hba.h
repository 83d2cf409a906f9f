/* SPDX-License-Identifier: BSD-3-Clause */
/* A SCSI host bus adapter written as a driver is: an IOSCSIParallelInterfaceController in C, with a
 * small disk behind each target. What it does wrong is up to the test. */
#ifndef TESTS_UNIT_XNU_FAMILIES_FAKE_HBA_H
#define TESTS_UNIT_XNU_FAMILIES_FAKE_HBA_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/IODMACommand.h"
#include "abi/IOSCSIParallelInterfaceController.h"
#include "abi/runtime.h"

enum {
    FAKE_TARGETS = 4,
    FAKE_BLOCK = 512,
    FAKE_BLOCKS = 4096,                  /* 2 MiB, unless a test wants more */
    FAKE_QUEUE = 64,
    FAKE_LOG = 256,
};

/* What to answer to the next commands with an operation code. */
struct fake_fault {
    uint8_t operation;
    unsigned count;                      /* how many times */
    uint8_t status;                      /* kSCSITaskStatus_* */
    uint8_t sense_key, code, qualifier;  /* for a check condition */
    bool lose;                           /* never complete */
    bool refuse;                         /* ProcessParallelTask fails */
};

struct fake_hba {
    IOSCSIParallelInterfaceController *controller;
    /* Set by the test before start. */
    unsigned task_count;
    uint64_t blocks;                     /* of each disk; set with fake_hba_resize */
    uint32_t told_block_size;            /* 0: FAKE_BLOCK, which it always is */
    uint64_t highest_id, initiator_id;
    bool present[FAKE_TARGETS];
    bool manages_targets;                /* DoesHBAPerformDeviceManagement */
    bool scans_early;                    /* a thread makes target 0 while StartController runs */
    bool command_queueing;
    bool provisioning;
    bool write_cache;
    bool hold;                           /* keep tasks until fake_hba_release */
    bool set_timeouts;
    bool no_alignment_mask;
    bool fail_initialize, fail_start;
    uint64_t max_bytes;                  /* constraint; 0: none */
    struct fake_fault faults[4];
    /* What happened. */
    const char *calls[FAKE_LOG];
    unsigned call_count;
    uint8_t operations[FAKE_LOG];
    unsigned operation_count;
    unsigned outstanding, most_outstanding;
    unsigned timeouts, aborts, resets;
    uint64_t largest_transfer;
    bool in_gate, on_loop_thread;        /* of the last ProcessParallelTask */
    OSObject *lost;                      /* the last task that was not completed */
    OSObject *held[FAKE_QUEUE];
    unsigned held_count;
    uint8_t *media[FAKE_TARGETS];        /* FAKE_BLOCKS * FAKE_BLOCK bytes each */
    uint64_t unmapped_blocks;
};

extern struct fake_hba fake_hba;

/* Registers the class (as a kext) and clears the state; media are zeroed. */
void fake_hba_reset(void);

/* Other media than FAKE_BLOCKS blocks, zeroed; before start. */
void fake_hba_resize(uint64_t blocks);

/* Makes a provider and a controller, attaches and starts it. False: start refused. */
bool fake_hba_start(void);

/* Completes the tasks that were held, oldest first. */
void fake_hba_release(void);

/* Ends what fake_hba_start made: termination steps of a removed provider, called directly. */
void fake_hba_stop(void);

unsigned fake_hba_operations(uint8_t operation);

#endif
