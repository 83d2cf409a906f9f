/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the files of the SCSI target: how a command handler answers. */
#ifndef HOST_DEVICES_SCSI_COMMANDS_H
#define HOST_DEVICES_SCSI_COMMANDS_H

#include "host/devices/scsi_target.h"

/* Ends well, with `transferred` bytes that the medium has moved (0: none). */
void scsi_answer_good(struct scsi_action *action, uint32_t transferred);

/* Ends well with the first `size` bytes of action->data, cut to what the initiator allows. */
void scsi_answer_data(struct scsi_action *action, uint32_t size, uint32_t allowed);

/* Ends with CHECK CONDITION; the sense is kept for REQUEST SENSE. */
void scsi_answer_error(struct scsi_target *target, struct scsi_action *action,
                       enum scsi_outcome outcome, uint8_t key, uint16_t additional);

/* The commonest refusal, ILLEGAL REQUEST: SCSI_OUTCOME_INVALID_REQUEST of disks,
 * _ERROR of drives. */
void scsi_refuse(struct scsi_target *target, struct scsi_action *action, uint16_t additional);

typedef void scsi_command_handler(struct scsi_target *target, const struct scsi_command *command,
                                  struct scsi_action *action);

scsi_command_handler scsi_inquiry;
scsi_command_handler scsi_mode_sense;
scsi_command_handler scsi_mode_select;
scsi_command_handler scsi_unmap;
scsi_command_handler scsi_write_same;
scsi_command_handler scsi_read_blocks;
scsi_command_handler scsi_request_sense;
scsi_command_handler scsi_read_capacity_10;

/* dvd_information.c: what a DVD drive tells of itself and its disc. */
scsi_command_handler dvd_inquiry;
scsi_command_handler dvd_get_configuration;
scsi_command_handler dvd_read_toc;
scsi_command_handler dvd_read_disc_information;
scsi_command_handler dvd_read_track_information;
scsi_command_handler dvd_read_disc_structure;
scsi_command_handler dvd_read_buffer_capacity;
scsi_command_handler dvd_get_performance;
scsi_command_handler dvd_mode_sense;
scsi_command_handler dvd_mode_select;

/* Ends with the first `size` bytes of action->data, cut to what the initiator allows. A buffer
 * below what it allows gets nothing, as of Hyper-V's drive. */
void dvd_answer(const struct scsi_command *command, struct scsi_action *action, uint32_t size,
                uint32_t allowed);

/* The next descriptor of a checked UNMAP list as an action; completes after the last. */
void scsi_unmap_next(struct scsi_target *target, const struct scsi_command *command,
                     struct scsi_action *action);

/* True if the blocks [lba, lba + count) are on the medium. */
bool scsi_range_exists(const struct scsi_target *target, uint64_t lba, uint64_t count);

#endif
