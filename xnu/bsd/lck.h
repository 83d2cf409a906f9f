/* SPDX-License-Identifier: BSD-3-Clause */
/* lck.h - what the locks of the kernel programming interface hold.
 *
 * Kexts see lck_mtx_t, lck_spin_t and lck_rw_t as opaque words, 16, 80 and 16 bytes on x86_64; what
 * is stored in them must not be larger (xnu osfmk/i386/locks.h, the external declarations).
 */
#ifndef XNU_BSD_LCK_H
#define XNU_BSD_LCK_H

#include <stdbool.h>
#include <stdint.h>

#include "xnu/machine/threads.h"

#include "abi/kpi/locks.h"
#include "abi/kpi/threads.h"

struct lck_mtx_storage {
    struct machine_mutex *mutex;
    uintptr_t magic;
};

struct lck_spin_storage {
    struct machine_spin_lock lock;
    uintptr_t magic;
};

/* Readers and writers; the structure behind it is allocated, see lck_rw.c. */
struct lck_rw_state;
struct lck_rw_storage {
    struct lck_rw_state *state;
    uintptr_t magic;
};

/* A new lock in memory of its own, or NULL; `name` must outlive it. */
lck_mtx_t *lck_mtx_create(const char *name);
void lck_mtx_release(lck_mtx_t *lock);
lck_spin_t *lck_spin_create(void);
lck_rw_t *lck_rw_create(const char *name);

/* Makes a mutex in memory that the caller has; `mutex` stays NULL when there is no memory. */
void lck_mtx_storage_init(struct lck_mtx_storage *storage, const char *name);

/* The name of a lock group, or `otherwise` for no group. */
const char *lck_group_name(const lck_grp_t *group, const char *otherwise);

/* Exported, but not among the prototypes that kexts are compiled with. */
unsigned lck_rw_done(lck_rw_t *lock) __asm("_lck_rw_done");
boolean_t lck_rw_try_lock_shared(lck_rw_t *lock) __asm("_lck_rw_try_lock_shared");
boolean_t lck_rw_try_lock_exclusive(lck_rw_t *lock) __asm("_lck_rw_try_lock_exclusive");

/* Deadlines of the kernel are absolute times; 0 means "for ever" to the sleeping functions. */
static inline uint64_t deadline_for_sleep(uint64_t deadline)
{
    return deadline == 0 ? MACHINE_NEVER : deadline;
}

#endif
