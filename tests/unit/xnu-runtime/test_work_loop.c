/* SPDX-License-Identifier: BSD-3-Clause */
/* Work loops and their sources: on which thread each callback runs, and with the gate closed or
 * not. */
#include "tests/unit/xnu-runtime/runtime_test.h"

#include "abi/IOCommandGate.h"
#include "abi/IOInterruptEventSource.h"
#include "abi/IOTimerEventSource.h"
#include "abi/IOWorkLoop.h"
#include "abi/kpi/threads.h"

#include "xnu/libkern/class.h"

/* An owner for event sources that counts what it is told. */
struct fixture {
    IOWorkLoop *loop;
    OSObject *owner;
    unsigned calls;
    int last_count;
    bool on_thread, in_gate;
    char event;
};

static struct fixture fixture;

static void set_up(void)
{
    memset(&fixture, 0, sizeof fixture);
    fixture.loop = IOWorkLoop_workLoop();
    CHECK(fixture.loop != NULL);
    fixture.owner = (OSObject *)OSArray_withCapacity(1);
}

static void tear_down(void)
{
    object_release(fixture.loop);
    object_release(fixture.owner);
}

static void note_context(void)
{
    fixture.calls++;
    fixture.on_thread = IOWorkLoop_onThread(fixture.loop);
    fixture.in_gate = IOWorkLoop_inGate(fixture.loop);
    machine_wakeup(&fixture.event, false);
}

static void wait_for_calls(unsigned calls)
{
    while (fixture.calls < calls)
        machine_sleep(NULL, &fixture.event, machine_uptime() + MS, false);
}

static int32_t gate_action(OSObject *owner, void *a, void *b, void *c, void *d)
{
    CHECK(owner == fixture.owner);
    note_context();
    return (int32_t)((uintptr_t)a + (uintptr_t)b + (uintptr_t)c + (uintptr_t)d);
}

static void run_action_runs_on_the_callers_thread_in_the_gate_body(void *argument)
{
    set_up();
    CHECK(IOWorkLoop_runAction(fixture.loop, gate_action, fixture.owner, (void *)1, (void *)2,
                               (void *)3, (void *)4) == 10);
    CHECK(fixture.calls == 1 && !fixture.on_thread && fixture.in_gate);
    CHECK(!IOWorkLoop_inGate(fixture.loop));
    tear_down();
}

static void run_action_runs_on_the_callers_thread_in_the_gate(void **state)
{
    run_runtime(run_action_runs_on_the_callers_thread_in_the_gate_body);
}

static void interrupt_action(OSObject *owner, IOInterruptEventSource *source, int32_t count)
{
    CHECK(owner == fixture.owner);
    fixture.last_count += count;
    note_context();
}

static void software_interrupts_run_on_the_loops_thread_body(void *argument)
{
    set_up();
    IOInterruptEventSource *source = IOInterruptEventSource_interruptEventSource(
        fixture.owner, interrupt_action, NULL, 0);
    CHECK(source != NULL);
    CHECK(IOWorkLoop_addEventSource(fixture.loop, (IOEventSource *)source) == 0);
    IOInterruptEventSource_interruptOccurred(source, NULL, NULL, 0);
    wait_for_calls(1);
    CHECK(fixture.on_thread && fixture.in_gate && fixture.last_count == 1);
    IOWorkLoop_removeEventSource(fixture.loop, (IOEventSource *)source);
    object_release(source);
    tear_down();
}

static void software_interrupts_run_on_the_loops_thread(void **state)
{
    run_runtime(software_interrupts_run_on_the_loops_thread_body);
    run_runtime_real(software_interrupts_run_on_the_loops_thread_body);
}

static void interrupts_before_the_action_are_merged_and_counted_body(void *argument)
{
    set_up();
    IOInterruptEventSource *source = IOInterruptEventSource_interruptEventSource(
        fixture.owner, interrupt_action, NULL, 0);
    IOWorkLoop_addEventSource(fixture.loop, (IOEventSource *)source);
    IOWorkLoop_closeGate(fixture.loop);          /* the action has to wait */
    for (int i = 0; i < 5; i++)
        IOInterruptEventSource_interruptOccurred(source, NULL, NULL, 0);
    sleep_ms(5);
    CHECK(fixture.calls == 0);
    IOWorkLoop_openGate(fixture.loop);
    wait_for_calls(1);
    sleep_ms(5);
    CHECK(fixture.calls == 1 && fixture.last_count == 5);
    IOWorkLoop_removeEventSource(fixture.loop, (IOEventSource *)source);
    object_release(source);
    tear_down();
}

static void interrupts_before_the_action_are_merged_and_counted(void **state)
{
    run_runtime(interrupts_before_the_action_are_merged_and_counted_body);
}

static void signal_again(OSObject *owner, IOInterruptEventSource *source, int32_t count)
{
    if (fixture.calls == 0)
        IOInterruptEventSource_interruptOccurred(source, NULL, NULL, 0);
    fixture.last_count += count;
    note_context();
}

static void an_interrupt_during_the_action_causes_another_call_body(void *argument)
{
    set_up();
    IOInterruptEventSource *source = IOInterruptEventSource_interruptEventSource(
        fixture.owner, signal_again, NULL, 0);
    IOWorkLoop_addEventSource(fixture.loop, (IOEventSource *)source);
    IOInterruptEventSource_interruptOccurred(source, NULL, NULL, 0);
    wait_for_calls(2);
    CHECK(fixture.last_count == 2);
    IOWorkLoop_removeEventSource(fixture.loop, (IOEventSource *)source);
    object_release(source);
    tear_down();
}

static void an_interrupt_during_the_action_causes_another_call(void **state)
{
    run_runtime(an_interrupt_during_the_action_causes_another_call_body);
}

static void a_signal_before_adding_is_not_lost_body(void *argument)
{
    set_up();
    IOInterruptEventSource *source = IOInterruptEventSource_interruptEventSource(
        fixture.owner, interrupt_action, NULL, 0);
    IOInterruptEventSource_interruptOccurred(source, NULL, NULL, 0);
    IOWorkLoop_addEventSource(fixture.loop, (IOEventSource *)source);
    wait_for_calls(1);
    IOWorkLoop_removeEventSource(fixture.loop, (IOEventSource *)source);
    object_release(source);
    tear_down();
}

static void a_signal_before_adding_is_not_lost(void **state)
{
    run_runtime(a_signal_before_adding_is_not_lost_body);
}

static void remove_self(OSObject *owner, IOInterruptEventSource *source, int32_t count)
{
    CHECK(IOWorkLoop_removeEventSource(fixture.loop, (IOEventSource *)source) == 0);
    CHECK(IOEventSource_getWorkLoop((IOEventSource *)source) == NULL);
    note_context();
}

static void a_source_may_remove_itself_and_the_next_still_works_body(void *argument)
{
    set_up();
    IOInterruptEventSource *first = IOInterruptEventSource_interruptEventSource(
        fixture.owner, remove_self, NULL, 0);
    IOInterruptEventSource *second = IOInterruptEventSource_interruptEventSource(
        fixture.owner, interrupt_action, NULL, 0);
    IOWorkLoop_addEventSource(fixture.loop, (IOEventSource *)first);
    IOWorkLoop_addEventSource(fixture.loop, (IOEventSource *)second);
    IOInterruptEventSource_interruptOccurred(first, NULL, NULL, 0);
    IOInterruptEventSource_interruptOccurred(second, NULL, NULL, 0);
    wait_for_calls(2);
    CHECK(fixture.last_count == 1);
    IOWorkLoop_removeEventSource(fixture.loop, (IOEventSource *)second);
    object_release(first);
    object_release(second);
    tear_down();
}

static void a_source_may_remove_itself_and_the_next_still_works(void **state)
{
    run_runtime(a_source_may_remove_itself_and_the_next_still_works_body);
}

static bool others_have_released;

static void release_loop(OSObject *owner, IOInterruptEventSource *source, int32_t count)
{
    while (!others_have_released)
        machine_yield();
    fixture.calls++;
    object_release(fixture.loop);
    machine_wakeup(&fixture.event, false);
}

static void the_last_release_may_happen_on_the_loops_thread_body(void *argument)
{
    set_up();
    others_have_released = false;
    IOInterruptEventSource *source = IOInterruptEventSource_interruptEventSource(
        fixture.owner, release_loop, NULL, 0);
    object_retain(fixture.loop);
    IOWorkLoop_addEventSource(fixture.loop, (IOEventSource *)source);
    IOInterruptEventSource_interruptOccurred(source, NULL, NULL, 0);
    object_release(fixture.loop);
    others_have_released = true;
    wait_for_calls(1);
    sleep_ms(5);
    CHECK(OSMetaClassBase_getRetainCount((OSMetaClassBase *)source) == 1);
    object_release(source);
    object_release(fixture.owner);
}

static void the_last_release_may_happen_on_the_loops_thread(void **state)
{
    run_runtime(the_last_release_may_happen_on_the_loops_thread_body);
}

static void gates_are_recursive_and_exclusive_body(void *argument);

static void other_thread(void *argument)
{
    CHECK(!IOWorkLoop_tryCloseGate(fixture.loop));
    IOWorkLoop_closeGate(fixture.loop);
    fixture.calls++;
    IOWorkLoop_openGate(fixture.loop);
}

static void gates_are_recursive_and_exclusive_body(void *argument)
{
    set_up();
    IOWorkLoop_closeGate(fixture.loop);
    IOWorkLoop_closeGate(fixture.loop);
    struct machine_thread *thread = start_thread(other_thread, NULL);
    sleep_ms(5);
    IOWorkLoop_openGate(fixture.loop);
    sleep_ms(5);
    CHECK(fixture.calls == 0);
    IOWorkLoop_openGate(fixture.loop);
    join_thread(thread);
    CHECK(fixture.calls == 1);
    tear_down();
}

static void gates_are_recursive_and_exclusive(void **state)
{
    run_runtime(gates_are_recursive_and_exclusive_body);
}

static void an_event_source_needs_an_owner_body(void *argument)
{
    CHECK(IOInterruptEventSource_interruptEventSource(NULL, interrupt_action, NULL, 0) == NULL);
    CHECK(IOCommandGate_commandGate(NULL, NULL) == NULL);
    CHECK(IOTimerEventSource_timerEventSource_object(NULL, NULL) == NULL);
}

static void an_event_source_needs_an_owner(void **state)
{
    run_runtime(an_event_source_needs_an_owner_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_action_runs_on_the_callers_thread_in_the_gate),
        cmocka_unit_test(software_interrupts_run_on_the_loops_thread),
        cmocka_unit_test(interrupts_before_the_action_are_merged_and_counted),
        cmocka_unit_test(an_interrupt_during_the_action_causes_another_call),
        cmocka_unit_test(a_signal_before_adding_is_not_lost),
        cmocka_unit_test(a_source_may_remove_itself_and_the_next_still_works),
        cmocka_unit_test(the_last_release_may_happen_on_the_loops_thread),
        cmocka_unit_test(gates_are_recursive_and_exclusive),
        cmocka_unit_test(an_event_source_needs_an_owner),
    };
    return cmocka_run_group_tests_name("work loops", tests, NULL, NULL);
}
