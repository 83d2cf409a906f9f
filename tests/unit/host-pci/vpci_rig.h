/* SPDX-License-Identifier: BSD-3-Clause */
/* A PCI bus on the bench of the VMBus server: a machine that writes down, and a guest by hand. */
#ifndef TESTS_HOST_PCI_VPCI_RIG_H
#define TESTS_HOST_PCI_VPCI_RIG_H

#include "tests/unit/host-vmbus/bench.h"
#include "tests/unit/host-vmbus/guest_ring.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/devices/vpci.h"
#include "host/disk/disk_engine.h"

enum { CHANNEL = 1, PACKET_MAX = 4096, RIG_PROCESSORS = 4, RIG_RANGES = 16 };
static const uint64_t window_gpa = 0xf8000000;

struct rig {
    struct bench *bench;
    struct disk_engine *disks;
    struct vpci *bus;
    struct virtual_device *device;
    struct device_machine machine;
    uint64_t now_ns;
    char ranges[1024];      /* what the machine was asked, a line each, since the last look */
    uint64_t asked[RIG_RANGES];
    unsigned asked_count;
    bool hold;              /* the machine does not answer; see rig_answer() */
    int result, status;     /* of requests, and of answers */
    unsigned interrupts;
    uint32_t processor;     /* of the last interrupt */
    uint8_t vector;
    uint64_t next_id;
    bool is_gone;
};

/* A packet of the host's. */
struct received {
    struct vmbus_packet_header header;
    uint8_t bytes[PACKET_MAX];
    size_t size;
};

/* ---- The machine ---- */

static inline int rig_asked(struct rig *rig, uint64_t start)
{
    if (rig->result == 0 && rig->hold) {
        assert_true(rig->asked_count < RIG_RANGES);
        rig->asked[rig->asked_count++] = start;
    } else if (rig->result == 0) {
        rig->device->operations->range_ready(rig->device, start, rig->status);
    }
    return rig->result;
}

static inline void rig_note(struct rig *rig, const char *what, uint64_t start, uint64_t size)
{
    const size_t used = strlen(rig->ranges);
    snprintf(rig->ranges + used, sizeof(rig->ranges) - used, "%s %llx+%llx\n", what,
             (unsigned long long)start, (unsigned long long)size);
}

static inline int rig_map(void *context, struct virtual_device *device, uint64_t gpa, uint64_t size,
                          int descriptor, uint64_t file_offset, uint32_t flags)
{
    rig_note(context, flags & DEVICE_MAP_WRITABLE ? "map" : "map ro", gpa, size);
    return rig_asked(context, gpa);
}

static inline int rig_unmap(void *context, struct virtual_device *device, uint64_t gpa,
                            uint64_t size)
{
    rig_note(context, "unmap", gpa, size);
    return rig_asked(context, gpa);
}

static inline int rig_trap(void *context, struct virtual_device *device, enum device_space space,
                           uint64_t start, uint64_t size, bool on)
{
    rig_note(context, on ? "trap" : "untrap", start, size);
    return rig_asked(context, start);
}

static inline void rig_interrupt(void *context, uint32_t processor, uint8_t vector)
{
    struct rig *rig = context;
    rig->interrupts++;
    rig->processor = processor;
    rig->vector = vector;
}

/* The machine answers all that it has been asked. */
static inline void rig_answer(struct rig *rig, int status)
{
    const unsigned count = rig->asked_count;
    rig->asked_count = 0;
    for (unsigned i = 0; i < count; i++) {
        rig->device->operations->range_ready(rig->device, rig->asked[i], status);
    }
}

#define rig_expect_ranges(rig, expected) rig_expect_ranges_at(rig, expected, __FILE__, __LINE__)
static inline void rig_expect_ranges_at(struct rig *rig, const char *expected, const char *file,
                                        int line)
{
    if (strcmp(rig->ranges, expected) != 0) {
        print_error("the machine was asked:\n%snot:\n%s", rig->ranges, expected);
        _fail(file, line);
    }
    rig->ranges[0] = '\0';
}

/* ---- The guest ---- */

static inline void rig_pump(struct rig *rig)
{
    struct host_channel *channel = vmbus_server_channel(rig->bench->server, CHANNEL);
    if (channel != NULL) {
        host_channel_run(channel);
    }
    rig->device->operations->run(rig->device, rig->now_ns);
}

static inline struct guest_ring rig_ring(struct rig *rig, bool from_host)
{
    return guest_ring_at(bench_page(rig->bench, bench_ring_page(CHANNEL) + (from_host ? 2 : 0)),
                         1);
}

/* Sends a message; returns its transaction id. */
static inline uint64_t rig_put(struct rig *rig, const void *message, size_t size, bool wants_answer)
{
    uint8_t packet[PACKET_MAX] = {0};
    struct guest_ring ring = rig_ring(rig, false);
    const uint32_t length = (uint32_t)(16 + size + 7) & ~7u;
    const struct vmbus_packet_header header = {
        VMBUS_PACKET_IN_BAND, 2, (uint16_t)(length / 8),
        wants_answer ? VMBUS_PACKET_FLAG_COMPLETION_REQUESTED : 0, ++rig->next_id};
    assert_true(length <= sizeof(packet));
    memcpy(packet, &header, sizeof(header));
    memcpy(packet + 16, message, size);
    guest_ring_put(&ring, packet, length);
    rig_pump(rig);
    return rig->next_id;
}

/* The next packet of the host's; false: there is none. */
static inline bool rig_take(struct rig *rig, struct received *packet)
{
    uint8_t bytes[PACKET_MAX];
    struct guest_ring ring = rig_ring(rig, true);
    const uint32_t length = guest_ring_take(&ring, bytes, sizeof(bytes));
    if (length == 0) {
        return false;
    }
    memset(packet, 0, sizeof(*packet));
    memcpy(&packet->header, bytes, sizeof(packet->header));
    packet->size = length - 16;
    memcpy(packet->bytes, bytes + 16, packet->size);
    return true;
}

static inline void rig_expect_nothing(struct rig *rig)
{
    struct received packet;
    assert_false(rig_take(rig, &packet));
}

/* Sends a message and takes the completion, which must be next; returns its first 32 bits. */
static inline uint32_t rig_call(struct rig *rig, const void *message, size_t size,
                                struct received *packet)
{
    const uint64_t id = rig_put(rig, message, size, true);
    uint32_t status;
    assert_true(rig_take(rig, packet));
    assert_int_equal(packet->header.type, VMBUS_PACKET_COMPLETION);
    assert_int_equal(packet->header.transaction_id, id);
    memcpy(&status, packet->bytes, sizeof(status));
    return status;
}

/* The next packet is an event of this type; a copy of it goes to `message`. */
static inline void rig_expect_event(struct rig *rig, uint32_t type, void *message, size_t size)
{
    struct received packet;
    uint32_t found;
    assert_true(rig_take(rig, &packet));
    assert_int_equal(packet.header.type, VMBUS_PACKET_IN_BAND);
    assert_int_equal(packet.header.transaction_id, 0);
    memcpy(&found, packet.bytes, sizeof(found));
    assert_int_equal(found, type);
    assert_true(packet.size >= size);
    if (message != NULL) {
        memcpy(message, packet.bytes, size);
    }
}

static inline uint32_t rig_agree(struct rig *rig, uint32_t version)
{
    const struct vpci_query_version query = {VPCI_QUERY_PROTOCOL_VERSION, version};
    struct received packet;
    return rig_call(rig, &query, sizeof(query), &packet);
}

/* D0 entry up to its answer, which is returned; the relations that come before are dropped. */
static inline uint32_t rig_enter_d0(struct rig *rig)
{
    const struct vpci_d0_entry entry = {VPCI_D0_ENTRY, 0, window_gpa};
    struct received packet;
    uint32_t status;
    rig_put(rig, &entry, sizeof(entry), true);
    do {
        assert_true(rig_take(rig, &packet));
    } while (packet.header.type != VMBUS_PACKET_COMPLETION);
    memcpy(&status, packet.bytes, sizeof(status));
    return status;
}

static inline void rig_write_config(struct rig *rig, unsigned offset, unsigned size, uint32_t value)
{
    rig->device->operations->write(rig->device, DEVICE_SPACE_MEMORY,
                                   window_gpa + VPCI_WINDOW_CONFIG + offset, size, value);
}

static inline uint32_t rig_read_config(struct rig *rig, unsigned offset, unsigned size)
{
    return (uint32_t)rig->device->operations->read(
        rig->device, DEVICE_SPACE_MEMORY, window_gpa + VPCI_WINDOW_CONFIG + offset, size);
}

/* A number that hvctl pci list says of the bus. */
static inline int rig_described(struct rig *rig, const char *member)
{
    struct json_object *to = json_object_new_object(), *value = NULL;
    rig->device->operations->describe(rig->device, to);
    assert_true(json_object_object_get_ex(to, member, &value));
    const int number = json_object_get_int(value);
    json_object_put(to);
    return number;
}

/* ---- Coming and going ---- */

/* The bus of a description, its channel open, no version agreed on. */
static inline struct rig *rig_create(const char *text, uint32_t version_min, uint32_t version_max)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    struct pci_description description;
    char error[512];
    rig->disks = disk_engine_new();
    const struct pci_resources resources = {.disks = rig->disks};
    if (pci_describe(text, &resources, &description, error, sizeof(error)) != 0) {
        fail_msg("%s", error);
    }
    struct vpci_settings settings = {
        .name = "bus",
        .instance = GUID_INIT(1, 0x1234, 0x5678, 9, 9, 9, 9, 9, 9, 9, 9),
        .version_min = version_min,
        .version_max = version_max,
        .first_d0_fails = description.first_d0_fails,
        .functions = description.functions,
        .function_count = description.function_count,
    };
    rig->bench = bench_create(VMBUS_VERSION_5_3);
    rig->bus = vpci_new(&settings);
    assert_non_null(rig->bus);
    rig->device = vpci_device(rig->bus);
    rig->machine = (struct device_machine){.context = rig, .map = rig_map, .unmap = rig_unmap,
                                           .trap = rig_trap, .interrupt = rig_interrupt,
                                           .processors = RIG_PROCESSORS};
    rig->device->operations->attach(rig->device, &rig->machine);
    assert_int_equal(rig->device->operations->plug(rig->device, rig->bench->server), 0);
    bench_connect(rig->bench, VMBUS_VERSION_5_3);
    bench_open_channel(rig->bench, CHANNEL);
    rig_pump(rig);
    return rig;
}

static inline void rig_free(struct rig *rig)
{
    while (disk_engine_busy(rig->disks)) {
        disk_engine_run(rig->disks, 0);
    }
    vmbus_server_reset(rig->bench->server);
    rig->device->operations->free(rig->device);
    bench_free(rig->bench);
    disk_engine_free(rig->disks);
    free(rig);
}

/* The test device, in D0 with this version, all that was said taken and forgotten. */
static inline struct rig *rig_running(const char *text, uint32_t version)
{
    struct rig *rig = rig_create(text, VPCI_VERSION_1_1, VPCI_VERSION_1_4);
    assert_int_equal(rig_agree(rig, version), VPCI_STATUS_SUCCESS);
    assert_int_equal(rig_enter_d0(rig), VPCI_STATUS_SUCCESS);
    rig->ranges[0] = '\0';
    const uint32_t slot = 0;
    rig->device->operations->write(rig->device, DEVICE_SPACE_MEMORY, window_gpa, 4, slot);
    return rig;
}

#endif
