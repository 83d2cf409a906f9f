/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target: SCSI commands on the virtual disk or DVD drive. Whatever comes, the medium is only
 * asked for what it has, the answer fits the buffer, and every command ends.
 *
 * Input: 2 bytes of settings, then commands of 24 bytes: CDB, direction, result of the medium,
 * 2 bytes of buffer size, 4 bytes seed of the parameters.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/devices/scsi_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { COMMAND_SIZE = 24, COMMANDS_MAX = 64, STEPS_MAX = SCSI_TARGET_UNMAP_DESCRIPTORS_MAX + 2 };

static uint8_t parameters[SCSI_TARGET_PARAMETERS_MAX];

static void require(int condition)
{
    if (!condition) {
        abort();
    }
}

static void check_action(const struct scsi_target *target, const struct scsi_command *command,
                         const struct scsi_action *action)
{
    const struct scsi_target_settings *settings = &target->settings;
    const uint64_t medium = settings->block_count * settings->block_size;
    switch (action->kind) {
    case SCSI_ACTION_COMPLETE:
        require(action->response.transferred <= command->buffer_size);
        require(!action->has_data || action->response.transferred <= SCSI_TARGET_DATA_MAX);
        break;
    case SCSI_ACTION_READ:
    case SCSI_ACTION_WRITE:
        require(action->length > 0 && action->length <= command->buffer_size);
        require(action->offset <= medium && action->length <= medium - action->offset);
        require(action->kind == SCSI_ACTION_READ ? command->direction == SCSI_DATA_IN
                                                 : command->direction == SCSI_DATA_OUT);
        require(action->kind == SCSI_ACTION_READ || !settings->read_only);
        break;
    case SCSI_ACTION_DISCARD:
    case SCSI_ACTION_WRITE_SAME:
        require(action->length > 0 && !settings->read_only);
        require(action->offset <= medium && action->length <= medium - action->offset);
        break;
    case SCSI_ACTION_FLUSH:
        break;
    }
}

static void run_command(struct scsi_target *target, const uint8_t *input)
{
    static const int results[] = {0, 0, 0, -EIO, -ENOSPC, -EROFS, -ERANGE, -ENOMEM};
    uint8_t cdb[SCSI_COMMAND_CDB_SIZE];
    struct scsi_action action;
    memcpy(cdb, input, sizeof(cdb));
    struct scsi_command command = {
        .cdb = cdb,
        .direction = (enum scsi_data_direction)(input[16] % 3),
        .buffer_size = (uint32_t)input[18] << 8 | input[19],
        .parameters = parameters,
    };
    for (unsigned i = 0; i < 64; i++) { /* the start of a list: mostly bytes of the input */
        parameters[i] = (uint8_t)(input[20 + i % 4] & (i < 20 ? 0xff : 0x03));
    }
    if (input[17] & 0x80) { /* a list whose lengths are right, so that more of it is looked at */
        be16_put(parameters, (uint16_t)(be16_get(cdb + 7) - 2));
        be16_put(parameters + 2, (uint16_t)(be16_get(cdb + 7) - 8));
        command.buffer_size = be16_get(cdb + 7);
    }
    command.parameters_size =
        scsi_target_parameter_bytes(target, cdb, command.buffer_size);
    require(command.parameters_size <= sizeof(parameters));
    scsi_target_begin(target, &command, &action);
    check_action(target, &command, &action);
    for (unsigned step = 0; action.kind != SCSI_ACTION_COMPLETE; step++) {
        require(step < STEPS_MAX);
        scsi_target_continue(target, &command, &action, results[input[17] % 8],
                             action.length - action.length / ((input[17] >> 4 & 3) + 1) % 2);
        check_action(target, &command, &action);
    }
}

static void change_disc(struct scsi_target *target, uint8_t how)
{
    if (how == 0) {
        dvd_drive_ask_to_eject(target);
    } else if ((how & 1) != 0) {
        dvd_drive_remove(target);
    } else {
        dvd_drive_insert(target, how * 7u);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scsi_target target;
    if (size < 2) {
        return 0;
    }
    const bool is_drive = (data[1] & 16) != 0;
    const struct scsi_target_settings settings = {
        .type = is_drive ? SCSI_TARGET_DVD_DRIVE : SCSI_TARGET_DISK,
        .block_count = !is_drive + (uint64_t)data[0] * 1000,
        .block_size = is_drive ? DVD_BLOCK_SIZE : data[1] & 1 ? 4096 : 512,
        .physical_block_size = 4096,
        .transfer_bytes_max = 256 << 10,
        .read_only = is_drive || (data[1] & 2) != 0,
        .unmap = (data[1] & 4) != 0,
        .write_cache = (data[1] & 8) != 0,
        .spc_version = SCSI_VERSION_SPC3,
        .serial = "1",
    };
    require(scsi_target_initialise(&target, &settings) == 0);
    data += 2;
    size -= 2;
    for (unsigned i = 0; i < COMMANDS_MAX && size >= COMMAND_SIZE; i++) {
        if ((data[17] & 0x40) != 0 && is_drive) {
            change_disc(&target, data[20]);
        } else if ((data[17] & 0x40) != 0) {
            scsi_target_set_block_count(&target, 1 + data[20] * 7u);
        }
        run_command(&target, data);
        data += COMMAND_SIZE;
        size -= COMMAND_SIZE;
    }
    return 0;
}
