/* SPDX-License-Identifier: BSD-3-Clause */
/* When to look at the screen: at a steady rate while it changes, seldom and only in part while it
 * does not, never while nobody wants to know. No I/O Kit and no clock in here. */
#ifndef KEXT_GRAPHICS_REFRESH_H
#define KEXT_GRAPHICS_REFRESH_H

#include <stdbool.h>
#include <stdint.h>

#define REFRESH_MILLISECONDS       16u  /* between looks: 62 messages a second at most */
#define REFRESH_QUIET_MILLISECONDS 33u  /* between glances */
#define REFRESH_LOOKS_TO_QUIET     8u   /* without a change */

enum refresh_action {
    REFRESH_NOTHING,                    /* until refresh_want */
    REFRESH_LOOK,
    REFRESH_GLANCE
};

struct refresh {
    bool is_wanted;
    uint32_t looks_without_change;
};

/* Somebody wants changes, or nobody does any more. */
void refresh_want(struct refresh *refresh, bool wanted);

/* What is to be done now. */
enum refresh_action refresh_next(const struct refresh *refresh);

/* It has been done; a glance that found something counts when its look has. Returns the time to
 * the next one in milliseconds, 0 for never. */
uint32_t refresh_done(struct refresh *refresh, bool changed);

#endif
