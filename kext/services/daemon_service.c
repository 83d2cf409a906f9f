/* SPDX-License-Identifier: BSD-3-Clause */
/* A service that has a daemon: host, daemon and time-out, joined in the channel's gate. */
#include "kext/services/daemon_service.h"

#include "abi/constants.h"
#include "abi/constants/errno.h"
#include "abi/constants/network.h"
#include "abi/kpi/libkern.h"
#include "abi/kpi/mbuf.h"
#include "abi/kpi/time.h"
#include "abi/runtime.h"
#include "kext/core/boot_arguments.h"
#include "kext/core/log.h"
#include "kext/core/shared_memory.h"
#include "kext/services/daemon_control.h"

/* ---- To the daemon, in the gate -------------------------------------------------------------- */

static bool send_to_daemon(struct daemon_service *service,
                           const struct service_control_header *header, const void *body)
{
    uint8_t *message = service->daemon_message;
    errno_t error;

    if (!service->link.ready || header->size > SERVICE_CONTROL_BODY_MAXIMUM)
        return false;
    memcpy(message, header, sizeof *header);
    if (header->size != 0)
        memcpy(message + sizeof *header, body, header->size);
    /* Never blocks: a daemon that does not read fills its buffer, and then hears nothing more. */
    error = ctl_enqueuedata(service->control, service->unit, message,
                            sizeof *header + header->size, CTL_DATA_EOR);
    if (error != 0 && hv_log_now(++service->daemon_lost_count))
        hv_log(service->description->class_name, "the daemon cannot be told (error %d)", error);
    return error == 0;
}

static bool ask(void *context, const void *body, uint32_t size)
{
    struct daemon_service *service = context;
    struct service_control_header header;

    if (!service->link.ready)
        return false;
    daemon_link_give_up(&service->link);
    daemon_link_request(&service->link, size, &header);
    if (!send_to_daemon(service, &header, body)) {
        daemon_link_give_up(&service->link);
        return false;
    }
    if (service->timer != NULL)
        IOTimerEventSource_setTimeoutMS(service->timer, service->description->timeout_ms);
    return true;
}

static bool tell(void *context, const void *body, uint32_t size)
{
    struct daemon_service *service = context;
    struct service_control_header header;

    daemon_link_notice(SERVICE_CONTROL_NOTICE, size, &header);
    return send_to_daemon(service, &header, body);
}

static void reset(void *context)
{
    struct daemon_service *service = context;
    struct service_control_header header;

    daemon_link_give_up(&service->link);
    if (service->timer != NULL)
        IOTimerEventSource_cancelTimeout(service->timer);
    daemon_link_notice(SERVICE_CONTROL_RESET, 0, &header);
    send_to_daemon(service, &header, NULL);
}

/* ---- To the host, in the gate ---------------------------------------------------------------- */

static void answer_host(struct daemon_service *service, uint32_t status)
{
    const struct daemon_service_description *description = service->description;
    void *context = service->integration.engine.context;

    if (service->timer != NULL)
        IOTimerEventSource_cancelTimeout(service->timer);
    if (description->answering != NULL)
        status = description->answering(context, status);
    if (integration_channel_echo(&service->integration, status) == 0 &&
        description->answered != NULL)
        description->answered(context, status);
}

static void timed_out(OSObject *owner, IOTimerEventSource *timer)
{
    struct daemon_service *service = &((struct daemon_service_object *)owner)->daemon;
    struct service_control_header header;

    if (!daemon_link_give_up(&service->link))
        return;
    hv_log(service->description->class_name, "the daemon does not answer");
    daemon_link_notice(SERVICE_CONTROL_RESET, 0, &header);
    send_to_daemon(service, &header, NULL);
    answer_host(service, service->description->timeout_status);
}

/* ---- From the daemon, in the gate ------------------------------------------------------------ */

int daemon_service_connected(struct daemon_service *service, uint32_t unit)
{
    int error = daemon_link_connect(&service->link);

    if (error == 0)
        service->unit = unit;
    return error;
}

void daemon_service_disconnected(struct daemon_service *service, uint32_t unit)
{
    if (!service->link.connected || service->unit != unit)
        return;                         /* of a connection that was refused */
    if (service->deaf) {
        daemon_link_disconnect(&service->link);
        return;
    }
    if (service->link.ready) {
        hv_log(service->description->class_name, "the daemon is gone");
        if (service->description->daemon_gone != NULL)
            service->description->daemon_gone(service->integration.engine.context);
    }
    if (daemon_link_disconnect(&service->link))
        answer_host(service, IC_STATUS_FAIL);
}

static void welcome(struct daemon_service *service)
{
    struct service_control_hello hello;

    daemon_link_welcome(service->integration.engine.message_version, &hello);
    send_to_daemon(service, &hello.header, &hello.version);
    hv_log(service->description->class_name, "the daemon is there");
    if (service->description->daemon_ready != NULL)
        service->description->daemon_ready(service->integration.engine.context);
}

int daemon_service_received(struct daemon_service *service, uint32_t unit, mbuf_t packet,
                            uint32_t length)
{
    struct daemon_reply reply;
    int result;

    if (!service->link.connected || service->unit != unit || service->deaf)
        return ENOTCONN;
    mbuf_copydata(packet, 0, length, service->daemon_message);
    result = daemon_link_receive(&service->link, service->daemon_message, length, &reply);
    switch (result) {
    case DAEMON_HELLO:
        welcome(service);
        return 0;
    case DAEMON_REPLY:
        if (reply.size != 0)
            memcpy(integration_channel_body(&service->integration), reply.body, reply.size);
        answer_host(service, reply.status);
        return 0;
    case HV_ERROR_UNEXPECTED:
        return 0;
    default:
        hv_log(service->description->class_name, "a message of the daemon makes no sense");
        return result == HV_ERROR_NOT_SUPPORTED ? EPROTONOSUPPORT : EINVAL;
    }
}

/* ---- Start and stop -------------------------------------------------------------------------- */

static bool prepare(struct daemon_service *service, IOService *owner)
{
    service->owner = owner;
    service->port = (struct daemon_port){ .context = service,
                                          .ask = ask, .tell = tell, .reset = reset };
    service->lock = IOLockAlloc();
    service->daemon_message = IOMalloc(SERVICE_CONTROL_MAXIMUM);
    return service->lock != NULL && service->daemon_message != NULL;
}

static void release(struct daemon_service *service)
{
    if (service->daemon_message != NULL)
        IOFree(service->daemon_message, SERVICE_CONTROL_MAXIMUM);
    if (service->lock != NULL)
        IOLockFree(service->lock);
    iokit_release(service->work_loop);
    service->daemon_message = NULL;
    service->lock = NULL;
    service->work_loop = NULL;
}

static void add_timer(struct daemon_service *service)
{
    service->work_loop = device_channel_work_loop(service->integration.channel);
    iokit_retain(service->work_loop);
    service->timer = IOTimerEventSource_timerEventSource_object((OSObject *)service->owner,
                                                                timed_out);
    if (service->timer != NULL &&
        IOWorkLoop_addEventSource(service->work_loop, (IOEventSource *)service->timer) !=
            kIOReturnSuccess) {
        iokit_release(service->timer);
        service->timer = NULL;
    }
}

static void remove_timer(struct daemon_service *service)
{
    if (service->timer != NULL) {
        IOTimerEventSource_cancelTimeout(service->timer);
        IOWorkLoop_removeEventSource(service->work_loop, (IOEventSource *)service->timer);
        iokit_release(service->timer);
        service->timer = NULL;
    }
}

bool daemon_service_start(struct daemon_service_object *object, IOService *provider,
                          const struct daemon_service_description *description, void *context)
{
    struct daemon_service *service = &object->daemon;
    int error;

    if (boot_argument_given(description->off_switch) ||
        !IOService_super_start(&object->super, provider))
        return false;
    service->description = description;
    error = prepare(service, &object->super) ? 0 : HV_ERROR_NO_RESOURCES;
    if (error == 0)
        error = integration_channel_open(&service->integration, provider, description->service,
                                         context, description->ring_pages,
                                         description->message_maximum);
    if (error != 0) {
        hv_log(description->class_name, "cannot open the channel (error %d)", error);
        release(service);
        IOService_super_stop(&object->super, provider);
        return false;
    }
    add_timer(service);
    daemon_control_register(service);
    IOService_registerService(&object->super, 0);
    return true;
}

static int32_t say_goodbye(OSObject *owner, void *argument, void *unused1, void *unused2,
                           void *unused3)
{
    struct daemon_service *service = argument;
    struct service_control_header header;

    daemon_link_notice(SERVICE_CONTROL_GOODBYE, 0, &header);
    send_to_daemon(service, &header, NULL);
    return 0;
}

static int32_t go_deaf(OSObject *owner, void *argument, void *unused1, void *unused2,
                       void *unused3)
{
    ((struct daemon_service *)argument)->deaf = true;
    return 0;
}

static void run_gated(struct daemon_service *service,
                      int32_t (*action)(OSObject *, void *, void *, void *, void *))
{
    IOWorkLoop_runAction(service->work_loop, action, (OSObject *)service->owner, service, NULL,
                         NULL, NULL);
}

void daemon_service_stop(struct daemon_service_object *object, IOService *provider)
{
    struct daemon_service *service = &object->daemon;
    bool free_of_daemon;

    run_gated(service, say_goodbye);
    free_of_daemon = daemon_control_deregister(service);
    run_gated(service, go_deaf);
    remove_timer(service);
    integration_channel_close(&service->integration);
    if (free_of_daemon) {
        release(service);
    } else {
        hv_log(service->description->class_name, "the daemon does not let go; unloading is off");
        iokit_retain(object);           /* the kernel may still call us: stay for good */
    }
    IOService_super_stop(&object->super, provider);
}
