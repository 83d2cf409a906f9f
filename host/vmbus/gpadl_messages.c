/* SPDX-License-Identifier: BSD-3-Clause */
/* GPADL control messages: collecting the ranges, creation, teardown. */
#include <stdlib.h>
#include <string.h>

#include "host/vmbus/state.h"

static struct host_gpadl **bucket(struct vmbus_server *server, uint32_t id)
{
    return &server->gpadls[id % VMBUS_GPADL_BUCKETS];
}

struct host_gpadl *host_gpadl_find(struct vmbus_server *server, uint32_t id)
{
    struct host_gpadl *gpadl = *bucket(server, id);
    while (gpadl != NULL && gpadl->id != id) {
        gpadl = gpadl->next;
    }
    return gpadl;
}

void host_gpadl_drop(struct vmbus_server *server, struct host_gpadl *gpadl)
{
    struct host_gpadl **link = bucket(server, gpadl->id);
    while (*link != gpadl) {
        link = &(*link)->next;
    }
    *link = gpadl->next;
    server->gpadl_count--;
    server->gpadl_pages -= gpadl->word_count;
    host_gpadl_free(gpadl);
}

static void send_created(struct vmbus_server *server, uint32_t channel_id, uint32_t gpadl_id,
                         uint32_t status)
{
    struct vmbus_message_gpadl_created created = {
        .header.type = VMBUS_MESSAGE_GPADL_CREATED,
        .channel_id = channel_id,
        .gpadl_id = gpadl_id,
        .status = status,
    };
    vmbus_send(server, &created, sizeof(created));
}

/* Answers a teardown; the memory is the guest's again. */
static void send_torndown(struct vmbus_server *server, struct host_gpadl *gpadl)
{
    struct vmbus_message_gpadl_torndown torndown = {
        .header.type = VMBUS_MESSAGE_GPADL_TORNDOWN,
        .gpadl_id = gpadl->id,
    };
    host_gpadl_drop(server, gpadl);
    vmbus_send(server, &torndown, sizeof(torndown));
}

/* The ranges are complete: parse them and answer. */
static void finish(struct vmbus_server *server, struct host_gpadl *gpadl)
{
    struct host_channel *channel = gpadl->channel;
    uint32_t id = gpadl->id;
    int result = host_gpadl_finish(gpadl, server->configuration.memory);
    if (result < 0) {
        vmbus_violation(server, "GPADL_HEADER", host_channel_state_name(channel),
                        "each range has a length, an offset below 4096 and pages of guest RAM",
                        channel->id);
    } else if (channel->state == HOST_CHANNEL_OPEN && !channel->rescinded) {
        const struct vmbus_device_operations *operations = channel->device->operations;
        gpadl->known = true;
        if (operations->gpadl_created != NULL) {
            result = operations->gpadl_created(channel->device->device, channel, gpadl);
        }
    }
    if (result < 0) {
        host_gpadl_drop(server, gpadl);
    }
    send_created(server, channel->id, id,
                 result < 0 ? VMBUS_STATUS_UNEXPECTED : VMBUS_STATUS_SUCCESS);
}

/* The rule that a header breaks, or NULL. */
static const char *header_fault(struct vmbus_server *server,
                                const struct vmbus_message_gpadl_header *header,
                                const struct host_channel *channel)
{
    if (channel == NULL) {
        return "the channel exists";
    }
    if (header->gpadl_id == 0) {
        return "a GPADL's id is not 0";
    }
    if (host_gpadl_find(server, header->gpadl_id) != NULL) {
        return "a GPADL's id is not in use";
    }
    if (header->range_count == 0) {
        return "a GPADL has at least one range";
    }
    size_t words = header->range_buffer_length / sizeof(uint64_t);
    if (header->range_buffer_length % sizeof(uint64_t) != 0 || words < 2u * header->range_count) {
        return "the range buffer holds whole ranges of at least one page";
    }
    if (server->gpadl_count >= VMBUS_GPADLS_MAXIMUM ||
        server->gpadl_pages + words > VMBUS_GPADL_PAGES_TOTAL_MAXIMUM) {
        return "the number of GPADLs is bounded";
    }
    return NULL;
}

void vmbus_handle_gpadl_header(struct vmbus_server *server, const uint8_t *message, size_t size)
{
    struct vmbus_message_gpadl_header header;
    memcpy(&header, message, sizeof(header));
    struct host_channel *channel = vmbus_server_channel(server, header.channel_id);
    const char *rule = header_fault(server, &header, channel);
    struct host_gpadl *gpadl = NULL;
    if (rule == NULL) {
        gpadl = host_gpadl_allocate(header.gpadl_id, header.range_count,
                                    header.range_buffer_length / sizeof(uint64_t));
    } else {
        vmbus_violation(server, "GPADL_HEADER",
                        channel == NULL ? "unknown channel" : host_channel_state_name(channel),
                        rule, header.channel_id);
    }
    if (gpadl == NULL) {
        send_created(server, header.channel_id, header.gpadl_id, VMBUS_STATUS_UNEXPECTED);
        return;
    }
    gpadl->channel = channel;
    gpadl->next = *bucket(server, gpadl->id);
    *bucket(server, gpadl->id) = gpadl;
    server->gpadl_count++;
    server->gpadl_pages += gpadl->word_count;
    if (host_gpadl_collect(gpadl, message + sizeof(header), size - sizeof(header))) {
        finish(server, gpadl);
    }
}

void vmbus_handle_gpadl_body(struct vmbus_server *server, const uint8_t *message, size_t size)
{
    struct vmbus_message_gpadl_body body;
    memcpy(&body, message, sizeof(body));
    struct host_gpadl *gpadl = host_gpadl_find(server, body.gpadl_id);
    if (gpadl == NULL || gpadl->state != HOST_GPADL_BUILDING) {
        vmbus_violation(server, "GPADL_BODY", gpadl == NULL ? "unknown GPADL" : "complete",
                        "a body follows an incomplete header", 0);
        return;
    }
    if (size - sizeof(body) < sizeof(uint64_t)) {
        vmbus_violation(server, "GPADL_BODY", "building", "a body carries page numbers",
                        gpadl->channel->id);
        uint32_t channel_id = gpadl->channel->id;
        host_gpadl_drop(server, gpadl);
        send_created(server, channel_id, body.gpadl_id, VMBUS_STATUS_UNEXPECTED);
        return;
    }
    if (host_gpadl_collect(gpadl, message + sizeof(body), size - sizeof(body))) {
        finish(server, gpadl);
    }
}

/* Whether a teardown has to wait for the device. */
static bool in_use(const struct host_gpadl *gpadl)
{
    return gpadl->channel->state != HOST_CHANNEL_CLOSED && (gpadl->ring || gpadl->known);
}

void vmbus_handle_gpadl_teardown(struct vmbus_server *server, const uint8_t *message)
{
    struct vmbus_message_gpadl_teardown teardown;
    memcpy(&teardown, message, sizeof(teardown));
    struct host_gpadl *gpadl = host_gpadl_find(server, teardown.gpadl_id);
    const char *rule = NULL;
    if (gpadl == NULL) {
        rule = "the GPADL exists";
    } else if (gpadl->channel->id != teardown.channel_id) {
        rule = "the GPADL belongs to this channel";
    } else if (gpadl->state == HOST_GPADL_BUILDING) {
        rule = "the GPADL is complete";
    } else if (gpadl->state == HOST_GPADL_TEARING_DOWN) {
        rule = "the GPADL is not being torn down already";
    }
    if (rule != NULL) {
        vmbus_violation(server, "GPADL_TEARDOWN",
                        gpadl == NULL ? "unknown GPADL" : host_channel_state_name(gpadl->channel),
                        rule, teardown.channel_id);
        return;
    }
    struct host_channel *channel = gpadl->channel;
    if (!in_use(gpadl)) {
        send_torndown(server, gpadl);
        return;
    }
    gpadl->state = HOST_GPADL_TEARING_DOWN;
    if (gpadl->ring) {
        if (channel->state == HOST_CHANNEL_OPEN) {
            vmbus_violation(server, "GPADL_TEARDOWN", "open",
                            "a channel is closed before its ring is torn down", channel->id);
        }
        return;
    }
    if (channel->state == HOST_CHANNEL_OPEN) {
        if (channel->device->operations->gpadl_torn_down == NULL) {
            send_torndown(server, gpadl);
        } else {
            channel->device->operations->gpadl_torn_down(channel->device->device, channel, gpadl);
        }
    }
}

void host_gpadl_released(struct host_gpadl *gpadl)
{
    if (gpadl->state == HOST_GPADL_TEARING_DOWN && !gpadl->ring) {
        send_torndown(gpadl->channel->server, gpadl);
    }
}

/* Calls `visit` for each GPADL of the channel; it may drop the one it is given. */
static void for_each_of_channel(struct host_channel *channel,
                                void (*visit)(struct vmbus_server *, struct host_gpadl *))
{
    struct vmbus_server *server = channel->server;
    for (unsigned i = 0; i < VMBUS_GPADL_BUCKETS; i++) {
        struct host_gpadl *gpadl = server->gpadls[i];
        while (gpadl != NULL) {
            struct host_gpadl *next = gpadl->next;
            if (gpadl->channel == channel) {
                visit(server, gpadl);
            }
            gpadl = next;
        }
    }
}

static void let_go(struct vmbus_server *server, struct host_gpadl *gpadl)
{
    gpadl->ring = false;
    gpadl->known = false;
    if (gpadl->state == HOST_GPADL_TEARING_DOWN) {
        send_torndown(server, gpadl);
    }
}

void host_gpadl_channel_closed(struct host_channel *channel)
{
    for_each_of_channel(channel, let_go);
}

static void fail_or_let_go(struct vmbus_server *server, struct host_gpadl *gpadl)
{
    if (gpadl->state == HOST_GPADL_BUILDING) {
        uint32_t channel_id = gpadl->channel->id;
        uint32_t id = gpadl->id;
        host_gpadl_drop(server, gpadl);
        send_created(server, channel_id, id, VMBUS_STATUS_UNEXPECTED);
    } else if (gpadl->state == HOST_GPADL_TEARING_DOWN && !in_use(gpadl)) {
        send_torndown(server, gpadl);
    }
}

void host_gpadl_channel_rescinded(struct host_channel *channel)
{
    for_each_of_channel(channel, fail_or_let_go);
}

void host_gpadl_drop_channel(struct host_channel *channel)
{
    for_each_of_channel(channel, host_gpadl_drop);
}

struct host_gpadl *host_channel_gpadl(struct host_channel *channel, uint32_t gpadl_id)
{
    struct host_gpadl *gpadl = host_gpadl_find(channel->server, gpadl_id);
    bool usable = gpadl != NULL && gpadl->channel->device == channel->device &&
                  gpadl->state == HOST_GPADL_CREATED && !gpadl->ring;
    return usable ? gpadl : NULL;
}
