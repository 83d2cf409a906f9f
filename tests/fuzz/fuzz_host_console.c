/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: keyboard, mouse and video device on a VMBus server, each with a hostile guest.
 * Actions: packets of any content to any of them, input of all kinds, closing and opening. No key
 * and no button may stay down for the guest once all were released, and a mode that counts lies
 * inside the VRAM.
 */
#include <stdlib.h>
#include <string.h>

#include "host/devices/keyboard.h"
#include "host/devices/mouse.h"
#include "host/devices/video.h"
#include "host/vmbus/server.h"
#include "tests/fuzz/input.h"
#include "tests/unit/host-vmbus/bench.h"
#include "tests/unit/host-vmbus/guest_ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DEVICES = 3, ACTIONS_MAX = 64, VRAM = 1 << 20 };

struct rig {
    struct bench *bench;
    struct virtual_device *devices[DEVICES]; /* on channels 1, 2, 3 */
    struct device_machine machine;
    struct fuzz_input *from;
    uint64_t sum; /* of pixels, so that they are read */
};

static int map(void *context, struct virtual_device *device, uint64_t start, uint64_t size,
               int descriptor, uint64_t file_offset, uint32_t flags)
{
    struct rig *rig = context;
    uint8_t how = next_byte(rig->from) % 4;
    if (how < 2) {
        device->operations->range_ready(device, start, how == 0 ? 0 : -1);
    }
    return how == 2 ? -1 : 0;
}

static int unmap(void *context, struct virtual_device *device, uint64_t start, uint64_t size)
{
    return 0;
}

static void pump(struct rig *rig)
{
    for (unsigned i = 0; i < DEVICES; i++) {
        struct host_channel *channel = vmbus_server_channel(rig->bench->server, i + 1);
        if (channel != NULL) {
            host_channel_run(channel);
        }
        rig->devices[i]->operations->run(rig->devices[i], 0);
    }
}

static void take_all(struct rig *rig, unsigned channel)
{
    uint8_t packet[1024];
    struct guest_ring ring = guest_ring_at(bench_page(rig->bench, bench_ring_page(channel) + 2), 1);
    while (guest_ring_take(&ring, packet, sizeof(packet)) != 0) {
    }
}

static void send_message(struct rig *rig, unsigned channel)
{
    uint8_t packet[16 + 8 + 256] = {0};
    const bool has_pipe = channel != 1;
    const uint32_t size = next_byte(rig->from) % 64, head = has_pipe ? 24 : 16;
    const uint32_t length = (head + size + 7) & ~7u;
    struct guest_ring ring = guest_ring_at(bench_page(rig->bench, bench_ring_page(channel)), 1);
    const struct vmbus_packet_header header = {VMBUS_PACKET_IN_BAND, 2, (uint16_t)(length / 8),
                                               next_byte(rig->from) & 1, 7};
    const uint32_t pipe[2] = {VMBUS_PIPE_DATA, size};
    memcpy(packet, &header, sizeof(header));
    memcpy(packet + 16, pipe, has_pipe ? sizeof(pipe) : 0);
    for (uint32_t i = 0; i < size; i++) {
        packet[head + i] = next_byte(rig->from);
    }
    if (guest_ring_used(&ring) + length + 16 < ring.size) {
        guest_ring_put(&ring, packet, length);
    }
}

static void look(struct rig *rig)
{
    struct video_screen screen;
    if (!video_screen(rig->devices[2], &screen)) {
        return;
    }
    const uint64_t bytes = (uint64_t)screen.pitch * (screen.height - 1) +
                           (uint64_t)screen.width * (screen.depth / 8);
    if (bytes > VRAM) {
        abort();
    }
    rig->sum += screen.pixels[0] + (uint64_t)screen.pixels[bytes - 1];
}

static void input(struct rig *rig)
{
    const uint8_t what = next_byte(rig->from);
    const struct keyboard_key key = {next_byte(rig->from), (uint32_t)(what >> 4) & 12};
    char text[4] = {0};
    next_bytes(rig->from, text, sizeof(text) - 1);
    switch (what % 5) {
    case 0: keyboard_press(rig->devices[0], key, what & 8); break;
    case 1: keyboard_type(rig->devices[0], text); break;
    case 2: mouse_button(rig->devices[1], key.code % 6, what & 8); break;
    case 3: mouse_move(rig->devices[1], key.code * 200u, what * 200u); break;
    default: mouse_wheel(rig->devices[1], key.code - 128); break;
    }
}

static void reopen(struct rig *rig, unsigned channel)
{
    bench_channel_message(rig->bench, VMBUS_MESSAGE_CLOSE_CHANNEL, channel);
    bench_teardown(rig->bench, channel, 100 + channel);
    bench_open_channel(rig->bench, channel);
}

static void act(struct rig *rig)
{
    const uint8_t what = next_byte(rig->from);
    const unsigned channel = 1 + what / 8 % DEVICES;
    switch (what % 8) {
    case 0: take_all(rig, channel); break;
    case 1: input(rig); break;
    case 2: look(rig); break;
    case 3: video_want_changes(rig->devices[2], what & 64); break;
    case 4: reopen(rig, channel); break;
    default: send_message(rig, channel); break;
    }
}

static void start(struct rig *rig)
{
    if (rig->bench == NULL) {
        struct video_settings settings;
        video_default_settings(SYNTHVID_VERSION_3_5, &settings);
        settings.vram_megabytes = 1;
        rig->bench = bench_create(VMBUS_VERSION_5_3);
        rig->machine = (struct device_machine){rig, map, unmap, NULL};
        rig->devices[0] = keyboard_new();
        rig->devices[1] = mouse_new(NULL);
        rig->devices[2] = video_new(&settings);
        for (unsigned i = 0; i < DEVICES; i++) {
            rig->devices[i]->operations->plug(rig->devices[i], rig->bench->server);
        }
    }
    rig->devices[2]->operations->attach(rig->devices[2], &rig->machine);
    bench_connect(rig->bench, VMBUS_VERSION_5_3);
    for (unsigned channel = 1; channel <= DEVICES; channel++) {
        bench_open_channel(rig->bench, channel);
    }
}

static void finish(struct rig *rig)
{
    struct keyboard_report keyboard;
    struct mouse_report_state mouse;
    keyboard_release_all(rig->devices[0]);
    mouse_release_all(rig->devices[1]);
    keyboard_report(rig->devices[0], &keyboard);
    mouse_report_state(rig->devices[1], &mouse);
    if (keyboard.held != 0 || (mouse.ready && mouse.last.buttons != 0)) {
        abort();
    }
    vmbus_server_reset(rig->bench->server);
    rig->bench->text[0] = '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rig rig;
    struct fuzz_input input = {data, size};
    rig.from = &input;
    start(&rig);
    for (unsigned i = 0; i < ACTIONS_MAX && input.size > 0; i++) {
        act(&rig);
        pump(&rig);
        rig.bench->text[0] = '\0';
    }
    finish(&rig);
    return 0;
}
