/* SPDX-License-Identifier: BSD-3-Clause */
/* Which sections of the send buffer are free. The caller serialises all calls. */
#ifndef KEXT_NETWORK_SEND_SECTIONS_H
#define KEXT_NETWORK_SEND_SECTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum { SEND_SECTIONS_MAX = 2560 }; /* 15 MiB of 6144 bytes; what is larger stays unused */
#define SEND_SECTION_NONE UINT32_MAX

struct send_sections {
    uint32_t count;
    uint32_t free_count;
    uint32_t next;           /* where the search begins: just freed ones rest, so mistakes show */
    uint64_t taken[SEND_SECTIONS_MAX / 64];
};

/* All `count` sections free; more than SEND_SECTIONS_MAX are not used. */
void send_sections_init(struct send_sections *sections, uint32_t count);
/* A section's number, or SEND_SECTION_NONE. */
uint32_t send_sections_take(struct send_sections *sections);
/* Gives one back; false, with nothing changed, if it was not taken. */
bool send_sections_give(struct send_sections *sections, uint32_t section);

#endif
