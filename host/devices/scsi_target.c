/* SPDX-License-Identifier: BSD-3-Clause */
/* The SCSI disk, and what all devices share: which command is answered by whom, reads and writes,
 * results of the medium. */
#include "host/devices/scsi_target.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "host/devices/scsi_commands.h"

enum { PROTECTION_BITS = 0xe0, BYTE_CHECK = 0x06 };

int scsi_target_initialise(struct scsi_target *target,
                           const struct scsi_target_settings *settings)
{
    uint32_t block_size = settings->block_size;
    uint32_t physical = settings->physical_block_size;
    if (settings->type == SCSI_TARGET_DVD_DRIVE) {
        if (block_size != DVD_BLOCK_SIZE || settings->transfer_bytes_max < block_size) {
            return -EINVAL;
        }
        *target = (struct scsi_target){.settings = *settings};
        dvd_drive_initialise(target);
        return 0;
    }
    if ((block_size != 512 && block_size != 4096) || settings->block_count == 0 ||
        physical < block_size || (physical & (physical - 1)) != 0 ||
        settings->transfer_bytes_max < block_size) {
        return -EINVAL;
    }
    *target = (struct scsi_target){.settings = *settings};
    target->settings.serial[SCSI_TARGET_SERIAL_MAX] = '\0';
    return 0;
}

void scsi_target_set_block_count(struct scsi_target *target, uint64_t block_count)
{
    target->capacity_changed |= block_count != target->settings.block_count;
    target->settings.block_count = block_count;
}

bool scsi_range_exists(const struct scsi_target *target, uint64_t lba, uint64_t count)
{
    return lba <= target->settings.block_count && count <= target->settings.block_count - lba;
}

/* ---- Answers ---- */

void scsi_sense_encode(const struct scsi_sense *sense, uint8_t bytes[18])
{
    const struct scsi_sense_fixed fixed = {
        .response_code = SCSI_SENSE_RESPONSE_FIXED,
        .sense_key = sense->key,
        .additional_length = SCSI_SENSE_FIXED_ADDITIONAL_LENGTH,
        .additional_sense_code = (uint8_t)(sense->additional >> 8),
        .additional_sense_qualifier = (uint8_t)sense->additional,
    };
    memcpy(bytes, &fixed, sizeof(fixed));
}

void scsi_answer_good(struct scsi_action *action, uint32_t transferred)
{
    action->kind = SCSI_ACTION_COMPLETE;
    action->has_data = false;
    action->response = (struct scsi_response){
        .outcome = SCSI_OUTCOME_GOOD,
        .scsi_status = SCSI_STATUS_GOOD,
        .transferred = transferred,
    };
}

void scsi_answer_data(struct scsi_action *action, uint32_t size, uint32_t allowed)
{
    assert(size <= SCSI_TARGET_DATA_MAX);
    scsi_answer_good(action, size < allowed ? size : allowed);
    action->has_data = action->response.transferred > 0;
}

void scsi_answer_error(struct scsi_target *target, struct scsi_action *action,
                       enum scsi_outcome outcome, uint8_t key, uint16_t additional)
{
    action->kind = SCSI_ACTION_COMPLETE;
    action->has_data = false;
    action->response = (struct scsi_response){
        .outcome = outcome,
        .scsi_status = SCSI_STATUS_CHECK_CONDITION,
        .sense = {key, additional},
    };
    target->last_sense = action->response.sense;
}

void scsi_refuse(struct scsi_target *target, struct scsi_action *action, uint16_t additional)
{
    bool is_disk = target->settings.type == SCSI_TARGET_DISK;
    scsi_answer_error(target, action, is_disk ? SCSI_OUTCOME_INVALID_REQUEST : SCSI_OUTCOME_ERROR,
                      SCSI_SENSE_ILLEGAL_REQUEST, additional);
}

/* ---- Reading and writing ---- */

/* The block range that a read, write or verify names. */
struct block_range {
    uint64_t lba;
    uint32_t count;
    bool force_unit_access;
};

/* Takes the range out of the CDB; false if its flags ask for what a plain disk has not. */
static bool decode_range(const uint8_t *cdb, struct block_range *range)
{
    *range = (struct block_range){0};
    switch (scsi_cdb_length(cdb[0])) {
    case 6:
        range->lba = be24_get(cdb + 1) & 0x1fffff;
        range->count = cdb[4];
        return true;
    case 10:
        range->lba = be32_get(cdb + 2);
        range->count = be16_get(cdb + 7);
        break;
    case 12:
        range->lba = be32_get(cdb + 2);
        range->count = be32_get(cdb + 6);
        break;
    default:
        range->lba = be64_get(cdb + 2);
        range->count = be32_get(cdb + 10);
        break;
    }
    range->force_unit_access = (cdb[1] & SCSI_CDB_FUA) != 0;
    bool relative = scsi_cdb_length(cdb[0]) != 16 && (cdb[1] & SCSI_CDB_RELATIVE_ADDRESS) != 0;
    return !relative && (cdb[1] & PROTECTION_BITS) == 0;
}

static void start_transfer(struct scsi_target *target, const struct scsi_command *command,
                           struct scsi_action *action, bool is_read)
{
    struct block_range range;
    const uint32_t block_size = target->settings.block_size;
    enum scsi_data_direction wanted = is_read ? SCSI_DATA_IN : SCSI_DATA_OUT;
    if (!decode_range(command->cdb, &range)) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    if (range.count == 0 || range.count > command->buffer_size / block_size ||
        !scsi_range_exists(target, range.lba, range.count)) {
        scsi_refuse(target, action, SCSI_ASC_LBA_OUT_OF_RANGE);
        return;
    }
    if (command->direction != wanted) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    if (!is_read && target->settings.read_only) {
        scsi_answer_error(target, action, SCSI_OUTCOME_ERROR, SCSI_SENSE_DATA_PROTECT,
                          SCSI_ASC_WRITE_PROTECTED);
        return;
    }
    action->kind = is_read ? SCSI_ACTION_READ : SCSI_ACTION_WRITE;
    action->offset = range.lba * block_size;
    action->length = (uint64_t)range.count * block_size;
    action->force_unit_access =
        !is_read && (range.force_unit_access || !target->settings.write_cache);
}

void scsi_read_blocks(struct scsi_target *target, const struct scsi_command *command,
                      struct scsi_action *action)
{
    start_transfer(target, command, action, true);
}

static void write_blocks(struct scsi_target *target, const struct scsi_command *command,
                         struct scsi_action *action)
{
    start_transfer(target, command, action, false);
}

/* What is read back from the medium is what was written to it: on the medium means verified. */
static void write_and_verify(struct scsi_target *target, const struct scsi_command *command,
                             struct scsi_action *action)
{
    if ((command->cdb[1] & BYTE_CHECK) != 0) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    start_transfer(target, command, action, false);
    if (action->kind == SCSI_ACTION_WRITE) {
        action->force_unit_access = true;
    }
}

static void verify(struct scsi_target *target, const struct scsi_command *command,
                   struct scsi_action *action)
{
    struct block_range range;
    if (!decode_range(command->cdb, &range) || (command->cdb[1] & BYTE_CHECK) != 0) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
    } else if (!scsi_range_exists(target, range.lba, range.count)) {
        scsi_refuse(target, action, SCSI_ASC_LBA_OUT_OF_RANGE);
    } else {
        scsi_answer_good(action, 0);
    }
}

/* ---- Small commands ---- */

static void nothing_to_do(struct scsi_target *target, const struct scsi_command *command,
                          struct scsi_action *action)
{
    scsi_answer_good(action, 0);
}

void scsi_request_sense(struct scsi_target *target, const struct scsi_command *command,
                        struct scsi_action *action)
{
    uint32_t allocation = command->cdb[4];
    if (allocation < 8 || allocation > command->buffer_size) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    scsi_sense_encode(&target->last_sense, action->data);
    target->last_sense = (struct scsi_sense){0};
    scsi_answer_data(action, sizeof(struct scsi_sense_fixed), allocation);
}

void scsi_read_capacity_10(struct scsi_target *target, const struct scsi_command *command,
                           struct scsi_action *action)
{
    struct scsi_read_capacity_10_data data;
    uint64_t last = target->settings.block_count - 1;
    if (command->buffer_size < sizeof(data)) {
        scsi_answer_error(target, action, SCSI_OUTCOME_DATA_OVERRUN, SCSI_SENSE_ILLEGAL_REQUEST,
                          SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    be32_put(data.last_lba, last < UINT32_MAX ? (uint32_t)last : UINT32_MAX);
    be32_put(data.block_size, target->settings.block_size);
    memcpy(action->data, &data, sizeof(data));
    scsi_answer_data(action, sizeof(data), command->buffer_size);
}

static uint8_t exponent_of(uint32_t power_of_two)
{
    uint8_t exponent = 0;
    while (power_of_two > 1) {
        power_of_two >>= 1;
        exponent++;
    }
    return exponent;
}

static void read_capacity_16(struct scsi_target *target, const struct scsi_command *command,
                             struct scsi_action *action)
{
    const struct scsi_target_settings *settings = &target->settings;
    struct scsi_read_capacity_16_data data = {
        .physical_exponent = exponent_of(settings->physical_block_size / settings->block_size),
        .provisioning = {settings->unmap ? SCSI_READ_CAPACITY_16_LBPME : 0, 0},
    };
    uint32_t allocation = be32_get(command->cdb + 10);
    if (command->buffer_size < 12) {
        scsi_answer_error(target, action, SCSI_OUTCOME_DATA_OVERRUN, SCSI_SENSE_ILLEGAL_REQUEST,
                          SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    be64_put(data.last_lba, settings->block_count - 1);
    be32_put(data.block_size, settings->block_size);
    memcpy(action->data, &data, sizeof(data));
    scsi_answer_data(action, sizeof(data),
                     allocation < command->buffer_size ? allocation : command->buffer_size);
}

static void service_action_in(struct scsi_target *target, const struct scsi_command *command,
                              struct scsi_action *action)
{
    switch (command->cdb[1] & SCSI_SERVICE_ACTION_MASK) {
    case SCSI_SAI_READ_CAPACITY_16:
        read_capacity_16(target, command, action);
        break;
    case SCSI_SAI_GET_LBA_STATUS:
        scsi_refuse(target, action, SCSI_ASC_INVALID_OPERATION_CODE);
        break;
    default:
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
        break;
    }
}

static void synchronize_cache(struct scsi_target *target, const struct scsi_command *command,
                              struct scsi_action *action)
{
    action->kind = SCSI_ACTION_FLUSH; /* the whole cache, whatever range is named */
}

static void start_stop_unit(struct scsi_target *target, const struct scsi_command *command,
                            struct scsi_action *action)
{
    uint8_t power_condition = command->cdb[4] >> 4;
    if ((command->cdb[1] & SCSI_START_STOP_IMMEDIATE) != 0 || power_condition != 0 ||
        (command->cdb[4] & SCSI_START_STOP_LOAD_EJECT) != 0) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
    } else if ((command->cdb[4] & SCSI_START_STOP_START) != 0) {
        scsi_answer_good(action, 0);
    } else {
        action->kind = SCSI_ACTION_FLUSH;
    }
}

static void send_diagnostic(struct scsi_target *target, const struct scsi_command *command,
                            struct scsi_action *action)
{
    if (command->cdb[1] != 0 || command->cdb[3] != 0 || command->cdb[4] != 0) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
    } else {
        scsi_answer_good(action, 0);
    }
}

/* ---- Dispatch ---- */

static scsi_command_handler *const handlers[256] = {
    [SCSI_TEST_UNIT_READY] = nothing_to_do,
    [SCSI_REQUEST_SENSE] = scsi_request_sense,
    [SCSI_FORMAT_UNIT] = nothing_to_do,
    [SCSI_READ_6] = scsi_read_blocks,
    [SCSI_WRITE_6] = write_blocks,
    [SCSI_INQUIRY] = scsi_inquiry,
    [SCSI_MODE_SELECT_6] = scsi_mode_select,
    [SCSI_RESERVE_6] = nothing_to_do,
    [SCSI_RELEASE_6] = nothing_to_do,
    [SCSI_MODE_SENSE_6] = scsi_mode_sense,
    [SCSI_START_STOP_UNIT] = start_stop_unit,
    [SCSI_SEND_DIAGNOSTIC] = send_diagnostic,
    [SCSI_PREVENT_ALLOW_MEDIUM_REMOVAL] = nothing_to_do,
    [SCSI_READ_CAPACITY_10] = scsi_read_capacity_10,
    [SCSI_READ_10] = scsi_read_blocks,
    [SCSI_WRITE_10] = write_blocks,
    [SCSI_WRITE_AND_VERIFY_10] = write_and_verify,
    [SCSI_VERIFY_10] = verify,
    [SCSI_SYNCHRONIZE_CACHE_10] = synchronize_cache,
    [SCSI_WRITE_SAME_10] = scsi_write_same,
    [SCSI_UNMAP] = scsi_unmap,
    [SCSI_MODE_SELECT_10] = scsi_mode_select,
    [SCSI_MODE_SENSE_10] = scsi_mode_sense,
    [SCSI_READ_16] = scsi_read_blocks,
    [SCSI_WRITE_16] = write_blocks,
    [SCSI_WRITE_AND_VERIFY_16] = write_and_verify,
    [SCSI_VERIFY_16] = verify,
    [SCSI_SYNCHRONIZE_CACHE_16] = synchronize_cache,
    [SCSI_WRITE_SAME_16] = scsi_write_same,
    [SCSI_SERVICE_ACTION_IN_16] = service_action_in,
    [SCSI_READ_12] = scsi_read_blocks,
    [SCSI_WRITE_12] = write_blocks,
    [SCSI_WRITE_AND_VERIFY_12] = write_and_verify,
    [SCSI_VERIFY_12] = verify,
};

uint32_t scsi_target_parameter_bytes(const struct scsi_target *target, const uint8_t *cdb,
                                     uint32_t buffer_size)
{
    uint32_t most = 0;
    switch (cdb[0]) {
    case SCSI_MODE_SELECT_6:
    case SCSI_MODE_SELECT_10:
        most = SCSI_TARGET_DATA_MAX;
        break;
    case SCSI_UNMAP:
        most = SCSI_TARGET_PARAMETERS_MAX;
        break;
    case SCSI_WRITE_SAME_10:
    case SCSI_WRITE_SAME_16:
        most = target->settings.block_size;
        break;
    }
    return buffer_size < most ? buffer_size : most;
}

void scsi_target_begin(struct scsi_target *target, const struct scsi_command *command,
                       struct scsi_action *action)
{
    const uint8_t code = command->cdb[0];
    action->offset = action->length = 0;
    action->force_unit_access = action->has_data = false;
    action->next_descriptor = 0;
    action->response = (struct scsi_response){0};
    if (target->settings.type == SCSI_TARGET_DVD_DRIVE) {
        dvd_drive_begin(target, command, action);
        return;
    }
    if (target->capacity_changed && code != SCSI_INQUIRY) {
        target->capacity_changed = false;
        if (code != SCSI_REQUEST_SENSE) {
            scsi_answer_error(target, action, SCSI_OUTCOME_ERROR, SCSI_SENSE_UNIT_ATTENTION,
                              SCSI_ASC_CAPACITY_DATA_HAS_CHANGED);
            return;
        }
        target->last_sense = (struct scsi_sense){SCSI_SENSE_UNIT_ATTENTION,
                                                 SCSI_ASC_CAPACITY_DATA_HAS_CHANGED};
    }
    if (handlers[code] == NULL) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_OPERATION_CODE);
        return;
    }
    handlers[code](target, command, action);
}

static void answer_medium_error(struct scsi_target *target, struct scsi_action *action,
                                int result)
{
    if (result == -ERANGE) {
        scsi_answer_error(target, action, SCSI_OUTCOME_ERROR, SCSI_SENSE_ILLEGAL_REQUEST,
                          SCSI_ASC_LBA_OUT_OF_RANGE);
    } else if (result == -EROFS) {
        scsi_answer_error(target, action, SCSI_OUTCOME_ERROR, SCSI_SENSE_DATA_PROTECT,
                          SCSI_ASC_WRITE_PROTECTED);
    } else if (action->kind == SCSI_ACTION_READ) {
        scsi_answer_error(target, action, SCSI_OUTCOME_ERROR, SCSI_SENSE_MEDIUM_ERROR,
                          SCSI_ASC_UNRECOVERED_READ_ERROR);
    } else {
        scsi_answer_error(target, action, SCSI_OUTCOME_ERROR, SCSI_SENSE_MEDIUM_ERROR,
                          SCSI_ASC_PERIPHERAL_WRITE_FAULT);
    }
}

void scsi_target_continue(struct scsi_target *target, const struct scsi_command *command,
                          struct scsi_action *action, int result, uint64_t transferred)
{
    if (result < 0) {
        answer_medium_error(target, action, result);
        return;
    }
    switch (action->kind) {
    case SCSI_ACTION_READ:
    case SCSI_ACTION_WRITE: {
        uint64_t moved = transferred < action->length ? transferred : action->length;
        bool is_short = moved < action->length;
        scsi_answer_good(action, (uint32_t)moved);
        if (is_short) {
            action->response.outcome = SCSI_OUTCOME_UNDERRUN;
        }
        break;
    }
    case SCSI_ACTION_DISCARD:
        scsi_unmap_next(target, command, action);
        break;
    case SCSI_ACTION_WRITE_SAME:
        scsi_answer_good(action, target->settings.block_size);
        break;
    case SCSI_ACTION_FLUSH:
        scsi_answer_good(action, 0);
        break;
    case SCSI_ACTION_COMPLETE:
        break;
    }
}
