/* SPDX-License-Identifier: BSD-3-Clause */
/* A daemon of the guest's, played by the test. Kernel side. */
#include "tests/pair/pair_daemon.h"

#include "xnu/machine/clock.h"

enum { STEP_NS = 10000000, OPEN_SECONDS = 10, HEAR_SECONDS = 2 };

void outcome_done(void *context, int result, uint32_t status, const void *body, size_t size)
{
    struct outcome *outcome = context;

    (void)body;
    (void)size;
    outcome->result = result;
    outcome->status = status;
    outcome->ends++;
}

void outcome_wait(const struct outcome *outcome, unsigned ends, unsigned seconds)
{
    uint64_t deadline = machine_uptime() + seconds * PAIR_SECOND;

    while (outcome->ends < ends && machine_uptime() < deadline)
        pair_sleep(STEP_NS);
}

int daemon_open(struct daemon *daemon, const char *control)
{
    uint64_t deadline = machine_uptime() + OPEN_SECONDS * PAIR_SECOND;
    uint32_t id;

    while (control_id(control, &id) != 0) {
        if (machine_uptime() > deadline)
            return -1;
        pair_sleep(STEP_NS);
    }
    return control_connect(id, 0, false, true, &daemon->client);
}

int daemon_hello(struct daemon *daemon, uint32_t version)
{
    const struct service_control_hello hello = {
        .header = { .type = SERVICE_CONTROL_HELLO, .size = 8 }, .version = version,
    };

    return control_send(daemon->client, &hello, sizeof hello);
}

bool daemon_start(struct pair *pair, struct daemon *daemon, const char *control)
{
    PAIR_CHECK(pair, daemon_open(daemon, control) == 0);
    PAIR_CHECK(pair, daemon_hello(daemon, SERVICE_CONTROL_VERSION) == 0);
    PAIR_CHECK(pair, daemon_hear(daemon, 1) == SERVICE_CONTROL_WELCOME);
    return pair->failures == 0;
}

uint32_t daemon_hear(struct daemon *daemon, unsigned seconds)
{
    uint64_t deadline = machine_uptime() + seconds * PAIR_SECOND;
    size_t length = 0;
    bool complete = false;

    while (control_receive(daemon->client, daemon->message, sizeof daemon->message, &length,
                           &complete) != 0) {
        if (machine_uptime() >= deadline)
            return 0;
        pair_sleep(STEP_NS);
    }
    memcpy(&daemon->header, daemon->message, sizeof daemon->header);
    return complete && length == sizeof daemon->header + daemon->header.size ? daemon->header.type
                                                                             : UINT32_MAX;
}

int daemon_reply(struct daemon *daemon, uint32_t sequence, uint32_t status)
{
    const struct service_control_header header = { .type = SERVICE_CONTROL_REPLY,
                                                   .sequence = sequence, .status = status };

    return control_send(daemon->client, &header, sizeof header);
}

bool daemon_serve(struct daemon *daemon, uint32_t status)
{
    return daemon_hear(daemon, HEAR_SECONDS) == SERVICE_CONTROL_REQUEST &&
           daemon_reply(daemon, daemon->header.sequence, status) == 0;
}
