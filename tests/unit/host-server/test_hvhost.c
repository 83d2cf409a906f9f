/* SPDX-License-Identifier: BSD-3-Clause */
/* The program hvhost as a whole: a scripted guest attaches to the real process. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/scsi.h"
#include "protocol/vmbus_classes.h"
#include "tests/unit/host-server/host_process.h"

static const struct guid scsi_class = VMBUS_CLASS_SCSI;
static const struct guid heartbeat_class = VMBUS_CLASS_HEARTBEAT;

static void what_the_guest_writes_is_in_the_file(void **state)
{
    struct host_process *host = *state;
    struct guest_channel channel;
    uint8_t from_file[8192];
    host_start_with_storage(host, &channel, NULL);
    uint8_t *buffer = host->guest.monitor.ram + GUEST_BUFFERS;
    for (unsigned i = 0; i < 8192; i++) {
        buffer[i] = (uint8_t)(i * 7 + i / 256);
    }
    guest_blocks(&host->guest, &channel, 0, true, 100, 16, GUEST_BUFFERS);
    guest_blocks(&host->guest, &channel, 0, false, 100, 16, GUEST_BUFFERS + 65536);
    assert_memory_equal(buffer, buffer + 65536, 8192);
    int file = open(host->disk, O_RDONLY | O_CLOEXEC);
    assert_int_equal(pread(file, from_file, sizeof(from_file), 51200), sizeof(from_file));
    close(file);
    assert_memory_equal(buffer, from_file, sizeof(from_file));
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

static void many_requests_in_flight_all_come_back(void **state)
{
    enum { REQUESTS = 60 };
    struct host_process *host = *state;
    struct guest_channel channel;
    struct storvsc_packet packet;
    bool seen[REQUESTS + 16] = {false};
    host_start_with_storage(host, &channel, NULL);
    for (unsigned round = 0; round < 20; round++) {
        uint64_t first = channel.transaction_id + 1;
        for (unsigned i = 0; i < REQUESTS; i++) {
            uint8_t cdb[10] = {round % 2 != 0 ? SCSI_READ_10 : SCSI_WRITE_10};
            be32_put(cdb + 2, i * 8);
            be16_put(cdb + 7, 8);
            guest_srb(&host->guest, &channel, 0, cdb, 10,
                      round % 2 != 0 ? STORVSC_DATA_IN : STORVSC_DATA_OUT,
                      GUEST_BUFFERS + i * 4096u, 4096);
        }
        memset(seen, 0, sizeof(seen));
        for (unsigned i = 0; i < REQUESTS; i++) {
            uint64_t id = guest_completion(&host->guest, &channel, &packet);
            assert_in_range(id, first, first + REQUESTS - 1);
            assert_false(seen[id - first]);
            seen[id - first] = true;
            assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
        }
    }
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

static void each_controller_has_its_own_disks(void **state)
{
    struct host_process *host = *state;
    struct guest_channel first, second;
    struct storvsc_properties properties;
    struct storvsc_packet packet;
    const uint8_t capacity[10] = {SCSI_READ_CAPACITY_10};
    host_start(host, (const char *const[]){"--disk", host->disk, "--disk",
                                           "memory:1M,controller=1,lun=5,block-size=4096", NULL});
    guest_start(&host->guest, host->socket, 1);
    assert_true(guest_contact(&host->guest, VMBUS_VERSION_5_3));
    guest_collect_offers(&host->guest);
    guest_open(&host->guest, guest_find_offer(&host->guest, &scsi_class, 0), &first);
    guest_open(&host->guest, guest_find_offer(&host->guest, &scsi_class, 1), &second);
    assert_true(first.offer.instance_id.data1 < second.offer.instance_id.data1);
    guest_storage_start(&host->guest, &first, STORVSC_VERSION_6_2, &properties);
    guest_storage_start(&host->guest, &second, STORVSC_VERSION_5_1, &properties);
    assert_int_equal(guest_execute(&host->guest, &first, 5, capacity, 10, STORVSC_DATA_IN,
                                   GUEST_BUFFERS, 8, &packet),
                     STORVSC_SRB_STATUS_INVALID_LUN);
    assert_int_equal(guest_execute(&host->guest, &second, 5, capacity, 10, STORVSC_DATA_IN,
                                   GUEST_BUFFERS, 8, &packet),
                     STORVSC_SRB_STATUS_SUCCESS);
    assert_int_equal(be32_get(host->guest.monitor.ram + GUEST_BUFFERS), 255);
    assert_int_equal(be32_get(host->guest.monitor.ram + GUEST_BUFFERS + 4), 4096);
    guest_blocks(&host->guest, &first, 0, true, 0, 8, GUEST_BUFFERS);
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

static void what_cannot_start_says_why_and_is_exit_1(void **state)
{
    struct host_process *host = *state;
    char command[512];
    snprintf(command, sizeof(command), "%s --socket %s --disk /tmp/no-such-disk.img 2>/dev/null",
             getenv("HVHOST"), host->socket);
    assert_int_equal(WEXITSTATUS(system(command)), 1);
    assert_int_equal(access(host->socket, F_OK), -1);
    host_start(host, NULL); /* a second host at the same path */
    snprintf(command, sizeof(command), "%s --socket %s 2>/dev/null", getenv("HVHOST"),
             host->socket);
    assert_int_equal(WEXITSTATUS(system(command)), 1);
    snprintf(command, sizeof(command), "%s --nonsense 2>/dev/null", getenv("HVHOST"));
    assert_int_equal(WEXITSTATUS(system(command)), 2);
    guest_start(&host->guest, host->socket, 1); /* the first is none the worse */
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

static void heartbeat_is_negotiated_and_answered(void **state)
{
    struct host_process *host = *state;
    struct guest_channel channel;
    uint8_t packet[256];
    host_start(host, NULL);
    guest_start(&host->guest, host->socket, 2);
    assert_true(guest_contact(&host->guest, VMBUS_VERSION_4_0));
    guest_collect_offers(&host->guest);
    guest_open(&host->guest, guest_find_offer(&host->guest, &heartbeat_class, 0), &channel);
    guest_receive(&host->guest, &channel, packet, sizeof(packet));
    assert_int_equal(packet[16 + 12], 0); /* negotiate */
    uint8_t *reply = packet + 16;
    reply[4] = 20 + 16;                    /* pipe length */
    reply[18] = 16;                        /* body */
    reply[25] = 5;                         /* transaction, response */
    memcpy(reply + 28, (const uint8_t[16]){1, 0, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0}, 16);
    guest_send(&host->guest, &channel, VMBUS_PACKET_IN_BAND, 0, 0, reply, 28 + 16);
    guest_receive(&host->guest, &channel, packet, sizeof(packet));
    assert_int_equal(reply[12], 1); /* a heartbeat */
    reply[28]++;
    reply[25] = 5;
    guest_send(&host->guest, &channel, VMBUS_PACKET_IN_BAND, 0, 0, reply, 28 + 16);
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

static void vmbus_max_refuses_newer_versions(void **state)
{
    struct host_process *host = *state;
    host_start(host, (const char *const[]){"--vmbus-max", "4.0", NULL});
    guest_start(&host->guest, host->socket, 1);
    assert_false(guest_contact(&host->guest, VMBUS_VERSION_5_3));
    assert_false(guest_contact(&host->guest, VMBUS_VERSION_4_1));
    assert_true(guest_contact(&host->guest, VMBUS_VERSION_4_0));
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

static void a_vanished_monitor_is_exit_4(void **state)
{
    struct host_process *host = *state;
    struct guest_channel channel;
    host_start_with_storage(host, &channel, NULL);
    monitor_vanish(&host->guest.monitor);
    assert_int_equal(host_exit_code(host), 4);
}

static void a_monitor_that_talks_nonsense_is_exit_5(void **state)
{
    struct host_process *host = *state;
    host_start(host, NULL);
    monitor_start(&host->guest.monitor, host->socket, 1, GUEST_RAM);
    monitor_send_header(&host->guest.monitor, host->guest.monitor.control, 77);
    assert_int_equal(monitor_expect_goodbye(&host->guest.monitor, host->guest.monitor.control,
                                            "unknown type"),
                     -EPROTO);
    assert_int_equal(host_exit_code(host), 5);
}

static void a_monitor_that_takes_ram_away_is_exit_5(void **state)
{
    struct host_process *host = *state;
    struct guest_channel channel;
    host_start_with_storage(host, &channel, NULL);
    assert_int_equal(ftruncate(host->guest.monitor.ram_file, 0), 0);
    monitor_signal(&host->guest.monitor, channel.offer.connection_id);
    assert_int_equal(host_exit_code(host), 5);
}

static void a_guest_that_breaks_a_rule_is_exit_3(void **state)
{
    struct host_process *host = *state;
    struct guest_channel channel;
    host_start_with_storage(host, &channel, NULL);
    const uint8_t nonsense[64] = {99};
    guest_send(&host->guest, &channel, VMBUS_PACKET_IN_BAND,
               VMBUS_PACKET_FLAG_COMPLETION_REQUESTED, 1, nonsense, sizeof(nonsense));
    uint64_t value; /* an exit after the signal: the host has seen both when it answers */
    assert_int_equal(monitor_rdmsr(&host->guest.monitor, 0, 0x40000002, &value), 0);
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 3);
}

static void sigterm_stops_cleanly(void **state)
{
    struct host_process *host = *state;
    struct guest_channel channel;
    host_start_with_storage(host, &channel, NULL);
    kill(host->process, SIGTERM);
    monitor_expect_goodbye(&host->guest.monitor, host->guest.monitor.control, "asked to stop");
    assert_int_equal(host_exit_code(host), 0);
    assert_int_equal(access(host->socket, F_OK), -1);
}

static void a_crash_reported_by_the_guest_is_exit_6(void **state)
{
    struct host_process *host = *state;
    struct partition_power power = {0};
    host_start(host, NULL);
    guest_start(&host->guest, host->socket, 1);
    assert_int_equal(monitor_wrmsr(&host->guest.monitor, 0, 0x40000100, 0xdead), 0);
    assert_int_equal(monitor_wrmsr(&host->guest.monitor, 0, 0x40000105, 1ull << 63), 0);
    assert_int_equal(monitor_receive(&host->guest.monitor, host->guest.monitor.control, &power,
                                     sizeof(power), NULL, 0, NULL),
                     sizeof(power));
    assert_int_equal(power.what, PARTITION_POWER_CRASHED);
    assert_int_equal(power.crash[0], 0xdead);
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 6);
}

static void a_reset_starts_over(void **state)
{
    struct host_process *host = *state;
    struct guest_channel channel;
    struct storvsc_properties properties;
    host_start_with_storage(host, &channel, NULL);
    monitor_power(&host->guest.monitor, PARTITION_POWER_RESET);
    monitor_power(&host->guest.monitor, PARTITION_POWER_RESET);
    uint64_t value;
    assert_int_equal(monitor_rdmsr(&host->guest.monitor, 0, 0x40000000, &value), 0);
    assert_int_equal(value, 0);
    memset(host->guest.monitor.ram, 0, GUEST_BUFFERS);
    struct monitor monitor = host->guest.monitor;
    host->guest = (struct guest){.monitor = monitor};
    guest_set_up(&host->guest);
    assert_true(guest_contact(&host->guest, VMBUS_VERSION_5_3));
    guest_collect_offers(&host->guest);
    guest_open(&host->guest, guest_find_offer(&host->guest, &scsi_class, 0), &channel);
    guest_storage_start(&host->guest, &channel, STORVSC_VERSION_6_0, &properties);
    guest_blocks(&host->guest, &channel, 0, true, 0, 8, GUEST_BUFFERS);
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

/* ---- Faults from the command line ---- */

static void a_refused_post_is_refused_once(void **state)
{
    struct host_process *host = *state;
    struct vmbus_message_header request = {.type = VMBUS_MESSAGE_REQUEST_OFFERS};
    host_start(host, (const char *const[]){"--faults", "post,refuse=0x13,type=3,times=1", NULL});
    guest_start(&host->guest, host->socket, 1);
    assert_true(guest_contact(&host->guest, VMBUS_VERSION_5_3));
    assert_int_equal(guest_post(&host->guest, &request, sizeof(request)), 0x13);
    guest_collect_offers(&host->guest);
    assert_true(host->guest.offer_count > 0);
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

static void a_delayed_completion_still_comes(void **state)
{
    struct host_process *host = *state;
    struct guest_channel channel;
    host_start_with_storage(host, &channel,
                            (const char *const[]){"--faults", "completion,delay=100000,nth=5",
                                                  NULL});
    guest_blocks(&host->guest, &channel, 0, true, 0, 8, GUEST_BUFFERS);
    guest_blocks(&host->guest, &channel, 0, false, 0, 8, GUEST_BUFFERS);
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

static void disk_errors_reach_the_guest_as_sense(void **state)
{
    struct host_process *host = *state;
    struct guest_channel channel;
    struct storvsc_packet packet;
    const uint8_t cdb[10] = {SCSI_READ_10, [8] = 1};
    host_start_with_storage(host, &channel,
                            (const char *const[]){"--faults", "disk.error=100%", NULL});
    assert_int_equal(guest_execute(&host->guest, &channel, 0, cdb, 10, STORVSC_DATA_IN,
                                   GUEST_BUFFERS, 512, &packet),
                     STORVSC_SRB_STATUS_ERROR | STORVSC_SRB_STATUS_AUTOSENSE_VALID);
    assert_int_equal(packet.srb.sense[2], SCSI_SENSE_MEDIUM_ERROR);
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, host_set_up, host_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_the_guest_writes_is_in_the_file),
        TEST(many_requests_in_flight_all_come_back),
        TEST(each_controller_has_its_own_disks),
        TEST(what_cannot_start_says_why_and_is_exit_1),
        TEST(heartbeat_is_negotiated_and_answered),
        TEST(vmbus_max_refuses_newer_versions),
        TEST(a_vanished_monitor_is_exit_4),
        TEST(a_monitor_that_talks_nonsense_is_exit_5),
        TEST(a_monitor_that_takes_ram_away_is_exit_5),
        TEST(a_guest_that_breaks_a_rule_is_exit_3),
        TEST(sigterm_stops_cleanly),
        TEST(a_crash_reported_by_the_guest_is_exit_6),
        TEST(a_reset_starts_over),
        TEST(a_refused_post_is_refused_once),
        TEST(a_delayed_completion_still_comes),
        TEST(disk_errors_reach_the_guest_as_sense),
    };
    if (getenv("HVHOST") == NULL) {
        puts("1..0 # SKIP HVHOST does not name the program");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
