/* SPDX-License-Identifier: BSD-3-Clause */
/* The synthetic mouse. Facts: Linux hid-hyperv, OpenVMM uidevices, USB HID 1.11. */
#include "host/devices/mouse.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "host/vmbus/device.h"
#include "protocol/vmbus_classes.h"

enum {
    WHEEL_MAX = 32767,
    RELEASES_KEPT = MOUSE_BUTTONS, /* places of the queue that only releases may take */
    VENDOR = 0x045e,
    PRODUCT = 0x0621,
};

/* Five buttons, absolute X and Y of 16 bits, a relative wheel of 16 bits: struct mouse_report. */
static const uint8_t descriptor_start[] = {
    0x05, 0x01,       /* usage page: generic desktop */
    0x09, 0x02,       /* usage: mouse */
    0xa1, 0x01,       /* collection: application */
    0x09, 0x01,       /*   usage: pointer */
    0xa1, 0x00,       /*   collection: physical */
    0x05, 0x09,       /*     usage page: button */
    0x19, 0x01,       /*     usage minimum 1 */
    0x29, 0x05,       /*     usage maximum 5 */
    0x15, 0x00,       /*     logical minimum 0 */
    0x25, 0x01,       /*     logical maximum 1 */
    0x95, 0x05,       /*     report count 5 */
    0x75, 0x01,       /*     report size 1 */
    0x81, 0x02,       /*     input: variable, absolute */
    0x95, 0x01,       /*     report count 1 */
    0x75, 0x03,       /*     report size 3 */
    0x81, 0x03,       /*     input: constant */
    0x05, 0x01,       /*     usage page: generic desktop */
    0x09, 0x30,       /*     usage: X */
    0x09, 0x31,       /*     usage: Y */
    0x15, 0x00,       /*     logical minimum 0 */
    0x26, 0xff, 0x7f, /*     logical maximum 32767 */
    0x75, 0x10,       /*     report size 16 */
    0x95, 0x02,       /*     report count 2 */
    0x81, 0x02,       /*     input: variable, absolute */
    0x05, 0x01,       /*     usage page: generic desktop */
    0x09, 0x38,       /*     usage: wheel */
    0x16, 0x01, 0x80, /*     logical minimum -32767 */
    0x26, 0xff, 0x7f, /*     logical maximum 32767 */
    0x75, 0x10,       /*     report size 16 */
    0x95, 0x01,       /*     report count 1 */
    0x81, 0x06,       /*     input: variable, relative */
};

/* The horizontal wheel, with the size and range of the vertical one. */
static const uint8_t descriptor_pan[] = {
    0x05, 0x0c,       /*     usage page: consumer */
    0x0a, 0x38, 0x02, /*     usage: AC pan */
    0x81, 0x06,       /*     input: variable, relative */
};

static const uint8_t descriptor_end[] = {
    0xc0,             /*   end */
    0xc0,             /* end */
};

enum mouse_state { MOUSE_CLOSED, MOUSE_OPEN, MOUSE_DESCRIBED, MOUSE_READY };

struct mouse {
    struct virtual_device device; /* first */
    struct host_channel *primary;
    struct host_channel *channel; /* open */
    enum mouse_state state;
    struct mouse_settings settings;
    struct mouse_report_with_pan queue[MOUSE_QUEUE];
    unsigned first, count;
    struct mouse_report_state report;
};

/* ---- The queue ---- */

static int put(struct mouse *mouse, const struct mouse_report *report, int pan, unsigned kept)
{
    if (mouse->count + kept >= MOUSE_QUEUE) {
        mouse->report.refused++;
        return -EAGAIN;
    }
    mouse->queue[(mouse->first + mouse->count) % MOUSE_QUEUE] =
        (struct mouse_report_with_pan){*report, (int16_t)pan};
    mouse->count++;
    mouse->report.last = *report;
    mouse->report.last.wheel = 0;
    return 0;
}

/* A position that nobody has seen yet gives way to a newer one, unless a button or a wheel came
 * with it. */
static bool replace_last(struct mouse *mouse, const struct mouse_report *report)
{
    if (mouse->count < 2) {
        return false;
    }
    struct mouse_report_with_pan *last =
        &mouse->queue[(mouse->first + mouse->count - 1) % MOUSE_QUEUE];
    const struct mouse_report_with_pan *before =
        &mouse->queue[(mouse->first + mouse->count - 2) % MOUSE_QUEUE];
    if (last->report.wheel != 0 || last->pan != 0 ||
        last->report.buttons != before->report.buttons ||
        last->report.buttons != report->buttons) {
        return false;
    }
    last->report = *report;
    mouse->report.last = *report;
    mouse->report.merged++;
    return true;
}

static int check(struct mouse *mouse, bool in_range)
{
    if (!in_range) {
        return -EINVAL;
    }
    if (mouse->state != MOUSE_READY) {
        mouse->report.refused++;
        return -ENOTCONN;
    }
    return 0;
}

int mouse_move(struct virtual_device *device, uint32_t x, uint32_t y)
{
    struct mouse *mouse = (struct mouse *)device;
    struct mouse_report report = mouse->report.last;
    int result = check(mouse, x <= MOUSE_COORDINATE_MAXIMUM && y <= MOUSE_COORDINATE_MAXIMUM);
    if (result != 0) {
        return result;
    }
    report.x = (uint16_t)x;
    report.y = (uint16_t)y;
    return replace_last(mouse, &report) ? 0 : put(mouse, &report, 0, RELEASES_KEPT);
}

int mouse_button(struct virtual_device *device, unsigned button, bool down)
{
    struct mouse *mouse = (struct mouse *)device;
    struct mouse_report report = mouse->report.last;
    int result = check(mouse, button < MOUSE_BUTTONS);
    if (result != 0) {
        return result;
    }
    const uint8_t bit = (uint8_t)(1u << button);
    report.buttons = down ? report.buttons | bit : report.buttons & (uint8_t)~bit;
    if (report.buttons == mouse->report.last.buttons) {
        return 0;
    }
    /* Each press keeps a place for its release: there are never more than RELEASES_KEPT of them. */
    return put(mouse, &report, 0, down ? RELEASES_KEPT : 0);
}

int mouse_wheel(struct virtual_device *device, int detents)
{
    struct mouse *mouse = (struct mouse *)device;
    struct mouse_report report = mouse->report.last;
    int result = check(mouse, detents >= -WHEEL_MAX && detents <= WHEEL_MAX);
    if (result != 0 || detents == 0) {
        return result;
    }
    report.wheel = (int16_t)detents;
    return put(mouse, &report, 0, RELEASES_KEPT);
}

int mouse_pan(struct virtual_device *device, int detents)
{
    struct mouse *mouse = (struct mouse *)device;
    int result = check(mouse, detents >= -WHEEL_MAX && detents <= WHEEL_MAX);
    if (result != 0 || detents == 0) {
        return result;
    }
    return mouse->settings.has_horizontal_wheel
               ? put(mouse, &mouse->report.last, detents, RELEASES_KEPT)
               : -ENODEV;
}

void mouse_release_all(struct virtual_device *device)
{
    for (unsigned button = 0; button < MOUSE_BUTTONS; button++) {
        mouse_button(device, button, false);
    }
}

/* ---- The channel ---- */

static int opened(void *device, struct host_channel *channel,
                  const struct vmbus_open_request *request)
{
    struct mouse *mouse = device;
    mouse->channel = channel;
    mouse->state = MOUSE_OPEN;
    return 0;
}

static void closed(void *device, struct host_channel *channel)
{
    struct mouse *mouse = device;
    mouse->channel = NULL;
    mouse->state = MOUSE_CLOSED;
    mouse->count = 0;
    mouse->report.last.buttons = 0;
    host_channel_released(channel);
}

/* Returns the length of the descriptor. */
static uint16_t put_descriptor(const struct mouse *mouse, uint8_t to[MOUSE_DESCRIPTOR_AREA])
{
    size_t at = sizeof(descriptor_start);
    memcpy(to, descriptor_start, at);
    if (mouse->settings.has_horizontal_wheel) {
        memcpy(to + at, descriptor_pan, sizeof(descriptor_pan));
        at += sizeof(descriptor_pan);
    }
    memcpy(to + at, descriptor_end, sizeof(descriptor_end));
    return (uint16_t)(at + sizeof(descriptor_end));
}

static void send_device_info(struct mouse *mouse)
{
    struct {
        struct mouse_device_info info;
        uint8_t descriptor[MOUSE_DESCRIPTOR_AREA];
    } WIRE_PACKED message = {
        .info.header = {MOUSE_INITIAL_DEVICE_INFO,
                        sizeof(message) - sizeof(struct mouse_message_header)},
        .info.attributes = {.size = sizeof(struct mouse_attributes), .vendor = VENDOR,
                            .product = PRODUCT, .version = 1},
        .info.hid = {.length = sizeof(struct mouse_hid_descriptor),
                     .type = MOUSE_HID_DESCRIPTOR_TYPE,
                     .hid_version = 0x0101,
                     .descriptor_count = 1,
                     .report_descriptor_type = MOUSE_REPORT_DESCRIPTOR_TYPE},
    };
    message.info.hid.report_descriptor_length = put_descriptor(mouse, message.descriptor);
    if (host_channel_send_bytes(mouse->channel, &message, sizeof(message)) == 0) {
        mouse->state = MOUSE_DESCRIBED;
    }
}

static void answer_request(struct mouse *mouse, const struct host_packet *packet)
{
    struct mouse_protocol_request request;
    if (packet->payload_size < sizeof(request)) {
        host_channel_violation(mouse->channel, "a mouse's protocol request has a version");
        return;
    }
    memcpy(&request, packet->payload, sizeof(request));
    const struct mouse_protocol_response response = {
        .header = {MOUSE_PROTOCOL_RESPONSE, sizeof(response) - sizeof(response.header)},
        .version = request.version,
        .approved = request.version == MOUSE_VERSION_2_0,
    };
    mouse->state = MOUSE_OPEN;
    if (host_channel_send_bytes(mouse->channel, &response, sizeof(response)) == 0 &&
        response.approved) {
        send_device_info(mouse);
    }
}

static void handle(struct mouse *mouse, const struct host_packet *packet)
{
    struct mouse_message_header header;
    if (packet->payload_size < sizeof(header)) {
        host_channel_violation(mouse->channel, "a mouse message has a header");
        return;
    }
    memcpy(&header, packet->payload, sizeof(header));
    switch (header.type) {
    case MOUSE_PROTOCOL_REQUEST:
        answer_request(mouse, packet);
        break;
    case MOUSE_DEVICE_INFO_ACK:
        if (mouse->state != MOUSE_DESCRIBED) {
            host_channel_violation(mouse->channel, "a mouse is acknowledged once it was described");
            return;
        }
        mouse->state = MOUSE_READY;
        break;
    default:
        host_channel_violation(mouse->channel,
                               "a mouse message is a request or an acknowledgement");
        break;
    }
}

static void ready(void *device, struct host_channel *channel)
{
    struct mouse *mouse = device;
    struct host_packet packet;
    while (host_channel_receive_in_band(channel, &packet) == 1) {
        handle(mouse, &packet);
    }
}

static const struct vmbus_device_operations bus_operations = {
    .name = "mouse", .opened = opened, .closed = closed, .ready = ready};

static bool send_report(struct mouse *mouse, const struct mouse_report_with_pan *report)
{
    struct {
        struct mouse_message_header header;
        struct mouse_report_with_pan report;
    } WIRE_PACKED message = {{MOUSE_INPUT_REPORT, 0}, *report};
    message.header.size =
        mouse->settings.has_horizontal_wheel ? sizeof(*report) : sizeof(report->report);
    return host_channel_send_bytes(mouse->channel, &message,
                                   sizeof(message.header) + message.header.size) == 0;
}

static void mouse_run(struct virtual_device *device, uint64_t now_ns)
{
    struct mouse *mouse = (struct mouse *)device;
    if (mouse->state != MOUSE_READY || mouse->count == 0) {
        return;
    }
    while (mouse->count > 0 && send_report(mouse, &mouse->queue[mouse->first])) {
        mouse->first = (mouse->first + 1) % MOUSE_QUEUE;
        mouse->count--;
        mouse->report.reports++;
    }
    host_channel_flush(mouse->channel);
}

/* ---- The virtual device ---- */

void mouse_report_state(const struct virtual_device *device, struct mouse_report_state *state)
{
    const struct mouse *mouse = (const struct mouse *)device;
    *state = mouse->report;
    state->ready = mouse->state == MOUSE_READY;
    state->waiting = mouse->count;
}

static int mouse_plug(struct virtual_device *device, struct vmbus_server *server)
{
    struct vmbus_device_offer offer = {
        .class_id = VMBUS_CLASS_MOUSE,
        .instance_id = VMBUS_INSTANCE_MOUSE,
        .flags = VMBUS_OFFER_ENUMERATE_INTERFACE | VMBUS_OFFER_PIPE,
    };
    struct mouse *mouse = (struct mouse *)device;
    const uint32_t pipe_type = VMBUS_OFFER_PIPE_TYPE_MESSAGE;
    memcpy(offer.user_data, &pipe_type, sizeof(pipe_type));
    return host_device_plug(server, &offer, &bus_operations, mouse, &mouse->primary);
}

static void mouse_unplug(struct virtual_device *device)
{
    struct mouse *mouse = (struct mouse *)device;
    if (mouse->primary != NULL) {
        host_device_unplug(mouse->primary);
        mouse->primary = NULL;
    }
}

static void mouse_describe(struct virtual_device *device, struct json_object *to)
{
    struct mouse_report_state state;
    mouse_report_state(device, &state);
    json_object_object_add(to, "ready", json_object_new_boolean(state.ready));
    json_object_object_add(to, "reports", json_object_new_uint64(state.reports));
    json_object_object_add(to, "merged", json_object_new_uint64(state.merged));
    json_object_object_add(to, "refused", json_object_new_uint64(state.refused));
    json_object_object_add(to, "x", json_object_new_int(state.last.x));
    json_object_object_add(to, "y", json_object_new_int(state.last.y));
    json_object_object_add(to, "buttons", json_object_new_int(state.last.buttons));
}

static void mouse_free(struct virtual_device *device)
{
    free(device);
}

static const struct virtual_device_operations operations = {
    .kind = "mouse",
    .plug = mouse_plug,
    .unplug = mouse_unplug,
    .run = mouse_run,
    .describe = mouse_describe,
    .free = mouse_free,
};

struct virtual_device *mouse_new(const struct mouse_settings *settings)
{
    struct mouse *mouse = calloc(1, sizeof(*mouse));
    if (mouse == NULL) {
        return NULL;
    }
    mouse->device.operations = &operations;
    if (settings != NULL) {
        mouse->settings = *settings;
    }
    return &mouse->device;
}
