/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest file copy: the host writes a file into the guest, in pieces. The engine checks lengths and
 * the order of operations; names and the file itself are the daemon's business.
 *
 * Hosts have one piece under way. So that daemon and host work at the same time, most pieces are
 * handed to the daemon and confirmed at once; a failure with one of these is the answer to the next
 * request for which the daemon is asked: each sixteenth piece, and always the end, which tells
 * whether the whole file is there.
 * Sources: Linux hv_fcopy_uio_daemon, Windows symbols. */
#ifndef KEXT_SERVICES_FILE_COPY_H
#define KEXT_SERVICES_FILE_COPY_H

#include "kext/services/daemon_port.h"
#include "kext/services/integration.h"

/* Pieces that the daemon is given without being asked, between two requests. */
#define FILE_COPY_AHEAD_MAXIMUM 15u

struct file_copy {
    const struct daemon_port *port;
    bool copying;               /* START was sent to the daemon, and nothing has ended it since */
    uint32_t operation;         /* that the daemon has, enum ic_file_copy_operation */
    uint32_t ahead;             /* pieces given since it was asked */
    uint64_t file_size;
    uint64_t copies;            /* completed */
};

/* The service's row; the engine's context is a struct file_copy. */
extern const struct integration_service file_copy_service;

void file_copy_answered(void *context, uint32_t status);

#endif
