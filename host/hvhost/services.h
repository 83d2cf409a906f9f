/* SPDX-License-Identifier: BSD-3-Clause */
/* The integration services of the machine, as the control socket reaches them. */
#ifndef HOST_HVHOST_SERVICES_H
#define HOST_HVHOST_SERVICES_H

#include <stdbool.h>
#include <stdint.h>

struct control_ticket;
struct hvhost;
struct json_object;
struct virtual_device;

enum hvhost_service_kind {
    HVHOST_HEARTBEAT,
    HVHOST_SHUTDOWN,
    HVHOST_TIME_SYNC,
    HVHOST_FILE_COPY,
    HVHOST_KVP,
    HVHOST_BACKUP,
    HVHOST_SERVICE_COUNT
};

/* NULL: the release does not have it. Owned by host->devices. */
struct hvhost_services {
    struct virtual_device *devices[HVHOST_SERVICE_COUNT];
    uint32_t disabled; /* a bit a service: not offered to the guest */
};

/* Makes those of the release, but for the heartbeat (devices.c). Returns 0 or -ENOMEM. */
int hvhost_make_services(struct hvhost *host);

/* Is the device a service that is switched off? */
bool hvhost_service_is_off(const struct hvhost *host, const struct virtual_device *device);

/* Verbs: shutdown, time, resumed, services, service, backup (services.c); copy-file, kvp, ip
 * (services_data.c). */
typedef void hvhost_service_verb(struct hvhost *host, struct json_object *arguments,
                                 struct control_ticket *ticket);
hvhost_service_verb hvhost_verb_shutdown, hvhost_verb_time, hvhost_verb_resumed,
    hvhost_verb_services, hvhost_verb_service, hvhost_verb_backup, hvhost_verb_copy_file,
    hvhost_verb_kvp, hvhost_verb_ip;

/* The device, or NULL and the ticket refused. */
struct virtual_device *hvhost_service_for(struct hvhost *host, enum hvhost_service_kind kind,
                                          struct control_ticket *ticket);

/* Refuses a ticket for how a call could not begin, or how it ended; false: it ended well. */
bool hvhost_refuse_call(struct control_ticket *ticket, int result, uint32_t status);

/* The text of a member, or NULL; its truth, or false. */
const char *hvhost_text_of(struct json_object *arguments, const char *name);
bool hvhost_truth_of(struct json_object *arguments, const char *name);

#endif
