/* SPDX-License-Identifier: BSD-3-Clause */
/* The synthetic keyboard: messages, one an in-band packet, without pipe header. Key codes are those
 * of the PC's scan code set 1.
 *
 * Sources: Linux hyperv-keyboard, FreeBSD hv_kbd, OpenVMM uidevices. */
#ifndef PROTOCOL_KEYBOARD_H
#define PROTOCOL_KEYBOARD_H

#include "protocol/wire.h"

enum keyboard_message_type {
    KEYBOARD_PROTOCOL_REQUEST  = 1,     /* guest */
    KEYBOARD_PROTOCOL_RESPONSE = 2,     /* host */
    KEYBOARD_EVENT             = 3,     /* host */
    KEYBOARD_SET_INDICATORS    = 4      /* guest */
};

#define KEYBOARD_MESSAGE_MAXIMUM 256u   /* bytes */
#define KEYBOARD_VERSION_1_0     0x00010000u

struct keyboard_protocol_request {
    uint32_t type;
    uint32_t version;                   /* KEYBOARD_VERSION_1_0 */
} WIRE_PACKED;
WIRE_SIZE(struct keyboard_protocol_request, 8);

#define KEYBOARD_ACCEPTED 0x1u

struct keyboard_protocol_response {
    uint32_t type;
    uint32_t status;                    /* KEYBOARD_ACCEPTED or not; other bits reserved */
} WIRE_PACKED;
WIRE_SIZE(struct keyboard_protocol_response, 8);

#define KEYBOARD_EVENT_UNICODE 0x1u     /* make_code is a UTF-16 unit */
#define KEYBOARD_EVENT_BREAK   0x2u     /* the key went up */
#define KEYBOARD_EVENT_E0      0x4u     /* the prefix of the scan code */
#define KEYBOARD_EVENT_E1      0x8u

struct keyboard_event {
    uint32_t type;
    uint16_t make_code;                 /* set 1, without the break bit */
    uint16_t reserved;
    uint32_t flags;                     /* KEYBOARD_EVENT_* */
} WIRE_PACKED;
WIRE_SIZE(struct keyboard_event, 12);
WIRE_OFFSET(struct keyboard_event, flags, 8);

/* As Windows numbers a keyboard's indicators. */
#define KEYBOARD_INDICATOR_SCROLL_LOCK 0x1u
#define KEYBOARD_INDICATOR_NUM_LOCK    0x2u
#define KEYBOARD_INDICATOR_CAPS_LOCK   0x4u

struct keyboard_set_indicators {
    uint32_t type;
    uint16_t indicators;                /* KEYBOARD_INDICATOR_* */
    uint16_t reserved;
} WIRE_PACKED;
WIRE_SIZE(struct keyboard_set_indicators, 8);

#endif
