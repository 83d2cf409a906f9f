/* SPDX-License-Identifier: BSD-3-Clause */
/* The built-in machine profiles. */
#include "xnu/iokit/machine_description.h"

/* Where Hyper-V leaves room for devices: below 4 GiB and above all RAM. */
#define LOW_FIRST 0xf8000000u
#define LOW_LAST 0xfebfffffu
#define HIGH_FIRST UINT64_C(0xfe0000000)
#define HIGH_LAST UINT64_C(0xfffffffff)

static const struct machine_device generation_1[] = {
    {.name = "PCI0", .hardware_id = "PNP0A03", .unique_id = "0",
     .windows = {{WINDOW_BUSES, 0, 0xff}, {WINDOW_PORTS, 0, 0xcf7}, {WINDOW_PORTS, 0xd00, 0xffff},
                 {WINDOW_MEMORY, 0xa0000, 0xbffff}, {WINDOW_MEMORY, LOW_FIRST, LOW_LAST},
                 {WINDOW_MEMORY, HIGH_FIRST, HIGH_LAST}},
     .window_count = 6},
    {.name = "VMBS", .hardware_id = "VMBus", .unique_id = "0", .lines = {5, 7}, .line_count = 2},
    {.name = "RTC0", .hardware_id = "PNP0B00",
     .windows = {{WINDOW_PORTS, 0x70, 0x71}}, .window_count = 1, .lines = {8}, .line_count = 1},
    {.name = "PS2K", .hardware_id = "PNP0303", .compatible_id = "PNP030B", .lines = {1},
     .line_count = 1, .windows = {{WINDOW_PORTS, 0x60, 0x60}, {WINDOW_PORTS, 0x64, 0x64}},
     .window_count = 2},
    {.name = "PS2M", .hardware_id = "PNP0F03", .compatible_id = "PNP0F13", .lines = {12},
     .line_count = 1},
    {.name = "UAR1", .hardware_id = "PNP0501", .unique_id = "1", .lines = {4}, .line_count = 1,
     .windows = {{WINDOW_PORTS, 0x3f8, 0x3ff}}, .window_count = 1},
    {.name = "UAR2", .hardware_id = "PNP0501", .unique_id = "2", .lines = {3}, .line_count = 1,
     .windows = {{WINDOW_PORTS, 0x2f8, 0x2ff}}, .window_count = 1},
};

static const struct machine_device generation_2[] = {
    {.name = "VMOD", .hardware_id = "ACPI0004", .unique_id = "0",
     .windows = {{WINDOW_MEMORY, LOW_FIRST, LOW_LAST}, {WINDOW_MEMORY, HIGH_FIRST, HIGH_LAST}},
     .window_count = 2},
    {.name = "VMBS", .parent = "VMOD", .hardware_id = "VMBus", .unique_id = "0", .lines = {5},
     .line_count = 1},
    {.name = "UAR1", .hardware_id = "PNP0501", .unique_id = "1", .lines = {4}, .line_count = 1,
     .windows = {{WINDOW_PORTS, 0x3f8, 0x3ff}}, .window_count = 1},
    {.name = "UAR2", .hardware_id = "PNP0501", .unique_id = "2", .lines = {3}, .line_count = 1,
     .windows = {{WINDOW_PORTS, 0x2f8, 0x2ff}}, .window_count = 1},
};

static const struct machine_description profiles[] = {
    {.generation = 1, .model = "Virtual Machine", .manufacturer = "Microsoft Corporation",
     .devices = generation_1, .device_count = sizeof(generation_1) / sizeof(generation_1[0])},
    {.generation = 2, .model = "Virtual Machine", .manufacturer = "Microsoft Corporation",
     .devices = generation_2, .device_count = sizeof(generation_2) / sizeof(generation_2[0])},
};

const struct machine_description *machine_description(unsigned generation)
{
    return &profiles[generation == 1 ? 0 : 1];
}
