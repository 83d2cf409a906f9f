/* SPDX-License-Identifier: BSD-3-Clause */
/* Power management of a service: a driver that asks for a state, or whose power comes or goes, gets
 * setPowerState on a thread of its own, one call at a time, never on its work loop; drivers that
 * are interested are told before and after.
 * Source of the rules: xnu iokit/Kernel/IOServicePM.cpp. */
#include "abi/IOPlatformExpert.h"
#include "abi/kpi/libkern.h"

#include "xnu/iokit/service.h"

enum {
    ACKNOWLEDGE_UNIT = 1000, /* ns in the microseconds that setPowerState returns */
    INTERESTED_MAX = 4,
};

struct service_power {
    IOService *driver;           /* not retained: it is above, or the service itself */
    IOPMPowerState *states;
    unsigned long count;
    unsigned long current, wanted;
    IOService *interested[INTERESTED_MAX]; /* not retained: they deregister */
    bool without_power;          /* the domain's is off */
    bool changing;               /* a thread is at it */
    bool awaiting;               /* setPowerState said that it will acknowledge */
    bool stopped;
};

static struct service_power *power_of(const IOService *me)
{
    return service_private(me)->power;
}

void service_power_free(IOService *me)
{
    struct service_power *power = power_of(me);

    if (!power)
        return;
    kernel_free(power->states, power->count * sizeof(*power->states));
    kernel_free(power, sizeof(*power));
    service_private(me)->power = NULL;
}

/* ---- joining and leaving ---- */

void IOService__PMinit(IOService *me)
{
    kernel_lock_take(&service_lock);
    if (!me->initialized) {
        if (!service_private(me)->power)
            service_private(me)->power = kernel_allocate(sizeof(struct service_power));
        me->initialized = service_private(me)->power != NULL;
        me->pwrMgt = (IOServicePM *)service_private(me)->power;
    }
    kernel_lock_drop(&service_lock);
}

/* Waits for a setPowerState that runs; there is none afterwards. */
void IOService__PMstop(IOService *me)
{
    struct service_power *power;

    kernel_lock_take(&service_lock);
    power = power_of(me);
    if (power) {
        power->stopped = true;
        machine_wakeup(&power->awaiting, false);
        while (power->changing)
            kernel_lock_sleep(&service_lock, &power->changing, MACHINE_NEVER);
    }
    kernel_lock_drop(&service_lock);
}

void IOService__joinPMtree(IOService *me, IOService *driver)
{
    IOPlatformExpert *platform = IOService_getPlatform();

    if (platform)
        IOPlatformExpert_PMRegisterDevice(platform, me, driver);
}

int32_t IOService__registerPowerDriver(IOService *me, IOService *driver, IOPMPowerState *states,
                                       unsigned long count)
{
    struct service_power *power = power_of(me);
    size_t size = count * sizeof(*states);
    IOPMPowerState *copy;

    if (!power || !me->initialized)
        return IOPMNotYetInitialized;
    if (!driver || !states || count < 2 || count > kIOPMMaxPowerStates)
        return kIOReturnBadArgument;
    copy = kernel_allocate(size);
    if (!copy)
        return kIOReturnNoMemory;
    memcpy(copy, states, size);
    kernel_lock_take(&service_lock);
    kernel_free(power->states, power->count * sizeof(*power->states));
    power->driver = driver;
    power->states = copy;
    power->count = count;
    kernel_lock_drop(&service_lock);
    return IOPMNoErr;
}

/* ---- changing the state ---- */

/* The highest state that a domain with these capabilities allows. */
static unsigned long highest_state(IOService *me, unsigned long domain)
{
    struct service_power *power = power_of(me);
    unsigned long i = power ? power->count : 0;

    while (i-- > 0) {
        unsigned long needed = power->states[i].inputPowerRequirement;

        if ((domain & needed) == needed)
            return i;
    }
    return 0;
}

/* Waits for acknowledgeSetPowerState, at most as long as the driver said. service_lock is held. */
static void await_acknowledgement(struct service_power *power, int32_t microseconds)
{
    uint64_t deadline = machine_uptime() + (uint64_t)microseconds * ACKNOWLEDGE_UNIT;

    while (power->awaiting && !power->stopped) {
        if (kernel_lock_sleep(&service_lock, &power->awaiting, deadline) == MACHINE_TIMED_OUT)
            break;
    }
    power->awaiting = false;
}

/* What was asked for, as far as there is power. */
static unsigned long target_state(IOService *me)
{
    struct service_power *power = power_of(me);
    unsigned long highest = power->without_power ? highest_state(me, 0) : power->count - 1;

    return power->wanted < highest ? power->wanted : highest;
}

/* service_lock is held, but not during the calls. */
static void tell_interested(IOService *me, struct service_power *power, unsigned long state,
                            bool done)
{
    unsigned long flags = power->states[state].capabilityFlags;

    for (unsigned i = 0; i < INTERESTED_MAX; i++) {
        IOService *driver = power->interested[i];

        if (!driver)
            continue;
        object_retain(driver);
        kernel_lock_drop(&service_lock);
        if (done)
            IOService_powerStateDidChangeTo(driver, flags, state, me);
        else
            IOService_powerStateWillChangeTo(driver, flags, state, me);
        object_release(driver);
        kernel_lock_take(&service_lock);
    }
}

static void change_once(IOService *me, struct service_power *power)
{
    unsigned long state = target_state(me);
    unsigned long flags = power->states[state].capabilityFlags;
    IOService *driver = power->driver;
    int32_t result;

    tell_interested(me, power, state, false);
    power->awaiting = true;
    kernel_lock_drop(&service_lock);
    IOService_powerStateWillChangeTo(driver, flags, state, me);
    result = IOService_setPowerState(driver, state, me);
    kernel_lock_take(&service_lock);
    if (result > 0)
        await_acknowledgement(power, result);
    power->awaiting = false;
    power->current = state;
    kernel_lock_drop(&service_lock);
    IOService_powerStateDidChangeTo(driver, flags, state, me);
    IOService_powerChangeDone(me, state);
    kernel_lock_take(&service_lock);
    tell_interested(me, power, state, true);
}

static void change_thread(void *argument)
{
    IOService *me = argument;
    struct service_power *power;

    kernel_lock_take(&service_lock);
    power = power_of(me);
    while (!power->stopped && power->current != target_state(me))
        change_once(me, power);
    power->changing = false;
    machine_wakeup(&power->changing, false);
    kernel_lock_drop(&service_lock);
    object_release(me);
}

/* Begins what brings the service to its target; service_lock is held, and dropped. */
static int32_t begin_change(IOService *me)
{
    struct service_power *power = power_of(me);
    struct machine_thread *thread = NULL;
    bool begin = !power->stopped && !power->changing && power->current != target_state(me);

    if (begin) {
        power->changing = true;
        object_retain(me);
        thread = machine_thread_start("IOPowerChange", change_thread, me);
        if (thread)
            machine_thread_release(thread);
        else
            power->changing = false;
    }
    kernel_lock_drop(&service_lock);
    if (begin && !thread) {
        object_release(me);
        return kIOReturnNoMemory;
    }
    return IOPMNoErr;
}

static int32_t want_state(IOService *me, unsigned long state)
{
    struct service_power *power = power_of(me);

    if (!power || !power->states)
        return IOPMNotYetInitialized;
    if (state >= power->count)
        return kIOReturnBadArgument;
    kernel_lock_take(&service_lock);
    power->wanted = state;
    return begin_change(me);
}

void service_power_domain(IOService *me, bool on)
{
    struct service_power *power = power_of(me);

    if (!power || !power->states)
        return;
    kernel_lock_take(&service_lock);
    power->without_power = !on;
    begin_change(me);
    kernel_lock_take(&service_lock);
    while (power->changing)
        kernel_lock_sleep(&service_lock, &power->changing, MACHINE_NEVER);
    kernel_lock_drop(&service_lock);
}

int32_t IOService_acknowledgeSetPowerState(IOService *me)
{
    struct service_power *power = power_of(me);

    kernel_lock_take(&service_lock);
    if (power) {
        power->awaiting = false;
        machine_wakeup(&power->awaiting, false);
    }
    kernel_lock_drop(&service_lock);
    return IOPMNoErr;
}

int32_t IOService_makeUsable(IOService *me)
{
    struct service_power *power = power_of(me);

    return power && power->count ? want_state(me, power->count - 1) : IOPMNotYetInitialized;
}

int32_t IOService_changePowerStateTo(IOService *me, unsigned long state)
{
    return want_state(me, state);
}

int32_t IOService_changePowerStateToPriv(IOService *me, unsigned long state)
{
    return want_state(me, state);
}

int32_t IOService_powerOverrideOnPriv(IOService *me)
{
    return IOPMNoErr;
}

int32_t IOService_powerOverrideOffPriv(IOService *me)
{
    return IOPMNoErr;
}

int32_t IOService_temporaryPowerClampOn(IOService *me)
{
    return IOService_makeUsable(me);
}

/* type 1 (kIOPMSuperclassPolicy1): make sure of at least that state. True: it is reached
 * already. */
bool IOService__activityTickle(IOService *me, unsigned long type, unsigned long state)
{
    struct service_power *power = power_of(me);

    if (type != 1 || !power || !power->states)
        return true;
    if (power->current >= state)
        return true;
    want_state(me, state);
    return false;
}

/* ---- asking ---- */

unsigned long IOService_currentCapability(IOService *me)
{
    struct service_power *power = power_of(me);

    return power && power->states ? power->states[power->current].capabilityFlags : 0;
}

unsigned long IOService_currentPowerConsumption(IOService *me)
{
    struct service_power *power = power_of(me);

    return power && power->states ? power->states[power->current].staticPower : 0;
}

uint32_t IOService_getPowerState(IOService *me)
{
    struct service_power *power = power_of(me);

    return power ? (uint32_t)power->current : 0;
}

unsigned long IOService__maxCapabilityForDomainState(IOService *me, unsigned long domain)
{
    return highest_state(me, domain);
}

unsigned long IOService__initialPowerStateForDomainState(IOService *me, unsigned long domain)
{
    return highest_state(me, domain);
}

unsigned long IOService__powerStateForDomainState(IOService *me, unsigned long domain)
{
    return highest_state(me, domain);
}

/* ---- what a driver overrides; the defaults ---- */

int32_t IOService__setPowerState(IOService *me, unsigned long state, IOService *device)
{
    return IOPMNoErr;
}

int32_t IOService__powerStateWillChangeTo(IOService *me, unsigned long flags, unsigned long state,
                                          IOService *device)
{
    return IOPMAckImplied;
}

int32_t IOService__powerStateDidChangeTo(IOService *me, unsigned long flags, unsigned long state,
                                         IOService *device)
{
    return IOPMAckImplied;
}

void IOService__powerChangeDone(IOService *me, unsigned long state)
{
}

bool IOService__askChangeDown(IOService *me, unsigned long state)
{
    return true;
}

bool IOService__tellChangeDown(IOService *me, unsigned long state)
{
    return true;
}

void IOService__tellNoChangeDown(IOService *me, unsigned long state)
{
}

void IOService__tellChangeUp(IOService *me, unsigned long state)
{
}

int32_t IOService__allowPowerChange(IOService *me, unsigned long reference)
{
    return kIOReturnSuccess;
}

int32_t IOService__cancelPowerChange(IOService *me, unsigned long reference)
{
    return kIOReturnSuccess;
}

int32_t IOService__nextIdleTimeout(IOService *me, uint64_t now, uint64_t last, uint32_t state)
{
    return INT32_MAX; /* nothing goes idle here */
}

void IOService__systemWillShutdown(IOService *me, uint32_t specifier)
{
}

/* The tree of power domains has the root domain alone. */
int32_t IOService__requestPowerDomainState(IOService *me, unsigned long state,
                                           IOPowerConnection *child, unsigned long specification)
{
    return IOPMNoErr;
}

int32_t IOService__setAggressiveness(IOService *me, unsigned long type, unsigned long level)
{
    return IOPMNoErr;
}

int32_t IOService__getAggressiveness(IOService *me, unsigned long type, unsigned long *level)
{
    *level = 0;
    return kIOReturnUnsupported;
}

int32_t IOService__addPowerChild(IOService *me, IOService *child)
{
    return IOPMNoErr;
}

int32_t IOService__removePowerChild(IOService *me, IOPowerConnection *child)
{
    return IOPMNoErr;
}

int32_t IOService__setIdleTimerPeriod(IOService *me, unsigned long seconds)
{
    return IOPMNoErr;
}

void IOService_start_PM_idle_timer(IOService *me)
{
}

static void replace_interested(IOService *me, IOService *old, IOService *new)
{
    struct service_power *power = power_of(me);
    unsigned i = 0;

    if (!power)
        return;
    kernel_lock_take(&service_lock);
    while (i < INTERESTED_MAX && power->interested[i] != old)
        i++;
    if (i < INTERESTED_MAX)
        power->interested[i] = new;
    kernel_lock_drop(&service_lock);
}

unsigned long IOService_registerInterestedDriver(IOService *me, IOService *driver)
{
    replace_interested(me, NULL, driver);
    return IOService_currentCapability(me);
}

int32_t IOService_deRegisterInterestedDriver(IOService *me, IOService *driver)
{
    replace_interested(me, driver, NULL);
    return IOPMNoErr;
}

int32_t IOService_acknowledgePowerChange(IOService *me, IOService *driver)
{
    return IOPMNoErr;
}

int32_t IOService_requireMaxBusStall(IOService *me, uint32_t nanoseconds)
{
    return kIOReturnSuccess;
}

int32_t IOService_requireMaxInterruptDelay(IOService *me, uint32_t nanoseconds)
{
    return kIOReturnSuccess;
}
