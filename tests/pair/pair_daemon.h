/* SPDX-License-Identifier: BSD-3-Clause */
/* A daemon of the guest's, played by the test, and how a request of the host's ends. */
#ifndef TESTS_PAIR_PAIR_DAEMON_H
#define TESTS_PAIR_PAIR_DAEMON_H

#include "protocol/service_control.h"
#include "tests/pair/pair_guest.h"
#include "xnu/bsd/kern_control.h"

/* How the host's requests have ended: the last one, and how many. */
struct outcome {
    int result;
    uint32_t status;
    unsigned ends;
};

/* An integration_done; `context` is an outcome. */
void outcome_done(void *context, int result, uint32_t status, const void *body, size_t size);
/* Waits (virtual time) until so many have ended, or `seconds` are over. */
void outcome_wait(const struct outcome *outcome, unsigned ends, unsigned seconds);

struct daemon {
    struct control_client *client;
    uint8_t message[SERVICE_CONTROL_MAXIMUM];
    struct service_control_header header;   /* of the message */
};

/* Connects to the control, which may come within ten seconds: 0, or an errno of macOS's. */
int daemon_open(struct daemon *daemon, const char *control);
int daemon_hello(struct daemon *daemon, uint32_t version);
/* All of that: the service serves us. */
bool daemon_start(struct pair *pair, struct daemon *daemon, const char *control);

/* The next message within `seconds`; its type, 0: none came. */
uint32_t daemon_hear(struct daemon *daemon, unsigned seconds);
int daemon_reply(struct daemon *daemon, uint32_t sequence, uint32_t status);
/* Hears a request and replies to it. */
bool daemon_serve(struct daemon *daemon, uint32_t status);

#endif
