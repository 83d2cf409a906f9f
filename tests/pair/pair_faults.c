/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/pair/pair_faults.h"

#include "host/vmbus/device.h"

#include <string.h>

void pair_faults_initialise(struct pair_faults *faults, struct host_machine *machine, uint64_t seed)
{
    memset(faults, 0, sizeof *faults);
    faults->machine = machine;
    fault_plan_initialise(&faults->plan, seed);
    message_faults_initialise(&faults->messages, machine, &faults->plan);
    packet_faults_initialise(&faults->packets, &faults->plan);
}

void pair_faults_free(struct pair_faults *faults)
{
    message_faults_free(&faults->messages);
    packet_faults_free(&faults->packets);
}

bool pair_faults_add(struct pair_faults *faults, const char *rule)
{
    const char *problem;

    return fault_plan_add(&faults->plan, rule, &problem) == 0;
}

static bool active(const struct pair_faults *faults)
{
    return faults->plan.count != 0 && !faults->quiet;
}

bool pair_faults_post(struct pair_faults *faults, const void *payload, size_t size,
                      uint32_t *status)
{
    return !active(faults) || message_faults_post(&faults->messages, payload, size, status);
}

bool pair_faults_message(struct pair_faults *faults, uint32_t processor, uint32_t sint,
                         const void *message, size_t size)
{
    return !active(faults) ||
           message_faults_send(&faults->messages, processor, sint, message, size);
}

void pair_faults_channel(struct pair_faults *faults, struct host_channel *channel)
{
    uint32_t id = host_channel_id(channel);

    if (faults->plan.count == 0 || id >= PAIR_CHANNELS ||
        (faults->quiet && faults->filtered[id] == NULL))
        return;
    host_channel_set_filter(channel, faults->quiet ? NULL : &faults->packets.filter);
    faults->filtered[id] = channel;
}

/* What is held for a channel that has closed must not be sent when its time comes. */
static void forget_closed_channels(struct pair_faults *faults)
{
    uint32_t id;

    for (id = 0; id < PAIR_CHANNELS; id++) {
        const struct host_channel *known = faults->filtered[id];
        struct host_channel *now =
            known == NULL ? NULL : vmbus_server_channel(faults->machine->server, id);

        if (known != NULL && (now != known || strcmp(host_channel_state_name(now), "open") != 0)) {
            packet_faults_channel_closed(&faults->packets, known);
            if (now == known) /* it may be opened again after the faults' end */
                host_channel_set_filter(now, NULL);
            faults->filtered[id] = NULL;
        }
    }
}

unsigned pair_faults_run(struct pair_faults *faults, uint64_t now)
{
    unsigned due = pair_faults_deadline(faults) <= now;

    if (faults->plan.count == 0)
        return 0;
    message_faults_run(&faults->messages, now);
    forget_closed_channels(faults);
    packet_faults_run(&faults->packets, now);
    if (faults->packets.rescind != NULL) {
        struct host_channel *channel = faults->packets.rescind;

        faults->packets.rescind = NULL;
        host_device_unplug(host_channel_primary(channel));
    }
    return due;
}

uint64_t pair_faults_deadline(const struct pair_faults *faults)
{
    uint64_t messages = message_faults_deadline(&faults->messages);
    uint64_t packets = held_deadline(&faults->packets.held);

    if (faults->packets.rescind != NULL)
        return 0;
    return messages < packets ? messages : packets;
}
