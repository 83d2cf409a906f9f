/* SPDX-License-Identifier: BSD-3-Clause */
/* RNDIS control messages. What each OID answers: OpenVMM netvsp, Linux rndis_filter.c. */
#include "host/devices/netvsc_control.h"

#include <stdio.h>
#include <string.h>

#include "protocol/netvsc.h"

enum {
    FRAME_HEADER_BYTES = 14,
    SPEED_UNIT = 100, /* bit/s */
    BUFFER_SPACE = 0x40000,
    MAC_OPTIONS = 0x24d,
    DRIVER_VERSION = 0x0100,
    CONFIG_STRING = 2,
    LINK_DUPLEX_FULL = 2,
};

void netvsc_control_reset(struct netvsc_control *control)
{
    struct netvsc_control fresh = {
        .link_speed = control->link_speed,
        .link_up = control->link_up,
        .queues_max = control->queues_max,
        .queues = 1,
        .mtu = NVSP_MTU_DEFAULT,
    };
    memcpy(fresh.permanent_address, control->permanent_address, sizeof(fresh.permanent_address));
    memcpy(fresh.address, control->permanent_address, sizeof(fresh.address));
    *control = fresh;
}

/* ---- Queries: each fills `to` (NETVSC_CONTROL_REPLY_MAX - 24 bytes) and sets *size ---- */

static void put(uint8_t *to, uint32_t *size, const void *from, uint32_t bytes)
{
    memcpy(to, from, bytes);
    *size = bytes;
}

static void put32(uint8_t *to, uint32_t *size, uint32_t value)
{
    put(to, size, &value, sizeof(value));
}

static void query_offload(const struct netvsc_control *control, uint8_t *to, uint32_t *size)
{
    const bool has_udp = control->nvsp_version >= NVSP_VERSION_5;
    const bool revision_3 = control->nvsp_version >= NVSP_VERSION_5;
    const uint32_t ipv4 = NDIS_CHECKSUM_IP_OPTIONS | NDIS_CHECKSUM_TCP_OPTIONS |
                          NDIS_CHECKSUM_TCP | NDIS_CHECKSUM_IP_HEADER |
                          (has_udp ? NDIS_CHECKSUM_UDP : 0);
    const uint32_t ipv6 = NDIS_CHECKSUM_IPV6_EXTENSIONS | NDIS_CHECKSUM_TCP_OPTIONS |
                          NDIS_CHECKSUM_TCP | (has_udp ? NDIS_CHECKSUM_UDP : 0);
    const struct ndis_lso_v2 lso = {NDIS_ENCAPSULATION_8023, NETVSC_LSO_SIZE_MAX,
                                    NETVSC_LSO_SEGMENTS_MIN};
    struct ndis_offload offload = {
        .header = {NDIS_OBJECT_OFFLOAD, revision_3 ? 3 : 2,
                   revision_3 ? NDIS_OFFLOAD_SIZE_3 : NDIS_OFFLOAD_SIZE_2},
        .ipv4_transmit = {NDIS_ENCAPSULATION_8023, ipv4},
        .ipv4_receive = {NDIS_ENCAPSULATION_8023, ipv4},
        .ipv6_transmit = {NDIS_ENCAPSULATION_8023, ipv6},
        .ipv6_receive = {NDIS_ENCAPSULATION_8023, ipv6},
        .lso_ipv4 = lso,
        .lso_ipv6 = lso,
        .lso_ipv6_flags = NDIS_LSO_IPV6_EXTENSIONS | NDIS_LSO_IPV6_TCP_OPTIONS,
    };
    put(to, size, &offload, offload.header.size);
}

static void query_rss(const struct netvsc_control *control, uint8_t *to, uint32_t *size)
{
    const struct ndis_rss_capabilities capabilities = {
        .header = {NDIS_OBJECT_RSS_CAPABILITIES, 2, sizeof(capabilities)},
        .flags = NDIS_RSS_HASH_TOEPLITZ | NDIS_RSS_CAPABILITY_TCP_IPV4 |
                 NDIS_RSS_CAPABILITY_TCP_IPV6,
        .messages = 1,
        .receive_queues = control->queues_max,
        .indirection_entries = NDIS_RSS_TABLE_ENTRIES,
    };
    put(to, size, &capabilities, sizeof(capabilities));
}

static void query_link_state(const struct netvsc_control *control, uint8_t *to, uint32_t *size)
{
    const struct ndis_link_state state = {
        .header = {NDIS_OBJECT_DEFAULT, 1, sizeof(state)},
        .connect = control->link_up ? 1 : 2,
        .duplex = LINK_DUPLEX_FULL,
        .transmit_speed = control->link_speed,
        .receive_speed = control->link_speed,
    };
    put(to, size, &state, sizeof(state));
}

static void query_supported(uint8_t *to, uint32_t *size)
{
    static const uint32_t supported[] = {
        RNDIS_OID_SUPPORTED_LIST, RNDIS_OID_HARDWARE_STATUS, RNDIS_OID_MEDIA_SUPPORTED,
        RNDIS_OID_MEDIA_IN_USE, RNDIS_OID_MAXIMUM_LOOKAHEAD, RNDIS_OID_MAXIMUM_FRAME_SIZE,
        RNDIS_OID_LINK_SPEED, RNDIS_OID_VENDOR_ID, RNDIS_OID_VENDOR_DESCRIPTION,
        RNDIS_OID_PACKET_FILTER, RNDIS_OID_CURRENT_LOOKAHEAD, RNDIS_OID_DRIVER_VERSION,
        RNDIS_OID_MAXIMUM_TOTAL_SIZE, RNDIS_OID_MAC_OPTIONS, RNDIS_OID_MEDIA_CONNECT_STATUS,
        RNDIS_OID_MAXIMUM_SEND_PACKETS, RNDIS_OID_VENDOR_DRIVER_VERSION,
        RNDIS_OID_NETWORK_LAYER_ADDRESSES, RNDIS_OID_RSS_CAPABILITIES, RNDIS_OID_RSS_PARAMETERS,
        RNDIS_OID_LINK_STATE, RNDIS_OID_CONFIG_PARAMETER, RNDIS_OID_PERMANENT_ADDRESS,
        RNDIS_OID_CURRENT_ADDRESS, RNDIS_OID_MAXIMUM_LIST_SIZE, RNDIS_OID_OFFLOAD_ENCAPSULATION,
        RNDIS_OID_OFFLOAD_CURRENT, RNDIS_OID_OFFLOAD_PARAMETERS, RNDIS_OID_OFFLOAD_CAPABILITIES,
    };
    put(to, size, supported, sizeof(supported));
}

/* OIDs whose answer is one number. */
static bool query_number(const struct netvsc_control *control, uint32_t oid, uint32_t *value)
{
    switch (oid) {
    case RNDIS_OID_HARDWARE_STATUS:
    case RNDIS_OID_MEDIA_SUPPORTED:
    case RNDIS_OID_MEDIA_IN_USE:
    case RNDIS_OID_PACKET_FILTER:
    case RNDIS_OID_MAXIMUM_LIST_SIZE:
    case RNDIS_OID_RECEIVE_ERROR_ALIGNMENT:
    case RNDIS_OID_TRANSMIT_ONE_COLLISION:
    case RNDIS_OID_TRANSMIT_MORE_COLLISIONS:
        *value = 0;
        return true;
    case RNDIS_OID_MAXIMUM_LOOKAHEAD:
    case RNDIS_OID_CURRENT_LOOKAHEAD:
    case RNDIS_OID_MAXIMUM_FRAME_SIZE:
        *value = control->mtu - FRAME_HEADER_BYTES;
        return true;
    case RNDIS_OID_MAXIMUM_TOTAL_SIZE:
        *value = control->mtu;
        return true;
    case RNDIS_OID_LINK_SPEED:
        *value = (uint32_t)(control->link_speed / SPEED_UNIT);
        return true;
    case RNDIS_OID_VENDOR_ID:
        *value = 0x0000155d;
        return true;
    case RNDIS_OID_MAC_OPTIONS:
        *value = MAC_OPTIONS;
        return true;
    case RNDIS_OID_MEDIA_CONNECT_STATUS:
        *value = control->link_up ? RNDIS_MEDIA_CONNECTED : RNDIS_MEDIA_DISCONNECTED;
        return true;
    case RNDIS_OID_MAXIMUM_SEND_PACKETS:
        *value = UINT32_MAX;
        return true;
    default:
        return false;
    }
}

static uint32_t query(const struct netvsc_control *control, uint32_t oid, uint8_t *to,
                      uint32_t *size)
{
    static const char vendor[] = "Microsoft Corporation";
    const uint16_t driver_version = DRIVER_VERSION;
    uint32_t value;
    if (query_number(control, oid, &value)) {
        put32(to, size, value);
        return RNDIS_STATUS_SUCCESS;
    }
    switch (oid) {
    case RNDIS_OID_SUPPORTED_LIST:
        query_supported(to, size);
        break;
    case RNDIS_OID_VENDOR_DESCRIPTION:
        put(to, size, vendor, sizeof(vendor) - 1);
        break;
    case RNDIS_OID_DRIVER_VERSION:
    case RNDIS_OID_VENDOR_DRIVER_VERSION:
        put(to, size, &driver_version, sizeof(driver_version));
        break;
    case RNDIS_OID_PERMANENT_ADDRESS:
        put(to, size, control->permanent_address, 6);
        break;
    case RNDIS_OID_CURRENT_ADDRESS:
        put(to, size, control->address, 6);
        break;
    case RNDIS_OID_LINK_STATE:
        query_link_state(control, to, size);
        break;
    case RNDIS_OID_RSS_CAPABILITIES:
        if (control->nvsp_version < NVSP_VERSION_5) {
            return RNDIS_STATUS_NOT_SUPPORTED;
        }
        query_rss(control, to, size);
        break;
    case RNDIS_OID_OFFLOAD_CAPABILITIES:
    case RNDIS_OID_OFFLOAD_CURRENT:
        query_offload(control, to, size);
        break;
    default:
        return RNDIS_STATUS_NOT_SUPPORTED;
    }
    return RNDIS_STATUS_SUCCESS;
}

/* ---- Settings ---- */

static uint32_t set_filter(struct netvsc_control *control, const uint8_t *data, size_t size)
{
    if (size < sizeof(control->filter)) {
        return RNDIS_STATUS_FAILURE;
    }
    memcpy(&control->filter, data, sizeof(control->filter));
    return RNDIS_STATUS_SUCCESS;
}

static bool wants_receive(uint8_t value)
{
    return value == NDIS_OFFLOAD_CHECKSUM_RX || value == NDIS_OFFLOAD_CHECKSUM_BOTH;
}

static uint32_t set_offload(struct netvsc_control *control, const uint8_t *data, size_t size)
{
    struct ndis_offload_parameters parameters = {0};
    if (size < NDIS_OFFLOAD_PARAMETERS_SIZE_1) {
        return RNDIS_STATUS_FAILURE;
    }
    memcpy(&parameters, data, size < sizeof(parameters) ? size : sizeof(parameters));
    if (parameters.header.type != NDIS_OBJECT_DEFAULT ||
        parameters.header.size < NDIS_OFFLOAD_PARAMETERS_SIZE_1 || parameters.header.size > size) {
        return RNDIS_STATUS_INVALID_DATA;
    }
    control->checksum_receive =
        wants_receive(parameters.ipv4_checksum) || wants_receive(parameters.tcp_ipv4) ||
        wants_receive(parameters.tcp_ipv6) || wants_receive(parameters.udp_ipv4) ||
        wants_receive(parameters.udp_ipv6);
    if (parameters.header.size >= NDIS_OFFLOAD_PARAMETERS_SIZE_3 &&
        control->nvsp_version >= NVSP_VERSION_6_1) {
        control->rsc_ipv4 = parameters.rsc_ipv4 == NDIS_OFFLOAD_ON;
        control->rsc_ipv6 = parameters.rsc_ipv6 == NDIS_OFFLOAD_ON;
    }
    return RNDIS_STATUS_SUCCESS;
}

/* The table and the key lie anywhere inside the data. */
static bool inside(uint32_t offset, uint32_t length, size_t size)
{
    return offset <= size && length <= size - offset;
}

static uint32_t set_rss(struct netvsc_control *control, const uint8_t *data, size_t size)
{
    struct ndis_rss_parameters parameters;
    if (size < sizeof(parameters)) {
        return RNDIS_STATUS_FAILURE;
    }
    memcpy(&parameters, data, sizeof(parameters));
    if (parameters.header.type != NDIS_OBJECT_RSS_PARAMETERS) {
        return RNDIS_STATUS_INVALID_DATA;
    }
    if ((parameters.flags & NDIS_RSS_DISABLE) != 0 || (parameters.hash & 1) == 0) {
        control->rss = false;
        return RNDIS_STATUS_SUCCESS;
    }
    uint32_t entries = parameters.table_bytes / 4u;
    if (parameters.key_bytes != NDIS_RSS_KEY_BYTES || parameters.table_bytes % 4 != 0 ||
        entries == 0 || entries > NDIS_RSS_TABLE_ENTRIES ||
        !inside(parameters.key_offset, parameters.key_bytes, size) ||
        !inside(parameters.table_offset, parameters.table_bytes, size)) {
        return RNDIS_STATUS_INVALID_DATA;
    }
    uint8_t table[NDIS_RSS_TABLE_ENTRIES];
    for (uint32_t i = 0; i < entries; i++) {
        uint32_t channel;
        memcpy(&channel, data + parameters.table_offset + i * 4, sizeof(channel));
        if (channel >= control->queues_max) {
            return RNDIS_STATUS_INVALID_DATA;
        }
        table[i] = (uint8_t)channel;
    }
    memcpy(control->table, table, entries);
    memcpy(control->key, data + parameters.key_offset, NDIS_RSS_KEY_BYTES);
    control->table_entries = (uint16_t)entries;
    control->hash = parameters.hash;
    control->rss = true;
    return RNDIS_STATUS_SUCCESS;
}

static int hex_digit(uint8_t low, uint8_t high)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = high == 0 && low != 0 ? strchr(digits, low | 0x20) : NULL;
    return at == NULL ? -1 : (int)(at - digits);
}

/* "NetworkAddress" with twelve hexadecimal digits is the one parameter that matters. */
static uint32_t set_parameter(struct netvsc_control *control, const uint8_t *data, size_t size)
{
    static const char wanted[] = "NetworkAddress";
    struct rndis_config_parameter parameter;
    uint8_t address[6] = {0};
    if (size < sizeof(parameter)) {
        return RNDIS_STATUS_FAILURE;
    }
    memcpy(&parameter, data, sizeof(parameter));
    if (!inside(parameter.name_offset, parameter.name_length, size) ||
        !inside(parameter.value_offset, parameter.value_length, size)) {
        return RNDIS_STATUS_INVALID_DATA;
    }
    const uint8_t *name = data + parameter.name_offset, *value = data + parameter.value_offset;
    bool known = parameter.name_length == 2 * (sizeof(wanted) - 1);
    for (size_t i = 0; known && i < sizeof(wanted) - 1; i++) {
        known = name[2 * i] == (uint8_t)wanted[i] && name[2 * i + 1] == 0;
    }
    if (!known) {
        return RNDIS_STATUS_SUCCESS; /* a switch of some other driver: accepted, without effect */
    }
    if (parameter.type != CONFIG_STRING || parameter.value_length < 24) {
        return RNDIS_STATUS_INVALID_DATA;
    }
    for (int i = 0; i < 12; i++) {
        int digit = hex_digit(value[2 * i], value[2 * i + 1]);
        if (digit < 0) {
            return RNDIS_STATUS_INVALID_DATA;
        }
        address[i / 2] = (uint8_t)(address[i / 2] << 4 | digit);
    }
    memcpy(control->address, address, sizeof(address));
    return RNDIS_STATUS_SUCCESS;
}

static uint32_t set(struct netvsc_control *control, uint32_t oid, const uint8_t *data, size_t size)
{
    switch (oid) {
    case RNDIS_OID_PACKET_FILTER:
        return set_filter(control, data, size);
    case RNDIS_OID_OFFLOAD_PARAMETERS:
        return set_offload(control, data, size);
    case RNDIS_OID_RSS_PARAMETERS:
        return control->nvsp_version < NVSP_VERSION_5 ? RNDIS_STATUS_NOT_SUPPORTED
                                                      : set_rss(control, data, size);
    case RNDIS_OID_CONFIG_PARAMETER:
        return set_parameter(control, data, size);
    case RNDIS_OID_OFFLOAD_ENCAPSULATION:
    case RNDIS_OID_NETWORK_LAYER_ADDRESSES:
    case RNDIS_OID_CURRENT_LOOKAHEAD:
        return RNDIS_STATUS_SUCCESS;
    default:
        return RNDIS_STATUS_NOT_SUPPORTED;
    }
}

/* ---- Messages ---- */

static int refuse(const char **rule, const char *what)
{
    *rule = what;
    return -1;
}

static int initialize(struct netvsc_control *control, const uint8_t *message, size_t size,
                      uint8_t *reply, const char **rule)
{
    struct rndis_initialize request;
    if (size < sizeof(request)) {
        return refuse(rule, "RNDIS INITIALIZE has 24 bytes");
    }
    if (control->initialised) {
        return refuse(rule, "RNDIS is initialised once");
    }
    memcpy(&request, message, sizeof(request));
    bool known = request.major == RNDIS_MAJOR && request.minor == RNDIS_MINOR;
    const struct rndis_initialize_complete complete = {
        .header = {RNDIS_INITIALIZE | RNDIS_COMPLETION, sizeof(complete)},
        .request_id = request.request_id,
        .status = known ? RNDIS_STATUS_SUCCESS : RNDIS_STATUS_BAD_VERSION,
        .major = RNDIS_MAJOR,
        .device_flags = 1,
        .max_packets_per_message = NETVSC_PACKETS_A_MESSAGE,
        .max_transfer_size = 0xefffffff,
        .alignment_factor = NETVSC_ALIGNMENT_FACTOR,
    };
    control->initialised = known;
    memcpy(reply, &complete, sizeof(complete));
    return sizeof(complete);
}

static int query_message(const struct netvsc_control *control,
                         const struct rndis_request *request, uint8_t *reply)
{
    struct rndis_query_complete complete = {
        .header = {RNDIS_QUERY | RNDIS_COMPLETION, sizeof(complete)},
        .request_id = request->request_id,
    };
    uint32_t size = 0;
    complete.status = query(control, request->oid, reply + sizeof(complete), &size);
    complete.information_length = size;
    complete.information_offset =
        size > 0 ? sizeof(complete) - RNDIS_OFFSET_BASE : 0;
    complete.header.length += size;
    memcpy(reply, &complete, sizeof(complete));
    return (int)complete.header.length;
}

static int status_message(uint32_t type, uint32_t request_id, uint32_t status, uint8_t *reply)
{
    const struct rndis_status_complete complete = {
        .header = {type | RNDIS_COMPLETION, sizeof(complete)},
        .request_id = request_id,
        .status = status,
    };
    memcpy(reply, &complete, sizeof(complete));
    return sizeof(complete);
}

static int query_or_set(struct netvsc_control *control, const uint8_t *message, size_t size,
                        uint8_t *reply, const char **rule)
{
    struct rndis_request request;
    if (size < sizeof(request)) {
        return refuse(rule, "RNDIS QUERY and SET have at least 28 bytes");
    }
    memcpy(&request, message, sizeof(request));
    size_t room = size - RNDIS_OFFSET_BASE;
    if (request.information_length > 0 &&
        (request.information_offset < RNDIS_REQUEST_INFORMATION_OFFSET ||
         request.information_offset > room ||
         request.information_length > room - request.information_offset)) {
        return refuse(rule, "the information of an RNDIS request lies inside it");
    }
    if (request.header.type == RNDIS_QUERY) {
        return query_message(control, &request, reply);
    }
    const uint8_t *data = message + RNDIS_OFFSET_BASE +
                          (request.information_length > 0 ? request.information_offset : 0);
    return status_message(RNDIS_SET, request.request_id,
                          set(control, request.oid, data, request.information_length), reply);
}

int netvsc_control_handle(struct netvsc_control *control, const uint8_t *message, size_t size,
                          uint8_t *reply, const char **rule)
{
    struct rndis_request_only request;
    if (size < sizeof(request)) {
        return refuse(rule, "an RNDIS control message has at least 12 bytes");
    }
    memcpy(&request, message, sizeof(request));
    if (request.header.length < sizeof(request) || request.header.length > size) {
        return refuse(rule, "the length of an RNDIS message is that of its packet");
    }
    size = request.header.length;
    if (request.header.type == RNDIS_INITIALIZE) {
        return initialize(control, message, size, reply, rule);
    }
    if (!control->initialised) {
        return refuse(rule, "the first RNDIS message is INITIALIZE");
    }
    switch (request.header.type) {
    case RNDIS_HALT:
        control->initialised = false;
        control->filter = 0;
        return 0;
    case RNDIS_QUERY:
    case RNDIS_SET:
        return query_or_set(control, message, size, reply, rule);
    case RNDIS_KEEPALIVE:
        return status_message(RNDIS_KEEPALIVE, request.request_id, RNDIS_STATUS_SUCCESS, reply);
    default:
        return refuse(rule, "the type of an RNDIS control message is one that a guest may send");
    }
}

size_t netvsc_control_indicate(uint32_t status, const void *data, uint32_t size, uint8_t *reply)
{
    const struct rndis_indicate_status indication = {
        .header = {RNDIS_INDICATE_STATUS, sizeof(indication) + size},
        .status = status,
        .buffer_length = size,
        .buffer_offset = size > 0 ? sizeof(indication) - RNDIS_OFFSET_BASE : 0,
    };
    memcpy(reply, &indication, sizeof(indication));
    if (size > 0) {
        memcpy(reply + sizeof(indication), data, size);
    }
    return indication.header.length;
}
