/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a test bench may put its hand into a channel's data path: each packet passes the filter on
 * its way, as raw bytes (header included, trailer not). Used by host/faults.
 */
#ifndef HOST_VMBUS_FILTER_H
#define HOST_VMBUS_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host_channel;

/* Both calls come in the channel's data path. Either may be NULL: nothing is changed. */
struct host_packet_filter {
    void *context;
    /* A packet taken from the guest; may be changed in place, also made shorter. False: lose it. */
    bool (*from_guest)(void *context, struct host_channel *channel, uint8_t *bytes,
                       size_t *length);
    /*
     * A packet about to be written for the guest; may be changed in place, and made shorter (the
     * length stays a multiple of 8). Returns how many times to write it: 0 to lose it, or to
     * keep a copy and call host_channel_send_raw() later.
     */
    unsigned (*to_guest)(void *context, struct host_channel *channel, uint8_t *bytes,
                         uint32_t *length);
};

/* [machine lock] Sets or, with NULL, removes the filter; it must outlive its use. */
void host_channel_set_filter(struct host_channel *channel,
                             const struct host_packet_filter *filter);

/* [data path] Writes a packet as it is, past the filter. Results as host_channel_send(). */
int host_channel_send_raw(struct host_channel *channel, const void *bytes, uint32_t length);

#endif
