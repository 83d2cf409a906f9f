/* SPDX-License-Identifier: BSD-3-Clause */
/* The little that is wanted of a display's EDID. Source: VESA E-EDID 1.4, section 3. */
#ifndef KEXT_GRAPHICS_EDID_H
#define KEXT_GRAPHICS_EDID_H

#include <stdbool.h>
#include <stdint.h>

#define EDID_SIZE 128u

/* Size in pixels that the display prefers: its first detailed timing. False: `edid` is damaged
 * (header, checksum) or has no such timing. */
bool edid_preferred_size(const uint8_t edid[EDID_SIZE], uint32_t *width, uint32_t *height);

#endif
