/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TCP segments that follow each other, put together to one frame that is to be segmented: whoever
 * gets it has one frame's work instead of many. Nothing is lost by it: cut again, the frame gives
 * the same segments. So only what is sure to is put together, with checksums that were verified or
 * that the sender left to us; everything else passes as it is, and nothing overtakes within a flow.
 * Rules: Microsoft, "Rules for coalescing TCP/IP segments", for adapters that are RSC capable.
 *
 *     coalesce_init(&coalesce, take, context);
 *     coalesce_add(&coalesce, &frame);      any number of times
 *     coalesce_flush(&coalesce);            at the end of a burst: nothing waits for company
 */
#ifndef HOST_NETWORK_COALESCE_H
#define HOST_NETWORK_COALESCE_H

#include "host/network/frame.h"

enum { COALESCE_FLOWS = 8, COALESCE_HEADER_MAX = FRAME_HEADER + 40 + 60 };

/* One frame that is being put together. */
struct coalesce_flow {
    uint8_t *memory;         /* FRAME_TAG + FRAME_SIZE_MAX bytes, made when first needed */
    struct frame frame;      /* in it; size 0: none */
    struct frame_layout layout;
    uint8_t header[COALESCE_HEADER_MAX]; /* without what differs from segment to segment */
    uint32_t sequence;       /* of the byte that comes next */
    uint16_t segment_size;
    unsigned segments;
};

struct coalesce {
    void (*take)(void *context, struct frame *frame);
    void *context;
    struct coalesce_flow flows[COALESCE_FLOWS];
    unsigned next;           /* flow that has to make room */
    uint64_t merged;         /* segments that went with the one before them */
    uint64_t copied;         /* bytes, to keep and to put together */
};

/* `take` gets the frames; their bytes are its own until it returns. */
void coalesce_init(struct coalesce *coalesce, void (*take)(void *context, struct frame *frame),
                   void *context);
void coalesce_free(struct coalesce *coalesce);

/* A frame; its bytes are copied if they are wanted longer. There are 4 bytes of room before it. */
void coalesce_add(struct coalesce *coalesce, struct frame *frame);
void coalesce_flush(struct coalesce *coalesce);

#endif
