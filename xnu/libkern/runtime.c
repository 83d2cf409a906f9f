/* SPDX-License-Identifier: BSD-3-Clause */
/* The C++ run-time that kexts link to: operator new and delete, the allocator beneath the
 * containers, and the weak-symbol marker; the stack protector; kexts that ask about kexts.
 * Source: xnu libkern/c++/OSRuntime.cpp, OSKextLib.cpp. */
#include "abi/types.h"

#include "xnu/bsd/kpi.h"
#include "xnu/libkern/support.h"

/* A weak import that nobody defines resolves to this address (OSKextSymbolIsResolved). */
KPI_DATA(const char, gOSKextUnresolved) = 0;

KPI(void, __cxa_pure_virtual, (void))
{
    machine_panic("a pure virtual method was called");
}

KPI(void *, kern_os_malloc, (size_t size))
{
    return kernel_allocate(size);
}

KPI(void, kern_os_free, (void *memory))
{
    machine_release(memory, 0);
}

KPI(size_t, kern_os_malloc_size, (void *memory))
{
    return machine_allocation_size(memory);
}

KPI(void *, kern_os_realloc, (void *memory, size_t size))
{
    size_t old = memory ? machine_allocation_size(memory) : 0;

    if (memory && size == 0) {
        machine_release(memory, 0);
        return NULL;
    }
    return kernel_reallocate(memory, old, old < size ? old : size, size);
}

/* operator new, new[], delete, delete[] with and without size */
void *runtime_new(size_t size) __asm("__Znwm");
void *runtime_new_array(size_t size) __asm("__Znam");
void runtime_delete(void *memory) __asm("__ZdlPv");
void runtime_delete_array(void *memory) __asm("__ZdaPv");
void runtime_delete_sized(void *memory, size_t size) __asm("__ZdlPvm");
void runtime_delete_array_sized(void *memory, size_t size) __asm("__ZdaPvm");

void *runtime_new(size_t size)
{
    return kernel_allocate(size ? size : 1);
}

void *runtime_new_array(size_t size)
{
    return runtime_new(size);
}

void runtime_delete(void *memory)
{
    machine_release(memory, 0);
}

void runtime_delete_array(void *memory)
{
    machine_release(memory, 0);
}

void runtime_delete_sized(void *memory, size_t size)
{
    machine_release(memory, 0);
}

void runtime_delete_array_sized(void *memory, size_t size)
{
    machine_release(memory, 0);
}

/* From macOS 12 on kexts name the type of what they allocate; here it makes no difference. */
KPI(void *, OSObject_typed_operator_new, (void *type, size_t size))
{
    return kernel_allocate(size);
}

KPI(void, OSObject_typed_operator_delete, (void *type, void *memory, size_t size))
{
    machine_release(memory, 0);
}

/* ---- OSMalloc: allocation with a tag that only serves statistics ---- */

struct malloc_tag {
    unsigned references;
};

KPI(void *, OSMalloc_Tagalloc, (const char *name, uint32_t flags))
{
    return kernel_allocate(sizeof(struct malloc_tag));
}

KPI(void, OSMalloc_Tagfree, (void *tag))
{
    kernel_free(tag, sizeof(struct malloc_tag));
}

KPI(void *, OSMalloc, (uint32_t size, void *tag))
{
    return kernel_allocate(size);
}

KPI(void *, OSMalloc_nowait, (uint32_t size, void *tag))
{
    return kernel_allocate(size);
}

KPI(void *, OSMalloc_noblock, (uint32_t size, void *tag))
{
    return kernel_allocate(size);
}

KPI(void, OSFree, (void *memory, uint32_t size, void *tag))
{
    kernel_free(memory, size);
}

/* ---- stack protector ---- */

KPI_DATA(uintptr_t, __stack_chk_guard) = (uintptr_t)0x6b65726e2d677200;

KPI(void, __stack_chk_fail, (void))
{
    machine_panic("Kernel stack memory corruption detected");
}

/* ---- kexts about kexts: nothing is requested or kept by them here ---- */

KPI(int32_t, OSKextRetainKextWithLoadTag, (uint32_t tag))
{
    return kOSMetaClassNoKext;
}

KPI(int32_t, OSKextReleaseKextWithLoadTag, (uint32_t tag))
{
    return kOSMetaClassNoKext;
}

KPI(int32_t, OSKextLoadKextWithIdentifier, (const char *identifier))
{
    return kOSMetaClassNoKext;
}
