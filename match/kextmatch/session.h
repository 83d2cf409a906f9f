/* SPDX-License-Identifier: BSD-3-Clause */
/* What all commands share: inputs by option, names, messages. */
#ifndef MACHV_MATCH_KEXTMATCH_SESSION_H
#define MACHV_MATCH_KEXTMATCH_SESSION_H

#include "match/device_text.h"
#include "match/kextmatch/options.h"
#include "match/matcher.h"
#include "match/pci_ids.h"

struct session {
    struct options options;
    unsigned release;
    const char *architecture;
    struct problems problems;
    struct kext_set kexts;
    struct device_list devices;
    struct pci_ids *names; /* NULL when the list is not there */
};

/* Parses options and opens the list of names. Returns false after a message: the command ends with
 * STATUS_TROUBLE, or STATUS_MATCHED when help was asked for (session->options.help). */
bool session_begin(struct session *session, enum command_bit command, const char *usage, int count,
                   char **arguments);
/* Prints what was wrong with the inputs, frees everything, and returns the exit status: `status`,
 * or STATUS_TROUBLE when an input could not be used. */
int session_end(struct session *session, int status);

/* Loads kexts, or devices of --device, --live and --select. What fails is in session->problems. */
void session_load_kexts(struct session *session, const struct string_list *paths);
void session_load_devices(struct session *session, const struct string_list *devices);

/* "usage" message on standard error; returns STATUS_TROUBLE. */
int session_usage(const char *usage, const char *problem);

#endif
