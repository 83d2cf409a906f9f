/* SPDX-License-Identifier: BSD-3-Clause */
/* Network interfaces as the BSD part of the kernel has them.
 *
 * Source: xnu bsd/net/kpi_interface.h.
 * Comments note functions that older releases lack. */
#pragma once

#include "abi/types.h"

typedef uint8_t sa_family_t;

enum { KPI_AF_INET = 2, KPI_AF_INET6 = 30 }; /* bsd/sys/socket.h */

/* Bytes of the largest IP packet that the stack leaves to the driver to be segmented. EINVAL: the
 * interface does not segment that family, or its MTU is larger. */
errno_t ifnet_set_tso_mtu(ifnet_t interface, sa_family_t family, uint32_t bytes)
    __asm("_ifnet_set_tso_mtu"); /* since 10.6 */
errno_t ifnet_get_tso_mtu(ifnet_t interface, sa_family_t family, uint32_t *bytes)
    __asm("_ifnet_get_tso_mtu"); /* since 10.6 */
