/* SPDX-License-Identifier: BSD-3-Clause */
/* The kext's end of the conversation with a daemon (protocol/service_control.h): who is connected,
 * which request it has, and whether what it sends makes sense. No I/O Kit, no locks, no clock. */
#ifndef KEXT_SERVICES_DAEMON_LINK_H
#define KEXT_SERVICES_DAEMON_LINK_H

#include "kext/core/errors.h"
#include "protocol/service_control.h"

struct daemon_link_counters {
    uint64_t requests;
    uint64_t replies;
    uint64_t late;              /* replies to what was given up, or was never asked */
    uint64_t malformed;
};

struct daemon_link {
    bool connected;             /* a process has the socket open */
    bool ready;                 /* it has said HELLO in our version */
    bool waiting;               /* it has a request */
    uint32_t sequence;          /* of the last request */
    uint32_t request_size;      /* bytes of its body */
    struct daemon_link_counters counters;
};

/* What a message of the daemon means. */
enum daemon_message {
    DAEMON_HELLO,               /* answer it with daemon_link_welcome */
    DAEMON_REPLY                /* the outstanding request's; it is not outstanding any more */
};

struct daemon_reply {
    uint32_t status;            /* IC_STATUS_* */
    const void *body;           /* in the message */
    uint32_t size;              /* 0, or the request's */
};

/* A process opens the socket. HV_ERROR_STATE: one client at a time. */
int daemon_link_connect(struct daemon_link *link);

/* It is gone. Returns true if it had a request, which will not be answered. */
bool daemon_link_disconnect(struct daemon_link *link);

/* Takes a message of `length` bytes (private memory). Returns enum daemon_message (`reply` is
 * filled in for DAEMON_REPLY), HV_ERROR_MALFORMED (not in the format or not in this state: refuse
 * it), HV_ERROR_NOT_SUPPORTED (a version that is not ours), HV_ERROR_UNEXPECTED (a late reply:
 * drop it). */
int daemon_link_receive(struct daemon_link *link, const void *message, uint32_t length,
                        struct daemon_reply *reply);

/* Heads of messages to the daemon. A request may be made when the link is ready and not waiting. */
void daemon_link_welcome(uint32_t message_version, struct service_control_hello *hello);
void daemon_link_request(struct daemon_link *link, uint32_t size,
                         struct service_control_header *header);
void daemon_link_notice(enum service_control_type type, uint32_t size,
                        struct service_control_header *header);

/* The outstanding request is void; its reply will be dropped. Returns true if there was one. */
bool daemon_link_give_up(struct daemon_link *link);

#endif
