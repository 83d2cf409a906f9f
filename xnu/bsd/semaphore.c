/* SPDX-License-Identifier: BSD-3-Clause */
/* semaphore.c - counting semaphores (xnu osfmk/kern/sync_sema.c). Signalling is legal in interrupt
 * context. */
#include "xnu/bsd/kpi.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/threads.h"

#include "abi/constants.h"
#include "abi/kpi/threads.h"

#ifndef KERN_TERMINATED
#define KERN_TERMINATED 37
#endif

struct semaphore {
    struct machine_spin_lock lock;
    int value;
    unsigned waiters;
    unsigned generation;                 /* of signal_all */
    bool destroyed;
};

KPI(kern_return_t, semaphore_create, (task_t task, semaphore_t *semaphore, int policy, int value))
{
    if (value < 0)
        return KERN_INVALID_ARGUMENT;
    struct semaphore *self = machine_allocate_zeroed(sizeof *self, 0);
    if (!self)
        return KERN_RESOURCE_SHORTAGE;
    self->value = value;
    *semaphore = self;
    return KERN_SUCCESS;
}

static bool take_lock(struct semaphore *self)
{
    return machine_spin_lock_disable_interrupts(&self->lock);
}

static void drop_lock(struct semaphore *self, bool enabled)
{
    machine_spin_unlock_restore_interrupts(&self->lock, enabled);
}

/* The last waiter frees what was destroyed under it. */
KPI(kern_return_t, semaphore_destroy, (task_t task, semaphore_t self))
{
    bool enabled = take_lock(self);
    bool unused = self->waiters == 0;

    self->destroyed = true;
    machine_wakeup(self, false);
    drop_lock(self, enabled);
    if (unused)
        machine_release(self, sizeof *self);
    return KERN_SUCCESS;
}

KPI(kern_return_t, semaphore_signal, (semaphore_t self))
{
    bool enabled = take_lock(self);

    self->value++;
    machine_wakeup(self, true);
    drop_lock(self, enabled);
    return KERN_SUCCESS;
}

KPI(kern_return_t, semaphore_signal_all, (semaphore_t self))
{
    bool enabled = take_lock(self);

    self->generation++;
    machine_wakeup(self, false);
    drop_lock(self, enabled);
    return KERN_SUCCESS;
}

static kern_return_t wait(struct semaphore *self, uint64_t deadline)
{
    bool enabled = take_lock(self);
    unsigned generation = self->generation;
    enum machine_wait_result result = MACHINE_AWAKENED;

    self->waiters++;
    while (self->value == 0 && self->generation == generation && !self->destroyed &&
           result == MACHINE_AWAKENED) {
        machine_wait_prepare(self, deadline, true);
        drop_lock(self, enabled);
        result = machine_wait_block();
        enabled = take_lock(self);
    }
    bool taken = self->value != 0 && self->generation == generation && !self->destroyed;
    self->value -= taken;
    bool last = --self->waiters == 0 && self->destroyed;
    kern_return_t outcome = self->destroyed                                      ? KERN_TERMINATED
                            : taken || self->generation != generation            ? KERN_SUCCESS
                            : result == MACHINE_TIMED_OUT ? KERN_OPERATION_TIMED_OUT : KERN_ABORTED;
    drop_lock(self, enabled);
    if (last)
        machine_release(self, sizeof *self);
    return outcome;
}

KPI(kern_return_t, semaphore_wait, (semaphore_t self))
{
    return wait(self, MACHINE_NEVER);
}

KPI(kern_return_t, semaphore_wait_deadline, (semaphore_t self, uint64_t deadline))
{
    return wait(self, deadline);
}

KPI(kern_return_t, semaphore_wait_noblock, (semaphore_t self))
{
    bool enabled = take_lock(self);
    bool taken = self->value != 0;

    self->value -= taken;
    drop_lock(self, enabled);
    return taken ? KERN_SUCCESS : KERN_OPERATION_TIMED_OUT;
}
