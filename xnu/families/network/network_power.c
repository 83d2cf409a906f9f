/* SPDX-License-Identifier: BSD-3-Clause */
/* network_power.c - what interfaces do when the power of their controller goes or comes: an
 * interface that is up is disabled before and enabled after. Source of the rules:
 * IONetworkingFamily IONetworkInterface.cpp, IOEthernetInterface.cpp. */
#include "xnu/families/network/network_private.h"

/* ---- any interface ---- */

static int32_t will_change(void *me, void *flags, void *state, void *device, void *unused)
{
    return IONetworkInterface_controllerWillChangePowerState(
        me, interface_state(me)->controller, (unsigned long)(uintptr_t)flags,
        (uint32_t)(uintptr_t)state, device);
}

static int32_t did_change(void *me, void *flags, void *state, void *device, void *unused)
{
    return IONetworkInterface_controllerDidChangePowerState(
        me, interface_state(me)->controller, (unsigned long)(uintptr_t)flags,
        (uint32_t)(uintptr_t)state, device);
}

static int32_t command(IONetworkInterface *me,
                       int32_t (*action)(void *, void *, void *, void *, void *),
                       unsigned long flags, unsigned long state, IOService *device)
{
    IONetworkController_executeCommand(interface_state(me)->controller, (OSObject *)me, action, me,
                                       (void *)(uintptr_t)flags, (void *)(uintptr_t)state, device,
                                       NULL);
    return IOPMAckImplied;
}

int32_t IONetworkInterface__powerStateWillChangeTo(IONetworkInterface *me, unsigned long flags,
                                                   unsigned long state, IOService *device)
{
    return command(me, will_change, flags, state, device);
}

int32_t IONetworkInterface__powerStateDidChangeTo(IONetworkInterface *me, unsigned long flags,
                                                  unsigned long state, IOService *device)
{
    return command(me, did_change, flags, state, device);
}

int32_t IONetworkInterface__controllerWillChangePowerState(IONetworkInterface *me,
                                                           IONetworkController *controller,
                                                           unsigned long flags, uint32_t state,
                                                           IOService *policyMaker)
{
    return kIOReturnSuccess;
}

int32_t IONetworkInterface__controllerDidChangePowerState(IONetworkInterface *me,
                                                          IONetworkController *controller,
                                                          unsigned long flags, uint32_t state,
                                                          IOService *policyMaker)
{
    return kIOReturnSuccess;
}

/* ---- Ethernet ---- */

int32_t IOEthernetInterface__controllerWillChangePowerState(IOEthernetInterface *me,
                                                            IONetworkController *controller,
                                                            unsigned long flags, uint32_t state,
                                                            IOService *policyMaker)
{
    struct network_interface_state *interface = interface_state((IONetworkInterface *)me);

    if ((flags & kIOPMDeviceUsable) == 0 && interface->up && !interface->lost_power) {
        interface->lost_power = true;
        IONetworkController_doDisable(controller, (IOService *)me);
    }
    return kIOReturnSuccess;
}

int32_t IOEthernetInterface__controllerDidChangePowerState(IOEthernetInterface *me,
                                                           IONetworkController *controller,
                                                           unsigned long flags, uint32_t state,
                                                           IOService *policyMaker)
{
    struct network_interface_state *interface = interface_state((IONetworkInterface *)me);

    if ((flags & kIOPMDeviceUsable) != 0 && interface->lost_power) {
        interface->lost_power = false;
        if (interface->up)
            return IONetworkController_doEnable(controller, (IOService *)me);
    }
    return kIOReturnSuccess;
}
