/* SPDX-License-Identifier: BSD-3-Clause */
/* Random numbers of a simulation: xorshift64*, so that a seed gives the same run everywhere. */
#ifndef TESTS_SIM_SIM_RANDOM_H
#define TESTS_SIM_SIM_RANDOM_H

#include <stdint.h>

/* `state` must not be 0. */
static inline uint64_t sim_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static inline uint32_t sim_random_below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)((sim_random(state) >> 32) * limit >> 32);
}

#endif
