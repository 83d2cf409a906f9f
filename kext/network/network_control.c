/* SPDX-License-Identifier: BSD-3-Clause */
/* RNDIS requests: one at a time, on the primary channel. */
#include "kext/network/HyperVNetwork.h"

#include "abi/kpi/libkern.h"
#include "abi/kpi/threads.h"
#include "abi/kpi/time.h"

/* ---- requests ---- */

static uint64_t deadline_after(uint32_t milliseconds)
{
    uint64_t deadline;

    clock_interval_to_deadline(milliseconds, kMillisecondScale, &deadline);
    return deadline;
}

/* Waits under the control lock until `*flag` is `wanted`: 0, HV_ERROR_TIMED_OUT, HV_ERROR_GONE. */
static int wait_for(struct HyperVNetwork *self, const bool *flag, bool wanted, uint64_t deadline)
{
    while (*(volatile const bool *)flag != wanted) {
        if (self->gone)
            return HV_ERROR_GONE;
        int result = IOLockSleepDeadline(self->control.lock, &self->control, deadline,
                                         THREAD_UNINT);

        if (result == THREAD_TIMED_OUT && *(volatile const bool *)flag != wanted)
            return HV_ERROR_TIMED_OUT;
    }
    return 0;
}

/* Sends the request in control.memory; the control lock is not held. */
static int send_control(struct HyperVNetwork *self, uint32_t length)
{
    const uint64_t page = dma_memory_page_number(&self->control.memory, 0);
    const struct gpa_range range = { .length = length, .offset = 0, .page_numbers = &page };
    struct nvsp_message message;
    const struct ring_piece piece = { &message, sizeof message };
    struct device_channel *channel = network_primary(self);
    int error = channel == NULL ? HV_ERROR_GONE : device_channel_begin(channel);

    if (error != 0)
        return error;
    nvs_rndis_message(NVSP_CHANNEL_CONTROL, NVSP_NO_SECTION, 0, &message);
    error = device_channel_append_gpa_direct(channel, &range, 1, &piece, 1, &self->control.request);
    device_channel_commit(channel);
    return error;
}

enum control_what { CONTROL_INITIALIZE, CONTROL_HALT, CONTROL_QUERY, CONTROL_SET };

static const uint32_t control_types[] = {
    [CONTROL_INITIALIZE] = RNDIS_INITIALIZE,
    [CONTROL_HALT] = RNDIS_HALT,
    [CONTROL_QUERY] = RNDIS_QUERY,
    [CONTROL_SET] = RNDIS_SET,
};

static uint32_t build(struct network_control *control, enum control_what what, uint32_t oid,
                      const void *input, uint32_t input_length)
{
    void *buffer = control->memory.bytes;

    switch (what) {
    case CONTROL_INITIALIZE:
        return rndis_initialize_message(buffer, NETWORK_CONTROL_BYTES, control->request_id);
    case CONTROL_HALT:
        return rndis_halt_message(buffer, NETWORK_CONTROL_BYTES, control->request_id);
    case CONTROL_QUERY:
        return rndis_query_message(buffer, NETWORK_CONTROL_BYTES, control->request_id, oid, input,
                                   input_length);
    default:
        return rndis_set_message(buffer, NETWORK_CONTROL_BYTES, control->request_id, oid, input,
                                 input_length);
    }
}

/* One request and its reply, both under `turn`. The reply's carrier and the request's completion
 * come in any order; the request's memory is used again only when the host has given it back. */
static int converse(struct HyperVNetwork *self, enum control_what what, uint32_t oid,
                    const void *input, uint32_t input_length)
{
    struct network_control *control = &self->control;
    uint64_t deadline = deadline_after(NETWORK_ANSWER_MILLISECONDS);
    uint32_t length;
    int error;

    IOLockLock(control->lock);
    error = wait_for(self, &control->outstanding, false, deadline);
    if (error == 0) {
        control->request_id++;
        control->reply_type = control_types[what] | RNDIS_COMPLETION;
        control->answered = false;
        control->waiting = what != CONTROL_HALT;
        control->outstanding = true;
    }
    IOLockUnlock(control->lock);
    if (error != 0)
        return error;
    length = build(control, what, oid, input, input_length);
    error = length == 0 ? HV_ERROR_TOO_LARGE : send_control(self, length);
    IOLockLock(control->lock);
    if (error != 0)
        control->outstanding = false;
    else
        error = wait_for(self, what == CONTROL_HALT ? &control->outstanding : &control->answered,
                         what != CONTROL_HALT, deadline);
    control->waiting = false;
    IOLockUnlock(control->lock);
    if (error == 0 && what != CONTROL_HALT && control->status != RNDIS_STATUS_SUCCESS)
        error = HV_ERROR_REFUSED;
    return error;
}

int network_query(struct HyperVNetwork *self, uint32_t oid, const void *input,
                  uint32_t input_length, void *data, uint32_t *length)
{
    struct network_control *control = &self->control;
    int error;

    IOLockLock(control->turn);
    error = converse(self, CONTROL_QUERY, oid, input, input_length);
    if (error == 0) {
        if (*length > control->length)
            *length = control->length;
        memcpy(data, control->data, *length);
    }
    IOLockUnlock(control->turn);
    return error;
}

int network_set(struct HyperVNetwork *self, uint32_t oid, const void *data, uint32_t length)
{
    int error;

    IOLockLock(self->control.turn);
    error = converse(self, CONTROL_SET, oid, data, length);
    IOLockUnlock(self->control.turn);
    return error;
}

void network_control_carried(struct HyperVNetwork *self)
{
    IOLockLock(self->control.lock);
    self->control.outstanding = false;
    IOLockWakeup(self->control.lock, &self->control, false);
    IOLockUnlock(self->control.lock);
}

/* ---- replies ---- */

static void take_reply(struct HyperVNetwork *self, const struct rndis_control *reply)
{
    struct network_control *control = &self->control;

    IOLockLock(control->lock);
    if (control->waiting && !control->answered && reply->request_id == control->request_id &&
        reply->type == control->reply_type) {
        control->status = reply->status;
        control->length =
            reply->length < sizeof control->data ? reply->length : (uint32_t)sizeof control->data;
        if (control->length != 0)
            memcpy(control->data, reply->data, control->length);
        control->max_packets = reply->max_packets;
        control->max_transfer = reply->max_transfer;
        control->alignment_factor = reply->alignment_factor;
        control->answered = true;
        IOLockWakeup(control->lock, control, false);
    } else {
        self->counters.control_unexpected++;
    }
    IOLockUnlock(control->lock);
}

void network_control_arrived(struct HyperVNetwork *self, const void *message, uint32_t size)
{
    struct rndis_control control;

    if (rndis_parse_control(message, size, &control) != 0) {
        if (hv_log_now(++self->counters.control_malformed))
            network_log(self, "a malformed RNDIS message was dropped");
        return;
    }
    if (control.kind == RNDIS_CONTROL_REPLY)
        take_reply(self, &control);
    else if (control.kind == RNDIS_CONTROL_STATUS)
        network_indicated(self, &control);
    else
        /* Keep-alive: no host known sends it, and silence is allowed. */
        self->counters.control_unexpected++;
}

/* ---- life ---- */

int network_control_initialize(struct HyperVNetwork *self)
{
    int error;

    IOLockLock(self->control.turn);
    self->control.begun = true;
    error = converse(self, CONTROL_INITIALIZE, 0, NULL, 0);
    IOLockUnlock(self->control.turn);
    return error;
}

void network_control_halt(struct HyperVNetwork *self)
{
    IOLockLock(self->control.turn);
    if (self->control.begun)
        converse(self, CONTROL_HALT, 0, NULL, 0);
    self->control.begun = false;
    IOLockUnlock(self->control.turn);
}

bool network_control_init(struct HyperVNetwork *self)
{
    struct network_control *control = &self->control;

    control->turn = IOLockAlloc();
    control->lock = IOLockAlloc();
    control->request.kind = NETWORK_REQUEST_CONTROL;
    return control->turn != NULL && control->lock != NULL &&
           dma_memory_allocate(&control->memory, NETWORK_CONTROL_BYTES, true) == 0;
}

void network_control_end(struct HyperVNetwork *self)
{
    IOLockLock(self->control.lock);
    self->gone = true;
    IOLockWakeup(self->control.lock, &self->control, false);
    IOLockUnlock(self->control.lock);
}

void network_control_free(struct HyperVNetwork *self)
{
    struct network_control *control = &self->control;

    if (control->outstanding)
        dma_memory_leak(&control->memory, "HyperVNetwork");
    dma_memory_free(&control->memory);
    if (control->turn != NULL)
        IOLockFree(control->turn);
    if (control->lock != NULL)
        IOLockFree(control->lock);
    control->turn = control->lock = NULL;
    control->outstanding = false; /* the channel is closed */
}
