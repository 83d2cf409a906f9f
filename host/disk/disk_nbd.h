/* SPDX-License-Identifier: BSD-3-Clause */
/* A disk behind an NBD server: a qemu-nbd child for image formats, or any server by URI. */
#ifndef HOST_DISK_DISK_NBD_H
#define HOST_DISK_DISK_NBD_H

#include "host/disk/disk_open.h"

/* "nbd://localhost", "nbd+unix:///?socket=/run/disk.socket" and the like, or else an image. */
bool disk_nbd_is_uri(const char *path);

/*
 * Opens the server of a URI, or the image options->path of options->format through a qemu-nbd
 * child process, which locks it. Returns 0 and *disk, or a negative errno and a line in `error`.
 */
int disk_nbd_open(struct disk_engine *engine, const struct disk_options *options,
                  struct disk **disk, char *error, size_t error_size);

/* The same as disk_open_begin(). */
struct disk_opening *disk_nbd_begin(struct disk_engine *engine,
                                    const struct disk_options *options, disk_opened *opened,
                                    void *context);

#endif
