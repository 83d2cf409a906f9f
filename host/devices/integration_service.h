/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A service that the host asks something now and then: a virtual device around an integration
 * channel, with calls that wait in line, one on the wire, each with a limit of time. Shutdown,
 * file copy, data exchange and backup are made of it.
 */
#ifndef HOST_DEVICES_INTEGRATION_SERVICE_H
#define HOST_DEVICES_INTEGRATION_SERVICE_H

#include "host/devices/integration.h"
#include "host/devices/virtual_device.h"

/*
 * How a call ended: `result` 0 with the guest's status and the answer's body, valid during the
 * call; -ETIMEDOUT, or -ECONNRESET when the guest closed the channel. New calls may be made here.
 */
typedef void integration_done(void *context, int result, uint32_t status, const void *body,
                              size_t size);

struct integration_call;

/* First member of a service's own structure. Fields are for integration_service.c. */
struct integration_service {
    struct virtual_device device; /* first */
    struct virtual_device_operations operations;
    struct integration_channel channel;
    struct integration_call *first, *last;
    bool sent;              /* the first call is on the wire */
    uint64_t deadline_ns;   /* of the first call */
    uint64_t sent_ns, now_ns, round_trip_ns;
    bool answer_came;       /* since the last run(), which dates it */
    /* The service's own part; each may be NULL. */
    void (*negotiated)(struct integration_service *service);
    void (*run)(struct integration_service *service, uint64_t now_ns);
    uint64_t (*next_ns)(struct integration_service *service);
    void (*describe)(struct integration_service *service, struct json_object *to);
    void (*free)(struct integration_service *service); /* instead of free() */
};

/*
 * Allocates `size` zeroed bytes that begin with a service, and makes it; its own part is set after
 * that. framework_max and version_max are host_release's. Returns NULL when memory is short.
 */
void *integration_service_new(size_t size, const struct integration_settings *settings,
                              uint32_t framework_max, uint32_t version_max);

/*
 * Puts a request in line. `done` will be called exactly once if 0 is returned; otherwise
 * -ENOTCONN (the guest does not serve it now), -EMSGSIZE or -ENOMEM, and it will not. `done` may
 * be NULL. The time limit counts from when the request is sent.
 */
int integration_service_call(struct integration_service *service, const void *body, size_t size,
                             uint64_t limit_ns, integration_done *done, void *context);

/*
 * The versions are agreed anew, as after a restore or a migration; what is on the wire is asked
 * again then. -ENOTCONN: the guest does not serve it now; -EAGAIN: the ring is full.
 */
int integration_service_renegotiate(struct virtual_device *device);

/* "ok", "access denied", ... or NULL for a status that has no name here. */
const char *integration_status_text(uint32_t status);

#endif
