/* SPDX-License-Identifier: BSD-3-Clause */
/* VMBus connection: version negotiation, dispatch of the host's messages, offers and rescinds. */
#include "kext/core/connection_private.h"

#include "kext/core/errors.h"
#include "kext/core/shared_memory.h"

/* Newest first; the guest proposes one after the other until the host says yes. */
static const uint32_t versions[] = {
    VMBUS_VERSION_6_0, VMBUS_VERSION_5_3, VMBUS_VERSION_5_2, VMBUS_VERSION_5_1,
    VMBUS_VERSION_5_0, VMBUS_VERSION_4_1, VMBUS_VERSION_4_0, VMBUS_VERSION_3_0,
    VMBUS_VERSION_2_4, VMBUS_VERSION_1_1, VMBUS_VERSION_0_13,
};
#define VERSION_COUNT (sizeof versions / sizeof versions[0])

void connection_init(struct connection *connection)
{
    memset(connection, 0, sizeof *connection);
    connection->next_gpadl_id = CONNECTION_GPADL_FIRST_ID;
    connection->next_open_id = 1;
}

void connection_fill_post(const struct connection *connection, struct connection_message *post,
                          const void *message, uint32_t size)
{
    memset(post, 0, sizeof *post);
    post->connection_id = connection->message_connection_id;
    post->size = size;
    memcpy(post->payload, message, size);
}

struct connection_channel *connection_find_channel(struct connection *connection,
                                                   uint32_t channel_id)
{
    if (channel_id > VMBUS_CHANNEL_MAXIMUM ||
        connection->channels[channel_id].state == CHANNEL_UNUSED)
        return NULL;
    return &connection->channels[channel_id];
}

/* Proposes versions[version_index]. */
static void propose(struct connection *connection, struct connection_message *post)
{
    struct vmbus_message_initiate_contact contact;

    memset(&contact, 0, sizeof contact);
    connection->version = versions[connection->version_index];
    contact.header.type = VMBUS_MESSAGE_INITIATE_CONTACT;
    contact.version = connection->version;
    contact.target_vp = connection->target_vp;
    connection->message_connection_id = VMBUS_CONNECTION_MESSAGE;
    if (connection->version >= VMBUS_VERSION_5_0) {
        contact.target_sint = HV_SINT_VMBUS;
        if (connection->multi_client)
            connection->message_connection_id = VMBUS_CONNECTION_MULTI_CLIENT;
    } else {
        contact.interrupt_page = connection->interrupt_page;
    }
    connection->state = CONNECTION_CONTACTING;
    connection_fill_post(connection, post, &contact, sizeof contact);
}

bool connection_knows_version(uint32_t version)
{
    uint32_t index = 0;

    while (index < VERSION_COUNT && versions[index] != version)
        index++;
    return index < VERSION_COUNT;
}

int connection_start(struct connection *connection, const struct connection_parameters *parameters,
                     struct connection_message *post)
{
    uint32_t index = 0;

    if (connection->state == CONNECTION_UNLOADING)
        return HV_ERROR_STATE;
    while (index < VERSION_COUNT && parameters->version_maximum != 0 &&
           versions[index] > parameters->version_maximum)
        index++;
    if (index == VERSION_COUNT || versions[index] < parameters->version_minimum)
        return HV_ERROR_INVALID;
    connection_drop_all(connection);
    connection->version_index = index;
    connection->version_minimum = parameters->version_minimum;
    connection->target_vp = parameters->target_vp;
    connection->interrupt_page = parameters->interrupt_page;
    connection->multi_client = true;
    propose(connection, post);
    return 0;
}

/* Goes down the ladder of versions. */
static int propose_lower(struct connection *connection, struct connection_message *post)
{
    uint32_t next = connection->version_index + 1;

    if (next == VERSION_COUNT || versions[next] < connection->version_minimum) {
        connection->state = CONNECTION_DISCONNECTED;
        post->size = 0;
        return HV_ERROR_REFUSED;
    }
    connection->version_index = next;
    propose(connection, post);
    return 0;
}

int connection_proposal_failed(struct connection *connection, struct connection_message *post)
{
    if (connection->state != CONNECTION_CONTACTING)
        return HV_ERROR_STATE;
    if (connection->message_connection_id == VMBUS_CONNECTION_MULTI_CLIENT) {
        connection->multi_client = false;       /* the same version through the classic port */
        propose(connection, post);
        return 0;
    }
    return propose_lower(connection, post);
}

static int version_response(struct connection *connection, const void *message,
                            struct connection_output *output)
{
    static const struct vmbus_message_header request_offers = { VMBUS_MESSAGE_REQUEST_OFFERS, 0 };
    struct vmbus_message_version_response response;

    if (connection->state != CONNECTION_CONTACTING)
        return HV_ERROR_UNEXPECTED;
    memcpy(&response, message, sizeof response);
    /* Hosts before 2.4 do not define the connection state. */
    if (response.version_supported == 0 ||
        (connection->version >= VMBUS_VERSION_2_4 &&
         response.connection_state != VMBUS_CONNECTION_STATE_SUCCESS)) {
        if (propose_lower(connection, &output->post) != 0)
            output->event = CONNECTION_EVENT_FAILED;
        return 0;
    }
    if (connection->version >= VMBUS_VERSION_5_0 && response.message_connection_id != 0)
        connection->message_connection_id = response.message_connection_id;
    connection->state = CONNECTION_CONNECTED;
    output->event = CONNECTION_EVENT_CONNECTED;
    connection_fill_post(connection, &output->post, &request_offers, sizeof request_offers);
    return 0;
}

/* Is there a live channel of the same device with the same index already? */
static bool offered_before(const struct connection *connection, const struct offer *offer)
{
    for (uint32_t id = 1; id <= VMBUS_CHANNEL_MAXIMUM; id++) {
        const struct connection_channel *channel = &connection->channels[id];

        if (channel->state != CHANNEL_UNUSED && !channel->rescinded &&
            channel->subchannel_index == offer->subchannel_index &&
            guid_equal(&channel->instance_id, &offer->instance_id) &&
            guid_equal(&channel->class_id, &offer->class_id))
            return true;
    }
    return false;
}

static int offer_received(struct connection *connection, const void *message, uint32_t size,
                          struct connection_output *output)
{
    struct offer *offer = &output->offer;
    struct connection_channel *channel;

    if (offer_parse(message, size, connection->version, offer) != 0) {
        connection->counters.bad_offer++;
        return HV_ERROR_MALFORMED;
    }
    channel = &connection->channels[offer->channel_id];
    if (channel->state != CHANNEL_UNUSED || offered_before(connection, offer)) {
        connection->counters.duplicate_offer++;
        return HV_ERROR_MALFORMED;
    }
    channel->class_id = offer->class_id;
    channel->instance_id = offer->instance_id;
    channel->subchannel_index = offer->subchannel_index;
    channel->rescinded = false;
    channel->state = CHANNEL_OFFERED;
    output->channel_id = offer->channel_id;
    output->event = CONNECTION_EVENT_OFFER;
    return 0;
}

static int rescind_received(struct connection *connection, const void *message,
                            struct connection_output *output)
{
    struct vmbus_message_channel rescind;
    struct connection_channel *channel;

    memcpy(&rescind, message, sizeof rescind);
    channel = connection_find_channel(connection, rescind.channel_id);
    if (channel == NULL || channel->rescinded) {
        connection->counters.bad_rescind++;
        return HV_ERROR_MALFORMED;
    }
    channel->rescinded = true;
    connection_end_channel_requests(connection, rescind.channel_id);
    output->channel_id = rescind.channel_id;
    output->event = CONNECTION_EVENT_RESCIND;
    return 0;
}

static int unload_response(struct connection *connection, struct connection_output *output)
{
    if (connection->state != CONNECTION_UNLOADING)
        return HV_ERROR_UNEXPECTED;
    connection_forget(connection);
    output->event = CONNECTION_EVENT_UNLOADED;
    return 0;
}

/* Messages that mean something only while connected. */
static int receive_connected(struct connection *connection, uint32_t type, const void *message,
                             uint32_t size, struct connection_output *output)
{
    int error;

    if (connection->state != CONNECTION_CONNECTED)      /* left over from an earlier connection */
        return HV_ERROR_UNEXPECTED;
    switch (type) {
    case VMBUS_MESSAGE_OFFER_CHANNEL:
        return offer_received(connection, message, size, output);
    case VMBUS_MESSAGE_RESCIND_CHANNEL:
        return rescind_received(connection, message, output);
    case VMBUS_MESSAGE_ALL_OFFERS_DELIVERED:
        if (connection->offers_delivered)
            return HV_ERROR_UNEXPECTED;
        connection->offers_delivered = true;
        output->event = CONNECTION_EVENT_OFFERS_DELIVERED;
        return 0;
    case VMBUS_MESSAGE_OPEN_RESULT:
        error = connection_open_result(connection, message);
        break;
    case VMBUS_MESSAGE_GPADL_CREATED:
        error = connection_gpadl_created(connection, message);
        break;
    case VMBUS_MESSAGE_GPADL_TORNDOWN:
        error = connection_gpadl_torndown(connection, message);
        break;
    case VMBUS_MESSAGE_MODIFY_CHANNEL_RESPONSE:
        error = connection_modify_response(connection, message);
        break;
    default:                            /* answers to requests that this guest never makes */
        return HV_ERROR_UNEXPECTED;
    }
    if (error == 0)
        output->event = CONNECTION_EVENT_REQUEST;
    return error;
}

int connection_receive(struct connection *connection, const void *message, uint32_t size,
                       struct connection_output *output)
{
    struct vmbus_message_header header;
    size_t minimum;
    int error;

    memset(output, 0, sizeof *output);
    connection->counters.messages++;
    if (size < sizeof header) {
        connection->counters.too_short++;
        return HV_ERROR_MALFORMED;
    }
    memcpy(&header, message, sizeof header);
    minimum = vmbus_host_message_minimum(header.type, connection->version);
    if (minimum == 0) {
        connection->counters.unknown_type++;
        return HV_ERROR_NOT_SUPPORTED;
    }
    if (size < minimum) {
        connection->counters.too_short++;
        return HV_ERROR_MALFORMED;
    }
    if (header.type == VMBUS_MESSAGE_VERSION_RESPONSE)
        error = version_response(connection, message, output);
    else if (header.type == VMBUS_MESSAGE_UNLOAD_RESPONSE)
        error = unload_response(connection, output);
    else
        error = receive_connected(connection, header.type, message, size, output);
    if (error == HV_ERROR_UNEXPECTED)
        connection->counters.unexpected++;
    return error;
}

int connection_unload(struct connection *connection, struct connection_message *post)
{
    static const struct vmbus_message_header unload = { VMBUS_MESSAGE_UNLOAD, 0 };

    if (connection->state != CONNECTION_CONNECTED)
        return HV_ERROR_STATE;
    connection->state = CONNECTION_UNLOADING;
    connection_fill_post(connection, post, &unload, sizeof unload);
    for (uint32_t id = 1; id <= VMBUS_CHANNEL_MAXIMUM; id++)
        if (connection->channels[id].state != CHANNEL_UNUSED)
            connection_end_channel_requests(connection, id);
    return 0;
}

void connection_forget(struct connection *connection)
{
    connection_drop_all(connection);
    connection->state = CONNECTION_DISCONNECTED;
}

enum connection_channel_state connection_channel_state(const struct connection *connection,
                                                       uint32_t channel_id)
{
    if (channel_id > VMBUS_CHANNEL_MAXIMUM)
        return CHANNEL_UNUSED;
    return (enum connection_channel_state)connection->channels[channel_id].state;
}
