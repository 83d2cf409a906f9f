/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVVMBusDevice: its interrupt, as I/O Kit's families ask their provider for one. The nub is
 * its own interrupt controller, with one source: the primary channel's events, while no driver has
 * the channel open. A driver of ours takes them by opening it; but on 10.4 the SCSI family insists
 * on a source of the provider before. */
#include "abi/kpi/iolib.h"
#include "abi/kpi/libkern.h"
#include "abi/kpi/machine.h"
#include "kext/core/device.h"

#define SOURCES 1

struct interrupt_call {
    IOInterruptAction handler;
    OSObject *target;
    void *reference;
};

static void run(HyperVVMBusDevice *device, const struct interrupt_call *call)
{
    call->handler(call->target, call->reference, (IOService *)device, 0);
    OSDecrementAtomic(&device->interrupt_calls);
}

/* With the lock: who is to be called after it. */
static void prepare(HyperVVMBusDevice *device, struct interrupt_call *call)
{
    *call = (struct interrupt_call){ device->interrupt_handler, device->interrupt_target,
                                     device->interrupt_reference };
    OSIncrementAtomic(&device->interrupt_calls);
}

void device_interrupt(HyperVVMBusDevice *device)
{
    struct interrupt_call call;
    IOInterruptState state = IOSimpleLockLockDisableInterrupt(device->interrupt_lock);
    bool wanted = interrupt_line_raise(&device->interrupt);

    if (wanted)
        prepare(device, &call);
    IOSimpleLockUnlockEnableInterrupt(device->interrupt_lock, state);
    if (wanted)
        run(device, &call);
}

int32_t device_get_interrupt_type(IOService *me, int32_t source, int32_t *type)
{
    if (source < 0 || source >= SOURCES)
        return kIOReturnNoInterrupt;
    *type = kIOInterruptTypeEdge;
    return kIOReturnSuccess;
}

int32_t device_register_interrupt(IOService *me, int32_t source, OSObject *target,
                                  IOInterruptAction handler, void *reference)
{
    HyperVVMBusDevice *device = (HyperVVMBusDevice *)me;
    IOInterruptState state;
    bool mine;

    if (source < 0 || source >= SOURCES || handler == NULL)
        return kIOReturnNoInterrupt;
    state = IOSimpleLockLockDisableInterrupt(device->interrupt_lock);
    mine = interrupt_line_register(&device->interrupt);
    if (mine) {
        device->interrupt_handler = handler;
        device->interrupt_target = target;
        device->interrupt_reference = reference;
    }
    IOSimpleLockUnlockEnableInterrupt(device->interrupt_lock, state);
    return mine ? kIOReturnSuccess : kIOReturnNoResources;
}

/* On return the handler does not run any more. */
int32_t device_unregister_interrupt(IOService *me, int32_t source)
{
    HyperVVMBusDevice *device = (HyperVVMBusDevice *)me;
    IOInterruptState state;

    if (source < 0 || source >= SOURCES)
        return kIOReturnNoInterrupt;
    state = IOSimpleLockLockDisableInterrupt(device->interrupt_lock);
    interrupt_line_unregister(&device->interrupt);
    IOSimpleLockUnlockEnableInterrupt(device->interrupt_lock, state);
    while (device->interrupt_calls != 0)
        IODelay(1);
    return kIOReturnSuccess;
}

/* A handler expects to run with interrupts off: also the one that makes up for a late enable. */
int32_t device_enable_interrupt(IOService *me, int32_t source)
{
    HyperVVMBusDevice *device = (HyperVVMBusDevice *)me;
    struct interrupt_call call;
    IOInterruptState state;
    boolean_t enabled;
    bool wanted;

    if (source < 0 || source >= SOURCES)
        return kIOReturnNoInterrupt;
    enabled = ml_set_interrupts_enabled(false);
    state = IOSimpleLockLockDisableInterrupt(device->interrupt_lock);
    wanted = interrupt_line_enable(&device->interrupt);
    if (wanted)
        prepare(device, &call);
    IOSimpleLockUnlockEnableInterrupt(device->interrupt_lock, state);
    if (wanted)
        run(device, &call);
    ml_set_interrupts_enabled(enabled);
    return kIOReturnSuccess;
}

int32_t device_disable_interrupt(IOService *me, int32_t source)
{
    HyperVVMBusDevice *device = (HyperVVMBusDevice *)me;
    IOInterruptState state;

    if (source < 0 || source >= SOURCES)
        return kIOReturnNoInterrupt;
    state = IOSimpleLockLockDisableInterrupt(device->interrupt_lock);
    interrupt_line_disable(&device->interrupt);
    IOSimpleLockUnlockEnableInterrupt(device->interrupt_lock, state);
    return kIOReturnSuccess;
}
