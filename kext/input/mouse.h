/* SPDX-License-Identifier: BSD-3-Clause */
/* The synthetic mouse's engine: agreement on a version, the device's description, reports. No I/O
 * Kit in here; calls are serialised by the caller.
 *
 * Sources: Linux hid-hyperv, FreeBSD hv_hid, OpenVMM uidevices. */
#ifndef KEXT_INPUT_MOUSE_H
#define KEXT_INPUT_MOUSE_H

#include "kext/core/errors.h"
#include "kext/input/report_descriptor.h"
#include "protocol/mouse.h"
#include "protocol/vmbus_ring.h"

enum mouse_state {
    MOUSE_ASKED,
    MOUSE_APPROVED,                     /* the description comes next */
    MOUSE_READY,
    MOUSE_REFUSED                       /* by the host, or its description is unusable */
};

/* Messages to the host, pipe header first. */
struct mouse_request_packet {
    struct vmbus_pipe_header pipe;
    struct mouse_protocol_request request;
} WIRE_PACKED;

struct mouse_ack_packet {
    struct vmbus_pipe_header pipe;
    struct mouse_device_info_ack ack;
} WIRE_PACKED;

struct mouse_counters {
    uint64_t reports;
    uint64_t short_reports;             /* shorter than the descriptor says, dropped */
    uint64_t malformed; /* any other message that breaks its format or comes at the wrong time */
};

struct mouse {
    enum mouse_state state;
    uint16_t vendor, product, version;  /* valid when ready */
    uint8_t country;
    struct report_shape shape;
    uint32_t descriptor_length;
    uint8_t descriptor[MOUSE_DESCRIPTOR_AREA];
    struct mouse_counters counters;
};

enum mouse_action {
    MOUSE_NOTHING,
    MOUSE_DESCRIBED, /* the description is there for the first time: send the ack */
    MOUSE_ACK,       /* it came again, and counts for nothing: send the ack */
    MOUSE_REPORT     /* `report` is one for the HID stack */
};

struct mouse_result {
    enum mouse_action action;
    const uint8_t *report;              /* inside the message */
    uint32_t report_length;
};

/* Begins anew and fills in the first message, to be sent when the channel is open. */
void mouse_begin(struct mouse *mouse, struct mouse_request_packet *packet);

void mouse_make_ack(struct mouse_ack_packet *packet);

/* Handles the data of one packet, `length` bytes with its padding (private memory). Returns 0 with
 * `result`, HV_ERROR_MALFORMED, or HV_ERROR_REFUSED: the state is MOUSE_REFUSED now. */
int mouse_receive(struct mouse *mouse, const void *packet, uint32_t length,
                  struct mouse_result *result);

#endif
