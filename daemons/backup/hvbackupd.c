/* SPDX-License-Identifier: BSD-3-Clause */
/* hvbackupd: brings the disks to rest when the host makes a checkpoint or a backup. */
#include "daemons/backup/freezer.h"
#include "daemons/common/daemon.h"

#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_LIMIT "60"
#define DEFAULT_JOURNAL "/var/run/hvbackupd.journal"

static struct freezer freezer = { .journal = DEFAULT_JOURNAL };
static const char *limit = DEFAULT_LIMIT;

static const struct daemon_option options[] = {
    { "--volumes", "PATHS", "volumes to freeze, separated by \":\"", &freezer.volumes },
    { "--hook", "COMMAND", "also run COMMAND with \"freeze\" and \"thaw\"", &freezer.hook },
    { "--limit", "SECONDS", "thaw after so long, whatever happens (default " DEFAULT_LIMIT ")",
      &limit },
    { "--journal", "FILE", "where to note what to thaw after a crash", &freezer.journal },
    { NULL, NULL, NULL, NULL },
};

static int start(void)
{
    char *end;
    long seconds = strtol(limit, &end, 10);

    if (end == limit || *end != '\0' || seconds < 1 || seconds > 3600) {
        daemon_error("--limit %s: 1 to 3600 seconds", limit);
        return 2;
    }
    freezer.limit = (uint64_t)seconds * 1000000000u;
    freezer_init(&freezer);
    freezer_recover(&freezer);
    return 0;
}

static uint32_t request(void *body, uint32_t size, bool *replies)
{
    (void)replies;
    if (size < sizeof(struct ic_vss_header))
        return IC_STATUS_INVALID_ARGUMENT;
    switch (((struct ic_vss_header *)body)->operation) {
    case IC_VSS_HOT_BACKUP: return IC_STATUS_OK;        /* we are here */
    case IC_VSS_FREEZE:     return freezer_freeze(&freezer);
    case IC_VSS_THAW:       return freezer_thaw(&freezer);
    default:                return IC_STATUS_NOT_SUPPORTED;
    }
}

static void reset(void)
{
    freezer_release(&freezer);
}

static int wait_ms(void)
{
    return freezer_wait_ms(&freezer);
}

static void timer(void)
{
    freezer_expire(&freezer);
}

int main(int argc, char **argv)
{
    static const struct daemon_program program = {
        .name = "hvbackupd",
        .control = SERVICE_CONTROL_BACKUP,
        .purpose = "Brings the disks to rest when the Hyper-V host makes a checkpoint.",
        .options = options,
        .start = start,
        .request = request,
        .reset = reset,
        .wait_ms = wait_ms,
        .timer = timer,
    };

    return daemon_main(argc, argv, &program);
}
