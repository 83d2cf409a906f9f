/* SPDX-License-Identifier: BSD-3-Clause */
/* hvkvpd: pools on disk, facts, and answers to every request. */
#include <errno.h>

#include "daemons/kvp/addresses.h"
#include "daemons/kvp/exchange.h"
#include "daemons/kvp/facts.h"
#include "daemons/kvp/pool.h"
#include "protocol/integration.h"
#include "protocol/utf16.h"
#include "tests/unit/daemons/scratch.h"

static struct exchange exchange;
static struct pool_pair pair;

static int setup(void **state)
{
    int result = scratch_make(state);

    exchange = (struct exchange){ .folder = scratch };
    return result;
}

static void pairs_last_and_keep_their_order(void **state)
{
    const char *path = strdup(in_scratch("pool"));

    assert_int_equal(pool_get(path, "a", &pair), ENOENT);
    assert_int_equal(pool_set(path, "a", "1"), 0);
    assert_int_equal(pool_set(path, "b", "2"), 0);
    assert_int_equal(pool_set(path, "a", "3"), 0);
    assert_int_equal(pool_at(path, 0, &pair), 0);
    assert_string_equal(pair.key, "a");
    assert_string_equal(pair.value, "3");
    assert_int_equal(pool_at(path, 1, &pair), 0);
    assert_int_equal(pool_at(path, 2, &pair), ENOENT);
    assert_int_equal(pool_remove(path, "a"), 0);
    assert_int_equal(pool_remove(path, "a"), ENOENT);
    assert_int_equal(pool_at(path, 0, &pair), 0);
    assert_string_equal(pair.key, "b");
    assert_int_equal(entries(""), 1);           /* no half-written file beside it */
    free((char *)(uintptr_t)path);
}

static void what_would_break_a_line_comes_back_as_it_was(void **state)
{
    static const char evil[] = "tab\there\nnew line\\back\\n";
    const char *path = strdup(in_scratch("pool"));

    assert_int_equal(pool_set(path, evil, evil), 0);
    assert_int_equal(pool_get(path, evil, &pair), 0);
    assert_string_equal(pair.value, evil);
    assert_int_equal(pool_at(path, 1, &pair), ENOENT);
    free((char *)(uintptr_t)path);
}

static void a_damaged_pool_gives_what_is_left_of_it(void **state)
{
    static const char damaged[] = "\n\tno key\nno value\na\tb\tc\n\\";
    const char *path = strdup(in_scratch("pool"));

    put_file("pool", damaged, sizeof damaged - 1);
    assert_int_equal(pool_at(path, 0, &pair), 0);
    assert_string_equal(pair.key, "no value");
    assert_string_equal(pair.value, "");
    assert_int_equal(pool_get(path, "a", &pair), 0);
    assert_string_equal(pair.value, "b");
    assert_int_equal(pool_set(path, "c", "d"), 0);
    assert_int_equal(pool_get(path, "c", &pair), 0);
    free((char *)(uintptr_t)path);
}

static void a_pool_has_an_end(void **state)
{
    char *path = strdup(in_scratch("pool"));
    FILE *file = fopen(path, "w");

    for (unsigned i = 0; i < POOL_PAIRS_MAX; i++)
        fprintf(file, "key%u\tvalue\n", i);
    fclose(file);
    assert_int_equal(pool_set(path, "one more", "x"), ENOSPC);
    assert_int_equal(pool_set(path, "key7", "x"), 0);
    assert_int_equal(pool_get(path, "one more", &pair), ENOENT);
    free(path);
}

/* ---- Requests ---- */

static uint32_t ask(void *body, uint32_t size, bool *replies)
{
    *replies = false;
    return exchange_answer(&exchange, body, size, replies);
}

static uint32_t ask_pair(uint8_t operation, uint8_t pool, const char *key, uint32_t type,
                         const void *value, uint32_t value_size)
{
    const uint32_t real = value_size <= 12 ? value_size : 4;
    struct ic_kvp_exchange body = { .header = { operation, pool }, .item.type = type };
    bool replies;
    uint32_t status;

    body.item.key_size = 2 * (uint32_t)utf8_to_utf16(key, body.item.key, 256);
    body.item.value_size = value_size;
    memcpy(body.item.value, value, real);
    status = ask(&body, sizeof body, &replies);
    if (replies)
        utf16_to_utf8(body.item.value, body.item.value_size / 2, pair.value, sizeof pair.value);
    return status;
}

static void a_pair_is_set_read_and_removed(void **state)
{
    struct ic_kvp_delete remove = { .header = { IC_KVP_DELETE, 0 } };
    bool replies;

    assert_int_equal(ask_pair(IC_KVP_SET, 0, "key", IC_KVP_TYPE_STRING, u"värde", 12),
                     IC_STATUS_OK);
    assert_int_equal(ask_pair(IC_KVP_GET, 0, "key", 0, "", 0), IC_STATUS_OK);
    assert_string_equal(pair.value, "värde");
    assert_int_equal(ask_pair(IC_KVP_GET, 1, "key", 0, "", 0), IC_STATUS_NO_MORE_ITEMS);
    assert_int_equal(ask_pair(IC_KVP_SET, 0, "other", IC_KVP_TYPE_STRING, u"2", 4), IC_STATUS_OK);
    assert_int_equal(ask_pair(IC_KVP_GET, 0, "other", 0, "", 0), IC_STATUS_OK);
    assert_string_equal(pair.value, "2");
    assert_int_equal(ask_pair(IC_KVP_GET, 0, "none", 0, "", 0), IC_STATUS_NO_MORE_ITEMS);
    remove.key_size = 2 * (uint32_t)utf8_to_utf16("key", remove.key, 256);
    assert_int_equal(ask(&remove, sizeof remove, &replies), IC_STATUS_OK);
    assert_int_equal(ask(&remove, sizeof remove, &replies), IC_STATUS_NO_MORE_ITEMS);
}

static void numbers_are_kept_in_decimal(void **state)
{
    const uint64_t number = UINT64_C(12345678901);

    assert_int_equal(ask_pair(IC_KVP_SET, 0, "n", IC_KVP_TYPE_U32, &number, 4), IC_STATUS_OK);
    assert_int_equal(ask_pair(IC_KVP_GET, 0, "n", 0, "", 0), IC_STATUS_OK);
    assert_string_equal(pair.value, "3755744309");
    assert_int_equal(ask_pair(IC_KVP_SET, 0, "n", IC_KVP_TYPE_U64, &number, 8), IC_STATUS_OK);
    assert_int_equal(ask_pair(IC_KVP_GET, 0, "n", 0, "", 0), IC_STATUS_OK);
    assert_string_equal(pair.value, "12345678901");
    assert_int_equal(ask_pair(IC_KVP_SET, 0, "n", IC_KVP_TYPE_U64_LINUX, &number, 8), IC_STATUS_OK);
}

static void what_makes_no_sense_is_refused_and_nothing_is_written(void **state)
{
    assert_int_equal(ask_pair(IC_KVP_SET, 0, "", IC_KVP_TYPE_STRING, u"x", 4),
                     IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(ask_pair(IC_KVP_SET, 0, "k", IC_KVP_TYPE_STRING, u"x", 3),
                     IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(ask_pair(IC_KVP_SET, 0, "k", IC_KVP_TYPE_STRING, u"x", 2050),
                     IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(ask_pair(IC_KVP_SET, 0, "k", 99, u"x", 4), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(ask_pair(IC_KVP_SET, IC_KVP_POOL_AUTO, "k", IC_KVP_TYPE_STRING, u"x", 4),
                     IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(ask_pair(IC_KVP_SET, 5, "k", IC_KVP_TYPE_STRING, u"x", 4),
                     IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(entries(""), 0);
    assert_int_equal(ask_pair(IC_KVP_SET, 0, "k", IC_KVP_TYPE_STRING, u"x", 4), IC_STATUS_OK);
}

static void short_requests_and_unknown_operations_are_refused(void **state)
{
    uint8_t body[sizeof(struct ic_kvp_ip)] = { 0 };
    bool replies;

    assert_int_equal(ask(body, 0, &replies), IC_STATUS_NOT_SUPPORTED);
    for (uint8_t operation = 0; operation <= IC_KVP_SET_IP; operation++) {
        body[0] = operation;
        assert_int_equal(ask(body, 2, &replies), IC_STATUS_INVALID_ARGUMENT);
        assert_int_equal(ask(body, 519, &replies), IC_STATUS_INVALID_ARGUMENT);
    }
    body[0] = 6;
    assert_int_equal(ask(body, sizeof body, &replies), IC_STATUS_NOT_SUPPORTED);
}

static void the_facts_come_in_the_hosts_order_and_end(void **state)
{
    struct ic_kvp_enumerate body = { .header = { IC_KVP_ENUMERATE, IC_KVP_POOL_AUTO } };
    char key[256];
    bool replies;

    body.index = IC_KVP_AUTO_OS_NAME;
    assert_int_equal(ask(&body, sizeof body, &replies), IC_STATUS_OK);
    assert_true(replies);
    utf16_to_utf8(body.item.key, body.item.key_size / 2, key, sizeof key);
    assert_string_equal(key, "OSName");
    body.index = IC_KVP_AUTO_COUNT;
    assert_int_equal(ask(&body, sizeof body, &replies), IC_STATUS_NO_MORE_ITEMS);
    body.index = UINT32_MAX;
    assert_int_equal(ask(&body, sizeof body, &replies), IC_STATUS_NO_MORE_ITEMS);
}

static void macos_is_read_from_its_property_list(void **state)
{
    static const char plist[] = "<dict><key>ProductBuildVersion</key>\n<string>22G90</string>"
                                "<key>ProductName</key><string>macOS</string>"
                                "<key>ProductVersion</key><string>13.5</string></dict>";
    char value[128];

    put_file("SystemVersion.plist", plist, sizeof plist - 1);
    fact_version_plist = in_scratch("SystemVersion.plist");
    assert_string_equal(fact_at(IC_KVP_AUTO_OS_NAME, value, sizeof value), "OSName");
    assert_string_equal(value, "macOS");
    fact_at(IC_KVP_AUTO_OS_MAJOR, value, sizeof value);
    assert_string_equal(value, "13");
    fact_at(IC_KVP_AUTO_OS_MINOR, value, sizeof value);
    assert_string_equal(value, "5");
    fact_at(IC_KVP_AUTO_OS_BUILD, value, sizeof value);
    assert_string_equal(value, "22G90");
    assert_false(fact_from_plist("<key>A</key>", "A", value, sizeof value));
}

static void an_adapter_nobody_has_is_not_found(void **state)
{
    struct ic_kvp_ip body = { .header = { IC_KVP_GET_IP, 0 } };
    char interface[64];
    bool replies;

    utf8_to_utf16("02:DE:AD:BE:EF:99", (uint8_t *)&body + 2, 128);
    assert_int_equal(ask(&body, sizeof body, &replies), IC_STATUS_WMI_NOT_FOUND);
    assert_false(addresses_find("02:DE:AD", interface, sizeof interface));
    assert_false(addresses_find("02:DE:AD:BE:EF:99:00", interface, sizeof interface));
    assert_false(addresses_find("x", interface, sizeof interface));
}

static uint32_t set_ip(const char *addresses)
{
    struct ic_kvp_ip body = { .header = { IC_KVP_SET_IP, 0 }, .dhcp_enabled = 0 };
    bool replies;

    utf8_to_utf16("{F8615163-DF3E-46C5-913F-F2D2F965ED0E}", (uint8_t *)&body + 2, 128);
    utf8_to_utf16(addresses, (uint8_t *)&body + offsetof(struct ic_kvp_ip, addresses), 1024);
    return ask(&body, sizeof body, &replies);
}

static void binary_addresses_are_understood_too(void **state)
{
    struct ic_kvp_ip_binary body = { .header = { IC_KVP_SET_IP, 0 }, .ipv4_address_count = 1 };
    char command[256], text[512] = "";
    bool replies;
    FILE *file;

    memcpy((uint8_t *)&body + offsetof(struct ic_kvp_ip_binary, ipv4_addresses), "\12\0\0\7", 4);
    memcpy((uint8_t *)&body + offsetof(struct ic_kvp_ip_binary, ipv4_subnets), "\377\0\0\0", 4);
    utf8_to_utf16("{X}", (uint8_t *)&body + offsetof(struct ic_kvp_ip_binary, adapter_id), 128);
    snprintf(command, sizeof command, "cat >%s/input", scratch);
    exchange.set_command = command;
    assert_int_equal(ask(&body, sizeof body, &replies), IC_STATUS_INVALID_ARGUMENT);   /* X */
    utf8_to_utf16("{A}", (uint8_t *)&body + offsetof(struct ic_kvp_ip_binary, adapter_id), 128);
    assert_int_equal(ask(&body, sizeof body, &replies), IC_STATUS_OK);
    file = fopen(in_scratch("input"), "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    assert_string_equal(text, "adapter={A}\ndhcp=0\naddresses=10.0.0.7\nsubnets=255.0.0.0\n"
                              "gateways=\ndns=\n");
    assert_int_equal(ask(&body, sizeof body - 4, &replies), IC_STATUS_INVALID_ARGUMENT);
}

static void setting_addresses_runs_the_command_with_nothing_but_addresses(void **state)
{
    char command[256], text[512] = "";
    FILE *file;

    assert_int_equal(set_ip("10.0.0.1"), IC_STATUS_NOT_SUPPORTED);
    snprintf(command, sizeof command, "cat >%s/input", scratch);
    exchange.set_command = command;
    assert_int_equal(set_ip("10.0.0.1;fe80::1"), IC_STATUS_OK);
    file = fopen(in_scratch("input"), "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    assert_string_equal(text, "adapter={F8615163-DF3E-46C5-913F-F2D2F965ED0E}\ndhcp=0\n"
                              "addresses=10.0.0.1;fe80::1\nsubnets=\ngateways=\ndns=\n");
    assert_int_equal(unlink(in_scratch("input")), 0);
    assert_int_equal(set_ip("$(reboot)"), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(set_ip("10.0.0.1\ndns=6.6.6.6"), IC_STATUS_INVALID_ARGUMENT);
    assert_int_equal(file_size("input"), -1);
    exchange.set_command = "exit 2";
    assert_int_equal(set_ip("10.0.0.1"), IC_STATUS_WMI_NOT_FOUND);
    exchange.set_command = "exit 1";
    assert_int_equal(set_ip("10.0.0.1"), IC_STATUS_FAIL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scratch_remove)
    const struct CMUnitTest tests[] = {
        TEST(pairs_last_and_keep_their_order),
        TEST(what_would_break_a_line_comes_back_as_it_was),
        TEST(a_damaged_pool_gives_what_is_left_of_it),
        TEST(a_pool_has_an_end),
        TEST(a_pair_is_set_read_and_removed),
        TEST(numbers_are_kept_in_decimal),
        TEST(what_makes_no_sense_is_refused_and_nothing_is_written),
        TEST(short_requests_and_unknown_operations_are_refused),
        TEST(the_facts_come_in_the_hosts_order_and_end),
        TEST(macos_is_read_from_its_property_list),
        TEST(an_adapter_nobody_has_is_not_found),
        TEST(binary_addresses_are_understood_too),
        TEST(setting_addresses_runs_the_command_with_nothing_but_addresses),
    };

    return cmocka_run_group_tests_name("kvp", tests, NULL, NULL);
}
