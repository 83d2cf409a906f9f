/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory and recursive locks on top of xnu/machine/. */
#include "abi/kpi/libkern.h"

#include "xnu/libkern/support.h"

enum { ALIGNMENT = 16, FREED_BYTE = 0xdb };

void *kernel_allocate(size_t size)
{
    return size ? machine_allocate_zeroed(size, ALIGNMENT) : NULL;
}

void kernel_free(void *memory, size_t size)
{
    if (!memory)
        return;
    memset(memory, FREED_BYTE, size);
    machine_release(memory, size);
}

void *kernel_reallocate(void *memory, size_t old_size, size_t used, size_t size)
{
    void *larger = kernel_allocate(size);

    if (!larger)
        return NULL;
    if (used)
        memcpy(larger, memory, used);
    kernel_free(memory, old_size);
    return larger;
}

/* ---- locks ---- */

static struct machine_mutex *mutex_of(struct kernel_lock *lock)
{
    struct machine_mutex *mutex = __atomic_load_n(&lock->mutex, __ATOMIC_ACQUIRE);
    struct machine_mutex *made;

    if (mutex)
        return mutex;
    made = machine_mutex_create(lock->name);
    if (!made)
        machine_panic("no memory for the lock of %s", lock->name);
    if (__atomic_compare_exchange_n(&lock->mutex, &mutex, made, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return made;
    machine_mutex_destroy(made);
    return mutex;
}

bool kernel_lock_held(const struct kernel_lock *lock)
{
    const struct machine_mutex *mutex = __atomic_load_n(&lock->mutex, __ATOMIC_ACQUIRE);

    return mutex && machine_mutex_owner(mutex) == machine_thread_self();
}

void kernel_lock_take(struct kernel_lock *lock)
{
    if (!kernel_lock_held(lock))
        machine_mutex_lock(mutex_of(lock));
    lock->depth++;
}

void kernel_lock_drop(struct kernel_lock *lock)
{
    if (--lock->depth == 0)
        machine_mutex_unlock(lock->mutex);
}

enum machine_wait_result kernel_lock_sleep(struct kernel_lock *lock, const void *event,
                                           uint64_t deadline)
{
    unsigned depth = lock->depth;
    enum machine_wait_result result;

    lock->depth = 0;
    result = machine_sleep(lock->mutex, event, deadline, false);
    lock->depth = depth;
    return result;
}
