/* SPDX-License-Identifier: BSD-3-Clause */
/* EFI disks: our partition table, mtools for the FAT volume, qemu-img for the container. */
#include "setup/efi_image.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "setup/child.h"
#include "setup/disk_image.h"
#include "setup/files.h"
#include "setup/gpt.h"
#include "setup/recovery.h"
#include "setup/text.h"

enum {
    ROOM = 128 << 20, /* beyond the content: logs, and an update of OpenCore */
    SIZE_STEP = 64 << 20,
};

static uint64_t folder_bytes;

static int add_size(const char *path, const struct stat *status, int type)
{
    folder_bytes += (uint64_t)status->st_size + 32768; /* a cluster is lost at most */
    return 0;
}

static uint64_t image_size(const char *efi, const char *recovery)
{
    folder_bytes = 0;
    ftw(efi, add_size, 16);
    if (folder_exists(recovery)) {
        ftw(recovery, add_size, 16);
    }
    return (folder_bytes + ROOM + SIZE_STEP - 1) / SIZE_STEP * SIZE_STEP;
}

/* "raw@@1048576": how mtools names a volume inside an image. */
static char *volume_name(const char *raw, uint64_t first_sector)
{
    return format_string("%s@@%llu", raw, (unsigned long long)first_sector * SECTOR);
}

static bool copy_in(const char *volume, const char *from, struct setup_error *error)
{
    char *command[] = {"mcopy", "-s", "-Q", "-o", "-i", (char *)volume, (char *)from, "::/", NULL};
    return run_program(command, error);
}

static bool format_volume(const char *volume, uint64_t sectors, uint64_t hidden,
                          struct setup_error *error)
{
    char *count = format_string("%llu", (unsigned long long)sectors);
    char *before = format_string("%llu", (unsigned long long)hidden);
    char *command[] = {"mformat", "-i", (char *)volume, "-F",   "-T", count, "-h", "255",
                       "-s",      "63", "-H",           before, "-v", "EFI", "::", NULL};
    bool ok = run_program(command, error);
    free(before);
    free(count);
    return ok;
}

static bool make_raw(const char *raw, uint64_t size, struct setup_error *error)
{
    int image = open(raw, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (image < 0 || ftruncate(image, (off_t)size) != 0) {
        if (image >= 0) {
            close(image);
        }
        return setup_fail(error, "%s: cannot be written: %s", raw, strerror(errno));
    }
    struct gpt_partition partition = {.first = GPT_FIRST_SECTOR,
                                      .last = size / SECTOR - GPT_FIRST_SECTOR - 1};
    memcpy(partition.type, gpt_type_efi, sizeof partition.type);
    bool ok = gpt_write(image, size / SECTOR, &partition, "EFI System Partition", error);
    close(image);
    char *volume = volume_name(raw, partition.first);
    ok = ok && format_volume(volume, partition.last - partition.first + 1, partition.first, error);
    free(volume);
    return ok;
}

bool efi_image_write(const char *folder, const char *image, struct report *report,
                     struct setup_error *error)
{
    char *efi = path_join(folder, "EFI");
    char *recovery = path_join(folder, RECOVERY_FOLDER);
    char *parent = path_parent(image);
    char *staging = folder_stage(parent, error);
    bool ok = staging != NULL;
    if (ok) {
        char *raw = path_join(staging, "disk.raw");
        char *volume = volume_name(raw, GPT_FIRST_SECTOR);
        uint64_t size = image_size(efi, recovery);
        char *backup = NULL;
        ok = make_raw(raw, size, error) && copy_in(volume, efi, error) &&
             (!folder_exists(recovery) || copy_in(volume, recovery, error)) &&
             disk_from_raw(raw, image, &backup, error);
        if (ok) {
            char *value = format_string("%llu MiB", (unsigned long long)size >> 20);
            report_decide(
                report, image, value,
                "GPT, one FAT32 EFI system partition; compared with what was put in; no holes");
            free(value);
        }
        if (backup != NULL) {
            report_decide(report, backup, "backup", "the image as it was before");
        }
        free(backup);
        free(volume);
        free(raw);
        folder_remove(staging);
    }
    free(staging);
    free(parent);
    free(recovery);
    free(efi);
    return ok;
}

static bool find_volume(const char *raw, char **volume, struct setup_error *error)
{
    int image = open(raw, O_RDONLY | O_CLOEXEC);
    struct stat status;
    struct gpt_partition partition;
    bool ok = image >= 0 && fstat(image, &status) == 0
                  ? gpt_find_fat(image, (uint64_t)status.st_size / SECTOR, &partition, error)
                  : setup_fail(error, "%s: %s", raw, strerror(errno));
    if (image >= 0) {
        close(image);
    }
    *volume = ok ? volume_name(raw, partition.first) : NULL;
    return ok;
}

bool efi_image_read(const char *image, const char *folder, struct setup_error *error)
{
    char *raw = path_join(folder, "disk.raw");
    char *volume = NULL;
    struct setup_error reason;
    bool ok = disk_to_raw(image, raw, error);
    if (ok && !find_volume(raw, &volume, &reason)) {
        ok = setup_fail(error, "%s: %s", image, reason.text);
    }
    if (ok) {
        char *command[] = {"mcopy", "-s", "-Q", "-n", "-i", volume, "::/EFI", (char *)folder, NULL};
        ok = run_program(command, &reason) ||
             setup_fail(error, "%s: no EFI folder on it: %s", image, reason.text);
    }
    unlink(raw);
    free(volume);
    free(raw);
    return ok;
}

bool efi_image_update(const char *image, const char *folder, char **backup,
                      struct setup_error *error)
{
    *backup = NULL;
    char *raw = path_join(folder, "disk.raw");
    char *efi = path_join(folder, "EFI");
    char *volume = NULL;
    bool ok = disk_to_raw(image, raw, error) && find_volume(raw, &volume, error) &&
              copy_in(volume, efi, error) && disk_from_raw(raw, image, backup, error);
    unlink(raw);
    free(volume);
    free(efi);
    free(raw);
    return ok;
}
