/* SPDX-License-Identifier: BSD-3-Clause */
/* NVSP engine: version ladder, buffers, and a host that answers nonsense in every field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "kext/core/errors.h"
#include "kext/network/nvs.h"

enum { BUFFER = 16 << 20 };

static struct nvs nvs;
static struct nvsp_message message;

static struct nvsp_message init_reply(uint32_t status)
{
    return (struct nvsp_message){ .type = NVSP_INIT_COMPLETE,
                                  .init_complete = { .status = status } };
}

static struct nvsp_message receive_reply(uint32_t sections, uint32_t offset, uint32_t unit,
                                         uint32_t count)
{
    return (struct nvsp_message){
        .type = NVSP_RECEIVE_BUFFER_COMPLETE,
        .receive_buffer_complete = { NVSP_STATUS_SUCCESS, sections, offset, unit, count,
                                     unit * count },
    };
}

static struct nvsp_message send_reply(uint32_t status, uint32_t section)
{
    return (struct nvsp_message){ .type = NVSP_SEND_BUFFER_COMPLETE,
                                  .send_buffer_complete = { status, section } };
}

static void agree(uint32_t version)
{
    bool again = true;

    nvs_begin(&nvs, &message);
    while (again) {
        bool same = message.init.version_min == version;
        struct nvsp_message reply = init_reply(same ? NVSP_STATUS_SUCCESS : NVSP_STATUS_FAILURE);

        nvs_version_reply(&nvs, &reply, sizeof reply, &message, &again);
    }
}

static void versions_are_tried_from_the_newest_down(void **state)
{
    static const uint32_t ladder[] = { NVSP_VERSION_6_1, NVSP_VERSION_6, NVSP_VERSION_5,
                                       NVSP_VERSION_4, NVSP_VERSION_2, NVSP_VERSION_1 };
    const struct nvsp_message refusal = init_reply(NVSP_STATUS_FAILURE);
    bool again;

    nvs_begin(&nvs, &message);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(message.type, NVSP_INIT);
        assert_int_equal(message.init.version_min, ladder[i]);
        assert_int_equal(message.init.version_max, ladder[i]);
        assert_int_equal(nvs_version_reply(&nvs, &refusal, sizeof refusal, &message, &again),
                         HV_ERROR_REFUSED);
        assert_int_equal(again, i < 5);
    }
    assert_int_equal(nvs.counters.versions_refused, 6);
    assert_int_equal(nvs.version, 0);
}

static void the_attempt_after_one_that_failed_begins_anew(void **state)
{
    const struct nvsp_message refusal = init_reply(NVSP_STATUS_FAILURE);
    const struct nvsp_message success = init_reply(NVSP_STATUS_SUCCESS);
    bool again = true;

    agree(NVSP_VERSION_2);
    nvs_begin(&nvs, &message);
    assert_int_equal(message.init.version_max, NVSP_VERSION_6_1);
    assert_int_equal(nvs.version, 0);           /* nothing is agreed on any more */
    while (again)
        nvs_version_reply(&nvs, &refusal, sizeof refusal, &message, &again);
    assert_int_equal(nvs.version, 0);
    nvs_begin(&nvs, &message);
    assert_int_equal(message.init.version_max, NVSP_VERSION_6_1);
    assert_int_equal(nvs_version_reply(&nvs, &success, sizeof success, &message, &again), 0);
    assert_int_equal(nvs.version, NVSP_VERSION_6_1);
}

static void a_short_or_foreign_version_reply_is_malformed_and_the_next_one_counts(void **state)
{
    struct nvsp_message reply = init_reply(NVSP_STATUS_SUCCESS);
    bool again;

    nvs_begin(&nvs, &message);
    for (uint32_t size = 0; size < 16; size++)
        assert_int_equal(nvs_version_reply(&nvs, &reply, size, &message, &again),
                         HV_ERROR_MALFORMED);
    assert_int_equal(nvs.counters.short_packets, 16);
    reply.type = NVSP_RNDIS_PACKET_COMPLETE;
    assert_int_equal(nvs_version_reply(&nvs, &reply, sizeof reply, &message, &again),
                     HV_ERROR_MALFORMED);
    assert_int_equal(nvs.counters.unexpected_packets, 1);
    reply.type = NVSP_INIT_COMPLETE;
    assert_int_equal(nvs_version_reply(&nvs, &reply, 28, &message, &again), 0);
    assert_int_equal(nvs.version, NVSP_VERSION_6_1);
}

static void capabilities_follow_the_version(void **state)
{
    agree(NVSP_VERSION_1);
    assert_false(nvs_configuration_message(&nvs, 9014, &message));
    agree(NVSP_VERSION_2);
    assert_true(nvs_configuration_message(&nvs, 9014, &message));
    assert_int_equal(message.ndis_config.mtu, 9014);
    assert_int_equal(message.ndis_config.capabilities, NVSP_CAPABILITY_8021Q);
    agree(NVSP_VERSION_6_1);
    assert_true(nvs_configuration_message(&nvs, 9014, &message));
    assert_int_equal(message.ndis_config.capabilities,
                     NVSP_CAPABILITY_8021Q | NVSP_CAPABILITY_TEAMING | NVSP_CAPABILITY_RSC);
    nvs_ndis_version_message(&nvs, &message);
    assert_int_equal(message.ndis_version.minor, 0x1e);
}

static void receive_units_that_do_not_fit_the_buffer_are_refused(void **state)
{
    static const struct { uint32_t sections, offset, unit, count; } bad[] = {
        { 0, 0, 1728, 100 }, { 2, 0, 1728, 100 }, { 1, 4096, 1728, 100 }, { 1, 0, 0, 100 },
        { 1, 0, 100, 100 }, { 1, 0, 1728, 0 }, { 1, 0, 1728, BUFFER / 1728 + 1 },
        { 1, 0, 0xffffffff, 2 }, { 1, 0, 1728, 0xffffffff },
        { 1, 0, BUFFER + 1, 1 },
    };
    struct nvsp_message reply;

    agree(NVSP_VERSION_6_1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        reply = receive_reply(bad[i].sections, bad[i].offset, bad[i].unit, bad[i].count);
        assert_int_equal(nvs_receive_buffer_reply(&nvs, &reply, sizeof reply, BUFFER),
                         HV_ERROR_MALFORMED);
        assert_int_equal(nvs.unit_size, 0);
    }
    reply = receive_reply(1, 0, 1728, BUFFER / 1728);
    assert_int_equal(nvs_receive_buffer_reply(&nvs, &reply, 27, BUFFER), HV_ERROR_MALFORMED);
    assert_int_equal(nvs_receive_buffer_reply(&nvs, &reply, 28, BUFFER), 0);
    assert_int_equal(nvs.unit_size, 1728);
    assert_int_equal(nvs.receive_bytes, BUFFER / 1728 * 1728);
}

static void sections_that_make_no_sense_are_refused(void **state)
{
    struct nvsp_message reply;

    agree(NVSP_VERSION_5);
    reply = send_reply(NVSP_STATUS_FAILURE, 6144);
    assert_int_equal(nvs_send_buffer_reply(&nvs, &reply, sizeof reply, BUFFER), HV_ERROR_REFUSED);
    for (uint32_t size = 0; size < NVS_SECTION_SIZE_MIN; size += 97) {
        reply = send_reply(NVSP_STATUS_SUCCESS, size);
        assert_int_equal(nvs_send_buffer_reply(&nvs, &reply, sizeof reply, BUFFER),
                         HV_ERROR_MALFORMED);
    }
    reply = send_reply(NVSP_STATUS_SUCCESS, BUFFER + 1);
    assert_int_equal(nvs_send_buffer_reply(&nvs, &reply, sizeof reply, BUFFER), HV_ERROR_MALFORMED);
    reply = send_reply(NVSP_STATUS_SUCCESS, 6144);
    assert_int_equal(nvs_send_buffer_reply(&nvs, &reply, 11, BUFFER), HV_ERROR_MALFORMED);
    assert_int_equal(nvs_send_buffer_reply(&nvs, &reply, 12, BUFFER), 0);
    assert_int_equal(nvs.section_count, BUFFER / 6144);
}

static void receive_headers_of_another_kind_are_counted(void **state)
{
    uint32_t type;

    agree(NVSP_VERSION_6_1);
    nvs_rndis_message(NVSP_CHANNEL_CONTROL, NVSP_NO_SECTION, 0, &message);
    assert_int_equal(nvs_receive_header(&nvs.counters, &message, 15, &type), HV_ERROR_MALFORMED);
    message.rndis.channel_type = 2;
    assert_int_equal(nvs_receive_header(&nvs.counters, &message, sizeof message, &type),
                     HV_ERROR_MALFORMED);
    message.rndis.channel_type = NVSP_CHANNEL_CONTROL;
    message.type = NVSP_RNDIS_PACKET_COMPLETE;
    assert_int_equal(nvs_receive_header(&nvs.counters, &message, sizeof message, &type),
                     HV_ERROR_MALFORMED);
    assert_int_equal(nvs.counters.short_packets + nvs.counters.unexpected_packets, 3);
    message.type = NVSP_RNDIS_PACKET;
    assert_int_equal(nvs_receive_header(&nvs.counters, &message, sizeof message, &type), 0);
    assert_int_equal(type, NVSP_CHANNEL_CONTROL);
}

static void a_send_succeeded_only_when_the_host_says_so(void **state)
{
    agree(NVSP_VERSION_6_1);
    nvs_acknowledgement(&message);
    assert_true(nvs_send_succeeded(&nvs.counters, &message, 8));
    assert_false(nvs_send_succeeded(&nvs.counters, &message, 7));
    message.status.status = NVSP_STATUS_INVALID_PACKET;
    assert_false(nvs_send_succeeded(&nvs.counters, &message, sizeof message));
    message.status.status = NVSP_STATUS_SUCCESS;
    message.type = NVSP_RNDIS_PACKET;
    assert_false(nvs_send_succeeded(&nvs.counters, &message, sizeof message));
}

static void no_more_sub_channels_than_were_asked_for_are_believed(void **state)
{
    struct nvsp_message reply = { .type = NVSP_SUB_CHANNEL };
    uint32_t granted;

    agree(NVSP_VERSION_5);
    nvs_sub_channel_message(7, &message);
    assert_int_equal(message.type, NVSP_SUB_CHANNEL);
    assert_int_equal(message.sub_channel.operation, NVSP_SUB_CHANNEL_ALLOCATE);
    assert_int_equal(message.sub_channel.count, 7);
    reply.sub_channel_complete.status = NVSP_STATUS_FAILURE;
    reply.sub_channel_complete.count = 7;
    assert_int_equal(nvs_sub_channel_reply(&nvs, &reply, sizeof reply, 7, &granted),
                     HV_ERROR_REFUSED);
    reply.sub_channel_complete.status = NVSP_STATUS_SUCCESS;
    reply.sub_channel_complete.count = 8;
    assert_int_equal(nvs_sub_channel_reply(&nvs, &reply, sizeof reply, 7, &granted),
                     HV_ERROR_MALFORMED);
    assert_int_equal(granted, 0);
    reply.sub_channel_complete.count = 5;
    assert_int_equal(nvs_sub_channel_reply(&nvs, &reply, 11, 7, &granted), HV_ERROR_MALFORMED);
    reply.type = NVSP_OID_QUERY_COMPLETE;
    assert_int_equal(nvs_sub_channel_reply(&nvs, &reply, sizeof reply, 7, &granted),
                     HV_ERROR_MALFORMED);
    reply.type = NVSP_SUB_CHANNEL;
    assert_int_equal(nvs_sub_channel_reply(&nvs, &reply, 12, 7, &granted), 0);
    assert_int_equal(granted, 5);
}

static void an_indirection_table_is_found_where_hosts_put_it(void **state)
{
    uint8_t packet[104] = { 0 }, table[NVSP_INDIRECTION_ENTRIES];
    const uint32_t head[] = { NVSP_INDIRECTION_TABLE, NVSP_INDIRECTION_ENTRIES,
                              12 /* wrong, as old hosts say */ };
    uint32_t entry = 5;

    memcpy(packet, head, sizeof head);
    memcpy(packet + 40 + 4 * 3, &entry, 4);
    agree(NVSP_VERSION_6);
    assert_int_equal(nvs_indirection_table(&nvs, packet, sizeof packet, 8, table), 0);
    assert_int_equal(table[3], 5);
    assert_int_equal(nvs_indirection_table(&nvs, packet, sizeof packet, 4, table), 0);
    assert_int_equal(table[3], 1); /* no channel beyond those there are */
    agree(NVSP_VERSION_6_1);
    /* Beyond the end, also by overflow. */
    for (uint32_t offset = 41; offset > 0; offset += 0x3fffffd) {
        memcpy(packet + 8, &offset, 4);
        assert_int_equal(nvs_indirection_table(&nvs, packet, sizeof packet, 8, table),
                         HV_ERROR_MALFORMED);
        if (offset > 0xfc000000u)
            break;
    }
    entry = 17;
    memcpy(packet + 4, &entry, 4);
    assert_int_equal(nvs_indirection_table(&nvs, packet, sizeof packet, 8, table),
                     HV_ERROR_MALFORMED);
    assert_int_equal(nvs_indirection_table(&nvs, packet, 11, 8, table), HV_ERROR_UNEXPECTED);
    entry = NVSP_VF_ASSOCIATION;
    memcpy(packet, &entry, 4);
    entry = nvs.counters.unexpected_packets;
    assert_int_equal(nvs_indirection_table(&nvs, packet, sizeof packet, 8, table),
                     HV_ERROR_UNEXPECTED);
    assert_int_equal(nvs.counters.unexpected_packets, entry); /* allowed, and of no use */
}

/* ---- every byte wrong in turn ---- */

enum { REPLIES = 6, TABLE_BYTES = NVSP_HEADER_SIZE + 8 + 4 * NVSP_INDIRECTION_ENTRIES };

/* What the host says in good faith, as bytes; returns how many. */
static uint32_t make_reply(unsigned kind, uint8_t bytes[TABLE_BYTES])
{
    struct nvsp_message reply = { .type = 0 };
    uint32_t table[TABLE_BYTES / 4] = { NVSP_INDIRECTION_TABLE, NVSP_INDIRECTION_ENTRIES, 12 };

    switch (kind) {
    case 0: reply = init_reply(NVSP_STATUS_SUCCESS); break;
    case 1: reply = receive_reply(1, 0, 2048, 4096); break;
    case 2: reply = send_reply(NVSP_STATUS_SUCCESS, 6144); break;
    case 3:
        reply.type = NVSP_SUB_CHANNEL;
        reply.sub_channel_complete.status = NVSP_STATUS_SUCCESS;
        reply.sub_channel_complete.count = 3;
        break;
    case 4: reply.type = NVSP_RNDIS_PACKET; break;
    default:
        memcpy(bytes, table, TABLE_BYTES);
        return TABLE_BYTES;
    }
    memcpy(bytes, &reply, sizeof reply);
    return sizeof reply;
}

/* Takes it as the driver does and checks what is believed. 0 or an error. */
static int take_reply_of(unsigned kind, const uint8_t *bytes, uint32_t size)
{
    uint8_t table[NVSP_INDIRECTION_ENTRIES];
    uint32_t granted = 0, channel_type = 0;
    bool again;
    int error;

    switch (kind) {
    case 0:
        nvs_begin(&nvs, &message);
        return nvs_version_reply(&nvs, bytes, size, &message, &again);
    case 1:
        error = nvs_receive_buffer_reply(&nvs, bytes, size, BUFFER);
        assert_true(error != 0 || (nvs.unit_size >= NVS_UNIT_SIZE_MIN &&
                                   nvs.receive_bytes <= BUFFER));
        return error;
    case 2:
        error = nvs_send_buffer_reply(&nvs, bytes, size, BUFFER);
        assert_true(error != 0 || (nvs.section_size >= NVS_SECTION_SIZE_MIN &&
                                   (uint64_t)nvs.section_size * nvs.section_count <= BUFFER));
        return error;
    case 3:
        error = nvs_sub_channel_reply(&nvs, bytes, size, 7, &granted);
        assert_true(granted <= 7);
        return error;
    case 4:
        error = nvs_receive_header(&nvs.counters, bytes, size, &channel_type);
        assert_true(channel_type <= NVSP_CHANNEL_CONTROL);
        return error;
    default:
        error = nvs_indirection_table(&nvs, bytes, size, 4, table);
        for (unsigned i = 0; error == 0 && i < NVSP_INDIRECTION_ENTRIES; i++)
            assert_true(table[i] < 4);
        return error;
    }
}

static void whatever_byte_of_a_reply_is_wrong_the_next_one_is_taken(void **state)
{
    static const uint8_t values[] = { 0x00, 0x01, 0x10, 0x7f, 0x80, 0xff };
    uint8_t bytes[TABLE_BYTES];

    agree(NVSP_VERSION_6_1);
    for (unsigned kind = 0; kind < REPLIES; kind++) {
        uint32_t size = make_reply(kind, bytes);

        for (size_t at = 0; at < size * sizeof values; at++) {
            make_reply(kind, bytes);
            bytes[at / sizeof values] = values[at % sizeof values];
            take_reply_of(kind, bytes, size);
            make_reply(kind, bytes);
            assert_int_equal(take_reply_of(kind, bytes, size), 0);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_tried_from_the_newest_down),
        cmocka_unit_test(the_attempt_after_one_that_failed_begins_anew),
        cmocka_unit_test(a_short_or_foreign_version_reply_is_malformed_and_the_next_one_counts),
        cmocka_unit_test(capabilities_follow_the_version),
        cmocka_unit_test(receive_units_that_do_not_fit_the_buffer_are_refused),
        cmocka_unit_test(sections_that_make_no_sense_are_refused),
        cmocka_unit_test(receive_headers_of_another_kind_are_counted),
        cmocka_unit_test(a_send_succeeded_only_when_the_host_says_so),
        cmocka_unit_test(no_more_sub_channels_than_were_asked_for_are_believed),
        cmocka_unit_test(an_indirection_table_is_found_where_hosts_put_it),
        cmocka_unit_test(whatever_byte_of_a_reply_is_wrong_the_next_one_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
