/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command sets of SCSI devices, as Hyper-V's virtual disk and DVD drive (dvd_drive.h) have
 * them. Sans-I/O: a command goes in, what to do with the medium comes out; the caller does it and
 * hands the result back.
 *
 *     scsi_target_begin(target, &command, &action);
 *     while (action.kind != SCSI_ACTION_COMPLETE) {
 *         ... do it ...
 *         scsi_target_continue(target, &command, &action, result, transferred);
 *     }
 *     ... action.response and action.data are the answer ...
 *
 * Facts: OpenVMM scsidisk, Linux storvsc_drv.c and sd.c, SPC-3, SBC-3.
 */
#ifndef HOST_DEVICES_SCSI_TARGET_H
#define HOST_DEVICES_SCSI_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/devices/dvd_drive.h"
#include "protocol/scsi.h"

enum {
    SCSI_TARGET_DATA_MAX = 2052, /* bytes of the largest answer that is not medium data */
    SCSI_TARGET_UNMAP_DESCRIPTORS_MAX = 4096,
    SCSI_TARGET_PARAMETERS_MAX = 8 + 16 * SCSI_TARGET_UNMAP_DESCRIPTORS_MAX,
    SCSI_TARGET_SERIAL_MAX = 36,
    SCSI_TARGET_WRITE_SAME_BYTES_MAX = 8 << 20,
};

enum scsi_target_type { SCSI_TARGET_DISK, SCSI_TARGET_DVD_DRIVE };

/* What the device is. Copied by scsi_target_initialise(). */
struct scsi_target_settings {
    enum scsi_target_type type;
    uint64_t block_count;         /* > 0; of a DVD drive 0: it is empty */
    uint32_t block_size;          /* 512 or 4096; DVD drive: DVD_BLOCK_SIZE */
    uint32_t physical_block_size; /* a power of two times block_size */
    uint32_t transfer_bytes_max;  /* of one command; what the controller promises */
    bool read_only;
    bool unmap;                   /* UNMAP and the pages that announce it */
    bool write_cache;             /* what the caching page says */
    uint8_t spc_version;          /* SCSI_VERSION_SPC2 (2012, 2012 R2 hosts) or _SPC3 */
    uint8_t identity[16];         /* the virtual disk's GUID, as bytes */
    char serial[SCSI_TARGET_SERIAL_MAX + 1]; /* "": no page 0x80 */
};

/* Sense, not yet in its wire format. */
struct scsi_sense {
    uint8_t key;
    uint16_t additional; /* enum scsi_additional_sense */
};

struct scsi_target {
    struct scsi_target_settings settings;
    struct scsi_sense last_sense; /* for REQUEST SENSE */
    bool capacity_changed;        /* a unit attention waits to be told */
    struct dvd_drive drive;       /* of a DVD drive */
};

enum scsi_data_direction { SCSI_DATA_NONE, SCSI_DATA_IN, SCSI_DATA_OUT };

/* A command as the transport got it. Everything stays the caller's until it is complete. */
struct scsi_command {
    const uint8_t *cdb;       /* SCSI_COMMAND_CDB_SIZE bytes, zero padded, a private copy */
    enum scsi_data_direction direction;
    uint32_t buffer_size;     /* bytes of the guest's buffer; 0: none */
    const uint8_t *parameters; /* the first scsi_target_parameter_bytes() of the buffer, a copy */
    uint32_t parameters_size;
};
enum { SCSI_COMMAND_CDB_SIZE = 16 };

/* How it ended, in the words that the transport turns into its own status. */
enum scsi_outcome {
    SCSI_OUTCOME_GOOD,
    SCSI_OUTCOME_INVALID_REQUEST, /* the initiator's mistake; sense valid */
    SCSI_OUTCOME_ERROR,           /* the device's trouble; sense valid */
    SCSI_OUTCOME_DATA_OVERRUN,    /* the buffer does not fit the command; sense valid */
    SCSI_OUTCOME_UNDERRUN,        /* good, but less was moved than asked for; no sense */
};

struct scsi_response {
    enum scsi_outcome outcome;
    uint8_t scsi_status; /* enum scsi_status */
    struct scsi_sense sense;
    uint32_t transferred; /* bytes of the guest's buffer that count */
};

enum scsi_action_kind {
    SCSI_ACTION_COMPLETE,
    SCSI_ACTION_READ,        /* medium -> the guest's buffer, from its start */
    SCSI_ACTION_WRITE,       /* the guest's buffer -> medium */
    SCSI_ACTION_FLUSH,
    SCSI_ACTION_DISCARD,
    SCSI_ACTION_WRITE_SAME,  /* the block in command.parameters, over and over */
};

struct scsi_action {
    enum scsi_action_kind kind;
    uint64_t offset; /* bytes on the medium */
    uint64_t length; /* bytes; for READ and WRITE <= buffer_size */
    bool force_unit_access;

    /* Valid with SCSI_ACTION_COMPLETE. */
    struct scsi_response response;
    uint8_t data[SCSI_TARGET_DATA_MAX]; /* answer for the guest: response.transferred bytes, */
    bool has_data;                      /* if this is set; else the medium has moved them */

    uint32_t next_descriptor; /* UNMAP: where it goes on */
};

/* Returns 0 or -EINVAL (settings out of the ranges above). */
int scsi_target_initialise(struct scsi_target *target,
                           const struct scsi_target_settings *settings);

/* How many bytes of the guest's buffer the command needs as `parameters`; 0 for most commands. */
uint32_t scsi_target_parameter_bytes(const struct scsi_target *target, const uint8_t *cdb,
                                     uint32_t buffer_size);

void scsi_target_begin(struct scsi_target *target, const struct scsi_command *command,
                       struct scsi_action *action);

/* result: 0 or a negative errno of the medium; transferred: bytes moved. */
void scsi_target_continue(struct scsi_target *target, const struct scsi_command *command,
                          struct scsi_action *action, int result, uint64_t transferred);

/* The medium's size has changed: the next command but INQUIRY is told so. */
void scsi_target_set_block_count(struct scsi_target *target, uint64_t block_count);

/* Fixed-format sense data, 18 bytes. */
void scsi_sense_encode(const struct scsi_sense *sense, uint8_t bytes[18]);

/* ---- For LUNs where there is no disk: what the controller answers itself ---- */

/*
 * INQUIRY to a LUN without a device: peripheral 0x7F, and for LUN 0 the names of a virtual disk.
 * Returns true and a complete `action`, or false if the command is not INQUIRY.
 */
bool scsi_absent_inquiry(const struct scsi_command *command, uint8_t lun, uint8_t spc_version,
                         struct scsi_action *action);

#endif
