/* SPDX-License-Identifier: BSD-3-Clause */
/* The connection: version negotiation, unload, and the way out of an old connection. */
#include <string.h>

#include "host/vmbus/state.h"

static bool version_known(uint32_t version)
{
    static const uint32_t known[] = {
        VMBUS_VERSION_0_13, VMBUS_VERSION_1_1, VMBUS_VERSION_2_4, VMBUS_VERSION_3_0,
        VMBUS_VERSION_4_0,  VMBUS_VERSION_4_1, VMBUS_VERSION_5_0, VMBUS_VERSION_5_1,
        VMBUS_VERSION_5_2,  VMBUS_VERSION_5_3, VMBUS_VERSION_6_0,
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i] == version) {
            return true;
        }
    }
    return false;
}

/* A page of guest RAM by address, or NULL if it is not one. */
static uint8_t *guest_page(struct vmbus_server *server, uint64_t gpa)
{
    return gpa % HV_PAGE_SIZE == 0
               ? guest_memory_translate(server->configuration.memory, gpa, HV_PAGE_SIZE) : NULL;
}

/* Takes the guest's monitor pages: both, or neither. Returns false if they cannot be used. */
static bool set_monitor_pages(struct vmbus_server *server, uint64_t host_to_guest,
                              uint64_t guest_to_host)
{
    server->monitor_page = NULL;
    if (host_to_guest == 0 && guest_to_host == 0) {
        return true;
    }
    uint8_t *send = guest_page(server, guest_to_host);
    if (host_to_guest == 0 || guest_to_host == 0 || guest_page(server, host_to_guest) == NULL ||
        send == NULL) {
        vmbus_violation(server, "INITIATE_CONTACT", "connecting",
                        "both monitor pages are pages of guest RAM, or both are 0", 0);
        return false;
    }
    server->monitor_page = send;
    return true;
}

static void send_version_response(struct vmbus_server *server, uint32_t processor, uint32_t sint,
                                  bool supported, uint8_t state)
{
    struct vmbus_message_version_response_6_0 response = {
        .base.header.type = VMBUS_MESSAGE_VERSION_RESPONSE,
        .base.version_supported = supported,
        .base.connection_state = state,
    };
    size_t size = sizeof(response.base);
    uint32_t version = server->contact.message.base.version;
    if (supported) {
        response.base.selected_version =
            version < VMBUS_VERSION_5_0 ? version : VMBUS_CONNECTION_MESSAGE;
        if (version >= VMBUS_VERSION_6_0) {
            response.feature_flags = server->features;
            size = sizeof(response);
        }
    }
    vmbus_send_to(server, processor, sint, &response, size);
}

/* Sets the pages and features of a version that is accepted. Returns false on failure. */
static bool set_connection(struct vmbus_server *server)
{
    const struct vmbus_message_initiate_contact *contact = &server->contact.message.base;
    if (contact->version < VMBUS_VERSION_2_4) {
        server->interrupt_page = guest_page(server, contact->interrupt_page);
        if (server->interrupt_page == NULL) {
            vmbus_violation(server, "INITIATE_CONTACT", "connecting",
                            "the interrupt page is a page of guest RAM", 0);
            return false;
        }
    }
    if (contact->version >= VMBUS_VERSION_6_0) {
        server->features = contact->feature_flags & server->configuration.feature_flags &
                           VMBUS_SERVER_FEATURES;
    }
    return set_monitor_pages(server, contact->monitor_page_host_to_guest,
                             contact->monitor_page_guest_to_host);
}

/* Answers the contact that is stored, with no old connection left. */
static void answer_contact(struct vmbus_server *server)
{
    const struct vmbus_message_initiate_contact *contact = &server->contact.message.base;
    uint32_t version = contact->version;
    uint32_t processor = version >= VMBUS_VERSION_3_0 ? contact->target_vp : 0;
    uint32_t sint = HV_SINT_VMBUS;
    bool multi_client = server->contact.connection_id == VMBUS_CONNECTION_MULTI_CLIENT;
    server->version = 0;
    server->features = 0;
    server->interrupt_page = NULL;
    server->monitor_page = NULL;
    if (processor >= server->configuration.processors) {
        vmbus_violation(server, "INITIATE_CONTACT", "connecting", "the target processor exists",
                        0);
        processor = 0;
    }
    bool supported = version_known(version) && version <= server->configuration.highest_version;
    if (supported && multi_client && version >= VMBUS_VERSION_5_0) {
        if (version >= VMBUS_VERSION_5_1 && contact->target_vtl != 0) {
            vmbus_violation(server, "INITIATE_CONTACT", "connecting",
                            "the target trust level exists", 0);
            return;
        }
        if (contact->target_sint != HV_SINT_VMBUS) {
            vmbus_violation(server, "INITIATE_CONTACT", "connecting", "the target SINT is 2", 0);
            sint = contact->target_sint < HV_SYNIC_SINT_COUNT ? contact->target_sint : sint;
            supported = false;
        }
    }
    if (!supported) {
        send_version_response(server, processor, sint, false, VMBUS_CONNECTION_STATE_SUCCESS);
        return;
    }
    if (!set_connection(server)) {
        server->monitor_page = NULL;
        /* The state byte does not exist before 2.4, so failure is told as "unsupported". */
        bool state_exists = version >= VMBUS_VERSION_2_4;
        send_version_response(server, processor, sint, state_exists,
                              state_exists ? VMBUS_CONNECTION_STATE_UNKNOWN
                                           : VMBUS_CONNECTION_STATE_SUCCESS);
        return;
    }
    server->connected = true;
    server->version = version;
    server->message_processor = processor;
    send_version_response(server, processor, sint, true, VMBUS_CONNECTION_STATE_SUCCESS);
}

void vmbus_handle_initiate_contact(struct vmbus_server *server, uint32_t connection_id,
                                   const uint8_t *message, size_t size)
{
    struct vmbus_contact contact = {.connection_id = connection_id, .size = size};
    size_t known = size < sizeof(contact.message) ? size : sizeof(contact.message);
    memcpy(&contact.message, message, known);
    server->contact = contact;
    vmbus_server_disconnect(server, VMBUS_THEN_CONTACT);
}

void vmbus_handle_unload(struct vmbus_server *server)
{
    vmbus_server_disconnect(server, VMBUS_THEN_UNLOAD_RESPONSE);
}

void vmbus_handle_modify_connection(struct vmbus_server *server, const uint8_t *message)
{
    struct vmbus_message_modify_connection modify;
    memcpy(&modify, message, sizeof(modify));
    bool good = set_monitor_pages(server, modify.monitor_page_host_to_guest,
                                  modify.monitor_page_guest_to_host);
    struct vmbus_message_modify_connection_response response = {
        .header.type = VMBUS_MESSAGE_MODIFY_CONNECTION_RESPONSE,
        .connection_state = good ? VMBUS_CONNECTION_STATE_SUCCESS
                                 : VMBUS_CONNECTION_STATE_UNKNOWN,
    };
    vmbus_send(server, &response, sizeof(response));
}

/* Calls `visit` for every channel; it may destroy the one it is given. */
static void for_each_channel(struct vmbus_server *server, void (*visit)(struct host_channel *))
{
    struct host_device *device = server->devices;
    while (device != NULL) {
        struct host_device *next_device = device->next;
        struct host_channel *channel = device->channels;
        while (channel != NULL) {
            struct host_channel *next = channel->next;
            bool last = next == NULL;
            visit(channel); /* with the device's last channel the device may go, too */
            channel = next;
            if (last) {
                break;
            }
        }
        device = next_device;
    }
}

static void close_if_open(struct host_channel *channel)
{
    channel->open_waiting = false;
    if (channel->state == HOST_CHANNEL_OPEN && !channel->reserved) {
        host_channel_begin_close(channel);
    }
}

/* The old guest knows nothing any more: what is left of the channel is the device's offer. */
static void forget(struct host_channel *channel)
{
    channel->offered = false;
    if (channel->reserved) {
        return;
    }
    host_gpadl_drop_channel(channel);
    if (channel->rescinded || channel->sub_channel_index != 0 || channel->device->removing) {
        host_channel_destroy(channel);
    } else {
        channel->guest_released = false;
        host_channel_unassign(channel);
    }
}

static bool channels_closed(const struct vmbus_server *server)
{
    for (const struct host_device *device = server->devices; device != NULL;
         device = device->next) {
        for (const struct host_channel *channel = device->channels; channel != NULL;
             channel = channel->next) {
            if (channel->state == HOST_CHANNEL_CLOSING ||
                (channel->state == HOST_CHANNEL_OPEN && !channel->reserved)) {
                return false;
            }
        }
    }
    return true;
}

void vmbus_disconnect_progress(struct vmbus_server *server)
{
    if (!server->disconnecting || !channels_closed(server)) {
        return;
    }
    server->disconnecting = false;
    for_each_channel(server, forget);
    enum vmbus_after_disconnect then = server->then;
    server->then = VMBUS_THEN_NOTHING;
    if (then == VMBUS_THEN_CONTACT) {
        answer_contact(server);
    } else {
        server->version = 0;
        server->features = 0;
        server->interrupt_page = NULL;
        server->monitor_page = NULL;
    }
    if (then == VMBUS_THEN_UNLOAD_RESPONSE) {
        struct vmbus_message_header response = {.type = VMBUS_MESSAGE_UNLOAD_RESPONSE};
        vmbus_send_to(server, server->message_processor, HV_SINT_VMBUS, &response,
                      sizeof(response));
    }
}

void vmbus_server_disconnect(struct vmbus_server *server, enum vmbus_after_disconnect then)
{
    server->connected = false;
    server->offers_requested = false;
    server->then = then;
    server->paused = false;
    vmbus_server_port_ready(server);
    if (!server->disconnecting) {
        /* A device may be done with its channel at once; nothing may go on before all were told. */
        for_each_channel(server, close_if_open);
        server->disconnecting = true;
    }
    vmbus_disconnect_progress(server);
}

void vmbus_server_reset(struct vmbus_server *server)
{
    for (unsigned id = 1; id <= VMBUS_CHANNEL_MAXIMUM; id++) {
        if (server->channels[id] != NULL) {
            server->channels[id]->reserved = false;
        }
    }
    vmbus_server_disconnect(server, VMBUS_THEN_NOTHING);
    vmbus_outbox_clear(server);
}
