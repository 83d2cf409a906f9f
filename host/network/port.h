/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A network that an adapter is plugged into: a NAT in this process (libslirp), a TAP device, a
 * switch between machines. Like the devices it owns no thread.
 *
 *     struct network_port *port = network_nat_open(...);   the constructor of the kind wanted
 *     network_port_attach(port, take, adapter);            frames for the adapter go to `take`
 *     network_port_send(port, &frame);                     frames of the adapter
 */
#ifndef HOST_NETWORK_PORT_H
#define HOST_NETWORK_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/network/frame.h"

struct json_object;
struct network_capture;
struct network_port;

struct network_port_operations {
    const char *kind; /* "nat", "tap", "switch" */
    /* A frame from the adapter. With `takes_offloads` false frames come whole, checksums filled in,
     * tag inside. The bytes are the caller's after the call. */
    void (*send)(struct network_port *port, struct frame *frame);
    bool takes_offloads;
    bool takes_rest; /* also frames with bytes in other places; only with `takes_offloads` */
    /* What the adapter has no room for waits where it is, at nobody's cost; otherwise it is taken
     * all the same, and dropped. */
    bool waits;
    /* Sends what it kept to put it together with more. NULL: it keeps nothing. */
    void (*flush)(struct network_port *port);
    int (*descriptor)(struct network_port *port);            /* NULL: none */
    uint64_t (*deadline_ns)(struct network_port *port);      /* NULL: never */
    /* Takes what has come, while the adapter has room. Quick when there is nothing.
     * NULL: nothing. */
    void (*run)(struct network_port *port, uint64_t now_ns);
    void (*describe)(struct network_port *port, struct json_object *to); /* NULL: nothing */
    void (*free)(struct network_port *port);
};

/* First member of each kind's own structure. */
struct network_port {
    const struct network_port_operations *operations;
    void (*take)(void *adapter, struct frame *frame);
    bool (*has_room)(void *adapter); /* false: leave the next frame where it is, or drop it */
    /* Memory of the adapter's that a large frame can be read to: its first `*head` bytes go to
     * memory of the port's, with room for all, the others to these pieces, which are enough for the
     * largest; the frame comes with `rest` then. Returns their number; 0: there are none now.
     * They are the port's until the frame is given, or this is called again. NULL: never. */
    unsigned (*space)(void *adapter, size_t *head, struct iovec *pieces, unsigned capacity);
    void *adapter;
    bool coalesce; /* the adapter takes TCP segments that were put together; said before `run` */
    struct network_capture *capture; /* or NULL; owned */
    uint8_t *scratch;                /* for segments and tags, made when first needed */
    uint64_t gathered_bytes; /* of frames from the adapter, copied here to be in one place */
    uint64_t sent_frames, sent_bytes, received_frames, received_bytes, malformed;
};

/* Says where frames for the adapter go. `take` may change the bytes during the call. */
void network_port_attach(struct network_port *port, void (*take)(void *, struct frame *),
                         bool (*has_room)(void *), void *adapter);

/* A frame from the adapter to the network. There are 4 bytes of room before it, for a tag. It may
 * stay here until the burst that it belongs to is flushed. */
void network_port_send(struct network_port *port, struct frame *frame);
void network_port_flush(struct network_port *port);

/* For the kinds: a frame for the adapter; or its two halves, with something done in between. */
void network_port_receive(struct network_port *port, struct frame *frame);
void network_port_note_received(struct network_port *port, struct frame *frame);
void network_port_give(struct network_port *port, struct frame *frame);
/* What `space` says; 0 without one, and with a capture, which wants frames in one place. */
unsigned network_port_space(struct network_port *port, size_t *head, struct iovec *pieces,
                            unsigned capacity);
/* Makes a frame, of which `head` bytes are in place, of one that was read to such pieces. */
void network_port_split(struct frame *frame, size_t head, struct iovec *pieces);

/* Frames in both directions go to a pcap file from now on; NULL ends that.
 * 0 or a negative errno. */
int network_port_capture(struct network_port *port, const char *path);

void network_port_describe(struct network_port *port, struct json_object *to);
void network_port_free(struct network_port *port);

/* ---- The kinds; NULL and a line in `error` when it cannot be had ---- */

enum { NETWORK_FORWARDS_MAX = 8 };

struct network_nat_options {
    /* Connections to 127.0.0.1:host go to the guest's port. */
    struct {
        uint16_t host, guest;
    } forwards[NETWORK_FORWARDS_MAX];
    unsigned forward_count;
};

/* 10.0.2.0/24 with DHCP, router and name server; the host's own 127.0.0.1 is 10.0.2.2. */
struct network_port *network_nat_open(const struct network_nat_options *options, char *error,
                                      size_t error_size);
/* An existing or new TAP device; needs the right to open it. */
struct network_port *network_tap_open(const char *name, char *error, size_t error_size);
/* Between all adapters, of all machines of this user, that name the same switch. */
struct network_port *network_switch_open(const char *name, char *error, size_t error_size);
/* Gives each frame back to the adapter, addresses swapped: for tests and measurements. */
struct network_port *network_loopback_open(void);

#endif
