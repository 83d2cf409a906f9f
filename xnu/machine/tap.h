/* SPDX-License-Identifier: BSD-3-Clause */
/* tap.h - a TAP device of the machine that this process runs on. */
#ifndef MACHV_XNU_MACHINE_TAP_H
#define MACHV_XNU_MACHINE_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum machine_tap_segmentation { MACHINE_TAP_WHOLE, MACHINE_TAP_TCP_IPV4, MACHINE_TAP_TCP_IPV6 };

/* What travels beside a frame: work that its receiver has to do. */
struct machine_tap_frame {
    bool needs_checksum;     /* from checksum_start on; the field has the pseudo-header's sum */
    uint16_t checksum_start, checksum_offset;
    bool checksum_good;      /* verified: need not be looked at */
    enum machine_tap_segmentation segmentation;
    uint16_t segment_size;
    uint16_t header_size;    /* of a frame to be segmented */
};

/* Opens the device, making it if it is not there. Returns a descriptor for machine_poll, or -1 and a line in `error`.
 * The device's owner gets 64 KiB frames if it asks for segmentation. */
int machine_tap_open(const char *name, char *error, size_t error_size);
void machine_tap_close(int descriptor);

/* The next frame: its bytes, 0 if there is none, or a negative errno. Does not wait. */
long machine_tap_read(int descriptor, struct machine_tap_frame *about, void *bytes, size_t capacity);
/* Sends a frame; false if it was dropped. Does not wait. */
bool machine_tap_write(int descriptor, const struct machine_tap_frame *about, const void *bytes, size_t size);

#endif
