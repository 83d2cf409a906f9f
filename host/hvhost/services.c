/* SPDX-License-Identifier: BSD-3-Clause */
/* The integration services: made, listed, switched; shutdown, time and backup on request. */
#include "host/hvhost/services.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <time.h>

#include "host/devices/dynamic_memory.h"
#include "host/devices/filecopy.h"
#include "host/devices/heartbeat.h"
#include "host/devices/kvp.h"
#include "host/devices/shutdown.h"
#include "host/devices/timesync.h"
#include "host/devices/vss.h"
#include "host/hvhost/hvhost.h"

/* As Get-VMIntegrationService has them, and as hvctl enable takes them. */
static const struct {
    const char *name, *title;
} names[HVHOST_SERVICE_COUNT] = {
    [HVHOST_HEARTBEAT] = {"heartbeat", "Heartbeat"},
    [HVHOST_SHUTDOWN] = {"shutdown", "Shutdown"},
    [HVHOST_TIME_SYNC] = {"timesync", "Time Synchronization"},
    [HVHOST_FILE_COPY] = {"filecopy", "Guest Service Interface"},
    [HVHOST_KVP] = {"kvp", "Key-Value Pair Exchange"},
    [HVHOST_BACKUP] = {"backup", "VSS"},
};

/* ---- Making ---- */

static uint64_t clock_utc(void *context)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return IC_TIME_UNIX_EPOCH + (uint64_t)now.tv_sec * IC_TIME_UNITS_PER_SECOND +
           (uint64_t)now.tv_nsec / 100;
}

static uint64_t clock_reference(void *context)
{
    return hvhost_reference_time(context);
}

static struct virtual_device *make(struct hvhost *host, enum hvhost_service_kind kind)
{
    const struct host_release_versions *versions = &host->release.versions;
    const struct timesync_clocks clocks = {host, clock_utc, clock_reference};
    switch (kind) {
    case HVHOST_SHUTDOWN:
        return shutdown_new(versions->framework, versions->shutdown);
    case HVHOST_TIME_SYNC:
        return timesync_new(versions->framework, versions->time_sync, &clocks);
    case HVHOST_FILE_COPY:
        return filecopy_new(versions->framework, versions->file_copy);
    case HVHOST_KVP:
        return kvp_new(versions->framework, versions->key_value, "hvhost");
    default:
        return vss_new(versions->framework, versions->backup);
    }
}

static bool release_has(const struct hvhost *host, enum hvhost_service_kind kind)
{
    const struct host_release_versions *versions = &host->release.versions;
    const uint32_t version[HVHOST_SERVICE_COUNT] = {
        [HVHOST_SHUTDOWN] = versions->shutdown, [HVHOST_TIME_SYNC] = versions->time_sync,
        [HVHOST_FILE_COPY] = versions->file_copy, [HVHOST_KVP] = versions->key_value,
        [HVHOST_BACKUP] = versions->backup,
    };
    return version[kind] != 0;
}

static int make_dynamic_memory(struct hvhost *host)
{
    uint32_t version = host->release.versions.dynamic_memory;
    struct virtual_device *device = version != 0 ? dynamic_memory_new(version) : NULL;
    if (device != NULL) {
        hvhost_add_device(host, device);
    }
    return version != 0 && device == NULL ? -ENOMEM : 0;
}

int hvhost_make_services(struct hvhost *host)
{
    struct virtual_device **devices = host->integration.devices;
    devices[HVHOST_HEARTBEAT] = host->heartbeat;
    for (unsigned i = HVHOST_SHUTDOWN; i < HVHOST_SERVICE_COUNT; i++) {
        if (!release_has(host, i)) {
            continue;
        }
        devices[i] = make(host, i);
        if (devices[i] == NULL) {
            return -ENOMEM;
        }
        hvhost_add_device(host, devices[i]);
    }
    return make_dynamic_memory(host);
}

bool hvhost_service_is_off(const struct hvhost *host, const struct virtual_device *device)
{
    for (unsigned i = 0; i < HVHOST_SERVICE_COUNT; i++) {
        if (host->integration.devices[i] == device) {
            return (host->integration.disabled >> i & 1) != 0;
        }
    }
    return false;
}

/* ---- What the verbs share ---- */

const char *hvhost_text_of(struct json_object *arguments, const char *name)
{
    struct json_object *value;
    return json_object_object_get_ex(arguments, name, &value) &&
                   json_object_is_type(value, json_type_string)
               ? json_object_get_string(value)
               : NULL;
}

bool hvhost_truth_of(struct json_object *arguments, const char *name)
{
    struct json_object *value;
    return json_object_object_get_ex(arguments, name, &value) && json_object_get_boolean(value);
}

struct virtual_device *hvhost_service_for(struct hvhost *host, enum hvhost_service_kind kind,
                                          struct control_ticket *ticket)
{
    struct virtual_device *device = host->integration.devices[kind];
    if (device == NULL) {
        control_refuse(ticket, -ENODEV, "%s has no service \"%s\"", host->release.title,
                       names[kind].title);
    }
    return device;
}

bool hvhost_refuse_call(struct control_ticket *ticket, int result, uint32_t status)
{
    const char *text = integration_status_text(status);
    switch (result) {
    case 0:
        break;
    case -ENOTCONN:
        control_refuse(ticket, result, "the guest does not serve this now; hvctl services says "
                                       "what it does, hvctl enable offers it again");
        return true;
    case -ECONNRESET:
        control_refuse(ticket, result, "the guest closed the service");
        return true;
    case -ETIMEDOUT:
        control_refuse(ticket, result, "the guest did not answer in time");
        return true;
    case -EBUSY:
        control_refuse(ticket, result, "the service is busy with another request");
        return true;
    default:
        control_refuse(ticket, result, "%s", strerror(-result));
        return true;
    }
    if (status == IC_STATUS_OK) {
        return false;
    }
    control_refuse(ticket, -EREMOTEIO, "the guest says 0x%08x: %s", status,
                   text != NULL ? text : "no text for it");
    return true;
}

static void call_done(void *context, int result, uint32_t status, const void *body, size_t size)
{
    if (!hvhost_refuse_call(context, result, status)) {
        control_answer(context, NULL);
    }
}

/* ---- Shutdown ---- */

/* What the guest has agreed to, once it has. */
static struct json_object *describe_shutdown(uint32_t flags, const char *reason)
{
    struct json_object *object = json_object_new_object();
    const char *action = (flags & IC_SHUTDOWN_HIBERNATE) != 0 ? "hibernate"
                         : (flags & IC_SHUTDOWN_RESTART) != 0 ? "restart"
                                                              : "shutdown";
    json_object_object_add(object, "agreed_to", json_object_new_string(action));
    json_object_object_add(object, "forced",
                           json_object_new_boolean((flags & IC_SHUTDOWN_FORCE) != 0));
    json_object_object_add(object, "reason",
                           json_object_new_string(reason != NULL ? reason : ""));
    return object;
}

void hvhost_verb_shutdown(struct hvhost *host, struct json_object *arguments,
                          struct control_ticket *ticket)
{
    struct virtual_device *device = hvhost_service_for(host, HVHOST_SHUTDOWN, ticket);
    uint32_t flags = (hvhost_truth_of(arguments, "force") ? IC_SHUTDOWN_FORCE : 0) |
                     (hvhost_truth_of(arguments, "restart") ? IC_SHUTDOWN_RESTART : 0) |
                     (hvhost_truth_of(arguments, "hibernate") ? IC_SHUTDOWN_HIBERNATE : 0);
    if (device == NULL) {
        return;
    }
    control_prepare(ticket, describe_shutdown(flags, hvhost_text_of(arguments, "reason")));
    int result = shutdown_request(device, flags, IC_SHUTDOWN_REASON_PLANNED,
                                  hvhost_text_of(arguments, "reason"), call_done, ticket);
    if (result == -EOPNOTSUPP) {
        control_refuse(ticket, result, "the version of the guest's shutdown service cannot do it");
    } else if (result != 0) {
        hvhost_refuse_call(ticket, result, 0);
    }
}

/* ---- Time ---- */

/* Seconds from 1601 to where the host's clock, a signed number of 100 ns, ends. */
static const double YEAR_30828 = 922337203685.0;

/* Does the host's clock stay between the two, so many seconds ahead? */
static bool can_be_ahead(double seconds)
{
    const double begin = (double)clock_utc(NULL) / -1e7;
    return seconds >= begin && seconds < YEAR_30828 + begin;
}

void hvhost_verb_time(struct hvhost *host, struct json_object *arguments,
                      struct control_ticket *ticket)
{
    struct virtual_device *device = hvhost_service_for(host, HVHOST_TIME_SYNC, ticket);
    struct json_object *skew;
    if (device == NULL) {
        return;
    }
    if (json_object_object_get_ex(arguments, "skew", &skew)) {
        double seconds = json_object_get_double(skew);
        if (!can_be_ahead(seconds)) {
            control_refuse(ticket, -EINVAL, "\"skew\" is a number of seconds; the clock stays "
                                            "between the years 1601 and 30828");
            return;
        }
        timesync_set_skew(device, (int64_t)(seconds * 1e7));
        hvhost_event(host, "clock", NULL, "the host's clock is %.3f s ahead", seconds);
    }
    struct json_object *result = json_object_new_object();
    const uint64_t utc = clock_utc(NULL) + (uint64_t)timesync_skew(device);
    json_object_object_add(
        result, "host_unix_seconds",
        json_object_new_double(((double)utc - (double)IC_TIME_UNIX_EPOCH) / 1e7));
    device->operations->describe(device, result);
    control_answer(ticket, result);
}

/* ---- A guest that goes on ---- */

/* The longest that a guest is said to have stood still: a year. */
static const double RESUMED_MAX = 366.0 * 86400;

static int renegotiate(struct hvhost *host, enum hvhost_service_kind kind)
{
    struct virtual_device *device = host->integration.devices[kind];
    if (device == NULL) {
        return -ENODEV;
    }
    return kind == HVHOST_HEARTBEAT ? heartbeat_renegotiate(device)
                                    : integration_service_renegotiate(device);
}

void hvhost_verb_resumed(struct hvhost *host, struct json_object *arguments,
                         struct control_ticket *ticket)
{
    struct virtual_device *time_sync = hvhost_service_for(host, HVHOST_TIME_SYNC, ticket);
    struct json_object *value;
    double seconds = -1;
    if (time_sync == NULL) {
        return;
    }
    if (json_object_object_get_ex(arguments, "seconds", &value)) {
        seconds = json_object_get_double(value);
    }
    const double skew = (double)timesync_skew(time_sync) / 1e7 + seconds;
    if (!(seconds >= 0 && seconds <= RESUMED_MAX) || !can_be_ahead(skew)) {
        control_refuse(ticket, -EINVAL, "\"seconds\" that the guest stood still: 0 to 31622400");
        return;
    }
    timesync_set_skew(time_sync, (int64_t)(skew * 1e7));
    struct json_object *list = json_object_new_array();
    for (unsigned i = 0; i < HVHOST_SERVICE_COUNT; i++) {
        if (renegotiate(host, i) == 0) {
            json_object_array_add(list, json_object_new_string(names[i].name));
        }
    }
    hvhost_event(host, "resumed", NULL, "as after %.3f s in which the guest stood still", seconds);
    struct json_object *result = json_object_new_object();
    json_object_object_add(result, "stood_still_seconds", json_object_new_double(seconds));
    json_object_object_add(result, "skew_seconds", json_object_new_double(skew));
    json_object_object_add(result, "negotiated_anew", list);
    control_answer(ticket, result);
}

/* ---- All of them ---- */

void hvhost_verb_services(struct hvhost *host, struct json_object *arguments,
                          struct control_ticket *ticket)
{
    struct json_object *list = json_object_new_array();
    for (unsigned i = 0; i < HVHOST_SERVICE_COUNT; i++) {
        struct virtual_device *device = host->integration.devices[i];
        if (device == NULL) {
            continue;
        }
        struct json_object *object = json_object_new_object();
        json_object_object_add(object, "service", json_object_new_string(names[i].name));
        json_object_object_add(object, "title", json_object_new_string(names[i].title));
        json_object_object_add(object, "enabled",
                               json_object_new_boolean((host->integration.disabled >> i & 1) == 0));
        device->operations->describe(device, object);
        json_object_array_add(list, object);
    }
    struct json_object *result = json_object_new_object();
    json_object_object_add(result, "services", list);
    control_answer(ticket, result);
}

void hvhost_verb_service(struct hvhost *host, struct json_object *arguments,
                         struct control_ticket *ticket)
{
    const char *name = hvhost_text_of(arguments, "service");
    const bool on = hvhost_truth_of(arguments, "on");
    for (unsigned i = 0; name != NULL && i < HVHOST_SERVICE_COUNT; i++) {
        struct virtual_device *device = host->integration.devices[i];
        if (device == NULL || strcmp(names[i].name, name) != 0) {
            continue;
        }
        uint32_t bit = 1u << i;
        int result = 0;
        if (host->machine_made && on && (host->integration.disabled & bit) != 0) {
            result = device->operations->plug(device, host->machine.server);
        } else if (host->machine_made && !on && (host->integration.disabled & bit) == 0) {
            device->operations->unplug(device);
        }
        if (result != 0) {
            control_refuse(ticket, result, "service %s: %s", name, strerror(-result));
            return;
        }
        host->integration.disabled = on ? host->integration.disabled & ~bit
                                        : host->integration.disabled | bit;
        hvhost_event(host, on ? "service-enabled" : "service-disabled", NULL, "%s",
                     names[i].title);
        struct json_object *answer = json_object_new_object();
        json_object_object_add(answer, "service", json_object_new_string(name));
        json_object_object_add(answer, "enabled", json_object_new_boolean(on));
        control_answer(ticket, answer);
        return;
    }
    control_refuse(ticket, -ENOENT, "\"service\" is heartbeat, shutdown, timesync, filecopy, kvp "
                                    "or backup, and the release must have it");
}

/* ---- Backup ---- */

void hvhost_verb_backup(struct hvhost *host, struct json_object *arguments,
                        struct control_ticket *ticket)
{
    const char *action = hvhost_text_of(arguments, "action");
    struct virtual_device *device = hvhost_service_for(host, HVHOST_BACKUP, ticket);
    int result = -EINVAL;
    if (device == NULL) {
        return;
    }
    const bool freeze = action != NULL && strcmp(action, "freeze") == 0;
    struct json_object *answer = json_object_new_object();
    json_object_object_add(answer, "disks", json_object_new_string(freeze ? "frozen" : "thawed"));
    control_prepare(ticket, answer);
    if (freeze) {
        result = vss_freeze(device, call_done, ticket);
    } else if (action != NULL && strcmp(action, "thaw") == 0) {
        result = vss_thaw(device, call_done, ticket);
    }
    if (result != 0) {
        hvhost_refuse_call(ticket, result, 0);
    }
}
