/* SPDX-License-Identifier: BSD-3-Clause */
/* What the control socket understands. A new verb gets a row in `verbs`; a device's own verbs go
 * into a file of their own, verbs_<device>.c. */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "host/devices/heartbeat.h"
#include "host/hvhost/hvhost.h"

typedef void verb_function(struct hvhost *host, struct json_object *arguments,
                           struct control_ticket *ticket);

/* ---- Arguments ---- */

/* The text of a member, or NULL. */
static const char *text_of(struct json_object *arguments, const char *name)
{
    struct json_object *value;
    if (!json_object_object_get_ex(arguments, name, &value) ||
        !json_object_is_type(value, json_type_string)) {
        return NULL;
    }
    return json_object_get_string(value);
}

/* ---- Looking ---- */

static const char *machine_state(const struct hvhost *host, const struct partition_report *report)
{
    if (host->crashed) {
        return "crashed";
    }
    if (!report->connected) {
        return "off";
    }
    return report->started ? "running" : "starting";
}

static void add_version(struct json_object *to, const char *name, uint32_t version)
{
    char text[24] = "none";
    if (version != 0) {
        snprintf(text, sizeof(text), "%u.%u", version >> 16, version & 0xffff);
    }
    json_object_object_add(to, name, json_object_new_string(text));
}

static void verb_status(struct hvhost *host, struct json_object *arguments,
                        struct control_ticket *ticket)
{
    struct partition_report report;
    struct json_object *result = json_object_new_object();
    partition_server_report(host->partition, &report);
    json_object_object_add(result, "state", json_object_new_string(machine_state(host, &report)));
    json_object_object_add(result, "release", json_object_new_string(host->release.title));
    json_object_object_add(result, "generation",
                           json_object_new_int((int)host->options.generation));
    json_object_object_add(result, "processors", json_object_new_int((int)report.processors));
    json_object_object_add(result, "guest_mode", json_object_new_int((int)report.guest_mode));
    json_object_object_add(result, "ram_mib", json_object_new_uint64(report.ram_bytes >> 20));
    json_object_object_add(
        result, "uptime_seconds",
        json_object_new_double(host->machine_made ? (double)hvhost_reference_time(host) / 1e7 : 0));
    add_version(result, "vmbus_version",
                host->machine_made ? vmbus_server_version(host->machine.server) : 0);
    json_object_object_add(result, "violations", json_object_new_uint64(host->report.violations));
    json_object_object_add(result, "exits", json_object_new_uint64(report.exits));
    json_object_object_add(result, "signals", json_object_new_uint64(report.signals));
    json_object_object_add(result, "interrupts", json_object_new_uint64(report.interrupts));
    json_object_object_add(result, "sleeps", json_object_new_uint64(host->polling.sleeps));
    json_object_object_add(result, "polls_won", json_object_new_uint64(host->polling.polls_won));
    control_answer(ticket, result);
}

static void verb_devices(struct hvhost *host, struct json_object *arguments,
                         struct control_ticket *ticket)
{
    struct json_object *list = json_object_new_array();
    for (struct virtual_device *device = host->devices; device != NULL; device = device->next) {
        struct json_object *object = json_object_new_object();
        json_object_object_add(object, "kind", json_object_new_string(device->operations->kind));
        if (device->operations->describe != NULL) {
            device->operations->describe(device, object);
        }
        json_object_array_add(list, object);
    }
    struct json_object *result = json_object_new_object();
    json_object_object_add(result, "devices", list);
    control_answer(ticket, result);
}

static void verb_heartbeat(struct hvhost *host, struct json_object *arguments,
                           struct control_ticket *ticket)
{
    if (host->heartbeat == NULL) {
        control_refuse(ticket, -ENODEV, "this release has no heartbeat service");
        return;
    }
    struct json_object *result = json_object_new_object();
    host->heartbeat->operations->describe(host->heartbeat, result);
    control_answer(ticket, result);
}

static void verb_violations(struct hvhost *host, struct json_object *arguments,
                            struct control_ticket *ticket)
{
    struct json_object *result = json_object_new_object();
    json_object_object_add(result, "total", json_object_new_uint64(host->report.violations));
    json_object_object_add(result, "violations", hvhost_violations(host));
    control_answer(ticket, result);
}

static void verb_events(struct hvhost *host, struct json_object *arguments,
                        struct control_ticket *ticket)
{
    control_subscribe(ticket);
    control_answer(ticket, NULL);
}

/* ---- Faults ---- */

static void verb_faults(struct hvhost *host, struct json_object *arguments,
                        struct control_ticket *ticket)
{
    const char *set = text_of(arguments, "set");
    struct json_object *clear;
    if (json_object_object_get_ex(arguments, "clear", &clear) && json_object_get_boolean(clear)) {
        hvhost_clear_faults(host);
    }
    char error[256];
    int result = set != NULL ? hvhost_set_fault(host, set, error, sizeof(error)) : 0;
    if (result != 0) {
        control_refuse(ticket, result, "%s: %s", set, error);
        return;
    }
    control_answer(ticket, NULL);
}

/* ---- Power ---- */

static void verb_stop(struct hvhost *host, struct json_object *arguments,
                      struct control_ticket *ticket)
{
    partition_server_power(host->partition, PARTITION_POWER_OFF, NULL);
    partition_server_goodbye(host->partition, 0, "turned off by hvctl");
    host->stopping = true;
    control_answer(ticket, NULL);
}

static void verb_reset(struct hvhost *host, struct json_object *arguments,
                       struct control_ticket *ticket)
{
    int result = partition_server_power(host->partition, PARTITION_POWER_RESET, NULL);
    if (result != 0) {
        control_refuse(ticket, result, "no machine is running");
        return;
    }
    control_answer(ticket, NULL);
}

static const struct {
    const char *name;
    verb_function *function;
} verbs[] = {
    {"status", verb_status},
    {"devices", verb_devices},
    {"heartbeat", verb_heartbeat},
    {"services", hvhost_verb_services},
    {"service", hvhost_verb_service},
    {"shutdown", hvhost_verb_shutdown},
    {"time", hvhost_verb_time},
    {"resumed", hvhost_verb_resumed},
    {"copy-file", hvhost_verb_copy_file},
    {"kvp", hvhost_verb_kvp},
    {"ip", hvhost_verb_ip},
    {"backup", hvhost_verb_backup},
    {"disk-list", hvhost_verb_disk_list},
    {"disk-add", hvhost_verb_disk_add},
    {"disk-remove", hvhost_verb_disk_remove},
    {"disk-resize", hvhost_verb_disk_resize},
    {"dvd-insert", hvhost_verb_dvd_insert},
    {"dvd-eject", hvhost_verb_dvd_eject},
    {"net-list", hvhost_verb_net_list},
    {"net-set", hvhost_verb_net_set},
    {"capture", hvhost_verb_capture},
    {"pci-list", hvhost_verb_pci_list},
    {"pci-add", hvhost_verb_pci_add},
    {"pci-remove", hvhost_verb_pci_remove},
    {"pci-restore", hvhost_verb_pci_restore},
    {"pci-eject", hvhost_verb_pci_eject},
    {"pci-invalidate", hvhost_verb_pci_invalidate},
    {"type-text", hvhost_verb_type_text},
    {"key", hvhost_verb_key},
    {"mouse", hvhost_verb_mouse},
    {"screenshot", hvhost_verb_screenshot},
    {"display", hvhost_verb_display},
    {"violations", verb_violations},
    {"events", verb_events},
    {"faults", verb_faults},
    {"stop", verb_stop},
    {"reset", verb_reset},
};

void hvhost_control(void *context, const char *verb, struct json_object *arguments,
                    struct control_ticket *ticket)
{
    struct hvhost *host = context;
    for (unsigned i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verb, verbs[i].name) == 0) {
            verbs[i].function(host, arguments, ticket);
            return;
        }
    }
    control_refuse(ticket, -EOPNOTSUPP, "no such verb: %.64s", verb);
}
