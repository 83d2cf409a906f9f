/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kextrun display: what is on the guest's screen, by command.
 */
#ifndef MACHV_XNU_KEXTRUN_DISPLAY_COMMANDS_H
#define MACHV_XNU_KEXTRUN_DISPLAY_COMMANDS_H

#include "xnu/kextrun/answer.h"

/*
 * `words` are those after "display" (they are cut up): "modes", "set WIDTHxHEIGHT" or "draw FILE".
 * On a kernel thread.
 */
void display_command(struct answer *answer, char *words);

#endif
