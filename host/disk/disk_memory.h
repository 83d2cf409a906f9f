/* SPDX-License-Identifier: BSD-3-Clause */
/* A disk in memory: for tests, and for a guest whose data may be lost. */
#ifndef HOST_DISK_DISK_MEMORY_H
#define HOST_DISK_DISK_MEMORY_H

#include <stdint.h>

struct disk;
struct disk_engine;

/*
 * Returns a disk of zeros, or NULL (no memory; or a size that is 0 or not whole blocks).
 * block_size is 512 or 4096.
 */
struct disk *disk_memory_open(struct disk_engine *engine, uint64_t size, uint32_t block_size);

/* The contents, for tests to look at: geometry.size bytes. */
uint8_t *disk_memory_bytes(struct disk *disk);

#endif
