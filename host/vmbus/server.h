/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The VMBus server of one virtual machine: a state machine. Control messages and signals of the
 * guest go in, messages to the guest and requests to the machine come out through
 * struct vmbus_server_operations. It has no thread, no clock and no lock; every function here
 * needs the machine lock (see host/vmbus/device.h, where devices find their side of the bus).
 *
 * Rules followed: those of OpenVMM's vmbus_server, QEMU, and what Linux and mu_msvm say of Windows.
 * Where Windows does not answer a message in the wrong state, neither does this: it is reported as
 * a violation and dropped.
 */
#ifndef HOST_VMBUS_SERVER_H
#define HOST_VMBUS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/guest_memory.h"
#include "host/violation.h"
#include "host/vmbus/device.h"

/* What the server asks of the machine. All but `violation` are required. */
struct vmbus_server_operations {
    /*
     * Delivers a control message to SINT `sint` of a virtual processor. Returns 0; -EAGAIN: no
     * buffer free, vmbus_server_port_ready() will be called; another negative errno: can never
     * be delivered, the message is dropped.
     */
    int (*send_message)(void *context, uint32_t processor, uint32_t sint, const void *message,
                        size_t size);

    /* [any context] Sets an event flag of the guest. Returns an HV_STATUS_* code. */
    uint32_t (*signal_guest)(void *context, uint32_t processor, uint32_t sint, uint16_t flag);

    /*
     * The guest signalled this channel (or it has just been opened): host_channel_run() is to be
     * called for it soon, by its worker. May be called again before that happens.
     */
    void (*wake_device)(void *context, struct host_channel *channel);

    /* [any context] The guest broke a rule. */
    host_violation_function *violation;
};

struct vmbus_server_configuration {
    const struct guest_memory *memory;
    uint32_t processors;       /* virtual processors, at least 1 */
    uint32_t highest_version;  /* VMBUS_VERSION_*: this and all older ones are accepted */
    uint32_t feature_flags;    /* VMBUS_FEATURE_* offered from 6.0; unsupported ones are ignored */
};

/* The 6.0 features that this server has. */
#define VMBUS_SERVER_FEATURES \
    (VMBUS_FEATURE_GUEST_SIGNAL_PARAMETERS | VMBUS_FEATURE_MODIFY_CONNECTION | \
     VMBUS_FEATURE_CLIENT_ID | VMBUS_FEATURE_PAUSE_RESUME)

/*
 * Makes a server without devices. The configuration is copied; `memory`, `operations` and
 * `context` must outlive the server. Returns NULL when memory is short.
 */
struct vmbus_server *vmbus_server_create(const struct vmbus_server_configuration *configuration,
                                         const struct vmbus_server_operations *operations,
                                         void *context);

/*
 * Frees the server and all channels. No device is called: the workers must have been stopped and
 * the devices are the caller's to free.
 */
void vmbus_server_free(struct vmbus_server *server);

/*
 * HvCallPostMessage on one of the VMBus connections; `message` is a private copy. Returns
 * HV_STATUS_SUCCESS (also when the message was dropped), HV_STATUS_INVALID_CONNECTION_ID, or
 * HV_STATUS_INSUFFICIENT_BUFFERS when the guest does not take its own replies.
 */
uint32_t vmbus_server_post_message(struct vmbus_server *server, uint32_t connection_id,
                                   const void *message, size_t size);

/* HvCallSignalEvent. Returns an HV_STATUS_* code. */
uint32_t vmbus_server_signal_event(struct vmbus_server *server, uint32_t connection_id,
                                   uint16_t flag);

/* There is room for messages again after send_message said -EAGAIN. */
void vmbus_server_port_ready(struct vmbus_server *server);

/* Looks at the guest's monitor page and wakes the devices triggered there (about every 100 us). */
void vmbus_server_poll_monitors(struct vmbus_server *server);

/*
 * For test benches: answers a request (INITIATE_CONTACT, GPADL_HEADER, OPEN_CHANNEL,
 * MODIFY_CHANNEL) with failure, without doing anything. False: it has no negative answer.
 */
bool vmbus_server_fail(struct vmbus_server *server, const void *message, size_t size);

/* The machine was reset: as UNLOAD, but nothing is answered and queued messages are forgotten. */
void vmbus_server_reset(struct vmbus_server *server);

/* ---- Looking at the state, for reports and tests ---- */

/* Between INITIATE_CONTACT and UNLOAD or a reset. */
bool vmbus_server_connected(const struct vmbus_server *server);
uint32_t vmbus_server_version(const struct vmbus_server *server);  /* 0 when not connected */
uint32_t vmbus_server_features(const struct vmbus_server *server); /* in force */
uint64_t vmbus_server_violations(const struct vmbus_server *server);
/* Channels and GPADLs that exist, whatever their state. */
unsigned vmbus_server_channel_count(const struct vmbus_server *server);
unsigned vmbus_server_gpadl_count(const struct vmbus_server *server);
/* The channel with this id, or NULL. */
struct host_channel *vmbus_server_channel(const struct vmbus_server *server, uint32_t channel_id);
/* For tests: the first of the server's invariants that does not hold, or NULL. Slow. */
const char *vmbus_server_check(const struct vmbus_server *server);
/* "offered", "open", "closing", "rescinded", ... */
const char *host_channel_state_name(const struct host_channel *channel);
/* The device's name. */
const char *host_channel_device_name(const struct host_channel *channel);

#endif
