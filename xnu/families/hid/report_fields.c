/* SPDX-License-Identifier: BSD-3-Clause */
/* report_fields.c - HID report descriptors; they come from devices, so every step is checked. */
#include "xnu/families/hid/report_fields.h"

enum {
    TAG_INPUT = 0x80,
    TAG_COLLECTION = 0xa0,
    TAG_END_COLLECTION = 0xc0,
    TAG_USAGE_PAGE = 0x04,
    TAG_LOGICAL_MINIMUM = 0x14,
    TAG_LOGICAL_MAXIMUM = 0x24,
    TAG_REPORT_SIZE = 0x74,
    TAG_REPORT_ID = 0x84,
    TAG_REPORT_COUNT = 0x94,
    TAG_PUSH = 0xa4,
    TAG_POP = 0xb4,
    TAG_USAGE = 0x08,
    TAG_USAGE_MINIMUM = 0x18,
    TAG_USAGE_MAXIMUM = 0x28,
    LONG_ITEM = 0xfe,
};

enum { INPUT_CONSTANT = 1, INPUT_VARIABLE = 2, INPUT_RELATIVE = 4 };
enum { USAGES_MAX = 32, REPORT_BITS_MAX = 65536, DEPTH_MAX = 32, APPLICATION = 1 };

struct reader {
    struct report_fields *fields;
    uint32_t page, size, count, id, depth;
    int32_t minimum, maximum;
    uint32_t usages[USAGES_MAX], usage_count, usage_minimum, usage_maximum;
    uint32_t bits[256]; /* used so far, by report id */
};

static void forget_usages(struct reader *reader)
{
    reader->usage_count = 0;
    reader->usage_minimum = reader->usage_maximum = 0;
}

/* The last usage stands for all that follow. */
static uint32_t usage_of(const struct reader *reader, uint32_t index)
{
    if (reader->usage_count > 0)
        return reader->usages[index < reader->usage_count ? index : reader->usage_count - 1];
    uint32_t usage = reader->usage_minimum + index;
    return usage <= reader->usage_maximum ? usage : reader->usage_maximum;
}

static bool add_field(struct reader *reader, uint32_t index, uint32_t flags)
{
    struct report_fields *fields = reader->fields;
    uint32_t usage = usage_of(reader, index);

    if (fields->count == REPORT_FIELDS_MAX)
        return false;
    fields->fields[fields->count++] = (struct report_field){
        .page = (uint16_t)(usage >> 16 ? usage >> 16 : reader->page),
        .usage = (uint16_t)usage,
        .report_id = (uint8_t)reader->id,
        .is_relative = (flags & INPUT_RELATIVE) != 0,
        .bit = reader->bits[reader->id],
        .bits = reader->size,
        .minimum = reader->minimum,
        .maximum = reader->maximum,
    };
    return true;
}

static bool read_input(struct reader *reader, uint32_t flags)
{
    if (reader->depth == 0 || reader->size == 0 || reader->size > REPORT_BITS_MAX ||
        reader->count > REPORT_BITS_MAX)
        return false;
    bool gives_values = (flags & INPUT_VARIABLE) && !(flags & INPUT_CONSTANT) && reader->size <= 32;

    for (uint32_t i = 0; i < reader->count; i++) {
        if (gives_values && !add_field(reader, i, flags))
            return false;
        reader->bits[reader->id] += reader->size;
        if (reader->bits[reader->id] > REPORT_BITS_MAX)
            return false;
    }
    forget_usages(reader);
    return true;
}

static bool read_collection(struct reader *reader, uint32_t kind)
{
    struct report_fields *fields = reader->fields;

    if (kind == APPLICATION && fields->primary_page == 0) {
        uint32_t usage = usage_of(reader, 0);

        fields->primary_page = (uint16_t)(usage >> 16 ? usage >> 16 : reader->page);
        fields->primary_usage = (uint16_t)usage;
    }
    forget_usages(reader);
    return ++reader->depth <= DEPTH_MAX;
}

static int32_t sign_extend(uint32_t value, uint32_t size)
{
    return size == 1 ? (int8_t)value : size == 2 ? (int16_t)value : (int32_t)value;
}

static bool read_item(struct reader *reader, uint32_t tag, uint32_t value, uint32_t size)
{
    switch (tag) {
    case TAG_INPUT: return read_input(reader, value);
    case TAG_COLLECTION: return read_collection(reader, value);
    case TAG_END_COLLECTION: return reader->depth-- > 0;
    case TAG_USAGE_PAGE: reader->page = value; return value <= 0xffff;
    case TAG_LOGICAL_MINIMUM: reader->minimum = sign_extend(value, size); return true;
    case TAG_LOGICAL_MAXIMUM:
        /* Written unsigned by many devices whose minimum is not negative. */
        reader->maximum = reader->minimum < 0 ? sign_extend(value, size) : (int32_t)value;
        return true;
    case TAG_REPORT_SIZE: reader->size = value; return true;
    case TAG_REPORT_COUNT: reader->count = value; return true;
    case TAG_REPORT_ID:
        reader->id = value & 0xff;
        reader->fields->has_ids = true;
        return value > 0 && value < 256;
    case TAG_USAGE:
        if (reader->usage_count == USAGES_MAX)
            return false;
        reader->usages[reader->usage_count++] = value;
        return true;
    case TAG_USAGE_MINIMUM: reader->usage_minimum = value; return true;
    case TAG_USAGE_MAXIMUM: reader->usage_maximum = value; return true;
    case TAG_PUSH:
    case TAG_POP: return false;
    default: return true;
    }
}

bool report_fields_read(struct report_fields *fields, const uint8_t *bytes, uint32_t length)
{
    struct reader reader = { .fields = fields };
    uint32_t at = 0;

    *fields = (struct report_fields){ 0 };
    while (at < length) {
        uint32_t head = bytes[at++], size = (head & 3) == 3 ? 4 : head & 3, value = 0;

        if (head == LONG_ITEM || size > length - at)
            return false;
        for (uint32_t i = 0; i < size; i++)
            value |= (uint32_t)bytes[at++] << (8 * i);
        if (!read_item(&reader, head & ~3u, value, size))
            return false;
    }
    return length > 0 && reader.depth == 0 && fields->primary_page != 0;
}

bool report_field_value(const struct report_fields *fields, const struct report_field *field,
                        const uint8_t *report, uint32_t length, int32_t *value)
{
    uint64_t bits = 0;

    if (fields->has_ids) {
        if (length == 0 || report[0] != field->report_id)
            return false;
        report++;
        length--;
    }
    if (field->bit + field->bits > 8 * length)
        return false;
    uint32_t first = field->bit / 8, last = (field->bit + field->bits - 1) / 8;
    for (uint32_t i = first; i <= last; i++)
        bits |= (uint64_t)report[i] << (8 * (i - first));
    bits = bits >> (field->bit % 8) & ((UINT64_C(1) << field->bits) - 1);
    if (field->minimum < 0 && bits >> (field->bits - 1))
        bits |= ~UINT64_C(0) << field->bits;
    *value = (int32_t)(int64_t)bits;
    return true;
}
