/* SPDX-License-Identifier: BSD-3-Clause */
/* What a DVD drive tells of itself and its disc: identity, features, tracks, mode pages. */
#include <string.h>

#include "host/devices/scsi_commands.h"

static const char vendor[8] = "Msft    ";
static const char product[16] = "Virtual DVD-ROM ";
static const char revision[4] = "1.0 ";

static uint32_t blocks_of(const struct scsi_target *target)
{
    uint64_t count = target->settings.block_count;
    return count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
}

/* ---- INQUIRY ---- */

static uint32_t standard_data(uint8_t *data)
{
    struct scsi_inquiry_data inquiry = {
        .peripheral = SCSI_PERIPHERAL_CD_DVD,
        .removable = SCSI_INQUIRY_REMOVABLE,
        .response_format = 2,
        .additional_length = sizeof(inquiry) - 5,
    };
    memcpy(inquiry.vendor, vendor, sizeof(vendor));
    memcpy(inquiry.product, product, sizeof(product));
    memcpy(inquiry.revision, revision, sizeof(revision));
    memcpy(data, &inquiry, sizeof(inquiry));
    return sizeof(inquiry);
}

/* Returns the size of the page, 0 if there is none with this code. */
static uint32_t vital_page(uint8_t page, uint8_t *data)
{
    static const uint8_t pages[] = {SCSI_VPD_SUPPORTED_PAGES, SCSI_VPD_DEVICE_IDENTIFICATION};
    static const uint8_t designator[] = {0x01, 0x01, 0x00, 0x18, 'M',  's',  'f',  't',  ' ',  ' ',
                                         ' ',  ' ',  0x73, 0x05, 0xe3, 0x43, 0x77, 0x03, 0x54, 0x46,
                                         0x94, 0x95, 0x7d, 0x7c, 0xed, 0x62, 0x4a, 0x7d};
    const bool list = page == SCSI_VPD_SUPPORTED_PAGES;
    const uint16_t size = list ? sizeof(pages) : sizeof(designator);
    if (!list && page != SCSI_VPD_DEVICE_IDENTIFICATION) {
        return 0;
    }
    data[0] = SCSI_PERIPHERAL_CD_DVD;
    data[1] = page;
    be16_put(data + 2, size);
    memcpy(data + 4, list ? pages : designator, size);
    return 4u + size;
}

void dvd_inquiry(struct scsi_target *target, const struct scsi_command *command,
                 struct scsi_action *action)
{
    const uint8_t *cdb = command->cdb;
    const bool vital = (cdb[1] & SCSI_INQUIRY_EVPD) != 0;
    uint32_t size = 0;
    if (vital) {
        size = vital_page(cdb[2], action->data);
    } else if (cdb[2] == 0) {
        size = standard_data(action->data);
    }
    if (size == 0 || (cdb[1] & SCSI_INQUIRY_CMDDT) != 0) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
    } else {
        dvd_answer(command, action, size, be16_get(cdb + 3));
    }
}

/* ---- GET CONFIGURATION ---- */

static const struct feature {
    uint16_t code;
    uint8_t version;
    bool persistent;
    bool needs_disc; /* to be current; others always are */
    bool never_current;
    uint8_t size;
    uint8_t data[8];
} features[] = {
    {MMC_FEATURE_PROFILES, 0, true, false, false, 8, {0}}, /* made by profiles() */
    {MMC_FEATURE_CORE, 2, true, false, false, 8, {0, 0, 0, 1}}, /* SCSI family */
    {MMC_FEATURE_MORPHING, 1, true, false, false, 4, {0}},
    {MMC_FEATURE_REMOVABLE_MEDIUM, 2, true, false, false, 4, {0x39}}, /* tray: load, eject, lock */
    {MMC_FEATURE_RANDOM_READABLE, 0, false, true, false, 8, {0, 0, 8, 0, 0, 16, 1}},
    {MMC_FEATURE_CD_READ, 2, false, false, true, 4, {0}},
    {MMC_FEATURE_DVD_READ, 0, false, true, false, 0, {0}},
    {MMC_FEATURE_POWER_MANAGEMENT, 0, true, false, false, 0, {0}},
    {MMC_FEATURE_TIMEOUT, 0, true, false, false, 0, {0}},
    {MMC_FEATURE_REAL_TIME_STREAMING, 0, false, true, false, 4, {0}},
};

static void profiles(bool has_disc, uint8_t *data)
{
    be16_put(data, MMC_PROFILE_DVD_ROM);
    data[2] = has_disc;
    be16_put(data + 4, MMC_PROFILE_CD_ROM);
}

static uint32_t put_feature(const struct feature *feature, bool is_current, bool has_disc,
                            uint8_t *data)
{
    struct mmc_feature_header header = {
        .flags = (uint8_t)(feature->version << MMC_FEATURE_VERSION_SHIFT |
                           (feature->persistent ? MMC_FEATURE_PERSISTENT : 0) |
                           (is_current ? MMC_FEATURE_CURRENT : 0)),
        .additional_length = feature->size,
    };
    be16_put(header.code, feature->code);
    memcpy(data, &header, sizeof(header));
    memcpy(data + sizeof(header), feature->data, feature->size);
    if (feature->code == MMC_FEATURE_PROFILES) {
        profiles(has_disc, data + sizeof(header));
    }
    return (uint32_t)sizeof(header) + feature->size;
}

void dvd_get_configuration(struct scsi_target *target, const struct scsi_command *command,
                           struct scsi_action *action)
{
    enum { ALL, THE_CURRENT, ONE };
    const unsigned wanted = command->cdb[1] & MMC_CONFIGURATION_TYPE_MASK;
    const uint16_t first = be16_get(command->cdb + 2);
    const bool has_disc = dvd_drive_is_ready(target);
    struct mmc_configuration_header header = {0};
    uint32_t size = sizeof(header);
    if (wanted > ONE) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    for (unsigned i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        const struct feature *feature = &features[i];
        bool is_current = !feature->never_current && (has_disc || !feature->needs_disc);
        bool is_wanted = wanted == ONE ? feature->code == first : feature->code >= first;
        if (is_wanted && (is_current || wanted != THE_CURRENT)) {
            size += put_feature(feature, is_current, has_disc, action->data + size);
        }
    }
    be32_put(header.length, size - (uint32_t)sizeof(header.length));
    be16_put(header.current_profile, has_disc ? MMC_PROFILE_DVD_ROM : 0);
    memcpy(action->data, &header, sizeof(header));
    dvd_answer(command, action, size, be16_get(command->cdb + 7));
}

/* ---- The disc: one session with one track of data ---- */

static void put_address(uint8_t address[4], uint32_t lba, bool as_time)
{
    enum { FRAMES = 75, SECONDS = 60 };
    if (!as_time) {
        be32_put(address, lba);
        return;
    }
    uint64_t frames = (uint64_t)lba + MMC_SECTORS_BEFORE_LBA_0;
    uint64_t minutes = frames / FRAMES / SECONDS;
    address[0] = 0;
    address[1] = minutes < 255 ? (uint8_t)minutes : 255; /* a DVD is longer than the clock goes */
    address[2] = (uint8_t)(frames / FRAMES % SECONDS);
    address[3] = (uint8_t)(frames % FRAMES);
}

static uint32_t put_entry(uint8_t *data, uint8_t track, uint32_t lba, bool as_time)
{
    struct mmc_toc_entry entry = {.control = MMC_TOC_DATA_TRACK, .track = track};
    put_address(entry.address, lba, as_time);
    memcpy(data, &entry, sizeof(entry));
    return sizeof(entry);
}

void dvd_read_toc(struct scsi_target *target, const struct scsi_command *command,
                  struct scsi_action *action)
{
    const uint8_t *cdb = command->cdb;
    const bool as_time = (cdb[1] & MMC_TOC_MSF) != 0;
    /* The format once stood in the last byte of the CDB, and some still put it there. */
    const unsigned format = (cdb[2] & 0x0f) != 0 ? cdb[2] & 0x0fu : cdb[9] >> 6;
    const uint8_t start = cdb[6];
    struct mmc_toc_header header = {.first = 1, .last = 1};
    uint32_t size = sizeof(header);
    if (format > MMC_TOC_FORMAT_SESSION ||
        (format == MMC_TOC_FORMAT_TOC && start > 1 && start != MMC_TOC_LEAD_OUT)) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    if (start <= 1 || format == MMC_TOC_FORMAT_SESSION) {
        size += put_entry(action->data + size, 1, 0, as_time);
    }
    if (format == MMC_TOC_FORMAT_TOC) {
        size += put_entry(action->data + size, MMC_TOC_LEAD_OUT, blocks_of(target), as_time);
    }
    be16_put(header.length, (uint16_t)(size - sizeof(header.length)));
    memcpy(action->data, &header, sizeof(header));
    dvd_answer(command, action, size, be16_get(cdb + 7));
}

void dvd_read_disc_information(struct scsi_target *target, const struct scsi_command *command,
                               struct scsi_action *action)
{
    enum { SIZE = 34, COMPLETE = 0x0e, UNRESTRICTED = 0x20 };
    uint8_t *data = action->data;
    memset(data, 0, SIZE);
    be16_put(data, SIZE - 2);
    data[2] = COMPLETE;
    data[3] = data[4] = data[5] = data[6] = 1; /* tracks and sessions */
    data[7] = UNRESTRICTED;
    memset(data + 16, 0xff, 8); /* nothing can be appended */
    dvd_answer(command, action, SIZE, be16_get(command->cdb + 7));
}

void dvd_read_track_information(struct scsi_target *target, const struct scsi_command *command,
                                struct scsi_action *action)
{
    enum { SIZE = 36, BY_LBA = 0, BY_TRACK = 1, BY_SESSION = 2, DATA_TRACK = 4, MODE_1 = 1 };
    const unsigned by = command->cdb[1] & 0x03;
    const uint32_t number = be32_get(command->cdb + 2);
    uint8_t *data = action->data;
    if (by > BY_SESSION || (by == BY_LBA ? number >= blocks_of(target) : number != 1)) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    memset(data, 0, SIZE);
    be16_put(data, SIZE - 2);
    data[2] = data[3] = 1; /* track, session */
    data[5] = DATA_TRACK;
    data[6] = MODE_1;
    be32_put(data + 24, blocks_of(target));
    dvd_answer(command, action, SIZE, be16_get(command->cdb + 7));
}

/* The layer descriptor; a copyright page that says "none"; an empty manufacturer's page. */
void dvd_read_disc_structure(struct scsi_target *target, const struct scsi_command *command,
                             struct scsi_action *action)
{
    enum { PHYSICAL = 0, COPYRIGHT = 1, MANUFACTURER = 4, HEADER = 4, PAGE = 2048 };
    enum { ROM_120_MM = 0x02, FIRST_SECTOR = 0x30000 };
    const uint8_t format = command->cdb[7];
    const uint32_t size = HEADER + (format == COPYRIGHT ? 4 : PAGE);
    uint8_t *data = action->data;
    if ((format != PHYSICAL && format != COPYRIGHT && format != MANUFACTURER) ||
        command->cdb[6] != 0) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    memset(data, 0, size);
    be16_put(data, (uint16_t)(size - 2));
    if (format == PHYSICAL) {
        data[HEADER] = 0x01; /* DVD-ROM, part version 1 */
        data[HEADER + 1] = ROM_120_MM;
        data[HEADER + 2] = 0x01; /* one layer, embossed */
        be24_put(data + HEADER + 5, FIRST_SECTOR);
        be24_put(data + HEADER + 9, (FIRST_SECTOR + blocks_of(target) - 1) & 0xffffff);
    }
    dvd_answer(command, action, size, be16_get(command->cdb + 8));
}

/* ---- The drive ---- */

void dvd_read_buffer_capacity(struct scsi_target *target, const struct scsi_command *command,
                              struct scsi_action *action)
{
    enum { SIZE = 12 };
    memset(action->data, 0, SIZE); /* a drive that writes nothing buffers nothing */
    be16_put(action->data, SIZE - 2);
    dvd_answer(command, action, SIZE, be16_get(command->cdb + 7));
}

/* Nominal performance: one speed over the whole disc. */
void dvd_get_performance(struct scsi_target *target, const struct scsi_command *command,
                         struct scsi_action *action)
{
    enum { HEADER = 8, DESCRIPTOR = 16, KILOBYTES_A_SECOND = 22160 /* 16 times a DVD's speed */ };
    const uint32_t descriptors = be16_get(command->cdb + 8);
    const uint32_t last = blocks_of(target) > 0 ? blocks_of(target) - 1 : 0;
    uint8_t *data = action->data;
    if (command->cdb[10] != 0) { /* another type of data */
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    memset(data, 0, HEADER + DESCRIPTOR);
    be32_put(data, HEADER - 4 + DESCRIPTOR);
    be32_put(data + HEADER + 4, KILOBYTES_A_SECOND);
    be32_put(data + HEADER + 8, last);
    be32_put(data + HEADER + 12, KILOBYTES_A_SECOND);
    dvd_answer(command, action, HEADER + DESCRIPTOR,
               HEADER + DESCRIPTOR * (descriptors > 0 ? 1 : 0));
}

/* ---- Mode pages: none has anything that can be set ---- */

static const uint8_t mode_pages[] = {MMC_MODE_PAGE_ERROR_RECOVERY, MMC_MODE_PAGE_POWER_CONDITION,
                                     MMC_MODE_PAGE_TIMEOUT};

static bool is_mode_page(uint8_t code)
{
    return memchr(mode_pages, code, sizeof(mode_pages)) != NULL;
}

void dvd_mode_sense(struct scsi_target *target, const struct scsi_command *command,
                    struct scsi_action *action)
{
    const uint8_t page = command->cdb[2] & SCSI_MODE_PAGE_MASK;
    const unsigned control = command->cdb[2] >> SCSI_MODE_CONTROL_SHIFT;
    uint32_t size = sizeof(struct scsi_mode_header_10);
    if ((!is_mode_page(page) && page != SCSI_MODE_PAGE_ALL) ||
        control == SCSI_MODE_CONTROL_SAVED || command->cdb[3] != 0) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
        return;
    }
    memset(action->data, 0, size + sizeof(mode_pages) * MMC_MODE_PAGE_SIZE);
    for (unsigned i = 0; i < sizeof(mode_pages); i++) {
        if (page == mode_pages[i] || page == SCSI_MODE_PAGE_ALL) {
            action->data[size] = mode_pages[i];
            action->data[size + 1] = MMC_MODE_PAGE_SIZE - 2;
            size += MMC_MODE_PAGE_SIZE;
        }
    }
    be16_put(action->data, (uint16_t)(size - 2));
    dvd_answer(command, action, size, be16_get(command->cdb + 7));
}

static bool is_list_of_pages(const struct scsi_command *command)
{
    const uint8_t *list = command->parameters;
    uint32_t at = sizeof(struct scsi_mode_header_10);
    if (command->parameters_size < at || be16_get(list + 6) != 0) {
        return false;
    }
    while (at + MMC_MODE_PAGE_SIZE <= command->parameters_size) {
        if (!is_mode_page(list[at] & SCSI_MODE_PAGE_MASK) ||
            list[at + 1] != MMC_MODE_PAGE_SIZE - 2) {
            return false;
        }
        at += MMC_MODE_PAGE_SIZE;
    }
    return at == command->parameters_size;
}

void dvd_mode_select(struct scsi_target *target, const struct scsi_command *command,
                     struct scsi_action *action)
{
    const uint32_t length = be16_get(command->cdb + 7);
    if ((command->cdb[1] & SCSI_MODE_SELECT_SAVE_PAGES) != 0) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_CDB);
    } else if (length == 0) {
        scsi_answer_good(action, 0);
    } else if (length != command->buffer_size || length != command->parameters_size ||
               command->direction != SCSI_DATA_OUT) {
        scsi_refuse(target, action, SCSI_ASC_PARAMETER_LIST_LENGTH_ERROR);
    } else if (!is_list_of_pages(command)) {
        scsi_refuse(target, action, SCSI_ASC_INVALID_FIELD_IN_PARAMETER_LIST);
    } else {
        scsi_answer_good(action, length);
    }
}
