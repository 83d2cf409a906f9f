/* SPDX-License-Identifier: BSD-3-Clause */
/* IODMASegments.c - the bus addresses of what an IODMACommand has prepared, in the form that the
 * device wants (xnu iokit/Kernel/IODMACommand.cpp: genIOVMSegments). */
#include "abi/IODMACommand.h"
#include "abi/IOMemoryDescriptor.h"

#include "xnu/iokit/dma_private.h"
#include "xnu/libkern/object.h"
#include "xnu/machine/memory.h"

/* ---- output functions: store segment number `index` ------------------------------------------ */

bool IODMACommand_OutputHost32(IODMACommand *me, IODMACommand_Segment64 segment, void *list,
                               uint32_t index)
{
    ((IODMACommand_Segment32 *)list)[index] =
        (IODMACommand_Segment32){ (uint32_t)segment.fIOVMAddr, (uint32_t)segment.fLength };
    return true;
}

bool IODMACommand_OutputLittle32(IODMACommand *me, IODMACommand_Segment64 segment, void *list,
                                 uint32_t index)
{
    return IODMACommand_OutputHost32(me, segment, list, index);
}

bool IODMACommand_OutputBig32(IODMACommand *me, IODMACommand_Segment64 segment, void *list,
                              uint32_t index)
{
    segment.fIOVMAddr = __builtin_bswap32((uint32_t)segment.fIOVMAddr);
    segment.fLength = __builtin_bswap32((uint32_t)segment.fLength);
    return IODMACommand_OutputHost32(me, segment, list, index);
}

bool IODMACommand_OutputHost64(IODMACommand *me, IODMACommand_Segment64 segment, void *list,
                               uint32_t index)
{
    ((IODMACommand_Segment64 *)list)[index] = segment;
    return true;
}

bool IODMACommand_OutputLittle64(IODMACommand *me, IODMACommand_Segment64 segment, void *list,
                                 uint32_t index)
{
    return IODMACommand_OutputHost64(me, segment, list, index);
}

bool IODMACommand_OutputBig64(IODMACommand *me, IODMACommand_Segment64 segment, void *list,
                              uint32_t index)
{
    segment.fIOVMAddr = __builtin_bswap64(segment.fIOVMAddr);
    segment.fLength = __builtin_bswap64(segment.fLength);
    return IODMACommand_OutputHost64(me, segment, list, index);
}

/* ---- segments ------------------------------------------------------------------------------- */

uint64_t dma_segment_at(const IODMACommand *me, uint64_t offset, uint64_t *length)
{
    const struct IODMACommandInternal *state = me->reserved;
    uint64_t rest = state->prepared_length - offset;
    uint64_t address;

    if (state->bounce) {
        *length = rest;
        return machine_physical_address((char *)state->bounce + offset);
    }
    address = IOMemoryDescriptor_getPhysicalSegment_number(
        me->fMemory, state->prepared_offset + offset, length, 0);
    if (*length > rest)
        *length = rest;
    return address;
}

/* The longest piece at `offset` that the device takes as one segment. */
static int32_t next_segment(const IODMACommand *me, uint64_t offset,
                            IODMACommand_Segment64 *segment)
{
    uint64_t total = me->reserved->prepared_length;
    uint64_t length;

    segment->fIOVMAddr = dma_segment_at(me, offset, &segment->fLength);
    if (segment->fIOVMAddr == 0 || segment->fLength == 0)
        return kIOReturnUnderrun;        /* the memory is not prepared or has no physical address */
    while (offset + segment->fLength < total &&
           dma_segment_at(me, offset + segment->fLength, &length) ==
               segment->fIOVMAddr + segment->fLength && length != 0)
        segment->fLength += length;
    if (segment->fLength > me->fMaxSegmentSize) {
        segment->fLength = me->fMaxSegmentSize;
        /* What follows must start aligned too, if there is anything left of the piece then. */
        if (segment->fLength > me->fAlignMaskInternalSegments)
            segment->fLength &= ~(uint64_t)me->fAlignMaskInternalSegments;
    }
    return kIOReturnSuccess;
}

int32_t IODMACommand_genIOVMSegments_number_function(
    IODMACommand *me, uint32_t operation,
    int32_t (*output)(void *, IODMACommand *, IODMACommand_Segment64, void *, uint32_t),
    void *reference, uint64_t *offset, void *segments, uint32_t *count)
{
    uint64_t at = *offset;
    uint32_t index = 0;
    int32_t result = kIOReturnSuccess;

    if (!me->fMemory || me->fActive == 0)
        return kIOReturnNotReady;
    if (*count == 0 || !output)
        return kIOReturnBadArgument;
    if (at >= me->reserved->prepared_length)
        return kIOReturnOverrun;
    while (index < *count && at < me->reserved->prepared_length) {
        IODMACommand_Segment64 segment;
        result = next_segment(me, at, &segment);
        if (result == kIOReturnSuccess)
            result = output(reference, me, segment, segments, index);
        if (result != kIOReturnSuccess)
            break;
        at += segment.fLength;
        index++;
    }
    *offset = at;
    *count = index;
    return result;
}

/* `reference` is the function that stores the segment. */
int32_t IODMACommand_clientOutputSegment(void *reference, IODMACommand *me,
                                         IODMACommand_Segment64 segment, void *list, uint32_t index)
{
    dma_segment_function *store = (dma_segment_function *)reference;

    if (segment.fIOVMAddr + segment.fLength - 1 > dma_highest_address(me) ||
        !store(me, segment, list, index))
        return kIOReturnMessageTooLarge;
    return kIOReturnSuccess;
}

int32_t IODMACommand_genIOVMSegments_function_numbers(IODMACommand *me, dma_segment_function *store,
                                                      uint64_t *offset, void *segments,
                                                      uint32_t *count)
{
    return IODMACommand_genIOVMSegments_number_function(me, 0, IODMACommand_clientOutputSegment,
                                                        (void *)store, offset, segments, count);
}

int32_t IODMACommand__genIOVMSegments_numbers_pointer(IODMACommand *me, uint64_t *offset,
                                                      void *segments, uint32_t *count)
{
    return IODMACommand_genIOVMSegments_function_numbers(me, me->fOutSeg, offset, segments, count);
}
