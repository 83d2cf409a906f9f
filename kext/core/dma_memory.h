/* SPDX-License-Identifier: BSD-3-Clause */
/* Zeroed, wired kernel memory of whole pages whose page numbers can be told to the host. */
#ifndef KEXT_CORE_DMA_MEMORY_H
#define KEXT_CORE_DMA_MEMORY_H

#include "abi/IOBufferMemoryDescriptor.h"

struct dma_memory {
    IOBufferMemoryDescriptor *descriptor;
    uint8_t *bytes;
    uint32_t size;                  /* bytes, whole pages */
};

/* Allocates `size` bytes, rounded up to pages; `contiguous` asks for one physical run. Blocks.
 * Returns 0, HV_ERROR_INVALID (0 bytes) or HV_ERROR_NO_RESOURCES (`*memory` is then empty). */
int dma_memory_allocate(struct dma_memory *memory, uint32_t size, bool contiguous);

/* Frees the memory; empty memory is allowed. Not while the host may still use it. */
void dma_memory_free(struct dma_memory *memory);

/* Gives the memory up without freeing it, since the host may write to it at any time. */
void dma_memory_leak(struct dma_memory *memory, const char *who);

/* Guest page number of page `page` of the memory. */
uint64_t dma_memory_page_number(const struct dma_memory *memory, uint32_t page);

/* Physical address of the byte at `offset` of any wired descriptor; 0 beyond its end. */
uint64_t dma_physical_address(IOMemoryDescriptor *descriptor, uint32_t offset);

/* The same as gpadl_page_source; `context` is the struct dma_memory. */
uint64_t dma_memory_page_source(void *context, uint32_t range, uint32_t page);

#endif
