/* SPDX-License-Identifier: BSD-3-Clause */
/* Fuzz target: shapes of a hostile guest's pointer, each message two length bytes and as many
 * bytes, its pixels repeated up to the size that a third length asks for. Whatever counts as a
 * shape lies inside its limits, its hot spot inside of it; one that is refused leaves the old
 * one. */
#include <stdlib.h>
#include <string.h>

#include "host/devices/video_edid.h"
#include "host/devices/video_pointer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_MAX = SYNTHVID_POINTER_BYTES + sizeof(struct synthvid_pointer_shape) + 64 };

static void check_shape(const struct video_pointer *pointer)
{
    if (pointer->width > SYNTHVID_POINTER_EDGE || pointer->height > SYNTHVID_POINTER_EDGE ||
        (pointer->width != 0 &&
         (pointer->hot_x >= pointer->width || pointer->hot_y >= pointer->height))) {
        abort();
    }
    video_pointer_is_blank(pointer);
}

static void take(struct video_pointer *pointer, struct video_pointer_parts *parts,
                 const uint8_t *bytes, size_t size, size_t padded)
{
    static struct video_pointer before;
    uint8_t *message = malloc(size + padded + 1); /* so that reading beyond it shows */
    memcpy(message, bytes, size);
    for (size_t i = 0; i < padded; i++) {
        message[size + i] = size > 0 ? bytes[i % size] : 0;
    }
    before = *pointer;
    int result = video_pointer_take_shape(pointer, parts, message, size + padded);
    if (result != 1 && memcmp(&before, pointer, sizeof(before)) != 0) {
        abort();
    }
    check_shape(pointer);
    free(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct video_pointer pointer;
    static struct video_pointer_parts parts;
    uint8_t edid[SYNTHVID_EDID_SIZE], sum = 0;
    memset(&pointer, 0, sizeof(pointer));
    memset(&parts, 0, sizeof(parts));
    while (size >= 3) {
        const size_t padded = (size_t)(data[1] << 8 | data[2]) % MESSAGE_MAX;
        size_t length = data[0];
        data += 3;
        size -= 3;
        length = length < size ? length : size;
        take(&pointer, &parts, data, length, padded);
        data += length;
        size -= length;
    }
    video_edid_make(edid, pointer.width * 40 + 1, pointer.height * 40 + 1);
    for (unsigned i = 0; i < SYNTHVID_EDID_SIZE; i++) {
        sum = (uint8_t)(sum + edid[i]);
    }
    if (sum != 0) {
        abort();
    }
    return 0;
}
