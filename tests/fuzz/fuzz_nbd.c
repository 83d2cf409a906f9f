/* SPDX-License-Identifier: BSD-3-Clause */
/* Whatever a client sends, the NBD engine stays within its buffers and gives only requests that lie
 * within the export. The first byte chooses the export, the second how the rest is cut
 * into pieces. */
#include <stdlib.h>
#include <string.h>

#include "xnu/families/nbd_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_request(const struct nbd_connection *connection, const uint8_t *header)
{
    const struct nbd_export *export = connection->export;
    struct nbd_request request;
    uint8_t reply[NBD_REPLY_MAX];

    if (nbd_request_parse(connection, header, &request) != 0)
        return;
    bool ranged = request.command != NBD_CMD_FLUSH && request.command != NBD_CMD_DISC;
    if (request.error == 0 && ranged &&
        (request.offset > export->size || request.length > export->size - request.offset ||
         ((request.offset | request.length) & (export->block_size - 1))))
        abort();
    if (request.error == 0 && export->read_only && request.command == NBD_CMD_WRITE)
        abort();
    if (nbd_reply(connection, &request, request.error, reply) > sizeof reply)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nbd_export export = {
        .name = "disk0", .description = "disk", .size = 1 << 20, .block_size = 512,
        .preferred_size = 4096, .can_flush = true,
    };
    static struct nbd_connection connection;

    if (size < 2)
        return 0;
    export.read_only = data[0] & 1;
    export.can_fua = data[0] & 2;
    export.can_trim = data[0] & 4;
    export.can_write_zeroes = data[0] & 8;
    size_t piece = data[1] ? data[1] : 1;
    nbd_connection_init(&connection, &export);
    for (size_t at = 2; at < size;) {
        size_t part = size - at < piece ? size - at : piece;
        if (connection.phase == NBD_PHASE_CLOSED)
            break;
        if (connection.phase == NBD_PHASE_TRANSMISSION) {
            if (size - at < NBD_REQUEST_SIZE)
                break;
            check_request(&connection, data + at);
            at += NBD_REQUEST_SIZE;
            continue;
        }
        if (nbd_output_pending(&connection))
            nbd_output_sent(&connection, connection.output_length);
        at += nbd_handshake_input(&connection, data + at, part);
        if (connection.output_length > sizeof connection.output)
            abort();
    }
    return 0;
}
