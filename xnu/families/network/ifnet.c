/* SPDX-License-Identifier: BSD-3-Clause */
/* ifnet.c - the BSD side of an interface, as far as drivers ask it (KPI bsd, net/kpi_interface.h).
 * The handle exists from the moment that the stack has the interface. */
#include "abi/kpi/ifnet.h"

#include "abi/constants/errno.h"
#include "xnu/bsd/kpi.h"
#include "xnu/families/network/ethernet_stack.h"
#include "xnu/families/network/network_private.h"

ifnet_t IONetworkInterface__getIfnet(IONetworkInterface *me)
{
    return ethernet_stack_has(me) ? (ifnet_t)(void *)me : NULL;
}

static uint32_t *tso_mtu(ifnet_t handle, sa_family_t family)
{
    IONetworkInterface *interface = (IONetworkInterface *)(void *)handle;
    uint32_t features;

    if (!interface)
        return NULL;
    features = IONetworkController_getFeatures(interface_state(interface)->controller);
    if (family == KPI_AF_INET && (features & kIONetworkFeatureTSOIPv4) != 0)
        return &interface_state(interface)->tso_mtu_ipv4;
    if (family == KPI_AF_INET6 && (features & kIONetworkFeatureTSOIPv6) != 0)
        return &interface_state(interface)->tso_mtu_ipv6;
    return NULL;
}

KPI(errno_t, ifnet_set_tso_mtu, (ifnet_t handle, sa_family_t family, uint32_t bytes))
{
    uint32_t *field = tso_mtu(handle, family);

    if (!field || !ethernet_stack_set_tso_mtu((IONetworkInterface *)(void *)handle, field, bytes))
        return EINVAL;
    return 0;
}

KPI(errno_t, ifnet_get_tso_mtu, (ifnet_t handle, sa_family_t family, uint32_t *bytes))
{
    const uint32_t *field = tso_mtu(handle, family);

    if (!field || !bytes)
        return EINVAL;
    *bytes = *field;
    return 0;
}
