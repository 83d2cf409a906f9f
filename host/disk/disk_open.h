/* SPDX-License-Identifier: BSD-3-Clause */
/* From what a user typed to an open disk: options, image formats, the right back end. */
#ifndef HOST_DISK_DISK_OPEN_H
#define HOST_DISK_DISK_OPEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk;
struct disk_engine;
struct disk_opening;

enum disk_format {
    DISK_FORMAT_DETECT,
    DISK_FORMAT_RAW,
    DISK_FORMAT_VHD, /* "vpc" in QEMU's words */
    DISK_FORMAT_VHDX,
    DISK_FORMAT_QCOW2,
    DISK_FORMAT_VMDK,
    DISK_FORMAT_VDI,
};

struct disk_options {
    const char *path;        /* or "memory:SIZE", with K, M, G, T */
    enum disk_format format; /* a raw disk whose guest is not trusted: say so, do not detect */
    bool read_only;
    uint32_t block_size; /* 512 or 4096 */
};

/* "raw", "vhd", "vhdx", "qcow2", "vmdk", "vdi" <-> format. Unknown text: -EINVAL. */
int disk_format_from_text(const char *text, enum disk_format *format);
const char *disk_format_text(enum disk_format format);

/*
 * What the first 512 and the last 512 bytes of an image say. Fixed VHDs have their mark at the end
 * only. What has no mark is raw.
 */
enum disk_format disk_format_detect(const uint8_t first[512], const uint8_t last[512]);

/* Sizes as users type them: "512", "64K", "20G". Returns 0, -EINVAL or -ERANGE. */
int disk_size_from_text(const char *text, uint64_t *size);

/*
 * Opens a disk. Returns 0 and *disk, or a negative errno and one line in `error` that names the
 * disk, what is wrong, and the remedy.
 */
int disk_open(struct disk_engine *engine, const struct disk_options *options, struct disk **disk,
              char *error, size_t error_size);

/* How it ended: 0 and the disk, or a negative errno and the line. */
typedef void disk_opened(void *context, int result, struct disk *disk, const char *error);

/*
 * The same without waiting for a server or a child process: `opened` is called once, by
 * disk_engine_run(). Returns what can be cancelled until then; or NULL, when it has been called
 * already.
 */
struct disk_opening *disk_open_begin(struct disk_engine *engine,
                                     const struct disk_options *options, disk_opened *opened,
                                     void *context);

/* `opened` will not be called. */
void disk_opening_cancel(struct disk_opening *opening);

#endif
