/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SCSI multimedia commands: what a DVD drive and its driver say to each other beyond
 * protocol/scsi.h.
 * Everything is big-endian.
 *
 * Sources: T10 MMC-3 to MMC-6, as read through Linux include/uapi/linux/cdrom.h and
 * drivers/scsi/sr.c, and OpenVMM scsidisk.
 */
#ifndef PROTOCOL_MMC_H
#define PROTOCOL_MMC_H

#include <stddef.h>
#include <stdint.h>

#define MMC_BLOCK_SIZE 2048u
#define MMC_SECTORS_BEFORE_LBA_0 150u /* of the minute:second:frame addresses */

/* GET EVENT STATUS NOTIFICATION. */
#define MMC_EVENT_POLLED 0x01u      /* CDB byte 1 */
#define MMC_EVENT_CLASS_MEDIA 4u    /* header byte 2; CDB byte 4 has a bit a class */
#define MMC_EVENT_NONE_AVAILABLE 0x80u /* header byte 2: no class that was asked for */

enum mmc_media_event {
    MMC_MEDIA_NO_CHANGE = 0,
    MMC_MEDIA_EJECT_REQUEST = 1,
    MMC_MEDIA_NEW = 2,
    MMC_MEDIA_REMOVAL = 3,
};
#define MMC_MEDIA_TRAY_OPEN 0x01u
#define MMC_MEDIA_PRESENT 0x02u

struct mmc_media_event_data {
    uint8_t length[2];        /* of what follows: 6 */
    uint8_t event_class;      /* bits 2:0 */
    uint8_t supported_classes; /* a bit a class */
    uint8_t event;            /* enum mmc_media_event, bits 3:0 */
    uint8_t status;           /* MMC_MEDIA_TRAY_OPEN, _PRESENT */
    uint8_t start_slot, end_slot;
} __attribute__((packed));

/* MECHANISM STATUS. */
#define MMC_MECHANISM_DOOR_OPEN 0x10u /* byte 1 */
struct mmc_mechanism_status {
    uint8_t slot_state;
    uint8_t mechanism_state;
    uint8_t current_lba[3];
    uint8_t slots;
    uint8_t slot_tables_length[2];
} __attribute__((packed));

/* GET CONFIGURATION. */
#define MMC_CONFIGURATION_TYPE_MASK 0x03u /* CDB byte 1: 0 all, 1 those that are current, 2 one */
#define MMC_PROFILE_CD_ROM 0x0008u
#define MMC_PROFILE_DVD_ROM 0x0010u

enum mmc_feature {
    MMC_FEATURE_PROFILES = 0x0000,
    MMC_FEATURE_CORE = 0x0001,
    MMC_FEATURE_MORPHING = 0x0002,
    MMC_FEATURE_REMOVABLE_MEDIUM = 0x0003,
    MMC_FEATURE_RANDOM_READABLE = 0x0010,
    MMC_FEATURE_CD_READ = 0x001e,
    MMC_FEATURE_DVD_READ = 0x001f,
    MMC_FEATURE_POWER_MANAGEMENT = 0x0100,
    MMC_FEATURE_TIMEOUT = 0x0105,
    MMC_FEATURE_REAL_TIME_STREAMING = 0x0107,
};

struct mmc_configuration_header {
    uint8_t length[4]; /* of what follows these four bytes */
    uint8_t reserved[2];
    uint8_t current_profile[2]; /* 0: no medium */
} __attribute__((packed));

#define MMC_FEATURE_CURRENT 0x01u    /* flags */
#define MMC_FEATURE_PERSISTENT 0x02u /* flags */
#define MMC_FEATURE_VERSION_SHIFT 2
struct mmc_feature_header {
    uint8_t code[2];
    uint8_t flags;
    uint8_t additional_length; /* a multiple of 4 */
} __attribute__((packed));

/* READ TOC. */
#define MMC_TOC_MSF 0x02u         /* CDB byte 1: addresses as 0, minute, second, frame */
#define MMC_TOC_FORMAT_TOC 0u     /* CDB byte 2, bits 3:0 */
#define MMC_TOC_FORMAT_SESSION 1u
#define MMC_TOC_DATA_TRACK 0x14u
#define MMC_TOC_LEAD_OUT 0xaau

struct mmc_toc_header {
    uint8_t length[2]; /* of what follows these two bytes */
    uint8_t first, last;
} __attribute__((packed));

struct mmc_toc_entry {
    uint8_t reserved;
    uint8_t control;
    uint8_t track;
    uint8_t reserved2;
    uint8_t address[4];
} __attribute__((packed));

/* PREVENT ALLOW MEDIUM REMOVAL, CDB byte 4. */
#define MMC_PREVENT_REMOVAL 0x01u

/* Mode pages of a drive; all have 12 bytes. */
#define MMC_MODE_PAGE_ERROR_RECOVERY 0x01u
#define MMC_MODE_PAGE_POWER_CONDITION 0x1au
#define MMC_MODE_PAGE_TIMEOUT 0x1du
#define MMC_MODE_PAGE_SIZE 12u

#define MMC_ASSERT(condition) _Static_assert(condition, #condition)
MMC_ASSERT(sizeof(struct mmc_media_event_data) == 8);
MMC_ASSERT(offsetof(struct mmc_media_event_data, event) == 4);
MMC_ASSERT(sizeof(struct mmc_mechanism_status) == 8);
MMC_ASSERT(sizeof(struct mmc_configuration_header) == 8);
MMC_ASSERT(sizeof(struct mmc_feature_header) == 4);
MMC_ASSERT(sizeof(struct mmc_toc_header) == 4);
MMC_ASSERT(sizeof(struct mmc_toc_entry) == 8);
#undef MMC_ASSERT

#endif
