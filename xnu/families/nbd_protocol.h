/* SPDX-License-Identifier: BSD-3-Clause */
/* nbd_protocol.h - the server side of the network block device protocol, without any input or
 * output.
 *
 * The engine takes the bytes that a client sent and gives the bytes to send back; the caller owns
 * sockets, threads and data buffers. One engine serves one connection to one export.
 * Source: the public NBD protocol description (NetworkBlockDevice/nbd, doc/proto.md): fixed
 * newstyle handshake, simple and structured replies. All integers on the wire are big endian.
 */
#ifndef XNU_FAMILIES_NBD_PROTOCOL_H
#define XNU_FAMILIES_NBD_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NBD_REQUEST_SIZE = 28,         /* a request on the wire, without its payload */
    NBD_REPLY_MAX = 32,            /* the longest header of a reply that nbd_reply() writes */
    NBD_NAME_MAX = 256,            /* export names longer than this are refused */
    NBD_OPTION_MAX = 8192,         /* option data beyond this is skipped and refused */
    NBD_HANDSHAKE_OUTPUT_MAX = 2048,
    NBD_PAYLOAD_MAX = 32 << 20,    /* bytes of one read or write */
};

/* Errors in replies (Linux numbering, fixed by the protocol). */
enum {
    NBD_SUCCESS = 0,
    NBD_EPERM = 1,
    NBD_EIO = 5,
    NBD_ENOMEM = 12,
    NBD_EINVAL = 22,
    NBD_ENOSPC = 28,
    NBD_EOVERFLOW = 75,
    NBD_ENOTSUP = 95,
    NBD_ESHUTDOWN = 108,
};

enum nbd_command {
    NBD_CMD_READ = 0,
    NBD_CMD_WRITE = 1,
    NBD_CMD_DISC = 2,
    NBD_CMD_FLUSH = 3,
    NBD_CMD_TRIM = 4,
    NBD_CMD_WRITE_ZEROES = 6,
};

/* What is served. The strings must outlive the connections. */
struct nbd_export {
    const char *name;              /* also served for the empty (default) name */
    const char *description;       /* may be NULL */
    uint64_t size;                 /* bytes, a multiple of block_size; it may change at any time,
                                    * as nbd_export_size() reads it: clients that are connected
                                    * know the old one */
    uint32_t block_size;           /* power of two, 1 ... 65536; requests must be multiples of it */
    uint32_t preferred_size;       /* power of two >= block_size */
    bool read_only;
    bool can_flush;
    bool can_fua;
    bool can_trim;
    bool can_write_zeroes;
};

static inline uint64_t nbd_export_size(const struct nbd_export *export)
{
    return __atomic_load_n(&export->size, __ATOMIC_RELAXED);
}

enum nbd_phase {
    NBD_PHASE_CLIENT_FLAGS,
    NBD_PHASE_OPTION,
    NBD_PHASE_OPTION_DATA,
    NBD_PHASE_OPTION_SKIP,
    NBD_PHASE_TRANSMISSION,
    NBD_PHASE_CLOSED,              /* send what is left in `output`, then close */
};

/* One connection's protocol state. Caller-owned, no pointer but `export`. */
struct nbd_connection {
    const struct nbd_export *export;
    enum nbd_phase phase;
    bool no_zeroes;                /* client asked to leave out the 124 zero bytes */
    bool structured;               /* structured replies were negotiated */
    uint32_t option;               /* option in progress */
    uint32_t option_length;        /* its data length, as announced */
    uint32_t collected;            /* bytes of `input` in use */
    uint32_t skip;                 /* bytes of option data still to ignore */
    uint32_t options_seen;         /* a client that only negotiates is cut off */
    uint8_t input[NBD_OPTION_MAX];
    uint32_t output_length;
    uint8_t output[NBD_HANDSHAKE_OUTPUT_MAX];
};

/* A request, parsed and checked against the export. */
struct nbd_request {
    uint64_t cookie;
    uint64_t offset;               /* bytes */
    uint32_t length;               /* bytes */
    uint16_t command;              /* enum nbd_command, or an unknown value when error is set */
    bool fua;                      /* data must be on stable storage before the reply */
    bool may_trim;                 /* write zeroes: the range may be deallocated */
    uint32_t payload;              /* bytes that follow on the socket; also when error is set */
    uint32_t error;                /* not 0: do nothing but skip the payload and reply with this */
};

/* Starts a connection; `output` then holds the greeting to send. `export` must stay valid. */
void nbd_connection_init(struct nbd_connection *connection, const struct nbd_export *export);

/* Takes handshake bytes. Returns how many were used (0 ... length); replies are added to
 * `output`. Stops early when the phase becomes TRANSMISSION or CLOSED, or when `output` has to be
 * sent first (nbd_output_pending): send, call nbd_output_sent, go on. */
size_t nbd_handshake_input(struct nbd_connection *connection, const void *data, size_t length);

/* Whether `output` is so full that it has to be sent before more input is taken. */
bool nbd_output_pending(const struct nbd_connection *connection);

/* Drops the first `length` bytes of `output`. */
void nbd_output_sent(struct nbd_connection *connection, size_t length);

/* Parses one request header (NBD_REQUEST_SIZE bytes) in the transmission phase. Returns 0, or -1
 * when the stream is unusable and the connection has to be closed. NBD_CMD_DISC returns 0. */
int nbd_request_parse(const struct nbd_connection *connection, const void *header,
                      struct nbd_request *request);

/* Writes the header of the reply to `request` into `reply` (NBD_REPLY_MAX bytes) and returns its
 * length. After a successful read the caller sends `request->length` bytes of data behind it; after
 * anything else nothing. `error` is NBD_SUCCESS or one of the NBD_E codes. */
size_t nbd_reply(const struct nbd_connection *connection, const struct nbd_request *request,
                 uint32_t error, void *reply);

#endif
