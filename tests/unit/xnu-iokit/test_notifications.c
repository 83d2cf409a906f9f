/* SPDX-License-Identifier: BSD-3-Clause */
/* Notifications, interests, waiting, open and close. */
#include "tests/unit/xnu-iokit/iokit_test.h"

static bool came(void *target, void *reference, IOService *service, IONotifier *notifier)
{
    CHECK(target == (void *)0x1 && notifier != NULL);
    record("%s:%s", (const char *)reference, IORegistryEntry_getName(as_entry(service), NULL));
    return true;
}

static bool old_came(void *target, void *reference, IOService *service)
{
    record("%s:%s", (const char *)reference, IORegistryEntry_getName(as_entry(service), NULL));
    return true;
}

static IONotifier *watch(const OSSymbol *type, const char *tag, int priority)
{
    OSDictionary *matching = IOService_serviceMatching_cstring("TestNub", NULL);
    IONotifier *notifier = IOService_addMatchingNotification(type, matching, came, (void *)0x1,
                                                             (void *)(uintptr_t)tag, priority);

    CHECK(notifier != NULL);
    object_release(matching);
    return notifier;
}

static void types_body(void *unused)
{
    IONotifier *notifiers[5];
    IOService *nub;
    unsigned i;

    notifiers[0] = watch(gIOFirstPublishNotification, "firstPublish", 0);
    notifiers[1] = watch(gIOPublishNotification, "publish", 0);
    notifiers[2] = watch(gIOMatchedNotification, "matched", 0);
    notifiers[3] = watch(gIOFirstMatchNotification, "firstMatch", 0);
    notifiers[4] = watch(gIOTerminatedNotification, "terminated", 0);
    add_driver("d", "");
    nub = make_nub("nub", NULL);
    IOService_registerService(nub, 0);
    CHECK(wait_idle());
    CHECK_EVENTS("firstPublish:nub publish:nub d.probe d.start matched:nub firstMatch:nub");
    forget_events();
    IOService_registerService(nub, 0);
    CHECK(wait_idle());
    CHECK_EVENTS("publish:nub matched:nub");
    forget_events();
    IOService_terminate(nub, kIOServiceSynchronous);
    CHECK(strncmp(events, "terminated:nub d.willTerminate(nub)", 35) == 0);
    for (i = 0; i < 5; i++)
        IONotifier_remove(notifiers[i]);
    object_release(nub);
}

static void each_type_comes_at_its_time(void **state)
{
    run_iokit(types_body);
}

static void existing_body(void *unused)
{
    IOService *one = make_nub("one", NULL), *two = make_nub("two", NULL);
    IONotifier *notifier, *old;

    IOService_registerService(one, kIOServiceSynchronous);
    IOService_registerService(two, kIOServiceSynchronous);
    notifier = watch(gIOMatchedNotification, "m", 0);
    CHECK_EVENTS("m:one m:two"); /* on this thread, before the call returned */
    old = IOService_addNotification(gIOPublishNotification,
                                    IOService_serviceMatching_cstring("TestNub", NULL), old_came,
                                    NULL, (void *)(uintptr_t) "p", 0);
    CHECK_EVENTS("m:one m:two p:one p:two");
    IONotifier_remove(notifier);
    IONotifier_remove(old);
    forget_events();
    IOService_registerService(one, kIOServiceSynchronous);
    CHECK_EVENTS("");
    object_release(two);
    object_release(one);
}

static void existing_services_are_told_at_once(void **state)
{
    run_iokit(existing_body);
}

static void priority_body(void *unused)
{
    IONotifier *low = watch(gIOPublishNotification, "low", -5);
    IONotifier *high = watch(gIOPublishNotification, "high", 10);
    IONotifier *middle = watch(gIOPublishNotification, "middle", 0);
    IOService *nub = make_nub("nub", NULL);
    bool was;

    IOService_registerService(nub, kIOServiceSynchronous);
    CHECK_EVENTS("high:nub middle:nub low:nub");
    forget_events();
    was = IONotifier_disable(high);
    CHECK(was);
    IOService_registerService(nub, kIOServiceSynchronous);
    CHECK_EVENTS("middle:nub low:nub");
    IONotifier_enable(high, was);
    forget_events();
    IOService_registerService(nub, kIOServiceSynchronous);
    CHECK_EVENTS("high:nub middle:nub low:nub");
    IONotifier_remove(high);
    IONotifier_remove(middle);
    IONotifier_remove(low);
    object_release(nub);
}

static void priorities_order_the_calls_and_disable_skips(void **state)
{
    run_iokit(priority_body);
}

/* ---- removing while a handler runs ---- */

static int handler_state; /* 1: inside, 2: may leave, 3: left */

static bool slow_handler(void *target, void *reference, IOService *service, IONotifier *notifier)
{
    handler_state = 1;
    machine_wakeup(&handler_state, false);
    while (handler_state != 2)
        machine_sleep(NULL, &handler_state, machine_uptime() + SECOND, false);
    handler_state = 3;
    return true;
}

static void remover(void *notifier)
{
    IONotifier_remove(notifier);
    CHECK(handler_state == 3);
    record("removed");
}

static void remove_body(void *unused)
{
    OSDictionary *matching = IOService_serviceMatching_cstring("TestNub", NULL);
    IONotifier *notifier = IOService_addMatchingNotification(gIOPublishNotification, matching,
                                                             slow_handler, NULL, NULL, 0);
    struct machine_thread *thread;
    IOService *nub = make_nub("nub", NULL);

    IOService_registerService(nub, 0);
    while (handler_state != 1)
        machine_sleep(NULL, &handler_state, machine_uptime() + SECOND, false);
    thread = machine_thread_start("remover", remover, notifier);
    machine_sleep(NULL, &thread, machine_uptime() + SECOND, false);
    CHECK_EVENTS(""); /* still waiting */
    handler_state = 2;
    machine_wakeup(&handler_state, false);
    machine_thread_join(thread);
    machine_thread_release(thread);
    CHECK_EVENTS("removed");
    CHECK(wait_idle());
    object_release(matching);
    object_release(nub);
}

static void remove_waits_for_a_handler_on_another_thread(void **state)
{
    run_iokit(remove_body);
}

static bool removes_itself(void *target, void *reference, IOService *service, IONotifier *notifier)
{
    record("once");
    IONotifier_remove(notifier);
    return true;
}

static void self_remove_body(void *unused)
{
    OSDictionary *matching = IOService_serviceMatching_cstring("TestNub", NULL);
    IOService *nub = make_nub("nub", NULL);

    CHECK(IOService_addMatchingNotification(gIOPublishNotification, matching, removes_itself, NULL,
                                            NULL, 0) != NULL);
    IOService_registerService(nub, kIOServiceSynchronous);
    IOService_registerService(nub, kIOServiceSynchronous);
    CHECK_EVENTS("once");
    object_release(matching);
    object_release(nub);
}

static void a_handler_may_remove_its_own_notification(void **state)
{
    run_iokit(self_remove_body);
}

/* ---- waiting ---- */

static void registers_later(void *nub)
{
    machine_sleep(NULL, nub, machine_uptime() + SECOND, false);
    record("registered");
    IOService_registerService(nub, 0);
}

static void wait_body(void *unused)
{
    OSDictionary *matching = IOService_serviceMatching_cstring("TestNub", NULL);
    IOService *nub = make_nub("nub", NULL), *found;
    struct mach_timespec timeout = {2, 0};
    struct machine_thread *thread;

    CHECK(!IOService_waitForMatchingService(matching, 0)); /* only looks */
    CHECK(!IOService_waitForMatchingService(matching, SECOND / 2));
    thread = machine_thread_start("registers", registers_later, nub);
    found = IOService_waitForMatchingService(matching, 5 * SECOND);
    CHECK(found == nub);
    CHECK(IOService_getState(nub) & kIOServiceMatchedState);
    object_release(found);
    machine_thread_join(thread);
    machine_thread_release(thread);
    object_retain(matching);
    CHECK(IOService_waitForService(matching, &timeout) == nub); /* consumes the dictionary */
    found = IOService_copyMatchingService(matching);
    CHECK(found == nub);
    object_release(found);
    object_release(matching);
    CHECK(wait_idle());
    object_release(nub);
}

static void waiting_ends_when_a_service_has_matched(void **state)
{
    run_iokit(wait_body);
}

static void iterate_body(void *unused)
{
    IOService *one = make_nub("one", NULL), *two = make_nub("two", NULL);
    OSDictionary *by_name = IOService_nameMatching_cstring("two", NULL);
    OSDictionary *by_id, *by_property;
    const OSSymbol *key = OSSymbol_withCString("Color");
    OSString *blue = OSString_withCString("blue");
    OSIterator *iterator;

    set_text(two, "Color", "blue");
    IOService_registerService(one, kIOServiceSynchronous);
    IOService_registerService(two, kIOServiceSynchronous);
    iterator = IOService_getMatchingServices(by_name);
    CHECK(iterator_next(iterator) == two && !iterator_next(iterator));
    object_release(iterator);
    by_id = IOService_registryEntryIDMatching(IORegistryEntry_getRegistryEntryID(as_entry(one)),
                                              NULL);
    iterator = IOService_getMatchingServices(by_id);
    CHECK(iterator_next(iterator) == one && !iterator_next(iterator));
    object_release(iterator);
    by_property = IOService_propertyMatching(key, (OSObject *)blue, NULL);
    iterator = IOService_getMatchingServices(by_property);
    CHECK(iterator_next(iterator) == two && !iterator_next(iterator));
    object_release(iterator);
    object_release(by_property);
    object_release(by_id);
    object_release(by_name);
    object_release(blue);
    object_release(key);
    object_release(two);
    object_release(one);
}

static void services_are_found_by_name_id_and_property(void **state)
{
    run_iokit(iterate_body);
}

/* ---- interests and messages ---- */

static int32_t interested(void *target, void *reference, uint32_t type, IOService *provider,
                          void *argument, unsigned long size)
{
    record("%s:0x%x/%llx", (const char *)reference, type, (unsigned long long)(uintptr_t)argument);
    return kIOReturnSuccess;
}

static void interest_body(void *unused)
{
    IOService *nub = make_nub("nub", NULL), *client = make_nub("client", nub);
    IONotifier *general = IOService_registerInterest(nub, gIOGeneralInterest, interested, NULL,
                                                     (void *)(uintptr_t) "g");
    IONotifier *busy = IOService_registerInterest(nub, gIOBusyInterest, interested, NULL,
                                                  (void *)(uintptr_t) "b");

    CHECK_EVENTS("b:0xe0000120/0"); /* the state at once */
    forget_events();
    IOService_adjustBusy(nub, 2);
    IOService_adjustBusy(nub, -1);
    IOService_adjustBusy(nub, -1);
    CHECK_EVENTS("b:0xe0000120/2 b:0xe0000120/0");
    forget_events();
    CHECK(IOService_messageClients(nub, 0x1234, (void *)0x55, 0) == kIOReturnUnsupported);
    CHECK_EVENTS("g:0x1234/55");
    IONotifier_remove(general);
    forget_events();
    IOService_messageClients(nub, 0x1234, NULL, 0);
    CHECK_EVENTS("");
    CHECK(!IOService_registerInterest(nub, gIONameKey, interested, NULL, NULL));
    IONotifier_remove(busy);
    object_release(client);
    object_release(nub);
}

static void interests_get_messages_and_busy_changes(void **state)
{
    run_iokit(interest_body);
}

static void open_body(void *unused)
{
    IOService *nub = make_nub("nub", NULL);
    IOService *one = make_nub("one", nub), *two = make_nub("two", nub);
    IONotifier *interest = IOService_registerInterest(nub, gIOGeneralInterest, interested, NULL,
                                                      (void *)(uintptr_t) "i");

    CHECK(IOService_open(nub, one, 0, NULL));
    CHECK_EVENTS("i:0xe0000101/0");
    CHECK(IOService_isOpen(nub, NULL) && IOService_isOpen(nub, one) && !IOService_isOpen(nub, two));
    CHECK(!IOService_open(nub, two, 0, NULL));
    CHECK(!IOService_open(nub, two, kIOServiceSeize, NULL)); /* the owner does not understand */
    forget_events();
    IOService_close(nub, two, 0); /* not the owner: nothing */
    CHECK(IOService_isOpen(nub, one));
    CHECK_EVENTS("");
    IOService_close(nub, one, 0);
    CHECK_EVENTS("i:0xe0000110/0");
    CHECK(!IOService_isOpen(nub, NULL));
    CHECK(IOService_open(nub, two, 0, NULL));
    IONotifier_remove(interest);
    object_release(two);
    object_release(one);
    object_release(nub);
}

static void a_service_has_one_owner_at_a_time(void **state)
{
    run_iokit(open_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_comes_at_its_time),
        cmocka_unit_test(existing_services_are_told_at_once),
        cmocka_unit_test(priorities_order_the_calls_and_disable_skips),
        cmocka_unit_test(remove_waits_for_a_handler_on_another_thread),
        cmocka_unit_test(a_handler_may_remove_its_own_notification),
        cmocka_unit_test(waiting_ends_when_a_service_has_matched),
        cmocka_unit_test(services_are_found_by_name_id_and_property),
        cmocka_unit_test(interests_get_messages_and_busy_changes),
        cmocka_unit_test(a_service_has_one_owner_at_a_time),
    };

    return cmocka_run_group_tests_name("iokit notifications", tests, NULL, NULL);
}
