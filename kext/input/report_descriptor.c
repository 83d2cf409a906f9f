/* SPDX-License-Identifier: BSD-3-Clause */
/* HID report descriptors. */
#include "kext/input/report_descriptor.h"

#include "kext/core/errors.h"

/* Tag and type of a short item, without the size in its low two bits. */
#define ITEM_INPUT          0x80u
#define ITEM_COLLECTION     0xA0u
#define ITEM_END_COLLECTION 0xC0u
#define ITEM_REPORT_SIZE    0x74u
#define ITEM_REPORT_ID      0x84u
#define ITEM_REPORT_COUNT   0x94u
#define ITEM_PUSH           0xA4u
#define ITEM_POP            0xB4u
#define ITEM_LONG           0xFEu       /* the whole first byte */

#define COLLECTIONS_DEEP    16u
#define FIELD_BITS          32u         /* of one value */
#define REPORT_BITS         (64u * 8u)

struct walk {
    uint32_t report_size, report_count;
    uint32_t depth, bits, longest;
    bool has_ids, has_collection;
};

static int input(struct walk *walk)
{
    if (walk->depth == 0 || walk->report_size == 0 || walk->report_size > FIELD_BITS ||
        walk->report_count == 0 || walk->report_count > REPORT_BITS)
        return HV_ERROR_MALFORMED;
    walk->bits += walk->report_size * walk->report_count;
    if (walk->bits > walk->longest)
        walk->longest = walk->bits;
    return walk->bits <= REPORT_BITS ? 0 : HV_ERROR_MALFORMED;
}

static int item(struct walk *walk, uint32_t tag, uint32_t value)
{
    switch (tag) {
    case ITEM_INPUT:
        return input(walk);
    case ITEM_COLLECTION:
        walk->has_collection = true;
        return ++walk->depth <= COLLECTIONS_DEEP ? 0 : HV_ERROR_MALFORMED;
    case ITEM_END_COLLECTION:
        return walk->depth-- > 0 ? 0 : HV_ERROR_MALFORMED;
    case ITEM_REPORT_SIZE:
        walk->report_size = value;
        return 0;
    case ITEM_REPORT_COUNT:
        walk->report_count = value;
        return 0;
    case ITEM_REPORT_ID:
        walk->has_ids = true;
        walk->bits = 0;
        return value > 0 && value < 256 ? 0 : HV_ERROR_MALFORMED;
    case ITEM_PUSH:
    case ITEM_POP:
        return HV_ERROR_MALFORMED;      /* no mouse does that */
    default:
        return 0;
    }
}

int report_descriptor_check(const uint8_t *bytes, uint32_t length, struct report_shape *shape)
{
    struct walk walk = { 0 };
    uint32_t at = 0;

    while (at < length) {
        uint32_t head = bytes[at++], size = head & 3, value = 0, i;

        if (head == ITEM_LONG)
            return HV_ERROR_MALFORMED;  /* reserved since 1.0 */
        if (size == 3)
            size = 4;
        if (size > length - at)
            return HV_ERROR_MALFORMED;
        for (i = 0; i < size; i++)
            value |= (uint32_t)bytes[at + i] << (8 * i);
        at += size;
        if (item(&walk, head & ~3u, value) != 0)
            return HV_ERROR_MALFORMED;
    }
    if (walk.depth != 0 || !walk.has_collection || walk.longest == 0)
        return HV_ERROR_MALFORMED;
    shape->has_report_ids = walk.has_ids;
    shape->input_bytes = (walk.longest + 7) / 8 + (walk.has_ids ? 1 : 0);
    return 0;
}

void report_descriptor_mend(uint8_t *bytes, uint32_t length)
{
    static const uint8_t broken[] = { 0x05, 0x09, 0x19, 0x01, 0x25, 0x05 }; /* from byte 10 on */
    uint32_t i;

    if (length < 10 + sizeof broken)
        return;
    for (i = 0; i < sizeof broken; i++)
        if (bytes[10 + i] != broken[i])
            return;
    bytes[14] = 0x29;
}
