/* SPDX-License-Identifier: BSD-3-Clause */
/* hid_device_private.h - what IOHIDDevice's _reserved points at. */
#ifndef XNU_FAMILIES_HID_HID_DEVICE_PRIVATE_H
#define XNU_FAMILIES_HID_HID_DEVICE_PRIVATE_H

#include "abi/IOHIDDevice.h"

#include "xnu/families/hid/input_events.h"
#include "xnu/families/hid/report_fields.h"

enum { REPORT_TYPE_INPUT = 0, REPORT_TYPE_OUTPUT = 1 };

struct IOHIDDevice_ExpansionData {
    struct report_fields fields;
    struct pointer_state pointer;
    /* Who takes input reports, under the device's lock; NULL: they are a pointer's. */
    void (*take_report)(IOHIDDevice *me, const uint8_t *report, uint32_t length);
};

#endif
