/* SPDX-License-Identifier: BSD-3-Clause */
/* A hostile host on both rings of a channel: it writes any word and any byte of the shared pages
 * between the guest's steps, and the guest must neither leave its memory nor believe nonsense. */
#include <stdlib.h>
#include <string.h>

#include "kext/core/channel.h"
#include "kext/core/errors.h"

#define PAGES 2u                        /* of each ring: one control page, one data page */

enum action {
    HOST_WRITES_WORD,                   /* one of the control words of either ring */
    HOST_WRITES_DATA,
    HOST_SENDS_PACKET,                  /* a well-formed one, so that the ring lives longer */
    GUEST_RECEIVES,
    GUEST_RELEASES,
    GUEST_APPENDS,
    GUEST_PUBLISHES,
    GUEST_CHECKS_ROOM,
    ACTION_COUNT
};

struct input {
    const uint8_t *bytes;
    size_t left;
};

static uint32_t take(struct input *input, unsigned count)
{
    uint32_t value = 0;

    while (count-- != 0 && input->left != 0) {
        value = value << 8 | *input->bytes++;
        input->left--;
    }
    return value;
}

static void require(int holds)
{
    if (!holds)
        abort();
}

static uint8_t memory[2 * PAGES * 4096] __attribute__((aligned(4096)));
static struct channel channel;

static struct vmbus_ring_control *control_of(uint32_t which)
{
    return (struct vmbus_ring_control *)(void *)(memory + (which & 1) * PAGES * 4096);
}

static void host_writes_word(struct input *input)
{
    uint32_t which = take(input, 1);
    struct vmbus_ring_control *control = control_of(which);
    uint32_t *const words[4] = { &control->write_index, &control->read_index,
                                 &control->interrupt_mask, &control->pending_send_size };
    uint32_t value = take(input, 2);

    *words[which >> 1 & 3] = which & 0x80 ? value << 16 : which & 0x40 ? value & 0xFF8u : value;
}

static void host_sends_packet(struct input *input)
{
    struct vmbus_ring_control *control = control_of(1);
    struct vmbus_packet_header header = { .type = (uint16_t)take(input, 1), .data_offset8 = 2 };
    uint8_t *data = (uint8_t *)control + 4096;

    header.length8 = (uint16_t)(2 + take(input, 1) % 32);
    header.transaction_id = take(input, 1);
    for (uint32_t i = 0; i < sizeof header; i++)
        data[(control->write_index + i) % 4096] = ((uint8_t *)&header)[i];
    control->write_index = (control->write_index + header.length8 * 8u + 8) % 4096 & ~7u;
}

static void guest_receives(struct input *input)
{
    static uint8_t packet[512];
    uint32_t capacity = 16 + take(input, 1) * 2;
    struct packet_view view;
    enum channel_packet_kind kind;
    int error;

    if (capacity > sizeof packet)
        capacity = sizeof packet;
    error = channel_receive(&channel, packet, capacity, &view, &kind);
    if (error == HV_ERROR_TOO_LARGE) {
        require(view.length > capacity && view.length < 4096);
        require(ring_receive_skip(&channel.receive) != HV_ERROR_EMPTY);
    }
    if (error != 0)
        return;
    require(view.data >= packet + 16 && view.data + view.length <= packet + capacity);
    require(view.length % 8 == 0);
    if (kind == CHANNEL_COMPLETION)
        channel_take_completion(&channel, view.transaction_id);
}

static void guest_appends(struct input *input)
{
    static uint8_t payload[5000];
    const struct ring_piece piece = { payload, take(input, 2) % sizeof payload };
    uint32_t before = channel.transmit.write;
    uint64_t id;
    int error = channel_append_request(&channel, &piece, 1, payload, &id);

    if (error == 0) {
        require(id != 0);
        require(channel.transmit.write != channel.transmit.read);   /* full is not empty */
    } else {
        require(channel.transmit.write == before);
    }
}

static void act(struct input *input)
{
    switch (take(input, 1) % ACTION_COUNT) {
    case HOST_WRITES_WORD:
        host_writes_word(input);
        break;
    case HOST_WRITES_DATA:
        memory[take(input, 2) % sizeof memory] = (uint8_t)take(input, 1);
        break;
    case HOST_SENDS_PACKET:
        host_sends_packet(input);
        break;
    case GUEST_RECEIVES:
        guest_receives(input);
        break;
    case GUEST_RELEASES:
        ring_receive_publish(&channel.receive);
        ring_receive_unmask(&channel.receive);
        break;
    case GUEST_APPENDS:
        guest_appends(input);
        break;
    case GUEST_PUBLISHES:
        channel_flush(&channel);
        break;
    default:
        ring_transmit_room_returned(&channel.transmit);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct request_slot slots[4];
    struct input input = { bytes, size };

    memset(memory, 0, sizeof memory);
    require(channel_init(&channel, memory, PAGES, PAGES, slots, 4) == 0);
    while (input.left != 0) {
        act(&input);
        require(channel.transmit.write < 4096 && channel.transmit.write % 8 == 0);
        require(channel.receive.read < 4096 && channel.receive.read % 8 == 0);
        require(channel.requests.outstanding <= 4);
    }
    return 0;
}
