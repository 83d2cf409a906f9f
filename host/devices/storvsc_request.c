/* SPDX-License-Identifier: BSD-3-Clause */
/* What one SRB goes through: guest buffer, SCSI target, disk, completion. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/devices/storvsc_internal.h"
#include "host/guest_memory.h"
#include "protocol/vmbus_ring.h"

enum { MILLION = 1000000, PATTERN_BYTES = 65536 };

/* ---- Request structures are reused ---- */

static struct storvsc_request *take_request(struct storvsc *controller)
{
    struct storvsc_request *request = controller->spare;
    if (request == NULL) {
        return calloc(1, sizeof(*request));
    }
    controller->spare = request->next;
    return request;
}

static void drop_request(struct storvsc_request *request)
{
    struct storvsc *controller = request->channel->controller;
    struct storvsc_channel *channel = request->channel;
    free(request->parameters);
    free(request->pattern);
    request->parameters = request->pattern = NULL;
    if (request->lun != NULL) {
        storvsc_lun_request_ended(request->lun);
    }
    request->next = controller->spare;
    controller->spare = request;
    controller->in_flight--;
    storvsc_channel_request_ended(channel);
}

/* ---- Completion ---- */

static void queue_blocked(struct storvsc_channel *channel, struct storvsc_request *request)
{
    request->next = NULL;
    *channel->blocked_last = request;
    channel->blocked_last = &request->next;
}

static void send_result(struct storvsc_request *request, const struct storvsc_srb_result *result)
{
    struct storvsc_channel *channel = request->channel;
    struct storvsc *controller = channel->controller;
    if (result->srb_status != STORVSC_SRB_STATUS_SUCCESS) {
        controller->counters.errors++;
    }
    storvsc_complete_srb(&request->completion, &request->srb, result,
                         controller->settings.echo_address);
    /* In order: none overtakes those that wait for room. */
    if (channel->blocked_first != NULL ||
        storvsc_send_completion(channel, request->transaction_id, &request->completion) ==
            -EAGAIN) {
        queue_blocked(channel, request);
        return;
    }
    drop_request(request);
}

bool storvsc_send_blocked(struct storvsc_channel *channel)
{
    while (channel->blocked_first != NULL) {
        struct storvsc_request *request = channel->blocked_first;
        if (storvsc_send_completion(channel, request->transaction_id, &request->completion) ==
            -EAGAIN) {
            return false;
        }
        channel->blocked_first = request->next;
        if (channel->blocked_first == NULL) {
            channel->blocked_last = &channel->blocked_first;
        }
        drop_request(request);
    }
    return true;
}

/* ---- Faults of the controller ---- */

static bool fault_hits(struct storvsc *controller, uint32_t ppm)
{
    if (ppm == 0) {
        return false;
    }
    controller->random ^= controller->random >> 12;
    controller->random ^= controller->random << 25;
    controller->random ^= controller->random >> 27;
    bool hit = (controller->random * 0x2545f4914f6cdd1dull >> 20) % MILLION < ppm;
    controller->counters.faults += hit;
    return hit;
}

static bool answered_by_fault(struct storvsc_request *request)
{
    struct storvsc *controller = request->channel->controller;
    struct storvsc_srb_result result = {0};
    if (fault_hits(controller, controller->faults.busy_ppm)) {
        result.srb_status = STORVSC_SRB_STATUS_BUSY;
        result.scsi_status = SCSI_STATUS_BUSY;
    } else if (fault_hits(controller, controller->faults.internal_error_ppm)) {
        result.srb_status = STORVSC_SRB_STATUS_INTERNAL_ERROR;
    } else if (fault_hits(controller, controller->faults.invalid_lun_ppm)) {
        result.srb_status = STORVSC_SRB_STATUS_INVALID_LUN;
        result.scsi_status = SCSI_STATUS_CHECK_CONDITION;
    } else if (fault_hits(controller, controller->faults.sense_ppm)) {
        const struct scsi_sense sense = {controller->faults.sense_key,
                                         controller->faults.sense_additional};
        result.srb_status = STORVSC_SRB_STATUS_ERROR;
        result.scsi_status = SCSI_STATUS_CHECK_CONDITION;
        result.has_sense = true;
        scsi_sense_encode(&sense, result.sense);
    } else {
        return false;
    }
    send_result(request, &result);
    return true;
}

/* ---- From the SCSI target's answer to the SRB's result ---- */

static void scatter(const struct storvsc_request *request, const uint8_t *data, size_t size)
{
    for (unsigned i = 0; i < request->vector_count && size > 0; i++) {
        const struct iovec *piece = &request->vector[i];
        size_t here = piece->iov_len < size ? piece->iov_len : size;
        memcpy(piece->iov_base, data, here);
        data += here;
        size -= here;
    }
}

static void gather(const struct storvsc_request *request, uint8_t *data, size_t size)
{
    for (unsigned i = 0; i < request->vector_count && size > 0; i++) {
        const struct iovec *piece = &request->vector[i];
        size_t here = piece->iov_len < size ? piece->iov_len : size;
        memcpy(data, piece->iov_base, here);
        data += here;
        size -= here;
    }
}

static void respond(struct storvsc_request *request)
{
    static const uint8_t srb_status[] = {
        [SCSI_OUTCOME_GOOD] = STORVSC_SRB_STATUS_SUCCESS,
        [SCSI_OUTCOME_INVALID_REQUEST] = STORVSC_SRB_STATUS_INVALID_REQUEST,
        [SCSI_OUTCOME_ERROR] = STORVSC_SRB_STATUS_ERROR,
        [SCSI_OUTCOME_DATA_OVERRUN] = STORVSC_SRB_STATUS_DATA_OVERRUN,
        [SCSI_OUTCOME_UNDERRUN] = STORVSC_SRB_STATUS_DATA_OVERRUN,
    };
    struct storvsc *controller = request->channel->controller;
    const struct scsi_response *response = &request->action.response;
    struct storvsc_srb_result result = {
        .srb_status = srb_status[response->outcome],
        .scsi_status = response->scsi_status,
        .has_sense = response->scsi_status == SCSI_STATUS_CHECK_CONDITION,
        .transferred = response->transferred,
    };
    if (request->action.has_data) {
        scatter(request, request->action.data, response->transferred);
    }
    if (result.has_sense) {
        scsi_sense_encode(&response->sense, result.sense);
        result.has_sense = !fault_hits(controller, controller->faults.no_autosense_ppm);
    }
    send_result(request, &result);
}

/* ---- The medium's part ---- */

static void disk_done(struct disk_request *disk_request);

static bool all_zero(const uint8_t *bytes, size_t size)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* WRITE SAME: a buffer full of the block, and a vector that names it again and again. */
static bool make_pattern(struct storvsc_request *request)
{
    struct disk_request *disk_request = &request->disk_request;
    const size_t block = request->command.parameters_size;
    const uint64_t length = request->action.length;
    if (all_zero(request->parameters, block)) {
        disk_request->operation = DISK_WRITE_ZEROES;
        return true;
    }
    const unsigned count = (unsigned)((length + PATTERN_BYTES - 1) / PATTERN_BYTES);
    free(request->pattern);
    request->pattern = malloc(PATTERN_BYTES + count * sizeof(struct iovec));
    if (request->pattern == NULL) {
        return false;
    }
    uint8_t *bytes = request->pattern;
    struct iovec *vector = (struct iovec *)(bytes + PATTERN_BYTES);
    for (size_t at = 0; at < PATTERN_BYTES; at += block) {
        memcpy(bytes + at, request->parameters, block);
    }
    uint64_t left = length;
    for (unsigned i = 0; i < count; i++) {
        size_t here = left < PATTERN_BYTES ? (size_t)left : PATTERN_BYTES;
        vector[i] = (struct iovec){bytes, here};
        left -= here;
    }
    disk_request->operation = DISK_WRITE;
    disk_request->vector = vector;
    disk_request->vector_count = count;
    return true;
}

/* The guest's buffer, cut to what the command moves. */
static void use_buffer(struct storvsc_request *request)
{
    struct disk_request *disk_request = &request->disk_request;
    uint64_t left = request->action.length;
    unsigned count = 0;
    while (left > 0) {
        struct iovec *piece = &request->vector[count++];
        if (piece->iov_len > left) {
            piece->iov_len = (size_t)left;
        }
        left -= piece->iov_len;
    }
    disk_request->vector = request->vector;
    disk_request->vector_count = count;
}

/* Does what the SCSI target wants done, until it waits for the disk or is complete. */
static void advance(struct storvsc_request *request)
{
    struct disk_request *disk_request = &request->disk_request;
    disk_request->offset = request->action.offset;
    disk_request->length = request->action.length;
    disk_request->force_unit_access = request->action.force_unit_access;
    disk_request->done = disk_done;
    switch (request->action.kind) {
    case SCSI_ACTION_COMPLETE:
        respond(request);
        return;
    case SCSI_ACTION_READ:
    case SCSI_ACTION_WRITE:
        disk_request->operation =
            request->action.kind == SCSI_ACTION_READ ? DISK_READ : DISK_WRITE;
        use_buffer(request);
        break;
    case SCSI_ACTION_FLUSH:
        disk_request->operation = DISK_FLUSH;
        break;
    case SCSI_ACTION_DISCARD:
        disk_request->operation = DISK_DISCARD;
        break;
    case SCSI_ACTION_WRITE_SAME:
        if (!make_pattern(request)) {
            scsi_target_continue(&request->lun->target, &request->command, &request->action,
                                 -ENOMEM, 0);
            respond(request);
            return;
        }
        break;
    }
    disk_submit(request->lun->disk, disk_request);
}

static void disk_done(struct disk_request *disk_request)
{
    struct storvsc_request *request = (struct storvsc_request *)disk_request;
    scsi_target_continue(&request->lun->target, &request->command, &request->action,
                         disk_request->result, disk_request->transferred);
    advance(request);
}

/* ---- LUNs where there is nothing, and REPORT LUNS ---- */

static void report_luns(struct storvsc_request *request)
{
    const struct storvsc *controller = request->channel->controller;
    uint8_t data[sizeof(struct scsi_report_luns_header) +
                 STORVSC_LUNS_MAX * sizeof(struct scsi_report_luns_entry)] = {0};
    size_t size = sizeof(struct scsi_report_luns_header);
    struct storvsc_srb_result result = {.srb_status = STORVSC_SRB_STATUS_SUCCESS};
    for (unsigned i = 0; i < STORVSC_LUNS_MAX; i++) {
        if (controller->luns[i] != NULL && storvsc_is_addressed(controller, &request->srb)) {
            be16_put(data + size, (uint16_t)i);
            size += sizeof(struct scsi_report_luns_entry);
        }
    }
    be32_put(data, (uint32_t)(size - sizeof(struct scsi_report_luns_header)));
    uint32_t allowed = be32_get(request->cdb + 6);
    if (allowed > request->command.buffer_size) {
        allowed = request->command.buffer_size;
    }
    if (allowed >= sizeof(struct scsi_report_luns_header) &&
        request->command.direction == SCSI_DATA_IN) {
        result.transferred = size < allowed ? (uint32_t)size : allowed;
        scatter(request, data, result.transferred);
    }
    send_result(request, &result);
}

static void answer_for_nobody(struct storvsc_request *request)
{
    const struct storvsc *controller = request->channel->controller;
    if (scsi_absent_inquiry(&request->command, request->srb.lun,
                            storvsc_spc_version(controller), &request->action)) {
        respond(request);
        return;
    }
    const struct storvsc_srb_result result = {
        .srb_status = STORVSC_SRB_STATUS_INVALID_LUN,
        .scsi_status = SCSI_STATUS_CHECK_CONDITION,
    };
    send_result(request, &result);
}

/* ---- Starting ---- */

/* The one range of a GPA-direct packet. Returns false with the rule that it breaks. */
static bool check_range(const struct storvsc_channel *channel, const struct host_packet *packet,
                        uint32_t wanted, const char **rule)
{
    struct vmbus_gpa_range range;
    *rule = NULL;
    if (packet->range_count != 1 || packet->ranges_size < sizeof(range)) {
        *rule = "a storage request has exactly one buffer";
        return false;
    }
    memcpy(&range, packet->ranges, sizeof(range));
    if (range.byte_count == 0 || range.byte_offset >= GUEST_PAGE_SIZE) {
        *rule = "a buffer has at least one byte, and starts in its first page";
    } else if (range.byte_count < wanted) {
        *rule = "the buffer holds the data transfer length";
    }
    return *rule == NULL;
}

/* Maps the guest's buffer. Returns 0 or a negative errno. */
static int map_buffer(struct storvsc_request *request, const struct host_packet *packet)
{
    struct storvsc *controller = request->channel->controller;
    struct host_channel *channel = request->channel->channel;
    size_t size = 0;
    request->vector = request->pieces;
    int count = host_packet_map(channel, packet, 0, request->pieces, STORVSC_INLINE_PIECES, &size);
    if (count == -E2BIG) {
        if (request->many == NULL) {
            request->many = calloc(controller->pieces_max, sizeof(struct iovec));
            if (request->many == NULL) {
                return -ENOMEM;
            }
        }
        request->vector = request->many;
        count = host_packet_map(channel, packet, 0, request->many, controller->pieces_max, &size);
    }
    if (count < 0) {
        return count;
    }
    request->vector_count = (unsigned)count;
    return size >= request->srb.data_transfer_length ? 0 : -EINVAL;
}

static int take_parameters(struct storvsc_request *request)
{
    uint32_t size = scsi_target_parameter_bytes(&request->lun->target, request->cdb,
                                                request->command.buffer_size);
    if (size == 0) {
        return 0;
    }
    request->parameters = malloc(size);
    if (request->parameters == NULL) {
        return -ENOMEM;
    }
    gather(request, request->parameters, size);
    request->command.parameters = request->parameters;
    request->command.parameters_size = size;
    return 0;
}

static void fail(struct storvsc_request *request, uint8_t srb_status)
{
    const struct storvsc_srb_result result = {.srb_status = srb_status};
    send_result(request, &result);
}

static void run(struct storvsc_request *request)
{
    struct storvsc *controller = request->channel->controller;
    if (answered_by_fault(request)) {
        return;
    }
    if (request->cdb[0] == SCSI_REPORT_LUNS) {
        report_luns(request);
        return;
    }
    struct storvsc_lun *lun = storvsc_addressed_lun(controller, &request->srb);
    if (lun == NULL) {
        answer_for_nobody(request);
        return;
    }
    request->lun = lun;
    lun->in_flight++;
    if (take_parameters(request) != 0) {
        fail(request, STORVSC_SRB_STATUS_INTERNAL_ERROR);
        return;
    }
    scsi_target_begin(&lun->target, &request->command, &request->action);
    advance(request);
}

static void fill_in(struct storvsc_request *request, struct storvsc_channel *channel,
                    const struct host_packet *packet, const struct storvsc_decision *decision)
{
    request->channel = channel;
    request->lun = NULL;
    request->transaction_id = packet->transaction_id;
    request->completion = decision->completion;
    request->srb = decision->srb;
    request->vector = request->pieces;
    request->vector_count = 0;
    memcpy(request->cdb, decision->srb.cdb, sizeof(request->cdb));
    request->command = (struct scsi_command){
        .cdb = request->cdb,
        .direction = SCSI_DATA_NONE,
    };
}

static void answer_without_memory(struct storvsc_channel *channel,
                                  const struct host_packet *packet,
                                  const struct storvsc_decision *decision)
{
    const struct storvsc_srb_result result = {.srb_status = STORVSC_SRB_STATUS_BUSY};
    struct storvsc_message completion = decision->completion;
    storvsc_complete_srb(&completion, &decision->srb, &result,
                         channel->controller->settings.echo_address);
    storvsc_send_completion(channel, packet->transaction_id, &completion);
}

bool storvsc_request_start(struct storvsc_channel *channel, const struct host_packet *packet,
                           const struct storvsc_decision *decision, const char **rule)
{
    struct storvsc *controller = channel->controller;
    const uint32_t wanted = decision->srb.data_transfer_length;
    const bool has_buffer = packet->type == VMBUS_PACKET_GPA_DIRECT;
    if (has_buffer && !check_range(channel, packet, wanted, rule)) {
        return false;
    }
    struct storvsc_request *request = take_request(controller);
    if (request == NULL) {
        answer_without_memory(channel, packet, decision);
        return true;
    }
    fill_in(request, channel, packet, decision);
    channel->in_flight++;
    channel->srbs++;
    controller->in_flight++;
    controller->counters.srbs++;
    if (has_buffer) {
        if (wanted > controller->settings.transfer_bytes_max ||
            map_buffer(request, packet) != 0) {
            host_channel_violation(channel->channel, "a buffer is guest RAM, and no longer than "
                                                     "the properties allow");
            fail(request, STORVSC_SRB_STATUS_INVALID_REQUEST);
            return true;
        }
        request->command.buffer_size = wanted;
        request->command.direction = decision->srb.data_direction == STORVSC_DATA_OUT
                                         ? SCSI_DATA_OUT
                                         : SCSI_DATA_IN;
    }
    run(request);
    return true;
}
