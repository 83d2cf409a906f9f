/* SPDX-License-Identifier: BSD-3-Clause */
/* Zeroed, wired kernel memory of whole pages whose page numbers can be told to the host. */
#include "kext/core/dma_memory.h"

#include "abi/kpi/libkern.h"
#include "abi/kpi/vm.h"
#include "abi/runtime.h"
#include "kext/core/errors.h"
#include "kext/core/log.h"
#include "protocol/hypervisor.h"

/* Whole pages, anywhere in the physical address space. */
#define PAGE_ALIGNED UINT64_C(0xFFFFFFFFFFFFF000)

int dma_memory_allocate(struct dma_memory *memory, uint32_t size, bool contiguous)
{
    uint32_t options = kIODirectionInOut;

    memory->descriptor = NULL;
    memory->bytes = NULL;
    memory->size = 0;
    if (size == 0 || size > UINT32_MAX - HV_PAGE_SIZE)
        return HV_ERROR_INVALID;
    size = (size + HV_PAGE_SIZE - 1) & ~(HV_PAGE_SIZE - 1);
    if (contiguous)
        options |= kIOMemoryPhysicallyContiguous;
    memory->descriptor = IOBufferMemoryDescriptor_inTaskWithPhysicalMask(kernel_task, options, size,
                                                                         PAGE_ALIGNED);
    if (memory->descriptor == NULL)
        return HV_ERROR_NO_RESOURCES;
    memory->bytes = IOBufferMemoryDescriptor_getBytesNoCopy(memory->descriptor);
    if (memory->bytes == NULL) {
        iokit_release_clear(memory->descriptor);
        return HV_ERROR_NO_RESOURCES;
    }
    memory->size = size;
    memset(memory->bytes, 0, size);
    return 0;
}

void dma_memory_free(struct dma_memory *memory)
{
    iokit_release_clear(memory->descriptor);
    memory->bytes = NULL;
    memory->size = 0;
}

void dma_memory_leak(struct dma_memory *memory, const char *who)
{
    if (memory->descriptor != NULL)
        hv_log(who, "the host did not give %u bytes back: they stay allocated", memory->size);
    memory->descriptor = NULL;
    memory->bytes = NULL;
    memory->size = 0;
}

uint64_t dma_physical_address(IOMemoryDescriptor *descriptor, uint32_t offset)
{
#if defined(__i386__)
    uint32_t length = 0;

    return IOMemoryDescriptor_getPhysicalSegment64(descriptor, offset, &length);
#else
    uint64_t length = 0;

    return IOMemoryDescriptor_getPhysicalSegment_number(descriptor, offset, &length,
                                                        kIOMemoryMapperNone);
#endif
}

uint64_t dma_memory_page_number(const struct dma_memory *memory, uint32_t page)
{
    return dma_physical_address((IOMemoryDescriptor *)memory->descriptor, page * HV_PAGE_SIZE) >>
           HV_PAGE_SHIFT;
}

uint64_t dma_memory_page_source(void *context, uint32_t range, uint32_t page)
{
    return dma_memory_page_number(context, page);
}
