/* SPDX-License-Identifier: BSD-3-Clause */
/* Which driver gets a nub: scores, order, categories, probe, names, family keys, resources. */
#include "tests/unit/xnu-iokit/iokit_test.h"

#define SCORE(number) "<key>IOProbeScore</key><integer>" number "</integer>"
#define CATEGORY(name) "<key>IOMatchCategory</key><string>" name "</string>"

static void score_body(void *unused)
{
    IOService *nub;

    add_driver("low", SCORE("10"));
    add_driver("high", SCORE("1000"));
    add_driver("none", "");
    nub = make_nub("nub", NULL);
    IOService_registerService(nub, 0);
    CHECK(wait_idle());
    CHECK_EVENTS("high.probe low.probe none.probe high.start low.free none.free");
    CHECK(driver_of(nub, "high") && !driver_of(nub, "low"));
    CHECK(IOService_getState(nub) & kIOServiceMatchedState);
    object_release(nub);
}

static void the_highest_score_is_probed_first_and_wins(void **state)
{
    run_iokit(score_body);
}

static void probe_score_body(void *unused)
{
    IOService *nub = make_nub("nub", NULL), *winner;
    OSNumber *score;

    add_driver("first", SCORE("100"));
    add_driver("modest", SCORE("50") "<key>TestProbeAdds</key><integer>500</integer>");
    IOService_registerService(nub, 0);
    CHECK(wait_idle());
    CHECK_EVENTS("first.probe modest.probe modest.start first.free");
    winner = driver_of(nub, "modest");
    score = winner ? as_number(IORegistryEntry_getProperty_cstring(as_entry(winner),
                                                                   "IOProbeScore"))
                   : NULL;
    CHECK(score && OSNumber_unsigned32BitValue(score) == 550);
    object_release(nub);
}

static void the_score_after_probe_decides(void **state)
{
    run_iokit(probe_score_body);
}

static void equal_body(void *unused)
{
    IOService *nub = make_nub("nub", NULL);

    add_driver("one", SCORE("7"));
    add_driver("two", SCORE("7"));
    add_driver("three", SCORE("7"));
    IOService_registerService(nub, 0);
    CHECK(wait_idle());
    CHECK_EVENTS("one.probe two.probe three.probe one.start two.free three.free");
    object_release(nub);
}

static void equal_scores_keep_the_order_of_addition(void **state)
{
    run_iokit(equal_body);
}

static void negative_body(void *unused)
{
    IOService *nub = make_nub("nub", NULL);

    add_driver("negative", SCORE("-100"));
    add_driver("text", "<key>IOProbeScore</key><string>1000</string>");
    IOService_registerService(nub, 0);
    CHECK(wait_idle());
    CHECK_EVENTS("text.probe negative.probe text.start negative.free");
    object_release(nub);
}

static void a_score_is_signed_and_a_text_counts_as_none(void **state)
{
    run_iokit(negative_body);
}

static void refuse_body(void *unused)
{
    IOService *nub = make_nub("nub", NULL);

    add_driver("proud", SCORE("100") "<key>TestProbeRefuses</key><true/>");
    add_driver("broken", SCORE("50") "<key>TestStartFails</key><true/>");
    add_driver("good", "");
    IOService_registerService(nub, 0);
    CHECK(wait_idle());
    /* nothing calls stop when start fails */
    CHECK_EVENTS("proud.probe proud.free broken.probe good.probe broken.start broken.free "
                 "good.start");
    CHECK(driver_of(nub, "good") != NULL);
    object_release(nub);
}

static void who_declines_or_fails_makes_room_for_the_next(void **state)
{
    run_iokit(refuse_body);
}

static void category_body(void *unused)
{
    IOService *nub = make_nub("nub", NULL);

    add_driver("main", SCORE("5"));
    add_driver("other", SCORE("4"));
    add_driver("debug", CATEGORY("Debug"));
    add_driver("debug2", SCORE("1") CATEGORY("Debug"));
    IOService_registerService(nub, 0);
    CHECK(wait_idle());
    CHECK(driver_of(nub, "main") && driver_of(nub, "debug2"));
    CHECK(!driver_of(nub, "other") && !driver_of(nub, "debug"));
    /* a later pass does not look at what is taken */
    forget_events();
    IOService_registerService(nub, 0);
    CHECK(wait_idle());
    CHECK_EVENTS("");
    object_release(nub);
}

static void each_category_has_one_client(void **state)
{
    run_iokit(category_body);
}

static void class_body(void *unused)
{
    IOService *nub = make_nub("nub", NULL);

    add_personalities("<key>missing</key><dict><key>IOClass</key><string>NoSuchClass</string>"
                      "<key>IOProviderClass</key><string>TestNub</string>"
                      SCORE("9") "</dict>");
    add_personalities("<key>collection</key><dict><key>IOClass</key><string>OSArray</string>"
                      "<key>IOProviderClass</key><string>TestNub</string>" SCORE("8") "</dict>");
    add_driver("good", "");
    IOService_registerService(nub, 0);
    CHECK(wait_idle());
    CHECK_EVENTS("good.probe good.start");
    object_release(nub);
}

static void an_unknown_class_is_skipped(void **state)
{
    run_iokit(class_body);
}

static void superclass_body(void *unused)
{
    IOService *nub = make_nub("nub", NULL);

    add_personalities("<key>general</key><dict><key>IOClass</key><string>TestDriver</string>"
                      "<key>IOProviderClass</key><string>IOService</string>"
                      "<key>IONameMatch</key><string>nub</string>"
                      "<key>TestName</key><string>general</string></dict>");
    add_driver("special", "");
    IOService_registerService(nub, 0);
    CHECK(wait_idle());
    /* equal scores: more derived provider class first */
    CHECK_EVENTS("special.probe general.probe special.start general.free");
    object_release(nub);
}

static void personalities_of_superclasses_count_less_when_scores_are_equal(void **state)
{
    run_iokit(superclass_body);
}

static void old_superclass_start(void)
{
    release_select("10.8.5");
    iokit_test_start();
}

static void old_superclass_body(void *unused)
{
    IOService *nub = make_nub("nub", NULL);

    add_personalities("<key>general</key><dict><key>IOClass</key><string>TestDriver</string>"
                      "<key>IOProviderClass</key><string>IOService</string>"
                      "<key>IONameMatch</key><string>nub</string>"
                      "<key>TestName</key><string>general</string></dict>");
    add_driver("special", "");
    IOService_registerService(nub, 0);
    CHECK(wait_idle());
    CHECK_EVENTS("general.probe special.probe general.start special.free");
    object_release(nub);
}

static void before_10_9_only_the_order_of_addition_counts(void **state)
{
    release_select("10.8.5");
    kernel_test_start = old_superclass_start;
    run_seeds(old_superclass_body, 2);
    release_select("12.5");
}

static void name_body(void *unused)
{
    IOService *nub = make_nub("nub7", NULL), *driver;
    OSString *matched;

    add_driver("a", "<key>IONameMatch</key><string>other</string>");
    add_driver("b", "<key>IONameMatch</key><array><string>x</string><string>nub7</string></array>");
    IOService_registerService(nub, 0);
    CHECK(wait_idle());
    CHECK_EVENTS("b.probe b.start");
    driver = driver_of(nub, "b");
    matched = driver ? as_string(IORegistryEntry_getProperty_cstring(as_entry(driver),
                                                                     "IONameMatched"))
                     : NULL;
    CHECK(matched && OSString_isEqualTo_cstring(matched, "nub7"));
    object_release(nub);
}

static void the_matched_name_is_left_in_the_driver(void **state)
{
    run_iokit(name_body);
}

static void family_body(void *unused)
{
    IOService *nub = make_nub("nub", NULL);

    set_text(nub, "TestKind", "disk");
    add_driver("net", SCORE("900") "<key>TestKind</key><string>net</string>");
    add_driver("any", SCORE("10"));
    add_driver("disk", "<key>TestKind</key><string>disk</string>"
                       "<key>TestScore</key><integer>50</integer>");
    IOService_registerService(nub, 0);
    CHECK(wait_idle());
    CHECK_EVENTS("disk.probe any.probe disk.start any.free");
    object_release(nub);
}

static void keys_of_the_family_decide_and_add_to_the_score(void **state)
{
    run_iokit(family_body);
}

static void property_body(void *unused)
{
    IOService *nub = make_nub("nub", NULL);

    set_text(nub, "Color", "blue");
    add_driver("red",
               "<key>IOPropertyMatch</key><dict><key>Color</key><string>red</string></dict>");
    add_driver("blue",
               "<key>IOPropertyMatch</key><dict><key>Color</key><string>blue</string></dict>");
    add_driver("shape", "<key>IOPropertyExistsMatch</key><string>Shape</string>" SCORE("9"));
    IOService_registerService(nub, 0);
    CHECK(wait_idle());
    CHECK_EVENTS("blue.probe blue.start");
    object_release(nub);
}

static void generic_keys_are_libkextmatchs(void **state)
{
    run_iokit(property_body);
}

static void parent_body(void *unused)
{
    IOService *bus = make_nub("bus", NULL), *nub;

    set_text(bus, "TestKind", "bus");
    nub = make_nub("nub", bus);
    add_driver("no", "<key>IOParentMatch</key><dict><key>TestKind</key><string>x</string>"
                     "<key>IOProviderClass</key><string>TestNub</string></dict>" SCORE("9"));
    add_driver("yes", "<key>IOParentMatch</key><dict><key>TestKind</key><string>bus</string>"
                      "<key>IOProviderClass</key><string>TestNub</string></dict>");
    IOService_registerService(nub, 0);
    CHECK(wait_idle());
    CHECK_EVENTS("yes.probe yes.start");
    object_release(nub);
    object_release(bus);
}

static void a_parent_is_matched_with_its_familys_keys(void **state)
{
    run_iokit(parent_body);
}

static void later_body(void *unused)
{
    IOService *nub = make_nub("nub", NULL);

    IOService_registerService(nub, 0);
    CHECK(wait_idle());
    CHECK_EVENTS("");
    add_driver("late", "");
    CHECK(wait_idle());
    CHECK_EVENTS("late.probe late.start");
    add_driver("late", ""); /* the same again: ignored */
    CHECK(wait_idle());
    CHECK_EVENTS("late.probe late.start");
    object_release(nub);
}

static void new_personalities_reach_registered_nubs(void **state)
{
    run_iokit(later_body);
}

static void resource_body(void *unused)
{
    IOService *nub = make_nub("nub", NULL);

    add_driver("patient", "<key>IOResourceMatch</key><string>TestResource</string>");
    IOService_registerService(nub, 0);
    CHECK(IOService_waitQuiet_number(nub, SECOND) == kIOReturnTimeout);
    CHECK_EVENTS("patient.probe");
    xnu_publish_resource("TestResource");
    CHECK(wait_idle());
    CHECK_EVENTS("patient.probe patient.start");
    object_release(nub);
}

static void a_driver_waits_for_its_resource_before_start(void **state)
{
    run_iokit(resource_body);
}

static void on_resources_body(void *unused)
{
    add_personalities("<key>r</key><dict><key>IOClass</key><string>TestDriver</string>"
                      "<key>IOProviderClass</key><string>IOResources</string>"
                      "<key>IOResourceMatch</key><string>TestResource</string>"
                      "<key>IOMatchCategory</key><string>TestDriver</string>"
                      "<key>TestName</key><string>r</string></dict>");
    CHECK(wait_idle());
    CHECK_EVENTS("");
    xnu_publish_resource("TestResource");
    CHECK(wait_idle());
    CHECK_EVENTS("r.probe r.start");
    CHECK(driver_of(IOService_getResourceService(), "r") != NULL);
}

static void publishing_a_resource_matches_drivers_of_ioresources(void **state)
{
    run_iokit(on_resources_body);
}

/* As HyperVController waits for the root bridge: more starts block than there are idle threads. */
static void pool_body(void *unused)
{
    IOService *nubs[8];
    unsigned i;

    add_driver("waits", "<key>IONameMatch</key><string>waits</string>"
                        "<key>TestWaitsFor</key><string>Later</string>");
    add_driver("plain", "<key>IONameMatch</key><string>plain</string>");
    for (i = 0; i < 8; i++) {
        nubs[i] = make_nub(i < 7 ? "waits" : "plain", NULL);
        IOService_registerService(nubs[i], 0);
    }
    CHECK(IOService_waitQuiet_number(nubs[7], 10 * SECOND) == kIOReturnSuccess);
    CHECK(driver_of(nubs[7], "plain") != NULL);
    xnu_publish_resource("Later");
    CHECK(wait_idle());
    for (i = 0; i < 8; i++) {
        CHECK(driver_of(nubs[i], i < 7 ? "waits" : "plain") != NULL);
        object_release(nubs[i]);
    }
}

static void the_pool_grows_when_starts_block(void **state)
{
    run_iokit(pool_body);
}

static void sync_body(void *unused)
{
    IOService *nub = make_nub("nub", NULL);

    add_driver("now", "");
    IOService_registerService(nub, kIOServiceSynchronous);
    CHECK_EVENTS("now.probe now.start");
    CHECK(IOService_getBusyState(nub) == 0);
    object_release(nub);
}

static void synchronous_registration_returns_when_all_is_started(void **state)
{
    run_iokit(sync_body);
}

static void not_rooted_body(void *unused)
{
    IOService *nub = (IOService *)TestNub_alloc();

    CHECK(IORegistryEntry_init_dictionary(as_entry(nub), NULL));
    add_driver("never", "");
    IOService_registerService(nub, kIOServiceSynchronous);
    CHECK(IOService_getState(nub) == 0);
    CHECK_EVENTS("");
    object_release(nub);
}

static void a_nub_outside_the_registry_is_not_registered(void **state)
{
    run_iokit(not_rooted_body);
}

/* Whatever allocation fails, nothing leaks a nub or a driver and the next registration works. */
static void allocation_body(void *unused)
{
    unsigned drivers = OSMetaClass_getInstanceCount(&TestDriver_gMetaClass);
    unsigned nubs = OSMetaClass_getInstanceCount(&TestNub_gMetaClass);
    unsigned nth;

    add_driver("one", "");
    for (nth = 1; nth < 40; nth++) {
        IOService *nub = (IOService *)TestNub_alloc();

        machine_allocation_fail_at(nth, false);
        if (nub && IORegistryEntry_init_dictionary(as_entry(nub), NULL) &&
            IOService_attach(nub, (IOService *)IOService_getPlatform())) {
            machine_allocation_fail_at(0, false);
            IOService_terminate(nub, kIOServiceSynchronous);
        }
        machine_allocation_fail_at(0, false);
        object_release(nub);
        CHECK(OSMetaClass_getInstanceCount(&TestNub_gMetaClass) == nubs);
        CHECK(OSMetaClass_getInstanceCount(&TestDriver_gMetaClass) == drivers);
    }
}

static void a_failed_allocation_at_attach_leaves_nothing(void **state)
{
    run_iokit(allocation_body);
}

static void real_threads(void **state)
{
    run_iokit_real(pool_body);
    run_iokit_real(category_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_highest_score_is_probed_first_and_wins),
        cmocka_unit_test(the_score_after_probe_decides),
        cmocka_unit_test(equal_scores_keep_the_order_of_addition),
        cmocka_unit_test(a_score_is_signed_and_a_text_counts_as_none),
        cmocka_unit_test(who_declines_or_fails_makes_room_for_the_next),
        cmocka_unit_test(each_category_has_one_client),
        cmocka_unit_test(an_unknown_class_is_skipped),
        cmocka_unit_test(personalities_of_superclasses_count_less_when_scores_are_equal),
        cmocka_unit_test(before_10_9_only_the_order_of_addition_counts),
        cmocka_unit_test(the_matched_name_is_left_in_the_driver),
        cmocka_unit_test(keys_of_the_family_decide_and_add_to_the_score),
        cmocka_unit_test(generic_keys_are_libkextmatchs),
        cmocka_unit_test(a_parent_is_matched_with_its_familys_keys),
        cmocka_unit_test(new_personalities_reach_registered_nubs),
        cmocka_unit_test(a_driver_waits_for_its_resource_before_start),
        cmocka_unit_test(publishing_a_resource_matches_drivers_of_ioresources),
        cmocka_unit_test(the_pool_grows_when_starts_block),
        cmocka_unit_test(synchronous_registration_returns_when_all_is_started),
        cmocka_unit_test(a_nub_outside_the_registry_is_not_registered),
        cmocka_unit_test(a_failed_allocation_at_attach_leaves_nothing),
        cmocka_unit_test(real_threads),
    };

    return cmocka_run_group_tests_name("iokit matching", tests, NULL, NULL);
}
