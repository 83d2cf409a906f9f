/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules of the register lists, generic keys, scores, categories, ties, and the catalogue. */
#include "tests/unit/match/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char card[] = "8086:10d3/1af4:1100/020000/00";

/* One key on one card. */
struct row {
    const char *key;
    const char *value; /* XML */
    unsigned release;  /* 0: newest */
    bool matches;
};

static void check_rows(const struct row *rows, size_t count)
{
    size_t index;

    for (index = 0; index < count; index++) {
        struct kext_set set = { NULL };
        struct device_list list = { NULL };
        struct verdict verdict;
        char keys[600];

        snprintf(keys, sizeof keys, "<key>%s</key>%s", rows[index].key, rows[index].value);
        add_kext(&set, "org.test", personality("P", keys));
        verdict = judge(&set, add_device(&list, card), NULL, rows[index].release);
        if (verdict.matches != rows[index].matches)
            fail_msg("%s %s: %u matches", rows[index].key, rows[index].value, verdict.matches);
        kext_set_clear(&set);
        device_list_clear(&list);
    }
}

static void register_lists_read_as_the_kernel_reads_them(void **state)
{
    static const struct row rows[] = {
        { "IOPCIMatch", "<string>0x10d38086</string>", 0, true },
        { "IOPCIMatch", "<string>0x808610d3</string>", 0, false },
        { "IOPCIMatch", "<string>10D38086</string>", 0, true },
        { "IOPCIMatch", "<string>0x10d38086,0x15338086</string>", 0, true },
        { "IOPCIMatch", "<string>0x15338086,0x10d38086</string>", 0, false },
        { "IOPCIMatch", "<string>0x15338086\n\t0x10d38086</string>", 0, true },
        { "IOPCIMatch", "<string>0x00008086 &amp; 0x0000ffff</string>", 0, true },
        { "IOPCIMatch", "<string>0x00008086\t&amp;0x0000ffff</string>", 0, false },
        { "IOPCIMatch", "<string>0x15338086&amp;</string>", 0, true },
        { "IOPCIMatch", "<string>0x15338086&amp;0x0xff00ffff</string>", 0, true },
        { "IOPCIMatch", "<string>0x11001af4</string>", 0, true },
        { "IOPCIPrimaryMatch", "<string>0x11001af4</string>", 0, false },
        { "IOPCISecondaryMatch", "<string>0x11001af4</string>", 0, true },
        { "IOPCIClassMatch", "<string>0x02000000</string>", 0, true },
        { "IOPCIClassMatch", "<string>0x020000</string>", 0, false },
        { "IOPCIClassMatch", "<string>0x01060000 0x02000000&amp;0xffff0000</string>", 0, true },
        { "IOPCIMatch", "<string>#0x10d38086</string>", 0, false },
        { "IOPCIMatch", "<string></string>", 0, false },
        { "IOPCIMatch", "<string>0x110d38086</string>", 0, true },
        { "IOPCIMatch", "<string>0x110d38086&amp;0x1ffffffff</string>", 0, false },
        { "IOPCIMatch", "<string>0x110d38086&amp;0x1ffffffff</string>", 1015, true },
        { "IOPCIMatch", "<string>0x10d38086 0x10d38086zzz</string>", 0, true },
        { "IOPCIMatch", "<array><string>0x10d38086</string></array>", 0, false },
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows);
}

static void generic_keys_follow_their_rules(void **state)
{
    static const struct row rows[] = {
        { "IONameMatch", "<string>pci8086,10d3</string>", 0, true },
        { "IONameMatch", "<string>pci8086,10D3</string>", 0, false },
        { "IONameMatch", "<string>ethernet</string>", 0, true },
        { "IONameMatch", "<string>pciclass,020000</string>", 0, true },
        { "IONameMatch", "<string>pci1af4,1100</string>", 0, true },
        { "IONameMatch", "<string>pci8086,*</string>", 0, true },
        { "IONameMatch", "<string>PCI8086,*</string>", 0, false },
        { "IONameMatch", "<string>pci*,10d3</string>", 0, false },
        { "IONameMatch", "<array><string>x</string><string>ethernet</string></array>", 0, true },
        { "IONameMatch", "<array><integer>1</integer><string>ethernet</string></array>", 0, false },
        { "IONameMatch", "<integer>1</integer>", 0, false },
        { "IOPropertyMatch", "<dict><key>device-id</key><data>0xAAAA==</data></dict>", 0, true },
        { "IOPropertyMatch", "<dict><key>vendor-id</key><data>hoAAAA==</data></dict>", 0, true },
        { "IOPropertyMatch", "<dict><key>device-id</key><data>0xAA</data></dict>", 0, false },
        { "IOPropertyMatch", "<dict><key>vendor-id</key><integer>32902</integer></dict>", 0,
          false },
        { "IOPropertyMatch", "<array><dict><key>a</key><string>b</string></dict><dict/></array>", 0,
          true },
        { "IOPropertyExistsMatch", "<string>vendor-id</string>", 0, true },
        { "IOPropertyExistsMatch", "<string>nothing</string>", 0, false },
        { "IOPropertyExistsMatch", "<string>nothing</string>", 1011, true },
        { "IOPathMatch", "<string>IOService:/</string>", 0, false },
        { "IOPathMatch", "<integer>1</integer>", 0, true },
        { "IOSomething", "<string>else</string>", 0, true },
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows);
}

static void wrong_type_of_a_register_key_is_reported_as_invalid(void **state)
{
    struct kext_set set = { NULL };
    struct device_list list = { NULL };
    struct verdict verdict;

    (void)state;
    add_kext(&set, "org.test", personality("P", "<key>IOPCIMatch</key><array/>"));
    verdict = judge(&set, add_device(&list, card), NULL, 0);
    assert_int_equal(verdict.matches, 0);
    assert_int_equal(verdict.invalid, 1);
    kext_set_clear(&set);
    device_list_clear(&list);
}

static void keys_are_anded(void **state)
{
    struct kext_set set = { NULL };
    struct device_list list = { NULL };

    (void)state;
    add_kext(&set, "org.test",
             personality("P", "<key>IOPCIPrimaryMatch</key><string>0x10d38086</string>"
                              "<key>IOPCIClassMatch</key><string>0x01060000</string>"));
    assert_string_equal(judge(&set, add_device(&list, card), NULL, 0).winner, "none");
    assert_string_equal(
        judge(&set, add_device(&list, "8086:10d3/1af4:1100/010600/00"), NULL, 0).winner, "P");
    kext_set_clear(&set);
    device_list_clear(&list);
}

#define WITH_ID "<key>IOPCIPrimaryMatch</key><string>0x10d38086</string>"

static void the_highest_score_wins_and_strings_count_as_zero(void **state)
{
    struct kext_set set = { NULL };
    struct device_list list = { NULL };
    struct device_record *device = add_device(&list, card);

    (void)state;
    add_kext(&set, "org.low",
             personality("Low", WITH_ID "<key>IOProbeScore</key><integer>-5</integer>"));
    add_kext(&set, "org.text",
             personality("Text", WITH_ID "<key>IOProbeScore</key><string>9999</string>"));
    assert_string_equal(judge(&set, device, NULL, 0).winner, "Text");
    assert_int_equal(judge(&set, device, NULL, 0).score, 0);
    add_kext(&set, "org.high",
             personality("High", WITH_ID "<key>IOProbeScore</key><integer>1</integer>"));
    assert_string_equal(judge(&set, device, NULL, 0).winner, "High");
    kext_set_clear(&set);
    device_list_clear(&list);
}

static void ties_go_to_the_more_derived_class_then_to_the_first_added(void **state)
{
    static const char on_service[] =
        "<key>S</key><dict><key>IOClass</key><string>C</string><key>IOProviderClass</key>"
        "<string>IOService</string>" WITH_ID "</dict>";
    struct kext_set set = { NULL };
    struct device_list list = { NULL };
    struct device_record *device = add_device(&list, card);

    (void)state;
    add_kext(&set, "org.s", on_service);
    add_kext(&set, "org.a", personality("A", WITH_ID));
    add_kext(&set, "org.b", personality("B", WITH_ID));
    assert_string_equal(judge(&set, device, NULL, 0).winner, "A");
    assert_int_equal(judge(&set, device, NULL, 0).matches, 3);
    assert_true(judge(&set, device, NULL, 0).tie);
    assert_string_equal(judge(&set, device, NULL, 1008).winner,
                        "S"); /* before 10.9: order of addition alone */
    kext_set_clear(&set);
    device_list_clear(&list);
}

static void each_category_has_its_own_winner(void **state)
{
    struct kext_set set = { NULL };
    struct device_list list = { NULL };
    struct device_record *device = add_device(&list, card);

    (void)state;
    add_kext(&set, "org.a", personality("A", WITH_ID));
    add_kext(&set, "org.b",
             personality("B", WITH_ID "<key>IOMatchCategory</key><string>Own</string>"
                                      "<key>IOProbeScore</key><integer>9</integer>"));
    assert_string_equal(judge(&set, device, NULL, 0).winner, "A");
    assert_string_equal(judge(&set, device, "Own", 0).winner, "B");
    kext_set_clear(&set);
    device_list_clear(&list);
}

static void what_is_not_known_of_a_device_leaves_a_key_undecided(void **state)
{
    struct kext_set set = { NULL };
    struct device_list list = { NULL };
    struct verdict verdict;

    (void)state;
    add_kext(&set, "org.a",
             personality("A", "<key>IOPCIClassMatch</key><string>0x02000000</string>"));
    verdict = judge(&set, add_device(&list, "8086:10d3"), NULL, 0);
    assert_int_equal(verdict.matches, 0);
    assert_int_equal(verdict.undecided, 1);
    verdict =
        judge(&set, add_device(&list, "8086:10d3/0200"), NULL, 0); /* no programming interface */
    assert_int_equal(verdict.undecided, 1);
    verdict = judge(&set, add_device(&list, "8086:10d3/0300"), NULL, 0);
    assert_int_equal(verdict.undecided, 0);
    kext_set_clear(&set);
    device_list_clear(&list);
}

static void a_tunnelled_device_needs_a_driver_that_can_stand_it(void **state)
{
    struct kext_set set = { NULL };
    struct device_list list = { NULL };
    struct device_record *device = add_device(&list, card);

    (void)state;
    device->tunnelled = true;
    add_kext(&set, "org.a", personality("A", WITH_ID));
    assert_string_equal(judge(&set, device, NULL, 0).winner, "none");
    add_kext(&set, "org.b", personality("B", WITH_ID "<key>IOPCITunnelCompatible</key><true/>"));
    assert_string_equal(judge(&set, device, NULL, 0).winner, "B");
    kext_set_clear(&set);
    device_list_clear(&list);
}

static void channel_types_compare_in_small_letters(void **state)
{
    static const char channel[] =
        "<key>C</key><dict><key>IOClass</key><string>C</string><key>IOProviderClass</key>"
        "<string>HyperVVMBusDevice</string><key>HVType</key>"
        "<string>f8615163-df3e-46c5-913f-f2d2f965ed0e</string></dict>";
    struct kext_set set = { NULL };
    struct device_list list = { NULL };

    (void)state;
    add_kext(&set, "org.c", channel);
    assert_int_equal(
        judge(&set, add_device(&list, "VMBUS\\{F8615163-DF3E-46C5-913F-F2D2F965ED0E}"), NULL, 0)
            .matches,
        1);
    assert_int_equal(
        judge(&set, add_device(&list, "HVType=F8615163-DF3E-46C5-913F-F2D2F965ED0E"), NULL, 0)
            .matches,
        0);
    kext_set_clear(&set);
    device_list_clear(&list);
}

/* A registry entry from XML, read as the last record of the list. */
static struct device_record *add_entry(struct device_list *list, const char *keys)
{
    struct problems problems = { 0 };
    char text[1000];

    snprintf(text, sizeof text, "<plist><dict>%s</dict></plist>", keys);
    assert_true(device_read_text(text, strlen(text), "entry", list, &problems));
    problems_clear(&problems);
    return list->records[list->count - 1];
}

static void resources_must_be_published(void **state)
{
    static const struct {
        const char *keys;
        unsigned release;
        bool matches;
    } rows[] = {
        { "<key>IOResourceMatch</key><string>IOKit</string>", 0, true },
        { "<key>IOResourceMatch</key><string>IOBSD</string>", 0, false },
        { "<key>IOResourceMatch</key><array><string>IOBSD</string></array>", 0, false },
        { "<key>IOResourceMatch</key><array><string>IOBSD</string></array>", 1300, true },
        { "<key>IOResourceMatch</key><array><string>IOBSD</string></array>", 1008, false },
        { "<key>IOResourceMatched</key><string>boot-uuid-media</string>", 0, true },
        { "<key>IOResourceMatched</key><string>IOBSD</string>", 0, false },
        { "<key>IOResourceMatched</key><string>IOBSD</string>", 1011, true },
        { "", 0, true },
        { "", 1008, false },
    };
    struct device_list list = { NULL };
    struct device_record *nub =
        add_entry(&list, "<key>IOObjectClass</key><string>IOResources</string><key>IOKit</key>"
                         "<string>IOService</string><key>IOResourceMatched</key><array><string>"
                         "boot-uuid-media</string></array>");
    size_t index;

    (void)state;
    for (index = 0; index < sizeof rows / sizeof *rows; index++) {
        struct kext_set set = { NULL };
        char text[400];

        snprintf(text, sizeof text,
                 "<key>R</key><dict><key>IOClass</key><string>C</string><key>IOProviderClass</key>"
                 "<string>IOResources</string>%s</dict>",
                 rows[index].keys);
        add_kext(&set, "org.r", text);
        if (judge(&set, nub, NULL, rows[index].release).matches != rows[index].matches)
            fail_msg("%s in %u", rows[index].keys, rows[index].release);
        kext_set_clear(&set);
    }
    device_list_clear(&list);
}

static void an_entry_above_must_fit_the_parent_dictionary(void **state)
{
    struct device_list list = { NULL };
    struct problems problems = { 0 };
    struct kext_set set = { NULL };
    const struct device_record *function;

    (void)state;
    assert_true(device_read_file(fixture("devices/ioreg.txt"), &list, &problems));
    function = list.records[2]; /* HDEF below PCI0 */
    add_kext(&set, "org.p",
             personality("Below", "<key>IOParentMatch</key><dict><key>IONameMatch</key>"
                                  "<string>PNP0A08</string></dict>"));
    assert_string_equal(judge(&set, function, NULL, 0).winner, "Below");
    kext_set_clear(&set);
    add_kext(&set, "org.p",
             personality("Below", "<key>IOParentMatch</key><dict><key>IONameMatch</key>"
                                  "<string>PNP0A03</string></dict>"));
    assert_string_equal(judge(&set, function, NULL, 0).winner, "none");
    kext_set_clear(&set);
    add_kext(&set, "org.l", personality("There", "<key>IOLocationMatch</key><string>1B</string>"));
    assert_string_equal(judge(&set, function, NULL, 0).winner, "There");
    assert_string_equal(judge(&set, list.records[3], NULL, 0).winner, "none");
    kext_set_clear(&set);
    device_list_clear(&list);
    problems_clear(&problems);
}

/* Injected ids change the registers, names stay those of the property. */
static void injected_properties_change_what_registers_say(void **state)
{
    struct device_list list = { NULL };
    struct device_record *nub =
        add_entry(&list, "<key>vendor-id</key><data>hoAAAA==</data><key>device-id</key>"
                         "<data>0xAAAA==</data><key>class-code</key><data>AAACAA==</data>"
                         "<key>revision-id</key><data>AAAAAA==</data><key>compatible</key>"
                         "<data>cGNpODA4NiwxNTMzAA==</data>");
    struct kext_set set = { NULL };

    (void)state;
    add_kext(&set, "org.r", personality("Register", WITH_ID));
    assert_string_equal(judge(&set, nub, NULL, 0).winner, "Register");
    kext_set_clear(&set);
    add_kext(&set, "org.n",
             personality("Name", "<key>IONameMatch</key><string>pci8086,1533</string>"));
    assert_string_equal(judge(&set, nub, NULL, 0).winner, "Name");
    kext_set_clear(&set);
    device_list_clear(&list);
}

/* Every personality that the index leaves out would not have matched anyway. */
static void the_index_changes_no_verdict(void **state)
{
    static const char *const keys[] = {
        "<key>IOPCIMatch</key><string>0x10d38086 0x11001af4</string>",
        "<key>IOPCIMatch</key><string>0x00008086&amp;0xffff</string>",
        "<key>IOPCIPrimaryMatch</key><string>0x10d38086</string>",
        "<key>IOPCISecondaryMatch</key><string>0x11001af4</string>",
        "<key>IOPCIClassMatch</key><string>0x02000000</string>",
        "<key>IONameMatch</key><array><string>ethernet</string></array>",
        "<key>IONameMatch</key><string>pci80*</string>",
        "<key>IONameMatch</key><string>pci8086,10d4</string>",
        "<key>IOPCIMatch</key><string>0x110d38086</string>",
        "",
    };
    static const char *const devices[] = { "8086:10d3/1af4:1100/020000/00",
                                           "8086:10d4/0000:0000/030000/01",
                                           "1af4:1100/8086:10d3/010600/02",
                                           "14e4:1641/0000:0000/028000/00" };
    struct kext_set set = { NULL };
    struct device_list list = { NULL };
    struct matcher matcher;
    char name[16];
    size_t at;
    size_t index;

    (void)state;
    for (index = 0; index < sizeof keys / sizeof *keys; index++) {
        snprintf(name, sizeof name, "P%zu", index);
        add_kext(&set, "org.test", personality(name, keys[index]));
    }
    assert_true(matcher_init(&matcher, 0, "x86_64") && matcher_add(&matcher, &set, NULL));
    for (at = 0; at < sizeof devices / sizeof *devices; at++) {
        struct device_record *device = add_device(&list, devices[at]);
        struct match_outcome some;
        struct match_outcome all;
        size_t found = 0;

        assert_true(matcher_match(&matcher, device, MATCH_DETAIL_NONE, &some));
        assert_true(matcher_match(&matcher, device, MATCH_DETAIL_ALL, &all));
        assert_int_equal(all.count, sizeof keys / sizeof *keys);
        for (index = 0; index < all.count; index++) {
            if (all.candidates[index].state == CANDIDATE_NO_MATCH)
                continue;
            assert_string_equal(all.candidates[index].entry->name,
                                some.candidates[found].entry->name);
            assert_int_equal(all.candidates[index].state, some.candidates[found++].state);
        }
        assert_int_equal(found, some.count);
        match_outcome_clear(&some);
        match_outcome_clear(&all);
    }
    matcher_clear(&matcher);
    kext_set_clear(&set);
    device_list_clear(&list);
}

static void the_catalogue_keeps_equal_personalities_once_and_forgets_bundles(void **state)
{
    struct kext_set set = { NULL };
    struct matcher matcher;
    struct problems problems = { 0 };
    size_t index;

    (void)state;
    for (index = 0; index < 3; index++)
        add_kext(&set, index < 2 ? "org.same" : "org.other", personality("P", WITH_ID));
    add_kext(&set, "org.nobody", "<key>N</key><dict><key>IOClass</key><string>C</string></dict>");
    assert_true(matcher_init(&matcher, 0, "x86_64") && matcher_add(&matcher, &set, &problems));
    assert_int_equal(problems.count, 1); /* no provider class */
    assert_int_equal(catalogue_count(matcher.catalogue), 2);
    assert_int_equal(catalogue_remove_bundle(matcher.catalogue, "org.same"), 1);
    assert_int_equal(catalogue_count(matcher.catalogue), 1);
    assert_int_equal(catalogue_remove_bundle(matcher.catalogue, "org.same"), 0);
    assert_true(matcher_add(&matcher, &set, NULL));
    assert_int_equal(catalogue_count(matcher.catalogue), 2);
    matcher_clear(&matcher);
    problems_clear(&problems);
    kext_set_clear(&set);
}

static void explanations_name_register_mask_and_value(void **state)
{
    struct kext_set set = { NULL };
    struct device_list list = { NULL };
    struct verdict verdict;

    (void)state;
    add_kext(
        &set, "org.test",
        personality("P", "<key>IOPCIClassMatch</key><string>0x04020000&amp;0xFFFE0000</string>"));
    verdict = judge(&set, add_device(&list, "8086:1e20/0000:0000/040300/04"), NULL, 0);
    assert_non_null(strstr(verdict.why, "register 0x08 = 0x04030004, & 0xfffe0000 = 0x04020000"));
    kext_set_clear(&set);
    device_list_clear(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(register_lists_read_as_the_kernel_reads_them),
        cmocka_unit_test(generic_keys_follow_their_rules),
        cmocka_unit_test(wrong_type_of_a_register_key_is_reported_as_invalid),
        cmocka_unit_test(keys_are_anded),
        cmocka_unit_test(the_highest_score_wins_and_strings_count_as_zero),
        cmocka_unit_test(ties_go_to_the_more_derived_class_then_to_the_first_added),
        cmocka_unit_test(each_category_has_its_own_winner),
        cmocka_unit_test(what_is_not_known_of_a_device_leaves_a_key_undecided),
        cmocka_unit_test(a_tunnelled_device_needs_a_driver_that_can_stand_it),
        cmocka_unit_test(channel_types_compare_in_small_letters),
        cmocka_unit_test(resources_must_be_published),
        cmocka_unit_test(an_entry_above_must_fit_the_parent_dictionary),
        cmocka_unit_test(injected_properties_change_what_registers_say),
        cmocka_unit_test(the_index_changes_no_verdict),
        cmocka_unit_test(the_catalogue_keeps_equal_personalities_once_and_forgets_bundles),
        cmocka_unit_test(explanations_name_register_mask_and_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
