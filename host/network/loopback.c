/* SPDX-License-Identifier: BSD-3-Clause */
/* A network that gives each frame back, the two addresses swapped and the tag inside, as wires carry
 * it. The other offloads stay as they are. */
#include <stdlib.h>
#include <string.h>

#include "host/network/port.h"

enum { PIECES_MAX = 64 };

/* A large frame goes back as one that was read to the adapter's memory. */
static void split(struct network_port *port, struct frame *frame, struct iovec *pieces)
{
    size_t head, done;
    unsigned count = network_port_space(port, &head, pieces, PIECES_MAX);
    if (count == 0 || frame->size <= head) {
        return;
    }
    network_port_split(frame, head, pieces);
    done = head;
    for (unsigned i = 0; i < frame->rest_count; i++) {
        memcpy(pieces[i].iov_base, frame->bytes + done, pieces[i].iov_len);
        done += pieces[i].iov_len;
    }
    memset(frame->bytes + head, 0, frame->size - head); /* so that nobody looks there */
}

static void loopback_send(struct network_port *port, struct frame *frame)
{
    struct iovec pieces[PIECES_MAX];
    uint8_t address[FRAME_ADDRESS];
    if (frame->size < FRAME_HEADER) {
        return;
    }
    memcpy(address, frame->bytes, FRAME_ADDRESS);
    memcpy(frame->bytes, frame->bytes + FRAME_ADDRESS, FRAME_ADDRESS);
    memcpy(frame->bytes + FRAME_ADDRESS, address, FRAME_ADDRESS);
    frame_insert_tag(frame);
    split(port, frame, pieces);
    network_port_receive(port, frame);
}

static void loopback_free(struct network_port *port)
{
    free(port);
}

static const struct network_port_operations operations = {
    .kind = "loopback",
    .send = loopback_send,
    .takes_offloads = true,
    .free = loopback_free,
};

struct network_port *network_loopback_open(void)
{
    struct network_port *port = calloc(1, sizeof(*port));
    if (port != NULL) {
        port->operations = &operations;
    }
    return port;
}
