/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Virtual processors: interrupt state, pending vectors, spin locks and preemption.
 */
#include "xnu/machine/machine_private.h"

struct machine_processor machine_processors[MACHINE_PROCESSORS_MAX];
unsigned machine_processors_used = 1;

static machine_interrupt_entry *interrupt_entry;
static void *interrupt_context;

unsigned machine_processor_count(void) {
    return machine_processors_used;
}

unsigned machine_processor_number(void) {
    return machine_current != NULL ? machine_current->processor : 0;
}

/* ---- interrupts ----------------------------------------------------------------------------- */

bool machine_interrupts_enabled(void) {
    return machine_current == NULL || !machine_current->interrupts_off;
}

bool machine_interrupts_set_enabled(bool enabled) {
    struct machine_thread *thread = machine_current;
    if (thread == NULL) {
        return true;
    }
    bool previous = !thread->interrupts_off;
    if (enabled == previous) {
        return previous;
    }
    if (!enabled) {
        thread_engine->interrupts_off(thread->processor);
        thread->interrupts_off = true;
    } else if (thread->in_interrupt) {
        machine_panic("interrupts enabled inside an interrupt handler");
    } else {
        thread->interrupts_off = false;
        thread_engine->interrupts_on(thread->processor);
    }
    return previous;
}

bool machine_at_interrupt_context(void) {
    return machine_current != NULL && machine_current->in_interrupt;
}

void machine_interrupt_set_entry(machine_interrupt_entry *entry, void *context) {
    interrupt_context = context;
    __atomic_store_n(&interrupt_entry, entry, __ATOMIC_RELEASE);
}

void machine_interrupt_raise(unsigned processor, unsigned vector) {
    if (processor >= machine_processors_used || vector < 16 || vector >= 256) {
        return;
    }
    uint64_t bit = UINT64_C(1) << (vector % 64);
    if ((atomic_fetch_or(&machine_processors[processor].pending[vector / 64], bit) & bit) == 0) {
        thread_engine->interrupt_kick(processor);
    }
}

bool processor_has_pending(unsigned processor) {
    uint64_t any = 0;
    for (unsigned word = 0; word < PARTITION_VECTOR_WORDS; word++) {
        any |= atomic_load_explicit(&machine_processors[processor].pending[word],
                                    memory_order_relaxed);
    }
    return any != 0;
}

unsigned processor_deliver(unsigned processor) {
    uint64_t words[PARTITION_VECTOR_WORDS];
    unsigned delivered = 0;
    if (machine_is_panicking()) {
        return 0;
    }
    for (unsigned word = 0; word < PARTITION_VECTOR_WORDS; word++) {
        words[word] = atomic_exchange(&machine_processors[processor].pending[word], 0);
    }
    if (partition_current.operations != NULL &&
        partition_current.operations->take_vectors != NULL) {
        partition_current.operations->take_vectors(partition_current.context, processor, words);
    }
    machine_interrupt_entry *entry = __atomic_load_n(&interrupt_entry, __ATOMIC_ACQUIRE);
    /* Higher vectors have the higher priority. */
    for (unsigned word = PARTITION_VECTOR_WORDS; word-- > 0;) {
        while (words[word] != 0) {
            unsigned bit = 63 - (unsigned)__builtin_clzll(words[word]);
            words[word] &= ~(UINT64_C(1) << bit);
            if (entry != NULL) {
                entry(interrupt_context, word * 64 + bit);
                count_one(&machine_counters.interrupts[processor]);
            } else {
                count_one(&machine_counters.interrupts_dropped);
            }
            delivered++;
        }
    }
    if (atomic_load_explicit(&machine_processors[processor].halted, memory_order_relaxed) != 0) {
        machine_wakeup(&machine_processors[processor], false);
    }
    return delivered;
}

void machine_rendezvous(void (*action)(void *argument), void *argument) {
    thread_check_may_block("rendezvous");
    thread_engine->rendezvous(action, argument);
}

/* ---- preemption and spin locks -------------------------------------------------------------- */

void machine_preemption_disable(void) {
    if (machine_current != NULL) {
        machine_current->preemption_disabled++;
    }
}

void machine_preemption_enable(void) {
    struct machine_thread *thread = machine_current;
    if (thread == NULL) {
        return;
    }
    if (thread->preemption_disabled == 0) {
        machine_panic("preemption enabled more often than disabled");
    }
    if (--thread->preemption_disabled == 0 && !thread->interrupts_off) {
        thread_engine->switch_point();
    }
}

bool machine_preemption_enabled(void) {
    struct machine_thread *thread = machine_current;
    return thread == NULL || (thread->preemption_disabled == 0 && !thread->interrupts_off &&
                              !thread->in_interrupt);
}

/*
 * Who holds a lock, in one word, so that a spinner never follows a pointer to a thread that may be
 * gone: thread number, processor, whether in interrupt context. Host threads that are no kernel
 * threads may take spin locks too, all under one name.
 */
#define HOLDER_FOREIGN UINT64_MAX
#define HOLDER_INTERRUPT 0x80u
#define HOLDER_PROCESSOR(holder) ((unsigned)(holder)&0x7f)

static uint64_t holder_self(void) {
    const struct machine_thread *thread = machine_current;
    if (thread == NULL) {
        return HOLDER_FOREIGN;
    }
    return thread->number << 8 | (thread->in_interrupt ? HOLDER_INTERRUPT : 0) | thread->processor;
}

static bool spin_take(struct machine_spin_lock *lock, uint64_t self) {
    uint64_t expected = 0;
    return __atomic_compare_exchange_n(&lock->holder, &expected, self, false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

bool machine_spin_try(struct machine_spin_lock *lock) {
    machine_preemption_disable();
    if (spin_take(lock, holder_self())) {
        return true;
    }
    machine_preemption_enable();
    return false;
}

static void check_deadlock(uint64_t self, uint64_t holder) {
    if (holder == 0 || holder == HOLDER_FOREIGN || self == HOLDER_FOREIGN) {
        return;
    }
    if (holder == self) {
        machine_panic("deadlock: thread \"%s\" takes a spin lock that it holds",
                      machine_current->name);
    }
    if ((self & HOLDER_INTERRUPT) != 0 && (holder & HOLDER_INTERRUPT) == 0 &&
        HOLDER_PROCESSOR(holder) == HOLDER_PROCESSOR(self)) {
        machine_panic("deadlock: an interrupt on cpu %u takes a spin lock that thread %llu of the "
                      "same cpu holds with interrupts on",
                      HOLDER_PROCESSOR(self), (unsigned long long)(holder >> 8));
    }
}

void machine_spin_lock(struct machine_spin_lock *lock) {
    uint64_t self = holder_self();
    if (machine_current != NULL && machine_current->preemption_disabled == 0) {
        thread_engine->switch_point();
    }
    machine_preemption_disable();
    for (unsigned turn = 0; !spin_take(lock, self); turn++) {
        if (panic_is_mine()) {
            __atomic_store_n(&lock->holder, self, __ATOMIC_RELAXED);
            break;
        }
        check_deadlock(self, __atomic_load_n(&lock->holder, __ATOMIC_RELAXED));
        thread_engine->spin(turn);
    }
}

void machine_spin_unlock(struct machine_spin_lock *lock) {
    if (lock->holder != holder_self()) {
        machine_panic("spin lock %p released by a thread that does not hold it", (void *)lock);
    }
    __atomic_store_n(&lock->holder, 0, __ATOMIC_RELEASE);
    machine_preemption_enable();
}

bool machine_spin_held(const struct machine_spin_lock *lock) {
    return __atomic_load_n(&lock->holder, __ATOMIC_RELAXED) == holder_self();
}

bool machine_spin_lock_disable_interrupts(struct machine_spin_lock *lock) {
    bool enabled = machine_interrupts_set_enabled(false);
    machine_spin_lock(lock);
    return enabled;
}

void machine_spin_unlock_restore_interrupts(struct machine_spin_lock *lock, bool enabled) {
    machine_spin_unlock(lock);
    machine_interrupts_set_enabled(enabled);
}
