/* SPDX-License-Identifier: BSD-3-Clause */
/* A guest of any kind against the network adapter's pure parts: NVSP messages, RNDIS control
 * messages, and frames with any offloads. The first byte says which; control messages follow one
 * another, each after its length. */
#include <stdlib.h>
#include <string.h>

#include "host/devices/netvsc_control.h"
#include "host/devices/netvsc_session.h"
#include "host/network/coalesce.h"
#include "host/network/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static uint8_t memory[FRAME_SIZE_MAX + 2 * FRAME_TAG], scratch[FRAME_SIZE_MAX + 2 * FRAME_TAG];

static void nvsp(const uint8_t *bytes, size_t size)
{
    struct netvsc_session session = {.version_max = NVSP_VERSION_6_1, .sub_channels_max = 8};
    struct netvsc_decision decision;
    netvsc_session_reset(&session);
    while (size > 0) {
        size_t length = bytes[0] < size - 1 ? bytes[0] : size - 1;
        netvsc_session_handle(&session, bytes + 1, length, (bytes[0] & 1) == 0, &decision);
        if (decision.verdict == NETVSC_RECEIVE_BUFFER) {
            session.receive_buffer = true;
        }
        if (netvsc_unit_size(&session) < NVSP_MTU_DEFAULT ||
            netvsc_unit_size(&session) > 2 * NVSP_MTU_MAX) {
            abort();
        }
        bytes += 1 + length;
        size -= 1 + length;
    }
}

static void control_messages(const uint8_t *bytes, size_t size)
{
    struct netvsc_control control = {.queues_max = 9};
    uint8_t reply[NETVSC_CONTROL_REPLY_MAX];
    const char *rule;
    netvsc_control_reset(&control);
    control.nvsp_version = NVSP_VERSION_6_1;
    control.initialised = true;
    while (size > 1) {
        size_t length = (size_t)(bytes[0] | bytes[1] << 8) % 1024;
        length = length < size - 2 ? length : size - 2;
        uint8_t *message = malloc(length + 1); /* nearly as large as it says */
        if (message == NULL) {
            return;
        }
        memcpy(message, bytes + 2, length);
        int result = netvsc_control_handle(&control, message, length, reply, &rule);
        if (result > (int)sizeof(reply) || control.table_entries > NDIS_RSS_TABLE_ENTRIES) {
            abort();
        }
        free(message);
        bytes += 2 + length;
        size -= 2 + length;
    }
}

static void take(void *context, struct frame *piece)
{
    struct frame_check check;
    if (piece->size > FRAME_SIZE_MAX) {
        abort();
    }
    frame_verify(piece->bytes, piece->size, &check);
    frame_insert_tag(piece);
}

/* Twice the same bytes, and what may follow them. */
static void segments(const struct frame *frame)
{
    struct coalesce coalesce;
    struct frame_layout layout;
    coalesce_init(&coalesce, take, NULL);
    frame_parse(frame->bytes, frame->size, &layout);
    for (int i = 0; i < 3; i++) {
        struct frame copy = *frame;
        coalesce_add(&coalesce, &copy);
        if (i > 0 && layout.kind == FRAME_TCP) {
            frame->bytes[layout.transport + 6] += (uint8_t)((layout.end - layout.payload) >> 8);
            frame->bytes[layout.transport + 7] += (uint8_t)(layout.end - layout.payload);
        }
    }
    coalesce_flush(&coalesce);
    coalesce_free(&coalesce);
}

static void frames(const uint8_t *bytes, size_t size)
{
    struct frame_offload offload = {
        .segmentation = bytes[0] % 3,
        .segment_size = bytes[1],
        .needs_checksum = bytes[2] & 1,
        .checksum_start = (uint16_t)(bytes[3] | (bytes[2] & 2 ? 0xff00 : 0)),
        .checksum_offset = bytes[4],
        .tagged = bytes[5] & 1,
    };
    memcpy(memory + FRAME_TAG, bytes + 6, size - 6);
    struct frame frame = {.bytes = memory + FRAME_TAG, .size = size - 6, .offload = offload};
    frame_remove_tag(&frame);
    segments(&frame);
    frame_segment(&frame, scratch + FRAME_TAG, take, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 8 || size > 8192) {
        return 0;
    }
    switch (bytes[0] % 3) {
    case 0:
        nvsp(bytes + 1, size - 1);
        break;
    case 1:
        control_messages(bytes + 1, size - 1);
        break;
    default:
        frames(bytes + 1, size - 1);
        break;
    }
    return 0;
}
