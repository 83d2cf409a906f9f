/* SPDX-License-Identifier: BSD-3-Clause */
/* The VMBus server: which message goes where, and when it may. */
#include "host/vmbus/server.h"

#include <stdlib.h>
#include <string.h>

#include "host/vmbus/state.h"

static void open_reserved(struct vmbus_server *server, const uint8_t *message, size_t size)
{
    vmbus_handle_open_reserved(server, message);
}

static void close_reserved(struct vmbus_server *server, const uint8_t *message, size_t size)
{
    vmbus_handle_close_reserved(server, message);
}

static void request_offers(struct vmbus_server *server, const uint8_t *message, size_t size)
{
    vmbus_handle_request_offers(server);
}

static void close_channel(struct vmbus_server *server, const uint8_t *message, size_t size)
{
    vmbus_handle_close(server, message);
}

static void gpadl_teardown(struct vmbus_server *server, const uint8_t *message, size_t size)
{
    vmbus_handle_gpadl_teardown(server, message);
}

static void relid_released(struct vmbus_server *server, const uint8_t *message, size_t size)
{
    vmbus_handle_relid_released(server, message);
}

static void unload(struct vmbus_server *server, const uint8_t *message, size_t size)
{
    vmbus_handle_unload(server);
}

static void modify_channel(struct vmbus_server *server, const uint8_t *message, size_t size)
{
    vmbus_handle_modify_channel(server, message);
}

static void modify_connection(struct vmbus_server *server, const uint8_t *message, size_t size)
{
    vmbus_handle_modify_connection(server, message);
}

/* Nobody listens to Hyper-V sockets here: refused, which 4.0 has no way to say. */
static void tl_connect(struct vmbus_server *server, const uint8_t *message, size_t size)
{
    struct vmbus_message_tl_connect connect;
    memcpy(&connect, message, sizeof(connect));
    if (server->version >= VMBUS_VERSION_4_1) {
        struct vmbus_message_tl_connect_result result = {
            .header.type = VMBUS_MESSAGE_TL_CONNECT_RESULT,
            .endpoint_id = connect.endpoint_id,
            .service_id = connect.service_id,
            .status = VMBUS_STATUS_CONNECTION_REFUSED,
        };
        vmbus_send(server, &result, sizeof(result));
    }
}

/* The guest does not want messages for a while: they are kept until RESUME. */
static void pause_messages(struct vmbus_server *server, const uint8_t *message, size_t size)
{
    struct vmbus_message_header response = {.type = VMBUS_MESSAGE_PAUSE_RESPONSE};
    vmbus_send(server, &response, sizeof(response));
    server->paused = true;
}

static void resume_messages(struct vmbus_server *server, const uint8_t *message, size_t size)
{
    server->paused = false;
    vmbus_server_port_ready(server);
}

/* What a guest may send while connected. */
static const struct {
    const char *name;
    size_t size;       /* at least */
    uint32_t version;  /* from */
    uint32_t feature;  /* needs this one, or 0 */
    void (*handle)(struct vmbus_server *server, const uint8_t *message, size_t size);
} messages[VMBUS_MESSAGE_TYPE_COUNT] = {
    [VMBUS_MESSAGE_REQUEST_OFFERS] =
        {"REQUEST_OFFERS", sizeof(struct vmbus_message_header), 0, 0, request_offers},
    [VMBUS_MESSAGE_OPEN_CHANNEL] =
        {"OPEN_CHANNEL", sizeof(struct vmbus_message_open_channel), 0, 0, vmbus_handle_open},
    [VMBUS_MESSAGE_CLOSE_CHANNEL] =
        {"CLOSE_CHANNEL", sizeof(struct vmbus_message_channel), 0, 0, close_channel},
    [VMBUS_MESSAGE_GPADL_HEADER] =
        {"GPADL_HEADER", sizeof(struct vmbus_message_gpadl_header), 0, 0,
         vmbus_handle_gpadl_header},
    [VMBUS_MESSAGE_GPADL_BODY] =
        {"GPADL_BODY", sizeof(struct vmbus_message_gpadl_body), 0, 0, vmbus_handle_gpadl_body},
    [VMBUS_MESSAGE_GPADL_TEARDOWN] =
        {"GPADL_TEARDOWN", sizeof(struct vmbus_message_gpadl_teardown), 0, 0, gpadl_teardown},
    [VMBUS_MESSAGE_RELID_RELEASED] =
        {"RELID_RELEASED", sizeof(struct vmbus_message_channel), 0, 0, relid_released},
    [VMBUS_MESSAGE_UNLOAD] =
        {"UNLOAD", sizeof(struct vmbus_message_header), 0, 0, unload},
    [VMBUS_MESSAGE_OPEN_RESERVED_CHANNEL] =
        {"OPEN_RESERVED_CHANNEL", sizeof(struct vmbus_message_open_reserved_channel),
         VMBUS_VERSION_4_0, 0, open_reserved},
    [VMBUS_MESSAGE_TL_CONNECT] =
        {"TL_CONNECT", sizeof(struct vmbus_message_tl_connect), VMBUS_VERSION_4_0, 0, tl_connect},
    [VMBUS_MESSAGE_MODIFY_CHANNEL] =
        {"MODIFY_CHANNEL", sizeof(struct vmbus_message_modify_channel), VMBUS_VERSION_4_1, 0,
         modify_channel},
    [VMBUS_MESSAGE_MODIFY_CONNECTION] =
        {"MODIFY_CONNECTION", sizeof(struct vmbus_message_modify_connection), VMBUS_VERSION_6_0,
         VMBUS_FEATURE_MODIFY_CONNECTION, modify_connection},
    [VMBUS_MESSAGE_PAUSE] =
        {"PAUSE", sizeof(struct vmbus_message_header), VMBUS_VERSION_6_0,
         VMBUS_FEATURE_PAUSE_RESUME, pause_messages},
    [VMBUS_MESSAGE_RESUME] =
        {"RESUME", sizeof(struct vmbus_message_header), VMBUS_VERSION_6_0,
         VMBUS_FEATURE_PAUSE_RESUME, resume_messages},
};

void vmbus_violation(struct vmbus_server *server, const char *message, const char *state,
                     const char *rule, uint32_t channel_id)
{
    atomic_fetch_add(&server->violations, 1);
    if (server->operations->violation != NULL) {
        const struct host_violation violation = {message, state, rule, channel_id};
        server->operations->violation(server->context, &violation);
    }
}

/* The messages that need no connection. Returns false if this is none of them. */
static bool handle_unconnected(struct vmbus_server *server, uint32_t connection_id, uint32_t type,
                               const uint8_t *message, size_t size)
{
    const char *rule = NULL;
    if (type == VMBUS_MESSAGE_INITIATE_CONTACT) {
        struct vmbus_message_initiate_contact contact;
        if (size < sizeof(contact)) {
            rule = "INITIATE_CONTACT has 40 bytes";
        } else {
            memcpy(&contact, message, sizeof(contact));
            if (contact.version >= VMBUS_VERSION_6_0 &&
                (contact.feature_flags & VMBUS_FEATURE_CLIENT_ID) != 0 &&
                size < sizeof(struct vmbus_message_initiate_contact_client)) {
                rule = "INITIATE_CONTACT with a client id has 56 bytes";
            }
        }
        if (rule == NULL) {
            vmbus_handle_initiate_contact(server, connection_id, message, size);
        }
    } else if (type == VMBUS_MESSAGE_CLOSE_RESERVED_CHANNEL) {
        if (size < sizeof(struct vmbus_message_close_reserved_channel)) {
            rule = "CLOSE_RESERVED_CHANNEL has 20 bytes";
        } else {
            close_reserved(server, message, size);
        }
    } else {
        return false;
    }
    if (rule != NULL) {
        vmbus_violation(server, "message", server->connected ? "connected" : "disconnected", rule,
                        0);
    }
    return true;
}

static void dispatch(struct vmbus_server *server, uint32_t connection_id, const uint8_t *message,
                     size_t size)
{
    const char *state = server->connected       ? "connected"
                        : server->disconnecting ? "disconnecting"
                                                : "disconnected";
    struct vmbus_message_header header;
    if (size < sizeof(header)) {
        vmbus_violation(server, "message", state, "a message has a header of 8 bytes", 0);
        return;
    }
    memcpy(&header, message, sizeof(header));
    if (handle_unconnected(server, connection_id, header.type, message, size)) {
        return;
    }
    if (header.type >= VMBUS_MESSAGE_TYPE_COUNT || messages[header.type].handle == NULL) {
        vmbus_violation(server, "message", state, "the type is one that guests send", 0);
        return;
    }
    const char *rule = NULL;
    if (!server->connected) {
        rule = "the first message is INITIATE_CONTACT";
    } else if (server->version < messages[header.type].version) {
        rule = "the message exists in the version agreed";
    } else if (messages[header.type].feature != 0 &&
               (server->features & messages[header.type].feature) == 0) {
        rule = "the message's feature was agreed";
    } else if (size < messages[header.type].size) {
        rule = "the message is complete";
    }
    if (rule != NULL) {
        vmbus_violation(server, messages[header.type].name, state, rule, 0);
        return;
    }
    messages[header.type].handle(server, message, size);
}

uint32_t vmbus_server_post_message(struct vmbus_server *server, uint32_t connection_id,
                                   const void *message, size_t size)
{
    bool known = connection_id == VMBUS_CONNECTION_MESSAGE ||
                 (connection_id == VMBUS_CONNECTION_MULTI_CLIENT &&
                  server->configuration.highest_version >= VMBUS_VERSION_5_0);
    if (!known) {
        return HV_STATUS_INVALID_CONNECTION_ID;
    }
    if (size > VMBUS_MESSAGE_SIZE_MAXIMUM) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    if (server->outbox_length >= VMBUS_OUTBOX_LIMIT) {
        vmbus_server_port_ready(server);
        if (server->outbox_length >= VMBUS_OUTBOX_LIMIT) {
            return HV_STATUS_INSUFFICIENT_BUFFERS;
        }
    }
    dispatch(server, connection_id, message, size);
    return HV_STATUS_SUCCESS;
}

/* ---- Making and looking ---- */

struct vmbus_server *vmbus_server_create(const struct vmbus_server_configuration *configuration,
                                         const struct vmbus_server_operations *operations,
                                         void *context)
{
    struct vmbus_server *server = calloc(1, sizeof(*server));
    if (server != NULL) {
        server->configuration = *configuration;
        server->operations = operations;
        server->context = context;
        server->outbox_end = &server->outbox;
    }
    return server;
}

void vmbus_server_free(struct vmbus_server *server)
{
    if (server == NULL) {
        return;
    }
    vmbus_outbox_clear(server);
    while (server->devices != NULL) {
        struct host_device *device = server->devices;
        server->devices = device->next;
        while (device->channels != NULL) {
            struct host_channel *channel = device->channels;
            device->channels = channel->next;
            host_gpadl_drop_channel(channel);
            host_channel_free_rings(channel);
            free(channel);
        }
        free(device);
    }
    free(server);
}

bool vmbus_server_connected(const struct vmbus_server *server)
{
    return server->connected;
}

uint32_t vmbus_server_version(const struct vmbus_server *server)
{
    return server->version;
}

uint32_t vmbus_server_features(const struct vmbus_server *server)
{
    return server->features;
}

uint64_t vmbus_server_violations(const struct vmbus_server *server)
{
    return atomic_load(&server->violations);
}

unsigned vmbus_server_channel_count(const struct vmbus_server *server)
{
    unsigned count = 0;
    for (const struct host_device *device = server->devices; device != NULL;
         device = device->next) {
        for (const struct host_channel *channel = device->channels; channel != NULL;
             channel = channel->next) {
            count++;
        }
    }
    return count;
}

unsigned vmbus_server_gpadl_count(const struct vmbus_server *server)
{
    return server->gpadl_count;
}

struct host_channel *vmbus_server_channel(const struct vmbus_server *server, uint32_t channel_id)
{
    return channel_id <= VMBUS_CHANNEL_MAXIMUM ? server->channels[channel_id] : NULL;
}
