/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory and locks as libkern and I/O Kit code uses them, on top of xnu/machine/. */
#ifndef MACHV_XNU_LIBKERN_SUPPORT_H
#define MACHV_XNU_LIBKERN_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xnu/machine/clock.h"
#include "xnu/machine/log.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/panic.h"
#include "xnu/machine/threads.h"

/* Zeroed memory inside guest RAM, aligned to 16 bytes; NULL when there is none (or
 * machine_allocation_fail_at says so). Size 0 gives NULL. */
void *kernel_allocate(size_t size);
/* `size` as it was given to kernel_allocate. NULL is allowed. The memory is filled with a
 * pattern first, so that use after free shows. */
void kernel_free(void *memory, size_t size);
/* Copies `used` bytes into a new block of `size` bytes and frees the old one of `old_size` bytes
 * (NULL and 0: there is none). On NULL the old block stays as it is. */
void *kernel_reallocate(void *memory, size_t old_size, size_t used, size_t size);

/* A sleeping lock that its owner may take again, for static data: KERNEL_LOCK("what it
 * protects"). */
struct kernel_lock {
    const char *name;
    struct machine_mutex *mutex; /* made at first use */
    unsigned depth;
};
#define KERNEL_LOCK(text) {.name = (text)}

void kernel_lock_take(struct kernel_lock *lock);
void kernel_lock_drop(struct kernel_lock *lock);
bool kernel_lock_held(const struct kernel_lock *lock); /* by the calling thread */
/* Gives the lock up at all levels, sleeps until machine_wakeup(event) or `deadline` (uptime in
 * nanoseconds, MACHINE_NEVER), takes it again. */
enum machine_wait_result kernel_lock_sleep(struct kernel_lock *lock, const void *event,
                                           uint64_t deadline);

#endif
