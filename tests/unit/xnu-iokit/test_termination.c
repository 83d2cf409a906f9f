/* SPDX-License-Identifier: BSD-3-Clause */
/* The order in which a removal is told, gates, clients that hold on, services that are just
 * starting. */
#include "tests/unit/xnu-iokit/iokit_test.h"

#include "abi/IOWorkLoop.h"

/* A nub with a driver, both started. */
static IOService *nub_with_driver(const char *nub_name, const char *driver, const char *extra)
{
    IOService *nub = make_nub(nub_name, NULL);
    char match[EVENT_ROOM * 2];

    snprintf(match, sizeof(match), "<key>IONameMatch</key><string>%s</string>%s", nub_name, extra);
    add_driver(driver, match);
    IOService_registerService(nub, 0);
    CHECK(wait_idle());
    CHECK(driver_of(nub, driver) != NULL);
    forget_events();
    return nub;
}

static void simple_body(void *unused)
{
    IOService *nub = nub_with_driver("nub", "d", "");

    CHECK(IOService_terminate(nub, kIOServiceRequired | kIOServiceSynchronous));
    CHECK_EVENTS("d.willTerminate(nub) d.message(terminated) d.didTerminate(nub) d.finalize "
                 "d.stop(nub) d.free nub.stop(AppleACPIPlatformExpert)");
    CHECK(IOService_isInactive(nub));
    CHECK(IOService_getState(nub) == kIOServiceInactiveState);
    CHECK(IOService_getBusyState(nub) == 0);
    CHECK(!IOService_getProvider(nub));
    forget_events();
    CHECK(IOService_terminate(nub, kIOServiceSynchronous)); /* idempotent */
    CHECK_EVENTS("");
    object_release(nub);
    CHECK_EVENTS("nub.free");
}

static void a_driver_sees_the_documented_order(void **state)
{
    run_iokit(simple_body);
}

/* nub <- outer (also a nub) <- inner */
static IOService *stack_of_two(const char *outer_extra)
{
    IOService *nub = make_nub("nub", NULL), *outer;
    char xml[EVENTS_SIZE];

    snprintf(xml, sizeof(xml), "<key>TestRegisters</key><true/>%s", outer_extra);
    add_driver("outer", xml);
    add_personalities("<key>inner</key><dict><key>IOClass</key><string>TestDriver</string>"
                      "<key>IOProviderClass</key><string>TestDriver</string>"
                      "<key>IOPropertyMatch</key><dict><key>TestName</key><string>outer</string>"
                      "</dict><key>TestName</key><string>inner</string></dict>");
    IOService_registerService(nub, 0);
    CHECK(wait_idle());
    outer = driver_of(nub, "outer");
    CHECK(outer && driver_of(outer, "inner"));
    forget_events();
    return nub;
}

static void stack_body(void *unused)
{
    IOService *nub = stack_of_two("");

    IOService_terminate(nub, kIOServiceSynchronous);
    CHECK_EVENTS("outer.willTerminate(nub) inner.willTerminate(outer) "
                 "inner.message(terminated) inner.didTerminate(outer) "
                 "outer.message(terminated) outer.didTerminate(nub) "
                 "inner.finalize inner.stop(outer) inner.free "
                 "outer.finalize outer.stop(nub) outer.free "
                 "nub.stop(AppleACPIPlatformExpert)");
    object_release(nub);
}

static void will_goes_down_did_goes_up_and_leaves_stop_first(void **state)
{
    run_iokit(stack_body);
}

static void async_body(void *unused)
{
    IOService *nub = nub_with_driver("nub", "d", "");

    IOService_terminate(nub, 0);
    CHECK(IOService_isInactive(nub));
    CHECK(IOService_waitQuiet_number(nub, SECOND) == kIOReturnSuccess);
    CHECK(strstr(events, "nub.stop(") != NULL);
    CHECK(wait_idle());
    object_release(nub);
}

static void asynchronous_termination_goes_on_in_its_own_thread(void **state)
{
    run_iokit(async_body);
}

static void programmatic_body(void *unused)
{
    IOService *nub = nub_with_driver("nub", "d", ""), *driver = driver_of(nub, "d");

    object_retain(driver);
    IOService_terminate(driver, kIOServiceSynchronous);
    CHECK_EVENTS("d.finalize d.stop(nub)");
    CHECK(!IOService_isInactive(nub) && !IOService_getClient(nub));
    object_release(driver);
    object_release(nub);
}

static void a_driver_terminates_without_its_nub(void **state)
{
    run_iokit(programmatic_body);
}

static void open_body(void *unused)
{
    IOService *nub = nub_with_driver("nub", "d", "<key>TestOpens</key><true/>");
    IOService *driver = driver_of(nub, "d");

    object_retain(driver);
    IOService_terminate(nub, 0);
    CHECK(IOService_waitQuiet_number(nub, SECOND) == kIOReturnTimeout);
    /* it was asked to close and did not */
    CHECK_EVENTS("d.willTerminate(nub) d.message(terminated) d.didTerminate(nub) "
                 "d.message(0xe0000100) d.finalize");
    forget_events();
    IOService_close(nub, driver, 0);
    CHECK(IOService_waitQuiet_number(nub, SECOND) == kIOReturnSuccess);
    CHECK_EVENTS("d.stop(nub) nub.stop(AppleACPIPlatformExpert)");
    object_release(driver);
    object_release(nub);
}

static void a_client_that_holds_the_nub_open_delays_everything(void **state)
{
    run_iokit(open_body);
}

static void defer_body(void *unused)
{
    IOService *nub = nub_with_driver("nub", "d", "<key>TestDefers</key><true/>"
                                                 "<key>TestOpens</key><true/>");
    IOService *driver = driver_of(nub, "d");

    IOService_terminate(nub, 0);
    CHECK(IOService_waitQuiet_number(nub, SECOND) == kIOReturnTimeout);
    CHECK_EVENTS("d.willTerminate(nub) d.message(terminated) d.didTerminate(nub) d.finalize");
    IOService_close(nub, driver, 0);
    CHECK(IOService_waitQuiet_number(nub, SECOND) == kIOReturnSuccess);
    CHECK(strstr(events, "d.stop(nub) d.free") != NULL);
    object_release(nub);
}

static void deferring_is_honoured_until_the_close(void **state)
{
    run_iokit(defer_body);
}

/* The nub goes away while its driver's start waits for a resource. */
static void starting_body(void *unused)
{
    IOService *nub = make_nub("nub", NULL);

    add_driver("slow", "<key>TestWaitsFor</key><string>Later</string>");
    IOService_registerService(nub, 0);
    CHECK(IOService_waitQuiet_number(nub, SECOND) == kIOReturnTimeout);
    forget_events();
    IOService_terminate(nub, 0);
    CHECK(IOService_waitQuiet_number(nub, SECOND) == kIOReturnTimeout);
    CHECK_EVENTS("");
    xnu_publish_resource("Later");
    CHECK(IOService_waitQuiet_number(nub, SECOND) == kIOReturnSuccess);
    CHECK_EVENTS("slow.willTerminate(nub) slow.message(terminated) slow.didTerminate(nub) "
                 "slow.finalize slow.stop(nub) slow.free nub.stop(AppleACPIPlatformExpert)");
    object_release(nub);
}

static void a_termination_waits_for_a_start_in_progress(void **state)
{
    run_iokit(starting_body);
}

static void failing_start_body(void *unused)
{
    IOService *nub = make_nub("nub", NULL);

    add_driver("slow", "<key>TestStartFails</key><true/>"
                       "<key>IOResourceMatch</key><string>Later</string>");
    IOService_registerService(nub, 0);
    CHECK(IOService_waitQuiet_number(nub, SECOND) == kIOReturnTimeout);
    forget_events();
    IOService_terminate(nub, 0);
    xnu_publish_resource("Later");
    CHECK(IOService_waitQuiet_number(nub, SECOND) == kIOReturnSuccess);
    CHECK(strstr(events, "slow.stop") == NULL); /* it never started */
    CHECK(strstr(events, "nub.stop(AppleACPIPlatformExpert)") != NULL);
    CHECK(OSMetaClass_getInstanceCount(&TestDriver_gMetaClass) == 0);
    object_release(nub);
}

static void a_start_that_fails_during_a_termination_is_not_stopped(void **state)
{
    run_iokit(failing_start_body);
}

static void inactive_body(void *unused)
{
    IOService *nub = make_nub("nub", NULL), *client = (IOService *)TestNub_alloc();

    IORegistryEntry_init_dictionary(as_entry(client), NULL);
    IOService_terminate(nub, kIOServiceSynchronous);
    CHECK(!IOService_attach(client, nub));
    CHECK(!IOService_open(nub, client, 0, NULL));
    add_driver("never", "");
    forget_events();
    IOService_registerService(nub, kIOServiceSynchronous);
    CHECK_EVENTS("");
    object_release(client);
    object_release(nub);
}

static void an_inactive_service_takes_no_clients(void **state)
{
    run_iokit(inactive_body);
}

/* A client with two providers stays when one goes; it is only detached from it. */
static void two_providers_body(void *unused)
{
    IOService *left = make_nub("left", NULL), *right = make_nub("right", NULL);
    IOService *client = make_nub("client", left);

    CHECK(IOService_attach(client, right));
    IOService_terminate(left, kIOServiceSynchronous);
    CHECK_EVENTS("client.willTerminate(left) client.didTerminate(left) client.stop(left) "
                 "left.stop(AppleACPIPlatformExpert)");
    CHECK(!IOService_isInactive(client));
    CHECK(IOService_getProvider(client) == right);
    IOService_terminate(right, kIOServiceSynchronous);
    CHECK(IOService_isInactive(client) && !IOService_getProvider(client));
    object_release(client);
    object_release(right);
    object_release(left);
}

static void a_client_with_another_provider_stays(void **state)
{
    run_iokit(two_providers_body);
}

/* ---- gates ---- */

struct GatedNub {
    IOService super;
    IOWorkLoop *loop;
    bool in_gate;
};

static IOWorkLoop *gated_loop(IOService *me)
{
    return ((struct GatedNub *)me)->loop;
}

struct GateWatcher {
    IOService super;
};

IOKIT_CLASS(8, GatedNub, IOService, .getWorkLoop = gated_loop)

static void check_gate(IOService *provider, const char *call)
{
    record("%s%s", call, IOWorkLoop_inGate(gated_loop(provider)) ? "+" : "-");
}

static bool watcher_will(IOService *me, IOService *provider, uint32_t options)
{
    check_gate(provider, "will");
    return IOService_super_willTerminate(me, provider, options);
}

static bool watcher_did(IOService *me, IOService *provider, uint32_t options, bool *defer)
{
    check_gate(provider, "did");
    return IOService_super_didTerminate(me, provider, options, defer);
}

static void watcher_stop(IOService *me, IOService *provider)
{
    check_gate(provider, "stop");
}

IOKIT_CLASS(11, GateWatcher, IOService, .willTerminate = watcher_will,
            .didTerminate = watcher_did, .stop = watcher_stop)

static void gate_body(void *unused)
{
    GatedNub *nub = GatedNub_alloc();
    GateWatcher *watcher = GateWatcher_alloc();

    IORegistryEntry_init_dictionary(as_entry(nub), NULL);
    IORegistryEntry_init_dictionary(as_entry(watcher), NULL);
    nub->loop = IOWorkLoop_workLoop();
    CHECK(IOService_attach((IOService *)nub, (IOService *)IOService_getPlatform()));
    CHECK(IOService_attach((IOService *)watcher, (IOService *)nub));
    IOService_terminate((IOService *)nub, kIOServiceSynchronous);
    CHECK_EVENTS("will+ did+ stop+");
    object_release(nub->loop);
    object_release(watcher);
    object_release(nub);
}

static void calls_about_a_nub_run_in_its_gate(void **state)
{
    run_iokit(gate_body);
}

/* ---- busy ---- */

static void busy_body(void *unused)
{
    IOService *outer = make_nub("outer", NULL), *inner = make_nub("inner", outer);
    IOService *platform = (IOService *)IOService_getPlatform();
    unsigned before = IOService_getBusyState(platform);

    IOService_adjustBusy(inner, 1);
    IOService_adjustBusy(inner, 1);
    CHECK(IOService_getBusyState(inner) == 2);
    CHECK(IOService_getBusyState(outer) == 1);
    CHECK(IOService_getBusyState(platform) == before + 1);
    IOService_adjustBusy(inner, -1);
    CHECK(IOService_waitQuiet_number(outer, 1000) == kIOReturnTimeout);
    IOService_adjustBusy(inner, -1);
    CHECK(IOService_getBusyState(outer) == 0);
    CHECK(IOService_waitQuiet_number(outer, 0) == kIOReturnSuccess);
    /* a busy client takes its count along when it detaches */
    IOService_adjustBusy(inner, 1);
    IOService_detach(inner, outer);
    CHECK(IOService_getBusyState(outer) == 0 && IOService_getBusyState(inner) == 1);
    CHECK(IOService_attach(inner, outer));
    CHECK(IOService_getBusyState(outer) == 1);
    IOService_adjustBusy(inner, -1);
    CHECK(IOService_getBusyState(platform) == before);
    object_release(inner);
    object_release(outer);
}

static void busy_counts_go_up_on_edges_alone(void **state)
{
    run_iokit(busy_body);
}

static void shutdown_body(void *unused)
{
    IOService *nub = nub_with_driver("nub", "d", "");

    object_release(nub);
    CHECK(xnu_shutdown(false));
    CHECK(strstr(events, "d.stop(nub) d.free nub.stop(AppleACPIPlatformExpert) nub.free") != NULL);
    CHECK(!module_has_instances("test.drivers"));
}

static void shutdown_takes_every_driver_down(void **state)
{
    run_iokit(shutdown_body);
}

/* On real threads a matching thread may let go of a service a little later: only the sum is
 * checked. */
static void real_body(void *unused)
{
    IOService *nub = stack_of_two(""), *other = make_nub("other", NULL);

    IOService_registerService(other, 0);
    IOService_terminate(nub, kIOServiceSynchronous);
    CHECK(strstr(events, "inner.stop(outer)") && strstr(events, "outer.stop(nub)"));
    CHECK(strstr(events, "inner.stop(outer)") < strstr(events, "outer.stop(nub)"));
    object_release(nub);
    object_release(other);
    CHECK(xnu_shutdown(false));
    CHECK(!module_has_instances("test.drivers"));
}

static void real_threads_leave_nothing_behind(void **state)
{
    unsigned i;

    for (i = 0; i < 20; i++)
        run_iokit_real(real_body);
}

/* A middle node waits in the stop queue while the leaf above it holds it open. */
static void held_body(void *unused)
{
    IOService *nub = make_nub("nub", NULL), *middle = make_nub("middle", nub);
    IOService *leaf = make_nub("leaf", middle);

    CHECK(IOService_open(middle, leaf, 0, NULL));
    IOService_terminate(nub, 0);
    CHECK(IOService_waitQuiet_number(nub, SECOND) == kIOReturnTimeout);
    CHECK(strstr(events, "stop") == NULL);
    IOService_close(middle, leaf, 0);
    CHECK(IOService_waitQuiet_number(nub, SECOND) == kIOReturnSuccess);
    CHECK(strstr(events, "leaf.stop(middle) middle.stop(nub) nub.stop(AppleACPIPlatformExpert)"));
    object_release(leaf);
    object_release(middle);
    object_release(nub);
}

static void a_middle_node_waits_for_the_leaf_above_it(void **state)
{
    run_iokit(held_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_driver_sees_the_documented_order),
        cmocka_unit_test(will_goes_down_did_goes_up_and_leaves_stop_first),
        cmocka_unit_test(asynchronous_termination_goes_on_in_its_own_thread),
        cmocka_unit_test(a_driver_terminates_without_its_nub),
        cmocka_unit_test(a_client_that_holds_the_nub_open_delays_everything),
        cmocka_unit_test(deferring_is_honoured_until_the_close),
        cmocka_unit_test(a_termination_waits_for_a_start_in_progress),
        cmocka_unit_test(a_start_that_fails_during_a_termination_is_not_stopped),
        cmocka_unit_test(an_inactive_service_takes_no_clients),
        cmocka_unit_test(a_client_with_another_provider_stays),
        cmocka_unit_test(calls_about_a_nub_run_in_its_gate),
        cmocka_unit_test(busy_counts_go_up_on_edges_alone),
        cmocka_unit_test(shutdown_takes_every_driver_down),
        cmocka_unit_test(a_middle_node_waits_for_the_leaf_above_it),
        cmocka_unit_test(real_threads_leave_nothing_behind),
    };

    return cmocka_run_group_tests_name("iokit termination", tests, NULL, NULL);
}
