/* SPDX-License-Identifier: BSD-3-Clause */
/* Options about the Windows that installs, for the commands that read INF files. */
#ifndef MACHV_MATCH_KEXTMATCH_WINDOWS_OPTIONS_H
#define MACHV_MATCH_KEXTMATCH_WINDOWS_OPTIONS_H

#include "match/inf_models.h"
#include "match/kextmatch/session.h"

/* Fills in both from the options. Returns false after a message. */
bool windows_options(const struct session *session, struct inf_target *target,
                     struct inf_options *options);

#endif
