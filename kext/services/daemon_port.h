/* SPDX-License-Identifier: BSD-3-Clause */
/* What a service's engine may ask of its daemon. The class behind it is daemon_service.h; tests put
 * a daemon of their own here. */
#ifndef KEXT_SERVICES_DAEMON_PORT_H
#define KEXT_SERVICES_DAEMON_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct daemon_port {
    void *context;
    /* Hands the daemon a request: `size` bytes of body, which are copied. False: there is no
     * daemon that could answer. Otherwise the answer to the host comes later. */
    bool (*ask)(void *context, const void *body, uint32_t size);
    /* Tells the daemon something that needs no answer. False: nobody hears it. */
    bool (*tell)(void *context, const void *body, uint32_t size);
    /* What the daemon has under way is void. */
    void (*reset)(void *context);
};

static inline bool daemon_ask(const struct daemon_port *port, const void *body, uint32_t size)
{
    return port->ask != NULL && port->ask(port->context, body, size);
}

static inline bool daemon_tell(const struct daemon_port *port, const void *body, uint32_t size)
{
    return port->tell != NULL && port->tell(port->context, body, size);
}

static inline void daemon_reset(const struct daemon_port *port)
{
    if (port->reset != NULL)
        port->reset(port->context);
}

#endif
