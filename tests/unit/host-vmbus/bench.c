/* SPDX-License-Identifier: BSD-3-Clause */
/* The test bench of the VMBus server. */
#include "tests/unit/host-vmbus/bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void note(struct bench *bench, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void note(struct bench *bench, const char *format, ...)
{
    size_t used = strlen(bench->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(bench->text + used, sizeof(bench->text) - used, format, arguments);
    va_end(arguments);
}

/* ---- Messages as text ---- */

static void describe_offer(struct bench *bench, const uint8_t *bytes, size_t size)
{
    struct vmbus_message_offer_channel offer = {0};
    memcpy(&offer, bytes, size < sizeof(offer) ? size : sizeof(offer));
    note(bench, "offer %u instance %x sub %u connection %x size %zu", offer.channel_id,
         offer.instance_id.data1, offer.subchannel_index, offer.connection_id, size);
    if (offer.monitor_id != VMBUS_MONITOR_NONE) {
        note(bench, " monitor %u", offer.monitor_id);
    }
}

static void describe_words(struct bench *bench, const char *name, const uint8_t *bytes,
                           size_t size)
{
    note(bench, "%s", name);
    for (size_t at = 8; at + 4 <= size; at += 4) {
        uint32_t word;
        memcpy(&word, bytes + at, sizeof(word));
        note(bench, " %x", word);
    }
    if (size % 4 != 0) {
        note(bench, " byte %x", bytes[size - 1]);
    }
}

static void describe(struct bench *bench, uint32_t processor, uint32_t sint, const void *message,
                     size_t size)
{
    static const char *const names[VMBUS_MESSAGE_TYPE_COUNT] = {
        [VMBUS_MESSAGE_RESCIND_CHANNEL] = "rescind",
        [VMBUS_MESSAGE_ALL_OFFERS_DELIVERED] = "all_offers",
        [VMBUS_MESSAGE_OPEN_RESULT] = "open_result",
        [VMBUS_MESSAGE_GPADL_CREATED] = "gpadl_created",
        [VMBUS_MESSAGE_GPADL_TORNDOWN] = "gpadl_torndown",
        [VMBUS_MESSAGE_VERSION_RESPONSE] = "version_response",
        [VMBUS_MESSAGE_UNLOAD_RESPONSE] = "unload_response",
        [VMBUS_MESSAGE_CLOSE_RESERVED_RESPONSE] = "close_reserved_response",
        [VMBUS_MESSAGE_TL_CONNECT_RESULT] = "tl_connect_result",
        [VMBUS_MESSAGE_MODIFY_CHANNEL_RESPONSE] = "modify_channel_response",
        [VMBUS_MESSAGE_MODIFY_CONNECTION_RESPONSE] = "modify_connection_response",
        [VMBUS_MESSAGE_PAUSE_RESPONSE] = "pause_response",
    };
    uint32_t type;
    memcpy(&type, message, sizeof(type));
    if (type == VMBUS_MESSAGE_OFFER_CHANNEL) {
        describe_offer(bench, message, size);
    } else {
        describe_words(bench, names[type], message, size);
    }
    if (processor != 0) {
        note(bench, " vp %u", processor);
    }
    if (sint != HV_SINT_VMBUS) {
        note(bench, " sint %u", sint);
    }
    note(bench, "\n");
}

/* ---- The server's requests ---- */

static int send_message(void *context, uint32_t processor, uint32_t sint, const void *message,
                        size_t size)
{
    struct bench *bench = context;
    if (bench->room == 0) {
        return -EAGAIN;
    }
    bench->room--;
    describe(bench, processor, sint, message, size);
    return 0;
}

static uint32_t signal_guest(void *context, uint32_t processor, uint32_t sint, uint16_t flag)
{
    note(context, "signal vp %u sint %u flag %u\n", processor, sint, flag);
    return HV_STATUS_SUCCESS;
}

static void wake_device(void *context, struct host_channel *channel)
{
    note(context, "wake %u\n", host_channel_id(channel));
}

static void violation(void *context, const struct host_violation *what)
{
    struct bench *bench = context;
    bench->violations++;
    snprintf(bench->rule, sizeof(bench->rule), "%s", what->rule);
}

static const struct vmbus_server_operations server_operations = {
    .send_message = send_message,
    .signal_guest = signal_guest,
    .wake_device = wake_device,
    .violation = violation,
};

/* ---- The device ---- */

static int opened(void *pointer, struct host_channel *channel,
                  const struct vmbus_open_request *request)
{
    struct bench_device *device = pointer;
    note(device->bench, "opened %u vp %d rings %zu %zu\n", host_channel_id(channel),
         (int)request->target_processor, request->to_host_ring_size, request->to_guest_ring_size);
    return device->open_result;
}

static void closed(void *pointer, struct host_channel *channel)
{
    struct bench_device *device = pointer;
    note(device->bench, "closed %u\n", host_channel_id(channel));
    device->last_closed = channel;
    if (!device->keep_channels) {
        host_channel_released(channel);
    }
}

static void ready(void *pointer, struct host_channel *channel)
{
    struct bench_device *device = pointer;
    if (device->ready != NULL) {
        device->ready(device, channel);
    }
}

static int gpadl_created(void *pointer, struct host_channel *channel, struct host_gpadl *gpadl)
{
    struct bench_device *device = pointer;
    note(device->bench, "device gpadl %x\n", host_gpadl_id(gpadl));
    device->last_gpadl = gpadl;
    return device->gpadl_result;
}

static void gpadl_torn_down(void *pointer, struct host_channel *channel, struct host_gpadl *gpadl)
{
    struct bench_device *device = pointer;
    note(device->bench, "device teardown %x\n", host_gpadl_id(gpadl));
    if (!device->keep_gpadls) {
        host_gpadl_released(gpadl);
    }
}

static void target_changed(void *pointer, struct host_channel *channel, uint32_t processor)
{
    struct bench_device *device = pointer;
    note(device->bench, "target %u vp %u\n", host_channel_id(channel), processor);
}

static void removed(void *pointer)
{
    struct bench_device *device = pointer;
    note(device->bench, "removed\n");
}

static const struct vmbus_device_operations device_operations = {
    .name = "bench",
    .opened = opened,
    .closed = closed,
    .ready = ready,
    .gpadl_created = gpadl_created,
    .gpadl_torn_down = gpadl_torn_down,
    .target_changed = target_changed,
    .removed = removed,
};

/* ---- Bench ---- */

struct bench *bench_create(uint32_t highest)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    /* Mapped, not allocated: most tests touch few of the pages. */
    bench->ram = mmap(NULL, BENCH_RAM_PAGES * HV_PAGE_SIZE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(bench->ram != MAP_FAILED);
    guest_memory_initialise(&bench->memory);
    assert_int_equal(
        guest_memory_add(&bench->memory, 0, BENCH_RAM_PAGES * HV_PAGE_SIZE, bench->ram), 0);
    const struct vmbus_server_configuration configuration = {
        .memory = &bench->memory,
        .processors = BENCH_PROCESSORS,
        .highest_version = highest,
        .feature_flags = VMBUS_SERVER_FEATURES,
    };
    bench->server = vmbus_server_create(&configuration, &server_operations, bench);
    assert_non_null(bench->server);
    bench->room = 1000000;
    bench->device.bench = bench;
    return bench;
}

void bench_free(struct bench *bench)
{
    vmbus_server_free(bench->server);
    munmap(bench->ram, BENCH_RAM_PAGES * HV_PAGE_SIZE);
    free(bench);
}

int bench_plug_device(struct bench *bench, struct bench_device *device, uint32_t instance,
                      uint16_t offer_flags, bool monitored)
{
    struct vmbus_device_offer offer = {
        .class_id = VMBUS_CLASS_SCSI,
        .instance_id = {.data1 = instance},
        .flags = offer_flags,
        .sub_channels_max = 4,
        .monitored = monitored,
    };
    device->bench = bench;
    return host_device_plug(bench->server, &offer, &device_operations, device, &device->primary);
}

void bench_plug(struct bench *bench)
{
    assert_int_equal(bench_plug_device(bench, &bench->device, 0xd1, 0, false), 0);
}

void bench_expect_at(struct bench *bench, const char *expected, const char *file, int line)
{
    if (strcmp(bench->text, expected) != 0) {
        print_error("expected:\n%sfound:\n%s", expected, bench->text);
        _fail(file, line);
    }
    bench->text[0] = '\0';
}

void bench_expect_violation_at(struct bench *bench, const char *part, const char *file, int line)
{
    if (bench->violations != 1 || strstr(bench->rule, part) == NULL) {
        print_error("expected one violation of \"%s\", found %u, last \"%s\"\n", part,
                    bench->violations, bench->rule);
        _fail(file, line);
    }
    bench->violations = 0;
}

uint8_t *bench_page(struct bench *bench, unsigned page)
{
    return bench->ram + (size_t)page * HV_PAGE_SIZE;
}

/* ---- The guest's messages ---- */

uint32_t bench_post(struct bench *bench, const void *message, size_t size)
{
    return vmbus_server_post_message(bench->server, VMBUS_CONNECTION_MESSAGE, message, size);
}

void bench_contact(struct bench *bench, uint32_t version)
{
    struct vmbus_message_initiate_contact contact = {
        .header.type = VMBUS_MESSAGE_INITIATE_CONTACT,
        .version = version,
    };
    if (version < VMBUS_VERSION_5_0) {
        contact.interrupt_page = INTERRUPT_PAGE * HV_PAGE_SIZE;
    } else {
        contact.target_sint = HV_SINT_VMBUS;
    }
    assert_int_equal(bench_post(bench, &contact, sizeof(contact)), HV_STATUS_SUCCESS);
}

void bench_connect(struct bench *bench, uint32_t version)
{
    bench_contact(bench, version);
    assert_true(vmbus_server_connected(bench->server));
    bench_header_message(bench, VMBUS_MESSAGE_REQUEST_OFFERS);
    bench->text[0] = '\0';
}

void bench_channel_message(struct bench *bench, uint32_t type, uint32_t channel_id)
{
    struct vmbus_message_channel message = {.header.type = type, .channel_id = channel_id};
    assert_int_equal(bench_post(bench, &message, sizeof(message)), HV_STATUS_SUCCESS);
}

void bench_header_message(struct bench *bench, uint32_t type)
{
    struct vmbus_message_header message = {.type = type};
    assert_int_equal(bench_post(bench, &message, sizeof(message)), HV_STATUS_SUCCESS);
}

unsigned bench_gpadl(struct bench *bench, uint32_t channel_id, uint32_t gpadl_id,
                     unsigned first_page, unsigned pages)
{
    union {
        uint8_t bytes[VMBUS_MESSAGE_SIZE_MAXIMUM];
        struct vmbus_message_gpadl_header header;
        struct vmbus_message_gpadl_body body;
    } message = {.header = {
        .header.type = VMBUS_MESSAGE_GPADL_HEADER,
        .channel_id = channel_id,
        .gpadl_id = gpadl_id,
        .range_buffer_length = (uint16_t)(8 * (pages + 1)),
        .range_count = 1,
    }};
    struct vmbus_gpa_range range = {.byte_count = pages * HV_PAGE_SIZE};
    size_t size = sizeof(struct vmbus_message_gpadl_header);
    memcpy(message.bytes + size, &range, sizeof(range));
    size += sizeof(range);
    unsigned messages = 0;
    for (unsigned i = 0; i < pages; i++) {
        uint64_t number = first_page + i;
        memcpy(message.bytes + size, &number, sizeof(number));
        size += sizeof(number);
        if (size + sizeof(number) > VMBUS_MESSAGE_SIZE_MAXIMUM || i + 1 == pages) {
            assert_int_equal(bench_post(bench, message.bytes, size), HV_STATUS_SUCCESS);
            messages++;
            message.body = (struct vmbus_message_gpadl_body){
                .header.type = VMBUS_MESSAGE_GPADL_BODY,
                .gpadl_id = gpadl_id,
            };
            size = sizeof(struct vmbus_message_gpadl_body);
        }
    }
    return messages;
}

void bench_teardown(struct bench *bench, uint32_t channel_id, uint32_t gpadl_id)
{
    struct vmbus_message_gpadl_teardown message = {
        .header.type = VMBUS_MESSAGE_GPADL_TEARDOWN,
        .channel_id = channel_id,
        .gpadl_id = gpadl_id,
    };
    assert_int_equal(bench_post(bench, &message, sizeof(message)), HV_STATUS_SUCCESS);
}

void bench_open(struct bench *bench, uint32_t channel_id, uint32_t gpadl_id,
                uint32_t downstream_offset, uint32_t target_vp)
{
    struct vmbus_message_open_channel message = {
        .header.type = VMBUS_MESSAGE_OPEN_CHANNEL,
        .channel_id = channel_id,
        .open_id = 0x77,
        .ring_gpadl_id = gpadl_id,
        .downstream_page_offset = downstream_offset,
        .target_vp = target_vp,
    };
    assert_int_equal(bench_post(bench, &message, sizeof(message)), HV_STATUS_SUCCESS);
}

unsigned bench_ring_page(uint32_t channel_id)
{
    return RING_PAGE + 8 * channel_id;
}

void bench_open_channel(struct bench *bench, uint32_t channel_id)
{
    memset(bench_page(bench, bench_ring_page(channel_id)), 0, 4 * HV_PAGE_SIZE);
    bench_gpadl(bench, channel_id, 100 + channel_id, bench_ring_page(channel_id), 4);
    bench_open(bench, channel_id, 100 + channel_id, 2, 0);
    assert_string_equal(
        host_channel_state_name(vmbus_server_channel(bench->server, channel_id)), "open");
    bench->text[0] = '\0';
}
