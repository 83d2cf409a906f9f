/* SPDX-License-Identifier: BSD-3-Clause */
/* system_sleep.c - see the header. Source of the order: xnu iokit/Kernel/IOPMrootDomain.cpp and
 * IOServicePM.cpp (tellChangeDown, tellChangeUp; disks are synchronised once clients have been
 * told). */
#include "xnu/families/system_sleep.h"

#include "abi/constants/service.h"

#include "xnu/families/block_device.h"
#include "xnu/iokit/root_domain.h"
#include "xnu/libkern/support.h"
#include "xnu/machine/log.h"

static struct kernel_lock lock = KERNEL_LOCK("sleep and wake"); /* while it changes */
static bool sleeps;

static enum system_sleep_result go_to_sleep(bool forced)
{
    if (sleeps)
        return SYSTEM_SLEEPS_ALREADY;
    if (!forced && !root_domain_may_sleep())
        return SYSTEM_MUST_NOT_SLEEP;
    sleeps = true;
    root_domain_tell(kIOMessageSystemWillSleep);
    block_devices_sleep();
    root_domain_power(false);
    machine_log("the machine sleeps");
    return SYSTEM_SLEEPS;
}

static void wake(void)
{
    root_domain_tell(kIOMessageSystemWillPowerOn);
    root_domain_power(true);
    block_devices_wake();
    root_domain_tell(kIOMessageSystemHasPoweredOn);
    sleeps = false;
    machine_log("the machine is awake");
}

enum system_sleep_result system_sleep(bool forced)
{
    kernel_lock_take(&lock);
    enum system_sleep_result result = go_to_sleep(forced);
    kernel_lock_drop(&lock);
    return result;
}

bool system_wake(void)
{
    kernel_lock_take(&lock);
    bool slept = sleeps;
    if (slept)
        wake();
    kernel_lock_drop(&lock);
    return slept;
}

void system_sleep_give_up(void)
{
    block_devices_wake();
}
