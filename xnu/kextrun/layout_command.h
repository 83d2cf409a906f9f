/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kextrun layout: the keyboard layout that the guest's user has chosen.
 */
#ifndef MACHV_XNU_KEXTRUN_LAYOUT_COMMAND_H
#define MACHV_XNU_KEXTRUN_LAYOUT_COMMAND_H

#include "xnu/kextrun/answer.h"

/* A file with a layout's text (layouts/layout.h); NULL: Apple's U.S. layout again. */
void layout_command(struct answer *answer, const char *path);

#endif
