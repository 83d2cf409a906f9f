/* SPDX-License-Identifier: BSD-3-Clause */
/* Files and folders, written so that a reader sees the old state or the new one, never half of it.
 */
#ifndef MACHV_SETUP_FILES_H
#define MACHV_SETUP_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "setup/error.h"

/* Makes the copying functions below stop with an error at the next file; for signal handlers. */
void files_interrupt(void);
bool files_interrupted(void);

/* A link counts as what it points to. */
bool file_exists(const char *path);
bool folder_exists(const char *path);
/* Reads a whole file of at most `limit` bytes. The result ends in a NUL that is not counted; the
 * caller frees it. */
bool file_read(const char *path, size_t limit, char **bytes, size_t *size,
               struct setup_error *error);
/* Writes a new file beside `path`, flushes it, and puts it in the place of `path`. */
bool file_write(const char *path, const void *bytes, size_t size, struct setup_error *error);
bool file_copy(const char *from, const char *to, struct setup_error *error);
/* Copies a folder with everything in it; what exists in `to` is replaced file by file. Symbolic
 * links are refused: a FAT volume has none. */
bool folder_copy(const char *from, const char *to, struct setup_error *error);
bool folder_make(const char *path, struct setup_error *error); /* with those above it */
void folder_remove(const char *path);                          /* with everything in it */

/* A new folder below `parent` to prepare things in. The caller frees the path and removes the
 * folder. */
char *folder_stage(const char *parent, struct setup_error *error);

/* Puts a prepared file or folder in the place of `path`. What was there is kept beside it under the
 * name that is returned in *backup (NULL when there was nothing); the caller frees it. */
bool put_in_place(const char *prepared, const char *path, char **backup, struct setup_error *error);

/* Copies `path` to a dated name beside it; the caller frees the name. */
char *file_backup(const char *path, struct setup_error *error);

char *path_join(const char *folder, const char *name); /* the caller frees it */
/* The folder part of a path, "." when it has none; the caller frees it. */
char *path_parent(const char *path);

/* Calls `visit` for each name in a folder, in the order of the alphabet, until it returns false.
 * False: the folder cannot be read, or `visit` returned false. */
bool folder_list(const char *path, bool (*visit)(const char *name, void *context), void *context);

#endif
