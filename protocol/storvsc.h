/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hyper-V synthetic storage: the packets between guest driver and host (SCSI controller,
 * accelerated IDE, Fibre Channel). Little-endian; CDB, SCSI data and sense are big-endian (scsi.h).
 *
 * Sources: Linux drivers/scsi/storvsc_drv.c, FreeBSD sys/dev/hyperv/storvsc, OpenBSD
 * sys/dev/pv/hvs.c, OpenVMM storvsp_protocol.
 */
#ifndef PROTOCOL_STORVSC_H
#define PROTOCOL_STORVSC_H

#include <stddef.h>
#include <stdint.h>

enum storvsc_operation {
    STORVSC_COMPLETE_IO = 1,         /* h -> g, every completion */
    STORVSC_REMOVE_DEVICE = 2,       /* h -> g, event */
    STORVSC_EXECUTE_SRB = 3,         /* g -> h */
    STORVSC_RESET_LUN = 4,           /* g -> h */
    STORVSC_RESET_ADAPTER = 5,       /* g -> h */
    STORVSC_RESET_BUS = 6,           /* g -> h */
    STORVSC_BEGIN_INITIALIZATION = 7, /* g -> h */
    STORVSC_END_INITIALIZATION = 8,  /* g -> h */
    STORVSC_QUERY_PROTOCOL_VERSION = 9, /* g -> h */
    STORVSC_QUERY_PROPERTIES = 10,   /* g -> h */
    STORVSC_ENUMERATE_BUS = 11,      /* h -> g, event, version 4.2 and later */
    STORVSC_FC_HBA_DATA = 12,        /* g -> h */
    STORVSC_CREATE_SUB_CHANNELS = 13, /* g -> h, version 5.1 and later */
};

/* storvsc_packet.flags */
#define STORVSC_FLAG_COMPLETION_REQUESTED 0x1u

#define STORVSC_VERSION(major, minor) ((uint16_t)((major) << 8 | (minor)))
#define STORVSC_VERSION_2_0 STORVSC_VERSION(2, 0) /* Server 2008 */
#define STORVSC_VERSION_4_2 STORVSC_VERSION(4, 2) /* Server 2008 R2, Windows 7 */
#define STORVSC_VERSION_5_1 STORVSC_VERSION(5, 1) /* Server 2012, Windows 8 */
#define STORVSC_VERSION_6_0 STORVSC_VERSION(6, 0) /* Server 2012 R2, Windows 8.1 */
#define STORVSC_VERSION_6_2 STORVSC_VERSION(6, 2) /* Server 2016, Windows 10 and later */

#define STORVSC_CDB_SIZE 16u
#define STORVSC_SENSE_SIZE 20u
#define STORVSC_SENSE_SIZE_BEFORE_5_1 18u
#define STORVSC_LUNS_MAX 64u
#define STORVSC_CONTROLLERS_MAX 4u

/* storvsc_srb.data_direction, seen from the host: IN is from the device to guest memory. */
#define STORVSC_DATA_OUT 0u
#define STORVSC_DATA_IN 1u
#define STORVSC_DATA_NONE 2u

/* storvsc_srb.srb_flags: Windows SRB flags. */
#define STORVSC_SRB_QUEUE_ACTION_ENABLE 0x00000002u
#define STORVSC_SRB_DISABLE_DISCONNECT 0x00000004u
#define STORVSC_SRB_DISABLE_SYNCH_TRANSFER 0x00000008u
#define STORVSC_SRB_BYPASS_FROZEN_QUEUE 0x00000010u
#define STORVSC_SRB_DISABLE_AUTOSENSE 0x00000020u
#define STORVSC_SRB_DATA_IN 0x00000040u
#define STORVSC_SRB_DATA_OUT 0x00000080u
#define STORVSC_SRB_NO_QUEUE_FREEZE 0x00000100u
#define STORVSC_SRB_ADAPTER_CACHE_ENABLE 0x00000200u
#define STORVSC_SRB_FREE_SENSE_BUFFER 0x00000400u
#define STORVSC_SRB_MICROSOFT_SPECIAL 0x00008000u

#define STORVSC_QUEUE_TAG_UNTAGGED 0xffu
#define STORVSC_QUEUE_ACTION_SIMPLE 0x20u

/* storvsc_srb.srb_status: the low 6 bits, and two flags. */
enum storvsc_srb_status {
    STORVSC_SRB_STATUS_PENDING = 0x00,
    STORVSC_SRB_STATUS_SUCCESS = 0x01,
    STORVSC_SRB_STATUS_ABORTED = 0x02,
    STORVSC_SRB_STATUS_ABORT_FAILED = 0x03,
    STORVSC_SRB_STATUS_ERROR = 0x04,
    STORVSC_SRB_STATUS_BUSY = 0x05,
    STORVSC_SRB_STATUS_INVALID_REQUEST = 0x06,
    STORVSC_SRB_STATUS_INVALID_PATH_ID = 0x07,
    STORVSC_SRB_STATUS_NO_DEVICE = 0x08,
    STORVSC_SRB_STATUS_TIMEOUT = 0x09,
    STORVSC_SRB_STATUS_SELECTION_TIMEOUT = 0x0a,
    STORVSC_SRB_STATUS_COMMAND_TIMEOUT = 0x0b,
    STORVSC_SRB_STATUS_MESSAGE_REJECTED = 0x0d,
    STORVSC_SRB_STATUS_BUS_RESET = 0x0e,
    STORVSC_SRB_STATUS_PARITY_ERROR = 0x0f,
    STORVSC_SRB_STATUS_REQUEST_SENSE_FAILED = 0x10,
    STORVSC_SRB_STATUS_NO_HBA = 0x11,
    STORVSC_SRB_STATUS_DATA_OVERRUN = 0x12, /* underrun too */
    STORVSC_SRB_STATUS_UNEXPECTED_BUS_FREE = 0x13,
    STORVSC_SRB_STATUS_PHASE_SEQUENCE_FAILURE = 0x14,
    STORVSC_SRB_STATUS_BAD_SRB_BLOCK_LENGTH = 0x15,
    STORVSC_SRB_STATUS_REQUEST_FLUSHED = 0x16,
    STORVSC_SRB_STATUS_INVALID_LUN = 0x20,
    STORVSC_SRB_STATUS_INVALID_TARGET_ID = 0x21,
    STORVSC_SRB_STATUS_BAD_FUNCTION = 0x22,
    STORVSC_SRB_STATUS_ERROR_RECOVERY = 0x23,
    STORVSC_SRB_STATUS_NOT_POWERED = 0x24,
    STORVSC_SRB_STATUS_LINK_DOWN = 0x25,
    STORVSC_SRB_STATUS_INTERNAL_ERROR = 0x30,
};
#define STORVSC_SRB_STATUS_MASK 0x3fu
#define STORVSC_SRB_STATUS_QUEUE_FROZEN 0x40u
#define STORVSC_SRB_STATUS_AUTOSENSE_VALID 0x80u

/* storvsc_packet.status: the NTSTATUS values that hosts use. */
#define STORVSC_STATUS_SUCCESS 0x00000000u
#define STORVSC_STATUS_BUFFER_OVERFLOW 0x80000005u
#define STORVSC_STATUS_DEVICE_BUSY 0x80000011u
#define STORVSC_STATUS_UNSUCCESSFUL 0xc0000001u
#define STORVSC_STATUS_INVALID_PARAMETER 0xc000000du
#define STORVSC_STATUS_INVALID_DEVICE_REQUEST 0xc0000010u
#define STORVSC_STATUS_REVISION_MISMATCH 0xc0000059u
#define STORVSC_STATUS_DEVICE_NOT_CONNECTED 0xc000009du
#define STORVSC_STATUS_IO_TIMEOUT 0xc00000b5u
#define STORVSC_STATUS_DEVICE_DOES_NOT_EXIST 0xc00000c0u
#define STORVSC_STATUS_CANCELLED 0xc0000120u
#define STORVSC_STATUS_INVALID_DEVICE_STATE 0xc0000184u
#define STORVSC_STATUS_IO_DEVICE_ERROR 0xc0000185u

/* One SCSI request block. The last part exists from version 5.1 on. */
struct storvsc_srb {
    uint16_t length; /* STORVSC_SRB_SIZE* */
    uint8_t srb_status;
    uint8_t scsi_status;
    uint8_t port;
    uint8_t path;
    uint8_t target;
    uint8_t lun;
    uint8_t cdb_length;
    uint8_t sense_length;
    uint8_t data_direction;
    uint8_t reserved;
    uint32_t data_transfer_length; /* bytes wanted; in the completion: bytes moved */
    union {
        uint8_t cdb[STORVSC_CDB_SIZE];     /* g -> h */
        uint8_t sense[STORVSC_SENSE_SIZE]; /* h -> g */
    };
    /* From version 5.1: */
    uint16_t reserved2;
    uint8_t queue_tag;
    uint8_t queue_action;
    uint32_t srb_flags;
    uint32_t timeout_seconds;
    uint32_t queue_sort_key;
} __attribute__((packed));

struct storvsc_version {
    uint16_t version; /* STORVSC_VERSION() */
    uint16_t revision; /* 0 from guests that are not Windows */
} __attribute__((packed));

/* storvsc_properties.flags, valid from version 5.1. */
#define STORVSC_PROPERTIES_MULTI_CHANNEL 0x1u

struct storvsc_properties {
    uint32_t reserved;
    uint16_t sub_channels_max; /* from version 5.1 */
    uint16_t reserved2;
    uint32_t flags; /* STORVSC_PROPERTIES_* */
    uint32_t transfer_bytes_max;
    uint64_t reserved3;
} __attribute__((packed));

struct storvsc_fc_hba_data {
    uint8_t primary_active;
    uint8_t reserved[3];
    uint8_t primary_port_name[8];
    uint8_t primary_node_name[8];
    uint8_t secondary_port_name[8];
    uint8_t secondary_node_name[8];
} __attribute__((packed));

/* The payload of every VMBus packet of the device, requests, completions and events alike. */
struct storvsc_packet {
    uint32_t operation; /* enum storvsc_operation */
    uint32_t flags;     /* STORVSC_FLAG_* */
    uint32_t status;    /* h -> g: STORVSC_STATUS_* */
    union {
        struct storvsc_srb srb;
        struct storvsc_version version;
        struct storvsc_properties properties;
        struct storvsc_fc_hba_data fc_hba_data;
        uint16_t sub_channel_count;
        uint8_t payload[52];
    };
} __attribute__((packed));

#define STORVSC_PACKET_HEADER_SIZE 12u
#define STORVSC_SRB_SIZE_BEFORE_5_1 36u
#define STORVSC_SRB_SIZE 52u
#define STORVSC_PACKET_SIZE_BEFORE_5_1 48u
#define STORVSC_PACKET_SIZE 64u

/* Bytes of a packet in one protocol version (0: none agreed yet). */
static inline uint32_t storvsc_packet_size(uint16_t version)
{
    return version < STORVSC_VERSION_5_1 ? STORVSC_PACKET_SIZE_BEFORE_5_1 : STORVSC_PACKET_SIZE;
}

/*
 * An accelerated IDE disk's instance GUID is {channel, device, 0x8899, 0...}; its requests carry
 * the device (raw GUID bytes 4 and 5) as target. The offer's user data: struct vmbus_offer_ide.
 */

#define STORVSC_ASSERT(condition) _Static_assert(condition, #condition)
STORVSC_ASSERT(sizeof(struct storvsc_srb) == STORVSC_SRB_SIZE);
STORVSC_ASSERT(offsetof(struct storvsc_srb, data_transfer_length) == 12);
STORVSC_ASSERT(offsetof(struct storvsc_srb, cdb) == 16);
STORVSC_ASSERT(offsetof(struct storvsc_srb, reserved2) == STORVSC_SRB_SIZE_BEFORE_5_1);
STORVSC_ASSERT(offsetof(struct storvsc_srb, srb_flags) == 40);
STORVSC_ASSERT(sizeof(struct storvsc_version) == 4);
STORVSC_ASSERT(sizeof(struct storvsc_properties) == 24);
STORVSC_ASSERT(offsetof(struct storvsc_properties, flags) == 8);
STORVSC_ASSERT(offsetof(struct storvsc_properties, transfer_bytes_max) == 12);
STORVSC_ASSERT(sizeof(struct storvsc_fc_hba_data) == 36);
STORVSC_ASSERT(sizeof(struct storvsc_packet) == STORVSC_PACKET_SIZE);
STORVSC_ASSERT(offsetof(struct storvsc_packet, srb) == STORVSC_PACKET_HEADER_SIZE);
#undef STORVSC_ASSERT

#endif
