/* SPDX-License-Identifier: BSD-3-Clause */
/* The EDID of the simulated monitor. */
#ifndef HOST_DEVICES_VIDEO_EDID_H
#define HOST_DEVICES_VIDEO_EDID_H

#include <stdint.h>

#include "protocol/synthvid.h"

/* An EDID 1.4 block whose preferred timing is width x height (1 .. 4095 each) at 60 Hz. Facts:
 * OpenVMM's monitor (maker and product words, name); VESA E-EDID 1.4 for the layout. */
void video_edid_make(uint8_t edid[SYNTHVID_EDID_SIZE], uint32_t width, uint32_t height);

#endif
