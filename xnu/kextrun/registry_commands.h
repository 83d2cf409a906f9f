/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kextrun set: what a program of the guest's would do to a driver's properties.
 */
#ifndef MACHV_XNU_KEXTRUN_REGISTRY_COMMANDS_H
#define MACHV_XNU_KEXTRUN_REGISTRY_COMMANDS_H

#include "xnu/kextrun/answer.h"

/* CLASS PROPERTY TEXT, or CLASS PROPERTY @FILE for data. `words` is changed. */
void registry_set_command(struct answer *answer, char *words);

#endif
