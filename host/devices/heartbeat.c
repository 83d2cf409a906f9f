/* SPDX-License-Identifier: BSD-3-Clause */
/* The heartbeat service. */
#include "host/devices/heartbeat.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/devices/integration.h"
#include "protocol/vmbus_classes.h"

enum { MISSED_MAX = 2 };
static const uint64_t period_ns = 2000000000ull;
static const uint32_t versions[] = {IC_HEARTBEAT_1_0, IC_HEARTBEAT_3_0, IC_HEARTBEAT_3_1};
static const struct integration_settings settings = {
    .name = "heartbeat",
    .kind = "heartbeat",
    .class_id = VMBUS_CLASS_HEARTBEAT,
    .instance_id = VMBUS_INSTANCE_HEARTBEAT,
    .message_type = IC_MESSAGE_HEARTBEAT,
    .versions = versions,
    .version_count = sizeof(versions) / sizeof(versions[0]),
};

struct heartbeat {
    struct virtual_device device; /* first */
    struct integration_channel channel;
    struct heartbeat_report report;
    uint64_t now_ns;    /* of the last run() */
    uint64_t next_ns;   /* when the next beat is due */
    uint64_t sent_ns;
    uint64_t sequence;  /* of the last beat */
    bool answer_came;   /* since the last run(), which dates it */
};

static void negotiated(void *service)
{
    struct heartbeat *heartbeat = service;
    heartbeat->next_ns = 0; /* the first beat goes out at once */
}

static void answered(void *service, uint32_t status, const void *body, size_t size)
{
    struct heartbeat *heartbeat = service;
    struct heartbeat_report *report = &heartbeat->report;
    struct ic_heartbeat message = {0};
    if (size < IC_HEARTBEAT_SIZE_MINIMUM) {
        host_channel_violation(heartbeat->channel.channel, "a heartbeat has a sequence number");
        return;
    }
    memcpy(&message, body, size < sizeof(message) ? size : sizeof(message));
    report->answers++;
    report->sequence = message.sequence;
    report->application_state = message.application_state;
    report->missed = 0;
    heartbeat->answer_came = true;
    /* The guest answers with the number plus one; the next beat goes on from there. */
    heartbeat->sequence = message.sequence;
}

static const struct integration_events events = {
    .negotiated = negotiated,
    .answered = answered,
};

static void beat(struct heartbeat *heartbeat)
{
    if (heartbeat->channel.waiting) {
        heartbeat->report.missed++;
        return; /* one request at a time: the guest still has the last one */
    }
    const struct ic_heartbeat message = {.sequence = heartbeat->sequence + 1};
    if (integration_send(&heartbeat->channel, &message, sizeof(message)) == 0) {
        heartbeat->sequence = message.sequence;
        heartbeat->sent_ns = heartbeat->now_ns;
        heartbeat->report.beats++;
    }
}

static void heartbeat_run(struct virtual_device *device, uint64_t now_ns)
{
    struct heartbeat *heartbeat = (struct heartbeat *)device;
    heartbeat->now_ns = now_ns;
    if (heartbeat->answer_came) {
        heartbeat->answer_came = false;
        heartbeat->report.last_answer_ns = now_ns;
        heartbeat->report.round_trip_ns = now_ns - heartbeat->sent_ns;
    }
    if (heartbeat->channel.state == INTEGRATION_READY && now_ns >= heartbeat->next_ns) {
        heartbeat->next_ns = now_ns + period_ns;
        beat(heartbeat);
    }
    integration_flush(&heartbeat->channel);
}

static uint64_t heartbeat_deadline_ns(struct virtual_device *device)
{
    const struct heartbeat *heartbeat = (const struct heartbeat *)device;
    return heartbeat->channel.state == INTEGRATION_READY ? heartbeat->next_ns : UINT64_MAX;
}

static enum heartbeat_status status_of(const struct heartbeat *heartbeat)
{
    const struct heartbeat_report *report = &heartbeat->report;
    if (heartbeat->channel.state == INTEGRATION_STOPPED) {
        return HEARTBEAT_ERROR;
    }
    if (report->answers == 0) {
        return HEARTBEAT_NO_CONTACT;
    }
    if (report->missed >= MISSED_MAX || heartbeat->channel.state == INTEGRATION_CLOSED) {
        return HEARTBEAT_LOST_COMMUNICATION;
    }
    switch (report->application_state) {
    case IC_HEARTBEAT_APPLICATIONS_HEALTHY:
        return HEARTBEAT_OK_HEALTHY;
    case IC_HEARTBEAT_APPLICATIONS_CRITICAL:
        return HEARTBEAT_OK_CRITICAL;
    default:
        return HEARTBEAT_OK_UNKNOWN;
    }
}

void heartbeat_report(const struct virtual_device *device, struct heartbeat_report *report)
{
    const struct heartbeat *heartbeat = (const struct heartbeat *)device;
    *report = heartbeat->report;
    report->status = status_of(heartbeat);
}

int heartbeat_renegotiate(struct virtual_device *device)
{
    return integration_renegotiate(&((struct heartbeat *)device)->channel);
}

const char *heartbeat_status_name(enum heartbeat_status status)
{
    static const char *const names[] = {
        [HEARTBEAT_NO_CONTACT] = "NoContact",
        [HEARTBEAT_OK_UNKNOWN] = "OkApplicationsUnknown",
        [HEARTBEAT_OK_HEALTHY] = "OkApplicationsHealthy",
        [HEARTBEAT_OK_CRITICAL] = "OkApplicationsCritical",
        [HEARTBEAT_LOST_COMMUNICATION] = "LostCommunication",
        [HEARTBEAT_ERROR] = "Error",
    };
    return names[status];
}

static void heartbeat_describe(struct virtual_device *device, struct json_object *to)
{
    const struct heartbeat *heartbeat = (const struct heartbeat *)device;
    struct heartbeat_report report;
    char version[24];
    heartbeat_report(device, &report);
    const uint32_t agreed = heartbeat->channel.message_version;
    snprintf(version, sizeof(version), "%u.%u", IC_VERSION_MAJOR(agreed),
             IC_VERSION_MINOR(agreed));
    json_object_object_add(to, "state", json_object_new_string(
                                            integration_state_name(heartbeat->channel.state)));
    json_object_object_add(to, "status",
                           json_object_new_string(heartbeat_status_name(report.status)));
    json_object_object_add(to, "version", json_object_new_string(version));
    json_object_object_add(to, "beats", json_object_new_uint64(report.beats));
    json_object_object_add(to, "answers", json_object_new_uint64(report.answers));
    json_object_object_add(to, "sequence", json_object_new_uint64(report.sequence));
    json_object_object_add(to, "missed", json_object_new_int((int)report.missed));
    if (report.last_answer_ns != 0) {
        json_object_object_add(
            to, "last_answer_seconds_ago",
            json_object_new_double((double)(heartbeat->now_ns - report.last_answer_ns) / 1e9));
        json_object_object_add(to, "round_trip_us",
                               json_object_new_uint64(report.round_trip_ns / 1000));
    }
}

static int heartbeat_plug(struct virtual_device *device, struct vmbus_server *server)
{
    return integration_plug(&((struct heartbeat *)device)->channel, server);
}

static void heartbeat_unplug(struct virtual_device *device)
{
    integration_unplug(&((struct heartbeat *)device)->channel);
}

static void heartbeat_free(struct virtual_device *device)
{
    free(device);
}

static const struct virtual_device_operations operations = {
    .kind = "heartbeat",
    .plug = heartbeat_plug,
    .unplug = heartbeat_unplug,
    .deadline_ns = heartbeat_deadline_ns,
    .run = heartbeat_run,
    .describe = heartbeat_describe,
    .free = heartbeat_free,
};

struct virtual_device *heartbeat_new(uint32_t framework, uint32_t version)
{
    struct heartbeat *heartbeat = calloc(1, sizeof(*heartbeat));
    if (heartbeat == NULL) {
        return NULL;
    }
    heartbeat->device.operations = &operations;
    integration_initialise(&heartbeat->channel, &settings, framework, version, &events, heartbeat);
    return &heartbeat->device;
}
