/* SPDX-License-Identifier: BSD-3-Clause */
/* A ring in ordinary memory with both engines on it, for the tests of rings and channels. */
#ifndef TESTS_UNIT_KEXT_CORE_RINGS_H
#define TESTS_UNIT_KEXT_CORE_RINGS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "kext/core/errors.h"
#include "kext/core/ring_receive.h"
#include "kext/core/ring_transmit.h"

/* Memory of `pages` pages, filled with old rubbish that must not be seen again. */
static inline void *ring_memory(uint32_t pages)
{
    void *memory = aligned_alloc(4096, (size_t)pages * 4096);

    assert_non_null(memory);
    memset(memory, 0xA5, (size_t)pages * 4096);
    return memory;
}

/* Appends an in-band packet of `length` bytes that all have the value `fill`. */
static inline int ring_append_fill(struct ring_transmit *ring, uint32_t length, uint8_t fill)
{
    uint8_t bytes[8192];
    const struct ring_packet packet = { .type = VMBUS_PACKET_IN_BAND, .transaction_id = fill };
    const struct ring_piece piece = { bytes, length };

    assert_true(length <= sizeof bytes);
    memset(bytes, fill, length);
    return ring_transmit_append(ring, &packet, &piece, 1);
}

#endif
