/* SPDX-License-Identifier: BSD-3-Clause */
/* scsi_commands.c - command blocks and answers of a disk, as bytes. */
#include "xnu/families/scsi/scsi_commands.h"

#include "abi/constants/scsi.h"
#include "protocol/big_endian.h"

enum {
    SERVICE_ACTION_READ_CAPACITY_16 = 0x10,
    WRITE_SAME_16 = 0x93,
    PAGE_CACHING = 8,
    VPD_HEADER = 4,
    VPD_BLOCK_LIMITS = 0xB0,
    VPD_PROVISIONING = 0xB2,
    GET_EVENT_STATUS_NOTIFICATION = 0x4A,
    EVENT_CLASS_MEDIA = 4,
    MEDIA_EJECT_REQUEST = 1,
    MEDIA_NEW = 2,
    MEDIA_REMOVAL = 3,
    MEDIA_PRESENT = 0x02,
    START_STOP_EJECT = 0x02,
};

/* ---- commands ------------------------------------------------------------------------------- */

struct scsi_cdb scsi_cdb_test_unit_ready(void)
{
    return (struct scsi_cdb){ { kSCSICmd_TEST_UNIT_READY }, 6 };
}

struct scsi_cdb scsi_cdb_inquiry(uint8_t length)
{
    return (struct scsi_cdb){ { kSCSICmd_INQUIRY, 0, 0, 0, length }, 6 };
}

struct scsi_cdb scsi_cdb_inquiry_page(uint8_t page, uint8_t length)
{
    return (struct scsi_cdb){ { kSCSICmd_INQUIRY, 1, page, 0, length }, 6 };
}

struct scsi_cdb scsi_cdb_report_luns(uint32_t length)
{
    struct scsi_cdb cdb = { { kSCSICmd_REPORT_LUNS }, 12 };

    be32_put(cdb.bytes + 6, length);
    return cdb;
}

struct scsi_cdb scsi_cdb_mode_sense(uint8_t page, uint8_t length)
{
    return (struct scsi_cdb){ { kSCSICmd_MODE_SENSE_6, 0, page, 0, length }, 6 };
}

struct scsi_cdb scsi_cdb_read_capacity_10(void)
{
    return (struct scsi_cdb){ { kSCSICmd_READ_CAPACITY }, 10 };
}

struct scsi_cdb scsi_cdb_read_capacity_16(uint32_t length)
{
    struct scsi_cdb cdb = { { kSCSICmd_SERVICE_ACTION_IN, SERVICE_ACTION_READ_CAPACITY_16 }, 16 };

    be32_put(cdb.bytes + 10, length);
    return cdb;
}

struct scsi_cdb scsi_cdb_synchronize_cache(void)
{
    return (struct scsi_cdb){ { kSCSICmd_SYNCHRONIZE_CACHE }, 10 };
}

struct scsi_cdb scsi_cdb_unmap(uint16_t list_length)
{
    struct scsi_cdb cdb = { { kSCSICmd_UNMAP }, 10 };

    be16_put(cdb.bytes + 7, list_length);
    return cdb;
}

struct scsi_cdb scsi_cdb_write_same(uint64_t block, uint32_t count, bool unmap)
{
    struct scsi_cdb cdb = { { WRITE_SAME_16, unmap ? 8 : 0 }, 16 };

    be64_put(cdb.bytes + 2, block);
    be32_put(cdb.bytes + 10, count);
    return cdb;
}

struct scsi_cdb scsi_cdb_transfer(bool write, uint64_t block, uint32_t count, bool fua)
{
    struct scsi_cdb cdb = { .bytes = { 0, fua ? 8 : 0 } };

    if (block + count <= UINT32_MAX && count <= UINT16_MAX) {
        cdb.bytes[0] = write ? kSCSICmd_WRITE_10 : kSCSICmd_READ_10;
        be32_put(cdb.bytes + 2, (uint32_t)block);
        be16_put(cdb.bytes + 7, (uint16_t)count);
        cdb.size = 10;
    } else {
        cdb.bytes[0] = write ? kSCSICmd_WRITE_16 : kSCSICmd_READ_16;
        be64_put(cdb.bytes + 2, block);
        be32_put(cdb.bytes + 10, count);
        cdb.size = 16;
    }
    return cdb;
}

struct scsi_cdb scsi_cdb_media_event(void)
{
    return (struct scsi_cdb){ { GET_EVENT_STATUS_NOTIFICATION, 1, 0, 0, 1 << EVENT_CLASS_MEDIA, 0,
                                0, 0, SCSI_MEDIA_EVENT_SIZE }, 10 };
}

struct scsi_cdb scsi_cdb_prevent_removal(bool prevent)
{
    return (struct scsi_cdb){ { kSCSICmd_PREVENT_ALLOW_MEDIUM_REMOVAL, 0, 0, 0, prevent }, 6 };
}

struct scsi_cdb scsi_cdb_eject(void)
{
    return (struct scsi_cdb){ { kSCSICmd_START_STOP_UNIT, 0, 0, 0, START_STOP_EJECT }, 6 };
}

void scsi_unmap_list(uint8_t *list, uint64_t block, uint32_t count)
{
    be16_put(list, SCSI_UNMAP_LIST_SIZE - 2);
    be16_put(list + 2, 16);
    be32_put(list + 4, 0);
    be64_put(list + 8, block);
    be32_put(list + 16, count);
    be32_put(list + 20, 0);
}

/* ---- answers -------------------------------------------------------------------------------- */

/* Copies a space-padded field without the padding and without unprintable bytes. */
static void copy_text(char *to, const uint8_t *from, size_t size)
{
    while (size != 0 && (from[size - 1] == ' ' || from[size - 1] == '\0'))
        size--;
    for (size_t i = 0; i < size; i++)
        to[i] = from[i] >= ' ' && from[i] <= '~' ? (char)from[i] : '?';
    to[size] = '\0';
}

bool scsi_parse_inquiry(const uint8_t *data, size_t size, struct scsi_identity *identity)
{
    *identity = (struct scsi_identity){ 0 };
    if (size < 5)
        return false;
    identity->type = data[0] & 0x1F;
    identity->present = data[0] >> 5 == 0 && identity->type != 0x1F;
    identity->removable = data[1] & 0x80;
    identity->length =
        data[4] > SCSI_INQUIRY_LIMIT - 5 ? SCSI_INQUIRY_LIMIT : (uint8_t)(data[4] + 5);
    if (size < SCSI_INQUIRY_FULL)
        return true;
    identity->command_queueing = data[7] & 2;
    copy_text(identity->vendor, data + 8, 8);
    copy_text(identity->product, data + 16, 16);
    copy_text(identity->revision, data + 32, 4);
    return true;
}

static bool is_block_size(uint32_t size)
{
    return size >= 512 && size <= 65536 && (size & (size - 1)) == 0;
}

bool scsi_parse_capacity_10(const uint8_t *data, size_t size, struct scsi_capacity *capacity)
{
    *capacity = (struct scsi_capacity){ 0 };
    if (size < SCSI_CAPACITY_10_SIZE)
        return false;
    capacity->too_large = be32_get(data) == UINT32_MAX;
    capacity->blocks = (uint64_t)be32_get(data) + 1;
    capacity->block_size = capacity->physical_block_size = be32_get(data + 4);
    return is_block_size(capacity->block_size);
}

bool scsi_parse_capacity_16(const uint8_t *data, size_t size, struct scsi_capacity *capacity)
{
    *capacity = (struct scsi_capacity){ 0 };
    if (size < 12)
        return false;
    uint64_t last = be64_get(data);
    capacity->block_size = capacity->physical_block_size = be32_get(data + 8);
    if (!is_block_size(capacity->block_size) || last >= UINT64_MAX / capacity->block_size - 1)
        return false;
    capacity->blocks = last + 1;
    if (size < 16)
        return true;
    unsigned exponent = data[13] & 0x0F;
    if (exponent <= 16 && (uint64_t)capacity->block_size << exponent <= 1 << 20)
        capacity->physical_block_size = capacity->block_size << exponent;
    capacity->provisioning = data[14] & 0x80;
    return true;
}

bool scsi_parse_media_event(const uint8_t *data, size_t size, struct scsi_media_event *event)
{
    *event = (struct scsi_media_event){ false };
    if (size < SCSI_MEDIA_EVENT_SIZE || be16_get(data) < SCSI_MEDIA_EVENT_SIZE - 2 ||
        (data[2] & 0x87) != EVENT_CLASS_MEDIA)
        return false;
    event->removed = (data[4] & 0x0F) == MEDIA_REMOVAL;
    event->inserted = (data[4] & 0x0F) == MEDIA_NEW;
    event->eject_wanted = (data[4] & 0x0F) == MEDIA_EJECT_REQUEST;
    event->medium_present = data[5] & MEDIA_PRESENT;
    return true;
}

void scsi_parse_mode(const uint8_t *data, size_t size, struct scsi_mode *mode)
{
    *mode = (struct scsi_mode){ 0 };
    if (size < 4)
        return;
    mode->write_protected = data[2] & 0x80;
    mode->fua = data[2] & 0x10;
    size_t total = (size_t)data[0] + 1 < size ? (size_t)data[0] + 1 : size;
    for (size_t at = 4u + data[3]; at + 2 < total; at += 2u + data[at + 1])
        if ((data[at] & 0x3F) == PAGE_CACHING)
            mode->write_cache = data[at + 2] & 4;
}

void scsi_parse_block_limits(const uint8_t *data, size_t size, struct scsi_limits *limits)
{
    *limits = (struct scsi_limits){ 0 };
    if (size < VPD_HEADER || data[1] != VPD_BLOCK_LIMITS)
        return;
    size_t total = VPD_HEADER + (size_t)be16_get(data + 2);
    if (total > size)
        total = size;
    if (total >= 24)
        limits->unmap_blocks = be32_get(data + 20);
    if (total >= 44)
        limits->write_same_blocks = be64_get(data + 36);
}

bool scsi_parse_provisioning(const uint8_t *data, size_t size)
{
    return size >= 6 && data[1] == VPD_PROVISIONING && (data[5] & 0x40);
}

unsigned scsi_parse_luns(const uint8_t *data, size_t size, uint64_t *luns, unsigned limit)
{
    unsigned count = 0;

    if (size < 8)
        return 0;
    size_t total = 8 + (size_t)be32_get(data);
    if (total > size)
        total = size;
    for (size_t at = 8; at + 8 <= total && count < limit; at += 8) {
        unsigned method = data[at] >> 6;
        if (method <= 1)
            luns[count++] = (uint64_t)(data[at] & 0x3F) << 8 | data[at + 1];
    }
    return count;
}

enum scsi_sense_action scsi_sense_action(const uint8_t *sense, size_t size)
{
    uint8_t key, code, qualifier;

    if (size < 3)
        return SCSI_SENSE_RETRY;             /* a check condition without sense: ask again */
    bool descriptor = (sense[0] & 0x7F) >= 0x72;
    key = (descriptor ? sense[1] : sense[2]) & 0x0F;
    code = descriptor ? sense[2] : size > 12 ? sense[12] : 0;
    qualifier = descriptor ? (size > 3 ? sense[3] : 0) : size > 13 ? sense[13] : 0;
    switch (key) {
    case 0x0: case 0x1:                      /* no sense, recovered error */
        return SCSI_SENSE_OK;
    case 0x2:                                /* not ready */
        if (code == 0x3A)
            return SCSI_SENSE_NO_MEDIUM;
        return code == 0x04 && (qualifier == 0x01 || qualifier == 0x04) ? SCSI_SENSE_WAIT
                                                                       : SCSI_SENSE_FAIL;
    case 0x5:                                /* illegal request */
        return SCSI_SENSE_ILLEGAL;
    case 0x6: case 0xB:                      /* unit attention, aborted command */
        return SCSI_SENSE_RETRY;
    case 0x7:                                /* data protect */
        return SCSI_SENSE_PROTECTED;
    default:
        return SCSI_SENSE_FAIL;
    }
}
