/* SPDX-License-Identifier: BSD-3-Clause */
/* IOMemoryDescriptor.c - the base class of all descriptions of memory, and its factories
 * (xnu iokit/Kernel/IOMemoryDescriptor.cpp). */
#include "abi/IOGeneralMemoryDescriptor.h"
#include "abi/IOMemoryDescriptor.h"
#include "abi/IOMultiMemoryDescriptor.h"
#include "abi/IOSubMemoryDescriptor.h"
#include "abi/kpi/vm.h"

#include "xnu/iokit/memory_private.h"
#include "xnu/libkern/object.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/panic.h"
#include "xnu/machine/traps.h"

void IOMemoryDescriptor_initialize(void)
{
}

/* ---- factories ------------------------------------------------------------------------------ */

IOMemoryDescriptor *IOMemoryDescriptor_withOptions(void *ranges, uint32_t count, uint32_t offset,
                                                   task_t task, uint32_t options, IOMapper *mapper)
{
    IOMemoryDescriptor *me = object_new(&IOGeneralMemoryDescriptor_gMetaClass);

    if (me &&
        !IOMemoryDescriptor_initWithOptions(me, ranges, count, offset, task, options, mapper)) {
        object_release(me);
        return NULL;
    }
    return me;
}

/* With a task the address is virtual, without one physical. */
IOMemoryDescriptor *IOMemoryDescriptor_withAddressRange(uint64_t address, uint64_t length,
                                                        uint32_t options, task_t task)
{
    IOVirtualRange range = { address, length };

    return IOMemoryDescriptor_withAddressRanges_virtualrange(&range, 1, options, task);
}

IOMemoryDescriptor *IOMemoryDescriptor_withAddressRanges_virtualrange(IOVirtualRange *ranges,
                                                                      uint32_t count,
                                                                      uint32_t options, task_t task)
{
    options |= task ? kIOMemoryTypeVirtual64 : kIOMemoryTypePhysical64;
    return IOMemoryDescriptor_withOptions(ranges, count, 0, task, options, NULL);
}

/* Prepared from the start, because old drivers took the physical address at once. */
IOMemoryDescriptor *IOMemoryDescriptor_withAddress_pointer(void *address, uint64_t length,
                                                           uint32_t direction)
{
    return IOMemoryDescriptor_withAddressRange((uintptr_t)address, length,
                                               direction | kIOMemoryAutoPrepare, kernel_task);
}

IOMemoryDescriptor *IOMemoryDescriptor_withPhysicalAddress(uint64_t address, uint64_t length,
                                                           uint32_t direction)
{
    return IOMemoryDescriptor_withAddressRange(address, length, direction, NULL);
}

/* Persistence is about user memory whose map changes; kernel memory is always the same. */
IOMemoryDescriptor *IOMemoryDescriptor_withPersistentMemoryDescriptor(IOMemoryDescriptor *original)
{
    object_retain(original);
    return original;
}

/* ---- fields --------------------------------------------------------------------------------- */

bool IOMemoryDescriptor__initWithOptions(IOMemoryDescriptor *me, void *ranges, uint32_t count,
                                         uint32_t offset, task_t task, uint32_t options,
                                         IOMapper *mapper)
{
    return false;
}

struct IOMemoryDescriptorReserved *memory_descriptor_private(IOMemoryDescriptor *me)
{
    struct IOMemoryDescriptorReserved *expected = NULL;

    if (me->reserved)
        return me->reserved;
    struct IOMemoryDescriptorReserved *made = machine_allocate_zeroed(sizeof *made, 0);
    if (made && !__atomic_compare_exchange_n(&me->reserved, &expected, made, false,
                                             __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        machine_release(made, sizeof *made);
    return me->reserved;
}

void IOMemoryDescriptor__free(IOMemoryDescriptor *me)
{
    if (me->reserved) {
        object_release(me->reserved->context);
        machine_release(me->reserved, sizeof *me->reserved);
    }
    OSObject__free((OSObject *)me);
}

uint32_t IOMemoryDescriptor__getDirection(IOMemoryDescriptor *me)
{
    return me->_flags & kIOMemoryDirectionMask;
}

uint64_t IOMemoryDescriptor__getLength(IOMemoryDescriptor *me)
{
    return me->_length;
}

int32_t IOMemoryDescriptor_GetLength(IOMemoryDescriptor *me, uint64_t *length)
{
    *length = IOMemoryDescriptor_getLength(me);
    return kIOReturnSuccess;
}

void IOMemoryDescriptor__setTag(IOMemoryDescriptor *me, uint32_t tag)
{
    me->_tag = tag;
}

uint32_t IOMemoryDescriptor__getTag(IOMemoryDescriptor *me)
{
    return me->_tag;
}

uint64_t IOMemoryDescriptor_getFlags(IOMemoryDescriptor *me)
{
    return me->_flags;
}

void IOMemoryDescriptor_setVMTags(IOMemoryDescriptor *me, uint32_t kernel_tag, uint32_t user_tag)
{
}

uint32_t IOMemoryDescriptor_getVMTag(IOMemoryDescriptor *me, vm_map_t map)
{
    return 0;
}

void IOMemoryDescriptor_setMapperOptions(IOMemoryDescriptor *me, uint16_t options)
{
    me->_iomapperOptions = options;
}

uint16_t IOMemoryDescriptor_getMapperOptions(IOMemoryDescriptor *me)
{
    return me->_iomapperOptions;
}

OSObject *IOMemoryDescriptor_copyContext(IOMemoryDescriptor *me)
{
    OSObject *context = me->reserved ? me->reserved->context : NULL;

    if (context)
        object_retain(context);
    return context;
}

void IOMemoryDescriptor_setContext(IOMemoryDescriptor *me, OSObject *context)
{
    struct IOMemoryDescriptorReserved *private = memory_descriptor_private(me);

    if (!private)
        return;
    OSObject *previous = private->context;
    if (context)
        object_retain(context);
    private->context = context;
    object_release(previous);
}

uint64_t memory_next_preparation_id(void)
{
    static uint64_t last = kIOPreparationIDAlwaysPrepared;

    return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

void IOMemoryDescriptor_setPreparationID(IOMemoryDescriptor *me)
{
    struct IOMemoryDescriptorReserved *private = memory_descriptor_private(me);

    if (private && private->preparation_id == kIOPreparationIDUnprepared)
        private->preparation_id = memory_next_preparation_id();
}

uint64_t IOMemoryDescriptor__getPreparationID(IOMemoryDescriptor *me)
{
    return kIOPreparationIDUnsupported;
}

void IOMemoryDescriptor_setDescriptorID(IOMemoryDescriptor *me)
{
    struct IOMemoryDescriptorReserved *private = memory_descriptor_private(me);

    if (private && private->descriptor_id == 0)
        private->descriptor_id = memory_next_preparation_id();
}

uint64_t IOMemoryDescriptor_getDescriptorID(IOMemoryDescriptor *me)
{
    IOMemoryDescriptor_setDescriptorID(me);
    return me->reserved ? me->reserved->descriptor_id : 0;
}

/* ---- operations that make no difference to memory that is always resident and coherent ------- */

int32_t IOMemoryDescriptor__setPurgeable(IOMemoryDescriptor *me, uint32_t state, uint32_t *old)
{
    if (old)
        *old = kIOMemoryPurgeableNonVolatile;
    return state == kIOMemoryPurgeableKeepCurrent || state == kIOMemoryPurgeableNonVolatile
               ? kIOReturnSuccess : kIOReturnUnsupported;
}

int32_t IOMemoryDescriptor__performOperation(IOMemoryDescriptor *me, uint32_t operation,
                                             uint64_t offset, uint64_t length)
{
    uint64_t size = IOMemoryDescriptor_getLength(me);

    if (offset > size || length > size - offset)
        return kIOReturnBadArgument;
    return operation == kIOMemoryIncoherentIOFlush || operation == kIOMemoryIncoherentIOStore
               ? kIOReturnSuccess : kIOReturnUnsupported;
}

/* The protocol between IODMACommand and descriptors is private to each kernel. */
int32_t IOMemoryDescriptor__dmaCommandOperation(IOMemoryDescriptor *me, uint32_t operation,
                                                void *data, uint32_t size)
{
    return kIOReturnUnsupported;
}

int32_t IOMemoryDescriptor_getPageCounts(IOMemoryDescriptor *me, uint64_t *resident,
                                         uint64_t *dirty)
{
    uint64_t pages = (IOMemoryDescriptor_getLength(me) + MACHINE_PAGE_SIZE - 1) >>
                     MACHINE_PAGE_SHIFT;

    if (resident)
        *resident = pages;
    if (dirty)
        *dirty = pages;
    return kIOReturnSuccess;
}

void memory_descriptor_dma_active(IOMemoryDescriptor *me, int change)
{
    struct IOMemoryDescriptorReserved *private = memory_descriptor_private(me);

    if (private)
        __atomic_fetch_add(&private->dma_active, change, __ATOMIC_ACQ_REL);
}

/* ---- access to the bytes -------------------------------------------------------------------- */

uint64_t IOMemoryDescriptor_getPhysicalAddress(IOMemoryDescriptor *me)
{
    uint64_t length;

    return IOMemoryDescriptor_getPhysicalSegment_number(me, 0, &length, 0);
}

static void *general_pointer(IOGeneralMemoryDescriptor *me, uint64_t offset, uint64_t *length)
{
    IOAddressRange *ranges = *(IOAddressRange **)me->_ranges;

    for (uint32_t i = 0; i < me->_rangesCount; i++) {
        if (offset < ranges[i].length) {
            *length = ranges[i].length - offset;
            return (void *)(uintptr_t)(ranges[i].address + offset);
        }
        offset -= ranges[i].length;
    }
    return NULL;
}

static bool is_prepared_virtual(IOMemoryDescriptor *me)
{
    IOGeneralMemoryDescriptor *general = object_cast(me, IOGeneralMemoryDescriptor_metaClass);

    return general && (me->_flags & kIOMemoryTypeMask) == kIOMemoryTypeVirtual &&
           general->_wireCount != 0;
}

void *memory_descriptor_pointer(IOMemoryDescriptor *me, uint64_t offset, uint64_t *length)
{
    uint64_t rest = IOMemoryDescriptor_getLength(me);
    void *pointer;

    if (offset >= rest)
        return NULL;
    rest -= offset;
    if (is_prepared_virtual(me)) {
        pointer = general_pointer((IOGeneralMemoryDescriptor *)me, offset, length);
    } else {
        uint64_t physical = IOMemoryDescriptor_getPhysicalSegment_number(me, offset, length,
                                                                         kIOMemoryMapperNone);
        pointer = physical == 0 ? NULL : machine_virtual_address(physical);
    }
    if (*length > rest)
        *length = rest;
    return pointer;
}

static bool is_device(const void *address, size_t size)
{
    uint64_t physical = machine_physical_address(address);

    return physical != MACHINE_NO_ADDRESS && machine_is_trapped(physical, size, MACHINE_MMIO);
}

static unsigned access_size(uint64_t physical, size_t left)
{
    return (physical & 3) == 0 && left >= 4 ? 4 : 1;
}

static void copy_from_device(uint8_t *to, uint64_t physical, size_t size)
{
    for (unsigned step; size != 0; size -= step, physical += step, to += step) {
        step = access_size(physical, size);
        uint64_t value = machine_mmio_read(physical, step);
        __builtin_memcpy(to, &value, step);
    }
}

static void copy_to_device(uint64_t physical, const uint8_t *from, size_t size)
{
    for (unsigned step; size != 0; size -= step, physical += step, from += step) {
        uint64_t value = 0;
        step = access_size(physical, size);
        __builtin_memcpy(&value, from, step);
        machine_mmio_write(physical, step, value);
    }
}

void memory_copy(void *to, const void *from, size_t size)
{
    if (size == 0)
        return;
    if (is_device(from, size))
        copy_from_device(to, machine_physical_address(from), size);
    else if (is_device(to, size))
        copy_to_device(machine_physical_address(to), from, size);
    else
        __builtin_memcpy(to, from, size);
}

uint64_t IOMemoryDescriptor__readBytes(IOMemoryDescriptor *me, uint64_t offset, void *bytes,
                                       uint64_t size)
{
    uint8_t *to = bytes;
    uint64_t done = 0, length;

    while (done < size) {
        const void *from = memory_descriptor_pointer(me, offset + done, &length);
        if (!from)
            break;
        if (length > size - done)
            length = size - done;
        memory_copy(to + done, from, length);
        done += length;
    }
    return done;
}

uint64_t IOMemoryDescriptor__writeBytes(IOMemoryDescriptor *me, uint64_t offset, const void *bytes,
                                        uint64_t size)
{
    const uint8_t *from = bytes;
    uint64_t done = 0, length;

    while (done < size) {
        void *to = memory_descriptor_pointer(me, offset + done, &length);
        if (!to)
            break;
        if (length > size - done)
            length = size - done;
        if (from)
            memory_copy(to, from + done, length);
        else
            __builtin_memset(to, 0, length);     /* newer kernels: NULL writes zeroes */
        done += length;
    }
    return done;
}
