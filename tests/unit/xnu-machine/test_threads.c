/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads, sleeping and waking, mutexes, spin locks, interrupts: the same tests on real threads and
 * on fibres with many seeds.
 */
#include "tests/unit/xnu-machine/machine_test.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#define MS UINT64_C(1000000)

/* ---- a ring between two threads: nothing may be lost ---------------------------------------- */

struct channel {
    struct machine_mutex *mutex;
    unsigned items, taken, closed;
};

static void producer(void *argument) {
    struct channel *channel = argument;
    for (unsigned i = 0; i < 500; i++) {
        machine_mutex_lock(channel->mutex);
        channel->items++;
        machine_wakeup(&channel->items, true);
        machine_mutex_unlock(channel->mutex);
    }
}

static void consumer(void *argument) {
    struct channel *channel = argument;
    machine_mutex_lock(channel->mutex);
    for (;;) {
        while (channel->items == 0 && !channel->closed) {
            CHECK(machine_sleep(channel->mutex, &channel->items, MACHINE_NEVER, false) ==
                  MACHINE_AWAKENED);
            CHECK(machine_mutex_owner(channel->mutex) == machine_thread_self());
        }
        if (channel->items == 0) {
            break;
        }
        channel->items--;
        channel->taken++;
    }
    machine_mutex_unlock(channel->mutex);
}

static void no_wake_up_is_lost_body(void *argument) {
    struct channel channel = {machine_mutex_create("channel"), 0, 0, 0};
    struct machine_thread *threads[6];
    for (unsigned i = 0; i < 6; i++) {
        threads[i] = machine_thread_start(i < 3 ? "producer" : "consumer",
                                          i < 3 ? producer : consumer, &channel);
        CHECK(threads[i] != NULL);
    }
    for (unsigned i = 0; i < 3; i++) {
        machine_thread_join(threads[i]);
    }
    machine_mutex_lock(channel.mutex);
    channel.closed = 1;
    machine_wakeup(&channel.items, false);
    machine_mutex_unlock(channel.mutex);
    for (unsigned i = 3; i < 6; i++) {
        machine_thread_join(threads[i]);
    }
    CHECK(channel.taken == 1500);
    for (unsigned i = 0; i < 6; i++) {
        machine_thread_release(threads[i]);
    }
    machine_mutex_destroy(channel.mutex);
}

static void no_wake_up_is_lost_between_many_threads(void **state) {
    run_both(no_wake_up_is_lost_body, NULL);
}

/* ---- assert_wait without any lock ----------------------------------------------------------- */

static atomic_uint ping, pong;

static void responder(void *argument) {
    for (unsigned i = 1; i <= 300; i++) {
        for (;;) {
            machine_wait_prepare(&ping, MACHINE_NEVER, false);
            if (atomic_load(&ping) >= i) {
                machine_wait_cancel();
                break;
            }
            machine_wait_block();
        }
        atomic_store(&pong, i);
        machine_wakeup(&pong, false);
    }
}

static void prepared_wait_body(void *argument) {
    atomic_store(&ping, 0);
    atomic_store(&pong, 0);
    struct machine_thread *thread = machine_thread_start("responder", responder, NULL);
    for (unsigned i = 1; i <= 300; i++) {
        atomic_store(&ping, i);
        machine_wakeup(&ping, true);
        for (;;) {
            machine_wait_prepare(&pong, MACHINE_NEVER, false);
            if (atomic_load(&pong) >= i) {
                machine_wait_cancel();
                break;
            }
            machine_wait_block();
        }
    }
    machine_thread_join(thread);
    machine_thread_release(thread);
}

static void wake_up_between_prepare_and_block_is_remembered(void **state) {
    run_both(prepared_wait_body, NULL);
}

/* ---- time ----------------------------------------------------------------------------------- */

static void deadline_body(void *argument) {
    uint64_t before = machine_uptime();
    struct machine_mutex *mutex = machine_mutex_create("deadline");
    machine_mutex_lock(mutex);
    CHECK(machine_sleep(mutex, mutex, before + 3 * MS, false) == MACHINE_TIMED_OUT);
    CHECK(machine_mutex_owner(mutex) == machine_thread_self());
    CHECK(machine_uptime() >= before + 3 * MS);
    CHECK(machine_sleep(mutex, mutex, 0, false) == MACHINE_TIMED_OUT);
    machine_mutex_unlock(mutex);
    machine_mutex_destroy(mutex);
    before = machine_uptime();
    machine_spin_delay(50000);
    CHECK(machine_uptime() >= before + 50000);
}

static void sleeps_end_at_their_deadline(void **state) {
    run_both(deadline_body, NULL);
}

static unsigned order[3];
static atomic_uint order_count;

static void sleeper(void *argument) {
    unsigned number = (unsigned)(uintptr_t)argument;
    machine_sleep(NULL, &order[number], machine_uptime() + (3 - number) * 1000000000000, false);
    order[atomic_fetch_add(&order_count, 1)] = number;
}

static void virtual_time_body(void *argument) {
    struct machine_thread *threads[3];
    atomic_store(&order_count, 0);
    uint64_t before = machine_uptime();
    for (uintptr_t i = 0; i < 3; i++) {
        threads[i] = machine_thread_start("sleeper", sleeper, (void *)i);
    }
    for (unsigned i = 0; i < 3; i++) {
        machine_thread_join(threads[i]);
        machine_thread_release(threads[i]);
    }
    CHECK(order[0] == 2 && order[1] == 1 && order[2] == 0);
    uint64_t passed = machine_uptime() - before;
    CHECK(passed >= 3000000000000 && passed < 3000100000000);
}

static void virtual_time_jumps_over_hours_in_order(void **state) {
    run_fibres(virtual_time_body, NULL, 20);
}

static void calendar_body(void *argument) {
    uint64_t seconds, again;
    uint32_t nanoseconds;
    machine_calendar_time(&seconds, &nanoseconds);
    CHECK(seconds > 1500000000 && nanoseconds < 1000000000);
    machine_set_calendar_time(1000000000, 500000000);
    machine_calendar_time(&again, &nanoseconds);
    CHECK(again == 1000000000 && nanoseconds >= 500000000);
}

static void wall_clock_can_be_set_without_moving_uptime(void **state) {
    run_both(calendar_body, NULL);
}

/* ---- interruption --------------------------------------------------------------------------- */

static void interruptible_sleeper(void *argument) {
    enum machine_wait_result *result = argument;
    *result = machine_sleep(NULL, result, MACHINE_NEVER, true);
}

static void interrupt_body(void *argument) {
    enum machine_wait_result result = MACHINE_AWAKENED;
    struct machine_thread *thread =
        machine_thread_start("sleeper", interruptible_sleeper, &result);
    machine_interrupt_thread(thread); /* before or during its sleep: both must work */
    machine_thread_join(thread);
    CHECK(result == MACHINE_INTERRUPTED);
    machine_thread_release(thread);
}

static void interruption_is_not_lost_before_or_during_a_sleep(void **state) {
    for (unsigned i = 0; i < 20; i++) {
        run_real(interrupt_body, NULL);
    }
    run_fibres(interrupt_body, NULL, 50);
}

/* ---- mutexes -------------------------------------------------------------------------------- */

struct counter {
    struct machine_mutex *mutex;
    struct machine_spin_lock spin;
    uint64_t value, spun;
};

static void count_up(void *argument) {
    struct counter *counter = argument;
    for (unsigned i = 0; i < 500; i++) {
        machine_mutex_lock(counter->mutex);
        uint64_t value = counter->value;
        if (i % 16 == 0) {
            machine_yield();
        }
        counter->value = value + 1;
        machine_mutex_unlock(counter->mutex);
        bool enabled = machine_spin_lock_disable_interrupts(&counter->spin);
        CHECK(!machine_interrupts_enabled() && !machine_preemption_enabled());
        counter->spun++;
        machine_spin_unlock_restore_interrupts(&counter->spin, enabled);
        CHECK(machine_interrupts_enabled() && machine_preemption_enabled());
    }
}

static void exclusion_body(void *argument) {
    struct counter counter = {.mutex = machine_mutex_create("counter")};
    struct machine_thread *threads[4];
    for (unsigned i = 0; i < 4; i++) {
        threads[i] = machine_thread_start("counter", count_up, &counter);
    }
    for (unsigned i = 0; i < 4; i++) {
        machine_thread_join(threads[i]);
        machine_thread_release(threads[i]);
    }
    CHECK(counter.value == 2000);
    CHECK(counter.spun == 2000);
    CHECK(machine_mutex_try(counter.mutex));
    CHECK(!machine_mutex_try(counter.mutex));
    machine_mutex_unlock(counter.mutex);
    machine_mutex_destroy(counter.mutex);
}

static void locks_exclude(void **state) {
    run_both(exclusion_body, NULL);
}

/* ---- interrupts ----------------------------------------------------------------------------- */

static atomic_uint interrupts_seen[2];
static struct machine_spin_lock shared_lock;
static uint64_t shared_value;

static void on_interrupt(void *context, unsigned vector) {
    CHECK(machine_at_interrupt_context() && !machine_interrupts_enabled());
    CHECK(vector == 0x50 + machine_processor_number());
    machine_spin_lock(&shared_lock);
    shared_value++;
    machine_spin_unlock(&shared_lock);
    atomic_fetch_add(&interrupts_seen[machine_processor_number()], 1);
    machine_wakeup(&interrupts_seen[machine_processor_number()], false);
}

static void interrupts_body(void *argument) {
    shared_value = 0;
    machine_interrupt_set_entry(on_interrupt, NULL);
    for (unsigned cpu = 0; cpu < 2; cpu++) {
        atomic_store(&interrupts_seen[cpu], 0);
        for (unsigned i = 1; i <= 50; i++) {
            machine_interrupt_raise(cpu, 0x50 + cpu);
            bool enabled = machine_spin_lock_disable_interrupts(&shared_lock);
            shared_value++;
            machine_spin_unlock_restore_interrupts(&shared_lock, enabled);
            for (;;) {
                machine_wait_prepare(&interrupts_seen[cpu], MACHINE_NEVER, false);
                if (atomic_load(&interrupts_seen[cpu]) == i) {
                    machine_wait_cancel();
                    break;
                }
                machine_wait_block();
            }
        }
    }
    CHECK(shared_value == 200);
    machine_interrupt_raise(7, 0x50); /* no such processor: ignored */
    machine_interrupt_raise(0, 5);    /* no such vector: ignored */
}

static void each_raised_vector_reaches_its_processor(void **state) {
    run_both(interrupts_body, NULL);
}

static void masked_body(void *argument) {
    machine_interrupt_set_entry(on_interrupt, NULL);
    atomic_store(&interrupts_seen[0], 0);
    CHECK(machine_interrupts_set_enabled(false));
    CHECK(!machine_interrupts_set_enabled(false));
    machine_interrupt_raise(0, 0x50);
    for (unsigned i = 0; i < 200; i++) {
        machine_spin_delay(10000);
        CHECK(atomic_load(&interrupts_seen[0]) == 0);
    }
    machine_interrupts_set_enabled(true);
    machine_wait_prepare(&interrupts_seen[0], MACHINE_NEVER, false);
    if (atomic_load(&interrupts_seen[0]) != 0) {
        machine_wait_cancel();
    } else {
        machine_wait_block();
    }
    CHECK(atomic_load(&interrupts_seen[0]) == 1);
}

static void interrupts_wait_while_they_are_off(void **state) {
    run_both(masked_body, NULL);
}

/* ---- who polls for an interrupt does what it leaves ------------------------------------------ */

enum { LEFT = 6 };

static atomic_bool vector_waits;
static unsigned left_taken, left_done;

static bool left_pending(void *partition, unsigned processor) {
    return processor == 0 && atomic_load(&vector_waits);
}

static void left_take(void *partition, unsigned processor,
                      uint64_t words[PARTITION_VECTOR_WORDS]) {
    if (processor == 0 && atomic_exchange(&vector_waits, false)) {
        words[0x50 / 64] |= UINT64_C(1) << 0x50 % 64;
    }
}

static int watchers;
static bool comes_last; /* when nobody watches any more, without an event */

static void left_watch(void *partition, unsigned processor, bool on) {
    CHECK(processor == 0);
    watchers += on ? 1 : -1;
    if (!on && comes_last) {
        atomic_store(&vector_waits, true);
    }
}

static void left_work(void *context) {
    CHECK(!machine_at_interrupt_context() && machine_interrupts_enabled());
    CHECK(machine_thread_self() == context);
    left_done++;
}

static void on_polled(void *context, unsigned vector) {
    CHECK(machine_at_interrupt_context() && left_done == 0);
    CHECK(watchers == 0); /* others that come now find the interrupt thread */
    for (unsigned i = 0; i < LEFT; i++) {
        left_taken += machine_leave_to_poller(left_work, machine_thread_self());
    }
}

static void attach_polled_partition(void) {
    static const struct partition_operations operations = {.vectors_pending = left_pending,
                                                           .take_vectors = left_take,
                                                           .watch_vectors = left_watch};
    machine_partition_attach(&operations, NULL);
    machine_interrupt_set_entry(on_polled, NULL);
}

static void poller_body(void *argument) {
    attach_polled_partition();
    CHECK(!machine_leave_to_poller(left_work, NULL)); /* nobody polls */
    CHECK(!machine_poll_interrupts(1000));
    for (unsigned round = 0; round < 3; round++) {
        left_taken = left_done = 0;
        atomic_store(&vector_waits, true);
        /* A poll is cut short when the host's processor is wanted by others. */
        while (!machine_poll_interrupts(100000)) {
            machine_spin_delay(1000);
        }
        CHECK(left_taken > 0 && left_taken < LEFT); /* there is room for a few */
        CHECK(left_done == left_taken);
    }
    CHECK(!machine_leave_to_poller(left_work, NULL));
    comes_last = true;
    left_done = 0;
    CHECK(machine_poll_interrupts(1000) && left_done != 0);
    comes_last = false;
    CHECK(watchers == 0 && !machine_poll_interrupts(1000));
}

static void what_an_interrupt_leaves_is_done_by_who_polled_for_it(void **state) {
    run_real(poller_body, NULL);
}

static void looker_body(void *argument) {
    attach_polled_partition();
    unsigned vain = 0;
    for (unsigned round = 0; round < 2; round++) {
        CHECK(machine_look_around(&vain, 2) && vain == 1);
        CHECK(machine_look_around(&vain, 2) && vain == 2);
        CHECK(!machine_look_around(&vain, 2) && vain == 0);
    }
    CHECK(!machine_look_around(&vain, 0) && vain == 0);
    /* An interrupt is as good as what the caller waits for. */
    left_taken = left_done = 0;
    CHECK(machine_look_around(&vain, 2) && vain == 1);
    atomic_store(&vector_waits, true);
    CHECK(machine_look_around(&vain, 2) && vain == 0);
    CHECK(left_done == left_taken && left_done != 0 && watchers == 0);
}

static void a_look_around_sees_interrupts_and_ends_after_some_in_vain(void **state) {
    run_real(looker_body, NULL);
}

static void raise_flag(void *argument) {
    atomic_store((atomic_bool *)argument, true);
}

/* With fibres nothing else would let the other thread run. */
static void look_for_flag_body(void *argument) {
    atomic_bool flag = false;
    struct machine_thread *thread = machine_thread_start("other", raise_flag, &flag);
    unsigned vain = 0;
    CHECK(thread != NULL);
    while (!atomic_load(&flag)) {
        CHECK(machine_look_around(&vain, UINT_MAX));
    }
    machine_thread_join(thread);
    machine_thread_release(thread);
}

static void a_look_around_lets_others_run(void **state) {
    run_both(look_for_flag_body, NULL);
}

static atomic_uint visited, together;

static void visit(void *argument) {
    CHECK(!machine_interrupts_enabled());
    atomic_fetch_or(&visited, 1u << machine_processor_number());
    atomic_fetch_add(&together, 1);
}

static void rendezvous_body(void *argument) {
    /* Many in a row: nobody may be left behind in an earlier one. */
    for (unsigned i = 0; i < 2000; i++) {
        atomic_store(&visited, 0);
        atomic_store(&together, 0);
        machine_rendezvous(visit, NULL);
        CHECK(atomic_load(&visited) == 3);
        CHECK(atomic_load(&together) == 2);
        CHECK(machine_interrupts_enabled());
    }
}

static void rendezvous_visits_every_processor_once(void **state) {
    run_both(rendezvous_body, NULL);
}

/* ---- the policy of a server's thread --------------------------------------------------------- */

static void patient_body(void *argument) {
    const int *expected = argument, before = sched_getscheduler(0);
    machine_thread_let_clients_finish(false);
    CHECK(sched_getscheduler(0) == before);
    machine_thread_let_clients_finish(true);
    CHECK(sched_getscheduler(0) == *expected);
    machine_thread_let_clients_finish(true); /* twice is the same as once */
    CHECK(sched_getscheduler(0) == *expected);
    machine_thread_let_clients_finish(false);
    CHECK(sched_getscheduler(0) == before);
}

static void a_server_lets_its_clients_finish_on_threads_of_its_own_only(void **state) {
    const int before = sched_getscheduler(0);
    int expected = before == SCHED_OTHER ? SCHED_BATCH : before;
    run_real(patient_body, &expected);
    assert_int_equal(sched_getscheduler(0), before);
    expected = before; /* with fibres the thread is everybody's */
    run_fibres(patient_body, &expected, 1);
}

/* ---- work that is left to the end of a burst ------------------------------------------------ */

static unsigned burst_work_done;

static void burst_work(void *context) {
    burst_work_done += *(unsigned *)context;
}

/* The end of a burst is outside of it. */
static void burst_work_again(void *context) {
    CHECK(!machine_leave_to_burst_end(burst_work, context));
    burst_work_done++;
}

static void burst_body(void *argument) {
    unsigned one = 1, ten = 10, room = 0;
    burst_work_done = 0;
    CHECK(!machine_leave_to_burst_end(burst_work, &one));
    machine_burst_begin();
    CHECK(machine_leave_to_burst_end(burst_work, &one));
    machine_burst_begin();
    CHECK(machine_leave_to_burst_end(burst_work, &ten));
    machine_burst_end();
    CHECK(burst_work_done == 0); /* the outermost counts */
    machine_burst_end();
    CHECK(burst_work_done == 11);
    CHECK(!machine_leave_to_burst_end(burst_work, &one));
    machine_burst_begin();
    machine_burst_end();
    CHECK(burst_work_done == 11); /* once only */
    machine_burst_begin();
    while (machine_leave_to_burst_end(burst_work_again, &one)) {
        room++;
    }
    CHECK(room != 0);
    machine_burst_end();
    CHECK(burst_work_done == 11 + room);
}

static void what_is_left_to_a_burst_is_done_once_at_its_end(void **state) {
    run_both(burst_body, NULL);
}

/* ---- descriptors ---------------------------------------------------------------------------- */

static void writer(void *argument) {
    int *pipe_ends = argument;
    machine_sleep(NULL, argument, machine_uptime() + MS, false);
    CHECK(write(pipe_ends[1], "x", 1) == 1);
}

static void poll_body(void *argument) {
    int pipe_ends[2];
    CHECK(pipe(pipe_ends) == 0);
    CHECK(machine_poll(pipe_ends[0], false, machine_uptime() + MS, false) == 0);
    CHECK(machine_poll(pipe_ends[1], true, MACHINE_NEVER, false) == 1);
    struct machine_thread *thread = machine_thread_start("writer", writer, pipe_ends);
    CHECK(machine_poll(pipe_ends[0], false, MACHINE_NEVER, false) == 1);
    machine_thread_join(thread);
    machine_thread_release(thread);
    machine_interrupt_thread(machine_thread_self());
    char byte;
    CHECK(read(pipe_ends[0], &byte, 1) == 1);
    CHECK(machine_poll(pipe_ends[0], false, MACHINE_NEVER, true) == -EINTR);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static void threads_wait_for_descriptors(void **state) {
    run_both(poll_body, NULL);
}

/* The event that ends a thread's poll is made when it polls first: here somebody interrupts the
 * thread just before. */
static struct machine_thread *interrupted_early;

int __real_eventfd(unsigned count, int flags);
int __wrap_eventfd(unsigned count, int flags);

int __wrap_eventfd(unsigned count, int flags) {
    struct machine_thread *thread = interrupted_early;
    interrupted_early = NULL;
    if (thread != NULL) {
        machine_interrupt_thread(thread);
    }
    return __real_eventfd(count, flags);
}

static void early_interrupt_body(void *argument) {
    int pipe_ends[2];
    CHECK(pipe(pipe_ends) == 0);
    interrupted_early = machine_thread_self();
    CHECK(machine_poll(pipe_ends[0], false, machine_uptime() + 60000 * MS, true) == -EINTR);
    CHECK(interrupted_early == NULL);
    CHECK(machine_poll(pipe_ends[0], false, machine_uptime() + MS, true) == 0);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static void interruption_is_not_lost_before_the_first_poll(void **state) {
    run_real(early_interrupt_body, NULL);
}

/* ---- life and death ------------------------------------------------------------------------- */

static atomic_uint ended_count;

static void on_exit_hook(struct machine_thread *thread, void *slot) {
    CHECK(thread == machine_thread_self());
    if (slot != NULL) {
        atomic_fetch_add((atomic_uint *)slot, 1);
    }
}

static void short_lived(void *argument) {
    int local;
    machine_thread_set_slot(machine_thread_self(), argument);
    CHECK(machine_is_ram(machine_physical_address(&local), sizeof local));
    if (machine_thread_number(machine_thread_self()) % 2 == 0) {
        machine_thread_exit();
    }
}

static void many_threads_body(void *argument) {
    atomic_store(&ended_count, 0);
    machine_thread_set_exit_hook(on_exit_hook);
    struct machine_memory_statistics before, after;
    machine_memory_statistics(&before);
    for (unsigned i = 0; i < 300; i++) {
        struct machine_thread *thread =
            machine_thread_start("short lived", short_lived, &ended_count);
        CHECK(thread != NULL);
        machine_thread_join(thread);
        machine_thread_release(thread);
    }
    CHECK(atomic_load(&ended_count) == 300);
    machine_memory_statistics(&after);
    CHECK(after.pages_used < before.pages_used + 400); /* stacks are used again */
}

static void threads_end_and_their_stacks_are_used_again(void **state) {
    run_both(many_threads_body, NULL);
}

static void no_memory_body(void *argument) {
    machine_allocation_fail_at(1, true);
    CHECK(machine_thread_start("none", short_lived, NULL) == NULL);
    machine_allocation_fail_at(0, false);
    struct machine_thread *thread = machine_thread_start("one", short_lived, NULL);
    CHECK(thread != NULL);
    machine_thread_join(thread);
    machine_thread_release(thread);
}

static void thread_start_reports_lack_of_memory(void **state) {
    run_both(no_memory_body, NULL);
}

static void sleep_for_ever(void *argument) {
    static int event;
    machine_sleep(NULL, &event, MACHINE_NEVER, false);
    CHECK(!"woken");
}

static void leave_sleepers_body(void *argument) {
    for (unsigned i = 0; i < 4; i++) {
        machine_thread_release(machine_thread_start("for ever", sleep_for_ever, NULL));
    }
    struct machine_mutex *mutex = machine_mutex_create("never destroyed");
    machine_mutex_lock(mutex);
}

static void stop_ends_threads_that_sleep(void **state) {
    run_both(leave_sleepers_body, NULL);
}

static void leave_ending_body(void *argument) {
    for (unsigned i = 0; i < 4; i++) {
        machine_thread_release(machine_thread_start("short", short_lived, NULL));
    }
}

/* A thread that has ended still wakes who waits for its end, and uses the machine for it. */
static void stop_waits_for_the_last_instructions_of_threads(void **state) {
    for (unsigned i = 0; i < 300; i++) {
        run_real(leave_ending_body, NULL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_wake_up_is_lost_between_many_threads),
        cmocka_unit_test(wake_up_between_prepare_and_block_is_remembered),
        cmocka_unit_test(sleeps_end_at_their_deadline),
        cmocka_unit_test(virtual_time_jumps_over_hours_in_order),
        cmocka_unit_test(wall_clock_can_be_set_without_moving_uptime),
        cmocka_unit_test(interruption_is_not_lost_before_or_during_a_sleep),
        cmocka_unit_test(locks_exclude),
        cmocka_unit_test(each_raised_vector_reaches_its_processor),
        cmocka_unit_test(interrupts_wait_while_they_are_off),
        cmocka_unit_test(what_an_interrupt_leaves_is_done_by_who_polled_for_it),
        cmocka_unit_test(a_look_around_sees_interrupts_and_ends_after_some_in_vain),
        cmocka_unit_test(a_look_around_lets_others_run),
        cmocka_unit_test(a_server_lets_its_clients_finish_on_threads_of_its_own_only),
        cmocka_unit_test(what_is_left_to_a_burst_is_done_once_at_its_end),
        cmocka_unit_test(rendezvous_visits_every_processor_once),
        cmocka_unit_test(threads_wait_for_descriptors),
        cmocka_unit_test(interruption_is_not_lost_before_the_first_poll),
        cmocka_unit_test(threads_end_and_their_stacks_are_used_again),
        cmocka_unit_test(thread_start_reports_lack_of_memory),
        cmocka_unit_test(stop_ends_threads_that_sleep),
        cmocka_unit_test(stop_waits_for_the_last_instructions_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
