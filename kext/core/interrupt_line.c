/* SPDX-License-Identifier: BSD-3-Clause */
/* A device's interrupt. */
#include "kext/core/interrupt_line.h"

bool interrupt_line_register(struct interrupt_line *line)
{
    if (line->registered)
        return false;
    *line = (struct interrupt_line){ .registered = true };
    return true;
}

void interrupt_line_unregister(struct interrupt_line *line)
{
    *line = (struct interrupt_line){ .registered = false };
}

bool interrupt_line_raise(struct interrupt_line *line)
{
    line->pending = line->registered && !line->enabled;
    return line->registered && line->enabled;
}

bool interrupt_line_enable(struct interrupt_line *line)
{
    bool call = line->registered && !line->enabled && line->pending;

    line->enabled = line->registered;
    line->pending = false;
    return call;
}

void interrupt_line_disable(struct interrupt_line *line)
{
    line->enabled = false;
}
