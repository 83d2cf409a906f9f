/* SPDX-License-Identifier: BSD-3-Clause */
/* Attaches an integration service's engine to its VMBus channel: what every service's class needs
 * besides its own handler. */
#ifndef KEXT_SERVICES_INTEGRATION_CHANNEL_H
#define KEXT_SERVICES_INTEGRATION_CHANNEL_H

#include "kext/core/device_channel.h"
#include "kext/services/integration.h"

/* A request that was put off: its message, to be handed to integration_channel_finish. */
struct integration_pending {
    bool busy;
    uint32_t generation;
    uint64_t packet_transaction_id;
    uint32_t length;
};

/* Everything but the engine's handler runs on the channel's work loop, gate closed; `pending` and
 * `message` may be touched in the gate only. */
struct integration_channel {
    struct integration_engine engine;
    HyperVVMBusDevice *device;
    struct device_channel *channel;
    uint8_t *message;               /* the message being handled, and room for the reply */
    uint32_t capacity;
    struct integration_pending pending;
    uint64_t refused;               /* requests, with another status than "failed" */
    uint64_t replies_lost;          /* the ring was full for too long, or the channel went */
};

/* Opens the channel of `provider` (a HyperVVMBusDevice) for `service`. `ring_pages` of data each
 * way; `message_maximum` is the largest message of the service, its header included. Blocks;
 * errors of device_channel_open, HV_ERROR_INVALID if the provider is no such device. */
int integration_channel_open(struct integration_channel *integration, IOService *provider,
                             const struct integration_service *service, void *context,
                             uint32_t ring_pages, uint32_t message_maximum);

/* Closes the channel; what was put off is dropped. Blocks; not inside the channel's gate. */
void integration_channel_close(struct integration_channel *integration);

/* Sends the reply to the request that the handler put off (INTEGRATION_LATER), from any thread:
 * `body_size` bytes of body stand in integration_channel_body. Returns 0, or HV_ERROR_GONE if the
 * request is void (the host negotiated anew, or the channel is closed). */
int integration_channel_finish(struct integration_channel *integration, uint32_t status,
                               uint32_t body_size);

/* The same with the body as it stands, as long as the request's. */
int integration_channel_echo(struct integration_channel *integration, uint32_t status);

/* Body of the message being handled or put off. */
void *integration_channel_body(struct integration_channel *integration);

#endif
