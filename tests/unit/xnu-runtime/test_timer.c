/* SPDX-License-Identifier: BSD-3-Clause */
/* Timers: once, replaced, cancelled, stored until there is a loop; on which thread they run. */
#include "tests/unit/xnu-runtime/runtime_test.h"

#include "abi/IOTimerEventSource.h"
#include "abi/IOWorkLoop.h"
#include "abi/constants.h"

static IOWorkLoop *loop;
static IOTimerEventSource *timer;
static unsigned calls, wanted;
static uint64_t called_at;
static bool on_thread;

static void action(OSObject *owner, IOTimerEventSource *sender)
{
    CHECK(sender == timer && IOWorkLoop_inGate(loop));
    calls++;
    called_at = machine_uptime();
    on_thread = IOWorkLoop_onThread(loop);
    if (calls < wanted)
        IOTimerEventSource_setTimeoutMS(sender, 10);
}

static OSObject *owner(void)
{
    return (OSObject *)OSArray_withCapacity(1);
}

static void set_up(void)
{
    loop = IOWorkLoop_workLoop();
    timer = IOTimerEventSource_timerEventSource_object(owner(), action);
}

static void add(void)
{
    CHECK(IOWorkLoop_addEventSource(loop, (IOEventSource *)timer) == 0);
}

static void a_timer_fires_once_in_the_gate_on_another_thread_body(void *argument)
{
    set_up();
    add();
    uint64_t before = machine_uptime();
    CHECK(IOTimerEventSource_setTimeoutMS(timer, 20) == 0);
    sleep_ms(100);
    CHECK(calls == 1 && !on_thread && called_at >= before + 20 * MS);
}

static void a_timer_fires_once_in_the_gate_on_another_thread(void **state)
{
    run_runtime(a_timer_fires_once_in_the_gate_on_another_thread_body);
    run_runtime_real(a_timer_fires_once_in_the_gate_on_another_thread_body);
}

static void the_option_makes_it_run_on_the_loops_thread_body(void *argument)
{
    loop = IOWorkLoop_workLoop();
    timer = IOTimerEventSource_timerEventSource_number(kIOTimerEventSourceOptionsPriorityWorkLoop,
                                                       owner(), action);
    add();
    IOTimerEventSource_setTimeoutUS(timer, 500);
    sleep_ms(50);
    CHECK(calls == 1 && on_thread);
}

static void the_option_makes_it_run_on_the_loops_thread(void **state)
{
    run_runtime(the_option_makes_it_run_on_the_loops_thread_body);
}

static void a_new_timeout_replaces_the_old_and_cancel_stops_it_body(void *argument)
{
    set_up();
    add();
    uint64_t before = machine_uptime();
    IOTimerEventSource_setTimeoutMS(timer, 10);
    IOTimerEventSource_setTimeoutMS(timer, 50);
    sleep_ms(100);
    CHECK(calls == 1 && called_at >= before + 50 * MS);
    IOTimerEventSource_setTimeoutMS(timer, 10);
    IOTimerEventSource_cancelTimeout(timer);
    sleep_ms(50);
    CHECK(calls == 1);
    IOTimerEventSource_setTimeout_number_number(timer, 0, kMillisecondScale);
    sleep_ms(5);
    CHECK(calls == 2);                   /* 0: as soon as possible */
}

static void a_new_timeout_replaces_the_old_and_cancel_stops_it(void **state)
{
    run_runtime(a_new_timeout_replaces_the_old_and_cancel_stops_it_body);
}

static void a_timeout_set_before_adding_or_while_disabled_fires_later_body(void *argument)
{
    set_up();
    IOTimerEventSource_setTimeoutMS(timer, 10);
    sleep_ms(30);
    CHECK(calls == 0);
    add();
    sleep_ms(5);
    CHECK(calls == 1);
    IOEventSource_disable((IOEventSource *)timer);
    IOTimerEventSource_setTimeoutMS(timer, 10);
    sleep_ms(30);
    CHECK(calls == 1);
    IOEventSource_enable((IOEventSource *)timer);
    sleep_ms(5);
    CHECK(calls == 2);
}

static void a_timeout_set_before_adding_or_while_disabled_fires_later(void **state)
{
    run_runtime(a_timeout_set_before_adding_or_while_disabled_fires_later_body);
}

static void the_action_may_set_the_timer_again_body(void *argument)
{
    set_up();
    add();
    wanted = 5;
    IOTimerEventSource_setTimeoutMS(timer, 10);
    sleep_ms(200);
    CHECK(calls == 5);
}

static void the_action_may_set_the_timer_again(void **state)
{
    run_runtime(the_action_may_set_the_timer_again_body);
}

static void a_call_that_waits_for_the_gate_is_dropped_by_cancel_body(void *argument)
{
    set_up();
    add();
    IOWorkLoop_closeGate(loop);
    IOTimerEventSource_setTimeoutMS(timer, 1);
    sleep_ms(20);                        /* the call is running, and waits for us */
    IOTimerEventSource_cancelTimeout(timer);
    IOWorkLoop_openGate(loop);
    sleep_ms(20);
    CHECK(calls == 0);
    IOTimerEventSource_setTimeoutMS(timer, 1);
    sleep_ms(20);
    CHECK(calls == 1);
}

static void a_call_that_waits_for_the_gate_is_dropped_by_cancel(void **state)
{
    run_runtime(a_call_that_waits_for_the_gate_is_dropped_by_cancel_body);
}

static void a_removed_timer_is_freed_and_does_not_fire_body(void *argument)
{
    set_up();
    add();
    IOTimerEventSource_setTimeoutMS(timer, 10);
    CHECK(OSMetaClassBase_getRetainCount((OSMetaClassBase *)timer) == 3);
    IOWorkLoop_removeEventSource(loop, (IOEventSource *)timer);
    CHECK(OSMetaClassBase_getRetainCount((OSMetaClassBase *)timer) == 1);
    object_release(timer);
    sleep_ms(50);
    CHECK(calls == 0);
}

static void a_removed_timer_is_freed_and_does_not_fire(void **state)
{
    run_runtime(a_removed_timer_is_freed_and_does_not_fire_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_fires_once_in_the_gate_on_another_thread),
        cmocka_unit_test(the_option_makes_it_run_on_the_loops_thread),
        cmocka_unit_test(a_new_timeout_replaces_the_old_and_cancel_stops_it),
        cmocka_unit_test(a_timeout_set_before_adding_or_while_disabled_fires_later),
        cmocka_unit_test(the_action_may_set_the_timer_again),
        cmocka_unit_test(a_call_that_waits_for_the_gate_is_dropped_by_cancel),
        cmocka_unit_test(a_removed_timer_is_freed_and_does_not_fire),
    };
    return cmocka_run_group_tests_name("timers", tests, NULL, NULL);
}
