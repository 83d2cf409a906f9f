/* SPDX-License-Identifier: BSD-3-Clause */
/* GUID partition tables (UEFI specification, chapter 5) on raw images with 512-byte sectors. */
#ifndef MACHV_SETUP_GPT_H
#define MACHV_SETUP_GPT_H

#include <stdbool.h>
#include <stdint.h>

#include "setup/error.h"

enum {
    SECTOR = 512,
    GPT_FIRST_SECTOR = 2048, /* where we begin a partition: 1 MiB */
    GPT_TAIL_SECTORS = 33,   /* backup table and header */
};

extern const uint8_t gpt_type_efi[16];
extern const uint8_t gpt_type_hfs[16];
extern const uint8_t gpt_type_apfs[16];

struct gpt_partition {
    uint8_t type[16]; /* as on the disk: the first three fields little-endian */
    uint64_t first;   /* sectors, both included */
    uint64_t last;
};

/* Writes a protective MBR and both tables for one partition onto an open image of that size. */
bool gpt_write(int image, uint64_t sectors, const struct gpt_partition *partition, const char *name,
               struct setup_error *error);

/* Reads the partition of that type, or, when there is none, the first one that holds a FAT volume.
 * Works on an image without a table too, when it is a FAT volume itself. */
bool gpt_find_fat(int image, uint64_t sectors, struct gpt_partition *partition,
                  struct setup_error *error);

/* Whether a valid table is there. */
bool gpt_present(int image, uint64_t sectors);

/* After the image has grown: moves the backup to the new end and lets the table use all of it. */
bool gpt_move_backup(int image, uint64_t sectors, struct setup_error *error);

#endif
