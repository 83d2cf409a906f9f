/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the files of hvkeyboardd: where a layout comes from, and where it goes. */
#ifndef DAEMONS_KEYBOARD_AGENT_H
#define DAEMONS_KEYBOARD_AGENT_H

#include "layouts/layout.h"

#define AGENT_DRIVER "HyperVKeyboard"   /* the class whose property it sets */

/* ---- Where it comes from ---- */

/* A layout's text in a file. 0, or -1 after a line of log. */
int layout_of_file(const char *path, struct layout *layout);

/* ---- Where it goes ---- */

/* Gives a table (protocol/key_layout.h) to the driver; control: the socket of kextrun, on systems
 * other than macOS. 0, or -1 after a line of log. */
int layout_upload(const char *control, const uint8_t *table, size_t size);

/* ---- The session (macOS) ---- */

/* Gives the session's layout to the driver now, whenever another one is chosen, and when a driver
 * comes. Returns only if the system lacks what it takes, after a line of log. */
void session_follow(void);

#endif
