/* SPDX-License-Identifier: BSD-3-Clause */
/* One integration service on the bench of the VMBus server, and a guest that answers by hand. */
#ifndef TESTS_HOST_INTEGRATION_RIG_H
#define TESTS_HOST_INTEGRATION_RIG_H

#include "tests/unit/host-vmbus/bench.h"
#include "tests/unit/host-vmbus/guest_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/devices/integration_service.h"

enum { CHANNEL = 1, RING_PAGES = 4, BODY_MAX = 8192 };
static const uint64_t second = 1000000000ull;

struct rig {
    struct bench *bench;
    struct virtual_device *device;
    uint64_t now_ns;
};

struct message {
    struct vmbus_packet_header packet;
    struct ic_message_header header;
    uint8_t body[BODY_MAX];
};

/* How a call ended. */
struct outcome {
    unsigned ends;
    int result;
    uint32_t status;
};

static inline void rig_done(void *context, int result, uint32_t status, const void *body,
                            size_t size)
{
    struct outcome *outcome = context;
    outcome->ends++;
    outcome->result = result;
    outcome->status = status;
}

static inline void rig_pump(struct rig *rig)
{
    struct host_channel *channel = vmbus_server_channel(rig->bench->server, CHANNEL);
    if (channel != NULL) {
        host_channel_run(channel);
    }
    rig->device->operations->run(rig->device, rig->now_ns);
}

static inline struct guest_ring rig_ring(struct rig *rig, bool from_host)
{
    unsigned page = bench_ring_page(CHANNEL) + (from_host ? RING_PAGES : 0);
    return guest_ring_at(bench_page(rig->bench, page), RING_PAGES - 1);
}

/* The next message of the host's; false: there is none. */
static inline bool rig_take(struct rig *rig, struct message *message)
{
    struct guest_ring ring = rig_ring(rig, true);
    memset(message, 0, sizeof(*message));
    return guest_ring_take(&ring, message, sizeof(*message)) != 0;
}

static inline void rig_put(struct rig *rig, struct message *message, uint16_t body_size)
{
    struct guest_ring ring = rig_ring(rig, false);
    uint32_t length = (uint32_t)(sizeof(message->packet) + sizeof(message->header) + body_size);
    message->header.body_size = body_size;
    message->header.flags = IC_FLAGS_RESPONSE;
    message->header.pipe.length = IC_HEADER_SIZE_WITHOUT_PIPE + body_size;
    length = (length + 7) & ~7u;
    message->packet = (struct vmbus_packet_header){VMBUS_PACKET_IN_BAND, 2, (uint16_t)(length / 8),
                                                   0, 0};
    guest_ring_put(&ring, message, length);
    rig_pump(rig);
}

/* Takes the request, which must be there, and echoes it with this status. */
static inline void rig_answer(struct rig *rig, struct message *message, uint32_t status)
{
    assert_true(rig_take(rig, message));
    message->header.status = status;
    rig_put(rig, message, message->header.body_size);
}

static inline void rig_choose(struct rig *rig, uint32_t version)
{
    struct message message;
    const struct ic_negotiate_reply reply = {
        .framework_version_count = 1,
        .message_version_count = 1,
        .framework_version = {3, 0},
        .message_version = {(uint16_t)IC_VERSION_MAJOR(version),
                            (uint16_t)IC_VERSION_MINOR(version)},
    };
    assert_true(rig_take(rig, &message));
    assert_int_equal(message.header.message_type, IC_MESSAGE_NEGOTIATE);
    memcpy(message.body, &reply, sizeof(reply));
    rig_put(rig, &message, sizeof(reply));
}

/* The device is the rig's; the guest has opened its channel and agreed to `version`. */
static inline struct rig *rig_create(struct virtual_device *device, uint32_t version)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    unsigned page = bench_ring_page(CHANNEL);
    assert_non_null(device);
    rig->bench = bench_create(VMBUS_VERSION_5_3);
    rig->device = device;
    rig->now_ns = 100 * second;
    assert_int_equal(device->operations->plug(device, rig->bench->server), 0);
    bench_connect(rig->bench, VMBUS_VERSION_5_3);
    memset(bench_page(rig->bench, page), 0, 2 * RING_PAGES * HV_PAGE_SIZE);
    bench_gpadl(rig->bench, CHANNEL, 100 + CHANNEL, page, 2 * RING_PAGES);
    bench_open(rig->bench, CHANNEL, 100 + CHANNEL, RING_PAGES, 0);
    rig->bench->text[0] = '\0'; /* the answers to that are others' to check */
    rig_pump(rig);
    rig_choose(rig, version);
    return rig;
}

static inline void rig_free(struct rig *rig)
{
    vmbus_server_reset(rig->bench->server);
    bench_free(rig->bench);
    rig->device->operations->free(rig->device);
    free(rig);
}

#endif
