/* SPDX-License-Identifier: BSD-3-Clause */
/* Registry entries: planes, names, paths, properties, iterators; how the registry is printed. */
#include "tests/unit/xnu-iokit/iokit_test.h"

#include "abi/IORegistryIterator.h"

#include <json-c/json.h>

static IORegistryEntry *make_entry(const char *name, IORegistryEntry *parent,
                                   const IORegistryPlane *plane)
{
    IORegistryEntry *entry = (IORegistryEntry *)OSMetaClass_alloc(&IORegistryEntry_gMetaClass);

    CHECK(entry && IORegistryEntry_init_dictionary(entry, NULL));
    IORegistryEntry_setName_cstring(entry, name, NULL);
    if (parent)
        CHECK(IORegistryEntry_attachToParent(entry, parent, plane));
    return entry;
}

static int count_of(const void *object)
{
    return OSMetaClassBase_getRetainCount((OSMetaClassBase *)object);
}

static void links_body(void *unused)
{
    const IORegistryPlane *plane = IORegistryEntry_makePlane("TestPlane");
    IORegistryEntry *root = IORegistryEntry_getRegistryRoot();
    IORegistryEntry *a = make_entry("a", root, plane), *b = make_entry("b", a, plane);

    CHECK(IORegistryEntry_makePlane("TestPlane") == plane);
    CHECK(IORegistryEntry_getPlane("TestPlane") == plane && !IORegistryEntry_getPlane("None"));
    CHECK(IORegistryEntry_getParentEntry(b, plane) == a);
    CHECK(IORegistryEntry_getChildEntry(a, plane) == b);
    CHECK(!IORegistryEntry_getParentEntry(b, gIOServicePlane));
    CHECK(IORegistryEntry_isChild(a, b, plane, true));
    CHECK(IORegistryEntry_isParent(b, a, plane, true));
    CHECK(IORegistryEntry_inPlane(b, plane) && IORegistryEntry_inPlane(b, NULL));
    CHECK(!IORegistryEntry_inPlane(b, gIOServicePlane));
    CHECK(IORegistryEntry_getDepth(a, plane) == 1 && IORegistryEntry_getDepth(b, plane) == 2);
    CHECK(count_of(b) == 2); /* ours and the parent's; the entry's table holds the parent */
    CHECK(IORegistryEntry_attachToParent(b, a, plane)); /* again: as it is */
    CHECK(count_of(b) == 2);
    CHECK(IORegistryEntry_attachToParent(b, root, plane));
    CHECK(!IORegistryEntry_isParent(b, a, plane, true));
    CHECK(IORegistryEntry_isParent(b, a, plane, false));
    CHECK(!IORegistryEntry_attachToParent(a, a, plane));
    IORegistryEntry_detachAbove(b, plane);
    CHECK(!IORegistryEntry_inPlane(b, plane) && count_of(b) == 1);
    CHECK(IORegistryEntry_getRegistryEntryID(b) > IORegistryEntry_getRegistryEntryID(a));
    object_release(b);
    IORegistryEntry_detachAll(a, plane);
    CHECK(count_of(a) == 1);
    object_release(a);
}

static void links_are_kept_a_plane_and_on_both_ends(void **state)
{
    run_iokit(links_body);
}

static void names_body(void *unused)
{
    const IORegistryPlane *plane = IORegistryEntry_makePlane("TestPlane");
    IORegistryEntry *entry = make_entry("general", IORegistryEntry_getRegistryRoot(), plane);
    IORegistryEntry *nameless =
        (IORegistryEntry *)OSMetaClass_alloc(&IORegistryEntry_gMetaClass);
    OSString *wanted = OSString_withCString("general"), *matched = NULL;
    OSDictionary *properties = OSDictionary_withCapacity(1);
    const OSSymbol *name;

    CHECK_STRING(IORegistryEntry_getName(entry, NULL), "general");
    CHECK_STRING(IORegistryEntry_getName(entry, plane), "general");
    IORegistryEntry_setName_cstring(entry, "special", plane);
    CHECK_STRING(IORegistryEntry_getName(entry, plane), "special");
    CHECK_STRING(IORegistryEntry_getName(entry, gIOServicePlane), "general");
    name = IORegistryEntry_copyName(entry, plane);
    CHECK(OSString_isEqualTo_cstring((OSString *)name, "special"));
    object_release(name);
    CHECK(!IORegistryEntry_getLocation(entry, NULL));
    IORegistryEntry_setLocation_cstring(entry, "1F,3", NULL);
    CHECK_STRING(IORegistryEntry_getLocation(entry, plane), "1F,3");
    CHECK(IORegistryEntry_compareName(entry, wanted, &matched) && matched == wanted);
    CHECK(count_of(wanted) == 2);
    object_release(matched);
    OSDictionary_setObject_cstring(properties, "IOName", (OSMetaClassBase *)wanted);
    CHECK(IORegistryEntry_init_dictionary(nameless, properties));
    CHECK_STRING(IORegistryEntry_getName(nameless, NULL), "general"); /* from IOName */
    object_release(properties);
    object_release(wanted);
    object_release(nameless);
    nameless = (IORegistryEntry *)OSMetaClass_alloc(&IORegistryEntry_gMetaClass);
    CHECK(IORegistryEntry_init_dictionary(nameless, NULL));
    CHECK_STRING(IORegistryEntry_getName(nameless, NULL), "IORegistryEntry");
    object_release(nameless);
    IORegistryEntry_detachAbove(entry, plane);
    object_release(entry);
}

static void a_name_of_a_plane_goes_before_the_general_one(void **state)
{
    run_iokit(names_body);
}

static void path_body(void *unused)
{
    IOService *bus = make_nub("bus", NULL);
    IOService *one = make_nub("slot", bus), *two = make_nub("slot", bus);
    char path[128], rest[32];
    int32_t length = sizeof(path), left = sizeof(rest);
    IORegistryEntry *entry;

    IORegistryEntry_setLocation_cstring(as_entry(one), "1", NULL);
    IORegistryEntry_setLocation_cstring(as_entry(two), "2", NULL);
    CHECK(IORegistryEntry_getPath(as_entry(two), path, &length, gIOServicePlane));
    CHECK_STRING(path, "IOService:/AppleACPIPlatformExpert/bus/slot@2");
    CHECK(length == (int32_t)strlen(path));
    length = 20;
    CHECK(!IORegistryEntry_getPath(as_entry(two), path, &length, gIOServicePlane));
    entry = IORegistryEntry_fromPath("IOService:/AppleACPIPlatformExpert/bus/slot@2", NULL, NULL,
                                     NULL, NULL);
    CHECK(entry == as_entry(two));
    object_release(entry);
    entry = IORegistryEntry_fromPath("/AppleACPIPlatformExpert/bus/slot", gIOServicePlane, NULL,
                                     NULL, NULL);
    CHECK(entry == as_entry(one)); /* without location: the first */
    object_release(entry);
    CHECK(!IORegistryEntry_fromPath("/AppleACPIPlatformExpert/bus/slot@3", gIOServicePlane, NULL,
                                    NULL, NULL));
    CHECK(!IORegistryEntry_fromPath("/AppleACPIPlatformExpert/bus/slo", gIOServicePlane, NULL, NULL,
                                    NULL));
    entry = IORegistryEntry_fromPath("/AppleACPIPlatformExpert/bus/none/x", gIOServicePlane, rest,
                                     &left, NULL);
    CHECK(entry == as_entry(bus));
    CHECK_STRING(rest, "none/x");
    object_release(entry);
    entry = IORegistryEntry_childFromPath(as_entry(bus), "slot@1", gIOServicePlane, NULL, NULL);
    CHECK(entry == as_entry(one));
    object_release(entry);
    entry = IORegistryEntry_fromPath("IOService:/", NULL, NULL, NULL, NULL);
    CHECK(entry == as_entry(IOService_getServiceRoot()));
    object_release(entry);
    CHECK(!IORegistryEntry_fromPath("NoPlane:/", NULL, NULL, NULL, NULL));
    object_release(two);
    object_release(one);
    object_release(bus);
}

static void paths_lead_there_and_back(void **state)
{
    run_iokit(path_body);
}

static void property_body(void *unused)
{
    IOService *bus = make_nub("bus", NULL), *nub = make_nub("nub", bus);
    IORegistryEntry *entry = as_entry(nub);
    uint32_t options = kIORegistryIterateRecursively | kIORegistryIterateParents;
    OSObject *value;
    OSData *data;

    CHECK(IORegistryEntry_setProperty_cstring_cstring(entry, "text", "value"));
    CHECK(as_symbol(IORegistryEntry_getProperty_cstring(entry, "text")) != NULL);
    CHECK(IORegistryEntry_setProperty_cstring_bool(entry, "flag", true));
    CHECK(IORegistryEntry_getProperty_cstring(entry, "flag") ==
          (OSObject *)OSBoolean_withBoolean(true));
    CHECK(IORegistryEntry_setProperty_cstring_number(entry, "number", 0x1ff, 8));
    CHECK(OSNumber_unsigned32BitValue(as_number(
              IORegistryEntry_getProperty_cstring(entry, "number"))) == 0xff);
    CHECK(IORegistryEntry_setProperty_cstring_pointer(entry, "data", "ab", 2));
    data = as_data(IORegistryEntry_getProperty_cstring(entry, "data"));
    CHECK(data && OSData_isEqualTo_pointer_number(data, "ab", 2));
    value = IORegistryEntry_copyProperty_cstring(entry, "data");
    CHECK(value == (OSObject *)data && count_of(value) == 2);
    object_release(value);
    IORegistryEntry_removeProperty_cstring(entry, "data");
    CHECK(!IORegistryEntry_getProperty_cstring(entry, "data"));
    /* along the plane towards the root */
    set_text(bus, "above", "here");
    CHECK(!IORegistryEntry_getProperty_cstring(entry, "above"));
    CHECK(IORegistryEntry_getProperty_cstring_plane(entry, "above", gIOServicePlane, options));
    CHECK(!IORegistryEntry_getProperty_cstring_plane(entry, "above", gIOServicePlane, 0));
    CHECK(IORegistryEntry_getProperty_cstring_plane(as_entry(bus), "text", gIOServicePlane,
                                                    kIORegistryIterateRecursively));
    object_release(nub);
    object_release(bus);
}

static void properties_have_their_types_and_are_found_along_a_plane(void **state)
{
    run_iokit(property_body);
}

static void sealed_body(void *unused)
{
    OSDictionary *before = OSDictionary_withCapacity(1), *after = OSDictionary_withCapacity(1);
    IOService *nub = (IOService *)TestNub_alloc();
    OSDictionary *copy;

    IORegistryEntry_init_dictionary(as_entry(nub), NULL);
    IORegistryEntry_setProperty_cstring_object(as_entry(nub), "before", (OSObject *)before);
    OSDictionary_setObject_cstring(before, "ok", (OSMetaClassBase *)after); /* not in a plane yet */
    OSDictionary_removeObject_cstring(before, "ok");
    CHECK(IOService_attach(nub, (IOService *)IOService_getPlatform()));
    IORegistryEntry_setProperty_cstring_object(as_entry(nub), "after", (OSObject *)after);
    CHECK(((OSCollection *)before)->fOptions == 1 && ((OSCollection *)after)->fOptions == 1);
    copy = IORegistryEntry_dictionaryWithProperties(as_entry(nub));
    CHECK(OSDictionary_setObject_cstring(copy, "new", (OSMetaClassBase *)after));
    object_release(copy);
    OSDictionary_setObject_cstring(after, "too late", (OSMetaClassBase *)before); /* panics */
}

static void collections_in_the_registry_are_sealed(void **state)
{
    kernel_test_start = iokit_test_start;
    run_panic(sealed_body);
}

static void iterator_body(void *unused)
{
    IOService *bus = make_nub("bus", NULL), *a = make_nub("a", bus), *b = make_nub("b", bus);
    IOService *both = make_nub("both", a);
    IORegistryIterator *iterator;
    OSOrderedSet *all;
    IORegistryEntry *entry;

    CHECK(IOService_attach(both, b)); /* reached twice, entered once */
    iterator = IORegistryIterator_iterateOver_entry(as_entry(bus), gIOServicePlane,
                                                    kIORegistryIterateRecursively);
    while ((entry = iterator_next((OSIterator *)iterator)))
        record("%s", IORegistryEntry_getName(entry, NULL));
    CHECK_EVENTS("a both b both");
    all = IORegistryIterator_iterateAll(iterator);
    CHECK(OSCollection_getCount((OSCollection *)all) == 3);
    object_release(all);
    OSIterator_reset((OSIterator *)iterator);
    CHECK(iterator_next((OSIterator *)iterator) == a);
    object_release(make_nub("new", a));
    CHECK(iterator_next((OSIterator *)iterator) == both); /* a's children were not begun */
    object_release(make_nub("newer", a));
    CHECK(!OSIterator_isValid((OSIterator *)iterator));
    CHECK(!iterator_next((OSIterator *)iterator));
    object_release(iterator);
    forget_events();
    iterator = IORegistryIterator_iterateOver_entry(as_entry(both), gIOServicePlane,
                                                    kIORegistryIterateParents);
    while ((entry = iterator_next((OSIterator *)iterator)))
        record("%s", IORegistryEntry_getName(entry, NULL));
    CHECK_EVENTS("a b");
    object_release(iterator);
    object_release(both);
    object_release(b);
    object_release(a);
    object_release(bus);
}

static void iterators_go_down_and_up_and_notice_changes(void **state)
{
    run_iokit(iterator_body);
}

static void replace_body(void *unused)
{
    const IORegistryPlane *plane = IORegistryEntry_makePlane("TestPlane");
    IORegistryEntry *root = IORegistryEntry_getRegistryRoot();
    IORegistryEntry *old = make_entry("old", root, plane), *child = make_entry("child", old, plane);
    IOService *nub = (IOService *)TestNub_alloc();

    IORegistryEntry_setProperty_cstring_cstring(old, "key", "value");
    CHECK(IORegistryEntry_init_entry_plane(as_entry(nub), old, plane));
    CHECK(IORegistryEntry_getParentEntry(as_entry(nub), plane) == root);
    CHECK(IORegistryEntry_getParentEntry(child, plane) == as_entry(nub));
    CHECK(!IORegistryEntry_getParentEntry(old, plane));
    CHECK(!IORegistryEntry_getChildEntry(old, plane));
    CHECK_STRING(IORegistryEntry_getName(as_entry(nub), NULL), "old");
    CHECK(IORegistryEntry_getProperty_cstring(as_entry(nub), "key") != NULL);
    IORegistryEntry_detachAll(as_entry(nub), plane);
    object_release(child);
    object_release(old);
    object_release(nub);
}

static void a_nub_takes_the_place_of_a_device_tree_entry(void **state)
{
    run_iokit(replace_body);
}

/* ---- printing ---- */

static char printed[65536];

static void collect(void *context, const char *text, size_t length)
{
    size_t used = strlen(printed);

    snprintf(printed + used, sizeof(printed) - used, "%.*s", (int)length, text);
}

static void print_body(void *unused)
{
    IOService *bus = make_nub("bus", NULL), *nub = make_nub("nub", bus);

    IORegistryEntry_setLocation_cstring(as_entry(nub), "7", NULL);
    set_text(nub, "Quote", "a\"b");
    CHECK(!xnu_registry_print("NoSuchPlane", 0, collect, NULL));
    CHECK(xnu_registry_print("IOService", 0, collect, NULL));
    CHECK(strncmp(printed, "+-o Root  <class IORegistryEntry, id 0x100000100, retain ", 57) == 0);
    CHECK(strstr(printed, "\n      +-o bus  <class TestNub, id 0x"));
    CHECK(strstr(printed, "\n        +-o nub@7  <class TestNub, id 0x"));
    CHECK(strstr(printed, ", !registered, !matched, active, busy 0, retain "));
    printed[0] = '\0';
    CHECK(xnu_registry_print("IOService", XNU_PRINT_PROPERTIES, collect, NULL));
    CHECK(strstr(printed, "\n              \"Quote\" = \"a\"b\"\n"));
    object_release(nub);
    object_release(bus);
}

static void the_tree_is_printed_as_ioreg_does(void **state)
{
    run_iokit(print_body);
}

static json_object *member(json_object *object, const char *name)
{
    return object ? json_object_object_get(object, name) : NULL;
}

/* The entry with that name, depth first. */
static json_object *find_entry(json_object *entry, const char *name)
{
    json_object *children = member(entry, "children"), *found = NULL;
    size_t i;

    if (entry && strcmp(json_object_get_string(member(entry, "name")), name) == 0)
        return entry;
    for (i = 0; children && !found && i < json_object_array_length(children); i++)
        found = find_entry(json_object_array_get_idx(children, i), name);
    return found;
}

static void json_body(void *unused)
{
    IOService *nub = make_nub("nub", NULL);
    json_object *root, *entry, *properties;

    set_text(nub, "Quote", "a\"b\\\n");
    IORegistryEntry_setProperty_cstring_number(as_entry(nub), "Number", UINT64_MAX, 64);
    IORegistryEntry_setProperty_cstring_pointer(as_entry(nub), "Data", "\x01\xff", 2);
    CHECK(xnu_registry_print("IOService", XNU_PRINT_JSON, collect, NULL));
    root = json_tokener_parse(printed);
    entry = find_entry(root, "nub");
    CHECK(entry && strcmp(json_object_get_string(member(entry, "class")), "TestNub") == 0);
    CHECK(json_object_get_boolean(member(entry, "active")));
    properties = member(entry, "properties");
    CHECK_STRING(json_object_get_string(member(properties, "Quote")), "a\"b\\\n");
    CHECK(json_object_get_uint64(member(properties, "Number")) == UINT64_MAX);
    CHECK_STRING(json_object_get_string(member(properties, "Data")), "01ff");
    CHECK(find_entry(root, "VMBS") != NULL);
    json_object_put(root);
    object_release(nub);
}

static void the_tree_is_valid_json(void **state)
{
    run_iokit(json_body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_are_kept_a_plane_and_on_both_ends),
        cmocka_unit_test(a_name_of_a_plane_goes_before_the_general_one),
        cmocka_unit_test(paths_lead_there_and_back),
        cmocka_unit_test(properties_have_their_types_and_are_found_along_a_plane),
        cmocka_unit_test(collections_in_the_registry_are_sealed),
        cmocka_unit_test(iterators_go_down_and_up_and_notice_changes),
        cmocka_unit_test(a_nub_takes_the_place_of_a_device_tree_entry),
        cmocka_unit_test(the_tree_is_printed_as_ioreg_does),
        cmocka_unit_test(the_tree_is_valid_json),
    };

    return cmocka_run_group_tests_name("iokit registry", tests, NULL, NULL);
}
