/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Faults on control messages, both ways, and on HvCallPostMessage itself. Its owner sets the two
 * filter operations of struct host_machine_operations to call message_faults_post() and
 * message_faults_send(), and calls message_faults_run() when the deadline comes. [machine lock]
 */
#ifndef HOST_FAULTS_MESSAGE_FAULTS_H
#define HOST_FAULTS_MESSAGE_FAULTS_H

#include "host/faults/fault_plan.h"
#include "host/faults/held.h"
#include "host/machine.h"

struct message_faults {
    struct host_machine *machine;
    struct fault_plan *plan;      /* not owned; may be shared with packet_faults */
    struct held_queue held;
    uint64_t now;                 /* of the last message_faults_run() */
    uint32_t failed_gpadl;        /* whose bodies are swallowed, 0: none */
    uint32_t rescind_channel;     /* to be removed at the next run, 0: none */
};

void message_faults_initialise(struct message_faults *faults, struct host_machine *machine,
                               struct fault_plan *plan);
void message_faults_free(struct message_faults *faults);

/* filter_post of the machine. */
bool message_faults_post(struct message_faults *faults, const void *payload, size_t size,
                         uint32_t *status);

/* filter_message of the machine. */
bool message_faults_send(struct message_faults *faults, uint32_t processor, uint32_t sint,
                         const void *message, size_t size);

/* Delivers what is due, and removes the device that a rule wants removed. Call it after each
 * exit that may have brought a message, and at the deadline. */
void message_faults_run(struct message_faults *faults, uint64_t now);
uint64_t message_faults_deadline(const struct message_faults *faults); /* UINT64_MAX: none */

#endif
