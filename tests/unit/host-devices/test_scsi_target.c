/* SPDX-License-Identifier: BSD-3-Clause */
/* The SCSI disk's command set: a table of commands and what each must answer. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/devices/scsi_target.h"

enum { BLOCKS = 1000, TRANSFER_MAX = 256 << 10 };

struct bench {
    struct scsi_target target;
    uint8_t cdb[16];
    struct scsi_command command;
    struct scsi_action action;
};

static struct scsi_target_settings usual_settings(void)
{
    return (struct scsi_target_settings){
        .block_count = BLOCKS,
        .block_size = 512,
        .physical_block_size = 4096,
        .transfer_bytes_max = TRANSFER_MAX,
        .unmap = true,
        .write_cache = true,
        .spc_version = SCSI_VERSION_SPC3,
        .identity = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
        .serial = "SERIAL",
    };
}

static void initialise(struct bench *bench, const struct scsi_target_settings *settings)
{
    *bench = (struct bench){0};
    assert_int_equal(scsi_target_initialise(&bench->target, settings), 0);
}

static void run(struct bench *bench, const uint8_t *cdb, size_t cdb_size,
                enum scsi_data_direction direction, uint32_t buffer, const void *parameters)
{
    memset(bench->cdb, 0, sizeof(bench->cdb));
    memcpy(bench->cdb, cdb, cdb_size);
    memset(&bench->action, 0xee, sizeof(bench->action));
    bench->command = (struct scsi_command){
        .cdb = bench->cdb,
        .direction = direction,
        .buffer_size = buffer,
        .parameters = parameters,
        .parameters_size = scsi_target_parameter_bytes(&bench->target, bench->cdb, buffer),
    };
    scsi_target_begin(&bench->target, &bench->command, &bench->action);
}

#define RUN(bench, direction, buffer, ...) \
    run(bench, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), \
        direction, buffer, NULL)

static void expect_sense(struct bench *bench, enum scsi_outcome outcome, uint8_t key,
                         uint16_t additional)
{
    assert_int_equal(bench->action.kind, SCSI_ACTION_COMPLETE);
    assert_int_equal(bench->action.response.outcome, outcome);
    assert_int_equal(bench->action.response.scsi_status, SCSI_STATUS_CHECK_CONDITION);
    assert_int_equal(bench->action.response.sense.key, key);
    assert_int_equal(bench->action.response.sense.additional, additional);
    assert_int_equal(bench->action.response.transferred, 0);
}

static void expect_good(struct bench *bench, uint32_t transferred)
{
    assert_int_equal(bench->action.kind, SCSI_ACTION_COMPLETE);
    assert_int_equal(bench->action.response.outcome, SCSI_OUTCOME_GOOD);
    assert_int_equal(bench->action.response.scsi_status, SCSI_STATUS_GOOD);
    assert_int_equal(bench->action.response.transferred, transferred);
}

/* ---- The table: what is refused or done, by CDB ---- */

enum expected { REFUSED, OVERRUN, GOOD, READ, WRITE, FLUSH };
#define IN SCSI_DATA_IN
#define OUT SCSI_DATA_OUT
#define NONE SCSI_DATA_NONE

static const struct row {
    const char *name;
    uint8_t cdb[16];
    enum scsi_data_direction direction;
    uint32_t buffer;
    enum expected expected;
    uint32_t value; /* sense code; GOOD: bytes; READ, WRITE: first block */
} rows[] = {
    {"test unit ready", {0x00}, NONE, 0, GOOD, 0},
    {"format", {0x04}, NONE, 0, GOOD, 0},
    {"reserve", {0x16}, NONE, 0, GOOD, 0},
    {"release", {0x17}, NONE, 0, GOOD, 0},
    {"prevent removal", {0x1e, 0, 0, 0, 1}, NONE, 0, GOOD, 0},
    {"unknown", {0xa3}, IN, 512, REFUSED, 0x2000},
    {"vendor specific", {0xc1}, NONE, 0, REFUSED, 0x2000},
    {"set window", {0x24}, NONE, 0, REFUSED, 0x2000},

    {"read 6", {0x08, 0, 0, 100, 2}, IN, 1024, READ, 100},
    {"read 6, 0 blocks", {0x08, 0, 0, 0, 0}, IN, 131072, REFUSED, 0x2100},
    {"read 6, 21-bit address", {0x08, 0xff, 0xff, 0xff, 1}, IN, 512, REFUSED, 0x2100},
    {"read 10", {0x28, 0, 0, 0, 0, 5, 0, 0, 3, 0}, IN, 1536, READ, 5},
    {"read 10, larger buffer", {0x28, 0, 0, 0, 0, 5, 0, 0, 3, 0}, IN, 65536, READ, 5},
    {"read 10, last block", {0x28, 0, 0, 0, 3, 231, 0, 0, 1, 0}, IN, 512, READ, 999},
    {"read 10, one past the end", {0x28, 0, 0, 0, 3, 232, 0, 0, 1, 0}, IN, 512, REFUSED, 0x2100},
    {"read 10, over the end", {0x28, 0, 0, 0, 3, 231, 0, 0, 2, 0}, IN, 1024, REFUSED, 0x2100},
    {"read 10, small buffer", {0x28, 0, 0, 0, 0, 5, 0, 0, 3, 0}, IN, 1535, REFUSED, 0x2100},
    {"read 10, no buffer", {0x28, 0, 0, 0, 0, 5, 0, 0, 3, 0}, NONE, 0, REFUSED, 0x2100},
    {"read 10, wrong direction", {0x28, 0, 0, 0, 0, 5, 0, 0, 1, 0}, OUT, 512, REFUSED, 0x2400},
    {"read 10, relative", {0x28, 1, 0, 0, 0, 5, 0, 0, 1, 0}, IN, 512, REFUSED, 0x2400},
    {"read 10, protection", {0x28, 0x20, 0, 0, 0, 5, 0, 0, 1, 0}, IN, 512, REFUSED, 0x2400},
    {"read 10, dpo and fua", {0x28, 0x18, 0, 0, 0, 5, 0, 0, 1, 0}, IN, 512, READ, 5},
    {"read 12", {0xa8, 0, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0}, IN, 1024, READ, 7},
    {"read 12, huge count", {0xa8, 0, 0, 0, 0, 7, 0xff, 0xff, 0xff, 0xff}, IN, 1024, REFUSED,
     0x2100},
    {"read 16", {0x88, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1}, IN, 512, READ, 9},
    {"read 16, huge address",
     {0x88, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1}, IN, 512, REFUSED,
     0x2100},
    {"read 16, bit 0 is no flag", {0x88, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1}, IN, 512, READ, 9},
    {"write 6", {0x0a, 0, 0, 3, 1}, OUT, 512, WRITE, 3},
    {"write 10", {0x2a, 0, 0, 0, 0, 5, 0, 0, 1, 0}, OUT, 512, WRITE, 5},
    {"write 10, wrong direction", {0x2a, 0, 0, 0, 0, 5, 0, 0, 1, 0}, IN, 512, REFUSED, 0x2400},
    {"write 12", {0xaa, 0, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0}, OUT, 512, WRITE, 7},
    {"write 16", {0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1}, OUT, 512, WRITE, 9},
    {"write and verify 10", {0x2e, 0, 0, 0, 0, 5, 0, 0, 1, 0}, OUT, 512, WRITE, 5},
    {"write and verify, byte check", {0x2e, 2, 0, 0, 0, 5, 0, 0, 1, 0}, OUT, 512, REFUSED, 0x2400},
    {"verify 10", {0x2f, 0, 0, 0, 0, 0, 0, 3, 232, 0}, NONE, 0, GOOD, 0},
    {"verify 10, past the end", {0x2f, 0, 0, 0, 0, 1, 0, 3, 232, 0}, NONE, 0, REFUSED, 0x2100},
    {"verify 10, byte check", {0x2f, 2, 0, 0, 0, 0, 0, 0, 1, 0}, OUT, 512, REFUSED, 0x2400},
    {"verify 16", {0x8f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, NONE, 0, GOOD, 0},

    {"synchronize cache 10", {0x35}, NONE, 0, FLUSH, 0},
    {"synchronize cache 16", {0x91}, NONE, 0, FLUSH, 0},
    {"start", {0x1b, 0, 0, 0, 1}, NONE, 0, GOOD, 0},
    {"stop", {0x1b, 0, 0, 0, 0}, NONE, 0, FLUSH, 0},
    {"stop, immediate", {0x1b, 1, 0, 0, 0}, NONE, 0, REFUSED, 0x2400},
    {"eject", {0x1b, 0, 0, 0, 2}, NONE, 0, REFUSED, 0x2400},
    {"power condition", {0x1b, 0, 0, 0, 0x30}, NONE, 0, REFUSED, 0x2400},
    {"send diagnostic", {0x1d}, NONE, 0, GOOD, 0},
    {"self test", {0x1d, 4}, NONE, 0, REFUSED, 0x2400},

    {"read capacity 10", {0x25}, IN, 8, GOOD, 8},
    {"read capacity 10, larger buffer", {0x25}, IN, 32, GOOD, 8},
    {"read capacity 10, small buffer", {0x25}, IN, 7, OVERRUN, 0x2400},
    {"read capacity 16", {0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32}, IN, 32, GOOD, 32},
    {"read capacity 16, allocation", {0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12}, IN, 32,
     GOOD, 12},
    {"read capacity 16, small buffer", {0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32}, IN, 11,
     OVERRUN, 0x2400},
    {"get lba status", {0x9e, 0x12}, IN, 32, REFUSED, 0x2000},
    {"other service action", {0x9e, 0x11}, IN, 32, REFUSED, 0x2400},
    {"request sense", {0x03, 0, 0, 0, 18}, IN, 18, GOOD, 18},
    {"request sense, 8 bytes", {0x03, 0, 0, 0, 8}, IN, 18, GOOD, 8},
    {"request sense, 7 bytes", {0x03, 0, 0, 0, 7}, IN, 18, REFUSED, 0x2400},
    {"request sense, over the buffer", {0x03, 0, 0, 0, 18}, IN, 17, REFUSED, 0x2400},

    {"inquiry", {0x12, 0, 0, 0, 36}, IN, 36, GOOD, 36},
    {"inquiry, all", {0x12, 0, 0, 0, 255}, IN, 255, GOOD, 104},
    {"inquiry, over the buffer", {0x12, 0, 0, 0, 36}, IN, 35, REFUSED, 0x2400},
    {"inquiry, 4 bytes", {0x12, 0, 0, 0, 4}, IN, 36, REFUSED, 0x2400},
    {"inquiry, command data", {0x12, 2, 0, 0, 36}, IN, 36, REFUSED, 0x2400},
    {"inquiry, page without evpd", {0x12, 0, 0x80, 0, 36}, IN, 36, REFUSED, 0x2400},
    {"inquiry, wrong direction", {0x12, 0, 0, 0, 36}, OUT, 36, REFUSED, 0x2400},
    {"vpd 00", {0x12, 1, 0x00, 0, 255}, IN, 255, GOOD, 12},
    {"vpd 80", {0x12, 1, 0x80, 0, 255}, IN, 255, GOOD, 10},
    {"vpd 83", {0x12, 1, 0x83, 0, 255}, IN, 255, GOOD, 52},
    {"vpd 83, header only", {0x12, 1, 0x83, 0, 4}, IN, 255, GOOD, 4},
    {"vpd 83, 3 bytes", {0x12, 1, 0x83, 0, 3}, IN, 255, REFUSED, 0x2400},
    {"vpd b0", {0x12, 1, 0xb0, 0, 255}, IN, 255, GOOD, 64},
    {"vpd b1", {0x12, 1, 0xb1, 0, 255}, IN, 255, GOOD, 64},
    {"vpd b2", {0x12, 1, 0xb2, 0, 255}, IN, 255, GOOD, 8},
    {"vpd ce", {0x12, 1, 0xce, 0, 255}, IN, 255, GOOD, 8},
    {"vpd cf", {0x12, 1, 0xcf, 0, 255}, IN, 255, GOOD, 24},
    {"vpd 8f", {0x12, 1, 0x8f, 0, 255}, IN, 255, REFUSED, 0x2400},

    {"mode sense 6", {0x1a, 0, 0x08, 0, 192}, IN, 192, GOOD, 16},
    {"mode sense 6, all pages", {0x1a, 0, 0x3f, 0, 192}, IN, 192, GOOD, 16},
    {"mode sense 6, all sub-pages", {0x1a, 0, 0x3f, 0xff, 192}, IN, 192, GOOD, 16},
    {"mode sense 6, header only", {0x1a, 0, 0x3f, 0, 4}, IN, 4, GOOD, 4},
    {"mode sense 6, 3 bytes", {0x1a, 0, 0x3f, 0, 3}, IN, 4, REFUSED, 0x2400},
    {"mode sense 6, nothing", {0x1a, 0, 0x3f, 0, 0}, NONE, 0, GOOD, 0},
    {"mode sense 6, other page", {0x1a, 0, 0x1c, 0, 192}, IN, 192, REFUSED, 0x2400},
    {"mode sense 6, sub-page", {0x1a, 0, 0x08, 1, 192}, IN, 192, REFUSED, 0x2400},
    {"mode sense 6, saved", {0x1a, 0, 0xc8, 0, 192}, IN, 192, REFUSED, 0x2400},
    {"mode sense 10", {0x5a, 0, 0x08, 0, 0, 0, 0, 1, 0}, IN, 256, GOOD, 20},
    {"mode sense 10, over the buffer", {0x5a, 0, 0x08, 0, 0, 0, 0, 1, 0}, IN, 255, REFUSED, 0x2400},
    {"mode select 6, nothing", {0x15, 0x10, 0, 0, 0}, NONE, 0, GOOD, 0},
    {"mode select 6, save", {0x15, 0x11, 0, 0, 0}, NONE, 0, REFUSED, 0x2400},
    {"write same, no block", {0x41, 0, 0, 0, 0, 0, 0, 0, 1}, NONE, 0, REFUSED, 0x2400},
    {"unmap, no list", {0x42}, NONE, 0, REFUSED, 0x2400},
};

static void each_command_answers_as_the_table_says(void **state)
{
    const struct scsi_target_settings settings = usual_settings();
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct bench bench;
        initialise(&bench, &settings);
        run(&bench, row->cdb, 16, row->direction, row->buffer, "");
        const struct scsi_action *action = &bench.action;
        print_message("# %s\n", row->name);
        switch (row->expected) {
        case REFUSED:
            expect_sense(&bench, SCSI_OUTCOME_INVALID_REQUEST, SCSI_SENSE_ILLEGAL_REQUEST,
                         (uint16_t)row->value);
            break;
        case OVERRUN:
            expect_sense(&bench, SCSI_OUTCOME_DATA_OVERRUN, SCSI_SENSE_ILLEGAL_REQUEST,
                         (uint16_t)row->value);
            break;
        case GOOD:
            expect_good(&bench, row->value);
            break;
        case READ:
            assert_int_equal(action->kind, SCSI_ACTION_READ);
            assert_int_equal(action->offset, row->value * 512u);
            assert_true(action->length <= row->buffer);
            break;
        case WRITE:
            assert_int_equal(action->kind, SCSI_ACTION_WRITE);
            assert_int_equal(action->offset, row->value * 512u);
            break;
        case FLUSH:
            assert_int_equal(action->kind, SCSI_ACTION_FLUSH);
            break;
        }
    }
}

/* ---- Contents of answers ---- */

static void inquiry_says_what_hyper_v_says(void **state)
{
    static const uint8_t expected[36] = {0, 0, 5, 2, 0x63, 0, 0, 2, 'M', 's', 'f', 't', ' ', ' ',
                                         ' ', ' ', 'V', 'i', 'r', 't', 'u', 'a', 'l', ' ', 'D',
                                         'i', 's', 'k', ' ', ' ', ' ', ' ', '1', '.', '0', ' '};
    const struct scsi_target_settings settings = usual_settings();
    struct bench bench;
    initialise(&bench, &settings);
    RUN(&bench, IN, 255, 0x12, 0, 0, 0, 255);
    assert_memory_equal(bench.action.data, expected, sizeof(expected));
    for (unsigned i = 36; i < 104; i++) {
        assert_int_equal(bench.action.data[i], 0);
    }
}

static void vital_pages_have_their_contents(void **state)
{
    static const uint8_t page_list[] = {0, 0, 0, 8, 0, 0x80, 0x83, 0xb0, 0xb1, 0xb2, 0xce, 0xcf};
    static const uint8_t identification[] = {
        0, 0x83, 0, 48, 1, 1, 0, 24, 'M', 's', 'f', 't', ' ', ' ', ' ', ' ', 0, 1, 2, 3, 4, 5, 6, 7,
        8, 9, 10, 11, 12, 13, 14, 15, 1, 3, 0, 16, 0x60, 0x02, 0x24, 0x80, 0, 1, 2, 3, 4, 5, 10,
        11, 12, 13, 14, 15};
    struct scsi_target_settings settings = usual_settings();
    struct bench bench;
    initialise(&bench, &settings);
    RUN(&bench, IN, 255, 0x12, 1, 0, 0, 255);
    assert_memory_equal(bench.action.data, page_list, sizeof(page_list));
    RUN(&bench, IN, 255, 0x12, 1, 0x80, 0, 255);
    assert_memory_equal(bench.action.data, "\0\x80\0\6SERIAL", 10);
    RUN(&bench, IN, 255, 0x12, 1, 0x83, 0, 255);
    assert_memory_equal(bench.action.data, identification, sizeof(identification));
    RUN(&bench, IN, 255, 0x12, 1, 0xb0, 0, 255);
    assert_int_equal(be32_get(bench.action.data + 20), 0xffffffff);
    assert_int_equal(be32_get(bench.action.data + 24), 4096);
    assert_int_equal(be32_get(bench.action.data + 28), 8);
    assert_int_equal(be64_get(bench.action.data + 36), TRANSFER_MAX / 512);
    settings.unmap = false;
    settings.serial[0] = '\0';
    initialise(&bench, &settings);
    RUN(&bench, IN, 255, 0x12, 1, 0, 0, 255);
    assert_memory_equal(bench.action.data, "\0\0\0\4\0\x83\xce\xcf", 8);
    RUN(&bench, IN, 255, 0x12, 1, 0xb0, 0, 255);
    expect_sense(&bench, SCSI_OUTCOME_INVALID_REQUEST, SCSI_SENSE_ILLEGAL_REQUEST, 0x2400);
}

static void capacity_is_the_last_block(void **state)
{
    struct scsi_target_settings settings = usual_settings();
    struct bench bench;
    initialise(&bench, &settings);
    RUN(&bench, IN, 8, 0x25);
    assert_int_equal(be32_get(bench.action.data), BLOCKS - 1);
    assert_int_equal(be32_get(bench.action.data + 4), 512);
    RUN(&bench, IN, 32, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32);
    assert_int_equal(be64_get(bench.action.data), BLOCKS - 1);
    assert_int_equal(bench.action.data[13], 3); /* eight logical blocks a physical one */
    assert_int_equal(bench.action.data[14], 0x80);
    settings.block_count = 1ull << 33;
    initialise(&bench, &settings);
    RUN(&bench, IN, 8, 0x25);
    assert_int_equal(be32_get(bench.action.data), 0xffffffff);
    RUN(&bench, IN, 32, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32);
    assert_int_equal(be64_get(bench.action.data), (1ull << 33) - 1);
}

static void mode_sense_tells_cache_and_protection(void **state)
{
    struct scsi_target_settings settings = usual_settings();
    struct bench bench;
    initialise(&bench, &settings);
    RUN(&bench, IN, 192, 0x1a, 0, 0x08, 0, 192);
    assert_memory_equal(bench.action.data, "\x0f\0\x10\0\x08\x0a\x04", 7);
    RUN(&bench, IN, 192, 0x1a, 0, 0x48, 0, 192); /* changeable: nothing is */
    assert_int_equal(bench.action.data[6], 0);
    settings.read_only = true;
    settings.write_cache = false;
    initialise(&bench, &settings);
    RUN(&bench, IN, 255, 0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 255);
    assert_memory_equal(bench.action.data, "\0\x12\0\x90\0\0\0\0\x08\x0a\0", 11);
}

static void mode_select_takes_what_is_so_anyway(void **state)
{
    uint8_t list[16] = {0, 0, 0, 0, 0x08, 0x0a, 0x04};
    const uint8_t cdb[6] = {0x15, 0x10, 0, 0, 16};
    const struct scsi_target_settings settings = usual_settings();
    struct bench bench;
    initialise(&bench, &settings);
    run(&bench, cdb, sizeof(cdb), OUT, 16, list);
    expect_good(&bench, 16);
    list[6] = 0; /* cache off: cannot be */
    run(&bench, cdb, sizeof(cdb), OUT, 16, list);
    expect_sense(&bench, SCSI_OUTCOME_INVALID_REQUEST, SCSI_SENSE_ILLEGAL_REQUEST, 0x2600);
    list[6] = 4;
    list[4] = 0x0a; /* another page */
    run(&bench, cdb, sizeof(cdb), OUT, 16, list);
    expect_sense(&bench, SCSI_OUTCOME_INVALID_REQUEST, SCSI_SENSE_ILLEGAL_REQUEST, 0x2600);
    list[4] = 0x08;
    list[3] = 8; /* a block descriptor that is not there */
    run(&bench, cdb, sizeof(cdb), OUT, 16, list);
    expect_sense(&bench, SCSI_OUTCOME_INVALID_REQUEST, SCSI_SENSE_ILLEGAL_REQUEST, 0x2600);
    list[3] = 0;
    run(&bench, cdb, sizeof(cdb), OUT, 15, list);
    expect_sense(&bench, SCSI_OUTCOME_INVALID_REQUEST, SCSI_SENSE_ILLEGAL_REQUEST, 0x1a00);
    run(&bench, cdb, sizeof(cdb), OUT, 16, list);
    expect_good(&bench, 16);
}

/* ---- Results of the medium ---- */

static void results_of_the_medium_become_status_and_sense(void **state)
{
    static const struct {
        uint8_t cdb[10];
        enum scsi_data_direction direction;
        int result;
        uint8_t key;
        uint16_t additional;
    } failures[] = {
        {{0x28, 0, 0, 0, 0, 0, 0, 0, 1}, IN, -EIO, SCSI_SENSE_MEDIUM_ERROR, 0x1100},
        {{0x2a, 0, 0, 0, 0, 0, 0, 0, 1}, OUT, -EIO, SCSI_SENSE_MEDIUM_ERROR, 0x0300},
        {{0x2a, 0, 0, 0, 0, 0, 0, 0, 1}, OUT, -ENOSPC, SCSI_SENSE_MEDIUM_ERROR, 0x0300},
        {{0x2a, 0, 0, 0, 0, 0, 0, 0, 1}, OUT, -EROFS, SCSI_SENSE_DATA_PROTECT, 0x2700},
        {{0x28, 0, 0, 0, 0, 0, 0, 0, 1}, IN, -ERANGE, SCSI_SENSE_ILLEGAL_REQUEST, 0x2100},
        {{0x35}, NONE, -EIO, SCSI_SENSE_MEDIUM_ERROR, 0x0300},
    };
    const struct scsi_target_settings settings = usual_settings();
    struct bench bench;
    initialise(&bench, &settings);
    for (unsigned i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        run(&bench, failures[i].cdb, 10, failures[i].direction,
            failures[i].direction == NONE ? 0 : 512, NULL);
        scsi_target_continue(&bench.target, &bench.command, &bench.action, failures[i].result, 0);
        expect_sense(&bench, SCSI_OUTCOME_ERROR, failures[i].key, failures[i].additional);
        uint8_t sense[18];
        RUN(&bench, IN, 18, 0x03, 0, 0, 0, 18); /* told once more on request, and only once */
        memcpy(sense, bench.action.data, sizeof(sense));
        assert_int_equal(sense[0], 0x70);
        assert_int_equal(sense[2], failures[i].key);
        assert_int_equal(sense[7], 10);
        assert_int_equal(be16_get(sense + 12), failures[i].additional);
        RUN(&bench, IN, 18, 0x03, 0, 0, 0, 18);
        assert_int_equal(bench.action.data[2], 0);
    }
}

static void a_short_transfer_is_told_as_such(void **state)
{
    const struct scsi_target_settings settings = usual_settings();
    struct bench bench;
    initialise(&bench, &settings);
    RUN(&bench, IN, 2048, 0x28, 0, 0, 0, 0, 0, 0, 0, 4);
    scsi_target_continue(&bench.target, &bench.command, &bench.action, 0, 1024);
    assert_int_equal(bench.action.response.outcome, SCSI_OUTCOME_UNDERRUN);
    assert_int_equal(bench.action.response.transferred, 1024);
    RUN(&bench, IN, 2048, 0x28, 0, 0, 0, 0, 0, 0, 0, 4);
    scsi_target_continue(&bench.target, &bench.command, &bench.action, 0, 2048);
    expect_good(&bench, 2048);
}

static void force_unit_access_comes_from_the_cdb_or_from_a_disk_without_cache(void **state)
{
    struct scsi_target_settings settings = usual_settings();
    struct bench bench;
    initialise(&bench, &settings);
    RUN(&bench, OUT, 512, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1);
    assert_false(bench.action.force_unit_access);
    RUN(&bench, OUT, 512, 0x2a, 8, 0, 0, 0, 0, 0, 0, 1);
    assert_true(bench.action.force_unit_access);
    RUN(&bench, OUT, 512, 0x2e, 0, 0, 0, 0, 0, 0, 0, 1);
    assert_true(bench.action.force_unit_access);
    settings.write_cache = false;
    initialise(&bench, &settings);
    RUN(&bench, OUT, 512, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1);
    assert_true(bench.action.force_unit_access);
}

static void nothing_is_written_to_a_read_only_disk(void **state)
{
    static const uint8_t block[512], list[24] = {0, 22, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                                 0, 0, 0, 1};
    struct scsi_target_settings settings = usual_settings();
    struct bench bench;
    settings.read_only = true;
    initialise(&bench, &settings);
    RUN(&bench, OUT, 512, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1);
    expect_sense(&bench, SCSI_OUTCOME_ERROR, SCSI_SENSE_DATA_PROTECT, 0x2700);
    run(&bench, (const uint8_t[]){0x41, 0, 0, 0, 0, 0, 0, 0, 1}, 9, OUT, 512, block);
    expect_sense(&bench, SCSI_OUTCOME_ERROR, SCSI_SENSE_DATA_PROTECT, 0x2700);
    run(&bench, (const uint8_t[]){0x42, 0, 0, 0, 0, 0, 0, 0, 24}, 9, OUT, 24, list);
    expect_sense(&bench, SCSI_OUTCOME_ERROR, SCSI_SENSE_DATA_PROTECT, 0x2700);
    RUN(&bench, IN, 512, 0x28, 0, 0, 0, 0, 0, 0, 0, 1);
    assert_int_equal(bench.action.kind, SCSI_ACTION_READ);
}

static void a_changed_capacity_is_told_once(void **state)
{
    const struct scsi_target_settings settings = usual_settings();
    struct bench bench;
    initialise(&bench, &settings);
    scsi_target_set_block_count(&bench.target, BLOCKS);
    RUN(&bench, NONE, 0, 0x00);
    expect_good(&bench, 0); /* the same: nothing to tell */
    scsi_target_set_block_count(&bench.target, BLOCKS * 2);
    RUN(&bench, IN, 36, 0x12, 0, 0, 0, 36);
    expect_good(&bench, 36); /* INQUIRY does not tell it */
    RUN(&bench, NONE, 0, 0x00);
    expect_sense(&bench, SCSI_OUTCOME_ERROR, SCSI_SENSE_UNIT_ATTENTION, 0x2a09);
    RUN(&bench, IN, 8, 0x25);
    assert_int_equal(be32_get(bench.action.data), BLOCKS * 2 - 1);
    scsi_target_set_block_count(&bench.target, BLOCKS);
    RUN(&bench, IN, 18, 0x03, 0, 0, 0, 18);
    assert_int_equal(bench.action.data[2], SCSI_SENSE_UNIT_ATTENTION);
    RUN(&bench, NONE, 0, 0x00);
    expect_good(&bench, 0);
}

/* ---- UNMAP and WRITE SAME ---- */

static void put_unmap_list(uint8_t *list, unsigned count)
{
    memset(list, 0, 8 + 16 * count);
    be16_put(list, (uint16_t)(6 + 16 * count));
    be16_put(list + 2, (uint16_t)(16 * count));
}

static void put_descriptor(uint8_t *list, unsigned number, uint64_t lba, uint32_t count)
{
    be64_put(list + 8 + 16 * number, lba);
    be32_put(list + 16 + 16 * number, count);
}

static void run_unmap(struct bench *bench, const uint8_t *list, uint16_t length, uint32_t buffer)
{
    uint8_t cdb[10] = {0x42};
    be16_put(cdb + 7, length);
    run(bench, cdb, sizeof(cdb), OUT, buffer, list);
}

static void unmap_discards_each_range_and_skips_empty_ones(void **state)
{
    uint8_t list[8 + 16 * 4];
    const struct scsi_target_settings settings = usual_settings();
    struct bench bench;
    initialise(&bench, &settings);
    put_unmap_list(list, 4);
    put_descriptor(list, 0, 10, 0);
    put_descriptor(list, 1, 20, 5);
    put_descriptor(list, 2, 0, 0);
    put_descriptor(list, 3, 999, 1);
    run_unmap(&bench, list, sizeof(list), sizeof(list));
    assert_int_equal(bench.action.kind, SCSI_ACTION_DISCARD);
    assert_int_equal(bench.action.offset, 20 * 512);
    assert_int_equal(bench.action.length, 5 * 512);
    scsi_target_continue(&bench.target, &bench.command, &bench.action, 0, 5 * 512);
    assert_int_equal(bench.action.kind, SCSI_ACTION_DISCARD);
    assert_int_equal(bench.action.offset, 999 * 512);
    scsi_target_continue(&bench.target, &bench.command, &bench.action, 0, 512);
    expect_good(&bench, sizeof(list));
}

static void bad_unmap_lists_are_refused_and_the_next_works(void **state)
{
    uint8_t list[8 + 16];
    const struct scsi_target_settings settings = usual_settings();
    struct bench bench;
    initialise(&bench, &settings);
    put_unmap_list(list, 1);
    put_descriptor(list, 0, 0, 1);
    run_unmap(&bench, list, sizeof(list), sizeof(list) + 8);
    expect_sense(&bench, SCSI_OUTCOME_INVALID_REQUEST, SCSI_SENSE_ILLEGAL_REQUEST, 0x2400);
    run_unmap(&bench, list, 7, 7);
    expect_sense(&bench, SCSI_OUTCOME_INVALID_REQUEST, SCSI_SENSE_ILLEGAL_REQUEST, 0x2400);
    list[1]++;
    run_unmap(&bench, list, sizeof(list), sizeof(list));
    expect_sense(&bench, SCSI_OUTCOME_INVALID_REQUEST, SCSI_SENSE_ILLEGAL_REQUEST, 0x2400);
    put_unmap_list(list, 1);
    list[3]++;
    run_unmap(&bench, list, sizeof(list), sizeof(list));
    expect_sense(&bench, SCSI_OUTCOME_INVALID_REQUEST, SCSI_SENSE_ILLEGAL_REQUEST, 0x0000);
    put_unmap_list(list, 1);
    put_descriptor(list, 0, 999, 2);
    run_unmap(&bench, list, sizeof(list), sizeof(list));
    expect_sense(&bench, SCSI_OUTCOME_INVALID_REQUEST, SCSI_SENSE_ILLEGAL_REQUEST, 0x2100);
    put_descriptor(list, 0, UINT64_MAX, 2);
    run_unmap(&bench, list, sizeof(list), sizeof(list));
    expect_sense(&bench, SCSI_OUTCOME_INVALID_REQUEST, SCSI_SENSE_ILLEGAL_REQUEST, 0x2100);
    be16_put(list, 6 + 8);
    be16_put(list + 2, 8);
    run_unmap(&bench, list, 16, 16); /* half a descriptor */
    expect_sense(&bench, SCSI_OUTCOME_INVALID_REQUEST, SCSI_SENSE_ILLEGAL_REQUEST, 0x2600);
    put_unmap_list(list, 1);
    put_descriptor(list, 0, 999, 1);
    run_unmap(&bench, list, sizeof(list), sizeof(list));
    assert_int_equal(bench.action.kind, SCSI_ACTION_DISCARD);
}

static void write_same_needs_one_block_and_a_bounded_range(void **state)
{
    static const uint8_t block[512] = {1};
    const struct scsi_target_settings settings = usual_settings();
    struct bench bench;
    initialise(&bench, &settings);
    run(&bench, (const uint8_t[]){0x41, 0, 0, 0, 0, 10, 0, 0, 4}, 9, OUT, 512, block);
    assert_int_equal(bench.action.kind, SCSI_ACTION_WRITE_SAME);
    assert_int_equal(bench.action.offset, 5120);
    assert_int_equal(bench.action.length, 2048);
    scsi_target_continue(&bench.target, &bench.command, &bench.action, 0, 2048);
    expect_good(&bench, 512); /* what was taken from the buffer */
    run(&bench, (const uint8_t[]){0x41, 0, 0, 0, 0, 0, 0, 0, 0}, 9, OUT, 512, block);
    expect_good(&bench, 0);
    run(&bench, (const uint8_t[]){0x41, 0, 0, 0, 0, 0, 0, 2, 1}, 9, OUT, 512, block);
    expect_sense(&bench, SCSI_OUTCOME_INVALID_REQUEST, SCSI_SENSE_ILLEGAL_REQUEST, 0x2100);
    run(&bench, (const uint8_t[]){0x93, 0, 0, 0, 0, 0, 0, 0, 3, 232, 0, 0, 0, 1}, 14, OUT, 512,
        block);
    expect_sense(&bench, SCSI_OUTCOME_INVALID_REQUEST, SCSI_SENSE_ILLEGAL_REQUEST, 0x2100);
    run(&bench, (const uint8_t[]){0x41, 4, 0, 0, 0, 0, 0, 0, 1}, 9, OUT, 512, block);
    expect_sense(&bench, SCSI_OUTCOME_INVALID_REQUEST, SCSI_SENSE_ILLEGAL_REQUEST, 0x2400);
    run(&bench, (const uint8_t[]){0x41, 0, 0, 0, 0, 0, 0, 0, 1}, 9, OUT, 1024, block);
    expect_sense(&bench, SCSI_OUTCOME_INVALID_REQUEST, SCSI_SENSE_ILLEGAL_REQUEST, 0x2400);
    run(&bench, (const uint8_t[]){0x93, 8, 0, 0, 0, 0, 0, 0, 3, 231, 0, 0, 0, 1}, 14, OUT, 512,
        block);
    assert_int_equal(bench.action.kind, SCSI_ACTION_WRITE_SAME);
}

/* ---- Where there is no disk ---- */

static void inquiry_finds_nobody_at_an_empty_lun(void **state)
{
    uint8_t cdb[16] = {0x12, 0, 0, 0, 36};
    struct scsi_command command = {.cdb = cdb, .direction = IN, .buffer_size = 36};
    struct scsi_action action;
    assert_true(scsi_absent_inquiry(&command, 0, SCSI_VERSION_SPC3, &action));
    assert_int_equal(action.response.transferred, 36);
    assert_int_equal(action.data[0], 0x7f);
    assert_memory_equal(action.data + 8, "Msft    Virtual Disk", 20);
    assert_true(scsi_absent_inquiry(&command, 3, SCSI_VERSION_SPC3, &action));
    assert_int_equal(action.data[8], 0);
    cdb[1] = 1;
    assert_true(scsi_absent_inquiry(&command, 3, SCSI_VERSION_SPC3, &action));
    assert_int_equal(action.response.outcome, SCSI_OUTCOME_INVALID_REQUEST);
    cdb[0] = 0x00;
    assert_false(scsi_absent_inquiry(&command, 3, SCSI_VERSION_SPC3, &action));
}

static void settings_out_of_range_are_refused(void **state)
{
    struct scsi_target target;
    struct scsi_target_settings settings = usual_settings();
    settings.block_size = 1024;
    assert_int_equal(scsi_target_initialise(&target, &settings), -EINVAL);
    settings = usual_settings();
    settings.block_count = 0;
    assert_int_equal(scsi_target_initialise(&target, &settings), -EINVAL);
    settings = usual_settings();
    settings.physical_block_size = 3000;
    assert_int_equal(scsi_target_initialise(&target, &settings), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_command_answers_as_the_table_says),
        cmocka_unit_test(inquiry_says_what_hyper_v_says),
        cmocka_unit_test(vital_pages_have_their_contents),
        cmocka_unit_test(capacity_is_the_last_block),
        cmocka_unit_test(mode_sense_tells_cache_and_protection),
        cmocka_unit_test(mode_select_takes_what_is_so_anyway),
        cmocka_unit_test(results_of_the_medium_become_status_and_sense),
        cmocka_unit_test(a_short_transfer_is_told_as_such),
        cmocka_unit_test(force_unit_access_comes_from_the_cdb_or_from_a_disk_without_cache),
        cmocka_unit_test(nothing_is_written_to_a_read_only_disk),
        cmocka_unit_test(a_changed_capacity_is_told_once),
        cmocka_unit_test(unmap_discards_each_range_and_skips_empty_ones),
        cmocka_unit_test(bad_unmap_lists_are_refused_and_the_next_works),
        cmocka_unit_test(write_same_needs_one_block_and_a_bounded_range),
        cmocka_unit_test(inquiry_finds_nobody_at_an_empty_lun),
        cmocka_unit_test(settings_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
