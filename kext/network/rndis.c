/* SPDX-License-Identifier: BSD-3-Clause */
/* Control messages and offload settings. */
#include "kext/network/rndis.h"

#include "kext/core/errors.h"

/* ---- requests ---- */

static uint32_t put(void *buffer, uint32_t capacity, const void *message, uint32_t length)
{
    if (capacity < length)
        return 0;
    __builtin_memcpy(buffer, message, length);
    return length;
}

uint32_t rndis_initialize_message(void *buffer, uint32_t capacity, uint32_t request_id)
{
    const struct rndis_initialize message = {
        .header = { RNDIS_INITIALIZE, sizeof message },
        .request_id = request_id,
        .major = RNDIS_MAJOR,
        .minor = RNDIS_MINOR,
        .max_transfer_size = RNDIS_TRANSFER_MAX,
    };

    return put(buffer, capacity, &message, sizeof message);
}

uint32_t rndis_halt_message(void *buffer, uint32_t capacity, uint32_t request_id)
{
    const struct rndis_request_only message = { { RNDIS_HALT, sizeof message }, request_id };

    return put(buffer, capacity, &message, sizeof message);
}

uint32_t rndis_keepalive_reply(void *buffer, uint32_t capacity, uint32_t request_id)
{
    const struct rndis_status_complete message = {
        .header = { RNDIS_KEEPALIVE | RNDIS_COMPLETION, sizeof message },
        .request_id = request_id,
        .status = RNDIS_STATUS_SUCCESS,
    };

    return put(buffer, capacity, &message, sizeof message);
}

static uint32_t request_message(void *buffer, uint32_t capacity, uint32_t type, uint32_t request_id,
                                uint32_t oid, const void *information, uint32_t length)
{
    /* The offset is given even without information: hosts refuse 0. */
    const struct rndis_request message = {
        .header = { type, (uint32_t)sizeof message + length },
        .request_id = request_id,
        .oid = oid,
        .information_length = length,
        .information_offset = RNDIS_REQUEST_INFORMATION_OFFSET,
    };

    if (length > capacity || capacity - length < sizeof message)
        return 0;
    __builtin_memcpy(buffer, &message, sizeof message);
    if (length != 0)
        __builtin_memcpy((uint8_t *)buffer + sizeof message, information, length);
    return message.header.length;
}

uint32_t rndis_query_message(void *buffer, uint32_t capacity, uint32_t request_id, uint32_t oid,
                             const void *information, uint32_t length)
{
    return request_message(buffer, capacity, RNDIS_QUERY, request_id, oid, information, length);
}

uint32_t rndis_set_message(void *buffer, uint32_t capacity, uint32_t request_id, uint32_t oid,
                           const void *information, uint32_t length)
{
    return request_message(buffer, capacity, RNDIS_SET, request_id, oid, information, length);
}

/* ---- replies and indications ---- */

/* Information at `offset` from byte 8; none at all is allowed. */
static int locate(const void *message, uint32_t size, uint32_t offset, uint32_t length,
                  uint32_t header, struct rndis_control *control)
{
    if (length == 0)
        return 0;
    if (offset < header - RNDIS_OFFSET_BASE || offset > size - RNDIS_OFFSET_BASE ||
        length > size - RNDIS_OFFSET_BASE - offset)
        return HV_ERROR_MALFORMED;
    control->data = (const uint8_t *)message + RNDIS_OFFSET_BASE + offset;
    control->length = length;
    return 0;
}

static int parse_query(const void *message, uint32_t size, struct rndis_control *control)
{
    struct rndis_query_complete complete;

    if (size < sizeof complete)
        return HV_ERROR_MALFORMED;
    __builtin_memcpy(&complete, message, sizeof complete);
    return locate(message, size, complete.information_offset, complete.information_length,
                  sizeof complete, control);
}

static int parse_initialize(const void *message, uint32_t size, struct rndis_control *control)
{
    struct rndis_initialize_complete complete;

    if (size < sizeof complete)
        return HV_ERROR_MALFORMED;
    __builtin_memcpy(&complete, message, sizeof complete);
    if (complete.alignment_factor > 12) /* beyond a page it makes no sense */
        return HV_ERROR_MALFORMED;
    control->max_packets = complete.max_packets_per_message;
    control->max_transfer = complete.max_transfer_size;
    control->alignment_factor = complete.alignment_factor;
    return 0;
}

static int parse_status(const void *message, uint32_t size, struct rndis_control *control)
{
    struct rndis_indicate_status indication;

    if (size < sizeof indication)
        return HV_ERROR_MALFORMED;
    __builtin_memcpy(&indication, message, sizeof indication);
    control->kind = RNDIS_CONTROL_STATUS;
    control->status = indication.status;
    return locate(message, size, indication.buffer_offset, indication.buffer_length,
                  sizeof indication, control);
}

int rndis_parse_control(const void *message, uint32_t size, struct rndis_control *control)
{
    struct rndis_status_complete head = { { 0, 0 }, 0, 0 };

    *control = (struct rndis_control){ .kind = RNDIS_CONTROL_REPLY };
    if (size < sizeof(struct rndis_request_only))
        return HV_ERROR_MALFORMED;
    __builtin_memcpy(&head, message, size < sizeof head ? size : sizeof head);
    if (head.header.length < sizeof(struct rndis_request_only) || head.header.length > size)
        return HV_ERROR_MALFORMED;
    size = head.header.length;
    control->type = head.header.type;
    control->request_id = head.request_id;
    if (head.header.type == RNDIS_INDICATE_STATUS)
        return parse_status(message, size, control);
    if (head.header.type == RNDIS_KEEPALIVE) {
        control->kind = RNDIS_CONTROL_KEEPALIVE;
        return 0;
    }
    if (size < sizeof head)
        return HV_ERROR_MALFORMED;
    control->status = head.status;
    switch (head.header.type) {
    case RNDIS_INITIALIZE | RNDIS_COMPLETION:
        return parse_initialize(message, size, control);
    case RNDIS_QUERY | RNDIS_COMPLETION:
        return parse_query(message, size, control);
    case RNDIS_SET | RNDIS_COMPLETION:
    case RNDIS_KEEPALIVE | RNDIS_COMPLETION:
        return 0;
    default:
        return HV_ERROR_MALFORMED;
    }
}

/* ---- offloads ---- */

void rndis_offload_query(bool ndis_6_30, struct ndis_offload *query)
{
    *query = (struct ndis_offload){
        .header = { NDIS_OBJECT_OFFLOAD, ndis_6_30 ? 3 : 2,
                    ndis_6_30 ? NDIS_OFFLOAD_SIZE_3 : NDIS_OFFLOAD_SIZE_2 },
    };
}

static uint32_t lso_size(const struct ndis_lso_v2 *lso)
{
    enum { IP_PACKET_MAX = 65535 };

    if ((lso->encapsulation & NDIS_ENCAPSULATION_8023) == 0 || lso->max_size < 4096)
        return 0;
    return lso->max_size < IP_PACKET_MAX ? lso->max_size : IP_PACKET_MAX;
}

int rndis_parse_offload(const void *information, uint32_t length, bool with_udp,
                        struct rndis_offload *offload)
{
    struct ndis_offload host = { .flags = 0 };

    *offload = (struct rndis_offload){ .lso_ipv4 = 0 };
    if (length < NDIS_OFFLOAD_SIZE_1)
        return HV_ERROR_MALFORMED;
    __builtin_memcpy(&host, information, length < sizeof host ? length : sizeof host);
    if (host.header.type != NDIS_OBJECT_OFFLOAD || host.header.size < NDIS_OFFLOAD_SIZE_1)
        return HV_ERROR_MALFORMED;
    offload->transmit_ipv4 = (host.ipv4_transmit.flags & NDIS_CHECKSUM_IP_HEADER) != 0;
    offload->transmit_tcp_ipv4 = (host.ipv4_transmit.flags & NDIS_CHECKSUM_TCP) != 0;
    offload->transmit_udp_ipv4 = with_udp && (host.ipv4_transmit.flags & NDIS_CHECKSUM_UDP) != 0;
    offload->transmit_tcp_ipv6 = (host.ipv6_transmit.flags & NDIS_CHECKSUM_TCP) != 0;
    offload->transmit_udp_ipv6 = with_udp && (host.ipv6_transmit.flags & NDIS_CHECKSUM_UDP) != 0;
    offload->receive = (host.ipv4_receive.flags & NDIS_CHECKSUM_TCP) != 0;
    if (offload->transmit_tcp_ipv4)
        offload->lso_ipv4 = lso_size(&host.lso_ipv4);
    if (offload->transmit_tcp_ipv6)
        offload->lso_ipv6 = lso_size(&host.lso_ipv6);
    return 0;
}

static uint8_t checksum_setting(bool transmit, bool receive)
{
    if (transmit)
        return receive ? NDIS_OFFLOAD_CHECKSUM_BOTH : NDIS_OFFLOAD_CHECKSUM_TX;
    return receive ? NDIS_OFFLOAD_CHECKSUM_RX : NDIS_OFFLOAD_OFF;
}

uint32_t rndis_offload_parameters(const struct rndis_offload *offload, bool ndis_6_30, bool rsc,
                                  struct ndis_offload_parameters *parameters)
{
    uint16_t size = ndis_6_30 ? NDIS_OFFLOAD_PARAMETERS_SIZE_3 : NDIS_OFFLOAD_PARAMETERS_SIZE_2;

    *parameters = (struct ndis_offload_parameters){
        .header = { NDIS_OBJECT_DEFAULT, ndis_6_30 ? 3 : 2, size },
        .ipv4_checksum = checksum_setting(offload->transmit_ipv4, offload->receive),
        .tcp_ipv4 = checksum_setting(offload->transmit_tcp_ipv4, offload->receive),
        .tcp_ipv6 = checksum_setting(offload->transmit_tcp_ipv6, offload->receive),
        .lso_v2_ipv4 = offload->lso_ipv4 != 0 ? NDIS_OFFLOAD_ON : NDIS_OFFLOAD_OFF,
        .lso_v2_ipv6 = offload->lso_ipv6 != 0 ? NDIS_OFFLOAD_ON : NDIS_OFFLOAD_OFF,
    };
    if (ndis_6_30) { /* older hosts get the bytes for UDP wrong */
        parameters->udp_ipv4 = checksum_setting(offload->transmit_udp_ipv4, offload->receive);
        parameters->udp_ipv6 = checksum_setting(offload->transmit_udp_ipv6, offload->receive);
        parameters->rsc_ipv4 = parameters->rsc_ipv6 = rsc ? NDIS_OFFLOAD_ON : NDIS_OFFLOAD_OFF;
        return sizeof *parameters;
    }
    return size;
}
