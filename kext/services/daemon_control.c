/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel control of a service. The kernel calls us on the daemon's threads; which service a
 * control belongs to is looked up by its handle, because connect is given nothing else. */
#include "kext/services/daemon_control.h"

#include "abi/constants.h"
#include "abi/constants/errno.h"
#include "abi/constants/network.h"
#include "abi/kpi/libkern.h"
#include "abi/kpi/mbuf.h"
#include "abi/kpi/time.h"
#include "abi/runtime.h"
#include "kext/core/log.h"
#include "kext/core/shared_memory.h"

enum { CLIENT_PATIENCE_MS = 3000, DEREGISTER_TRIES = 200 };

#define QUEUE_MAXIMUM_DEFAULT 4u

/* ---- Which service is it? -------------------------------------------------------------------- */

/* One slot a service: the kernel hands callbacks a handle, and no pointer of ours before connect
 * has returned. Slots are written before the control can be found, and cleared when it is gone. */
enum { SERVICES_MAXIMUM = 8 };
static struct daemon_service *services[SERVICES_MAXIMUM];

static bool occupy(struct daemon_service *service)
{
    for (uint32_t i = 0; i < SERVICES_MAXIMUM; i++) {
        struct daemon_service *none = NULL;

        if (__atomic_compare_exchange_n(&services[i], &none, service, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED))
            return true;
    }
    return false;
}

static void vacate(struct daemon_service *service)
{
    for (uint32_t i = 0; i < SERVICES_MAXIMUM; i++)
        if (__atomic_load_n(&services[i], __ATOMIC_ACQUIRE) == service)
            __atomic_store_n(&services[i], NULL, __ATOMIC_RELEASE);
}

static struct daemon_service *service_of(kern_ctl_ref control)
{
    for (uint32_t i = 0; i < SERVICES_MAXIMUM; i++) {
        struct daemon_service *service = __atomic_load_n(&services[i], __ATOMIC_ACQUIRE);

        if (service != NULL && service->control == control)
            return service;
    }
    return NULL;
}

/* ---- The kernel's calls ---------------------------------------------------------------------- */

static int32_t connect_gated(OSObject *owner, void *service, void *unit, void *unused1,
                             void *unused2)
{
    return daemon_service_connected(service, *(uint32_t *)unit);
}

static errno_t client_connects(kern_ctl_ref control, struct sockaddr_ctl *address,
                               void **unit_info)
{
    struct daemon_service *service = service_of(control);
    uint32_t unit = address->sc_unit;
    errno_t error = ENXIO;

    if (service == NULL)
        return ENXIO;
    IOLockLock(service->lock);
    if (!service->closing)
        error = IOWorkLoop_runAction(service->work_loop, connect_gated, (OSObject *)service->owner,
                                     service, &unit, NULL, NULL) == 0 ? 0 : EBUSY;
    IOLockUnlock(service->lock);
    *unit_info = error == 0 ? service : NULL;
    return error;
}

static int32_t disconnect_gated(OSObject *owner, void *service, void *unit, void *unused1,
                                void *unused2)
{
    daemon_service_disconnected(service, *(uint32_t *)unit);
    return 0;
}

/* Also called after a connect that we refused, with no unit_info then. */
static errno_t client_disconnects(kern_ctl_ref control, uint32_t unit, void *unit_info)
{
    struct daemon_service *service = unit_info;

    if (service == NULL)
        return 0;
    IOWorkLoop_runAction(service->work_loop, disconnect_gated, (OSObject *)service->owner, service,
                         &unit, NULL, NULL);
    IOLockLock(service->lock);
    IOLockWakeup(service->lock, &service->link, false);
    IOLockUnlock(service->lock);
    return 0;
}

static int32_t receive_gated(OSObject *owner, void *service, void *unit, void *packet, void *length)
{
    return daemon_service_received(service, *(uint32_t *)unit, packet, *(uint32_t *)length);
}

static errno_t client_sends(kern_ctl_ref control, uint32_t unit, void *unit_info, mbuf_t packet,
                            int flags)
{
    struct daemon_service *service = unit_info;
    size_t whole = 0;
    errno_t error = EMSGSIZE;
    mbuf_t part;

    for (part = packet; part != NULL; part = mbuf_next(part))
        whole += mbuf_len(part);
    if (service == NULL) {
        error = ENOTCONN;
    } else if (whole <= SERVICE_CONTROL_MAXIMUM) {
        uint32_t length = (uint32_t)whole;

        error = IOWorkLoop_runAction(service->work_loop, receive_gated, (OSObject *)service->owner,
                                     service, &unit, packet, &length);
    }
    mbuf_freem(packet);
    return error;
}

/* ---- Coming and going ------------------------------------------------------------------------ */

void daemon_control_register(struct daemon_service *service)
{
    const char *name = service->description->control_name;
    uint32_t queue = service->description->queue_maximum;
    struct kern_ctl_reg registration;
    errno_t error;
    uint32_t i;

    memset(&registration, 0, sizeof registration);
    for (i = 0; i < sizeof registration.ctl_name - 1 && name[i] != '\0'; i++)
        registration.ctl_name[i] = name[i];
    registration.ctl_flags = CTL_FLAG_PRIVILEGED;
    registration.ctl_sendsize = SERVICE_CONTROL_MAXIMUM;
    registration.ctl_recvsize =
        (queue != 0 ? queue : QUEUE_MAXIMUM_DEFAULT) * (uint32_t)SERVICE_CONTROL_MAXIMUM;
    registration.ctl_connect = client_connects;
    registration.ctl_disconnect = client_disconnects;
    registration.ctl_send = client_sends;
    if (!occupy(service))
        error = ENOMEM;
    else if ((error = ctl_register(&registration, &service->control)) != 0)
        vacate(service);
    if (error != 0) {
        service->control = NULL;
        hv_log(service->description->class_name, "no kernel control %s (error %d)", name, error);
    }
}

static void wait_for_client(struct daemon_service *service)
{
    uint64_t deadline;

    clock_interval_to_deadline(CLIENT_PATIENCE_MS, kMillisecondScale, &deadline);
    while (service->link.connected &&
           IOLockSleepDeadline(service->lock, &service->link, deadline, THREAD_UNINT) !=
               THREAD_TIMED_OUT)
        ;
}

bool daemon_control_deregister(struct daemon_service *service)
{
    errno_t error = 0;
    unsigned tries;

    IOLockLock(service->lock);
    service->closing = true;
    if (service->control != NULL)
        wait_for_client(service);
    IOLockUnlock(service->lock);
    if (service->control == NULL)
        return true;
    /* The socket is still attached for a moment after disconnect has returned. */
    for (tries = 0; tries < DEREGISTER_TRIES; tries++) {
        error = ctl_deregister(service->control);
        if (error != EBUSY)
            break;
        IOSleep(1);
    }
    if (error != 0)
        return false;
    vacate(service);
    return true;
}
