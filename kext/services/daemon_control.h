/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel control of a service: privileged, one client, its calls taken into the gate. */
#ifndef KEXT_SERVICES_DAEMON_CONTROL_H
#define KEXT_SERVICES_DAEMON_CONTROL_H

#include "kext/services/daemon_service.h"

/* Registers the control; a failure is logged and leaves `control` NULL. */
void daemon_control_register(struct daemon_service *service);

/* No client gets in any more, and the control goes. Waits a few seconds for a client to close.
 * Returns false if it has not: the kernel still has our functions. */
bool daemon_control_deregister(struct daemon_service *service);

/* What a client does, in the gate (daemon_service.c). Results are HV_ERROR_* of connecting, and
 * errno values of sending. */
int daemon_service_connected(struct daemon_service *service, uint32_t unit);
void daemon_service_disconnected(struct daemon_service *service, uint32_t unit);
int daemon_service_received(struct daemon_service *service, uint32_t unit, mbuf_t packet,
                            uint32_t length);

#endif
