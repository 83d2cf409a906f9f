/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP segmentation of one large frame, as an adapter does it (NDIS large send offload v2,
 * Linux GSO). */
#include "host/network/frame.h"

#include <string.h>

#include "host/network/ip_headers.h"

/* Makes the headers of segment `index`, which holds `payload` bytes, right. */
static void write_headers(uint8_t *bytes, const struct frame_layout *layout, unsigned index,
                          uint32_t sequence, size_t payload, bool last)
{
    uint8_t *ip = bytes + layout->network, *tcp = bytes + layout->transport;
    struct frame_layout piece = *layout;
    piece.end = layout->payload + payload;
    if (layout->ipv4) {
        be16_put(ip + 2, (uint16_t)(piece.end - layout->network));
        be16_put(ip + 4, (uint16_t)(be16_get(ip + 4) + index));
        frame_ipv4_header_checksum(bytes, &piece);
    } else {
        be16_put(ip + 4, (uint16_t)(piece.end - layout->network - IPV6_HEADER));
    }
    be32_put(tcp + TCP_SEQUENCE, sequence);
    if (!last) {
        tcp[TCP_FLAGS] &= (uint8_t)~(TCP_FIN | TCP_PSH);
    }
    if (index > 0) {
        tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
    }
    size_t length = piece.end - layout->transport;
    memset(tcp + TCP_CHECKSUM, 0, 2);
    uint64_t sum = frame_pseudo_sum(bytes, &piece, length);
    uint16_t checksum = (uint16_t)~frame_fold(frame_sum(tcp, length, sum));
    memcpy(tcp + TCP_CHECKSUM, &checksum, 2);
}

static int cut(const struct frame *frame, const struct frame_layout *layout, uint8_t *scratch,
               void (*take)(void *context, struct frame *piece), void *context)
{
    const size_t header = layout->payload, total = layout->end - header;
    const size_t most = frame->offload.segment_size;
    uint32_t sequence = be32_get(frame->bytes + layout->transport + TCP_SEQUENCE);
    unsigned index = 0;
    for (size_t done = 0; done < total || index == 0; index++) {
        size_t payload = total - done < most ? total - done : most;
        struct frame piece = {.bytes = scratch, .size = header + payload};
        memcpy(scratch, frame->bytes, header);
        memcpy(scratch + header, frame->bytes + header + done, payload);
        write_headers(scratch, layout, index, sequence + (uint32_t)done, payload,
                      done + payload == total);
        piece.offload.checksum_good = true;
        piece.offload.tagged = frame->offload.tagged;
        piece.offload.tag = frame->offload.tag;
        take(context, &piece);
        done += payload;
    }
    return (int)index;
}

int frame_segment(struct frame *frame, uint8_t *scratch,
                  void (*take)(void *context, struct frame *piece), void *context)
{
    if (frame->offload.segmentation == FRAME_WHOLE) {
        if (!frame_complete_checksum(frame)) {
            return -1;
        }
        take(context, frame);
        return 1;
    }
    struct frame_layout layout;
    frame_parse(frame->bytes, frame->size, &layout);
    bool ipv4 = frame->offload.segmentation == FRAME_TCP_IPV4;
    if (layout.kind != FRAME_TCP || layout.ipv4 != ipv4 || frame->offload.segment_size == 0 ||
        frame->size > FRAME_SIZE_MAX) {
        return -1;
    }
    return cut(frame, &layout, scratch, take, context);
}
