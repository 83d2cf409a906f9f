/* SPDX-License-Identifier: BSD-3-Clause */
/* What a service of the kext and its daemon say to each other over a kernel control socket: one
 * message a datagram, a header and a body. Ours alone; both ends run on the same machine.
 *
 *   daemon  HELLO(version)            the first message; anything else before it is refused
 *   kext    WELCOME(version)          the versions agree: the service is served from now on
 *   kext    REQUEST(sequence, body)   one at a time; the body is the host's, its length checked
 *   daemon  REPLY(sequence, status)   with a body of the request's size, or none to echo it
 *   kext    NOTICE(body)              needs no answer. From version 2 on a piece of a file may be
 *                                     one: what goes wrong with it is the status of the next reply
 *   kext    RESET                     the host has begun anew: drop what was under way
 *   kext    GOODBYE                   the service goes away: close the socket */
#ifndef PROTOCOL_SERVICE_CONTROL_H
#define PROTOCOL_SERVICE_CONTROL_H

#include "protocol/wire.h"

#define SERVICE_CONTROL_VERSION 2u

/* Names of the kernel controls. */
#define SERVICE_CONTROL_SHUTDOWN  "org.machv.shutdown"
#define SERVICE_CONTROL_TIME_SYNC "org.machv.timesync"
#define SERVICE_CONTROL_FILE_COPY "org.machv.filecopy"
#define SERVICE_CONTROL_KVP       "org.machv.kvp"
#define SERVICE_CONTROL_BACKUP    "org.machv.backup"

enum service_control_type {
    SERVICE_CONTROL_HELLO   = 1,
    SERVICE_CONTROL_WELCOME = 2,
    SERVICE_CONTROL_REQUEST = 3,
    SERVICE_CONTROL_REPLY   = 4,
    SERVICE_CONTROL_NOTICE  = 5,
    SERVICE_CONTROL_RESET   = 6,
    SERVICE_CONTROL_GOODBYE = 7
};

struct service_control_header {
    uint32_t type;              /* enum service_control_type */
    uint32_t size;              /* bytes of body */
    uint32_t sequence;          /* of a request, and its reply; 0 otherwise */
    uint32_t status;            /* in a reply: IC_STATUS_* for the host */
} WIRE_PACKED;
WIRE_SIZE(struct service_control_header, 16);

#define SERVICE_CONTROL_BODY_MAXIMUM 8192u
#define SERVICE_CONTROL_MAXIMUM \
    (SERVICE_CONTROL_BODY_MAXIMUM + sizeof(struct service_control_header))

struct service_control_hello {          /* HELLO and WELCOME */
    struct service_control_header header;
    uint32_t version;                   /* SERVICE_CONTROL_VERSION */
    uint32_t message_version;           /* WELCOME: IC_VERSION agreed with the host; 0: none */
} WIRE_PACKED;
WIRE_SIZE(struct service_control_hello, 24);

/* Body of a notice of the time service: what the host's clock says at this moment. */
struct service_control_time {
    uint64_t host_time;                 /* 100 ns since 1601-01-01 UTC */
    uint8_t flags;                      /* IC_TIME_SYNC, IC_TIME_SAMPLE */
    uint8_t leap;                       /* as NTP has it: 0 none, 1 +1 s, 2 -1 s, 3 unknown */
    uint8_t stratum;
    uint8_t reserved[5];
} WIRE_PACKED;
WIRE_SIZE(struct service_control_time, 16);

#endif
