/* SPDX-License-Identifier: BSD-3-Clause */
/* The VMBus connection engine between a host that sends anything and a guest that asks for
 * anything, in any order; at the end nothing may be left. */
#include <stdlib.h>
#include <string.h>

#include "kext/core/connection.h"
#include "kext/core/errors.h"

enum action {
    HOST_SENDS_BYTES,               /* a message of any content */
    HOST_SENDS_TYPED,               /* the right size for its type, small numbers inside */
    GUEST_STARTS,
    GUEST_FAILS_PROPOSAL,
    GUEST_CREATES_GPADL,
    GUEST_TEARS_DOWN,
    GUEST_OPENS,
    GUEST_CLOSES,
    GUEST_RELEASES,
    GUEST_MODIFIES,
    GUEST_LOOKS_AT_REQUEST,
    GUEST_ABANDONS_REQUEST,
    GUEST_TAKES_BACK_REQUEST,
    GUEST_UNLOADS,
    ACTION_COUNT
};

struct input {
    const uint8_t *bytes;
    size_t left;
};

#define HANDLES 8u

static struct connection connection;
static struct connection_output output;
static struct connection_message post;
static connection_request_handle handles[HANDLES];
static uint32_t gpadls[HANDLES];

static uint8_t take(struct input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->bytes++;
}

static void require(int holds)
{
    if (!holds)
        abort();
}

static void check_post(const struct connection_message *message)
{
    require(message->size >= 8 && message->size <= VMBUS_MESSAGE_SIZE_MAXIMUM);
    for (uint32_t i = message->size; i < VMBUS_MESSAGE_SIZE_MAXIMUM; i++)
        require(message->payload[i] == 0);      /* nothing of ours leaks */
}

static void receive(const void *message, uint32_t size)
{
    int error = connection_receive(&connection, message, size, &output);

    require(error == 0 || output.event == CONNECTION_EVENT_NONE);
    require(error == 0 || output.post.size == 0);
    if (output.post.size != 0)
        check_post(&output.post);
    if (output.event == CONNECTION_EVENT_OFFER || output.event == CONNECTION_EVENT_RESCIND)
        require(output.channel_id != 0 && output.channel_id <= VMBUS_CHANNEL_MAXIMUM);
}

static void host_sends_bytes(struct input *input)
{
    uint8_t message[VMBUS_MESSAGE_SIZE_MAXIMUM] = { 0 };
    uint32_t size = take(input) % (sizeof message + 1);

    for (uint32_t i = 0; i < size; i++)
        message[i] = take(input);
    receive(message, size);
}

static void host_sends_typed(struct input *input)
{
    uint8_t message[VMBUS_MESSAGE_SIZE_MAXIMUM] = { 0 };
    uint32_t type = take(input) % VMBUS_MESSAGE_TYPE_COUNT, number[3];
    size_t size = vmbus_host_message_minimum(type, connection.version);

    if (size < 8)
        size = 8;
    number[0] = take(input) % 8;                        /* channel, or version supported */
    number[1] = take(input);                            /* open id, or GPADL */
    if (number[1] & 0x80)
        number[1] = gpadls[number[1] % HANDLES];
    number[2] = take(input) & 1;                        /* status */
    memcpy(message, &type, sizeof type);
    if (type == VMBUS_MESSAGE_OFFER_CHANNEL) {
        message[24] = (uint8_t)number[1];               /* part of the instance */
        memcpy(message + 184, &number[0], 4);
    } else if (type == VMBUS_MESSAGE_GPADL_TORNDOWN) {
        memcpy(message + 8, &number[1], 4);
    } else {
        memcpy(message + 8, number, sizeof number);
    }
    receive(message, (uint32_t)size);
}

static uint64_t page_number(void *context, uint32_t range, uint32_t page)
{
    return page;
}

static void guest_creates_gpadl(struct input *input, unsigned which)
{
    const struct gpadl_range range = { 1 + take(input) * 4096u, take(input) * 16u };
    struct gpadl_builder builder;
    int error = connection_create_gpadl(&connection, take(input) % 8, &range, 1, page_number, NULL,
                                        &builder, &gpadls[which], &handles[which]);

    require(error != 0 || gpadls[which] != 0);
    while (error == 0 && connection_gpadl_message(&connection, &builder, &post))
        check_post(&post);
}

static void guest_starts(struct input *input)
{
    const struct connection_parameters parameters = { .version_maximum = take(input) << 16 |
                                                                         take(input) };

    if (connection_start(&connection, &parameters, &post) == 0)
        check_post(&post);
}

static void guest_acts(enum action action, struct input *input)
{
    unsigned which = take(input) % HANDLES;
    struct connection_open_parameters open = { .ring_gpadl_id = gpadls[which] };
    int error = -1, result;

    switch (action) {
    case GUEST_CREATES_GPADL:
        guest_creates_gpadl(input, which);
        break;
    case GUEST_TEARS_DOWN:
        error = connection_teardown_gpadl(&connection, gpadls[which], &post, &handles[which]);
        break;
    case GUEST_OPENS:
        error = connection_open_channel(&connection, take(input) % 8, &open, &post,
                                        &handles[which]);
        break;
    case GUEST_CLOSES:
        error = connection_close_channel(&connection, which, &post);
        break;
    case GUEST_RELEASES:
        error = connection_release_channel(&connection, which, &post);
        break;
    case GUEST_MODIFIES:
        error = connection_modify_channel(&connection, which, take(input), &post, &handles[which]);
        break;
    case GUEST_LOOKS_AT_REQUEST:
        connection_request_result(&connection, handles[which], &result);
        break;
    case GUEST_ABANDONS_REQUEST:
        connection_request_abandon(&connection, handles[which]);
        break;
    case GUEST_TAKES_BACK_REQUEST:
        connection_request_unsent(&connection, handles[which]);
        break;
    default:
        error = connection_unload(&connection, &post);
        break;
    }
    if (error == 0)
        check_post(&post);
}

/* Whatever came before: after the unload nothing waits for an answer and nothing is the host's, and
 * a host that behaves is connected to. */
static void finish(void)
{
    static const struct vmbus_message_header unloaded = { VMBUS_MESSAGE_UNLOAD_RESPONSE, 0 };
    static const struct connection_parameters any = { .version_maximum = 0 };
    struct vmbus_message_version_response agreed = { .version_supported = 1 };
    int result;

    if (connection_unload(&connection, &post) == 0 || connection.state == CONNECTION_UNLOADING)
        receive(&unloaded, sizeof unloaded);
    else
        connection_forget(&connection);
    require(connection.state == CONNECTION_DISCONNECTED);
    for (uint32_t i = 0; i < CONNECTION_REQUESTS_MAXIMUM; i++)
        require(connection.requests[i].type == REQUEST_UNUSED || connection.requests[i].done);
    for (unsigned i = 0; i < HANDLES; i++)
        require(connection_request_result(&connection, handles[i], &result));
    for (uint32_t i = 0; i < CONNECTION_GPADLS_MAXIMUM; i++)
        require(connection.gpadls[i].state == GPADL_UNUSED);
    for (uint32_t id = 0; id <= VMBUS_CHANNEL_MAXIMUM; id++)
        require(connection_channel_state(&connection, id) == CHANNEL_UNUSED);
    require(connection_start(&connection, &any, &post) == 0);
    agreed.header.type = VMBUS_MESSAGE_VERSION_RESPONSE;
    receive(&agreed, sizeof agreed);
    require(output.event == CONNECTION_EVENT_CONNECTED);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static bool in_the_middle;      /* an input before this one did not come to its end */
    struct input input = { bytes, size };

    require(!in_the_middle);
    in_the_middle = true;
    connection_init(&connection);
    memset(handles, 0, sizeof handles);
    memset(gpadls, 0, sizeof gpadls);
    while (input.left != 0) {
        enum action action = take(&input) % ACTION_COUNT;

        if (action == HOST_SENDS_BYTES)
            host_sends_bytes(&input);
        else if (action == HOST_SENDS_TYPED)
            host_sends_typed(&input);
        else if (action == GUEST_STARTS)
            guest_starts(&input);
        else if (action == GUEST_FAILS_PROPOSAL)
            connection_proposal_failed(&connection, &post);
        else
            guest_acts(action, &input);
    }
    finish();
    in_the_middle = false;
    return 0;
}
