/* SPDX-License-Identifier: BSD-3-Clause */
/* IOThreads.c - kernel threads and waiting on events (kernel_thread_start, assert_wait,
 * thread_block, thread_wakeup; xnu osfmk/kern/thread.c, sched_prim.c).
 *
 * thread_t is the machine's thread. What the kernel keeps beside it hangs on the thread's slot. */
#include "xnu/iokit/threads_private.h"

#include "xnu/bsd/kpi.h"
#include "xnu/machine/clock.h"
#include "xnu/machine/memory.h"
#include "xnu/machine/panic.h"
#include "xnu/machine/threads.h"

#include "abi/kpi/iolib.h"
#include "abi/kpi/threads.h"

enum { THREAD_NAME_SIZE = 64 };

/* A thread that was made by kernel_thread_start. `return_point` is where thread_block goes when the
 * caller leaves its stack behind and continues in another function. */
struct kernel_thread {
    thread_continue_t function;
    void *parameter;
    wait_result_t wait_result;
    void *return_point[5];
    char name[THREAD_NAME_SIZE];
};

static struct kernel_thread *kernel_thread_of(const struct machine_thread *thread)
{
    return thread ? machine_thread_slot(thread) : NULL;
}

static void free_kernel_thread(struct machine_thread *thread, void *slot)
{
    if (slot)
        machine_release(slot, sizeof(struct kernel_thread));
}

void threads_start(void)
{
    machine_thread_set_exit_hook(free_kernel_thread);
}

/* Fetches everything anew: nothing in registers survives the jump back to thread_main. */
__attribute__((noinline)) static void run_thread(void)
{
    struct kernel_thread *self = kernel_thread_of(machine_thread_self());

    self->function(self->parameter, self->wait_result);
}

static void thread_main(void *argument)
{
    struct kernel_thread *self = argument;

    machine_thread_set_slot(machine_thread_self(), self);
    /* Each continuation starts here again, on an empty stack. */
    (void)__builtin_setjmp(self->return_point);
    run_thread();
    __asm volatile("");          /* no tail call: this frame must stay for the jump */
}

kern_return_t kernel_thread_start_named(const char *name, thread_continue_t function,
                                        void *parameter, thread_t *thread)
{
    struct kernel_thread *kernel_thread = machine_allocate_zeroed(sizeof *kernel_thread, 0);

    if (!kernel_thread)
        return KERN_RESOURCE_SHORTAGE;
    kernel_thread->function = function;
    kernel_thread->parameter = parameter;
    struct machine_thread *started = machine_thread_start(name, thread_main, kernel_thread);
    if (!started) {
        machine_release(kernel_thread, sizeof *kernel_thread);
        return KERN_RESOURCE_SHORTAGE;
    }
    *thread = (thread_t)started;
    return KERN_SUCCESS;
}

KPI(kern_return_t, kernel_thread_start, (thread_continue_t function, void *parameter,
                                         thread_t *thread))
{
    return kernel_thread_start_named("kernel_thread", function, parameter, thread);
}

KPI(thread_t, IOCreateThread, (IOThreadFunc function, void *argument))
{
    thread_t thread;

    if (kernel_thread_start((thread_continue_t)(void *)function, argument, &thread) != KERN_SUCCESS)
        return NULL;
    thread_deallocate(thread);
    return thread;
}

KPI(void, IOExitThread, (void))
{
    machine_thread_exit();
}

KPI(thread_t, current_thread, (void))
{
    return (thread_t)machine_thread_self();
}

KPI(void, thread_reference, (thread_t thread))
{
    if (thread)
        machine_thread_retain((struct machine_thread *)thread);
}

KPI(void, thread_deallocate, (thread_t thread))
{
    if (thread)
        machine_thread_release((struct machine_thread *)thread);
}

/* Only a thread itself can end: the kernel cannot stop another kernel thread at
 * an unknown place. */
KPI(kern_return_t, thread_terminate, (thread_t thread))
{
    if (thread != (thread_t)machine_thread_self())
        return KERN_FAILURE;
    machine_thread_exit();
}

KPI(uint64_t, thread_tid, (thread_t thread))
{
    return thread ? machine_thread_number((struct machine_thread *)thread) : 0;
}

KPI(void, thread_set_thread_name, (thread_t thread, const char *name))
{
    struct kernel_thread *self = kernel_thread_of((struct machine_thread *)thread);

    if (!self || !name)
        return;
    size_t i = 0;
    for (; i < THREAD_NAME_SIZE - 1 && name[i] != '\0'; i++)
        self->name[i] = name[i];
    self->name[i] = '\0';
}

KPI(boolean_t, thread_has_thread_name, (thread_t thread))
{
    struct kernel_thread *self = kernel_thread_of((struct machine_thread *)thread);

    return self && self->name[0] != '\0';
}

/* Priorities and affinities: threads are dealt out to processors by the machine. */
KPI(kern_return_t, thread_policy_set, (thread_t thread, unsigned flavor,
                                       int *policy, unsigned count))
{
    return KERN_SUCCESS;
}

/* ---- waiting -------------------------------------------------------------------------------- */

KPI(wait_result_t, assert_wait_deadline, (event_t event, wait_interrupt_t interruptible,
                                          uint64_t deadline))
{
    machine_wait_prepare((const void *)event, deadline == 0 ? MACHINE_NEVER : deadline,
                         interruptible != THREAD_UNINT);
    return THREAD_WAITING;
}

KPI(wait_result_t, assert_wait, (event_t event, wait_interrupt_t interruptible))
{
    return assert_wait_deadline(event, interruptible, 0);
}

KPI(wait_result_t, assert_wait_timeout, (event_t event, wait_interrupt_t interruptible,
                                         uint32_t interval, uint32_t scale))
{
    return assert_wait_deadline(event, interruptible,
                                machine_uptime() + (uint64_t)interval * scale);
}

/* With a continuation the caller's frames are given up: the thread goes on in that function. A
 * thread that the kernel did not start for a driver has no such starting point; there the
 * continuation is called and the thread ends when it returns. */
KPI(wait_result_t, thread_block_parameter, (thread_continue_t continuation, void *parameter))
{
    struct kernel_thread *self = kernel_thread_of(machine_thread_self());
    wait_result_t result = (wait_result_t)machine_wait_block();

    if (!continuation)
        return result;
    if (!self) {
        continuation(parameter, result);
        machine_thread_exit();
    }
    self->function = continuation;
    self->parameter = parameter;
    self->wait_result = result;
    __builtin_longjmp(self->return_point, 1);
}

KPI(wait_result_t, thread_block, (thread_continue_t continuation))
{
    return thread_block_parameter(continuation, NULL);
}

KPI(kern_return_t, thread_wakeup_prim, (event_t event, boolean_t one_thread, wait_result_t result))
{
    return machine_wakeup((const void *)event, one_thread) != 0 ? KERN_SUCCESS : KERN_NOT_WAITING;
}
