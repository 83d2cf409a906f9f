/* SPDX-License-Identifier: BSD-3-Clause */
#include "xnu/machine/dhcp_message.h"

#include <string.h>

#include "protocol/big_endian.h"

/* Offsets of the fixed part, and options (RFC 2132). */
enum {
    AT_OPERATION = 0,
    AT_HARDWARE_TYPE = 1,
    AT_HARDWARE_LENGTH = 2,
    AT_TRANSACTION = 4,
    AT_FLAGS = 10,
    AT_CLIENT = 12,
    AT_YOURS = 16,
    AT_HARDWARE = 28,
    AT_COOKIE = 236,
    AT_OPTIONS = 240,
    OPERATION_REQUEST = 1,
    OPERATION_REPLY = 2,
    ETHERNET = 1,
    HARDWARE_LENGTH = 6,
    BROADCAST = 0x80,
};
enum {
    OPTION_PAD = 0,
    OPTION_MASK = 1,
    OPTION_ROUTER = 3,
    OPTION_NAME_SERVER = 6,
    OPTION_REQUESTED = 50,
    OPTION_SECONDS = 51,
    OPTION_TYPE = 53,
    OPTION_SERVER = 54,
    OPTION_PARAMETERS = 55,
    OPTION_END = 255,
};

static const uint8_t cookie[4] = { 99, 130, 83, 99 };

static bool is_zero(const uint8_t address[4])
{
    return be32_get(address) == 0;
}

static uint8_t *put_option(uint8_t *at, uint8_t option, const void *value, uint8_t length)
{
    at[0] = option;
    at[1] = length;
    memcpy(at + 2, value, length);
    return at + 2 + length;
}

void dhcp_write(const struct dhcp_request *request, uint8_t message[DHCP_MESSAGE_MAX])
{
    static const uint8_t wanted[] = { OPTION_MASK, OPTION_ROUTER, OPTION_NAME_SERVER,
                                      OPTION_SECONDS };
    const uint8_t type = (uint8_t)request->type;
    uint8_t *at = message + AT_OPTIONS;

    memset(message, 0, DHCP_MESSAGE_MAX);
    message[AT_OPERATION] = OPERATION_REQUEST;
    message[AT_HARDWARE_TYPE] = ETHERNET;
    message[AT_HARDWARE_LENGTH] = HARDWARE_LENGTH;
    be32_put(message + AT_TRANSACTION, request->transaction);
    message[AT_FLAGS] = BROADCAST;
    memcpy(message + AT_CLIENT, request->client, 4);
    memcpy(message + AT_HARDWARE, request->hardware, HARDWARE_LENGTH);
    memcpy(message + AT_COOKIE, cookie, sizeof cookie);
    at = put_option(at, OPTION_TYPE, &type, 1);
    if (!is_zero(request->requested))
        at = put_option(at, OPTION_REQUESTED, request->requested, 4);
    if (!is_zero(request->server))
        at = put_option(at, OPTION_SERVER, request->server, 4);
    at = put_option(at, OPTION_PARAMETERS, wanted, sizeof wanted);
    *at = OPTION_END;
}

/* One option; of lists the first entry counts. */
static void take_option(uint8_t option, const uint8_t *value, size_t length,
                        struct dhcp_reply *reply)
{
    if (option == OPTION_TYPE && length == 1)
        reply->type = (enum dhcp_type)value[0];
    if (length < 4)
        return;
    switch (option) {
    case OPTION_MASK:        memcpy(reply->mask, value, 4); break;
    case OPTION_ROUTER:      memcpy(reply->router, value, 4); break;
    case OPTION_NAME_SERVER: memcpy(reply->name_server, value, 4); break;
    case OPTION_SERVER:      memcpy(reply->server, value, 4); break;
    case OPTION_SECONDS:     reply->seconds = be32_get(value); break;
    default:                 break;
    }
}

/* False: an option reaches beyond the message. A list without an end is taken as it is. */
static bool take_options(const uint8_t *at, size_t size, struct dhcp_reply *reply)
{
    while (size != 0 && at[0] != OPTION_END) {
        if (at[0] == OPTION_PAD) {
            at++;
            size--;
            continue;
        }
        if (size < 2 || at[1] > size - 2)
            return false;
        take_option(at[0], at + 2, at[1], reply);
        size -= 2u + at[1];
        at += 2 + at[1];
    }
    return true;
}

bool dhcp_read(const uint8_t *message, size_t size, uint32_t transaction, const uint8_t hardware[6],
               struct dhcp_reply *reply)
{
    *reply = (struct dhcp_reply){ .seconds = 0 };
    if (size < AT_OPTIONS || message[AT_OPERATION] != OPERATION_REPLY ||
        be32_get(message + AT_TRANSACTION) != transaction ||
        memcmp(message + AT_HARDWARE, hardware, HARDWARE_LENGTH) != 0 ||
        memcmp(message + AT_COOKIE, cookie, sizeof cookie) != 0)
        return false;
    memcpy(reply->address, message + AT_YOURS, 4);
    return take_options(message + AT_OPTIONS, size - AT_OPTIONS, reply) &&
           (reply->type == DHCP_OFFER || reply->type == DHCP_ACK || reply->type == DHCP_NAK);
}
