/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration space of a PCI display that is not there. */
#include "kext/graphics/display_config.h"

#define SPACE 256u
#define RANGE_MINIMUM 16u               /* the least that a base address can say */

enum config_register {
    CONFIG_IDENTITY  = 0x00,            /* vendor, device */
    CONFIG_COMMAND   = 0x04,            /* and status: none */
    CONFIG_CLASS     = 0x08,            /* and revision */
    CONFIG_BASE      = 0x10,
    CONFIG_SUBSYSTEM = 0x2C,
    CONFIG_INTERRUPT = 0x3C
};

#define IDENTITY      (DISPLAY_CONFIG_DEVICE << 16 | DISPLAY_CONFIG_VENDOR)
#define CLASS_DISPLAY 0x03000000u       /* VGA compatible, revision 0 */
#define COMMAND_BITS  0x0007u           /* ports, memory, bus master */

uint32_t display_config_make(struct display_config *config, uint64_t address, uint32_t size)
{
    uint32_t range = 1u << 31;

    *config = (struct display_config){ 0 };
    if (address == 0 || address > UINT32_MAX)
        return 0;
    while (range >= RANGE_MINIMUM && (range > size || (address & (range - 1)) != 0))
        range >>= 1;
    if (range < RANGE_MINIMUM)
        return 0;
    config->address = (uint32_t)address;
    config->size = range;
    return range;
}

static uint32_t read_word(const struct display_config *config, uint32_t offset)
{
    switch (offset) {
    case CONFIG_IDENTITY:
    case CONFIG_SUBSYSTEM:
        return IDENTITY;
    case CONFIG_COMMAND:
        return config->command;
    case CONFIG_CLASS:
        return CLASS_DISPLAY;
    case CONFIG_BASE:
        return config->is_sizing ? ~(config->size - 1) : config->address;
    case CONFIG_INTERRUPT:
        return config->interrupt_line;
    default:
        return 0;
    }
}

uint32_t display_config_read(const struct display_config *config, uint32_t offset, uint32_t size)
{
    uint32_t all = size >= 4 ? UINT32_MAX : (1u << 8 * size) - 1;

    if (offset >= SPACE)
        return all;
    return read_word(config, offset & ~3u) >> 8 * (offset & 3) & all;
}

void display_config_write(struct display_config *config, uint32_t offset, uint32_t size,
                          uint32_t value)
{
    if (offset == CONFIG_COMMAND)
        config->command = value & COMMAND_BITS;
    else if (offset == CONFIG_BASE && size == 4)
        config->is_sizing = value == UINT32_MAX;        /* the range itself cannot be moved */
    else if (offset == CONFIG_INTERRUPT)
        config->interrupt_line = (uint8_t)value;
}
