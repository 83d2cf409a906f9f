/* SPDX-License-Identifier: BSD-3-Clause */
/* A channel offer of the host, checked. */
#include "kext/core/offer.h"

#include "kext/core/errors.h"
#include "kext/core/shared_memory.h"

int offer_parse(const void *message, uint32_t size, uint32_t version, struct offer *offer)
{
    struct vmbus_message_offer_channel wire;
    uint32_t highest = version < VMBUS_VERSION_2_4 ? VMBUS_CHANNEL_MAXIMUM_SHARED
                                                   : VMBUS_CHANNEL_MAXIMUM;

    if (size < vmbus_host_message_minimum(VMBUS_MESSAGE_OFFER_CHANNEL, version))
        return HV_ERROR_MALFORMED;
    memset(&wire, 0, sizeof wire);
    memcpy(&wire, message, size < sizeof wire ? size : sizeof wire);
    if (wire.channel_id == 0 || wire.channel_id > highest)
        return HV_ERROR_MALFORMED;
    memset(offer, 0, sizeof *offer);
    offer->class_id = wire.class_id;
    offer->instance_id = wire.instance_id;
    offer->channel_id = wire.channel_id;
    offer->flags = wire.flags;
    offer->mmio_megabytes = wire.mmio_megabytes;
    offer->monitor_id = wire.monitor_id;
    offer->monitored = (wire.monitor_allocated & VMBUS_OFFER_MONITOR_ALLOCATED) != 0 &&
                       wire.monitor_id != VMBUS_MONITOR_NONE;
    if (version >= VMBUS_VERSION_2_4)
        offer->subchannel_index = wire.subchannel_index;
    /* 0.13 has neither of the last two fields: everything goes over the shared connection. */
    offer->connection_id = VMBUS_CONNECTION_EVENT;
    if (version >= VMBUS_VERSION_1_1) {
        offer->connection_id = wire.connection_id;
        offer->dedicated_interrupt =
            (wire.dedicated_interrupt & VMBUS_OFFER_DEDICATED_INTERRUPT) != 0;
    }
    offer->message_pipe = (wire.flags & VMBUS_OFFER_PIPE) != 0 &&
                          wire.pipe.pipe_type == VMBUS_OFFER_PIPE_TYPE_MESSAGE;
    memcpy(offer->user_data, wire.user_data, sizeof offer->user_data);
    return 0;
}
