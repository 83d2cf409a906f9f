/* SPDX-License-Identifier: BSD-3-Clause */
/* What notification handlers and interests share: enabled or not, and threads inside the
 * handler. */
#ifndef MACHV_XNU_IOKIT_NOTIFIER_H
#define MACHV_XNU_IOKIT_NOTIFIER_H

#include <stdbool.h>

#include "xnu/machine/threads.h"

/* A thread inside the handler; lives on its stack. */
struct invocation {
    struct invocation *next;
    struct machine_thread *thread;
};

/* All zero: disabled, nobody inside. Protected by service_lock. */
struct notifier {
    bool enabled;
    struct invocation *invocations;
};

/* False: disabled, do not call the handler. Else call it without a lock and leave afterwards. */
bool notifier_enter(struct notifier *notifier, struct invocation *invocation);
void notifier_leave(struct notifier *notifier, struct invocation *invocation);
/* Waits until no other thread is inside; service_lock is held and given up meanwhile. */
void notifier_wait(struct notifier *notifier);
/* Returns whether it was enabled before. Disabling waits as above. */
bool notifier_set_enabled(struct notifier *notifier, bool enabled);

#endif
