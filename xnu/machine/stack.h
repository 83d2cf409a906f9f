/* SPDX-License-Identifier: BSD-3-Clause */
/* stack.h - what a user can do with the TCP/IP stack that en0 is plugged into (lwIP; wire.h has the
 * plug). The stack asks for an address by DHCP as soon as the link is up. Any thread of the
 * process. */
#ifndef MACHV_XNU_MACHINE_STACK_H
#define MACHV_XNU_MACHINE_STACK_H

#include <stdbool.h>
#include <stdint.h>

/* Addresses as they stand in a packet; all zero: none. */
struct machine_stack_lease {
    bool plugged; /* there is an interface */
    bool leased;
    uint8_t address[4], mask[4], router[4], name_server[4];
    uint32_t seconds; /* how long the lease lasts, as the server said */
};

void machine_stack_lease(struct machine_stack_lease *lease);

/* Serves a connection of the control socket on a thread of its own, which answers there and closes
 * it. `request` is one of
 *
 *     ping ADDRESS COUNT     the answer is "ok", and one line with the sum
 *     connect ADDRESS PORT   the answer is "ok"; from then on the connection is that to the port
 *
 * or the answer is "error" and a reason. Takes the descriptor over, whatever happens. */
void machine_stack_serve(int socket, const char *request);

#endif
