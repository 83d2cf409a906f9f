/* SPDX-License-Identifier: BSD-3-Clause */
#include "host/network/coalesce.h"

#include <stdlib.h>
#include <string.h>

#include "host/network/ip_headers.h"

enum {
    IP_MAX = 65535, /* bytes of an IP packet */
    DONT_FRAGMENT = 0x40,
};

/* ---- What may be put together ---- */

/* Headers of the plainest kind, and data. */
static bool is_plain(const struct frame *frame, const struct frame_layout *layout)
{
    const uint8_t *ip = frame->bytes + layout->network, *tcp = frame->bytes + layout->transport;
    if (frame->rest != NULL || frame->offload.segmentation != FRAME_WHOLE ||
        layout->kind != FRAME_TCP || layout->network != FRAME_HEADER ||
        layout->end != frame->size || layout->payload == layout->end) {
        return false;
    }
    if (layout->ipv4 ? ip[0] != 0x45 || (ip[6] & ~DONT_FRAGMENT) != 0
                     : layout->transport != layout->network + IPV6_HEADER) {
        return false;
    }
    return (tcp[TCP_FLAGS] & ~TCP_PSH) == TCP_ACK && (tcp[TCP_OFFSET] & 15) == 0;
}

/* Good, or left to us by a sender who knows that it is. */
static bool checksums_are_good(const struct frame *frame, const struct frame_layout *layout)
{
    const struct frame_offload *offload = &frame->offload;
    struct frame_check check;
    struct frame known = *frame;
    if (offload->needs_checksum) {
        if (offload->checksum_start != layout->transport ||
            offload->checksum_offset != TCP_CHECKSUM) {
            return false;
        }
        known.offload.checksum_good = true;
    }
    frame_check(&known, &check);
    return check.transport == FRAME_GOOD && check.network != FRAME_BAD;
}

/* The header, without lengths, sums, sequence and identification, which are looked at apart, and
 * without PSH. */
static void copy_header(uint8_t *to, const struct frame *frame, const struct frame_layout *layout)
{
    uint8_t *ip = to + layout->network, *tcp = to + layout->transport;
    memcpy(to, frame->bytes, layout->payload);
    if (layout->ipv4) {
        memset(ip + 2, 0, 4);
        memset(ip + 10, 0, 2);
    } else {
        memset(ip + 4, 0, 2);
    }
    memset(tcp + TCP_SEQUENCE, 0, 4);
    memset(tcp + TCP_CHECKSUM, 0, 2);
    tcp[TCP_FLAGS] &= (uint8_t)~TCP_PSH;
}

/* Segments count their identifications up. Those of packets that must not be fragmented say nothing
 * (RFC 6864), and some senders leave them out. */
static bool identification_continues(const struct coalesce_flow *flow, const struct frame *frame)
{
    const uint8_t *first = flow->frame.bytes + flow->layout.network;
    const uint8_t *ip = frame->bytes + flow->layout.network;
    return flow->layout.ipv6 || (ip[6] & DONT_FRAGMENT) != 0 ||
           be16_get(ip + 4) == (uint16_t)(be16_get(first + 4) + flow->segments);
}

static bool continues(const struct coalesce_flow *flow, const struct frame *frame,
                      const struct frame_layout *layout)
{
    uint8_t header[COALESCE_HEADER_MAX];
    size_t payload = layout->end - layout->payload;
    if (layout->payload != flow->layout.payload || layout->ipv4 != flow->layout.ipv4 ||
        frame->offload.tagged != flow->frame.offload.tagged ||
        (frame->offload.tagged && frame->offload.tag != flow->frame.offload.tag) ||
        payload > flow->segment_size ||
        flow->frame.size + payload - layout->network > IP_MAX ||
        be32_get(frame->bytes + layout->transport + TCP_SEQUENCE) != flow->sequence) {
        return false;
    }
    copy_header(header, frame, layout);
    return memcmp(header, flow->header, layout->payload) == 0 &&
           identification_continues(flow, frame);
}

/* ---- Flows ---- */

static bool same_flow(const struct coalesce_flow *flow, const struct frame *frame,
                      const struct frame_layout *layout)
{
    const struct frame_layout *own = &flow->layout;
    size_t offset = layout->ipv4 ? 12 : 8, size = layout->ipv4 ? 8 : 32; /* the addresses */
    return flow->frame.size > 0 && layout->ipv4 == own->ipv4 &&
           memcmp(flow->header + own->network + offset, frame->bytes + layout->network + offset,
                  size) == 0 &&
           memcmp(flow->header + own->transport, frame->bytes + layout->transport, 4) == 0;
}

/* Makes the headers those of one large frame. */
static void finish(struct coalesce_flow *flow)
{
    struct frame *frame = &flow->frame;
    struct frame_layout *layout = &flow->layout;
    uint8_t *ip = frame->bytes + layout->network;
    layout->end = frame->size;
    if (layout->ipv4) {
        be16_put(ip + 2, (uint16_t)(layout->end - layout->network));
        frame_ipv4_header_checksum(frame->bytes, layout);
    } else {
        be16_put(ip + 4, (uint16_t)(layout->end - layout->network - IPV6_HEADER));
    }
    uint64_t sum = frame_pseudo_sum(frame->bytes, layout, layout->end - layout->transport);
    uint16_t checksum = frame_fold(sum);
    memcpy(frame->bytes + layout->transport + TCP_CHECKSUM, &checksum, 2);
    frame->offload.needs_checksum = true;
    frame->offload.checksum_good = false;
    frame->offload.checksum_start = layout->transport;
    frame->offload.checksum_offset = TCP_CHECKSUM;
    frame->offload.segmentation = layout->ipv4 ? FRAME_TCP_IPV4 : FRAME_TCP_IPV6;
    frame->offload.segment_size = flow->segment_size;
}

static void give(struct coalesce *coalesce, struct coalesce_flow *flow)
{
    if (flow->frame.size == 0) {
        return;
    }
    if (flow->segments > 1) {
        finish(flow); /* a single one goes as it came */
    }
    coalesce->take(coalesce->context, &flow->frame);
    flow->frame.size = 0;
}

static struct coalesce_flow *flow_of(struct coalesce *coalesce, const struct frame *frame,
                                     const struct frame_layout *layout)
{
    for (unsigned i = 0; i < COALESCE_FLOWS; i++) {
        if (same_flow(&coalesce->flows[i], frame, layout)) {
            return &coalesce->flows[i];
        }
    }
    return NULL;
}

/* A flow without a frame. */
static struct coalesce_flow *make_room(struct coalesce *coalesce)
{
    for (unsigned i = 0; i < COALESCE_FLOWS; i++) {
        if (coalesce->flows[i].frame.size == 0) {
            return &coalesce->flows[i];
        }
    }
    struct coalesce_flow *flow = &coalesce->flows[coalesce->next++ % COALESCE_FLOWS];
    give(coalesce, flow);
    return flow;
}

/* The last segment says so, or is short. */
static bool is_last(const struct coalesce_flow *flow, const struct frame *frame,
                    const struct frame_layout *layout)
{
    return (frame->bytes[layout->transport + TCP_FLAGS] & TCP_PSH) != 0 ||
           layout->end - layout->payload < flow->segment_size;
}

static void append(struct coalesce *coalesce, struct coalesce_flow *flow,
                   const struct frame *frame, const struct frame_layout *layout)
{
    size_t payload = layout->end - layout->payload;
    memcpy(flow->frame.bytes + flow->frame.size, frame->bytes + layout->payload, payload);
    flow->frame.bytes[flow->layout.transport + TCP_FLAGS] |=
        frame->bytes[layout->transport + TCP_FLAGS] & TCP_PSH;
    flow->frame.size += payload;
    flow->sequence += (uint32_t)payload;
    flow->segments++;
    coalesce->merged++;
    coalesce->copied += payload;
}

/* False: there is no memory for it. */
static bool begin(struct coalesce_flow *flow, const struct frame *frame,
                  const struct frame_layout *layout)
{
    if (flow->memory == NULL && (flow->memory = malloc(FRAME_TAG + FRAME_SIZE_MAX)) == NULL) {
        return false;
    }
    flow->frame = *frame;
    flow->frame.bytes = flow->memory + FRAME_TAG;
    memcpy(flow->frame.bytes, frame->bytes, frame->size);
    flow->layout = *layout;
    copy_header(flow->header, frame, layout);
    flow->segment_size = (uint16_t)(layout->end - layout->payload);
    flow->sequence = be32_get(frame->bytes + layout->transport + TCP_SEQUENCE) + flow->segment_size;
    flow->segments = 1;
    return true;
}

/* ---- Frames ---- */

static void add_plain(struct coalesce *coalesce, struct coalesce_flow *flow, struct frame *frame,
                      const struct frame_layout *layout)
{
    if (flow != NULL && continues(flow, frame, layout)) {
        append(coalesce, flow, frame, layout);
    } else {
        if (flow != NULL) {
            give(coalesce, flow);
        }
        flow = make_room(coalesce);
        if (!begin(flow, frame, layout)) {
            coalesce->take(coalesce->context, frame);
            return;
        }
        coalesce->copied += frame->size;
    }
    if (is_last(flow, frame, layout)) {
        give(coalesce, flow);
    }
}

void coalesce_add(struct coalesce *coalesce, struct frame *frame)
{
    struct frame_layout layout;
    frame_parse(frame->bytes, frame->size, &layout);
    if (layout.kind != FRAME_TCP) {
        if (layout.kind == FRAME_OTHER) {
            coalesce_flush(coalesce); /* part of a flow, perhaps: a fragment */
        }
        coalesce->take(coalesce->context, frame);
        return;
    }
    struct coalesce_flow *flow = flow_of(coalesce, frame, &layout);
    if (is_plain(frame, &layout) && checksums_are_good(frame, &layout)) {
        add_plain(coalesce, flow, frame, &layout);
        return;
    }
    if (flow != NULL) {
        give(coalesce, flow);
    }
    coalesce->take(coalesce->context, frame);
}

void coalesce_flush(struct coalesce *coalesce)
{
    for (unsigned i = 0; i < COALESCE_FLOWS; i++) {
        give(coalesce, &coalesce->flows[i]);
    }
}

void coalesce_init(struct coalesce *coalesce, void (*take)(void *context, struct frame *frame),
                   void *context)
{
    *coalesce = (struct coalesce){.take = take, .context = context};
}

void coalesce_free(struct coalesce *coalesce)
{
    for (unsigned i = 0; i < COALESCE_FLOWS; i++) {
        free(coalesce->flows[i].memory);
    }
}
