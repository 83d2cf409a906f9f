/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads, waiting on events, thread calls, time, processors. */
#include "tests/unit/xnu-runtime/runtime_test.h"

#include "abi/constants.h"
#include "abi/kpi/iolib.h"
#include "abi/kpi/machine.h"
#include "abi/kpi/threads.h"
#include "abi/kpi/time.h"

static unsigned runs;
static void *last_parameter;
static char event;

/* ---- threads -------------------------------------------------------------------------------- */

static void second_part(void *parameter, wait_result_t result)
{
    CHECK(result == THREAD_AWAKENED);
    last_parameter = parameter;
    runs = 2;
}

static void first_part(void *parameter, wait_result_t result)
{
    CHECK(result == THREAD_AWAKENED && parameter == &runs);
    runs = 1;
    assert_wait(&event, THREAD_UNINT);
    thread_block_parameter(second_part, &event);
    CHECK(!"a continuation does not come back");
}

static void a_continuation_takes_over_the_thread_body(void *argument)
{
    thread_t thread;

    CHECK(kernel_thread_start(first_part, &runs, &thread) == KERN_SUCCESS);
    while (runs == 0)
        sleep_ms(1);
    while (thread_wakeup(&event) != KERN_SUCCESS)
        sleep_ms(1);
    machine_thread_join((struct machine_thread *)thread);
    CHECK(runs == 2 && last_parameter == &event);
    thread_deallocate(thread);
}

static void a_continuation_takes_over_the_thread(void **state)
{
    run_runtime(a_continuation_takes_over_the_thread_body);
    run_runtime_real(a_continuation_takes_over_the_thread_body);
}

static void a_wakeup_between_assert_and_block_is_not_lost_body(void *argument)
{
    assert_wait(&event, THREAD_UNINT);
    thread_wakeup(&event);
    CHECK(thread_block(THREAD_CONTINUE_NULL) == THREAD_AWAKENED);
    assert_wait_timeout(&event, THREAD_UNINT, 5, kMillisecondScale);
    CHECK(thread_block(THREAD_CONTINUE_NULL) == THREAD_TIMED_OUT);
    CHECK(thread_wakeup(&event) != KERN_SUCCESS);
}

static void a_wakeup_between_assert_and_block_is_not_lost(void **state)
{
    run_runtime(a_wakeup_between_assert_and_block_is_not_lost_body);
}

/* ---- thread calls --------------------------------------------------------------------------- */

static void call_function(void *parameter0, void *parameter1)
{
    CHECK(parameter0 == &event);
    last_parameter = parameter1;
    __atomic_fetch_add(&runs, 1, __ATOMIC_RELAXED);
    machine_wakeup(&runs, false);
}

static void wait_for_runs(unsigned wanted)
{
    while (__atomic_load_n(&runs, __ATOMIC_RELAXED) < wanted)
        machine_sleep(NULL, &runs, machine_uptime() + MS, false);
}

static void a_call_is_queued_once_with_the_last_parameter_body(void *argument)
{
    thread_call_t call = thread_call_allocate(call_function, &event);
    uint64_t soon = machine_uptime() + 20 * MS;

    CHECK(!thread_call_enter1_delayed(call, (void *)1, soon));
    CHECK(thread_call_enter1_delayed(call, (void *)2, soon));
    wait_for_runs(1);
    sleep_ms(50);
    CHECK(runs == 1 && last_parameter == (void *)2);
    CHECK(!thread_call_enter(call));
    wait_for_runs(2);
    CHECK(last_parameter == NULL);
    while (!thread_call_free(call))
        sleep_ms(1);
}

static void a_call_is_queued_once_with_the_last_parameter(void **state)
{
    run_runtime(a_call_is_queued_once_with_the_last_parameter_body);
    run_runtime_real(a_call_is_queued_once_with_the_last_parameter_body);
}

static void cancel_says_whether_it_was_still_queued_body(void *argument)
{
    thread_call_t call = thread_call_allocate(call_function, &event);

    CHECK(!thread_call_cancel(call));
    thread_call_enter_delayed(call, machine_uptime() + 10 * MS);
    CHECK(!thread_call_free(call));
    CHECK(thread_call_cancel(call));
    CHECK(!thread_call_cancel(call));
    sleep_ms(30);
    CHECK(runs == 0);
    CHECK(thread_call_free(call));
}

static void cancel_says_whether_it_was_still_queued(void **state)
{
    run_runtime(cancel_says_whether_it_was_still_queued_body);
}

static unsigned inside, most_inside;

static void slow_function(void *parameter0, void *parameter1)
{
    unsigned now = __atomic_add_fetch(&inside, 1, __ATOMIC_RELAXED);

    if (now > most_inside)
        most_inside = now;
    sleep_ms(20);
    __atomic_fetch_sub(&inside, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&runs, 1, __ATOMIC_RELAXED);
}

static void a_running_call_may_be_entered_again_and_run_twice_body(void *argument)
{
    thread_call_t call = thread_call_allocate(slow_function, NULL);

    CHECK(!thread_call_enter(call));
    while (__atomic_load_n(&inside, __ATOMIC_RELAXED) == 0)
        sleep_ms(1);
    CHECK(!thread_call_enter(call));     /* it is running, not queued */
    wait_for_runs(2);
    CHECK(most_inside == 2);
    while (!thread_call_free(call))
        sleep_ms(1);
}

static void a_running_call_may_be_entered_again_and_run_twice(void **state)
{
    run_runtime(a_running_call_may_be_entered_again_and_run_twice_body);
}

static void many_calls_get_many_threads_body(void *argument)
{
    enum { CALLS = 16 };
    thread_call_t calls[CALLS];

    for (int i = 0; i < CALLS; i++) {
        calls[i] = thread_call_allocate(slow_function, NULL);
        thread_call_enter(calls[i]);
    }
    wait_for_runs(CALLS);
    CHECK(most_inside == CALLS); /* a call that waits for another must not stop the others */
    for (int i = 0; i < CALLS; i++)
        thread_call_free(calls[i]);
}

static void many_calls_get_many_threads(void **state)
{
    run_runtime(many_calls_get_many_threads_body);
}

static unsigned order[3], order_count;

static void note_order(void *parameter0, void *parameter1)
{
    order[order_count++] = (unsigned)(uintptr_t)parameter0;
}

static void delayed_calls_run_in_the_order_of_their_deadlines_body(void *argument)
{
    static const unsigned delays[3] = { 30, 10, 20 };
    uint64_t now = machine_uptime();

    for (unsigned i = 0; i < 3; i++)
        thread_call_enter_delayed(thread_call_allocate(note_order, (void *)(uintptr_t)delays[i]),
                                  now + delays[i] * MS);
    sleep_ms(60);
    CHECK(order_count == 3 && order[0] == 10 && order[1] == 20 && order[2] == 30);
}

static void delayed_calls_run_in_the_order_of_their_deadlines(void **state)
{
    run_runtime(delayed_calls_run_in_the_order_of_their_deadlines_body);
}

/* ---- time and processors --------------------------------------------------------------------- */

static void time_goes_on_body(void *argument)
{
    uint64_t deadline, interval, now = mach_absolute_time();
    clock_sec_t seconds;
    clock_nsec_t nanoseconds;

    clock_interval_to_deadline(7, kMillisecondScale, &deadline);
    CHECK(deadline >= now + 7 * MS && deadline < now + 1000 * MS);
    clock_interval_to_absolutetime_interval(3, kSecondScale, &interval);
    CHECK(interval == 3000 * MS);
    IOSleep(10);
    CHECK(mach_absolute_time() >= now + 10 * MS);
    now = mach_absolute_time();
    IODelay(5);
    CHECK(mach_absolute_time() >= now + 5000);
    now = mach_absolute_time();
    IODelay(2000);
    CHECK(mach_absolute_time() >= now + 2 * MS);
    clock_get_calendar_nanotime(&seconds, &nanoseconds);
    CHECK(seconds > 1500000000 && nanoseconds < 1000000000);
}

static void time_goes_on(void **state)
{
    run_runtime(time_goes_on_body);
    run_runtime_real(time_goes_on_body);
}

static unsigned processors_seen;

static void on_each(void *argument)
{
    CHECK(argument == &event);
    CHECK(!ml_get_interrupts_enabled());
    __atomic_fetch_or(&processors_seen, 1u << cpu_number(), __ATOMIC_RELAXED);
    __atomic_fetch_add(&runs, 1, __ATOMIC_RELAXED);
}

static void a_rendezvous_runs_once_on_every_processor_body(void *argument)
{
    CHECK(real_ncpus == 2);
    mp_rendezvous_no_intrs(on_each, &event);
    CHECK(runs == 2 && processors_seen == 3);
    mp_rendezvous(NULL, on_each, on_each, &event);
    CHECK(runs == 6);
    CHECK(ml_set_interrupts_enabled(false) == true);
    CHECK(ml_set_interrupts_enabled(true) == false);
    CHECK(preemption_enabled());
}

static void a_rendezvous_runs_once_on_every_processor(void **state)
{
    run_runtime(a_rendezvous_runs_once_on_every_processor_body);
    run_runtime_real(a_rendezvous_runs_once_on_every_processor_body);
}

static semaphore_t semaphore;

static void signal_twice(void *argument)
{
    semaphore_signal(semaphore);
    semaphore_signal(semaphore);
}

static void semaphores_count_body(void *argument)
{
    CHECK(semaphore_create(NULL, &semaphore, 0, 1) == KERN_SUCCESS);
    CHECK(semaphore_wait(semaphore) == KERN_SUCCESS);
    CHECK(semaphore_wait_deadline(semaphore, machine_uptime() + MS) == KERN_OPERATION_TIMED_OUT);
    struct machine_thread *thread = start_thread(signal_twice, NULL);
    CHECK(semaphore_wait(semaphore) == KERN_SUCCESS);
    CHECK(semaphore_wait(semaphore) == KERN_SUCCESS);
    join_thread(thread);
    CHECK(semaphore_destroy(NULL, semaphore) == KERN_SUCCESS);
}

static void semaphores_count(void **state)
{
    run_runtime(semaphores_count_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_continuation_takes_over_the_thread),
        cmocka_unit_test(a_wakeup_between_assert_and_block_is_not_lost),
        cmocka_unit_test(a_call_is_queued_once_with_the_last_parameter),
        cmocka_unit_test(cancel_says_whether_it_was_still_queued),
        cmocka_unit_test(a_running_call_may_be_entered_again_and_run_twice),
        cmocka_unit_test(many_calls_get_many_threads),
        cmocka_unit_test(delayed_calls_run_in_the_order_of_their_deadlines),
        cmocka_unit_test(time_goes_on),
        cmocka_unit_test(a_rendezvous_runs_once_on_every_processor),
        cmocka_unit_test(semaphores_count),
    };
    return cmocka_run_group_tests_name("threads and time", tests, NULL, NULL);
}
