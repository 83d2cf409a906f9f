/* SPDX-License-Identifier: BSD-3-Clause */
/* RNDIS engine: control messages and frames from a host that lies in every field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "kext/core/errors.h"
#include "kext/network/rndis.h"

static uint8_t message[2048];

/* ---- frames ---- */

/* A packet with VLAN and checksum information and a frame of 100 bytes at 256. */
static void make_packet(void)
{
    const struct rndis_packet packet = {
        .header = { RNDIS_PACKET, 356 },
        .data_offset = 248, .data_length = 100, .info_offset = 36, .info_length = 32,
    };
    const uint32_t information[] = { 16, RNDIS_INFO_VLAN, 12, 0x1235,
                                     16, RNDIS_INFO_CHECKSUM, 12, 0x28 };

    memset(message, 0, sizeof message);
    memcpy(message, &packet, sizeof packet);
    memcpy(message + 44, information, sizeof information);
}

static void set(size_t offset, uint32_t value)
{
    memcpy(message + offset, &value, sizeof value);
}

static void a_good_packet_is_taken_apart(void **state)
{
    struct rndis_receive receive;

    make_packet();
    assert_int_equal(rndis_parse_packet(message, 400, &receive), 0);
    assert_int_equal(receive.offset, 256);
    assert_int_equal(receive.length, 100);
    assert_true(receive.has_vlan);
    assert_int_equal(receive.vlan_tag, 0xa123);
    assert_true(receive.has_checksum);
    assert_int_equal(receive.checksum, RNDIS_RX_CHECKSUM_TCP_GOOD | RNDIS_RX_CHECKSUM_IP_GOOD);
    assert_false(receive.has_packet_id);
}

static void packets_that_lie_about_their_parts_are_malformed(void **state)
{
    static const struct { size_t offset; uint32_t value; } lies[] = {
        { 0, 0 }, { 0, RNDIS_INDICATE_STATUS },
        { 4, 0 }, { 4, 43 }, { 4, 401 }, { 4, 0xffffffff },
        { 8, 0 }, { 8, 35 }, { 8, 349 }, { 8, 0xfffffff8 }, { 8, 0xffffffff },
        { 12, 0 }, { 12, 101 }, { 12, 0xffffffff }, { 12, 0xffffff08 },
        { 28, 0 }, { 28, 35 }, { 28, 348 }, { 28, 0xffffffff },
        { 32, 349 }, { 32, 0xffffffff }, { 32, 11 }, { 32, 600 },
        { 44, 0 }, { 44, 4 }, { 44, 11 }, { 44, 13 }, { 44, 36 }, { 44, 0xfffffffc }, { 44, 28 },
        { 52, 0 }, { 52, 11 }, { 52, 17 }, { 52, 0xffffffff },
    };
    struct rndis_receive receive;

    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        make_packet();
        set(lies[i].offset, lies[i].value);
        if (rndis_parse_packet(message, 400, &receive) != HV_ERROR_MALFORMED)
            fail_msg("lie %zu: %u at %zu was believed", i, lies[i].value, lies[i].offset);
        make_packet();
        assert_int_equal(rndis_parse_packet(message, 400, &receive), 0);
    }
    for (uint32_t size = 0; size < 356; size++)
        assert_int_equal(rndis_parse_packet(message, size, &receive), HV_ERROR_MALFORMED);
}

static void unknown_and_short_information_is_passed_over(void **state)
{
    struct rndis_receive receive;

    make_packet();
    set(48, 0x7777);
    assert_int_equal(rndis_parse_packet(message, 400, &receive), 0);
    assert_false(receive.has_vlan);
    make_packet();
    set(52, 16); /* an element without data */
    assert_int_equal(rndis_parse_packet(message, 400, &receive), 0);
    assert_false(receive.has_vlan);
    assert_true(receive.has_checksum);
}

static void headers_to_the_host_say_what_follows(void **state)
{
    uint8_t header[RNDIS_TRANSMIT_HEADER_MAX];
    struct rndis_transmit transmit = { .length = 60, .has_vlan = true, .vlan_tag = 0xa123,
                                       .has_checksum = true,
                                       .checksum = RNDIS_TX_CHECKSUM_IPV4 | RNDIS_TX_CHECKSUM_TCP };
    struct rndis_receive receive;
    uint32_t length = rndis_packet_header(header, &transmit);

    assert_int_equal(length, 44 + 32);
    memcpy(message, header, length);
    assert_int_equal(rndis_parse_packet(message, length + 60, &receive), 0);
    assert_int_equal(receive.offset, length);
    assert_int_equal(receive.vlan_tag, 0xa123);
    transmit.has_lso = true;
    assert_int_equal(rndis_packet_header(header, &transmit), 44 + 32); /* it implies the checksum */
    transmit = (struct rndis_transmit){ .length = 60 };
    assert_int_equal(rndis_packet_header(header, &transmit), 44);
}

/* ---- control ---- */

static void make_query_reply(uint32_t offset, uint32_t length)
{
    const struct rndis_query_complete complete = {
        .header = { RNDIS_QUERY | RNDIS_COMPLETION, 24 + 6 }, .request_id = 7,
        .information_length = length, .information_offset = offset,
    };

    memset(message, 0x55, sizeof message);
    memcpy(message, &complete, sizeof complete);
}

static void replies_are_taken_only_with_their_data_inside(void **state)
{
    struct rndis_control control;

    make_query_reply(16, 6);
    assert_int_equal(rndis_parse_control(message, 30, &control), 0);
    assert_int_equal(control.request_id, 7);
    assert_int_equal(control.length, 6);
    assert_ptr_equal(control.data, message + 24);
    static const struct { uint32_t offset, length; } bad[] = {
        { 0, 6 }, { 15, 6 }, { 17, 6 }, { 16, 7 },
        { 16, 0xffffffff }, { 0xffffffff, 6 }, { 0xfffffff8, 8 },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        make_query_reply(bad[i].offset, bad[i].length);
        assert_int_equal(rndis_parse_control(message, 30, &control), HV_ERROR_MALFORMED);
    }
    make_query_reply(0, 0);
    assert_int_equal(rndis_parse_control(message, 30, &control), 0);
    assert_int_equal(control.length, 0);
}

static void control_messages_of_wrong_length_or_type_are_malformed(void **state)
{
    struct rndis_control control;

    make_query_reply(16, 6);
    for (uint32_t size = 0; size < 30; size++)
        assert_int_equal(rndis_parse_control(message, size, &control), HV_ERROR_MALFORMED);
    set(4, 31);
    assert_int_equal(rndis_parse_control(message, 30, &control), HV_ERROR_MALFORMED);
    set(4, 11);
    assert_int_equal(rndis_parse_control(message, 30, &control), HV_ERROR_MALFORMED);
    make_query_reply(16, 6);
    set(0, 0x80000099);
    assert_int_equal(rndis_parse_control(message, 30, &control), HV_ERROR_MALFORMED);
    set(0, RNDIS_RESET | RNDIS_COMPLETION);
    assert_int_equal(rndis_parse_control(message, 30, &control), HV_ERROR_MALFORMED);
}

static void indications_may_have_no_data_and_never_data_outside(void **state)
{
    struct rndis_indicate_status indication = { { RNDIS_INDICATE_STATUS, 24 },
                                                RNDIS_STATUS_LINK_SPEED_CHANGE, 4, 12 };
    struct rndis_control control;

    memcpy(message, &indication, sizeof indication);
    assert_int_equal(rndis_parse_control(message, 24, &control), 0);
    assert_int_equal(control.kind, RNDIS_CONTROL_STATUS);
    assert_int_equal(control.length, 4);
    indication.buffer_length = 5;
    memcpy(message, &indication, sizeof indication);
    assert_int_equal(rndis_parse_control(message, 24, &control), HV_ERROR_MALFORMED);
    indication.buffer_length = 0;
    indication.buffer_offset = 0xffffffff;
    memcpy(message, &indication, sizeof indication);
    assert_int_equal(rndis_parse_control(message, 24, &control), 0);
}

static void an_absurd_alignment_is_refused(void **state)
{
    struct rndis_initialize_complete complete = {
        .header = { RNDIS_INITIALIZE | RNDIS_COMPLETION, 52 }, .alignment_factor = 3,
    };
    struct rndis_control control;

    memcpy(message, &complete, sizeof complete);
    assert_int_equal(rndis_parse_control(message, 52, &control), 0);
    complete.alignment_factor = 32;
    memcpy(message, &complete, sizeof complete);
    assert_int_equal(rndis_parse_control(message, 52, &control), HV_ERROR_MALFORMED);
}

static void requests_that_do_not_fit_are_not_built(void **state)
{
    uint8_t data[64] = { 0 };

    assert_int_equal(rndis_query_message(message, 28, 1, 2, NULL, 0), 28);
    assert_int_equal(rndis_query_message(message, 27, 1, 2, NULL, 0), 0);
    assert_int_equal(rndis_set_message(message, 91, 1, 2, data, 64), 0);
    assert_int_equal(rndis_set_message(message, 92, 1, 2, data, 64), 92);
    assert_int_equal(rndis_set_message(message, 92, 1, 2, data, 0xffffffff), 0);
}

/* ---- offloads ---- */

static void offloads_follow_what_the_host_can(void **state)
{
    struct ndis_offload host = {
        .header = { NDIS_OBJECT_OFFLOAD, 3, NDIS_OFFLOAD_SIZE_3 },
        .ipv4_transmit = { 2, NDIS_CHECKSUM_TCP | NDIS_CHECKSUM_UDP },
        .lso_ipv4 = { 2, 0xffffffff, 2 }, .lso_ipv6 = { 2, 60000, 2 },
    };
    struct rndis_offload offload;
    struct ndis_offload_parameters parameters;

    assert_int_equal(rndis_parse_offload(&host, sizeof host, true, &offload), 0);
    assert_true(offload.transmit_tcp_ipv4 && offload.transmit_udp_ipv4 && !offload.transmit_ipv4);
    assert_int_equal(offload.lso_ipv4, 65535); /* never more than an IP packet */
    assert_int_equal(offload.lso_ipv6, 0);     /* not without checksums */
    assert_int_equal(rndis_offload_parameters(&offload, false, false, &parameters), 22);
    assert_int_equal(parameters.udp_ipv4, NDIS_OFFLOAD_UNCHANGED);
    assert_int_equal(rndis_offload_parameters(&offload, true, true, &parameters), 28);
    assert_int_equal(parameters.udp_ipv4, NDIS_OFFLOAD_CHECKSUM_TX);
    assert_int_equal(parameters.rsc_ipv4, NDIS_OFFLOAD_ON);
    assert_int_equal(rndis_parse_offload(&host, NDIS_OFFLOAD_SIZE_1 - 1, true, &offload),
                     HV_ERROR_MALFORMED);
    assert_int_equal(offload.lso_ipv4, 0);
    host.header.type = 0;
    assert_int_equal(rndis_parse_offload(&host, sizeof host, true, &offload), HV_ERROR_MALFORMED);
}

/* ---- every byte wrong in turn ---- */

static const uint8_t byte_values[] = { 0x00, 0x01, 0x0c, 0x7f, 0x80, 0xff };

static void whatever_byte_of_a_packet_is_wrong_the_next_one_is_taken(void **state)
{
    enum { SIZE = 400, READ = 44 + 32 };
    struct rndis_receive receive;

    for (size_t at = 0; at < READ * sizeof byte_values; at++) {
        make_packet();
        message[at / sizeof byte_values] = byte_values[at % sizeof byte_values];
        if (rndis_parse_packet(message, SIZE, &receive) == 0) {
            assert_true(receive.length > 0 && receive.length <= SIZE);
            assert_true(receive.offset >= 44 && receive.offset <= SIZE - receive.length);
        }
        make_packet();
        assert_int_equal(rndis_parse_packet(message, SIZE, &receive), 0);
        assert_int_equal(receive.offset, 256);
    }
}

/* The control messages that a host sends: a reply of each kind, an indication, a keepalive. */
static uint32_t make_control(unsigned kind)
{
    const struct rndis_initialize_complete initialize = {
        .header = { RNDIS_INITIALIZE | RNDIS_COMPLETION, sizeof initialize }, .request_id = 7,
        .major = 1, .max_packets_per_message = 8, .max_transfer_size = 0x4000,
        .alignment_factor = 3,
    };
    const struct rndis_status_complete set_complete = {
        { RNDIS_SET | RNDIS_COMPLETION, sizeof set_complete }, 7, 0,
    };
    const struct rndis_indicate_status indication = {
        { RNDIS_INDICATE_STATUS, 24 }, RNDIS_STATUS_LINK_SPEED_CHANGE, 4, 12,
    };
    const struct rndis_request_only keepalive = { { RNDIS_KEEPALIVE, 12 }, 7 };

    memset(message, 0x55, sizeof message);
    switch (kind) {
    case 0: memcpy(message, &initialize, sizeof initialize); return sizeof initialize;
    case 1: memcpy(message, &set_complete, sizeof set_complete); return sizeof set_complete;
    case 2: memcpy(message, &indication, sizeof indication); return 24;
    case 3: memcpy(message, &keepalive, sizeof keepalive); return 12;
    default: make_query_reply(16, 6); return 30;
    }
}

static void whatever_byte_of_a_control_message_is_wrong_the_next_one_is_taken(void **state)
{
    enum { KINDS = 5 };
    struct rndis_control control;

    for (unsigned kind = 0; kind < KINDS; kind++) {
        uint32_t size = make_control(kind);

        for (size_t at = 0; at < size * sizeof byte_values; at++) {
            make_control(kind);
            message[at / sizeof byte_values] = byte_values[at % sizeof byte_values];
            if (rndis_parse_control(message, size, &control) == 0 && control.length != 0) {
                assert_true(control.data >= message && control.data <= message + size);
                assert_true(control.length <= (size_t)(message + size - control.data));
            }
            make_control(kind);
            assert_int_equal(rndis_parse_control(message, size, &control), 0);
        }
    }
}

static void whatever_byte_of_the_capabilities_is_wrong_offloads_stay_within_limits(void **state)
{
    struct ndis_offload capabilities, good;
    struct rndis_offload offload;

    rndis_offload_query(true, &good);
    for (size_t at = 0; at < sizeof good * sizeof byte_values; at++) {
        capabilities = good;
        ((uint8_t *)&capabilities)[at / sizeof byte_values] =
            byte_values[at % sizeof byte_values];
        if (rndis_parse_offload(&capabilities, sizeof capabilities, true, &offload) == 0) {
            struct ndis_offload_parameters parameters;

            assert_true(rndis_offload_parameters(&offload, true, true, &parameters) <=
                        sizeof parameters);
        }
        assert_int_equal(rndis_parse_offload(&good, sizeof good, true, &offload), 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_packet_is_taken_apart),
        cmocka_unit_test(packets_that_lie_about_their_parts_are_malformed),
        cmocka_unit_test(unknown_and_short_information_is_passed_over),
        cmocka_unit_test(headers_to_the_host_say_what_follows),
        cmocka_unit_test(replies_are_taken_only_with_their_data_inside),
        cmocka_unit_test(control_messages_of_wrong_length_or_type_are_malformed),
        cmocka_unit_test(indications_may_have_no_data_and_never_data_outside),
        cmocka_unit_test(an_absurd_alignment_is_refused),
        cmocka_unit_test(requests_that_do_not_fit_are_not_built),
        cmocka_unit_test(offloads_follow_what_the_host_can),
        cmocka_unit_test(whatever_byte_of_a_packet_is_wrong_the_next_one_is_taken),
        cmocka_unit_test(whatever_byte_of_a_control_message_is_wrong_the_next_one_is_taken),
        cmocka_unit_test(whatever_byte_of_the_capabilities_is_wrong_offloads_stay_within_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
