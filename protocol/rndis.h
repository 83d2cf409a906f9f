/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RNDIS as the Hyper-V network adapter uses it: control messages, data packets with per-packet
 * information, and the NDIS objects that a few OIDs carry. Offsets inside messages count from byte
 * 8, the end of the header.
 *
 * Sources: Microsoft's RNDIS and NDIS documentation, Linux drivers/net/hyperv, FreeBSD
 * sys/dev/hyperv/netvsc and net/rndis.h, OpenVMM netvsp.
 */
#ifndef PROTOCOL_RNDIS_H
#define PROTOCOL_RNDIS_H

#include "protocol/wire.h"

enum rndis_type {
    RNDIS_PACKET = 1,
    RNDIS_INITIALIZE = 2,
    RNDIS_HALT = 3,
    RNDIS_QUERY = 4,
    RNDIS_SET = 5,
    RNDIS_RESET = 6,
    RNDIS_INDICATE_STATUS = 7,
    RNDIS_KEEPALIVE = 8,
    RNDIS_SET_EX = 9,
};
#define RNDIS_COMPLETION 0x80000000u /* added to the type of the request */

#define RNDIS_STATUS_SUCCESS 0x00000000u
#define RNDIS_STATUS_PENDING 0x00000103u
#define RNDIS_STATUS_MEDIA_CONNECT 0x4001000bu
#define RNDIS_STATUS_MEDIA_DISCONNECT 0x4001000cu
#define RNDIS_STATUS_LINK_SPEED_CHANGE 0x40010013u /* u32: in units of 100 bit/s */
#define RNDIS_STATUS_NETWORK_CHANGE 0x40010018u
#define RNDIS_STATUS_OFFLOAD_CONFIG 0x40020006u
#define RNDIS_STATUS_BUFFER_OVERFLOW 0x80000005u
#define RNDIS_STATUS_FAILURE 0xc0000001u
#define RNDIS_STATUS_RESOURCES 0xc000009au
#define RNDIS_STATUS_NOT_SUPPORTED 0xc00000bbu
#define RNDIS_STATUS_BAD_VERSION 0xc0010004u
#define RNDIS_STATUS_INVALID_LENGTH 0xc0010014u
#define RNDIS_STATUS_INVALID_DATA 0xc0010015u
#define RNDIS_STATUS_BUFFER_TOO_SHORT 0xc0010016u

#define RNDIS_MAJOR 1u
#define RNDIS_MINOR 0u
#define RNDIS_OFFSET_BASE 8u /* where offsets begin to count */

struct rndis_header {
    uint32_t type;
    uint32_t length; /* of the whole message */
} WIRE_PACKED;
WIRE_SIZE(struct rndis_header, 8);

struct rndis_initialize {
    struct rndis_header header;
    uint32_t request_id;
    uint32_t major, minor;
    uint32_t max_transfer_size;
} WIRE_PACKED;
WIRE_SIZE(struct rndis_initialize, 24);

struct rndis_initialize_complete {
    struct rndis_header header;
    uint32_t request_id;
    uint32_t status;
    uint32_t major, minor;
    uint32_t device_flags;
    uint32_t medium;
    uint32_t max_packets_per_message;
    uint32_t max_transfer_size;
    uint32_t alignment_factor; /* power of two */
    uint32_t af_list_offset, af_list_size;
} WIRE_PACKED;
WIRE_SIZE(struct rndis_initialize_complete, 52);

/* HALT and KEEPALIVE. */
struct rndis_request_only {
    struct rndis_header header;
    uint32_t request_id;
} WIRE_PACKED;
WIRE_SIZE(struct rndis_request_only, 12);

/* QUERY and SET; the information follows. */
struct rndis_request {
    struct rndis_header header;
    uint32_t request_id;
    uint32_t oid;
    uint32_t information_length;
    uint32_t information_offset; /* 20: right after this */
    uint32_t vc_handle;
} WIRE_PACKED;
WIRE_SIZE(struct rndis_request, 28);
#define RNDIS_REQUEST_INFORMATION_OFFSET 20u

struct rndis_query_complete {
    struct rndis_header header;
    uint32_t request_id;
    uint32_t status;
    uint32_t information_length;
    uint32_t information_offset;
} WIRE_PACKED;
WIRE_SIZE(struct rndis_query_complete, 24);

/* SET COMPLETE and KEEPALIVE COMPLETE. */
struct rndis_status_complete {
    struct rndis_header header;
    uint32_t request_id;
    uint32_t status;
} WIRE_PACKED;
WIRE_SIZE(struct rndis_status_complete, 16);

struct rndis_indicate_status {
    struct rndis_header header;
    uint32_t status;
    uint32_t buffer_length;
    uint32_t buffer_offset;
} WIRE_PACKED;
WIRE_SIZE(struct rndis_indicate_status, 20);

struct rndis_packet {
    struct rndis_header header;
    uint32_t data_offset;
    uint32_t data_length; /* the Ethernet frame, without check sequence */
    uint32_t oob_offset, oob_length, oob_count;
    uint32_t info_offset; /* per-packet information; 0 with length 0: none */
    uint32_t info_length;
    uint32_t vc_handle;
    uint32_t reserved;
} WIRE_PACKED;
WIRE_SIZE(struct rndis_packet, 44);
WIRE_OFFSET(struct rndis_packet, info_offset, 28);

/* One element of the per-packet information. */
struct rndis_packet_info {
    uint32_t size; /* whole element, multiple of 4 */
    uint32_t type; /* RNDIS_INFO_..., with RNDIS_INFO_INTERNAL for Hyper-V's own */
    uint32_t offset; /* of the data in the element */
} WIRE_PACKED;
WIRE_SIZE(struct rndis_packet_info, 12);

#define RNDIS_INFO_CHECKSUM 0u
#define RNDIS_INFO_LSO 2u
#define RNDIS_INFO_VLAN 6u
#define RNDIS_INFO_HASH_VALUE 8u
#define RNDIS_INFO_HASH_TYPE 9u
#define RNDIS_INFO_INTERNAL 0x80000000u
#define RNDIS_INFO_PACKET_ID (RNDIS_INFO_INTERNAL | 1u)

/* RNDIS_INFO_CHECKSUM, guest to host. */
#define RNDIS_TX_CHECKSUM_IPV4 (1u << 0)
#define RNDIS_TX_CHECKSUM_IPV6 (1u << 1)
#define RNDIS_TX_CHECKSUM_TCP (1u << 2)
#define RNDIS_TX_CHECKSUM_UDP (1u << 3)
#define RNDIS_TX_CHECKSUM_IP_HEADER (1u << 4)
#define RNDIS_TX_CHECKSUM_HEADER_SHIFT 16 /* transport header's offset in the frame, 10 bits */

/* RNDIS_INFO_CHECKSUM, host to guest. */
#define RNDIS_RX_CHECKSUM_TCP_FAILED (1u << 0)
#define RNDIS_RX_CHECKSUM_UDP_FAILED (1u << 1)
#define RNDIS_RX_CHECKSUM_IP_FAILED (1u << 2)
#define RNDIS_RX_CHECKSUM_TCP_GOOD (1u << 3)
#define RNDIS_RX_CHECKSUM_UDP_GOOD (1u << 4)
#define RNDIS_RX_CHECKSUM_IP_GOOD (1u << 5)
#define RNDIS_RX_CHECKSUM_LOOPBACK (1u << 6)
#define RNDIS_RX_CHECKSUM_TCP_ABSENT (1u << 7) /* the field in the frame is not filled in */
#define RNDIS_RX_CHECKSUM_IP_ABSENT (1u << 8)

/* RNDIS_INFO_LSO: segment size, where the TCP header is, kind. */
#define RNDIS_LSO_MSS_MASK 0xfffffu
#define RNDIS_LSO_HEADER_SHIFT 20
#define RNDIS_LSO_HEADER_MASK 0x3ffu
#define RNDIS_LSO_V2 (1u << 30)
#define RNDIS_LSO_IPV6 (1u << 31)

/* RNDIS_INFO_VLAN; the frame then carries no tag. */
#define RNDIS_VLAN_PRIORITY_MASK 0x7u
#define RNDIS_VLAN_CFI (1u << 3)
#define RNDIS_VLAN_ID_SHIFT 4

/* From an 802.1Q tag control word to RNDIS_INFO_VLAN, and back. */
static inline uint32_t rndis_vlan_from_tag(uint16_t tag)
{
    return (uint32_t)(tag >> 13) | (tag & 0x1000u ? RNDIS_VLAN_CFI : 0) |
           (uint32_t)(tag & 0xfffu) << RNDIS_VLAN_ID_SHIFT;
}

static inline uint16_t rndis_vlan_to_tag(uint32_t vlan)
{
    return (uint16_t)((vlan & RNDIS_VLAN_PRIORITY_MASK) << 13 |
                      (vlan & RNDIS_VLAN_CFI ? 0x1000u : 0) |
                      (vlan >> RNDIS_VLAN_ID_SHIFT & 0xfffu));
}

/* RNDIS_INFO_PACKET_ID: coalesced receive segments of one packet share an id. */
struct rndis_packet_id {
    uint8_t version; /* 1 */
    uint8_t flags;
    uint16_t id;
} WIRE_PACKED;
WIRE_SIZE(struct rndis_packet_id, 4);
#define RNDIS_PACKET_ID_FIRST 0x2u
#define RNDIS_PACKET_ID_LAST 0x4u

/* ---- OIDs ---- */

#define RNDIS_OID_SUPPORTED_LIST 0x00010101u
#define RNDIS_OID_HARDWARE_STATUS 0x00010102u
#define RNDIS_OID_MEDIA_SUPPORTED 0x00010103u
#define RNDIS_OID_MEDIA_IN_USE 0x00010104u
#define RNDIS_OID_MAXIMUM_LOOKAHEAD 0x00010105u
#define RNDIS_OID_MAXIMUM_FRAME_SIZE 0x00010106u
#define RNDIS_OID_LINK_SPEED 0x00010107u /* u32, 100 bit/s */
#define RNDIS_OID_VENDOR_ID 0x0001010cu
#define RNDIS_OID_VENDOR_DESCRIPTION 0x0001010du
#define RNDIS_OID_PACKET_FILTER 0x0001010eu
#define RNDIS_OID_CURRENT_LOOKAHEAD 0x0001010fu
#define RNDIS_OID_DRIVER_VERSION 0x00010110u
#define RNDIS_OID_MAXIMUM_TOTAL_SIZE 0x00010111u
#define RNDIS_OID_MAC_OPTIONS 0x00010113u
#define RNDIS_OID_MEDIA_CONNECT_STATUS 0x00010114u
#define RNDIS_OID_MAXIMUM_SEND_PACKETS 0x00010115u
#define RNDIS_OID_VENDOR_DRIVER_VERSION 0x00010116u
#define RNDIS_OID_NETWORK_LAYER_ADDRESSES 0x00010118u
#define RNDIS_OID_RSS_CAPABILITIES 0x00010203u
#define RNDIS_OID_RSS_PARAMETERS 0x00010204u
#define RNDIS_OID_LINK_STATE 0x00010207u
#define RNDIS_OID_CONFIG_PARAMETER 0x0001021bu
#define RNDIS_OID_PERMANENT_ADDRESS 0x01010101u
#define RNDIS_OID_CURRENT_ADDRESS 0x01010102u
#define RNDIS_OID_MULTICAST_LIST 0x01010103u
#define RNDIS_OID_MAXIMUM_LIST_SIZE 0x01010104u
#define RNDIS_OID_RECEIVE_ERROR_ALIGNMENT 0x01020101u
#define RNDIS_OID_TRANSMIT_ONE_COLLISION 0x01020102u
#define RNDIS_OID_TRANSMIT_MORE_COLLISIONS 0x01020103u
#define RNDIS_OID_OFFLOAD_ENCAPSULATION 0x0101010au
#define RNDIS_OID_OFFLOAD_CURRENT 0xfc01020bu
#define RNDIS_OID_OFFLOAD_PARAMETERS 0xfc01020cu
#define RNDIS_OID_OFFLOAD_CAPABILITIES 0xfc01020du

#define RNDIS_FILTER_DIRECTED 0x01u
#define RNDIS_FILTER_MULTICAST 0x02u
#define RNDIS_FILTER_ALL_MULTICAST 0x04u
#define RNDIS_FILTER_BROADCAST 0x08u
#define RNDIS_FILTER_PROMISCUOUS 0x20u

#define RNDIS_MEDIA_CONNECTED 0u
#define RNDIS_MEDIA_DISCONNECTED 1u

/* ---- NDIS objects ---- */

struct ndis_object_header {
    uint8_t type;
    uint8_t revision;
    uint16_t size;
} WIRE_PACKED;
WIRE_SIZE(struct ndis_object_header, 4);

#define NDIS_OBJECT_DEFAULT 0x80u
#define NDIS_OBJECT_RSS_CAPABILITIES 0x88u
#define NDIS_OBJECT_RSS_PARAMETERS 0x89u
#define NDIS_OBJECT_OFFLOAD 0xa7u
#define NDIS_OBJECT_OFFLOAD_ENCAPSULATION 0xa8u

#define NDIS_VERSION_MAJOR 6u
#define NDIS_VERSION_MINOR_6_1 1u    /* NVSP up to 4 */
#define NDIS_VERSION_MINOR_6_30 0x1eu /* NVSP 5 and later */

struct ndis_checksum_offload {
    uint32_t encapsulation;
    uint32_t flags; /* two bits each, NDIS_CHECKSUM_... */
} WIRE_PACKED;

struct ndis_lso_v2 {
    uint32_t encapsulation;
    uint32_t max_size;
    uint32_t min_segments;
} WIRE_PACKED;

#define NDIS_ENCAPSULATION_8023 2u
#define NDIS_CHECKSUM_IP_OPTIONS (1u << 0)
#define NDIS_CHECKSUM_TCP_OPTIONS (1u << 2)
#define NDIS_CHECKSUM_TCP (1u << 4)
#define NDIS_CHECKSUM_UDP (1u << 6)
#define NDIS_CHECKSUM_IP_HEADER (1u << 8)
#define NDIS_CHECKSUM_IPV6_EXTENSIONS (1u << 0)
#define NDIS_LSO_IPV6_EXTENSIONS (1u << 0)
#define NDIS_LSO_IPV6_TCP_OPTIONS (1u << 2)

/* What the adapter can do (RNDIS_OID_OFFLOAD_CAPABILITIES). */
struct ndis_offload {
    struct ndis_object_header header;
    struct ndis_checksum_offload ipv4_transmit, ipv4_receive, ipv6_transmit, ipv6_receive;
    uint8_t lso_v1[16];
    uint8_t ipsec_v1[28];
    struct ndis_lso_v2 lso_ipv4, lso_ipv6;
    uint32_t lso_ipv6_flags;
    uint32_t flags;
    uint8_t ipsec_v2[32]; /* revision 2 on */
    uint8_t rsc_ipv4, rsc_ipv6, pad[2]; /* revision 3 on */
    uint8_t nvgre[8];
} WIRE_PACKED;
WIRE_SIZE(struct ndis_offload, 156);
WIRE_OFFSET(struct ndis_offload, lso_ipv4, 80);
WIRE_OFFSET(struct ndis_offload, ipsec_v2, 112);
WIRE_OFFSET(struct ndis_offload, rsc_ipv4, 144);
#define NDIS_OFFLOAD_SIZE_1 112u
#define NDIS_OFFLOAD_SIZE_2 144u
#define NDIS_OFFLOAD_SIZE_3 156u

/* What of it is to be used (RNDIS_OID_OFFLOAD_PARAMETERS). */
struct ndis_offload_parameters {
    struct ndis_object_header header;
    uint8_t ipv4_checksum; /* NDIS_OFFLOAD_CHECKSUM_..., so to udp_ipv6 */
    uint8_t tcp_ipv4, udp_ipv4, tcp_ipv6, udp_ipv6;
    uint8_t lso_v1; /* NDIS_OFFLOAD_OFF or _ON from here */
    uint8_t ipsec_v1;
    uint8_t lso_v2_ipv4, lso_v2_ipv6;
    uint8_t tcp_connection_ipv4, tcp_connection_ipv6;
    uint8_t reserved;
    uint32_t flags;
    uint8_t ipsec_v2, ipsec_v2_ipv4; /* revision 2 on */
    uint8_t rsc_ipv4, rsc_ipv6;      /* revision 3 on */
    uint8_t encapsulation, encapsulation_types;
    uint8_t pad[2];
} WIRE_PACKED;
WIRE_SIZE(struct ndis_offload_parameters, 28);
WIRE_OFFSET(struct ndis_offload_parameters, lso_v2_ipv4, 11);
WIRE_OFFSET(struct ndis_offload_parameters, rsc_ipv4, 22);
#define NDIS_OFFLOAD_PARAMETERS_SIZE_1 20u
#define NDIS_OFFLOAD_PARAMETERS_SIZE_2 22u
#define NDIS_OFFLOAD_PARAMETERS_SIZE_3 26u
#define NDIS_OFFLOAD_UNCHANGED 0u
#define NDIS_OFFLOAD_OFF 1u
#define NDIS_OFFLOAD_ON 2u
#define NDIS_OFFLOAD_CHECKSUM_TX 2u
#define NDIS_OFFLOAD_CHECKSUM_RX 3u
#define NDIS_OFFLOAD_CHECKSUM_BOTH 4u

struct ndis_rss_capabilities {
    struct ndis_object_header header;
    uint32_t flags;
    uint32_t messages;
    uint32_t receive_queues;
    uint16_t indirection_entries;
} WIRE_PACKED;
WIRE_SIZE(struct ndis_rss_capabilities, 18);
#define NDIS_RSS_HASH_TOEPLITZ 0x1u
#define NDIS_RSS_IPV4 0x100u
#define NDIS_RSS_TCP_IPV4 0x200u
#define NDIS_RSS_IPV6 0x400u
#define NDIS_RSS_TCP_IPV6 0x1000u
#define NDIS_RSS_CAPABILITY_TCP_IPV4 0x100u
#define NDIS_RSS_CAPABILITY_TCP_IPV6 0x200u

/* RNDIS_OID_RSS_PARAMETERS; table and key lie where the offsets say, from the start of this. */
struct ndis_rss_parameters {
    struct ndis_object_header header;
    uint16_t flags;
    uint16_t base_processor;
    uint32_t hash;
    uint16_t table_bytes;
    uint16_t pad1;
    uint32_t table_offset;
    uint16_t key_bytes;
    uint16_t pad2;
    uint32_t key_offset;
    uint32_t mask_offset;
    uint32_t mask_count;
    uint32_t mask_size;
} WIRE_PACKED;
WIRE_SIZE(struct ndis_rss_parameters, 40);
#define NDIS_RSS_TABLE_ENTRIES 128u
#define NDIS_RSS_KEY_BYTES 40u
#define NDIS_RSS_DISABLE 0x10u

struct ndis_link_state {
    struct ndis_object_header header;
    uint32_t connect; /* 0 unknown, 1 up, 2 down */
    uint32_t duplex;  /* 2: full */
    uint32_t pad;
    uint64_t transmit_speed, receive_speed; /* bit/s */
    uint32_t pause;
    uint32_t negotiation;
} WIRE_PACKED;
WIRE_SIZE(struct ndis_link_state, 40);

/* RNDIS_OID_CONFIG_PARAMETER; strings are UTF-16LE, offsets from the start of this. */
struct rndis_config_parameter {
    uint32_t name_offset, name_length;
    uint32_t type; /* 0 integer, 2 string */
    uint32_t value_offset, value_length;
} WIRE_PACKED;
WIRE_SIZE(struct rndis_config_parameter, 20);

#endif
