/* SPDX-License-Identifier: BSD-3-Clause */
/* Locks: exclusion, sleeping and waking, and the mistakes that panic. */
#include "tests/unit/xnu-runtime/runtime_test.h"

#include "abi/constants.h"
#include "abi/kpi/iolib.h"
#include "abi/kpi/locks.h"
#include "abi/kpi/threads.h"

#include "xnu/bsd/lck.h"

static IOLock *lock;
static IORecursiveLock *recursive;
static unsigned counter;
static bool flag;

/* ---- IOLock --------------------------------------------------------------------------------- */

static void count_up(void *argument)
{
    for (int i = 0; i < 100; i++) {
        IOLockLock(lock);
        unsigned before = counter;
        machine_yield();
        counter = before + 1;
        IOLockUnlock(lock);
    }
}

static void a_lock_excludes_body(void *argument)
{
    struct machine_thread *threads[4];

    lock = IOLockAlloc();
    for (int i = 0; i < 4; i++)
        threads[i] = start_thread(count_up, NULL);
    for (int i = 0; i < 4; i++)
        join_thread(threads[i]);
    CHECK(counter == 400);
    CHECK(IOLockTryLock(lock));
    CHECK(!IOLockTryLock(lock) || !"recursive");
    IOLockUnlock(lock);
    IOLockFree(lock);
}

static void a_lock_excludes(void **state)
{
    run_runtime(a_lock_excludes_body);
    run_runtime_real(a_lock_excludes_body);
}

static void lock_twice_body(void *argument)
{
    lock = IOLockAlloc();
    IOLockLock(lock);
    IOLockLock(lock);
}

static void unlock_free_body(void *argument)
{
    IOLockUnlock(IOLockAlloc());
}

static void use_after_free_body(void *argument)
{
    lck_mtx_t *mutex = lck_mtx_alloc_init(lck_grp_alloc_init("test", NULL), NULL);
    char storage[16];

    lck_mtx_init((lck_mtx_t *)storage, NULL, NULL);
    lck_mtx_lock((lck_mtx_t *)storage);
    lck_mtx_unlock((lck_mtx_t *)storage);
    lck_mtx_destroy((lck_mtx_t *)storage, NULL);
    lck_mtx_free(mutex, NULL);
    lck_mtx_lock((lck_mtx_t *)storage);
}

static void block_under_a_spin_lock_body(void *argument)
{
    IOSimpleLock *spin = IOSimpleLockAlloc();

    lock = IOLockAlloc();
    IOSimpleLockLock(spin);
    IOSleep(1);                          /* a delay only spins here: allowed */
    IOLockLock(lock);
}

static void unlock_recursive_of_another_body(void *argument)
{
    IORecursiveLockUnlock(IORecursiveLockAlloc());
}

static void mistakes_panic(void **state)
{
    run_runtime_panic(lock_twice_body);
    run_runtime_panic(unlock_free_body);
    run_runtime_panic(use_after_free_body);
    run_runtime_panic(block_under_a_spin_lock_body);
    run_runtime_panic(unlock_recursive_of_another_body);
}

/* ---- sleeping ------------------------------------------------------------------------------- */

static void wake_up(void *argument)
{
    IOLockLock(lock);
    flag = true;
    IOLockWakeup(lock, &flag, false);
    IOLockUnlock(lock);
}

static void sleeping_releases_and_retakes_the_lock_body(void *argument)
{
    lock = IOLockAlloc();
    IOLockLock(lock);
    struct machine_thread *thread = start_thread(wake_up, NULL);
    while (!flag)
        CHECK(IOLockSleep(lock, &flag, THREAD_UNINT) == THREAD_AWAKENED);
    CHECK(!IOLockTryLock(lock));
    uint64_t before = machine_uptime();
    CHECK(IOLockSleepDeadline(lock, &flag, before + 50 * MS, THREAD_UNINT) == THREAD_TIMED_OUT);
    CHECK(machine_uptime() >= before + 50 * MS);
    IOLockUnlock(lock);
    join_thread(thread);
    CHECK(lck_mtx_sleep_deadline((lck_mtx_t *)lock, LCK_SLEEP_UNLOCK, &flag, THREAD_UNINT,
                                 (IOLockLock(lock), machine_uptime() + MS)) == THREAD_TIMED_OUT);
    CHECK(IOLockTryLock(lock));
    IOLockUnlock(lock);
    IOLockFree(lock);
}

static void sleeping_releases_and_retakes_the_lock(void **state)
{
    run_runtime(sleeping_releases_and_retakes_the_lock_body);
    run_runtime_real(sleeping_releases_and_retakes_the_lock_body);
}

static void interrupted_sleep(void *argument)
{
    IOLockLock(lock);
    counter = (unsigned)IOLockSleep(lock, &flag, THREAD_ABORTSAFE);
    IOLockUnlock(lock);
}

static void an_interruptible_sleep_says_that_it_was_interrupted_body(void *argument)
{
    lock = IOLockAlloc();
    counter = 99;
    struct machine_thread *thread = start_thread(interrupted_sleep, NULL);
    sleep_ms(5);
    machine_interrupt_thread(thread);
    join_thread(thread);
    CHECK(counter == THREAD_INTERRUPTED);
    IOLockFree(lock);
}

static void an_interruptible_sleep_says_that_it_was_interrupted(void **state)
{
    run_runtime(an_interruptible_sleep_says_that_it_was_interrupted_body);
}

/* ---- recursive ------------------------------------------------------------------------------ */

static void take_recursive(void *argument)
{
    IORecursiveLockLock(recursive);      /* only possible while all levels are given up */
    flag = true;
    IORecursiveLockWakeup(recursive, &flag, true);
    IORecursiveLockUnlock(recursive);
}

static void a_recursive_lock_sleeps_with_all_levels_given_up_body(void *argument)
{
    recursive = IORecursiveLockAlloc();
    for (int i = 0; i < 3; i++)
        IORecursiveLockLock(recursive);
    struct machine_thread *thread = start_thread(take_recursive, NULL);
    while (!flag)
        IORecursiveLockSleep(recursive, &flag, THREAD_UNINT);
    for (int i = 0; i < 3; i++) {
        CHECK(IORecursiveLockHaveLock(recursive));
        IORecursiveLockUnlock(recursive);
    }
    CHECK(!IORecursiveLockHaveLock(recursive));
    join_thread(thread);
    IORecursiveLockLock(recursive);
    CHECK(IORecursiveLockSleepDeadline(recursive, &counter, machine_uptime() + MS, THREAD_UNINT) ==
          THREAD_TIMED_OUT);
    IORecursiveLockUnlock(recursive);
    IORecursiveLockFree(recursive);
}

static void a_recursive_lock_sleeps_with_all_levels_given_up(void **state)
{
    run_runtime(a_recursive_lock_sleeps_with_all_levels_given_up_body);
}

/* ---- readers and writers --------------------------------------------------------------------- */

static lck_rw_t *rw;

static void reader(void *argument)
{
    lck_rw_lock_shared(rw);
    counter++;
    while (!flag)
        sleep_ms(1);
    lck_rw_unlock_shared(rw);
}

static void writer(void *argument)
{
    lck_rw_lock_exclusive(rw);
    CHECK(counter == 2);
    counter = 100;
    lck_rw_unlock_exclusive(rw);
}

static void readers_share_and_a_waiting_writer_keeps_new_ones_out_body(void *argument)
{
    rw = lck_rw_alloc_init(lck_grp_alloc_init("rw", NULL), NULL);
    struct machine_thread *first = start_thread(reader, NULL), *second = start_thread(reader, NULL);
    while (counter < 2)
        sleep_ms(1);
    struct machine_thread *third = start_thread(writer, NULL);
    sleep_ms(5);
    CHECK(!lck_rw_try_lock_shared(rw));
    CHECK(!lck_rw_try_lock_exclusive(rw));
    flag = true;
    join_thread(first);
    join_thread(second);
    join_thread(third);
    CHECK(counter == 100);
    lck_rw_lock_shared(rw);
    CHECK(lck_rw_try_lock_shared(rw));
    CHECK(lck_rw_done(rw) == LCK_RW_TYPE_SHARED);
    lck_rw_unlock(rw, LCK_RW_TYPE_SHARED);
    lck_rw_lock(rw, LCK_RW_TYPE_EXCLUSIVE);
    CHECK(lck_rw_done(rw) == LCK_RW_TYPE_EXCLUSIVE);
    lck_rw_free(rw, NULL);
}

static void readers_share_and_a_waiting_writer_keeps_new_ones_out(void **state)
{
    run_runtime(readers_share_and_a_waiting_writer_keeps_new_ones_out_body);
}

/* ---- memory --------------------------------------------------------------------------------- */

static void wrong_size_body(void *argument)
{
    IOFree(IOMalloc(100), 101);
}

static void double_free_body(void *argument)
{
    void *memory = IOMalloc(100);

    IOFree(memory, 100);
    IOFree(memory, 100);
}

static void wrong_frees_panic(void **state)
{
    run_runtime_panic(wrong_size_body);
    run_runtime_panic(double_free_body);
}

static void memory_is_aligned_contiguous_and_low_as_asked_body(void *argument)
{
    IOPhysicalAddress physical = 0;

    CHECK(IOMalloc(0) == NULL);
    for (size_t alignment = 16; alignment <= 65536; alignment *= 2) {
        void *memory = IOMallocAligned(5000, alignment);
        CHECK(memory && ((uintptr_t)memory & (alignment - 1)) == 0);
        IOFreeAligned(memory, 5000);
    }
    void *memory = IOMallocContiguous(100000, 65536, &physical);
    CHECK(memory && (physical & 65535) == 0 && physical + 100000 <= UINT32_MAX);
    IOFreeContiguous(memory, 100000);
}

static void memory_is_aligned_contiguous_and_low_as_asked(void **state)
{
    run_runtime(memory_is_aligned_contiguous_and_low_as_asked_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lock_excludes),
        cmocka_unit_test(mistakes_panic),
        cmocka_unit_test(sleeping_releases_and_retakes_the_lock),
        cmocka_unit_test(an_interruptible_sleep_says_that_it_was_interrupted),
        cmocka_unit_test(a_recursive_lock_sleeps_with_all_levels_given_up),
        cmocka_unit_test(readers_share_and_a_waiting_writer_keeps_new_ones_out),
        cmocka_unit_test(wrong_frees_panic),
        cmocka_unit_test(memory_is_aligned_contiguous_and_low_as_asked),
    };
    return cmocka_run_group_tests_name("locks and memory", tests, NULL, NULL);
}
