/* SPDX-License-Identifier: BSD-3-Clause */
/* IOLocks.c - IOLock, IORecursiveLock, IOSimpleLock and IORWLock.
 *
 * The kernel makes IOLock, IOSimpleLock and IORWLock other names of lck_mtx, lck_spin and lck_rw
 * (xnu iokit/Kernel/IOLocks.cpp, config export aliases); so it is here. Only the recursive lock is
 * a structure of its own. */
#include "xnu/bsd/kpi.h"
#include "xnu/bsd/lck.h"
#include "xnu/machine/machine.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/panic.h"

#include "abi/kpi/locks.h"

struct recursive_lock {
    struct lck_mtx_storage mutex;     /* first: IORecursiveLockGetMachLock gives its address */
    struct machine_thread *owner;
    uint32_t depth;
};

static struct recursive_lock *recursive(const IORecursiveLock *lock)
{
    return (struct recursive_lock *)(uintptr_t)lock;
}

/* ---- IOLock --------------------------------------------------------------------------------- */

KPI(IOLock *, IOLockAlloc, (void))
{
    return (IOLock *)lck_mtx_create("IOLock");
}

KPI(void, IOLockFree, (IOLock *lock))
{
    lck_mtx_release((lck_mtx_t *)lock);
}

KPI(lck_mtx_t *, IOLockGetMachLock, (IOLock *lock))
{
    return (lck_mtx_t *)lock;
}

KPI(void, IOLockInitWithState, (IOLock *lock, unsigned state))
{
    if (state == kIOLockStateLocked)
        lck_mtx_lock((lck_mtx_t *)lock);
}

KPI(void, IOLockLock, (IOLock *lock))
{
    lck_mtx_lock((lck_mtx_t *)lock);
}

KPI(boolean_t, IOLockTryLock, (IOLock *lock))
{
    return lck_mtx_try_lock((lck_mtx_t *)lock);
}

KPI(void, IOLockUnlock, (IOLock *lock))
{
    lck_mtx_unlock((lck_mtx_t *)lock);
}

KPI(int, IOLockSleep, (IOLock *lock, void *event, UInt32 interruptible))
{
    return lck_mtx_sleep((lck_mtx_t *)lock, LCK_SLEEP_DEFAULT, event,
                         (wait_interrupt_t)interruptible);
}

KPI(int, IOLockSleepDeadline, (IOLock *lock, void *event, AbsoluteTime deadline,
                               UInt32 interruptible))
{
    return lck_mtx_sleep_deadline((lck_mtx_t *)lock, LCK_SLEEP_DEFAULT, event,
                                  (wait_interrupt_t)interruptible, deadline);
}

KPI(void, IOLockWakeup, (IOLock *lock, void *event, bool one_thread))
{
    machine_wakeup(event, one_thread);
}

/* ---- IORecursiveLock ------------------------------------------------------------------------ */

KPI(IORecursiveLock *, IORecursiveLockAlloc, (void))
{
    struct recursive_lock *lock = machine_allocate_zeroed(sizeof *lock, 0);

    if (!lock)
        return NULL;
    lck_mtx_storage_init(&lock->mutex, "IORecursiveLock");
    if (!lock->mutex.mutex) {
        machine_release(lock, sizeof *lock);
        return NULL;
    }
    return (IORecursiveLock *)lock;
}

KPI(IORecursiveLock *, IORecursiveLockAllocWithLockGroup, (lck_grp_t *group))
{
    return IORecursiveLockAlloc();
}

KPI(void, IORecursiveLockFree, (IORecursiveLock *lock))
{
    struct recursive_lock *self = recursive(lock);

    machine_mutex_destroy(self->mutex.mutex);
    machine_release(self, sizeof *self);
}

KPI(lck_mtx_t *, IORecursiveLockGetMachLock, (IORecursiveLock *lock))
{
    return (lck_mtx_t *)&recursive(lock)->mutex;
}

KPI(boolean_t, IORecursiveLockHaveLock, (const IORecursiveLock *lock))
{
    return __atomic_load_n(&recursive(lock)->owner, __ATOMIC_RELAXED) == machine_thread_self();
}

static void recursive_taken(struct recursive_lock *self, uint32_t depth)
{
    self->depth = depth;
    __atomic_store_n(&self->owner, machine_thread_self(), __ATOMIC_RELAXED);
}

KPI(void, IORecursiveLockLock, (IORecursiveLock *lock))
{
    struct recursive_lock *self = recursive(lock);

    if (IORecursiveLockHaveLock(lock)) {
        self->depth++;
        return;
    }
    machine_mutex_lock(self->mutex.mutex);
    recursive_taken(self, 1);
}

KPI(boolean_t, IORecursiveLockTryLock, (IORecursiveLock *lock))
{
    struct recursive_lock *self = recursive(lock);

    if (IORecursiveLockHaveLock(lock)) {
        self->depth++;
        return true;
    }
    if (!machine_mutex_try(self->mutex.mutex))
        return false;
    recursive_taken(self, 1);
    return true;
}

static void require_held(const IORecursiveLock *lock, const char *function)
{
    if (!IORecursiveLockHaveLock(lock))
        machine_panic("%s: recursive lock %p is not held by the caller", function, (void *)lock);
}

KPI(void, IORecursiveLockUnlock, (IORecursiveLock *lock))
{
    struct recursive_lock *self = recursive(lock);

    require_held(lock, "IORecursiveLockUnlock");
    if (--self->depth != 0)
        return;
    __atomic_store_n(&self->owner, NULL, __ATOMIC_RELAXED);
    machine_mutex_unlock(self->mutex.mutex);
}

/* All levels are given up while asleep and taken again before the return. */
static int recursive_sleep(IORecursiveLock *lock, void *event, uint64_t deadline,
                           UInt32 interruptible)
{
    struct recursive_lock *self = recursive(lock);

    require_held(lock, "IORecursiveLockSleep");
    uint32_t depth = self->depth;
    self->depth = 0;
    __atomic_store_n(&self->owner, NULL, __ATOMIC_RELAXED);
    int result = (int)machine_sleep(self->mutex.mutex, event, deadline,
                                    interruptible != THREAD_UNINT);
    recursive_taken(self, depth);
    return result;
}

KPI(int, IORecursiveLockSleep, (IORecursiveLock *lock, void *event, UInt32 interruptible))
{
    return recursive_sleep(lock, event, MACHINE_NEVER, interruptible);
}

KPI(int, IORecursiveLockSleepDeadline, (IORecursiveLock *lock, void *event, AbsoluteTime deadline,
                                        UInt32 interruptible))
{
    return recursive_sleep(lock, event, deadline_for_sleep(deadline), interruptible);
}

KPI(void, IORecursiveLockWakeup, (IORecursiveLock *lock, void *event, bool one_thread))
{
    machine_wakeup(event, one_thread);
}

/* ---- IOSimpleLock --------------------------------------------------------------------------- */

KPI(IOSimpleLock *, IOSimpleLockAlloc, (void))
{
    return (IOSimpleLock *)lck_spin_create();
}

KPI(void, IOSimpleLockInit, (IOSimpleLock *lock))
{
    lck_spin_init((lck_spin_t *)lock, NULL, NULL);
}

KPI(void, IOSimpleLockDestroy, (IOSimpleLock *lock))
{
    lck_spin_destroy((lck_spin_t *)lock, NULL);
}

KPI(void, IOSimpleLockFree, (IOSimpleLock *lock))
{
    lck_spin_free((lck_spin_t *)lock, NULL);
}

KPI(lck_spin_t *, IOSimpleLockGetMachLock, (IOSimpleLock *lock))
{
    return (lck_spin_t *)lock;
}

KPI(void, IOSimpleLockLock, (IOSimpleLock *lock))
{
    lck_spin_lock((lck_spin_t *)lock);
}

KPI(boolean_t, IOSimpleLockTryLock, (IOSimpleLock *lock))
{
    return lck_spin_try_lock((lck_spin_t *)lock);
}

KPI(void, IOSimpleLockUnlock, (IOSimpleLock *lock))
{
    lck_spin_unlock((lck_spin_t *)lock);
}

/* ---- IORWLock ------------------------------------------------------------------------------- */

KPI(IORWLock *, IORWLockAlloc, (void))
{
    return (IORWLock *)lck_rw_create("IORWLock");
}

KPI(void, IORWLockFree, (IORWLock *lock))
{
    lck_rw_free((lck_rw_t *)lock, NULL);
}

KPI(lck_rw_t *, IORWLockGetMachLock, (IORWLock *lock))
{
    return (lck_rw_t *)lock;
}

KPI(void, IORWLockRead, (IORWLock *lock))
{
    lck_rw_lock_shared((lck_rw_t *)lock);
}

KPI(void, IORWLockWrite, (IORWLock *lock))
{
    lck_rw_lock_exclusive((lck_rw_t *)lock);
}

KPI(boolean_t, IORWLockTryRead, (IORWLock *lock))
{
    return lck_rw_try_lock_shared((lck_rw_t *)lock);
}

KPI(boolean_t, IORWLockTryWrite, (IORWLock *lock))
{
    return lck_rw_try_lock_exclusive((lck_rw_t *)lock);
}

KPI(void, IORWLockUnlock, (IORWLock *lock))
{
    lck_rw_done((lck_rw_t *)lock);
}
