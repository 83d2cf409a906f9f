/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fibre scheduler: same seed, same run; other seed, other run; a lost wake-up is found and
 * reported; misuse of locks panics with the reason on both engines.
 */
#include "tests/unit/xnu-machine/machine_test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- recorded runs -------------------------------------------------------------------------- */

static char record[4000];
static size_t recorded;

static void scribble(void *argument) {
    static struct machine_spin_lock lock;
    for (unsigned i = 0; i < 100; i++) {
        machine_spin_lock(&lock);
        record[recorded++] = *(const char *)argument;
        machine_spin_unlock(&lock);
        if (machine_random() % 8 == 0) {
            machine_sleep(NULL, &lock, machine_uptime() + machine_random() % 10000, false);
        }
    }
}

static void scribblers(void *argument) {
    static const char names[] = "abcd";
    struct machine_thread *threads[4];
    recorded = 0;
    memset(record, 0, sizeof record);
    for (unsigned i = 0; i < 4; i++) {
        threads[i] = machine_thread_start("scribbler", scribble, (void *)(uintptr_t)&names[i]);
    }
    for (unsigned i = 0; i < 4; i++) {
        machine_thread_join(threads[i]);
        machine_thread_release(threads[i]);
    }
}

static void run_seed(uint64_t seed) {
    struct machine_configuration configuration = {
        .memory_bytes = 16u << 20, .processors = 3, .deterministic = true, .seed = seed};
    run_configured(&configuration, scribblers, NULL);
}

static void same_seed_gives_the_same_run(void **state) {
    char first[sizeof record];
    unsigned different = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        char previous[sizeof record];
        memcpy(previous, record, sizeof record);
        run_seed(seed);
        different += memcmp(previous, record, sizeof record) != 0;
        memcpy(first, record, sizeof record);
        run_seed(seed);
        assert_int_equal(recorded, 400);
        assert_memory_equal(first, record, sizeof record);
    }
    assert_true(different >= 18);
}

/* ---- a classic lost wake-up, found by some interleaving (D17) ------------------------------- */

static atomic_uint flag;

static void late_waker(void *argument) {
    atomic_store(&flag, 1);
    machine_wakeup(&flag, false);
}

/* The error: the condition is looked at before the wait is prepared. */
static void careless_waiter(void *argument) {
    atomic_store(&flag, 0);
    struct machine_thread *waker = machine_thread_start("waker", late_waker, NULL);
    if (atomic_load(&flag) == 0) {
        machine_preemption_disable();
        machine_preemption_enable(); /* a switch point, as any lock would be */
        machine_sleep(NULL, &flag, MACHINE_NEVER, false);
    }
    machine_thread_join(waker);
    machine_thread_release(waker);
}

static int death_status;
static void note_death(int status, const char *reason) {
    death_status = status;
}

static void a_lost_wake_up_is_found_as_a_deadlock(void **state) {
    unsigned found = 0, fine = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct machine_configuration configuration = {
            .memory_bytes = 16u << 20, .processors = 2, .deterministic = true, .seed = seed};
        assert_int_equal(machine_start(&configuration), 0);
        machine_log_set_output(NULL, NULL);
        death_status = 0;
        machine_set_death_hook(note_death);
        int result = machine_run("waiter", careless_waiter, NULL);
        assert_true(result == 0 || result == -EDEADLK);
        assert_int_equal(death_status, result == 0 ? 0 : MACHINE_EXIT_DEADLOCK);
        found += result != 0;
        fine += result == 0;
        machine_stop();
    }
    assert_true(found > 0);
    assert_true(fine > 0);
}

/* ---- deaths, each in a process of its own --------------------------------------------------- */

static int run_child(machine_thread_function *body, bool deterministic, char *output,
                     size_t size) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct machine_configuration configuration = {.memory_bytes = 16u << 20,
                                                      .processors = 2,
                                                      .deterministic = deterministic,
                                                      .switches_max = 100000};
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        machine_start(&configuration);
        machine_log_set_output(NULL, NULL);
        machine_run("child", body, NULL);
        machine_stop();
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t count;
    while ((count = read(ends[0], output + length, size - 1 - length)) > 0) {
        length += (size_t)count;
    }
    output[length] = '\0';
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void assert_dies(machine_thread_function *body, bool deterministic, int status,
                        const char *text) {
    static char output[65536];
    int actual = run_child(body, deterministic, output, sizeof output);
    if (actual != status || strstr(output, text) == NULL) {
        fail_msg("exit %d (expected %d), says: %s", actual, status, output);
    }
}

static void lock_twice(void *argument) {
    struct machine_mutex *mutex = machine_mutex_create("my lock");
    machine_mutex_lock(mutex);
    machine_mutex_lock(mutex);
}

static void unlock_unheld(void *argument) {
    machine_mutex_unlock(machine_mutex_create("my lock"));
}

static void destroy_held(void *argument) {
    struct machine_mutex *mutex = machine_mutex_create("my lock");
    machine_mutex_lock(mutex);
    machine_mutex_destroy(mutex);
}

static void sleep_with_spin_lock(void *argument) {
    struct machine_spin_lock lock = {0};
    machine_spin_lock(&lock);
    machine_sleep(NULL, &lock, MACHINE_NEVER, false);
}

static void sleep_with_interrupts_off(void *argument) {
    machine_interrupts_set_enabled(false);
    machine_sleep(NULL, argument, MACHINE_NEVER, false);
}

static void spin_twice(void *argument) {
    struct machine_spin_lock lock = {0};
    machine_spin_lock(&lock);
    machine_spin_lock(&lock);
}

static struct machine_spin_lock interrupt_lock;

static void take_interrupt_lock(void *context, unsigned vector) {
    machine_spin_lock(&interrupt_lock);
    machine_spin_unlock(&interrupt_lock);
}

static void spin_with_interrupts_on(void *argument) {
    machine_interrupt_set_entry(take_interrupt_lock, NULL);
    machine_spin_lock(&interrupt_lock);
    machine_interrupt_raise(machine_processor_number(), 0x40);
    for (unsigned i = 0; i < 100000; i++) {
        machine_spin_delay(10000);
    }
}

static void end_with_lock(void *argument) {
    static struct machine_spin_lock lock;
    machine_spin_lock(&lock);
}

static void misuse_of_locks_panics_with_the_reason(void **state) {
    for (int deterministic = 0; deterministic <= 1; deterministic++) {
        assert_dies(lock_twice, deterministic, MACHINE_EXIT_PANIC,
                    "mutex \"my lock\" locked twice by thread \"child\"");
        assert_dies(unlock_unheld, deterministic, MACHINE_EXIT_PANIC, "does not hold it");
        assert_dies(destroy_held, deterministic, MACHINE_EXIT_PANIC, "destroyed while it is held");
        assert_dies(sleep_with_spin_lock, deterministic, MACHINE_EXIT_PANIC,
                    "sleep with preemption disabled");
        assert_dies(sleep_with_interrupts_off, deterministic, MACHINE_EXIT_PANIC,
                    "sleep with interrupts off");
        assert_dies(spin_twice, deterministic, MACHINE_EXIT_PANIC, "deadlock: thread \"child\"");
        assert_dies(spin_with_interrupts_on, deterministic, MACHINE_EXIT_PANIC,
                    "deadlock: an interrupt on cpu 0");
        assert_dies(end_with_lock, deterministic, MACHINE_EXIT_PANIC, "a spin lock held");
    }
}

static void wait_for_nobody(void *argument) {
    static int event;
    machine_sleep(NULL, &event, MACHINE_NEVER, false);
}

static void busy_for_ever(void *argument) {
    for (;;) {
        machine_yield();
    }
}

static void deadlock_names_every_sleeper(void **state) {
    assert_dies(wait_for_nobody, true, MACHINE_EXIT_DEADLOCK,
                "\"child\" cpu 0 sleeps on event");
    assert_dies(busy_for_ever, true, MACHINE_EXIT_DEADLOCK, "the limit of thread switches");
}

/* ---- a partition that acts by itself -------------------------------------------------------- */

#define TICK_NS 1000000u
static uint64_t next_tick, ticks_left;

static uint64_t tick_idle(void *partition, uint64_t now, uint64_t deadline) {
    if (now < next_tick) {
        uint64_t then = ticks_left != 0 ? next_tick : MACHINE_NEVER;
        if (then > deadline) {
            return deadline;
        }
        now = then;
    }
    if (ticks_left != 0 && now >= next_tick) {
        ticks_left--;
        next_tick += TICK_NS;
        machine_interrupt_raise(1, 0x33);
    }
    return now;
}

static atomic_uint ticks_seen;

static void on_tick(void *context, unsigned vector) {
    CHECK(vector == 0x33 && machine_processor_number() == 1);
    atomic_fetch_add(&ticks_seen, 1);
    machine_wakeup(&ticks_seen, false);
}

static void wait_for_ticks(void *argument) {
    static const struct partition_operations operations = {.idle = tick_idle};
    next_tick = machine_uptime() + TICK_NS;
    ticks_left = 10;
    atomic_store(&ticks_seen, 0);
    machine_interrupt_set_entry(on_tick, NULL);
    machine_partition_attach(&operations, NULL);
    uint64_t before = machine_uptime();
    while (atomic_load(&ticks_seen) < 10) {
        machine_wait_prepare(&ticks_seen, MACHINE_NEVER, false);
        if (atomic_load(&ticks_seen) < 10) {
            machine_wait_block();
        } else {
            machine_wait_cancel();
        }
    }
    uint64_t passed = machine_uptime() - before;
    CHECK(passed >= 9 * TICK_NS && passed < 12 * TICK_NS);
}

static void partition_moves_virtual_time_with_its_own_events(void **state) {
    run_fibres(wait_for_ticks, NULL, 10);
}

static unsigned late;

static void sleep_a_second(void *argument) {
    machine_sleep(NULL, &late, machine_uptime() + 1000000000, false);
    late++;
}

static void start_sleeper(void *argument) {
    late = 0;
    machine_thread_release(machine_thread_start("second", sleep_a_second, NULL));
}

static void run_until_stops_at_the_given_uptime(void **state) {
    struct machine_configuration configuration = {.memory_bytes = 16u << 20,
                                                  .deterministic = true};
    assert_int_equal(machine_start(&configuration), 0);
    machine_log_set_output(NULL, NULL);
    assert_int_equal(machine_run("main", start_sleeper, NULL), 0);
    machine_run_until(500000000);
    assert_int_equal(late, 0);
    machine_run_until(2000000000);
    assert_int_equal(late, 1);
    assert_true(machine_uptime() >= 2000000000 && machine_uptime() < 2000001000);
    machine_stop();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_gives_the_same_run),
        cmocka_unit_test(a_lost_wake_up_is_found_as_a_deadlock),
        cmocka_unit_test(misuse_of_locks_panics_with_the_reason),
        cmocka_unit_test(deadlock_names_every_sleeper),
        cmocka_unit_test(partition_moves_virtual_time_with_its_own_events),
        cmocka_unit_test(run_until_stops_at_the_given_uptime),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
