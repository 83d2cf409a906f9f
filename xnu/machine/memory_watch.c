/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes to host memory are noted as a hypervisor does it: what is watched is read-only, the first
 * write to a block of it faults, is noted, and makes the block writable until somebody asks.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "xnu/machine/machine_private.h"

/* The lock is taken in signal handlers: nothing under it may fault or wait for long. */
static atomic_flag busy = ATOMIC_FLAG_INIT;
static struct {
    uint64_t start, size; /* size 0: nothing is watched */
    uint64_t written[MACHINE_WATCH_BLOCKS_MAX / 64];
    bool told; /* somebody knows that something was written */
} watched;
static int event = -1;

static void lock(void) {
    while (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire)) {
        sched_yield();
    }
}

static void unlock(void) {
    atomic_flag_clear_explicit(&busy, memory_order_release);
}

int memory_watch_start(void) {
    event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return event >= 0 ? 0 : -errno;
}

void memory_watch_stop(void) {
    memory_watch_forget(watched.start);
    if (event >= 0) {
        close(event);
        event = -1;
    }
}

void memory_watch_forget(uint64_t start) {
    lock();
    if (watched.start == start) {
        watched.size = 0;
    }
    unlock();
}

int machine_watch_descriptor(void) {
    return event;
}

uint64_t machine_watched_range(void) {
    lock();
    uint64_t start = watched.size != 0 ? watched.start : MACHINE_NO_ADDRESS;
    unlock();
    return start;
}

static bool is_written(uint64_t block) {
    return (watched.written[block / 64] >> (block % 64) & 1) != 0;
}

/* Runs of blocks that were written become read-only; the others are. 0 or a negative errno. */
static int protect_written(uint64_t blocks) {
    for (uint64_t block = 0; block < blocks; block++) {
        uint64_t first = block;
        while (block < blocks && is_written(block)) {
            block++;
        }
        uint64_t from = first * MACHINE_WATCH_BLOCK, to = block * MACHINE_WATCH_BLOCK;
        to = to < watched.size ? to : watched.size;
        if (from < to &&
            mprotect(memory_window + watched.start + from, to - from, PROT_READ) != 0) {
            return -errno;
        }
    }
    return 0;
}

static void begin(uint64_t start, uint64_t size) {
    if (watched.size != 0) {
        mprotect(memory_window + watched.start, watched.size, PROT_READ | PROT_WRITE);
    }
    watched.start = start;
    watched.size = size;
    memset(watched.written, 0xff, sizeof watched.written);
}

int memory_watch_take(uint64_t start, uint64_t size,
                      uint64_t written[MACHINE_WATCH_BLOCKS_MAX / 64]) {
    uint64_t blocks = (size + MACHINE_WATCH_BLOCK - 1) / MACHINE_WATCH_BLOCK;
    if (blocks > MACHINE_WATCH_BLOCKS_MAX) {
        return -EFBIG;
    }
    lock();
    if (watched.size != size || watched.start != start) {
        begin(start, size);
    }
    int error = protect_written(blocks);
    for (uint64_t word = 0; word < MACHINE_WATCH_BLOCKS_MAX / 64; word++) {
        uint64_t left = blocks > word * 64 ? blocks - word * 64 : 0;
        written[word] = left >= 64 ? watched.written[word]
                                   : watched.written[word] & ((UINT64_C(1) << left) - 1);
    }
    memset(watched.written, 0, sizeof watched.written);
    watched.told = false;
    if (error != 0) {
        watched.size = 0; /* half of it is watched: the next call begins anew */
    }
    unlock();
    return error;
}

/* In a signal handler, on any thread. */
bool memory_watch_fault(const void *address) {
    uint64_t physical = machine_physical_address(address);
    bool is_first = false, is_ours;
    lock();
    is_ours = watched.size != 0 && physical >= watched.start &&
              physical - watched.start < watched.size;
    if (is_ours) {
        uint64_t block = (physical - watched.start) / MACHINE_WATCH_BLOCK;
        uint64_t from = block * MACHINE_WATCH_BLOCK, left = watched.size - from;
        watched.written[block / 64] |= UINT64_C(1) << (block % 64);
        is_ours = mprotect(memory_window + watched.start + from,
                           left < MACHINE_WATCH_BLOCK ? left : MACHINE_WATCH_BLOCK,
                           PROT_READ | PROT_WRITE) == 0;
        is_first = !watched.told;
        watched.told = true;
    }
    unlock();
    if (is_first) {
        const uint64_t one = 1;
        ssize_t written = write(event, &one, sizeof one);
        (void)written; /* full: it is readable */
    }
    return is_ours;
}
