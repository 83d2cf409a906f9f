/* SPDX-License-Identifier: BSD-3-Clause */
/* The scripted guest. */
#include "tests/unit/host-server/guest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/hypervisor.h"
#include "protocol/scsi.h"

enum {
    PAGE_HYPERCALL = 1, /* page numbers in RAM */
    PAGE_MESSAGES = 2,
    PAGE_EVENTS = 3,
    PAGE_POST = 4,
    PAGE_RINGS = 16,
    POST_SIZE = 256,
};

static uint8_t *page(struct guest *guest, uint32_t number)
{
    return guest->monitor.ram + (size_t)number * HV_PAGE_SIZE;
}

static void write_msr(struct guest *guest, uint32_t index, uint64_t value)
{
    assert_int_equal(monitor_wrmsr(&guest->monitor, 0, index, value), 0);
}

void guest_set_up(struct guest *guest)
{
    guest->next_ring_page = PAGE_RINGS;
    guest->next_gpadl = 1;
    write_msr(guest, 0x40000000, 0x8100000000000001ull);
    write_msr(guest, 0x40000001, (uint64_t)PAGE_HYPERCALL << 12 | 1);
    write_msr(guest, 0x40000083, (uint64_t)PAGE_MESSAGES << 12 | 1);
    write_msr(guest, 0x40000082, (uint64_t)PAGE_EVENTS << 12 | 1);
    write_msr(guest, 0x40000092, GUEST_VECTOR);
    write_msr(guest, 0x40000080, 1);
}

void guest_start(struct guest *guest, const char *path, uint32_t processors)
{
    monitor_start(&guest->monitor, path, processors, GUEST_RAM);
    guest_set_up(guest);
}

uint64_t guest_post(struct guest *guest, const void *message, size_t size)
{
    uint8_t *input = page(guest, PAGE_POST);
    const uint32_t header[4] = {guest->vmbus_version >= VMBUS_VERSION_5_0 ? 4 : 1, 0, 1,
                                (uint32_t)size};
    memset(input, 0, POST_SIZE);
    memcpy(input, header, sizeof(header));
    memcpy(input + sizeof(header), message, size);
    return monitor_hypercall(&guest->monitor, 0, 0x5c, (uint64_t)PAGE_POST << 12, 0);
}

size_t guest_message(struct guest *guest, void *message, size_t size)
{
    uint8_t *slot = page(guest, PAGE_MESSAGES) + 2 * 256;
    while (__atomic_load_n((uint32_t *)(void *)slot, __ATOMIC_ACQUIRE) == 0) {
        monitor_wait_vector(&guest->monitor, 0, GUEST_VECTOR);
    }
    size_t length = slot[4];
    memcpy(message, slot + 16, length < size ? length : size);
    __atomic_store_n((uint32_t *)(void *)slot, 0, __ATOMIC_SEQ_CST);
    if (slot[5] & 1) {
        write_msr(guest, 0x40000084, 0);
    }
    return length;
}

bool guest_contact(struct guest *guest, uint32_t version)
{
    struct vmbus_message_initiate_contact contact = {0};
    struct vmbus_message_version_response response = {0};
    guest->vmbus_version = version;
    contact.header.type = VMBUS_MESSAGE_INITIATE_CONTACT;
    contact.version = version;
    if (version >= VMBUS_VERSION_5_0) {
        ((uint8_t *)&contact)[16] = 2;
    }
    uint64_t status = guest_post(guest, &contact, 40);
    if (status == HV_STATUS_INVALID_CONNECTION_ID) {
        return false; /* hosts before 5.0 have no connection 4 */
    }
    assert_int_equal(status, HV_STATUS_SUCCESS);
    guest_message(guest, &response, sizeof(response));
    assert_int_equal(response.header.type, VMBUS_MESSAGE_VERSION_RESPONSE);
    return response.version_supported != 0;
}

static void take_offer(struct guest *guest, const struct vmbus_message_offer_channel *offer)
{
    assert_true(guest->offer_count < GUEST_OFFERS_MAX);
    guest->offers[guest->offer_count++] = (struct guest_offer){
        .class_id = offer->class_id,
        .instance_id = offer->instance_id,
        .channel_id = offer->channel_id,
        .connection_id = offer->connection_id,
        .sub_channel = offer->subchannel_index,
    };
}

void guest_collect_offers(struct guest *guest)
{
    struct vmbus_message_header request = {.type = VMBUS_MESSAGE_REQUEST_OFFERS};
    union {
        struct vmbus_message_header header;
        struct vmbus_message_offer_channel offer;
    } message;
    guest->offer_count = 0;
    assert_int_equal(guest_post(guest, &request, sizeof(request)), 0);
    for (;;) {
        memset(&message, 0, sizeof(message));
        guest_message(guest, &message, sizeof(message));
        if (message.header.type == VMBUS_MESSAGE_ALL_OFFERS_DELIVERED) {
            return;
        }
        assert_int_equal(message.header.type, VMBUS_MESSAGE_OFFER_CHANNEL);
        take_offer(guest, &message.offer);
    }
}

const struct guest_offer *guest_find_offer(const struct guest *guest, const struct guid *class_id,
                                           unsigned number)
{
    for (unsigned i = 0; i < guest->offer_count; i++) {
        if (guid_equal(&guest->offers[i].class_id, class_id) && number-- == 0) {
            return &guest->offers[i];
        }
    }
    fail_msg("no such offer");
    return NULL;
}

static uint32_t make_gpadl(struct guest *guest, uint32_t channel_id, uint32_t first_page,
                           uint32_t pages)
{
    uint8_t bytes[240] = {0};
    struct vmbus_message_gpadl_header *header = (void *)bytes;
    struct vmbus_message_gpadl_created created = {0};
    assert_true(pages <= 26);
    header->header.type = VMBUS_MESSAGE_GPADL_HEADER;
    header->channel_id = channel_id;
    header->gpadl_id = guest->next_gpadl++;
    header->range_buffer_length = (uint16_t)(8 + 8 * pages);
    header->range_count = 1;
    const uint32_t gpadl = header->gpadl_id;
    const uint32_t range[2] = {pages * HV_PAGE_SIZE, 0};
    memcpy(bytes + 20, range, sizeof(range));
    for (uint64_t i = 0; i < pages; i++) {
        uint64_t number = first_page + i;
        memcpy(bytes + 28 + 8 * i, &number, sizeof(number));
    }
    assert_int_equal(guest_post(guest, bytes, 28 + 8 * pages), 0);
    guest_message(guest, &created, sizeof(created));
    assert_int_equal(created.header.type, VMBUS_MESSAGE_GPADL_CREATED);
    assert_int_equal(created.status, 0);
    return gpadl;
}

void guest_open(struct guest *guest, const struct guest_offer *offer,
                struct guest_channel *channel)
{
    const uint32_t half = 1 + GUEST_RING_PAGES, first = guest->next_ring_page;
    struct vmbus_message_open_channel open = {0};
    struct vmbus_message_open_result result = {0};
    guest->next_ring_page += 2 * half;
    memset(page(guest, first), 0, (size_t)2 * half * HV_PAGE_SIZE);
    open.header.type = VMBUS_MESSAGE_OPEN_CHANNEL;
    open.channel_id = offer->channel_id;
    open.open_id = offer->channel_id;
    open.ring_gpadl_id = make_gpadl(guest, offer->channel_id, first, 2 * half);
    open.downstream_page_offset = half;
    *channel = (struct guest_channel){
        .offer = *offer,
        .to_host = guest_ring_at(page(guest, first), GUEST_RING_PAGES),
        .to_guest = guest_ring_at(page(guest, first + half), GUEST_RING_PAGES),
    };
    assert_int_equal(guest_post(guest, &open, 148), 0);
    guest_message(guest, &result, sizeof(result));
    assert_int_equal(result.header.type, VMBUS_MESSAGE_OPEN_RESULT);
    assert_int_equal(result.status, 0);
}

/* ---- Packets ---- */

static void put_packet(struct guest *guest, struct guest_channel *channel, void *packet,
                       size_t size)
{
    uint32_t before = channel->to_host.control->write_index;
    guest_ring_put(&channel->to_host, packet, (uint32_t)size);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (__atomic_load_n(&channel->to_host.control->interrupt_mask, __ATOMIC_SEQ_CST) == 0 &&
        __atomic_load_n(&channel->to_host.control->read_index, __ATOMIC_SEQ_CST) == before) {
        monitor_signal(&guest->monitor, channel->offer.connection_id);
    }
}

void guest_send(struct guest *guest, struct guest_channel *channel, uint16_t type, uint16_t flags,
                uint64_t transaction_id, const void *payload, size_t size)
{
    uint8_t bytes[512] = {0};
    size_t padded = (size + 7) & ~(size_t)7;
    struct vmbus_packet_header header = {type, 2, (uint16_t)(2 + padded / 8), flags,
                                         transaction_id};
    assert_true(size <= sizeof(bytes) - sizeof(header));
    memcpy(bytes, &header, sizeof(header));
    memcpy(bytes + sizeof(header), payload, size);
    put_packet(guest, channel, bytes, sizeof(header) + padded);
}

uint32_t guest_receive(struct guest *guest, struct guest_channel *channel, void *packet,
                       uint32_t capacity)
{
    uint32_t length;
    while ((length = guest_ring_take(&channel->to_guest, packet, capacity)) == 0) {
        monitor_wait_vector(&guest->monitor, 0, GUEST_VECTOR);
        /* The event flags are taken, so that the next signal raises an interrupt again. */
        uint64_t *flags = (uint64_t *)(void *)(page(guest, PAGE_EVENTS) + 2 * 256);
        for (unsigned i = 0; i < 2048 / 64; i++) {
            __atomic_exchange_n(&flags[i], 0, __ATOMIC_SEQ_CST);
        }
    }
    return length;
}

/* ---- Storage ---- */

uint64_t guest_completion(struct guest *guest, struct guest_channel *channel,
                          struct storvsc_packet *packet)
{
    struct {
        struct vmbus_packet_header header;
        struct storvsc_packet packet;
    } message = {0};
    guest_receive(guest, channel, &message, sizeof(message));
    assert_int_equal(message.header.type, VMBUS_PACKET_COMPLETION);
    *packet = message.packet;
    return message.header.transaction_id;
}

static void control(struct guest *guest, struct guest_channel *channel,
                    struct storvsc_packet *packet)
{
    packet->flags = STORVSC_FLAG_COMPLETION_REQUESTED;
    uint64_t id = ++channel->transaction_id;
    guest_send(guest, channel, VMBUS_PACKET_IN_BAND, VMBUS_PACKET_FLAG_COMPLETION_REQUESTED, id,
               packet, sizeof(*packet));
    assert_int_equal(guest_completion(guest, channel, packet), id);
    assert_int_equal(packet->operation, STORVSC_COMPLETE_IO);
}

void guest_storage_start(struct guest *guest, struct guest_channel *channel, uint16_t version,
                         struct storvsc_properties *properties)
{
    struct storvsc_packet packet = {.operation = STORVSC_BEGIN_INITIALIZATION};
    control(guest, channel, &packet);
    assert_int_equal(packet.status, 0);
    packet = (struct storvsc_packet){.operation = STORVSC_QUERY_PROTOCOL_VERSION};
    packet.version.version = version;
    control(guest, channel, &packet);
    assert_int_equal(packet.status, 0);
    packet = (struct storvsc_packet){.operation = STORVSC_QUERY_PROPERTIES};
    control(guest, channel, &packet);
    assert_int_equal(packet.status, 0);
    *properties = packet.properties;
    packet = (struct storvsc_packet){.operation = STORVSC_END_INITIALIZATION};
    control(guest, channel, &packet);
    assert_int_equal(packet.status, 0);
}

uint64_t guest_srb(struct guest *guest, struct guest_channel *channel, uint8_t lun,
                   const uint8_t *cdb, uint8_t cdb_length, uint8_t direction, uint64_t gpa,
                   uint32_t size)
{
    static uint8_t bytes[8192];
    struct storvsc_packet packet = {.operation = STORVSC_EXECUTE_SRB,
                                    .flags = STORVSC_FLAG_COMPLETION_REQUESTED};
    packet.srb.length = STORVSC_SRB_SIZE;
    packet.srb.lun = lun;
    packet.srb.cdb_length = cdb_length;
    packet.srb.sense_length = STORVSC_SENSE_SIZE;
    packet.srb.data_direction = direction;
    packet.srb.data_transfer_length = size;
    memcpy(packet.srb.cdb, cdb, cdb_length);
    uint64_t id = ++channel->transaction_id;
    if (size == 0) {
        guest_send(guest, channel, VMBUS_PACKET_IN_BAND, VMBUS_PACKET_FLAG_COMPLETION_REQUESTED,
                   id, &packet, sizeof(packet));
        return id;
    }
    const uint32_t offset = (uint32_t)(gpa % HV_PAGE_SIZE);
    const uint32_t pages = (offset + size + HV_PAGE_SIZE - 1) / HV_PAGE_SIZE;
    const uint32_t head = 32 + 8 * pages;
    struct vmbus_packet_header header = {VMBUS_PACKET_GPA_DIRECT, (uint16_t)(head / 8),
                                         (uint16_t)((head + sizeof(packet)) / 8),
                                         VMBUS_PACKET_FLAG_COMPLETION_REQUESTED, id};
    const uint32_t range[4] = {0, 1, size, offset};
    memcpy(bytes, &header, sizeof(header));
    memcpy(bytes + 16, range, sizeof(range));
    for (uint64_t i = 0; i < pages; i++) {
        uint64_t number = gpa / HV_PAGE_SIZE + i;
        memcpy(bytes + 32 + 8 * i, &number, sizeof(number));
    }
    memcpy(bytes + head, &packet, sizeof(packet));
    put_packet(guest, channel, bytes, head + sizeof(packet));
    return id;
}

uint8_t guest_execute(struct guest *guest, struct guest_channel *channel, uint8_t lun,
                      const uint8_t *cdb, uint8_t cdb_length, uint8_t direction, uint64_t gpa,
                      uint32_t size, struct storvsc_packet *packet)
{
    uint64_t id = guest_srb(guest, channel, lun, cdb, cdb_length, direction, gpa, size);
    assert_int_equal(guest_completion(guest, channel, packet), id);
    return packet->srb.srb_status;
}

void guest_blocks(struct guest *guest, struct guest_channel *channel, uint8_t lun, bool write,
                  uint32_t lba, uint16_t count, uint64_t gpa)
{
    struct storvsc_packet packet;
    uint8_t cdb[10] = {write ? SCSI_WRITE_10 : SCSI_READ_10};
    be32_put(cdb + 2, lba);
    be16_put(cdb + 7, count);
    assert_int_equal(guest_execute(guest, channel, lun, cdb, sizeof(cdb),
                                   write ? STORVSC_DATA_OUT : STORVSC_DATA_IN, gpa, count * 512u,
                                   &packet),
                     STORVSC_SRB_STATUS_SUCCESS);
    assert_int_equal(packet.srb.data_transfer_length, count * 512u);
}
