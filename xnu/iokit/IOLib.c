/* SPDX-License-Identifier: BSD-3-Clause */
/* IOLib.c - IOMalloc and its family, small helpers (xnu iokit/Kernel/IOLib.cpp).
 *
 * All memory is guest RAM, so drivers can take the physical address of any of it. Sizes are checked
 * when memory is given back: a wrong one panics with both values. */
#include "xnu/bsd/kpi.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/panic.h"
#include "xnu/machine/threads.h"

#include "abi/kpi/iolib.h"

typedef unsigned IOAlignment;

typedef struct IONamedValue {
    int value;
    const char *name;
} IONamedValue;

static void check_context(const char *function)
{
    if (machine_at_interrupt_context())
        machine_panic("%s called in interrupt context", function);
}

KPI(void *, IOMalloc, (vm_size_t size))
{
    check_context("IOMalloc");
    return machine_allocate(size, 0);
}

KPI(void *, IOMallocZero, (vm_size_t size))
{
    check_context("IOMallocZero");
    return machine_allocate_zeroed(size, 0);
}

KPI(void *, IOMallocData, (vm_size_t size))
{
    return IOMalloc(size);
}

KPI(void *, IOMallocZeroData, (vm_size_t size))
{
    return IOMallocZero(size);
}

KPI(void, IOFree, (void *address, vm_size_t size))
{
    check_context("IOFree");
    if (address && size == 0)
        machine_panic("IOFree(%p, 0): the size of an allocation is never 0", address);
    machine_release(address, size);
}

KPI(void, IOFreeData, (void *address, vm_size_t size))
{
    IOFree(address, size);
}

/* Memory of more than a page's alignment is made of whole pages. */
static void *allocate_aligned(size_t size, size_t alignment)
{
    if (alignment <= MACHINE_PAGE_SIZE)
        return machine_allocate(size, alignment);
    return size == 0 ? NULL : machine_pages_allocate(size, alignment, MACHINE_NO_LIMIT);
}

static void release_aligned(void *address, size_t size)
{
    if (!address)
        return;
    if (machine_allocation_size(address) != 0)
        machine_release(address, size);
    else
        machine_pages_release(address, size);
}

static bool is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

KPI(void *, IOMallocAligned, (vm_size_t size, vm_offset_t alignment))
{
    check_context("IOMallocAligned");
    if (alignment != 0 && !is_power_of_two(alignment))
        machine_panic("IOMallocAligned: alignment %#lx is no power of two",
                      (unsigned long)alignment);
    return allocate_aligned(size, alignment);
}

KPI(void, IOFreeAligned, (void *address, vm_size_t size))
{
    check_context("IOFreeAligned");
    release_aligned(address, size);
}

/* Below 4 GiB when the physical address is asked for: the type was 32 bits wide once. */
KPI(void *, IOMallocContiguous, (vm_size_t size, vm_size_t alignment, IOPhysicalAddress *physical))
{
    check_context("IOMallocContiguous");
    if (size == 0)
        return NULL;
    void *address = machine_pages_allocate(size, alignment,
                                           physical ? UINT32_MAX : MACHINE_NO_LIMIT);
    if (address && physical)
        *physical = machine_physical_address(address);
    return address;
}

KPI(void, IOFreeContiguous, (void *address, vm_size_t size))
{
    check_context("IOFreeContiguous");
    if (address)
        machine_pages_release(address, size);
}

KPI(void *, IOMallocPageable, (vm_size_t size, vm_size_t alignment))
{
    check_context("IOMallocPageable");
    return size == 0 ? NULL : machine_pages_allocate(size, alignment, MACHINE_NO_LIMIT);
}

KPI(void *, IOMallocPageableZero, (vm_size_t size, vm_size_t alignment))
{
    return IOMallocPageable(size, alignment);    /* pages come zeroed */
}

KPI(void, IOFreePageable, (void *address, vm_size_t size))
{
    IOFreeContiguous(address, size);
}

/* ---- alignments as exponents ---------------------------------------------------------------- */

KPI(IOAlignment, IOSizeToAlignment, (unsigned size))
{
    for (int shift = 31; shift > 0; shift--)
        if (size & (1u << shift))
            return (IOAlignment)shift;
    return 0;
}

KPI(unsigned, IOAlignmentToSize, (IOAlignment alignment))
{
    return 1u << alignment;
}

/* ---- tables of names ------------------------------------------------------------------------ */

KPI(const char *, IOFindNameForValue, (int value, const IONamedValue *names))
{
    for (; names->name; names++)
        if (names->value == value)
            return names->name;
    return "(unknown)";
}

static bool same_text(const char *left, const char *right)
{
    while (*left != '\0' && *left == *right)
        left++, right++;
    return *left == *right;
}

KPI(IOReturn, IOFindValueForName, (const char *name, const IONamedValue *names, int *value))
{
    for (; names->name; names++) {
        if (same_text(names->name, name)) {
            *value = names->value;
            return kIOReturnSuccess;
        }
    }
    return kIOReturnBadArgument;
}

/* ---- the caches are coherent: nothing to do ------------------------------------------------- */

KPI(IOReturn, IOSetProcessorCacheMode, (task_t task, IOVirtualAddress address, IOByteCount length,
                                        IOOptionBits mode))
{
    return kIOReturnSuccess;
}

KPI(IOReturn, IOFlushProcessorCache, (task_t task, IOVirtualAddress address, IOByteCount length))
{
    return kIOReturnSuccess;
}
