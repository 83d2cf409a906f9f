/* SPDX-License-Identifier: BSD-3-Clause */
/* The machine's console over VNC: the screen is the video device's, keys and pointer go to the
 * keyboards and the mouse. On a port of the loopback interface or a socket in the file system;
 * several viewers at a time.
 *
 * A virtual device by its interface, so that the program calls it when a viewer wants something; it
 * has nothing on VMBus. */
#ifndef HOST_DISPLAY_VNC_H
#define HOST_DISPLAY_VNC_H

#include <stdint.h>

#include "host/devices/virtual_device.h"
#include "host/display/key_input.h"

struct vnc_settings {
    const char *path;          /* of a socket in the file system; NULL: the port */
    uint16_t port;             /* 0: the first free one from 5900 on */
    const char *password;      /* NULL: none. VNC uses the first 8 characters */
    struct virtual_device *video, *mouse; /* each may be NULL */
    struct key_input keys;
};

/* Starts listening. It is freed before the devices. Returns NULL with *error a negative errno. */
struct virtual_device *vnc_new(const struct vnc_settings *settings, int *error);

/* The port that it listens on, if it does. */
uint16_t vnc_port(const struct virtual_device *device);
unsigned vnc_viewers(const struct virtual_device *device);

#endif
