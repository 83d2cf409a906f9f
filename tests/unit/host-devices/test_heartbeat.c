/* SPDX-License-Identifier: BSD-3-Clause */
/* The heartbeat service, and with it what all integration services share. */
#include "tests/unit/host-vmbus/bench.h"
#include "tests/unit/host-vmbus/guest_ring.h"

#include <stdlib.h>
#include <string.h>

#include "host/devices/heartbeat.h"
#include "host/devices/virtual_device.h"
#include "protocol/integration.h"

enum { CHANNEL = 1 };
static const uint64_t second = 1000000000ull;

struct rig {
    struct bench *bench;
    struct virtual_device *device;
    uint64_t now_ns;
};

struct message {
    struct vmbus_packet_header packet;
    struct ic_message_header header;
    uint8_t body[256];
};

static void pump(struct rig *rig)
{
    host_channel_run(vmbus_server_channel(rig->bench->server, CHANNEL));
    rig->device->operations->run(rig->device, rig->now_ns);
}

static struct rig *rig_create(uint32_t framework, uint32_t version)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    rig->bench = bench_create(VMBUS_VERSION_5_3);
    rig->device = heartbeat_new(framework, version);
    rig->now_ns = 100 * second;
    assert_int_equal(rig->device->operations->plug(rig->device, rig->bench->server), 0);
    bench_connect(rig->bench, VMBUS_VERSION_5_3);
    bench_open_channel(rig->bench, CHANNEL);
    pump(rig);
    return rig;
}

static void rig_free(struct rig *rig)
{
    vmbus_server_reset(rig->bench->server);
    bench_free(rig->bench);
    rig->device->operations->free(rig->device);
    free(rig);
}

static bool take(struct rig *rig, struct message *message)
{
    struct guest_ring ring =
        guest_ring_at(bench_page(rig->bench, bench_ring_page(CHANNEL) + 2), 1);
    memset(message, 0, sizeof(*message));
    return guest_ring_take(&ring, message, sizeof(*message)) != 0;
}

static void put(struct rig *rig, struct message *message, uint16_t body_size)
{
    struct guest_ring ring = guest_ring_at(bench_page(rig->bench, bench_ring_page(CHANNEL)), 1);
    uint32_t length = (uint32_t)(sizeof(message->packet) + sizeof(message->header) + body_size);
    message->header.body_size = body_size;
    message->header.pipe.length = IC_HEADER_SIZE_WITHOUT_PIPE + body_size;
    length = (length + 7) & ~7u;
    message->packet = (struct vmbus_packet_header){VMBUS_PACKET_IN_BAND, 2,
                                                   (uint16_t)(length / 8), 0, 0};
    guest_ring_put(&ring, message, length);
    pump(rig);
}

/* Takes the host's offer and chooses. */
static void choose(struct rig *rig, uint16_t framework, uint16_t version)
{
    struct message message;
    const struct ic_negotiate_reply reply = {
        .framework_version_count = 1,
        .message_version_count = 1,
        .framework_version = {framework, 0},
        .message_version = {version, 0},
    };
    assert_true(take(rig, &message));
    assert_int_equal(message.header.message_type, IC_MESSAGE_NEGOTIATE);
    assert_int_equal(message.header.flags, IC_FLAGS_REQUEST);
    message.header.flags = IC_FLAGS_RESPONSE;
    memcpy(message.body, &reply, sizeof(reply));
    put(rig, &message, sizeof(reply));
}

/* Takes a beat and answers it as Linux does: the number plus one. */
static uint64_t answer_beat(struct rig *rig, uint32_t application_state)
{
    struct message message;
    struct ic_heartbeat beat;
    assert_true(take(rig, &message));
    assert_int_equal(message.header.message_type, IC_MESSAGE_HEARTBEAT);
    memcpy(&beat, message.body, sizeof(beat));
    beat.sequence++;
    beat.application_state = application_state;
    memcpy(message.body, &beat, sizeof(beat));
    message.header.flags = IC_FLAGS_RESPONSE;
    put(rig, &message, sizeof(beat));
    return beat.sequence;
}

static enum heartbeat_status status_of(const struct rig *rig)
{
    struct heartbeat_report report;
    heartbeat_report(rig->device, &report);
    return report.status;
}

static void versions_of_the_release_are_offered(void **state)
{
    struct rig *rig = rig_create(IC_FRAMEWORK_3_0, IC_HEARTBEAT_3_0);
    struct message message;
    const uint8_t expected[] = {2, 0, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0,
                                0};
    assert_true(take(rig, &message));
    assert_int_equal(message.header.body_size, sizeof(expected));
    assert_memory_equal(message.body, expected, sizeof(expected));
    assert_int_equal(message.header.pipe.length, 20 + sizeof(expected));
    assert_false(take(rig, &message)); /* nothing more before the reply */
    rig_free(rig);
    rig = rig_create(IC_FRAMEWORK_1_0, IC_HEARTBEAT_1_0);
    assert_true(take(rig, &message));
    assert_memory_equal(message.body, "\1\0\1\0\0\0\0\0\1\0\0\0\1\0\0\0", 16);
    rig_free(rig);
}

static void beats_come_every_two_seconds_of_the_callers_clock(void **state)
{
    struct rig *rig = rig_create(IC_FRAMEWORK_3_0, IC_HEARTBEAT_3_0);
    struct message message;
    assert_int_equal(status_of(rig), HEARTBEAT_NO_CONTACT);
    choose(rig, 3, 3);
    assert_int_equal(answer_beat(rig, 0), 2);
    assert_int_equal(status_of(rig), HEARTBEAT_OK_UNKNOWN);
    assert_int_equal(rig->device->operations->deadline_ns(rig->device), 102 * second);
    rig->now_ns = 102 * second - 1;
    pump(rig);
    assert_false(take(rig, &message));
    rig->now_ns++;
    pump(rig);
    assert_int_equal(answer_beat(rig, 0), 4);
    struct heartbeat_report report;
    heartbeat_report(rig->device, &report);
    assert_int_equal(report.beats, 2);
    assert_int_equal(report.answers, 2);
    assert_int_equal(report.sequence, 4);
    assert_int_equal(report.last_answer_ns, 102 * second);
    rig_free(rig);
}

static void application_state_is_kept(void **state)
{
    struct rig *rig = rig_create(IC_FRAMEWORK_3_0, IC_HEARTBEAT_3_0);
    choose(rig, 3, 3);
    answer_beat(rig, IC_HEARTBEAT_APPLICATIONS_HEALTHY);
    assert_int_equal(status_of(rig), HEARTBEAT_OK_HEALTHY);
    rig->now_ns += 2 * second;
    pump(rig);
    answer_beat(rig, IC_HEARTBEAT_APPLICATIONS_CRITICAL);
    assert_int_equal(status_of(rig), HEARTBEAT_OK_CRITICAL);
    rig_free(rig);
}

static void two_missed_beats_are_lost_communication_and_an_answer_ends_it(void **state)
{
    struct rig *rig = rig_create(IC_FRAMEWORK_3_0, IC_HEARTBEAT_3_0);
    choose(rig, 3, 3);
    answer_beat(rig, 0);
    for (unsigned i = 0; i < 3; i++) {
        rig->now_ns += 2 * second;
        pump(rig);
    }
    assert_int_equal(status_of(rig), HEARTBEAT_LOST_COMMUNICATION);
    answer_beat(rig, 0); /* one request only was sent meanwhile */
    assert_int_equal(status_of(rig), HEARTBEAT_OK_UNKNOWN);
    rig_free(rig);
}

static void a_short_answer_of_old_guests_is_taken(void **state)
{
    struct rig *rig = rig_create(IC_FRAMEWORK_3_0, IC_HEARTBEAT_3_0);
    struct message message;
    choose(rig, 1, 1);
    assert_true(take(rig, &message));
    message.header.flags = IC_FLAGS_RESPONSE;
    put(rig, &message, 8);
    assert_int_equal(status_of(rig), HEARTBEAT_OK_UNKNOWN);
    rig_free(rig);
}

/* ---- Broken answers: each stops the service until the guest opens the channel anew ---- */

static void reopen(struct rig *rig)
{
    bench_channel_message(rig->bench, VMBUS_MESSAGE_CLOSE_CHANNEL, CHANNEL);
    bench_teardown(rig->bench, CHANNEL, 100 + CHANNEL);
    bench_open_channel(rig->bench, CHANNEL);
    pump(rig);
}

static void broken_negotiation_replies_stop_the_service(void **state)
{
    static const struct {
        struct ic_negotiate_reply reply;
        uint8_t transaction, flags;
        uint16_t size;
    } bad[] = {
        {{1, 1, 0, {3, 0}, {3, 0}}, 1, IC_FLAGS_RESPONSE, 16},  /* transaction id */
        {{1, 1, 0, {3, 0}, {3, 0}}, 0, IC_FLAGS_REQUEST, 16},   /* flags */
        {{0, 0, 0, {0, 0}, {0, 0}}, 0, IC_FLAGS_RESPONSE, 16},  /* nothing chosen */
        {{2, 1, 0, {3, 0}, {3, 0}}, 0, IC_FLAGS_RESPONSE, 16},  /* two chosen */
        {{1, 1, 0, {3, 0}, {9, 9}}, 0, IC_FLAGS_RESPONSE, 16},  /* not offered */
        {{1, 1, 0, {2, 0}, {3, 0}}, 0, IC_FLAGS_RESPONSE, 16},  /* not offered */
        {{1, 1, 0, {3, 0}, {3, 0}}, 0, IC_FLAGS_RESPONSE, 8},   /* too short */
    };
    struct rig *rig = rig_create(IC_FRAMEWORK_3_0, IC_HEARTBEAT_3_0);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct message message;
        assert_true(take(rig, &message));
        memcpy(message.body, &bad[i].reply, sizeof(bad[i].reply));
        message.header.transaction_id = bad[i].transaction;
        message.header.flags = bad[i].flags;
        put(rig, &message, bad[i].size);
        assert_int_equal(rig->bench->violations, i + 1);
        assert_int_equal(status_of(rig), HEARTBEAT_ERROR);
        assert_false(take(rig, &message));
        reopen(rig);
    }
    choose(rig, 3, 3);
    answer_beat(rig, 0);
    assert_int_equal(status_of(rig), HEARTBEAT_OK_UNKNOWN);
    rig_free(rig);
}

/* A request that reached the guest twice is answered twice, by Linux and by us. */
static void a_second_reply_to_a_negotiation_must_be_the_same(void **state)
{
    struct ic_negotiate_reply reply = {1, 1, 0, {3, 0}, {3, 0}};
    struct rig *rig = rig_create(IC_FRAMEWORK_3_0, IC_HEARTBEAT_3_0);
    struct message message, beat;
    assert_true(take(rig, &message));
    message.header.flags = IC_FLAGS_RESPONSE;
    memcpy(message.body, &reply, sizeof(reply));
    put(rig, &message, sizeof(reply));
    put(rig, &message, sizeof(reply));
    assert_int_equal(rig->bench->violations, 0);
    answer_beat(rig, 0);
    assert_false(take(rig, &beat)); /* the second reply began nothing anew */
    assert_int_equal(status_of(rig), HEARTBEAT_OK_UNKNOWN);
    reply.message_version.major = 1;
    memcpy(message.body, &reply, sizeof(reply));
    put(rig, &message, sizeof(reply));
    assert_int_equal(rig->bench->violations, 1);
    assert_int_equal(status_of(rig), HEARTBEAT_ERROR);
    reopen(rig);
    choose(rig, 3, 3);
    answer_beat(rig, 0);
    rig_free(rig);
}

static void an_answer_with_another_transaction_id_stops_the_service(void **state)
{
    struct rig *rig = rig_create(IC_FRAMEWORK_3_0, IC_HEARTBEAT_3_0);
    struct message message;
    choose(rig, 3, 3);
    assert_true(take(rig, &message));
    message.header.flags = IC_FLAGS_RESPONSE;
    message.header.transaction_id++;
    put(rig, &message, 16);
    assert_int_equal(rig->bench->violations, 1);
    assert_int_equal(status_of(rig), HEARTBEAT_ERROR);
    reopen(rig);
    choose(rig, 3, 3);
    answer_beat(rig, 0);
    rig_free(rig);
}

static void a_body_that_ends_outside_its_packet_stops_the_service(void **state)
{
    struct rig *rig = rig_create(IC_FRAMEWORK_3_0, IC_HEARTBEAT_3_0);
    struct message message;
    choose(rig, 3, 3);
    assert_true(take(rig, &message));
    message.header.flags = IC_FLAGS_RESPONSE;
    struct guest_ring ring = guest_ring_at(bench_page(rig->bench, bench_ring_page(CHANNEL)), 1);
    message.header.body_size = 400;
    guest_ring_put(&ring, &message, message.packet.length8 * 8u);
    pump(rig);
    assert_int_equal(rig->bench->violations, 1);
    rig_free(rig);
}

static void a_second_answer_is_dropped(void **state)
{
    struct rig *rig = rig_create(IC_FRAMEWORK_3_0, IC_HEARTBEAT_3_0);
    struct message message;
    choose(rig, 3, 3);
    assert_true(take(rig, &message));
    message.header.flags = IC_FLAGS_RESPONSE;
    put(rig, &message, 16);
    put(rig, &message, 16);
    assert_int_equal(rig->bench->violations, 0);
    struct heartbeat_report report;
    heartbeat_report(rig->device, &report);
    assert_int_equal(report.answers, 1);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_of_the_release_are_offered),
        cmocka_unit_test(beats_come_every_two_seconds_of_the_callers_clock),
        cmocka_unit_test(application_state_is_kept),
        cmocka_unit_test(two_missed_beats_are_lost_communication_and_an_answer_ends_it),
        cmocka_unit_test(a_short_answer_of_old_guests_is_taken),
        cmocka_unit_test(broken_negotiation_replies_stop_the_service),
        cmocka_unit_test(a_second_reply_to_a_negotiation_must_be_the_same),
        cmocka_unit_test(an_answer_with_another_transaction_id_stops_the_service),
        cmocka_unit_test(a_body_that_ends_outside_its_packet_stops_the_service),
        cmocka_unit_test(a_second_answer_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
