/* SPDX-License-Identifier: BSD-3-Clause */
/* One EDID block: header, maker, a digital display of 8 bits, one timing, the monitor's name. */
#include "host/devices/video_edid.h"

#include <string.h>

enum {
    MAKER = 8, PRODUCT = 10, YEAR = 17, VERSION = 18, INPUT = 20, GAMMA = 23, FEATURES = 24,
    STANDARD_TIMINGS = 38, STANDARD_TIMINGS_BYTES = 16, TIMING = 54, NAME = 72, LIMITS = 90,
    DUMMY = 108, CHECKSUM = 127,
    TEXT_BYTES = 13,
    BLANK_X = 160, BLANK_Y = 30, FRONT_X = 48, SYNC_X = 32, FRONT_Y = 3, SYNC_Y = 5, /* CVT */
    REFRESH = 60,
};

static const uint8_t header[8] = {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};
static const uint8_t maker_and_product[4] = {0x36, 0x68, 0x2e, 0x06};

static void put_timing(uint8_t *to, uint32_t width, uint32_t height)
{
    const uint32_t clock = /* units of 10 kHz */
        (uint32_t)((uint64_t)(width + BLANK_X) * (height + BLANK_Y) * REFRESH / 10000);
    to[0] = (uint8_t)clock;
    to[1] = (uint8_t)(clock >> 8);
    to[2] = (uint8_t)width;
    to[3] = BLANK_X;
    to[4] = (uint8_t)(width >> 8 << 4);
    to[5] = (uint8_t)height;
    to[6] = BLANK_Y;
    to[7] = (uint8_t)(height >> 8 << 4);
    to[8] = FRONT_X;
    to[9] = SYNC_X;
    to[10] = FRONT_Y << 4 | SYNC_Y;
    to[17] = 0x1e; /* digital separate synchronisation, both positive */
}

/* A descriptor that is no timing: three zeros, its tag, a zero, then text. */
static void put_text(uint8_t *to, uint8_t tag, const char *text)
{
    to[3] = tag;
    memset(to + 5, ' ', TEXT_BYTES);
    const size_t length = strlen(text);
    memcpy(to + 5, text, length);
    if (length < TEXT_BYTES) {
        to[5 + length] = '\n';
    }
}

void video_edid_make(uint8_t edid[SYNTHVID_EDID_SIZE], uint32_t width, uint32_t height)
{
    uint8_t sum = 0;
    memset(edid, 0, SYNTHVID_EDID_SIZE);
    memcpy(edid, header, sizeof(header));
    memcpy(edid + MAKER, maker_and_product, sizeof(maker_and_product));
    edid[YEAR] = 2018 - 1990;
    edid[VERSION] = 1;
    edid[VERSION + 1] = 4;
    edid[INPUT] = 0xa0;    /* digital, 8 bits a colour */
    edid[GAMMA] = 120;     /* 2.2 */
    edid[FEATURES] = 0x06; /* sRGB; the first timing is the native one */
    memset(edid + STANDARD_TIMINGS, 1, STANDARD_TIMINGS_BYTES); /* none */
    put_timing(edid + TIMING, width, height);
    put_text(edid + NAME, 0xfc, "HyperVMonitor");
    edid[LIMITS + 3] = 0x10; /* unused */
    edid[DUMMY + 3] = 0x10;
    for (unsigned i = 0; i < CHECKSUM; i++) {
        sum = (uint8_t)(sum + edid[i]);
    }
    edid[CHECKSUM] = (uint8_t)-sum;
}
