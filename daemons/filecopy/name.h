/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of files as the host writes them, checked and taken apart. */
#ifndef DAEMONS_FILECOPY_NAME_H
#define DAEMONS_FILECOPY_NAME_H

#include <stdbool.h>
#include <stddef.h>

enum { FILE_NAME_MAX = 260 * 3 };       /* bytes of UTF-8 that 260 UTF-16 units can become */

/* Turns `count` UTF-16 units, which must have a NUL among them, into UTF-8 in `to` (FILE_NAME_MAX
 * bytes). False: no NUL, nothing before it, or no valid text (a surrogate alone, a
 * control character). */
bool file_name_read(const void *units, size_t count, char *to);

/* Is it one component that can be a file's name: not empty, not "." or "..", no slash? */
bool file_name_is_plain(const char *name);

/* Makes an absolute path of ours of what may have been typed on Windows: "\" becomes "/", a drive
 * letter with its colon goes. False: it is not absolute, or has "." or ".." in it. */
bool file_path_normalise(char *path);

#endif
