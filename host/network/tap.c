/* SPDX-License-Identifier: BSD-3-Clause */
/* A TAP device of the host. Offloads pass through in the header that Linux
 * puts before each frame. */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "host/network/coalesce.h"
#include "host/network/port.h"

enum { FRAMES_A_RUN = 64, REST_MAX = 64, LARGE_MIN = 16384 };

struct tap {
    struct network_port port; /* first */
    int descriptor;
    struct coalesce sent, received;
    bool large; /* the frame before was, so that the next one may be */
    uint8_t memory[FRAME_TAG + FRAME_SIZE_MAX]; /* room for a tag, and a frame */
};

/* ---- Between the two forms of the offloads ---- */

static void to_virtio(const struct frame *frame, struct virtio_net_hdr *header)
{
    const struct frame_offload *offload = &frame->offload;
    struct frame_layout layout;
    *header = (struct virtio_net_hdr){0};
    if (offload->needs_checksum) {
        header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        header->csum_start = offload->checksum_start;
        header->csum_offset = offload->checksum_offset;
    }
    if (offload->segmentation == FRAME_WHOLE) {
        return;
    }
    frame_parse(frame->bytes, frame->size, &layout);
    header->gso_type = offload->segmentation == FRAME_TCP_IPV4 ? VIRTIO_NET_HDR_GSO_TCPV4
                                                               : VIRTIO_NET_HDR_GSO_TCPV6;
    header->gso_size = offload->segment_size;
    header->hdr_len = layout.payload;
}

static void from_virtio(const struct virtio_net_hdr *header, struct frame *frame)
{
    struct frame_offload *offload = &frame->offload;
    if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
        offload->needs_checksum = true;
        offload->checksum_start = header->csum_start;
        offload->checksum_offset = header->csum_offset;
    }
    switch (header->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_TCPV4:
        offload->segmentation = FRAME_TCP_IPV4;
        offload->segment_size = header->gso_size;
        break;
    case VIRTIO_NET_HDR_GSO_TCPV6:
        offload->segmentation = FRAME_TCP_IPV6;
        offload->segment_size = header->gso_size;
        break;
    }
}

/* ---- The port ---- */

static void write_frame(void *context, struct frame *frame)
{
    struct tap *tap = context;
    struct virtio_net_hdr header;
    if (frame->rest_count > REST_MAX) {
        frame_gather(frame);
    }
    frame_insert_tag(frame);
    to_virtio(frame, &header);
    struct iovec pieces[2 + REST_MAX] = {{&header, sizeof(header)}, {frame->bytes, frame->size}};
    unsigned count = 2;
    if (frame->rest != NULL) {
        pieces[1].iov_len = frame->head;
        memcpy(pieces + 2, frame->rest, frame->rest_count * sizeof(*frame->rest));
        count += frame->rest_count;
    }
    /* Short of room the network drops frames, as networks do. */
    if (writev(tap->descriptor, pieces, (int)count) < 0) {
        tap->port.malformed += errno == EINVAL;
    }
}

static void tap_send(struct network_port *port, struct frame *frame)
{
    coalesce_add(&((struct tap *)port)->sent, frame);
}

static void tap_flush(struct network_port *port)
{
    coalesce_flush(&((struct tap *)port)->sent);
}

static void give_frame(void *context, struct frame *frame)
{
    network_port_give(context, frame);
}

/* False: there is none. */
static bool read_frame(struct tap *tap)
{
    struct virtio_net_hdr header;
    struct frame frame = {.bytes = tap->memory + FRAME_TAG};
    struct iovec pieces[2 + REST_MAX] = {{&header, sizeof(header)}, {frame.bytes, FRAME_SIZE_MAX}};
    size_t head = FRAME_SIZE_MAX;
    unsigned rest = tap->large ? network_port_space(&tap->port, &head, pieces + 2, REST_MAX) : 0;
    pieces[1].iov_len = head;
    ssize_t size = readv(tap->descriptor, pieces, 2 + (int)rest);
    if (size <= (ssize_t)sizeof(header)) {
        return false;
    }
    frame.size = (size_t)size - sizeof(header);
    tap->large = frame.size >= LARGE_MIN;
    from_virtio(&header, &frame);
    network_port_split(&frame, head, pieces + 2);
    network_port_note_received(&tap->port, &frame);
    if (tap->port.coalesce) {
        coalesce_add(&tap->received, &frame);
    } else {
        network_port_give(&tap->port, &frame);
    }
    return true;
}

static void tap_run(struct network_port *port, uint64_t now_ns)
{
    struct tap *tap = (struct tap *)port;
    for (int i = 0; i < FRAMES_A_RUN; i++) {
        if (port->has_room != NULL && !port->has_room(port->adapter)) {
            break; /* the rest waits in the kernel's queue */
        }
        if (!read_frame(tap)) {
            break;
        }
    }
    coalesce_flush(&tap->received);
}

static int tap_descriptor(struct network_port *port)
{
    return ((struct tap *)port)->descriptor;
}

static void tap_free(struct network_port *port)
{
    struct tap *tap = (struct tap *)port;
    if (tap->descriptor >= 0) {
        close(tap->descriptor);
    }
    coalesce_free(&tap->sent);
    coalesce_free(&tap->received);
    free(tap);
}

static void tap_describe(struct network_port *port, struct json_object *to)
{
    const struct tap *tap = (struct tap *)port;
    json_object_object_add(to, "sent_merged", json_object_new_uint64(tap->sent.merged));
    json_object_object_add(to, "received_merged", json_object_new_uint64(tap->received.merged));
    json_object_object_add(to, "sent_merge_copied_bytes",
                           json_object_new_uint64(tap->sent.copied));
    json_object_object_add(to, "received_merge_copied_bytes",
                           json_object_new_uint64(tap->received.copied));
}

static const struct network_port_operations operations = {
    .kind = "tap",
    .send = tap_send,
    .flush = tap_flush,
    .takes_offloads = true,
    .takes_rest = true,
    .waits = true,
    .descriptor = tap_descriptor,
    .run = tap_run,
    .describe = tap_describe,
    .free = tap_free,
};

static int attach(struct tap *tap, const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    tap->descriptor = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tap->descriptor < 0 || ioctl(tap->descriptor, TUNSETIFF, &request) != 0) {
        return -errno;
    }
    unsigned offloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
    return ioctl(tap->descriptor, TUNSETOFFLOAD, offloads) == 0 ? 0 : -errno;
}

struct network_port *network_tap_open(const char *name, char *error, size_t error_size)
{
    struct tap *tap = calloc(1, sizeof(*tap));
    if (tap == NULL || name[0] == '\0' || strlen(name) >= IFNAMSIZ) {
        snprintf(error, error_size, "tap %s: a name of 1 to 15 characters is wanted", name);
        free(tap);
        return NULL;
    }
    tap->port.operations = &operations;
    coalesce_init(&tap->sent, write_frame, tap);
    coalesce_init(&tap->received, give_frame, &tap->port);
    int result = attach(tap, name);
    if (result != 0) {
        snprintf(error, error_size, "tap %s: %s%s", name, strerror(-result),
                 result == -EPERM || result == -EACCES
                     ? " (root makes it: ip tuntap add NAME mode tap user $USER)"
                     : "");
        tap_free(&tap->port);
        return NULL;
    }
    return &tap->port;
}
