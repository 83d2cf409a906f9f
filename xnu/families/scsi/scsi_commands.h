/* SPDX-License-Identifier: BSD-3-Clause */
/* scsi_commands.h - command blocks and answers of a disk, as bytes: no tasks, no memory of its own.
 *
 * Everything in a CDB, in data and in sense is big endian. Sources: T10 SPC-3 and SBC-3 as read in
 * Linux's drivers/scsi/sd.c. Answers come from a device that is not trusted: each parser gets the
 * number of bytes that really arrived.
 */
#ifndef XNU_FAMILIES_SCSI_COMMANDS_H
#define XNU_FAMILIES_SCSI_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scsi_cdb {
    uint8_t bytes[16];
    uint8_t size;
};

enum {
    SCSI_INQUIRY_SHORT = 6,              /* enough to learn the full length */
    SCSI_INQUIRY_FULL = 36,
    SCSI_INQUIRY_LIMIT = 252,
    SCSI_CAPACITY_10_SIZE = 8,
    SCSI_CAPACITY_16_SIZE = 32,
    SCSI_LUN_LIST_SIZE = 8 + 8 * 64,
    SCSI_MODE_SIZE = 192,
    SCSI_PAGE_SIZE_LIMIT = 64,           /* of the vital product data pages that are read */
    SCSI_UNMAP_LIST_SIZE = 24,           /* with one range */
    SCSI_MEDIA_EVENT_SIZE = 8,
    SCSI_TYPE_DISK = 0,
    SCSI_TYPE_CD = 5,
};

struct scsi_identity {
    uint8_t type;                        /* peripheral device type */
    bool present;                        /* a device is connected to the logical unit */
    bool removable;
    bool command_queueing;
    uint8_t length;                      /* of the whole answer */
    char vendor[9], product[17], revision[5];   /* trimmed; empty in a short answer */
};

struct scsi_capacity {
    uint64_t blocks;
    uint32_t block_size;                 /* bytes, a power of two, 512 ... 65536 */
    uint32_t physical_block_size;
    bool provisioning;                   /* UNMAP may work */
    bool too_large;                      /* the short form cannot tell: use the long one */
};

struct scsi_mode {
    bool write_protected;
    bool fua;                            /* DPOFUA */
    bool write_cache;                    /* WCE of the caching page */
};

struct scsi_limits {
    uint64_t unmap_blocks;               /* most of one UNMAP; 0: not told */
    uint64_t write_same_blocks;          /* most of one WRITE SAME; 0: not told */
};

/* What a multimedia drive says of its tray. */
struct scsi_media_event {
    bool removed, inserted;              /* since it was asked before */
    bool eject_wanted;                   /* somebody pressed the button */
    bool medium_present;
};

enum scsi_sense_action {
    SCSI_SENSE_FAIL,
    SCSI_SENSE_RETRY,                    /* at once: the device reported something that happened */
    SCSI_SENSE_WAIT,                     /* it is becoming ready */
    SCSI_SENSE_NO_MEDIUM,
    SCSI_SENSE_PROTECTED,
    SCSI_SENSE_ILLEGAL,                  /* it does not know the command */
    SCSI_SENSE_OK,                       /* recovered, or no sense at all */
};

struct scsi_cdb scsi_cdb_test_unit_ready(void);
struct scsi_cdb scsi_cdb_inquiry(uint8_t length);
struct scsi_cdb scsi_cdb_inquiry_page(uint8_t page, uint8_t length);
struct scsi_cdb scsi_cdb_report_luns(uint32_t length);
struct scsi_cdb scsi_cdb_mode_sense(uint8_t page, uint8_t length);
struct scsi_cdb scsi_cdb_read_capacity_10(void);
struct scsi_cdb scsi_cdb_read_capacity_16(uint32_t length);
struct scsi_cdb scsi_cdb_synchronize_cache(void);
struct scsi_cdb scsi_cdb_unmap(uint16_t list_length);
struct scsi_cdb scsi_cdb_write_same(uint64_t block, uint32_t count, bool unmap);
/* READ or WRITE, in the shortest form that can name the blocks (10 or 16 bytes). */
struct scsi_cdb scsi_cdb_transfer(bool write, uint64_t block, uint32_t count, bool fua);

/* GET EVENT STATUS NOTIFICATION, media class, polled. */
struct scsi_cdb scsi_cdb_media_event(void);
struct scsi_cdb scsi_cdb_prevent_removal(bool prevent);
struct scsi_cdb scsi_cdb_eject(void);

/* The parameter list of an UNMAP with one range, into SCSI_UNMAP_LIST_SIZE bytes. */
void scsi_unmap_list(uint8_t *list, uint64_t block, uint32_t count);

/* Parsers: false when the answer is too short or contradicts itself. */
bool scsi_parse_inquiry(const uint8_t *data, size_t size, struct scsi_identity *identity);
bool scsi_parse_capacity_10(const uint8_t *data, size_t size, struct scsi_capacity *capacity);
bool scsi_parse_capacity_16(const uint8_t *data, size_t size, struct scsi_capacity *capacity);
/* False also when the drive tells of another class of events. */
bool scsi_parse_media_event(const uint8_t *data, size_t size, struct scsi_media_event *event);
void scsi_parse_mode(const uint8_t *data, size_t size, struct scsi_mode *mode);
void scsi_parse_block_limits(const uint8_t *data, size_t size, struct scsi_limits *limits);
/* VPD page 0xB2: whether WRITE SAME(16) may deallocate. */
bool scsi_parse_provisioning(const uint8_t *data, size_t size);
/* Number of logical units in the list, at most `limit`, their numbers (flat, below 16384) in
 * `luns`. */
unsigned scsi_parse_luns(const uint8_t *data, size_t size, uint64_t *luns, unsigned limit);

enum scsi_sense_action scsi_sense_action(const uint8_t *sense, size_t size);

#endif
