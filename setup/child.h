/* SPDX-License-Identifier: BSD-3-Clause */
/* Running another program, without a shell. */
#ifndef MACHV_SETUP_CHILD_H
#define MACHV_SETUP_CHILD_H

#include <stdbool.h>

#include "setup/error.h"

/* Runs argv[0], found in PATH, with its output thrown away. False: it could not start, or ended
 * with another status than 0; `error` then has its name and the last line that it complained with.
 */
bool run_program(char *const argv[], struct setup_error *error);

#endif
