/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls in line, on an integration channel. */
#include "host/devices/integration_service.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct integration_call {
    struct integration_call *next;
    uint64_t limit_ns;
    integration_done *done;
    void *context;
    size_t size;
    uint8_t body[];
};

/* ---- The line ---- */

static void end_call(struct integration_service *service, int result, uint32_t status,
                     const void *body, size_t size)
{
    struct integration_call *call = service->first;
    service->first = call->next;
    if (service->first == NULL) {
        service->last = NULL;
    }
    service->sent = false;
    if (call->done != NULL) {
        call->done(call->context, result, status, body, size);
    }
    free(call);
}

/* Only those that are there now: what their ends add is refused by the closed channel. */
static void end_all(struct integration_service *service, int result)
{
    while (service->first != NULL) {
        end_call(service, result, 0, NULL, 0);
    }
}

static void send_first(struct integration_service *service)
{
    struct integration_call *call = service->first;
    if (call == NULL || service->sent) {
        return;
    }
    int result = integration_send(&service->channel, call->body, call->size);
    if (result == 0) {
        service->sent = true;
        service->sent_ns = service->now_ns;
        service->deadline_ns = service->now_ns + call->limit_ns;
    } else if (result == -EAGAIN || result == -ENOTCONN) {
        return; /* the ring is full, or the versions are being agreed anew: the next run() */
    } else {
        end_call(service, result, 0, NULL, 0);
    }
}

int integration_service_call(struct integration_service *service, const void *body, size_t size,
                             uint64_t limit_ns, integration_done *done, void *context)
{
    if (service->channel.state != INTEGRATION_READY) {
        return -ENOTCONN;
    }
    if (size > INTEGRATION_BODY_MAX - sizeof(struct ic_message_header)) {
        return -EMSGSIZE;
    }
    struct integration_call *call = malloc(sizeof(*call) + size);
    if (call == NULL) {
        return -ENOMEM;
    }
    *call = (struct integration_call){
        .limit_ns = limit_ns, .done = done, .context = context, .size = size};
    memcpy(call->body, body, size);
    if (service->last != NULL) {
        service->last->next = call;
    } else {
        service->first = call;
    }
    service->last = call;
    return 0;
}

/* ---- The channel's events ---- */

static void negotiated(void *context)
{
    struct integration_service *service = context;
    service->sent = false; /* the guest forgot what it had: it is asked again */
    if (service->negotiated != NULL) {
        service->negotiated(service);
    }
}

static void answered(void *context, uint32_t status, const void *body, size_t size)
{
    struct integration_service *service = context;
    service->answer_came = true;
    if (service->sent) {
        end_call(service, 0, status, body, size);
        send_first(service);
    }
}

static void closed(void *context)
{
    end_all(context, -ECONNRESET);
}

static const struct integration_events events = {
    .negotiated = negotiated,
    .answered = answered,
    .closed = closed,
};

/* ---- The device ---- */

static struct integration_service *of(struct virtual_device *device)
{
    return (struct integration_service *)device;
}

int integration_service_renegotiate(struct virtual_device *device)
{
    return integration_renegotiate(&of(device)->channel);
}

static int service_plug(struct virtual_device *device, struct vmbus_server *server)
{
    return integration_plug(&of(device)->channel, server);
}

static void service_unplug(struct virtual_device *device)
{
    integration_unplug(&of(device)->channel);
}

static void service_run(struct virtual_device *device, uint64_t now_ns)
{
    struct integration_service *service = of(device);
    service->now_ns = now_ns;
    if (service->answer_came) {
        service->answer_came = false;
        service->round_trip_ns = now_ns - service->sent_ns;
    }
    if (service->channel.state == INTEGRATION_STOPPED) {
        end_all(service, -ECONNRESET);
    }
    if (service->sent && now_ns >= service->deadline_ns) {
        integration_give_up(&service->channel);
        end_call(service, -ETIMEDOUT, 0, NULL, 0);
    }
    if (service->run != NULL) {
        service->run(service, now_ns);
    }
    send_first(service);
    integration_flush(&service->channel);
}

static uint64_t service_deadline_ns(struct virtual_device *device)
{
    struct integration_service *service = of(device);
    uint64_t next = service->next_ns != NULL && service->channel.state == INTEGRATION_READY
                        ? service->next_ns(service)
                        : UINT64_MAX;
    return service->sent && service->deadline_ns < next ? service->deadline_ns : next;
}

static void service_describe(struct virtual_device *device, struct json_object *to)
{
    struct integration_service *service = of(device);
    char version[24];
    const uint32_t agreed = service->channel.message_version;
    snprintf(version, sizeof(version), "%u.%u", IC_VERSION_MAJOR(agreed),
             IC_VERSION_MINOR(agreed));
    json_object_object_add(to, "state", json_object_new_string(
                                            integration_state_name(service->channel.state)));
    json_object_object_add(to, "version", json_object_new_string(version));
    json_object_object_add(to, "requests", json_object_new_uint64(service->channel.requests));
    json_object_object_add(to, "answers", json_object_new_uint64(service->channel.answers));
    json_object_object_add(to, "round_trip_us",
                           json_object_new_uint64(service->round_trip_ns / 1000));
    if (service->describe != NULL) {
        service->describe(service, to);
    }
}

static void service_free(struct virtual_device *device)
{
    struct integration_service *service = of(device);
    service->channel.state = INTEGRATION_CLOSED;
    end_all(service, -ECONNRESET);
    if (service->free != NULL) {
        service->free(service);
    } else {
        free(service);
    }
}

void *integration_service_new(size_t size, const struct integration_settings *settings,
                              uint32_t framework_max, uint32_t version_max)
{
    struct integration_service *service = calloc(1, size);
    if (service == NULL) {
        return NULL;
    }
    service->operations = (struct virtual_device_operations){
        .kind = settings->kind,
        .plug = service_plug,
        .unplug = service_unplug,
        .deadline_ns = service_deadline_ns,
        .run = service_run,
        .describe = service_describe,
        .free = service_free,
    };
    service->device.operations = &service->operations;
    integration_initialise(&service->channel, settings, framework_max, version_max, &events,
                           service);
    return service;
}

const char *integration_status_text(uint32_t status)
{
    static const struct {
        uint32_t status;
        const char *text;
    } names[] = {
        {IC_STATUS_OK, "ok"},
        {IC_STATUS_FAIL, "the guest refused, or nothing in it serves the request"},
        {IC_STATUS_ACCESS_DENIED, "access denied"},
        {IC_STATUS_NOT_READY, "not ready"},
        {IC_STATUS_NOT_SUPPORTED, "not supported by the guest"},
        {IC_STATUS_FILE_EXISTS, "the file exists"},
        {IC_STATUS_INVALID_ARGUMENT, "invalid argument"},
        {IC_STATUS_DISK_FULL, "the guest's disk is full"},
        {IC_STATUS_NO_MORE_ITEMS, "no such item"},
        {IC_STATUS_SHUTDOWN_IN_PROGRESS, "a shutdown is in progress"},
        {IC_STATUS_DEVICE_NOT_CONNECTED, "device not connected"},
        {IC_STATUS_MACHINE_LOCKED, "the machine is locked"},
        {IC_STATUS_TIMEOUT, "time-out in the guest"},
        {IC_STATUS_WMI_NOT_FOUND, "the guest has no such network adapter"},
    };
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].status == status) {
            return names[i].text;
        }
    }
    return NULL;
}
