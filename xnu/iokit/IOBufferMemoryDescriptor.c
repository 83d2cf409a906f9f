/* SPDX-License-Identifier: BSD-3-Clause */
/* IOBufferMemoryDescriptor.c - a descriptor that owns its memory
 * (xnu iokit/Kernel/IOBufferMemoryDescriptor.cpp). */
#include "abi/IOBufferMemoryDescriptor.h"
#include "abi/kpi/vm.h"

#include "xnu/iokit/memory_private.h"
#include "xnu/libkern/object.h"
#include "xnu/machine/memory.h"

struct IOBufferMemoryDescriptor_ExpansionData {
    uint64_t unused;
};

enum { INTERNAL_PAGES = 1 };             /* _internalFlags: the buffer is made of whole pages */

static uint64_t round_up(uint64_t value, uint64_t alignment)
{
    return (value + alignment - 1) & ~(alignment - 1);
}

/* ---- factories ------------------------------------------------------------------------------ */

static IOBufferMemoryDescriptor *create(task_t task, uint32_t options, uint64_t capacity,
                                        uint64_t alignment, uint64_t mask)
{
    IOBufferMemoryDescriptor *me = object_new(&IOBufferMemoryDescriptor_gMetaClass);

    if (me && !IOBufferMemoryDescriptor_initWithPhysicalMask(me, task, options, capacity, alignment,
                                                             mask)) {
        object_release(me);
        return NULL;
    }
    return me;
}

IOBufferMemoryDescriptor *IOBufferMemoryDescriptor_inTaskWithOptions(task_t task, uint32_t options,
                                                                     unsigned long capacity,
                                                                     unsigned long alignment)
{
    return create(task, options, capacity, alignment, 0);
}

IOBufferMemoryDescriptor *IOBufferMemoryDescriptor_inTaskWithOptions_number(
    task_t task, uint32_t options, unsigned long capacity, unsigned long alignment,
    uint32_t kernel_tag, uint32_t user_tag)
{
    return create(task, options, capacity, alignment, 0);
}

IOBufferMemoryDescriptor *IOBufferMemoryDescriptor_inTaskWithPhysicalMask(task_t task,
                                                                          uint32_t options,
                                                                          uint64_t capacity,
                                                                          uint64_t mask)
{
    return create(task, options, capacity, 1, mask);
}

IOBufferMemoryDescriptor *IOBufferMemoryDescriptor_withOptions(uint32_t options,
                                                               unsigned long capacity,
                                                               unsigned long alignment)
{
    return create(kernel_task, options, capacity, alignment, 0);
}

IOBufferMemoryDescriptor *IOBufferMemoryDescriptor_withCapacity(unsigned long capacity,
                                                                uint32_t direction, bool contiguous)
{
    return create(kernel_task, direction | (contiguous ? kIOMemoryPhysicallyContiguous : 0),
                  capacity, contiguous ? capacity : 1, 0);
}

IOBufferMemoryDescriptor *IOBufferMemoryDescriptor_withBytes(const void *bytes,
                                                             unsigned long length,
                                                             uint32_t direction, bool contiguous)
{
    IOBufferMemoryDescriptor *me = IOBufferMemoryDescriptor_withCapacity(length, direction,
                                                                         contiguous);

    if (me) {
        IOBufferMemoryDescriptor_setLength(me, 0);
        IOBufferMemoryDescriptor_appendBytes(me, bytes, length);
    }
    return me;
}

/* ---- the buffer ----------------------------------------------------------------------------- */

/* A mask gives the alignment by its lowest set bit and the highest address by all below it too. */
static void apply_mask(uint64_t mask, uint64_t *alignment, uint64_t *highest)
{
    *highest = MACHINE_NO_LIMIT;
    if (mask == 0 || *alignment > 1)
        return;
    *alignment = mask & (0 - mask);
    *highest = mask | (*alignment - 1);
    if (*alignment < MACHINE_PAGE_SIZE)
        *alignment = MACHINE_PAGE_SIZE;
}

static bool is_power_of_two(uint64_t value)
{
    return (value & (value - 1)) == 0;
}

static bool allocate_buffer(IOBufferMemoryDescriptor *me, uint64_t highest)
{
    bool pages = me->_alignment >= MACHINE_PAGE_SIZE || highest != MACHINE_NO_LIMIT ||
                 (me->_options & (kIOMemoryPhysicallyContiguous | kIOMemoryPageable |
                                  kIOMemorySharingTypeMask | kIOMapCacheMask));

    me->_buffer = pages ? machine_pages_allocate(me->_capacity, me->_alignment, highest)
                        : machine_allocate_zeroed(me->_capacity, me->_alignment);
    me->_internalFlags = pages ? INTERNAL_PAGES : 0;
    return me->_buffer != NULL;
}

bool IOBufferMemoryDescriptor__initWithPhysicalMask(IOBufferMemoryDescriptor *me, task_t task,
                                                    uint32_t options, uint64_t capacity,
                                                    uint64_t alignment, uint64_t mask)
{
    uint64_t highest;

    if (capacity == 0 || (task != kernel_task && !(options & kIOMemoryPageable)) || !task)
        return false;
    if (alignment == 0)
        alignment = 1;
    if (!is_power_of_two(alignment)) {   /* withCapacity(contiguous) asks for its own size */
        uint64_t rounded = 1;
        while (rounded < alignment)
            rounded <<= 1;
        alignment = rounded;
    }
    apply_mask(mask, &alignment, &highest);
    if (alignment > MACHINE_PAGE_SIZE)
        options |= kIOMemoryPhysicallyContiguous;
    if (round_up(capacity, alignment) < capacity)
        return false;
    me->_options = options;
    me->_capacity = capacity;
    me->_alignment = alignment;
    if (!allocate_buffer(me, highest))
        return false;
    IOAddressRange range = { (uintptr_t)me->_buffer, capacity };
    uint32_t flags = (options & kIOMemoryDirectionMask) | kIOMemoryTypeVirtual64 |
                     kIOMemoryAutoPrepare |
                     (options & kIOMapCacheMask ? kIOMemoryBufferPageable : 0);
    return IOGeneralMemoryDescriptor__initWithOptions((IOGeneralMemoryDescriptor *)me, &range, 1, 0,
                                                      task, flags, NULL);
}

void IOBufferMemoryDescriptor__free(IOBufferMemoryDescriptor *me)
{
    void *buffer = me->_buffer;
    unsigned long capacity = me->_capacity;
    bool pages = me->_internalFlags & INTERNAL_PAGES;

    IOGeneralMemoryDescriptor__free((IOGeneralMemoryDescriptor *)me);
    if (!buffer)
        return;
    if (pages)
        machine_pages_release(buffer, capacity);
    else
        machine_release(buffer, capacity);
}

/* ---- contents ------------------------------------------------------------------------------- */

void IOBufferMemoryDescriptor__setLength(IOBufferMemoryDescriptor *me, unsigned long length)
{
    if (length > me->_capacity)
        return;
    me->_length = length;
    (*(IOAddressRange **)me->_ranges)->length = length;
}

void IOBufferMemoryDescriptor__setDirection(IOBufferMemoryDescriptor *me, uint32_t direction)
{
    me->_flags = (me->_flags & ~(uint32_t)kIOMemoryDirectionMask) |
                 (direction & kIOMemoryDirectionMask);
}

unsigned long IOBufferMemoryDescriptor__getCapacity(IOBufferMemoryDescriptor *me)
{
    return me->_capacity;
}

void *IOBufferMemoryDescriptor__getBytesNoCopy(IOBufferMemoryDescriptor *me)
{
    return me->_buffer;
}

void *IOBufferMemoryDescriptor__getBytesNoCopy_number(IOBufferMemoryDescriptor *me,
                                                      unsigned long start, unsigned long length)
{
    if (start >= me->_length || length > me->_length - start)
        return NULL;
    return (char *)me->_buffer + start;
}

bool IOBufferMemoryDescriptor__appendBytes(IOBufferMemoryDescriptor *me, const void *bytes,
                                           unsigned long length)
{
    unsigned long room = me->_capacity - me->_length;
    unsigned long copied = length < room ? length : room;
    unsigned long at = me->_length;

    IOBufferMemoryDescriptor_setLength(me, at + copied);
    if (copied != 0)
        __builtin_memcpy((char *)me->_buffer + at, bytes, copied);
    return true;
}
