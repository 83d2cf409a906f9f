/* SPDX-License-Identifier: BSD-3-Clause */
/* Volumes brought to rest for a backup. */
#include "daemons/backup/freezer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "daemons/common/daemon.h"

#ifdef __linux__
#include <linux/fs.h>
#endif

/* ---- The system ---- */

static int flush_volume(int descriptor)
{
#ifdef __APPLE__
    return fcntl(descriptor, F_FULLFSYNC) == 0 ? 0 : errno;
#else
    return fsync(descriptor) == 0 ? 0 : errno;
#endif
}

static int freeze_volume(int descriptor)
{
    int error = flush_volume(descriptor);

    if (error != 0)
        return error;
#ifdef __APPLE__
    return fcntl(descriptor, F_FREEZE_FS) == 0 ? 0 : ENOTSUP;
#elif defined(__linux__)
    return ioctl(descriptor, FIFREEZE, 0) == 0 ? 0 : errno == EOPNOTSUPP ? ENOTSUP : errno;
#else
    return ENOTSUP;
#endif
}

static int thaw_volume(int descriptor)
{
#ifdef __APPLE__
    return fcntl(descriptor, F_THAW_FS) == 0 ? 0 : errno;
#elif defined(__linux__)
    return ioctl(descriptor, FITHAW, 0) == 0 ? 0 : errno;
#else
    return ENOTSUP;
#endif
}

void freezer_init(struct freezer *freezer)
{
    freezer->freeze_volume = freeze_volume;
    freezer->thaw_volume = thaw_volume;
}

/* ---- The journal ---- */

static int write_journal(const struct freezer *freezer)
{
    int file;

    if (freezer->journal == NULL)
        return 0;
    file = open(freezer->journal, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) {
        daemon_error("%s: %s", freezer->journal, strerror(errno));
        return -1;
    }
    close(file);
    return 0;
}

/* It may be on a volume that was frozen: this is done last. */
static void clear_journal(const struct freezer *freezer)
{
    if (freezer->journal != NULL)
        unlink(freezer->journal);
}

/* ---- Every volume ---- */

/* Calls `each` with every path until one fails. 0, or -1. */
static int for_volumes(struct freezer *freezer, int (*each)(struct freezer *, const char *))
{
    const char *at = freezer->volumes;
    char path[1024];

    while (at != NULL && *at != '\0') {
        size_t length = strcspn(at, ":");

        if (length >= sizeof path)
            return -1;
        memcpy(path, at, length);
        path[length] = '\0';
        if (length > 0 && each(freezer, path) != 0)
            return -1;
        at += length + (at[length] == ':');
    }
    return 0;
}

/* ---- Thawing ---- */

static void thaw_descriptor(struct freezer *freezer, int descriptor)
{
    int error = freezer->thaw_volume(descriptor);

    if (error != 0 && error != EINVAL)
        daemon_error("a volume does not thaw: %s", strerror(error));
    close(descriptor);
}

static void thaw_others(struct freezer *freezer)
{
    if (freezer->hook != NULL && daemon_run(freezer->hook, "thaw", NULL, NULL) != 0)
        daemon_error("the hook failed to thaw");
    clear_journal(freezer);
}

static void let_go(struct freezer *freezer)
{
    while (freezer->count > 0)
        thaw_descriptor(freezer, freezer->descriptors[--freezer->count]);
    thaw_others(freezer);
    freezer->frozen = false;
}

static int thaw_path(struct freezer *freezer, const char *path)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);

    if (descriptor >= 0)
        thaw_descriptor(freezer, descriptor);
    return 0;                           /* the next one all the same */
}

void freezer_recover(struct freezer *freezer)
{
    if (freezer->journal == NULL || access(freezer->journal, F_OK) != 0)
        return;
    for_volumes(freezer, thaw_path);
    thaw_others(freezer);
    daemon_error("thawed what a daemon that was killed had left frozen");
}

/* ---- Freezing ---- */

static int freeze_one(struct freezer *freezer, const char *path)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    int error = descriptor < 0 ? errno : freezer->freeze_volume(descriptor);

    if (error == 0 && freezer->count < FREEZER_VOLUMES_MAX) {
        freezer->descriptors[freezer->count++] = descriptor;
        return 0;
    }
    if (descriptor >= 0)
        close(descriptor);
    if (error == ENOTSUP) {
        daemon_log("%s cannot be frozen and was only written out", path);
        return 0;
    }
    daemon_error("%s: %s", path, error != 0 ? strerror(error) : "too many volumes");
    return -1;
}

uint32_t freezer_freeze(struct freezer *freezer)
{
    if (freezer->frozen)
        return IC_STATUS_FAIL;
    freezer->expired = false;
    if (write_journal(freezer) != 0)
        return IC_STATUS_FAIL;
    if (freezer->hook != NULL && daemon_run(freezer->hook, "freeze", NULL, NULL) != 0) {
        daemon_error("the hook failed to freeze");
        let_go(freezer);
        return IC_STATUS_FAIL;
    }
    sync();
    if (for_volumes(freezer, freeze_one) != 0) {
        let_go(freezer);
        return IC_STATUS_FAIL;
    }
    freezer->frozen = true;
    freezer->deadline = daemon_uptime() + freezer->limit;
    daemon_log("frozen for a backup: %u volumes", freezer->count);
    return IC_STATUS_OK;
}

uint32_t freezer_thaw(struct freezer *freezer)
{
    bool in_time = freezer->frozen;

    if (in_time) {
        let_go(freezer);
        daemon_log("thawed");
    }
    return in_time ? IC_STATUS_OK : IC_STATUS_FAIL;
}

void freezer_release(struct freezer *freezer)
{
    if (freezer->frozen) {
        let_go(freezer);
        daemon_error("thawed without the host: it has gone away");
    }
}

int freezer_wait_ms(const struct freezer *freezer)
{
    uint64_t now = daemon_uptime();

    if (!freezer->frozen)
        return -1;
    return now >= freezer->deadline ? 0 : (int)((freezer->deadline - now + 999999) / 1000000);
}

void freezer_expire(struct freezer *freezer)
{
    if (freezer->frozen) {
        let_go(freezer);
        freezer->expired = true;
        daemon_error("thawed: the host did not come back in time");
    }
}
