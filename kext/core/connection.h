/* SPDX-License-Identifier: BSD-3-Clause */
/* State machine of the guest's VMBus connection: version negotiation, offers, and the requests
 * whose replies come back as control messages.
 *
 * Messages in, messages and events out. The engine never waits: a request is a handle whose result
 * is asked for after each message; waiting, time limits and posting are the caller's. Replies are
 * matched by type and id. Everything that is dropped is counted by reason.
 * The caller serialises all calls. Sources: Linux (connection.c, channel_mgmt.c), OpenVMM
 * (vmbus_client, vmbus_server), mu_msvm. */
#ifndef KEXT_CORE_CONNECTION_H
#define KEXT_CORE_CONNECTION_H

#include "kext/core/gpadl.h"
#include "kext/core/offer.h"
#include "protocol/vmbus.h"

#define CONNECTION_REQUESTS_MAXIMUM 64u
#define CONNECTION_GPADLS_MAXIMUM   1024u
#define CONNECTION_GPADL_FIRST_ID   0xE1E10u

/* A control message to be posted. */
struct connection_message {
    uint32_t connection_id;     /* for HvCallPostMessage */
    uint32_t size;              /* bytes; 0 = nothing to post */
    uint8_t payload[VMBUS_MESSAGE_SIZE_MAXIMUM];
};

enum connection_state {
    CONNECTION_DISCONNECTED,
    CONNECTION_CONTACTING,          /* a version was proposed */
    CONNECTION_CONNECTED,
    CONNECTION_UNLOADING            /* the host was asked to forget us */
};

enum connection_event_type {
    CONNECTION_EVENT_NONE,
    CONNECTION_EVENT_CONNECTED,         /* version agreed; offers follow */
    CONNECTION_EVENT_FAILED,            /* no version is left to propose */
    CONNECTION_EVENT_OFFER,             /* `offer` */
    CONNECTION_EVENT_OFFERS_DELIVERED,
    CONNECTION_EVENT_RESCIND,           /* `channel_id`; end it with connection_release */
    CONNECTION_EVENT_REQUEST,           /* some request has a result now */
    CONNECTION_EVENT_UNLOADED
};

/* What came of one message: at most one event and one message to post (in this order). */
struct connection_output {
    enum connection_event_type event;
    uint32_t channel_id;
    struct offer offer;
    struct connection_message post;
};

struct connection_counters {
    uint64_t messages;
    uint64_t unknown_type;          /* no host sends such a message */
    uint64_t too_short;
    uint64_t bad_offer;             /* impossible ids or size */
    uint64_t duplicate_offer;       /* channel id in use, or the device is there already */
    uint64_t bad_rescind;           /* unknown channel, or rescinded before */
    uint64_t unexpected;            /* reply that nobody waits for, or message in a wrong state */
    uint64_t late;                  /* reply to a request that was given up */
};

enum connection_channel_state {
    CHANNEL_UNUSED,
    CHANNEL_OFFERED,
    CHANNEL_OPENING,
    CHANNEL_OPEN
};

struct connection_channel {
    struct guid class_id;
    struct guid instance_id;
    uint16_t subchannel_index;
    uint8_t state;                  /* enum connection_channel_state */
    bool rescinded;
};

enum connection_gpadl_state {
    GPADL_UNUSED,
    GPADL_CREATING,
    GPADL_LIVE,                     /* the host has it, or may have it */
    GPADL_TEARING_DOWN
};

struct connection_gpadl {
    uint32_t id;
    uint16_t channel_id;
    uint8_t state;                  /* enum connection_gpadl_state */
};

enum connection_request_type {
    REQUEST_UNUSED,
    REQUEST_OPEN,
    REQUEST_GPADL_CREATE,
    REQUEST_GPADL_TEARDOWN,
    REQUEST_MODIFY_CHANNEL
};

struct connection_request {
    uint8_t type;                   /* enum connection_request_type */
    bool done;
    uint16_t generation;
    uint32_t channel_id;
    uint32_t id;                    /* open id or GPADL id */
    int result;
};

struct connection {
    enum connection_state state;
    uint32_t version;               /* agreed, or being proposed */
    uint32_t message_connection_id;
    uint32_t version_index;         /* in the ladder of versions */
    uint32_t version_minimum;
    bool multi_client;              /* the proposal went to VMBUS_CONNECTION_MULTI_CLIENT */
    bool offers_delivered;
    uint32_t target_vp;
    uint64_t interrupt_page;
    uint32_t next_gpadl_id;
    uint32_t next_open_id;
    struct connection_counters counters;
    struct connection_request requests[CONNECTION_REQUESTS_MAXIMUM];
    struct connection_gpadl gpadls[CONNECTION_GPADLS_MAXIMUM];
    struct connection_channel channels[VMBUS_CHANNEL_MAXIMUM + 1];      /* by channel id */
};

/* Name of an outstanding request; 0 is none. */
typedef uint32_t connection_request_handle;

/* How to connect. */
struct connection_parameters {
    uint32_t version_maximum;       /* VMBUS_VERSION_*; 0 = the newest known */
    uint32_t version_minimum;       /* 0 = the oldest known */
    uint32_t target_vp;             /* virtual processor that shall get the control messages */
    uint64_t interrupt_page;        /* guest-physical address of a zeroed page, for old hosts */
};

/* True if `version` (VMBUS_VERSION_*) is one that can be proposed to a host. */
bool connection_knows_version(uint32_t version);

/* Clears everything; about 100 KB, so not on a stack. */
void connection_init(struct connection *connection);

/* Begins to connect: fills `post` with the first proposal. From any state but UNLOADING; whatever
 * the host held for this guest before is forgotten on both sides.
 * Returns 0, HV_ERROR_STATE, or HV_ERROR_INVALID if the limits leave no version. */
int connection_start(struct connection *connection, const struct connection_parameters *parameters,
                     struct connection_message *post);

/* The present proposal could not be posted (unknown connection id) or was not answered in time:
 * fills `post` with the next one to try. Returns 0, HV_ERROR_REFUSED if none is left (the state is
 * DISCONNECTED then), or HV_ERROR_STATE. */
int connection_proposal_failed(struct connection *connection, struct connection_message *post);

/* Takes a control message of `size` bytes in private memory. Returns 0, or why it was dropped:
 * HV_ERROR_MALFORMED, HV_ERROR_UNEXPECTED, HV_ERROR_NOT_SUPPORTED (unknown type); `output` is
 * always filled. */
int connection_receive(struct connection *connection, const void *message, uint32_t size,
                       struct connection_output *output);

/* What an opened channel needs. */
struct connection_open_parameters {
    uint32_t ring_gpadl_id;         /* live, of this channel */
    uint32_t downstream_page_offset;    /* pages of the transmit ring, control page included */
    uint32_t target_vp;             /* for the channel's interrupts; VP 0 before 2.4 */
    const uint8_t *user_data;       /* VMBUS_USER_DATA_SIZE bytes, or NULL for zeroes */
};

/* The functions below fill `post` and, where the host answers, `request`.
 * They return 0; HV_ERROR_NOT_FOUND (no such channel or GPADL); HV_ERROR_GONE (rescinded);
 * HV_ERROR_STATE; HV_ERROR_NO_RESOURCES (too many requests or GPADLs); HV_ERROR_NOT_SUPPORTED
 * (not in the agreed version); HV_ERROR_INVALID. */
int connection_open_channel(struct connection *connection, uint32_t channel_id,
                            const struct connection_open_parameters *parameters,
                            struct connection_message *post, connection_request_handle *request);

/* Nothing answers CLOSE: the proof that the host is done is its GPADL being torn down. Possible on
 * a rescinded channel. */
int connection_close_channel(struct connection *connection, uint32_t channel_id,
                             struct connection_message *post);

/* Begins a GPADL; `builder` then gives the messages, all to be posted in order through
 * connection_gpadl_message. `gpadl_id` is the new id. Errors of gpadl_begin besides. */
int connection_create_gpadl(struct connection *connection, uint32_t channel_id,
                            const struct gpadl_range *ranges, uint32_t range_count,
                            gpadl_page_source source, void *context,
                            struct gpadl_builder *builder, uint32_t *gpadl_id,
                            connection_request_handle *request);

/* Fills `post` with the next message of a GPADL. Returns false if there are no more. */
bool connection_gpadl_message(const struct connection *connection, struct gpadl_builder *builder,
                              struct connection_message *post);

/* Also possible on a rescinded channel. Success of the request is the permission to free the
 * memory; without it the memory belongs to the host for good. */
int connection_teardown_gpadl(struct connection *connection, uint32_t gpadl_id,
                              struct connection_message *post, connection_request_handle *request);

/* Moves the channel's interrupts to another virtual processor (4.1 and later). Before 5.3 there is
 * no answer and `*request` is 0; interrupts may still come to the old processor for a while. */
int connection_modify_channel(struct connection *connection, uint32_t channel_id,
                              uint32_t target_vp, struct connection_message *post,
                              connection_request_handle *request);

/* Gives a rescinded and closed channel's id back to the host, which may offer it again then. */
int connection_release_channel(struct connection *connection, uint32_t channel_id,
                               struct connection_message *post);

/* Asks the host to close everything and forget this guest; only UNLOAD_RESPONSE or
 * connection_forget ends this state. Returns HV_ERROR_STATE if not connected. */
int connection_unload(struct connection *connection, struct connection_message *post);

/* Ends the connection without the host's word; requests end with HV_ERROR_GONE. */
void connection_forget(struct connection *connection);

/* Result of a request: false while it is outstanding, else true with `*result` 0,
 * HV_ERROR_REFUSED (the host said no) or HV_ERROR_GONE (rescinded), and the handle is dead. A dead
 * handle gives HV_ERROR_NOT_FOUND. */
bool connection_request_result(struct connection *connection, connection_request_handle request,
                               int *result);

/* Gives a request up: a late reply will be counted and dropped. A channel being opened counts as
 * open and a GPADL being created as live, for the host may have done it. */
void connection_request_abandon(struct connection *connection, connection_request_handle request);

/* Takes a request back whose message could not be posted, so that the host knows nothing of it. */
void connection_request_unsent(struct connection *connection, connection_request_handle request);

/* State of a channel as the host sees it; CHANNEL_UNUSED for ids out of range. */
enum connection_channel_state connection_channel_state(const struct connection *connection,
                                                       uint32_t channel_id);

#endif
