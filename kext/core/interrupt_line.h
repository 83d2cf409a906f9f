/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of a device's interrupt as I/O Kit knows it: registered, enabled, and whether one came
 * while it was not. Calls are serialised by the caller. */
#ifndef KEXT_CORE_INTERRUPT_LINE_H
#define KEXT_CORE_INTERRUPT_LINE_H

#include <stdbool.h>

struct interrupt_line {
    bool registered;
    bool enabled;
    bool pending;
};

/* Returns false if somebody has it already. It starts disabled, with nothing pending. */
bool interrupt_line_register(struct interrupt_line *line);
void interrupt_line_unregister(struct interrupt_line *line);

/* An interrupt came. Returns true if the handler is to be called; else it is remembered, once. */
bool interrupt_line_raise(struct interrupt_line *line);

/* Returns true if the handler is to be called for one that came before. */
bool interrupt_line_enable(struct interrupt_line *line);
void interrupt_line_disable(struct interrupt_line *line);

#endif
