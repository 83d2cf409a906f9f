/* SPDX-License-Identifier: BSD-3-Clause */
/* INQUIRY: who the disk is, and its vital product data pages. */
#include <string.h>

#include "host/devices/scsi_commands.h"

enum {
    STANDARD_SIZE = 104, /* of Hyper-V's standard data: zeros after the 36 named bytes */
    STANDARD_SIZE_MIN = 5,
    PAGE_HEADER_SIZE = 4,
    DESIGNATOR_VENDOR = 0x01,
    DESIGNATOR_NAA = 0x03,
    CODE_SET_BINARY = 0x01,
};
static const char vendor[8] = "Msft    ";
static const char product[16] = "Virtual Disk    ";
static const char revision[4] = "1.0 ";

static void standard_data(uint8_t *data, uint8_t peripheral, uint8_t spc_version, bool with_names)
{
    struct scsi_inquiry_data inquiry = {
        .peripheral = peripheral,
        .version = spc_version,
        .response_format = 2,
        .additional_length = STANDARD_SIZE - 5,
        .flags = {0, 0, SCSI_INQUIRY_COMMAND_QUEUE},
    };
    if (with_names) {
        memcpy(inquiry.vendor, vendor, sizeof(vendor));
        memcpy(inquiry.product, product, sizeof(product));
        memcpy(inquiry.revision, revision, sizeof(revision));
    }
    memset(data, 0, STANDARD_SIZE);
    memcpy(data, &inquiry, sizeof(inquiry));
}

/* ---- Vital product data: each builder fills the body and returns its length ---- */

typedef uint32_t page_builder(const struct scsi_target_settings *settings, uint8_t *body);

static uint32_t serial_number(const struct scsi_target_settings *settings, uint8_t *body)
{
    uint32_t length = (uint32_t)strlen(settings->serial);
    memcpy(body, settings->serial, length);
    return length;
}

/* The Microsoft vendor-specific designator with the disk's GUID, then an NAA 6 name made of it. */
static uint32_t device_identification(const struct scsi_target_settings *settings, uint8_t *body)
{
    static const uint8_t naa_prefix[4] = {0x60, 0x02, 0x24, 0x80};
    const uint8_t *guid = settings->identity;
    uint8_t *at = body;
    memcpy(at, (const uint8_t[]){CODE_SET_BINARY, DESIGNATOR_VENDOR, 0, 24}, 4);
    memcpy(at + 4, vendor, sizeof(vendor));
    memcpy(at + 12, guid, 16);
    at += 28;
    memcpy(at, (const uint8_t[]){CODE_SET_BINARY, DESIGNATOR_NAA, 0, 16}, 4);
    memcpy(at + 4, naa_prefix, sizeof(naa_prefix));
    memcpy(at + 8, guid, 6);
    memcpy(at + 14, guid + 10, 6);
    return 28 + 20;
}

static uint32_t block_limits(const struct scsi_target_settings *settings, uint8_t *body)
{
    uint32_t granularity = settings->physical_block_size / settings->block_size;
    uint32_t same_bytes = settings->transfer_bytes_max < SCSI_TARGET_WRITE_SAME_BYTES_MAX
                              ? settings->transfer_bytes_max
                              : SCSI_TARGET_WRITE_SAME_BYTES_MAX;
    /* Offsets of the standard count the 4-byte header. */
    be32_put(body + 20 - PAGE_HEADER_SIZE, UINT32_MAX);
    be32_put(body + 24 - PAGE_HEADER_SIZE, SCSI_TARGET_UNMAP_DESCRIPTORS_MAX);
    be32_put(body + 28 - PAGE_HEADER_SIZE, granularity);
    be32_put(body + 32 - PAGE_HEADER_SIZE, 0x80000000u); /* alignment 0 is valid */
    be64_put(body + 36 - PAGE_HEADER_SIZE, same_bytes / settings->block_size);
    return 0x3c;
}

static uint32_t characteristics(const struct scsi_target_settings *settings, uint8_t *body)
{
    be16_put(body, 1); /* does not rotate */
    return 0x3c;
}

static uint32_t provisioning(const struct scsi_target_settings *settings, uint8_t *body)
{
    body[0] = 1;    /* threshold exponent */
    body[1] = 0x80; /* UNMAP works */
    body[2] = 2;    /* thin */
    return 4;
}

static uint32_t paging_extent(const struct scsi_target_settings *settings, uint8_t *body)
{
    memcpy(body, (const uint8_t[]){1, 1, 0, 0}, 4);
    return 4;
}

static uint32_t virtual_disk(const struct scsi_target_settings *settings, uint8_t *body)
{
    /* {1, GUID 89a98f15-c928-4d8b-94cd-ef51faa99d33} */
    static const uint8_t contents[20] = {0x01, 0x00, 0x00, 0x00, 0x15, 0x8f, 0xa9, 0x89, 0x28, 0xc9,
                                         0x8b, 0x4d, 0x94, 0xcd, 0xef, 0x51, 0xfa, 0xa9, 0x9d,
                                         0x33};
    memcpy(body, contents, sizeof(contents));
    return sizeof(contents);
}

/* In ascending order of page code. */
static const struct {
    uint8_t page;
    page_builder *build;
} pages[] = {
    {SCSI_VPD_UNIT_SERIAL_NUMBER, serial_number},
    {SCSI_VPD_DEVICE_IDENTIFICATION, device_identification},
    {SCSI_VPD_BLOCK_LIMITS, block_limits},
    {SCSI_VPD_BLOCK_DEVICE_CHARACTERISTICS, characteristics},
    {SCSI_VPD_LOGICAL_BLOCK_PROVISIONING, provisioning},
    {SCSI_VPD_MICROSOFT_PAGING_EXTENT, paging_extent},
    {SCSI_VPD_MICROSOFT_VIRTUAL_DISK, virtual_disk},
};
enum { PAGE_COUNT = sizeof(pages) / sizeof(pages[0]) };

static bool has_page(const struct scsi_target_settings *settings, uint8_t page)
{
    switch (page) {
    case SCSI_VPD_UNIT_SERIAL_NUMBER:
        return settings->serial[0] != '\0';
    case SCSI_VPD_BLOCK_LIMITS:
    case SCSI_VPD_BLOCK_DEVICE_CHARACTERISTICS:
    case SCSI_VPD_LOGICAL_BLOCK_PROVISIONING:
        return settings->unmap;
    default:
        return true;
    }
}

/* Returns the length of the whole page, 0 if there is none with this code. */
static uint32_t build_page(const struct scsi_target_settings *settings, uint8_t page,
                           uint8_t *data)
{
    uint8_t *body = data + PAGE_HEADER_SIZE;
    uint32_t length = 0;
    memset(data, 0, SCSI_TARGET_DATA_MAX);
    if (page == SCSI_VPD_SUPPORTED_PAGES) {
        body[length++] = SCSI_VPD_SUPPORTED_PAGES;
    }
    for (unsigned i = 0; i < PAGE_COUNT; i++) {
        if (!has_page(settings, pages[i].page)) {
            continue;
        }
        if (page == SCSI_VPD_SUPPORTED_PAGES) {
            body[length++] = pages[i].page;
        } else if (page == pages[i].page) {
            length = pages[i].build(settings, body);
        }
    }
    if (length == 0) {
        return 0;
    }
    data[0] = SCSI_PERIPHERAL_DISK;
    data[1] = page;
    be16_put(data + 2, (uint16_t)length);
    return PAGE_HEADER_SIZE + length;
}

/* What is checked before anything else, for present and absent devices alike. */
static bool is_well_formed(const struct scsi_command *command)
{
    const uint8_t *cdb = command->cdb;
    bool vital = (cdb[1] & SCSI_INQUIRY_EVPD) != 0;
    uint32_t allocation = be16_get(cdb + 3);
    return allocation <= command->buffer_size && command->direction == SCSI_DATA_IN &&
           (cdb[1] & SCSI_INQUIRY_CMDDT) == 0 && (vital || cdb[2] == 0) &&
           allocation >= (vital ? PAGE_HEADER_SIZE : STANDARD_SIZE_MIN);
}

void scsi_inquiry(struct scsi_target *target, const struct scsi_command *command,
                  struct scsi_action *action)
{
    const uint8_t *cdb = command->cdb;
    uint32_t size = 0;
    if (is_well_formed(command)) {
        if ((cdb[1] & SCSI_INQUIRY_EVPD) != 0) {
            size = build_page(&target->settings, cdb[2], action->data);
        } else {
            standard_data(action->data, SCSI_PERIPHERAL_DISK, target->settings.spc_version, true);
            size = STANDARD_SIZE;
        }
    }
    if (size == 0) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
    } else {
        scsi_answer_data(action, size, be16_get(cdb + 3));
    }
}

bool scsi_absent_inquiry(const struct scsi_command *command, uint8_t lun, uint8_t spc_version,
                         struct scsi_action *action)
{
    if (command->cdb[0] != SCSI_INQUIRY) {
        return false;
    }
    if (!is_well_formed(command) || (command->cdb[1] & SCSI_INQUIRY_EVPD) != 0) {
        struct scsi_target nobody = {0};
        scsi_refuse(&nobody, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return true;
    }
    standard_data(action->data, SCSI_PERIPHERAL_ABSENT, spc_version, lun == 0);
    scsi_answer_data(action, STANDARD_SIZE, be16_get(command->cdb + 3));
    return true;
}
