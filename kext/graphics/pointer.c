/* SPDX-License-Identifier: BSD-3-Clause */
/* The pointer as the host is told of it. */
#include "kext/graphics/pointer.h"

#include "kext/core/shared_memory.h"

/* One transparent pixel. Not all zero, as Linux has it. */
static const struct pointer_shape invisible = { 1, 1, 0, 0, { 0x01, 0x01, 0x01, 0x00 } };

int pointer_set_shape(struct pointer *pointer, const uint32_t *pixels, uint32_t width,
                      uint32_t height, uint32_t hot_x, uint32_t hot_y)
{
    struct pointer_shape *shape = &pointer->shape;
    uint32_t row = width * (uint32_t)sizeof *pixels;

    if (width == 0 || height == 0)
        return HV_ERROR_INVALID;
    if (width > SYNTHVID_POINTER_EDGE || height > SYNTHVID_POINTER_EDGE)
        return HV_ERROR_TOO_LARGE;
    shape->width = width;
    shape->height = height;
    shape->hot_x = hot_x < width ? hot_x : width - 1;
    shape->hot_y = hot_y < height ? hot_y : height - 1;
    for (uint32_t y = 0; y < height; y++)       /* in memory a pixel is B, G, R, A already */
        memcpy(shape->pixels + (height - 1 - y) * row, pixels + (uint64_t)y * width, row);
    pointer->has_shape = true;
    return 0;
}

bool pointer_move(struct pointer *pointer, int32_t x, int32_t y, bool visible)
{
    bool changed = visible != pointer->is_visible;

    pointer->x = x;
    pointer->y = y;
    pointer->is_visible = visible;
    return changed;
}

const struct pointer_shape *pointer_shape(const struct pointer *pointer)
{
    return pointer->has_shape && pointer->is_visible ? &pointer->shape : &invisible;
}

bool pointer_part(const struct pointer_shape *shape, uint32_t index, uint8_t *number,
                  const uint8_t **bytes, uint32_t *length)
{
    uint32_t size = shape->width * shape->height * 4;
    uint32_t start = index * SYNTHVID_POINTER_BYTES;

    if (start >= size)
        return false;
    *bytes = shape->pixels + start;
    *length = size - start < SYNTHVID_POINTER_BYTES ? size - start : SYNTHVID_POINTER_BYTES;
    *number = start + *length == size ? SYNTHVID_POINTER_COMPLETE : (uint8_t)index;
    return true;
}
