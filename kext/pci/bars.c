/* SPDX-License-Identifier: BSD-3-Clause */
/* Base addresses of a function. */
#include "kext/pci/bars.h"

#define ABOVE_32 (~(uint64_t)UINT32_MAX)

/* The lowest bit that can be set is the size; the mask must have all bits above it, too. 0: not so,
 * or not a size that can be. */
static uint64_t size_of_mask(uint64_t mask)
{
    uint64_t size = mask & (0 - mask);

    if (mask == 0 || mask + size != 0 || size > BAR_SIZE_MAXIMUM)
        return 0;
    return size < BAR_SIZE_MINIMUM ? BAR_SIZE_MINIMUM : size;
}

/* Of a register of 32 bits: without an address bit it is no range, not one of 4 GiB. */
static uint64_t size_of_narrow_mask(uint32_t mask)
{
    return mask == 0 ? 0 : size_of_mask(mask | ABOVE_32);
}

static bool read_memory(struct bar *bar, uint32_t low, uint32_t high)
{
    uint32_t mask = low & ~PCI_BAR_ATTRIBUTES;

    bar->fixed = low & PCI_BAR_ATTRIBUTES;
    bar->wide = (low & PCI_BAR_TYPE) == PCI_BAR_64;
    bar->prefetchable = (low & PCI_BAR_PREFETCHABLE) != 0;
    bar->size = bar->wide ? size_of_mask(mask | (uint64_t)high << 32) : size_of_narrow_mask(mask);
    bar->present = bar->size != 0;
    return bar->present;
}

uint32_t bars_read(struct bars *bars, const uint32_t masks[PCI_BARS], uint32_t rom_mask)
{
    *bars = (struct bars){ .refused = 0 };
    for (uint32_t i = 0; i < PCI_BARS; i++) {
        bool wide = (masks[i] & (PCI_BAR_TYPE | PCI_BAR_PORT)) == PCI_BAR_64;
        struct bar bar = { .present = false };

        if (masks[i] == 0)
            continue;
        if ((masks[i] & PCI_BAR_PORT) != 0 || (wide && i + 1 == PCI_BARS) ||
            !read_memory(&bar, masks[i], wide ? masks[i + 1] : 0))
            bars->refused++;
        else
            bars->bar[i] = bar;
        i += wide;                      /* its upper half, of no meaning of its own */
    }
    if (rom_mask != 0) {
        struct bar *rom = &bars->bar[BARS_ROM];

        rom->size = size_of_narrow_mask(rom_mask & ~PCI_ROM_ATTRIBUTES);
        rom->present = rom->size != 0;
        bars->refused += !rom->present;
    }
    return bars->refused;
}

uint32_t bars_placing_order(const struct bars *bars, uint8_t order[BARS_COUNT])
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < BARS_COUNT; i++) {
        uint32_t at = count;

        if (!bars->bar[i].present)
            continue;
        for (; at > 0 && bars->bar[order[at - 1]].size < bars->bar[i].size; at--)
            order[at] = order[at - 1];
        order[at] = (uint8_t)i;
        count++;
    }
    return count;
}

int bars_place(struct bars *bars, uint32_t index, uint64_t address)
{
    struct bar *bar;

    if (index >= BARS_COUNT || !bars->bar[index].present)
        return HV_ERROR_INVALID;
    bar = &bars->bar[index];
    if (address % bar->size != 0 || address > bar_highest(bar) - (bar->size - 1))
        return HV_ERROR_INVALID;
    bar->address = address;
    return 0;
}

/* The wide range whose upper half this register is, or NULL. */
static struct bar *upper_half_of(const struct bars *bars, uint32_t index)
{
    if (index == 0 || index >= PCI_BARS || !bars->bar[index - 1].present ||
        !bars->bar[index - 1].wide)
        return NULL;
    return (struct bar *)&bars->bar[index - 1];
}

uint32_t bars_register(const struct bars *bars, uint32_t index)
{
    const struct bar *below = upper_half_of(bars, index);

    if (below != NULL)
        return (uint32_t)(below->address >> 32);
    if (index >= BARS_COUNT || !bars->bar[index].present)
        return 0;
    return (uint32_t)bars->bar[index].address | bars->bar[index].fixed;
}

uint32_t bars_register_mask(const struct bars *bars, uint32_t index)
{
    const struct bar *below = upper_half_of(bars, index);

    if (below != NULL)
        return (uint32_t)(~(below->size - 1) >> 32);
    if (index >= BARS_COUNT || !bars->bar[index].present)
        return 0;
    return (uint32_t)~(bars->bar[index].size - 1);
}

void bars_write_register(struct bars *bars, uint32_t index, uint32_t value)
{
    struct bar *below = upper_half_of(bars, index);

    value &= bars_register_mask(bars, index);
    if (below != NULL)
        below->address = (below->address & UINT32_MAX) | (uint64_t)value << 32;
    else if (index < BARS_COUNT && bars->bar[index].present)
        bars->bar[index].address =
            (bars->bar[index].address & ~(uint64_t)UINT32_MAX) | value;
}
