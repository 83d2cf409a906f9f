/* SPDX-License-Identifier: BSD-3-Clause */
/* nbd_handshake.c - fixed newstyle negotiation of the NBD server. */
#include "xnu/families/nbd_protocol.h"
#include "xnu/families/nbd_wire.h"

#include <string.h>

enum {
    GREETING_SIZE = 18,
    CLIENT_FLAGS_SIZE = 4,
    OPTION_HEADER_SIZE = 16,
    EXPORT_NAME_PAD = 124,
    OPTIONS_LIMIT = 64,            /* more options than any client needs */
    OUTPUT_RESERVE = 1024,         /* the longest answer to one option fits in this */
};

static uint8_t *output_reserve(struct nbd_connection *connection, size_t length)
{
    if (length > sizeof connection->output - connection->output_length) {
        connection->phase = NBD_PHASE_CLOSED;
        return NULL;
    }
    uint8_t *at = connection->output + connection->output_length;
    connection->output_length += (uint32_t)length;
    return at;
}

void nbd_connection_init(struct nbd_connection *connection, const struct nbd_export *export)
{
    memset(connection, 0, offsetof(struct nbd_connection, input));
    connection->export = export;
    connection->phase = NBD_PHASE_CLIENT_FLAGS;
    connection->output_length = 0;
    uint8_t *greeting = output_reserve(connection, GREETING_SIZE);
    be64_put(greeting, NBD_MAGIC);
    be64_put(greeting + 8, NBD_MAGIC_OPTION);
    be16_put(greeting + 16, NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES);
}

bool nbd_output_pending(const struct nbd_connection *connection)
{
    return sizeof connection->output - connection->output_length < OUTPUT_RESERVE;
}

void nbd_output_sent(struct nbd_connection *connection, size_t length)
{
    if (length > connection->output_length)
        length = connection->output_length;
    connection->output_length -= (uint32_t)length;
    memmove(connection->output, connection->output + length, connection->output_length);
}

static uint16_t transmission_flags(const struct nbd_export *export)
{
    uint16_t flags = NBD_FLAG_HAS_FLAGS;

    if (export->read_only)
        flags |= NBD_FLAG_READ_ONLY;
    if (export->can_flush)
        flags |= NBD_FLAG_SEND_FLUSH;
    if (export->can_fua)
        flags |= NBD_FLAG_SEND_FUA;
    if (export->can_trim && !export->read_only)
        flags |= NBD_FLAG_SEND_TRIM;
    if (export->can_write_zeroes && !export->read_only)
        flags |= NBD_FLAG_SEND_WRITE_ZEROES;
    /* Every connection talks to the same device, and a flush on one covers the others' writes. */
    if (export->can_flush || export->read_only)
        flags |= NBD_FLAG_CAN_MULTI_CONN;
    return flags;
}

static uint8_t *option_reply(struct nbd_connection *connection, uint32_t type, size_t length)
{
    uint8_t *reply = output_reserve(connection, 20 + length);

    if (!reply)
        return NULL;
    be64_put(reply, NBD_MAGIC_OPTION_REPLY);
    be32_put(reply + 8, connection->option);
    be32_put(reply + 12, type);
    be32_put(reply + 16, (uint32_t)length);
    return reply + 20;
}

static bool export_name_matches(const struct nbd_export *export, const uint8_t *name, size_t length)
{
    return length == 0 ||
           (strlen(export->name) == length && memcmp(export->name, name, length) == 0);
}

static void option_export_name(struct nbd_connection *connection)
{
    const struct nbd_export *export = connection->export;

    /* This option has no error reply: an unknown name can only be answered by hanging up. */
    if (!export_name_matches(export, connection->input, connection->option_length)) {
        connection->phase = NBD_PHASE_CLOSED;
        return;
    }
    size_t pad = connection->no_zeroes ? 0 : EXPORT_NAME_PAD;
    uint8_t *reply = output_reserve(connection, 10 + pad);
    if (!reply)
        return;
    be64_put(reply, nbd_export_size(export));
    be16_put(reply + 8, transmission_flags(export));
    memset(reply + 10, 0, pad);
    connection->phase = NBD_PHASE_TRANSMISSION;
}

static void option_list(struct nbd_connection *connection)
{
    const char *name = connection->export->name;
    size_t length = strlen(name);

    if (connection->option_length != 0) {
        option_reply(connection, NBD_REP_ERR_INVALID, 0);
        return;
    }
    uint8_t *reply = option_reply(connection, NBD_REP_SERVER, 4 + length);
    if (!reply)
        return;
    be32_put(reply, (uint32_t)length);
    memcpy(reply + 4, name, length);
    option_reply(connection, NBD_REP_ACK, 0);
}

static void info_export(struct nbd_connection *connection)
{
    uint8_t *reply = option_reply(connection, NBD_REP_INFO, 12);

    if (!reply)
        return;
    be16_put(reply, NBD_INFO_EXPORT);
    be64_put(reply + 2, nbd_export_size(connection->export));
    be16_put(reply + 10, transmission_flags(connection->export));
}

static void info_block_size(struct nbd_connection *connection)
{
    uint8_t *reply = option_reply(connection, NBD_REP_INFO, 14);

    if (!reply)
        return;
    be16_put(reply, NBD_INFO_BLOCK_SIZE);
    be32_put(reply + 2, connection->export->block_size);
    be32_put(reply + 6, connection->export->preferred_size);
    be32_put(reply + 10, NBD_PAYLOAD_MAX);
}

static void info_string(struct nbd_connection *connection, uint16_t type, const char *text)
{
    size_t length = strlen(text);
    uint8_t *reply = option_reply(connection, NBD_REP_INFO, 2 + length);

    if (!reply)
        return;
    be16_put(reply, type);
    memcpy(reply + 2, text, length);
}

/* The requested information types, one flag each so that repeating one repeats no reply. */
static void information_requests(const uint8_t *data, uint32_t count, bool *name, bool *description)
{
    for (uint32_t i = 0; i < count; i++) {
        uint16_t type = be16_get(data + 2 * i);
        *name |= type == NBD_INFO_NAME;
        *description |= type == NBD_INFO_DESCRIPTION;
    }
}

static void option_info_or_go(struct nbd_connection *connection)
{
    const uint8_t *data = connection->input;
    uint32_t length = connection->option_length;
    bool name = false, description = false;

    if (length < 6 || be32_get(data) > length - 6) {
        option_reply(connection, NBD_REP_ERR_INVALID, 0);
        return;
    }
    uint32_t name_length = be32_get(data);
    uint32_t requests = be16_get(data + 4 + name_length);
    if (length != 6 + name_length + 2 * requests) {
        option_reply(connection, NBD_REP_ERR_INVALID, 0);
        return;
    }
    if (!export_name_matches(connection->export, data + 4, name_length)) {
        option_reply(connection, NBD_REP_ERR_UNKNOWN, 0);
        return;
    }
    information_requests(data + 6 + name_length, requests, &name, &description);
    info_export(connection);
    info_block_size(connection);
    if (name)
        info_string(connection, NBD_INFO_NAME, connection->export->name);
    if (description && connection->export->description)
        info_string(connection, NBD_INFO_DESCRIPTION, connection->export->description);
    option_reply(connection, NBD_REP_ACK, 0);
    if (connection->option == NBD_OPT_GO && connection->phase != NBD_PHASE_CLOSED)
        connection->phase = NBD_PHASE_TRANSMISSION;
}

static void option_structured_reply(struct nbd_connection *connection)
{
    if (connection->option_length != 0) {
        option_reply(connection, NBD_REP_ERR_INVALID, 0);
        return;
    }
    connection->structured = true;
    option_reply(connection, NBD_REP_ACK, 0);
}

static void option_complete(struct nbd_connection *connection)
{
    connection->phase = NBD_PHASE_OPTION;
    switch (connection->option) {
    case NBD_OPT_EXPORT_NAME:
        option_export_name(connection);
        break;
    case NBD_OPT_ABORT:
        option_reply(connection, NBD_REP_ACK, 0);
        connection->phase = NBD_PHASE_CLOSED;
        break;
    case NBD_OPT_LIST:
        option_list(connection);
        break;
    case NBD_OPT_INFO:
    case NBD_OPT_GO:
        option_info_or_go(connection);
        break;
    case NBD_OPT_STRUCTURED_REPLY:
        option_structured_reply(connection);
        break;
    default:
        option_reply(connection, NBD_REP_ERR_UNSUP, 0);
        break;
    }
}

static void option_begin(struct nbd_connection *connection)
{
    if (be64_get(connection->input) != NBD_MAGIC_OPTION ||
        ++connection->options_seen > OPTIONS_LIMIT) {
        connection->phase = NBD_PHASE_CLOSED;
        return;
    }
    connection->option = be32_get(connection->input + 8);
    connection->option_length = be32_get(connection->input + 12);
    if (connection->option_length > NBD_OPTION_MAX) {
        if (connection->option == NBD_OPT_EXPORT_NAME) {
            connection->phase = NBD_PHASE_CLOSED;
            return;
        }
        connection->skip = connection->option_length;
        connection->phase = NBD_PHASE_OPTION_SKIP;
        return;
    }
    if (connection->option_length == 0)
        option_complete(connection);
    else
        connection->phase = NBD_PHASE_OPTION_DATA;
}

static void client_flags(struct nbd_connection *connection)
{
    uint32_t flags = be32_get(connection->input);

    if ((flags & ~(uint32_t)(NBD_FLAG_C_FIXED_NEWSTYLE | NBD_FLAG_C_NO_ZEROES)) != 0 ||
        !(flags & NBD_FLAG_C_FIXED_NEWSTYLE)) {
        connection->phase = NBD_PHASE_CLOSED;
        return;
    }
    connection->no_zeroes = flags & NBD_FLAG_C_NO_ZEROES;
    connection->phase = NBD_PHASE_OPTION;
}

/* Bytes that the current phase needs in `input` before it can be handled. */
static uint32_t phase_needs(const struct nbd_connection *connection)
{
    switch (connection->phase) {
    case NBD_PHASE_CLIENT_FLAGS:
        return CLIENT_FLAGS_SIZE;
    case NBD_PHASE_OPTION:
        return OPTION_HEADER_SIZE;
    default:
        return connection->option_length;
    }
}

static size_t skip_input(struct nbd_connection *connection, size_t length)
{
    size_t used = length < connection->skip ? length : connection->skip;

    connection->skip -= (uint32_t)used;
    if (connection->skip == 0) {
        connection->phase = NBD_PHASE_OPTION;
        option_reply(connection, NBD_REP_ERR_TOO_BIG, 0);
    }
    return used;
}

static size_t collect_input(struct nbd_connection *connection, const uint8_t *data, size_t length)
{
    size_t wanted = phase_needs(connection) - connection->collected;
    size_t used = length < wanted ? length : wanted;

    memcpy(connection->input + connection->collected, data, used);
    connection->collected += (uint32_t)used;
    if (used < wanted)
        return used;
    connection->collected = 0;
    if (connection->phase == NBD_PHASE_CLIENT_FLAGS)
        client_flags(connection);
    else if (connection->phase == NBD_PHASE_OPTION)
        option_begin(connection);
    else
        option_complete(connection);
    return used;
}

size_t nbd_handshake_input(struct nbd_connection *connection, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    size_t used = 0;

    while (used < length && connection->phase < NBD_PHASE_TRANSMISSION &&
           !nbd_output_pending(connection)) {
        if (connection->phase == NBD_PHASE_OPTION_SKIP)
            used += skip_input(connection, length - used);
        else
            used += collect_input(connection, bytes + used, length - used);
    }
    return used;
}
