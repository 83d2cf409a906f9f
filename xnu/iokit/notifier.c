/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads inside handlers. */
#include "xnu/iokit/notifier.h"

#include "xnu/iokit/service.h"

bool notifier_enter(struct notifier *notifier, struct invocation *invocation)
{
    bool enabled;

    kernel_lock_take(&service_lock);
    enabled = notifier->enabled;
    if (enabled) {
        invocation->thread = machine_thread_self();
        invocation->next = notifier->invocations;
        notifier->invocations = invocation;
    }
    kernel_lock_drop(&service_lock);
    return enabled;
}

void notifier_leave(struct notifier *notifier, struct invocation *invocation)
{
    struct invocation **link;

    kernel_lock_take(&service_lock);
    link = &notifier->invocations;
    while (*link != invocation)
        link = &(*link)->next;
    *link = invocation->next;
    machine_wakeup(notifier, false);
    kernel_lock_drop(&service_lock);
}

static bool other_inside(const struct notifier *notifier)
{
    const struct invocation *invocation;

    for (invocation = notifier->invocations; invocation; invocation = invocation->next) {
        if (invocation->thread != machine_thread_self())
            return true;
    }
    return false;
}

void notifier_wait(struct notifier *notifier)
{
    while (other_inside(notifier))
        kernel_lock_sleep(&service_lock, notifier, MACHINE_NEVER);
}

bool notifier_set_enabled(struct notifier *notifier, bool enabled)
{
    bool was;

    kernel_lock_take(&service_lock);
    was = notifier->enabled;
    notifier->enabled = enabled;
    if (!enabled)
        notifier_wait(notifier);
    kernel_lock_drop(&service_lock);
    return was;
}
