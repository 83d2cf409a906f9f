/* SPDX-License-Identifier: BSD-3-Clause */
/* The test bench of a whole machine. */
#include "tests/unit/host-vmbus/machine_bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SIMP_PAGE = 10, SIEFP_PAGE = 11, HYPERCALL_PAGE = 12, INPUT_PAGE = 13, VECTOR = 0x60 };

/* ---- The echo device ---- */

static int opened(void *pointer, struct host_channel *channel,
                  const struct vmbus_open_request *request)
{
    struct machine_bench *bench = pointer;
    bench->device_open = true;
    host_channel_set_filter(channel, &bench->packet_faults.filter);
    return 0;
}

static void closed(void *pointer, struct host_channel *channel)
{
    struct machine_bench *bench = pointer;
    bench->device_open = false;
    packet_faults_channel_closed(&bench->packet_faults, channel);
    host_channel_released(channel);
}

static void ready(void *pointer, struct host_channel *channel)
{
    struct host_packet packet;
    while (host_channel_receive(channel, &packet) == 1) {
        const struct iovec piece = {(void *)(uintptr_t)packet.payload, packet.payload_size};
        if (packet.completion_requested) {
            host_channel_complete(channel, packet.transaction_id, &piece, 1);
        } else {
            host_channel_send(channel, packet.transaction_id, false, &piece, 1);
        }
    }
}

static void removed(void *pointer)
{
    struct machine_bench *bench = pointer;
    bench->device_removed = true;
}

static const struct vmbus_device_operations device_operations = {
    .name = "echo",
    .opened = opened,
    .closed = closed,
    .ready = ready,
    .removed = removed,
};

/* ---- The machine's requests ---- */

static void raise_vector(void *context, uint32_t processor, uint8_t vector, bool auto_eoi)
{
    struct machine_bench *bench = context;
    assert_int_equal(vector, VECTOR);
    bench->vectors++;
}

static void wake_device(void *context, struct host_channel *channel)
{
    struct machine_bench *bench = context;
    bench->woken = true;
}

static void reset(void *context)
{
    struct machine_bench *bench = context;
    bench->resets++;
    host_machine_reset(&bench->machine);
}

static void crashed(void *context, const uint64_t parameters[HV_CRASH_PARAMETER_COUNT],
                    uint64_t control, const char *message)
{
}

static void violation(void *context, const struct host_violation *what)
{
    struct machine_bench *bench = context;
    bench->violations++;
}

static bool filter_post(void *context, const void *payload, size_t size, uint32_t *status)
{
    struct machine_bench *bench = context;
    return message_faults_post(&bench->message_faults, payload, size, status);
}

static bool filter_message(void *context, uint32_t processor, uint32_t sint, const void *message,
                           size_t size)
{
    struct machine_bench *bench = context;
    return message_faults_send(&bench->message_faults, processor, sint, message, size);
}

static const struct host_machine_operations machine_operations = {
    .raise_vector = raise_vector,
    .wake_device = wake_device,
    .reset = reset,
    .crashed = crashed,
    .violation = violation,
    .filter_post = filter_post,
    .filter_message = filter_message,
};

/* ---- Making it ---- */

static void write_msr(struct machine_bench *bench, uint32_t msr, uint64_t value)
{
    assert_int_equal(hypervisor_write_msr(bench->machine.hypervisor, 0, msr, value, bench->now),
                     HYPERVISOR_NO_FAULT);
}

static void enable(struct machine_bench *bench)
{
    write_msr(bench, HV_MSR_GUEST_OS_ID, 1);
    write_msr(bench, HV_MSR_HYPERCALL, HYPERCALL_PAGE << 12 | HV_MSR_PAGE_ENABLE);
    write_msr(bench, HV_MSR_SIMP, SIMP_PAGE << 12 | HV_MSR_PAGE_ENABLE);
    write_msr(bench, HV_MSR_SIEFP, SIEFP_PAGE << 12 | HV_MSR_PAGE_ENABLE);
    write_msr(bench, HV_MSR_SINT(HV_SINT_VMBUS), VECTOR);
    write_msr(bench, HV_MSR_SCONTROL, HV_SCONTROL_ENABLE);
}

struct machine_bench *machine_create(const char *release)
{
    struct machine_bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    bench->ram = aligned_alloc(HV_PAGE_SIZE, MACHINE_RAM_PAGES * HV_PAGE_SIZE);
    assert_non_null(bench->ram);
    memset(bench->ram, 0, MACHINE_RAM_PAGES * HV_PAGE_SIZE);
    guest_memory_initialise(&bench->memory);
    assert_int_equal(
        guest_memory_add(&bench->memory, 0, MACHINE_RAM_PAGES * HV_PAGE_SIZE, bench->ram), 0);
    const struct hypervisor_configuration configuration = {
        .release = host_release_find(release), .memory = &bench->memory, .processors = 1};
    assert_int_equal(host_machine_initialise(&bench->machine, &configuration,
                                             &machine_operations, bench), 0);
    fault_plan_initialise(&bench->plan, 42);
    message_faults_initialise(&bench->message_faults, &bench->machine, &bench->plan);
    packet_faults_initialise(&bench->packet_faults, &bench->plan);
    const struct vmbus_device_offer offer = {.class_id = VMBUS_CLASS_SCSI};
    assert_int_equal(host_device_plug(bench->machine.server, &offer, &device_operations, bench,
                                      &bench->device_channel), 0);
    bench->to_host = guest_ring_at(bench->ram + MACHINE_RING_PAGE * HV_PAGE_SIZE, 1);
    bench->to_guest = guest_ring_at(bench->ram + (MACHINE_RING_PAGE + 2) * HV_PAGE_SIZE, 1);
    enable(bench);
    return bench;
}

void machine_free(struct machine_bench *bench)
{
    message_faults_free(&bench->message_faults);
    packet_faults_free(&bench->packet_faults);
    host_machine_free(&bench->machine);
    free(bench->ram);
    free(bench);
}

void machine_fault(struct machine_bench *bench, const char *rule)
{
    const char *problem;
    assert_int_equal(fault_plan_add(&bench->plan, rule, &problem), 0);
}

void machine_step(struct machine_bench *bench, uint64_t time)
{
    bench->now += time;
    message_faults_run(&bench->message_faults, bench->now);
    if (bench->woken && bench->device_open) {
        bench->woken = false;
        host_channel_run(bench->device_channel);
    }
    packet_faults_run(&bench->packet_faults, bench->now);
    if (bench->packet_faults.rescind != NULL) {
        bench->packet_faults.rescind = NULL;
        host_device_unplug(bench->device_channel);
    }
}

/* ---- The guest ---- */

uint32_t machine_post(struct machine_bench *bench, const void *message, size_t size)
{
    struct hv_post_message block = {
        .connection_id = VMBUS_CONNECTION_MESSAGE,
        .message_type = HV_MESSAGE_TYPE_VMBUS,
        .payload_size = (uint32_t)size,
    };
    memcpy(block.payload, message, size);
    memcpy(bench->ram + INPUT_PAGE * HV_PAGE_SIZE, &block, sizeof(block));
    return (uint32_t)hypervisor_hypercall(bench->machine.hypervisor, 0, HV_CALL_POST_MESSAGE,
                                          INPUT_PAGE * HV_PAGE_SIZE, 0);
}

uint32_t machine_take(struct machine_bench *bench, void *message, size_t *size)
{
    struct hv_message *slot = (struct hv_message *)(void *)(bench->ram + SIMP_PAGE * HV_PAGE_SIZE);
    slot += HV_SINT_VMBUS;
    if (slot->message_type == HV_MESSAGE_TYPE_NONE) {
        return 0;
    }
    assert_int_equal(slot->message_type, HV_MESSAGE_TYPE_VMBUS);
    *size = slot->payload_size;
    memcpy(message, slot->payload, *size);
    slot->message_type = HV_MESSAGE_TYPE_NONE;
    if ((slot->message_flags & HV_MESSAGE_FLAG_PENDING) != 0) {
        write_msr(bench, HV_MSR_EOM, 0);
    }
    uint32_t type;
    memcpy(&type, message, sizeof(type));
    return type;
}

void machine_expect(struct machine_bench *bench, ...)
{
    uint8_t message[VMBUS_MESSAGE_SIZE_MAXIMUM];
    size_t size;
    va_list types;
    va_start(types, bench);
    int expected;
    do {
        expected = va_arg(types, int);
        assert_int_equal(machine_take(bench, message, &size), expected);
    } while (expected != 0);
    va_end(types);
}

void machine_contact(struct machine_bench *bench)
{
    const struct vmbus_message_initiate_contact contact = {
        .header.type = VMBUS_MESSAGE_INITIATE_CONTACT,
        .version = VMBUS_VERSION_3_0,
    };
    assert_int_equal(machine_post(bench, &contact, sizeof(contact)), HV_STATUS_SUCCESS);
}

void machine_request_offers(struct machine_bench *bench)
{
    const struct vmbus_message_header request = {.type = VMBUS_MESSAGE_REQUEST_OFFERS};
    assert_int_equal(machine_post(bench, &request, sizeof(request)), HV_STATUS_SUCCESS);
}

void machine_gpadl(struct machine_bench *bench)
{
    uint8_t message[20 + 5 * 8];
    const struct vmbus_message_gpadl_header header = {
        .header.type = VMBUS_MESSAGE_GPADL_HEADER,
        .channel_id = 1,
        .gpadl_id = MACHINE_GPADL,
        .range_buffer_length = 5 * 8,
        .range_count = 1,
    };
    const uint64_t range[] = {4 * HV_PAGE_SIZE, MACHINE_RING_PAGE, MACHINE_RING_PAGE + 1,
                              MACHINE_RING_PAGE + 2, MACHINE_RING_PAGE + 3};
    memcpy(message, &header, sizeof(header));
    memcpy(message + sizeof(header), range, sizeof(range));
    assert_int_equal(machine_post(bench, message, sizeof(message)), HV_STATUS_SUCCESS);
}

void machine_open(struct machine_bench *bench)
{
    const struct vmbus_message_open_channel open = {
        .header.type = VMBUS_MESSAGE_OPEN_CHANNEL,
        .channel_id = 1,
        .ring_gpadl_id = MACHINE_GPADL,
        .downstream_page_offset = 2,
    };
    assert_int_equal(machine_post(bench, &open, sizeof(open)), HV_STATUS_SUCCESS);
}

void machine_connect(struct machine_bench *bench)
{
    machine_contact(bench);
    machine_request_offers(bench);
    machine_gpadl(bench);
    machine_open(bench);
    machine_expect(bench, VMBUS_MESSAGE_VERSION_RESPONSE, VMBUS_MESSAGE_OFFER_CHANNEL,
                   VMBUS_MESSAGE_ALL_OFFERS_DELIVERED, VMBUS_MESSAGE_GPADL_CREATED,
                   VMBUS_MESSAGE_OPEN_RESULT, 0);
    machine_step(bench, 0);
    bench->vectors = 0;
}

void machine_request(struct machine_bench *bench, uint64_t id)
{
    guest_ring_put_words(&bench->to_host, VMBUS_PACKET_IN_BAND,
                         VMBUS_PACKET_FLAG_COMPLETION_REQUESTED, id, 4, id);
    hypervisor_hypercall(bench->machine.hypervisor, 0,
                         HV_CALL_SIGNAL_EVENT | HV_HYPERCALL_FAST, 0x2001, 0);
}

uint64_t machine_completion(struct machine_bench *bench, uint32_t *length)
{
    struct {
        struct vmbus_packet_header header;
        uint64_t words[4];
    } packet = {0};
    *length = guest_ring_take(&bench->to_guest, &packet, sizeof(packet));
    return *length == 0 ? 0 : packet.header.transaction_id;
}
