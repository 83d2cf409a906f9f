/* SPDX-License-Identifier: BSD-3-Clause */
/* DVD drives of the storage controller: discs that come and go while requests are in flight. */
#include "tests/unit/host-devices/storvsc_rig.h"

#include <errno.h>
#include <string.h>

#include "host/disk/disk_faults.h"
#include "host/disk/disk_memory.h"
#include "protocol/mmc.h"

enum { LUN = 1, BLOCK = MMC_BLOCK_SIZE, SMALL = 8 * BLOCK, LARGE = 32 * BLOCK };

static struct disk *make_disc(struct rig *rig, uint64_t size, uint8_t fill)
{
    struct disk *disc = disk_memory_open(rig->engine, size, 512);
    memset(disk_memory_bytes(disc), fill, size);
    return disc;
}

static struct rig *rig_with_drive(struct disk **disc)
{
    struct rig *rig = rig_create(STORVSC_VERSION_6_2, NULL);
    struct disk *made = disc != NULL ? make_disc(rig, SMALL, 0x11) : NULL;
    assert_int_equal(storvsc_add_dvd_drive(rig->controller, LUN, made), 0);
    if (disc != NULL) {
        *disc = made;
    }
    handshake(rig, STORVSC_VERSION_6_2);
    return rig;
}

static struct storvsc_packet command(struct rig *rig, uint8_t code, uint8_t byte_1, uint8_t byte_4,
                                     uint32_t size)
{
    uint8_t cdb[16] = {code, byte_1, 0, 0, byte_4};
    cdb[8] = (uint8_t)size; /* GET EVENT STATUS NOTIFICATION; others read nothing there */
    return execute(rig, LUN, cdb, size > 0 ? STORVSC_DATA_IN : STORVSC_DATA_NONE, BUFFER,
                   size);
}

static void expect_sense(const struct storvsc_packet *packet, uint8_t key, uint16_t additional)
{
    assert_int_equal(packet->srb.srb_status,
                     STORVSC_SRB_STATUS_ERROR | STORVSC_SRB_STATUS_AUTOSENSE_VALID);
    assert_int_equal(packet->srb.scsi_status, SCSI_STATUS_CHECK_CONDITION);
    assert_int_equal(packet->srb.sense[2], key);
    assert_int_equal(be16_get(packet->srb.sense + 12), additional);
}

static void expect_ready(struct rig *rig)
{
    struct storvsc_packet packet = command(rig, SCSI_TEST_UNIT_READY, 0, 0, 0);
    if (packet.srb.sense[2] == SCSI_SENSE_UNIT_ATTENTION) {
        packet = command(rig, SCSI_TEST_UNIT_READY, 0, 0, 0);
    }
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
}

static void expect_empty(struct rig *rig, uint16_t additional)
{
    struct storvsc_packet packet = command(rig, SCSI_TEST_UNIT_READY, 0, 0, 0);
    expect_sense(&packet, SCSI_SENSE_NOT_READY, additional);
}

static void read_block(struct rig *rig, uint8_t fill)
{
    uint8_t cdb[16];
    rw_cdb(cdb, false, 3, 1);
    struct storvsc_packet packet = execute(rig, LUN, cdb, STORVSC_DATA_IN, BUFFER, BLOCK);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
    assert_int_equal(packet.srb.data_transfer_length, BLOCK);
    assert_int_equal(bench_page(rig->bench, BUFFER_PAGE)[BLOCK - 1], fill);
}

static void lock(struct rig *rig, bool on)
{
    command(rig, SCSI_PREVENT_ALLOW_MEDIUM_REMOVAL, 0, on, 0);
}

static void open_tray(struct rig *rig)
{
    command(rig, SCSI_START_STOP_UNIT, 0, 2, 0);
}

static uint8_t next_event(struct rig *rig)
{
    command(rig, SCSI_GET_EVENT_STATUS_NOTIFICATION, 1, 0x10, 8);
    return bench_page(rig->bench, BUFFER_PAGE)[4];
}

/* ---- Tests ---- */

static void a_disc_is_read_and_never_written(void **state)
{
    struct disk *disc;
    struct rig *rig = rig_with_drive(&disc);
    uint8_t cdb[16];
    expect_ready(rig);
    read_block(rig, 0x11);
    rw_cdb(cdb, true, 3, 1);
    struct storvsc_packet packet = execute(rig, LUN, cdb, STORVSC_DATA_OUT, BUFFER, BLOCK);
    expect_sense(&packet, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_INVALID_OPERATION_CODE);
    read_block(rig, 0x11);
    assert_int_equal(rig->bench->violations, 0);
    rig_free(rig);
}

static void a_disc_put_in_later_is_announced_and_read(void **state)
{
    struct rig *rig = rig_with_drive(NULL);
    expect_empty(rig, SCSI_ASC_MEDIUM_NOT_PRESENT_TRAY_CLOSED);
    assert_int_equal(storvsc_insert_disc(rig->controller, LUN, make_disc(rig, LARGE, 0x22), false),
                     0);
    assert_int_equal(next_event(rig), MMC_MEDIA_NEW);
    struct storvsc_packet packet = command(rig, SCSI_TEST_UNIT_READY, 0, 0, 0);
    expect_sense(&packet, SCSI_SENSE_UNIT_ATTENTION, SCSI_ASC_MEDIUM_MAY_HAVE_CHANGED);
    read_block(rig, 0x22);
    assert_int_equal(storvsc_eject_disc(rig->controller, LUN, false), 0);
    assert_int_equal(next_event(rig), MMC_MEDIA_REMOVAL);
    expect_empty(rig, SCSI_ASC_MEDIUM_NOT_PRESENT_TRAY_CLOSED);
    assert_int_equal(storvsc_eject_disc(rig->controller, LUN, false), -ENOMEDIUM);
    rig_free(rig);
}

static void a_locked_disc_goes_when_the_guest_opens_the_tray(void **state)
{
    struct disk *disc, *other;
    struct rig *rig = rig_with_drive(&disc);
    expect_ready(rig);
    assert_int_equal(next_event(rig), MMC_MEDIA_REMOVAL);
    assert_int_equal(next_event(rig), MMC_MEDIA_NEW);
    lock(rig, true);
    other = make_disc(rig, LARGE, 0x33);
    assert_int_equal(storvsc_insert_disc(rig->controller, LUN, other, false), -EBUSY);
    assert_int_equal(storvsc_eject_disc(rig->controller, LUN, false), -EBUSY);
    read_block(rig, 0x11); /* still there */
    assert_int_equal(next_event(rig), MMC_MEDIA_EJECT_REQUEST);
    lock(rig, false);
    open_tray(rig);
    assert_null(storvsc_disk(rig->controller, LUN));
    expect_empty(rig, SCSI_ASC_MEDIUM_NOT_PRESENT_TRAY_OPEN);
    assert_int_equal(storvsc_insert_disc(rig->controller, LUN, other, false), 0);
    expect_ready(rig); /* the tray is closed again */
    read_block(rig, 0x33);
    rig_free(rig);
}

static void force_takes_a_locked_disc(void **state)
{
    struct disk *disc;
    struct rig *rig = rig_with_drive(&disc);
    expect_ready(rig);
    lock(rig, true);
    assert_int_equal(storvsc_insert_disc(rig->controller, LUN, make_disc(rig, LARGE, 0x44), true),
                     0);
    expect_ready(rig);
    read_block(rig, 0x44);
    assert_int_equal(storvsc_eject_disc(rig->controller, LUN, true), 0);
    expect_empty(rig, SCSI_ASC_MEDIUM_NOT_PRESENT_TRAY_CLOSED);
    rig_free(rig);
}

static void a_disc_the_guest_ejected_itself_stays_in_the_open_tray(void **state)
{
    struct disk *disc;
    struct rig *rig = rig_with_drive(&disc);
    expect_ready(rig);
    open_tray(rig);
    assert_ptr_equal(storvsc_disk(rig->controller, LUN), disc);
    command(rig, SCSI_START_STOP_UNIT, 0, 3, 0);
    expect_ready(rig);
    read_block(rig, 0x11);
    rig_free(rig);
}

static void requests_in_flight_end_on_the_disc_they_began_on(void **state)
{
    struct rig *rig = rig_with_drive(NULL);
    const struct disk_fault_settings slow = {.delay_ppm = 1000000, .delay_min_ns = 1000000,
                                             .delay_max_ns = 1000000};
    struct storvsc_packet packet;
    uint8_t cdb[16];
    assert_int_equal(storvsc_set_disk_faults(rig->controller, LUN, &slow, 1), -ENOENT);
    storvsc_insert_disc(rig->controller, LUN, make_disc(rig, SMALL, 0x55), false);
    assert_int_equal(storvsc_set_disk_faults(rig->controller, LUN, &slow, 1), 0);
    expect_ready(rig);
    rw_cdb(cdb, false, 3, 1);
    uint64_t id = put_srb(rig, LUN, cdb, STORVSC_DATA_IN, BUFFER, BLOCK);
    pump(rig);
    assert_int_equal(storvsc_insert_disc(rig->controller, LUN, make_disc(rig, LARGE, 0x66), true),
                     0);
    /* The first disc is still busy: there is place for one such. */
    assert_int_equal(storvsc_eject_disc(rig->controller, LUN, true), -EAGAIN);
    rig->now_ns += 1000000;
    pump(rig);
    expect_completion(rig, id, &packet);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
    assert_int_equal(bench_page(rig->bench, BUFFER_PAGE)[0], 0x55);
    expect_ready(rig);
    read_block(rig, 0x66);
    assert_int_equal(storvsc_eject_disc(rig->controller, LUN, true), 0);
    rig_free(rig);
}

static void a_request_that_the_disc_holds_back_does_not_keep_it(void **state)
{
    struct disk *disc;
    struct rig *rig = rig_with_drive(&disc);
    const struct disk_fault_settings lost = {.lost_ppm = 1000000};
    struct storvsc_packet packet;
    uint8_t cdb[16];
    expect_ready(rig);
    assert_int_equal(storvsc_set_disk_faults(rig->controller, LUN, &lost, 1), 0);
    rw_cdb(cdb, false, 3, 1);
    uint64_t id = put_srb(rig, LUN, cdb, STORVSC_DATA_IN, BUFFER, BLOCK);
    pump(rig);
    assert_int_equal(storvsc_eject_disc(rig->controller, LUN, true), 0);
    pump(rig);
    expect_completion(rig, id, &packet);
    expect_empty(rig, SCSI_ASC_MEDIUM_NOT_PRESENT_TRAY_CLOSED);
    rig_free(rig);
}

static void what_is_no_drive_takes_no_disc(void **state)
{
    struct rig *rig = rig_with_drive(NULL);
    struct disk *disc = make_disc(rig, LARGE, 0x77), *crumb = make_disc(rig, 512, 0);
    assert_int_equal(storvsc_insert_disc(rig->controller, 0, disc, false), -ENOENT);
    assert_int_equal(storvsc_insert_disc(rig->controller, 63, disc, false), -ENOENT);
    assert_int_equal(storvsc_insert_disc(rig->controller, 64, disc, false), -ENOENT);
    assert_int_equal(storvsc_eject_disc(rig->controller, 0, true), -ENOENT);
    assert_int_equal(storvsc_insert_disc(rig->controller, LUN, crumb, false), -EINVAL);
    assert_int_equal(storvsc_add_dvd_drive(rig->controller, 2, crumb), -EINVAL);
    assert_int_equal(storvsc_add_dvd_drive(rig->controller, LUN, NULL), -EEXIST);
    assert_int_equal(storvsc_add_dvd_drive(rig->controller, 64, NULL), -ERANGE);
    assert_int_equal(storvsc_disk_resized(rig->controller, LUN), -ENOENT);
    assert_true(storvsc_lun_is_taken(rig->controller, LUN));
    assert_false(storvsc_is_dvd_drive(rig->controller, 0));
    assert_int_equal(storvsc_remove_disk(rig->controller, LUN), 0);
    assert_false(storvsc_lun_is_taken(rig->controller, LUN));
    disk_close(disc);
    disk_close(crumb);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disc_is_read_and_never_written),
        cmocka_unit_test(a_disc_put_in_later_is_announced_and_read),
        cmocka_unit_test(a_locked_disc_goes_when_the_guest_opens_the_tray),
        cmocka_unit_test(force_takes_a_locked_disc),
        cmocka_unit_test(a_disc_the_guest_ejected_itself_stays_in_the_open_tray),
        cmocka_unit_test(requests_in_flight_end_on_the_disc_they_began_on),
        cmocka_unit_test(a_request_that_the_disc_holds_back_does_not_keep_it),
        cmocka_unit_test(what_is_no_drive_takes_no_disc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
