/* SPDX-License-Identifier: BSD-3-Clause */
/* RNDIS control messages: what each answers, and what a guest gets that lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "host/devices/netvsc_control.h"
#include "host/devices/netvsc_internal.h"
#include "protocol/netvsc.h"

static struct netvsc_control control;
static uint8_t message[2048], reply[NETVSC_CONTROL_REPLY_MAX];
static const char *rule;

static int send_message(size_t size)
{
    return netvsc_control_handle(&control, message, size, reply, &rule);
}

static int send_request(uint32_t type, uint32_t oid, const void *data, uint32_t size)
{
    const struct rndis_request request = {
        .header = {type, sizeof(request) + size}, .request_id = 77, .oid = oid,
        .information_length = size, .information_offset = RNDIS_REQUEST_INFORMATION_OFFSET,
    };
    memcpy(message, &request, sizeof(request));
    if (size > 0) {
        memcpy(message + sizeof(request), data, size);
    }
    return send_message(request.header.length);
}

static uint32_t status_of(int length)
{
    uint32_t id, status;
    assert_true(length >= 16);
    memcpy(&id, reply + 8, 4);
    memcpy(&status, reply + 12, 4);
    assert_int_equal(id, 77);
    return status;
}

static int begin(void **state)
{
    const struct rndis_initialize initialize = {{RNDIS_INITIALIZE, sizeof(initialize)},
                                                77, 1, 0, 0x4000};
    control = (struct netvsc_control){.permanent_address = {0, 0x15, 0x5d, 1, 2, 3},
                                      .queues_max = 4, .link_up = true,
                                      .link_speed = 10000000000ull};
    netvsc_control_reset(&control);
    control.nvsp_version = NVSP_VERSION_6_1;
    memcpy(message, &initialize, sizeof(initialize));
    assert_int_equal(send_message(sizeof(initialize)), sizeof(struct rndis_initialize_complete));
    return 0;
}

static void initialise_comes_first_and_once(void **state)
{
    assert_int_equal(send_message(24), -1); /* a second time */
    netvsc_control_reset(&control);
    assert_int_equal(send_request(RNDIS_QUERY, RNDIS_OID_PERMANENT_ADDRESS, NULL, 0), -1);
    assert_non_null(strstr(rule, "INITIALIZE"));
}

static void the_address_link_and_speed_are_told(void **state)
{
    uint32_t value;
    assert_int_equal(status_of(send_request(RNDIS_QUERY, RNDIS_OID_PERMANENT_ADDRESS, NULL, 0)), 0);
    assert_memory_equal(reply + 24, control.permanent_address, 6);
    assert_int_equal(status_of(send_request(RNDIS_QUERY, RNDIS_OID_LINK_SPEED, NULL, 0)), 0);
    memcpy(&value, reply + 24, 4);
    assert_int_equal(value, 100000000);
    control.link_up = false;
    assert_int_equal(status_of(send_request(RNDIS_QUERY, RNDIS_OID_MEDIA_CONNECT_STATUS, NULL, 0)),
                     0);
    memcpy(&value, reply + 24, 4);
    assert_int_equal(value, RNDIS_MEDIA_DISCONNECTED);
    assert_int_equal(status_of(send_request(RNDIS_QUERY, 0xdeadbeef, NULL, 0)),
                     RNDIS_STATUS_NOT_SUPPORTED);
}

static void lengths_and_offsets_that_lie_stop_the_guest(void **state)
{
    static const struct { size_t offset; uint32_t value; } lies[] = {
        {4, 0}, {4, 11}, {4, 27}, {4, 33}, {4, UINT32_MAX}, {16, 5}, {16, UINT32_MAX}, {20, 19},
        {20, 21}, {20, UINT32_MAX}, {0, RNDIS_RESET}, {0, 0x99},
    };
    const uint32_t filter = 13;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        send_request(RNDIS_SET, RNDIS_OID_PACKET_FILTER, &filter, 4);
        control.filter = 0;
        memcpy(message + lies[i].offset, &lies[i].value, 4);
        assert_int_equal(send_message(32), -1);
        assert_int_equal(control.filter, 0);
        assert_int_equal(status_of(send_request(RNDIS_SET, RNDIS_OID_PACKET_FILTER, &filter, 4)),
                         0);
        assert_int_equal(control.filter, 13);
    }
    assert_int_equal(status_of(send_request(RNDIS_SET, RNDIS_OID_PACKET_FILTER, &filter, 3)),
                     RNDIS_STATUS_FAILURE);
}

static void make_rss(struct ndis_rss_parameters *parameters, uint8_t *data)
{
    *parameters = (struct ndis_rss_parameters){
        .header = {NDIS_OBJECT_RSS_PARAMETERS, 2, 40},
        .hash = NDIS_RSS_HASH_TOEPLITZ | NDIS_RSS_TCP_IPV4,
        .table_bytes = 512, .table_offset = 40, .key_bytes = 40, .key_offset = 552,
    };
    for (uint32_t i = 0; i < 128; i++) {
        uint32_t channel = i % 4;
        memcpy(data + 40 + i * 4, &channel, 4);
    }
    memset(data + 552, 0x6d, 40);
}

static uint32_t set_rss(const struct ndis_rss_parameters *parameters, uint8_t *data)
{
    memcpy(data, parameters, sizeof(*parameters));
    return status_of(send_request(RNDIS_SET, RNDIS_OID_RSS_PARAMETERS, data, 592));
}

static void scaling_takes_good_tables_only(void **state)
{
    struct ndis_rss_parameters good, bad;
    uint8_t data[592];
    uint32_t channel = 4;
    make_rss(&good, data);
    bad = good, bad.key_bytes = 39;
    assert_int_equal(set_rss(&bad, data), RNDIS_STATUS_INVALID_DATA);
    bad = good, bad.key_offset = 553;
    assert_int_equal(set_rss(&bad, data), RNDIS_STATUS_INVALID_DATA);
    bad = good, bad.table_offset = UINT32_MAX;
    assert_int_equal(set_rss(&bad, data), RNDIS_STATUS_INVALID_DATA);
    bad = good, bad.table_bytes = 0;
    assert_int_equal(set_rss(&bad, data), RNDIS_STATUS_INVALID_DATA);
    bad = good, bad.table_bytes = 516;
    assert_int_equal(set_rss(&bad, data), RNDIS_STATUS_INVALID_DATA);
    memcpy(data + 40 + 4 * 127, &channel, 4); /* one queue too far */
    assert_int_equal(set_rss(&good, data), RNDIS_STATUS_INVALID_DATA);
    assert_false(control.rss);
    make_rss(&good, data);
    assert_int_equal(set_rss(&good, data), RNDIS_STATUS_SUCCESS);
    assert_true(control.rss);
    assert_int_equal(control.table_entries, 128);
    good.flags = NDIS_RSS_DISABLE;
    assert_int_equal(set_rss(&good, data), RNDIS_STATUS_SUCCESS);
    assert_false(control.rss);
}

/* Microsoft's published verification data for TCP over IPv4. */
static void the_hash_is_microsofts(void **state)
{
    static const uint8_t key[NDIS_RSS_KEY_BYTES] = {
        0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
        0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
        0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
        0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
    };
    static const uint8_t input[] = {66, 9, 149, 187, 161, 142, 100, 80,
                                    2794 >> 8, 2794 & 255, 1766 >> 8, 1766 & 255};
    assert_int_equal(netvsc_toeplitz(key, input, 8), 0x323e8fc2);
    assert_int_equal(netvsc_toeplitz(key, input, 12), 0x51ccc178);
}

static void the_address_can_be_set_by_name(void **state)
{
    static const char name[] = "NetworkAddress", value[] = "00155DAABBCC";
    uint8_t data[20 + 28 + 24] = {0};
    struct rndis_config_parameter parameter = {20, 28, 2, 48, 24};
    for (int i = 0; i < 14; i++) {
        data[20 + 2 * i] = (uint8_t)name[i];
    }
    for (int i = 0; i < 12; i++) {
        data[48 + 2 * i] = (uint8_t)value[i];
    }
    memcpy(data, &parameter, sizeof(parameter));
    assert_int_equal(status_of(send_request(RNDIS_SET, RNDIS_OID_CONFIG_PARAMETER, data,
                                            sizeof(data))), 0);
    assert_memory_equal(control.address, "\x00\x15\x5d\xaa\xbb\xcc", 6);
    parameter.value_offset = 49;
    memcpy(data, &parameter, sizeof(parameter));
    assert_int_equal(status_of(send_request(RNDIS_SET, RNDIS_OID_CONFIG_PARAMETER, data,
                                            sizeof(data))), RNDIS_STATUS_INVALID_DATA);
    parameter.value_offset = 48;
    data[48] = 'x';
    memcpy(data, &parameter, sizeof(parameter));
    assert_int_equal(status_of(send_request(RNDIS_SET, RNDIS_OID_CONFIG_PARAMETER, data,
                                            sizeof(data))), RNDIS_STATUS_INVALID_DATA);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(initialise_comes_first_and_once, begin),
        cmocka_unit_test_setup(the_address_link_and_speed_are_told, begin),
        cmocka_unit_test_setup(lengths_and_offsets_that_lie_stop_the_guest, begin),
        cmocka_unit_test_setup(scaling_takes_good_tables_only, begin),
        cmocka_unit_test(the_hash_is_microsofts),
        cmocka_unit_test_setup(the_address_can_be_set_by_name, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
