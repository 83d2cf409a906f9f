/* SPDX-License-Identifier: BSD-3-Clause */
/* lck_rw.c - readers/writer locks (lck_rw_*). A waiting writer keeps new readers out, as the kernel
 * does (xnu osfmk/i386/locks_i386.c). */
#include "xnu/bsd/lck.h"

#include "xnu/bsd/kpi.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/panic.h"

static const uintptr_t rw_magic = 0x52577277;

struct lck_rw_state {
    struct machine_mutex *mutex;      /* guards the rest, held for moments only */
    struct machine_thread *writer;
    unsigned readers;
    unsigned writers_waiting;
    bool upgrading;                   /* a reader waits to become the writer */
};

static struct lck_rw_state *state_of(lck_rw_t *lock)
{
    struct lck_rw_storage *storage = (void *)lock;

    if (!storage || storage->magic != rw_magic)
        machine_panic("rw lock %p was never initialised, or was freed", (void *)lock);
    return storage->state;
}

static bool storage_init(struct lck_rw_storage *storage, const char *name)
{
    struct lck_rw_state *state = machine_allocate_zeroed(sizeof *state, 0);

    if (state)
        state->mutex = machine_mutex_create(name);
    if (!state || !state->mutex) {
        machine_release(state, sizeof *state);
        return false;
    }
    *storage = (struct lck_rw_storage){ state, rw_magic };
    return true;
}

lck_rw_t *lck_rw_create(const char *name)
{
    struct lck_rw_storage *storage = machine_allocate_zeroed(sizeof *storage, 0);

    if (storage && !storage_init(storage, name)) {
        machine_release(storage, sizeof *storage);
        return NULL;
    }
    return (lck_rw_t *)storage;
}

KPI(lck_rw_t *, lck_rw_alloc_init, (lck_grp_t *group, lck_attr_t *attribute))
{
    return lck_rw_create(lck_group_name(group, "lck_rw"));
}

KPI(void, lck_rw_init, (lck_rw_t *lock, lck_grp_t *group, lck_attr_t *attribute))
{
    if (!storage_init((void *)lock, lck_group_name(group, "lck_rw")))
        machine_panic("lck_rw_init: no memory");
}

KPI(void, lck_rw_destroy, (lck_rw_t *lock, lck_grp_t *group))
{
    struct lck_rw_state *state = state_of(lock);

    if (state->writer || state->readers != 0)
        machine_panic("rw lock %p is destroyed while held", (void *)lock);
    machine_mutex_destroy(state->mutex);
    machine_release(state, sizeof *state);
    *(struct lck_rw_storage *)(void *)lock = (struct lck_rw_storage){ NULL, 0 };
}

KPI(void, lck_rw_free, (lck_rw_t *lock, lck_grp_t *group))
{
    lck_rw_destroy(lock, group);
    machine_release(lock, sizeof(struct lck_rw_storage));
}

static bool can_read(const struct lck_rw_state *state)
{
    return !state->writer && state->writers_waiting == 0 && !state->upgrading;
}

static bool can_write(const struct lck_rw_state *state)
{
    return !state->writer && state->readers == 0 && !state->upgrading;
}

static void check_not_writer(const struct lck_rw_state *state)
{
    if (state->writer == machine_thread_self())
        machine_panic("rw lock %p: deadlock, the caller holds it exclusively", (void *)state);
}

KPI(void, lck_rw_lock_shared, (lck_rw_t *lock))
{
    struct lck_rw_state *state = state_of(lock);

    machine_mutex_lock(state->mutex);
    check_not_writer(state);
    while (!can_read(state))
        machine_sleep(state->mutex, state, MACHINE_NEVER, false);
    state->readers++;
    machine_mutex_unlock(state->mutex);
}

KPI(void, lck_rw_lock_exclusive, (lck_rw_t *lock))
{
    struct lck_rw_state *state = state_of(lock);

    machine_mutex_lock(state->mutex);
    check_not_writer(state);
    state->writers_waiting++;
    while (!can_write(state))
        machine_sleep(state->mutex, state, MACHINE_NEVER, false);
    state->writers_waiting--;
    state->writer = machine_thread_self();
    machine_mutex_unlock(state->mutex);
}

KPI(void, lck_rw_lock, (lck_rw_t *lock, unsigned type))
{
    if (type == LCK_RW_TYPE_SHARED)
        lck_rw_lock_shared(lock);
    else
        lck_rw_lock_exclusive(lock);
}

KPI(boolean_t, lck_rw_try_lock_shared, (lck_rw_t *lock))
{
    struct lck_rw_state *state = state_of(lock);

    machine_mutex_lock(state->mutex);
    bool taken = can_read(state);
    state->readers += taken;
    machine_mutex_unlock(state->mutex);
    return taken;
}

KPI(boolean_t, lck_rw_try_lock_exclusive, (lck_rw_t *lock))
{
    struct lck_rw_state *state = state_of(lock);

    machine_mutex_lock(state->mutex);
    bool taken = can_write(state);
    if (taken)
        state->writer = machine_thread_self();
    machine_mutex_unlock(state->mutex);
    return taken;
}

KPI(boolean_t, lck_rw_try_lock, (lck_rw_t *lock, unsigned type))
{
    return type == LCK_RW_TYPE_SHARED ? lck_rw_try_lock_shared(lock)
                                      : lck_rw_try_lock_exclusive(lock);
}

/* Gives up whichever kind is held and says which it was. */
static unsigned give_up(struct lck_rw_state *state)
{
    unsigned type = LCK_RW_TYPE_SHARED;

    if (state->writer == machine_thread_self()) {
        state->writer = NULL;
        type = LCK_RW_TYPE_EXCLUSIVE;
    } else if (state->readers != 0) {
        state->readers--;
    } else {
        machine_panic("rw lock %p is unlocked, but not held", (void *)state);
    }
    machine_wakeup(state, false);
    return type;
}

KPI(unsigned, lck_rw_done, (lck_rw_t *lock))
{
    struct lck_rw_state *state = state_of(lock);

    machine_mutex_lock(state->mutex);
    unsigned type = give_up(state);
    machine_mutex_unlock(state->mutex);
    return type;
}

KPI(void, lck_rw_unlock_shared, (lck_rw_t *lock))
{
    if (lck_rw_done(lock) != LCK_RW_TYPE_SHARED)
        machine_panic("rw lock %p: lck_rw_unlock_shared, but held exclusively", (void *)lock);
}

KPI(void, lck_rw_unlock_exclusive, (lck_rw_t *lock))
{
    if (lck_rw_done(lock) != LCK_RW_TYPE_EXCLUSIVE)
        machine_panic("rw lock %p: lck_rw_unlock_exclusive, but held shared", (void *)lock);
}

KPI(void, lck_rw_unlock, (lck_rw_t *lock, unsigned type))
{
    if (type == LCK_RW_TYPE_SHARED)
        lck_rw_unlock_shared(lock);
    else
        lck_rw_unlock_exclusive(lock);
}

/* FALSE: another reader was first; the caller's shared hold is gone then. */
KPI(boolean_t, lck_rw_lock_shared_to_exclusive, (lck_rw_t *lock))
{
    struct lck_rw_state *state = state_of(lock);

    machine_mutex_lock(state->mutex);
    state->readers--;
    if (state->upgrading) {
        machine_wakeup(state, false);
        machine_mutex_unlock(state->mutex);
        return false;
    }
    state->upgrading = true;
    while (state->readers != 0 || state->writer)
        machine_sleep(state->mutex, state, MACHINE_NEVER, false);
    state->upgrading = false;
    state->writer = machine_thread_self();
    machine_mutex_unlock(state->mutex);
    return true;
}

KPI(void, lck_rw_lock_exclusive_to_shared, (lck_rw_t *lock))
{
    struct lck_rw_state *state = state_of(lock);

    machine_mutex_lock(state->mutex);
    if (state->writer != machine_thread_self())
        machine_panic("rw lock %p is downgraded, but not held exclusively", (void *)lock);
    state->writer = NULL;
    state->readers++;
    machine_wakeup(state, false);
    machine_mutex_unlock(state->mutex);
}

KPI(wait_result_t, lck_rw_sleep_deadline, (lck_rw_t *lock, lck_sleep_action_t action,
                                           event_t event, wait_interrupt_t interruptible,
                                           uint64_t deadline))
{
    struct lck_rw_state *state = state_of(lock);

    machine_mutex_lock(state->mutex);
    unsigned type = give_up(state);
    enum machine_wait_result result = machine_sleep(state->mutex, (const void *)event,
                                                    deadline_for_sleep(deadline),
                                                    interruptible != THREAD_UNINT);
    machine_mutex_unlock(state->mutex);
    if (action & LCK_SLEEP_UNLOCK)
        return (wait_result_t)result;
    if (action & LCK_SLEEP_SHARED)
        type = LCK_RW_TYPE_SHARED;
    else if (action & LCK_SLEEP_EXCLUSIVE)
        type = LCK_RW_TYPE_EXCLUSIVE;
    lck_rw_lock(lock, type);
    return (wait_result_t)result;
}

KPI(wait_result_t, lck_rw_sleep, (lck_rw_t *lock, lck_sleep_action_t action, event_t event,
                                  wait_interrupt_t interruptible))
{
    return lck_rw_sleep_deadline(lock, action, event, interruptible, 0);
}
