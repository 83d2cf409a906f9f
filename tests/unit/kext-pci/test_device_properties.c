/* SPDX-License-Identifier: BSD-3-Clause */
/* Properties by device path, out of a buffer written by hand. */
#include "tests/unit/kext-pci/engine_test.h"

#include "kext/pci/device_properties.h"
#include "protocol/utf16.h"

static const struct guid class_id = GUID_INIT(0x44c4f61d, 0x4444, 0x4400, 0x9d, 0x52, 0x80, 0x2e,
                                              0x27, 0xed, 0xe1, 0x9f);
static const struct guid instance = GUID_INIT(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
static const struct guid other = GUID_INIT(9, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);

/* Memory order of VenHw(9B17E5A2-0891-42DD-B653-80B5C22809BA). */
static const uint8_t vendor[16] = { 0xa2, 0xe5, 0x17, 0x9b, 0x91, 0x08, 0xdd, 0x42,
                                    0xb6, 0x53, 0x80, 0xb5, 0xc2, 0x28, 0x09, 0xba };

static uint8_t buffer[1024];
static uint32_t used;
static struct device_properties properties;
static struct device_property property;

static void put(const void *bytes, size_t size)
{
    assert_true(used + size <= sizeof buffer);
    memcpy(buffer + used, bytes, size);
    used += (uint32_t)size;
}

static void put_word(uint32_t word)
{
    put(&word, sizeof word);
}

static void put_path(const struct guid *id)
{
    put((const uint8_t[]){ 1, 4, 52, 0 }, 4);
    put(vendor, sizeof vendor);
    put(&class_id, sizeof class_id);
    put(id, sizeof *id);
    put((const uint8_t[]){ 0x7f, 0xff, 4, 0 }, 4);
}

static void put_property(const char *name, const char *value)
{
    uint8_t text[64];
    uint32_t size = 2 * (uint32_t)utf8_to_utf16(name, text, 32);

    put_word(4 + size);
    put(text, size);
    put_word(4 + (uint32_t)strlen(value));
    put(value, strlen(value));
}

/* The other device's node, then ours with two properties. */
static void make(void)
{
    uint32_t first, second;

    used = 0;
    put_word(0);
    put_word(1);
    put_word(2);
    first = used;
    put_word(0);
    put_word(1);
    put_path(&other);
    put_property("model", "theirs");
    memcpy(buffer + first, &(uint32_t){ used - first }, 4);
    second = used;
    put_word(0);
    put_word(2);
    put_path(&instance);
    put_property("model", "ours");
    put_property("AAPL,slot-name", "Slot-1");
    memcpy(buffer + second, &(uint32_t){ used - second }, 4);
    memcpy(buffer, &used, 4);
}

static int find(void)
{
    return device_properties_find(buffer, used, &class_id, &instance, &properties);
}

static void a_device_has_the_properties_of_its_path(void **state)
{
    (void)state;
    make();
    assert_int_equal(find(), 0);
    assert_int_equal(device_properties_next(&properties, &property), 0);
    assert_string_equal(property.name, "model");
    assert_int_equal(property.length, 4);
    assert_memory_equal(property.value, "ours", 4);
    assert_int_equal(device_properties_next(&properties, &property), 0);
    assert_string_equal(property.name, "AAPL,slot-name");
    assert_int_equal(property.length, 6);
    assert_int_equal(device_properties_next(&properties, &property), HV_ERROR_EMPTY);
}

static void a_device_without_a_node_has_none(void **state)
{
    const struct guid third = GUID_INIT(3, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);

    (void)state;
    make();
    assert_int_equal(device_properties_find(buffer, used, &class_id, &third, &properties),
                     HV_ERROR_NOT_FOUND);
    assert_int_equal(device_properties_find(buffer, used, &third, &instance, &properties),
                     HV_ERROR_NOT_FOUND);
}

static void a_buffer_cut_anywhere_is_refused(void **state)
{
    uint32_t whole;

    (void)state;
    make();
    whole = used;
    for (used = 0; used < whole; used++) {
        memcpy(buffer, &used, 4); /* and it says so */
        assert_int_equal(find(), HV_ERROR_MALFORMED);
    }
    make();
    buffer[0]++;
    assert_int_equal(find(), HV_ERROR_MALFORMED);
    make();
    buffer[4] = 2; /* another version */
    assert_int_equal(find(), HV_ERROR_MALFORMED);
    make();
    assert_int_equal(find(), 0);
}

static void sizes_that_lie_end_the_search(void **state)
{
    static const uint32_t sizes[] = { 0, 7, 0x7fffffff, UINT32_MAX };

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        make();
        memcpy(buffer + 12, &sizes[i], 4); /* of the first node */
        assert_int_equal(find(), HV_ERROR_MALFORMED);
        make();
        buffer[12 + 8 + 2] = (uint8_t)i; /* length of its path's first part */
        assert_int_equal(find(), HV_ERROR_MALFORMED);
    }
    make();
    assert_int_equal(find(), 0);
}

static void a_property_that_lies_ends_the_list(void **state)
{
    static const uint32_t sizes[] = { 0, 3, 0x7fffffff, UINT32_MAX };

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        make();
        assert_int_equal(find(), 0);
        memcpy((uint8_t *)properties.at, &sizes[i], 4);
        assert_int_equal(device_properties_next(&properties, &property), HV_ERROR_MALFORMED);
        assert_int_equal(device_properties_next(&properties, &property), HV_ERROR_EMPTY);
    }
    make();
    assert_int_equal(find(), 0);
    properties.count = UINT32_MAX; /* as many as there are bytes for */
    assert_int_equal(device_properties_next(&properties, &property), 0);
    assert_int_equal(device_properties_next(&properties, &property), 0);
    assert_int_equal(device_properties_next(&properties, &property), HV_ERROR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_has_the_properties_of_its_path),
        cmocka_unit_test(a_device_without_a_node_has_none),
        cmocka_unit_test(a_buffer_cut_anywhere_is_refused),
        cmocka_unit_test(sizes_that_lie_end_the_search),
        cmocka_unit_test(a_property_that_lies_ends_the_list),
    };

    return RUN(tests);
}
