/* SPDX-License-Identifier: BSD-3-Clause */
/* From a .dmg to a disk. */
#include "setup/installer_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "setup/disk_image.h"
#include "setup/dmg.h"
#include "setup/files.h"
#include "setup/gpt.h"
#include "setup/recovery.h"
#include "setup/text.h"

enum {
    VOLUME_OFFSET = GPT_FIRST_SECTOR * SECTOR,
    START_SIZE = 4096, /* bytes that say what the disk holds */
};

/* What the sectors hold. */
struct content {
    const char *name;
    const uint8_t *volume_type; /* partition type for a bare volume; NULL for a whole disk */
    bool gpt;
};

static struct content recognise(const uint8_t *start)
{
    if (memcmp(start + 512, "EFI PART", 8) == 0) {
        return (struct content){"a disk with a GUID partition table", NULL, true};
    }
    if (memcmp(start, "ER", 2) == 0 || memcmp(start + 512, "PM", 2) == 0) {
        return (struct content){"a disk with an Apple partition map (OpenCore needs "
                                "OpenPartitionDxe.efi for it)",
                                NULL, false};
    }
    if (memcmp(start + 1024, "H+\0\4", 4) == 0 || memcmp(start + 1024, "HX\0\5", 4) == 0) {
        return (struct content){"a bare HFS+ volume", gpt_type_hfs, false};
    }
    if (memcmp(start + 32, "NXSB", 4) == 0) {
        return (struct content){"a bare APFS container", gpt_type_apfs, false};
    }
    return (struct content){"a disk without a partition table that is known", NULL, false};
}

static uint64_t round_to_mib(uint64_t bytes)
{
    return (bytes + DISK_ALIGNMENT - 1) / DISK_ALIGNMENT * DISK_ALIGNMENT;
}

static bool write_volume(const struct dmg *dmg, int raw, const uint8_t *type,
                         struct setup_error *error)
{
    uint64_t size = round_to_mib(dmg->sectors * SECTOR) + 2 * VOLUME_OFFSET;
    struct gpt_partition partition = {.first = GPT_FIRST_SECTOR,
                                      .last = GPT_FIRST_SECTOR + dmg->sectors - 1};
    memcpy(partition.type, type, sizeof partition.type);
    return (ftruncate(raw, (off_t)size) == 0 ||
            setup_fail(error, "the image cannot be written: %s", strerror(errno))) &&
           dmg_decode(dmg, raw, VOLUME_OFFSET, error) &&
           gpt_write(raw, size / SECTOR, &partition, "macOS installer", error);
}

/* A whole disk, grown to whole MiB: the backup of its partition table goes to the new end. */
static bool write_disk(const struct dmg *dmg, int raw, bool gpt, struct setup_error *error)
{
    uint64_t size = round_to_mib(dmg->sectors * SECTOR);
    return (ftruncate(raw, (off_t)size) == 0 ||
            setup_fail(error, "the image cannot be written: %s", strerror(errno))) &&
           dmg_decode(dmg, raw, 0, error) &&
           (!gpt || size == dmg->sectors * SECTOR || gpt_move_backup(raw, size / SECTOR, error));
}

static bool write_raw(const struct dmg *dmg, const char *path, struct report *report,
                      struct setup_error *error)
{
    uint8_t start[START_SIZE];
    if (!dmg_read_start(dmg, start, sizeof start, error)) {
        return false;
    }
    struct content content = recognise(start);
    report_decide(report, "content", content.name,
                  content.volume_type != NULL
                      ? "a firmware starts from partitions only, so it is put "
                        "into one"
                      : "it stays as it is");
    int raw = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (raw < 0) {
        return setup_fail(error, "%s: cannot be written: %s", path, strerror(errno));
    }
    bool ok = content.volume_type != NULL ? write_volume(dmg, raw, content.volume_type, error)
                                          : write_disk(dmg, raw, content.gpt, error);
    close(raw);
    return ok;
}

static bool verify_recovery(const char *dmg, struct report *report, struct setup_error *error)
{
    char *chunklist = recovery_chunklist(dmg);
    if (chunklist == NULL) {
        return true;
    }
    bool ok = recovery_verify(dmg, chunklist, error);
    if (ok) {
        report_decide(report, "recovery image", "verified",
                      "every piece has the hash of the chunklist");
    }
    free(chunklist);
    return ok;
}

static bool convert(const struct dmg *dmg, const char *output, const char *staging,
                    struct report *report, struct setup_error *error)
{
    char *raw = path_join(staging, "disk.raw");
    char *backup = NULL;
    bool ok = write_raw(dmg, raw, report, error) && disk_from_raw(raw, output, &backup, error);
    if (ok) {
        report_decide(report, output, disk_format_of(output),
                      "whole MiB, no holes; read back and compared with what was decoded");
    }
    if (backup != NULL) {
        report_decide(report, backup, "backup", "the image as it was before");
    }
    free(backup);
    free(raw);
    return ok;
}

bool installer_image(const char *path, const char *output, struct report *report,
                     struct setup_error *error)
{
    struct dmg dmg;
    if (disk_format_of(output) == NULL) {
        return setup_fail(error, "%s: the name must end in .vhdx, .vhd, .img or .raw", output);
    }
    if (!verify_recovery(path, report, error) || !dmg_open(&dmg, path, error)) {
        return false;
    }
    char *size =
        format_string("%s, %llu MiB", dmg.kind, (unsigned long long)dmg.sectors * SECTOR >> 20);
    report_decide(report, path, size,
                  dmg.run_count > 0 ? "decoded to raw sectors" : "raw sectors, as they are");
    free(size);
    char *parent = path_parent(output);
    char *staging = folder_stage(parent, error);
    bool ok = staging != NULL && convert(&dmg, output, staging, report, error);
    if (staging != NULL) {
        folder_remove(staging);
    }
    free(staging);
    free(parent);
    dmg_close(&dmg);
    return ok;
}
