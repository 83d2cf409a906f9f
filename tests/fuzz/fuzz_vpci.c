/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: a PCI bus on a VMBus server with a hostile guest and a machine that answers late, or
 * no. Actions: messages of any content, accesses of all it shows, ejection and removal, closing and
 * opening. Nothing is taken away from the machine that it does not show, nothing overlaps, and a
 * closed bus shows nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/devices/vpci.h"
#include "host/disk/disk_engine.h"
#include "host/vmbus/server.h"
#include "tests/fuzz/input.h"
#include "tests/unit/host-vmbus/bench.h"
#include "tests/unit/host-vmbus/guest_ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CHANNEL = 1, ACTIONS_MAX = 96, RANGES_MAX = 32, LATE_MAX = 4096, PROCESSORS = 4 };
static const uint64_t window = 0xf8000000;

struct range {
    uint64_t start, size; /* size 0: free */
};

struct rig {
    struct bench *bench;
    struct disk_engine *disks;
    struct vpci *bus;
    struct device_machine machine;
    struct range ranges[RANGES_MAX]; /* what the machine shows */
    struct { uint64_t start; int status; } late[LATE_MAX]; /* answers to come */
    unsigned late_count;
    bool is_open;
    struct fuzz_input *from;
};

/* ---- The machine ---- */

static struct range *range_at(struct rig *rig, uint64_t start)
{
    for (unsigned i = 0; i < RANGES_MAX; i++) {
        if (rig->ranges[i].size != 0 && rig->ranges[i].start == start) {
            return &rig->ranges[i];
        }
    }
    return NULL;
}

/* A late answer about this address is to come: others about it may not pass it. */
static bool is_late(const struct rig *rig, uint64_t start)
{
    for (unsigned i = 0; i < rig->late_count; i++) {
        if (rig->late[i].start == start) {
            return true;
        }
    }
    return false;
}

static void answer(struct rig *rig, uint64_t start, int status)
{
    if (rig->late_count == LATE_MAX) {
        abort(); /* more than the actions can ask for */
    }
    if (is_late(rig, start) || next_byte(rig->from) % 2 == 0) {
        rig->late[rig->late_count].start = start;
        rig->late[rig->late_count++].status = status;
        return;
    }
    struct virtual_device *device = vpci_device(rig->bus);
    device->operations->range_ready(device, start, status);
}

static void answer_late(struct rig *rig)
{
    struct virtual_device *device = vpci_device(rig->bus);
    while (rig->late_count > 0) {
        const unsigned first = 0;
        const uint64_t start = rig->late[first].start;
        const int status = rig->late[first].status;
        rig->late_count--;
        memmove(&rig->late[0], &rig->late[1], rig->late_count * sizeof(rig->late[0]));
        device->operations->range_ready(device, start, status);
    }
}

static int show(struct rig *rig, uint64_t start, uint64_t size)
{
    struct range *place = NULL;
    bool is_free = size != 0 && start + size > start;
    for (unsigned i = 0; i < RANGES_MAX; i++) {
        struct range *range = &rig->ranges[i];
        if (range->size == 0) {
            place = range;
        } else if (start < range->start + range->size && range->start < start + size) {
            is_free = false;
        }
    }
    if (place == NULL) {
        return -ENOSPC;
    }
    if (!is_free && next_byte(rig->from) % 2 == 0) {
        return -EEXIST;
    }
    if (is_free) {
        *place = (struct range){start, size};
    }
    answer(rig, start, is_free ? 0 : -EEXIST);
    return 0;
}

static int hide(struct rig *rig, uint64_t start, uint64_t size)
{
    struct range *range = range_at(rig, start);
    if (range == NULL || range->size != size) {
        /* Only what the machine refused late may still be thought to be there. */
        for (unsigned i = 0; i < rig->late_count; i++) {
            if (rig->late[i].start == start && rig->late[i].status != 0) {
                answer(rig, start, -ENOENT);
                return 0;
            }
        }
        abort();
    }
    range->size = 0;
    answer(rig, start, 0);
    return 0;
}

static int map(void *context, struct virtual_device *device, uint64_t start, uint64_t size,
               int descriptor, uint64_t file_offset, uint32_t flags)
{
    if (descriptor < 0) {
        abort();
    }
    return show(context, start, size);
}

static int unmap(void *context, struct virtual_device *device, uint64_t start, uint64_t size)
{
    return hide(context, start, size);
}

static int trap(void *context, struct virtual_device *device, enum device_space space,
                uint64_t start, uint64_t size, bool on)
{
    return on ? show(context, start, size) : hide(context, start, size);
}

static void interrupt(void *context, uint32_t processor, uint8_t vector)
{
    if (processor >= PROCESSORS || vector < 16) {
        abort();
    }
}

/* ---- The guest ---- */

static void pump(struct rig *rig)
{
    struct virtual_device *device = vpci_device(rig->bus);
    struct host_channel *channel = vmbus_server_channel(rig->bench->server, CHANNEL);
    if (channel != NULL) {
        host_channel_run(channel);
    }
    device->operations->run(device, 0);
}

static void take_all(struct rig *rig)
{
    uint8_t packet[4096];
    struct guest_ring ring = guest_ring_at(bench_page(rig->bench, bench_ring_page(CHANNEL) + 2), 1);
    while (guest_ring_take(&ring, packet, sizeof(packet)) != 0) {
    }
}

static void send_message(struct rig *rig)
{
    uint8_t packet[16 + 512] = {0};
    const uint32_t size = next_byte(rig->from) * 2u;
    const uint32_t length = (16 + size + 7) & ~7u;
    const uint32_t type = 0x42490000 | (next_byte(rig->from) & 0x1f);
    struct guest_ring ring = guest_ring_at(bench_page(rig->bench, bench_ring_page(CHANNEL)), 1);
    const struct vmbus_packet_header header = {VMBUS_PACKET_IN_BAND, 2, (uint16_t)(length / 8),
                                               next_byte(rig->from) & 1, 7};
    memcpy(packet, &header, sizeof(header));
    memcpy(packet + 16, &type, sizeof(type));
    /* Most of a message is zero; what is not comes from the input, at places it says. */
    for (unsigned i = next_byte(rig->from) % 16; i > 0; i--) {
        const unsigned at = 4u + next_byte(rig->from);
        packet[16 + at] = next_byte(rig->from);
    }
    if (rig->is_open && guest_ring_used(&ring) + length + 16 < ring.size) {
        guest_ring_put(&ring, packet, length);
    }
}

static void access_space(struct rig *rig)
{
    static const uint32_t sizes[] = {1, 2, 4, 8};
    struct virtual_device *device = vpci_device(rig->bus);
    const struct range *range = &rig->ranges[next_byte(rig->from) % RANGES_MAX];
    const uint32_t size = sizes[next_byte(rig->from) % 4];
    const uint64_t start = range->size != 0 ? range->start : window;
    const uint64_t address = start + (next_word(rig->from) & 0x3fff);
    if (next_byte(rig->from) % 2 == 0) {
        device->operations->read(device, DEVICE_SPACE_MEMORY, address, size);
    } else {
        device->operations->write(device, DEVICE_SPACE_MEMORY, address, size, next_word(rig->from));
    }
}

/* The way that leads further: a BAR, the command register. */
static void write_config(struct rig *rig)
{
    static const unsigned offsets[] = {0x04, 0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x30};
    struct virtual_device *device = vpci_device(rig->bus);
    const unsigned which = next_byte(rig->from) % 8;
    const uint32_t high = (uint32_t)next_byte(rig->from) << 24;
    const uint32_t value = which == 0 ? high >> 24 : high | (uint32_t)next_byte(rig->from) << 12;
    device->operations->write(device, DEVICE_SPACE_MEMORY,
                              window + VPCI_WINDOW_CONFIG + offsets[which], 4, value);
}

static void enter(struct rig *rig)
{
    static const uint32_t messages[2][4] = {
        {VPCI_QUERY_PROTOCOL_VERSION, VPCI_VERSION_1_4}, {VPCI_D0_ENTRY, 0, window, 0}};
    struct guest_ring ring = guest_ring_at(bench_page(rig->bench, bench_ring_page(CHANNEL)), 1);
    for (unsigned i = 0; i < 2 && rig->is_open; i++) {
        uint8_t packet[32];
        const struct vmbus_packet_header header = {VMBUS_PACKET_IN_BAND, 2, 4, 1, 9};
        memcpy(packet, &header, sizeof(header));
        memcpy(packet + 16, messages[i], 16);
        if (guest_ring_used(&ring) + 48 < ring.size) {
            guest_ring_put(&ring, packet, sizeof(packet));
        }
    }
}

static void close_channel(struct rig *rig)
{
    bench_channel_message(rig->bench, VMBUS_MESSAGE_CLOSE_CHANNEL, CHANNEL);
    rig->is_open = false;
    answer_late(rig);
    pump(rig);
    for (unsigned i = 0; i < RANGES_MAX; i++) {
        if (rig->ranges[i].size != 0) {
            abort();
        }
    }
}

static void act(struct rig *rig)
{
    const uint8_t what = next_byte(rig->from);
    switch (what % 16) {
    case 0: take_all(rig); break;
    case 1: vpci_eject(rig->bus, what / 16 % 2, 0); break;
    case 2:
        if (what / 16 % 4 == 3) {
            vpci_restore(rig->bus, what / 64 % 2);
        } else {
            vpci_remove(rig->bus, what / 16 % 2);
        }
        break;
    case 3: vpci_invalidate_blocks(rig->bus, 0, next_word(rig->from)); break;
    case 4: answer_late(rig); break;
    case 5:
        vpci_retarget(rig->bus, 0x12345678, 0xfee00000, what / 16, next_byte(rig->from), 1);
        break;
    case 6: close_channel(rig); break;
    case 7: case 8: enter(rig); break;
    case 9: case 10: write_config(rig); break;
    case 11: case 12: access_space(rig); break;
    default: send_message(rig); break;
    }
}

static void start(struct rig *rig)
{
    static const char text[] = "{\"functions\":[{\"model\":\"test\"},"
                               "{\"slot\":1,\"rom\":{\"size\":\"4K\"},\"msi\":4,\"power\":true}]}";
    struct pci_description description;
    char error[256];
    rig->disks = disk_engine_new();
    const struct pci_resources resources = {.disks = rig->disks};
    if (pci_describe(text, &resources, &description, error, sizeof(error)) != 0) {
        abort();
    }
    const struct vpci_settings settings = {
        .name = "fuzz",
        .instance = GUID_INIT(1, 0x1234, 0x5678, 9, 9, 9, 9, 9, 9, 9, 9),
        .version_min = VPCI_VERSION_1_1,
        .version_max = VPCI_VERSION_1_4,
        .functions = description.functions,
        .function_count = description.function_count,
    };
    rig->bus = vpci_new(&settings);
    rig->bench = bench_create(VMBUS_VERSION_5_3);
    rig->machine = (struct device_machine){.context = rig, .map = map, .unmap = unmap,
                                           .trap = trap, .interrupt = interrupt,
                                           .processors = PROCESSORS};
    struct virtual_device *device = vpci_device(rig->bus);
    device->operations->attach(device, &rig->machine);
    device->operations->plug(device, rig->bench->server);
    bench_connect(rig->bench, VMBUS_VERSION_5_3);
    bench_open_channel(rig->bench, CHANNEL);
    rig->is_open = true;
}

static void finish(struct rig *rig)
{
    struct virtual_device *device = vpci_device(rig->bus);
    close_channel(rig);
    vmbus_server_reset(rig->bench->server);
    device->operations->free(device);
    bench_free(rig->bench);
    disk_engine_free(rig->disks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct rig rig = {.from = &input};
    start(&rig);
    for (unsigned i = 0; i < ACTIONS_MAX && input.size > 0; i++) {
        act(&rig);
        pump(&rig);
        rig.bench->text[0] = '\0';
    }
    finish(&rig);
    return 0;
}
