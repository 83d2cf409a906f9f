/* SPDX-License-Identifier: BSD-3-Clause */
/* The two rings under measurement behind one interface: producer and consumer on shared pages. */
#ifndef TESTS_BENCH_RING_SUBJECTS_H
#define TESTS_BENCH_RING_SUBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_PAGES   65u            /* one control page, 256 KiB of data */
#define PAYLOAD_MAXIMUM 4096u

struct subject {
    const char *name;
    /* Makes a ring in `memory` (RING_PAGES pages). */
    void (*setup)(void *memory);
    /* Sends one packet with `length` bytes of payload, not necessarily visible. False = full. */
    bool (*send)(const void *payload, uint32_t length);
    /* Makes what was sent visible; returns true if a doorbell is due. */
    bool (*publish)(void);
    /* Copies one packet with its header to `buffer`. False = empty. */
    bool (*receive)(void *buffer, uint32_t capacity);
    /* Gives the room of what was received back. */
    void (*release)(void);
};

extern const struct subject subject_machv;
extern const struct subject subject_dpdk;

#endif
