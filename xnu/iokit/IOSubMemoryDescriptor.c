/* SPDX-License-Identifier: BSD-3-Clause */
/* IOSubMemoryDescriptor.c - a part of another descriptor
 * (xnu iokit/Kernel/IOSubMemoryDescriptor.cpp). */
#include "abi/IOSubMemoryDescriptor.h"

#include "xnu/iokit/memory_private.h"
#include "xnu/libkern/object.h"

IOSubMemoryDescriptor *IOSubMemoryDescriptor_withSubRange(IOMemoryDescriptor *parent,
                                                          uint64_t offset, uint64_t length,
                                                          uint32_t options)
{
    IOSubMemoryDescriptor *me = object_new(&IOSubMemoryDescriptor_gMetaClass);

    if (me && !IOSubMemoryDescriptor_initSubRange(me, parent, offset, length, options)) {
        object_release(me);
        return NULL;
    }
    return me;
}

bool IOSubMemoryDescriptor__initSubRange(IOSubMemoryDescriptor *me, IOMemoryDescriptor *parent,
                                         uint64_t offset, uint64_t length, uint32_t direction)
{
    uint64_t available = parent ? IOMemoryDescriptor_getLength(parent) : 0;

    if (!parent || offset > available || length > available - offset)
        return false;
    if (!me->_parent && !OSObject__init((OSObject *)me))
        return false;
    object_retain(parent);
    object_release(me->_parent);
    me->_parent = parent;
    me->_start = offset;
    me->_length = length;
    me->_flags = direction & kIOMemoryDirectionMask;
    me->_tag = IOMemoryDescriptor_getTag(parent);
    return true;
}

void IOSubMemoryDescriptor__free(IOSubMemoryDescriptor *me)
{
    object_release(me->_parent);
    IOMemoryDescriptor__free((IOMemoryDescriptor *)me);
}

uint64_t IOSubMemoryDescriptor__getPhysicalSegment_number(IOSubMemoryDescriptor *me,
                                                          uint64_t offset, uint64_t *length,
                                                          uint32_t options)
{
    *length = 0;
    if (offset >= me->_length)
        return 0;
    uint64_t address = IOMemoryDescriptor_getPhysicalSegment_number(
        me->_parent, me->_start + offset, length, options);
    if (*length > me->_length - offset)
        *length = me->_length - offset;
    return address;
}

int32_t IOSubMemoryDescriptor__prepare(IOSubMemoryDescriptor *me, uint32_t direction)
{
    return IOMemoryDescriptor_prepare(me->_parent, direction);
}

int32_t IOSubMemoryDescriptor__complete(IOSubMemoryDescriptor *me, uint32_t direction)
{
    return IOMemoryDescriptor_complete(me->_parent, direction);
}

uint64_t IOSubMemoryDescriptor__getPreparationID(IOSubMemoryDescriptor *me)
{
    return IOMemoryDescriptor_getPreparationID(me->_parent);
}

int32_t IOSubMemoryDescriptor__setPurgeable(IOSubMemoryDescriptor *me, uint32_t state,
                                            uint32_t *old)
{
    return IOMemoryDescriptor_setPurgeable(me->_parent, state, old);
}

int32_t IOSubMemoryDescriptor__redirect(IOSubMemoryDescriptor *me, task_t task, bool redirect)
{
    return IOMemoryDescriptor_redirect(me->_parent, task, redirect);
}

/* The mapping is the parent's, at the place of this part. */
IOMemoryMap *IOSubMemoryDescriptor__makeMapping(IOSubMemoryDescriptor *me,
                                                IOMemoryDescriptor *owner, task_t task,
                                                uint64_t address, uint32_t options, uint64_t offset,
                                                uint64_t length)
{
    return IOMemoryDescriptor_makeMapping(me->_parent, owner, task, address, options,
                                          me->_start + offset, length);
}

int32_t IOSubMemoryDescriptor_getPageCounts(IOSubMemoryDescriptor *me, uint64_t *resident,
                                            uint64_t *dirty)
{
    return IOMemoryDescriptor_getPageCounts((IOMemoryDescriptor *)me, resident, dirty);
}
