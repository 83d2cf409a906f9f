/* SPDX-License-Identifier: BSD-3-Clause */
/* mach.c - Mach messages from the kernel. No process here has ports, so every destination is dead;
 * the sender learns it as it would of a process that has exited. */
#include "xnu/bsd/kpi.h"

#include <stdint.h>

enum { MACH_SEND_INVALID_DEST = 0x10000003 };

KPI(int, mach_msg_send_from_kernel_proper, (void *message, uint32_t size))
{
    return MACH_SEND_INVALID_DEST;
}

KPI(int, mach_msg_send_from_kernel_with_options, (void *message, uint32_t size, int options,
                                                  uint32_t timeout))
{
    return MACH_SEND_INVALID_DEST;
}

KPI(void, mach_msg_destroy_from_kernel_proper, (void *message))
{
}
