/* SPDX-License-Identifier: BSD-3-Clause */
/* Backup (VSS): asks the guest to bring its disks into a consistent state, and to go on. */
#ifndef HOST_DEVICES_VSS_H
#define HOST_DEVICES_VSS_H

#include "host/devices/integration_service.h"

/* framework and version are host_release's. Returns NULL when memory is short. */
struct virtual_device *vss_new(uint32_t framework, uint32_t version);

/* Asks whether the guest can be backed up while it runs, and then to freeze: `done` gets the answer
 * to the freeze, or the refusal of the question before. Results of integration_service_call(). */
int vss_freeze(struct virtual_device *device, integration_done *done, void *context);
int vss_thaw(struct virtual_device *device, integration_done *done, void *context);

/* The guest has confirmed a freeze and no thaw since. */
bool vss_is_frozen(const struct virtual_device *device);

#endif
