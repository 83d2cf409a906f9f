/* SPDX-License-Identifier: BSD-3-Clause */
/* Assigned PCI functions through the program: --pci, a scripted guest, hvctl pci. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/pci.h"
#include "protocol/pci_test_device.h"
#include "protocol/vmbus_classes.h"
#include "protocol/vpci.h"
#include "tests/unit/host-server/host_process.h"

#define TEST_DEVICE "{\"name\":\"first\",\"model\":\"test\"}"

enum { REGISTERS = 0xf8100000, TABLE = 0xf8200000, VECTOR = 0x61 };
#define BUFFER 0xfe0000000ull
static const uint64_t window = 0xf8000000;
static const struct guid pci_class = VMBUS_CLASS_PCI;

static char output[65536];

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

/* ---- The guest's and the monitor's part ---- */

/* Answers a request for a range, which must be of this type and begin there. */
static void answer_range(struct host_process *host, uint32_t type, uint64_t start)
{
    struct monitor *monitor = &host->guest.monitor;
    union {
        struct partition_header header;
        struct partition_map map;
        struct partition_trap trap;
        uint8_t bytes[256];
    } message;
    int descriptor = -1;
    unsigned count = 0;
    monitor_receive(monitor, monitor->control, &message, sizeof(message), &descriptor, 1, &count);
    if (count > 0) {
        close(descriptor);
    }
    assert_int_equal(message.header.type, type);
    assert_int_equal(message.map.gpa, start); /* the others have it in the same place */
    const struct partition_status_reply reply = {
        {type | PARTITION_REPLY, sizeof(reply), message.header.cookie}, 0};
    monitor_send(monitor->control, &reply, sizeof(reply), -1);
}

static uint64_t guest_read(struct host_process *host, uint64_t address, uint32_t size)
{
    struct monitor *monitor = &host->guest.monitor;
    const struct partition_read read = {{PARTITION_READ, sizeof(read), 5}, address, size, 0};
    struct partition_read_reply reply;
    monitor_send(monitor->processors[0], &read, sizeof(read), -1);
    monitor_receive(monitor, monitor->processors[0], &reply, sizeof(reply), NULL, 0, NULL);
    return reply.value;
}

static void guest_write(struct host_process *host, uint64_t address, uint32_t size, uint64_t value)
{
    const struct partition_write write = {{PARTITION_WRITE, sizeof(write), 6}, address, size, 0,
                                          value};
    monitor_send(host->guest.monitor.processors[0], &write, sizeof(write), -1);
}

static void write_config(struct host_process *host, unsigned offset, uint32_t size, uint32_t value)
{
    guest_write(host, window + VPCI_WINDOW_CONFIG + offset, size, value);
}

/* Sends a message and waits for its completion, whose payload goes to `reply`. */
static void call(struct host_process *host, struct guest_channel *channel, const void *message,
                 size_t size, void *reply, size_t reply_size)
{
    struct {
        struct vmbus_packet_header header;
        uint8_t payload[256];
    } packet;
    const uint64_t id = ++channel->transaction_id;
    guest_send(&host->guest, channel, VMBUS_PACKET_IN_BAND, VMBUS_PACKET_FLAG_COMPLETION_REQUESTED,
               id, message, size);
    do {
        guest_receive(&host->guest, channel, &packet, sizeof(packet));
    } while (packet.header.type != VMBUS_PACKET_COMPLETION);
    assert_int_equal(packet.header.transaction_id, id);
    memcpy(reply, packet.payload, reply_size);
}

static void expect_event(struct host_process *host, struct guest_channel *channel, uint32_t type)
{
    struct {
        struct vmbus_packet_header header;
        uint8_t payload[256];
    } packet;
    uint32_t found;
    guest_receive(&host->guest, channel, &packet, sizeof(packet));
    assert_int_equal(packet.header.type, VMBUS_PACKET_IN_BAND);
    memcpy(&found, packet.payload, sizeof(found));
    assert_int_equal(found, type);
}

/* The bus number `number`, in D0. */
static void enter_d0(struct host_process *host, unsigned number, struct guest_channel *channel)
{
    const struct vpci_query_version query = {VPCI_QUERY_PROTOCOL_VERSION, VPCI_VERSION_1_4};
    const struct vpci_d0_entry entry = {VPCI_D0_ENTRY, 0, window};
    struct {
        struct vmbus_packet_header header;
        uint8_t payload[256];
    } packet;
    struct vpci_version_reply reply;
    guest_open(&host->guest, guest_find_offer(&host->guest, &pci_class, number), channel);
    call(host, channel, &query, sizeof(query), &reply, sizeof(reply));
    assert_int_equal(reply.status, VPCI_STATUS_SUCCESS);
    guest_send(&host->guest, channel, VMBUS_PACKET_IN_BAND, VMBUS_PACKET_FLAG_COMPLETION_REQUESTED,
               ++channel->transaction_id, &entry, sizeof(entry));
    answer_range(host, PARTITION_TRAP, window);
    expect_event(host, channel, VPCI_BUS_RELATIONS_2);
    guest_receive(&host->guest, channel, &packet, sizeof(packet));
    assert_int_equal(packet.header.type, VMBUS_PACKET_COMPLETION);
    assert_memory_equal(packet.payload, "\0\0\0\0", 4);
    guest_write(host, window, 4, 0);
}

static void boot(struct host_process *host)
{
    assert_true(guest_contact(&host->guest, VMBUS_VERSION_5_2)); /* as of 2019 */
    guest_collect_offers(&host->guest);
}

static void start(struct host_process *host, const char *const *arguments)
{
    host_start(host, arguments);
    guest_start(&host->guest, host->socket, 2);
    boot(host);
}

/* The test device's BARs placed and shown. */
static void show_bars(struct host_process *host)
{
    write_config(host, PCI_BAR(0), 4, REGISTERS);
    write_config(host, PCI_BAR(2), 4, 0xe0000000);
    write_config(host, PCI_BAR(3), 4, 0xf);
    write_config(host, PCI_BAR(4), 4, TABLE);
    write_config(host, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    answer_range(host, PARTITION_TRAP, REGISTERS);
    answer_range(host, PARTITION_MAP, BUFFER);
    answer_range(host, PARTITION_TRAP, TABLE);
}

/* ---- Tests ---- */

static void the_test_device_works_through_the_program(void **state)
{
    struct host_process *host = *state;
    struct guest_channel channel;
    struct vpci_create_interrupt_3 create = {
        VPCI_CREATE_INTERRUPT_3, 0, {VECTOR, VPCI_DELIVERY_FIXED, 0, 1, 1, {1}, 0}};
    struct vpci_create_interrupt_reply created;
    start(host, (const char *const[]){"--pci", TEST_DEVICE, NULL});
    enter_d0(host, 0, &channel);
    assert_int_equal(guest_read(host, window + VPCI_WINDOW_CONFIG, 4),
                     PCI_TEST_DEVICE << 16 | PCI_TEST_VENDOR);
    show_bars(host);
    assert_int_equal(guest_read(host, REGISTERS, 4), PCI_TEST_IDENTITY_VALUE);
    call(host, &channel, &create, sizeof(create), &created, sizeof(created));
    assert_int_equal(created.status, VPCI_STATUS_SUCCESS);
    const uint64_t capability = guest_read(host, window + VPCI_WINDOW_CONFIG + PCI_CAPABILITIES, 1);
    write_config(host, (unsigned)capability + PCI_MSIX_CONTROL, 2, PCI_MSIX_ENABLE);
    guest_write(host, TABLE + 16 * 2, 8, created.message.address);
    guest_write(host, TABLE + 16 * 2 + 8, 8, created.message.data);
    guest_write(host, REGISTERS + PCI_TEST_RAISE, 4, 2);
    assert_true(monitor_wait_vector(&host->guest.monitor, 1, VECTOR));
    assert_int_equal(hvctl(host, "pci list"), 0);
    assert_non_null(strstr(output, "1234:6d76"));
    assert_non_null(strstr(output, "in use"));
    assert_int_equal(hvctl(host, "--json pci list"), 0);
    assert_non_null(strstr(output, "\"messages\":1"));
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

static void a_reset_takes_all_away_and_the_next_boot_finds_it(void **state)
{
    struct host_process *host = *state;
    struct guest_channel channel;
    start(host, (const char *const[]){"--pci", TEST_DEVICE, NULL});
    enter_d0(host, 0, &channel);
    show_bars(host);
    monitor_power(&host->guest.monitor, PARTITION_POWER_RESET);
    answer_range(host, PARTITION_TRAP, window); /* off, as the others */
    answer_range(host, PARTITION_TRAP, REGISTERS);
    answer_range(host, PARTITION_UNMAP, BUFFER);
    answer_range(host, PARTITION_TRAP, TABLE);
    guest_set_up(&host->guest);
    boot(host);
    enter_d0(host, 0, &channel);
    assert_int_equal(guest_read(host, window + VPCI_WINDOW_CONFIG + PCI_COMMAND, 2), 0);
    show_bars(host);
    assert_int_equal(guest_read(host, REGISTERS, 4), PCI_TEST_IDENTITY_VALUE);
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

static void functions_are_ejected_and_added(void **state)
{
    struct host_process *host = *state;
    struct guest_channel channel;
    const struct vpci_ejection_complete complete = {VPCI_EJECTION_COMPLETE, 0, 0};
    uint8_t message[256];
    start(host, (const char *const[]){"--pci", TEST_DEVICE, NULL});
    enter_d0(host, 0, &channel);
    assert_int_equal(hvctl(host, "pci eject first"), 0);
    assert_int_equal(hvctl(host, "pci eject first"), 1);
    assert_non_null(strstr(output, "has 60 seconds"));
    expect_event(host, &channel, VPCI_EJECT);
    guest_send(&host->guest, &channel, VMBUS_PACKET_IN_BAND, 0, 0, &complete, sizeof(complete));
    answer_range(host, PARTITION_TRAP, window); /* off */
    uint32_t type;
    guest_message(&host->guest, message, sizeof(message));
    memcpy(&type, message, sizeof(type));
    assert_int_equal(type, VMBUS_MESSAGE_RESCIND_CHANNEL);
    const struct vmbus_message_channel released = {
        .header = {VMBUS_MESSAGE_RELID_RELEASED, 0}, .channel_id = channel.offer.channel_id};
    guest_post(&host->guest, &released, sizeof(released));
    assert_int_equal(hvctl(host, "pci add '" TEST_DEVICE "'"), 0);
    guest_message(&host->guest, message, sizeof(message));
    memcpy(&type, message, sizeof(type));
    assert_int_equal(type, VMBUS_MESSAGE_OFFER_CHANNEL);
    assert_int_equal(hvctl(host, "pci remove first"), 0); /* nobody opened it */
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

static void what_cannot_be_is_refused_in_one_line(void **state)
{
    static const char *const refused[] = {
        "pci add /no/such/file", "pci add '{\"model\":\"toaster\"}'",
        "pci add '" TEST_DEVICE "'", /* the name is taken */
        "pci add '{\"maximum-version\":\"1.4\"}'", /* not this release */
        "pci eject second", "pci eject first:1.0", "pci remove second", "pci remove first:0.1",
        "pci invalidate second", "pci invalidate first:1.0 1",
        "pci restore second", "pci restore first", "pci restore first:1.0",
    };
    static const char *const misused[] = {"pci", "pci add", "pci eject", "pci eject first:",
                                          "pci remove first:20.0", "pci remove first:0.8",
                                          "pci invalidate first x", "pci list now"};
    struct host_process *host = *state;
    start(host, (const char *const[]){"--pci", TEST_DEVICE, "--release", "2019", "--pci",
                                      "{\"model\":\"nvme\",\"disk\":\"memory:1M\"}", NULL});
    assert_int_equal(hvctl(host, "faults disk.error=1%"), 0); /* of the NVMe controller's disk */
    assert_int_equal(hvctl(host, "faults clear"), 0);
    for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (hvctl(host, refused[i]) != 1 || strchr(output, '\n') != output + strlen(output) - 1) {
            fail_msg("%s: %s", refused[i], output);
        }
        assert_int_equal(hvctl(host, "pci invalidate first 3"), 0);
    }
    for (unsigned i = 0; i < sizeof(misused) / sizeof(misused[0]); i++) {
        if (hvctl(host, misused[i]) != 2) {
            fail_msg("%s: %s", misused[i], output);
        }
    }
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 0);
}

static void a_guest_that_breaks_a_rule_is_reported(void **state)
{
    struct host_process *host = *state;
    struct guest_channel channel;
    const struct vpci_slot_message nowhere = {VPCI_QUERY_REQUIREMENTS, 9};
    uint32_t status;
    start(host, (const char *const[]){"--pci", TEST_DEVICE, NULL});
    enter_d0(host, 0, &channel);
    call(host, &channel, &nowhere, sizeof(nowhere), &status, sizeof(status));
    assert_int_equal(status, VPCI_STATUS_BAD_DATA);
    assert_int_equal(hvctl(host, "violations"), 0);
    assert_non_null(strstr(output, "names a slot that has a function"));
    host_power_off(host);
    assert_int_equal(host_exit_code(host), 3);
}

static void releases_without_it_refuse(void **state)
{
    struct host_process *host = *state;
    static const char *const releases[] = {"2008r2", "2012", "2012r2"};
    char command[512];
    for (unsigned i = 0; i < sizeof(releases) / sizeof(releases[0]); i++) {
        snprintf(command, sizeof(command),
                 "%s --socket %s --generation 1 --release %s --pci '{}' 2>&1", getenv("HVHOST"),
                 host->socket, releases[i]);
        FILE *pipe = popen(command, "r");
        size_t used = fread(output, 1, sizeof(output) - 1, pipe);
        output[used] = '\0';
        assert_int_equal(WEXITSTATUS(pclose(pipe)), 2);
        assert_non_null(strstr(output, "assigns no PCI functions to machines; use --release 2016"));
    }
    host_start(host, (const char *const[]){"--release", "2012r2", NULL});
    assert_int_equal(hvctl(host, "pci add '{}'"), 1);
    assert_non_null(strstr(output, "Windows Server 2012 R2 assigns no PCI functions"));
    assert_int_equal(hvctl(host, "stop"), 0);
    assert_int_equal(host_exit_code(host), 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, host_set_up, host_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_test_device_works_through_the_program),
        TEST(a_reset_takes_all_away_and_the_next_boot_finds_it),
        TEST(functions_are_ejected_and_added),
        TEST(what_cannot_be_is_refused_in_one_line),
        TEST(a_guest_that_breaks_a_rule_is_reported),
        TEST(releases_without_it_refuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
