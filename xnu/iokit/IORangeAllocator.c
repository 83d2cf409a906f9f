/* SPDX-License-Identifier: BSD-3-Clause */
/* IORangeAllocator.c - hands out ranges of numbers (xnu iokit/Kernel/IORangeAllocator.cpp).
 *
 * The free fragments are kept sorted in `elements`; both ends are inclusive. */
#include "abi/IORangeAllocator.h"
#include "abi/kpi/locks.h"

#include "xnu/bsd/kpi.h"
#include "xnu/libkern/object.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/threads.h"

struct IORangeAllocatorElement {
    uint64_t start, end;
};

#define LOCKING 1u                   /* options: kLocking */

/* One lock for all, as in the kernel; made when first needed. */
KPI_DATA(IOLock *, gIORangeAllocatorLock);

static void lock(const IORangeAllocator *me)
{
    if (!(me->options & LOCKING))
        return;
    IOLock *expected = NULL;
    if (!__atomic_load_n(&gIORangeAllocatorLock, __ATOMIC_ACQUIRE)) {
        IOLock *made = IOLockAlloc();
        if (!__atomic_compare_exchange_n(&gIORangeAllocatorLock, &expected, made, false,
                                         __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            IOLockFree(made);
    }
    IOLockLock(gIORangeAllocatorLock);
}

static void unlock(const IORangeAllocator *me)
{
    if (me->options & LOCKING)
        IOLockUnlock(gIORangeAllocatorLock);
}

IORangeAllocator *IORangeAllocator_withRange(uint64_t end, uint64_t alignment, uint32_t capacity,
                                             uint32_t options)
{
    IORangeAllocator *me = object_new(&IORangeAllocator_gMetaClass);

    if (me && !IORangeAllocator_init_number_number_number_number(me, end, alignment, capacity,
                                                                 options)) {
        object_release(me);
        return NULL;
    }
    return me;
}

/* `end` 0: nothing is free until deallocate adds it. */
bool IORangeAllocator__init_number_number_number_number(IORangeAllocator *me, uint64_t end,
                                                        uint64_t alignment, uint32_t capacity,
                                                        uint32_t options)
{
    if (!OSObject_super_init((OSObject *)me))
        return false;
    if (capacity == 0)
        capacity = 1;
    if (alignment == 0)
        alignment = 1;
    me->capacity = 0;
    me->capacityIncrement = capacity;
    me->numElements = 0;
    me->defaultAlignmentMask = alignment - 1;
    me->options = options;
    if (end != 0)
        IORangeAllocator_deallocate(me, 0, end + 1);
    return true;
}

void IORangeAllocator__free(IORangeAllocator *me)
{
    machine_release(me->elements, me->capacity * sizeof *me->elements);
    OSObject_super_free((OSObject *)me);
}

bool IORangeAllocator__serialize(IORangeAllocator *me, OSSerialize *serializer)
{
    OSArray *array = OSArray_withCapacity(me->numElements * 2);

    if (!array)
        return false;
    lock(me);
    for (uint32_t i = 0; i < me->numElements; i++) {
        uint64_t values[2] = { me->elements[i].start, me->elements[i].end };
        for (unsigned k = 0; k < 2; k++) {
            OSNumber *number = OSNumber_withNumber_number(values[k], 64);
            if (number)
                OSArray_setObject_metaclassbase(array, (const OSMetaClassBase *)number);
            object_release(number);
        }
    }
    unlock(me);
    bool result = OSMetaClassBase_serialize((OSMetaClassBase *)array, serializer);
    object_release(array);
    return result;
}

uint32_t IORangeAllocator__getFragmentCount(IORangeAllocator *me)
{
    return me->numElements;
}

uint32_t IORangeAllocator__getFragmentCapacity(IORangeAllocator *me)
{
    return me->capacity;
}

void IORangeAllocator__setFragmentCapacityIncrement(IORangeAllocator *me, uint32_t count)
{
    me->capacityIncrement = count;
}

/* Makes room for one element at `index`. */
bool IORangeAllocator__allocElement(IORangeAllocator *me, uint32_t index)
{
    size_t size = sizeof *me->elements;

    if (me->numElements == me->capacity) {
        uint32_t capacity = me->capacity + (me->capacityIncrement ? me->capacityIncrement : 1);
        struct IORangeAllocatorElement *larger = machine_allocate_zeroed(capacity * size, 0);
        if (!larger)
            return false;
        if (me->numElements != 0)
            __builtin_memcpy(larger, me->elements, me->numElements * size);
        machine_release(me->elements, me->capacity * size);
        me->elements = larger;
        me->capacity = capacity;
    }
    __builtin_memmove(me->elements + index + 1, me->elements + index,
                      (me->numElements - index) * size);
    me->numElements++;
    return true;
}

void IORangeAllocator__deallocElement(IORangeAllocator *me, uint32_t index)
{
    me->numElements--;
    __builtin_memmove(me->elements + index, me->elements + index + 1,
                      (me->numElements - index) * sizeof *me->elements);
}

uint64_t IORangeAllocator__getFreeCount(IORangeAllocator *me)
{
    uint64_t total = 0;

    lock(me);
    for (uint32_t i = 0; i < me->numElements; i++)
        total += me->elements[i].end - me->elements[i].start + 1;
    unlock(me);
    return total;
}

/* Takes [start, end] out of the free fragment `index`, which contains it. */
static bool take(IORangeAllocator *me, uint32_t index, uint64_t start, uint64_t end)
{
    struct IORangeAllocatorElement *element = &me->elements[index];

    if (element->start == start && element->end == end) {
        IORangeAllocator_deallocElement(me, index);
    } else if (element->start == start) {
        element->start = end + 1;
    } else if (element->end == end) {
        element->end = start - 1;
    } else {
        if (!IORangeAllocator_allocElement(me, index))
            return false;
        element = &me->elements[index];
        element[0] = (struct IORangeAllocatorElement){ element[1].start, start - 1 };
        element[1].start = end + 1;
    }
    return true;
}

bool IORangeAllocator__allocate(IORangeAllocator *me, uint64_t size, uint64_t *result,
                                uint64_t alignment)
{
    uint64_t mask = alignment == 0 ? me->defaultAlignmentMask : alignment - 1;
    bool taken = false;

    size = (size + me->defaultAlignmentMask) & ~me->defaultAlignmentMask;
    if (size == 0)
        return false;
    lock(me);
    for (uint32_t i = 0; i < me->numElements && !taken; i++) {
        uint64_t start = (me->elements[i].start + mask) & ~mask;
        uint64_t end = start + size - 1;
        if (start < me->elements[i].start || end < start || end > me->elements[i].end)
            continue;
        taken = take(me, i, start, end);
        if (!taken)
            break;
        *result = start;
    }
    unlock(me);
    return taken;
}

bool IORangeAllocator__allocateRange(IORangeAllocator *me, uint64_t start, uint64_t size)
{
    bool taken = false;

    size = (size + me->defaultAlignmentMask) & ~me->defaultAlignmentMask;
    if (size == 0)
        return false;
    uint64_t end = start + size - 1;
    lock(me);
    for (uint32_t i = 0; i < me->numElements; i++) {
        if (start < me->elements[i].start || end > me->elements[i].end || end < start)
            continue;
        taken = take(me, i, start, end);
        break;
    }
    unlock(me);
    return taken;
}

/* Joins the range with the free fragments beside it. */
void IORangeAllocator__deallocate(IORangeAllocator *me, uint64_t start, uint64_t size)
{
    uint32_t index = 0;

    size = (size + me->defaultAlignmentMask) & ~me->defaultAlignmentMask;
    uint64_t end = start + size - 1;
    lock(me);
    while (index < me->numElements && me->elements[index].start < start)
        index++;
    bool joins_next = index < me->numElements && end + 1 == me->elements[index].start;
    bool joins_previous = index > 0 && me->elements[index - 1].end + 1 == start;
    if (joins_next && joins_previous) {
        me->elements[index - 1].end = me->elements[index].end;
        IORangeAllocator_deallocElement(me, index);
    } else if (joins_next) {
        me->elements[index].start = start;
    } else if (joins_previous) {
        me->elements[index - 1].end = end;
    } else if (IORangeAllocator_allocElement(me, index)) {
        me->elements[index] = (struct IORangeAllocatorElement){ start, end };
    }
    unlock(me);
}
