/* SPDX-License-Identifier: BSD-3-Clause */
/* A disk whose contents are a file or block device, byte for byte, moved by io_uring. */
#ifndef HOST_DISK_DISK_FILE_H
#define HOST_DISK_DISK_FILE_H

#include <stddef.h>
#include <stdint.h>

struct disk;
struct disk_engine;
struct disk_options;

/*
 * Opens and locks the file: many readers, or one writer (open file description locks, which QEMU
 * respects too). Returns 0 and *disk, or a negative errno with a line of text in `error`: what is
 * wrong with which file, and what to do.
 */
int disk_file_open(struct disk_engine *engine, const struct disk_options *options,
                   struct disk **disk, char *error, size_t error_size);

#endif
