/* SPDX-License-Identifier: BSD-3-Clause */
/* hvctl against a running hvhost with a scripted guest: what it says, what the guest notices. */
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/scsi.h"
#include "tests/unit/host-server/host_process.h"

static char output[65536];

/* Runs hvctl; its standard output and error are in `output`. Returns its exit code. */
static int hvctl(struct host_process *host, const char *arguments)
{
    char command[512];
    snprintf(command, sizeof(command), "%s --control %s %s 2>&1", getenv("HVCTL"), host->control,
             arguments);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t used = fread(output, 1, sizeof(output) - 1, pipe);
    output[used] = '\0';
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The member at "a.b" of what hvctl --json says. */
static struct json_object *member(struct host_process *host, const char *arguments,
                                  const char *name)
{
    static struct json_object *last;
    struct json_object *value;
    char with_json[256];
    snprintf(with_json, sizeof(with_json), "--json %s", arguments);
    assert_int_equal(hvctl(host, with_json), 0);
    json_object_put(last);
    last = json_tokener_parse(output);
    assert_true(json_object_object_get_ex(last, name, &value));
    return value;
}

static void status_tells_the_state_of_the_machine(void **state)
{
    struct host_process *host = *state;
    host_start(host, (const char *const[]){"--release", "ws2016", NULL});
    assert_string_equal(json_object_get_string(member(host, "status", "state")), "off");
    assert_string_equal(json_object_get_string(member(host, "status", "release")),
                        "Windows Server 2016");
    guest_start(&host->guest, host->socket, 2);
    assert_true(guest_contact(&host->guest, VMBUS_VERSION_4_0));
    assert_string_equal(json_object_get_string(member(host, "status", "state")), "running");
    assert_int_equal(json_object_get_int(member(host, "status", "processors")), 2);
    assert_string_equal(json_object_get_string(member(host, "status", "vmbus_version")), "4.0");
    assert_int_equal(hvctl(host, "status"), 0);
    assert_non_null(strstr(output, "running"));
    assert_int_equal(hvctl(host, "heartbeat"), 0);
    assert_non_null(strstr(output, "NoContact"));
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

static void expect_bus_event(struct host_process *host, struct guest_channel *channel)
{
    struct {
        struct vmbus_packet_header header;
        struct storvsc_packet packet;
    } message;
    guest_receive(&host->guest, channel, &message, sizeof(message));
    assert_int_equal(message.header.type, VMBUS_PACKET_IN_BAND);
    assert_int_equal(message.packet.operation, STORVSC_ENUMERATE_BUS);
}

static void disks_come_grow_and_go_while_the_guest_runs(void **state)
{
    struct host_process *host = *state;
    struct guest_channel channel;
    struct storvsc_packet packet;
    const uint8_t ready[6] = {SCSI_TEST_UNIT_READY};
    const uint8_t capacity[10] = {SCSI_READ_CAPACITY_10};
    host_start_with_storage(host, &channel, NULL);
    assert_int_equal(guest_execute(&host->guest, &channel, 7, ready, 6, STORVSC_DATA_NONE, 0, 0,
                                   &packet),
                     STORVSC_SRB_STATUS_INVALID_LUN);
    assert_int_equal(json_object_get_int(member(host, "disk add memory:1M,lun=7", "lun")), 7);
    expect_bus_event(host, &channel);
    guest_blocks(&host->guest, &channel, 7, true, 0, 8, GUEST_BUFFERS);
    assert_int_equal(hvctl(host, "disk resize 0:7 2M"), 0);
    assert_int_equal(guest_execute(&host->guest, &channel, 7, ready, 6, STORVSC_DATA_NONE, 0, 0,
                                   &packet),
                     STORVSC_SRB_STATUS_ERROR | STORVSC_SRB_STATUS_AUTOSENSE_VALID);
    assert_int_equal(packet.srb.sense[12], 0x2a);
    assert_int_equal(guest_execute(&host->guest, &channel, 7, capacity, 10, STORVSC_DATA_IN,
                                   GUEST_BUFFERS, 8, &packet),
                     STORVSC_SRB_STATUS_SUCCESS);
    assert_int_equal(be32_get(host->guest.monitor.ram + GUEST_BUFFERS), 4095);
    assert_int_equal(hvctl(host, "disk list"), 0);
    assert_non_null(strstr(output, "memory:1048576"));
    assert_int_equal(hvctl(host, "disk remove 7"), 0);
    expect_bus_event(host, &channel);
    assert_int_equal(guest_execute(&host->guest, &channel, 7, ready, 6, STORVSC_DATA_NONE, 0, 0,
                                   &packet),
                     STORVSC_SRB_STATUS_INVALID_LUN);
    guest_blocks(&host->guest, &channel, 0, false, 0, 8, GUEST_BUFFERS);
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

static void discs_are_inserted_and_ejected_while_the_guest_runs(void **state)
{
    static const char *const options[] = {"--dvd", "empty,lun=3", NULL};
    struct host_process *host = *state;
    struct guest_channel channel;
    struct storvsc_packet packet;
    const uint8_t ready[6] = {SCSI_TEST_UNIT_READY};
    const uint8_t lock[6] = {SCSI_PREVENT_ALLOW_MEDIUM_REMOVAL, [4] = 1};
    host_start_with_storage(host, &channel, options);
    guest_execute(&host->guest, &channel, 3, ready, 6, STORVSC_DATA_NONE, 0, 0, &packet);
    assert_int_equal(packet.srb.sense[12], 0x3a);
    assert_int_equal(hvctl(host, "dvd eject"), 1);
    assert_non_null(strstr(output, "empty"));
    assert_int_equal(hvctl(host, "dvd insert memory:1M"), 0);
    guest_execute(&host->guest, &channel, 3, ready, 6, STORVSC_DATA_NONE, 0, 0, &packet);
    assert_int_equal(packet.srb.sense[12], 0x28); /* a disc may have been changed */
    assert_int_equal(guest_execute(&host->guest, &channel, 3, ready, 6, STORVSC_DATA_NONE, 0, 0,
                                   &packet),
                     STORVSC_SRB_STATUS_SUCCESS);
    guest_execute(&host->guest, &channel, 3, lock, 6, STORVSC_DATA_NONE, 0, 0, &packet);
    assert_int_equal(hvctl(host, "dvd eject 0:3"), 1);
    assert_non_null(strstr(output, "locked"));
    assert_int_equal(hvctl(host, "dvd insert memory:2M 3"), 1);
    assert_int_equal(hvctl(host, "dvd insert memory:2M 3 --force"), 0);
    assert_int_equal(hvctl(host, "dvd eject --force"), 0);
    guest_execute(&host->guest, &channel, 3, ready, 6, STORVSC_DATA_NONE, 0, 0, &packet);
    assert_int_equal(packet.srb.sense[12], 0x3a);
    assert_int_equal(hvctl(host, "disk resize 3 1M"), 1);
    assert_int_equal(hvctl(host, "disk add memory:1M,lun=3"), 1); /* the drive is there */
    assert_int_equal(hvctl(host, "disk remove 3"), 0);
    expect_bus_event(host, &channel);
    assert_int_equal(hvctl(host, "dvd eject"), 1);
    guest_blocks(&host->guest, &channel, 0, false, 0, 8, GUEST_BUFFERS);
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

static void what_cannot_be_is_refused_in_one_line(void **state)
{
    static const char *const refused[] = {
        "disk add /tmp/no-such-disk.img", "disk add memory:1M,lun=0", "disk add memory:1M,lun=99",
        "disk add memory:1M,controller=3", "disk add memory:7", "disk remove 5", "disk remove 3:0",
        "disk resize 0 7", "disk resize 0 banana",
        "dvd eject", "dvd eject 0", "dvd insert memory:1M", "dvd insert memory:1M 0",
        "faults nonsense=1", "faults message,explode", "faults scsi.sense=6/29@1%",
        "faults scsi.sense=10/29/00@1%", "faults scsi.sense=6/29/00",
    };
    static const char *const misused[] = {"", "dance", "disk", "disk add", "disk remove",
                                          "disk remove x", "dvd insert", "dvd eject 1 2",
                                          "dvd eject --softly", "status now",
                                          "--frobnicate status"};
    struct host_process *host = *state;
    struct guest_channel channel;
    host_start_with_storage(host, &channel, NULL);
    for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (hvctl(host, refused[i]) != 1 || strchr(output, '\n') != output + strlen(output) - 1) {
            fail_msg("%s: %s", refused[i], output);
        }
        guest_blocks(&host->guest, &channel, 0, false, 0, 8, GUEST_BUFFERS);
    }
    for (unsigned i = 0; i < sizeof(misused) / sizeof(misused[0]); i++) {
        if (hvctl(host, misused[i]) != 2) {
            fail_msg("%s: %s", misused[i], output);
        }
    }
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
    assert_int_equal(hvctl(host, "status"), 3); /* nobody there any more */
}

static void faults_are_set_and_cleared_while_the_guest_runs(void **state)
{
    struct host_process *host = *state;
    struct guest_channel channel;
    struct storvsc_packet packet;
    const uint8_t read[10] = {SCSI_READ_10, [8] = 1};
    host_start_with_storage(host, &channel, NULL);
    assert_int_equal(hvctl(host, "faults scsi.busy=100%"), 0);
    assert_int_equal(guest_execute(&host->guest, &channel, 0, read, 10, STORVSC_DATA_IN,
                                   GUEST_BUFFERS, 512, &packet),
                     STORVSC_SRB_STATUS_BUSY);
    assert_int_equal(hvctl(host, "faults clear"), 0);
    assert_int_equal(hvctl(host, "faults scsi.sense=4/44/01@100%"), 0);
    guest_execute(&host->guest, &channel, 0, read, 10, STORVSC_DATA_IN, GUEST_BUFFERS, 512,
                  &packet);
    assert_int_equal(packet.srb.sense[2], 4);
    assert_int_equal(be16_get(packet.srb.sense + 12), 0x4401);
    assert_int_equal(hvctl(host, "faults clear"), 0);
    guest_blocks(&host->guest, &channel, 0, false, 0, 1, GUEST_BUFFERS);
    assert_int_equal(hvctl(host, "faults disk.lost=100%"), 0);
    uint64_t id = guest_srb(&host->guest, &channel, 0, read, 10, STORVSC_DATA_IN, GUEST_BUFFERS,
                            512);
    uint64_t value; /* an exit: the host has seen the request when it is answered */
    assert_int_equal(monitor_rdmsr(&host->guest.monitor, 0, 0x40000002, &value), 0);
    assert_int_equal(hvctl(host, "faults clear"), 0); /* lets the lost ones come back */
    assert_int_equal(guest_completion(&host->guest, &channel, &packet), id);
    assert_int_equal(packet.srb.srb_status, STORVSC_SRB_STATUS_SUCCESS);
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

static void violations_are_listed_with_their_rule(void **state)
{
    struct host_process *host = *state;
    struct guest_channel channel;
    const uint8_t nonsense[64] = {99};
    uint64_t value;
    host_start_with_storage(host, &channel, NULL);
    assert_int_equal(json_object_get_int(member(host, "violations", "total")), 0);
    guest_send(&host->guest, &channel, VMBUS_PACKET_IN_BAND,
               VMBUS_PACKET_FLAG_COMPLETION_REQUESTED, 1, nonsense, sizeof(nonsense));
    assert_int_equal(monitor_rdmsr(&host->guest.monitor, 0, 0x40000002, &value), 0);
    assert_int_equal(json_object_get_int(member(host, "violations", "total")), 1);
    assert_int_equal(hvctl(host, "violations"), 0);
    assert_non_null(strstr(output, "operation code"));
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 3);
}

/* A qemu-nbd of a disk added later ends with the host, also when that is killed. */
static void an_image_added_later_is_let_go_when_the_host_dies(void **state)
{
    struct host_process *host = *state;
    char command[512];
    if (system("command -v qemu-img >/dev/null && command -v qemu-nbd >/dev/null") != 0) {
        skip();
    }
    snprintf(command, sizeof(command), "qemu-img create -q -f qcow2 %s 8M", host->disk);
    assert_int_equal(system(command), 0);
    host_start(host, NULL);
    snprintf(command, sizeof(command), "disk add %s", host->disk);
    assert_int_equal(hvctl(host, command), 0);
    kill(host->process, SIGKILL);
    assert_int_equal(host_exit_code(host), -SIGKILL);
    /* Its lock goes with it: waits for that, then opens the image for writing. */
    snprintf(command, sizeof(command),
             "for i in $(seq 1000); do qemu-io -f qcow2 -c 'write 0 4k' %s >/dev/null 2>&1 && "
             "exit 0; done; exit 1", host->disk);
    assert_int_equal(system(command), 0);
}

/* Events come as lines of JSON to a follower, and with --json-events to the log. */
/* A qemu-nbd that never answers, first in PATH; it writes to the pipe when it runs. */
static void put_silent_qemu_nbd(struct host_process *host)
{
    char command[512], path[512];
    snprintf(command, sizeof(command),
             "cd %s && mkdir bin && mkfifo pipe && printf vhdxfile >slow.vhdx && truncate -s 1M "
             "slow.vhdx && printf '#!/bin/sh\necho >%s/pipe\nexec sleep 1000\n' >bin/qemu-nbd && "
             "chmod 755 bin/qemu-nbd", host->folder, host->folder);
    assert_int_equal(system(command), 0);
    snprintf(path, sizeof(path), "%s/bin:%s", host->folder, getenv("PATH"));
    setenv("PATH", path, 1);
}

static void a_disk_that_does_not_open_holds_nothing_up(void **state)
{
    struct host_process *host = *state;
    struct guest_channel channel;
    char command[512], line[512] = "", path[128];
    put_silent_qemu_nbd(host);
    host_start_with_storage(host, &channel, NULL);
    snprintf(command, sizeof(command), "%s --control %s disk add %s/slow.vhdx 2>&1",
             getenv("HVCTL"), host->control, host->folder);
    FILE *adding = popen(command, "r");
    assert_non_null(adding);
    snprintf(path, sizeof(path), "%s/pipe", host->folder);
    FILE *running = fopen(path, "r"); /* until qemu-nbd is there */
    assert_non_null(running);
    fclose(running);
    assert_int_equal(hvctl(host, "status"), 0);
    guest_blocks(&host->guest, &channel, 0, false, 0, 8, GUEST_BUFFERS);
    assert_int_equal(hvctl(host, "disk add memory:1M"), 0);
    expect_bus_event(host, &channel);
    host_power_off(host);
    assert_non_null(fgets(line, sizeof(line), adding));
    assert_non_null(strstr(line, "the host ends"));
    assert_int_equal(WEXITSTATUS(pclose(adding)), 1);
    assert_int_equal(host_exit_code(host), 0);
    snprintf(command, sizeof(command), "cd %s && rm -r bin pipe slow.vhdx", host->folder);
    assert_int_equal(system(command), 0);
}

static void events_are_followed(void **state)
{
    struct host_process *host = *state;
    char command[256], line[1024];
    host_start(host, (const char *const[]){"--json-events", NULL});
    snprintf(command, sizeof(command), "%s --control %s events", getenv("HVCTL"), host->control);
    FILE *events = popen(command, "r");
    struct pollfd follower = {.fd = fileno(events), .events = POLLIN};
    do { /* until the follower is there */
        assert_int_equal(hvctl(host, "disk add memory:1M,lun=9"), 0);
        assert_int_equal(hvctl(host, "disk remove 9"), 0);
    } while (poll(&follower, 1, 0) == 0);
    assert_non_null(fgets(line, sizeof(line), events));
    struct json_object *event = json_tokener_parse(line), *name;
    assert_true(json_object_object_get_ex(event, "event", &name));
    assert_memory_equal(json_object_get_string(name), "disk-", 5);
    json_object_put(event);
    assert_int_equal(hvctl(host, "stop"), 0);
    pclose(events);
    assert_int_equal(host_exit_code(host), 0);
    FILE *log = fdopen(dup(host->errors), "r");
    unsigned count = 0;
    while (fgets(line, sizeof(line), log) != NULL) {
        event = json_tokener_parse(line);
        assert_true(json_object_object_get_ex(event, "text", &name));
        json_object_put(event);
        count++;
    }
    fclose(log);
    assert_true(count > 0);
}

static void stop_and_reset_reach_the_monitor(void **state)
{
    struct host_process *host = *state;
    struct partition_power power = {0};
    host_start(host, NULL);
    guest_start(&host->guest, host->socket, 1);
    assert_int_equal(hvctl(host, "reset"), 0);
    monitor_receive(&host->guest.monitor, host->guest.monitor.control, &power, sizeof(power), NULL,
                    0, NULL);
    assert_int_equal(power.what, PARTITION_POWER_RESET);
    monitor_power(&host->guest.monitor, PARTITION_POWER_RESET);
    assert_int_equal(hvctl(host, "stop"), 0);
    monitor_receive(&host->guest.monitor, host->guest.monitor.control, &power, sizeof(power), NULL,
                    0, NULL);
    assert_int_equal(power.what, PARTITION_POWER_OFF);
    assert_int_equal(monitor_expect_goodbye(&host->guest.monitor, host->guest.monitor.control,
                                            "hvctl"), 0);
    assert_int_equal(host_exit_code(host), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, host_set_up, host_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(status_tells_the_state_of_the_machine),
        TEST(disks_come_grow_and_go_while_the_guest_runs),
        TEST(discs_are_inserted_and_ejected_while_the_guest_runs),
        TEST(what_cannot_be_is_refused_in_one_line),
        TEST(faults_are_set_and_cleared_while_the_guest_runs),
        TEST(violations_are_listed_with_their_rule),
        TEST(an_image_added_later_is_let_go_when_the_host_dies),
        TEST(a_disk_that_does_not_open_holds_nothing_up),
        TEST(events_are_followed),
        TEST(stop_and_reset_reach_the_monitor),
    };
    if (getenv("HVHOST") == NULL || getenv("HVCTL") == NULL) {
        puts("1..0 # SKIP HVHOST and HVCTL do not name the programs");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
