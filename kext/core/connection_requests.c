/* SPDX-License-Identifier: BSD-3-Clause */
/* VMBus connection: requests to the host and the replies to them. */
#include "kext/core/connection_private.h"

#include "kext/core/errors.h"
#include "kext/core/shared_memory.h"

/* ---- Table of requests ----------------------------------------------------------------------- */

static struct connection_request *add_request(struct connection *connection,
                                              enum connection_request_type type,
                                              uint32_t channel_id, uint32_t id,
                                              connection_request_handle *handle)
{
    for (uint32_t i = 0; i < CONNECTION_REQUESTS_MAXIMUM; i++) {
        struct connection_request *request = &connection->requests[i];

        if (request->type != REQUEST_UNUSED)
            continue;
        request->type = (uint8_t)type;
        request->done = false;
        request->generation++;
        request->channel_id = channel_id;
        request->id = id;
        *handle = (uint32_t)request->generation << 16 | (i + 1);
        return request;
    }
    return NULL;
}

static struct connection_request *request_of(struct connection *connection,
                                             connection_request_handle handle)
{
    uint32_t number = handle & 0xFFFF;
    struct connection_request *request;

    if (number == 0 || number > CONNECTION_REQUESTS_MAXIMUM)
        return NULL;
    request = &connection->requests[number - 1];
    if (request->type == REQUEST_UNUSED || request->generation != handle >> 16)
        return NULL;
    return request;
}

/* The outstanding request of this type for this channel and id. */
static struct connection_request *find_request(struct connection *connection,
                                               enum connection_request_type type,
                                               uint32_t channel_id, uint32_t id)
{
    for (uint32_t i = 0; i < CONNECTION_REQUESTS_MAXIMUM; i++) {
        struct connection_request *request = &connection->requests[i];

        if (request->type == type && !request->done && request->channel_id == channel_id &&
            request->id == id)
            return request;
    }
    return NULL;
}

static void finish(struct connection_request *request, int result)
{
    request->done = true;
    request->result = result;
}

static int result_of_status(uint32_t status)
{
    return status == VMBUS_STATUS_SUCCESS ? 0 : HV_ERROR_REFUSED;
}

bool connection_request_result(struct connection *connection, connection_request_handle handle,
                               int *result)
{
    struct connection_request *request = request_of(connection, handle);

    if (request == NULL) {
        *result = HV_ERROR_NOT_FOUND;
        return true;
    }
    if (!request->done)
        return false;
    *result = request->result;
    request->type = REQUEST_UNUSED;
    return true;
}

static struct connection_gpadl *find_gpadl(struct connection *connection, uint32_t gpadl_id)
{
    for (uint32_t i = 0; i < CONNECTION_GPADLS_MAXIMUM; i++)
        if (connection->gpadls[i].state != GPADL_UNUSED && connection->gpadls[i].id == gpadl_id)
            return &connection->gpadls[i];
    return NULL;
}

/* The host may have done what it was asked for without telling: assume it has. */
static void assume_done(struct connection *connection, const struct connection_request *request)
{
    struct connection_gpadl *gpadl;

    if (request->type == REQUEST_OPEN) {
        connection->channels[request->channel_id].state = CHANNEL_OPEN;
    } else if (request->type == REQUEST_GPADL_CREATE) {
        gpadl = find_gpadl(connection, request->id);
        if (gpadl != NULL)
            gpadl->state = GPADL_LIVE;
    }
}

void connection_request_abandon(struct connection *connection, connection_request_handle handle)
{
    struct connection_request *request = request_of(connection, handle);

    if (request == NULL)
        return;
    if (!request->done)
        assume_done(connection, request);
    request->type = REQUEST_UNUSED;
}

void connection_request_unsent(struct connection *connection, connection_request_handle handle)
{
    struct connection_request *request = request_of(connection, handle);
    struct connection_gpadl *gpadl;

    if (request == NULL)
        return;
    gpadl = find_gpadl(connection, request->id);
    if (request->type == REQUEST_OPEN)
        connection->channels[request->channel_id].state = CHANNEL_OFFERED;
    else if (request->type == REQUEST_GPADL_CREATE && gpadl != NULL)
        gpadl->state = GPADL_UNUSED;
    else if (request->type == REQUEST_GPADL_TEARDOWN && gpadl != NULL)
        gpadl->state = GPADL_LIVE;
    request->type = REQUEST_UNUSED;
}

void connection_end_channel_requests(struct connection *connection, uint32_t channel_id)
{
    bool unloading = connection->state == CONNECTION_UNLOADING;

    for (uint32_t i = 0; i < CONNECTION_REQUESTS_MAXIMUM; i++) {
        struct connection_request *request = &connection->requests[i];

        if (request->type == REQUEST_UNUSED || request->done || request->channel_id != channel_id ||
            (request->type == REQUEST_GPADL_TEARDOWN && !unloading))
            continue;
        assume_done(connection, request);
        finish(request, HV_ERROR_GONE);
    }
}

void connection_drop_all(struct connection *connection)
{
    for (uint32_t i = 0; i < CONNECTION_REQUESTS_MAXIMUM; i++)
        if (connection->requests[i].type != REQUEST_UNUSED && !connection->requests[i].done)
            finish(&connection->requests[i], HV_ERROR_GONE);
    memset(connection->gpadls, 0, sizeof connection->gpadls);
    memset(connection->channels, 0, sizeof connection->channels);
    connection->offers_delivered = false;
}

/* Checks that a request about this channel can be made now. */
static int usable_channel(struct connection *connection, uint32_t channel_id,
                          struct connection_channel **channel)
{
    if (connection->state != CONNECTION_CONNECTED)
        return HV_ERROR_STATE;
    *channel = connection_find_channel(connection, channel_id);
    return *channel != NULL ? 0 : HV_ERROR_NOT_FOUND;
}

/* ---- Opening and closing --------------------------------------------------------------------- */

int connection_open_channel(struct connection *connection, uint32_t channel_id,
                            const struct connection_open_parameters *parameters,
                            struct connection_message *post, connection_request_handle *request)
{
    struct vmbus_message_open_channel open;
    struct connection_channel *channel;
    struct connection_gpadl *gpadl = find_gpadl(connection, parameters->ring_gpadl_id);
    int error = usable_channel(connection, channel_id, &channel);

    if (error != 0)
        return error;
    if (channel->rescinded)
        return HV_ERROR_GONE;
    if (channel->state != CHANNEL_OFFERED)
        return HV_ERROR_STATE;
    if (gpadl == NULL || gpadl->channel_id != channel_id || gpadl->state != GPADL_LIVE)
        return HV_ERROR_NOT_FOUND;
    if (add_request(connection, REQUEST_OPEN, channel_id, connection->next_open_id, request) ==
        NULL)
        return HV_ERROR_NO_RESOURCES;
    channel->state = CHANNEL_OPENING;
    memset(&open, 0, sizeof open);
    open.header.type = VMBUS_MESSAGE_OPEN_CHANNEL;
    open.channel_id = channel_id;
    open.open_id = connection->next_open_id++;
    open.ring_gpadl_id = parameters->ring_gpadl_id;
    open.target_vp = parameters->target_vp;
    open.downstream_page_offset = parameters->downstream_page_offset;
    if (parameters->user_data != NULL)
        memcpy(open.user_data, parameters->user_data, sizeof open.user_data);
    connection_fill_post(connection, post, &open, sizeof open);
    return 0;
}

int connection_open_result(struct connection *connection, const void *message)
{
    struct vmbus_message_open_result result;
    struct connection_request *request;

    memcpy(&result, message, sizeof result);
    request = find_request(connection, REQUEST_OPEN, result.channel_id, result.open_id);
    if (request == NULL)
        return HV_ERROR_UNEXPECTED;
    connection->channels[request->channel_id].state =
        result.status == VMBUS_STATUS_SUCCESS ? CHANNEL_OPEN : CHANNEL_OFFERED;
    finish(request, result_of_status(result.status));
    return 0;
}

int connection_close_channel(struct connection *connection, uint32_t channel_id,
                             struct connection_message *post)
{
    struct vmbus_message_channel close = { { VMBUS_MESSAGE_CLOSE_CHANNEL, 0 }, channel_id };
    struct connection_channel *channel;
    int error = usable_channel(connection, channel_id, &channel);

    if (error != 0)
        return error;
    if (channel->state != CHANNEL_OPEN)
        return HV_ERROR_STATE;
    channel->state = CHANNEL_OFFERED;
    connection_fill_post(connection, post, &close, sizeof close);
    return 0;
}

int connection_release_channel(struct connection *connection, uint32_t channel_id,
                               struct connection_message *post)
{
    struct vmbus_message_channel release = { { VMBUS_MESSAGE_RELID_RELEASED, 0 }, channel_id };
    struct connection_channel *channel;
    int error = usable_channel(connection, channel_id, &channel);

    if (error != 0)
        return error;
    if (channel->state != CHANNEL_OFFERED)
        return HV_ERROR_STATE;
    for (uint32_t i = 0; i < CONNECTION_GPADLS_MAXIMUM; i++)
        if (connection->gpadls[i].channel_id == channel_id)
            connection->gpadls[i].state = GPADL_UNUSED;
    memset(channel, 0, sizeof *channel);
    connection_fill_post(connection, post, &release, sizeof release);
    return 0;
}

/* ---- GPADLs ---------------------------------------------------------------------------------- */

static uint32_t unused_gpadl_id(struct connection *connection)
{
    uint32_t id;

    do
        id = connection->next_gpadl_id++;
    while (id == 0 || find_gpadl(connection, id) != NULL);
    return id;
}

static struct connection_gpadl *unused_gpadl(struct connection *connection)
{
    for (uint32_t i = 0; i < CONNECTION_GPADLS_MAXIMUM; i++)
        if (connection->gpadls[i].state == GPADL_UNUSED)
            return &connection->gpadls[i];
    return NULL;
}

int connection_create_gpadl(struct connection *connection, uint32_t channel_id,
                            const struct gpadl_range *ranges, uint32_t range_count,
                            gpadl_page_source source, void *context,
                            struct gpadl_builder *builder, uint32_t *gpadl_id,
                            connection_request_handle *request)
{
    struct connection_gpadl *gpadl = unused_gpadl(connection);
    struct connection_channel *channel;
    uint32_t id;
    int error = usable_channel(connection, channel_id, &channel);

    if (error != 0)
        return error;
    if (channel->rescinded)
        return HV_ERROR_GONE;
    if (gpadl == NULL)
        return HV_ERROR_NO_RESOURCES;
    id = unused_gpadl_id(connection);
    error = gpadl_begin(builder, channel_id, id, ranges, range_count, source, context);
    if (error != 0)
        return error;
    if (add_request(connection, REQUEST_GPADL_CREATE, channel_id, id, request) == NULL)
        return HV_ERROR_NO_RESOURCES;
    gpadl->id = id;
    gpadl->channel_id = (uint16_t)channel_id;
    gpadl->state = GPADL_CREATING;
    *gpadl_id = id;
    return 0;
}

bool connection_gpadl_message(const struct connection *connection, struct gpadl_builder *builder,
                              struct connection_message *post)
{
    memset(post, 0, sizeof *post);
    post->connection_id = connection->message_connection_id;
    post->size = gpadl_next(builder, post->payload);
    return post->size != 0;
}

int connection_gpadl_created(struct connection *connection, const void *message)
{
    struct vmbus_message_gpadl_created created;
    struct connection_request *request;
    struct connection_gpadl *gpadl;

    memcpy(&created, message, sizeof created);
    request = find_request(connection, REQUEST_GPADL_CREATE, created.channel_id, created.gpadl_id);
    gpadl = find_gpadl(connection, created.gpadl_id);
    if (gpadl == NULL || gpadl->channel_id != created.channel_id)
        return HV_ERROR_UNEXPECTED;
    if (request == NULL) {
        if (gpadl->state == GPADL_LIVE)
            connection->counters.late++;
        return HV_ERROR_UNEXPECTED;
    }
    gpadl->state = created.status == VMBUS_STATUS_SUCCESS ? GPADL_LIVE : GPADL_UNUSED;
    finish(request, result_of_status(created.status));
    return 0;
}

int connection_teardown_gpadl(struct connection *connection, uint32_t gpadl_id,
                              struct connection_message *post, connection_request_handle *request)
{
    struct vmbus_message_gpadl_teardown teardown;
    struct connection_gpadl *gpadl = find_gpadl(connection, gpadl_id);

    if (connection->state != CONNECTION_CONNECTED)
        return HV_ERROR_STATE;
    if (gpadl == NULL)
        return HV_ERROR_NOT_FOUND;
    if (gpadl->state != GPADL_LIVE)
        return HV_ERROR_STATE;
    if (add_request(connection, REQUEST_GPADL_TEARDOWN, gpadl->channel_id, gpadl_id, request) ==
        NULL)
        return HV_ERROR_NO_RESOURCES;
    gpadl->state = GPADL_TEARING_DOWN;
    memset(&teardown, 0, sizeof teardown);
    teardown.header.type = VMBUS_MESSAGE_GPADL_TEARDOWN;
    teardown.channel_id = gpadl->channel_id;
    teardown.gpadl_id = gpadl_id;
    connection_fill_post(connection, post, &teardown, sizeof teardown);
    return 0;
}

int connection_gpadl_torndown(struct connection *connection, const void *message)
{
    struct vmbus_message_gpadl_torndown torndown;
    struct connection_request *request;
    struct connection_gpadl *gpadl;

    memcpy(&torndown, message, sizeof torndown);
    gpadl = find_gpadl(connection, torndown.gpadl_id);
    if (gpadl == NULL || gpadl->state != GPADL_TEARING_DOWN)
        return HV_ERROR_UNEXPECTED;
    request = find_request(connection, REQUEST_GPADL_TEARDOWN, gpadl->channel_id, gpadl->id);
    gpadl->state = GPADL_UNUSED;
    if (request == NULL) {
        connection->counters.late++;
        return HV_ERROR_UNEXPECTED;
    }
    finish(request, 0);
    return 0;
}

/* ---- Moving interrupts ----------------------------------------------------------------------- */

int connection_modify_channel(struct connection *connection, uint32_t channel_id,
                              uint32_t target_vp, struct connection_message *post,
                              connection_request_handle *request)
{
    struct vmbus_message_modify_channel modify;
    struct connection_channel *channel;
    int error = usable_channel(connection, channel_id, &channel);

    if (error != 0)
        return error;
    if (connection->version < VMBUS_VERSION_4_1)
        return HV_ERROR_NOT_SUPPORTED;
    if (target_vp == VMBUS_VP_NONE)
        return HV_ERROR_INVALID;
    if (channel->rescinded)
        return HV_ERROR_GONE;
    if (channel->state != CHANNEL_OPEN ||
        find_request(connection, REQUEST_MODIFY_CHANNEL, channel_id, 0) != NULL)
        return HV_ERROR_STATE;
    *request = 0;
    if (connection->version >= VMBUS_VERSION_5_3 &&
        add_request(connection, REQUEST_MODIFY_CHANNEL, channel_id, 0, request) == NULL)
        return HV_ERROR_NO_RESOURCES;
    memset(&modify, 0, sizeof modify);
    modify.header.type = VMBUS_MESSAGE_MODIFY_CHANNEL;
    modify.channel_id = channel_id;
    modify.target_vp = target_vp;
    connection_fill_post(connection, post, &modify, sizeof modify);
    return 0;
}

int connection_modify_response(struct connection *connection, const void *message)
{
    struct vmbus_message_modify_channel_response response;
    struct connection_request *request;

    memcpy(&response, message, sizeof response);
    request = find_request(connection, REQUEST_MODIFY_CHANNEL, response.channel_id, 0);
    if (request == NULL)
        return HV_ERROR_UNEXPECTED;
    finish(request, result_of_status(response.status));
    return 0;
}
