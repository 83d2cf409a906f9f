/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: the storage controller on a VMBus server. A handshake, then actions: SRBs of every
 * kind, raw packets, any list of pages, disks that come and go, closing and opening. At the end
 * nothing may be in flight.
 */
#include <stdlib.h>
#include <string.h>

#include "host/devices/storvsc.h"
#include "host/disk/disk.h"
#include "host/disk/disk_engine.h"
#include "host/disk/disk_faults.h"
#include "host/disk/disk_memory.h"
#include "protocol/scsi.h"
#include "tests/fuzz/input.h"
#include "tests/unit/host-vmbus/bench.h"
#include "tests/unit/host-vmbus/guest_ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    CHANNEL = 1,
    DISK = 64 << 10,
    BUFFER_PAGE = 400,
    BUFFER_PAGES = 16,
    ACTIONS_MAX = 64,
    IDLE_TURNS = 64,
};

struct rig {
    struct bench *bench;
    struct disk_engine *engine;
    struct storvsc *controller;
    uint64_t now_ns;
    struct fuzz_input *from;
    bool in_the_middle; /* of an input; the machine is the next one's, too */
};

static void take_all(struct rig *rig)
{
    uint8_t packet[256];
    struct guest_ring ring =
        guest_ring_at(bench_page(rig->bench, bench_ring_page(CHANNEL) + 2), 1);
    while (guest_ring_take(&ring, packet, sizeof(packet)) != 0) {
    }
}

static void pump(struct rig *rig)
{
    struct virtual_device *device = storvsc_device(rig->controller);
    struct host_channel *channel = vmbus_server_channel(rig->bench->server, CHANNEL);
    if (channel != NULL) {
        host_channel_run(channel);
    }
    disk_engine_submit(rig->engine);
    disk_engine_run(rig->engine, rig->now_ns);
    device->operations->run(device, rig->now_ns);
}

static bool is_open(struct rig *rig)
{
    struct host_channel *channel = vmbus_server_channel(rig->bench->server, CHANNEL);
    return channel != NULL && strcmp(host_channel_state_name(channel), "open") == 0;
}

/* Writes a packet if the ring has room; the ring's words are this target's own, not hostile. */
static void put(struct rig *rig, const uint8_t *packet, uint32_t length)
{
    struct guest_ring ring = guest_ring_at(bench_page(rig->bench, bench_ring_page(CHANNEL)), 1);
    if (is_open(rig) && guest_ring_used(&ring) + length + 16 < ring.size) {
        guest_ring_put(&ring, packet, length);
    }
}

static void put_packet(struct rig *rig, const struct storvsc_packet *packet, const uint64_t *head,
                       uint32_t head_words, uint16_t type, uint16_t flags)
{
    uint8_t bytes[1024];
    const uint32_t head_size = head_words * 8;
    struct vmbus_packet_header header = {type, (uint16_t)((16 + head_size) / 8),
                                         (uint16_t)((16 + head_size + 64) / 8), flags,
                                         next_byte(rig->from)};
    memcpy(bytes, &header, 16);
    memcpy(bytes + 16, head, head_size);
    memcpy(bytes + 16 + head_size, packet, 64);
    put(rig, bytes, 16 + head_size + 64);
}

static void handshake(struct rig *rig, uint16_t version)
{
    static const uint32_t steps[] = {7, 9, 10, 8};
    for (unsigned i = 0; i < 4; i++) {
        struct storvsc_packet packet = {.operation = steps[i], .flags = 1};
        packet.version.version = version;
        put_packet(rig, &packet, (uint64_t[1]){0}, 0, VMBUS_PACKET_IN_BAND, 1);
        pump(rig);
    }
    take_all(rig);
}

static void srb_action(struct rig *rig)
{
    static const uint8_t codes[] = {0x00, 0x03, 0x08, 0x0a, 0x12, 0x15, 0x1a, 0x1b, 0x25, 0x28,
                                    0x2a, 0x35, 0x41, 0x42, 0x55, 0x5a, 0x88, 0x8a, 0x93, 0x9e,
                                    0xa0, 0xa8, 0xaa, 0x2e};
    struct storvsc_packet packet = {.operation = STORVSC_EXECUTE_SRB, .flags = 1};
    uint64_t head[10] = {0};
    uint8_t how = next_byte(rig->from);
    next_bytes(rig->from, &packet.srb.cdb, 16);
    packet.srb.cdb[0] = how & 1 ? packet.srb.cdb[0] : codes[packet.srb.cdb[0] % sizeof(codes)];
    packet.srb.lun = next_byte(rig->from) % 4;
    packet.srb.data_direction = next_byte(rig->from) % 4;
    packet.srb.data_transfer_length = (uint32_t)next_byte(rig->from) << (next_byte(rig->from) % 12);
    if (how & 2) {
        put_packet(rig, &packet, head, 0, VMBUS_PACKET_IN_BAND, 1);
        return;
    }
    const uint32_t offset = how & 4 ? next_byte(rig->from) * 17u : 0;
    const uint32_t bytes = packet.srb.data_transfer_length + (how & 8 ? next_byte(rig->from) : 0);
    const uint32_t pages = (offset % 4096 + bytes + 4095) / 4096 % 8;
    head[0] = 1ull << 32;
    head[1] = (uint64_t)offset << 32 | bytes;
    for (uint32_t i = 0; i < pages; i++) {
        head[2 + i] = how & 16 ? (uint64_t)next_byte(rig->from) << (next_byte(rig->from) % 56)
                               : BUFFER_PAGE + next_byte(rig->from) % BUFFER_PAGES;
    }
    put_packet(rig, &packet, head, 2 + pages, VMBUS_PACKET_GPA_DIRECT, 1);
}

static void raw_action(struct rig *rig)
{
    uint8_t bytes[256];
    uint32_t words = 2 + next_byte(rig->from) % 30;
    next_bytes(rig->from, bytes, words * 8);
    struct vmbus_packet_header header;
    memcpy(&header, bytes, sizeof(header));
    header.length8 = (uint16_t)words;
    header.data_offset8 = (uint16_t)(header.data_offset8 % (words + 1));
    memcpy(bytes, &header, sizeof(header));
    put(rig, bytes, words * 8);
}

static void disk_action(struct rig *rig)
{
    unsigned lun = next_byte(rig->from) % 4;
    switch (next_byte(rig->from) % 4) {
    case 0:
        storvsc_remove_disk(rig->controller, lun);
        break;
    case 1: {
        struct disk *disk = disk_memory_open(rig->engine, DISK, 512);
        if (disk != NULL && storvsc_add_disk(rig->controller, lun, disk) != 0) {
            disk_close(disk);
        }
        break;
    }
    case 2: {
        const struct disk_fault_settings settings = {
            .error_ppm = next_byte(rig->from) * 1000u, .short_ppm = next_byte(rig->from) * 1000u,
            .delay_ppm = next_byte(rig->from) * 3000u, .delay_max_ns = 1000,
            .lost_ppm = next_byte(rig->from) * 3000u};
        storvsc_set_disk_faults(rig->controller, lun, &settings, 1);
        break;
    }
    default: {
        struct disk *disk = storvsc_disk(rig->controller, lun);
        if (disk != NULL && disk->in_flight == 0) {
            disk_resize(disk, 512u * (1 + next_byte(rig->from)));
            storvsc_disk_resized(rig->controller, lun);
        }
    }
    }
}

static void reopen(struct rig *rig, uint16_t version)
{
    bench_channel_message(rig->bench, VMBUS_MESSAGE_CLOSE_CHANNEL, CHANNEL);
    for (unsigned i = 0; i < IDLE_TURNS && storvsc_in_flight(rig->controller) > 0; i++) {
        rig->now_ns += 10000;
        pump(rig);
    }
    bench_teardown(rig->bench, CHANNEL, 100 + CHANNEL);
    bench_open_channel(rig->bench, CHANNEL);
    handshake(rig, version);
}

static void act(struct rig *rig)
{
    switch (next_byte(rig->from) % 8) {
    case 0:
        raw_action(rig);
        break;
    case 1:
        disk_action(rig);
        break;
    case 2:
        rig->now_ns += next_byte(rig->from) * 10u;
        pump(rig);
        break;
    case 3:
        take_all(rig);
        break;
    case 4: {
        struct storvsc_packet packet = {.operation = next_byte(rig->from) % 16u, .flags = 1};
        packet.version.version = next_byte(rig->from);
        put_packet(rig, &packet, (uint64_t[1]){0}, 0, VMBUS_PACKET_IN_BAND, 1);
        break;
    }
    case 5:
        if (next_byte(rig->from) % 4 == 0) {
            reopen(rig, STORVSC_VERSION_5_1);
        }
        break;
    default:
        srb_action(rig);
        break;
    }
}

/* The machine is made once: each input starts from a reset one with two fresh disks. */
static void start(struct rig *rig)
{
    if (rig->in_the_middle) {
        abort(); /* the input before did not come to its end */
    }
    rig->in_the_middle = true;
    if (rig->bench == NULL) {
        struct storvsc_settings settings;
        storvsc_default_settings(STORVSC_VERSION_6_2, &settings);
        settings.sub_channels_max = 2;
        settings.transfer_bytes_max = 128 << 10;
        rig->bench = bench_create(VMBUS_VERSION_5_3);
        rig->engine = disk_engine_new();
        rig->controller = storvsc_new(&settings);
        struct virtual_device *device = storvsc_device(rig->controller);
        device->operations->plug(device, rig->bench->server);
    }
    storvsc_add_disk(rig->controller, 0, disk_memory_open(rig->engine, DISK, 512));
    storvsc_add_disk(rig->controller, 1, disk_memory_open(rig->engine, DISK, 4096));
    memset(bench_page(rig->bench, BUFFER_PAGE), 0, BUFFER_PAGES * 4096);
    bench_connect(rig->bench, VMBUS_VERSION_5_3);
    bench_open_channel(rig->bench, CHANNEL);
    handshake(rig, STORVSC_VERSION_6_2);
}

static void finish(struct rig *rig)
{
    vmbus_server_reset(rig->bench->server);
    for (unsigned lun = 0; lun < STORVSC_LUNS_MAX; lun++) {
        storvsc_remove_disk(rig->controller, lun);
    }
    for (unsigned i = 0; i < IDLE_TURNS && disk_engine_busy(rig->engine); i++) {
        rig->now_ns += 10000;
        disk_engine_run(rig->engine, rig->now_ns);
    }
    if (storvsc_in_flight(rig->controller) != 0 || disk_engine_busy(rig->engine)) {
        abort(); /* something never ends */
    }
    rig->bench->text[0] = '\0';
    rig->in_the_middle = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rig rig;
    struct fuzz_input input = {data, size};
    rig.from = &input;
    start(&rig);
    for (unsigned i = 0; i < ACTIONS_MAX && input.size > 0; i++) {
        act(&rig);
        if (i % 2 == 0) {
            pump(&rig);
        }
        rig.bench->text[0] = '\0';
    }
    finish(&rig);
    return 0;
}
