/* SPDX-License-Identifier: BSD-3-Clause */
/* Panic actions. Source of the rules: xnu iokit/Kernel/IOCPU.cpp (platform actions), from macOS
 * 10.11 on: callPlatformFunction with the property's name, the higher numbers first. */
#include "xnu/iokit/panic_actions.h"

#include "abi/kpi/libkern.h"

#include "xnu/iokit/service.h"
#include "xnu/libkern/release.h"
#include "xnu/machine/panic.h"

enum { ACTIONS_MAX = 16 };

struct action {
    IOService *service; /* not retained: it is taken out before it goes */
    uint32_t priority;
};

/* In order. Looked at without a lock in a panic: nobody else runs any more. */
static struct action actions[ACTIONS_MAX];
static unsigned action_count;
static const OSSymbol *action_name;

static void run(void)
{
    unsigned i;

    for (i = 0; i < action_count; i++)
        IOService_callPlatformFunction_symbol(actions[i].service, action_name, false, NULL, NULL,
                                              NULL, NULL);
}

void panic_actions_start(void)
{
    action_name = OSSymbol_withCString("IOPlatformPanicAction");
    if (release_behaviour()->panic_actions)
        machine_set_panic_actions(run);
}

void panic_actions_stop(void)
{
    machine_set_panic_actions(NULL);
    action_count = 0;
}

static bool is_known(const IOService *service)
{
    unsigned i;

    for (i = 0; i < action_count; i++)
        if (actions[i].service == service)
            return true;
    return false;
}

void panic_actions_add(IOService *service)
{
    OSNumber *number = action_name ? as_number(IORegistryEntry_getProperty_symbol(
                                         entry_of(service), action_name))
                                   : NULL;
    unsigned i;

    if (!number)
        return;
    kernel_lock_take(&service_lock);
    if (action_count < ACTIONS_MAX && !is_known(service)) {
        struct action new = {service, OSNumber_unsigned32BitValue(number)};

        for (i = action_count++; i > 0 && actions[i - 1].priority < new.priority; i--)
            actions[i] = actions[i - 1];
        actions[i] = new;
    }
    kernel_lock_drop(&service_lock);
}

void panic_actions_remove(IOService *service)
{
    unsigned i, kept = 0;

    kernel_lock_take(&service_lock);
    for (i = 0; i < action_count; i++)
        if (actions[i].service != service)
            actions[kept++] = actions[i];
    action_count = kept;
    kernel_lock_drop(&service_lock);
}
