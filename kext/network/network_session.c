/* SPDX-License-Identifier: BSD-3-Clause */
/* The conversation with the host: versions, buffers, RNDIS, indications. */
#include "kext/network/HyperVNetwork.h"

#include "abi/kpi/iolib.h"
#include "abi/kpi/libkern.h"

/* ---- what comes from the host ---- */

void network_indicated(struct HyperVNetwork *self, const struct rndis_control *indication)
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
    case RNDIS_STATUS_NETWORK_CHANGE: /* another network behind the same cable: addresses must be
                                         asked for anew */
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

/* ---- NVSP ---- */

int network_call(struct HyperVNetwork *self, const struct nvsp_message *message,
                 struct nvsp_message *reply, uint32_t *length)
{
    const struct ring_piece piece = { message, sizeof *message };

    *length = sizeof *reply;
    return device_channel_call(network_primary(self), &piece, 1, reply, length,
                               NETWORK_ANSWER_MILLISECONDS);
}

int network_tell(struct HyperVNetwork *self, const struct nvsp_message *message)
{
    const struct ring_piece piece = { message, sizeof *message };

    return device_channel_send(network_primary(self), &piece, 1, NETWORK_ANSWER_MILLISECONDS);
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
        error = network_call(self, &message, &reply, &length);
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
    error = device_channel_share(network_primary(self), bytes, &self->receive);
    if (error != 0)
        return error;
    nvs_receive_buffer_message(self->receive.gpadl_id, &message);
    error = network_call(self, &message, &reply, &length);
    return error != 0 ? error
                      : nvs_receive_buffer_reply(&self->nvs, &reply, length, self->receive.size);
}

static int lend_send_buffer(struct HyperVNetwork *self)
{
    struct nvsp_message message, reply;
    uint32_t length;
    int error = device_channel_share(network_primary(self), NETWORK_SEND_BYTES, &self->send);

    if (error != 0)
        return error;
    nvs_send_buffer_message(self->send.gpadl_id, &message);
    error = network_call(self, &message, &reply, &length);
    return error != 0 ? error : nvs_send_buffer_reply(&self->nvs, &reply, length, self->send.size);
}

static int set_up_nvsp(struct HyperVNetwork *self)
{
    struct nvsp_message message;
    int error = agree_on_version(self);

    if (error != 0)
        return error;
    self->mtu = self->nvs.version >= NVSP_VERSION_2 ? NETWORK_MTU : NETWORK_MTU_OLD;
    if (nvs_configuration_message(&self->nvs, self->mtu, &message) &&
        (error = network_tell(self, &message)) != 0)
        return error;
    nvs_ndis_version_message(&self->nvs, &message);
    if ((error = network_tell(self, &message)) != 0 || (error = lend_receive_buffer(self)) != 0)
        return error;
    return lend_send_buffer(self);
}

/* ---- RNDIS ---- */

/* INITIALIZE says as well how much one message may carry. */
static int initialize_rndis(struct HyperVNetwork *self)
{
    const struct network_control *control = &self->control;
    int error = network_control_initialize(self);

    if (error == 0)
        batch_limits(control->max_packets, control->max_transfer, control->alignment_factor,
                     self->nvs.section_size, &self->limits);
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
    error = network_query(self, RNDIS_OID_OFFLOAD_CAPABILITIES, &query, query.header.size,
                          &capabilities, &length);
    if (error == 0)
        error = rndis_parse_offload(&capabilities, length, ndis_6_30, &self->offload);
    if (error == 0) {
        length = rndis_offload_parameters(&self->offload, ndis_6_30,
                                          self->nvs.version >= NVSP_VERSION_6_1, &parameters);
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
    if (self->interface != NULL && memcmp(self->address.bytes, address, sizeof address) != 0)
        return HV_ERROR_REFUSED; /* the system knows an interface by its address */
    memcpy(self->address.bytes, address, sizeof address);
    return 0;
}

static void read_speed(struct HyperVNetwork *self)
{
    uint32_t speed;
    uint32_t length = sizeof speed;

    if (network_query(self, RNDIS_OID_LINK_SPEED, NULL, 0, &speed, &length) == 0 &&
        length == sizeof speed)
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

static int begin_session(struct HyperVNetwork *self)
{
    int error = set_up_nvsp(self);

    if (error == 0 && !network_send_init(self))
        error = HV_ERROR_NO_RESOURCES;
    if (error == 0)
        error = initialize_rndis(self);
    return error == 0 ? read_address(self) : error;
}

int network_connect(struct HyperVNetwork *self)
{
    int error;

    self->input_lock = IOLockAlloc();
    if (self->input_lock == NULL || !network_control_init(self))
        return HV_ERROR_NO_RESOURCES;
    error = network_open_primary(self);
    if (error == 0)
        error = begin_session(self);
    if (error != 0)
        return error;
    set_offloads(self);
    read_speed(self);
    network_open_others(self);
    network_log(self, "protocol %s, %u channels, %u receive units of %u bytes, %u sections of %u",
                version_name(self->nvs.version), (unsigned)self->queue_count,
                (unsigned)(self->nvs.receive_bytes / self->nvs.unit_size),
                (unsigned)self->nvs.unit_size, (unsigned)self->nvs.section_count,
                (unsigned)self->nvs.section_size);
    return 0;
}

/* The orderly end: frames off, RNDIS off, buffers back. A host that is gone is not told. */
static void say_goodbye(struct HyperVNetwork *self)
{
    struct nvsp_message message;

    if (self->gone || device_is_gone(self->device))
        return;
    network_control_halt(self);
    if (self->receive.descriptor != NULL) {
        nvs_revoke_message(NVS_RECEIVE_BUFFER, &message);
        network_tell(self, &message);
    }
    if (self->send.descriptor != NULL) {
        nvs_revoke_message(NVS_SEND_BUFFER, &message);
        network_tell(self, &message);
    }
    /* Nothing answers a revocation, and the memory must not go before it has been seen (FreeBSD's
     * hn waits in the same way, and as long). */
    if (device_channel_wait_taken(network_primary(self), NETWORK_ANSWER_MILLISECONDS) == 0)
        IOSleep(NETWORK_LINGER_MILLISECONDS);
}

/* Sub-channels go before the buffers that they use. */
void network_disconnect(struct HyperVNetwork *self)
{
    struct device_channel *primary = network_primary(self);

    network_close_others(self);
    if (primary != NULL) {
        if (self->nvs.version != 0)
            say_goodbye(self);
        device_channel_unshare(primary, &self->receive);
        device_channel_unshare(primary, &self->send);
    }
    network_close_primary(self);
    network_send_free(self);
    network_control_free(self);
    if (self->input_lock != NULL)
        IOLockFree(self->input_lock);
    self->input_lock = NULL;
}
