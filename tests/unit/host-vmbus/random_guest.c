/* SPDX-License-Identifier: BSD-3-Clause */
/* Random actions on a VMBus server. */
#include "tests/unit/host-vmbus/random_guest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/vmbus/device.h"
#include "host/vmbus/server.h"
#include "tests/unit/host-vmbus/guest_ring.h"

enum { PAGES = 96, DEVICES = 4, CHANNELS = 8, GPADLS = 12 };

struct random_guest;

struct random_device {
    struct random_guest *guest;
    struct host_channel *primary;
    bool plugged, unplugging;
    struct host_channel *closing[CHANNELS]; /* reported closed, not released yet */
    unsigned closing_count;
    struct host_gpadl *torn[GPADLS];
    unsigned torn_count;
};

struct random_guest {
    const uint8_t *bytes;
    size_t left;
    uint8_t ram[PAGES * HV_PAGE_SIZE] __attribute__((aligned(4096)));
    struct guest_memory memory;
    struct vmbus_server *server;
    struct random_device devices[DEVICES];
    bool woken[VMBUS_CHANNEL_MAXIMUM + 1];
    unsigned room;
    struct random_guest_result result;
};

static uint8_t take_byte(struct random_guest *guest)
{
    if (guest->left == 0) {
        return 0;
    }
    guest->left--;
    return *guest->bytes++;
}

static uint32_t take_word(struct random_guest *guest)
{
    uint32_t word = take_byte(guest);
    word |= (uint32_t)take_byte(guest) << 8;
    word |= (uint32_t)take_byte(guest) << 16;
    return word | (uint32_t)take_byte(guest) << 24;
}

/* ---- The device's side ---- */

static int opened(void *pointer, struct host_channel *channel,
                  const struct vmbus_open_request *request)
{
    struct random_device *device = pointer;
    bool refuse = take_byte(device->guest) % 8 == 7;
    device->guest->result.opens += !refuse;
    return refuse ? -EIO : 0;
}

/* Lets go of a channel and of what it had. */
static void release_channel(struct random_device *device, unsigned index)
{
    struct host_channel *channel = device->closing[index];
    device->closing[index] = device->closing[--device->closing_count];
    host_channel_released(channel);
}

static void closed(void *pointer, struct host_channel *channel)
{
    struct random_device *device = pointer;
    device->guest->result.closes++;
    device->torn_count = 0; /* released with the channel, whichever it is */
    if (device->closing_count < CHANNELS) {
        device->closing[device->closing_count++] = channel;
        if (take_byte(device->guest) % 2 == 0) {
            release_channel(device, device->closing_count - 1);
        }
    } else {
        host_channel_released(channel);
    }
}

static void ready(void *pointer, struct host_channel *channel)
{
    struct random_device *device = pointer;
    struct host_packet packet;
    for (unsigned i = 0; i < 64 && host_channel_receive(channel, &packet) == 1; i++) {
        struct iovec vector[16] = {{(void *)(uintptr_t)packet.payload, packet.payload_size}};
        size_t size;
        device->guest->result.packets++;
        int mapped = host_packet_map(channel, &packet, HOST_ALL_RANGES, vector + 1, 15, &size);
        for (int j = 1; j <= mapped; j++) {
            memset(vector[j].iov_base, 0x5A, vector[j].iov_len);
        }
        host_channel_complete(channel, packet.transaction_id, vector, 1);
    }
}

static int gpadl_created(void *pointer, struct host_channel *channel, struct host_gpadl *gpadl)
{
    struct random_device *device = pointer;
    uint8_t byte = 0x11;
    device->guest->result.gpadls++;
    host_gpadl_write(gpadl, host_gpadl_size(gpadl) - 1, &byte, 1);
    return take_byte(device->guest) % 8 == 7 ? -ENOSPC : 0;
}

static void gpadl_torn_down(void *pointer, struct host_channel *channel, struct host_gpadl *gpadl)
{
    struct random_device *device = pointer;
    if (device->torn_count < GPADLS && take_byte(device->guest) % 2 == 0) {
        device->torn[device->torn_count++] = gpadl;
    } else {
        host_gpadl_released(gpadl);
    }
}

static void removed(void *pointer)
{
    struct random_device *device = pointer;
    device->plugged = false;
    device->unplugging = false;
    device->closing_count = 0;
    device->torn_count = 0;
}

static const struct vmbus_device_operations device_operations = {
    .name = "random",
    .opened = opened,
    .closed = closed,
    .ready = ready,
    .gpadl_created = gpadl_created,
    .gpadl_torn_down = gpadl_torn_down,
    .removed = removed,
};

static void plug(struct random_guest *guest, unsigned index)
{
    struct random_device *device = &guest->devices[index];
    struct vmbus_device_offer offer = {
        .class_id = VMBUS_CLASS_SCSI,
        .instance_id = {.data1 = index},
        .flags = index == 1 ? VMBUS_OFFER_PIPE : 0,
        .sub_channels_max = 2,
        .monitored = index == 2,
    };
    if (!device->plugged && host_device_plug(guest->server, &offer, &device_operations, device,
                                             &device->primary) == 0) {
        device->plugged = true;
    }
}

/* ---- The server's requests ---- */

static int send_message(void *context, uint32_t processor, uint32_t sint, const void *message,
                        size_t size)
{
    struct random_guest *guest = context;
    if (guest->room == 0) {
        return -EAGAIN;
    }
    guest->room--;
    return 0;
}

static uint32_t signal_guest(void *context, uint32_t processor, uint32_t sint, uint16_t flag)
{
    return HV_STATUS_SUCCESS;
}

static void wake_device(void *context, struct host_channel *channel)
{
    struct random_guest *guest = context;
    guest->woken[host_channel_id(channel)] = true;
}

static const struct vmbus_server_operations server_operations = {
    .send_message = send_message,
    .signal_guest = signal_guest,
    .wake_device = wake_device,
};

/* ---- Actions ---- */

static void contact(struct random_guest *guest)
{
    static const uint32_t versions[] = {
        VMBUS_VERSION_0_13, VMBUS_VERSION_1_1, VMBUS_VERSION_2_4, VMBUS_VERSION_3_0,
        VMBUS_VERSION_4_1,  VMBUS_VERSION_5_2, VMBUS_VERSION_5_3, VMBUS_VERSION_6_0,
    };
    uint8_t choice = take_byte(guest);
    struct vmbus_message_initiate_contact_client message = {
        .base = {.header.type = VMBUS_MESSAGE_INITIATE_CONTACT, .version = versions[choice % 8]}};
    if (message.base.version < VMBUS_VERSION_5_0) {
        message.base.interrupt_page = HV_PAGE_SIZE;
    } else if (message.base.version >= VMBUS_VERSION_6_0) {
        message.base.feature_flags = take_byte(guest);
    }
    if ((choice & 0x80) != 0) {
        message.base.monitor_page_host_to_guest = 2 * HV_PAGE_SIZE;
        message.base.monitor_page_guest_to_host = 3 * HV_PAGE_SIZE;
    }
    vmbus_server_post_message(guest->server, VMBUS_CONNECTION_MESSAGE, &message, sizeof(message));
    const struct vmbus_message_header request = {.type = VMBUS_MESSAGE_REQUEST_OFFERS};
    if ((choice & 0x40) == 0) {
        vmbus_server_post_message(guest->server, VMBUS_CONNECTION_MESSAGE, &request,
                                  sizeof(request));
    }
}

static void post_gpadl(struct random_guest *guest)
{
    uint8_t message[20 + 8 * 6];
    uint8_t shape = take_byte(guest);
    const struct vmbus_message_gpadl_header header = {
        .header.type = VMBUS_MESSAGE_GPADL_HEADER,
        .channel_id = take_byte(guest) % CHANNELS,
        .gpadl_id = take_byte(guest) % GPADLS,
        .range_buffer_length = (shape & 0x80) != 0 ? 8 * 9 : 8 * 5,
        .range_count = 1,
    };
    uint64_t first = 4 + shape % 8 * 4;
    const uint64_t range[] = {4 * HV_PAGE_SIZE, first, first + 1, first + 2, first + 3, first};
    memcpy(message, &header, sizeof(header));
    memcpy(message + sizeof(header), range, sizeof(range));
    vmbus_server_post_message(guest->server, VMBUS_CONNECTION_MESSAGE, message, sizeof(message));
}

static void post_open(struct random_guest *guest)
{
    const struct vmbus_message_open_channel_6_0 message = {
        .base = {
            .header.type = VMBUS_MESSAGE_OPEN_CHANNEL,
            .channel_id = take_byte(guest) % CHANNELS,
            .ring_gpadl_id = take_byte(guest) % GPADLS,
            .downstream_page_offset = 2,
            .target_vp = take_byte(guest) % 3,
        },
        .connection_id = 0x100 + take_byte(guest) % 4,
        .event_flag = 7,
    };
    vmbus_server_post_message(guest->server, VMBUS_CONNECTION_MESSAGE, &message, sizeof(message));
}

/* A channel opened as a good guest does it, on a ring of its own. */
static void open_well(struct random_guest *guest)
{
    uint32_t channel = 1 + take_byte(guest) % (DEVICES + 1);
    uint64_t page = 40 + channel * 4;
    const uint32_t gpadl = 100 + channel;
    const uint32_t header[] = {
        VMBUS_MESSAGE_GPADL_HEADER, 0, channel, gpadl, 40 | 1 << 16, 4 * HV_PAGE_SIZE, 0,
        (uint32_t)page, 0, (uint32_t)page + 1, 0, (uint32_t)page + 2, 0, (uint32_t)page + 3, 0};
    const struct vmbus_message_open_channel_6_0 open = {
        .base = {.header.type = VMBUS_MESSAGE_OPEN_CHANNEL, .channel_id = channel,
                 .ring_gpadl_id = gpadl, .downstream_page_offset = 2},
        .connection_id = 0x200 + channel,
        .event_flag = (uint16_t)channel,
    };
    const uint32_t teardown[] = {VMBUS_MESSAGE_GPADL_TEARDOWN, 0, channel, gpadl};
    struct host_channel *known = vmbus_server_channel(guest->server, channel);
    if (known != NULL && host_channel_state_name(known)[0] == 'o') {
        memset(guest->ram + page * HV_PAGE_SIZE, 0, 4 * HV_PAGE_SIZE);
    }
    vmbus_server_post_message(guest->server, VMBUS_CONNECTION_MESSAGE, teardown, sizeof(teardown));
    vmbus_server_post_message(guest->server, VMBUS_CONNECTION_MESSAGE, header, sizeof(header));
    vmbus_server_post_message(guest->server, VMBUS_CONNECTION_MESSAGE, &open, sizeof(open));
}

/* A message of any type whose words are small numbers; now and then wild. */
static void post_small(struct random_guest *guest)
{
    uint32_t words[60];
    words[0] = take_byte(guest) % 32;
    unsigned count = 1 + take_byte(guest) % 59;
    for (unsigned i = 1; i <= count; i++) {
        uint8_t byte = take_byte(guest);
        words[i] = byte < 240 ? byte % GPADLS : take_word(guest);
    }
    if (words[0] == VMBUS_MESSAGE_INITIATE_CONTACT) {
        return; /* has its own action: most of these would only disconnect */
    }
    vmbus_server_post_message(guest->server, VMBUS_CONNECTION_MESSAGE, words, 4 * (count + 1));
}

static void scribble(struct random_guest *guest)
{
    /* The control pages of rings: 4 words each. */
    size_t page = 4 + take_byte(guest) % 40 * 2;
    size_t offset = page * HV_PAGE_SIZE + take_byte(guest) % 4 * 4;
    uint32_t value = take_byte(guest) * 8u;
    memcpy(guest->ram + offset, &value, sizeof(value));
}

static void write_packet(struct random_guest *guest)
{
    /* At the start of a data page, where the first packet of a ring is looked for. */
    size_t offset = (5 + take_byte(guest) % 40 * 2) * HV_PAGE_SIZE;
    for (unsigned i = 0; i < 64; i++) {
        guest->ram[offset + i] = take_byte(guest);
    }
}

static void run_channels(struct random_guest *guest)
{
    for (uint32_t id = 1; id < CHANNELS * 2; id++) {
        struct host_channel *channel = vmbus_server_channel(guest->server, id);
        if (guest->woken[id] && channel != NULL) {
            guest->woken[id] = false;
            host_channel_run(channel);
        }
    }
}

/* Packets on the ring that open_well() makes, mostly good ones. */
static void send_packets(struct random_guest *guest)
{
    static const uint16_t types[] = {6, 6, 9, 11, 7, 6, 9, 0};
    uint32_t channel = 1 + take_byte(guest) % (DEVICES + 1);
    struct guest_ring ring = guest_ring_at(guest->ram + (40 + channel * 4) * HV_PAGE_SIZE, 1);
    uint64_t words[8] = {0, channel};
    const struct vmbus_packet_header header = {types[take_byte(guest) % 8], 6, 8,
                                               take_byte(guest) % 2, channel};
    const uint32_t ranges[] = {0, 1, 1 + take_byte(guest) * 8u, 4000};
    memcpy(words, &header, sizeof(header));
    memcpy(words + 2, ranges, sizeof(ranges));
    words[4] = 80;
    words[5] = take_byte(guest);
    unsigned burst = 1 + take_byte(guest) % 8;
    for (unsigned i = 0; i < burst; i++) {
        uint32_t index = ring.control->write_index;
        if (index < ring.size && index % 8 == 0) {
            guest_ring_put(&ring, words, sizeof(words));
        }
    }
    vmbus_server_signal_event(guest->server, 0x2000 + channel, 0);
    vmbus_server_signal_event(guest->server, 0x200 + channel, 0);
    run_channels(guest);
}

static void device_action(struct random_guest *guest)
{
    uint8_t choice = take_byte(guest);
    struct random_device *device = &guest->devices[choice % DEVICES];
    switch (choice / DEVICES % 5) {
    case 0:
        plug(guest, choice % DEVICES);
        break;
    case 1:
        if (device->plugged && !device->unplugging && take_byte(guest) % 4 == 0) {
            device->unplugging = true;
            guest->result.rescinds++;
            host_device_unplug(device->primary);
        }
        break;
    case 2:
        if (device->closing_count > 0) {
            release_channel(device, 0);
        }
        break;
    case 3:
        if (device->torn_count > 0) {
            host_gpadl_released(device->torn[--device->torn_count]);
        }
        break;
    case 4:
        if (device->plugged && !device->unplugging) {
            host_channel_add_sub_channels(device->primary, 1);
        }
        break;
    }
}

static void act(struct random_guest *guest)
{
    uint8_t action = take_byte(guest) % 16;
    guest->result.actions++;
    switch (action) {
    case 0: contact(guest); break;
    case 1: case 2: post_gpadl(guest); break;
    case 3: post_open(guest); break;
    case 4: open_well(guest); break;
    case 5: case 6: case 7: post_small(guest); break;
    case 8: case 9: device_action(guest); break;
    case 11: scribble(guest); break;
    case 12: write_packet(guest); break;
    case 10: send_packets(guest); break;
    case 13: run_channels(guest); break;
    case 14:
        vmbus_server_signal_event(guest->server, 0x2000 + take_byte(guest) % CHANNELS, 0);
        vmbus_server_signal_event(guest->server, VMBUS_CONNECTION_EVENT, 0);
        vmbus_server_poll_monitors(guest->server);
        break;
    case 15:
        guest->room = take_byte(guest);
        vmbus_server_port_ready(guest->server);
        if (take_byte(guest) == 0) {
            vmbus_server_reset(guest->server);
        }
        break;
    }
}

struct random_guest_result random_guest_run(const uint8_t *bytes, size_t size)
{
    struct random_guest *guest = aligned_alloc(4096, (sizeof(*guest) + 4095) / 4096 * 4096);
    memset(guest, 0, sizeof(*guest));
    guest->bytes = bytes;
    guest->left = size;
    guest->room = 100;
    guest_memory_initialise(&guest->memory);
    guest_memory_add(&guest->memory, 0, sizeof(guest->ram), guest->ram);
    const struct vmbus_server_configuration configuration = {
        .memory = &guest->memory,
        .processors = 2,
        .highest_version = VMBUS_VERSION_6_0,
        .feature_flags = VMBUS_SERVER_FEATURES,
    };
    guest->server = vmbus_server_create(&configuration, &server_operations, guest);
    for (unsigned i = 0; i < DEVICES; i++) {
        guest->devices[i].guest = guest;
        plug(guest, i);
    }
    contact(guest); /* always negotiated first, or most runs would not come far */
    while (guest->left > 0 && guest->result.broken == NULL) {
        act(guest);
        guest->result.broken = vmbus_server_check(guest->server);
    }
    struct random_guest_result result = guest->result;
    vmbus_server_free(guest->server);
    free(guest);
    return result;
}
