/* SPDX-License-Identifier: BSD-3-Clause */
/* Sleep and wake. Before the machine sleeps the adapter's conversation with the host ends as when
 * the driver stops; when it wakes a new one begins. The interface stays all the while: its name,
 * address, filters and statistics are the same afterwards.
 *
 * The family disables the interface before the power goes and enables it after it has come
 * (IOEthernetInterface::controllerWillChangePowerState); this file does not count on it. */
#include "kext/network/HyperVNetwork.h"

#include "kext/core/ioreturn.h"

enum { POWER_OFF, POWER_ON, POWER_STATES };

int32_t network_register_power(IONetworkController *me, IOService *policy_maker)
{
    static const IOPMPowerState states[POWER_STATES] = {
        [POWER_OFF] = { .version = 1 },
        [POWER_ON] = { .version = 1, .capabilityFlags = kIOPMDeviceUsable,
                       .outputPowerCharacter = kIOPMPowerOn,
                       .inputPowerRequirement = kIOPMPowerOn },
    };

    return IOService_registerPowerDriver(policy_maker, (IOService *)me,
                                         (IOPMPowerState *)(uintptr_t)states, POWER_STATES);
}

/* ---- inside the controller's gate ---- */

static int32_t suspend(void *target, void *param0, void *param1, void *param2, void *param3)
{
    struct HyperVNetwork *self = target;

    (void)param0, (void)param1, (void)param2, (void)param3;
    if (self->suspended)
        return kIOReturnSuccess;
    self->enable_on_wake = self->enabled;
    network_disable(self);
    network_drain(self);
    self->suspended = true;
    network_link_changed(self, false);
    network_disconnect(self);
    network_log(self, "suspended");
    return kIOReturnSuccess;
}

/* After a failure the adapter stays suspended, until the next time that the machine wakes. */
static int32_t resume(void *target, void *param0, void *param1, void *param2, void *param3)
{
    struct HyperVNetwork *self = target;
    int error;

    (void)param0, (void)param1, (void)param2, (void)param3;
    if (!self->suspended || self->gone || device_is_gone(self->device))
        return kIOReturnSuccess;
    error = network_connect(self);
    if (error != 0) {
        network_log(self, "the adapter does not come up again: error %d", error);
        network_disconnect(self);
        return ioreturn_of(error);
    }
    self->suspended = false;
    network_read_link(self);
    return self->enable_on_wake ? ioreturn_of(network_enable(self)) : kIOReturnSuccess;
}

/* On a thread of power management's, one call at a time. Power does not wait for what the host
 * says: the answer is always that the change is done. */
int32_t network_set_power_state(IOService *me, unsigned long state, IOService *policy_maker)
{
    struct HyperVNetwork *self = (struct HyperVNetwork *)(uintptr_t)me;

    (void)policy_maker;
    if (self->started)
        IONetworkController_executeCommand((IONetworkController *)self, (OSObject *)self,
                                           state == POWER_OFF ? suspend : resume, self, NULL, NULL,
                                           NULL, NULL);
    return IOPMAckImplied;
}
