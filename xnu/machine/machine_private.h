/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of this folder share. Nobody else includes it.
 */
#ifndef MACHV_XNU_MACHINE_PRIVATE_H
#define MACHV_XNU_MACHINE_PRIVATE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xnu/machine/clock.h"
#include "xnu/machine/fibre_switch.h"
#include "xnu/machine/log.h"
#include "xnu/machine/machine.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/panic.h"
#include "xnu/machine/partition.h"
#include "xnu/machine/threads.h"
#include "xnu/machine/traps.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MACHINE_ADDRESS_SANITIZER 1
#endif
#endif

#ifdef MACHINE_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#define memory_poison(address, size) ASAN_POISON_MEMORY_REGION(address, size)
#define memory_unpoison(address, size) ASAN_UNPOISON_MEMORY_REGION(address, size)
#define MACHINE_STACK_SIZE (256u * 1024u)
#else
#define memory_poison(address, size) ((void)(address), (void)(size))
#define memory_unpoison(address, size) ((void)(address), (void)(size))
#define MACHINE_STACK_SIZE (128u * 1024u)
#endif

/* ---- threads -------------------------------------------------------------------------------- */

enum wait_state {
    WAIT_NONE = 0,
    WAIT_PENDING = 1, /* prepared or asleep */
    WAIT_AWAKENED = 2,
    WAIT_TIMED_OUT = 3,
    WAIT_INTERRUPTED = 4,
};

enum { THREAD_DEFERRED_MAX = 16, THREAD_LEFT_MAX = 4 };

/* Work that is done later by the thread that it was left to. */
struct left_work {
    void (*work)(void *context);
    void *context;
};

struct left_works {
    struct left_work works[THREAD_LEFT_MAX];
    unsigned count;
};

struct machine_thread {
    char name[32];
    uint64_t number;
    atomic_uint references;
    unsigned processor;
    machine_thread_function *function;
    void *argument;
    void *slot;
    struct machine_thread *all_next, *all_previous;

    /* Sleeping. event, deadline and interruptible belong to the lock of the event's wait queue. */
    atomic_int wait; /* enum wait_state; the futex word of real threads */
    const void *_Atomic event;
    uint64_t deadline;
    bool interruptible;
    atomic_bool interrupt_pending;
    struct machine_thread *queue_next, *queue_previous;

    /* Of the thread itself. */
    unsigned preemption_disabled;
    bool interrupts_off; /* holds its processor's interrupt lock */
    bool in_interrupt;
    bool adopted;
    bool is_interrupt_thread;
    atomic_bool ended;

    uint8_t *stack; /* pages of guest RAM, the lowest is the guard */
    size_t stack_size;

    /* Real threads. */
    pthread_t pthread;
    jmp_buf exit_context;
    atomic_int poll_event; /* event descriptor that interrupts machine_poll(), -1 */
    struct machine_thread *zombie_next;
    struct machine_thread *deferred[THREAD_DEFERRED_MAX]; /* woken with interrupts off, to be told
                                                           * when they are on again */
    unsigned deferred_count;
    bool polls_interrupts;
    bool lets_clients_finish;
    struct left_works left_by_interrupt;
    unsigned bursts; /* that it is in */
    struct left_works left_to_burst;

    /* Fibres. */
    struct fibre_context fibre;
    bool parked;
    bool yielded;
    int poll_descriptor; /* >= 0: waits for it */
    bool poll_writable;
    int poll_result;
};

extern _Thread_local struct machine_thread *machine_current;

/* False: there is no room for it. */
bool left_works_add(struct left_works *left, void (*work)(void *context), void *context);
/* Does and forgets them; what is left meanwhile waits for the next time. */
void left_works_run(struct left_works *left);

/* The two implementations of threads. */
struct thread_engine {
    /* Begins to run a thread whose structure is complete; 0 or a negative errno. */
    int (*create)(struct machine_thread *thread);
    /* Ends the calling thread after everything common has been done. */
    void (*exit)(struct machine_thread *thread);
    /* Returns when thread->wait is no longer WAIT_PENDING, or at the deadline. */
    void (*park)(struct machine_thread *thread, uint64_t deadline);
    /* thread->wait was changed. */
    void (*unpark)(struct machine_thread *thread);
    void (*yield)(void);
    /* Another thread may run now (fibres); cheap. */
    void (*switch_point)(void);
    /* One turn of a busy wait, `turn` counted from 0. */
    void (*spin)(unsigned turn);
    int (*poll)(struct machine_thread *thread, int descriptor, bool writable, uint64_t deadline);
    void (*poll_interrupt)(struct machine_thread *thread);
    bool (*poll_vectors)(struct machine_thread *thread, uint64_t nanoseconds);
    uint64_t (*now)(void);
    void (*spin_delay)(uint64_t nanoseconds);
    /* The processor's interrupt lock. */
    void (*interrupts_off)(unsigned processor);
    void (*interrupts_on)(unsigned processor);
    /* Vectors or a rendezvous are pending for the processor's interrupt thread. Any host thread. */
    void (*interrupt_kick)(unsigned processor);
    /* The partition's event descriptor of the processor's vectors, -1: no longer. */
    void (*use_descriptor)(unsigned processor, int descriptor);
    void (*rendezvous)(void (*action)(void *argument), void *argument);
    /* Before a panic's actions: what runs with interrupts off comes to its end first, on all
     * processors, as far as that takes no longer than a moment. */
    void (*quiesce)(void);
    int (*run)(const char *name, machine_thread_function *function, void *argument);
    void (*run_until)(uint64_t uptime);
    int (*start)(const struct machine_configuration *configuration);
    void (*stop)(void);
};

/* In a panic only one thread may talk to the host, as on a machine whose other processors have
 * stopped: the others stay here. */
void panic_stop_here(void);
/* The calling thread is the one: whoever holds a lock that it wants will not go on. */
bool panic_is_mine(void);
/* What drivers do in a panic, on the first thread that panics; at most once. */
void panic_call_actions(void);

extern const struct thread_engine thread_engine_real;
extern const struct thread_engine thread_engine_fibres;
extern const struct thread_engine *thread_engine;

/* Allocates and registers a thread, with a stack if asked. One reference for the caller. */
struct machine_thread *thread_new(const char *name, unsigned processor,
                                  machine_thread_function *function, void *argument,
                                  bool with_stack);
/* The common part of ending: hook, joiners. The engine then ends it. */
void thread_finish(struct machine_thread *thread);
/* Calls visit for every thread, under the list's lock. */
void thread_for_each(void (*visit)(struct machine_thread *thread, void *context), void *context);
/* Panics when the calling thread may not block. `what` names the call. */
void thread_check_may_block(const char *what);
/* Wakes a sleeping thread with the result if it still sleeps (any event). */
bool thread_wake_with(struct machine_thread *thread, enum wait_state result,
                      bool only_interruptible);
/* Prepared wait that is only entered while *word == value, checked under the queue's lock. */
bool thread_wait_prepare_if(const void *event, const atomic_uint *word, unsigned value);
/* After the engine has stopped: frees mutexes and threads that the kernel still holds. */
void waits_stop(void);
void threads_stop(void);
void threads_report(void (*line)(const char *text));
extern atomic_bool machine_stopping;

/* ---- processors ----------------------------------------------------------------------------- */

struct machine_processor {
    _Atomic uint64_t pending[PARTITION_VECTOR_WORDS];
    struct machine_thread *interrupt_thread;
    atomic_uint halted; /* threads that wait, asleep on this structure, for an interrupt */
};

/* What machine_statistics() gives, counted with relaxed atomics. */
struct machine_counters {
    _Atomic uint64_t interrupts[MACHINE_PROCESSORS_MAX];
    _Atomic uint64_t interrupts_dropped, trapped_instructions, trapped_accesses, hypercalls,
        signals, nbd_bytes_moved, nbd_bytes_copied, bounce_bytes;
};
extern struct machine_counters machine_counters;

static inline void count_many(_Atomic uint64_t *counter, uint64_t number) {
    atomic_fetch_add_explicit(counter, number, memory_order_relaxed);
}

static inline void count_one(_Atomic uint64_t *counter) {
    count_many(counter, 1);
}

extern struct machine_processor machine_processors[MACHINE_PROCESSORS_MAX];
extern unsigned machine_processors_used;

/* Calls the interrupt entry for all pending vectors; the caller is the interrupt thread and holds
 * the interrupt lock. Returns the number of vectors. */
unsigned processor_deliver(unsigned processor);
bool processor_has_pending(unsigned processor);

/* ---- memory --------------------------------------------------------------------------------- */

int memory_start(uint64_t bytes);
void memory_stop(void);
void clock_stop(void);
extern uint8_t *memory_window;

/* ---- memory_watch.c: see machine_watch_host_memory() ---------------------------------------- */

int memory_watch_start(void);
void memory_watch_stop(void);
/* The caller has checked that it is a whole range, and it stays one meanwhile. */
int memory_watch_take(uint64_t start, uint64_t size,
                      uint64_t written[MACHINE_WATCH_BLOCKS_MAX / 64]);
/* The range is about to go. */
void memory_watch_forget(uint64_t start);
/* True: it was a write to watched memory, and may be tried again. Safe in signal handlers. */
bool memory_watch_fault(const void *address);

/* RAM pages by index: 0 is the first page of RAM. */
extern size_t memory_low_pages, memory_high_pages;
uint8_t *memory_page_address(size_t index);
/* Page index of a RAM address, SIZE_MAX if it is none. */
size_t memory_page_index(const void *address);
/* One access to memory of a device that may not be there, without a fault. False: it is not. */
bool memory_copy_device(uint64_t physical, uint64_t *value, unsigned size, bool write);

int pages_start(size_t pages);
void pages_stop(void);
/* Who owns a run of pages; a slab or a large allocation of the heap, or a page allocation. */
enum page_owner { PAGE_FREE = 0, PAGE_TAIL, PAGE_CALLER, PAGE_LARGE, PAGE_SLAB, PAGE_STACK };
void *pages_take(size_t size, uint64_t alignment, uint64_t physical_limit, enum page_owner owner,
                 bool zero);
void pages_give(void *address, size_t pages, enum page_owner owner);
/* Owner and length of the run that starts at this page; PAGE_FREE and PAGE_TAIL otherwise. */
enum page_owner pages_owner(const void *address, size_t *pages);
uint64_t pages_used(void);
uint64_t pages_caller_runs(void);
bool allocation_must_fail(void);

int heap_start(void);
void heap_stop(void);
void heap_statistics(uint64_t *allocations, uint64_t *bytes);

void *stack_allocate(size_t size);
void stack_release(void *stack, size_t size);

/* ---- log, death ----------------------------------------------------------------------------- */

void log_start(void);
/* The last lines of the ring, for reports; safe in signal handlers. Returns the length. */
size_t log_tail(char *buffer, size_t size, unsigned lines);
/*
 * Dies with the report that was written already: tells the partition, flushes, runs the hook,
 * ends the process. `reason` is one line.
 */
_Noreturn void machine_die(int status, const char *reason);
bool machine_has_death_hook(void);
void machine_call_death_hook(int status, const char *reason);
/* Reads own memory that may not be mapped, without faulting. Safe in signal handlers. */
bool read_carefully(uintptr_t address, void *buffer, size_t size);
/* Writes a backtrace from a frame pointer. Safe in signal handlers. */
void report_backtrace(uintptr_t instruction, uintptr_t frame);
/* Writes a line to standard error. Safe in signal handlers. */
void report_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- traps ---------------------------------------------------------------------------------- */

int traps_start(void);
void traps_stop(void);
/* Every host thread that runs kernel code needs its own signal stack. */
int traps_thread_enter(void);
void traps_thread_leave(void);

/* ---- partition ------------------------------------------------------------------------------ */

struct partition_current {
    const struct partition_operations *operations; /* NULL: none */
    void *context;
};
extern struct partition_current partition_current;
void partition_stop(int status);
/* After a successful write of MSR 0x40000001: lays or removes the hypercall page. */
void hypercall_page_update(uint64_t msr_value);
void hypercall_page_remove(void);

#endif
