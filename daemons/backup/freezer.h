/* SPDX-License-Identifier: BSD-3-Clause */
/* Volumes brought to rest for a backup, and let go again. */
#ifndef DAEMONS_BACKUP_FREEZER_H
#define DAEMONS_BACKUP_FREEZER_H

#include <stdbool.h>
#include <stdint.h>

enum { FREEZER_VOLUMES_MAX = 32 };

struct freezer {
    const char *volumes;        /* paths, separated by ":"; frozen in this order; may be NULL */
    const char *hook;           /* command run with "freeze" or "thaw", or NULL */
    const char *journal;        /* file that is there while something is frozen, or NULL */
    uint64_t limit;             /* nanoseconds that a freeze may last */
    /* What the system does with one open volume; 0 or an errno. ENOTSUP: it cannot freeze, and was
     * only written out. */
    int (*freeze_volume)(int descriptor);
    int (*thaw_volume)(int descriptor);

    bool frozen;
    bool expired;               /* the last freeze ended by its limit */
    uint64_t deadline;          /* daemon_uptime() at which it does */
    int descriptors[FREEZER_VOLUMES_MAX];
    unsigned count;             /* volumes that are really frozen */
};

/* The system's own calls: F_FREEZE_FS on macOS, FIFREEZE on Linux. */
void freezer_init(struct freezer *freezer);

/* Thaws what a daemon that was killed has left frozen, if the journal says that there is
 * something. Before the first freeze. */
void freezer_recover(struct freezer *freezer);

/* Runs the hook, writes everything out, freezes the volumes that can be. IC_STATUS_*; any failure
 * thaws what was frozen. */
uint32_t freezer_freeze(struct freezer *freezer);

/* IC_STATUS_FAIL: the freeze had ended before, so the backup is worth nothing. */
uint32_t freezer_thaw(struct freezer *freezer);

/* Lets go without anybody asking: the host or the service went away. */
void freezer_release(struct freezer *freezer);

/* Milliseconds until the limit, -1: nothing is frozen. At the limit freezer_expire thaws. */
int freezer_wait_ms(const struct freezer *freezer);
void freezer_expire(struct freezer *freezer);

#endif
