/* SPDX-License-Identifier: BSD-3-Clause */
/* Configuration space of one function. */
#include "kext/pci/config.h"

#define CAPABILITIES_MAXIMUM 48u        /* as many as fit: a loop ends */

void config_begin(struct config *config, const struct vpci_function *function,
                  const struct bars *bars)
{
    *config = (struct config){ .function = *function, .bars = *bars, .bars_changed = true };
}

static bool access_possible(uint32_t offset, uint32_t size)
{
    return (size == 1 || size == 2 || size == 4) && offset < PCI_CONFIG_EXTENDED_SIZE &&
           offset % 4 + size <= 4;
}

/* ---- What is answered here ------------------------------------------------------------------- */

static uint32_t command_bits(const struct config *config)
{
    return config->memory_enabled ? PCI_COMMAND_MEMORY : 0;
}

static uint32_t bar_index(uint32_t offset)
{
    return (offset - PCI_BAR(0)) / 4;
}

/* A whole dword that the function is not asked for. Returns false if it has to be. */
static bool own_dword(const struct config *config, uint32_t offset, uint32_t *value)
{
    const struct vpci_function *function = &config->function;

    if (offset >= PCI_BAR(0) && offset < PCI_BAR(PCI_BARS)) {
        *value = bars_register(&config->bars, bar_index(offset));
        return true;
    }
    switch (offset) {
    case PCI_VENDOR_ID:
        *value = function->vendor | (uint32_t)function->device << 16;
        return true;
    case PCI_REVISION_ID:
        *value = function->revision | (uint32_t)function->programming_interface << 8 |
                 (uint32_t)function->subclass << 16 | (uint32_t)function->base_class << 24;
        return true;
    case PCI_SUBSYSTEM_VENDOR:
        *value = function->subsystem_vendor | (uint32_t)function->subsystem << 16;
        return true;
    case PCI_ROM_BAR:
        *value = bars_register(&config->bars, BARS_ROM) | config->rom_enable;
        return true;
    }
    return false;
}

static uint32_t ones(uint32_t size)
{
    return size == 4 ? UINT32_MAX : (1u << 8 * size) - 1;
}

uint32_t config_read(struct config *config, const struct config_port *port, uint32_t offset,
                     uint32_t size)
{
    uint32_t value, dword = offset & ~3u;

    if (!access_possible(offset, size))
        return ones(size < 4 ? size : 4);
    if (own_dword(config, dword, &value))
        return value >> 8 * (offset % 4) & ones(size);
    value = port->read(port->context, config->function.slot, offset, size) & ones(size);
    if (offset == PCI_COMMAND)
        value = (value & ~PCI_COMMAND_MEMORY) | command_bits(config);
    if (offset <= PCI_HEADER_TYPE && PCI_HEADER_TYPE < offset + size && config->has_siblings)
        value |= PCI_HEADER_MULTIFUNCTION << 8 * (PCI_HEADER_TYPE - offset);
    if (dword == PCI_INTERRUPT_LINE) {  /* there are no interrupt pins: line and pin read 0 */
        uint32_t hidden = 0xffffu >> 8 * (offset % 4);

        value = offset % 4 < 2 ? value & ~hidden : value;
    }
    return value;
}

/* ---- Writing --------------------------------------------------------------------------------- */

static void write_dword(const struct config *config, const struct config_port *port,
                        uint32_t offset, uint32_t value)
{
    port->write(port->context, config->function.slot, offset, 4, value);
}

/* The function must not decode memory now, or it ignores this. */
static void flush_bars(struct config *config, const struct config_port *port)
{
    for (uint32_t i = 0; i < PCI_BARS; i++)
        if (bars_register_mask(&config->bars, i) != 0 || bars_register(&config->bars, i) != 0)
            write_dword(config, port, PCI_BAR(i), bars_register(&config->bars, i));
    if (config->bars.bar[BARS_ROM].present)
        write_dword(config, port, PCI_ROM_BAR,
                    bars_register(&config->bars, BARS_ROM) | config->rom_enable);
    config->bars_changed = false;
}

static void write_command(struct config *config, const struct config_port *port, uint32_t size,
                          uint32_t value)
{
    bool enable = (value & PCI_COMMAND_MEMORY) != 0, first = enable && !config->memory_enabled;

    if (first && config->bars_changed) {
        port->write(port->context, config->function.slot, PCI_COMMAND, size,
                    value & ones(size) & ~PCI_COMMAND_MEMORY);
        flush_bars(config, port);
    }
    config->memory_enabled = enable;
    port->write(port->context, config->function.slot, PCI_COMMAND, size, value & ones(size));
    if (first)      /* the write may be posted: after this, the memory is there */
        (void)port->read(port->context, config->function.slot, PCI_COMMAND, 2);
}

/* Replaces `size` bytes at `offset` of a dword. */
static uint32_t merge(uint32_t old, uint32_t offset, uint32_t size, uint32_t value)
{
    uint32_t shift = 8 * (offset % 4), mask = ones(size) << shift;

    return (old & ~mask) | (value << shift & mask);
}

static void write_bar(struct config *config, uint32_t offset, uint32_t size, uint32_t value)
{
    uint32_t index = bar_index(offset), old = bars_register(&config->bars, index);

    if (config->memory_enabled)
        return;                         /* as at the host */
    bars_write_register(&config->bars, index, merge(old, offset, size, value));
    config->bars_changed |= bars_register(&config->bars, index) != old;
}

static void write_rom(struct config *config, uint32_t offset, uint32_t size, uint32_t value)
{
    uint32_t old = bars_register(&config->bars, BARS_ROM) | config->rom_enable;

    if (config->memory_enabled || !config->bars.bar[BARS_ROM].present)
        return;
    value = merge(old, offset, size, value);
    bars_write_register(&config->bars, BARS_ROM, value);
    config->rom_enable = value & PCI_ROM_ENABLE;
    config->bars_changed |= (bars_register(&config->bars, BARS_ROM) | config->rom_enable) != old;
}

void config_write(struct config *config, const struct config_port *port, uint32_t offset,
                  uint32_t size, uint32_t value)
{
    uint32_t dword = offset & ~3u, unused;

    if (!access_possible(offset, size))
        return;
    if (dword >= PCI_BAR(0) && dword < PCI_BAR(PCI_BARS))
        write_bar(config, offset, size, value);
    else if (dword == PCI_ROM_BAR)
        write_rom(config, offset, size, value);
    else if (offset == PCI_COMMAND)
        write_command(config, port, size, value);
    else if (!own_dword(config, dword, &unused))
        port->write(port->context, config->function.slot, offset, size, value & ones(size));
}

void config_quiesce(struct config *config, const struct config_port *port)
{
    config->memory_enabled = false;
    port->write(port->context, config->function.slot, PCI_COMMAND, 2, PCI_COMMAND_NO_INTX);
}

uint32_t config_find_capability(struct config *config, const struct config_port *port, uint8_t id)
{
    uint32_t offset, header;

    if ((config_read(config, port, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES) == 0)
        return 0;
    offset = config_read(config, port, PCI_CAPABILITIES, 1) & ~3u;
    for (uint32_t i = 0; i < CAPABILITIES_MAXIMUM && offset >= PCI_HEADER_END; i++) {
        header = config_read(config, port, offset, 2);
        if ((header & 0xff) == id)
            return offset;
        offset = header >> 8 & ~3u;
    }
    return 0;
}
