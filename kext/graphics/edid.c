/* SPDX-License-Identifier: BSD-3-Clause */
/* The little that is wanted of a display's EDID. */
#include "kext/graphics/edid.h"

/* The first of the descriptors of 18 bytes, and fields in it. */
#define TIMING              54u
#define TIMING_CLOCK        0u      /* 16 bits, 0: this is no timing */
#define TIMING_WIDTH        2u
#define TIMING_WIDTH_HIGH   4u      /* in the upper four bits */
#define TIMING_HEIGHT       5u
#define TIMING_HEIGHT_HIGH  7u

static bool is_sound(const uint8_t *edid)
{
    uint8_t sum = 0;

    for (uint32_t i = 0; i < EDID_SIZE; i++)
        sum = (uint8_t)(sum + edid[i]);
    for (uint32_t i = 0; i < 8; i++)
        if (edid[i] != (i == 0 || i == 7 ? 0x00 : 0xFF))
            return false;
    return sum == 0;
}

bool edid_preferred_size(const uint8_t edid[EDID_SIZE], uint32_t *width, uint32_t *height)
{
    const uint8_t *timing = edid + TIMING;

    if (!is_sound(edid) || (timing[TIMING_CLOCK] | timing[TIMING_CLOCK + 1]) == 0)
        return false;
    *width = timing[TIMING_WIDTH] | (uint32_t)(timing[TIMING_WIDTH_HIGH] & 0xF0) << 4;
    *height = timing[TIMING_HEIGHT] | (uint32_t)(timing[TIMING_HEIGHT_HIGH] & 0xF0) << 4;
    return *width != 0 && *height != 0;
}
