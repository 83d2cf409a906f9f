/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kext tools demand of the files of an installed kext: owner, modes, links (OSKext.c:
 * authentication). */
#include "match/lint.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void check_status(const struct lint_place *place, const char *path,
                         const struct stat *status)
{
    const struct lint_options *options = place->options;

    if (status->st_uid != options->owner || status->st_gid != options->group)
        lint_report_file(place, LINT_FILE_OWNER, path, "owner is %u:%u, must be %u:%u",
                         (unsigned)status->st_uid, (unsigned)status->st_gid,
                         (unsigned)options->owner, (unsigned)options->group);
    if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        lint_report_file(place, LINT_FILE_MODE, path,
                         "mode is %04o: group and others must not write",
                         (unsigned)status->st_mode & 07777);
}

/* A link must lead to something inside the bundle, by the plain beginning of its real path. */
static void check_link(const struct lint_place *place, const char *bundle, const char *path)
{
    char *target = realpath(path, NULL);
    char *inside = realpath(bundle, NULL);
    struct stat status;

    if (target == NULL)
        lint_report_file(place, LINT_FILE_LINK, path, "a symbolic link that leads nowhere: %s",
                         strerror(errno));
    else if (inside == NULL || strncmp(target, inside, strlen(inside)) != 0)
        lint_report_file(place, LINT_FILE_LINK, path,
                         "a symbolic link out of the bundle, to %.120s", target);
    else if (stat(path, &status) == 0)
        check_status(place, path, &status);
    free(target);
    free(inside);
}

void lint_files(const struct lint_place *place)
{
    char *const roots[] = { place->kext->path, NULL };
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *entry;

    while (walk != NULL && (entry = fts_read(walk)) != NULL) {
        if (entry->fts_info == FTS_DP || strcmp(entry->fts_name, ".DS_Store") == 0)
            continue;
        if (entry->fts_info == FTS_SL || entry->fts_info == FTS_SLNONE)
            check_link(place, place->kext->path, entry->fts_path);
        else if (entry->fts_info == FTS_F || entry->fts_info == FTS_D)
            check_status(place, entry->fts_path, entry->fts_statp);
        else
            lint_report_file(place, LINT_FILE_TYPE, entry->fts_path, "%s",
                             entry->fts_errno != 0 ? strerror(entry->fts_errno)
                                                   : "no file, folder or link");
    }
    if (walk != NULL)
        fts_close(walk);
}
