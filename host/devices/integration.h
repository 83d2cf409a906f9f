/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What all integration services share on the host's side: offer, version negotiation, one request
 * at a time with its answer matched by transaction id. A service (heartbeat.c, ...) adds its
 * messages.
 *
 * Facts: OpenVMM hyperv_ic, Linux hv_util.c and channel_mgmt.c.
 */
#ifndef HOST_DEVICES_INTEGRATION_H
#define HOST_DEVICES_INTEGRATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/vmbus/device.h"
#include "protocol/integration.h"

enum { INTEGRATION_VERSIONS_MAX = 8, INTEGRATION_BODY_MAX = IC_MESSAGE_MAXIMUM };

enum integration_state {
    INTEGRATION_CLOSED,      /* the guest has not opened the channel */
    INTEGRATION_NEGOTIATING, /* versions offered, no reply yet */
    INTEGRATION_READY,
    INTEGRATION_STOPPED,     /* the guest broke a rule; until it opens again */
};

struct integration_channel;

/* What a service is told. Each may be NULL. */
struct integration_events {
    /* Versions agreed: from here on requests may be sent. Called again if they are renewed. */
    void (*negotiated)(void *service);
    /* The answer to the outstanding request; `body` is valid during the call. */
    void (*answered)(void *service, uint32_t status, const void *body, size_t size);
    /* The guest closed the channel; an outstanding request will not be answered. */
    void (*closed)(void *service);
};

/* What a service always is: one constant each. */
struct integration_settings {
    const char *name, *kind;        /* "time synchronisation", "timesync" */
    struct guid class_id, instance_id;
    uint16_t message_type;          /* enum ic_message_type */
    const uint32_t *versions;       /* IC_VERSION(), all that the service knows, oldest first */
    unsigned version_count;
};

/* First member of a service. Its fields are for integration.c, but the ones marked [read]. */
struct integration_channel {
    const struct integration_settings *settings;
    uint32_t framework_max, version_max; /* the newest that are offered */
    const struct integration_events *events;
    void *service;
    struct vmbus_device_operations bus;
    struct host_channel *channel; /* while plugged */
    enum integration_state state; /* [read] */
    uint32_t framework_version;   /* [read] agreed */
    uint32_t message_version;     /* [read] agreed */
    bool waiting;                 /* [read] a request has no answer yet */
    bool dirty;
    bool offer_due;               /* opened, and the versions not offered yet */
    uint8_t transaction_id;
    unsigned given_up;            /* requests whose answer may still come */
    uint64_t requests, answers;   /* [read] */
};

/* framework_max and version_max are host_release's; `settings` and `events` are constants. */
void integration_initialise(struct integration_channel *channel,
                            const struct integration_settings *settings, uint32_t framework_max,
                            uint32_t version_max, const struct integration_events *events,
                            void *service);

/* Returns 0 or a negative errno of host_device_plug(). */
int integration_plug(struct integration_channel *channel, struct vmbus_server *server);
void integration_unplug(struct integration_channel *channel);

/*
 * Sends a request with this body. Returns 0, -ENOTCONN (not ready), -EBUSY (the last one has no
 * answer yet), -EAGAIN (no room in the ring) or -EMSGSIZE.
 */
int integration_send(struct integration_channel *channel, const void *body, size_t size);

/* Offers the versions anew, as a host does after live migration. Returns 0, -ENOTCONN, -EAGAIN. */
int integration_renegotiate(struct integration_channel *channel);

/* Forgets the outstanding request: its answer, if it comes, breaks no rule and is dropped. */
void integration_give_up(struct integration_channel *channel);

/* Shows the guest what was sent: once a burst, from the service's run(). */
void integration_flush(struct integration_channel *channel);

const char *integration_state_name(enum integration_state state);

#endif
