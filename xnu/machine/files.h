/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Host files, for the loader and the catalogue: whole files, bounded.
 */
#ifndef MACHV_XNU_MACHINE_FILES_H
#define MACHV_XNU_MACHINE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads a regular file. On success *data is a new buffer (never NULL, one zero byte is appended
 * beyond *size) that the caller gives back with machine_file_free(). 0, -EFBIG when it is longer
 * than `limit`, -EINVAL when it is not a regular file, or another negative errno.
 */
int machine_file_read(const char *path, size_t limit, uint8_t **data, size_t *size);
void machine_file_free(uint8_t *data);
bool machine_is_directory(const char *path);
/* Text for a negative errno; never NULL. */
const char *machine_error_text(int error);

#endif
