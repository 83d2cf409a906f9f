/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads, waiting and thread calls.
 *
 * Source: xnu osfmk/kern/thread.h, sched_prim.h, thread_call.h.
 * Comments note functions that older releases lack. */
#pragma once

#include "abi/types.h"

/* How a wait may be interrupted, and how it ended. */
#define THREAD_UNINT 0
#define THREAD_INTERRUPTIBLE 1
#define THREAD_ABORTSAFE 2
#define THREAD_WAITING (-1)
#define THREAD_AWAKENED 0
#define THREAD_TIMED_OUT 1
#define THREAD_INTERRUPTED 2
#define THREAD_RESTART 3
#define THREAD_CONTINUE_NULL ((thread_continue_t)0)

typedef void (*thread_continue_t)(void *parameter, wait_result_t result);
typedef void (*thread_call_func_t)(void *parameter0, void *parameter1);

/* The new thread has one reference for the caller (thread_deallocate). Its function ends by
 * returning or by thread_terminate(current_thread()). */
kern_return_t kernel_thread_start(thread_continue_t continuation, void *parameter,
                                  thread_t *new_thread)
    __asm("_kernel_thread_start");
thread_t current_thread(void) __asm("_current_thread");
void thread_reference(thread_t thread) __asm("_thread_reference");
void thread_deallocate(thread_t thread) __asm("_thread_deallocate");
kern_return_t thread_terminate(thread_t target_act) __asm("_thread_terminate");

/* A wakeup between assert_wait and thread_block is not lost. Not with a spin lock held. */
wait_result_t assert_wait(event_t event, wait_interrupt_t interruptible) __asm("_assert_wait");
wait_result_t assert_wait_timeout(event_t event, wait_interrupt_t interruptible, uint32_t interval,
                                  uint32_t scale_factor)
    __asm("_assert_wait_timeout");
wait_result_t assert_wait_deadline(event_t event, wait_interrupt_t interruptible, uint64_t deadline)
    __asm("_assert_wait_deadline");
wait_result_t thread_block(thread_continue_t continuation) __asm("_thread_block");
wait_result_t thread_block_parameter(thread_continue_t continuation, void *parameter)
    __asm("_thread_block_parameter");
kern_return_t thread_wakeup_prim(event_t event, boolean_t one_thread, wait_result_t result)
    __asm("_thread_wakeup_prim");
#define thread_wakeup(event) thread_wakeup_prim((event), 0, THREAD_AWAKENED)
#define thread_wakeup_one(event) thread_wakeup_prim((event), 1, THREAD_AWAKENED)

/* A thread call runs its function on a kernel thread, with no lock. Entering returns true when it
 * was already queued; cancelling returns true only when it still was, and does not wait. */
thread_call_t thread_call_allocate(thread_call_func_t func, void *param0)
    __asm("_thread_call_allocate");
boolean_t thread_call_free(thread_call_t call) __asm("_thread_call_free");
boolean_t thread_call_enter(thread_call_t call) __asm("_thread_call_enter");
boolean_t thread_call_enter1(thread_call_t call, void *param1) __asm("_thread_call_enter1");
boolean_t thread_call_enter_delayed(thread_call_t call, uint64_t deadline)
    __asm("_thread_call_enter_delayed");
boolean_t thread_call_enter1_delayed(thread_call_t call, void *param1, uint64_t deadline)
    __asm("_thread_call_enter1_delayed");
boolean_t thread_call_cancel(thread_call_t call) __asm("_thread_call_cancel");

/* Counting semaphores. */
kern_return_t semaphore_create(task_t task, semaphore_t *semaphore, int policy, int value)
    __asm("_semaphore_create");
kern_return_t semaphore_destroy(task_t task, semaphore_t semaphore) __asm("_semaphore_destroy");
kern_return_t semaphore_signal(semaphore_t semaphore) __asm("_semaphore_signal");
kern_return_t semaphore_signal_all(semaphore_t semaphore) __asm("_semaphore_signal_all");
kern_return_t semaphore_wait(semaphore_t semaphore) __asm("_semaphore_wait");
kern_return_t semaphore_wait_deadline(semaphore_t semaphore, uint64_t deadline)
    __asm("_semaphore_wait_deadline"); /* since 10.6 */
