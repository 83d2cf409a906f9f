/* SPDX-License-Identifier: BSD-3-Clause */
/* What is in an Ethernet frame: headers, checksums, tags. RFC 791, 793, 768, 1071, 8200. */
#include "host/network/frame.h"

#include <string.h>

#include "host/network/ip_headers.h"

enum {
    TYPE_IPV4 = 0x0800,
    TYPE_IPV6 = 0x86dd,
    TYPE_VLAN = 0x8100,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    EXTENSIONS_MAX = 8,
    SUM_BLOCK = 512,
};

/* ---- Headers ---- */

static void parse_transport(const uint8_t *bytes, uint8_t protocol, struct frame_layout *layout)
{
    size_t room = layout->end - layout->transport;
    const uint8_t *at = bytes + layout->transport;
    if (protocol == PROTOCOL_TCP && room >= 20) {
        size_t header = (size_t)(at[12] >> 4) * 4;
        if (header >= 20 && header <= room) {
            layout->kind = FRAME_TCP;
            layout->payload = (uint16_t)(layout->transport + header);
        }
    } else if (protocol == PROTOCOL_UDP && room >= 8) {
        layout->kind = FRAME_UDP;
        layout->payload = (uint16_t)(layout->transport + 8);
    }
}

static void parse_ipv4(const uint8_t *bytes, size_t size, struct frame_layout *layout)
{
    const uint8_t *ip = bytes + layout->network;
    size_t room = size - layout->network;
    if (room < 20 || ip[0] >> 4 != 4) {
        return;
    }
    size_t header = (size_t)(ip[0] & 15) * 4, total = be16_get(ip + 2);
    if (total == 0) {
        total = room; /* a frame to be segmented */
    }
    if (header < 20 || header > total || total > room) {
        return;
    }
    layout->ipv4 = true;
    layout->end = layout->network + total;
    if ((be16_get(ip + 6) & 0x3fff) == 0) { /* no fragment */
        layout->transport = (uint16_t)(layout->network + header);
        parse_transport(bytes, ip[9], layout);
    }
}

static void parse_ipv6(const uint8_t *bytes, size_t size, struct frame_layout *layout)
{
    const uint8_t *ip = bytes + layout->network;
    size_t room = size - layout->network;
    if (room < IPV6_HEADER || ip[0] >> 4 != 6) {
        return;
    }
    size_t length = be16_get(ip + 4);
    if (length == 0) {
        length = room - IPV6_HEADER;
    }
    if (length > room - IPV6_HEADER) {
        return;
    }
    layout->ipv6 = true;
    layout->end = layout->network + IPV6_HEADER + length;
    size_t at = layout->network + IPV6_HEADER;
    uint8_t next = ip[6];
    /* Hop-by-hop, routing and destination options may stand between. */
    for (int i = 0; i < EXTENSIONS_MAX && (next == 0 || next == 43 || next == 60); i++) {
        if (layout->end - at < 8) {
            return;
        }
        size_t extension = ((size_t)bytes[at + 1] + 1) * 8;
        if (extension > layout->end - at) {
            return;
        }
        next = bytes[at];
        at += extension;
    }
    layout->transport = (uint16_t)at;
    parse_transport(bytes, next, layout);
}

void frame_parse(const uint8_t *bytes, size_t size, struct frame_layout *layout)
{
    *layout = (struct frame_layout){0};
    if (size < FRAME_HEADER) {
        return;
    }
    size_t at = 12;
    uint16_t type = be16_get(bytes + at);
    if (type == TYPE_VLAN && size >= FRAME_HEADER + FRAME_TAG) {
        at += FRAME_TAG;
        type = be16_get(bytes + at);
    }
    layout->network = (uint16_t)(at + 2);
    if (type == TYPE_IPV4) {
        parse_ipv4(bytes, size, layout);
    } else if (type == TYPE_IPV6) {
        parse_ipv6(bytes, size, layout);
    }
}

/* ---- Checksums ---- */

static uint64_t add_word(uint64_t sum, uint64_t word)
{
    sum += word;
    return sum + (sum < word); /* the carry comes back in */
}

/* Halves of words in sums of their own: no carry has to wait for another, so that the compiler
 * takes many at a time. A block is short enough for no sum to overflow. */
static inline __attribute__((always_inline)) uint64_t sum_block(const uint8_t *bytes)
{
    uint64_t low = 0, high = 0;
    for (size_t i = 0; i < SUM_BLOCK; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        low += word & UINT32_MAX;
        high += word >> 32;
    }
    return add_word(low, high << 32 | high >> 32);
}

static inline __attribute__((always_inline)) uint64_t sum_blocks(const uint8_t *bytes,
                                                                 size_t blocks, uint64_t sum)
{
    for (; blocks > 0; blocks--, bytes += SUM_BLOCK) {
        sum = add_word(sum, sum_block(bytes));
    }
    return sum;
}

#ifdef __x86_64__
/* The same, for the compiler to use wider registers. */
static __attribute__((target("avx2"))) uint64_t sum_blocks_wide(const uint8_t *bytes,
                                                                size_t blocks, uint64_t sum)
{
    return sum_blocks(bytes, blocks, sum);
}
#endif

static uint64_t sum_whole_blocks(const uint8_t *bytes, size_t blocks, uint64_t sum)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        return sum_blocks_wide(bytes, blocks, sum);
    }
#endif
    return sum_blocks(bytes, blocks, sum);
}

uint64_t frame_sum(const uint8_t *bytes, size_t size, uint64_t sum)
{
    uint64_t word;
    if (size >= SUM_BLOCK) {
        sum = sum_whole_blocks(bytes, size / SUM_BLOCK, sum);
        bytes += size / SUM_BLOCK * SUM_BLOCK;
        size %= SUM_BLOCK;
    }
    while (size >= 8) {
        memcpy(&word, bytes, 8);
        sum = add_word(sum, word);
        bytes += 8;
        size -= 8;
    }
    if (size > 0) {
        word = 0;
        memcpy(&word, bytes, size);
        sum = add_word(sum, word);
    }
    return sum;
}

uint16_t frame_fold(uint64_t sum)
{
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)sum;
}

uint64_t frame_pseudo_sum(const uint8_t *bytes, const struct frame_layout *layout, size_t length)
{
    const uint8_t *ip = bytes + layout->network;
    uint8_t rest[8] = {0};
    be32_put(rest, (uint32_t)length);
    rest[7] = layout->kind == FRAME_TCP ? PROTOCOL_TCP : PROTOCOL_UDP;
    uint64_t sum = frame_sum(rest, sizeof(rest), 0);
    return layout->ipv4 ? frame_sum(ip + 12, 8, sum) : frame_sum(ip + 8, 32, sum);
}

/* The sum of [start, end), wherever the bytes are; `start` is among the first. */
static uint64_t sum_range(const struct frame *frame, size_t start, size_t end)
{
    size_t at = frame->rest != NULL && frame->head < end ? frame->head : end;
    uint64_t sum = frame_sum(frame->bytes + start, at - start, 0);
    for (const struct iovec *piece = frame->rest; at < end; piece++) {
        size_t part = piece->iov_len < end - at ? piece->iov_len : end - at;
        uint16_t folded = frame_fold(frame_sum(piece->iov_base, part, 0));
        if ((at - start) % 2 != 0) { /* its bytes are the other halves of their words */
            folded = (uint16_t)(folded << 8 | folded >> 8);
        }
        sum = add_word(sum, folded);
        at += part;
    }
    return sum;
}

bool frame_complete_checksum(struct frame *frame)
{
    struct frame_offload *offload = &frame->offload;
    if (!offload->needs_checksum) {
        return true;
    }
    size_t field = (size_t)offload->checksum_start + offload->checksum_offset;
    if (field + 2 > frame->size) {
        return false;
    }
    if (frame->rest != NULL && field + 2 > frame->head) {
        frame_gather(frame);
    }
    struct frame_layout layout;
    frame_parse(frame->bytes, frame->size, &layout);
    size_t end = layout.end > offload->checksum_start ? layout.end : frame->size;
    uint16_t checksum = (uint16_t)~frame_fold(sum_range(frame, offload->checksum_start, end));
    if (checksum == 0 && layout.kind == FRAME_UDP) {
        checksum = 0xffff; /* 0 would say that there is none */
    }
    memcpy(frame->bytes + field, &checksum, 2);
    offload->needs_checksum = false;
    offload->checksum_good = layout.transport == offload->checksum_start;
    return true;
}

void frame_ipv4_header_checksum(uint8_t *bytes, const struct frame_layout *layout)
{
    uint8_t *ip = bytes + layout->network;
    size_t header = (size_t)(ip[0] & 15) * 4;
    memset(ip + 10, 0, 2);
    uint16_t checksum = (uint16_t)~frame_fold(frame_sum(ip, header, 0));
    memcpy(ip + 10, &checksum, 2);
}

static enum frame_verdict verify_network(const uint8_t *bytes, const struct frame_layout *layout)
{
    const uint8_t *ip = bytes + layout->network;
    if (!layout->ipv4) {
        return FRAME_UNCHECKED;
    }
    uint16_t sum = frame_fold(frame_sum(ip, (size_t)(ip[0] & 15) * 4, 0));
    return sum == 0xffff ? FRAME_GOOD : FRAME_BAD;
}

static enum frame_verdict verify_transport(const uint8_t *bytes, const struct frame_layout *layout)
{
    const uint8_t *transport = bytes + layout->transport;
    if (layout->kind == FRAME_OTHER ||
        (layout->kind == FRAME_UDP && transport[6] == 0 && transport[7] == 0)) {
        return FRAME_UNCHECKED; /* a datagram without checksum, or nothing that is known */
    }
    size_t length = layout->end - layout->transport;
    uint64_t sum = frame_pseudo_sum(bytes, layout, length);
    return frame_fold(frame_sum(transport, length, sum)) == 0xffff ? FRAME_GOOD : FRAME_BAD;
}

void frame_check(const struct frame *frame, struct frame_check *check)
{
    struct frame_layout layout;
    frame_parse(frame->bytes, frame->size, &layout);
    *check = (struct frame_check){
        .kind = layout.kind,
        .network = verify_network(frame->bytes, &layout),
        .transport = frame->offload.checksum_good && layout.kind != FRAME_OTHER
                         ? FRAME_GOOD
                         : verify_transport(frame->bytes, &layout),
    };
}

void frame_verify(const uint8_t *bytes, size_t size, struct frame_check *check)
{
    const struct frame frame = {.bytes = (uint8_t *)(uintptr_t)bytes, .size = size};
    frame_check(&frame, check);
}

/* ---- In one place ---- */

size_t frame_gather(struct frame *frame)
{
    size_t copied = 0;
    for (unsigned i = 0; frame->rest != NULL && i < frame->rest_count; i++) {
        memcpy(frame->bytes + frame->head + copied, frame->rest[i].iov_base,
               frame->rest[i].iov_len);
        copied += frame->rest[i].iov_len;
    }
    frame->rest = NULL;
    frame->rest_count = 0;
    return copied;
}

/* ---- Tags ---- */

void frame_insert_tag(struct frame *frame)
{
    if (!frame->offload.tagged || frame->size < FRAME_HEADER) {
        return;
    }
    memmove(frame->bytes - FRAME_TAG, frame->bytes, 2 * FRAME_ADDRESS);
    frame->bytes -= FRAME_TAG;
    be16_put(frame->bytes + 12, TYPE_VLAN);
    be16_put(frame->bytes + 14, frame->offload.tag);
    frame->size += FRAME_TAG;
    frame->head += frame->rest != NULL ? FRAME_TAG : 0;
    if (frame->offload.needs_checksum) {
        frame->offload.checksum_start = (uint16_t)(frame->offload.checksum_start + FRAME_TAG);
    }
    frame->offload.tagged = false;
}

void frame_remove_tag(struct frame *frame)
{
    if (frame->offload.tagged || frame->size < FRAME_HEADER + FRAME_TAG ||
        be16_get(frame->bytes + 12) != TYPE_VLAN) {
        return;
    }
    frame->offload.tag = be16_get(frame->bytes + 14);
    frame->offload.tagged = true;
    memmove(frame->bytes + FRAME_TAG, frame->bytes, 2 * FRAME_ADDRESS);
    frame->bytes += FRAME_TAG;
    frame->size -= FRAME_TAG;
    frame->head -= frame->rest != NULL ? FRAME_TAG : 0;
    if (frame->offload.needs_checksum) {
        frame->offload.checksum_start = (uint16_t)(frame->offload.checksum_start - FRAME_TAG);
    }
}
