/* SPDX-License-Identifier: BSD-3-Clause */
/* IOMultiMemoryDescriptor.c - several descriptors one behind the other
 * (xnu iokit/Kernel/IOMultiMemoryDescriptor.cpp). */
#include "abi/IOMultiMemoryDescriptor.h"

#include "xnu/iokit/memory_private.h"
#include "xnu/libkern/object.h"
#include "xnu/machine/memory.h"

IOMultiMemoryDescriptor *IOMultiMemoryDescriptor_withDescriptors(IOMemoryDescriptor **descriptors,
                                                                 uint32_t count, uint32_t direction,
                                                                 bool as_reference)
{
    IOMultiMemoryDescriptor *me = object_new(&IOMultiMemoryDescriptor_gMetaClass);

    if (me && !IOMultiMemoryDescriptor_initWithDescriptors(me, descriptors, count, direction,
                                                           as_reference)) {
        object_release(me);
        return NULL;
    }
    return me;
}

bool IOMultiMemoryDescriptor__initWithDescriptors(IOMultiMemoryDescriptor *me,
                                                  IOMemoryDescriptor **descriptors, uint32_t count,
                                                  uint32_t direction, bool as_reference)
{
    if (!descriptors || count == 0 || me->_descriptors || !OSObject__init((OSObject *)me))
        return false;
    if (as_reference) {
        me->_descriptors = descriptors;
    } else {
        me->_descriptors = machine_allocate(count * sizeof *descriptors, 0);
        if (!me->_descriptors)
            return false;
        __builtin_memcpy(me->_descriptors, descriptors, count * sizeof *descriptors);
        me->_descriptorsIsAllocated = true;
    }
    me->_flags = direction;
    me->_tag = IOMemoryDescriptor_getTag(descriptors[0]);
    for (; me->_descriptorsCount < count; me->_descriptorsCount++) {
        object_retain(descriptors[me->_descriptorsCount]);
        me->_length += IOMemoryDescriptor_getLength(descriptors[me->_descriptorsCount]);
    }
    return true;
}

void IOMultiMemoryDescriptor__free(IOMultiMemoryDescriptor *me)
{
    for (uint32_t i = 0; i < me->_descriptorsCount; i++)
        object_release(me->_descriptors[i]);
    if (me->_descriptorsIsAllocated)
        machine_release(me->_descriptors, 0);
    IOMemoryDescriptor__free((IOMemoryDescriptor *)me);
}

uint64_t IOMultiMemoryDescriptor__getPhysicalSegment_number(IOMultiMemoryDescriptor *me,
                                                            uint64_t offset, uint64_t *length,
                                                            uint32_t options)
{
    *length = 0;
    for (uint32_t i = 0; i < me->_descriptorsCount; i++) {
        uint64_t size = IOMemoryDescriptor_getLength(me->_descriptors[i]);
        if (offset < size)
            return IOMemoryDescriptor_getPhysicalSegment_number(me->_descriptors[i], offset, length,
                                                                options);
        offset -= size;
    }
    return 0;
}

/* All or none: what was prepared before a failure is completed again. */
int32_t IOMultiMemoryDescriptor__prepare(IOMultiMemoryDescriptor *me, uint32_t direction)
{
    if (direction == kIODirectionNone)
        direction = IOMemoryDescriptor_getDirection((IOMemoryDescriptor *)me);
    for (uint32_t i = 0; i < me->_descriptorsCount; i++) {
        int32_t result = IOMemoryDescriptor_prepare(me->_descriptors[i], direction);
        if (result == kIOReturnSuccess)
            continue;
        while (i-- > 0)
            IOMemoryDescriptor_complete(me->_descriptors[i], direction);
        return result;
    }
    return kIOReturnSuccess;
}

int32_t IOMultiMemoryDescriptor__complete(IOMultiMemoryDescriptor *me, uint32_t direction)
{
    int32_t result = kIOReturnSuccess;

    for (uint32_t i = 0; i < me->_descriptorsCount; i++) {
        int32_t one = IOMemoryDescriptor_complete(me->_descriptors[i], direction);
        if (one != kIOReturnSuccess)
            result = one;
    }
    return result;
}

uint64_t IOMultiMemoryDescriptor__getPreparationID(IOMultiMemoryDescriptor *me)
{
    for (uint32_t i = 0; i < me->_descriptorsCount; i++)
        if (IOMemoryDescriptor_getPreparationID(me->_descriptors[i]) == kIOPreparationIDUnprepared)
            return kIOPreparationIDUnprepared;
    IOMemoryDescriptor_setPreparationID((IOMemoryDescriptor *)me);
    return me->reserved ? me->reserved->preparation_id : kIOPreparationIDUnsupported;
}

int32_t IOMultiMemoryDescriptor__setPurgeable(IOMultiMemoryDescriptor *me, uint32_t state,
                                              uint32_t *old)
{
    return IOMemoryDescriptor__setPurgeable((IOMemoryDescriptor *)me, state, old);
}

int32_t IOMultiMemoryDescriptor__doMap(IOMultiMemoryDescriptor *me, vm_map_t map, uint64_t *address,
                                       uint32_t options, uint64_t offset, uint64_t length)
{
    return IOMemoryDescriptor__doMap((IOMemoryDescriptor *)me, map, address, options, offset,
                                     length);
}

int32_t IOMultiMemoryDescriptor_getPageCounts(IOMultiMemoryDescriptor *me, uint64_t *resident,
                                              uint64_t *dirty)
{
    return IOMemoryDescriptor_getPageCounts((IOMemoryDescriptor *)me, resident, dirty);
}
