/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds what has changed on the screen. */
#include "kext/graphics/screen_scan.h"

#include "kext/core/shared_memory.h"

enum { LANES = 4, LANE_BYTES = 8 };

/* ---- digests --------------------------------------------------------------------------------- */

/* A multiplication carries each bit upwards, the shift brings the upper half down again: no
 * difference stays in one place, where another one could undo it. */
static inline uint64_t stir(uint64_t lane, uint64_t word)
{
    lane = (lane ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return lane ^ lane >> 32;
}

static inline uint64_t load(const uint8_t *bytes)
{
    uint64_t word;

    __builtin_memcpy(&word, bytes, sizeof word);
    return word;
}

/* Four lanes that do not wait for each other. The order of words counts in each. */
static uint64_t digest(const uint8_t *bytes, uint32_t size)
{
    uint64_t lanes[LANES] = { 1, 2, 3, 4 };
    uint64_t rest = 0;

    for (; size >= LANES * LANE_BYTES; size -= LANES * LANE_BYTES, bytes += LANES * LANE_BYTES)
        for (uint32_t i = 0; i < LANES; i++)
            lanes[i] = stir(lanes[i], load(bytes + i * LANE_BYTES));
    for (; size >= LANE_BYTES; size -= LANE_BYTES, bytes += LANE_BYTES)
        lanes[0] = stir(lanes[0], load(bytes));
    for (uint32_t i = 0; i < size; i++)
        rest |= (uint64_t)bytes[i] << 8 * i;
    return stir(stir(stir(stir(lanes[0], rest), lanes[1]), lanes[2]), lanes[3]);
}

/* ---- lines ----------------------------------------------------------------------------------- */

static uint32_t line_bytes(const struct screen_scan *scan)
{
    return scan->geometry.width * scan->geometry.bytes_per_pixel;
}

/* Marks a line anew and returns the pieces that differ from before, as bits. */
static uint64_t mark_line(struct screen_scan *scan, const uint8_t *pixels, uint32_t line)
{
    const uint8_t *bytes = pixels + (size_t)line * scan->geometry.pitch;
    uint64_t *marks = scan->marks + (size_t)line * scan->pieces;
    uint32_t left = line_bytes(scan);
    uint64_t changed = 0;

    scan->bytes_read += left;
    for (uint32_t i = 0; i < scan->pieces; i++) {
        uint32_t size = left < SCAN_PIECE_BYTES ? left : SCAN_PIECE_BYTES;
        uint64_t mark = digest(bytes, size);

        if (mark != marks[i])
            changed |= UINT64_C(1) << i;
        marks[i] = mark;
        bytes += size;
        left -= size;
    }
    return changed;
}

size_t screen_scan_mark_count(const struct screen_geometry *geometry)
{
    uint64_t bytes = (uint64_t)geometry->width * geometry->bytes_per_pixel;
    uint64_t pieces = (bytes + SCAN_PIECE_BYTES - 1) / SCAN_PIECE_BYTES;

    return pieces > SCAN_PIECES_MAXIMUM ? 0 : (size_t)pieces * geometry->height;
}

void screen_scan_begin(struct screen_scan *scan, const struct screen_geometry *geometry,
                       uint64_t *marks)
{
    scan->geometry = *geometry;
    scan->pieces = (line_bytes(scan) + SCAN_PIECE_BYTES - 1) / SCAN_PIECE_BYTES;
    scan->marks = marks;
    scan->is_new = true;
    scan->line = 0;
}

void screen_scan_forget(struct screen_scan *scan)
{
    scan->is_new = true;
}

/* ---- rectangles ------------------------------------------------------------------------------ */

struct report {
    struct synthvid_rectangle *rectangles;
    uint32_t count, maximum;
    uint32_t open;                      /* those from here on reach down to the band above */
};

static void widen(struct synthvid_rectangle *box, const struct synthvid_rectangle *by)
{
    box->left = by->left < box->left ? by->left : box->left;
    box->top = by->top < box->top ? by->top : box->top;
    box->right = by->right > box->right ? by->right : box->right;
    box->bottom = by->bottom > box->bottom ? by->bottom : box->bottom;
}

/* There is no room for more: one box around everything takes the place of all. */
static void merge_all(struct report *report)
{
    for (uint32_t i = 1; i < report->count; i++)
        widen(&report->rectangles[0], &report->rectangles[i]);
    report->count = 1;
    report->open = 0;
}

/* Adds a piece of a band: to the rectangle right above it, or as a new one. */
static void add_part(struct report *report, const struct synthvid_rectangle *part)
{
    for (uint32_t i = report->open; i < report->count; i++) {
        struct synthvid_rectangle *above = &report->rectangles[i];

        if (above->left == part->left && above->right == part->right &&
            above->bottom == part->top) {
            above->bottom = part->bottom;
            return;
        }
    }
    if (report->count == report->maximum)
        merge_all(report);
    if (report->count == report->maximum)
        widen(&report->rectangles[0], part);
    else
        report->rectangles[report->count++] = *part;
}

/* Adds each run of changed pieces of the band [top, bottom). */
static void add_band(const struct screen_scan *scan, struct report *report, uint64_t changed,
                     uint32_t top, uint32_t bottom)
{
    uint32_t pixels = SCAN_PIECE_BYTES / scan->geometry.bytes_per_pixel;

    while (changed != 0) {
        uint32_t first = (uint32_t)__builtin_ctzll(changed), next = first;
        struct synthvid_rectangle part;

        while (next < scan->pieces && (changed >> next & 1) != 0)
            changed &= ~(UINT64_C(1) << next++);
        part.left = (int32_t)(first * pixels);
        part.top = (int32_t)top;
        part.right = (int32_t)(next * pixels < scan->geometry.width ? next * pixels
                                                                     : scan->geometry.width);
        part.bottom = (int32_t)bottom;
        add_part(report, &part);
    }
}

/* Rectangles that the last band did not lengthen will not be lengthened any more. */
static void close_rectangles(struct report *report, uint32_t bottom)
{
    while (report->open < report->count &&
           (uint32_t)report->rectangles[report->open].bottom < bottom)
        report->open++;
}

uint32_t screen_scan_look(struct screen_scan *scan, const uint8_t *pixels,
                          struct synthvid_rectangle *rectangles, uint32_t maximum)
{
    struct report report = { rectangles, 0, maximum, 0 };
    const uint64_t all = scan->pieces == 64 ? UINT64_MAX : (UINT64_C(1) << scan->pieces) - 1;

    for (uint32_t top = 0; top < scan->geometry.height; top += SCAN_BAND_LINES) {
        uint32_t bottom = top + SCAN_BAND_LINES < scan->geometry.height ? top + SCAN_BAND_LINES
                                                                        : scan->geometry.height;
        uint64_t changed = 0;

        for (uint32_t line = top; line < bottom; line++)
            changed |= mark_line(scan, pixels, line);
        add_band(scan, &report, scan->is_new ? all : changed, top, bottom);
        close_rectangles(&report, bottom);
    }
    scan->is_new = false;
    return report.count;
}

bool screen_scan_glance(struct screen_scan *scan, const uint8_t *pixels)
{
    bool changed = scan->is_new;

    /* Marks stay as they are, so that the look that follows finds the same change. */
    for (uint32_t line = scan->line; line < scan->geometry.height; line += SCAN_BAND_LINES) {
        const uint64_t *marks = scan->marks + (size_t)line * scan->pieces;
        const uint8_t *bytes = pixels + (size_t)line * scan->geometry.pitch;
        uint32_t left = line_bytes(scan);

        scan->bytes_read += left;
        for (uint32_t i = 0; i < scan->pieces; i++) {
            uint32_t size = left < SCAN_PIECE_BYTES ? left : SCAN_PIECE_BYTES;

            changed |= digest(bytes, size) != marks[i];
            bytes += size;
            left -= size;
        }
    }
    scan->line = (scan->line + 1) % SCAN_BAND_LINES;
    return changed;
}
