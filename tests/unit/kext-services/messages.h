/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of a host to an integration service. */
#ifndef TESTS_UNIT_KEXT_SERVICES_MESSAGES_H
#define TESTS_UNIT_KEXT_SERVICES_MESSAGES_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "kext/services/integration.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define IC_HEADER ((uint32_t)sizeof(struct ic_message_header))

struct ic_buffer {
    union {
        struct ic_message_header header;
        uint8_t bytes[512];
    };
    uint32_t length;
};

/* A request of `type` with `body_size` bytes of body, padded to 8 as the ring delivers it. */
static inline void make_message(struct ic_buffer *buffer, uint16_t type, const void *body,
                                uint32_t body_size)
{
    memset(buffer, 0xA5, sizeof *buffer);
    memset(&buffer->header, 0, sizeof buffer->header);
    buffer->header.pipe.type = VMBUS_PIPE_DATA;
    buffer->header.pipe.length = IC_HEADER_SIZE_WITHOUT_PIPE + body_size;
    buffer->header.message_type = type;
    buffer->header.body_size = (uint16_t)body_size;
    buffer->header.transaction_id = 0x5E;
    buffer->header.flags = IC_FLAGS_REQUEST;
    memcpy(buffer->bytes + IC_HEADER, body, body_size);
    buffer->length = (IC_HEADER + body_size + 7) & ~7u;
}

/* A negotiation that offers the versions, ended by 0. */
static inline void make_negotiation(struct ic_buffer *buffer, const uint32_t *framework,
                                    const uint32_t *message)
{
    uint8_t body[256] = { 0 };
    struct ic_negotiate *counts = (void *)body;
    uint32_t count = 0;

    for (; framework[count] != 0; count++)
        counts->versions[count] = (struct ic_version){ IC_VERSION_MAJOR(framework[count]),
                                                       IC_VERSION_MINOR(framework[count]) };
    counts->framework_version_count = (uint16_t)count;
    for (uint32_t i = 0; message[i] != 0; i++, count++)
        counts->versions[count] = (struct ic_version){ IC_VERSION_MAJOR(message[i]),
                                                       IC_VERSION_MINOR(message[i]) };
    counts->message_version_count = (uint16_t)(count - counts->framework_version_count);
    make_message(buffer, IC_MESSAGE_NEGOTIATE, body, 8 + 4 * count);
}

static inline int receive_message(struct integration_engine *engine, struct ic_buffer *buffer)
{
    return integration_receive(engine, buffer->bytes, buffer->length, sizeof buffer->bytes);
}

/* Negotiates framework 3.0 and the message version. */
static inline void negotiate_with(struct integration_engine *engine, uint32_t message_version)
{
    const uint32_t framework[] = { IC_FRAMEWORK_3_0, 0 }, message[] = { message_version, 0 };
    struct ic_buffer buffer;

    make_negotiation(&buffer, framework, message);
    assert_int_equal(receive_message(engine, &buffer), IC_HEADER + 16);
    assert_true(engine->negotiated);
}

#endif
