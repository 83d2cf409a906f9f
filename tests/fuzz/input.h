/* SPDX-License-Identifier: BSD-3-Clause */
/* A fuzzer's input, which a target takes piece by piece; zeros once it is used up. */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

struct fuzz_input {
    const uint8_t *data;
    size_t size;
};

static inline uint8_t next_byte(struct fuzz_input *input)
{
    if (input->size == 0) {
        return 0;
    }
    input->size--;
    return *input->data++;
}

static inline void next_bytes(struct fuzz_input *input, void *to, size_t count)
{
    uint8_t *bytes = to;
    for (size_t i = 0; i < count; i++) {
        bytes[i] = next_byte(input);
    }
}

/* Little-endian. */
static inline uint32_t next_word(struct fuzz_input *input)
{
    uint32_t word = 0;
    for (unsigned i = 0; i < 4; i++) {
        word |= (uint32_t)next_byte(input) << 8 * i;
    }
    return word;
}

#endif
