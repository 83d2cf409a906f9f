/* SPDX-License-Identifier: BSD-3-Clause */
/* The host's side that all integration services share. */
#include "host/devices/integration.h"

#include <errno.h>
#include <string.h>

static const uint32_t framework_versions[] = {IC_FRAMEWORK_1_0, IC_FRAMEWORK_3_0};

enum { NEGOTIATION_TRANSACTION = 0 };

const char *integration_state_name(enum integration_state state)
{
    static const char *const names[] = {
        [INTEGRATION_CLOSED] = "closed",
        [INTEGRATION_NEGOTIATING] = "negotiating",
        [INTEGRATION_READY] = "ready",
        [INTEGRATION_STOPPED] = "stopped",
    };
    return names[state];
}

static struct ic_version wire_version(uint32_t version)
{
    return (struct ic_version){(uint16_t)IC_VERSION_MAJOR(version),
                               (uint16_t)IC_VERSION_MINOR(version)};
}

static uint32_t host_version(struct ic_version version)
{
    return IC_VERSION(version.major, version.minor);
}

static void stop(struct integration_channel *channel, const char *rule)
{
    channel->state = INTEGRATION_STOPPED;
    channel->waiting = false;
    host_channel_violation(channel->channel, rule);
}

/* ---- Sending ---- */

static int send_message(struct integration_channel *channel, struct ic_message_header *header,
                        const void *body, size_t size)
{
    const size_t pipe_size = sizeof(header->pipe); /* host_channel_send() adds it */
    header->body_size = (uint16_t)size;
    header->flags = IC_FLAGS_REQUEST;
    const struct iovec pieces[] = {
        {(uint8_t *)header + pipe_size, sizeof(*header) - pipe_size},
        {(void *)(uintptr_t)body, size},
    };
    int result = host_channel_send(channel->channel, 0, false, pieces, 2);
    channel->dirty |= result == 0;
    return result;
}

/* Writes those of `from` that are not newer than `most`; returns how many. */
static unsigned offer_versions(struct ic_version *to, const uint32_t *from, unsigned count,
                               uint32_t most)
{
    unsigned offered = 0;
    for (unsigned i = 0; i < count && offered < INTEGRATION_VERSIONS_MAX; i++) {
        if (from[i] <= most) {
            to[offered++] = wire_version(from[i]);
        }
    }
    return offered;
}

static int send_negotiation(struct integration_channel *channel)
{
    struct ic_version versions[2 * INTEGRATION_VERSIONS_MAX];
    struct ic_negotiate negotiate = {0};
    uint8_t body[sizeof(negotiate) + sizeof(versions)];
    const struct integration_settings *settings = channel->settings;
    unsigned frameworks = offer_versions(versions, framework_versions,
                                         sizeof(framework_versions) / sizeof(uint32_t),
                                         channel->framework_max);
    unsigned messages = offer_versions(versions + frameworks, settings->versions,
                                       settings->version_count, channel->version_max);
    negotiate.framework_version_count = (uint16_t)frameworks;
    negotiate.message_version_count = (uint16_t)messages;
    const size_t versions_size = (frameworks + messages) * sizeof(struct ic_version);
    memcpy(body, &negotiate, sizeof(negotiate));
    memcpy(body + sizeof(negotiate), versions, versions_size);
    struct ic_message_header header = {
        .message_type = IC_MESSAGE_NEGOTIATE,
        .transaction_id = NEGOTIATION_TRANSACTION,
    };
    return send_message(channel, &header, body, sizeof(negotiate) + versions_size);
}

int integration_renegotiate(struct integration_channel *channel)
{
    if (channel->state != INTEGRATION_READY) {
        return -ENOTCONN;
    }
    int result = send_negotiation(channel);
    if (result == 0) {
        channel->state = INTEGRATION_NEGOTIATING;
        channel->waiting = false;
    }
    return result;
}

int integration_send(struct integration_channel *channel, const void *body, size_t size)
{
    if (channel->state != INTEGRATION_READY) {
        return -ENOTCONN;
    }
    if (channel->waiting) {
        return -EBUSY;
    }
    if (size > INTEGRATION_BODY_MAX - sizeof(struct ic_message_header)) {
        return -EMSGSIZE;
    }
    struct ic_message_header header = {
        .framework_version = wire_version(channel->framework_version),
        .message_type = channel->settings->message_type,
        .message_version = wire_version(channel->message_version),
        .transaction_id = (uint8_t)(channel->transaction_id + 1),
    };
    int result = send_message(channel, &header, body, size);
    if (result == 0) {
        channel->transaction_id++;
        channel->waiting = true;
        channel->requests++;
    }
    return result;
}

void integration_give_up(struct integration_channel *channel)
{
    channel->given_up += channel->waiting;
    channel->waiting = false;
}

void integration_flush(struct integration_channel *channel)
{
    if (channel->dirty && channel->state != INTEGRATION_CLOSED) {
        host_channel_flush(channel->channel);
    }
    channel->dirty = false;
}

/* ---- Receiving ---- */

static bool was_offered(uint32_t version, const uint32_t *list, unsigned count, uint32_t most)
{
    for (unsigned i = 0; i < count; i++) {
        if (list[i] == version && version <= most) {
            return true;
        }
    }
    return false;
}

static void take_negotiation(struct integration_channel *channel,
                             const struct ic_message_header *header, const uint8_t *body,
                             size_t size)
{
    struct ic_negotiate_reply reply;
    const struct integration_settings *settings = channel->settings;
    if (header->transaction_id != NEGOTIATION_TRANSACTION || size < sizeof(reply)) {
        stop(channel, "a negotiation reply has the request's transaction id, and two versions");
        return;
    }
    memcpy(&reply, body, sizeof(reply));
    if (reply.framework_version_count != 1 || reply.message_version_count != 1) {
        stop(channel, "a negotiation reply chooses one framework and one message version");
        return;
    }
    uint32_t framework = host_version(reply.framework_version);
    uint32_t message = host_version(reply.message_version);
    if (!was_offered(framework, framework_versions,
                     sizeof(framework_versions) / sizeof(uint32_t), channel->framework_max) ||
        !was_offered(message, settings->versions, settings->version_count,
                     channel->version_max)) {
        stop(channel, "a negotiation reply chooses versions that were offered");
        return;
    }
    if (channel->state == INTEGRATION_READY) {
        /* Guests answer every request that they see: one that reached them twice has two replies,
         * which are the same and change nothing. */
        if (framework != channel->framework_version || message != channel->message_version) {
            stop(channel, "a second reply to a negotiation chooses what the first one did");
        }
        return;
    }
    channel->framework_version = framework;
    channel->message_version = message;
    channel->state = INTEGRATION_READY;
    if (channel->events->negotiated != NULL) {
        channel->events->negotiated(channel->service);
    }
}

static void take_answer(struct integration_channel *channel,
                        const struct ic_message_header *header, const uint8_t *body, size_t size)
{
    if (channel->state == INTEGRATION_NEGOTIATING) {
        return; /* an answer that was under way when the versions were offered anew */
    }
    if (header->message_type != channel->settings->message_type) {
        stop(channel, "an integration service answers with the type of the request");
        return;
    }
    if (!channel->waiting) {
        return; /* the service has given up, or the guest answers twice: harmless */
    }
    if (header->transaction_id != channel->transaction_id && channel->given_up > 0) {
        channel->given_up--;
        return; /* late, of a request that was given up */
    }
    if (header->transaction_id != channel->transaction_id) {
        stop(channel, "an answer has the transaction id of the outstanding request");
        return;
    }
    channel->waiting = false;
    channel->answers++;
    if (channel->events->answered != NULL) {
        channel->events->answered(channel->service, header->status, body, size);
    }
}

static void take_message(struct integration_channel *channel, const uint8_t *data, size_t size)
{
    struct ic_message_header header = {0};
    const size_t pipe_size = sizeof(header.pipe);
    if (size < IC_HEADER_SIZE_WITHOUT_PIPE) {
        stop(channel, "an integration message has a header of 20 bytes");
        return;
    }
    memcpy((uint8_t *)&header + pipe_size, data, IC_HEADER_SIZE_WITHOUT_PIPE);
    if (header.body_size > size - IC_HEADER_SIZE_WITHOUT_PIPE) {
        stop(channel, "the body of an integration message lies within the packet");
        return;
    }
    if ((header.flags & IC_FLAGS_RESPONSE) != IC_FLAGS_RESPONSE) {
        stop(channel, "an answer has the flags transaction and response");
        return;
    }
    const uint8_t *body = data + IC_HEADER_SIZE_WITHOUT_PIPE;
    if (header.message_type == IC_MESSAGE_NEGOTIATE) {
        take_negotiation(channel, &header, body, header.body_size);
    } else {
        take_answer(channel, &header, body, header.body_size);
    }
}

/* ---- The channel ---- */

static int opened(void *device, struct host_channel *host_channel,
                  const struct vmbus_open_request *request)
{
    struct integration_channel *channel = device;
    channel->state = INTEGRATION_NEGOTIATING;
    channel->framework_version = channel->message_version = 0;
    channel->waiting = false;
    channel->given_up = 0;
    channel->offer_due = true; /* ready() comes next: the host speaks first */
    return 0;
}

static void closed(void *device, struct host_channel *host_channel)
{
    struct integration_channel *channel = device;
    channel->state = INTEGRATION_CLOSED;
    channel->waiting = false;
    if (channel->events->closed != NULL) {
        channel->events->closed(channel->service);
    }
    host_channel_released(host_channel);
}

static void ready(void *device, struct host_channel *host_channel)
{
    struct integration_channel *channel = device;
    struct host_packet packet;
    if (channel->state == INTEGRATION_NEGOTIATING && channel->offer_due) {
        channel->offer_due = send_negotiation(channel) == -EAGAIN;
    }
    while (channel->state != INTEGRATION_STOPPED && channel->state != INTEGRATION_CLOSED &&
           host_channel_receive(host_channel, &packet) == 1) {
        if (packet.type != VMBUS_PACKET_IN_BAND) {
            stop(channel, "integration messages are in-band packets");
            return;
        }
        take_message(channel, packet.payload, packet.payload_size);
    }
}

static void removed(void *device)
{
    struct integration_channel *channel = device;
    channel->channel = NULL;
}

void integration_initialise(struct integration_channel *channel,
                            const struct integration_settings *settings, uint32_t framework_max,
                            uint32_t version_max, const struct integration_events *events,
                            void *service)
{
    *channel = (struct integration_channel){
        .settings = settings,
        .framework_max = framework_max,
        .version_max = version_max,
        .events = events,
        .service = service,
        .bus = {
            .name = settings->name,
            .opened = opened,
            .closed = closed,
            .ready = ready,
            .removed = removed,
        },
    };
}

int integration_plug(struct integration_channel *channel, struct vmbus_server *server)
{
    struct vmbus_device_offer offer = {
        .class_id = channel->settings->class_id,
        .instance_id = channel->settings->instance_id,
        .flags = VMBUS_OFFER_ENUMERATE_INTERFACE | VMBUS_OFFER_PIPE,
    };
    const uint32_t pipe_type = VMBUS_OFFER_PIPE_TYPE_MESSAGE;
    memcpy(offer.user_data, &pipe_type, sizeof(pipe_type));
    return host_device_plug(server, &offer, &channel->bus, channel, &channel->channel);
}

void integration_unplug(struct integration_channel *channel)
{
    if (channel->channel != NULL) {
        host_device_unplug(channel->channel);
    }
}
