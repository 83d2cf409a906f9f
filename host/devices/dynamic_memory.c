/* SPDX-License-Identifier: BSD-3-Clause */
/* Dynamic memory. The guest speaks first: versions, capabilities, then a report a second. */
#include "host/devices/dynamic_memory.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/vmbus/device.h"
#include "protocol/integration.h"
#include "protocol/vmbus_classes.h"

struct dynamic_memory {
    struct virtual_device device; /* first */
    struct vmbus_device_operations bus;
    struct host_channel *channel; /* while plugged */
    bool open;
    bool dirty;
    uint32_t version_max;
    uint32_t transaction_id;
    struct dynamic_memory_state state;
};

static int send_message(struct dynamic_memory *memory, void *message, size_t size)
{
    const struct iovec piece = {message, size};
    int result = host_channel_send(memory->channel, 0, false, &piece, 1);
    memory->dirty |= result == 0;
    return result;
}

static void violation(struct dynamic_memory *memory, const char *rule)
{
    host_channel_violation(memory->channel, rule);
}

/* ---- What the guest says ---- */

static void answer(struct dynamic_memory *memory, const struct dynamic_memory_header *to,
                   uint16_t type, bool accepted)
{
    struct dynamic_memory_accepted message = {
        .header = {type, sizeof(message), to->transaction_id},
        .flags = accepted ? DYNAMIC_MEMORY_ACCEPTED : 0,
    };
    send_message(memory, &message, sizeof(message));
}

static void take_version(struct dynamic_memory *memory,
                         const struct dynamic_memory_version_request *request)
{
    const uint32_t version = request->version;
    const bool known = version == DYNAMIC_MEMORY_VERSION_0_3 ||
                       version == DYNAMIC_MEMORY_VERSION_1_0 ||
                       version == DYNAMIC_MEMORY_VERSION_2_0;
    const bool accepted = known && version <= memory->version_max;
    if (memory->state.version != 0) {
        violation(memory, "a version that was accepted is not proposed again");
        return;
    }
    memory->state.version = accepted ? version : 0;
    answer(memory, &request->header, DYNAMIC_MEMORY_VERSION_RESPONSE, accepted);
}

static void take_capabilities(struct dynamic_memory *memory,
                              const struct dynamic_memory_capabilities *capabilities)
{
    if (memory->state.version == 0 || memory->state.ready) {
        violation(memory, "capabilities follow the version, once");
        return;
    }
    memory->state.capabilities = capabilities->capabilities;
    memory->state.ready = true;
    answer(memory, &capabilities->header, DYNAMIC_MEMORY_CAPABILITIES_RESPONSE, true);
}

static void take_report(struct dynamic_memory *memory, const struct dynamic_memory_status *status)
{
    if (!memory->state.ready) {
        violation(memory, "reports follow the capabilities");
        return;
    }
    memory->state.reports++;
    memory->state.available_pages = status->available_pages;
    memory->state.committed_pages = status->committed_pages;
}

static void take_ballooned(struct dynamic_memory *memory, const uint8_t *data, size_t size)
{
    struct dynamic_memory_balloon_response response;
    memcpy(&response, data, sizeof(response));
    const size_t count = response.more_and_count >> 1;
    if (count > (size - sizeof(response)) / sizeof(uint64_t)) {
        violation(memory, "the ranges of a balloon response lie within the message");
        return;
    }
    memory->state.answers++;
    for (size_t i = 0; i < count; i++) {
        uint64_t range;
        memcpy(&range, data + sizeof(response) + i * sizeof(range), sizeof(range));
        memory->state.ballooned_pages += DYNAMIC_MEMORY_RANGE_COUNT(range);
    }
}

static void take_message(struct dynamic_memory *memory, const uint8_t *data, size_t size)
{
    union {
        struct dynamic_memory_header header;
        struct dynamic_memory_version_request version;
        struct dynamic_memory_capabilities capabilities;
        struct dynamic_memory_status status;
    } message = {0};
    static const struct {
        uint16_t type;
        uint16_t size;
    } least[] = {
        {DYNAMIC_MEMORY_VERSION_REQUEST, sizeof(struct dynamic_memory_version_request)},
        {DYNAMIC_MEMORY_CAPABILITIES, sizeof(struct dynamic_memory_capabilities)},
        {DYNAMIC_MEMORY_STATUS, sizeof(struct dynamic_memory_status)},
        {DYNAMIC_MEMORY_BALLOON_RESPONSE, sizeof(struct dynamic_memory_balloon_response)},
        {DYNAMIC_MEMORY_UNBALLOON_RESPONSE, sizeof(struct dynamic_memory_header)},
        {DYNAMIC_MEMORY_HOT_ADD_RESPONSE, sizeof(struct dynamic_memory_hot_add_response)},
        {DYNAMIC_MEMORY_ERROR, sizeof(struct dynamic_memory_header)},
    };
    memcpy(&message, data, size < sizeof(message) ? size : sizeof(message));
    unsigned found = 0;
    while (found < sizeof(least) / sizeof(least[0]) && least[found].type != message.header.type) {
        found++;
    }
    if (size < sizeof(message.header) || found == sizeof(least) / sizeof(least[0]) ||
        message.header.size < least[found].size || message.header.size > size) {
        violation(memory, "a dynamic memory message has a known type, and its length");
        return;
    }
    switch (message.header.type) {
    case DYNAMIC_MEMORY_VERSION_REQUEST:
        take_version(memory, &message.version);
        break;
    case DYNAMIC_MEMORY_CAPABILITIES:
        take_capabilities(memory, &message.capabilities);
        break;
    case DYNAMIC_MEMORY_STATUS:
        take_report(memory, &message.status);
        break;
    case DYNAMIC_MEMORY_BALLOON_RESPONSE:
        take_ballooned(memory, data, message.header.size);
        break;
    default:
        memory->state.answers++;
        break;
    }
}

/* ---- The channel ---- */

static int opened(void *device, struct host_channel *channel,
                  const struct vmbus_open_request *request)
{
    struct dynamic_memory *memory = device;
    memory->open = true;
    memory->state = (struct dynamic_memory_state){0};
    return 0;
}

static void closed(void *device, struct host_channel *channel)
{
    struct dynamic_memory *memory = device;
    memory->open = false;
    memory->state.ready = false;
    host_channel_released(channel);
}

static void ready(void *device, struct host_channel *channel)
{
    struct dynamic_memory *memory = device;
    struct host_packet packet;
    while (memory->open && host_channel_receive(channel, &packet) == 1) {
        if (packet.type != VMBUS_PACKET_IN_BAND) {
            violation(memory, "dynamic memory messages are in-band packets");
            continue;
        }
        take_message(memory, packet.payload, packet.payload_size);
    }
}

static void removed(void *device)
{
    struct dynamic_memory *memory = device;
    memory->channel = NULL;
}

/* ---- The device ---- */

static int memory_plug(struct virtual_device *device, struct vmbus_server *server)
{
    struct dynamic_memory *memory = (struct dynamic_memory *)device;
    static const struct guid class_id = VMBUS_CLASS_DYNAMIC_MEMORY;
    static const struct guid instance_id = VMBUS_INSTANCE_DYNAMIC_MEMORY;
    const struct vmbus_device_offer offer = {
        .class_id = class_id,
        .instance_id = instance_id,
        .flags = VMBUS_OFFER_ENUMERATE_INTERFACE,
    };
    return host_device_plug(server, &offer, &memory->bus, memory, &memory->channel);
}

static void memory_unplug(struct virtual_device *device)
{
    struct dynamic_memory *memory = (struct dynamic_memory *)device;
    if (memory->channel != NULL) {
        host_device_unplug(memory->channel);
    }
}

static void memory_run(struct virtual_device *device, uint64_t now_ns)
{
    struct dynamic_memory *memory = (struct dynamic_memory *)device;
    if (memory->dirty && memory->open) {
        host_channel_flush(memory->channel);
    }
    memory->dirty = false;
}

static void memory_describe(struct virtual_device *device, struct json_object *to)
{
    const struct dynamic_memory_state *state = &((struct dynamic_memory *)device)->state;
    char version[24];
    snprintf(version, sizeof(version), "%u.%u", IC_VERSION_MAJOR(state->version),
             IC_VERSION_MINOR(state->version));
    json_object_object_add(to, "version", json_object_new_string(version));
    json_object_object_add(to, "ready", json_object_new_boolean(state->ready));
    json_object_object_add(to, "can_balloon", json_object_new_boolean(
                                                  (state->capabilities &
                                                   DYNAMIC_MEMORY_CAN_BALLOON) != 0));
    json_object_object_add(to, "reports", json_object_new_uint64(state->reports));
    json_object_object_add(to, "available_mib",
                           json_object_new_uint64(state->available_pages >> 8));
    json_object_object_add(to, "committed_mib",
                           json_object_new_uint64(state->committed_pages >> 8));
    json_object_object_add(to, "ballooned_mib",
                           json_object_new_uint64(state->ballooned_pages >> 8));
}

static void memory_free(struct virtual_device *device)
{
    free(device);
}

static const struct virtual_device_operations operations = {
    .kind = "memory",
    .plug = memory_plug,
    .unplug = memory_unplug,
    .run = memory_run,
    .describe = memory_describe,
    .free = memory_free,
};

void dynamic_memory_state(const struct virtual_device *device, struct dynamic_memory_state *state)
{
    *state = ((const struct dynamic_memory *)device)->state;
}

int dynamic_memory_balloon(struct virtual_device *device, uint32_t pages)
{
    struct dynamic_memory *memory = (struct dynamic_memory *)device;
    struct dynamic_memory_balloon_request request = {
        .header = {DYNAMIC_MEMORY_BALLOON_REQUEST, sizeof(request), ++memory->transaction_id},
        .pages = pages,
    };
    return memory->state.ready ? send_message(memory, &request, sizeof(request)) : -ENOTCONN;
}

struct virtual_device *dynamic_memory_new(uint32_t version)
{
    struct dynamic_memory *memory = calloc(1, sizeof(*memory));
    if (memory == NULL) {
        return NULL;
    }
    memory->device.operations = &operations;
    memory->version_max = version;
    memory->bus = (struct vmbus_device_operations){
        .name = "dynamic memory",
        .opened = opened,
        .closed = closed,
        .ready = ready,
        .removed = removed,
    };
    return &memory->device;
}
