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

/* ---- Freezing ---- */

static void let_go(struct freezer *freezer)
{
    while (freezer->count > 0) {
        int descriptor = freezer->descriptors[--freezer->count];
        int error = freezer->thaw_volume(descriptor);

        if (error != 0 && error != EINVAL)
            daemon_error("a volume does not thaw: %s", strerror(error));
        close(descriptor);
    }
    if (freezer->hook != NULL && daemon_run(freezer->hook, "thaw", NULL, NULL) != 0)
        daemon_error("the hook failed to thaw");
    freezer->frozen = false;
}

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

static int freeze_all(struct freezer *freezer)
{
    const char *at = freezer->volumes;
    char path[1024];

    while (at != NULL && *at != '\0') {
        size_t length = strcspn(at, ":");

        if (length >= sizeof path)
            return -1;
        memcpy(path, at, length);
        path[length] = '\0';
        if (length > 0 && freeze_one(freezer, path) != 0)
            return -1;
        at += length + (at[length] == ':');
    }
    return 0;
}

uint32_t freezer_freeze(struct freezer *freezer)
{
    if (freezer->frozen)
        return IC_STATUS_FAIL;
    freezer->expired = false;
    if (freezer->hook != NULL && daemon_run(freezer->hook, "freeze", NULL, NULL) != 0) {
        daemon_error("the hook failed to freeze");
        let_go(freezer);
        return IC_STATUS_FAIL;
    }
    sync();
    if (freeze_all(freezer) != 0) {
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
