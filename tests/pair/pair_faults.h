/* SPDX-License-Identifier: BSD-3-Clause */
/* Faults on the VMBus traffic of a pair: host/faults in the paths of its messages and packets. Host
 * side. */
#ifndef TESTS_PAIR_PAIR_FAULTS_H
#define TESTS_PAIR_PAIR_FAULTS_H

#include "host/faults/message_faults.h"
#include "host/faults/packet_faults.h"

enum { PAIR_CHANNELS = 2048 };

struct pair_faults {
    struct fault_plan plan;
    struct message_faults messages;
    struct packet_faults packets;
    const struct host_channel *filtered[PAIR_CHANNELS];
    struct host_machine *machine;
    bool quiet;               /* what is held back still comes, nothing new goes wrong */
};

void pair_faults_initialise(struct pair_faults *faults, struct host_machine *machine,
                            uint64_t seed);
void pair_faults_free(struct pair_faults *faults);
/* A rule in the words of host/faults/fault_plan.h. False: it is none. */
bool pair_faults_add(struct pair_faults *faults, const char *rule);

/* The machine's filters; results as theirs. */
bool pair_faults_post(struct pair_faults *faults, const void *payload, size_t size,
                      uint32_t *status);
bool pair_faults_message(struct pair_faults *faults, uint32_t processor, uint32_t sint,
                         const void *message, size_t size);
/* Before a channel's device runs: puts the filter into its path. */
void pair_faults_channel(struct pair_faults *faults, struct host_channel *channel);
/* Lets go what is due at `now` (100 ns); returns how much was due. */
unsigned pair_faults_run(struct pair_faults *faults, uint64_t now);
uint64_t pair_faults_deadline(const struct pair_faults *faults);

#endif
