/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds known boot hangs in a log or in what was typed off the screen. */
#ifndef MACHV_SETUP_DOCTOR_H
#define MACHV_SETUP_DOCTOR_H

#include <stddef.h>

#include "setup/report.h"

/* Adds a finding for each known cause, the likeliest first, and decisions for the versions that the
 * log names. `text` may be UTF-16, and may hold anything. */
void doctor_examine(const char *text, size_t size, struct report *report);

#endif
