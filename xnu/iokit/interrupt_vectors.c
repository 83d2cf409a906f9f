/* SPDX-License-Identifier: BSD-3-Clause */
/* Dispatch of interrupt vectors. */
#include "xnu/iokit/interrupt_vectors.h"

#include "xnu/libkern/release.h"
#include "xnu/machine/log.h"
#include "xnu/machine/threads.h"

struct slot {
    vector_handler *handler;
    void *context;
    unsigned active; /* processors inside the handler */
};

static struct machine_spin_lock slot_lock;
static struct slot slots[VECTOR_COUNT];
static uint64_t spurious;
static _Atomic uint64_t unheard;

/* Said once: a driver that waits for such an interrupt waits for good. */
static bool is_heard(unsigned vector)
{
    unsigned processor = machine_processor_number();

    if (processor == 0 || !release_behaviour()->first_processor_only)
        return true;
    if (unheard++ == 0)
        machine_log("interrupt 0x%x came to processor %u: this macOS hears those of processor 0 "
                    "only; it and others like it are lost", vector, processor);
    return false;
}

static void entry(void *unused, unsigned vector)
{
    struct slot *slot = &slots[vector];
    vector_handler *handler;
    void *context;

    if (!is_heard(vector))
        return;
    machine_spin_lock(&slot_lock);
    handler = slot->handler;
    context = slot->context;
    if (handler)
        slot->active++;
    else
        spurious++;
    machine_spin_unlock(&slot_lock);
    if (!handler)
        return;
    handler(context, vector);
    machine_spin_lock(&slot_lock);
    slot->active--;
    machine_spin_unlock(&slot_lock);
}

void vectors_start(void)
{
    unheard = 0;
    machine_interrupt_set_entry(entry, 0);
}

static bool take(unsigned vector, vector_handler *handler, void *context)
{
    if (slots[vector].handler)
        return false;
    slots[vector].handler = handler;
    slots[vector].context = context;
    return true;
}

bool vector_set_handler(unsigned vector, vector_handler *handler, void *context)
{
    bool enabled, good;

    if (vector >= VECTOR_COUNT)
        return false;
    enabled = machine_spin_lock_disable_interrupts(&slot_lock);
    good = take(vector, handler, context);
    machine_spin_unlock_restore_interrupts(&slot_lock, enabled);
    return good;
}

void vector_clear_handler(unsigned vector)
{
    bool enabled;
    unsigned active;

    do {
        enabled = machine_spin_lock_disable_interrupts(&slot_lock);
        slots[vector].handler = 0;
        active = slots[vector].active;
        machine_spin_unlock_restore_interrupts(&slot_lock, enabled);
        if (active)
            machine_yield();
    } while (active);
}

unsigned vectors_allocate(unsigned count, vector_handler *handler, void *context)
{
    unsigned first, i, found = 0;
    bool enabled;

    enabled = machine_spin_lock_disable_interrupts(&slot_lock);
    for (first = VECTOR_DYNAMIC_FIRST;
         count > 0 && !found && first + count - 1 <= VECTOR_DYNAMIC_LAST; first++) {
        for (i = 0; i < count && !slots[first + i].handler; i++)
            ;
        if (i == count)
            found = first;
    }
    for (i = 0; found && i < count; i++)
        take(found + i, handler, context);
    machine_spin_unlock_restore_interrupts(&slot_lock, enabled);
    return found;
}

uint64_t vectors_spurious(void)
{
    return spurious;
}

uint64_t vectors_unheard(void)
{
    return unheard;
}
