/* SPDX-License-Identifier: BSD-3-Clause */
/* Framework of the integration services: checks a message, negotiates versions, and hands the rest
 * to the service's one handler.
 *
 * A service is a row of struct integration_service: class, versions, handler. The reply reuses the
 * request's memory; its transaction id is the request's, so it goes back where it came from.
 * No I/O Kit, no locks, no clock. Sources: Linux hv_util and vmbus_prep_negotiate_resp, FreeBSD,
 * OpenVMM hyperv_ic. */
#ifndef KEXT_SERVICES_INTEGRATION_H
#define KEXT_SERVICES_INTEGRATION_H

#include "kext/core/errors.h"
#include "protocol/integration.h"

struct integration_engine;

/* What a handler makes of a request. */
enum integration_answer {
    INTEGRATION_REPLY,          /* reply now, with `*status` and `*body_size` bytes of body */
    INTEGRATION_LATER           /* someone else will finish it with integration_finish */
};

/* Handles one request. `body` has `*body_size` bytes (at least the service's minimum, checked
 * against the packet) of private memory and may be changed; `capacity` bytes are there. */
typedef enum integration_answer (*integration_handler)(struct integration_engine *engine,
                                                       void *body, uint32_t *body_size,
                                                       uint32_t capacity, uint32_t *status);

/* The negotiation has begun anew: what was under way is void. May be NULL. */
typedef void (*integration_reset)(struct integration_engine *engine);

#define INTEGRATION_VERSIONS_MAXIMUM 8u

struct integration_service {
    const char *name;
    uint16_t message_type;                      /* enum ic_message_type */
    uint16_t body_minimum;                      /* bytes that every request has */
    uint32_t framework_versions[INTEGRATION_VERSIONS_MAXIMUM];  /* IC_VERSION, best first, 0 ends */
    uint32_t message_versions[INTEGRATION_VERSIONS_MAXIMUM];
    integration_handler handle;
    integration_reset reset;
};

struct integration_counters {
    uint64_t requests;          /* handled */
    uint64_t negotiations;
    uint64_t dropped;           /* too short, no data pipe packet, not a request */
    uint64_t refused;           /* answered with an error by the framework */
    uint64_t stale;             /* answers that came after a new negotiation */
};

struct integration_engine {
    const struct integration_service *service;
    void *context;                              /* the service's own state */
    bool negotiated;
    uint32_t framework_version;                 /* IC_VERSION */
    uint32_t message_version;
    uint32_t generation;                        /* of the negotiation */
    struct integration_counters counters;
};

void integration_init(struct integration_engine *engine, const struct integration_service *service,
                      void *context);

/* Takes the message of `length` bytes in `message` (private memory of `capacity` bytes).
 * Returns the reply's length in bytes, now in `message`; 0 if the answer comes later (keep the
 * message for integration_finish); HV_ERROR_MALFORMED if it was dropped without an answer. */
int integration_receive(struct integration_engine *engine, void *message, uint32_t length,
                        uint32_t capacity);

/* Turns a request that was put off into the reply with `body_size` bytes of body (already in place
 * behind the header; it must fit the memory). `generation` is the engine's from when the request
 * came. Returns the reply's length, or HV_ERROR_GONE if a new negotiation has voided it. */
int integration_finish(struct integration_engine *engine, void *message, uint32_t generation,
                       uint32_t status, uint32_t body_size);

#endif
