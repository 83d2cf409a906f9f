/* SPDX-License-Identifier: BSD-3-Clause */
/* A daemon for the services' engines: notes what it is asked and told. */
#ifndef TESTS_UNIT_KEXT_SERVICES_FAKE_DAEMON_H
#define TESTS_UNIT_KEXT_SERVICES_FAKE_DAEMON_H

#include "kext/services/daemon_port.h"
#include "tests/unit/kext-services/messages.h"

struct fake_daemon {
    bool there;
    unsigned asked, told, resets;
    uint32_t size;              /* of what was asked or told last */
    uint8_t body[8192];
    struct daemon_port port;
};

static inline void fake_keep(struct fake_daemon *daemon, const void *body, uint32_t size)
{
    assert_true(size <= sizeof daemon->body);
    memcpy(daemon->body, body, size);
    daemon->size = size;
}

static inline bool fake_ask(void *context, const void *body, uint32_t size)
{
    struct fake_daemon *daemon = context;

    if (!daemon->there)
        return false;
    daemon->asked++;
    fake_keep(daemon, body, size);
    return true;
}

static inline bool fake_tell(void *context, const void *body, uint32_t size)
{
    struct fake_daemon *daemon = context;

    if (!daemon->there)
        return false;
    daemon->told++;
    fake_keep(daemon, body, size);
    return true;
}

static inline void fake_reset(void *context)
{
    ((struct fake_daemon *)context)->resets++;
}

static inline void fake_daemon_init(struct fake_daemon *daemon)
{
    memset(daemon, 0, sizeof *daemon);
    daemon->there = true;
    daemon->port = (struct daemon_port){ daemon, fake_ask, fake_tell, fake_reset };
}

/* Sends the body to the engine: the result of integration_receive; the reply's status (or
 * UINT32_MAX if there is none yet) in *status. */
static inline int ask_engine(struct integration_engine *engine, uint16_t type, const void *body,
                             uint32_t size, uint32_t *status)
{
    uint32_t length = (IC_HEADER + size + 7) & ~7u;
    uint8_t *bytes = calloc(1, length);
    struct ic_message_header header = {
        .pipe = { .type = VMBUS_PIPE_DATA, .length = IC_HEADER_SIZE_WITHOUT_PIPE + size },
        .message_type = type,
        .body_size = (uint16_t)size,
        .flags = IC_FLAGS_REQUEST,
    };
    int result;

    memcpy(bytes, &header, sizeof header);
    memcpy(bytes + IC_HEADER, body, size);
    result = integration_receive(engine, bytes, length, length);
    memcpy(&header, bytes, sizeof header);
    *status = result > 0 ? header.status : UINT32_MAX;
    if (result > 0)
        assert_int_equal(header.flags, IC_FLAGS_RESPONSE);
    free(bytes);
    return result;
}

#endif
