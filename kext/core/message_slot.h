/* SPDX-License-Identifier: BSD-3-Clause */
/* Takes messages out of a SynIC message slot, and keeps them until a thread has time for them.
 *
 * The rule of consumption: copy the slot, then free it (type = 0), then a full barrier, then look
 * at the pending flag; if it is set the end of message must be written on the same processor.
 * Sources: TLFS, Linux vmbus_signal_eom. */
#ifndef KEXT_CORE_MESSAGE_SLOT_H
#define KEXT_CORE_MESSAGE_SLOT_H

#include "protocol/hypervisor.h"

/* Copies the message out of `slot` (shared memory). Returns false if the slot is empty. The copy's
 * payload_size is at most HV_MESSAGE_PAYLOAD_MAXIMUM: a larger one is cut to 0. */
bool message_slot_take(const struct hv_message *slot, struct hv_message *copy);

/* Frees `slot` if it still holds a message of type `message_type`, so that two paths cannot both
 * complete the same message. Returns true if HV_MSR_EOM must be written on this processor. */
bool message_slot_release(struct hv_message *slot, uint32_t message_type);

#define MESSAGE_QUEUE_SIZE 64u      /* a power of two */

/* Messages on their way from the interrupt handler (one producer) to a thread (one consumer). */
struct message_queue {
    struct hv_message messages[MESSAGE_QUEUE_SIZE];
    uint32_t head;                  /* next to put; counts on and on */
    uint32_t tail;                  /* next to get */
};

/* Where the producer may put the next message; NULL if the queue is full (leave the message in its
 * slot then, which holds the host back). message_queue_put makes it visible. */
struct hv_message *message_queue_room(struct message_queue *queue);
void message_queue_put(struct message_queue *queue);

/* Copies the oldest message to `copy` and removes it. Returns false if there is none. */
bool message_queue_get(struct message_queue *queue, struct hv_message *copy);

#endif
