/* SPDX-License-Identifier: BSD-3-Clause */
/* ethernet_report.c - the interfaces as text, for kextrun net list. */
#include "xnu/families/network/ethernet_stack.h"

#include "xnu/bsd/format.h"
#include "xnu/machine/stack.h"

enum { LINE_MAX = 256 };

struct report {
    bool json;
    void (*print)(void *context, const char *text, size_t length);
    void *context;
};

static void __attribute__((format(printf, 2, 3)))
say(const struct report *report, const char *format, ...)
{
    char line[LINE_MAX];
    va_list arguments;

    va_start(arguments, format);
    int length = format_string(line, sizeof line, format, arguments);
    va_end(arguments);
    report->print(report->context, line,
                  (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}

static void say_number(const struct report *report, const char *name, uint64_t value)
{
    say(report, report->json ? ",\"%s\":%llu" : "    %s %llu\n", name, (unsigned long long)value);
}

static void say_address(const struct report *report, const char *name, const uint8_t address[4])
{
    say(report, report->json ? ",\"%s\":\"%u.%u.%u.%u\"" : "    %s %u.%u.%u.%u\n", name, address[0],
        address[1], address[2], address[3]);
}

static void say_lease(const struct report *report)
{
    struct machine_stack_lease lease;

    machine_stack_lease(&lease);
    if (!lease.leased)
        return;
    say_address(report, "address", lease.address);
    say_address(report, "mask", lease.mask);
    say_address(report, "router", lease.router);
    say_address(report, "name-server", lease.name_server);
    say_number(report, "lease-seconds", lease.seconds);
}

static void say_head(const struct report *report, const struct ethernet_snapshot *device)
{
    const uint8_t *address = device->address;

    say(report,
        report->json ? "{\"name\":\"%s\",\"mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\",\"link\":\"%s\""
                     : "%s: mac %02x:%02x:%02x:%02x:%02x:%02x, link %s\n",
        device->name, address[0], address[1], address[2], address[3], address[4], address[5],
        device->link ? "up" : "down");
}

/* What the driver counted: IONetworkStats and, as far as a virtual adapter has it, IOEthernetStats.
 */
static void say_statistics(const struct report *report, const struct ethernet_snapshot *device)
{
    const IONetworkStats *statistics = &device->statistics;
    const IOEthernetStats *ethernet = &device->ethernet_statistics;

    say_number(report, "driver-input-packets", statistics->inputPackets);
    say_number(report, "driver-input-errors", statistics->inputErrors);
    say_number(report, "driver-output-packets", statistics->outputPackets);
    say_number(report, "driver-output-errors", statistics->outputErrors);
    say_number(report, "frames-missed", ethernet->dot3StatsEntry.missedFrames);
    say_number(report, "receive-errors", ethernet->dot3StatsEntry.internalMacReceiveErrors);
    say_number(report, "receive-without-memory", ethernet->dot3RxExtraEntry.resourceErrors);
    say_number(report, "receive-bursts", ethernet->dot3RxExtraEntry.interrupts);
    say_number(report, "transmit-errors", ethernet->dot3StatsEntry.internalMacTransmitErrors);
    say_number(report, "transmit-stalls", ethernet->dot3TxExtraEntry.resourceErrors);
}

static void say_device(const struct report *report, const struct ethernet_snapshot *device)
{
    say_head(report, device);
    say_number(report, "speed", device->speed);
    say_number(report, "mtu", device->mtu);
    if (device->unit == 0)
        say_lease(report);
    say_number(report, "input-packets", device->input_frames);
    say_number(report, "input-bytes", device->input_bytes);
    say_number(report, "output-packets", device->output_frames);
    say_number(report, "output-bytes", device->output_bytes);
    say_statistics(report, device);
    if (report->json)
        say(report, "}");
}

void ethernet_report(bool json, void (*print)(void *context, const char *text, size_t length),
                     void *context)
{
    const struct report report = { json, print, context };
    struct ethernet_snapshot device;
    bool first = true;

    if (json)
        say(&report, "[");
    for (unsigned unit = 0; ethernet_take_snapshot(unit, &device); unit = device.unit + 1) {
        if (json && !first)
            say(&report, ",");
        say_device(&report, &device);
        first = false;
    }
    if (json)
        say(&report, "]\n");
}
