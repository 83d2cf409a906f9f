/* SPDX-License-Identifier: BSD-3-Clause */
/* The DVD drive's command set, its tray, and what it tells of discs that come and go. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/devices/scsi_target.h"

enum { BLOCKS = 1000, TRANSFER_MAX = 256 << 10 };
#define IN SCSI_DATA_IN
#define OUT SCSI_DATA_OUT
#define NONE SCSI_DATA_NONE

struct drive {
    struct scsi_target target;
    uint8_t cdb[16];
    struct scsi_command command;
    struct scsi_action action;
};

static struct drive drive_with(uint64_t blocks)
{
    struct drive drive = {0};
    const struct scsi_target_settings settings = {
        .type = SCSI_TARGET_DVD_DRIVE,
        .block_count = blocks,
        .block_size = DVD_BLOCK_SIZE,
        .transfer_bytes_max = TRANSFER_MAX,
        .read_only = true,
    };
    assert_int_equal(scsi_target_initialise(&drive.target, &settings), 0);
    return drive;
}

static void run(struct drive *drive, const uint8_t *cdb, size_t cdb_size,
                enum scsi_data_direction direction, uint32_t buffer, const void *parameters)
{
    memset(drive->cdb, 0, sizeof(drive->cdb));
    memcpy(drive->cdb, cdb, cdb_size);
    memset(&drive->action, 0xee, sizeof(drive->action));
    drive->command = (struct scsi_command){
        .cdb = drive->cdb,
        .direction = direction,
        .buffer_size = buffer,
        .parameters = parameters,
        .parameters_size = scsi_target_parameter_bytes(&drive->target, drive->cdb, buffer),
    };
    scsi_target_begin(&drive->target, &drive->command, &drive->action);
}

#define RUN(drive, direction, buffer, ...) \
    run(drive, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), \
        direction, buffer, NULL)

static void expect_sense(const struct drive *drive, uint8_t key, uint16_t additional)
{
    assert_int_equal(drive->action.kind, SCSI_ACTION_COMPLETE);
    assert_int_equal(drive->action.response.outcome, SCSI_OUTCOME_ERROR);
    assert_int_equal(drive->action.response.scsi_status, SCSI_STATUS_CHECK_CONDITION);
    assert_int_equal(drive->action.response.sense.key, key);
    assert_int_equal(drive->action.response.sense.additional, additional);
    assert_int_equal(drive->action.response.transferred, 0);
}

static void expect_good(const struct drive *drive, uint32_t transferred)
{
    assert_int_equal(drive->action.kind, SCSI_ACTION_COMPLETE);
    assert_int_equal(drive->action.response.outcome, SCSI_OUTCOME_GOOD);
    assert_int_equal(drive->action.response.scsi_status, SCSI_STATUS_GOOD);
    assert_int_equal(drive->action.response.transferred, transferred);
}

static void test_unit_ready(struct drive *drive)
{
    RUN(drive, NONE, 0, SCSI_TEST_UNIT_READY);
}

static void eject(struct drive *drive)
{
    RUN(drive, NONE, 0, SCSI_START_STOP_UNIT, 0, 0, 0, 2);
}

static void load(struct drive *drive)
{
    RUN(drive, NONE, 0, SCSI_START_STOP_UNIT, 0, 0, 0, 3);
    expect_good(drive, 0);
}

static void prevent(struct drive *drive, bool on)
{
    RUN(drive, NONE, 0, SCSI_PREVENT_ALLOW_MEDIUM_REMOVAL, 0, 0, 0, on);
    expect_good(drive, 0);
}

static void expect_event(struct drive *drive, enum mmc_media_event event, uint8_t status)
{
    static const uint8_t head[4] = {0, 6, 4, 0x10};
    RUN(drive, IN, 8, SCSI_GET_EVENT_STATUS_NOTIFICATION, 1, 0, 0, 0x10, 0, 0, 0, 8);
    expect_good(drive, 8);
    assert_memory_equal(drive->action.data, head, 4);
    assert_int_equal(drive->action.data[4], event);
    assert_int_equal(drive->action.data[5], status);
}

/* What every driver does first: reads the events and the unit attention of a new disc. */
static void settle(struct drive *drive)
{
    for (unsigned i = 0; i < 4; i++) {
        RUN(drive, IN, 8, SCSI_GET_EVENT_STATUS_NOTIFICATION, 1, 0, 0, 0x10, 0, 0, 0, 8);
    }
    test_unit_ready(drive);
}

/* ---- The table: what is refused or done, by CDB, with a disc in the drive ---- */

enum expected { REFUSED, UNDERRUN, GOOD, READ };
static const struct row {
    const char *name;
    uint8_t cdb[12];
    enum scsi_data_direction direction;
    uint32_t buffer;
    enum expected expected;
    uint32_t value; /* sense code; GOOD: bytes; READ: first block */
} rows[] = {
    {"test unit ready", {0x00}, NONE, 0, GOOD, 0},
    {"request sense", {0x03, 0, 0, 0, 18}, IN, 18, GOOD, 18},
    {"inquiry", {0x12, 0, 0, 0, 36}, IN, 36, GOOD, 36},
    {"inquiry, 5 bytes", {0x12, 0, 0, 0, 5}, IN, 5, GOOD, 5},
    {"inquiry, all", {0x12, 0, 0, 0, 255}, IN, 255, GOOD, 36},
    {"inquiry, page without evpd", {0x12, 0, 0x83, 0, 36}, IN, 36, REFUSED, 0x2400},
    {"inquiry, cmddt", {0x12, 2, 0, 0, 36}, IN, 36, REFUSED, 0x2400},
    {"inquiry, pages", {0x12, 1, 0, 0, 64}, IN, 64, GOOD, 6},
    {"inquiry, identification", {0x12, 1, 0x83, 0, 64}, IN, 64, GOOD, 32},
    {"inquiry, block limits", {0x12, 1, 0xb0, 0, 64}, IN, 64, REFUSED, 0x2400},
    {"inquiry, buffer too small", {0x12, 0, 0, 0, 36}, IN, 35, UNDERRUN, 0},
    {"inquiry, wrong direction", {0x12, 0, 0, 0, 36}, OUT, 36, UNDERRUN, 0},
    {"read 6", {0x08, 0, 0, 0, 1}, IN, 2048, REFUSED, 0x2000},
    {"write 10", {0x2a, 0, 0, 0, 0, 0, 0, 0, 1}, OUT, 2048, REFUSED, 0x2000},
    {"read 10", {0x28, 0, 0, 0, 0, 5, 0, 0, 3}, IN, 3 * 2048, READ, 5},
    {"read 10, last block", {0x28, 0, 0, 0, 3, 231, 0, 0, 1}, IN, 2048, READ, 999},
    {"read 10, past the end", {0x28, 0, 0, 0, 3, 232, 0, 0, 1}, IN, 2048, REFUSED, 0x2100},
    {"read 10, small buffer", {0x28, 0, 0, 0, 0, 5, 0, 0, 3}, IN, 2048, REFUSED, 0x2100},
    {"read 12", {0xa8, 0, 0, 0, 0, 7, 0, 0, 0, 2}, IN, 4096, READ, 7},
    {"read capacity", {0x25}, IN, 8, GOOD, 8},
    {"read capacity, small buffer", {0x25}, IN, 7, UNDERRUN, 0},
    {"mode sense 6", {0x1a, 0, 0x3f, 0, 64}, IN, 64, REFUSED, 0x2000},
    {"mode sense 10, all", {0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 64}, IN, 64, GOOD, 44},
    {"mode sense 10, page 1", {0x5a, 0, 0x01, 0, 0, 0, 0, 0, 64}, IN, 64, GOOD, 20},
    {"mode sense 10, page 2a", {0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 64}, IN, 64, REFUSED, 0x2400},
    {"mode sense 10, saved", {0x5a, 0, 0xff, 0, 0, 0, 0, 0, 64}, IN, 64, REFUSED, 0x2400},
    {"mode sense 10, subpage", {0x5a, 0, 0x3f, 1, 0, 0, 0, 0, 64}, IN, 64, REFUSED, 0x2400},
    {"toc", {0x43, 0, 0, 0, 0, 0, 0, 0, 64}, IN, 64, GOOD, 20},
    {"toc, lead-out", {0x43, 0, 0, 0, 0, 0, 0xaa, 0, 64}, IN, 64, GOOD, 12},
    {"toc, from track 2", {0x43, 0, 0, 0, 0, 0, 2, 0, 64}, IN, 64, REFUSED, 0x2400},
    {"toc, sessions", {0x43, 0, 1, 0, 0, 0, 0, 0, 64}, IN, 64, GOOD, 12},
    {"toc, sessions as once asked for", {0x43, 0, 0, 0, 0, 0, 0, 0, 64, 0x40}, IN, 64, GOOD, 12},
    {"toc, full", {0x43, 0, 2, 0, 0, 0, 0, 0, 64}, IN, 64, REFUSED, 0x2400},
    {"configuration, all", {0x46, 0, 0, 0, 0, 0, 0, 0, 255}, IN, 255, GOOD, 8 + 10 * 4 + 40},
    {"configuration, current", {0x46, 1, 0, 0, 0, 0, 0, 0, 255}, IN, 255, GOOD, 8 + 9 * 4 + 36},
    {"configuration, one", {0x46, 2, 0, 3, 0, 0, 0, 0, 255}, IN, 255, GOOD, 16},
    {"configuration, one unknown", {0x46, 2, 0, 0x33, 0, 0, 0, 0, 255}, IN, 255, GOOD, 8},
    {"configuration, from 100", {0x46, 0, 1, 0, 0, 0, 0, 0, 255}, IN, 255, GOOD, 8 + 3 * 4 + 4},
    {"configuration, bad type", {0x46, 3, 0, 0, 0, 0, 0, 0, 255}, IN, 255, REFUSED, 0x2400},
    {"configuration, header", {0x46, 0, 0, 0, 0, 0, 0, 0, 8}, IN, 8, GOOD, 8},
    {"events, no class", {0x4a, 1, 0, 0, 0, 0, 0, 0, 8}, IN, 8, GOOD, 4},
    {"events, not polled", {0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8}, IN, 8, REFUSED, 0x2400},
    {"disc information", {0x51, 0, 0, 0, 0, 0, 0, 0, 64}, IN, 64, GOOD, 34},
    {"track by number", {0x52, 1, 0, 0, 0, 1, 0, 0, 64}, IN, 64, GOOD, 36},
    {"track by block", {0x52, 0, 0, 0, 3, 231, 0, 0, 64}, IN, 64, GOOD, 36},
    {"track by block past the end", {0x52, 0, 0, 0, 3, 232, 0, 0, 64}, IN, 64, REFUSED, 0x2400},
    {"track 2", {0x52, 1, 0, 0, 0, 2, 0, 0, 64}, IN, 64, REFUSED, 0x2400},
    {"track by something", {0x52, 3, 0, 0, 0, 1, 0, 0, 64}, IN, 64, REFUSED, 0x2400},
    {"buffer capacity", {0x5c, 0, 0, 0, 0, 0, 0, 0, 12}, IN, 12, GOOD, 12},
    {"performance", {0xac, 0, 0, 0, 0, 0, 0, 0, 0, 1}, IN, 24, GOOD, 24},
    {"performance, no descriptor", {0xac, 0, 0, 0, 0, 0, 0, 0, 0, 0}, IN, 8, GOOD, 8},
    {"performance, of writing", {0xac, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3}, IN, 24, REFUSED, 0x2400},
    {"structure, physical", {0xad, 0, 0, 0, 0, 0, 0, 0, 8, 4}, IN, 2052, GOOD, 2052},
    {"structure, copyright", {0xad, 0, 0, 0, 0, 0, 0, 1, 0, 8}, IN, 8, GOOD, 8},
    {"structure, manufacturer", {0xad, 0, 0, 0, 0, 0, 0, 4, 0, 8}, IN, 8, GOOD, 8},
    {"structure, disc key", {0xad, 0, 0, 0, 0, 0, 0, 2, 0, 8}, IN, 8, REFUSED, 0x2400},
    {"structure, layer 1", {0xad, 0, 0, 0, 0, 0, 1, 0, 0, 8}, IN, 8, REFUSED, 0x2400},
    {"mechanism status", {0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8}, IN, 8, GOOD, 8},
    {"set streaming", {0xb6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 28}, OUT, 28, GOOD, 28},
    {"spin up", {0x1b, 0, 0, 0, 1}, NONE, 0, GOOD, 0},
    {"unknown", {0xa3}, IN, 512, REFUSED, 0x2000},
};

static void every_command_is_answered_as_the_table_says(void **state)
{
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct drive drive = drive_with(BLOCKS);
        settle(&drive);
        print_message("# %s\n", row->name);
        run(&drive, row->cdb, sizeof(row->cdb), row->direction, row->buffer, NULL);
        switch (row->expected) {
        case REFUSED:
            expect_sense(&drive, SCSI_SENSE_ILLEGAL_REQUEST, (uint16_t)row->value);
            break;
        case UNDERRUN:
            assert_int_equal(drive.action.response.outcome, SCSI_OUTCOME_UNDERRUN);
            assert_int_equal(drive.action.response.transferred, 0);
            break;
        case GOOD:
            expect_good(&drive, row->value);
            break;
        case READ:
            assert_int_equal(drive.action.kind, SCSI_ACTION_READ);
            assert_int_equal(drive.action.offset, row->value * 2048ull);
            break;
        }
        test_unit_ready(&drive); /* and the next command works */
        expect_good(&drive, 0);
    }
}

/* ---- Contents ---- */

static void the_drive_says_who_it_is(void **state)
{
    static const uint8_t names[] = "Msft    Virtual DVD-ROM 1.0 ";
    struct drive drive = drive_with(0);
    RUN(&drive, IN, 36, SCSI_INQUIRY, 0, 0, 0, 36);
    expect_good(&drive, 36);
    assert_int_equal(drive.action.data[0], 5);
    assert_int_equal(drive.action.data[1], 0x80);
    assert_int_equal(drive.action.data[4], 0x1f);
    assert_memory_equal(drive.action.data + 8, names, 28);
}

static void capacity_and_tracks_agree(void **state)
{
    static const uint8_t capacity[8] = {0, 0, 3, 231, 0, 0, 8, 0};
    static const uint8_t toc[20] = {0, 18, 1,    1, 0, 0x14, 1, 0, 0, 0,
                                    0, 0,  0, 0x14, 0xaa, 0, 0, 0, 3, 232};
    static const uint8_t toc_times[20] = {0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0,
                                          2, 0,  0, 0x14, 0xaa, 0, 0, 0, 15, 25};
    struct drive drive = drive_with(BLOCKS);
    settle(&drive);
    RUN(&drive, IN, 8, SCSI_READ_CAPACITY_10);
    assert_memory_equal(drive.action.data, capacity, 8);
    RUN(&drive, IN, 20, SCSI_READ_TOC, 0, 0, 0, 0, 0, 0, 0, 20);
    expect_good(&drive, 20);
    assert_memory_equal(drive.action.data, toc, 20);
    RUN(&drive, IN, 20, SCSI_READ_TOC, 2, 0, 0, 0, 0, 0, 0, 20);
    assert_memory_equal(drive.action.data, toc_times, 20);
    RUN(&drive, IN, 36, SCSI_READ_TRACK_INFORMATION, 1, 0, 0, 0, 1, 0, 0, 36);
    assert_int_equal(be32_get(drive.action.data + 24), BLOCKS);
}

static void the_configuration_follows_the_disc(void **state)
{
    struct drive drive = drive_with(0);
    RUN(&drive, IN, 8, SCSI_GET_CONFIGURATION, 0, 0, 0, 0, 0, 0, 0, 8);
    assert_int_equal(be32_get(drive.action.data), 84); /* of the whole answer but 4 bytes */
    assert_int_equal(be16_get(drive.action.data + 6), 0);
    dvd_drive_insert(&drive.target, BLOCKS);
    RUN(&drive, IN, 16, SCSI_GET_CONFIGURATION, 0, 0, 0, 0, 0, 0, 0, 16);
    assert_int_equal(be16_get(drive.action.data + 6), MMC_PROFILE_DVD_ROM);
    assert_int_equal(be16_get(drive.action.data + 12), MMC_PROFILE_DVD_ROM);
    assert_int_equal(drive.action.data[14], 1);
}

static void mode_pages_can_be_given_back_but_not_invented(void **state)
{
    struct drive drive = drive_with(0);
    uint8_t list[20];
    RUN(&drive, IN, 20, SCSI_MODE_SENSE_10, 0, 1, 0, 0, 0, 0, 0, 20);
    expect_good(&drive, 20);
    memcpy(list, drive.action.data, 20);
    static const uint8_t select[] = {SCSI_MODE_SELECT_10, 0x10, 0, 0, 0, 0, 0, 0, 20};
    run(&drive, select, sizeof(select), OUT, 20, list);
    expect_good(&drive, 20);
    run(&drive, select, sizeof(select), OUT, 19, list);
    expect_sense(&drive, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_PARAMETER_LIST_LENGTH_ERROR);
    list[8] = 0x2a;
    run(&drive, select, sizeof(select), OUT, 20, list);
    expect_sense(&drive, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_INVALID_FIELD_IN_PARAMETER_LIST);
    list[8] = 1;
    list[9] = 0;
    run(&drive, select, sizeof(select), OUT, 20, list);
    expect_sense(&drive, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_INVALID_FIELD_IN_PARAMETER_LIST);
}

/* ---- Discs and the tray ---- */

static void an_empty_drive_says_so_and_a_disc_is_announced(void **state)
{
    struct drive drive = drive_with(0);
    test_unit_ready(&drive);
    expect_sense(&drive, SCSI_SENSE_NOT_READY, SCSI_ASC_MEDIUM_NOT_PRESENT_TRAY_CLOSED);
    RUN(&drive, IN, 2048, SCSI_READ_10, 0, 0, 0, 0, 0, 0, 0, 1);
    expect_sense(&drive, SCSI_SENSE_NOT_READY, SCSI_ASC_MEDIUM_NOT_PRESENT_TRAY_CLOSED);
    expect_event(&drive, MMC_MEDIA_NO_CHANGE, 0);

    dvd_drive_insert(&drive.target, BLOCKS);
    expect_event(&drive, MMC_MEDIA_NEW, MMC_MEDIA_PRESENT);
    expect_event(&drive, MMC_MEDIA_NO_CHANGE, MMC_MEDIA_PRESENT);
    test_unit_ready(&drive);
    expect_sense(&drive, SCSI_SENSE_UNIT_ATTENTION, SCSI_ASC_MEDIUM_MAY_HAVE_CHANGED);
    test_unit_ready(&drive);
    expect_good(&drive, 0);
    RUN(&drive, IN, 2048, SCSI_READ_10, 0, 0, 0, 0, 0, 0, 0, 1);
    assert_int_equal(drive.action.kind, SCSI_ACTION_READ);
}

static void a_disc_from_the_start_is_told_as_a_change(void **state)
{
    struct drive drive = drive_with(BLOCKS);
    test_unit_ready(&drive);
    expect_good(&drive, 0);
    expect_event(&drive, MMC_MEDIA_REMOVAL, MMC_MEDIA_PRESENT);
    expect_event(&drive, MMC_MEDIA_NEW, MMC_MEDIA_PRESENT);
    expect_event(&drive, MMC_MEDIA_NO_CHANGE, MMC_MEDIA_PRESENT);
}

static void the_guest_opens_and_closes_the_tray(void **state)
{
    struct drive drive = drive_with(BLOCKS);
    settle(&drive);
    eject(&drive);
    expect_good(&drive, 0);
    test_unit_ready(&drive);
    expect_sense(&drive, SCSI_SENSE_NOT_READY, SCSI_ASC_MEDIUM_NOT_PRESENT_TRAY_OPEN);
    RUN(&drive, IN, 8, SCSI_MECHANISM_STATUS, 0, 0, 0, 0, 0, 0, 0, 0, 8);
    assert_int_equal(drive.action.data[1], MMC_MECHANISM_DOOR_OPEN);
    expect_event(&drive, MMC_MEDIA_REMOVAL, MMC_MEDIA_TRAY_OPEN);
    load(&drive);
    expect_event(&drive, MMC_MEDIA_NEW, MMC_MEDIA_PRESENT);
    test_unit_ready(&drive);
    expect_sense(&drive, SCSI_SENSE_UNIT_ATTENTION, SCSI_ASC_MEDIUM_MAY_HAVE_CHANGED);
    load(&drive); /* of a closed tray changes nothing */
    expect_event(&drive, MMC_MEDIA_NO_CHANGE, MMC_MEDIA_PRESENT);
}

static void a_locked_tray_does_not_open(void **state)
{
    struct drive drive = drive_with(BLOCKS);
    settle(&drive);
    prevent(&drive, true);
    eject(&drive);
    expect_sense(&drive, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_MEDIUM_REMOVAL_PREVENTED);
    assert_true(dvd_drive_is_ready(&drive.target));
    dvd_drive_remove(&drive.target);
    eject(&drive);
    expect_sense(&drive, SCSI_SENSE_NOT_READY, SCSI_ASC_MEDIUM_NOT_PRESENT_TRAY_CLOSED);
    prevent(&drive, false);
    eject(&drive);
    expect_good(&drive, 0);
    assert_true(drive.target.drive.tray_open);
}

static void the_hosts_wish_to_eject_is_an_event(void **state)
{
    struct drive drive = drive_with(BLOCKS);
    settle(&drive);
    dvd_drive_ask_to_eject(&drive.target);
    expect_event(&drive, MMC_MEDIA_EJECT_REQUEST, MMC_MEDIA_PRESENT);
    assert_true(drive.target.drive.eject_wanted);
    dvd_drive_remove(&drive.target);
    assert_false(drive.target.drive.eject_wanted);
    expect_event(&drive, MMC_MEDIA_REMOVAL, 0);
}

static void a_disc_that_is_exchanged_is_told_in_order(void **state)
{
    struct drive drive = drive_with(BLOCKS);
    settle(&drive);
    dvd_drive_insert(&drive.target, 7);
    expect_event(&drive, MMC_MEDIA_REMOVAL, MMC_MEDIA_PRESENT);
    expect_event(&drive, MMC_MEDIA_NEW, MMC_MEDIA_PRESENT);
    test_unit_ready(&drive);
    expect_sense(&drive, SCSI_SENSE_UNIT_ATTENTION, SCSI_ASC_MEDIUM_MAY_HAVE_CHANGED);
    RUN(&drive, IN, 8, SCSI_READ_CAPACITY_10);
    assert_int_equal(be32_get(drive.action.data), 6);
}

static void commands_that_overtake_leave_the_attention_to_others(void **state)
{
    struct drive drive = drive_with(0);
    dvd_drive_insert(&drive.target, BLOCKS);
    RUN(&drive, IN, 36, SCSI_INQUIRY, 0, 0, 0, 36);
    expect_good(&drive, 36);
    RUN(&drive, IN, 8, SCSI_GET_CONFIGURATION, 0, 0, 0, 0, 0, 0, 0, 8);
    expect_good(&drive, 8);
    RUN(&drive, IN, 18, SCSI_REQUEST_SENSE, 0, 0, 0, 18);
    expect_good(&drive, 18);
    RUN(&drive, IN, 8, SCSI_READ_CAPACITY_10);
    expect_sense(&drive, SCSI_SENSE_UNIT_ATTENTION, SCSI_ASC_MEDIUM_MAY_HAVE_CHANGED);
}

static void an_event_without_room_waits_for_the_next_reader(void **state)
{
    struct drive drive = drive_with(0);
    dvd_drive_insert(&drive.target, BLOCKS);
    RUN(&drive, IN, 4, SCSI_GET_EVENT_STATUS_NOTIFICATION, 1, 0, 0, 0x10, 0, 0, 0, 4);
    expect_good(&drive, 4);
    RUN(&drive, IN, 4, SCSI_GET_EVENT_STATUS_NOTIFICATION, 1, 0, 0, 0x10, 0, 0, 0, 8);
    assert_int_equal(drive.action.response.outcome, SCSI_OUTCOME_UNDERRUN);
    expect_event(&drive, MMC_MEDIA_NEW, MMC_MEDIA_PRESENT);
}

static void settings_are_checked(void **state)
{
    struct scsi_target target;
    struct scsi_target_settings settings = {
        .type = SCSI_TARGET_DVD_DRIVE, .block_size = 512, .transfer_bytes_max = TRANSFER_MAX};
    assert_int_equal(scsi_target_initialise(&target, &settings), -EINVAL);
    settings.block_size = DVD_BLOCK_SIZE;
    settings.transfer_bytes_max = 1024;
    assert_int_equal(scsi_target_initialise(&target, &settings), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_is_answered_as_the_table_says),
        cmocka_unit_test(the_drive_says_who_it_is),
        cmocka_unit_test(capacity_and_tracks_agree),
        cmocka_unit_test(the_configuration_follows_the_disc),
        cmocka_unit_test(mode_pages_can_be_given_back_but_not_invented),
        cmocka_unit_test(an_empty_drive_says_so_and_a_disc_is_announced),
        cmocka_unit_test(a_disc_from_the_start_is_told_as_a_change),
        cmocka_unit_test(the_guest_opens_and_closes_the_tray),
        cmocka_unit_test(a_locked_tray_does_not_open),
        cmocka_unit_test(the_hosts_wish_to_eject_is_an_event),
        cmocka_unit_test(a_disc_that_is_exchanged_is_told_in_order),
        cmocka_unit_test(commands_that_overtake_leave_the_attention_to_others),
        cmocka_unit_test(an_event_without_room_waits_for_the_next_reader),
        cmocka_unit_test(settings_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
