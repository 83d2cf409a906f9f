/* SPDX-License-Identifier: BSD-3-Clause */
/* Pointer shapes. Facts: Linux hyperv_drm, OpenVMM uidevices. */
#include "host/devices/video_pointer.h"

#include <errno.h>
#include <string.h>

enum { OPAQUE = 0xff, FAINT = 8 }; /* alpha; what is below FAINT nobody sees */

static bool is_shape(const struct video_pointer_head *head)
{
    return head->width > 0 && head->height > 0 && head->width <= SYNTHVID_POINTER_EDGE &&
           head->height <= SYNTHVID_POINTER_EDGE;
}

static bool is_same_shape(const struct video_pointer_head *a,
                          const struct video_pointer_head *b)
{
    return a->is_argb == b->is_argb && a->width == b->width && a->height == b->height;
}

static size_t mask_pitch(const struct video_pointer_head *head)
{
    return (head->width + 7) / 8;
}

static size_t bytes_of(const struct video_pointer_head *head)
{
    return head->is_argb ? (size_t)head->width * head->height * 4
                         : mask_pitch(head) * head->height * 2;
}

static bool bit_at(const uint8_t *mask, size_t pitch, uint32_t x, uint32_t y)
{
    return mask[y * pitch + x / 8] >> (7 - x % 8) & 1;
}

/* Rows come from the bottom. */
static void turn_over(const struct video_pointer_head *head, const uint8_t *rows, uint8_t *pixels)
{
    const size_t pitch = (size_t)head->width * 4;
    for (uint32_t y = 0; y < head->height; y++) {
        memcpy(pixels + y * pitch, rows + (head->height - 1 - y) * pitch, pitch);
    }
}

static void convert_masks(const struct video_pointer_head *head, const uint8_t *masks,
                          uint8_t *pixels)
{
    const size_t pitch = mask_pitch(head);
    const uint8_t *and_mask = masks, *xor_mask = masks + pitch * head->height;
    for (uint32_t y = head->height; y-- > 0;) {
        for (uint32_t x = 0; x < head->width; x++, pixels += 4) {
            const bool keeps = bit_at(and_mask, pitch, x, y);
            const bool flips = bit_at(xor_mask, pitch, x, y);
            memset(pixels, !keeps && flips ? 0xff : 0, 3);
            pixels[3] = keeps && !flips ? 0 : OPAQUE;
        }
    }
}

static void complete(struct video_pointer *pointer, const struct video_pointer_parts *parts)
{
    const struct video_pointer_head *head = &parts->head;
    pointer->width = head->width;
    pointer->height = head->height;
    pointer->hot_x = head->hot_x < head->width ? head->hot_x : head->width - 1;
    pointer->hot_y = head->hot_y < head->height ? head->hot_y : head->height - 1;
    if (head->is_argb) {
        turn_over(head, parts->bytes, pointer->pixels);
    } else {
        convert_masks(head, parts->bytes, pointer->pixels);
    }
}

/* Parts are numbered from 0; the last one, which may be the only one, has a number of its own. */
static bool is_due(const struct video_pointer_parts *parts, uint8_t part,
                   const struct video_pointer_head *head)
{
    return (parts->next == 0 || is_same_shape(&parts->head, head)) &&
           (part == SYNTHVID_POINTER_COMPLETE || part == parts->next);
}

static int take_part(struct video_pointer *pointer, struct video_pointer_parts *parts,
                     const struct video_pointer_head *head, bool is_last, const uint8_t *bytes,
                     size_t size)
{
    const size_t whole = bytes_of(head);
    if (parts->next == 0) {
        parts->head = *head;
    }
    const size_t left = whole - parts->size;
    if (is_last && size > left) {
        size = left; /* padding */
    }
    if (size > left || (is_last && size < left)) {
        return -EINVAL;
    }
    memcpy(parts->bytes + parts->size, bytes, size);
    parts->size += size;
    parts->next++;
    if (!is_last) {
        return 0;
    }
    complete(pointer, parts);
    return 1;
}

int video_pointer_take_shape(struct video_pointer *pointer, struct video_pointer_parts *parts,
                             const uint8_t *message, size_t size)
{
    struct synthvid_pointer_shape part;
    int result = -EINVAL;
    if (size >= sizeof(part) && size - sizeof(part) <= SYNTHVID_POINTER_BYTES) {
        memcpy(&part, message, sizeof(part));
        const struct video_pointer_head head = {part.is_argb != 0, part.width, part.height,
                                                part.hot_x, part.hot_y};
        if (part.part == 0) {
            parts->next = 0; /* a shape that begins anew */
            parts->size = 0;
        }
        if (is_shape(&head) && is_due(parts, part.part, &head)) {
            result = take_part(pointer, parts, &head, part.part == SYNTHVID_POINTER_COMPLETE,
                               message + sizeof(part), size - sizeof(part));
        }
    }
    if (result != 0) { /* it is complete, or broken */
        parts->next = 0;
        parts->size = 0;
    }
    return result;
}

bool video_pointer_is_blank(const struct video_pointer *pointer)
{
    for (size_t at = 0; at < (size_t)pointer->width * pointer->height; at++) {
        if (pointer->pixels[at * 4 + 3] >= FAINT) {
            return false;
        }
    }
    return true;
}
