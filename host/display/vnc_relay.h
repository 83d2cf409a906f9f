/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between the library and a viewer. The library writes a whole update before it returns, so a
 * viewer that takes it slowly, or not at all, would hold up the machine. A thread a viewer takes
 * what the library writes at once, and gives it to the viewer as that reads.
 */
#ifndef HOST_DISPLAY_VNC_RELAY_H
#define HOST_DISPLAY_VNC_RELAY_H

#include <pthread.h>

enum { VNC_RELAY_BYTES_MAX = 64 << 20 }; /* a viewer that leaves more unread is sent away */

struct vnc_relays {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    unsigned count; /* threads */
};

void vnc_relays_open(struct vnc_relays *relays);
/* Waits for the threads; the library has closed its ends. */
void vnc_relays_close(struct vnc_relays *relays);

/* Takes the viewer's socket. Returns the library's end, or a negative errno and the viewer is gone.
 * When the library closes its end, the viewer's connection is closed. */
int vnc_relay_start(struct vnc_relays *relays, int viewer);

#endif
