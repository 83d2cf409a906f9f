/* SPDX-License-Identifier: BSD-3-Clause */
/* Command gates: what each call returns in each state, sleeping in the gate, teardown. */
#include "tests/unit/xnu-runtime/runtime_test.h"

#include "abi/IOCommandGate.h"
#include "abi/IOWorkLoop.h"
#include "abi/constants.h"
#include "abi/kpi/threads.h"
#include "xnu/libkern/release.h"

static IOWorkLoop *loop;
static IOCommandGate *gate;
static OSObject *owner;
static unsigned calls;
static int32_t result;
static bool flag, entered;

static int32_t action(OSObject *object, void *a, void *b, void *c, void *d)
{
    CHECK(object == owner && IOWorkLoop_inGate(loop));
    calls++;
    return (int32_t)(uintptr_t)a;
}

static void set_up(void)
{
    owner = (OSObject *)OSArray_withCapacity(1);
    loop = IOWorkLoop_workLoop();
    gate = IOCommandGate_commandGate(owner, action);
    CHECK(IOWorkLoop_addEventSource(loop, (IOEventSource *)gate) == 0);
}

static void results_by_state_body(void *argument)
{
    set_up();
    CHECK(IOCommandGate_runCommand(gate, (void *)5, NULL, NULL, NULL) == 5);
    CHECK(IOCommandGate_runAction(gate, action, (void *)6, NULL, NULL, NULL) == 6);
    CHECK(IOCommandGate_attemptAction(gate, action, (void *)7, NULL, NULL, NULL) == 7);
    CHECK(IOCommandGate_runAction(gate, NULL, NULL, NULL, NULL, NULL) == kIOReturnBadArgument);
    CHECK(IOCommandGate_attemptAction(gate, NULL, NULL, NULL, NULL, NULL) == kIOReturnBadArgument);
    IOEventSource_disable((IOEventSource *)gate);
    CHECK(IOCommandGate_attemptAction(gate, action, NULL, NULL, NULL, NULL) ==
          kIOReturnNotPermitted);
    IOEventSource_enable((IOEventSource *)gate);
    IOWorkLoop_removeEventSource(loop, (IOEventSource *)gate);
    CHECK(IOCommandGate_runAction(gate, action, NULL, NULL, NULL, NULL) == kIOReturnNotReady);
    CHECK(IOCommandGate_attemptAction(gate, action, NULL, NULL, NULL, NULL) == kIOReturnNotReady);
    CHECK(calls == 3);
    object_release(gate);
    object_release(loop);
}

static void results_by_state(void **state)
{
    run_runtime(results_by_state_body);
}

static void old_release_body(void *argument)
{
    set_up();
    IOWorkLoop_removeEventSource(loop, (IOEventSource *)gate);
    release_select_number(RELEASE(10, 10, 5));
    IOCommandGate_runAction(gate, action, NULL, NULL, NULL, NULL);
}

static void before_10_11_a_gate_without_loop_crashes(void **state)
{
    run_runtime_panic(old_release_body);
}

static void attempt(void *argument)
{
    result = IOCommandGate_attemptAction(gate, action, NULL, NULL, NULL, NULL);
}

static void a_busy_gate_cannot_be_locked_body(void *argument)
{
    set_up();
    IOWorkLoop_closeGate(loop);
    join_thread(start_thread(attempt, NULL));
    CHECK(result == kIOReturnCannotLock && calls == 0);
    IOWorkLoop_openGate(loop);
    join_thread(start_thread(attempt, NULL));
    CHECK(result == 0 && calls == 1);
}

static void a_busy_gate_cannot_be_locked(void **state)
{
    run_runtime(a_busy_gate_cannot_be_locked_body);
}

static void run_one(void *argument)
{
    result = IOCommandGate_runAction(gate, action, (void *)9, NULL, NULL, NULL);
    flag = true;
}

static void a_disabled_gate_waits_until_it_is_enabled_body(void *argument)
{
    set_up();
    IOEventSource_disable((IOEventSource *)gate);
    struct machine_thread *thread = start_thread(run_one, NULL);
    sleep_ms(10);
    CHECK(!flag && calls == 0);
    IOEventSource_enable((IOEventSource *)gate);
    join_thread(thread);
    CHECK(result == 9 && calls == 1);
}

static void a_disabled_gate_waits_until_it_is_enabled(void **state)
{
    run_runtime(a_disabled_gate_waits_until_it_is_enabled_body);
}

static void removal_sends_waiters_away_body(void *argument)
{
    set_up();
    IOEventSource_disable((IOEventSource *)gate);
    struct machine_thread *thread = start_thread(run_one, NULL);
    sleep_ms(10);
    CHECK(IOWorkLoop_removeEventSource(loop, (IOEventSource *)gate) == 0);
    join_thread(thread);
    CHECK(result == kIOReturnAborted && calls == 0);
}

static void removal_sends_waiters_away(void **state)
{
    run_runtime(removal_sends_waiters_away_body);
}

/* ---- sleeping in the gate -------------------------------------------------------------------- */

static int32_t sleep_action(OSObject *object, void *a, void *b, void *c, void *d)
{
    entered = true;
    while (!flag)
        CHECK(IOCommandGate_commandSleep(gate, &flag, THREAD_UNINT) == THREAD_AWAKENED);
    CHECK(IOWorkLoop_inGate(loop));
    return 1;
}

static int32_t nested_sleep(OSObject *object, void *a, void *b, void *c, void *d)
{
    return IOCommandGate_runAction(gate, sleep_action, NULL, NULL, NULL, NULL);
}

static void sleeper(void *argument)
{
    result = IOCommandGate_runAction(gate, nested_sleep, NULL, NULL, NULL, NULL);
}

static int32_t set_flag(OSObject *object, void *a, void *b, void *c, void *d)
{
    CHECK(entered);
    flag = true;
    IOCommandGate_commandWakeup(gate, &flag, true);
    return 0;
}

static void a_sleeper_lets_others_in_and_comes_back_in_the_gate_body(void *argument)
{
    set_up();
    struct machine_thread *thread = start_thread(sleeper, NULL);
    while (!entered)
        sleep_ms(1);
    CHECK(IOCommandGate_runAction(gate, set_flag, NULL, NULL, NULL, NULL) == 0);
    join_thread(thread);
    CHECK(result == 1);
}

static void a_sleeper_lets_others_in_and_comes_back_in_the_gate(void **state)
{
    run_runtime(a_sleeper_lets_others_in_and_comes_back_in_the_gate_body);
    run_runtime_real(a_sleeper_lets_others_in_and_comes_back_in_the_gate_body);
}

static int32_t deadline_action(OSObject *object, void *a, void *b, void *c, void *d)
{
    return IOCommandGate_commandSleep_number(gate, &flag, machine_uptime() + 10 * MS, THREAD_UNINT);
}

static void a_lost_wakeup_is_lost_and_a_deadline_ends_the_sleep_body(void *argument)
{
    set_up();
    IOCommandGate_commandWakeup(gate, &flag, false);   /* nobody sleeps */
    CHECK(IOCommandGate_runAction(gate, deadline_action, NULL, NULL, NULL, NULL) ==
          THREAD_TIMED_OUT);
}

static void a_lost_wakeup_is_lost_and_a_deadline_ends_the_sleep(void **state)
{
    run_runtime(a_lost_wakeup_is_lost_and_a_deadline_ends_the_sleep_body);
}

static void sleep_outside_body(void *argument)
{
    set_up();
    IOCommandGate_commandSleep(gate, &flag, THREAD_UNINT);
}

static void sleeping_outside_the_gate_panics(void **state)
{
    run_runtime_panic(sleep_outside_body);
}

static int32_t remove_gate(OSObject *object, void *a, void *b, void *c, void *d)
{
    CHECK(IOWorkLoop_removeEventSource(loop, (IOEventSource *)gate) == 0);
    CHECK(IOEventSource_getWorkLoop((IOEventSource *)gate) == loop); /* an action is still inside */
    return 4;
}

static void a_gate_removed_by_its_own_action_keeps_its_loop_until_the_end_body(void *argument)
{
    set_up();
    CHECK(IOCommandGate_runAction(gate, remove_gate, NULL, NULL, NULL, NULL) == 4);
    CHECK(IOEventSource_getWorkLoop((IOEventSource *)gate) == NULL);
}

static void a_gate_removed_by_its_own_action_keeps_its_loop_until_the_end(void **state)
{
    run_runtime(a_gate_removed_by_its_own_action_keeps_its_loop_until_the_end_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_by_state),
        cmocka_unit_test(before_10_11_a_gate_without_loop_crashes),
        cmocka_unit_test(a_busy_gate_cannot_be_locked),
        cmocka_unit_test(a_disabled_gate_waits_until_it_is_enabled),
        cmocka_unit_test(removal_sends_waiters_away),
        cmocka_unit_test(a_sleeper_lets_others_in_and_comes_back_in_the_gate),
        cmocka_unit_test(a_lost_wakeup_is_lost_and_a_deadline_ends_the_sleep),
        cmocka_unit_test(sleeping_outside_the_gate_panics),
        cmocka_unit_test(a_gate_removed_by_its_own_action_keeps_its_loop_until_the_end),
    };
    return cmocka_run_group_tests_name("command gates", tests, NULL, NULL);
}
