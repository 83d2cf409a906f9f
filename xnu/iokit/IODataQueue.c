/* SPDX-License-Identifier: BSD-3-Clause */
/* IODataQueue.c - a ring of variable-sized entries in memory that a process can map
 * (xnu iokit/Kernel/IODataQueue.cpp, IOSharedDataQueue.cpp).
 * The layout is that of IODataQueueShared.h. */
#include "abi/IODataQueue.h"
#include "abi/IOMemoryDescriptor.h"
#include "abi/IOSharedDataQueue.h"

#include "xnu/libkern/object.h"
#include "xnu/machine/memory.h"

struct _IODataQueueEntry {
    uint32_t size;
    uint8_t data[];
};

struct _IODataQueueMemory {
    uint32_t queue_size;                 /* bytes of the ring */
    volatile uint32_t head, tail;        /* offsets into it; equal: empty */
    uint8_t ring[];
};

enum { ENTRY_HEADER = sizeof(struct _IODataQueueEntry), ALIGNMENT = 4 };

static uint32_t aligned(uint32_t size)
{
    return (size + ALIGNMENT - 1) & ~(uint32_t)(ALIGNMENT - 1);
}

static size_t memory_size(uint32_t queue_size)
{
    size_t size = sizeof(struct _IODataQueueMemory) + queue_size;

    return (size + MACHINE_PAGE_SIZE - 1) & ~(size_t)(MACHINE_PAGE_SIZE - 1);
}

/* ---- IODataQueue ---------------------------------------------------------------------------- */

static void *made_with(void *queue, bool initialised)
{
    if (queue && !initialised) {
        object_release(queue);
        return NULL;
    }
    return queue;
}

IODataQueue *IODataQueue_withCapacity(uint32_t size)
{
    IODataQueue *me = object_new(&IODataQueue_gMetaClass);

    return made_with(me, me && IODataQueue_initWithCapacity(me, size));
}

IODataQueue *IODataQueue_withEntries(uint32_t count, uint32_t entry_size)
{
    IODataQueue *me = object_new(&IODataQueue_gMetaClass);

    return made_with(me, me && IODataQueue_initWithEntries(me, count, entry_size));
}

bool IODataQueue__initWithCapacity(IODataQueue *me, uint32_t size)
{
    if (!OSObject_super_init((OSObject *)me))
        return false;
    if (size > UINT32_MAX - sizeof(struct _IODataQueueMemory) - MACHINE_PAGE_SIZE)
        return false;
    me->dataQueue = machine_pages_allocate(memory_size(size), 0, MACHINE_NO_LIMIT);
    if (!me->dataQueue)
        return false;
    me->dataQueue->queue_size = size;
    return true;
}

bool IODataQueue__initWithEntries(IODataQueue *me, uint32_t count, uint32_t entry_size)
{
    uint64_t size = (uint64_t)count * (aligned(entry_size) + (uint64_t)ENTRY_HEADER);

    return entry_size <= UINT32_MAX - 2 * ALIGNMENT && size <= UINT32_MAX &&
           IODataQueue_initWithCapacity(me, (uint32_t)size);
}

void IODataQueue__free(IODataQueue *me)
{
    if (me->dataQueue)
        machine_pages_release(me->dataQueue, memory_size(me->dataQueue->queue_size));
    OSObject_super_free((OSObject *)me);
}

/* Where an entry of `size` bytes goes, or NULL when the ring is full; *wraps: at its beginning. The
 * head and tail may be in memory that a process writes, so both are checked. */
static struct _IODataQueueEntry *room_for(struct _IODataQueueMemory *queue, uint32_t queue_size,
                                          uint32_t size, bool *wraps)
{
    uint32_t head = queue->head, tail = queue->tail;

    *wraps = false;
    if (head > queue_size || tail > queue_size)
        return NULL;
    if (tail >= head) {
        if (size <= queue_size - tail)
            return (struct _IODataQueueEntry *)(void *)(queue->ring + tail);
        if (head <= size)
            return NULL;                 /* the tail must not meet the head from behind */
        *wraps = true;
        return (struct _IODataQueueEntry *)(void *)queue->ring;
    }
    if (head - tail <= size)
        return NULL;
    return (struct _IODataQueueEntry *)(void *)(queue->ring + tail);
}

bool IODataQueue__enqueue(IODataQueue *me, void *data, uint32_t size)
{
    struct _IODataQueueMemory *queue = me->dataQueue;
    uint32_t queue_size = queue->queue_size;
    uint32_t entry_size = aligned(size) + ENTRY_HEADER;
    uint32_t tail = queue->tail;
    bool was_empty = queue->head == tail;
    bool wraps;

    if (size > UINT32_MAX - 2 * ALIGNMENT)
        return false;
    struct _IODataQueueEntry *entry = room_for(queue, queue_size, entry_size, &wraps);
    if (!entry)
        return false;
    entry->size = size;
    __builtin_memcpy(entry->data, data, size);
    /* The reader learns of a wrap from the size at the end of the ring,
     * where there is room for it. */
    if (wraps && queue_size - tail >= ENTRY_HEADER)
        ((struct _IODataQueueEntry *)(void *)(queue->ring + tail))->size = size;
    __atomic_store_n(&queue->tail, wraps ? entry_size : tail + entry_size, __ATOMIC_RELEASE);
    if (was_empty)
        IODataQueue_sendDataAvailableNotification(me);
    return true;
}

/* Notification ports are Mach ports, which no process here has. */
void IODataQueue__setNotificationPort(IODataQueue *me, struct ipc_port *port)
{
    me->notifyMsg = port;
}

void IODataQueue__sendDataAvailableNotification(IODataQueue *me)
{
}

IOMemoryDescriptor *IODataQueue__getMemoryDescriptor(IODataQueue *me)
{
    if (!me->dataQueue)
        return NULL;
    return IOMemoryDescriptor_withAddress_pointer(me->dataQueue,
                                                  sizeof(struct _IODataQueueMemory) +
                                                      me->dataQueue->queue_size,
                                                  kIODirectionOutIn);
}

/* ---- IOSharedDataQueue: both ends may use it ------------------------------------------------- */

IOSharedDataQueue *IOSharedDataQueue_withCapacity(uint32_t size)
{
    IOSharedDataQueue *me = object_new(&IOSharedDataQueue_gMetaClass);

    return made_with(me, me && IODataQueue_initWithCapacity((IODataQueue *)me, size));
}

IOSharedDataQueue *IOSharedDataQueue_withEntries(uint32_t count, uint32_t entry_size)
{
    IOSharedDataQueue *me = object_new(&IOSharedDataQueue_gMetaClass);

    return made_with(me, me && IODataQueue_initWithEntries((IODataQueue *)me, count, entry_size));
}

bool IOSharedDataQueue__initWithCapacity(IOSharedDataQueue *me, uint32_t size)
{
    return IODataQueue__initWithCapacity((IODataQueue *)me, size);
}

void IOSharedDataQueue__free(IOSharedDataQueue *me)
{
    IODataQueue__free((IODataQueue *)me);
}

IOMemoryDescriptor *IOSharedDataQueue__getMemoryDescriptor(IOSharedDataQueue *me)
{
    return IODataQueue__getMemoryDescriptor((IODataQueue *)me);
}

bool IOSharedDataQueue__enqueue(IOSharedDataQueue *me, void *data, uint32_t size)
{
    return IODataQueue__enqueue((IODataQueue *)me, data, size);
}

uint32_t IOSharedDataQueue_getQueueSize(IOSharedDataQueue *me)
{
    return me->dataQueue->queue_size;
}

/* The entry at the head and the head that follows it;
 * NULL when there is none or the ring is damaged. */
static struct _IODataQueueEntry *first_entry(struct _IODataQueueMemory *queue, uint32_t *next)
{
    uint32_t head = queue->head, size = queue->queue_size;
    uint32_t tail = __atomic_load_n(&queue->tail, __ATOMIC_ACQUIRE);

    if (head == tail || head > size || tail > size)
        return NULL;
    bool wraps = size - head < ENTRY_HEADER;
    if (!wraps) {
        uint32_t length = ((struct _IODataQueueEntry *)(void *)(queue->ring + head))->size;
        wraps = length > size - head - ENTRY_HEADER || aligned(length) > size - head - ENTRY_HEADER;
    }
    uint32_t at = wraps ? 0 : head;
    struct _IODataQueueEntry *entry = (void *)(queue->ring + at);
    if (size - at < ENTRY_HEADER || entry->size > size - at - ENTRY_HEADER)
        return NULL;
    *next = at + ENTRY_HEADER + aligned(entry->size);
    return entry;
}

struct _IODataQueueEntry *IOSharedDataQueue__peek(IOSharedDataQueue *me)
{
    uint32_t next;

    return first_entry(me->dataQueue, &next);
}

/* *size is the room on entry, the entry's size on return; too little room: false,
 * nothing is taken. */
bool IOSharedDataQueue__dequeue(IOSharedDataQueue *me, void *data, uint32_t *size)
{
    uint32_t next;
    struct _IODataQueueEntry *entry = first_entry(me->dataQueue, &next);

    if (!entry)
        return false;
    if (data) {
        uint32_t length = entry->size;
        if (!size || length > *size)
            return false;
        __builtin_memcpy(data, entry->data, length);
    }
    if (size)
        *size = entry->size;
    __atomic_store_n(&me->dataQueue->head, next, __ATOMIC_RELEASE);
    return true;
}
