/* SPDX-License-Identifier: BSD-3-Clause */
/* Log, events, and what the guest did wrong. */
#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <string.h>

#include "host/hvhost/hvhost.h"

enum { LINES_A_SECOND = 50, NS_A_SECOND = 1000000000, TEXT_MAX = 512 };

int hvhost_report_open(struct hvhost *host)
{
    host->report.json = host->options.json_events;
    host->report.log = stderr;
    if (host->options.log_path != NULL) {
        host->report.log = fopen(host->options.log_path, "ae");
        if (host->report.log == NULL) {
            fprintf(stderr, "hvhost: --log %s: %s\n", host->options.log_path, strerror(errno));
            return -errno;
        }
    }
    setvbuf(host->report.log, NULL, _IOLBF, 0);
    return 0;
}

void hvhost_report_close(struct hvhost *host)
{
    if (host->report.log != NULL && host->report.log != stderr) {
        fclose(host->report.log);
    }
    host->report.log = NULL;
}

/* A guest can cause lines without end: so many a second are written, and the rest counted. */
static bool may_write(struct hvhost *host)
{
    struct hvhost_report *report = &host->report;
    uint64_t second = host->now_ns / NS_A_SECOND;
    if (second != report->second) {
        report->second = second;
        report->lines = 0;
        if (report->suppressed > 0 && !report->json) {
            fprintf(report->log, "hvhost: %u lines were left out\n", report->suppressed);
        }
        report->suppressed = 0;
    }
    if (report->lines >= LINES_A_SECOND) {
        report->suppressed++;
        return false;
    }
    report->lines++;
    return true;
}

void hvhost_event(struct hvhost *host, const char *name, struct json_object *details,
                  const char *format, ...)
{
    char text[TEXT_MAX];
    const double seconds = (double)(host->now_ns - host->start_ns) / NS_A_SECOND;
    struct json_object *event = details != NULL ? details : json_object_new_object();
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (!may_write(host)) {
        json_object_put(event);
        return;
    }
    json_object_object_add(event, "event", json_object_new_string(name));
    json_object_object_add(event, "seconds", json_object_new_double(seconds));
    json_object_object_add(event, "text", json_object_new_string(text));
    if (host->report.json) {
        fprintf(host->report.log, "%s\n",
                json_object_to_json_string_ext(event, JSON_C_TO_STRING_PLAIN));
    } else {
        fprintf(host->report.log, "hvhost: %10.6f %s: %s\n", seconds, name, text);
    }
    if (host->control != NULL) {
        control_server_event(host->control, event);
    } else {
        json_object_put(event);
    }
}

void hvhost_report_devices(struct hvhost *host)
{
    for (struct virtual_device *device = host->devices; device != NULL; device = device->next) {
        struct json_object *state = json_object_new_object();
        if (device->operations->describe != NULL) {
            device->operations->describe(device, state);
        }
        struct json_object *details = json_object_new_object();
        json_object_object_add(details, "kind", json_object_new_string(device->operations->kind));
        json_object_object_add(details, "state", state);
        hvhost_event(host, "device", details, "%s %s", device->operations->kind,
                     json_object_to_json_string_ext(state, JSON_C_TO_STRING_PLAIN));
    }
}

static struct json_object *violation_object(const struct hvhost_violation *violation,
                                            uint64_t number)
{
    struct json_object *object = json_object_new_object();
    json_object_object_add(object, "number", json_object_new_uint64(number));
    json_object_object_add(object, "at_seconds",
                           json_object_new_double((double)violation->time_ns / NS_A_SECOND));
    json_object_object_add(object, "message", json_object_new_string(violation->message));
    json_object_object_add(object, "state", json_object_new_string(violation->state));
    json_object_object_add(object, "rule", json_object_new_string(violation->rule));
    if (violation->channel != 0) {
        json_object_object_add(object, "channel", json_object_new_int((int)violation->channel));
    }
    return object;
}

static void copy_text(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from != NULL ? from : "");
}

void hvhost_violated(void *context, const struct host_violation *violation)
{
    struct hvhost *host = context;
    struct hvhost_report *report = &host->report;
    struct hvhost_violation *kept = &report->kept[report->violations % HVHOST_VIOLATIONS_KEPT];
    kept->time_ns = host->now_ns - host->start_ns;
    kept->channel = violation->channel;
    copy_text(kept->message, sizeof(kept->message), violation->message);
    copy_text(kept->state, sizeof(kept->state), violation->state);
    copy_text(kept->rule, sizeof(kept->rule), violation->rule);
    report->violations++;
    hvhost_event(host, "violation", violation_object(kept, report->violations),
                 "channel %u: %s in state \"%s\" breaks the rule: %s", kept->channel,
                 kept->message, kept->state, kept->rule);
}

struct json_object *hvhost_violations(const struct hvhost *host)
{
    const struct hvhost_report *report = &host->report;
    struct json_object *array = json_object_new_array();
    uint64_t first = report->violations > HVHOST_VIOLATIONS_KEPT
                         ? report->violations - HVHOST_VIOLATIONS_KEPT
                         : 0;
    for (uint64_t i = first; i < report->violations; i++) {
        json_object_array_add(
            array, violation_object(&report->kept[i % HVHOST_VIOLATIONS_KEPT], i + 1));
    }
    return array;
}
