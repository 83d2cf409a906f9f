/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest, devices and a user who do whatever bytes say: each byte string is a list of actions on
 * a VMBus server, small ids so that they meet. Shared by the seeded test and the fuzz target.
 */
#ifndef TESTS_HOST_VMBUS_RANDOM_GUEST_H
#define TESTS_HOST_VMBUS_RANDOM_GUEST_H

#include <stddef.h>
#include <stdint.h>

/* What happened, so that a test can tell that something did. */
struct random_guest_result {
    const char *broken; /* an invariant of the server, or NULL */
    unsigned actions, opens, closes, rescinds, gpadls, packets;
};

/* Runs the actions; the server accepts versions up to 6.0. */
struct random_guest_result random_guest_run(const uint8_t *bytes, size_t size);

#endif
