/* SPDX-License-Identifier: BSD-3-Clause */
/* IOGeneralMemoryDescriptor.c - one or more ranges of kernel or physical addresses.
 *
 * Virtual memory has to be prepared before it has physical segments; preparations are counted.
 * Memory here is always resident, so preparing only checks. Memory outside guest RAM (static data
 * of a native driver) can be read and written but has no physical address. */
#include "abi/IOGeneralMemoryDescriptor.h"

#include "xnu/iokit/memory_private.h"
#include "xnu/libkern/object.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/panic.h"

static IOAddressRange **ranges_of(IOGeneralMemoryDescriptor *me)
{
    return (IOAddressRange **)me->_ranges;
}

static bool is_virtual(const IOGeneralMemoryDescriptor *me)
{
    return (me->_flags & kIOMemoryTypeMask) == kIOMemoryTypeVirtual;
}

static void release_ranges(IOGeneralMemoryDescriptor *me)
{
    IOAddressRange **ranges = ranges_of(me);

    if (*ranges && *ranges != (IOAddressRange *)me->_singleRange &&
        !(me->_flags & kIOMemoryAsReference))
        machine_release(*ranges, me->_rangesCount * sizeof **ranges);
    *ranges = NULL;
}

static bool copy_ranges(IOGeneralMemoryDescriptor *me, IOAddressRange *ranges, uint32_t count,
                        uint32_t options)
{
    if (options & kIOMemoryAsReference) {
        *ranges_of(me) = ranges;
    } else if (count == 1) {
        *ranges_of(me) = (IOAddressRange *)me->_singleRange;
        **ranges_of(me) = *ranges;
    } else {
        *ranges_of(me) = machine_allocate(count * sizeof *ranges, 0);
        if (!*ranges_of(me))
            return false;
        __builtin_memcpy(*ranges_of(me), ranges, count * sizeof *ranges);
    }
    me->_rangesCount = count;
    return true;
}

static bool sum_lengths(IOGeneralMemoryDescriptor *me)
{
    uint64_t total = 0, pages = 0;

    for (uint32_t i = 0; i < me->_rangesCount; i++) {
        const IOAddressRange *range = &(*ranges_of(me))[i];
        if (range->address + range->length < range->address ||
            __builtin_add_overflow(total, range->length, &total))
            return false;
        pages += ((range->address & (MACHINE_PAGE_SIZE - 1)) + range->length +
                  MACHINE_PAGE_SIZE - 1) >> MACHINE_PAGE_SHIFT;
    }
    me->_length = total;
    me->_pages = (uint32_t)pages;
    return true;
}

bool IOGeneralMemoryDescriptor__initWithOptions(IOGeneralMemoryDescriptor *me, void *ranges,
                                                uint32_t count, uint32_t offset, task_t task,
                                                uint32_t options, IOMapper *mapper)
{
    uint32_t type = options & kIOMemoryTypeMask;

    if (type != kIOMemoryTypeVirtual && type != kIOMemoryTypePhysical)
        return false;
    if (!ranges || count == 0 || (type == kIOMemoryTypeVirtual && !task))
        return false;
    if (me->_initialized) {                  /* used again: as if it had been freed */
        while (me->_wireCount != 0 && is_virtual(me))
            IOMemoryDescriptor_complete((IOMemoryDescriptor *)me, kIODirectionNone);
        release_ranges(me);
    } else if (!OSObject__init((OSObject *)me)) {
        return false;
    }
    me->_initialized = true;
    me->_flags = options;
    me->_task = task;
    me->_wireCount = type == kIOMemoryTypePhysical ? 1 : 0;
    if (!copy_ranges(me, ranges, count, options) || !sum_lengths(me))
        return false;
    return !(options & kIOMemoryAutoPrepare) ||
           IOMemoryDescriptor_prepare((IOMemoryDescriptor *)me, kIODirectionNone) ==
               kIOReturnSuccess;
}

void IOGeneralMemoryDescriptor__free(IOGeneralMemoryDescriptor *me)
{
    release_ranges(me);
    IOMemoryDescriptor__free((IOMemoryDescriptor *)me);
}

int32_t IOGeneralMemoryDescriptor__prepare(IOGeneralMemoryDescriptor *me, uint32_t direction)
{
    if (!is_virtual(me))
        return kIOReturnSuccess;
    for (uint32_t i = 0; i < me->_rangesCount; i++)
        if ((*ranges_of(me))[i].address < MACHINE_PAGE_SIZE)
            return kIOReturnVMError;
    if (__atomic_fetch_add(&me->_wireCount, 1, __ATOMIC_ACQ_REL) == 0 && me->reserved)
        me->reserved->preparation_id = kIOPreparationIDUnprepared;
    return kIOReturnSuccess;
}

int32_t IOGeneralMemoryDescriptor__complete(IOGeneralMemoryDescriptor *me, uint32_t direction)
{
    uint32_t count = __atomic_load_n(&me->_wireCount, __ATOMIC_ACQUIRE);

    if (!is_virtual(me))
        return kIOReturnSuccess;
    do {
        if (count == 0)
            return kIOReturnSuccess;         /* debug kernels assert, others ignore it */
        if (count == 1 && me->reserved && me->reserved->dma_active != 0)
            machine_panic("IOMemoryDescriptor %p: complete() while a DMA command is active",
                          (void *)me);
    } while (!__atomic_compare_exchange_n(&me->_wireCount, &count, count - 1, false,
                                          __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    return kIOReturnSuccess;
}

static uint64_t physical_of(const IOGeneralMemoryDescriptor *me, const IOAddressRange *range)
{
    if (!is_virtual(me))
        return range->address;
    uint64_t physical = machine_physical_address((void *)(uintptr_t)range->address);
    return physical == MACHINE_NO_ADDRESS ? 0 : physical;
}

/* Ranges that lie one behind the other make one segment. */
uint64_t IOGeneralMemoryDescriptor__getPhysicalSegment_number(IOGeneralMemoryDescriptor *me,
                                                              uint64_t offset, uint64_t *length,
                                                              uint32_t options)
{
    const IOAddressRange *ranges = *ranges_of(me);
    uint32_t i = 0;

    *length = 0;
    if (me->_wireCount == 0 || offset >= me->_length)
        return 0;
    while (offset >= ranges[i].length)
        offset -= ranges[i++].length;
    uint64_t start = physical_of(me, &ranges[i]);
    if (start == 0 && is_virtual(me))
        return 0;
    uint64_t end = start + ranges[i].length;
    start += offset;
    while (++i < me->_rangesCount && physical_of(me, &ranges[i]) == end)
        end += ranges[i].length;
    *length = end - start;
    return start;
}

uint64_t IOGeneralMemoryDescriptor__getPreparationID(IOGeneralMemoryDescriptor *me)
{
    if (!is_virtual(me))
        return kIOPreparationIDAlwaysPrepared;
    if (me->_wireCount == 0)
        return kIOPreparationIDUnprepared;
    IOMemoryDescriptor_setPreparationID((IOMemoryDescriptor *)me);
    return me->reserved ? me->reserved->preparation_id : kIOPreparationIDUnsupported;
}

int32_t IOGeneralMemoryDescriptor__setPurgeable(IOGeneralMemoryDescriptor *me, uint32_t state,
                                                uint32_t *old)
{
    return IOMemoryDescriptor__setPurgeable((IOMemoryDescriptor *)me, state, old);
}

int32_t IOGeneralMemoryDescriptor__dmaCommandOperation(IOGeneralMemoryDescriptor *me,
                                                       uint32_t operation, void *data,
                                                       uint32_t size)
{
    return IOMemoryDescriptor__dmaCommandOperation((IOMemoryDescriptor *)me, operation, data, size);
}

bool IOGeneralMemoryDescriptor__serialize(IOGeneralMemoryDescriptor *me, OSSerialize *serializer)
{
    return OSObject__serialize((OSObject *)me, serializer);
}

IOMemoryDescriptor *IOGeneralMemoryDescriptor_withPersistentMemoryDescriptor(
    IOGeneralMemoryDescriptor *original)
{
    return IOMemoryDescriptor_withPersistentMemoryDescriptor((IOMemoryDescriptor *)original);
}

int32_t IOGeneralMemoryDescriptor__doMap(IOGeneralMemoryDescriptor *me, vm_map_t map,
                                         uint64_t *address, uint32_t options, uint64_t offset,
                                         uint64_t length)
{
    return IOMemoryDescriptor__doMap((IOMemoryDescriptor *)me, map, address, options, offset,
                                     length);
}

int32_t IOGeneralMemoryDescriptor__doUnmap(IOGeneralMemoryDescriptor *me, vm_map_t map,
                                           uint64_t address, uint64_t length)
{
    return IOMemoryDescriptor__doUnmap((IOMemoryDescriptor *)me, map, address, length);
}

IOMemoryMap *IOGeneralMemoryDescriptor__makeMapping(IOGeneralMemoryDescriptor *me,
                                                    IOMemoryDescriptor *owner, task_t task,
                                                    uint64_t address, uint32_t options,
                                                    uint64_t offset, uint64_t length)
{
    return IOMemoryDescriptor__makeMapping((IOMemoryDescriptor *)me, owner, task, address, options,
                                           offset, length);
}
