/* SPDX-License-Identifier: BSD-3-Clause */
/* VMBus channels: the ring's control page, packets and pipe framing.
 *
 * Sources: Linux (ring_buffer.c, hyperv.h), OpenVMM (vmbus_ring), mu_msvm, FreeBSD. */
#ifndef PROTOCOL_VMBUS_RING_H
#define PROTOCOL_VMBUS_RING_H

#include "protocol/wire.h"

/* ---- Ring: one control page, then whole pages of data ---------------------------------------- */

#define VMBUS_RING_CONTROL_SIZE   4096u
#define VMBUS_RING_DATA_MINIMUM   4096u
#define VMBUS_RING_FEATURE_PENDING_SEND_SIZE 0x1u

/* Empty is write_index == read_index, so a ring is never filled to the last byte: a packet of T
 * bytes (header, data, padding, trailer) fits if and only if free space > T. */
struct vmbus_ring_control {
    uint32_t write_index;               /* producer: bytes, a multiple of 8, below the data size */
    uint32_t read_index;                /* consumer */
    uint32_t interrupt_mask;            /* consumer: non-zero = no signal wanted */
    uint32_t pending_send_size;         /* producer: blocked until this much is free */
    uint32_t reserved16[12];
    uint32_t feature_bits;              /* producer: VMBUS_RING_FEATURE_* */
    uint8_t reserved68[4088 - 68];
    uint64_t guest_to_host_interrupts;  /* counted by FreeBSD and MacHyperVSupport only */
};
WIRE_SIZE(struct vmbus_ring_control, 4096);
WIRE_OFFSET(struct vmbus_ring_control, read_index, 4);
WIRE_OFFSET(struct vmbus_ring_control, interrupt_mask, 8);
WIRE_OFFSET(struct vmbus_ring_control, pending_send_size, 12);
WIRE_OFFSET(struct vmbus_ring_control, feature_bits, 64);
WIRE_OFFSET(struct vmbus_ring_control, guest_to_host_interrupts, 4088);

/* ---- Packets --------------------------------------------------------------------------------- */

enum vmbus_packet_type {
    VMBUS_PACKET_IN_BAND        = 6,
    VMBUS_PACKET_TRANSFER_PAGES = 7,    /* host to guest: ranges of a buffer known to both */
    VMBUS_PACKET_GPA_DIRECT     = 9,    /* guest to host: ranges of guest memory */
    VMBUS_PACKET_CANCEL         = 10,
    VMBUS_PACKET_COMPLETION     = 11
};

#define VMBUS_PACKET_FLAG_COMPLETION_REQUESTED 0x0001u

struct vmbus_packet_header {
    uint16_t type;                      /* enum vmbus_packet_type */
    uint16_t data_offset8;              /* from the packet's start, in units of 8 bytes */
    uint16_t length8;                   /* whole packet without the trailer, in units of 8 bytes */
    uint16_t flags;
    uint64_t transaction_id;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_packet_header, 16);
WIRE_OFFSET(struct vmbus_packet_header, transaction_id, 8);

#define VMBUS_PACKET_LENGTH_MAXIMUM (0xFFFFu * 8u)      /* without the trailer */
#define VMBUS_PACKET_TRAILER_SIZE   8u                  /* high word: index where it started */

/* Type 9: after the header. The ranges follow: struct vmbus_gpa_range and page numbers. */
struct vmbus_packet_gpa_direct {
    struct vmbus_packet_header header;
    uint32_t reserved;
    uint32_t range_count;               /* at least 1 */
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_packet_gpa_direct, 24);

/* Type 7: after the header; then the ranges. */
struct vmbus_transfer_page_range {
    uint32_t byte_count;
    uint32_t byte_offset;               /* in the buffer that the set names */
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_transfer_page_range, 8);

struct vmbus_packet_transfer_pages {
    struct vmbus_packet_header header;
    uint16_t transfer_page_set_id;
    uint8_t sender_owns_set;
    uint8_t reserved;
    uint32_t range_count;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_packet_transfer_pages, 24);
WIRE_OFFSET(struct vmbus_packet_transfer_pages, range_count, 20);

/* ---- Pipe framing: starts the data of every packet on a channel offered with VMBUS_OFFER_PIPE  */

enum vmbus_pipe_type {
    VMBUS_PIPE_DATA                = 1,
    VMBUS_PIPE_PARTIAL_DATA        = 2,
    VMBUS_PIPE_SETUP_GPA_DIRECT    = 3,
    VMBUS_PIPE_TEARDOWN_GPA_DIRECT = 4,
    VMBUS_PIPE_INDICATION_COMPLETE = 5
};

struct vmbus_pipe_header {
    uint32_t type;                      /* enum vmbus_pipe_type */
    union {
        uint32_t length;                /* bytes after this header */
        struct {                        /* VMBUS_PIPE_PARTIAL_DATA */
            uint16_t partial_length;
            uint16_t partial_offset;    /* bytes already consumed */
        } WIRE_PACKED;
    };
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_pipe_header, 8);

#define VMBUS_PIPE_MESSAGE_MAXIMUM 16384u   /* bytes; OpenVMM's limit */

struct vmbus_pipe_setup_gpa_direct {        /* body of VMBUS_PIPE_SETUP_GPA_DIRECT */
    uint32_t handle;
    uint8_t writable;
    uint32_t range_count;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_pipe_setup_gpa_direct, 9);

struct vmbus_pipe_teardown_gpa_direct {     /* body of VMBUS_PIPE_TEARDOWN_GPA_DIRECT */
    uint32_t handle;
} WIRE_PACKED;
WIRE_SIZE(struct vmbus_pipe_teardown_gpa_direct, 4);

#endif
