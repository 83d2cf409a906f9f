/* SPDX-License-Identifier: BSD-3-Clause */
/* lck_spin.c - spin locks (lck_spin_*). They turn preemption off; nothing may block under them. */
#include "xnu/bsd/lck.h"

#include "xnu/bsd/kpi.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/panic.h"

static const uintptr_t spin_magic = 0x5370696e;

static struct machine_spin_lock *spin_of(lck_spin_t *lock)
{
    struct lck_spin_storage *storage = (void *)lock;

    if (!storage || storage->magic != spin_magic)
        machine_panic("spin lock %p was never initialised, or was freed", (void *)lock);
    return &storage->lock;
}

lck_spin_t *lck_spin_create(void)
{
    struct lck_spin_storage *storage = machine_allocate_zeroed(sizeof *storage, 0);

    if (storage)
        storage->magic = spin_magic;
    return (lck_spin_t *)storage;
}

KPI(lck_spin_t *, lck_spin_alloc_init, (lck_grp_t *group, lck_attr_t *attribute))
{
    return lck_spin_create();
}

KPI(void, lck_spin_init, (lck_spin_t *lock, lck_grp_t *group, lck_attr_t *attribute))
{
    *(struct lck_spin_storage *)(void *)lock = (struct lck_spin_storage){ .magic = spin_magic };
}

KPI(void, lck_spin_destroy, (lck_spin_t *lock, lck_grp_t *group))
{
    if (spin_of(lock)->holder)
        machine_panic("spin lock %p is destroyed while held", (void *)lock);
    ((struct lck_spin_storage *)(void *)lock)->magic = 0;
}

KPI(void, lck_spin_free, (lck_spin_t *lock, lck_grp_t *group))
{
    lck_spin_destroy(lock, group);
    machine_release(lock, sizeof(struct lck_spin_storage));
}

KPI(void, lck_spin_lock, (lck_spin_t *lock))
{
    machine_spin_lock(spin_of(lock));
}

KPI(void, lck_spin_lock_grp, (lck_spin_t *lock, lck_grp_t *group))
{
    machine_spin_lock(spin_of(lock));
}

KPI(void, lck_spin_unlock, (lck_spin_t *lock))
{
    machine_spin_unlock(spin_of(lock));
}

KPI(boolean_t, lck_spin_try_lock, (lck_spin_t *lock))
{
    return machine_spin_try(spin_of(lock));
}

KPI(boolean_t, lck_spin_try_lock_grp, (lck_spin_t *lock, lck_grp_t *group))
{
    return machine_spin_try(spin_of(lock));
}

KPI(wait_result_t, lck_spin_sleep_deadline, (lck_spin_t *lock, lck_sleep_action_t action,
                                             event_t event, wait_interrupt_t interruptible,
                                             uint64_t deadline))
{
    machine_wait_prepare((const void *)event, deadline_for_sleep(deadline),
                         interruptible != THREAD_UNINT);
    machine_spin_unlock(spin_of(lock));
    enum machine_wait_result result = machine_wait_block();
    if (!(action & LCK_SLEEP_UNLOCK))
        machine_spin_lock(spin_of(lock));
    return (wait_result_t)result;
}

KPI(wait_result_t, lck_spin_sleep, (lck_spin_t *lock, lck_sleep_action_t action, event_t event,
                                    wait_interrupt_t interruptible))
{
    return lck_spin_sleep_deadline(lock, action, event, interruptible, 0);
}
