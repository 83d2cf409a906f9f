/* SPDX-License-Identifier: BSD-3-Clause */
/* The synthetic mouse's engine. */
#include "kext/input/mouse.h"

#include "kext/core/shared_memory.h"

static struct vmbus_pipe_header pipe_header(uint32_t length)
{
    struct vmbus_pipe_header header;

    header.type = VMBUS_PIPE_DATA;
    header.length = length;
    return header;
}

void mouse_begin(struct mouse *mouse, struct mouse_request_packet *packet)
{
    memset(mouse, 0, sizeof *mouse);
    packet->pipe = pipe_header(sizeof packet->request);
    packet->request.header.type = MOUSE_PROTOCOL_REQUEST;
    packet->request.header.size = sizeof packet->request.version;
    packet->request.version = MOUSE_VERSION_2_0;
}

void mouse_make_ack(struct mouse_ack_packet *packet)
{
    packet->pipe = pipe_header(sizeof packet->ack);
    packet->ack.header.type = MOUSE_DEVICE_INFO_ACK;
    packet->ack.header.size = sizeof packet->ack.reserved;
    packet->ack.reserved = 0;
}

static int handle_response(struct mouse *mouse, const uint8_t *message, uint32_t length)
{
    struct mouse_protocol_response response;

    if (length < sizeof response || mouse->state != MOUSE_ASKED)
        return HV_ERROR_MALFORMED;
    memcpy(&response, message, sizeof response);
    mouse->state = response.approved ? MOUSE_APPROVED : MOUSE_REFUSED;
    return response.approved ? 0 : HV_ERROR_REFUSED;
}

/* The system got its descriptor once and keeps it: what comes later cannot change the device. */
static int handle_device_info(struct mouse *mouse, const uint8_t *message, uint32_t length,
                              struct mouse_result *result)
{
    struct mouse_device_info info;

    if (length < sizeof info)
        return HV_ERROR_MALFORMED;
    if (mouse->state == MOUSE_READY) {
        result->action = MOUSE_ACK;
        return 0;
    }
    if (mouse->state != MOUSE_APPROVED)
        return HV_ERROR_MALFORMED;
    memcpy(&info, message, sizeof info);
    mouse->state = MOUSE_REFUSED;
    if (info.hid.report_descriptor_length > length - sizeof info ||
        info.hid.report_descriptor_length > sizeof mouse->descriptor)
        return HV_ERROR_REFUSED;
    mouse->descriptor_length = info.hid.report_descriptor_length;
    memcpy(mouse->descriptor, message + sizeof info, mouse->descriptor_length);
    report_descriptor_mend(mouse->descriptor, mouse->descriptor_length);
    if (report_descriptor_check(mouse->descriptor, mouse->descriptor_length, &mouse->shape) != 0 ||
        mouse->shape.input_bytes > MOUSE_REPORT_MAXIMUM)
        return HV_ERROR_REFUSED;
    mouse->vendor = info.attributes.vendor;
    mouse->product = info.attributes.product;
    mouse->version = info.attributes.version;
    mouse->country = info.hid.country;
    mouse->state = MOUSE_READY;
    result->action = MOUSE_DESCRIBED;
    return 0;
}

static int handle_report(struct mouse *mouse, const uint8_t *message, uint32_t length,
                         struct mouse_result *result)
{
    uint32_t size = length - (uint32_t)sizeof(struct mouse_message_header);

    if (mouse->state != MOUSE_READY)
        return HV_ERROR_MALFORMED;
    if (size == 0 || size > MOUSE_REPORT_MAXIMUM ||
        (!mouse->shape.has_report_ids && size < mouse->shape.input_bytes)) {
        mouse->counters.short_reports++;
        return 0;
    }
    mouse->counters.reports++;
    result->action = MOUSE_REPORT;
    result->report = message + sizeof(struct mouse_message_header);
    result->report_length = size;
    return 0;
}

static int handle(struct mouse *mouse, const uint8_t *message, uint32_t length,
                  struct mouse_result *result)
{
    struct mouse_message_header header;

    if (length < sizeof header)
        return HV_ERROR_MALFORMED;
    memcpy(&header, message, sizeof header);
    switch (header.type) {
    case MOUSE_PROTOCOL_RESPONSE:
        return handle_response(mouse, message, length);
    case MOUSE_INITIAL_DEVICE_INFO:
        return handle_device_info(mouse, message, length, result);
    case MOUSE_INPUT_REPORT:
        return handle_report(mouse, message, length, result);
    default:
        return HV_ERROR_MALFORMED;
    }
}

/* The header's own size is what peers disagree about; the pipe's length counts. */
int mouse_receive(struct mouse *mouse, const void *packet, uint32_t length,
                  struct mouse_result *result)
{
    struct vmbus_pipe_header pipe;
    int error = HV_ERROR_MALFORMED;

    *result = (struct mouse_result){ MOUSE_NOTHING, NULL, 0 };
    if (length >= sizeof pipe) {
        memcpy(&pipe, packet, sizeof pipe);
        if (pipe.type == VMBUS_PIPE_DATA && pipe.length <= length - sizeof pipe &&
            pipe.length <= MOUSE_MESSAGE_MAXIMUM)
            error = handle(mouse, (const uint8_t *)packet + sizeof pipe, pipe.length, result);
    }
    if (error == HV_ERROR_MALFORMED)
        mouse->counters.malformed++;
    return error;
}
