/* SPDX-License-Identifier: BSD-3-Clause */
/* The pointer as the host is told of it: its shape in messages, where it is, whether it is to be
 * seen. No I/O Kit in here; calls are serialised by the caller. */
#ifndef KEXT_GRAPHICS_POINTER_H
#define KEXT_GRAPHICS_POINTER_H

#include <stdbool.h>
#include <stdint.h>

#include "kext/core/errors.h"
#include "protocol/synthvid.h"

struct pointer_shape {
    uint32_t width, height;             /* pixels, 1 to SYNTHVID_POINTER_EDGE */
    uint32_t hot_x, hot_y;              /* within the shape */
    uint8_t pixels[SYNTHVID_POINTER_EDGE * SYNTHVID_POINTER_EDGE * 4];  /* as the host has them */
};

struct pointer {
    struct pointer_shape shape;
    bool has_shape;
    bool is_visible;
    int32_t x, y;                       /* of the hot spot, pixels */
};

/* Takes a picture of `width` x `height` pixels 0xAARRGGBB, not premultiplied, rows from the top.
 * A hot spot outside is moved to the edge. HV_ERROR_INVALID: empty; HV_ERROR_TOO_LARGE: larger
 * than hosts take. */
int pointer_set_shape(struct pointer *pointer, const uint32_t *pixels, uint32_t width,
                      uint32_t height, uint32_t hot_x, uint32_t hot_y);

/* Returns true if the shape has to be sent again: a pointer that is hidden has an invisible shape,
 * because hosts do not take "not visible" at its word. */
bool pointer_move(struct pointer *pointer, int32_t x, int32_t y, bool visible);

/* What is to be sent now: the shape, or an invisible one. */
const struct pointer_shape *pointer_shape(const struct pointer *pointer);

/* Part `index` (from 0) of the picture, for one message: its number on the wire, and its bytes
 * within the shape. False: there is no such part. */
bool pointer_part(const struct pointer_shape *shape, uint32_t index, uint8_t *number,
                  const uint8_t **bytes, uint32_t *length);

#endif
