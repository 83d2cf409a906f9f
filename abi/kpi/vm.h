/* SPDX-License-Identifier: BSD-3-Clause */
/* Kernel virtual memory.
 *
 * Source: xnu osfmk/mach/vm_map.defs, vm/vm_kern.h.
 * Comments note functions that older releases lack. */
#pragma once

#include "abi/types.h"

extern vm_map_t kernel_map __asm("_kernel_map");
extern task_t kernel_task __asm("_kernel_task");
extern vm_size_t page_size __asm("_page_size");
extern vm_size_t page_mask __asm("_page_mask");
extern int page_shift __asm("_page_shift");
extern uint64_t max_mem __asm("_max_mem"); /* bytes */

#define VM_FLAGS_FIXED 0
#define VM_FLAGS_ANYWHERE 1

/* Sizes in bytes, rounded up to pages. */
kern_return_t vm_allocate(vm_map_t target_task, vm_address_t *address, vm_size_t size, int flags)
    __asm("_vm_allocate");
kern_return_t vm_deallocate(vm_map_t target_task, vm_address_t address, vm_size_t size)
    __asm("_vm_deallocate");
kern_return_t vm_protect(vm_map_t target_task, vm_address_t address, vm_size_t size,
                         boolean_t set_maximum, vm_prot_t new_protection)
    __asm("_vm_protect"); /* VM_PROT_* bits */
task_t current_task(void) __asm("_current_task");
