/* SPDX-License-Identifier: BSD-3-Clause */
/* nbd_transmission.c - requests and replies of the NBD server. */
#include "xnu/families/nbd_protocol.h"
#include "xnu/families/nbd_wire.h"

#include <string.h>

static uint16_t allowed_flags(const struct nbd_connection *connection, uint16_t command)
{
    uint16_t flags = connection->export->can_fua ? NBD_CMD_FLAG_FUA : 0;

    if (command == NBD_CMD_READ && connection->structured)
        flags |= NBD_CMD_FLAG_DF;
    if (command == NBD_CMD_WRITE_ZEROES)
        flags |= NBD_CMD_FLAG_NO_HOLE;
    return flags;
}

static bool command_is_offered(const struct nbd_export *export, uint16_t command)
{
    switch (command) {
    case NBD_CMD_READ:
    case NBD_CMD_WRITE:
    case NBD_CMD_DISC:
        return true;
    case NBD_CMD_FLUSH:
        return export->can_flush;
    case NBD_CMD_TRIM:
        return export->can_trim;
    case NBD_CMD_WRITE_ZEROES:
        return export->can_write_zeroes;
    default:
        return false;
    }
}

static uint32_t range_error(const struct nbd_export *export, const struct nbd_request *request)
{
    bool writes = request->command != NBD_CMD_READ;
    uint64_t size = nbd_export_size(export);

    if (writes && export->read_only)
        return NBD_EPERM;
    if ((request->command == NBD_CMD_READ || request->command == NBD_CMD_WRITE) &&
        request->length > NBD_PAYLOAD_MAX)
        return NBD_EOVERFLOW;
    if (request->offset > size || request->length > size - request->offset)
        return writes ? NBD_ENOSPC : NBD_EINVAL;
    if (((request->offset | request->length) & (export->block_size - 1)) != 0)
        return NBD_EINVAL;
    return NBD_SUCCESS;
}

int nbd_request_parse(const struct nbd_connection *connection, const void *header,
                      struct nbd_request *request)
{
    const struct nbd_export *export = connection->export;
    const uint8_t *bytes = header;

    memset(request, 0, sizeof *request);
    if (be32_get(bytes) != NBD_MAGIC_REQUEST)
        return -1;
    uint16_t flags = be16_get(bytes + 4);
    request->command = be16_get(bytes + 6);
    request->cookie = be64_get(bytes + 8);
    request->offset = be64_get(bytes + 16);
    request->length = be32_get(bytes + 24);
    request->fua = (flags & NBD_CMD_FLAG_FUA) && request->command != NBD_CMD_READ;
    request->may_trim = !(flags & NBD_CMD_FLAG_NO_HOLE);
    if (request->command == NBD_CMD_WRITE)
        request->payload = request->length;

    if (!command_is_offered(export, request->command))
        request->error = NBD_EINVAL;
    else if (request->command != NBD_CMD_DISC &&
             (flags & ~allowed_flags(connection, request->command)) != 0)
        request->error = NBD_EINVAL;
    else if (request->command == NBD_CMD_FLUSH)
        request->error = request->offset || request->length ? NBD_EINVAL : NBD_SUCCESS;
    else if (request->command != NBD_CMD_DISC)
        request->error = range_error(export, request);
    return 0;
}

static size_t simple_reply(uint64_t cookie, uint32_t error, uint8_t *reply)
{
    be32_put(reply, NBD_MAGIC_SIMPLE_REPLY);
    be32_put(reply + 4, error);
    be64_put(reply + 8, cookie);
    return 16;
}

static uint8_t *chunk(uint8_t *reply, uint16_t type, uint64_t cookie, uint32_t length)
{
    be32_put(reply, NBD_MAGIC_STRUCTURED_REPLY);
    be16_put(reply + 4, NBD_REPLY_FLAG_DONE);
    be16_put(reply + 6, type);
    be64_put(reply + 8, cookie);
    be32_put(reply + 16, length);
    return reply + 20;
}

/* A read is always answered in one chunk: the device gives all of it or an error. */
static size_t structured_read_reply(const struct nbd_request *request, uint32_t error,
                                    uint8_t *reply)
{
    if (error != NBD_SUCCESS) {
        uint8_t *data = chunk(reply, NBD_REPLY_TYPE_ERROR, request->cookie, 6);
        be32_put(data, error);
        be16_put(data + 4, 0);
        return 26;
    }
    if (request->length == 0) {
        chunk(reply, NBD_REPLY_TYPE_NONE, request->cookie, 0);
        return 20;
    }
    uint8_t *data = chunk(reply, NBD_REPLY_TYPE_OFFSET_DATA, request->cookie,
                          8 + request->length);
    be64_put(data, request->offset);
    return 28;
}

size_t nbd_reply(const struct nbd_connection *connection, const struct nbd_request *request,
                 uint32_t error, void *reply)
{
    if (connection->structured && request->command == NBD_CMD_READ)
        return structured_read_reply(request, error, reply);
    return simple_reply(request->cookie, error, reply);
}
