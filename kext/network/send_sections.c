/* SPDX-License-Identifier: BSD-3-Clause */
#include "kext/network/send_sections.h"

void send_sections_init(struct send_sections *sections, uint32_t count)
{
    if (count > SEND_SECTIONS_MAX)
        count = SEND_SECTIONS_MAX;
    *sections = (struct send_sections){ .count = count, .free_count = count };
}

uint32_t send_sections_take(struct send_sections *sections)
{
    if (sections->free_count == 0)
        return SEND_SECTION_NONE;
    for (;;) {
        uint32_t section = sections->next;
        uint64_t bit = UINT64_C(1) << section % 64;

        sections->next = section + 1 < sections->count ? section + 1 : 0;
        if ((sections->taken[section / 64] & bit) == 0) {
            sections->taken[section / 64] |= bit;
            sections->free_count--;
            return section;
        }
    }
}

bool send_sections_give(struct send_sections *sections, uint32_t section)
{
    uint64_t bit = UINT64_C(1) << section % 64;

    if (section >= sections->count || (sections->taken[section / 64] & bit) == 0)
        return false;
    sections->taken[section / 64] &= ~bit;
    sections->free_count++;
    return true;
}
