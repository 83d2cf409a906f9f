/* SPDX-License-Identifier: BSD-3-Clause */
/* What a completion means: three layers of status (NTSTATUS, SRB, SCSI) made into one outcome.
 * The order and the exceptions are those of Linux storvsc_drv.c and FreeBSD's driver. */
#include "kext/storage/storvsc_engine.h"

#include "protocol/scsi.h"

/* The part of a completion that must have arrived for its statuses to be read. */
enum { STATUS_BYTES = STORVSC_PACKET_HEADER_SIZE + 16 };

static bool is_capacity_change(const struct storvsc_result *result)
{
    return result->sense_length >= 14 && (result->sense[2] & 0x0f) == SCSI_SENSE_UNIT_ATTENTION &&
           result->sense[12] == 0x2a && result->sense[13] == 0x09;
}

/* Takes autosense if the host says that it is valid and it did arrive. */
static void take_sense(struct storvsc_result *result, const struct storvsc_srb *srb,
                       size_t sense_bytes)
{
    size_t length = srb->sense_length;

    if ((srb->srb_status & STORVSC_SRB_STATUS_AUTOSENSE_VALID) == 0)
        return;
    if (length > sizeof result->sense)
        length = sizeof result->sense;
    if (length > sense_bytes)
        length = sense_bytes;
    __builtin_memcpy(result->sense, srb->sense, length);
    result->sense_length = (uint8_t)length;
}

static enum storvsc_outcome outcome_of_device_error(struct storvsc_result *result)
{
    if (result->scsi_status == SCSI_STATUS_CHECK_CONDITION && is_capacity_change(result))
        return STORVSC_OUTCOME_CAPACITY_CHANGED;
    return result->scsi_status == SCSI_STATUS_GOOD ? STORVSC_OUTCOME_FAILED
                                                   : STORVSC_OUTCOME_STATUS;
}

/* Old hosts fail these without sense when they do not know a page; the stack is to see empty data
 * instead. */
static bool is_excused(uint8_t operation_code, const struct storvsc_result *result)
{
    if (operation_code != SCSI_INQUIRY && operation_code != SCSI_MODE_SENSE_6 &&
        operation_code != SCSI_MODE_SENSE_10)
        return false;
    return result->sense_length == 0 && (result->srb_status == STORVSC_SRB_STATUS_ERROR ||
                                         result->srb_status == STORVSC_SRB_STATUS_INVALID_REQUEST);
}

static enum storvsc_outcome outcome_of(struct storvsc_result *result)
{
    switch (result->srb_status) {
    case STORVSC_SRB_STATUS_SUCCESS:
        return result->scsi_status == SCSI_STATUS_GOOD ? STORVSC_OUTCOME_GOOD
                                                       : STORVSC_OUTCOME_STATUS;
    case STORVSC_SRB_STATUS_DATA_OVERRUN: /* an underrun too, and of commands it does not know */
        if (result->scsi_status != SCSI_STATUS_GOOD && result->sense_length > 0)
            return STORVSC_OUTCOME_STATUS;
        return STORVSC_OUTCOME_GOOD;
    case STORVSC_SRB_STATUS_ABORTED:
    case STORVSC_SRB_STATUS_ERROR:
    case STORVSC_SRB_STATUS_INVALID_REQUEST:
        return outcome_of_device_error(result);
    case STORVSC_SRB_STATUS_BUSY:
        return STORVSC_OUTCOME_BUSY;
    case STORVSC_SRB_STATUS_INVALID_LUN:
    case STORVSC_SRB_STATUS_INVALID_TARGET_ID:
    case STORVSC_SRB_STATUS_INVALID_PATH_ID:
    case STORVSC_SRB_STATUS_NO_DEVICE:
    case STORVSC_SRB_STATUS_NO_HBA:
    case STORVSC_SRB_STATUS_SELECTION_TIMEOUT:
        return STORVSC_OUTCOME_ABSENT;
    case STORVSC_SRB_STATUS_BAD_FUNCTION:
    case STORVSC_SRB_STATUS_BAD_SRB_BLOCK_LENGTH:
        return STORVSC_OUTCOME_REFUSED;
    default:
        return STORVSC_OUTCOME_FAILED;
    }
}

static struct storvsc_result broken(uint32_t *counter)
{
    (*counter)++;
    return (struct storvsc_result){ .outcome = STORVSC_OUTCOME_BROKEN };
}

struct storvsc_result storvsc_completion(struct storvsc_engine *engine, uint8_t operation_code,
                                         uint32_t requested, const void *reply, size_t size)
{
    struct storvsc_packet packet = { .operation = 0 };
    struct storvsc_result result = { .outcome = STORVSC_OUTCOME_FAILED };

    if (size < STATUS_BYTES)
        return broken(&engine->counters.short_packets);
    __builtin_memcpy(&packet, reply, size < sizeof packet ? size : sizeof packet);
    if (packet.operation != STORVSC_COMPLETE_IO)
        return broken(&engine->counters.unexpected_packets);

    result.srb_status = packet.srb.srb_status & STORVSC_SRB_STATUS_MASK;
    result.scsi_status = packet.srb.scsi_status;
    take_sense(&result, &packet.srb, size - STATUS_BYTES);
    if (packet.srb.data_transfer_length > requested && operation_code != SCSI_WRITE_SAME_10 &&
        operation_code != SCSI_WRITE_SAME_16) {
        engine->counters.transfers_too_long++;
        packet.srb.data_transfer_length = 0;
        result.srb_status = STORVSC_SRB_STATUS_INTERNAL_ERROR;
    }
    result.outcome = outcome_of(&result);
    if (is_excused(operation_code, &result))
        result.outcome = STORVSC_OUTCOME_GOOD;
    if (result.srb_status == STORVSC_SRB_STATUS_SUCCESS ||
        result.srb_status == STORVSC_SRB_STATUS_DATA_OVERRUN)
        result.transferred = packet.srb.data_transfer_length < requested
                                 ? packet.srb.data_transfer_length : requested;
    return result;
}
