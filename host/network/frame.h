/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ethernet frames between an adapter and its network, with the work that one side leaves to the
 * other: checksums to fill in, TCP segments to cut, a VLAN tag kept outside the frame.
 */
#ifndef HOST_NETWORK_FRAME_H
#define HOST_NETWORK_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum {
    FRAME_HEADER = 14,       /* bytes of the Ethernet header */
    FRAME_TAG = 4,           /* bytes of an 802.1Q tag */
    FRAME_ADDRESS = 6,
    FRAME_SIZE_MAX = 65536 + FRAME_HEADER + FRAME_TAG, /* uncut TCP frames included */
};

enum frame_segmentation { FRAME_WHOLE, FRAME_TCP_IPV4, FRAME_TCP_IPV6 };

struct frame_offload {
    enum frame_segmentation segmentation;
    uint16_t segment_size;    /* bytes of TCP payload in each segment */
    bool needs_checksum;      /* from checksum_start on; the field holds the pseudo-header's sum */
    uint16_t checksum_start;  /* in the frame */
    uint16_t checksum_offset; /* of the field, from checksum_start */
    bool checksum_good;       /* the transport's checksum was filled in here: no need to look */
    bool tagged;              /* 802.1Q tag that is not in the frame */
    uint16_t tag;
};

struct frame {
    uint8_t *bytes; /* may be changed by whoever gets the frame */
    size_t size;
    struct frame_offload offload;
    /* NULL: all bytes are at `bytes`. Otherwise only the first `head` are, headers among them, with
     * room for all; the others are in these places, which belong to others and may change at any
     * moment. So a large frame need not be copied on its way; frame_gather() does it after all. */
    const struct iovec *rest;
    unsigned rest_count;
    size_t head;
};

enum frame_transport { FRAME_OTHER, FRAME_TCP, FRAME_UDP };

/* Where the headers of a frame lie. */
struct frame_layout {
    bool ipv4, ipv6;           /* neither: something else, the rest is 0 */
    uint16_t network;          /* offset of the IP header */
    uint16_t transport;        /* offset of what follows it, 0 if unknown (fragments) */
    enum frame_transport kind; /* a whole TCP or UDP header is there */
    uint16_t payload;          /* offset of the TCP or UDP payload */
    size_t end;                /* of the IP packet; padding may follow */
};

/* Looks at a frame of any content. A tag inside the frame is skipped. */
void frame_parse(const uint8_t *bytes, size_t size, struct frame_layout *layout);

/* The ones' complement sum of `size` bytes added to `sum`, not folded. */
uint64_t frame_sum(const uint8_t *bytes, size_t size, uint64_t sum);
/* Folds to 16 bits, in the order in which it is stored in memory. */
uint16_t frame_fold(uint64_t sum);
/* Sum of the TCP or UDP pseudo-header for a transport part of `length` bytes. */
uint64_t frame_pseudo_sum(const uint8_t *bytes, const struct frame_layout *layout, size_t length);

/* Fills in the checksum that `offload` asks for; false if it points outside the frame. */
bool frame_complete_checksum(struct frame *frame);
/* Fills in the IPv4 header's checksum. */
void frame_ipv4_header_checksum(uint8_t *bytes, const struct frame_layout *layout);

enum frame_verdict { FRAME_UNCHECKED, FRAME_GOOD, FRAME_BAD };
struct frame_check {
    enum frame_verdict network, transport;
    enum frame_transport kind;
};
/* Verifies what checksums there are. */
void frame_verify(const uint8_t *bytes, size_t size, struct frame_check *check);
/* The same of a frame that may say itself that the transport's is good. */
void frame_check(const struct frame *frame, struct frame_check *check);

/*
 * Cuts a TCP frame that is to be segmented and calls `take` with each piece, whole and with its
 * checksums, bytes valid during the call. A frame that needs no cutting is passed with its checksum
 * filled in. A tag kept outside stays outside. `scratch` has FRAME_SIZE_MAX bytes, and 4 before
 * them. Returns the number of frames, or -1 if the frame is malformed.
 */
int frame_segment(struct frame *frame, uint8_t *scratch,
                  void (*take)(void *context, struct frame *piece), void *context);

/* Copies what is elsewhere to where it is missing. Returns the bytes copied. */
size_t frame_gather(struct frame *frame);

/* Puts the tag that is kept outside into the frame; there are 4 bytes of room before it. */
void frame_insert_tag(struct frame *frame);
/* Takes a tag out of the frame into `offload`. */
void frame_remove_tag(struct frame *frame);

#endif
