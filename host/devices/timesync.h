/* SPDX-License-Identifier: BSD-3-Clause */
/* Time synchronisation: tells the guest the time at the start and every five seconds. */
#ifndef HOST_DEVICES_TIMESYNC_H
#define HOST_DEVICES_TIMESYNC_H

#include "host/devices/integration_service.h"

/* The clocks that the service tells of, both in 100 ns. */
struct timesync_clocks {
    void *context;
    uint64_t (*utc)(void *context);       /* since 1601-01-01 */
    uint64_t (*reference)(void *context); /* the partition's reference time */
};

/* framework and version are host_release's. Returns NULL when memory is short. */
struct virtual_device *timesync_new(uint32_t framework, uint32_t version,
                                    const struct timesync_clocks *clocks);

/* The host's clock is now so much ahead (100 ns, negative: behind), and the guest is told to step.
 * */
void timesync_set_skew(struct virtual_device *device, int64_t skew);
int64_t timesync_skew(const struct virtual_device *device);

/* Puts a time of the caller's into the next message, once: for tests of a host that errs. */
void timesync_send(struct virtual_device *device, uint64_t utc, uint8_t flags);

/* Status of the guest's last answer. */
uint32_t timesync_status(const struct virtual_device *device);

#endif
