/* SPDX-License-Identifier: BSD-3-Clause */
/* Faults on packets. */
#include "host/faults/packet_faults.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/vmbus/device.h"

static uint32_t type_of(const uint8_t *bytes)
{
    struct vmbus_packet_header header;
    memcpy(&header, bytes, sizeof(header));
    return header.type;
}

/* A packet's header must keep telling its true length, or the ring itself would break. */
static void set_length(uint8_t *bytes, uint32_t length)
{
    struct vmbus_packet_header header;
    memcpy(&header, bytes, sizeof(header));
    header.length8 = (uint16_t)(length / 8);
    if (header.data_offset8 > header.length8) {
        header.data_offset8 = header.length8;
    }
    memcpy(bytes, &header, sizeof(header));
}

static bool from_guest(void *context, struct host_channel *channel, uint8_t *bytes,
                       size_t *length)
{
    struct packet_faults *faults = context;
    size_t before = *length;
    struct fault_outcome outcome = fault_plan_apply(
        faults->plan, FAULT_REQUEST, type_of(bytes), host_channel_id(channel), bytes, length,
        sizeof(struct vmbus_packet_header), 8);
    if (*length != before) {
        set_length(bytes, (uint32_t)*length);
    }
    if (outcome.rescind) {
        faults->rescind = channel;
    }
    return !outcome.drop;
}

/* Sends what waited for this channel's next packet. */
static void release_overtaken(struct packet_faults *faults, struct host_channel *channel)
{
    struct held_item *item;
    while ((item = held_take(&faults->held, 0, true, channel)) != NULL) {
        /* Not at once: the packet that overtakes is written after this call. */
        struct held_item *again = held_add(&faults->held, faults->now, item->bytes, item->size);
        if (again != NULL) {
            again->channel = channel;
        }
        free(item);
    }
}

static unsigned to_guest(void *context, struct host_channel *channel, uint8_t *bytes,
                         uint32_t *length)
{
    struct packet_faults *faults = context;
    uint32_t type = type_of(bytes);
    size_t size = *length;
    struct fault_outcome outcome = fault_plan_apply(
        faults->plan, type == VMBUS_PACKET_COMPLETION ? FAULT_COMPLETION : FAULT_PACKET, type,
        host_channel_id(channel), bytes, &size, sizeof(struct vmbus_packet_header), 8);
    if (size != *length) {
        *length = (uint32_t)size;
        set_length(bytes, *length);
    }
    if (outcome.rescind) {
        faults->rescind = channel;
    }
    if (outcome.drop) {
        return 0;
    }
    if (outcome.delay != 0 || outcome.reorder) {
        uint64_t wait = outcome.reorder ? HELD_REORDER_LIMIT : outcome.delay;
        struct held_item *item = held_add(&faults->held, faults->now + wait, bytes, size);
        if (item != NULL) {
            item->channel = channel;
            item->after_next = outcome.reorder;
        }
        return 0;
    }
    release_overtaken(faults, channel);
    return outcome.duplicate ? 2 : 1;
}

void packet_faults_initialise(struct packet_faults *faults, struct fault_plan *plan)
{
    memset(faults, 0, sizeof(*faults));
    faults->plan = plan;
    faults->filter = (struct host_packet_filter){faults, from_guest, to_guest};
}

void packet_faults_free(struct packet_faults *faults)
{
    held_clear(&faults->held, NULL);
}

uint64_t packet_faults_run(struct packet_faults *faults, uint64_t now)
{
    faults->now = now;
    struct held_item *item;
    while ((item = held_take(&faults->held, now, false, NULL)) != NULL) {
        if (host_channel_send_raw(item->channel, item->bytes, (uint32_t)item->size) == -EAGAIN) {
            struct held_item *again =
                held_add(&faults->held, now + HELD_RETRY, item->bytes, item->size);
            if (again != NULL) {
                again->channel = item->channel;
            }
        }
        host_channel_flush(item->channel);
        free(item);
    }
    return held_deadline(&faults->held);
}

void packet_faults_channel_closed(struct packet_faults *faults,
                                  const struct host_channel *channel)
{
    held_clear(&faults->held, channel);
    if (faults->rescind == channel) {
        faults->rescind = NULL;
    }
}
