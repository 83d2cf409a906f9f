/* SPDX-License-Identifier: BSD-3-Clause */
/* MODE SENSE and MODE SELECT: one page, the write cache, which cannot be changed. */
#include <string.h>

#include "host/devices/scsi_commands.h"

enum { BLOCK_DESCRIPTOR_SIZE = 8, PAGE_SAVEABLE = 0x80 };

static struct scsi_mode_caching_page caching_page(const struct scsi_target *target,
                                                  unsigned control)
{
    bool on = control != SCSI_MODE_CONTROL_CHANGEABLE && target->settings.write_cache;
    return (struct scsi_mode_caching_page){
        .page_code = SCSI_MODE_PAGE_CACHING,
        .page_length = sizeof(struct scsi_mode_caching_page) - 2,
        .flags = on ? SCSI_MODE_CACHING_WRITE_CACHE : 0,
    };
}

static uint32_t header_size(const uint8_t *cdb)
{
    bool is_6 = cdb[0] == SCSI_MODE_SENSE_6 || cdb[0] == SCSI_MODE_SELECT_6;
    return is_6 ? sizeof(struct scsi_mode_header_6) : sizeof(struct scsi_mode_header_10);
}

/* Allocation length of MODE SENSE, parameter list length of MODE SELECT. */
static uint32_t list_length(const uint8_t *cdb)
{
    return header_size(cdb) == sizeof(struct scsi_mode_header_6) ? cdb[4]
                                                                 : be16_get(cdb + 7);
}

void scsi_mode_sense(struct scsi_target *target, const struct scsi_command *command,
                     struct scsi_action *action)
{
    const uint8_t *cdb = command->cdb;
    const uint32_t header = header_size(cdb), allocation = list_length(cdb);
    const unsigned page = cdb[2] & SCSI_MODE_PAGE_MASK;
    const unsigned control = cdb[2] >> SCSI_MODE_CONTROL_SHIFT;
    const bool known = page == SCSI_MODE_PAGE_CACHING || page == SCSI_MODE_PAGE_ALL;
    const bool known_subpage = cdb[3] == 0 || (page == SCSI_MODE_PAGE_ALL && cdb[3] == 0xff);

    if (!known || !known_subpage || control == SCSI_MODE_CONTROL_SAVED) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    if (allocation == 0) {
        scsi_answer_good(action, 0);
        return;
    }
    if (allocation > command->buffer_size || allocation < header ||
        command->direction != SCSI_DATA_IN) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    const struct scsi_mode_caching_page body = caching_page(target, control);
    const uint32_t size = header + sizeof(body);
    const uint8_t specific = SCSI_MODE_DEVICE_DPO_FUA |
                             (target->settings.read_only ? SCSI_MODE_DEVICE_WRITE_PROTECT : 0);
    memset(action->data, 0, size);
    if (header == sizeof(struct scsi_mode_header_6)) {
        action->data[0] = (uint8_t)(size - 1);
        action->data[2] = specific;
    } else {
        be16_put(action->data, (uint16_t)(size - 2));
        action->data[3] = specific;
    }
    memcpy(action->data + header, &body, sizeof(body));
    scsi_answer_data(action, size, allocation);
}

/* True if the list holds nothing but pages that say what is so anyway. */
static bool restates_settings(const struct scsi_target *target, const struct scsi_command *command)
{
    const uint8_t *list = command->parameters;
    const uint32_t header = header_size(command->cdb);
    const struct scsi_mode_caching_page current =
        caching_page(target, SCSI_MODE_CONTROL_CURRENT);
    uint32_t descriptors = header == sizeof(struct scsi_mode_header_6) ? list[3]
                                                                       : be16_get(list + 6);
    if (descriptors != 0 && descriptors != BLOCK_DESCRIPTOR_SIZE) {
        return false;
    }
    uint32_t at = header + descriptors;
    while (at + sizeof(current) <= command->parameters_size) {
        const struct scsi_mode_caching_page *page = (const void *)(list + at);
        if ((page->page_code & (uint8_t)~PAGE_SAVEABLE) != current.page_code ||
            page->page_length != current.page_length ||
            (page->flags & SCSI_MODE_CACHING_WRITE_CACHE) != current.flags) {
            return false;
        }
        at += sizeof(current);
    }
    return at == command->parameters_size;
}

void scsi_mode_select(struct scsi_target *target, const struct scsi_command *command,
                      struct scsi_action *action)
{
    const uint32_t length = list_length(command->cdb);
    if ((command->cdb[1] & SCSI_MODE_SELECT_SAVE_PAGES) != 0) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
    } else if (length == 0) {
        scsi_answer_good(action, 0);
    } else if (length != command->buffer_size || length != command->parameters_size ||
               length < header_size(command->cdb) || command->direction != SCSI_DATA_OUT) {
        scsi_refuse(target, action, SCSI_ASC_PARAMETER_LIST_LENGTH_ERROR);
    } else if (!restates_settings(target, command)) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_PARAMETER_LIST);
    } else {
        scsi_answer_good(action, length);
    }
}
