/* SPDX-License-Identifier: BSD-3-Clause */
/* UNMAP and WRITE SAME. */
#include "host/devices/scsi_commands.h"

enum {
    WRITE_SAME_LBDATA = 0x02,
    WRITE_SAME_PBDATA = 0x04,
    WRITE_SAME_ANCHOR = 0x10,
    UNMAP_ANCHOR = 0x01,
    PROTECTION_BITS = 0xe0,
};

static bool refuse_if_read_only(struct scsi_target *target, struct scsi_action *action)
{
    if (target->settings.read_only) {
        scsi_answer_error(target, action, SCSI_OUTCOME_ERROR, SCSI_SENSE_DATA_PROTECT,
                          SCSI_ASC_WRITE_PROTECTED);
    }
    return target->settings.read_only;
}

static const struct scsi_unmap_descriptor *descriptors_of(const struct scsi_command *command)
{
    return (const void *)(command->parameters + sizeof(struct scsi_unmap_header));
}

static uint32_t descriptor_count(const struct scsi_command *command)
{
    return (be16_get(command->cdb + 7) - (uint32_t)sizeof(struct scsi_unmap_header)) /
           (uint32_t)sizeof(struct scsi_unmap_descriptor);
}

/* 0, or the additional sense code that refuses the list. NO_COMPLAINT cannot be 0: 00/00 is one. */
enum { NO_COMPLAINT = -1 };
static int check_unmap_list(const struct scsi_target *target, const struct scsi_command *command)
{
    const struct scsi_unmap_header *header = (const void *)command->parameters;
    uint32_t list = be16_get(command->cdb + 7);
    if (list < sizeof(*header) || list != command->buffer_size ||
        (command->cdb[1] & UNMAP_ANCHOR) != 0 || command->direction != SCSI_DATA_OUT) {
        return SCSI_ASC_INVALID_FIELD_IN_CDB;
    }
    if (descriptor_count(command) > SCSI_TARGET_UNMAP_DESCRIPTORS_MAX ||
        command->parameters_size < list) {
        return SCSI_ASC_INVALID_FIELD_IN_PARAMETER_LIST;
    }
    if (be16_get(header->data_length) != list - sizeof(header->data_length)) {
        return SCSI_ASC_INVALID_FIELD_IN_CDB;
    }
    if (be16_get(header->descriptors_length) != list - sizeof(*header)) {
        return SCSI_ASC_NONE;
    }
    if ((list - sizeof(*header)) % sizeof(struct scsi_unmap_descriptor) != 0) {
        return SCSI_ASC_INVALID_FIELD_IN_PARAMETER_LIST;
    }
    for (uint32_t i = 0; i < descriptor_count(command); i++) {
        const struct scsi_unmap_descriptor *descriptor = &descriptors_of(command)[i];
        if (!scsi_range_exists(target, be64_get(descriptor->lba),
                               be32_get(descriptor->count))) {
            return SCSI_ASC_LBA_OUT_OF_RANGE;
        }
    }
    return NO_COMPLAINT;
}

void scsi_unmap(struct scsi_target *target, const struct scsi_command *command,
                struct scsi_action *action)
{
    int complaint = target->settings.unmap ? check_unmap_list(target, command)
                                           : SCSI_ASC_INVALID_FIELD_IN_CDB;
    if (complaint != NO_COMPLAINT) {
        scsi_refuse(target, action, (uint16_t)complaint);
    } else if (!refuse_if_read_only(target, action)) {
        scsi_unmap_next(target, command, action);
    }
}

void scsi_unmap_next(struct scsi_target *target, const struct scsi_command *command,
                     struct scsi_action *action)
{
    const uint32_t total = descriptor_count(command);
    while (action->next_descriptor < total) {
        const struct scsi_unmap_descriptor *descriptor =
            &descriptors_of(command)[action->next_descriptor++];
        uint32_t count = be32_get(descriptor->count);
        if (count > 0) {
            action->kind = SCSI_ACTION_DISCARD;
            action->offset = be64_get(descriptor->lba) * target->settings.block_size;
            action->length = (uint64_t)count * target->settings.block_size;
            return;
        }
    }
    scsi_answer_good(action, command->buffer_size);
}

void scsi_write_same(struct scsi_target *target, const struct scsi_command *command,
                     struct scsi_action *action)
{
    const uint8_t *cdb = command->cdb;
    const uint32_t block_size = target->settings.block_size;
    const bool is_16 = cdb[0] == SCSI_WRITE_SAME_16;
    uint64_t lba = is_16 ? be64_get(cdb + 2) : be32_get(cdb + 2);
    uint64_t count = is_16 ? be32_get(cdb + 10) : be16_get(cdb + 7);
    uint64_t most = target->settings.transfer_bytes_max < SCSI_TARGET_WRITE_SAME_BYTES_MAX
                        ? target->settings.transfer_bytes_max
                        : SCSI_TARGET_WRITE_SAME_BYTES_MAX;
    if ((cdb[1] & (WRITE_SAME_LBDATA | WRITE_SAME_PBDATA | WRITE_SAME_ANCHOR | PROTECTION_BITS)) ||
        command->buffer_size != block_size || command->parameters_size != block_size ||
        command->direction != SCSI_DATA_OUT) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
    } else if (!scsi_range_exists(target, lba, count) || count * block_size > most) {
        scsi_refuse(target, action, SCSI_ASC_LBA_OUT_OF_RANGE);
    } else if (!refuse_if_read_only(target, action)) {
        if (count == 0) {
            scsi_answer_good(action, 0);
            return;
        }
        action->kind = SCSI_ACTION_WRITE_SAME;
        action->offset = lba * block_size;
        action->length = count * block_size;
        action->force_unit_access = !target->settings.write_cache;
    }
}
