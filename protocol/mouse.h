/* SPDX-License-Identifier: BSD-3-Clause */
/* The synthetic mouse: HID reports over a message pipe. After the pipe header comes struct
 * mouse_message_header, whose size counts the body alone.
 *
 * Sources: Linux hid-hyperv, FreeBSD hv_hid, OpenVMM uidevices. */
#ifndef PROTOCOL_MOUSE_H
#define PROTOCOL_MOUSE_H

#include "protocol/wire.h"

enum mouse_message_type {
    MOUSE_PROTOCOL_REQUEST    = 0,      /* guest */
    MOUSE_PROTOCOL_RESPONSE   = 1,      /* host */
    MOUSE_INITIAL_DEVICE_INFO = 2,      /* host, unasked, after it approved */
    MOUSE_DEVICE_INFO_ACK     = 3,      /* guest */
    MOUSE_INPUT_REPORT        = 4       /* host; the body is the HID report */
};

#define MOUSE_MESSAGE_MAXIMUM 512u      /* bytes, without the pipe header */
#define MOUSE_REPORT_MAXIMUM  16u
#define MOUSE_VERSION_2_0     0x00020000u

struct mouse_message_header {
    uint32_t type;                      /* enum mouse_message_type */
    uint32_t size;                      /* bytes that follow */
} WIRE_PACKED;
WIRE_SIZE(struct mouse_message_header, 8);

struct mouse_protocol_request {
    struct mouse_message_header header;
    uint32_t version;
} WIRE_PACKED;
WIRE_SIZE(struct mouse_protocol_request, 12);

struct mouse_protocol_response {
    struct mouse_message_header header;
    uint32_t version;                   /* the one asked for */
    uint8_t approved;
} WIRE_PACKED;
WIRE_SIZE(struct mouse_protocol_response, 13);

struct mouse_attributes {
    uint32_t size;                      /* of this structure */
    uint16_t vendor;
    uint16_t product;
    uint16_t version;
    uint16_t reserved[11];
} WIRE_PACKED;
WIRE_SIZE(struct mouse_attributes, 32);

#define MOUSE_HID_DESCRIPTOR_TYPE    0x21u
#define MOUSE_REPORT_DESCRIPTOR_TYPE 0x22u

/* The HID descriptor as in USB. */
struct mouse_hid_descriptor {
    uint8_t length;                     /* 9 */
    uint8_t type;                       /* MOUSE_HID_DESCRIPTOR_TYPE */
    uint16_t hid_version;               /* BCD */
    uint8_t country;
    uint8_t descriptor_count;           /* 1 */
    uint8_t report_descriptor_type;     /* MOUSE_REPORT_DESCRIPTOR_TYPE */
    uint16_t report_descriptor_length;  /* bytes after this structure; padding may follow */
} WIRE_PACKED;
WIRE_SIZE(struct mouse_hid_descriptor, 9);

struct mouse_device_info {
    struct mouse_message_header header;
    struct mouse_attributes attributes;
    struct mouse_hid_descriptor hid;    /* the report descriptor follows */
} WIRE_PACKED;
WIRE_SIZE(struct mouse_device_info, 49);
WIRE_OFFSET(struct mouse_device_info, hid, 40);
#define MOUSE_DESCRIPTOR_AREA 128u      /* what hosts send, zeros after the report descriptor */

struct mouse_device_info_ack {
    struct mouse_message_header header;
    uint8_t reserved;                   /* 0 */
} WIRE_PACKED;
WIRE_SIZE(struct mouse_device_info_ack, 9);

/* The report that the descriptor of real hosts describes; guests read the descriptor instead. */
#define MOUSE_COORDINATE_MAXIMUM 32767u
#define MOUSE_BUTTONS            5u

struct mouse_report {
    uint8_t buttons;                    /* bit 0 left, 1 right, 2 middle, 3, 4 */
    uint16_t x;                         /* 0 .. MOUSE_COORDINATE_MAXIMUM */
    uint16_t y;
    int16_t wheel;                      /* detents, up is positive */
} WIRE_PACKED;
WIRE_SIZE(struct mouse_report, 7);

/* The report of a host whose descriptor has a horizontal wheel too. */
struct mouse_report_with_pan {
    struct mouse_report report;
    int16_t pan;                        /* detents, right is positive */
} WIRE_PACKED;
WIRE_SIZE(struct mouse_report_with_pan, 9);

#endif
