/* SPDX-License-Identifier: BSD-3-Clause */
/* Address blocks of data exchange, text and binary: host and daemon, each written for itself,
 * understand each other; the host and a guest that answers by hand; counts that cannot be. */
#include "tests/unit/host-integration/rig.h"

#include <stdio.h>

#include "daemons/kvp/blocks.h"
#include "host/devices/kvp_addresses.h"

static const uint32_t both_forms[] = {IC_KVP_4_0, IC_KVP_5_0};
static const char adapter[] = "{F8615163-DF3E-46C5-913F-F2D2F965ED0E}";
static const struct kvp_addresses some = {
    .dhcp = true,
    .addresses = "10.0.0.5;192.168.7.9;fe80::1;2001:db8::42",
    .subnets = "255.0.0.0;255.255.255.0;/64;/48",
    .gateways = "10.0.0.1;fe80::ff",
    .dns = "10.0.0.2;10.0.0.3;2001:db8::53",
};

static void the_daemon_reads_what_the_host_writes(void **state)
{
    static struct address_lists lists;
    union kvp_address_block block;
    for (unsigned i = 0; i < 2; i++) {
        size_t size = kvp_block_make(&block, both_forms[i], IC_KVP_SET_IP, adapter, &some);
        memset(&lists, 'x', sizeof(lists));
        assert_true(block_read(&block, (uint32_t)size, &lists));
        assert_string_equal(lists.adapter, adapter);
        assert_true(lists.dhcp);
        assert_string_equal(lists.addresses, some.addresses);
        assert_string_equal(lists.subnets, some.subnets);
        assert_string_equal(lists.gateways, some.gateways);
        assert_string_equal(lists.dns, some.dns);
    }
}

static void the_host_reads_what_the_daemon_writes(void **state)
{
    static struct address_lists lists;
    static struct kvp_addresses addresses;
    union kvp_address_block block;
    for (unsigned i = 0; i < 2; i++) {
        size_t size = kvp_block_make(&block, both_forms[i], IC_KVP_GET_IP, "00:15:5D:01:02:03",
                                     NULL);
        assert_true(block_read(&block, (uint32_t)size, &lists));
        assert_string_equal(lists.adapter, "00:15:5D:01:02:03");
        assert_string_equal(lists.addresses, "");
        strcpy(lists.addresses, "10.0.0.5;fe80::1%en0");
        strcpy(lists.subnets, "255.0.0.0;/64");
        strcpy(lists.gateways, "10.0.0.1");
        strcpy(lists.dns, "10.0.0.2");
        block_write(&block, (uint32_t)size, &lists);
        assert_true(kvp_block_read(&block, size, both_forms[i], &addresses));
        assert_string_equal(addresses.addresses,
                            i == 0 ? "10.0.0.5;fe80::1%en0" : "10.0.0.5;fe80::1");
        assert_string_equal(addresses.subnets, "255.0.0.0;/64");
        assert_string_equal(addresses.gateways, "10.0.0.1");
        assert_string_equal(addresses.dns, "10.0.0.2");
    }
}

static void the_binary_form_is_as_its_description_has_it(void **state)
{
    union kvp_address_block block;
    const uint8_t *bytes = (const uint8_t *)&block;
    assert_int_equal(kvp_block_make(&block, IC_KVP_5_0, IC_KVP_SET_IP, adapter, &some), 4 + 3712);
    assert_int_equal(bytes[0], IC_KVP_SET_IP);
    assert_memory_equal(bytes + 4, "\2\0\0\0\2\0\0\0\1\0\0\0\1\0\0\0\2\0\0\0\1\0\0\0", 24);
    assert_memory_equal(bytes + 4 + 24, u"{F8615163", 18);
    assert_memory_equal(bytes + 4 + 280, "\3\1\0\0", 4);
    assert_memory_equal(bytes + 4 + 284, "\12\0\0\5\300\250\7\11", 8);      /* network order */
    assert_memory_equal(bytes + 4 + 540, "\376\200\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
    assert_memory_equal(bytes + 4 + 1564, "\377\0\0\0\377\377\377\0", 8);
    assert_memory_equal(bytes + 4 + 1820, "\100\0\0\0\60\0\0\0", 8);
    assert_memory_equal(bytes + 4 + 2076, "\12\0\0\1", 4);
    assert_memory_equal(bytes + 4 + 2096, "\376\200", 2);
    assert_memory_equal(bytes + 4 + 2176, "\12\0\0\2\12\0\0\3", 8);
    assert_memory_equal(bytes + 4 + 2432, "\40\1\15\270", 4);
}

static void more_than_there_is_room_for_is_left_out(void **state)
{
    static struct kvp_addresses many, read;
    static struct address_lists lists;
    union kvp_address_block block;
    for (unsigned i = 0; i < 70; i++) {
        sprintf(many.addresses + strlen(many.addresses), "%s10.0.0.%u", i == 0 ? "" : ";", i + 1);
        sprintf(many.gateways + strlen(many.gateways), "%s10.0.1.%u", i == 0 ? "" : ";", i + 1);
    }
    strcat(many.dns, "no address;10.0.0.1;1234;::g");
    size_t size = kvp_block_make(&block, IC_KVP_5_0, IC_KVP_SET_IP, adapter, &many);
    assert_true(kvp_block_read(&block, size, IC_KVP_5_0, &read));
    assert_true(block_read(&block, (uint32_t)size, &lists));
    assert_string_equal(strrchr(read.addresses, ';'), ";10.0.0.64");
    assert_string_equal(lists.addresses, read.addresses);
    assert_string_equal(lists.gateways, "10.0.1.1;10.0.1.2;10.0.1.3;10.0.1.4;10.0.1.5");
    assert_string_equal(lists.dns, "10.0.0.1");
    strcpy(lists.dns, many.addresses);
    strcpy(lists.gateways, "x;;10.0.1.9;;");
    block_write(&block, (uint32_t)size, &lists);
    assert_true(kvp_block_read(&block, size, IC_KVP_5_0, &read));
    assert_string_equal(strrchr(read.dns, ';'), ";10.0.0.64");
    assert_string_equal(read.gateways, "10.0.1.9");
}

static void counts_that_cannot_be_are_clamped_by_the_daemon_and_refused_by_the_host(void **state)
{
    static struct kvp_addresses read;
    static struct address_lists lists;
    union kvp_address_block block;
    const size_t size = kvp_block_make(&block, IC_KVP_5_0, IC_KVP_SET_IP, adapter, &some);
    for (unsigned i = 0; i < 6; i++) {
        union kvp_address_block bad = block;
        const uint32_t count = i % 2 == 0 ? 65 : UINT32_MAX;
        memcpy((uint8_t *)&bad + 4 + 4 * i, &count, sizeof(count));
        assert_false(kvp_block_read(&bad, size, IC_KVP_5_0, &read));
        assert_true(block_read(&bad, (uint32_t)size, &lists));
        assert_true(strlen(lists.addresses) < sizeof(lists.addresses));
    }
    assert_false(kvp_block_read(&block, size - 1, IC_KVP_5_0, &read));
    assert_false(kvp_block_read(&block, sizeof(struct ic_kvp_ip) - 1, IC_KVP_4_0, &read));
    assert_false(block_read(&block, (uint32_t)size - 1, &lists));
    assert_false(block_read(&block, (uint32_t)size + 1, &lists));
    assert_true(kvp_block_read(&block, size, IC_KVP_5_0, &read));
}

/* ---- On the wire ---- */

static struct kvp_addresses heard;

static void addresses_done(void *context, int result, uint32_t status,
                           const struct kvp_addresses *addresses)
{
    rig_done(context, result, status, NULL, 0);
    if (addresses != NULL) {
        heard = *addresses;
    }
}

static void a_guest_of_5_0_is_asked_in_binary(void **state)
{
    struct rig *rig = rig_create(kvp_new(IC_FRAMEWORK_3_0, IC_KVP_5_0, "a host"), IC_KVP_5_0);
    struct outcome outcome = {0};
    struct message message;
    for (unsigned i = 0; i < 4; i++) { /* what it is told about its host */
        rig_pump(rig);
        rig_answer(rig, &message, IC_STATUS_OK);
    }
    assert_int_equal(
        kvp_get_addresses(rig->device, "00:15:5D:01:02:03", addresses_done, &outcome), 0);
    rig_pump(rig);
    assert_true(rig_take(rig, &message));
    assert_int_equal(message.header.body_size, sizeof(struct ic_kvp_ip_binary));
    message.body[4] = 1;                                /* one IPv4 address: 10.1.2.3 */
    memcpy(message.body + 4 + 284, "\12\1\2\3", 4);
    memcpy(message.body + 4 + 1564, "\377\377\0\0", 4);
    rig_put(rig, &message, message.header.body_size);
    assert_int_equal(outcome.ends, 1);
    assert_int_equal(outcome.result, 0);
    assert_string_equal(heard.addresses, "10.1.2.3");
    assert_string_equal(heard.subnets, "255.255.0.0");

    assert_int_equal(
        kvp_get_addresses(rig->device, "00:15:5D:01:02:03", addresses_done, &outcome), 0);
    rig_pump(rig);
    assert_true(rig_take(rig, &message));
    message.body[4] = 200;
    rig_put(rig, &message, message.header.body_size);
    assert_int_equal(outcome.result, -EPROTO);
    assert_int_equal(kvp_set_addresses(rig->device, adapter, &some, addresses_done, &outcome), 0);
    rig_pump(rig);
    rig_answer(rig, &message, IC_STATUS_OK);            /* and the next one works */
    assert_int_equal(message.body[0], IC_KVP_SET_IP);
    assert_memory_equal(message.body + 4 + 284, "\12\0\0\5", 4);
    assert_int_equal(outcome.ends, 3);
    assert_int_equal(outcome.result, 0);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_daemon_reads_what_the_host_writes),
        cmocka_unit_test(the_host_reads_what_the_daemon_writes),
        cmocka_unit_test(the_binary_form_is_as_its_description_has_it),
        cmocka_unit_test(more_than_there_is_room_for_is_left_out),
        cmocka_unit_test(counts_that_cannot_be_are_clamped_by_the_daemon_and_refused_by_the_host),
        cmocka_unit_test(a_guest_of_5_0_is_asked_in_binary),
    };

    return cmocka_run_group_tests_name("kvp addresses", tests, NULL, NULL);
}
