/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the files of the TCP/IP stack. Everything that touches lwIP runs in its core lock: on its
 * own thread, or between LOCK_TCPIP_CORE and UNLOCK_TCPIP_CORE. */
#ifndef MACHV_XNU_MACHINE_STACK_PRIVATE_H
#define MACHV_XNU_MACHINE_STACK_PRIVATE_H

#include <lwip/netif.h>
#include <lwip/tcpip.h>

#include "xnu/machine/stack.h"

/* True while an interface is plugged in: lwIP may be used at all. */
bool stack_enter(void); /* takes the core lock if so */
void stack_leave(void);

/* ---- stack_dhcp.c; in the core lock ---- */

void stack_dhcp_begin(struct netif *netif);
/* Forgets the lease; nothing is told to the server. */
void stack_dhcp_end(struct netif *netif);
void stack_dhcp_lease(struct machine_stack_lease *lease);

/* ---- for threads that serve a client ---- */

/* Writes one line that ends the conversation. */
void stack_refuse(int socket, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* All bytes; false if the client is gone. */
bool stack_answer(int socket, const void *bytes, size_t size);
void stack_ping(int socket, const ip_addr_t *address, unsigned count);
void stack_connect(int socket, const ip_addr_t *address, uint16_t port);

#endif
