/* SPDX-License-Identifier: BSD-3-Clause */
/* The register of a synthetic interrupt source. */
#ifndef KEXT_CORE_SYNIC_SINT_H
#define KEXT_CORE_SYNIC_SINT_H

#include "protocol/hypervisor.h"

/* Value that delivers a source's events as `vector`. With auto-EOI the hypervisor ends the
 * interrupt as it delivers it; hypervisors from Windows Server 2016 on recommend against it, since
 * it keeps them from virtualising the APIC. macOS writes the end of every interrupt itself; after
 * an auto-EOI that write finds nothing in service, as handlers run with interrupts off, and does
 * nothing.
 * recommendations: HV_RECOMMEND_*. Source: TLFS, "SINTx registers", leaf 0x40000004. */
static inline uint64_t synic_sint(uint8_t vector, uint32_t recommendations)
{
    return vector | (recommendations & HV_RECOMMEND_NO_AUTO_EOI ? 0 : HV_SINT_AUTO_EOI);
}

#endif
