/* SPDX-License-Identifier: BSD-3-Clause */
/* The shutdown service: asks the guest for an orderly end or a restart. */
#ifndef HOST_DEVICES_SHUTDOWN_H
#define HOST_DEVICES_SHUTDOWN_H

#include "host/devices/integration_service.h"

/* framework and version are host_release's. Returns NULL when memory is short. */
struct virtual_device *shutdown_new(uint32_t framework, uint32_t version);

/*
 * Asks. flags: IC_SHUTDOWN_*; `reason` is the number that Windows' event log has; `text` (UTF-8)
 * may
 * be NULL. `done` gets the guest's word; that it really ends is seen by the machine alone. Results
 * of integration_service_call(), and -EOPNOTSUPP if the agreed version has no such flag.
 */
int shutdown_request(struct virtual_device *device, uint32_t flags, uint32_t reason,
                     const char *text, integration_done *done, void *context);

#endif
