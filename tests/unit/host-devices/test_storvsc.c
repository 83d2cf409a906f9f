/* SPDX-License-Identifier: BSD-3-Clause */
/* The storage controller on a real VMBus server, with memory disks behind it. */
#include "tests/unit/host-devices/storvsc_rig.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "host/devices/virtual_device.h"
#include "host/disk/disk_faults.h"
#include "host/disk/disk_memory.h"

static void data_moves_between_guest_and_disk_in_every_version(void **state)
{
    static const uint16_t versions[] = {STORVSC_VERSION_2_0, STORVSC_VERSION_4_2,
                                        STORVSC_VERSION_5_1, STORVSC_VERSION_6_0,
                                        STORVSC_VERSION_6_2};
    for (unsigned i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        struct rig *rig = rig_create(versions[i], NULL);
        uint8_t *buffer = bench_page(rig->bench, BUFFER_PAGE);
        uint8_t cdb[16];
        handshake(rig, versions[i]);
        for (unsigned b = 0; b < 5000; b++) {
            buffer[100 + b] = (uint8_t)(b * 13);
        }
        rw_cdb(cdb, true, 10, 9); /* a buffer that starts and ends within pages */
        struct storvsc_packet packet =
            execute(rig, 0, cdb, STORVSC_DATA_OUT, BUFFER + 100, 9 * 512);
        assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
        assert_int_equal(packet.srb.data_transfer_length, 9 * 512);
        assert_memory_equal(disk_memory_bytes(rig->disk) + 5120, buffer + 100, 9 * 512);
        rw_cdb(cdb, false, 10, 9);
        packet = execute(rig, 0, cdb, STORVSC_DATA_IN, BUFFER + 40960, 9 * 512);
        assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
        assert_memory_equal(buffer + 40960, buffer + 100, 9 * 512);
        assert_int_equal(rig->bench->violations, 0);
        rig_free(rig);
    }
}

static void data_goes_straight_to_scattered_pages(void **state)
{
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
    struct storvsc_packet packet = {.operation = STORVSC_EXECUTE_SRB, .flags = 1};
    uint64_t head[5] = {1ull << 32, 3 * 4096, BUFFER_PAGE + 9, BUFFER_PAGE, BUFFER_PAGE + 4};
    handshake(rig, STORVSC_VERSION_6_2);
    for (unsigned i = 0; i < 3 * 4096; i++) {
        disk_memory_bytes(rig->disk)[i] = (uint8_t)(i / 4096 + 1);
    }
    packet.srb.data_direction = STORVSC_DATA_IN;
    packet.srb.data_transfer_length = 3 * 4096;
    rw_cdb(packet.srb.cdb, false, 0, 24);
    put(rig, CHANNEL, VMBUS_PACKET_GPA_DIRECT, 1, 77, head, sizeof(head), &packet, 64);
    pump(rig);
    expect_completion(rig, 77, &packet);
    assert_int_equal(bench_page(rig->bench, BUFFER_PAGE + 9)[4095], 1);
    assert_int_equal(bench_page(rig->bench, BUFFER_PAGE)[0], 2);
    assert_int_equal(bench_page(rig->bench, BUFFER_PAGE + 4)[1], 3);
    assert_int_equal(bench_page(rig->bench, BUFFER_PAGE + 1)[0], 0);
    rig_free(rig);
}

static uint64_t described(struct rig *rig, const char *name)
{
    struct virtual_device *device = storvsc_device(rig->controller);
    struct json_object *object = json_object_new_object();
    struct json_object *value;
    device->operations->describe(device, object);
    assert_true(json_object_object_get_ex(object, name, &value));
    uint64_t number = json_object_get_uint64(value);
    json_object_put(object);
    return number;
}

/* Data are copied by the disk, once; the rings carry what is said about them. */
static void copies_are_counted(void **state)
{
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
    uint8_t cdb[16];
    handshake(rig, STORVSC_VERSION_6_2);
    const uint64_t before = described(rig, "message_bytes");
    rw_cdb(cdb, false, 0, 16);
    execute(rig, 0, cdb, STORVSC_DATA_IN, BUFFER, 8192);
    const uint64_t request = 24 + 8 + 2 * 8 + rig->packet_size; /* head, range, pages */
    const uint64_t completion = 16 + rig->packet_size;
    assert_int_equal(described(rig, "message_bytes") - before, request + completion);
    assert_int_equal(rig->disk->counters.bytes_copied, 8192);
    execute(rig, 0, test_unit_ready, 0, 0, 0);
    assert_int_equal(described(rig, "message_bytes") - before, request + 3 * completion);
    assert_int_equal(rig->disk->counters.bytes_copied, 8192);
    rig_free(rig);
}

static void errors_carry_sense_and_the_next_request_works(void **state)
{
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
    uint8_t cdb[16];
    handshake(rig, STORVSC_VERSION_6_2);
    rw_cdb(cdb, false, DISK / 512, 1);
    struct storvsc_packet packet = execute(rig, 0, cdb, STORVSC_DATA_IN, BUFFER, 512);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_INVALID_REQUEST | 0x80);
    assert_int_equal(packet.srb.scsi_status, SCSI_STATUS_CHECK_CONDITION);
    assert_int_equal(packet.srb.sense[2], SCSI_SENSE_ILLEGAL_REQUEST);
    assert_int_equal(packet.srb.sense[12], 0x21);
    assert_int_equal(packet.srb.data_transfer_length, 0);
    packet = execute(rig, 0, test_unit_ready, STORVSC_DATA_NONE, 0, 0);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
    rig_free(rig);
}

static void absent_luns_and_report_luns(void **state)
{
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
    const uint8_t report[16] = {SCSI_REPORT_LUNS, [8] = 1};
    const uint8_t inquiry[16] = {SCSI_INQUIRY, [4] = 36};
    uint8_t *buffer = bench_page(rig->bench, BUFFER_PAGE);
    handshake(rig, STORVSC_VERSION_6_2);
    assert_int_equal(storvsc_add_disk(rig->controller, 9,
                                      disk_memory_open(rig->engine, 4096, 512)), 0);
    struct storvsc_packet packet = execute(rig, 5, test_unit_ready, STORVSC_DATA_NONE, 0, 0);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_INVALID_LUN);
    assert_int_equal(packet.status, STORVSC_STATUS_DEVICE_DOES_NOT_EXIST);
    struct vmbus_packet_header header;
    assert_true(take(rig, CHANNEL, &header, &packet)); /* the event for LUN 9 */
    assert_int_equal(packet.operation, STORVSC_ENUMERATE_BUS);
    packet = execute(rig, 63, inquiry, STORVSC_DATA_IN, BUFFER, 36);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
    assert_int_equal(buffer[0], 0x7f);
    packet = execute(rig, 200, inquiry, STORVSC_DATA_IN, BUFFER, 36);
    assert_int_equal(buffer[0], 0x7f);
    packet = execute(rig, 63, report, STORVSC_DATA_IN, BUFFER, 256);
    assert_int_equal(packet.srb.data_transfer_length, 24);
    assert_int_equal(be32_get(buffer), 16);
    assert_int_equal(be16_get(buffer + 8), 0);
    assert_int_equal(be16_get(buffer + 16), 9);
    packet = execute(rig, 0, report, STORVSC_DATA_IN, BUFFER, 7);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
    assert_int_equal(packet.srb.data_transfer_length, 0);
    rig_free(rig);
}

static void write_same_unmap_and_mode_select_reach_the_disk(void **state)
{
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
    uint8_t *buffer = bench_page(rig->bench, BUFFER_PAGE);
    const uint8_t same[16] = {SCSI_WRITE_SAME_10, [5] = 2, [7] = 1, [8] = 0}; /* 256 blocks */
    const uint8_t unmap[16] = {SCSI_UNMAP, [8] = 24};
    const uint8_t select[16] = {SCSI_MODE_SELECT_6, 0x10, [4] = 16};
    handshake(rig, STORVSC_VERSION_6_2);
    memset(buffer, 0x5a, 512);
    struct storvsc_packet packet = execute(rig, 0, same, STORVSC_DATA_OUT, BUFFER, 512);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
    for (unsigned i = 0; i < 256 * 512; i++) {
        assert_int_equal(disk_memory_bytes(rig->disk)[1024 + i], 0x5a);
    }
    assert_int_equal(disk_memory_bytes(rig->disk)[1024 + 256 * 512], 0);
    memset(buffer, 0, 24);
    be16_put(buffer, 22);
    be16_put(buffer + 2, 16);
    be64_put(buffer + 8, 2);
    be32_put(buffer + 16, 1);
    packet = execute(rig, 0, unmap, STORVSC_DATA_OUT, BUFFER, 24);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
    assert_int_equal(disk_memory_bytes(rig->disk)[1024], 0);
    assert_int_equal(disk_memory_bytes(rig->disk)[1536], 0x5a);
    memset(buffer, 0, 512);
    packet = execute(rig, 0, same, STORVSC_DATA_OUT, BUFFER, 512); /* zeros: another way */
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
    assert_int_equal(disk_memory_bytes(rig->disk)[1536], 0);
    memcpy(buffer, "\0\0\0\0\x08\x0a\x04\0\0\0\0\0\0\0\0\0", 16);
    packet = execute(rig, 0, select, STORVSC_DATA_OUT, BUFFER, 16);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
    rig_free(rig);
}

/* ---- Buffers that break the rules ---- */

static void bad_buffers_stop_the_channel(void **state)
{
    static const struct {
        uint64_t head[4];
        uint32_t head_size;
        const char *rule;
    } bad[] = {
        {{2ull << 32, 512, BUFFER_PAGE, 512}, 32, ""},        /* two ranges */
        {{1ull << 32, 0, BUFFER_PAGE}, 24, ""},               /* no bytes */
        {{1ull << 32, 4096ull << 32 | 512, BUFFER_PAGE}, 24, ""}, /* offset beyond the page */
        {{1ull << 32, 256, BUFFER_PAGE}, 24, "data transfer length"},
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
        struct storvsc_packet packet = {.operation = STORVSC_EXECUTE_SRB, .flags = 1};
        struct vmbus_packet_header header;
        handshake(rig, STORVSC_VERSION_6_2);
        packet.srb.data_direction = STORVSC_DATA_IN;
        packet.srb.data_transfer_length = 512;
        rw_cdb(packet.srb.cdb, false, 0, 1);
        put(rig, CHANNEL, VMBUS_PACKET_GPA_DIRECT, 1, 5, bad[i].head, bad[i].head_size, &packet,
            64);
        pump(rig);
        assert_int_equal(rig->bench->violations, 1);
        assert_non_null(strstr(rig->bench->rule, bad[i].rule));
        assert_false(take(rig, CHANNEL, &header, &packet)); /* and there is no completion */
        assert_int_equal(storvsc_in_flight(rig->controller), 0);
        rig_free(rig);
    }
}

static void a_buffer_outside_ram_fails_its_request_alone(void **state)
{
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
    uint8_t cdb[16];
    handshake(rig, STORVSC_VERSION_6_2);
    rw_cdb(cdb, false, 0, 1);
    struct storvsc_packet packet = execute(rig, 0, cdb, STORVSC_DATA_IN, 1ull << 40, 512);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_INVALID_REQUEST);
    assert_int_equal(rig->bench->violations, 1);
    packet = execute(rig, 0, cdb, STORVSC_DATA_IN, BUFFER, 512);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
    rig_free(rig);
}

static void a_transfer_over_the_limit_fails_its_request_alone(void **state)
{
    struct storvsc_settings settings;
    storvsc_default_settings(STORVSC_VERSION_6_2, &settings);
    settings.transfer_bytes_max = 8192;
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, &settings);
    uint8_t cdb[16];
    handshake(rig, STORVSC_VERSION_6_2);
    rw_cdb(cdb, false, 0, 17);
    struct storvsc_packet packet = execute(rig, 0, cdb, STORVSC_DATA_IN, BUFFER, 17 * 512);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_INVALID_REQUEST);
    assert_int_equal(rig->bench->violations, 1);
    rw_cdb(cdb, false, 0, 16);
    packet = execute(rig, 0, cdb, STORVSC_DATA_IN, BUFFER + 512, 16 * 512);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
    rig_free(rig);
}

static void a_stopped_channel_works_again_after_reopening(void **state)
{
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
    struct storvsc_packet packet = {.operation = 99, .flags = 1};
    struct vmbus_packet_header header;
    handshake(rig, STORVSC_VERSION_6_2);
    put_packet(rig, &packet);
    pump(rig);
    assert_int_equal(rig->bench->violations, 1);
    put_srb(rig, 0, test_unit_ready, STORVSC_DATA_NONE, 0, 0);
    pump(rig);
    assert_false(take(rig, CHANNEL, &header, &packet));
    bench_channel_message(rig->bench, VMBUS_MESSAGE_CLOSE_CHANNEL, CHANNEL);
    bench_teardown(rig->bench, CHANNEL, 100 + CHANNEL);
    bench_open_channel(rig->bench, CHANNEL);
    handshake(rig, STORVSC_VERSION_6_0);
    packet = execute(rig, 0, test_unit_ready, STORVSC_DATA_NONE, 0, 0);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
    rig_free(rig);
}

static bool read_works(struct rig *rig)
{
    struct vmbus_packet_header header;
    struct storvsc_packet packet;
    uint8_t cdb[16];
    while (take(rig, CHANNEL, &header, &packet)) {
    }
    rw_cdb(cdb, false, 8, 1);
    uint64_t id = put_srb(rig, 0, cdb, STORVSC_DATA_IN, BUFFER, 512);
    pump(rig);
    return take(rig, CHANNEL, &header, &packet) && header.transaction_id == id &&
           packet.srb.srb_status == STORVSC_SRB_STATUS_SUCCESS;
}

/* A read with one byte wrong, in its buffer's description or in the packet itself. */
static void put_wrong_read(struct rig *rig, size_t offset, uint8_t value)
{
    struct {
        uint32_t reserved, range_count, byte_count, byte_offset;
        uint64_t page;
        struct storvsc_packet packet;
    } request = {0, 1, 512, 0, BUFFER_PAGE, {.operation = STORVSC_EXECUTE_SRB, .flags = 1}};
    request.packet.srb.length = STORVSC_SRB_SIZE;
    request.packet.srb.cdb_length = 10;
    request.packet.srb.data_direction = STORVSC_DATA_IN;
    request.packet.srb.data_transfer_length = 512;
    rw_cdb(request.packet.srb.cdb, false, 8, 1);
    ((uint8_t *)&request)[offset] = value;
    put(rig, CHANNEL, VMBUS_PACKET_GPA_DIRECT, 1, ++rig->id, &request,
        offsetof(__typeof__(request), packet), &request.packet, sizeof(request.packet));
}

static struct rig *fresh_rig(void)
{
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
    handshake(rig, STORVSC_VERSION_6_2);
    memset(disk_memory_bytes(rig->disk), 0x5a, DISK);
    return rig;
}

/* Resets and the request for sub-channels, each with each of their bytes wrong. */
static void whatever_byte_of_other_requests_is_wrong_the_next_one_works(void **state)
{
    static const uint32_t operations[] = {STORVSC_RESET_LUN, STORVSC_RESET_ADAPTER,
                                          STORVSC_RESET_BUS, STORVSC_CREATE_SUB_CHANNELS};
    static const uint8_t values[] = {0x00, 0x01, 0x02, 0x7f, 0x80, 0xff};
    unsigned stopped = 0;
    struct rig *rig = fresh_rig();
    for (unsigned kind = 0; kind < sizeof(operations) / sizeof(operations[0]); kind++) {
        for (size_t at = 0; at < sizeof(struct storvsc_packet) * sizeof(values); at++) {
            struct storvsc_packet packet = {.operation = operations[kind], .flags = 1};
            ((uint8_t *)&packet)[at / sizeof(values)] = values[at % sizeof(values)];
            put_packet(rig, &packet);
            pump(rig);
            if (read_works(rig)) {
                continue;
            }
            stopped++; /* by a broken rule: it works when it is opened anew */
            assert_true(rig->bench->violations > 0);
            rig_free(rig);
            rig = fresh_rig();
            assert_true(read_works(rig));
        }
    }
    assert_in_range(stopped, 4, 200);
    for (unsigned i = 0; i < DISK; i++) {
        assert_int_equal(disk_memory_bytes(rig->disk)[i], 0x5a);
    }
    rig_free(rig);
}

static void whatever_byte_of_a_request_is_wrong_the_next_one_works(void **state)
{
    static const uint8_t values[] = {0x00, 0x01, 0x02, 0x7f, 0x80, 0xff};
    const size_t size = 24 + sizeof(struct storvsc_packet);
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
    unsigned stopped = 0;
    handshake(rig, STORVSC_VERSION_6_2);
    memset(disk_memory_bytes(rig->disk), 0x5a, DISK);
    for (size_t offset = 0; offset < size; offset++) {
        for (unsigned i = 0; i < sizeof(values); i++) {
            put_wrong_read(rig, offset, values[i]);
            pump(rig);
            if (read_works(rig)) {
                continue;
            }
            /* A rule was broken that stops the channel: it works when it is opened anew. */
            stopped++;
            assert_true(rig->bench->violations > 0);
            rig_free(rig);
            rig = rig_create(STORVSC_VERSION_6_2, NULL);
            handshake(rig, STORVSC_VERSION_6_2);
            memset(disk_memory_bytes(rig->disk), 0x5a, DISK);
            assert_true(read_works(rig));
        }
    }
    assert_in_range(stopped, 10, 100);
    for (unsigned i = 0; i < DISK; i++) {
        assert_int_equal(disk_memory_bytes(rig->disk)[i], 0x5a);
    }
    rig_free(rig);
}

/* ---- Many at a time, slow ones, full rings ---- */

static void a_slow_lun_delays_no_other(void **state)
{
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
    const struct disk_fault_settings slow = {.delay_ppm = 1000000, .delay_min_ns = 1000000,
                                             .delay_max_ns = 1000000};
    struct storvsc_packet packet;
    struct vmbus_packet_header header;
    uint8_t cdb[16];
    assert_int_equal(storvsc_add_disk(rig->controller, 1,
                                      disk_memory_open(rig->engine, DISK, 512)), 0);
    assert_int_equal(storvsc_set_disk_faults(rig->controller, 0, &slow, 1), 0);
    handshake(rig, STORVSC_VERSION_6_2);
    rw_cdb(cdb, false, 0, 1);
    uint64_t slow_id = put_srb(rig, 0, cdb, STORVSC_DATA_IN, BUFFER, 512);
    for (unsigned i = 0; i < 10; i++) {
        packet = execute(rig, 1, cdb, STORVSC_DATA_IN, BUFFER + 4096, 512);
        assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
    }
    assert_false(take(rig, CHANNEL, &header, &packet));
    rig->now_ns += 1000000;
    pump(rig);
    expect_completion(rig, slow_id, &packet);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
    rig_free(rig);
}

static void completions_wait_for_room_in_order(void **state)
{
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
    struct storvsc_packet packet;
    struct vmbus_packet_header header;
    handshake(rig, STORVSC_VERSION_6_2);
    const uint64_t first = rig->id + 1;
    unsigned sent = 0, got = 0;
    while (sent < 200) { /* 40 or so fit; the guest takes none until it cannot send any more */
        struct guest_ring ring = ring_to_host(rig, CHANNEL);
        while (sent < 200 && guest_ring_used(&ring) + 200 < ring.size) {
            put_srb(rig, 0, test_unit_ready, STORVSC_DATA_NONE, 0, 0);
            sent++;
        }
        pump(rig);
        if (guest_ring_used(&ring) + 200 < ring.size) {
            continue;
        }
        while (take(rig, CHANNEL, &header, &packet)) {
            assert_int_equal(header.transaction_id, first + got);
            got++;
        }
    }
    for (unsigned i = 0; i < 50 && got < 200; i++) {
        pump(rig);
        while (take(rig, CHANNEL, &header, &packet)) {
            assert_int_equal(header.transaction_id, first + got);
            got++;
        }
    }
    assert_int_equal(got, 200);
    assert_int_equal(storvsc_in_flight(rig->controller), 0);
    rig_free(rig);
}

static void closing_with_requests_in_flight_waits_for_them(void **state)
{
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
    const struct disk_fault_settings slow = {.delay_ppm = 1000000, .delay_min_ns = 1000000,
                                             .delay_max_ns = 1000000};
    uint8_t cdb[16];
    assert_int_equal(storvsc_set_disk_faults(rig->controller, 0, &slow, 1), 0);
    handshake(rig, STORVSC_VERSION_6_2);
    rw_cdb(cdb, false, 0, 1);
    put_srb(rig, 0, cdb, STORVSC_DATA_IN, BUFFER, 512);
    put_srb(rig, 0, cdb, STORVSC_DATA_IN, BUFFER, 512);
    pump(rig);
    rig->bench->text[0] = '\0';
    bench_channel_message(rig->bench, VMBUS_MESSAGE_CLOSE_CHANNEL, CHANNEL);
    bench_teardown(rig->bench, CHANNEL, 100 + CHANNEL);
    assert_null(strstr(rig->bench->text, "gpadl_torndown")); /* the disk still writes there */
    rig->now_ns += 1000000;
    pump(rig);
    assert_non_null(strstr(rig->bench->text, "gpadl_torndown"));
    assert_int_equal(storvsc_in_flight(rig->controller), 0);
    rig_free(rig);
}

static void lost_requests_come_back_with_the_reset_of_their_own_lun(void **state)
{
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
    const struct disk_fault_settings lost = {.lost_ppm = 1000000};
    static const struct { uint8_t path, target, lun; unsigned left; } resets[] = {
        {0, 0, 2, 2}, {0, 0, 255, 2}, {1, 0, 0, 2}, {0, 1, 0, 2}, /* nothing is there */
        {0, 0, 1, 1}, {0, 0, 0, 0},
    };
    uint8_t cdb[16];
    handshake(rig, STORVSC_VERSION_6_2);
    assert_int_equal(storvsc_add_disk(rig->controller, 1,
                                      disk_memory_open(rig->engine, 4096, 512)), 0);
    rw_cdb(cdb, false, 0, 1);
    for (unsigned lun = 0; lun < 2; lun++) {
        assert_int_equal(storvsc_set_disk_faults(rig->controller, lun, &lost, 1), 0);
        put_srb(rig, (uint8_t)lun, cdb, STORVSC_DATA_IN, BUFFER, 512);
    }
    pump(rig);
    assert_int_equal(storvsc_in_flight(rig->controller), 2);
    for (unsigned i = 0; i < sizeof(resets) / sizeof(resets[0]); i++) {
        struct storvsc_packet packet = {.operation = STORVSC_RESET_LUN, .flags = 1};
        packet.srb.path = resets[i].path;
        packet.srb.target = resets[i].target;
        packet.srb.lun = resets[i].lun;
        put_packet(rig, &packet);
        pump(rig);
        assert_int_equal(storvsc_in_flight(rig->controller), resets[i].left);
    }
    rig_free(rig);
}

static void lost_requests_come_back_with_a_bus_reset(void **state)
{
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
    const struct disk_fault_settings lost = {.lost_ppm = 1000000};
    struct storvsc_packet packet = {.operation = STORVSC_RESET_BUS, .flags = 1};
    struct vmbus_packet_header header;
    uint8_t cdb[16];
    bool seen[2] = {false, false};
    assert_int_equal(storvsc_set_disk_faults(rig->controller, 0, &lost, 1), 0);
    handshake(rig, STORVSC_VERSION_6_2);
    rw_cdb(cdb, false, 0, 1);
    uint64_t id = put_srb(rig, 0, cdb, STORVSC_DATA_IN, BUFFER, 512);
    pump(rig);
    assert_int_equal(storvsc_in_flight(rig->controller), 1);
    put_packet(rig, &packet);
    pump(rig);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(take(rig, CHANNEL, &header, &packet));
        assert_in_range(header.transaction_id, id, id + 1);
        seen[header.transaction_id - id] = true;
    }
    assert_true(seen[0] && seen[1]);
    rig_free(rig);
}

/* ---- Coming and going of disks ---- */

static void the_guest_is_told_of_disks_that_come_and_go(void **state)
{
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
    struct storvsc_packet packet;
    struct vmbus_packet_header header;
    handshake(rig, STORVSC_VERSION_6_2);
    pump(rig);
    assert_false(take(rig, CHANNEL, &header, &packet)); /* nothing has changed since the open */
    for (unsigned lun = 1; lun < 4; lun++) {
        assert_int_equal(storvsc_add_disk(rig->controller, lun,
                                          disk_memory_open(rig->engine, 4096, 512)), 0);
    }
    pump(rig);
    assert_true(take(rig, CHANNEL, &header, &packet));
    assert_int_equal(header.type, VMBUS_PACKET_IN_BAND);
    assert_int_equal(header.transaction_id, 0);
    assert_int_equal(header.flags, 0);
    assert_int_equal(packet.operation, STORVSC_ENUMERATE_BUS);
    assert_false(take(rig, CHANNEL, &header, &packet)); /* one event for the burst */
    assert_int_equal(storvsc_remove_disk(rig->controller, 2), 0);
    assert_int_equal(storvsc_remove_disk(rig->controller, 2), -ENOENT);
    pump(rig);
    assert_true(take(rig, CHANNEL, &header, &packet));
    packet = execute(rig, 2, test_unit_ready, STORVSC_DATA_NONE, 0, 0);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_INVALID_LUN);
    packet = execute(rig, 3, test_unit_ready, STORVSC_DATA_NONE, 0, 0);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
    rig_free(rig);
}

static void a_disk_removed_in_use_finishes_its_requests(void **state)
{
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
    const struct disk_fault_settings slow = {.delay_ppm = 1000000, .delay_min_ns = 1000000,
                                             .delay_max_ns = 1000000};
    struct storvsc_packet packet;
    uint8_t cdb[16];
    assert_int_equal(storvsc_set_disk_faults(rig->controller, 0, &slow, 1), 0);
    handshake(rig, STORVSC_VERSION_6_2);
    rw_cdb(cdb, false, 0, 1);
    uint64_t id = put_srb(rig, 0, cdb, STORVSC_DATA_IN, BUFFER, 512);
    pump(rig);
    assert_int_equal(storvsc_remove_disk(rig->controller, 0), 0);
    assert_int_equal(storvsc_add_disk(rig->controller, 0,
                                      disk_memory_open(rig->engine, 8192, 512)), 0);
    rig->now_ns += 1000000;
    pump(rig);
    struct vmbus_packet_header header;
    bool found = false;
    while (take(rig, CHANNEL, &header, &packet)) {
        found |= header.transaction_id == id;
    }
    assert_true(found);
    rw_cdb(cdb, false, 16, 1); /* past the end of the new disk */
    packet = execute(rig, 0, cdb, STORVSC_DATA_IN, BUFFER, 512);
    assert_int_equal(packet.srb.sense[12], 0x21);
    rig_free(rig);
}

static void a_resized_disk_is_told_by_unit_attention(void **state)
{
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
    const uint8_t capacity[16] = {SCSI_READ_CAPACITY_10};
    handshake(rig, STORVSC_VERSION_6_2);
    assert_int_equal(disk_resize(rig->disk, 2 * DISK), 0);
    assert_int_equal(storvsc_disk_resized(rig->controller, 0), 0);
    struct storvsc_packet packet = execute(rig, 0, test_unit_ready, STORVSC_DATA_NONE, 0, 0);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_ERROR | 0x80);
    assert_int_equal(packet.srb.sense[2], SCSI_SENSE_UNIT_ATTENTION);
    assert_int_equal(packet.srb.sense[12], 0x2a);
    packet = execute(rig, 0, capacity, STORVSC_DATA_IN, BUFFER, 8);
    assert_int_equal(be32_get(bench_page(rig->bench, BUFFER_PAGE)), 2 * DISK / 512 - 1);
    rig_free(rig);
}

static void luns_are_bounded_and_exclusive(void **state)
{
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
    struct disk *disk = disk_memory_open(rig->engine, 4096, 512);
    assert_int_equal(storvsc_add_disk(rig->controller, 64, disk), -ERANGE);
    assert_int_equal(storvsc_add_disk(rig->controller, 0, disk), -EEXIST);
    assert_int_equal(storvsc_add_disk(rig->controller, 63, disk), 0);
    rig_free(rig);
}

/* Page 0x83 of a LUN: designators with its names. */
static void read_names(struct rig *rig, uint8_t lun, uint8_t names[52])
{
    const uint8_t inquiry[16] = {SCSI_INQUIRY, SCSI_INQUIRY_EVPD, SCSI_VPD_DEVICE_IDENTIFICATION,
                                 0, 52};
    struct storvsc_packet packet = execute(rig, lun, inquiry, STORVSC_DATA_IN, BUFFER, 52);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
    memcpy(names, bench_page(rig->bench, BUFFER_PAGE), 52);
}

static void world_wide_names_differ_and_stay_the_same(void **state)
{
    uint8_t names[2][2][52];
    for (unsigned run = 0; run < 2; run++) {
        struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
        storvsc_add_disk(rig->controller, 7, disk_memory_open(rig->engine, 8192, 512));
        handshake(rig, STORVSC_VERSION_6_2);
        read_names(rig, 0, names[run][0]);
        read_names(rig, 7, names[run][1]);
        rig_free(rig);
    }
    assert_memory_equal(names[0], names[1], sizeof(names[0]));
    assert_memory_not_equal(names[0][0] + 16, names[0][1] + 16, 16); /* GUID */
    assert_memory_not_equal(names[0][0] + 36, names[0][1] + 36, 16); /* NAA */
    assert_int_equal(names[0][0][36] >> 4, 6);
}

/* ---- Sub-channels ---- */

static void requests_on_a_sub_channel_complete_there(void **state)
{
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
    struct storvsc_packet packet;
    struct vmbus_packet_header header;
    uint8_t cdb[16];
    handshake(rig, STORVSC_VERSION_6_2);
    control(rig, STORVSC_CREATE_SUB_CHANNELS, 2);
    assert_non_null(strstr(rig->bench->text, "sub 1"));
    assert_non_null(strstr(rig->bench->text, "sub 2"));
    bench_open_channel(rig->bench, 2);
    rw_cdb(cdb, false, 0, 1);
    uint64_t id = put_srb_on(rig, 2, 0, cdb, STORVSC_DATA_IN, BUFFER, 512);
    pump(rig);
    assert_false(take(rig, CHANNEL, &header, &packet));
    assert_true(take(rig, 2, &header, &packet));
    assert_int_equal(header.transaction_id, id);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
    rig_free(rig);
}

/* ---- Faults ---- */

static void each_controller_fault_fires(void **state)
{
    static const struct {
        struct storvsc_faults faults;
        uint8_t srb_status;
    } cases[] = {
        {{.busy_ppm = 1000000}, STORVSC_SRB_STATUS_BUSY},
        {{.internal_error_ppm = 1000000}, STORVSC_SRB_STATUS_INTERNAL_ERROR},
        {{.invalid_lun_ppm = 1000000}, STORVSC_SRB_STATUS_INVALID_LUN},
    };
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
    struct storvsc_packet packet;
    uint8_t cdb[16];
    handshake(rig, STORVSC_VERSION_6_2);
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        storvsc_set_faults(rig->controller, &cases[i].faults);
        packet = execute(rig, 0, test_unit_ready, STORVSC_DATA_NONE, 0, 0);
        assert_int_equal(packet.srb.srb_status, cases[i].srb_status);
    }
    storvsc_set_faults(rig->controller, &(struct storvsc_faults){.no_autosense_ppm = 1000000});
    rw_cdb(cdb, false, DISK / 512, 1);
    packet = execute(rig, 0, cdb, STORVSC_DATA_IN, BUFFER, 512);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_INVALID_REQUEST);
    assert_int_equal(packet.srb.sense[0], 0);
    storvsc_set_faults(rig->controller, &(struct storvsc_faults){0});
    packet = execute(rig, 0, test_unit_ready, STORVSC_DATA_NONE, 0, 0);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
    rig_free(rig);
}

static void disk_faults_become_scsi_errors(void **state)
{
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
    struct disk_fault_settings settings = {.error_ppm = 1000000};
    uint8_t cdb[16];
    handshake(rig, STORVSC_VERSION_6_2);
    assert_int_equal(storvsc_set_disk_faults(rig->controller, 0, &settings, 7), 0);
    rw_cdb(cdb, false, 0, 8);
    struct storvsc_packet packet = execute(rig, 0, cdb, STORVSC_DATA_IN, BUFFER, 4096);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_ERROR | 0x80);
    assert_int_equal(packet.srb.sense[2], SCSI_SENSE_MEDIUM_ERROR);
    settings = (struct disk_fault_settings){.short_ppm = 1000000};
    assert_int_equal(storvsc_set_disk_faults(rig->controller, 0, &settings, 7), 0);
    packet = execute(rig, 0, cdb, STORVSC_DATA_IN, BUFFER, 4096);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_DATA_OVERRUN);
    assert_true(packet.srb.data_transfer_length < 4096);
    assert_int_equal(packet.status, STORVSC_STATUS_BUFFER_OVERFLOW);
    rig_free(rig);
}

/* ---- IDE ---- */

static void an_ide_disk_is_addressed_by_its_device_number(void **state)
{
    struct storvsc_settings settings;
    storvsc_default_settings(STORVSC_VERSION_4_2, &settings);
    settings.kind = STORVSC_IDE_DISK;
    settings.ide_device = 1;
    struct rig *rig = rig_create(STORVSC_VERSION_4_2, &settings);
    struct storvsc_packet packet = {.operation = STORVSC_EXECUTE_SRB, .flags = 1};
    struct disk *second = disk_memory_open(rig->engine, 4096, 512);
    handshake(rig, STORVSC_VERSION_4_2);
    assert_int_equal(storvsc_add_disk(rig->controller, 1, second), -ERANGE);
    disk_close(second);
    packet.srb.target = 1;
    packet.srb.data_direction = STORVSC_DATA_NONE;
    uint64_t id = put_packet(rig, &packet);
    pump(rig);
    expect_completion(rig, id, &packet);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
    packet = execute(rig, 0, test_unit_ready, STORVSC_DATA_NONE, 0, 0); /* target 0 */
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_INVALID_LUN);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_moves_between_guest_and_disk_in_every_version),
        cmocka_unit_test(data_goes_straight_to_scattered_pages),
        cmocka_unit_test(copies_are_counted),
        cmocka_unit_test(errors_carry_sense_and_the_next_request_works),
        cmocka_unit_test(absent_luns_and_report_luns),
        cmocka_unit_test(write_same_unmap_and_mode_select_reach_the_disk),
        cmocka_unit_test(bad_buffers_stop_the_channel),
        cmocka_unit_test(a_buffer_outside_ram_fails_its_request_alone),
        cmocka_unit_test(a_transfer_over_the_limit_fails_its_request_alone),
        cmocka_unit_test(a_stopped_channel_works_again_after_reopening),
        cmocka_unit_test(whatever_byte_of_a_request_is_wrong_the_next_one_works),
        cmocka_unit_test(whatever_byte_of_other_requests_is_wrong_the_next_one_works),
        cmocka_unit_test(a_slow_lun_delays_no_other),
        cmocka_unit_test(completions_wait_for_room_in_order),
        cmocka_unit_test(closing_with_requests_in_flight_waits_for_them),
        cmocka_unit_test(lost_requests_come_back_with_a_bus_reset),
        cmocka_unit_test(lost_requests_come_back_with_the_reset_of_their_own_lun),
        cmocka_unit_test(the_guest_is_told_of_disks_that_come_and_go),
        cmocka_unit_test(a_disk_removed_in_use_finishes_its_requests),
        cmocka_unit_test(a_resized_disk_is_told_by_unit_attention),
        cmocka_unit_test(luns_are_bounded_and_exclusive),
        cmocka_unit_test(world_wide_names_differ_and_stay_the_same),
        cmocka_unit_test(requests_on_a_sub_channel_complete_there),
        cmocka_unit_test(each_controller_fault_fires),
        cmocka_unit_test(disk_faults_become_scsi_errors),
        cmocka_unit_test(an_ide_disk_is_addressed_by_its_device_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
