/* SPDX-License-Identifier: BSD-3-Clause */
/* lck_mtx.c - lock groups and attributes, and mutexes (lck_grp_*, lck_attr_*, lck_mtx_*). */
#include "xnu/bsd/lck.h"

#include "xnu/bsd/kpi.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/panic.h"

enum { GROUP_NAME_MAX = 64 };

static const uintptr_t mutex_magic = 0x4d757465;
static const uintptr_t embedded_magic = 0x4d757466;

/* Groups and attributes only have to exist; a group lends its name to the locks' reports. Names are
 * kept for ever because a lock may outlive its group. */
struct lock_group {
    char name[GROUP_NAME_MAX];
};

struct lock_attribute {
    uint64_t flags;
};

KPI(lck_grp_attr_t *, lck_grp_attr_alloc_init, (void))
{
    return (lck_grp_attr_t *)machine_allocate_zeroed(sizeof(struct lock_attribute), 0);
}

KPI(void, lck_grp_attr_setdefault, (lck_grp_attr_t *attribute))
{
}

KPI(void, lck_grp_attr_setstat, (lck_grp_attr_t *attribute))
{
}

KPI(void, lck_grp_attr_free, (lck_grp_attr_t *attribute))
{
    machine_release(attribute, sizeof(struct lock_attribute));
}

KPI(lck_grp_t *, lck_grp_alloc_init, (const char *name, lck_grp_attr_t *attribute))
{
    struct lock_group *group = machine_allocate_zeroed(sizeof *group, 0);

    for (unsigned i = 0; group && name && i < GROUP_NAME_MAX - 1 && name[i] != '\0'; i++)
        group->name[i] = name[i];
    return (lck_grp_t *)group;
}

KPI(void, lck_grp_free, (lck_grp_t *group))
{
    /* Locks that were made from the group still point to its name. */
}

KPI(lck_attr_t *, lck_attr_alloc_init, (void))
{
    return (lck_attr_t *)machine_allocate_zeroed(sizeof(struct lock_attribute), 0);
}

KPI(void, lck_attr_setdefault, (lck_attr_t *attribute))
{
}

KPI(void, lck_attr_setdebug, (lck_attr_t *attribute))
{
}

KPI(void, lck_attr_free, (lck_attr_t *attribute))
{
    machine_release(attribute, sizeof(struct lock_attribute));
}

const char *lck_group_name(const lck_grp_t *group, const char *otherwise)
{
    const struct lock_group *self = (const void *)group;

    return self && self->name[0] != '\0' ? self->name : otherwise;
}

/* ---- mutexes -------------------------------------------------------------------------------- */

static struct machine_mutex *mutex_of(lck_mtx_t *lock)
{
    struct lck_mtx_storage *storage = (void *)lock;

    if (!storage || (storage->magic != mutex_magic && storage->magic != embedded_magic))
        machine_panic("mutex %p was never initialised, or was freed", (void *)lock);
    return storage->mutex;
}

void lck_mtx_storage_init(struct lck_mtx_storage *storage, const char *name)
{
    storage->mutex = machine_mutex_create(name);
    storage->magic = embedded_magic;
}

lck_mtx_t *lck_mtx_create(const char *name)
{
    struct lck_mtx_storage *storage = machine_allocate_zeroed(sizeof *storage, 0);

    if (!storage)
        return NULL;
    lck_mtx_storage_init(storage, name);
    if (!storage->mutex) {
        machine_release(storage, sizeof *storage);
        return NULL;
    }
    storage->magic = mutex_magic;
    return (lck_mtx_t *)storage;
}

void lck_mtx_release(lck_mtx_t *lock)
{
    struct lck_mtx_storage *storage = (void *)lock;

    machine_mutex_destroy(mutex_of(lock));
    storage->magic = 0;
    machine_release(storage, sizeof *storage);
}

KPI(lck_mtx_t *, lck_mtx_alloc_init, (lck_grp_t *group, lck_attr_t *attribute))
{
    return lck_mtx_create(lck_group_name(group, "lck_mtx"));
}

KPI(void, lck_mtx_init, (lck_mtx_t *lock, lck_grp_t *group, lck_attr_t *attribute))
{
    lck_mtx_storage_init((void *)lock, lck_group_name(group, "lck_mtx"));
    if (!((struct lck_mtx_storage *)(void *)lock)->mutex)
        machine_panic("lck_mtx_init: no memory");
}

KPI(void, lck_mtx_destroy, (lck_mtx_t *lock, lck_grp_t *group))
{
    struct lck_mtx_storage *storage = (void *)lock;

    machine_mutex_destroy(mutex_of(lock));
    storage->mutex = NULL;
    storage->magic = 0;
}

KPI(void, lck_mtx_free, (lck_mtx_t *lock, lck_grp_t *group))
{
    lck_mtx_release(lock);
}

KPI(void, lck_mtx_lock, (lck_mtx_t *lock))
{
    machine_mutex_lock(mutex_of(lock));
}

KPI(void, lck_mtx_unlock, (lck_mtx_t *lock))
{
    machine_mutex_unlock(mutex_of(lock));
}

KPI(boolean_t, lck_mtx_try_lock, (lck_mtx_t *lock))
{
    return machine_mutex_try(mutex_of(lock));
}

/* The spinning variants differ in speed only: the mutex is the same. */
KPI(void, lck_mtx_lock_spin, (lck_mtx_t *lock))
{
    machine_mutex_lock(mutex_of(lock));
}

KPI(boolean_t, lck_mtx_try_lock_spin, (lck_mtx_t *lock))
{
    return machine_mutex_try(mutex_of(lock));
}

KPI(void, lck_mtx_convert_spin, (lck_mtx_t *lock))
{
}

KPI(void, lck_mtx_assert, (lck_mtx_t *lock, unsigned type))
{
    bool held = machine_mutex_owner(mutex_of(lock)) == machine_thread_self();

    if (held != (type == LCK_ASSERT_OWNED))
        machine_panic("lck_mtx_assert: mutex %p is %sheld by the caller", (void *)lock,
                      held ? "" : "not ");
}

KPI(wait_result_t, lck_mtx_sleep_deadline, (lck_mtx_t *lock, lck_sleep_action_t action,
                                            event_t event, wait_interrupt_t interruptible,
                                            uint64_t deadline))
{
    struct machine_mutex *mutex = mutex_of(lock);
    enum machine_wait_result result = machine_sleep(mutex, (const void *)event,
                                                    deadline_for_sleep(deadline),
                                                    interruptible != THREAD_UNINT);

    if (action & LCK_SLEEP_UNLOCK)
        machine_mutex_unlock(mutex);
    return (wait_result_t)result;
}

KPI(wait_result_t, lck_mtx_sleep, (lck_mtx_t *lock, lck_sleep_action_t action, event_t event,
                                   wait_interrupt_t interruptible))
{
    return lck_mtx_sleep_deadline(lock, action, event, interruptible, 0);
}
