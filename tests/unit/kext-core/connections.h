/* SPDX-License-Identifier: BSD-3-Clause */
/* A connection engine and the messages that a host sends to it. */
#ifndef TESTS_UNIT_KEXT_CORE_CONNECTIONS_H
#define TESTS_UNIT_KEXT_CORE_CONNECTIONS_H

#include "kext/core/connection.h"
#include "tests/unit/kext-core/engines.h"

struct scene {
    struct connection connection;
    struct connection_message post;         /* last message posted by a request */
    struct connection_output output;        /* of the last message received */
};

static const struct guid class_a = VMBUS_CLASS_SCSI, class_b = VMBUS_CLASS_NETWORK;
static const struct guid instance_a = { 1, 2, 3, { 4 } }, instance_b = { 5, 6, 7, { 8 } };

static inline int receive(struct scene *scene, const void *message, uint32_t size)
{
    return connection_receive(&scene->connection, message, size, &scene->output);
}

static inline int receive_header(struct scene *scene, uint32_t type)
{
    const struct vmbus_message_header header = { type, 0 };

    return receive(scene, &header, sizeof header);
}

static inline int receive_version(struct scene *scene, uint8_t supported, uint8_t state,
                                  uint32_t last)
{
    const struct vmbus_message_version_response response = {
        .header.type = VMBUS_MESSAGE_VERSION_RESPONSE,
        .version_supported = supported,
        .connection_state = state,
        .selected_version = last,
    };

    return receive(scene, &response, sizeof response);
}

static inline struct vmbus_message_offer_channel make_offer(uint32_t channel_id,
                                                            const struct guid *class_id,
                                                            const struct guid *instance_id,
                                                            uint16_t subchannel)
{
    struct vmbus_message_offer_channel offer;

    memset(&offer, 0, sizeof offer);
    offer.header.type = VMBUS_MESSAGE_OFFER_CHANNEL;
    offer.class_id = *class_id;
    offer.instance_id = *instance_id;
    offer.subchannel_index = subchannel;
    offer.channel_id = channel_id;
    offer.monitor_id = VMBUS_MONITOR_NONE;
    offer.dedicated_interrupt = VMBUS_OFFER_DEDICATED_INTERRUPT;
    offer.connection_id = 0x2000 + channel_id;
    return offer;
}

static inline int receive_offer(struct scene *scene, uint32_t channel_id,
                                const struct guid *class_id, const struct guid *instance_id,
                                uint16_t subchannel)
{
    const struct vmbus_message_offer_channel offer =
        make_offer(channel_id, class_id, instance_id, subchannel);

    return receive(scene, &offer, sizeof offer);
}

static inline int receive_channel(struct scene *scene, uint32_t type, uint32_t channel_id)
{
    const struct vmbus_message_channel message = { { type, 0 }, channel_id };

    return receive(scene, &message, sizeof message);
}

static inline int receive_open_result(struct scene *scene, uint32_t channel_id, uint32_t open_id,
                                      uint32_t status)
{
    const struct vmbus_message_open_result result = { { VMBUS_MESSAGE_OPEN_RESULT, 0 }, channel_id,
                                                      open_id, status };

    return receive(scene, &result, sizeof result);
}

static inline int receive_created(struct scene *scene, uint32_t channel_id, uint32_t gpadl_id,
                                  uint32_t status)
{
    const struct vmbus_message_gpadl_created created = { { VMBUS_MESSAGE_GPADL_CREATED, 0 },
                                                         channel_id, gpadl_id, status };

    return receive(scene, &created, sizeof created);
}

static inline int receive_torndown(struct scene *scene, uint32_t gpadl_id)
{
    const struct vmbus_message_gpadl_torndown torndown = { { VMBUS_MESSAGE_GPADL_TORNDOWN, 0 },
                                                           gpadl_id };

    return receive(scene, &torndown, sizeof torndown);
}

/* Connects with exactly `version`. */
static inline void connect_as(struct scene *scene, uint32_t version)
{
    const struct connection_parameters parameters = { .version_maximum = version,
                                                      .version_minimum = version,
                                                      .target_vp = 0,
                                                      .interrupt_page = 0x5000 };

    connection_init(&scene->connection);
    assert_int_equal(connection_start(&scene->connection, &parameters, &scene->post), 0);
    assert_int_equal(receive_version(scene, 1, 0, 1), 0);
    assert_int_equal(scene->output.event, CONNECTION_EVENT_CONNECTED);
}

static inline uint64_t any_page(void *context, uint32_t range, uint32_t page)
{
    return 0x1000 + page;
}

/* Begins a GPADL of one page, posts all its messages, and leaves the reply to the caller. */
static inline int begin_gpadl(struct scene *scene, uint32_t channel_id, uint32_t *gpadl_id,
                              connection_request_handle *request)
{
    const struct gpadl_range range = { 4096, 0 };
    struct gpadl_builder builder;
    int error = connection_create_gpadl(&scene->connection, channel_id, &range, 1, any_page, NULL,
                                        &builder, gpadl_id, request);

    while (error == 0 && connection_gpadl_message(&scene->connection, &builder, &scene->post))
        ;
    return error;
}

static inline uint32_t live_gpadl(struct scene *scene, uint32_t channel_id)
{
    connection_request_handle request;
    uint32_t gpadl_id;
    int result;

    assert_int_equal(begin_gpadl(scene, channel_id, &gpadl_id, &request), 0);
    assert_int_equal(receive_created(scene, channel_id, gpadl_id, 0), 0);
    assert_true(connection_request_result(&scene->connection, request, &result));
    assert_int_equal(result, 0);
    return gpadl_id;
}

static inline int begin_open(struct scene *scene, uint32_t channel_id, uint32_t gpadl_id,
                             connection_request_handle *request)
{
    const struct connection_open_parameters parameters = { .ring_gpadl_id = gpadl_id,
                                                           .downstream_page_offset = 4,
                                                           .target_vp = 1 };

    return connection_open_channel(&scene->connection, channel_id, &parameters, &scene->post,
                                   request);
}

/* The open id in the OPEN_CHANNEL that was just posted. */
static inline uint32_t posted_open_id(const struct scene *scene)
{
    struct vmbus_message_open_channel open;

    memcpy(&open, scene->post.payload, sizeof open);
    assert_int_equal(open.header.type, VMBUS_MESSAGE_OPEN_CHANNEL);
    return open.open_id;
}

static inline void open_fully(struct scene *scene, uint32_t channel_id, uint32_t *gpadl_id)
{
    connection_request_handle request;
    int result;

    *gpadl_id = live_gpadl(scene, channel_id);
    assert_int_equal(begin_open(scene, channel_id, *gpadl_id, &request), 0);
    assert_int_equal(receive_open_result(scene, channel_id, posted_open_id(scene), 0), 0);
    assert_true(connection_request_result(&scene->connection, request, &result));
    assert_int_equal(result, 0);
}

#endif
