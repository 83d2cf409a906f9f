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

/* Stores a machine word past the caches: it goes to memory in whole lines without being fetched
 * first. Every processor that can run Hyper-V has this instruction. */
static inline void shared_stream_word(void *at, const void *from)
{
    uintptr_t word;

    __builtin_memcpy(&word, from, sizeof word);
#if defined(__x86_64__) || defined(__i386__)
    __asm__ volatile("movnti %1, %0" : "=m"(*(uintptr_t *)at) : "r"(word));
#else
    __builtin_memcpy(at, &word, sizeof word);
#endif
}

/* Copies `size` bytes, a multiple of 8, to memory that another processor has read last and will
 * read next. Stores into its lines would wait for each of them; streaming does not. */
static inline void shared_stream(void *to, const void *from, size_t size)
{
    for (size_t at = 0; at < size; at += sizeof(uintptr_t))
        shared_stream_word((uint8_t *)to + at, (const uint8_t *)from + at);
#if defined(__x86_64__) || defined(__i386__)
    __asm__ volatile("sfence" : : : "memory");
#endif
}

#define SHARED_COPY_SMALL 128u

/* Copies bytes that do not overlap. Most packets are small, and for these a call of the kernel's
 * memcpy, made for pages, costs more than the copying. */
static inline void shared_copy(void *to, const void *from, size_t size)
{
    uint8_t *out = to;
    const uint8_t *in = from;

    if (size > SHARED_COPY_SMALL) {
        memcpy(to, from, size);
        return;
    }
    for (; size >= 16; size -= 16, out += 16, in += 16)
        __builtin_memcpy(out, in, 16);
    if (size >= 8) {
        __builtin_memcpy(out, in, 8);
        size -= 8, out += 8, in += 8;
    }
    while (size-- != 0)
        *out++ = *in++;
}

/* Copies `size` bytes out of shared memory. */
static inline void shared_copy_out(void *to, const void *from, size_t size)
{
    shared_copy(to, from, size);
    shared_copy_done();
}

/* Stores one 64-bit word. */
static inline void shared_store_word(void *at, uint64_t value)
{
    __builtin_memcpy(at, &value, sizeof value);
}

#endif
