/* SPDX-License-Identifier: BSD-3-Clause */
/* A guest that paints its whole screen when told, and says when it had done so. */
#ifndef TESTS_BENCH_CONSOLE_PAINTER_H
#define TESTS_BENCH_CONSOLE_PAINTER_H

#include <stdatomic.h>
#include <stdint.h>

enum { PAINTER_WIDTH = 1920, PAINTER_HEIGHT = 1080 };

/* In memory that the guest's process and the viewer's share. */
struct painter {
    _Atomic uint32_t frame;     /* the latest one that is complete: all painter_pixel(frame) */
    _Atomic uint64_t done_ns;   /* CLOCK_MONOTONIC, when it was */
    _Atomic int ready;          /* the screen has its size */
};

static inline uint32_t painter_pixel(uint32_t frame)
{
    return (frame * 0x9E3779B1u ^ 0x5a5a5a) & 0xFFFFFF;
}

/* CLOCK_MONOTONIC, nanoseconds. */
uint64_t painter_now(void);

/* Runs kextrun in this process, attached to `partition`, with a control socket; each byte that
 * comes from the descriptor `orders` is the next frame. Returns kextrun's exit status. */
int painter_run(struct painter *painter, int orders, const char *partition, const char *control,
                const char *const *kexts, unsigned kext_count);

#endif
