/* SPDX-License-Identifier: BSD-3-Clause */
/* Guest file copy: writes a file of the host into the guest, piece by piece. One copy at a time. */
#ifndef HOST_DEVICES_FILECOPY_H
#define HOST_DEVICES_FILECOPY_H

#include "host/devices/integration_service.h"

struct filecopy_request {
    int source;            /* a regular file; stays the caller's, until `done` */
    uint64_t size;         /* bytes of it to copy */
    const char *name;      /* UTF-8, of the source without folder; at most 259 UTF-16 units */
    const char *path;      /* UTF-8, where to in the guest; the same limit */
    uint32_t flags;        /* IC_FILE_COPY_OVERWRITE, IC_FILE_COPY_CREATE_PATH */
};

/* Each may be NULL. */
struct filecopy_events {
    void (*progress)(void *context, uint64_t bytes); /* that the guest has confirmed, in all */
    /* 0 and the guest's status, or a negative errno: -EIO the source cannot be read, -ECANCELED,
     * and those of integration_done. Exactly once. */
    void (*done)(void *context, int result, uint32_t status);
};

/* framework and version are host_release's. Returns NULL when memory is short. */
struct virtual_device *filecopy_new(uint32_t framework, uint32_t version);

/* Begins a copy. Returns 0, -EBUSY, -ENAMETOOLONG, or what integration_service_call() says. */
int filecopy_start(struct virtual_device *device, const struct filecopy_request *request,
                   const struct filecopy_events *events, void *context);

/* Ends the copy that is under way, if any: `done` with -ECANCELED, and the guest is told. */
void filecopy_cancel(struct virtual_device *device);

#endif
