/* SPDX-License-Identifier: BSD-3-Clause */
/* When to look at the screen. */
#include "kext/graphics/refresh.h"

static bool is_quiet(const struct refresh *refresh)
{
    return refresh->looks_without_change >= REFRESH_LOOKS_TO_QUIET;
}

void refresh_want(struct refresh *refresh, bool wanted)
{
    refresh->is_wanted = wanted;
    refresh->looks_without_change = 0;
}

enum refresh_action refresh_next(const struct refresh *refresh)
{
    if (!refresh->is_wanted)
        return REFRESH_NOTHING;
    return is_quiet(refresh) ? REFRESH_GLANCE : REFRESH_LOOK;
}

uint32_t refresh_done(struct refresh *refresh, bool changed)
{
    if (!refresh->is_wanted)
        return 0;
    if (changed)
        refresh->looks_without_change = 0;
    else if (!is_quiet(refresh))
        refresh->looks_without_change++;
    return is_quiet(refresh) ? REFRESH_QUIET_MILLISECONDS : REFRESH_MILLISECONDS;
}
