/* SPDX-License-Identifier: BSD-3-Clause */
/* Which ACPI processors macOS must not see: Mac OS X 10.4 stalls or panics when there are more than
 * it has room for, and Hyper-V's tables have hundreds. Source: MacHyperVSupport's documentation. */
#ifndef KEXT_PLATFORM_CPU_LIMIT_H
#define KEXT_PLATFORM_CPU_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define CPU_LIMIT_DARWIN     8u         /* Mac OS X 10.4; later releases look after themselves */
#define CPU_LIMIT_PROCESSORS 16u

/* darwin: the kernel's major version; index: of the processor, from 0. */
static inline bool cpu_is_surplus(uint32_t darwin, uint32_t index)
{
    return darwin == CPU_LIMIT_DARWIN && index >= CPU_LIMIT_PROCESSORS;
}

#endif
