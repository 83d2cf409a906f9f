/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file that input events are recorded in: one line an event.
 */
#ifndef MACHV_XNU_MACHINE_INPUT_LOG_H
#define MACHV_XNU_MACHINE_INPUT_LOG_H

#include <stddef.h>

/* Creates the file, or empties it. 0 or a negative errno. */
int machine_input_log_open(const char *path);
void machine_input_log_close(void);

/* Appends a line (\n is added); nothing when no file is open. Any thread that may block. */
void machine_input_log_write(const char *line, size_t length);

#endif
