/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers as networks and SCSI have them: big endian, at any address. Whoever calls has checked
 * that they are inside what he has. */
#ifndef PROTOCOL_BIG_ENDIAN_H
#define PROTOCOL_BIG_ENDIAN_H

#include <stdint.h>

static inline uint16_t be16_get(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t be24_get(const uint8_t *at)
{
    return (uint32_t)be16_get(at) << 8 | at[2];
}

static inline uint32_t be32_get(const uint8_t *at)
{
    return (uint32_t)be16_get(at) << 16 | be16_get(at + 2);
}

static inline uint64_t be64_get(const uint8_t *at)
{
    return (uint64_t)be32_get(at) << 32 | be32_get(at + 4);
}

static inline void be16_put(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* The lower 24 bits. */
static inline void be24_put(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 16);
    be16_put(at + 1, (uint16_t)value);
}

static inline void be32_put(uint8_t *at, uint32_t value)
{
    be16_put(at, (uint16_t)(value >> 16));
    be16_put(at + 2, (uint16_t)value);
}

static inline void be64_put(uint8_t *at, uint64_t value)
{
    be32_put(at, (uint32_t)(value >> 32));
    be32_put(at + 4, (uint32_t)value);
}

#endif
