/* SPDX-License-Identifier: BSD-3-Clause */
/* Detects the image format and opens a disk with the back end that understands it. */
#include "host/disk/disk_open.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/disk/disk.h"
#include "host/disk/disk_file.h"
#include "host/disk/disk_memory.h"
#include "host/disk/disk_nbd.h"

static const char *const format_texts[] = {
    [DISK_FORMAT_DETECT] = "detect", [DISK_FORMAT_RAW] = "raw",     [DISK_FORMAT_VHD] = "vhd",
    [DISK_FORMAT_VHDX] = "vhdx",     [DISK_FORMAT_QCOW2] = "qcow2", [DISK_FORMAT_VMDK] = "vmdk",
    [DISK_FORMAT_VDI] = "vdi",
};
enum { FORMAT_COUNT = sizeof(format_texts) / sizeof(format_texts[0]) };

int disk_format_from_text(const char *text, enum disk_format *format)
{
    for (unsigned i = 0; i < FORMAT_COUNT; i++) {
        if (strcmp(text, format_texts[i]) == 0) {
            *format = (enum disk_format)i;
            return 0;
        }
    }
    if (strcmp(text, "vpc") == 0) {
        *format = DISK_FORMAT_VHD;
        return 0;
    }
    return -EINVAL;
}

const char *disk_format_text(enum disk_format format)
{
    return (unsigned)format < FORMAT_COUNT ? format_texts[format] : "unknown";
}

enum disk_format disk_format_detect(const uint8_t first[512], const uint8_t last[512])
{
    static const uint8_t vdi_mark[4] = {0x7f, 0x10, 0xda, 0xbe};
    if (memcmp(first, "vhdxfile", 8) == 0) {
        return DISK_FORMAT_VHDX;
    }
    if (memcmp(first, "QFI\xfb", 4) == 0) {
        return DISK_FORMAT_QCOW2;
    }
    if (memcmp(first, "conectix", 8) == 0 || memcmp(last, "conectix", 8) == 0) {
        return DISK_FORMAT_VHD;
    }
    if (memcmp(first, "KDMV", 4) == 0 || memcmp(first, "# Disk DescriptorFile", 21) == 0) {
        return DISK_FORMAT_VMDK;
    }
    if (memcmp(first + 64, vdi_mark, sizeof(vdi_mark)) == 0) {
        return DISK_FORMAT_VDI;
    }
    return DISK_FORMAT_RAW;
}

int disk_size_from_text(const char *text, uint64_t *size)
{
    static const char units[] = "KMGT";
    char *end;
    if (!isdigit((unsigned char)text[0])) {
        return -EINVAL;
    }
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    unsigned shift = 0;
    if (*end != '\0') {
        const char *unit = strchr(units, toupper((unsigned char)*end));
        if (unit == NULL || end[1] != '\0') {
            return -EINVAL;
        }
        shift = 10 * (unsigned)(unit - units + 1);
    }
    if (errno != 0 || number > UINT64_MAX >> shift) {
        return -ERANGE;
    }
    *size = (uint64_t)number << shift;
    return 0;
}

/* A file that cannot be read is "raw": opening it says what is wrong. */
static enum disk_format detect_file(const char *path)
{
    uint8_t first[512] = {0}, last[512] = {0};
    enum disk_format format = DISK_FORMAT_RAW;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        return format;
    }
    struct stat status;
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
        pread(descriptor, first, sizeof(first), 0) > 0) {
        off_t end = status.st_size - (off_t)sizeof(last);
        if (end < 0 || pread(descriptor, last, sizeof(last), end) < 0) {
            memset(last, 0, sizeof(last));
        }
        format = disk_format_detect(first, last);
    }
    close(descriptor);
    return format;
}

static bool is_memory(const char *path)
{
    return strncmp(path, "memory:", strlen("memory:")) == 0;
}

static int open_memory(struct disk_engine *engine, const struct disk_options *options,
                       struct disk **disk, char *error, size_t error_size)
{
    uint64_t size;
    if (disk_size_from_text(options->path + strlen("memory:"), &size) != 0 || size == 0 ||
        size % options->block_size != 0) {
        snprintf(error, error_size,
                 "disk %s: the size must be whole blocks of %u bytes, for example memory:64M",
                 options->path, options->block_size);
        return -EINVAL;
    }
    *disk = disk_memory_open(engine, size, options->block_size);
    if (*disk == NULL) {
        snprintf(error, error_size, "disk %s: not enough memory", options->path);
        return -ENOMEM;
    }
    (*disk)->geometry.read_only = options->read_only;
    return 0;
}

/* What the options mean: checks them, and finds the format. `chosen` has it. */
static int choose(const struct disk_options *options, struct disk_options *chosen, char *error,
                  size_t error_size)
{
    *chosen = *options;
    if (options->block_size != 512 && options->block_size != 4096) {
        snprintf(error, error_size, "disk %s: block size %u; it must be 512 or 4096",
                 options->path, options->block_size);
        return -EINVAL;
    }
    if (chosen->format == DISK_FORMAT_DETECT && !is_memory(options->path) &&
        !disk_nbd_is_uri(options->path)) {
        chosen->format = detect_file(options->path);
    }
    return 0;
}

/* Is there somebody else to wait for? */
static bool needs_server(const struct disk_options *chosen)
{
    return !is_memory(chosen->path) &&
           (disk_nbd_is_uri(chosen->path) || chosen->format != DISK_FORMAT_RAW);
}

static int open_here(struct disk_engine *engine, const struct disk_options *chosen,
                     struct disk **disk, char *error, size_t error_size)
{
    return is_memory(chosen->path) ? open_memory(engine, chosen, disk, error, error_size)
                                   : disk_file_open(engine, chosen, disk, error, error_size);
}

int disk_open(struct disk_engine *engine, const struct disk_options *options, struct disk **disk,
              char *error, size_t error_size)
{
    struct disk_options chosen;
    int result = choose(options, &chosen, error, error_size);
    if (result != 0) {
        return result;
    }
    return needs_server(&chosen) ? disk_nbd_open(engine, &chosen, disk, error, error_size)
                                 : open_here(engine, &chosen, disk, error, error_size);
}

struct disk_opening *disk_open_begin(struct disk_engine *engine,
                                     const struct disk_options *options, disk_opened *opened,
                                     void *context)
{
    struct disk_options chosen;
    struct disk *disk = NULL;
    char error[1024] = "";
    int result = choose(options, &chosen, error, sizeof(error));
    if (result == 0 && needs_server(&chosen)) {
        return disk_nbd_begin(engine, &chosen, opened, context);
    }
    if (result == 0) {
        result = open_here(engine, &chosen, &disk, error, sizeof(error));
    }
    opened(context, result, disk, error);
    return NULL;
}
