/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SCSI: the operation codes, fields and sense codes that a disk and its driver use.
 * Everything in a CDB, a data buffer and sense data is big-endian.
 *
 * Sources: T10 SPC-3, SBC-3, SAM-3, as read through Linux include/scsi and OpenVMM scsi_defs.
 */
#ifndef PROTOCOL_SCSI_H
#define PROTOCOL_SCSI_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/big_endian.h"

enum scsi_operation_code {
    SCSI_TEST_UNIT_READY = 0x00,
    SCSI_REQUEST_SENSE = 0x03,
    SCSI_FORMAT_UNIT = 0x04,
    SCSI_READ_6 = 0x08,
    SCSI_WRITE_6 = 0x0a,
    SCSI_INQUIRY = 0x12,
    SCSI_MODE_SELECT_6 = 0x15,
    SCSI_RESERVE_6 = 0x16,
    SCSI_RELEASE_6 = 0x17,
    SCSI_MODE_SENSE_6 = 0x1a,
    SCSI_START_STOP_UNIT = 0x1b,
    SCSI_SEND_DIAGNOSTIC = 0x1d,
    SCSI_PREVENT_ALLOW_MEDIUM_REMOVAL = 0x1e,
    SCSI_READ_CAPACITY_10 = 0x25,
    SCSI_READ_10 = 0x28,
    SCSI_WRITE_10 = 0x2a,
    SCSI_WRITE_AND_VERIFY_10 = 0x2e,
    SCSI_VERIFY_10 = 0x2f,
    SCSI_SYNCHRONIZE_CACHE_10 = 0x35,
    SCSI_WRITE_SAME_10 = 0x41,
    SCSI_UNMAP = 0x42,
    SCSI_READ_TOC = 0x43,
    SCSI_GET_CONFIGURATION = 0x46,
    SCSI_GET_EVENT_STATUS_NOTIFICATION = 0x4a,
    SCSI_READ_DISC_INFORMATION = 0x51,
    SCSI_READ_TRACK_INFORMATION = 0x52,
    SCSI_MODE_SELECT_10 = 0x55,
    SCSI_MODE_SENSE_10 = 0x5a,
    SCSI_READ_BUFFER_CAPACITY = 0x5c,
    SCSI_PERSISTENT_RESERVE_IN = 0x5e,
    SCSI_PERSISTENT_RESERVE_OUT = 0x5f,
    SCSI_ATA_PASS_THROUGH_16 = 0x85,
    SCSI_READ_16 = 0x88,
    SCSI_WRITE_16 = 0x8a,
    SCSI_WRITE_AND_VERIFY_16 = 0x8e,
    SCSI_VERIFY_16 = 0x8f,
    SCSI_SYNCHRONIZE_CACHE_16 = 0x91,
    SCSI_WRITE_SAME_16 = 0x93,
    SCSI_SERVICE_ACTION_IN_16 = 0x9e,
    SCSI_REPORT_LUNS = 0xa0,
    SCSI_ATA_PASS_THROUGH_12 = 0xa1,
    SCSI_MAINTENANCE_IN = 0xa3,
    SCSI_READ_12 = 0xa8,
    SCSI_WRITE_12 = 0xaa,
    SCSI_GET_PERFORMANCE = 0xac,
    SCSI_READ_DISC_STRUCTURE = 0xad,
    SCSI_WRITE_AND_VERIFY_12 = 0xae,
    SCSI_VERIFY_12 = 0xaf,
    SCSI_SET_STREAMING = 0xb6,
    SCSI_MECHANISM_STATUS = 0xbd,
};

/* Service actions of SCSI_SERVICE_ACTION_IN_16 (CDB byte 1, bits 4:0). */
#define SCSI_SERVICE_ACTION_MASK 0x1fu
#define SCSI_SAI_READ_CAPACITY_16 0x10u
#define SCSI_SAI_GET_LBA_STATUS 0x12u

enum scsi_status {
    SCSI_STATUS_GOOD = 0x00,
    SCSI_STATUS_CHECK_CONDITION = 0x02,
    SCSI_STATUS_CONDITION_MET = 0x04,
    SCSI_STATUS_BUSY = 0x08,
    SCSI_STATUS_RESERVATION_CONFLICT = 0x18,
    SCSI_STATUS_TASK_SET_FULL = 0x28,
    SCSI_STATUS_ACA_ACTIVE = 0x30,
    SCSI_STATUS_TASK_ABORTED = 0x40,
};

enum scsi_sense_key {
    SCSI_SENSE_NO_SENSE = 0x0,
    SCSI_SENSE_RECOVERED_ERROR = 0x1,
    SCSI_SENSE_NOT_READY = 0x2,
    SCSI_SENSE_MEDIUM_ERROR = 0x3,
    SCSI_SENSE_HARDWARE_ERROR = 0x4,
    SCSI_SENSE_ILLEGAL_REQUEST = 0x5,
    SCSI_SENSE_UNIT_ATTENTION = 0x6,
    SCSI_SENSE_DATA_PROTECT = 0x7,
    SCSI_SENSE_BLANK_CHECK = 0x8,
    SCSI_SENSE_ABORTED_COMMAND = 0xb,
    SCSI_SENSE_MISCOMPARE = 0xe,
};

/* Additional sense code << 8 | qualifier. */
enum scsi_additional_sense {
    SCSI_ASC_NONE = 0x0000,
    SCSI_ASC_NOT_READY = 0x0400,
    SCSI_ASC_WRITE_ERROR = 0x0c00,
    SCSI_ASC_UNRECOVERED_READ_ERROR = 0x1100,
    SCSI_ASC_PERIPHERAL_WRITE_FAULT = 0x0300,
    SCSI_ASC_PARAMETER_LIST_LENGTH_ERROR = 0x1a00,
    SCSI_ASC_INVALID_OPERATION_CODE = 0x2000,
    SCSI_ASC_LBA_OUT_OF_RANGE = 0x2100,
    SCSI_ASC_INVALID_FIELD_IN_CDB = 0x2400,
    SCSI_ASC_LUN_NOT_SUPPORTED = 0x2500,
    SCSI_ASC_INVALID_FIELD_IN_PARAMETER_LIST = 0x2600,
    SCSI_ASC_WRITE_PROTECTED = 0x2700,
    SCSI_ASC_MEDIUM_MAY_HAVE_CHANGED = 0x2800,
    SCSI_ASC_POWER_ON_OR_RESET = 0x2900,
    SCSI_ASC_CAPACITY_DATA_HAS_CHANGED = 0x2a09,
    SCSI_ASC_MEDIUM_NOT_PRESENT = 0x3a00,
    SCSI_ASC_MEDIUM_NOT_PRESENT_TRAY_CLOSED = 0x3a01,
    SCSI_ASC_MEDIUM_NOT_PRESENT_TRAY_OPEN = 0x3a02,
    SCSI_ASC_REPORTED_LUNS_DATA_HAS_CHANGED = 0x3f0e,
    SCSI_ASC_INTERNAL_TARGET_FAILURE = 0x4400,
    SCSI_ASC_MEDIUM_REMOVAL_PREVENTED = 0x5302,
};

/* Fixed-format sense data, current error (SPC-3 4.5.3). */
struct scsi_sense_fixed {
    uint8_t response_code; /* SCSI_SENSE_RESPONSE_FIXED */
    uint8_t segment;
    uint8_t sense_key; /* bits 3:0 */
    uint8_t information[4];
    uint8_t additional_length; /* bytes that follow: 10 */
    uint8_t command_specific[4];
    uint8_t additional_sense_code;
    uint8_t additional_sense_qualifier;
    uint8_t field_replaceable_unit;
    uint8_t key_specific[3];
} __attribute__((packed));
#define SCSI_SENSE_RESPONSE_FIXED 0x70u
#define SCSI_SENSE_FIXED_ADDITIONAL_LENGTH 10u

/* INQUIRY (SPC-3 6.4). */
#define SCSI_INQUIRY_EVPD 0x01u  /* CDB byte 1 */
#define SCSI_INQUIRY_CMDDT 0x02u /* CDB byte 1, obsolete */

#define SCSI_PERIPHERAL_DISK 0x00u
#define SCSI_PERIPHERAL_CD_DVD 0x05u
#define SCSI_PERIPHERAL_ABSENT 0x7fu /* qualifier 3, type 0x1f: no device at this LUN */
#define SCSI_PERIPHERAL_TYPE_MASK 0x1fu

#define SCSI_INQUIRY_REMOVABLE 0x80u      /* byte 1 */
#define SCSI_INQUIRY_COMMAND_QUEUE 0x02u  /* byte 7 */
#define SCSI_VERSION_SPC2 0x04u
#define SCSI_VERSION_SPC3 0x05u

struct scsi_inquiry_data {
    uint8_t peripheral;
    uint8_t removable;
    uint8_t version;
    uint8_t response_format; /* bits 3:0: 2 */
    uint8_t additional_length; /* bytes that follow */
    uint8_t flags[3];
    uint8_t vendor[8];
    uint8_t product[16];
    uint8_t revision[4];
} __attribute__((packed));

/* Vital product data pages. */
enum scsi_vpd_page {
    SCSI_VPD_SUPPORTED_PAGES = 0x00,
    SCSI_VPD_UNIT_SERIAL_NUMBER = 0x80,
    SCSI_VPD_DEVICE_IDENTIFICATION = 0x83,
    SCSI_VPD_BLOCK_LIMITS = 0xb0,
    SCSI_VPD_BLOCK_DEVICE_CHARACTERISTICS = 0xb1,
    SCSI_VPD_LOGICAL_BLOCK_PROVISIONING = 0xb2,
    SCSI_VPD_MICROSOFT_PAGING_EXTENT = 0xce, /* Hyper-V virtual disks */
    SCSI_VPD_MICROSOFT_VIRTUAL_DISK = 0xcf,  /* Hyper-V virtual disks */
};

/* READ CAPACITY data. */
struct scsi_read_capacity_10_data {
    uint8_t last_lba[4]; /* 0xffffffff: use READ CAPACITY (16) */
    uint8_t block_size[4];
} __attribute__((packed));

struct scsi_read_capacity_16_data {
    uint8_t last_lba[8];
    uint8_t block_size[4];
    uint8_t protection;
    uint8_t physical_exponent;  /* bits 3:0: log2(physical block / logical block) */
    uint8_t provisioning[2];    /* bit 15: LBPME, unmap is supported */
    uint8_t reserved[16];
} __attribute__((packed));
#define SCSI_READ_CAPACITY_16_LBPME 0x80u /* provisioning[0] */

/* READ and WRITE (10), (12), (16), CDB byte 1. */
#define SCSI_CDB_FUA 0x08u
#define SCSI_CDB_DPO 0x10u
#define SCSI_CDB_RELATIVE_ADDRESS 0x01u /* 10- and 12-byte forms, obsolete */

/* MODE SENSE and MODE SELECT. */
#define SCSI_MODE_PAGE_CACHING 0x08u
#define SCSI_MODE_PAGE_ALL 0x3fu
#define SCSI_MODE_PAGE_MASK 0x3fu
#define SCSI_MODE_CONTROL_SHIFT 6 /* CDB byte 2, bits 7:6 */
#define SCSI_MODE_CONTROL_CURRENT 0u
#define SCSI_MODE_CONTROL_CHANGEABLE 1u
#define SCSI_MODE_CONTROL_DEFAULT 2u
#define SCSI_MODE_CONTROL_SAVED 3u
#define SCSI_MODE_SELECT_SAVE_PAGES 0x01u    /* CDB byte 1 */
#define SCSI_MODE_DEVICE_WRITE_PROTECT 0x80u /* device-specific parameter */
#define SCSI_MODE_DEVICE_DPO_FUA 0x10u       /* device-specific parameter */
#define SCSI_MODE_CACHING_WRITE_CACHE 0x04u  /* caching page, byte 2 */

struct scsi_mode_header_6 {
    uint8_t data_length; /* bytes that follow */
    uint8_t medium_type;
    uint8_t device_specific;
    uint8_t block_descriptor_length;
} __attribute__((packed));

struct scsi_mode_header_10 {
    uint8_t data_length[2];
    uint8_t medium_type;
    uint8_t device_specific;
    uint8_t reserved[2];
    uint8_t block_descriptor_length[2];
} __attribute__((packed));

struct scsi_mode_caching_page {
    uint8_t page_code;
    uint8_t page_length; /* bytes that follow: 10 */
    uint8_t flags;       /* SCSI_MODE_CACHING_* */
    uint8_t rest[9];
} __attribute__((packed));

/* START STOP UNIT, CDB. */
#define SCSI_START_STOP_IMMEDIATE 0x01u /* byte 1 */
#define SCSI_START_STOP_START 0x01u     /* byte 4 */
#define SCSI_START_STOP_LOAD_EJECT 0x02u /* byte 4 */

/* UNMAP parameter list (SBC-3 5.28). */
struct scsi_unmap_header {
    uint8_t data_length[2];       /* of the list, without these two bytes */
    uint8_t descriptors_length[2];
    uint8_t reserved[4];
} __attribute__((packed));

struct scsi_unmap_descriptor {
    uint8_t lba[8];
    uint8_t count[4];
    uint8_t reserved[4];
} __attribute__((packed));

/* WRITE SAME (10), (16), CDB byte 1. */
#define SCSI_WRITE_SAME_UNMAP 0x08u

/* REPORT LUNS (SPC-3 6.21): header, then one of these a LUN. */
struct scsi_report_luns_header {
    uint8_t list_length[4]; /* bytes */
    uint8_t reserved[4];
} __attribute__((packed));

struct scsi_report_luns_entry {
    uint8_t lun[2]; /* single-level, peripheral or flat addressing */
    uint8_t reserved[6];
} __attribute__((packed));

/* Bytes of a CDB by its group code; 0 for vendor-specific and variable-length groups. */
static inline uint8_t scsi_cdb_length(uint8_t operation_code)
{
    static const uint8_t length_of_group[8] = {6, 10, 10, 0, 16, 12, 0, 0};

    return length_of_group[operation_code >> 5];
}

#define SCSI_ASSERT(condition) _Static_assert(condition, #condition)
SCSI_ASSERT(sizeof(struct scsi_sense_fixed) == 18);
SCSI_ASSERT(offsetof(struct scsi_sense_fixed, additional_sense_code) == 12);
SCSI_ASSERT(sizeof(struct scsi_inquiry_data) == 36);
SCSI_ASSERT(offsetof(struct scsi_inquiry_data, vendor) == 8);
SCSI_ASSERT(sizeof(struct scsi_read_capacity_10_data) == 8);
SCSI_ASSERT(sizeof(struct scsi_read_capacity_16_data) == 32);
SCSI_ASSERT(sizeof(struct scsi_mode_header_6) == 4);
SCSI_ASSERT(sizeof(struct scsi_mode_header_10) == 8);
SCSI_ASSERT(sizeof(struct scsi_mode_caching_page) == 12);
SCSI_ASSERT(sizeof(struct scsi_unmap_header) == 8);
SCSI_ASSERT(sizeof(struct scsi_unmap_descriptor) == 16);
SCSI_ASSERT(sizeof(struct scsi_report_luns_header) == 8);
SCSI_ASSERT(sizeof(struct scsi_report_luns_entry) == 8);
#undef SCSI_ASSERT

#endif
