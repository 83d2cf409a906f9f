/* SPDX-License-Identifier: BSD-3-Clause */
/* Fuzz target: messages of a hostile host to the mouse's engine, each two length bytes and as many
 * bytes; a first byte's bit 0 says whether the host has approved already. A descriptor that the
 * engine accepts must be one that the user-space kernel reads too, and reports must be inside their
 * message. */
#include <stdlib.h>
#include <string.h>

#include "kext/input/mouse.h"
#include "xnu/families/hid/report_fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_report(const struct mouse *mouse, const struct mouse_result *result)
{
    static struct report_fields fields;
    int32_t value;

    if (!report_fields_read(&fields, mouse->descriptor, mouse->descriptor_length))
        return;                         /* that reader knows limits of its own */
    for (uint32_t i = 0; i < fields.count; i++)
        if (!report_field_value(&fields, &fields.fields[i], result->report, result->report_length,
                                &value) &&
            !fields.has_ids)
            abort(); /* the engine let a report through that is too short */
}

static void receive(struct mouse *mouse, const uint8_t *data, uint32_t length)
{
    uint8_t *copy = malloc(length ? length : 1);        /* so that reading beyond it shows */
    struct mouse_result result;

    memcpy(copy, data, length);
    if (mouse_receive(mouse, copy, length, &result) != 0 && result.action != MOUSE_NOTHING)
        abort();
    if (result.action == MOUSE_REPORT) {
        if (mouse->state != MOUSE_READY || result.report < copy ||
            result.report + result.report_length > copy + length)
            abort();
        read_report(mouse, &result);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mouse_request_packet request;
    struct mouse mouse;

    if (size == 0)
        return 0;
    mouse_begin(&mouse, &request);
    if (data[0] & 1)
        mouse.state = MOUSE_APPROVED;
    for (data++, size--; size >= 2;) {
        uint32_t length = (uint32_t)data[0] | (uint32_t)(data[1] & 3) << 8;

        data += 2;
        size -= 2;
        if (length > size)
            length = (uint32_t)size;
        receive(&mouse, data, length);
        data += length;
        size -= length;
    }
    return 0;
}
