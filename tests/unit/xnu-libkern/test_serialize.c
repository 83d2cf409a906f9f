/* SPDX-License-Identifier: BSD-3-Clause */
/* Objects to XML and back; hostile texts; property-list values. */
#include "tests/unit/xnu-libkern/kernel_test.h"

#include "xnu/libkern/plist_objects.h"

OSObject *unserialize_xml(const char *text, OSString **error)
    __asm("__Z16OSUnserializeXMLPKcPP8OSString");
OSObject *unserialize_xml_bounded(const char *text, size_t size, OSString **error)
    __asm("__Z16OSUnserializeXMLPKcmPP8OSString");

static bool serializes_to(const void *object, const char *wanted)
{
    OSSerialize *serializer = OSSerialize_withCapacity(8);
    bool good = OSMetaClassBase_serialize((OSMetaClassBase *)object, serializer) &&
                strcmp(OSSerialize_text(serializer), wanted) == 0;

    if (!good)
        fprintf(stderr, "got  %s\nwant %s\n", OSSerialize_text(serializer), wanted);
    object_release(serializer);
    return good;
}

static void write_body(void *unused)
{
    OSDictionary *dictionary = OSDictionary_withCapacity(1);
    OSNumber *number = OSNumber_withNumber_number(255, 16);
    OSString *string = OSString_withCString("a<b>&c");
    OSData *data = OSData_withBytes("abcd", 4);
    OSSymbol *not_a_list = (OSSymbol *)OSSymbol_withCString("key<");
    OSArray *array = OSArray_withCapacity(1);

    CHECK(serializes_to(number, "<integer size=\"16\" ID=\"0\">0xff</integer>"));
    CHECK(serializes_to(string, "<string ID=\"0\">a&lt;b&gt;&amp;c</string>"));
    CHECK(serializes_to(data, "<data ID=\"0\">YWJjZA==</data>"));
    CHECK(serializes_to(OSBoolean_withBoolean(true), "<true/>"));
    OSDictionary_setObject_symbol(dictionary, not_a_list, (OSMetaClassBase *)number);
    OSArray_setObject_metaclassbase(array, (OSMetaClassBase *)dictionary);
    OSArray_setObject_metaclassbase(array, (OSMetaClassBase *)dictionary);
    CHECK(serializes_to(array, "<array ID=\"0\"><dict ID=\"1\"><key>key&lt;</key>"
                               "<integer size=\"16\" ID=\"2\">0xff</integer></dict>"
                               "<reference IDREF=\"1\"/></array>"));
    object_release(array);
    object_release(not_a_list);
    object_release(data);
    object_release(string);
    object_release(number);
    object_release(dictionary);
}

static void every_class_has_its_xml_form(void **state)
{
    run_kernel(write_body);
}

static void other_body(void *unused)
{
    OSArray *array = OSArray_withCapacity(1);
    OSIterator *iterator =
        (OSIterator *)OSCollectionIterator_withCollection((OSCollection *)array);

    CHECK(serializes_to(iterator,
                        "<string ID=\"0\">OSCollectionIterator is not serializable</string>"));
    object_release(iterator);
    object_release(array);
}

static void other_objects_become_a_text(void **state)
{
    run_kernel(other_body);
}

static void read_body(void *unused)
{
    OSString *error = NULL;
    OSDictionary *root = (OSDictionary *)unserialize_xml(
        "<plist><dict><key>n</key><integer size=\"32\">0x10</integer><key>s</key><string>x</string>"
        "<key>l</key><array ID=\"1\"><true/><data>YWI=</data></array>"
        "<key>m</key><array IDREF=\"1\"/></dict></plist>",
        &error);
    OSNumber *number;
    OSArray *array;

    CHECK(root && !error && as_dictionary(root));
    number = as_number(OSDictionary_getObject_cstring(root, "n"));
    CHECK(number && OSNumber_unsigned32BitValue(number) == 16);
    CHECK(number && OSNumber_numberOfBits(number) == 32);
    array = as_array(OSDictionary_getObject_cstring(root, "l"));
    CHECK(array && array_count(array) == 2 && array_at(array, 0) == OSBoolean_withBoolean(true));
    CHECK(as_data(array_at(array, 1)) &&
          OSData_isEqualTo_pointer_number(array_at(array, 1), "ab", 2));
    CHECK(OSDictionary_getObject_cstring(root, "m") == (OSObject *)array); /* one object */
    object_release(root);
}

static void xml_becomes_objects_and_references_one_object(void **state)
{
    run_kernel(read_body);
}

static void damaged_body(void *unused)
{
    static const char *const texts[] = {
        "",
        "<dict>",
        "<dict><key>a</key></dict>",
        "<string>&quot;</string>",
        "<array><true></true></array>",
        "<dict><key>a</key><true/><key>a</key><true/></dict>",
        "<nonsense/>",
    };
    size_t i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        OSString *error = NULL;
        OSObject *object = unserialize_xml(texts[i], &error);

        CHECK(!object && error && OSString_getLength(error) > 0);
        object_release(error);
        CHECK(!unserialize_xml(texts[i], NULL));
        object = unserialize_xml("<true/>", &error); /* the next good one works */
        CHECK(object == (OSObject *)OSBoolean_withBoolean(true) && !error);
    }
    CHECK(!unserialize_xml(NULL, NULL));
    CHECK(!unserialize_xml_bounded("<true/>", 3, NULL));
}

static void damaged_xml_is_refused_with_a_reason(void **state)
{
    run_kernel(damaged_body);
}

/* Each level refers twice to the one before: 2^12 arrays if it were copied. */
static void expansion_body(void *unused)
{
    static char text[4096];
    size_t used = (size_t)snprintf(text, sizeof(text), "<array><array ID=\"0\"><true/></array>");
    unsigned level;
    OSArray *root;

    for (level = 1; level <= 12; level++)
        used += (size_t)snprintf(text + used, sizeof(text) - used,
                                 "<array ID=\"%u\"><array IDREF=\"%u\"/>"
                                 "<array IDREF=\"%u\"/></array>",
                                 level, level - 1, level - 1);
    snprintf(text + used, sizeof(text) - used, "</array>");
    root = (OSArray *)unserialize_xml(text, NULL);
    CHECK(root && array_count(root) == 13);
    CHECK(OSMetaClass_getInstanceCount(&OSArray_gMetaClass) < 100);
    object_release(root);
}

static void references_do_not_multiply(void **state)
{
    run_kernel(expansion_body);
}

static void round_body(void *unused)
{
    static const char text[] = "<dict><key>a</key><array><integer size=\"8\">7</integer>"
                               "<string>x</string><data>AQI=</data><false/></array>"
                               "<key>gone</key><string>y</string></dict>";
    OSObject *object = unserialize_xml(text, NULL), *back;
    struct plist *value = plist_from_object(object, "gone");

    CHECK(value && plist_count(value) == 1 && plist_get(value, "a") && !plist_get(value, "gone"));
    plist_release(value);
    value = plist_from_object(object, NULL);
    back = object_from_plist(value);
    CHECK(back && object_equal(back, object));
    plist_release(value);
    object_release(back);
    object_release(object);
}

static void objects_go_through_plist_values_unchanged(void **state)
{
    run_kernel(round_body);
}

static void memory_body(void *unused)
{
    unsigned nth;
    OSObject *object = NULL;

    for (nth = 1; nth < 60 && !object; nth++) {
        unsigned arrays = OSMetaClass_getInstanceCount(&OSArray_gMetaClass);
        unsigned strings = OSMetaClass_getInstanceCount(&OSString_gMetaClass);

        machine_allocation_fail_at(nth, false);
        object = unserialize_xml("<array><array ID=\"1\"><string>x</string></array>"
                                 "<array IDREF=\"1\"/></array>", NULL);
        machine_allocation_fail_at(0, false);
        if (!object) {
            CHECK(OSMetaClass_getInstanceCount(&OSArray_gMetaClass) == arrays);
            CHECK(OSMetaClass_getInstanceCount(&OSString_gMetaClass) == strings);
        }
    }
    CHECK(object != NULL && nth > 5);
    object_release(object);
}

static void a_failed_allocation_leaves_no_objects(void **state)
{
    run_kernel(memory_body);
}

/* A personality that lacks a key would fit devices that it is not for. */
static void whole_body(void *unused)
{
    OSObject *object = unserialize_xml("<dict><key>a</key><array><string>x</string></array>"
                                       "<key>b</key><string>y</string></dict>", NULL);
    struct plist *value = NULL;
    unsigned nth;

    for (nth = 1; nth < 60 && !value; nth++) {
        machine_allocation_fail_at(nth, false);
        value = plist_from_object(object, NULL);
        machine_allocation_fail_at(0, false);
    }
    CHECK(value && nth > 3 && plist_count(value) == 2 && plist_count(plist_get(value, "a")) == 1);
    plist_release(value);
    object_release(object);
}

static void a_failed_allocation_leaves_out_no_member_of_a_value(void **state)
{
    run_kernel(whole_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_class_has_its_xml_form),
        cmocka_unit_test(other_objects_become_a_text),
        cmocka_unit_test(xml_becomes_objects_and_references_one_object),
        cmocka_unit_test(damaged_xml_is_refused_with_a_reason),
        cmocka_unit_test(references_do_not_multiply),
        cmocka_unit_test(objects_go_through_plist_values_unchanged),
        cmocka_unit_test(a_failed_allocation_leaves_no_objects),
        cmocka_unit_test(a_failed_allocation_leaves_out_no_member_of_a_value),
    };

    return cmocka_run_group_tests_name("libkern serialisation", tests, NULL, NULL);
}
