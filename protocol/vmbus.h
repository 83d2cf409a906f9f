/* SPDX-License-Identifier: BSD-3-Clause */
/* VMBus: control messages of protocol versions 0.13 to 6.0.
 *
 * Rings, packets and pipes are in protocol/vmbus_ring.h, device classes in
 * protocol/vmbus_classes.h; this header includes both. Sizes are in bytes.
 * Sources: Linux (include/linux/hyperv.h), OpenVMM (vmbus_core), mu_msvm, FreeBSD. */
#ifndef PROTOCOL_VMBUS_H
#define PROTOCOL_VMBUS_H

#include "protocol/hypervisor.h"
#include "protocol/vmbus_classes.h"
#include "protocol/vmbus_ring.h"

/* ---- Versions: major << 16 | minor. The guest proposes, the host says yes or no -------------- */

#define VMBUS_VERSION(major, minor) ((uint32_t)(major) << 16 | (uint32_t)(minor))
#define VMBUS_VERSION_MAJOR(v)      ((v) >> 16)
#define VMBUS_VERSION_MINOR(v)      ((v) & 0xFFFFu)

#define VMBUS_VERSION_0_13 VMBUS_VERSION(0, 13)     /* Server 2008 */
#define VMBUS_VERSION_1_1  VMBUS_VERSION(1, 1)      /* Server 2008 R2 */
#define VMBUS_VERSION_2_4  VMBUS_VERSION(2, 4)      /* Server 2012 */
#define VMBUS_VERSION_3_0  VMBUS_VERSION(3, 0)      /* Server 2012 R2 */
#define VMBUS_VERSION_4_0  VMBUS_VERSION(4, 0)      /* Windows 10 1607, Server 2016 */
#define VMBUS_VERSION_4_1  VMBUS_VERSION(4, 1)      /* Windows 10 1709 */
#define VMBUS_VERSION_5_0  VMBUS_VERSION(5, 0)      /* Windows 10 1709, later builds */
#define VMBUS_VERSION_5_1  VMBUS_VERSION(5, 1)      /* Windows 10 1803 */
#define VMBUS_VERSION_5_2  VMBUS_VERSION(5, 2)      /* Windows 10 1809, Server 2019 */
#define VMBUS_VERSION_5_3  VMBUS_VERSION(5, 3)      /* Server 2022 */
#define VMBUS_VERSION_6_0  VMBUS_VERSION(6, 0)      /* after Server 2022 */

/* ---- Numbers --------------------------------------------------------------------------------- */

#define VMBUS_CONNECTION_MESSAGE       1u           /* control messages, every version */
#define VMBUS_CONNECTION_EVENT         2u           /* shared signal of version 0.13 */
#define VMBUS_CONNECTION_MONITOR       3u
#define VMBUS_CONNECTION_MULTI_CLIENT  4u           /* control messages, 5.0 and later */

#define VMBUS_CHANNEL_MAXIMUM          2047u        /* channel ids are 1 .. this */
#define VMBUS_CHANNEL_MAXIMUM_SHARED   255u         /* highest id in the interrupt page */
#define VMBUS_VP_NONE                  0xFFFFFFFFu  /* OPEN_CHANNEL: no interrupts, guest polls */
#define VMBUS_MESSAGE_SIZE_MAXIMUM     HV_MESSAGE_PAYLOAD_MAXIMUM
#define VMBUS_USER_DATA_SIZE           120u         /* in OFFER_CHANNEL and OPEN_CHANNEL */
#define VMBUS_PIPE_USER_DATA_SIZE      112u
#define VMBUS_MONITOR_NONE             0xFFu

/* Interrupt page (versions below 2.4): bit = channel id. */
#define VMBUS_INTERRUPT_PAGE_RECEIVE   0u           /* byte offset: host to guest */
#define VMBUS_INTERRUPT_PAGE_SEND      2048u        /* byte offset: guest to host */

/* ---- Message types --------------------------------------------------------------------------- */

enum vmbus_message_type {
    VMBUS_MESSAGE_INVALID                    = 0,
    VMBUS_MESSAGE_OFFER_CHANNEL              = 1,   /* host; 190 bytes before 1.1 */
    VMBUS_MESSAGE_RESCIND_CHANNEL            = 2,   /* host */
    VMBUS_MESSAGE_REQUEST_OFFERS             = 3,   /* guest */
    VMBUS_MESSAGE_ALL_OFFERS_DELIVERED       = 4,   /* host */
    VMBUS_MESSAGE_OPEN_CHANNEL               = 5,   /* guest; answered by 6 */
    VMBUS_MESSAGE_OPEN_RESULT                = 6,   /* host */
    VMBUS_MESSAGE_CLOSE_CHANNEL              = 7,   /* guest; never answered */
    VMBUS_MESSAGE_GPADL_HEADER               = 8,   /* guest; answered by 10 after the last body */
    VMBUS_MESSAGE_GPADL_BODY                 = 9,   /* guest */
    VMBUS_MESSAGE_GPADL_CREATED              = 10,  /* host */
    VMBUS_MESSAGE_GPADL_TEARDOWN             = 11,  /* guest; answered by 12 */
    VMBUS_MESSAGE_GPADL_TORNDOWN             = 12,  /* host; names no channel */
    VMBUS_MESSAGE_RELID_RELEASED             = 13,  /* guest; the last message about a channel */
    VMBUS_MESSAGE_INITIATE_CONTACT           = 14,  /* guest; answered by 15 */
    VMBUS_MESSAGE_VERSION_RESPONSE           = 15,  /* host */
    VMBUS_MESSAGE_UNLOAD                     = 16,  /* guest; answered by 17 */
    VMBUS_MESSAGE_UNLOAD_RESPONSE            = 17,  /* host */
    VMBUS_MESSAGE_OPEN_RESERVED_CHANNEL      = 18,  /* guest, 4.0; answered by 6 */
    VMBUS_MESSAGE_CLOSE_RESERVED_CHANNEL     = 19,  /* guest; answered by 20 */
    VMBUS_MESSAGE_CLOSE_RESERVED_RESPONSE    = 20,  /* host */
    VMBUS_MESSAGE_TL_CONNECT                 = 21,  /* guest, 4.0; an offer, or 23 */
    VMBUS_MESSAGE_MODIFY_CHANNEL             = 22,  /* guest, 4.1; answered by 24 from 5.3 */
    VMBUS_MESSAGE_TL_CONNECT_RESULT          = 23,  /* host, 4.1 */
    VMBUS_MESSAGE_MODIFY_CHANNEL_RESPONSE    = 24,  /* host, 5.3 */
    VMBUS_MESSAGE_MODIFY_CONNECTION          = 25,  /* guest, 6.0; answered by 26 */
    VMBUS_MESSAGE_MODIFY_CONNECTION_RESPONSE = 26,  /* host */
    VMBUS_MESSAGE_PAUSE                      = 27,  /* guest, 6.0; answered by 28 */
    VMBUS_MESSAGE_PAUSE_RESPONSE             = 28,  /* host */
    VMBUS_MESSAGE_RESUME                     = 29,  /* guest, 6.0 */
    VMBUS_MESSAGE_TYPE_COUNT
};

/* Starts every message. */
struct vmbus_message_header {
    uint32_t type;                      /* enum vmbus_message_type */
    uint32_t padding;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_header, 8);

/* Messages with nothing but a header: REQUEST_OFFERS, ALL_OFFERS_DELIVERED, UNLOAD,
 * UNLOAD_RESPONSE, PAUSE, PAUSE_RESPONSE, RESUME. */

/* ---- 1 OFFER_CHANNEL ------------------------------------------------------------------------- */

#define VMBUS_OFFER_ENUMERATE_INTERFACE   0x0001u
#define VMBUS_OFFER_CONFIDENTIAL_RING     0x0002u   /* before 6.0: transfer pages supported */
#define VMBUS_OFFER_CONFIDENTIAL_EXTERNAL 0x0004u   /* before 6.0: GPADLs supported */
#define VMBUS_OFFER_PINNED_EXTERNAL       0x0008u
#define VMBUS_OFFER_PIPE                  0x0010u   /* pipe framing in every packet */
#define VMBUS_OFFER_LOOPBACK              0x0100u
#define VMBUS_OFFER_PARENT                0x0200u
#define VMBUS_OFFER_MONITORED             0x0400u
#define VMBUS_OFFER_TL_PROVIDER           0x2000u   /* Hyper-V socket */

#define VMBUS_OFFER_PIPE_TYPE_BYTE        0u
#define VMBUS_OFFER_PIPE_TYPE_MESSAGE     4u
#define VMBUS_OFFER_PIPE_GPA_DIRECT       1u        /* pipe_flags */

#define VMBUS_OFFER_MONITOR_ALLOCATED     0x01u     /* monitor_allocated */
#define VMBUS_OFFER_DEDICATED_INTERRUPT   0x0001u   /* dedicated_interrupt */

struct vmbus_offer_pipe {               /* user data when VMBUS_OFFER_PIPE is set */
    uint32_t pipe_type;
    uint8_t user_data[VMBUS_PIPE_USER_DATA_SIZE];
    uint32_t pipe_flags;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_offer_pipe, 120);

struct vmbus_offer_socket {             /* user data of a Hyper-V socket */
    uint32_t pipe_type;
    uint8_t for_guest_accept;           /* 0 host connects to the guest, 1 answer to TL_CONNECT */
    uint8_t container;
    uint32_t version;                   /* 1 from Windows 10 1809: silo is valid */
    struct guid silo;
    uint8_t reserved[94];
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_offer_socket, 120);
WIRE_OFFSET(struct vmbus_offer_socket, silo, 10);

struct vmbus_offer_ide {                /* user data of VMBUS_CLASS_IDE */
    uint16_t reserved0;
    uint8_t path;
    uint8_t target;
    uint32_t reserved4;
    uint32_t flags;                     /* VMBUS_OFFER_IDE_DEVICE */
    uint8_t reserved12[108];
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_offer_ide, 120);
#define VMBUS_OFFER_IDE_DEVICE 0x2u

struct vmbus_message_offer_channel {
    struct vmbus_message_header header;
    struct guid class_id;
    struct guid instance_id;            /* the device's identity across rescind and reboot */
    uint8_t reserved40[16];
    uint16_t flags;                     /* VMBUS_OFFER_* */
    uint16_t mmio_megabytes;
    union {
        uint8_t user_data[VMBUS_USER_DATA_SIZE];
        struct vmbus_offer_pipe pipe;
        struct vmbus_offer_socket socket;
        struct vmbus_offer_ide ide;
    };
    uint16_t subchannel_index;          /* 0 = primary; 2.4 and later */
    uint16_t mmio_megabytes_optional;
    uint32_t channel_id;                /* 1 .. VMBUS_CHANNEL_MAXIMUM; also the event flag */
    uint8_t monitor_id;                 /* VMBUS_MONITOR_NONE */
    uint8_t monitor_allocated;
    uint16_t dedicated_interrupt;       /* from here on absent in 0.13 */
    uint32_t connection_id;             /* for HvCallSignalEvent */
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_offer_channel, 196);
WIRE_OFFSET(struct vmbus_message_offer_channel, class_id, 8);
WIRE_OFFSET(struct vmbus_message_offer_channel, instance_id, 24);
WIRE_OFFSET(struct vmbus_message_offer_channel, flags, 56);
WIRE_OFFSET(struct vmbus_message_offer_channel, user_data, 60);
WIRE_OFFSET(struct vmbus_message_offer_channel, subchannel_index, 180);
WIRE_OFFSET(struct vmbus_message_offer_channel, channel_id, 184);
WIRE_OFFSET(struct vmbus_message_offer_channel, monitor_id, 188);
WIRE_OFFSET(struct vmbus_message_offer_channel, dedicated_interrupt, 190);
WIRE_OFFSET(struct vmbus_message_offer_channel, connection_id, 192);

#define VMBUS_OFFER_SIZE_0_13 190u

/* ---- 2 RESCIND_CHANNEL, 7 CLOSE_CHANNEL, 13 RELID_RELEASED, 20 CLOSE_RESERVED_RESPONSE ------- */

struct vmbus_message_channel {
    struct vmbus_message_header header;
    uint32_t channel_id;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_channel, 12);

/* ---- 5 OPEN_CHANNEL, 6 OPEN_RESULT ----------------------------------------------------------- */

struct vmbus_message_open_channel {
    struct vmbus_message_header header;
    uint32_t channel_id;
    uint32_t open_id;                   /* echoed in the result */
    uint32_t ring_gpadl_id;
    uint32_t target_vp;                 /* or VMBUS_VP_NONE; VP 0 is used before 2.4 */
    uint32_t downstream_page_offset;    /* pages from the GPADL's start to the host-to-guest ring */
    uint8_t user_data[VMBUS_USER_DATA_SIZE];
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_open_channel, 148);
WIRE_OFFSET(struct vmbus_message_open_channel, ring_gpadl_id, 16);
WIRE_OFFSET(struct vmbus_message_open_channel, downstream_page_offset, 24);
WIRE_OFFSET(struct vmbus_message_open_channel, user_data, 28);

#define VMBUS_OPEN_REDIRECT_INTERRUPT 0x0001u

/* 6.0, when a feature flag about signals was agreed. */
struct vmbus_message_open_channel_6_0 {
    struct vmbus_message_open_channel base;
    uint32_t connection_id;             /* VMBUS_FEATURE_GUEST_SIGNAL_PARAMETERS */
    uint16_t event_flag;
    uint16_t flags;                     /* VMBUS_OPEN_REDIRECT_INTERRUPT */
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_open_channel_6_0, 156);

/* Status fields: 0 is success, anything else a failure code that differs from host to host. */
#define VMBUS_STATUS_SUCCESS    0u
#define VMBUS_STATUS_UNEXPECTED 0x8000FFFFu

struct vmbus_message_open_result {
    struct vmbus_message_header header;
    uint32_t channel_id;
    uint32_t open_id;
    uint32_t status;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_open_result, 20);

/* ---- 8 GPADL_HEADER, 9 GPADL_BODY, 10 GPADL_CREATED, 11 TEARDOWN, 12 TORNDOWN ---------------- */

/* Ranges, one after the other: this, then one 64-bit page number for each page touched. */
struct vmbus_gpa_range {
    uint32_t byte_count;
    uint32_t byte_offset;               /* in the first page, below HV_PAGE_SIZE */
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_gpa_range, 8);

struct vmbus_message_gpadl_header {
    struct vmbus_message_header header;
    uint32_t channel_id;
    uint32_t gpadl_id;                  /* chosen by the guest, not 0 */
    uint16_t range_buffer_length;       /* bytes of all ranges, over all messages */
    uint16_t range_count;
    uint64_t range_data[];
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_gpadl_header, 20);
WIRE_OFFSET(struct vmbus_message_gpadl_header, range_data, 20);

struct vmbus_message_gpadl_body {
    struct vmbus_message_header header;
    uint32_t message_number;            /* nobody looks at it; 0 */
    uint32_t gpadl_id;
    uint64_t range_data[];
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_gpadl_body, 16);

#define VMBUS_GPADL_HEADER_WORDS 27u    /* 64-bit words of range data in a header message */
#define VMBUS_GPADL_BODY_WORDS   28u    /* in a body message */
#define VMBUS_GPADL_LENGTH_MAXIMUM 0xFFF8u      /* range_buffer_length, a multiple of 8 */
#define VMBUS_GPADL_PAGES_MAXIMUM (VMBUS_GPADL_LENGTH_MAXIMUM / 8 - 1)      /* in one range */
_Static_assert(20 + 8 * VMBUS_GPADL_HEADER_WORDS <= VMBUS_MESSAGE_SIZE_MAXIMUM, "header fits");
_Static_assert(16 + 8 * VMBUS_GPADL_BODY_WORDS <= VMBUS_MESSAGE_SIZE_MAXIMUM, "body fits");
_Static_assert(VMBUS_GPADL_PAGES_MAXIMUM == 8190, "32 MB less 8 KB");

struct vmbus_message_gpadl_created {
    struct vmbus_message_header header;
    uint32_t channel_id;
    uint32_t gpadl_id;
    uint32_t status;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_gpadl_created, 20);

struct vmbus_message_gpadl_teardown {
    struct vmbus_message_header header;
    uint32_t channel_id;
    uint32_t gpadl_id;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_gpadl_teardown, 16);

struct vmbus_message_gpadl_torndown {
    struct vmbus_message_header header;
    uint32_t gpadl_id;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_gpadl_torndown, 12);

/* ---- 14 INITIATE_CONTACT, 15 VERSION_RESPONSE ------------------------------------------------ */

/* Feature flags of 6.0: in force are those that the guest asked for and the host returned. */
#define VMBUS_FEATURE_GUEST_SIGNAL_PARAMETERS  0x01u
#define VMBUS_FEATURE_INTERRUPT_REDIRECTION    0x02u
#define VMBUS_FEATURE_MODIFY_CONNECTION        0x04u
#define VMBUS_FEATURE_CLIENT_ID                0x08u
#define VMBUS_FEATURE_CONFIDENTIAL_CHANNELS    0x10u
#define VMBUS_FEATURE_PAUSE_RESUME             0x20u
#define VMBUS_FEATURE_SERVER_MONITOR_PAGES     0x40u
#define VMBUS_FEATURE_GPA_PINNING              0x80u

struct vmbus_message_initiate_contact {
    struct vmbus_message_header header;
    uint32_t version;
    uint32_t target_vp;                 /* honoured from 3.0; VP 0 before */
    union {
        uint64_t interrupt_page;        /* guest-physical address; below 5.0 */
        struct {
            uint8_t target_sint;        /* 5.0 */
            uint8_t target_vtl;         /* 5.1 */
            uint16_t reserved18;
            uint32_t feature_flags;     /* 6.0 */
        } WIRE_PACKED;
    };
    uint64_t monitor_page_host_to_guest;    /* addresses: both or neither */
    uint64_t monitor_page_guest_to_host;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_initiate_contact, 40);
WIRE_OFFSET(struct vmbus_message_initiate_contact, interrupt_page, 16);
WIRE_OFFSET(struct vmbus_message_initiate_contact, target_vtl, 17);
WIRE_OFFSET(struct vmbus_message_initiate_contact, feature_flags, 20);
WIRE_OFFSET(struct vmbus_message_initiate_contact, monitor_page_host_to_guest, 24);

struct vmbus_message_initiate_contact_client {      /* VMBUS_FEATURE_CLIENT_ID */
    struct vmbus_message_initiate_contact base;
    struct guid client_id;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_initiate_contact_client, 56);

#define VMBUS_CONNECTION_STATE_SUCCESS       0u
#define VMBUS_CONNECTION_STATE_LOW_RESOURCES 1u
#define VMBUS_CONNECTION_STATE_UNKNOWN       2u

struct vmbus_message_version_response {
    struct vmbus_message_header header;
    uint8_t version_supported;
    uint8_t connection_state;           /* VMBUS_CONNECTION_STATE_*; undefined below 2.4 */
    uint16_t reserved10;
    union {
        uint32_t selected_version;      /* below 5.0 */
        uint32_t message_connection_id; /* 5.0 and later: for everything posted from now on */
    };
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_version_response, 16);
WIRE_OFFSET(struct vmbus_message_version_response, selected_version, 12);

struct vmbus_message_version_response_6_0 {
    struct vmbus_message_version_response base;
    uint32_t feature_flags;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_version_response_6_0, 20);

struct vmbus_message_version_response_monitor {     /* VMBUS_FEATURE_SERVER_MONITOR_PAGES */
    struct vmbus_message_version_response_6_0 base;
    uint32_t padding;
    uint64_t monitor_page_host_to_guest;
    uint64_t monitor_page_guest_to_host;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_version_response_monitor, 40);
WIRE_OFFSET(struct vmbus_message_version_response_monitor, monitor_page_host_to_guest, 24);

/* ---- 18 OPEN_RESERVED_CHANNEL, 19 CLOSE_RESERVED_CHANNEL ------------------------------------- */

struct vmbus_message_open_reserved_channel {
    struct vmbus_message_header header;
    uint32_t channel_id;
    uint32_t target_vp;
    uint32_t target_sint;
    uint32_t ring_gpadl_id;
    uint32_t downstream_page_offset;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_open_reserved_channel, 28);

struct vmbus_message_close_reserved_channel {
    struct vmbus_message_header header;
    uint32_t channel_id;
    uint32_t target_vp;
    uint32_t target_sint;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_close_reserved_channel, 20);

/* ---- 21 TL_CONNECT, 23 TL_CONNECT_RESULT ----------------------------------------------------- */

struct vmbus_message_tl_connect {
    struct vmbus_message_header header;
    struct guid endpoint_id;
    struct guid service_id;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_tl_connect, 40);

struct vmbus_message_tl_connect_5_2 {
    struct vmbus_message_tl_connect base;
    struct guid silo_id;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_tl_connect_5_2, 56);

#define VMBUS_STATUS_CONNECTION_REFUSED 0xC0000236u

struct vmbus_message_tl_connect_result {
    struct vmbus_message_header header;
    struct guid endpoint_id;
    struct guid service_id;
    uint32_t status;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_tl_connect_result, 44);

/* ---- 22 MODIFY_CHANNEL, 24 MODIFY_CHANNEL_RESPONSE ------------------------------------------- */

struct vmbus_message_modify_channel {
    struct vmbus_message_header header;
    uint32_t channel_id;
    uint32_t target_vp;                 /* not VMBUS_VP_NONE */
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_modify_channel, 16);

struct vmbus_message_modify_channel_response {
    struct vmbus_message_header header;
    uint32_t channel_id;
    uint32_t status;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_modify_channel_response, 16);

/* ---- 25 MODIFY_CONNECTION, 26 MODIFY_CONNECTION_RESPONSE ------------------------------------- */

struct vmbus_message_modify_connection {
    struct vmbus_message_header header;
    uint64_t monitor_page_host_to_guest;
    uint64_t monitor_page_guest_to_host;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_modify_connection, 24);

struct vmbus_message_modify_connection_response {
    struct vmbus_message_header header;
    uint8_t connection_state;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_message_modify_connection_response, 9);

/* ---- Monitor pages (optional; a guest may give none) ----------------------------------------- */

#define VMBUS_MONITOR_GROUPS    4u
#define VMBUS_MONITOR_PER_GROUP 32u

struct vmbus_monitor_parameter {
    uint32_t connection_id;
    uint16_t flag_number;
    uint16_t reserved;
} WIRE_PACKED;

struct vmbus_monitor_page {
    uint32_t trigger_state;             /* bits 3:0 enable the groups */
    uint32_t reserved4;
    struct {
        uint32_t pending;               /* set atomically by the sender */
        uint32_t armed;
    } groups[VMBUS_MONITOR_GROUPS];
    uint8_t reserved28[24];
    int32_t next_check_time[VMBUS_MONITOR_GROUPS][VMBUS_MONITOR_PER_GROUP];
    uint16_t latency[VMBUS_MONITOR_GROUPS][VMBUS_MONITOR_PER_GROUP];        /* 100 ns */
    uint8_t reserved340[256];
    struct vmbus_monitor_parameter parameters[VMBUS_MONITOR_GROUPS][VMBUS_MONITOR_PER_GROUP];
    uint8_t reserved840[1984];
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_monitor_page, 4096);
WIRE_OFFSET(struct vmbus_monitor_page, groups, 8);
WIRE_OFFSET(struct vmbus_monitor_page, next_check_time, 0x40);
WIRE_OFFSET(struct vmbus_monitor_page, latency, 0x240);
WIRE_OFFSET(struct vmbus_monitor_page, parameters, 0x440);

/* ---- Least sizes of the messages that a host sends ------------------------------------------- */

/* Returns the least number of bytes of a message of `type` from a host that speaks `version`, or 0
 * if a host never sends that type. Longer messages are to be accepted. */
static inline size_t vmbus_host_message_minimum(uint32_t type, uint32_t version)
{
    switch (type) {
    case VMBUS_MESSAGE_OFFER_CHANNEL:
        return version < VMBUS_VERSION_1_1 ? VMBUS_OFFER_SIZE_0_13
                                           : sizeof(struct vmbus_message_offer_channel);
    case VMBUS_MESSAGE_RESCIND_CHANNEL:
        return sizeof(struct vmbus_message_channel);
    case VMBUS_MESSAGE_OPEN_RESULT:
        return sizeof(struct vmbus_message_open_result);
    case VMBUS_MESSAGE_GPADL_CREATED:
        return sizeof(struct vmbus_message_gpadl_created);
    case VMBUS_MESSAGE_GPADL_TORNDOWN:
        return sizeof(struct vmbus_message_gpadl_torndown);
    case VMBUS_MESSAGE_VERSION_RESPONSE:
        return sizeof(struct vmbus_message_version_response);
    case VMBUS_MESSAGE_CLOSE_RESERVED_RESPONSE:
        return sizeof(struct vmbus_message_channel);
    case VMBUS_MESSAGE_TL_CONNECT_RESULT:
        return sizeof(struct vmbus_message_tl_connect_result);
    case VMBUS_MESSAGE_MODIFY_CHANNEL_RESPONSE:
        return sizeof(struct vmbus_message_modify_channel_response);
    case VMBUS_MESSAGE_MODIFY_CONNECTION_RESPONSE:
        return sizeof(struct vmbus_message_modify_connection_response);
    case VMBUS_MESSAGE_ALL_OFFERS_DELIVERED:
    case VMBUS_MESSAGE_UNLOAD_RESPONSE:
    case VMBUS_MESSAGE_PAUSE_RESPONSE:
        return sizeof(struct vmbus_message_header);
    default:
        return 0;
    }
}

#endif
