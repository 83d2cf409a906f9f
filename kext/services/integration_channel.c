/* SPDX-License-Identifier: BSD-3-Clause */
/* Attaches an integration service's engine to its VMBus channel. */
#include "kext/services/integration_channel.h"

#include "abi/kpi/iolib.h"
#include "abi/kpi/libkern.h"
#include "abi/runtime.h"
#include "kext/core/log.h"

/* The host sends one request and waits for the reply, so the ring has room for it unless the host
 * is broken: there is no point in waiting long. */
static void send_reply(struct integration_channel *integration, uint64_t transaction_id,
                       uint32_t length)
{
    const struct ring_piece piece = { integration->message, length };
    int error = device_channel_begin(integration->channel);

    if (error == 0) {
        error = device_channel_append_echo(integration->channel, transaction_id, &piece, 1);
        device_channel_commit(integration->channel);
    }
    if (error != 0 && hv_log_now(++integration->replies_lost))
        hv_log(integration->engine.service->name, "a reply was lost (error %d)", error);
}

/* What was refused here, without a daemon's log. "Failed" is also what every request hears while
 * there is no daemon: no news. */
static void log_refusal(struct integration_channel *integration, int result)
{
    const char *name = integration->engine.service->name;
    struct ic_message_header header;

    if (result < 0) {
        if (hv_log_now(integration->engine.counters.dropped))
            hv_log(name, "a message of the host's was dropped: it contradicts itself");
        return;
    }
    memcpy(&header, integration->message, sizeof header);
    if (header.status != IC_STATUS_OK && header.status != IC_STATUS_FAIL &&
        hv_log_now(++integration->refused))
        hv_log(name, "a request of the host's was refused with 0x%08x", header.status);
}

static void packet_arrived(void *owner, struct device_channel *channel,
                           const struct packet_view *packet)
{
    struct integration_channel *integration = owner;
    int length;

    /* The ring is the queue: one request at a time is what hosts send. A new negotiation while one
     * is put off makes that one void. */
    if (packet->length > integration->capacity)
        return;
    if (integration->pending.busy) {
        integration->engine.counters.stale++;
        integration->pending.busy = false;
    }
    memcpy(integration->message, packet->data, packet->length);
    integration->channel = channel;
    integration->pending.packet_transaction_id = packet->transaction_id;
    integration->pending.length = packet->length;
    length = integration_receive(&integration->engine, integration->message, packet->length,
                                 integration->capacity);
    if (length != 0)
        log_refusal(integration, length);
    if (length > 0) {
        send_reply(integration, packet->transaction_id, (uint32_t)length);
    } else if (length == 0) {
        integration->pending.generation = integration->engine.generation;
        integration->pending.busy = true;
    }
}

int integration_channel_open(struct integration_channel *integration, IOService *provider,
                             const struct integration_service *service, void *context,
                             uint32_t ring_pages, uint32_t message_maximum)
{
    const struct device_channel_options options = {
        .transmit_pages = ring_pages,
        .receive_pages = ring_pages,
        .request_maximum = 1,
        .packet_maximum = (uint32_t)sizeof(struct vmbus_packet_header) + message_maximum,
        .target_processor = DEVICE_CHANNEL_ANY_PROCESSOR,
        .owner = integration,
        .handlers = { .packet = packet_arrived },
    };
    int error;

    memset(integration, 0, sizeof *integration);
    integration_init(&integration->engine, service, context);
    integration->device = device_of_provider(provider);
    if (integration->device == NULL)
        return HV_ERROR_INVALID;
    integration->capacity = message_maximum;
    integration->message = IOMalloc(message_maximum);
    if (integration->message == NULL)
        return HV_ERROR_NO_RESOURCES;
    error = device_channel_open(integration->device, 0, &options, &integration->channel);
    if (error != 0) {
        IOFree(integration->message, message_maximum);
        integration->message = NULL;
    }
    return error;
}

void integration_channel_close(struct integration_channel *integration)
{
    if (integration->message == NULL)
        return;
    device_channel_close(integration->channel);
    IOFree(integration->message, integration->capacity);
    memset(integration, 0, sizeof *integration);
}

void *integration_channel_body(struct integration_channel *integration)
{
    return integration->message + sizeof(struct ic_message_header);
}

static int32_t finish_gated(OSObject *owner, void *argument, void *status, void *body_size,
                            void *unused)
{
    struct integration_channel *integration = argument;
    struct integration_pending *pending = &integration->pending;
    int length;

    if (!pending->busy)
        return HV_ERROR_GONE;
    pending->busy = false;
    length = integration_finish(&integration->engine, integration->message, pending->generation,
                                *(uint32_t *)status, *(uint32_t *)body_size);
    if (length < 0)
        return length;
    send_reply(integration, pending->packet_transaction_id, (uint32_t)length);
    return 0;
}

int integration_channel_finish(struct integration_channel *integration, uint32_t status,
                               uint32_t body_size)
{
    if (integration->message == NULL)
        return HV_ERROR_GONE;
    return IOWorkLoop_runAction(device_channel_work_loop(integration->channel), finish_gated,
                                (OSObject *)integration->device, integration, &status, &body_size,
                                NULL);
}

int integration_channel_echo(struct integration_channel *integration, uint32_t status)
{
    struct ic_message_header header;

    if (integration->message == NULL)
        return HV_ERROR_GONE;
    memcpy(&header, integration->message, sizeof header);
    return integration_channel_finish(integration, status, header.body_size);
}
