/* SPDX-License-Identifier: BSD-3-Clause */
/* Takes messages out of a SynIC message slot, and queues them. */
#include "kext/core/message_slot.h"

#include "kext/core/shared_memory.h"

bool message_slot_take(const struct hv_message *slot, struct hv_message *copy)
{
    uint32_t type = shared_load((const uint32_t *)(const void *)slot);

    if (type == HV_MESSAGE_TYPE_NONE)
        return false;
    shared_copy_out(copy, slot, sizeof *copy);
    copy->message_type = type;
    if (copy->payload_size > HV_MESSAGE_PAYLOAD_MAXIMUM)
        copy->payload_size = 0;
    return true;
}

bool message_slot_release(struct hv_message *slot, uint32_t message_type)
{
    const uint8_t *flags = (const uint8_t *)slot + offsetof(struct hv_message, message_flags);
    uint32_t expected = message_type;

    if (!__atomic_compare_exchange_n((uint32_t *)(void *)slot, &expected, HV_MESSAGE_TYPE_NONE,
                                     false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return false;
    /* The locked exchange is the full barrier: the flag may be set until the slot is free. */
    return (__atomic_load_n(flags, __ATOMIC_SEQ_CST) & HV_MESSAGE_FLAG_PENDING) != 0;
}

struct hv_message *message_queue_room(struct message_queue *queue)
{
    if (queue->head - shared_load(&queue->tail) == MESSAGE_QUEUE_SIZE)
        return NULL;
    return &queue->messages[queue->head % MESSAGE_QUEUE_SIZE];
}

void message_queue_put(struct message_queue *queue)
{
    shared_store(&queue->head, queue->head + 1);
}

bool message_queue_get(struct message_queue *queue, struct hv_message *copy)
{
    if (queue->tail == shared_load(&queue->head))
        return false;
    *copy = queue->messages[queue->tail % MESSAGE_QUEUE_SIZE];
    shared_publish(&queue->tail, queue->tail + 1);
    return true;
}
