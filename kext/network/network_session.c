/* SPDX-License-Identifier: BSD-3-Clause */
/* The conversation with the host: versions, buffers, RNDIS requests, indications. */
#include "kext/network/HyperVNetwork.h"

#include "abi/kpi/libkern.h"
#include "abi/kpi/threads.h"
#include "abi/kpi/time.h"

/* ---- RNDIS requests ---- */

static uint64_t deadline_after(uint32_t milliseconds)
{
    uint64_t deadline;

    clock_interval_to_deadline(milliseconds, kMillisecondScale, &deadline);
    return deadline;
}

/* Waits under the control lock until `*flag` is `wanted`. 0, HV_ERROR_TIMED_OUT or HV_ERROR_GONE. */
static int wait_for(struct HyperVNetwork *self, const bool *flag, bool wanted, uint64_t deadline)
{
    while (*(volatile const bool *)flag != wanted) {
        if (self->gone)
            return HV_ERROR_GONE;
        if (IOLockSleepDeadline(self->control.lock, &self->control, deadline, THREAD_UNINT) == THREAD_TIMED_OUT &&
            *(volatile const bool *)flag != wanted)
            return HV_ERROR_TIMED_OUT;
    }
    return 0;
}

/* Sends the request in control.memory; the control lock is not held. */
static int send_control(struct HyperVNetwork *self, uint32_t length)
{
    const uint64_t page = dma_memory_page_number(&self->control.memory, 0);
    const struct gpa_range range = { .length = length, .offset = 0, .page_numbers = &page };
    struct nvsp_message message;
    const struct ring_piece piece = { &message, sizeof message };
    int error = device_channel_begin(self->channel);

    if (error != 0)
        return error;
    nvs_rndis_message(NVSP_CHANNEL_CONTROL, NVSP_NO_SECTION, 0, &message);
    error = device_channel_append_gpa_direct(self->channel, &range, 1, &piece, 1, &self->control.request);
    device_channel_commit(self->channel);
    return error;
}

enum control_what { CONTROL_INITIALIZE, CONTROL_HALT, CONTROL_QUERY, CONTROL_SET };

static const uint32_t control_types[] = {
    [CONTROL_INITIALIZE] = RNDIS_INITIALIZE,
    [CONTROL_HALT] = RNDIS_HALT,
    [CONTROL_QUERY] = RNDIS_QUERY,
    [CONTROL_SET] = RNDIS_SET,
};

static uint32_t build(struct network_control *control, enum control_what what, uint32_t oid, const void *input,
                      uint32_t input_length)
{
    void *buffer = control->memory.bytes;

    switch (what) {
    case CONTROL_INITIALIZE:
        return rndis_initialize_message(buffer, NETWORK_CONTROL_BYTES, control->request_id);
    case CONTROL_HALT:
        return rndis_halt_message(buffer, NETWORK_CONTROL_BYTES, control->request_id);
    case CONTROL_QUERY:
        return rndis_query_message(buffer, NETWORK_CONTROL_BYTES, control->request_id, oid, input, input_length);
    default:
        return rndis_set_message(buffer, NETWORK_CONTROL_BYTES, control->request_id, oid, input, input_length);
    }
}

/* One request and its reply, both under `turn`. The reply's carrier and the request's completion come in any order;
 * the request's memory is used again only when the host has given it back. */
static int converse(struct HyperVNetwork *self, enum control_what what, uint32_t oid, const void *input,
                    uint32_t input_length)
{
    struct network_control *control = &self->control;
    uint64_t deadline = deadline_after(NETWORK_ANSWER_MILLISECONDS);
    uint32_t length;
    int error;

    IOLockLock(control->lock);
    error = wait_for(self, &control->outstanding, false, deadline);
    if (error == 0) {
        control->request_id++;
        control->reply_type = control_types[what] | RNDIS_COMPLETION;
        control->answered = false;
        control->waiting = what != CONTROL_HALT;
        control->outstanding = true;
    }
    IOLockUnlock(control->lock);
    if (error != 0)
        return error;
    length = build(control, what, oid, input, input_length);
    error = length == 0 ? HV_ERROR_TOO_LARGE : send_control(self, length);
    IOLockLock(control->lock);
    if (error != 0)
        control->outstanding = false;
    else
        error = wait_for(self, what == CONTROL_HALT ? &control->outstanding : &control->answered,
                         what != CONTROL_HALT, deadline);
    control->waiting = false;
    IOLockUnlock(control->lock);
    if (error == 0 && what != CONTROL_HALT && control->status != RNDIS_STATUS_SUCCESS)
        error = HV_ERROR_REFUSED;
    return error;
}

int network_query(struct HyperVNetwork *self, uint32_t oid, const void *input, uint32_t input_length, void *data,
                  uint32_t *length)
{
    struct network_control *control = &self->control;
    int error;

    IOLockLock(control->turn);
    error = converse(self, CONTROL_QUERY, oid, input, input_length);
    if (error == 0) {
        if (*length > control->length)
            *length = control->length;
        memcpy(data, control->data, *length);
    }
    IOLockUnlock(control->turn);
    return error;
}

int network_set(struct HyperVNetwork *self, uint32_t oid, const void *data, uint32_t length)
{
    int error;

    IOLockLock(self->control.turn);
    error = converse(self, CONTROL_SET, oid, data, length);
    IOLockUnlock(self->control.turn);
    return error;
}

void network_control_carried(struct HyperVNetwork *self)
{
    IOLockLock(self->control.lock);
    self->control.outstanding = false;
    IOLockWakeup(self->control.lock, &self->control, false);
    IOLockUnlock(self->control.lock);
}

/* ---- what comes from the host ---- */

static void take_reply(struct HyperVNetwork *self, const struct rndis_control *reply)
{
    struct network_control *control = &self->control;

    IOLockLock(control->lock);
    if (control->waiting && !control->answered && reply->request_id == control->request_id &&
        reply->type == control->reply_type) {
        control->status = reply->status;
        control->length = reply->length < sizeof control->data ? reply->length : (uint32_t)sizeof control->data;
        if (control->length != 0)
            memcpy(control->data, reply->data, control->length);
        control->max_packets = reply->max_packets;
        control->max_transfer = reply->max_transfer;
        control->alignment_factor = reply->alignment_factor;
        control->answered = true;
        IOLockWakeup(control->lock, control, false);
    } else {
        self->counters.control_unexpected++;
    }
    IOLockUnlock(control->lock);
}

static void take_indication(struct HyperVNetwork *self, const struct rndis_control *indication)
{
    uint32_t speed;

    self->counters.indications++;
    switch (indication->status) {
    case RNDIS_STATUS_MEDIA_CONNECT:
        network_link_changed(self, true);
        break;
    case RNDIS_STATUS_MEDIA_DISCONNECT:
        network_link_changed(self, false);
        break;
    case RNDIS_STATUS_NETWORK_CHANGE: /* another network behind the same cable: addresses must be asked for anew */
        network_link_changed(self, false);
        network_link_changed(self, true);
        break;
    case RNDIS_STATUS_LINK_SPEED_CHANGE:
        if (indication->length < sizeof speed)
            break;
        memcpy(&speed, indication->data, sizeof speed);
        self->link_speed = (uint64_t)speed * 100;
        network_link_changed(self, true);
        break;
    default: /* the offloads in use, and the like: for information */
        break;
    }
}

void network_control_arrived(struct HyperVNetwork *self, const void *message, uint32_t size)
{
    struct rndis_control control;

    if (rndis_parse_control(message, size, &control) != 0) {
        if (hv_log_now(++self->counters.receive_malformed))
            network_log(self, "a malformed RNDIS message was dropped");
        return;
    }
    if (control.kind == RNDIS_CONTROL_REPLY)
        take_reply(self, &control);
    else if (control.kind == RNDIS_CONTROL_STATUS)
        take_indication(self, &control);
    else
        self->counters.control_unexpected++; /* keep-alive: no host known sends it; silence is allowed */
}

/* ---- NVSP ---- */

static int call(struct HyperVNetwork *self, const struct nvsp_message *message, struct nvsp_message *reply,
                uint32_t *length)
{
    const struct ring_piece piece = { message, sizeof *message };

    *length = sizeof *reply;
    return device_channel_call(self->channel, &piece, 1, reply, length, NETWORK_ANSWER_MILLISECONDS);
}

static int tell(struct HyperVNetwork *self, const struct nvsp_message *message)
{
    const struct ring_piece piece = { message, sizeof *message };

    return device_channel_send(self->channel, &piece, 1, NETWORK_ANSWER_MILLISECONDS);
}

static int agree_on_version(struct HyperVNetwork *self)
{
    struct nvsp_message message, reply;
    uint32_t length;
    bool again;
    int error;

    nvs_begin(&self->nvs, &message);
    do {
        again = false;
        error = call(self, &message, &reply, &length);
        if (error == 0)
            error = nvs_version_reply(&self->nvs, &reply, length, &message, &again);
    } while (again);
    return error;
}

static int lend_receive_buffer(struct HyperVNetwork *self)
{
    uint32_t bytes = NETWORK_RECEIVE_BYTES;
    struct nvsp_message message, reply;
    uint32_t length;
    int error;

    if (bytes > nvs_receive_buffer_maximum(&self->nvs))
        bytes = nvs_receive_buffer_maximum(&self->nvs);
    error = device_channel_share(self->channel, bytes, &self->receive);
    if (error != 0)
        return error;
    nvs_receive_buffer_message(self->receive.gpadl_id, &message);
    error = call(self, &message, &reply, &length);
    return error != 0 ? error : nvs_receive_buffer_reply(&self->nvs, &reply, length, self->receive.size);
}

static int lend_send_buffer(struct HyperVNetwork *self)
{
    struct nvsp_message message, reply;
    uint32_t length;
    int error = device_channel_share(self->channel, NETWORK_SEND_BYTES, &self->send);

    if (error != 0)
        return error;
    nvs_send_buffer_message(self->send.gpadl_id, &message);
    error = call(self, &message, &reply, &length);
    return error != 0 ? error : nvs_send_buffer_reply(&self->nvs, &reply, length, self->send.size);
}

static int set_up_nvsp(struct HyperVNetwork *self)
{
    struct nvsp_message message;
    int error = agree_on_version(self);

    if (error != 0)
        return error;
    self->mtu = self->nvs.version >= NVSP_VERSION_2 ? NETWORK_MTU : NETWORK_MTU_OLD;
    if (nvs_configuration_message(&self->nvs, self->mtu, &message) && (error = tell(self, &message)) != 0)
        return error;
    nvs_ndis_version_message(&self->nvs, &message);
    if ((error = tell(self, &message)) != 0 || (error = lend_receive_buffer(self)) != 0)
        return error;
    return lend_send_buffer(self);
}

/* ---- RNDIS ---- */

static int initialize_rndis(struct HyperVNetwork *self)
{
    int error;

    IOLockLock(self->control.turn);
    error = converse(self, CONTROL_INITIALIZE, 0, NULL, 0);
    IOLockUnlock(self->control.turn);
    return error;
}

/* Offloads that cannot be had are done without. */
static void set_offloads(struct HyperVNetwork *self)
{
    bool ndis_6_30 = self->nvs.version >= NVSP_VERSION_5;
    struct ndis_offload capabilities, query;
    struct ndis_offload_parameters parameters;
    uint32_t length = sizeof capabilities;
    int error;

    rndis_offload_query(ndis_6_30, &query);
    error = network_query(self, RNDIS_OID_OFFLOAD_CAPABILITIES, &query, query.header.size, &capabilities, &length);
    if (error == 0)
        error = rndis_parse_offload(&capabilities, length, ndis_6_30, &self->offload);
    if (error == 0) {
        length = rndis_offload_parameters(&self->offload, ndis_6_30, self->nvs.version >= NVSP_VERSION_6_1,
                                          &parameters);
        error = network_set(self, RNDIS_OID_OFFLOAD_PARAMETERS, &parameters, length);
    }
    if (error != 0) {
        network_log(self, "no offloads: error %d", error);
        self->offload = (struct rndis_offload){ .receive = false };
    }
}

static int read_address(struct HyperVNetwork *self)
{
    uint8_t address[6];
    uint32_t length = sizeof address;
    int error = network_query(self, RNDIS_OID_PERMANENT_ADDRESS, NULL, 0, address, &length);

    if (error != 0)
        return error;
    if (length != sizeof address || (address[0] & 1) != 0)
        return HV_ERROR_MALFORMED;
    memcpy(self->address.bytes, address, sizeof address);
    return 0;
}

static void read_speed(struct HyperVNetwork *self)
{
    uint32_t speed;
    uint32_t length = sizeof speed;

    if (network_query(self, RNDIS_OID_LINK_SPEED, NULL, 0, &speed, &length) == 0 && length == sizeof speed)
        self->link_speed = (uint64_t)speed * 100;
}

int network_set_filter(struct HyperVNetwork *self)
{
    uint32_t filter = 0;

    if (self->enabled && self->promiscuous)
        filter = RNDIS_FILTER_PROMISCUOUS;
    else if (self->enabled)
        filter = RNDIS_FILTER_DIRECTED | RNDIS_FILTER_BROADCAST |
                 (self->multicast ? RNDIS_FILTER_ALL_MULTICAST : 0);
    return network_set(self, RNDIS_OID_PACKET_FILTER, &filter, sizeof filter);
}

/* ---- opening and closing ---- */

static void channel_gone(void *owner, struct device_channel *channel)
{
    struct HyperVNetwork *self = owner;

    (void)channel;
    IOLockLock(self->control.lock);
    self->gone = true;
    IOLockWakeup(self->control.lock, &self->control, false);
    IOLockUnlock(self->control.lock);
}

static int open_channel(struct HyperVNetwork *self)
{
    static const uint8_t no_properties[VMBUS_USER_DATA_SIZE];
    const struct device_channel_options options = {
        .transmit_pages = NETWORK_RING_PAGES,
        .receive_pages = NETWORK_RING_PAGES,
        .request_maximum = NETWORK_REQUESTS_MAX,
        .packet_maximum = 16384, /* the header of a transfer-page packet with 562 ranges is 4512 bytes */
        .target_processor = DEVICE_CHANNEL_ANY_PROCESSOR,
        .user_data = no_properties,
        .owner = self,
        .handlers = {
            .packet = network_packet,
            .completion = network_completion,
            .drained = network_drained,
            .room = network_room,
            .gone = channel_gone,
        },
    };

    return device_channel_open(self->device, 0, &options, &self->channel);
}

static const char *version_name(uint32_t version)
{
    switch (version) {
    case NVSP_VERSION_1: return "1";
    case NVSP_VERSION_2: return "2";
    case NVSP_VERSION_4: return "4";
    case NVSP_VERSION_5: return "5";
    case NVSP_VERSION_6: return "6";
    default: return "6.1";
    }
}

int network_connect(struct HyperVNetwork *self)
{
    int error;

    self->control.turn = IOLockAlloc();
    self->control.lock = IOLockAlloc();
    self->control.request.kind = NETWORK_REQUEST_CONTROL;
    if (self->control.turn == NULL || self->control.lock == NULL ||
        dma_memory_allocate(&self->control.memory, NETWORK_CONTROL_BYTES, true) != 0)
        return HV_ERROR_NO_RESOURCES;
    error = open_channel(self);
    if (error != 0)
        return error;
    error = set_up_nvsp(self);
    if (error != 0)
        return error;
    if (!network_transmit_init(self))
        return HV_ERROR_NO_RESOURCES;
    error = initialize_rndis(self);
    if (error == 0)
        error = read_address(self);
    if (error != 0)
        return error;
    set_offloads(self);
    read_speed(self);
    network_log(self, "protocol %s, %u receive units of %u bytes, %u sections of %u",
                version_name(self->nvs.version), (unsigned)(self->nvs.receive_bytes / self->nvs.unit_size),
                (unsigned)self->nvs.unit_size, (unsigned)self->nvs.section_count, (unsigned)self->nvs.section_size);
    return 0;
}

/* The orderly end: frames off, RNDIS off, buffers back. A host that is gone is not told. */
static void say_goodbye(struct HyperVNetwork *self)
{
    struct nvsp_message message;

    if (self->gone || device_is_gone(self->device))
        return;
    IOLockLock(self->control.turn);
    converse(self, CONTROL_HALT, 0, NULL, 0);
    IOLockUnlock(self->control.turn);
    if (self->receive.descriptor != NULL) {
        nvs_revoke_message(NVS_RECEIVE_BUFFER, &message);
        tell(self, &message);
    }
    if (self->send.descriptor != NULL) {
        nvs_revoke_message(NVS_SEND_BUFFER, &message);
        tell(self, &message);
    }
}

void network_disconnect(struct HyperVNetwork *self)
{
    if (self->channel != NULL) {
        if (self->nvs.version != 0)
            say_goodbye(self);
        device_channel_unshare(self->channel, &self->receive);
        device_channel_unshare(self->channel, &self->send);
        device_channel_close(self->channel);
        self->channel = NULL;
    }
    network_receive_end(self);
    network_transmit_free(self);
    if (self->control.outstanding)
        dma_memory_leak(&self->control.memory, "HyperVNetwork");
    dma_memory_free(&self->control.memory);
    if (self->control.turn != NULL)
        IOLockFree(self->control.turn);
    if (self->control.lock != NULL)
        IOLockFree(self->control.lock);
    self->control.turn = self->control.lock = NULL;
}
