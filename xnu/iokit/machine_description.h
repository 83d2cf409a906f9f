/* SPDX-License-Identifier: BSD-3-Clause */
/* The ACPI devices of a Hyper-V virtual machine, as much of them as drivers look at.
 *
 * Source: DSDT dumps of Hyper-V machines of both generations, as the Linux kernel and macOS
 * print them. */
#ifndef MACHV_XNU_IOKIT_MACHINE_DESCRIPTION_H
#define MACHV_XNU_IOKIT_MACHINE_DESCRIPTION_H

#include <stddef.h>
#include <stdint.h>

enum { MACHINE_DEVICE_LINES = 4, MACHINE_DEVICE_WINDOWS = 8 };

/* Types of an address window, as "acpi-address-spaces" numbers them. */
enum machine_window_type { WINDOW_MEMORY = 0, WINDOW_PORTS = 1, WINDOW_BUSES = 2 };

struct machine_window {
    enum machine_window_type type;
    uint64_t first, last; /* inclusive */
};

struct machine_device {
    const char *name;          /* last segment of the ACPI path, at most 4 characters */
    const char *hardware_id;   /* _HID, or NULL */
    const char *compatible_id; /* _CID, or NULL */
    const char *unique_id;     /* _UID, or NULL */
    const char *type;          /* device_type, or NULL */
    const char *parent;        /* name of the device above, NULL: the system bus */
    uint8_t lines[MACHINE_DEVICE_LINES];
    unsigned line_count;
    struct machine_window windows[MACHINE_DEVICE_WINDOWS]; /* _CRS */
    unsigned window_count;
};

struct machine_description {
    unsigned generation; /* 1 or 2 */
    const char *model;
    const char *manufacturer;
    const struct machine_device *devices; /* a parent comes before those below it */
    size_t device_count;
};

/* generation 1 or 2; anything else: 2. */
const struct machine_description *machine_description(unsigned generation);

#endif
