/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds what has changed on the screen. No I/O Kit in here; calls are serialised by the caller.
 *
 * macOS draws into the frame buffer and tells nobody: IOFramebuffer has no damage events, and
 * page-table dirty bits of device memory are out of a driver's reach. So pixels are read: each line
 * in pieces of 1 KiB, of each of which a 64-bit digest (a mark) is kept. Comparing with a copy of
 * the screen would read twice as much memory and need 128 times as much.
 *
 * A look reads all of the screen. A glance reads one line of every sixteen, another one each time:
 * for screens that have been quiet for a while. Anything sixteen lines high shows in the first
 * glance, a single line within sixteen of them. */
#ifndef KEXT_GRAPHICS_SCREEN_SCAN_H
#define KEXT_GRAPHICS_SCREEN_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/synthvid.h"

#define SCAN_PIECE_BYTES 1024u
#define SCAN_BAND_LINES  16u            /* rectangles begin and end at multiples of this */
#define SCAN_PIECES_MAXIMUM 64u         /* in a line: up to 16384 pixels of 32 bits */

struct screen_geometry {
    uint32_t width, height;             /* pixels */
    uint32_t pitch;                     /* bytes */
    uint32_t bytes_per_pixel;
};

struct screen_scan {
    struct screen_geometry geometry;
    uint32_t pieces;                    /* in a line */
    uint64_t *marks;                    /* the caller's: pieces * height */
    bool is_new;                        /* the marks say nothing yet */
    uint32_t line;                      /* of a band: what the next glance reads */
    uint64_t bytes_read;                /* of the screen, so far */
};

/* Number of marks that a screen needs; 0: it is wider than SCAN_PIECES_MAXIMUM pieces, or empty. */
size_t screen_scan_mark_count(const struct screen_geometry *geometry);

/* Begins with another screen; `marks` is kept by reference. The next look reports all of it. */
void screen_scan_begin(struct screen_scan *scan, const struct screen_geometry *geometry,
                       uint64_t *marks);

/* What was reported did not get through: the next look reports all of the screen. */
void screen_scan_forget(struct screen_scan *scan);

/* Reads the screen and writes what has changed since the last look: at most `maximum` (1 or more)
 * rectangles, together no less than the changes. Returns their number. */
uint32_t screen_scan_look(struct screen_scan *scan, const uint8_t *pixels,
                          struct synthvid_rectangle *rectangles, uint32_t maximum);

/* Reads a sixteenth of the screen. True: something has changed, look. */
bool screen_scan_glance(struct screen_scan *scan, const uint8_t *pixels);

#endif
