/* SPDX-License-Identifier: BSD-3-Clause */
/* The DVD drive: its tray, media events, and which command is answered by whom. */
#include "host/devices/dvd_drive.h"

#include <string.h>

#include "host/devices/scsi_commands.h"

/* ---- The tray ---- */

static void note_event(struct dvd_drive *drive, enum mmc_media_event event)
{
    drive->events |= (uint8_t)(1u << event);
}

bool dvd_drive_is_ready(const struct scsi_target *target)
{
    return target->drive.has_disc && !target->drive.tray_open;
}

/* A drive that has a disc from the start tells its first reader of a change, as Hyper-V's does. */
void dvd_drive_initialise(struct scsi_target *target)
{
    target->drive = (struct dvd_drive){.has_disc = target->settings.block_count > 0};
    if (target->drive.has_disc) {
        note_event(&target->drive, MMC_MEDIA_REMOVAL);
        note_event(&target->drive, MMC_MEDIA_NEW);
    }
}

static void disc_appears(struct dvd_drive *drive)
{
    drive->disc_changed = true;
    note_event(drive, MMC_MEDIA_NEW);
}

/* What has not been told of a disc that is gone again is of no interest. */
static void disc_disappears(struct dvd_drive *drive)
{
    drive->disc_changed = false;
    drive->events = 0;
    note_event(drive, MMC_MEDIA_REMOVAL);
}

void dvd_drive_insert(struct scsi_target *target, uint64_t block_count)
{
    struct dvd_drive *drive = &target->drive;
    if (dvd_drive_is_ready(target)) {
        disc_disappears(drive);
    }
    target->settings.block_count = block_count;
    drive->has_disc = true;
    drive->tray_open = drive->eject_wanted = false;
    disc_appears(drive);
}

void dvd_drive_remove(struct scsi_target *target)
{
    struct dvd_drive *drive = &target->drive;
    if (dvd_drive_is_ready(target)) {
        disc_disappears(drive);
    }
    drive->has_disc = drive->eject_wanted = false;
    target->settings.block_count = 0;
}

void dvd_drive_ask_to_eject(struct scsi_target *target)
{
    target->drive.eject_wanted = true;
    note_event(&target->drive, MMC_MEDIA_EJECT_REQUEST);
}

/* ---- Answers ---- */

void dvd_answer(const struct scsi_command *command, struct scsi_action *action, uint32_t size,
                uint32_t allowed)
{
    if (allowed > 0 &&
        (command->buffer_size < allowed || command->direction != SCSI_DATA_IN)) {
        scsi_answer_good(action, 0);
        action->response.outcome = SCSI_OUTCOME_UNDERRUN;
        return;
    }
    scsi_answer_data(action, size, allowed);
}

static void answer_no_disc(struct scsi_target *target, struct scsi_action *action)
{
    scsi_answer_error(target, action, SCSI_OUTCOME_ERROR, SCSI_SENSE_NOT_READY,
                      target->drive.tray_open ? SCSI_ASC_MEDIUM_NOT_PRESENT_TRAY_OPEN
                                              : SCSI_ASC_MEDIUM_NOT_PRESENT_TRAY_CLOSED);
}

/* ---- Commands about disc and tray ---- */

static void test_unit_ready(struct scsi_target *target, const struct scsi_command *command,
                            struct scsi_action *action)
{
    scsi_answer_good(action, 0); /* that there is a disc has been looked at */
}

static void read_capacity(struct scsi_target *target, const struct scsi_command *command,
                          struct scsi_action *action)
{
    if (command->buffer_size < sizeof(struct scsi_read_capacity_10_data)) {
        dvd_answer(command, action, 0, sizeof(struct scsi_read_capacity_10_data));
        return;
    }
    scsi_read_capacity_10(target, command, action);
}

static void eject(struct scsi_target *target, struct scsi_action *action)
{
    struct dvd_drive *drive = &target->drive;
    if (drive->locked && drive->has_disc) {
        scsi_refuse(target, action, SCSI_ASC_MEDIUM_REMOVAL_PREVENTED);
    } else if (drive->locked) {
        answer_no_disc(target, action);
    } else {
        if (dvd_drive_is_ready(target)) {
            disc_disappears(drive);
        }
        drive->tray_open = true;
        scsi_answer_good(action, 0);
    }
}

static void load(struct scsi_target *target, struct scsi_action *action)
{
    struct dvd_drive *drive = &target->drive;
    if (drive->tray_open) {
        drive->tray_open = false;
        if (drive->has_disc) {
            disc_appears(drive);
        }
    }
    scsi_answer_good(action, 0);
}

static void start_stop_unit(struct scsi_target *target, const struct scsi_command *command,
                            struct scsi_action *action)
{
    const uint8_t flags = command->cdb[4];
    if ((flags & SCSI_START_STOP_LOAD_EJECT) == 0) {
        scsi_answer_good(action, 0); /* spinning up and down */
    } else if ((flags & SCSI_START_STOP_START) != 0) {
        load(target, action);
    } else {
        eject(target, action);
    }
}

static void prevent_or_allow_removal(struct scsi_target *target,
                                     const struct scsi_command *command,
                                     struct scsi_action *action)
{
    target->drive.locked = (command->cdb[4] & MMC_PREVENT_REMOVAL) != 0;
    scsi_answer_good(action, 0);
}

/* The oldest change first: what was taken out, what was put in, what the host would like. */
static enum mmc_media_event take_event(struct dvd_drive *drive)
{
    static const enum mmc_media_event order[] = {MMC_MEDIA_REMOVAL, MMC_MEDIA_NEW,
                                                 MMC_MEDIA_EJECT_REQUEST};
    for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        const uint8_t bit = (uint8_t)(1u << order[i]);
        if ((drive->events & bit) != 0) {
            drive->events &= (uint8_t)~bit;
            return order[i];
        }
    }
    return MMC_MEDIA_NO_CHANGE;
}

static void get_event_status(struct scsi_target *target, const struct scsi_command *command,
                             struct scsi_action *action)
{
    struct dvd_drive *drive = &target->drive;
    const uint16_t allowed = be16_get(command->cdb + 7);
    const bool media = (command->cdb[4] & 1u << MMC_EVENT_CLASS_MEDIA) != 0;
    struct mmc_media_event_data data = {
        .event_class = media ? MMC_EVENT_CLASS_MEDIA : MMC_EVENT_NONE_AVAILABLE,
        .supported_classes = 1u << MMC_EVENT_CLASS_MEDIA,
    };
    const uint32_t size = media ? sizeof(data) : offsetof(struct mmc_media_event_data, event);
    if ((command->cdb[1] & MMC_EVENT_POLLED) == 0) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    /* Whoever has no room for an event leaves it to the next reader. */
    if (media && allowed > offsetof(struct mmc_media_event_data, event) &&
        command->buffer_size >= allowed) {
        data.event = (uint8_t)take_event(drive);
    }
    data.status = (uint8_t)((drive->tray_open ? MMC_MEDIA_TRAY_OPEN : 0) |
                            (dvd_drive_is_ready(target) ? MMC_MEDIA_PRESENT : 0));
    be16_put(data.length, (uint16_t)(size - sizeof(data.length)));
    memcpy(action->data, &data, size);
    dvd_answer(command, action, size, allowed);
}

static void mechanism_status(struct scsi_target *target, const struct scsi_command *command,
                             struct scsi_action *action)
{
    const struct mmc_mechanism_status data = {
        .mechanism_state = target->drive.tray_open ? MMC_MECHANISM_DOOR_OPEN : 0,
        .slots = 1,
    };
    memcpy(action->data, &data, sizeof(data));
    dvd_answer(command, action, sizeof(data), be16_get(command->cdb + 8));
}

/* The wish for a speed: there is none to set. */
static void set_streaming(struct scsi_target *target, const struct scsi_command *command,
                          struct scsi_action *action)
{
    if (command->buffer_size > 0 && command->direction != SCSI_DATA_OUT) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
    } else {
        scsi_answer_good(action, command->buffer_size);
    }
}

/* ---- Dispatch ---- */

enum needs { DRIVE, DISC };
static const struct {
    scsi_command_handler *handler;
    enum needs needs;
} commands[256] = {
    [SCSI_TEST_UNIT_READY] = {test_unit_ready, DISC},
    [SCSI_REQUEST_SENSE] = {scsi_request_sense, DRIVE},
    [SCSI_INQUIRY] = {dvd_inquiry, DRIVE},
    [SCSI_START_STOP_UNIT] = {start_stop_unit, DRIVE},
    [SCSI_PREVENT_ALLOW_MEDIUM_REMOVAL] = {prevent_or_allow_removal, DRIVE},
    [SCSI_READ_CAPACITY_10] = {read_capacity, DISC},
    [SCSI_READ_10] = {scsi_read_blocks, DISC},
    [SCSI_READ_TOC] = {dvd_read_toc, DISC},
    [SCSI_GET_CONFIGURATION] = {dvd_get_configuration, DRIVE},
    [SCSI_GET_EVENT_STATUS_NOTIFICATION] = {get_event_status, DRIVE},
    [SCSI_READ_DISC_INFORMATION] = {dvd_read_disc_information, DISC},
    [SCSI_READ_TRACK_INFORMATION] = {dvd_read_track_information, DISC},
    [SCSI_MODE_SELECT_10] = {dvd_mode_select, DRIVE},
    [SCSI_MODE_SENSE_10] = {dvd_mode_sense, DRIVE},
    [SCSI_READ_BUFFER_CAPACITY] = {dvd_read_buffer_capacity, DRIVE},
    [SCSI_READ_16] = {scsi_read_blocks, DISC},
    [SCSI_READ_12] = {scsi_read_blocks, DISC},
    [SCSI_GET_PERFORMANCE] = {dvd_get_performance, DRIVE},
    [SCSI_READ_DISC_STRUCTURE] = {dvd_read_disc_structure, DISC},
    [SCSI_SET_STREAMING] = {set_streaming, DRIVE},
    [SCSI_MECHANISM_STATUS] = {mechanism_status, DRIVE},
};

/* Commands that answer whatever has happened, and leave the unit attention to others (MMC-3). */
static bool overtakes_attention(uint8_t code)
{
    return code == SCSI_INQUIRY || code == SCSI_REQUEST_SENSE || code == SCSI_GET_CONFIGURATION ||
           code == SCSI_GET_EVENT_STATUS_NOTIFICATION;
}

void dvd_drive_begin(struct scsi_target *target, const struct scsi_command *command,
                     struct scsi_action *action)
{
    const uint8_t code = command->cdb[0];
    if (target->drive.disc_changed && !overtakes_attention(code)) {
        target->drive.disc_changed = false;
        scsi_answer_error(target, action, SCSI_OUTCOME_ERROR, SCSI_SENSE_UNIT_ATTENTION,
                          SCSI_ASC_MEDIUM_MAY_HAVE_CHANGED);
    } else if (commands[code].handler == NULL) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_OPERATION_CODE);
    } else if (commands[code].needs == DISC && !dvd_drive_is_ready(target)) {
        answer_no_disc(target, action);
    } else {
        commands[code].handler(target, command, action);
    }
}
