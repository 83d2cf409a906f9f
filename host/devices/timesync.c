/* SPDX-License-Identifier: BSD-3-Clause */
/* Time synchronisation. */
#include "host/devices/timesync.h"

#include <json-c/json.h>

#include "protocol/vmbus_classes.h"

static const uint64_t period_ns = 5000000000ull;
static const uint64_t limit_ns = 30000000000ull;
static const uint32_t versions[] = {IC_TIME_SYNC_1_0, IC_TIME_SYNC_3_0, IC_TIME_SYNC_4_0};
static const struct integration_settings settings = {
    .name = "time synchronisation",
    .kind = "timesync",
    .class_id = VMBUS_CLASS_TIME_SYNC,
    .instance_id = VMBUS_INSTANCE_TIME_SYNC,
    .message_type = IC_MESSAGE_TIME_SYNC,
    .versions = versions,
    .version_count = sizeof(versions) / sizeof(versions[0]),
};

struct timesync {
    struct integration_service service; /* first */
    struct timesync_clocks clocks;
    int64_t skew;
    bool step_due;           /* the guest has not been told to step yet */
    uint64_t next_ns;
    bool waiting;            /* the last message has no answer yet */
    uint32_t status;         /* of the last answer */
    uint64_t syncs, samples; /* answered */
    uint8_t flags;           /* of the last message */
};

static void told(void *context, int result, uint32_t status, const void *body, size_t size)
{
    struct timesync *timesync = context;
    timesync->waiting = false;
    if (result != 0) {
        return;
    }
    timesync->status = status;
    if (timesync->flags & IC_TIME_SYNC) {
        timesync->syncs++;
    } else {
        timesync->samples++;
    }
}

static int send_time(struct timesync *timesync, uint64_t utc, uint8_t flags)
{
    struct integration_service *service = &timesync->service;
    timesync->flags = flags;
    if (service->channel.message_version >= IC_TIME_SYNC_4_0) {
        const struct ic_time_sync_4_0 body = {
            .host_time = utc,
            .reference_time = timesync->clocks.reference(timesync->clocks.context),
            .flags = flags,
        };
        return integration_service_call(service, &body, sizeof(body), limit_ns, told, timesync);
    }
    const struct ic_time_sync body = {.host_time = utc, .flags = flags};
    return integration_service_call(service, &body, sizeof(body), limit_ns, told, timesync);
}

void timesync_send(struct virtual_device *device, uint64_t utc, uint8_t flags)
{
    struct timesync *timesync = (struct timesync *)device;
    timesync->waiting = send_time(timesync, utc, flags) == 0;
}

static void negotiated(struct integration_service *service)
{
    struct timesync *timesync = (struct timesync *)service;
    timesync->step_due = true;
    timesync->waiting = service->first != NULL; /* it will be sent again */
    timesync->next_ns = 0;
}

static void run(struct integration_service *service, uint64_t now_ns)
{
    struct timesync *timesync = (struct timesync *)service;
    if (service->channel.state != INTEGRATION_READY || timesync->waiting ||
        (now_ns < timesync->next_ns && !timesync->step_due)) {
        return;
    }
    const uint64_t utc = timesync->clocks.utc(timesync->clocks.context) + (uint64_t)timesync->skew;
    timesync->next_ns = now_ns + period_ns;
    if (send_time(timesync, utc, timesync->step_due ? IC_TIME_SYNC : IC_TIME_SAMPLE) == 0) {
        timesync->waiting = true;
        timesync->step_due = false;
    }
}

static uint64_t next_ns(struct integration_service *service)
{
    const struct timesync *timesync = (const struct timesync *)service;
    if (timesync->waiting) {
        return UINT64_MAX;
    }
    return timesync->step_due ? 0 : timesync->next_ns;
}

static void describe(struct integration_service *service, struct json_object *to)
{
    const struct timesync *timesync = (const struct timesync *)service;
    json_object_object_add(to, "skew_seconds",
                           json_object_new_double((double)timesync->skew / 1e7));
    json_object_object_add(to, "syncs", json_object_new_uint64(timesync->syncs));
    json_object_object_add(to, "samples", json_object_new_uint64(timesync->samples));
    const char *text = integration_status_text(timesync->status);
    json_object_object_add(to, "guest_says", json_object_new_string(text != NULL ? text : "?"));
}

void timesync_set_skew(struct virtual_device *device, int64_t skew)
{
    struct timesync *timesync = (struct timesync *)device;
    timesync->skew = skew;
    timesync->step_due = true;
}

int64_t timesync_skew(const struct virtual_device *device)
{
    return ((const struct timesync *)device)->skew;
}

uint32_t timesync_status(const struct virtual_device *device)
{
    return ((const struct timesync *)device)->status;
}

struct virtual_device *timesync_new(uint32_t framework, uint32_t version,
                                    const struct timesync_clocks *clocks)
{
    struct timesync *timesync =
        integration_service_new(sizeof(*timesync), &settings, framework, version);
    if (timesync == NULL) {
        return NULL;
    }
    timesync->clocks = *clocks;
    timesync->service.negotiated = negotiated;
    timesync->service.run = run;
    timesync->service.next_ns = next_ns;
    timesync->service.describe = describe;
    return &timesync->service.device;
}
