/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Faults on the packets and completions of channels, as a filter in their data path. One object
 * may serve several channels, but all must then be driven by one thread. host_channel_set_filter()
 * puts it in place.
 */
#ifndef HOST_FAULTS_PACKET_FAULTS_H
#define HOST_FAULTS_PACKET_FAULTS_H

#include "host/faults/fault_plan.h"
#include "host/faults/held.h"
#include "host/vmbus/filter.h"

struct packet_faults {
    struct host_packet_filter filter; /* for host_channel_set_filter() */
    struct fault_plan *plan;          /* not owned */
    struct held_queue held;
    uint64_t now;
    struct host_channel *rescind;     /* its device is to be removed: the owner looks and does it */
};

void packet_faults_initialise(struct packet_faults *faults, struct fault_plan *plan);
void packet_faults_free(struct packet_faults *faults);

/* Sends what is due and flushes the channels concerned. Returns the next due time or UINT64_MAX. */
uint64_t packet_faults_run(struct packet_faults *faults, uint64_t now);

/* Forgets what is held for a channel: to be called when it is reported closed. */
void packet_faults_channel_closed(struct packet_faults *faults,
                                  const struct host_channel *channel);

#endif
