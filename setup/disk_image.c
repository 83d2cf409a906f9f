/* SPDX-License-Identifier: BSD-3-Clause */
/* Disk images through qemu-img. */
#include "setup/disk_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "setup/child.h"
#include "setup/files.h"
#include "setup/progress.h"
#include "setup/text.h"

enum { BLOCK = 1 << 20 };

const char *disk_format_of(const char *path)
{
    static const char *const formats[][2] = {
        {".vhdx", "vhdx"}, {".vhd", "vpc"}, {".img", "raw"}, {".raw", "raw"}};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot != NULL && i < sizeof formats / sizeof formats[0]; i++) {
        if (strcasecmp(dot, formats[i][0]) == 0) {
            return formats[i][1];
        }
    }
    return NULL;
}

bool disk_is_dense(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    bool dense =
        file >= 0 && fstat(file, &status) == 0 && lseek(file, 0, SEEK_HOLE) >= status.st_size;
    if (file >= 0) {
        close(file);
    }
    return dense;
}

/* Writes every byte, zeros too: a copied hole would make Hyper-V refuse the file (0xC03A001A). */
static bool copy_blocks(int input, int output, uint64_t size, struct setup_error *error)
{
    struct progress progress;
    char *block = allocate(BLOCK);
    bool ok = true;
    progress_start(&progress, "writing", size);
    for (uint64_t done = 0; done < size && ok;) {
        size_t part = size - done < BLOCK ? size - done : BLOCK;
        ok = pread(input, block, part, (off_t)done) == (ssize_t)part &&
             pwrite(output, block, part, (off_t)done) == (ssize_t)part;
        if (!ok) {
            setup_fail(error, "the image cannot be written: %s",
                       strerror(errno == 0 ? EIO : errno));
        }
        if (ok && files_interrupted()) {
            ok = setup_fail(error, "interrupted");
        }
        done += part;
        progress_show(&progress, done);
    }
    progress_end(&progress);
    free(block);
    return ok && (fsync(output) == 0 ||
                  setup_fail(error, "the image cannot be written: %s", strerror(errno)));
}

static bool copy_dense(const char *from, const char *to, struct setup_error *error)
{
    int input = open(from, O_RDONLY | O_CLOEXEC);
    int output = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    struct stat status;
    bool ok = input >= 0 && output >= 0 && fstat(input, &status) == 0
                  ? copy_blocks(input, output, (uint64_t)status.st_size, error)
                  : setup_fail(error, "%s: cannot be written: %s", to, strerror(errno));
    if (input >= 0) {
        close(input);
    }
    if (output >= 0) {
        close(output);
    }
    return ok;
}

static bool convert(const char *raw, const char *format, const char *output,
                    struct setup_error *error)
{
    /* force_size: without it a VHD is rounded up to a cylinder, and the backup partition table is
     * no longer in the last sector. */
    char *options = copy_string(strcmp(format, "vpc") == 0 ? "subformat=dynamic,force_size=on"
                                                           : "subformat=dynamic");
    char *command[] = {"qemu-img",     "convert", "-q",    "-f",        "raw",          "-O",
                       (char *)format, "-o",      options, (char *)raw, (char *)output, NULL};
    char *plain[] = {"qemu-img", "convert", "-q",        "-f",           "raw",
                     "-O",       "raw",     (char *)raw, (char *)output, NULL};
    bool ok = run_program(strcmp(format, "raw") == 0 ? plain : command, error);
    free(options);
    return ok;
}

static bool compare(const char *raw, const char *format, const char *image,
                    struct setup_error *error)
{
    char *command[] = {"qemu-img", "compare",      "-q",        "-f",          "raw",
                       "-F",       (char *)format, (char *)raw, (char *)image, NULL};
    struct setup_error reason;
    bool ok = run_program(command, &reason);
    return ok || setup_fail(error, "the image that was written does not read back the same: %s",
                            reason.text);
}

bool disk_from_raw(const char *raw, const char *output, char **backup, struct setup_error *error)
{
    *backup = NULL;
    const char *format = disk_format_of(output);
    if (format == NULL) {
        return setup_fail(error, "%s: the name must end in .vhdx, .vhd, .img or .raw", output);
    }
    char *parent = path_parent(output);
    char *staging = folder_stage(parent, error);
    free(parent);
    if (staging == NULL) {
        return false;
    }
    char *converted = path_join(staging, "converted");
    char *dense = path_join(staging, "dense");
    bool ok = convert(raw, format, converted, error) && copy_dense(converted, dense, error);
    unlink(converted);
    ok = ok && compare(raw, format, dense, error) && put_in_place(dense, output, backup, error);
    folder_remove(staging);
    free(dense);
    free(converted);
    free(staging);
    return ok;
}

bool disk_to_raw(const char *image, const char *raw, struct setup_error *error)
{
    const char *format = disk_format_of(image);
    if (format == NULL) {
        return setup_fail(error, "%s: the name must end in .vhdx, .vhd, .img or .raw", image);
    }
    char *command[] = {"qemu-img", "convert", "-q",          "-f",        (char *)format,
                       "-O",       "raw",     (char *)image, (char *)raw, NULL};
    return run_program(command, error);
}
