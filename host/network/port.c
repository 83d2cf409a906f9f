/* SPDX-License-Identifier: BSD-3-Clause */
/* What all kinds of network have in common: offloads they cannot do, counters, capture. */
#include "host/network/port.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "host/network/capture.h"

void network_port_attach(struct network_port *port, void (*take)(void *, struct frame *),
                         bool (*has_room)(void *), void *adapter)
{
    port->take = take;
    port->has_room = has_room;
    port->adapter = adapter;
}

static void send_one(void *context, struct frame *frame)
{
    struct network_port *port = context;
    if (!port->operations->takes_offloads) {
        frame_insert_tag(frame);
    }
    port->sent_frames++;
    port->sent_bytes += frame->size;
    if (port->capture != NULL) {
        network_capture_frame(port->capture, frame);
    }
    port->operations->send(port, frame);
}

void network_port_send(struct network_port *port, struct frame *frame)
{
    if (frame->rest != NULL && (!port->operations->takes_rest || port->capture != NULL)) {
        port->gathered_bytes += frame_gather(frame);
    }
    if (port->operations->takes_offloads) {
        send_one(port, frame);
        return;
    }
    if (port->scratch == NULL) {
        port->scratch = malloc(FRAME_SIZE_MAX + FRAME_TAG);
    }
    if (port->scratch == NULL ||
        frame_segment(frame, port->scratch + FRAME_TAG, send_one, port) < 0) {
        port->malformed++;
    }
}

void network_port_flush(struct network_port *port)
{
    if (port->operations->flush != NULL) {
        port->operations->flush(port);
    }
}

void network_port_note_received(struct network_port *port, struct frame *frame)
{
    port->received_frames++;
    port->received_bytes += frame->size;
    if (port->capture != NULL) {
        network_capture_frame(port->capture, frame);
    }
}

void network_port_give(struct network_port *port, struct frame *frame)
{
    if (port->take != NULL) {
        port->take(port->adapter, frame);
    }
}

unsigned network_port_space(struct network_port *port, size_t *head, struct iovec *pieces,
                            unsigned capacity)
{
    return port->space == NULL || port->capture != NULL
               ? 0
               : port->space(port->adapter, head, pieces, capacity);
}

void network_port_split(struct frame *frame, size_t head, struct iovec *pieces)
{
    if (frame->size <= head) {
        return;
    }
    frame->rest = pieces;
    frame->rest_count = 0;
    frame->head = head;
    for (size_t left = frame->size - head; left > 0; left -= pieces->iov_len, pieces++) {
        if (pieces->iov_len > left) {
            pieces->iov_len = left;
        }
        frame->rest_count++;
    }
}

void network_port_receive(struct network_port *port, struct frame *frame)
{
    network_port_note_received(port, frame);
    network_port_give(port, frame);
}

int network_port_capture(struct network_port *port, const char *path)
{
    struct network_capture *capture = NULL;
    if (path != NULL) {
        int result = network_capture_open(path, &capture);
        if (result != 0) {
            return result;
        }
    }
    network_capture_close(port->capture);
    port->capture = capture;
    return 0;
}

void network_port_describe(struct network_port *port, struct json_object *to)
{
    json_object_object_add(to, "network", json_object_new_string(port->operations->kind));
    json_object_object_add(to, "sent_frames", json_object_new_uint64(port->sent_frames));
    json_object_object_add(to, "sent_bytes", json_object_new_uint64(port->sent_bytes));
    json_object_object_add(to, "received_frames", json_object_new_uint64(port->received_frames));
    json_object_object_add(to, "received_bytes", json_object_new_uint64(port->received_bytes));
    json_object_object_add(to, "malformed", json_object_new_uint64(port->malformed));
    json_object_object_add(to, "gathered_bytes", json_object_new_uint64(port->gathered_bytes));
    json_object_object_add(to, "capturing", json_object_new_boolean(port->capture != NULL));
    if (port->operations->describe != NULL) {
        port->operations->describe(port, to);
    }
}

void network_port_free(struct network_port *port)
{
    network_capture_close(port->capture);
    free(port->scratch);
    port->operations->free(port);
}
