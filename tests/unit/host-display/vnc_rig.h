/* SPDX-License-Identifier: BSD-3-Clause */
/* A VNC server on devices of which the test is the guest, and a real client (libvncclient). */
#ifndef TESTS_HOST_DISPLAY_VNC_RIG_H
#define TESTS_HOST_DISPLAY_VNC_RIG_H

#include "tests/unit/host-vmbus/bench.h"
#include "tests/unit/host-vmbus/guest_ring.h"

#include <pthread.h>
#include <rfb/rfbclient.h>
#include <stdbool.h>
#include <time.h>

#include "host/devices/keyboard.h"
#include "host/devices/mouse.h"
#include "host/devices/video.h"
#include "host/display/vnc.h"
#include "protocol/keyboard.h"
#include "protocol/partition.h"

enum { KEYBOARD_CHANNEL = 1, VIDEO_CHANNEL = 2, MOUSE_CHANNEL = 3, PATIENCE_SECONDS = 30 };

struct rig {
    struct bench *bench;
    struct virtual_device *keyboard, *video, *mouse, *vnc;
    struct device_machine machine;
    int vram; /* descriptor; the device's */
    rfbClient *client;
    pthread_t thread;
    bool connected;
    bool plain_client; /* the next one cannot show pointers of its own */
    const char *path; /* of the socket, or NULL */
    uint64_t now_ns; /* what the server is told; a millisecond a turn */
};

/* A server on a free port (path NULL) or on a socket, for a guest whose drivers have begun; the
 * VRAM is there, and no mode is set. */
struct rig *rig_create(const char *password, const char *path);
void rig_free(struct rig *rig);

/* For loops that wait for the other side, which ends them when it never does what it should. */
bool in_time(time_t start);
/* One turn of the host. */
void pump(struct rig *rig);

/* ---- The guest ---- */

/* A message of the video driver; its first member is a struct synthvid_header. */
void put_video(struct rig *rig, uint32_t type, void *message, uint32_t size);
void guest_sets_mode(struct rig *rig, uint32_t width, uint32_t height, uint8_t depth);
/* Draws a whole picture of one 32-bit (or two 16-bit) pixel value and says so. */
void guest_draws(struct rig *rig, uint32_t value, uint32_t width, uint32_t height, uint32_t bytes);
/* The next event of the keyboard, and the next report of the mouse; they come in time. */
void expect_event(struct rig *rig, uint16_t code, uint32_t flags);
struct mouse_report_with_pan next_report(struct rig *rig);
/* Takes and forgets what the keyboard has sent; returns how many events. */
unsigned drain_events(struct rig *rig);

/* ---- The client ---- */

/* rig->client is connected then; one that could not connect is freed. */
bool try_connect(struct rig *rig, const char *password);
/* Lets client and server talk until `done`, or the time is over. Returns what `done` said last. It
 * is called on another thread. */
bool talk_until(struct rig *rig, bool (*done)(rfbClient *client, void *context), void *context);
void leave(rfbClient *client);

#endif
