/* SPDX-License-Identifier: BSD-3-Clause */
/* Processors, interrupts and physical memory.
 *
 * Source: xnu osfmk/i386/mp.h, machine_routines.h, cpu_number.h, proc_reg.h.
 * Comments note functions that older releases lack. */
#pragma once

#include "abi/types.h"

extern unsigned int real_ncpus __asm("_real_ncpus"); /* processors that were started */
int cpu_number(void) __asm("_cpu_number"); /* stable only with preemption off */

/* Runs `function` once on every processor, all at the same time, interrupts off on all; returns
 * when all have finished. */
void mp_rendezvous_no_intrs(void (*function)(void *), void *argument)
    __asm("_mp_rendezvous_no_intrs"); /* on 10.4 only in com.apple.kernel.6.0 */
/* The same in three steps; interrupts stay on on the calling processor. Functions may be NULL. */
void mp_rendezvous(void (*setup)(void *), void (*action)(void *), void (*teardown)(void *),
                   void *argument) __asm("_mp_rendezvous");

/* returns the previous state */
boolean_t ml_set_interrupts_enabled(boolean_t enable) __asm("_ml_set_interrupts_enabled");
boolean_t ml_get_interrupts_enabled(void) __asm("_ml_get_interrupts_enabled"); /* since 10.6 */
boolean_t ml_at_interrupt_context(void) __asm("_ml_at_interrupt_context");
boolean_t preemption_enabled(void) __asm("_preemption_enabled"); /* only queries */

vm_offset_t ml_io_map(vm_offset_t physical, vm_size_t size) __asm("_ml_io_map");
struct pmap;
extern struct pmap *kernel_pmap __asm("_kernel_pmap");
ppnum_t pmap_find_phys(struct pmap *pmap, addr64_t address) __asm("_pmap_find_phys");
void bcopy_phys(addr64_t source, addr64_t destination, vm_size_t bytes) __asm("_bcopy_phys");
/* 0 on success; since 10.6.8 */
int rdmsr_carefully(uint32_t msr, uint32_t *lo, uint32_t *hi) __asm("_rdmsr_carefully");
