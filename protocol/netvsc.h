/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hyper-V synthetic network adapter: the NVSP messages between guest driver and host. Ethernet
 * frames and control requests travel inside them as RNDIS messages (rndis.h).
 *
 * Sources: Linux drivers/net/hyperv, FreeBSD sys/dev/hyperv/netvsc, DPDK drivers/net/netvsc,
 * OpenVMM netvsp.
 */
#ifndef PROTOCOL_NETVSC_H
#define PROTOCOL_NETVSC_H

#include "protocol/wire.h"

/* Versions as they stand on the wire, and the first host that speaks each.
 * There is no version 3. */
#define NVSP_VERSION_1 0x00000002u   /* Server 2008 */
#define NVSP_VERSION_2 0x00030002u   /* Server 2008 R2: NDIS configuration (VLAN, MTU) */
#define NVSP_VERSION_4 0x00040000u   /* Server 2012: VF association, UDP checksums */
#define NVSP_VERSION_5 0x00050000u   /* Server 2012 R2: sub-channels, indirection table */
#define NVSP_VERSION_6 0x00060000u   /* Server 2016 */
#define NVSP_VERSION_6_1 0x00060001u /* Server 2019: 40-byte messages, RSC */

enum nvsp_type {
    NVSP_INIT = 1,                 /* g -> h */
    NVSP_INIT_COMPLETE = 2,        /* completion of INIT */
    NVSP_SEND_NDIS_VERSION = 100,  /* g -> h, no reply */
    NVSP_SEND_RECEIVE_BUFFER = 101, /* g -> h */
    NVSP_RECEIVE_BUFFER_COMPLETE = 102,
    NVSP_REVOKE_RECEIVE_BUFFER = 103, /* g -> h, no reply */
    NVSP_SEND_SEND_BUFFER = 104,   /* g -> h */
    NVSP_SEND_BUFFER_COMPLETE = 105,
    NVSP_REVOKE_SEND_BUFFER = 106, /* g -> h, no reply */
    NVSP_RNDIS_PACKET = 107,       /* both ways */
    NVSP_RNDIS_PACKET_COMPLETE = 108, /* both ways, as completion */
    NVSP_SEND_NDIS_CONFIG = 125,   /* g -> h, version 2 on, no reply */
    NVSP_VF_ASSOCIATION = 128,     /* h -> g, version 4 on */
    NVSP_SWITCH_DATA_PATH = 129,   /* both ways, version 4 on */
    NVSP_UPLINK_STATE = 130,       /* h -> g, deprecated */
    NVSP_OID_QUERY = 131,          /* g -> h, version 5 on */
    NVSP_OID_QUERY_COMPLETE = 132,
    NVSP_SUB_CHANNEL = 133,        /* g -> h, version 5 on, and its reply */
    NVSP_INDIRECTION_TABLE = 134,  /* h -> g, version 5 on */
};

enum nvsp_status {
    NVSP_STATUS_NONE = 0,
    NVSP_STATUS_SUCCESS = 1,
    NVSP_STATUS_FAILURE = 2,
    NVSP_STATUS_VERSION_TOO_NEW = 3,
    NVSP_STATUS_VERSION_TOO_OLD = 4,
    NVSP_STATUS_INVALID_PACKET = 5,
    NVSP_STATUS_BUSY = 6,
    NVSP_STATUS_UNSUPPORTED = 7,
};

/* Buffer ids: of the receive buffer (also the set id of transfer pages), and of the send buffer. */
#define NVSP_RECEIVE_BUFFER_ID 0xcafeu
#define NVSP_SEND_BUFFER_ID 0u

#define NVSP_CHANNEL_DATA 0u
#define NVSP_CHANNEL_CONTROL 1u
#define NVSP_NO_SECTION 0xffffffffu
#define NVSP_MAX_MDL_CHAIN 34u
#define NVSP_SECTION_SIZE 6144u           /* of the send buffer, on every host known */
#define NVSP_RECEIVE_BUFFER_MAX (31u << 20)
#define NVSP_RECEIVE_BUFFER_MAX_OLD (15u << 20) /* versions 1 and 2; send buffers always */
#define NVSP_RECEIVE_RANGES_MAX 375u      /* in one transfer-page packet */
#define NVSP_RECEIVE_RANGES_MAX_RSC 562u
#define NVSP_INDIRECTION_ENTRIES 16u
#define NVSP_CHANNELS_MAX 64u
#define NVSP_SUB_CHANNEL_ALLOCATE 1u

/* nvsp_ndis_config.capabilities */
#define NVSP_CAPABILITY_VMQ (1ull << 0)
#define NVSP_CAPABILITY_CHIMNEY (1ull << 1)
#define NVSP_CAPABILITY_SRIOV (1ull << 2)
#define NVSP_CAPABILITY_8021Q (1ull << 3)
#define NVSP_CAPABILITY_CORRELATION (1ull << 4)
#define NVSP_CAPABILITY_TEAMING (1ull << 5)
#define NVSP_CAPABILITY_VIRTUAL_SUBNET (1ull << 6)
#define NVSP_CAPABILITY_RSC (1ull << 7)

/* Frame sizes in nvsp_ndis_config.mtu count the Ethernet header. */
#define NVSP_MTU_DEFAULT 1514u
#define NVSP_MTU_MAX 9216u

struct nvsp_init {
    uint32_t version_min; /* both the same: one version an attempt */
    uint32_t version_max;
} WIRE_PACKED;
WIRE_SIZE(struct nvsp_init, 8);

struct nvsp_init_complete {
    uint32_t deprecated;
    uint32_t max_mdl_chain;
    uint32_t status;
} WIRE_PACKED;
WIRE_SIZE(struct nvsp_init_complete, 12);

struct nvsp_ndis_version {
    uint32_t major;
    uint32_t minor;
} WIRE_PACKED;
WIRE_SIZE(struct nvsp_ndis_version, 8);

struct nvsp_buffer {
    uint32_t gpadl_id;
    uint16_t id;
    uint16_t reserved;
} WIRE_PACKED;
WIRE_SIZE(struct nvsp_buffer, 8);

struct nvsp_receive_buffer_complete {
    uint32_t status;
    uint32_t section_count; /* always 1 */
    uint32_t offset;
    uint32_t unit_size;
    uint32_t unit_count;
    uint32_t end_offset;
} WIRE_PACKED;
WIRE_SIZE(struct nvsp_receive_buffer_complete, 24);

struct nvsp_revoke_buffer {
    uint16_t id;
} WIRE_PACKED;
WIRE_SIZE(struct nvsp_revoke_buffer, 2);

struct nvsp_send_buffer_complete {
    uint32_t status;
    uint32_t section_size;
} WIRE_PACKED;
WIRE_SIZE(struct nvsp_send_buffer_complete, 8);

struct nvsp_rndis_packet {
    uint32_t channel_type;  /* NVSP_CHANNEL_... */
    uint32_t section_index; /* of the send buffer, or NVSP_NO_SECTION */
    uint32_t section_bytes; /* used in it, 0 if none */
} WIRE_PACKED;
WIRE_SIZE(struct nvsp_rndis_packet, 12);

struct nvsp_status_only {
    uint32_t status;
} WIRE_PACKED;
WIRE_SIZE(struct nvsp_status_only, 4);

struct nvsp_ndis_config {
    uint32_t mtu; /* with the Ethernet header */
    uint32_t reserved;
    uint64_t capabilities;
} WIRE_PACKED;
WIRE_SIZE(struct nvsp_ndis_config, 16);

struct nvsp_vf_association {
    uint32_t allocated;
    uint32_t serial;
} WIRE_PACKED;
WIRE_SIZE(struct nvsp_vf_association, 8);

struct nvsp_switch_data_path {
    uint32_t active; /* 0 synthetic, 1 VF */
} WIRE_PACKED;
WIRE_SIZE(struct nvsp_switch_data_path, 4);

struct nvsp_sub_channel {
    uint32_t operation;
    uint32_t count;
} WIRE_PACKED;
WIRE_SIZE(struct nvsp_sub_channel, 8);

struct nvsp_sub_channel_complete {
    uint32_t status;
    uint32_t count;
} WIRE_PACKED;
WIRE_SIZE(struct nvsp_sub_channel_complete, 8);

/* The table follows at `offset` from the message's start. Hosts of version 6 and before may give a
 * wrong offset: there it is the last 64 bytes of the payload. */
struct nvsp_indirection_table {
    uint32_t count;
    uint32_t offset;
} WIRE_PACKED;
WIRE_SIZE(struct nvsp_indirection_table, 8);

/* Every message is padded: to 28 bytes up to version 6, to 40 from 6.1 on. Hosts do not answer
 * requests shorter than that, so guests send all 40 always. */
#define NVSP_MESSAGE_SIZE 40u
#define NVSP_MESSAGE_SIZE_BEFORE_6_1 28u
#define NVSP_HEADER_SIZE 4u

struct nvsp_message {
    uint32_t type; /* enum nvsp_type */
    union {
        struct nvsp_init init;
        struct nvsp_init_complete init_complete;
        struct nvsp_ndis_version ndis_version;
        struct nvsp_buffer buffer;
        struct nvsp_receive_buffer_complete receive_buffer_complete;
        struct nvsp_revoke_buffer revoke;
        struct nvsp_send_buffer_complete send_buffer_complete;
        struct nvsp_rndis_packet rndis;
        struct nvsp_status_only status;
        struct nvsp_ndis_config ndis_config;
        struct nvsp_vf_association vf_association;
        struct nvsp_switch_data_path switch_data_path;
        struct nvsp_sub_channel sub_channel;
        struct nvsp_sub_channel_complete sub_channel_complete;
        struct nvsp_indirection_table indirection;
        uint8_t body[36];
    } WIRE_PACKED;
} WIRE_PACKED;
WIRE_SIZE(struct nvsp_message, NVSP_MESSAGE_SIZE);
WIRE_OFFSET(struct nvsp_message, init, 4);
WIRE_OFFSET(struct nvsp_message, ndis_config.capabilities, 12);
WIRE_OFFSET(struct nvsp_message, receive_buffer_complete.end_offset, 24);

/* Bytes of a message of this version. */
static inline uint32_t nvsp_message_size(uint32_t version)
{
    return version >= NVSP_VERSION_6_1 ? NVSP_MESSAGE_SIZE : NVSP_MESSAGE_SIZE_BEFORE_6_1;
}

#endif
