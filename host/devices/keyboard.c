/* SPDX-License-Identifier: BSD-3-Clause */
/* The synthetic keyboard. Facts: Linux hyperv-keyboard, OpenVMM uidevices. */
#include "host/devices/keyboard.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "host/vmbus/device.h"
#include "protocol/keyboard.h"
#include "protocol/utf16.h"
#include "protocol/vmbus_classes.h"

enum {
    PREFIXES = 3,      /* none, E0, E1 */
    CODES = 256,
};

struct keyboard {
    struct virtual_device device; /* first */
    struct host_channel *primary;
    struct host_channel *channel; /* open */
    bool ready;
    struct keyboard_event queue[KEYBOARD_QUEUE];
    unsigned first, count;
    bool held[PREFIXES][CODES];
    struct keyboard_report report;
};

/* ---- The queue: a place is kept for the release of every key that is down ---- */

static unsigned prefix_index(uint32_t prefix)
{
    return prefix == KEYBOARD_EVENT_E0 ? 1 : prefix == KEYBOARD_EVENT_E1 ? 2 : 0;
}

static void put(struct keyboard *keyboard, uint16_t code, uint32_t flags)
{
    keyboard->queue[(keyboard->first + keyboard->count) % KEYBOARD_QUEUE] = (struct keyboard_event){
        .type = KEYBOARD_EVENT, .make_code = code, .flags = flags};
    keyboard->count++;
}

static int room_for(struct keyboard *keyboard, size_t events)
{
    if (!keyboard->ready) {
        keyboard->report.refused++;
        return -ENOTCONN;
    }
    if (keyboard->count + keyboard->report.held + events > KEYBOARD_QUEUE) {
        keyboard->report.refused++;
        return -EAGAIN;
    }
    return 0;
}

static void release(struct keyboard *keyboard, struct keyboard_key key)
{
    bool *held = &keyboard->held[prefix_index(key.prefix)][key.code];
    if (*held) {
        *held = false;
        keyboard->report.held--;
        put(keyboard, key.code, key.prefix | KEYBOARD_EVENT_BREAK);
    }
}

int keyboard_press(struct virtual_device *device, struct keyboard_key key, bool down)
{
    struct keyboard *keyboard = (struct keyboard *)device;
    const bool is_known = (key.code > 0 && key.code < 0x80) || key.code == 0xf1 || key.code == 0xf2;
    if (!is_known || (key.prefix & ~(KEYBOARD_EVENT_E0 | KEYBOARD_EVENT_E1)) != 0 ||
        key.prefix == (KEYBOARD_EVENT_E0 | KEYBOARD_EVENT_E1)) {
        return -EINVAL;
    }
    if (!down) {
        if (!keyboard->ready) {
            return -ENOTCONN;
        }
        release(keyboard, key);
        return 0;
    }
    bool *held = &keyboard->held[prefix_index(key.prefix)][key.code];
    /* A key that is held and pressed again repeats, as a keyboard's own repeat does. */
    int result = room_for(keyboard, *held ? 1 : 2);
    if (result != 0) {
        return result;
    }
    put(keyboard, key.code, key.prefix);
    keyboard->report.held += !*held;
    *held = true;
    return 0;
}

bool keyboard_is_held(const struct virtual_device *device, struct keyboard_key key)
{
    const struct keyboard *keyboard = (const struct keyboard *)device;
    return key.code < CODES && keyboard->held[prefix_index(key.prefix)][key.code];
}

void keyboard_release_all(struct virtual_device *device)
{
    static const uint32_t prefixes[PREFIXES] = {0, KEYBOARD_EVENT_E0, KEYBOARD_EVENT_E1};
    struct keyboard *keyboard = (struct keyboard *)device;
    for (unsigned prefix = 0; prefix < PREFIXES; prefix++) {
        for (unsigned code = 0; code < CODES; code++) {
            release(keyboard, (struct keyboard_key){(uint16_t)code, prefixes[prefix]});
        }
    }
}

static void put_unit(struct keyboard *keyboard, uint32_t unit)
{
    put(keyboard, (uint16_t)unit, KEYBOARD_EVENT_UNICODE);
    put(keyboard, (uint16_t)unit, KEYBOARD_EVENT_UNICODE | KEYBOARD_EVENT_BREAK);
}

int keyboard_type(struct virtual_device *device, const char *text)
{
    struct keyboard *keyboard = (struct keyboard *)device;
    size_t units = 0;
    for (const char *at = text; *at != '\0';) {
        units += utf8_take(&at) >= 0x10000 ? 2 : 1;
    }
    int result = room_for(keyboard, 2 * units);
    while (result == 0 && *text != '\0') {
        uint32_t code = utf8_take(&text);
        if (code >= 0x10000) {
            put_unit(keyboard, 0xd800 + ((code - 0x10000) >> 10));
            put_unit(keyboard, 0xdc00 + ((code - 0x10000) & 0x3ff));
        } else {
            put_unit(keyboard, code == '\n' ? '\r' : code); /* what the Return key is */
        }
    }
    return result;
}

/* ---- The channel ---- */

static void forget_guest(struct keyboard *keyboard)
{
    keyboard->channel = NULL;
    keyboard->ready = false;
    keyboard->count = 0;
    keyboard->report.held = 0;
    keyboard->report.indicators_said = false;
    memset(keyboard->held, 0, sizeof(keyboard->held));
}

static int opened(void *device, struct host_channel *channel,
                  const struct vmbus_open_request *request)
{
    ((struct keyboard *)device)->channel = channel;
    return 0;
}

static void closed(void *device, struct host_channel *channel)
{
    forget_guest(device);
    host_channel_released(channel);
}

static void answer_request(struct keyboard *keyboard, const struct host_packet *packet)
{
    struct keyboard_protocol_request request;
    struct keyboard_protocol_response response = {.type = KEYBOARD_PROTOCOL_RESPONSE};
    if (packet->payload_size < sizeof(request)) {
        host_channel_violation(keyboard->channel, "a keyboard's protocol request has a version");
        return;
    }
    memcpy(&request, packet->payload, sizeof(request));
    keyboard->ready = request.version == KEYBOARD_VERSION_1_0;
    response.status = keyboard->ready ? KEYBOARD_ACCEPTED : 0;
    if (host_channel_send_bytes(keyboard->channel, &response, sizeof(response)) != 0) {
        keyboard->ready = false; /* it asks again, or not */
    }
}

static void handle(struct keyboard *keyboard, const struct host_packet *packet)
{
    uint32_t type;
    struct keyboard_set_indicators message;
    if (packet->payload_size < sizeof(type)) {
        host_channel_violation(keyboard->channel, "a keyboard message has a type");
        return;
    }
    memcpy(&type, packet->payload, sizeof(type));
    switch (type) {
    case KEYBOARD_PROTOCOL_REQUEST:
        answer_request(keyboard, packet);
        break;
    case KEYBOARD_SET_INDICATORS:
        if (packet->payload_size < sizeof(message)) {
            host_channel_violation(keyboard->channel, "a keyboard's indicators are 16 bits");
            return;
        }
        memcpy(&message, packet->payload, sizeof(message));
        keyboard->report.indicators = message.indicators;
        keyboard->report.indicators_said = true;
        break;
    default:
        host_channel_violation(keyboard->channel, "a keyboard message is a request or indicators");
        break;
    }
}

static void ready(void *device, struct host_channel *channel)
{
    struct keyboard *keyboard = device;
    struct host_packet packet;
    while (host_channel_receive_in_band(channel, &packet) == 1) {
        handle(keyboard, &packet);
    }
}

static const struct vmbus_device_operations bus_operations = {
    .name = "keyboard", .opened = opened, .closed = closed, .ready = ready};

static void keyboard_run(struct virtual_device *device, uint64_t now_ns)
{
    struct keyboard *keyboard = (struct keyboard *)device;
    if (!keyboard->ready || keyboard->count == 0) {
        return;
    }
    while (keyboard->count > 0 &&
           host_channel_send_bytes(keyboard->channel, &keyboard->queue[keyboard->first],
                                   sizeof(keyboard->queue[0])) == 0) {
        keyboard->first = (keyboard->first + 1) % KEYBOARD_QUEUE;
        keyboard->count--;
        keyboard->report.events++;
    }
    host_channel_flush(keyboard->channel);
}

/* ---- The virtual device ---- */

void keyboard_report(const struct virtual_device *device, struct keyboard_report *report)
{
    const struct keyboard *keyboard = (const struct keyboard *)device;
    *report = keyboard->report;
    report->ready = keyboard->ready;
    report->waiting = keyboard->count;
}

static int keyboard_plug(struct virtual_device *device, struct vmbus_server *server)
{
    static const struct vmbus_device_offer offer = {
        .class_id = VMBUS_CLASS_KEYBOARD,
        .instance_id = VMBUS_INSTANCE_KEYBOARD,
        .flags = VMBUS_OFFER_ENUMERATE_INTERFACE,
    };
    struct keyboard *keyboard = (struct keyboard *)device;
    return host_device_plug(server, &offer, &bus_operations, keyboard, &keyboard->primary);
}

static void keyboard_unplug(struct virtual_device *device)
{
    struct keyboard *keyboard = (struct keyboard *)device;
    if (keyboard->primary != NULL) {
        host_device_unplug(keyboard->primary);
        keyboard->primary = NULL;
    }
}

static void keyboard_describe(struct virtual_device *device, struct json_object *to)
{
    struct keyboard_report report;
    keyboard_report(device, &report);
    json_object_object_add(to, "ready", json_object_new_boolean(report.ready));
    json_object_object_add(to, "events", json_object_new_uint64(report.events));
    json_object_object_add(to, "refused", json_object_new_uint64(report.refused));
    json_object_object_add(to, "waiting", json_object_new_int((int)report.waiting));
    json_object_object_add(to, "held", json_object_new_int((int)report.held));
    if (report.indicators_said) {
        json_object_object_add(to, "indicators", json_object_new_int(report.indicators));
    }
}

static void keyboard_free(struct virtual_device *device)
{
    free(device);
}

static const struct virtual_device_operations operations = {
    .kind = "keyboard",
    .plug = keyboard_plug,
    .unplug = keyboard_unplug,
    .run = keyboard_run,
    .describe = keyboard_describe,
    .free = keyboard_free,
};

struct virtual_device *keyboard_new(void)
{
    struct keyboard *keyboard = calloc(1, sizeof(*keyboard));
    if (keyboard == NULL) {
        return NULL;
    }
    keyboard->device.operations = &operations;
    return &keyboard->device;
}
