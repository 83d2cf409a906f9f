/* SPDX-License-Identifier: BSD-3-Clause */
/* A network that gives each frame back, the two addresses swapped. Offloads stay as they are. */
#include <stdlib.h>
#include <string.h>

#include "host/network/port.h"

static void loopback_send(struct network_port *port, struct frame *frame)
{
    uint8_t address[FRAME_ADDRESS];
    if (frame->size < FRAME_HEADER) {
        return;
    }
    memcpy(address, frame->bytes, FRAME_ADDRESS);
    memcpy(frame->bytes, frame->bytes + FRAME_ADDRESS, FRAME_ADDRESS);
    memcpy(frame->bytes + FRAME_ADDRESS, address, FRAME_ADDRESS);
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
