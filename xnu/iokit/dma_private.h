/* SPDX-License-Identifier: BSD-3-Clause */
/* dma_private.h - the inner state of an IODMACommand, shared by its two files. */
#ifndef XNU_IOKIT_DMA_PRIVATE_H
#define XNU_IOKIT_DMA_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/IODMACommand.h"

struct IODMACommandInternal {
    uint64_t prepared_offset, prepared_length;   /* while fActive != 0 */
    void *bounce;                                /* copy of the prepared range, or NULL */
    size_t bounce_size;
};

typedef bool dma_segment_function(IODMACommand *, IODMACommand_Segment64, void *, uint32_t);

/* The highest bus address that the command's device reaches. */
static inline uint64_t dma_highest_address(const IODMACommand *me)
{
    return me->fNumAddressBits == 0 || me->fNumAddressBits >= 64
               ? UINT64_MAX : (UINT64_C(1) << me->fNumAddressBits) - 1;
}

/* The bus address of byte `offset` of the prepared range and in *length how many bytes follow it
 * contiguously. 0: the memory has no physical address. */
uint64_t dma_segment_at(const IODMACommand *me, uint64_t offset, uint64_t *length);

#endif
