/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pci_bench SOCKET: a scripted guest on an hvhost that has test devices assigned. Prints a line a
 * figure, with tabs: name, value. The guest's processor and the host are two processes, so each
 * exit is a round trip over the partition socket; what an exit costs that does nothing is told too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/pci.h"
#include "protocol/pci_test_device.h"
#include "protocol/vmbus_classes.h"
#include "protocol/vpci.h"
#include "tests/unit/host-server/guest.h"

enum { BUSES_MAX = 16, ROUNDS = 20000, INTERRUPT_ROUNDS = 5000, BURST = 65536, VECTOR = 0x61 };

#define WINDOW 0xf8000000ull
#define REGISTERS 0xf9000000ull
#define TABLE 0xf9100000ull
#define NOWHERE 0xfa000000ull /* no device is there */

static const struct guid pci_class = VMBUS_CLASS_PCI;

static struct guest guest;
static struct guest_channel channels[BUSES_MAX];

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void print(const char *name, double value)
{
    printf("%s\t%.2f\n", name, value);
}

/* ---- The guest's and the monitor's part ---- */

static uint64_t read_space(uint64_t address, uint32_t size)
{
    struct monitor *monitor = &guest.monitor;
    const struct partition_read read = {{PARTITION_READ, sizeof(read), 5}, address, size, 0};
    struct partition_read_reply reply;
    monitor_send(monitor->processors[0], &read, sizeof(read), -1);
    monitor_receive(monitor, monitor->processors[0], &reply, sizeof(reply), NULL, 0, NULL);
    return reply.value;
}

static void write_space(uint64_t address, uint32_t size, uint64_t value)
{
    const struct partition_write write = {{PARTITION_WRITE, sizeof(write), 6}, address, size, 0,
                                          value};
    monitor_send(guest.monitor.processors[0], &write, sizeof(write), -1);
}

/* Answers a request of the host's for a range: it is done. */
static void answer_range(void)
{
    uint8_t message[256];
    struct partition_header header;
    int descriptor = -1;
    unsigned count = 0;
    monitor_receive(&guest.monitor, guest.monitor.control, message, sizeof(message), &descriptor,
                    1, &count);
    if (count > 0) {
        close(descriptor);
    }
    memcpy(&header, message, sizeof(header));
    const struct partition_status_reply reply = {
        {header.type | PARTITION_REPLY, sizeof(reply), header.cookie}, 0};
    monitor_send(guest.monitor.control, &reply, sizeof(reply), -1);
}

/* Sends a request; if the host asks for ranges on the way, they are had. */
static void call(struct guest_channel *channel, const void *message, size_t size, unsigned ranges,
                 void *reply, size_t reply_size)
{
    struct {
        struct vmbus_packet_header header;
        uint8_t payload[256];
    } packet;
    guest_send(&guest, channel, VMBUS_PACKET_IN_BAND, VMBUS_PACKET_FLAG_COMPLETION_REQUESTED,
               ++channel->transaction_id, message, size);
    for (; ranges > 0; ranges--) {
        answer_range();
    }
    do {
        guest_receive(&guest, channel, &packet, sizeof(packet));
    } while (packet.header.type != VMBUS_PACKET_COMPLETION);
    memcpy(reply, packet.payload, reply_size);
}

/* What a driver does until a function can be published: version, D0, requirements, identity. */
static void publish(unsigned number)
{
    struct guest_channel *channel = &channels[number];
    const struct vpci_query_version query = {VPCI_QUERY_PROTOCOL_VERSION, VPCI_VERSION_1_4};
    const struct vpci_d0_entry entry = {VPCI_D0_ENTRY, 0, WINDOW + number * VPCI_WINDOW_SIZE};
    const struct vpci_slot_message requirements = {VPCI_QUERY_REQUIREMENTS, 0};
    struct vpci_requirements_reply masks;
    uint32_t status;
    guest_open(&guest, guest_find_offer(&guest, &pci_class, number), channel);
    call(channel, &query, sizeof(query), 0, &status, sizeof(status));
    call(channel, &entry, sizeof(entry), 1, &status, sizeof(status));
    call(channel, &requirements, sizeof(requirements), 0, &masks, sizeof(masks));
    write_space(entry.window, 4, 0);
    if (read_space(entry.window + VPCI_WINDOW_CONFIG, 2) != PCI_TEST_VENDOR) {
        fprintf(stderr, "pci_bench: bus %u has no test device\n", number);
        exit(1);
    }
}

static void write_config(unsigned offset, uint32_t size, uint32_t value)
{
    write_space(WINDOW + VPCI_WINDOW_CONFIG + offset, size, value);
}

/* BARs placed, vector 0 of MSI-X to VECTOR of processor 1. */
static void set_up_interrupts(void)
{
    const struct vpci_create_interrupt_3 create = {
        VPCI_CREATE_INTERRUPT_3, 0, {VECTOR, VPCI_DELIVERY_FIXED, 0, 1, 1, {1}, 0}};
    struct vpci_create_interrupt_reply created;
    write_config(PCI_BAR(0), 4, REGISTERS);
    write_config(PCI_BAR(2), 4, 0xe0000000);
    write_config(PCI_BAR(3), 4, 0xf);
    write_config(PCI_BAR(4), 4, TABLE);
    write_config(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    for (unsigned i = 0; i < 3; i++) {
        answer_range();
    }
    call(&channels[0], &create, sizeof(create), 0, &created, sizeof(created));
    write_config((unsigned)read_space(WINDOW + VPCI_WINDOW_CONFIG + PCI_CAPABILITIES, 1) +
                     PCI_MSIX_CONTROL, 2, PCI_MSIX_ENABLE);
    write_space(TABLE, 8, created.message.address);
    write_space(TABLE + 8, 8, created.message.data);
}

/* ---- Measurements ---- */

static double read_latency_us(uint64_t address, uint32_t size)
{
    const double begin = now_us();
    for (unsigned i = 0; i < ROUNDS; i++) {
        read_space(address, size);
    }
    return (now_us() - begin) / ROUNDS;
}

/* Bare exits and configuration reads in turns: what disturbs one disturbs the other. */
static void measure_reads(void)
{
    double bare = 0, config = 0;
    enum { TURNS = 5 };
    for (unsigned i = 0; i < TURNS; i++) {
        bare += read_latency_us(NOWHERE, 4);
        config += read_latency_us(WINDOW + VPCI_WINDOW_CONFIG, 4);
    }
    print("bare_exit_us", bare / TURNS);
    print("config_read_us", config / TURNS);
}

static void measure_interrupts(void)
{
    double begin = now_us();
    for (unsigned i = 0; i < INTERRUPT_ROUNDS; i++) {
        write_space(REGISTERS + PCI_TEST_RAISE, 4, 0);
        monitor_wait_vector(&guest.monitor, 1, VECTOR);
    }
    print("interrupt_us", (now_us() - begin) / INTERRUPT_ROUNDS);
    begin = now_us();
    write_space(REGISTERS + PCI_TEST_BURST, 4, (uint64_t)BURST << 8);
    /* The read is answered behind the burst. */
    if (read_space(REGISTERS + PCI_TEST_INTERRUPTS, 4) != INTERRUPT_ROUNDS + BURST) {
        fputs("pci_bench: the device has sent another number of messages\n", stderr);
        exit(1);
    }
    print("messages_per_second", BURST / (now_us() - begin) * 1e6);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: pci_bench SOCKET\n", stderr);
        return 2;
    }
    guest_start(&guest, argv[1], 2);
    if (!guest_contact(&guest, VMBUS_VERSION_5_3)) {
        fputs("pci_bench: the host refuses version 5.3\n", stderr);
        return 1;
    }
    guest_collect_offers(&guest);
    unsigned count = 0;
    while (count < BUSES_MAX && guest_find_offer(&guest, &pci_class, count) != NULL) {
        count++;
    }
    const double begin = now_us();
    for (unsigned i = 0; i < count; i++) {
        publish(i);
    }
    print("buses", count);
    print("publish_us", now_us() - begin);
    measure_reads();
    set_up_interrupts();
    measure_interrupts();
    monitor_power(&guest.monitor, PARTITION_POWER_OFF);
    monitor_goodbye(&guest.monitor, 0, "done");
    return 0;
}
