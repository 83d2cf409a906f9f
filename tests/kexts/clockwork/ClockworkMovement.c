/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver on IOResources: work loop, timer, gate, thread call, kernel control,
 * a nub of its own. */
#include "tests/kexts/clockwork/Clockwork.h"

#include "abi/OSDictionary.h"
#include "abi/OSNumber.h"
#include "abi/OSString.h"
#include "abi/constants.h"
#include "abi/kpi/iolib.h"

IOKIT_MODULE(KEXT_IDENTIFIER, KEXT_VERSION, iokit_module_nothing, iokit_module_nothing);

static struct ClockworkMovement *from(IOService *me)
{
    return (struct ClockworkMovement *)me;
}

/* ---- ticking ---- */

static void tick(OSObject *owner, IOTimerEventSource *timer)
{
    struct ClockworkMovement *self = (struct ClockworkMovement *)owner;

    if (!IOWorkLoop_inGate(self->work_loop))
        clockwork_log("FAILED: the timer's action runs outside the gate");
    if (++self->ticks < CLOCKWORK_TICKS)
        IOTimerEventSource_setTimeoutMS(timer, CLOCKWORK_TICK_MILLISECONDS);
    else
        thread_call_enter(self->strike);
}

static int32_t read_ticks(OSObject *owner, void *result, void *unused1, void *unused2,
                          void *unused3)
{
    (void)unused1;
    (void)unused2;
    (void)unused3;
    *(uint32_t *)result = ((struct ClockworkMovement *)owner)->ticks;
    return kIOReturnSuccess;
}

static int32_t note_struck(OSObject *owner, void *unused, void *unused1, void *unused2,
                           void *unused3)
{
    struct ClockworkMovement *self = (struct ClockworkMovement *)owner;

    (void)unused;
    (void)unused1;
    (void)unused2;
    (void)unused3;
    self->struck = true;
    IOCommandGate_commandWakeup(self->gate, &self->struck, false);
    return kIOReturnSuccess;
}

static void strike(void *parameter, void *unused)
{
    struct ClockworkMovement *self = parameter;
    uint32_t ticks = 0;

    (void)unused;
    IOCommandGate_runAction(self->gate, read_ticks, &ticks, NULL, NULL, NULL);
    IORegistryEntry_setProperty_cstring_number((IORegistryEntry *)self, "Ticks", ticks, 32);
    clockwork_log("%u ticks", (unsigned)ticks);
    IOCommandGate_runAction(self->gate, note_struck, NULL, NULL, NULL, NULL);
}

static int32_t wait_for_strike(OSObject *owner, void *unused, void *unused1, void *unused2,
                               void *unused3)
{
    struct ClockworkMovement *self = (struct ClockworkMovement *)owner;

    (void)unused;
    (void)unused1;
    (void)unused2;
    (void)unused3;
    while (!self->struck)
        IOCommandGate_commandSleep(self->gate, &self->struck, THREAD_UNINT);
    return kIOReturnSuccess;
}

/* ---- the kernel control: getopt gives the ticks ---- */

static errno_t control_connect(kern_ctl_ref control, struct sockaddr_ctl *address, void **unit_info)
{
    (void)control;
    (void)address;
    *unit_info = NULL;
    return 0;
}

static bool start_control(struct ClockworkMovement *self)
{
    struct kern_ctl_reg registration = { .ctl_name = CLOCKWORK_CONTROL,
                                         .ctl_connect = control_connect };

    return ctl_register(&registration, &self->control) == 0;
}

/* ---- the nub ---- */

static bool publish_hand(struct ClockworkMovement *self)
{
    OSDictionary *properties = OSDictionary_withCapacity(2);
    OSString *kind = OSString_withCString("hour");
    bool published = false;

    self->hand = (IOService *)OSMetaClass_allocClassWithName_cstring("IOService");
    if (properties != NULL && kind != NULL && self->hand != NULL) {
        OSDictionary_setObject_cstring(properties, "Hand", (const OSMetaClassBase *)kind);
        published = IORegistryEntry_init_dictionary((IORegistryEntry *)self->hand, properties) &&
                    IOService_attach(self->hand, (IOService *)self);
    }
    if (published) {
        IORegistryEntry_setName_cstring((IORegistryEntry *)self->hand, "ClockworkHand", NULL);
        IOService_registerService(self->hand, 0);
    }
    iokit_release(kind);
    iokit_release(properties);
    return published;
}

/* ---- life ---- */

static void take_apart(struct ClockworkMovement *self)
{
    if (self->timer != NULL) {
        IOTimerEventSource_cancelTimeout(self->timer);
        IOWorkLoop_removeEventSource(self->work_loop, (IOEventSource *)self->timer);
    }
    if (self->gate != NULL)
        IOWorkLoop_removeEventSource(self->work_loop, (IOEventSource *)self->gate);
    if (self->strike != NULL)
        thread_call_free(self->strike);
    if (self->control != NULL)
        ctl_deregister(self->control);
    iokit_release_clear(self->timer);
    iokit_release_clear(self->gate);
    iokit_release_clear(self->work_loop);
    iokit_release_clear(self->hand);
    self->strike = NULL;
    self->control = NULL;
}

static bool put_together(struct ClockworkMovement *self)
{
    OSObject *owner = (OSObject *)self;

    self->work_loop = IOWorkLoop_workLoop();
    self->gate = IOCommandGate_commandGate(owner, NULL);
    self->timer = IOTimerEventSource_timerEventSource_object(owner, tick);
    self->strike = thread_call_allocate(strike, self);
    return self->work_loop != NULL && self->gate != NULL && self->timer != NULL &&
           self->strike != NULL &&
           IOWorkLoop_addEventSource(self->work_loop, (IOEventSource *)self->gate) ==
               kIOReturnSuccess &&
           IOWorkLoop_addEventSource(self->work_loop, (IOEventSource *)self->timer) ==
               kIOReturnSuccess &&
           start_control(self);
}

static bool start(IOService *me, IOService *provider)
{
    struct ClockworkMovement *self = from(me);
    unsigned faults = clockwork_check_containers();

    if (!IOService_super_start(me, provider))
        return false;
    if (faults != 0 || !put_together(self)) {
        clockwork_log("FAILED: %u faults in containers, or parts are missing", faults);
        take_apart(self);
        IOService_super_stop(me, provider);
        return false;
    }
    IOTimerEventSource_setTimeoutMS(self->timer, CLOCKWORK_TICK_MILLISECONDS);
    IOCommandGate_runAction(self->gate, wait_for_strike, NULL, NULL, NULL, NULL);
    if (!publish_hand(self))
        clockwork_log("FAILED: the hand could not be published");
    IOService_registerService(me, 0);
    return true;
}

static void stop(IOService *me, IOService *provider)
{
    take_apart(from(me));
    clockwork_log("stopped");
    IOService_super_stop(me, provider);
}

IOKIT_CLASS(17, ClockworkMovement, IOService, .start = start, .stop = stop)
