/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes that wait while a checkpoint is taken. Reads pass: what thaws may have to be read. */
#include "kext/storage/HyperVStorage.h"

#include "kext/core/controller.h"

static struct storage_task *take_held(struct HyperVStorage *self)
{
    struct storage_task *list = self->held_first;

    self->held_first = self->held_last = NULL;
    return list;
}

static void hold(void *context, bool on)
{
    struct HyperVStorage *self = context;
    struct storage_task *list = NULL;

    IOLockLock(self->lock);
    __atomic_store_n(&self->holding, on, __ATOMIC_RELAXED);
    if (!on)
        list = take_held(self);
    IOLockUnlock(self->lock);
    while (list != NULL) {
        struct storage_task *next = list->next;

        storage_resume(self, list);
        list = next;
    }
}

bool storage_hold(struct HyperVStorage *self, struct storage_task *task)
{
    bool held;

    if (!task->writes || !__atomic_load_n(&self->holding, __ATOMIC_RELAXED))
        return false;
    IOLockLock(self->lock);
    held = self->holding;
    if (held) {
        task->next = NULL;
        if (self->held_first == NULL)
            self->held_first = task;
        else
            self->held_last->next = task;
        self->held_last = task;
    }
    IOLockUnlock(self->lock);
    return held;
}

void storage_holds_start(struct HyperVStorage *self)
{
    self->hold_queue = (struct write_hold_queue){ .context = self, .hold = hold };
    write_hold_join(&controller_instance()->write_hold, &self->hold_queue);
}

void storage_holds_stop(struct HyperVStorage *self)
{
    write_hold_leave(&controller_instance()->write_hold, &self->hold_queue);
}
