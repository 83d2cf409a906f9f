/* SPDX-License-Identifier: BSD-3-Clause */
/* IOBasicOutputQueue.c - frames that wait for the driver. One thread at a time hands them to its
 * outputPacket; when the driver says "stall" they stay until it calls service(). */
#include "xnu/families/network/network_private.h"

enum { RUNNING = 1, STALLED = 2, ACTIVE = 4, SERVICE_MORE = 8 };

struct output_queue {
    IONetworkController *target; /* borrowed: it owns the queue */
    struct machine_spin_lock lock;
    mbuf_t first, last;
    uint32_t size, capacity, state;
    uint32_t dropped, output, stalls;
};

static struct output_queue *state_of(const IOBasicOutputQueue *me)
{
    return (struct output_queue *)(void *)me->_reserved;
}

IOBasicOutputQueue *
IOBasicOutputQueue_withTarget_networkcontroller_integer32(IONetworkController *target,
                                                          uint32_t capacity)
{
    IOBasicOutputQueue *me = object_new(&IOBasicOutputQueue_gMetaClass);
    struct output_queue *queue;

    if (!me)
        return NULL;
    queue = machine_allocate_zeroed(sizeof *queue, 0);
    if (!queue) {
        object_release(me);
        return NULL;
    }
    queue->target = target;
    queue->capacity = capacity;
    me->_reserved = (void *)queue;
    return me;
}

void IOBasicOutputQueue__free(IOBasicOutputQueue *me)
{
    if (me->_reserved) {
        IOOutputQueue_flush((IOOutputQueue *)me);
        machine_release(state_of(me), sizeof(struct output_queue));
        me->_reserved = NULL;
    }
    OSObject_super_free((OSObject *)me);
}

/* ---- handing frames over ------------------------------------------------------------------- */

/* The next frame, if the queue may go on; otherwise it is no longer active. The lock is held. */
static mbuf_t next_frame(struct output_queue *queue)
{
    mbuf_t packet = queue->first;

    if ((queue->state & RUNNING) == 0 || (queue->state & STALLED) != 0 || !packet) {
        queue->state &= ~(uint32_t)ACTIVE;
        return NULL;
    }
    queue->first = mbuf_nextpkt(packet);
    if (!queue->first)
        queue->last = NULL;
    queue->size--;
    mbuf_setnextpkt(packet, NULL);
    queue->state &= ~(uint32_t)SERVICE_MORE;
    return packet;
}

/* What the driver said to a frame; the lock is held. */
static void note_result(struct output_queue *queue, mbuf_t packet, uint32_t result)
{
    if ((result & kIOOutputStatusMask) == kIOOutputStatusRetry) {
        mbuf_setnextpkt(packet, queue->first);
        queue->first = packet;
        if (!queue->last)
            queue->last = packet;
        queue->size++;
    } else if ((result & kIOOutputStatusMask) == kIOOutputStatusDropped) {
        queue->dropped++;
    } else {
        queue->output++;
    }
    if ((result & kIOOutputCommandMask) == kIOOutputCommandStall) {
        queue->stalls++;
        /* A call of service() in the meantime counts. */
        if ((queue->state & SERVICE_MORE) == 0)
            queue->state |= STALLED;
    }
}

static void hand_over(struct output_queue *queue)
{
    mbuf_t packet;

    machine_spin_lock(&queue->lock);
    if ((queue->state & ACTIVE) != 0) {
        machine_spin_unlock(&queue->lock);
        return; /* whoever is at it takes what was added */
    }
    queue->state |= ACTIVE;
    while ((packet = next_frame(queue)) != NULL) {
        machine_spin_unlock(&queue->lock);
        uint32_t result = IONetworkController_outputPacket(queue->target, packet, NULL);
        machine_spin_lock(&queue->lock);
        note_result(queue, packet, result);
    }
    machine_spin_unlock(&queue->lock);
}

static void add_frame(struct output_queue *queue, mbuf_t packet)
{
    mbuf_setnextpkt(packet, NULL);
    if (queue->last)
        mbuf_setnextpkt(queue->last, packet);
    else
        queue->first = packet;
    queue->last = packet;
    queue->size++;
}

/* Takes a list of frames; returns how many found no room. */
uint32_t IOBasicOutputQueue__enqueue(IOBasicOutputQueue *me, mbuf_t packet, void *parameter)
{
    struct output_queue *queue = state_of(me);
    uint32_t dropped = 0;

    machine_spin_lock(&queue->lock);
    while (packet && queue->size < queue->capacity) {
        mbuf_t next = mbuf_nextpkt(packet);

        add_frame(queue, packet);
        packet = next;
    }
    for (mbuf_t left = packet; left; left = mbuf_nextpkt(left))
        dropped++;
    queue->dropped += dropped;
    machine_spin_unlock(&queue->lock);
    if (packet)
        mbuf_freem_list(packet);
    hand_over(queue);
    return dropped;
}

bool IOBasicOutputQueue__service(IOBasicOutputQueue *me, uint32_t options)
{
    struct output_queue *queue = state_of(me);

    machine_spin_lock(&queue->lock);
    bool running = (queue->state & RUNNING) != 0;
    queue->state = (queue->state & ~(uint32_t)STALLED) | (queue->state & ACTIVE ? SERVICE_MORE : 0);
    machine_spin_unlock(&queue->lock);
    hand_over(queue);
    return running;
}

/* ---- control ------------------------------------------------------------------------------- */

bool IOBasicOutputQueue__start(IOBasicOutputQueue *me)
{
    struct output_queue *queue = state_of(me);

    machine_spin_lock(&queue->lock);
    queue->state = (queue->state | RUNNING) & ~(uint32_t)STALLED;
    machine_spin_unlock(&queue->lock);
    hand_over(queue);
    return true;
}

bool IOBasicOutputQueue__stop(IOBasicOutputQueue *me)
{
    struct output_queue *queue = state_of(me);

    machine_spin_lock(&queue->lock);
    bool was_running = (queue->state & RUNNING) != 0;
    queue->state &= ~(uint32_t)RUNNING;
    /* No call of the driver is under way when this returns. */
    while ((queue->state & ACTIVE) != 0) {
        machine_spin_unlock(&queue->lock);
        machine_yield();
        machine_spin_lock(&queue->lock);
    }
    machine_spin_unlock(&queue->lock);
    return was_running;
}

uint32_t IOBasicOutputQueue__flush(IOBasicOutputQueue *me)
{
    struct output_queue *queue = state_of(me);

    machine_spin_lock(&queue->lock);
    mbuf_t first = queue->first;
    uint32_t count = queue->size;
    queue->first = queue->last = NULL;
    queue->size = 0;
    queue->dropped += count;
    machine_spin_unlock(&queue->lock);
    if (first)
        mbuf_freem_list(first);
    return count;
}

bool IOBasicOutputQueue__setCapacity(IOBasicOutputQueue *me, uint32_t capacity)
{
    state_of(me)->capacity = capacity;
    return true;
}

uint32_t IOBasicOutputQueue__getCapacity(IOBasicOutputQueue *me)
{
    return state_of(me)->capacity;
}

uint32_t IOBasicOutputQueue__getSize(IOBasicOutputQueue *me)
{
    return state_of(me)->size;
}

uint32_t IOBasicOutputQueue__getDropCount(IOBasicOutputQueue *me)
{
    return state_of(me)->dropped;
}

uint32_t IOBasicOutputQueue__getOutputCount(IOBasicOutputQueue *me)
{
    return state_of(me)->output;
}

uint32_t IOBasicOutputQueue__getStallCount(IOBasicOutputQueue *me)
{
    return state_of(me)->stalls;
}

void IOBasicOutputQueue__serviceThread(IOBasicOutputQueue *me, void *parameter)
{
    hand_over(state_of(me));
}
