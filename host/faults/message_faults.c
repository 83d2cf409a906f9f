/* SPDX-License-Identifier: BSD-3-Clause */
/* Faults on control messages. */
#include "host/faults/message_faults.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void message_faults_initialise(struct message_faults *faults, struct host_machine *machine,
                               struct fault_plan *plan)
{
    memset(faults, 0, sizeof(*faults));
    faults->machine = machine;
    faults->plan = plan;
}

void message_faults_free(struct message_faults *faults)
{
    held_clear(&faults->held, NULL);
}

static uint32_t word_at(const void *message, size_t size, size_t offset)
{
    uint32_t word = 0;
    if (size >= offset + sizeof(word)) {
        memcpy(&word, (const uint8_t *)message + offset, sizeof(word));
    }
    return word;
}

/* The channel that a message is about, or 0 where it names none. */
static uint32_t channel_of(const void *message, size_t size)
{
    switch (word_at(message, size, 0)) {
    case VMBUS_MESSAGE_OFFER_CHANNEL:
        return word_at(message, size, offsetof(struct vmbus_message_offer_channel, channel_id));
    case VMBUS_MESSAGE_RESCIND_CHANNEL:
    case VMBUS_MESSAGE_OPEN_CHANNEL:
    case VMBUS_MESSAGE_OPEN_RESULT:
    case VMBUS_MESSAGE_CLOSE_CHANNEL:
    case VMBUS_MESSAGE_GPADL_HEADER:
    case VMBUS_MESSAGE_GPADL_CREATED:
    case VMBUS_MESSAGE_GPADL_TEARDOWN:
    case VMBUS_MESSAGE_RELID_RELEASED:
    case VMBUS_MESSAGE_MODIFY_CHANNEL:
    case VMBUS_MESSAGE_MODIFY_CHANNEL_RESPONSE:
        return word_at(message, size, offsetof(struct vmbus_message_channel, channel_id));
    default:
        return 0;
    }
}

/* Answers a request with failure. The bodies that follow a GPADL's header go with it. */
static bool fail(struct message_faults *faults, const void *payload, size_t size)
{
    if (!vmbus_server_fail(faults->machine->server, payload, size)) {
        return false;
    }
    if (word_at(payload, size, 0) == VMBUS_MESSAGE_GPADL_HEADER) {
        faults->failed_gpadl =
            word_at(payload, size, offsetof(struct vmbus_message_gpadl_header, gpadl_id));
    }
    return true;
}

/* True for a body of the GPADL last failed; a header ends that. */
static bool belongs_to_failed(struct message_faults *faults, const void *payload, size_t size)
{
    uint32_t type = word_at(payload, size, 0);
    if (type == VMBUS_MESSAGE_GPADL_HEADER) {
        faults->failed_gpadl = 0;
    }
    return type == VMBUS_MESSAGE_GPADL_BODY && faults->failed_gpadl != 0 &&
           faults->failed_gpadl ==
               word_at(payload, size, offsetof(struct vmbus_message_gpadl_body, gpadl_id));
}

bool message_faults_post(struct message_faults *faults, const void *payload, size_t size,
                         uint32_t *status)
{
    uint8_t copy[VMBUS_MESSAGE_SIZE_MAXIMUM];
    memcpy(copy, payload, size);
    uint32_t channel = channel_of(payload, size);
    struct fault_outcome outcome = fault_plan_apply(
        faults->plan, FAULT_POST, word_at(payload, size, 0), channel, copy, &size, size, 1);
    if (outcome.rescind) {
        faults->rescind_channel = channel;
    }
    if (outcome.status != 0) {
        *status = outcome.status;
        return false;
    }
    if (outcome.drop || belongs_to_failed(faults, payload, size)) {
        return false;
    }
    return !outcome.fail || !fail(faults, payload, size);
}

/* Delivers past the filter. A port without a free buffer gets it a little later. */
static void deliver(struct message_faults *faults, uint32_t processor, uint32_t sint,
                    const void *bytes, size_t size)
{
    if (host_machine_deliver(faults->machine, processor, sint, bytes, size) == -EAGAIN) {
        struct held_item *item =
            held_add(&faults->held, faults->now + HELD_RETRY, bytes, size);
        if (item != NULL) {
            item->processor = processor;
            item->sint = sint;
        }
    }
}

static void hold(struct message_faults *faults, const struct fault_outcome *outcome,
                 uint32_t processor, uint32_t sint, const void *bytes, size_t size)
{
    uint64_t wait = outcome->reorder ? HELD_REORDER_LIMIT : outcome->delay;
    struct held_item *item = held_add(&faults->held, faults->now + wait, bytes, size);
    if (item != NULL) {
        item->after_next = outcome->reorder;
        item->processor = processor;
        item->sint = sint;
    }
}

bool message_faults_send(struct message_faults *faults, uint32_t processor, uint32_t sint,
                         const void *message, size_t size)
{
    uint8_t bytes[VMBUS_MESSAGE_SIZE_MAXIMUM];
    size_t length = size;
    memcpy(bytes, message, size);
    uint32_t channel = channel_of(message, size);
    struct fault_outcome outcome =
        fault_plan_apply(faults->plan, FAULT_MESSAGE, word_at(message, size, 0), channel, bytes,
                         &length, sizeof(struct vmbus_message_header), 1);
    if (outcome.rescind) {
        faults->rescind_channel = channel;
    }
    if (outcome.drop) {
        return false;
    }
    if (outcome.delay != 0 || outcome.reorder) {
        hold(faults, &outcome, processor, sint, bytes, length);
        return false;
    }
    for (unsigned i = 0; i < (outcome.duplicate ? 2 : 1); i++) {
        deliver(faults, processor, sint, bytes, length);
    }
    struct held_item *item;
    while ((item = held_take(&faults->held, 0, true, NULL)) != NULL) {
        deliver(faults, item->processor, item->sint, item->bytes, item->size);
        free(item);
    }
    return false;
}

void message_faults_run(struct message_faults *faults, uint64_t now)
{
    faults->now = now;
    struct held_item *item;
    while ((item = held_take(&faults->held, now, false, NULL)) != NULL) {
        deliver(faults, item->processor, item->sint, item->bytes, item->size);
        free(item);
    }
    if (faults->rescind_channel != 0) {
        struct host_channel *channel =
            vmbus_server_channel(faults->machine->server, faults->rescind_channel);
        faults->rescind_channel = 0;
        if (channel != NULL) {
            host_device_unplug(host_channel_primary(channel));
        }
    }
}

uint64_t message_faults_deadline(const struct message_faults *faults)
{
    return faults->rescind_channel != 0 ? 0 : held_deadline(&faults->held);
}
