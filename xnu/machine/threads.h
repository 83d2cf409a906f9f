/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kernel threads, sleeping and waking, locks and the interrupt state of virtual processors.
 *
 * Two engines implement this header, chosen by machine_start(): real threads (pthread), and a
 * deterministic fibre scheduler (one host thread, virtual time, a seeded choice at every switch
 * point). Code above must not be able to tell them apart.
 *
 * The model of a processor: every thread belongs to one virtual processor for its whole life
 * (threads are dealt out in turn). Interrupts of a processor run in that processor's interrupt
 * thread, never on the stack of a thread they interrupt. "Interrupts off" means that the thread
 * holds its processor's interrupt lock: neither an interrupt nor another thread with interrupts off
 * runs on that processor meanwhile. Unlike on a real processor, threads of one virtual processor
 * that have interrupts on may run at the same time.
 *
 * Unless a function says so, it may be called from any kernel thread and from interrupt context.
 * A call marked [blocks] panics when interrupts are off, in interrupt context, or with a spin lock
 * held, as the kernel would sooner or later.
 */
#ifndef MACHV_XNU_MACHINE_THREADS_H
#define MACHV_XNU_MACHINE_THREADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Deadlines are uptime in nanoseconds (clock.h); this one never comes. */
#define MACHINE_NEVER UINT64_MAX

struct machine_thread;
struct machine_mutex;

typedef void machine_thread_function(void *argument);

/* ---- threads -------------------------------------------------------------------------------- */

/*
 * Starts a kernel thread whose stack lies in guest RAM. `name` is copied (31 bytes at most) and
 * appears in crash and deadlock reports. The thread ends when `function` returns or calls
 * machine_thread_exit(). The returned handle carries one reference for the caller, to be given back
 * with machine_thread_release(); the thread itself holds another while it lives. NULL: no memory.
 */
struct machine_thread *machine_thread_start(const char *name, machine_thread_function *function,
                                            void *argument);
/* As above on a given virtual processor (0 ... machine_processor_count() - 1). */
struct machine_thread *machine_thread_start_on(unsigned processor, const char *name,
                                               machine_thread_function *function, void *argument);
void machine_thread_retain(struct machine_thread *thread);
void machine_thread_release(struct machine_thread *thread);
_Noreturn void machine_thread_exit(void);

/*
 * The calling thread; NULL on a host thread that is not a kernel thread. In interrupt context: the
 * interrupt thread of the processor.
 */
struct machine_thread *machine_thread_self(void);
const char *machine_thread_name(const struct machine_thread *thread);
/* A number that is unique in this process, from 1. */
uint64_t machine_thread_number(const struct machine_thread *thread);
/* [blocks] Waits until the thread has ended. Not for the thread itself. */
void machine_thread_join(struct machine_thread *thread);
/*
 * Runs `function` when the thread ends, on the ending thread, after its own function: the kernel's
 * place to free what hangs on the slot. One hook for all threads; NULL for none.
 */
void machine_thread_set_exit_hook(void (*function)(struct machine_thread *thread, void *slot));

/* One pointer a thread for the kernel's own thread structure (uthread, thread_t ...). */
void *machine_thread_slot(const struct machine_thread *thread);
void machine_thread_set_slot(struct machine_thread *thread, void *value);

/*
 * Makes the calling host thread (a server thread that the kernel did not start) a kernel thread on
 * processor 0 until machine_thread_abandon(). Its stack is not in guest RAM: it may call
 * the kernel, but must not hand drivers stack addresses whose physical address they take.
 * Real threads only; false with fibres, where such threads must be kernel threads that use
 * machine_poll().
 */
bool machine_thread_adopt(const char *name);
void machine_thread_abandon(void);

/* Gives the processor away for a moment: a switch point for fibres, sched_yield() for threads. */
void machine_yield(void);

/*
 * For the thread of a server: from now on, when something wakes it up, it does not take the host's
 * processor from whoever did that (`finish`), or does so again. A client that has more to ask then
 * asks all of it, and is not served one request at a time with two changes of threads for each.
 * Without effect where a processor is idle, with fibres, and if somebody has chosen a policy for
 * the program (chrt).
 */
void machine_thread_let_clients_finish(bool finish);

/*
 * [blocks] Waits until the host descriptor is readable (or writable), the deadline has passed, or,
 * if `interruptible`, machine_interrupt_thread() was called. 1 ready, 0 deadline,
 * -EINTR interrupted, another negative errno on failure. This is how servers inside the kernel
 * process (NBD, kernel-control sockets, TAP) wait, so that fibres can wait on descriptors too.
 */
int machine_poll(int descriptor, bool writable, uint64_t deadline, bool interruptible);

/*
 * For a thread that is about to sleep and expects an interrupt very soon: looks for interrupts of
 * its processor for at most `nanoseconds` and delivers them on the spot, which saves waking the
 * thread that does it otherwise. True if there were some. False at once with fibres, and sooner
 * when others want the host's processor. Not with locks held.
 */
bool machine_poll_interrupts(uint64_t nanoseconds);

/*
 * [blocks] For a server's thread that is about to wait and expects more to come at once: looks for
 * interrupts of its processor for a microsecond, or else lets other threads run. Then whoever has
 * more need not wake it, nor an interrupt two other threads. `vain` counts looks in vain; the
 * caller sets it to 0 when something has come. True: now look for what you wait for again. False,
 * after `most` looks in vain: wait; it is 0 again.
 */
bool machine_look_around(unsigned *vain, unsigned most);

/*
 * In interrupt context: leaves work to the thread that polls for this very interrupt, which does it
 * right after, in the place of a thread that would have to be woken for it. False: nobody does, or
 * has enough to do already.
 */
bool machine_leave_to_poller(void (*work)(void *context), void *context);

/*
 * A burst: one piece of a thread's work that makes many things happen, of which others had better
 * hear once (a round of a work loop that ends all requests that are done). What is left to its end
 * runs when machine_burst_end() does; of nested ones the outermost counts. A thread that sleeps in
 * its burst keeps what it was left: nothing that the sleep waits for may depend on it.
 */
void machine_burst_begin(void);
void machine_burst_end(void);
/* False: the calling thread is not in a burst, or has been left enough already. */
bool machine_leave_to_burst_end(void (*work)(void *context), void *context);

/* ---- sleeping on an event ------------------------------------------------------------------- */

enum machine_wait_result {
    MACHINE_AWAKENED = 0,
    MACHINE_TIMED_OUT = 1,
    MACHINE_INTERRUPTED = 2,
};

/*
 * [blocks] Sleeps until machine_wakeup(event), the deadline, or (if `interruptible`)
 * machine_interrupt_thread(). `mutex`, which the caller must hold, is released while sleeping and
 * held again on return; NULL for none. A wake-up that happens after the call began to release the
 * mutex is never lost. `event` is compared by address only and must not be NULL. A deadline that
 * has passed already returns MACHINE_TIMED_OUT after giving other threads the mutex once.
 */
enum machine_wait_result machine_sleep(struct machine_mutex *mutex, const void *event,
                                       uint64_t deadline, bool interruptible);
/*
 * The same in two steps (the kernel's assert_wait and thread_block): after machine_wait_prepare() a
 * wake-up of the event is remembered; machine_wait_block() [blocks] returns at once then. Between
 * the two the thread may release any locks, but must not sleep otherwise. machine_wait_cancel()
 * undoes a prepare without blocking and says what had happened so far (MACHINE_TIMED_OUT: nothing).
 * Prepare may be called with a spin lock held or interrupts off.
 */
void machine_wait_prepare(const void *event, uint64_t deadline, bool interruptible);
enum machine_wait_result machine_wait_block(void);
enum machine_wait_result machine_wait_cancel(void);

/*
 * Wakes every sleeper on the event, or with `one` the one that has slept longest. Returns the
 * number woken. Allowed in interrupt context, with spin locks held and with the sleepers' mutex
 * held.
 */
unsigned machine_wakeup(const void *event, bool one);
/*
 * Wakes the thread with MACHINE_INTERRUPTED if it sleeps interruptibly; remembered for its next
 * interruptible sleep otherwise.
 */
void machine_interrupt_thread(struct machine_thread *thread);

/* ---- mutexes -------------------------------------------------------------------------------- */

/*
 * Sleeping, not recursive: locking a mutex that the caller holds, unlocking one that it does not
 * hold, and destroying a held one panic with the name. `name` must outlive the mutex.
 */
struct machine_mutex *machine_mutex_create(const char *name);
void machine_mutex_destroy(struct machine_mutex *mutex); /* NULL is allowed */
void machine_mutex_lock(struct machine_mutex *mutex);    /* [blocks] */
bool machine_mutex_try(struct machine_mutex *mutex);     /* true: now held */
void machine_mutex_unlock(struct machine_mutex *mutex);
/* Holder at this moment, NULL if free; exact only for "is it me?". */
struct machine_thread *machine_mutex_owner(const struct machine_mutex *mutex);

/* ---- spin locks ----------------------------------------------------------------------------- */

/*
 * Spin locks turn preemption of the calling processor off (so nothing [blocks] while one is held).
 * They do not turn interrupts off; use the _disable_interrupts pair when an interrupt handler takes
 * the same lock. The machine checks that: an interrupt handler that finds the lock held by a thread
 * of its own processor panics with "deadlock", which is what a real processor would do silently.
 * All-zero bytes are an unlocked lock, so it may be embedded in zeroed memory.
 */
struct machine_spin_lock {
    uint64_t holder; /* 0: free; read and written by the machine only */
};

void machine_spin_lock(struct machine_spin_lock *lock);
bool machine_spin_try(struct machine_spin_lock *lock);
void machine_spin_unlock(struct machine_spin_lock *lock);
bool machine_spin_held(const struct machine_spin_lock *lock); /* by the calling thread */
/* Returns whether interrupts were enabled; give that to the unlock. */
bool machine_spin_lock_disable_interrupts(struct machine_spin_lock *lock);
void machine_spin_unlock_restore_interrupts(struct machine_spin_lock *lock, bool enabled);

/* Preemption of the calling thread, counted; spin locks count too. */
void machine_preemption_disable(void);
void machine_preemption_enable(void);
bool machine_preemption_enabled(void); /* also false with interrupts off or in their context */

/* ---- processors and interrupts -------------------------------------------------------------- */

unsigned machine_processor_count(void);
/* The virtual processor of the calling thread, from 0. */
unsigned machine_processor_number(void);

/* Sets the interrupt state of the calling processor, returns the previous one. */
bool machine_interrupts_set_enabled(bool enabled);
bool machine_interrupts_enabled(void);
/* True while an interrupt entry or a rendezvous action runs on behalf of another processor. */
bool machine_at_interrupt_context(void);

/*
 * The function that is called for each interrupt vector, in interrupt context, interrupts off, on
 * the processor `machine_processor_number()`. One for the machine; set it before the partition
 * starts. Vectors that arrive while there is none are counted and dropped.
 */
typedef void machine_interrupt_entry(void *context, unsigned vector);
void machine_interrupt_set_entry(machine_interrupt_entry *entry, void *context);
/* Raises a fixed, edge-triggered interrupt (vector 16 ... 255). Any thread, also host threads. */
void machine_interrupt_raise(unsigned processor, unsigned vector);

/*
 * [blocks] Runs action(argument) once on every virtual processor, on all at the same time,
 * interrupts off; returns when all are done. The calling processor runs it on the calling thread,
 * the others in interrupt context (the kernel's mp_rendezvous_no_intrs).
 */
void machine_rendezvous(void (*action)(void *argument), void *argument);

#endif
