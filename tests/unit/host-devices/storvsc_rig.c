/* SPDX-License-Identifier: BSD-3-Clause */
/* The rig: the loop, the guest's packets. */
#include "tests/unit/host-devices/storvsc_rig.h"

#include <stdlib.h>
#include <string.h>

#include "host/disk/disk_memory.h"

struct guest_ring ring_to_host(struct rig *rig, uint32_t channel)
{
    return guest_ring_at(bench_page(rig->bench, bench_ring_page(channel)), 1);
}

struct guest_ring ring_to_guest(struct rig *rig, uint32_t channel)
{
    return guest_ring_at(bench_page(rig->bench, bench_ring_page(channel) + 2), 1);
}

void pump(struct rig *rig)
{
    struct virtual_device *device = storvsc_device(rig->controller);
    for (unsigned turns = 0; turns < 8; turns++) {
        for (uint32_t id = 1; id < 8; id++) {
            struct host_channel *channel = vmbus_server_channel(rig->bench->server, id);
            if (channel != NULL) {
                host_channel_run(channel);
            }
        }
        disk_engine_submit(rig->engine);
        disk_engine_run(rig->engine, rig->now_ns);
        device->operations->run(device, rig->now_ns);
    }
}

struct rig *rig_create(uint16_t version, struct storvsc_settings *settings)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    struct storvsc_settings usual;
    storvsc_default_settings(version, &usual);
    usual.instance.data1 = 0x1234;
    rig->bench = bench_create(VMBUS_VERSION_5_3);
    rig->engine = disk_engine_new();
    rig->controller = storvsc_new(settings != NULL ? settings : &usual);
    assert_non_null(rig->controller);
    rig->disk = disk_memory_open(rig->engine, DISK, 512);
    assert_int_equal(storvsc_add_disk(rig->controller, 0, rig->disk), 0);
    struct virtual_device *device = storvsc_device(rig->controller);
    assert_int_equal(device->operations->plug(device, rig->bench->server), 0);
    bench_connect(rig->bench, VMBUS_VERSION_5_3);
    bench_open_channel(rig->bench, CHANNEL);
    rig->packet_size = storvsc_packet_size(version);
    return rig;
}

void rig_free(struct rig *rig)
{
    struct virtual_device *device = storvsc_device(rig->controller);
    vmbus_server_reset(rig->bench->server);
    for (unsigned i = 0; i < 100 && disk_engine_busy(rig->engine); i++) {
        rig->now_ns += 1000000000;
        disk_engine_run(rig->engine, rig->now_ns);
    }
    bench_free(rig->bench);
    device->operations->free(device);
    disk_engine_free(rig->engine);
    free(rig);
}

/* ---- The guest's packets ---- */

void put(struct rig *rig, uint32_t channel, uint16_t type, uint16_t flags, uint64_t id,
         const void *head, uint32_t head_size, const void *payload, uint32_t size)
{
    uint8_t bytes[2048];
    struct guest_ring ring = ring_to_host(rig, channel);
    struct vmbus_packet_header header = {type, (uint16_t)((16 + head_size) / 8),
                                         (uint16_t)((16 + head_size + size) / 8), flags, id};
    memcpy(bytes, &header, 16);
    memcpy(bytes + 16, head, head_size);
    memcpy(bytes + 16 + head_size, payload, size);
    guest_ring_put(&ring, bytes, 16 + head_size + size);
}

uint64_t put_packet(struct rig *rig, const struct storvsc_packet *packet)
{
    put(rig, CHANNEL, VMBUS_PACKET_IN_BAND, 1, ++rig->id, "", 0, packet, rig->packet_size);
    return rig->id;
}

bool take(struct rig *rig, uint32_t channel, struct vmbus_packet_header *header,
          struct storvsc_packet *packet)
{
    struct {
        struct vmbus_packet_header header;
        struct storvsc_packet packet;
    } message = {0};
    struct guest_ring ring = ring_to_guest(rig, channel);
    if (guest_ring_take(&ring, &message, sizeof(message)) == 0) {
        return false;
    }
    *header = message.header;
    *packet = message.packet;
    return true;
}

void expect_completion(struct rig *rig, uint64_t id, struct storvsc_packet *packet)
{
    struct vmbus_packet_header header;
    assert_true(take(rig, CHANNEL, &header, packet));
    assert_int_equal(header.type, VMBUS_PACKET_COMPLETION);
    assert_int_equal(header.transaction_id, id);
    assert_int_equal(header.length8 * 8u, 16 + rig->packet_size);
    assert_int_equal(packet->operation, STORVSC_COMPLETE_IO);
}

void control(struct rig *rig, uint32_t operation, uint16_t word)
{
    struct storvsc_packet packet = {.operation = operation, .flags = 1};
    packet.version.version = word;
    uint64_t id = put_packet(rig, &packet);
    pump(rig);
    expect_completion(rig, id, &packet);
    assert_int_equal(packet.status, 0);
}

void handshake(struct rig *rig, uint16_t version)
{
    control(rig, STORVSC_BEGIN_INITIALIZATION, 0);
    control(rig, STORVSC_QUERY_PROTOCOL_VERSION, version);
    control(rig, STORVSC_QUERY_PROPERTIES, 0);
    control(rig, STORVSC_END_INITIALIZATION, 0);
}

uint64_t put_srb_on(struct rig *rig, uint32_t channel, uint8_t lun, const uint8_t *cdb,
                    uint8_t direction, uint64_t gpa, uint32_t size)
{
    struct storvsc_packet packet = {.operation = STORVSC_EXECUTE_SRB, .flags = 1};
    packet.srb.lun = lun;
    packet.srb.cdb_length = 16;
    packet.srb.data_direction = direction;
    packet.srb.data_transfer_length = size;
    memcpy(packet.srb.cdb, cdb, 16);
    if (size == 0) {
        put(rig, channel, VMBUS_PACKET_IN_BAND, 1, ++rig->id, "", 0, &packet, rig->packet_size);
        return rig->id;
    }
    uint64_t head[64] = {1ull << 32, (uint64_t)(gpa % 4096) << 32 | size};
    uint32_t pages = (uint32_t)(gpa % 4096 + size + 4095) / 4096;
    for (uint32_t i = 0; i < pages; i++) {
        head[2 + i] = gpa / 4096 + i;
    }
    put(rig, channel, VMBUS_PACKET_GPA_DIRECT, 1, ++rig->id, head, 16 + 8 * pages, &packet,
        rig->packet_size);
    return rig->id;
}

uint64_t put_srb(struct rig *rig, uint8_t lun, const uint8_t *cdb, uint8_t direction,
                 uint64_t gpa, uint32_t size)
{
    return put_srb_on(rig, CHANNEL, lun, cdb, direction, gpa, size);
}

void rw_cdb(uint8_t cdb[16], bool write, uint32_t lba, uint16_t count)
{
    memset(cdb, 0, 16);
    cdb[0] = write ? SCSI_WRITE_10 : SCSI_READ_10;
    be32_put(cdb + 2, lba);
    be16_put(cdb + 7, count);
}

struct storvsc_packet execute(struct rig *rig, uint8_t lun, const uint8_t *cdb,
                              uint8_t direction, uint64_t gpa, uint32_t size)
{
    struct storvsc_packet packet;
    uint64_t id = put_srb(rig, lun, cdb, direction, gpa, size);
    pump(rig);
    expect_completion(rig, id, &packet);
    return packet;
}

const uint8_t test_unit_ready[16];
