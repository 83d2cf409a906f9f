/* SPDX-License-Identifier: BSD-3-Clause */
/* memory_private.h - what the memory classes share behind their public objects. */
#ifndef XNU_IOKIT_MEMORY_PRIVATE_H
#define XNU_IOKIT_MEMORY_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/IOMemoryDescriptor.h"

/* Private to the kernel's headers: initialisation ends with prepare(). */
#define kIOMemoryAutoPrepare 0x200

/* Behind IOMemoryDescriptor.reserved, made when first needed. */
struct IOMemoryDescriptorReserved {
    int32_t dma_active;              /* IODMACommands that have the descriptor set */
    uint64_t preparation_id;
    uint64_t descriptor_id;
    OSObject *context;
};

/* The private part of a descriptor, NULL without memory. */
struct IOMemoryDescriptorReserved *memory_descriptor_private(IOMemoryDescriptor *descriptor);

/* An IODMACommand begins (1) or ends (-1) to refer to the descriptor. */
void memory_descriptor_dma_active(IOMemoryDescriptor *descriptor, int change);

/* Where byte `offset` is in the kernel's address space, and in *length how many bytes from there on
 * are contiguous (at least 1). NULL beyond the end or when the descriptor is not prepared. */
void *memory_descriptor_pointer(IOMemoryDescriptor *descriptor, uint64_t offset, uint64_t *length);

/* Copies between memory and a place that memory_descriptor_pointer gave,
 * which may be trapped device memory. */
void memory_copy(void *to, const void *from, size_t size);

/* Preparation numbers are never given twice. */
uint64_t memory_next_preparation_id(void);

#endif
