/* SPDX-License-Identifier: BSD-3-Clause */
/* IODMACommand.c - making memory ready for a device: specification, preparation, bounce buffers
 * (xnu iokit/Kernel/IODMACommand.cpp). Segments are in IODMASegments.c.
 *
 * When a byte of the range lies above the device's addresses, or its start is not aligned as the
 * device wants it, the range is copied to a bounce buffer: before the transfer for data going out,
 * after it for data coming in. */
#include "abi/IOBufferMemoryDescriptor.h"
#include "abi/IODMACommand.h"
#include "abi/IOMapper.h"
#include "abi/IOMemoryDescriptor.h"
#include "abi/kpi/vm.h"

#include "xnu/iokit/dma_private.h"
#include "xnu/iokit/memory_private.h"
#include "xnu/libkern/object.h"
#include "xnu/machine/machine.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/panic.h"
#include "xnu/machine/threads.h"

/* ---- specification -------------------------------------------------------------------------- */

static IODMACommand *made(IODMACommand *me, bool initialised)
{
    if (me && !initialised) {
        object_release(me);
        return NULL;
    }
    return me;
}

IODMACommand *IODMACommand_withSpecification_number(dma_segment_function *output, uint8_t bits,
                                                    uint64_t max_segment, uint32_t mapping,
                                                    uint64_t max_transfer, uint32_t alignment,
                                                    IOMapper *mapper, void *refcon)
{
    IODMACommand *me = object_new(&IODMACommand_gMetaClass);

    return made(me, me && IODMACommand_initWithSpecification_number(me, output, bits, max_segment,
                                                                    mapping, max_transfer,
                                                                    alignment, mapper, refcon));
}

IODMACommand *IODMACommand_withSpecification_dmacommandsegmentoptions(
    dma_segment_function *output, const IODMACommand_SegmentOptions *options, uint32_t mapping,
    IOMapper *mapper, void *refcon)
{
    IODMACommand *me = object_new(&IODMACommand_gMetaClass);

    return made(me, me && IODMACommand__initWithSpecification_dmacommandsegmentoptions(
                              me, output, options, mapping, mapper, refcon));
}

IODMACommand *IODMACommand_withRefCon(void *refcon)
{
    IODMACommand *me = object_new(&IODMACommand_gMetaClass);

    return made(me, me && IODMACommand__initWithRefCon(me, refcon));
}

bool IODMACommand__initWithRefCon(IODMACommand *me, void *refcon)
{
    if (!me->reserved) {
        if (!OSObject_super_init((OSObject *)me))
            return false;
        me->reserved = machine_allocate_zeroed(sizeof *me->reserved, 0);
        if (!me->reserved)
            return false;
    }
    me->fRefCon = refcon;
    return true;
}

static bool is_32_bit(dma_segment_function *output)
{
    return output == IODMACommand_OutputHost32 || output == IODMACommand_OutputBig32 ||
           output == IODMACommand_OutputLittle32;
}

static bool is_power_of_two(uint32_t value)
{
    return (value & (value - 1)) == 0;
}

static uint32_t alignment_mask(uint32_t alignment)
{
    return alignment == 0 ? 0 : alignment - 1;
}

/* Limits of 0 mean "none"; an alignment of 0 means 1. */
static int32_t set_specification(IODMACommand *me, dma_segment_function *output,
                                 const IODMACommand_SegmentOptions *options, uint32_t mapping)
{
    uint8_t bits = options->fNumAddressBits;

    if (!output || !is_power_of_two(options->fAlignment) ||
        !is_power_of_two(options->fAlignmentLength) ||
        !is_power_of_two(options->fAlignmentInternalSegments))
        return kIOReturnBadArgument;
    if (is_32_bit(output)) {
        if (bits == 0)
            bits = 32;
        else if (bits > 32)
            return kIOReturnBadArgument;
    }
    if (bits != 0 && bits < MACHINE_PAGE_SHIFT)
        return kIOReturnBadArgument;
    if ((mapping & kIODMAMapOptionTypeMask) > kIODMAMapOptionNonCoherent)
        return kIOReturnBadArgument;
    me->fOutSeg = output;
    me->fNumAddressBits = bits;
    me->fMaxSegmentSize = options->fMaxSegmentSize ? options->fMaxSegmentSize : UINT64_MAX;
    me->fMaxTransferSize = options->fMaxTransferSize ? options->fMaxTransferSize : UINT64_MAX;
    me->fMappingOptions = mapping;
    me->fAlignMask = alignment_mask(options->fAlignment);
    me->fAlignMaskLength = alignment_mask(options->fAlignmentLength);
    me->fAlignMaskInternalSegments = alignment_mask(options->fAlignmentInternalSegments);
    return kIOReturnSuccess;
}

bool IODMACommand__initWithSpecification_dmacommandsegmentoptions(
    IODMACommand *me, dma_segment_function *output, const IODMACommand_SegmentOptions *options,
    uint32_t mapping, IOMapper *mapper, void *refcon)
{
    return IODMACommand__initWithRefCon(me, refcon) &&
           set_specification(me, output, options, mapping) == kIOReturnSuccess;
}

/* The old form has one alignment, of the first byte. */
static IODMACommand_SegmentOptions old_options(uint8_t bits, uint64_t max_segment,
                                               uint64_t max_transfer, uint32_t alignment)
{
    return (IODMACommand_SegmentOptions){
        .fStructSize = sizeof(IODMACommand_SegmentOptions),
        .fNumAddressBits = bits,
        .fMaxSegmentSize = max_segment,
        .fMaxTransferSize = max_transfer,
        .fAlignment = alignment,
        .fAlignmentLength = 1,
        .fAlignmentInternalSegments = alignment,
    };
}

bool IODMACommand__initWithSpecification_number(IODMACommand *me, dma_segment_function *output,
                                                uint8_t bits, uint64_t max_segment,
                                                uint32_t mapping, uint64_t max_transfer,
                                                uint32_t alignment, IOMapper *mapper, void *refcon)
{
    IODMACommand_SegmentOptions options = old_options(bits, max_segment, max_transfer, alignment);

    return IODMACommand__initWithSpecification_dmacommandsegmentoptions(me, output, &options,
                                                                        mapping, mapper, refcon);
}

int32_t IODMACommand_setSpecification(IODMACommand *me, dma_segment_function *output,
                                      const IODMACommand_SegmentOptions *options, uint32_t mapping,
                                      IOMapper *mapper)
{
    return set_specification(me, output, options, mapping);
}

IODMACommand *IODMACommand__cloneCommand(IODMACommand *me, void *refcon)
{
    IODMACommand_SegmentOptions options = {
        .fStructSize = sizeof options,
        .fNumAddressBits = (uint8_t)me->fNumAddressBits,
        .fMaxSegmentSize = me->fMaxSegmentSize,
        .fMaxTransferSize = me->fMaxTransferSize,
        .fAlignment = me->fAlignMask + 1,
        .fAlignmentLength = me->fAlignMaskLength + 1,
        .fAlignmentInternalSegments = me->fAlignMaskInternalSegments + 1,
    };

    return IODMACommand_withSpecification_dmacommandsegmentoptions(me->fOutSeg, &options,
                                                                   me->fMappingOptions, NULL,
                                                                   refcon);
}

void IODMACommand__free(IODMACommand *me)
{
    if (me->reserved) {
        IODMACommand_clearMemoryDescriptor(me, true);
        machine_release(me->reserved, sizeof *me->reserved);
    }
    OSObject__free((OSObject *)me);
}

uint8_t IODMACommand_getNumAddressBits(IODMACommand *me)
{
    return (uint8_t)me->fNumAddressBits;
}

uint32_t IODMACommand_getAlignment(IODMACommand *me)
{
    return me->fAlignMask + 1;
}

uint32_t IODMACommand_getAlignmentLength(IODMACommand *me)
{
    return me->fAlignMaskLength + 1;
}

uint32_t IODMACommand_getAlignmentInternalSegments(IODMACommand *me)
{
    return me->fAlignMaskInternalSegments + 1;
}

/* ---- the memory ----------------------------------------------------------------------------- */

int32_t IODMACommand__setMemoryDescriptor(IODMACommand *me, const IOMemoryDescriptor *memory,
                                          bool auto_prepare)
{
    if (memory == me->fMemory && !auto_prepare) {
        while (me->fActive != 0)
            IODMACommand_complete(me, true, true);
        return kIOReturnSuccess;
    }
    if (memory == me->fMemory)
        return kIOReturnSuccess;
    if (me->fMemory) {
        if (me->fActive != 0)
            return kIOReturnBusy;
        IODMACommand_clearMemoryDescriptor(me, true);
    }
    if (!memory)
        return kIOReturnSuccess;
    object_retain(memory);
    me->fMemory = (IOMemoryDescriptor *)(uintptr_t)memory;
    memory_descriptor_dma_active(me->fMemory, 1);
    if (!auto_prepare)
        return kIOReturnSuccess;
    int32_t result = IODMACommand_prepare(me, 0, 0, true, true);
    if (result != kIOReturnSuccess)
        IODMACommand_clearMemoryDescriptor(me, true);
    return result;
}

int32_t IODMACommand__clearMemoryDescriptor(IODMACommand *me, bool auto_complete)
{
    if (me->fActive != 0 && !auto_complete)
        return kIOReturnNotReady;
    if (!me->fMemory)
        return kIOReturnSuccess;
    while (me->fActive != 0)
        IODMACommand_complete(me, true, true);
    IOMemoryDescriptor *memory = me->fMemory;
    me->fMemory = NULL;
    memory_descriptor_dma_active(memory, -1);
    object_release(memory);
    return kIOReturnSuccess;
}

const IOMemoryDescriptor *IODMACommand__getMemoryDescriptor(IODMACommand *me)
{
    return me->fMemory;
}

IOMemoryDescriptor *IODMACommand_getIOMemoryDescriptor(IODMACommand *me)
{
    return me->fMemory;
}

/* ---- preparation ---------------------------------------------------------------------------- */

static bool needs_bounce(const IODMACommand *me)
{
    const struct IODMACommandInternal *state = me->reserved;
    uint64_t highest = dma_highest_address(me);
    uint64_t length;

    for (uint64_t at = 0; at < state->prepared_length; at += length) {
        uint64_t address = dma_segment_at(me, at, &length);
        uint32_t mask = at == 0 ? me->fAlignMask : me->fAlignMaskInternalSegments;
        if (address == 0 || length == 0)
            return false;                /* the segments will say so */
        if (address + length - 1 > highest || (address & mask) != 0)
            return true;
    }
    return false;
}

static int32_t make_bounce(IODMACommand *me)
{
    struct IODMACommandInternal *state = me->reserved;
    uint64_t highest = dma_highest_address(me);

    state->bounce_size = (size_t)state->prepared_length;
    state->bounce = machine_pages_allocate(state->bounce_size, me->fAlignMask + 1,
                                           highest < UINT32_MAX ? highest : UINT32_MAX);
    if (!state->bounce)
        return kIOReturnNoMemory;
    return kIOReturnSuccess;
}

static void copy_out(IODMACommand *me)
{
    struct IODMACommandInternal *state = me->reserved;

    if (IOMemoryDescriptor_getDirection(me->fMemory) & kIODirectionOut)
        machine_count_bounce(IOMemoryDescriptor_readBytes(me->fMemory, state->prepared_offset,
                                                          state->bounce, state->bounce_size));
}

static void copy_in(IODMACommand *me)
{
    struct IODMACommandInternal *state = me->reserved;

    if (IOMemoryDescriptor_getDirection(me->fMemory) & kIODirectionIn)
        machine_count_bounce(IOMemoryDescriptor_writeBytes(me->fMemory, state->prepared_offset,
                                                           state->bounce, state->bounce_size));
}

int32_t IODMACommand__prepare(IODMACommand *me, uint64_t offset, uint64_t length, bool flush_cache,
                              bool synchronize)
{
    struct IODMACommandInternal *state = me->reserved;

    if (!me->fMemory)
        return kIOReturnNotReady;
    uint64_t size = IOMemoryDescriptor_getLength(me->fMemory);
    if (offset > size || length > size - offset)
        return kIOReturnOverrun;
    if (length == 0)
        length = size - offset;
    if (length > me->fMaxTransferSize)
        return kIOReturnNoSpace;
    if (length & me->fAlignMaskLength)
        return kIOReturnNotAligned;
    if (me->fActive != 0) {
        if (state->prepared_offset != offset || state->prepared_length != length)
            return kIOReturnNotReady;
        me->fActive++;
        return kIOReturnSuccess;
    }
    state->prepared_offset = offset;
    state->prepared_length = length;
    if (needs_bounce(me)) {
        int32_t result = make_bounce(me);
        if (result != kIOReturnSuccess)
            return result;
        copy_out(me);
    }
    me->fActive = 1;
    return kIOReturnSuccess;
}

int32_t IODMACommand__complete(IODMACommand *me, bool invalidate_cache, bool synchronize)
{
    struct IODMACommandInternal *state = me->reserved;

    if (machine_at_interrupt_context())
        machine_panic("IODMACommand::complete called in interrupt context");
    if (me->fActive == 0)
        return kIOReturnNotReady;
    if (--me->fActive != 0 || !state->bounce)
        return kIOReturnSuccess;
    copy_in(me);
    machine_pages_release(state->bounce, state->bounce_size);
    state->bounce = NULL;
    return kIOReturnSuccess;
}

int32_t IODMACommand__getPreparedOffsetAndLength(IODMACommand *me, uint64_t *offset,
                                                 uint64_t *length)
{
    if (me->fActive == 0)
        return kIOReturnNotReady;
    if (offset)
        *offset = me->reserved->prepared_offset;
    if (length)
        *length = me->reserved->prepared_length;
    return kIOReturnSuccess;
}

/* Brings a bounce buffer up to date in the direction given, while the command stays prepared. */
int32_t IODMACommand__synchronize(IODMACommand *me, uint32_t options)
{
    enum { FORCE_DOUBLE_BUFFER = 0x01000000 };

    if (me->fActive == 0)
        return kIOReturnNotReady;
    if ((options & FORCE_DOUBLE_BUFFER) && !me->reserved->bounce) {
        int32_t result = make_bounce(me);
        if (result != kIOReturnSuccess)
            return result;
        copy_out(me);
        return kIOReturnSuccess;
    }
    if (!me->reserved->bounce)
        return kIOReturnSuccess;
    if (options & kIODirectionIn)
        copy_in(me);
    else if (options & kIODirectionOut)
        copy_out(me);
    return kIOReturnSuccess;
}

static int32_t respecify(IODMACommand *me, dma_segment_function *output,
                         const IODMACommand_SegmentOptions *options, uint32_t mapping,
                         uint64_t offset, uint64_t length)
{
    if (me->fActive != 0)
        return kIOReturnNotPermitted;
    int32_t result = set_specification(me, output, options, mapping);
    if (result != kIOReturnSuccess)
        return result;
    return IODMACommand_prepare(me, offset, length, true, true);
}

int32_t IODMACommand__prepareWithSpecification_number(IODMACommand *me,
                                                      dma_segment_function *output, uint8_t bits,
                                                      uint64_t max_segment, uint32_t mapping,
                                                      uint64_t max_transfer, uint32_t alignment,
                                                      IOMapper *mapper, uint64_t offset,
                                                      uint64_t length, bool flush, bool synchronize)
{
    IODMACommand_SegmentOptions options = old_options(bits, max_segment, max_transfer, alignment);

    return respecify(me, output, &options, mapping, offset, length);
}

int32_t IODMACommand__prepareWithSpecification_dmacommandsegmentoptions(
    IODMACommand *me, dma_segment_function *output, const IODMACommand_SegmentOptions *options,
    uint32_t mapping, IOMapper *mapper, uint64_t offset, uint64_t length, bool flush,
    bool synchronize)
{
    return respecify(me, output, options, mapping, offset, length);
}

IOBufferMemoryDescriptor *IODMACommand__createCopyBuffer(IODMACommand *me, uint32_t direction,
                                                         uint64_t length)
{
    return IOBufferMemoryDescriptor_inTaskWithPhysicalMask(kernel_task, direction, length,
                                                           dma_highest_address(me) &
                                                               ~(uint64_t)me->fAlignMask);
}

/* ---- access to the data as the device sees it ------------------------------------------------ */

uint64_t IODMACommand__transfer(IODMACommand *me, uint32_t operation, uint64_t offset, void *buffer,
                                uint64_t length)
{
    enum { READ = 1, WRITE = 2 };
    struct IODMACommandInternal *state = me->reserved;

    if (me->fActive == 0 || offset >= state->prepared_length ||
        (operation != READ && operation != WRITE))
        return 0;
    if (length > state->prepared_length - offset)
        length = state->prepared_length - offset;
    if (!state->bounce) {
        offset += state->prepared_offset;
        return operation == READ
                   ? IOMemoryDescriptor_readBytes(me->fMemory, offset, buffer, length)
                   : IOMemoryDescriptor_writeBytes(me->fMemory, offset, buffer, length);
    }
    char *at = (char *)state->bounce + offset;
    if (operation == READ)
        __builtin_memcpy(buffer, at, length);
    else
        __builtin_memcpy(at, buffer, length);
    return length;
}

uint64_t IODMACommand_readBytes(IODMACommand *me, uint64_t offset, void *bytes, uint64_t length)
{
    return IODMACommand_transfer(me, 1, offset, bytes, length);
}

uint64_t IODMACommand_writeBytes(IODMACommand *me, uint64_t offset, const void *bytes,
                                 uint64_t length)
{
    return IODMACommand_transfer(me, 2, offset, (void *)(uintptr_t)bytes, length);
}
