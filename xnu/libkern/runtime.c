/* SPDX-License-Identifier: BSD-3-Clause */
/* The C++ run-time that kexts link to: operator new and delete, the allocator beneath the containers, and
 * the weak-symbol marker.
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
