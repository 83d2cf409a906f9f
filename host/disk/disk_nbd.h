/* SPDX-License-Identifier: BSD-3-Clause */
/* A disk behind an NBD server: a qemu-nbd child for image formats, or any server by URI. */
#ifndef HOST_DISK_DISK_NBD_H
#define HOST_DISK_DISK_NBD_H

#include <stddef.h>

struct disk;
struct disk_engine;
struct disk_options;

/*
 * Opens the image options->path of options->format through a qemu-nbd child process, which locks
 * it. Returns 0 and *disk, or a negative errno and a line in `error`.
 */
int disk_nbd_open_image(struct disk_engine *engine, const struct disk_options *options,
                        struct disk **disk, char *error, size_t error_size);

/* The same for a URI such as nbd://localhost or nbd+unix:///?socket=/run/disk.socket. */
int disk_nbd_open_uri(struct disk_engine *engine, const struct disk_options *options,
                      struct disk **disk, char *error, size_t error_size);

#endif
