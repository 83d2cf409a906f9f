/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine as a whole: what a kernel runs on inside a Linux process. This folder is the only
 * border between kernel-side code (which includes abi/ headers) and the process (libc): its headers
 * use freestanding types only.
 */
#ifndef MACHV_XNU_MACHINE_MACHINE_H
#define MACHV_XNU_MACHINE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xnu/machine/threads.h"

#define MACHINE_PROCESSORS_MAX 64u
#define MACHINE_MEMORY_MIN (16u * 1024u * 1024u)

struct machine_configuration {
    uint64_t memory_bytes;      /* guest RAM, >= MACHINE_MEMORY_MIN; 0: 256 MiB */
    unsigned processors;        /* 1 ... MACHINE_PROCESSORS_MAX; 0: 1 */
    bool deterministic;         /* fibres and virtual time instead of real threads */
    uint64_t seed;              /* of the fibre scheduler's choices */
    /*
     * Fibres only: stop with MACHINE_EXIT_DEADLOCK after so many switches; 0: never. A bound for
     * tests whose threads keep each other busy for ever.
     */
    uint64_t switches_max;
};

/*
 * Allocates guest RAM, prepares the trap handlers and starts the processors' interrupt threads.
 * Once at a time; after machine_stop() it may be started again. 0 or a negative errno, with one
 * line about it in the log.
 */
int machine_start(const struct machine_configuration *configuration);

/*
 * Runs `function` as a kernel thread on processor 0 and waits, outside the kernel, until it has
 * ended: how a program's or a test's main enters the kernel. With fibres, this call is what runs
 * the scheduler; threads that are left continue in the next call. If all sleep for ever before
 * `function` has ended, that is a deadlock: the report names every sleeper and its event, and the
 * process ends with MACHINE_EXIT_DEADLOCK (or returns -EDEADLK when a death hook is set).
 */
int machine_run(const char *name, machine_thread_function *function, void *argument);

/*
 * Fibres only: lets everything run until all threads sleep with no deadline before `uptime` (ns).
 * With real threads it is a no-op.
 */
void machine_run_until(uint64_t uptime);

/*
 * Ends the machine: detaches the partition, ends the interrupt threads, releases guest RAM. Kernel
 * threads that still sleep are given up (fibres) or, with real threads, woken out of any sleep to
 * end there. The caller must not be a kernel thread.
 */
void machine_stop(void);

/* Counters since machine_start(); each is exact, all together are of about one moment. */
struct machine_statistics {
    uint64_t interrupts[MACHINE_PROCESSORS_MAX]; /* vectors delivered, by processor */
    uint64_t interrupts_dropped;                 /* there was no interrupt entry */
    uint64_t trapped_instructions;               /* emulated: CPUID, MSRs, ports, flags, HLT */
    uint64_t trapped_accesses;                   /* to device memory */
    uint64_t hypercalls;                         /* through the hypercall page, signals included */
    uint64_t signals;                            /* of these, without a round trip */
    uint64_t nbd_bytes_moved;                    /* data of reads and writes of NBD clients */
    uint64_t nbd_bytes_copied;                   /* for them: to and from sockets, and in between */
    uint64_t bounce_bytes;                       /* copied for devices that cannot reach memory */
};
void machine_statistics(struct machine_statistics *statistics);

/* Counts data that was copied to or from a bounce buffer. */
void machine_count_bounce(uint64_t bytes);

/* Prints all threads with processor, state and event, one line each, into the log. */
void machine_report_threads(void);

/* A pseudo-random number; from the seed in deterministic mode, from the host's entropy else. */
uint64_t machine_random(void);
/* Strong random bytes (read_random); seeded in deterministic mode. */
void machine_random_bytes(void *buffer, size_t size);

#endif
