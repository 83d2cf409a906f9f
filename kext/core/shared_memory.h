/* SPDX-License-Identifier: BSD-3-Clause */
/* Access to memory that the host reads and writes at the same time.
 *
 * Rule: read once into private memory, check the copy, use only the copy. These functions are the
 * only places where shared words are touched, so the order of accesses can be reviewed here. */
#ifndef KEXT_CORE_SHARED_MEMORY_H
#define KEXT_CORE_SHARED_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The C library functions that every kernel exports and that the compiler may call by itself. */
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *at, int value, size_t size);

/* Reads a word once; later accesses stay behind it. */
static inline uint32_t shared_load(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* Reads a word once, after everything that shared_publish stored before. */
static inline uint32_t shared_load_ordered(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

/* Stores a word after all earlier accesses. */
static inline void shared_store(uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* Stores a word after all earlier accesses and before all later ones, loads included: the full
 * barrier between "I have published" and "does the other side sleep?". */
static inline void shared_publish(uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

/* Takes the word's value and leaves 0, in one step. */
static inline uint32_t shared_take(uint32_t *word)
{
    return __atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST);
}

/* Keeps the compiler from fetching again from shared memory what has been copied out of it. */
static inline void shared_copy_done(void)
{
    __asm__ volatile("" : : : "memory");
}

/* Starts fetching the cache line at `at` in order to write it. Every processor that can run Hyper-V
 * has this instruction; a compiler for old targets would fetch for reading. */
static inline void shared_prefetch_write(const void *at)
{
#if defined(__x86_64__) || defined(__i386__)
    __asm__ volatile("prefetchw %0" : : "m"(*(const uint8_t *)at));
#else
    __builtin_prefetch(at, 1);
#endif
}

/* Copies `size` bytes out of shared memory. */
static inline void shared_copy_out(void *to, const void *from, size_t size)
{
    memcpy(to, from, size);
    shared_copy_done();
}

#endif
