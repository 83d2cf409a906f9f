/* SPDX-License-Identifier: BSD-3-Clause */
/* Locks of I/O Kit and of Mach.
 *
 * Source: xnu iokit/IOKit/IOLocks.h, osfmk/kern/locks.h.
 * Comments note functions that older releases lack. */
#pragma once

#include "abi/types.h"

typedef struct __lck_grp__ lck_grp_t;
typedef struct __lck_grp_attr__ lck_grp_attr_t;
typedef struct __lck_attr__ lck_attr_t;
typedef struct __lck_spin_t__ lck_spin_t;
typedef struct __lck_mtx_t__ lck_mtx_t;
typedef struct __lck_rw_t__ lck_rw_t;
typedef unsigned int lck_sleep_action_t;
typedef struct _IOLock IOLock;
typedef struct _IORecursiveLock IORecursiveLock;
typedef struct _IORWLock IORWLock;
typedef struct _IOSimpleLock IOSimpleLock;

/* IOLock: a sleeping mutex, not recursive. Allocation returns NULL on failure. Sleeping releases
 * the lock and takes it again; the result is a THREAD_* value (abi/kpi/threads.h). An event is an
 * address, compared by value only. */
IOLock *IOLockAlloc(void) __asm("_IOLockAlloc");
void IOLockFree(IOLock *lock) __asm("_IOLockFree");
lck_mtx_t *IOLockGetMachLock(IOLock *lock) __asm("_IOLockGetMachLock");
void IOLockLock(IOLock *lock) __asm("_IOLockLock");
boolean_t IOLockTryLock(IOLock *lock) __asm("_IOLockTryLock");
void IOLockUnlock(IOLock *lock) __asm("_IOLockUnlock");
int IOLockSleep(IOLock *lock, void *event, uint32_t interType) __asm("_IOLockSleep");
int IOLockSleepDeadline(IOLock *lock, void *event, AbsoluteTime deadline, uint32_t interType)
    __asm("_IOLockSleepDeadline"); /* deadline: absolute time */
void IOLockWakeup(IOLock *lock, void *event, bool oneThread) __asm("_IOLockWakeup");

/* IORecursiveLock: sleeping drops all levels. */
IORecursiveLock *IORecursiveLockAlloc(void) __asm("_IORecursiveLockAlloc");
void IORecursiveLockFree(IORecursiveLock *lock) __asm("_IORecursiveLockFree");
lck_mtx_t *IORecursiveLockGetMachLock(IORecursiveLock *lock) __asm("_IORecursiveLockGetMachLock");
void IORecursiveLockLock(IORecursiveLock *lock) __asm("_IORecursiveLockLock");
boolean_t IORecursiveLockTryLock(IORecursiveLock *lock) __asm("_IORecursiveLockTryLock");
void IORecursiveLockUnlock(IORecursiveLock *lock) __asm("_IORecursiveLockUnlock");
boolean_t IORecursiveLockHaveLock(const IORecursiveLock *lock) __asm("_IORecursiveLockHaveLock");
int IORecursiveLockSleep(IORecursiveLock *_lock, void *event, uint32_t interType)
    __asm("_IORecursiveLockSleep");
int IORecursiveLockSleepDeadline(IORecursiveLock *_lock, void *event, AbsoluteTime deadline,
                                 uint32_t interType)
    __asm("_IORecursiveLockSleepDeadline"); /* since 10.6 */
void IORecursiveLockWakeup(IORecursiveLock *_lock, void *event, bool oneThread)
    __asm("_IORecursiveLockWakeup");

/* IORWLock: many readers or one writer. */
IORWLock *IORWLockAlloc(void) __asm("_IORWLockAlloc");
void IORWLockFree(IORWLock *lock) __asm("_IORWLockFree");
void IORWLockRead(IORWLock *lock) __asm("_IORWLockRead");
void IORWLockWrite(IORWLock *lock) __asm("_IORWLockWrite");
void IORWLockUnlock(IORWLock *lock) __asm("_IORWLockUnlock");

/* IOSimpleLock: a spin lock; preemption is off while it is held, so nothing may block or
 * allocate. */
IOSimpleLock *IOSimpleLockAlloc(void) __asm("_IOSimpleLockAlloc");
void IOSimpleLockFree(IOSimpleLock *lock) __asm("_IOSimpleLockFree");
void IOSimpleLockInit(IOSimpleLock *lock) __asm("_IOSimpleLockInit");
void IOSimpleLockLock(IOSimpleLock *lock) __asm("_IOSimpleLockLock");
boolean_t IOSimpleLockTryLock(IOSimpleLock *lock) __asm("_IOSimpleLockTryLock");
void IOSimpleLockUnlock(IOSimpleLock *lock) __asm("_IOSimpleLockUnlock");
boolean_t ml_set_interrupts_enabled(boolean_t enable) __asm("_ml_set_interrupts_enabled");

typedef boolean_t IOInterruptState;

/* Disables interrupts and takes the lock; returns what the unlock call restores. */
static inline IOInterruptState IOSimpleLockLockDisableInterrupt(IOSimpleLock *lock)
{
    IOInterruptState state = ml_set_interrupts_enabled(0);

    IOSimpleLockLock(lock);
    return state;
}

static inline void IOSimpleLockUnlockEnableInterrupt(IOSimpleLock *lock, IOInterruptState state)
{
    IOSimpleLockUnlock(lock);
    ml_set_interrupts_enabled(state);
}

/* Mach locks belong to a group. */
lck_grp_attr_t *lck_grp_attr_alloc_init(void) __asm("_lck_grp_attr_alloc_init");
void lck_grp_attr_free(lck_grp_attr_t *attr) __asm("_lck_grp_attr_free");
lck_grp_t *lck_grp_alloc_init(const char *grp_name, lck_grp_attr_t *attr)
    __asm("_lck_grp_alloc_init");
void lck_grp_free(lck_grp_t *grp) __asm("_lck_grp_free");
lck_attr_t *lck_attr_alloc_init(void) __asm("_lck_attr_alloc_init");
void lck_attr_free(lck_attr_t *attr) __asm("_lck_attr_free");
lck_spin_t *lck_spin_alloc_init(lck_grp_t *grp, lck_attr_t *attr) __asm("_lck_spin_alloc_init");
void lck_spin_free(lck_spin_t *lck, lck_grp_t *grp) __asm("_lck_spin_free");
void lck_spin_init(lck_spin_t *lck, lck_grp_t *grp, lck_attr_t *attr) __asm("_lck_spin_init");
void lck_spin_destroy(lck_spin_t *lck, lck_grp_t *grp) __asm("_lck_spin_destroy");
void lck_spin_lock(lck_spin_t *lck) __asm("_lck_spin_lock");
void lck_spin_unlock(lck_spin_t *lck) __asm("_lck_spin_unlock");
lck_mtx_t *lck_mtx_alloc_init(lck_grp_t *grp, lck_attr_t *attr) __asm("_lck_mtx_alloc_init");
void lck_mtx_free(lck_mtx_t *lck, lck_grp_t *grp) __asm("_lck_mtx_free");
void lck_mtx_init(lck_mtx_t *lck, lck_grp_t *grp, lck_attr_t *attr) __asm("_lck_mtx_init");
void lck_mtx_destroy(lck_mtx_t *lck, lck_grp_t *grp) __asm("_lck_mtx_destroy");
void lck_mtx_lock(lck_mtx_t *lck) __asm("_lck_mtx_lock");
void lck_mtx_unlock(lck_mtx_t *lck) __asm("_lck_mtx_unlock");
wait_result_t lck_mtx_sleep(lck_mtx_t *lck, lck_sleep_action_t lck_sleep_action, event_t event,
                            wait_interrupt_t interruptible)
    __asm("_lck_mtx_sleep");
wait_result_t lck_mtx_sleep_deadline(lck_mtx_t *lck, lck_sleep_action_t lck_sleep_action,
                                     event_t event, wait_interrupt_t interruptible,
                                     uint64_t deadline)
    __asm("_lck_mtx_sleep_deadline");
lck_rw_t *lck_rw_alloc_init(lck_grp_t *grp, lck_attr_t *attr) __asm("_lck_rw_alloc_init");
void lck_rw_free(lck_rw_t *lck, lck_grp_t *grp) __asm("_lck_rw_free");
void lck_rw_init(lck_rw_t *lck, lck_grp_t *grp, lck_attr_t *attr) __asm("_lck_rw_init");
void lck_rw_destroy(lck_rw_t *lck, lck_grp_t *grp) __asm("_lck_rw_destroy");
void lck_rw_lock(lck_rw_t *lck, unsigned int lck_rw_type) __asm("_lck_rw_lock");
void lck_rw_unlock(lck_rw_t *lck, unsigned int lck_rw_type) __asm("_lck_rw_unlock");
void lck_rw_lock_shared(lck_rw_t *lck) __asm("_lck_rw_lock_shared");
void lck_rw_unlock_shared(lck_rw_t *lck) __asm("_lck_rw_unlock_shared");
void lck_rw_lock_exclusive(lck_rw_t *lck) __asm("_lck_rw_lock_exclusive");
void lck_rw_unlock_exclusive(lck_rw_t *lck) __asm("_lck_rw_unlock_exclusive");
boolean_t lck_mtx_try_lock(lck_mtx_t *lck) __asm("_lck_mtx_try_lock");
boolean_t lck_spin_try_lock(lck_spin_t *lck) __asm("_lck_spin_try_lock");
