/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Faults on demand, in three places: the disks, the storage controllers, and (host/faults) the
 * messages and packets of VMBus.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/disk/disk.h"
#include "host/disk/disk_faults.h"
#include "host/hvhost/hvhost.h"

/* ---- Disks and controllers ---- */

static const struct {
    const char *name;
    size_t offset;
} scsi_faults[] = {
    {"scsi.busy=", offsetof(struct storvsc_faults, busy_ppm)},
    {"scsi.internal-error=", offsetof(struct storvsc_faults, internal_error_ppm)},
    {"scsi.invalid-lun=", offsetof(struct storvsc_faults, invalid_lun_ppm)},
    {"scsi.no-sense=", offsetof(struct storvsc_faults, no_autosense_ppm)},
};

static int set_scsi_fault(struct hvhost *host, const char *text)
{
    for (unsigned i = 0; i < sizeof(scsi_faults) / sizeof(scsi_faults[0]); i++) {
        size_t length = strlen(scsi_faults[i].name);
        uint32_t ppm;
        if (strncmp(text, scsi_faults[i].name, length) != 0 ||
            disk_faults_parse_rate(text + length, &ppm) != 0) {
            continue;
        }
        for (unsigned c = 0; c < STORVSC_CONTROLLERS_MAX; c++) {
            if (host->controllers[c] != NULL) {
                struct storvsc_faults faults;
                storvsc_get_faults(host->controllers[c], &faults);
                memcpy((char *)&faults + scsi_faults[i].offset, &ppm, sizeof(ppm));
                storvsc_set_faults(host->controllers[c], &faults);
            }
        }
        return 0;
    }
    return -EINVAL;
}

/* "scsi.sense=KEY/ASC/ASCQ@RATE", hexadecimal but for the rate. */
static int set_sense_fault(struct hvhost *host, const char *text)
{
    unsigned key, code, qualifier;
    uint32_t ppm;
    int used = 0;
    if (sscanf(text, "scsi.sense=%2x/%2x/%2x@%n", &key, &code, &qualifier, &used) != 3 ||
        used == 0 || key > 0xf || disk_faults_parse_rate(text + used, &ppm) != 0) {
        return -EINVAL;
    }
    for (unsigned c = 0; c < STORVSC_CONTROLLERS_MAX; c++) {
        if (host->controllers[c] != NULL) {
            struct storvsc_faults faults;
            storvsc_get_faults(host->controllers[c], &faults);
            faults.sense_ppm = ppm;
            faults.sense_key = (uint8_t)key;
            faults.sense_additional = (uint16_t)(code << 8 | qualifier);
            storvsc_set_faults(host->controllers[c], &faults);
        }
    }
    return 0;
}

static int set_disk_fault(struct hvhost *host, const char *text)
{
    struct disk_fault_settings probe = {0};
    if (disk_faults_parse(text, &probe) != 0) {
        return -EINVAL;
    }
    for (unsigned c = 0; c < STORVSC_CONTROLLERS_MAX; c++) {
        for (unsigned lun = 0; host->controllers[c] != NULL && lun < STORVSC_LUNS_MAX; lun++) {
            struct disk_fault_settings settings = {0};
            struct disk_fault_counters counters;
            struct disk *disk = storvsc_disk(host->controllers[c], lun);
            if (disk == NULL) {
                continue;
            }
            if (disk_is_faulty(disk)) {
                disk_faults_get(disk, &settings, &counters);
            }
            disk_faults_parse(text, &settings);
            if (storvsc_set_disk_faults(host->controllers[c], lun, &settings,
                                        host->options.seed + c * STORVSC_LUNS_MAX + lun) != 0) {
                return -ENOMEM;
            }
        }
    }
    return hvhost_set_pci_disk_fault(host, text);
}

static void clear_storage_faults(struct hvhost *host)
{
    static const struct disk_fault_settings no_disk_faults;
    static const struct storvsc_faults no_faults;
    for (unsigned c = 0; c < STORVSC_CONTROLLERS_MAX; c++) {
        if (host->controllers[c] == NULL) {
            continue;
        }
        storvsc_set_faults(host->controllers[c], &no_faults);
        for (unsigned lun = 0; lun < STORVSC_LUNS_MAX; lun++) {
            struct disk *disk = storvsc_disk(host->controllers[c], lun);
            if (disk != NULL && disk_is_faulty(disk)) {
                disk_faults_set(disk, &no_disk_faults);
                disk_faults_release_lost(disk);
            }
        }
    }
    hvhost_clear_pci_disk_faults(host);
}

/* ---- VMBus ---- */

static bool is_bus_fault(const char *text)
{
    static const char *const subjects[] = {"message,", "post,", "packet,", "completion,",
                                           "request,"};
    for (unsigned i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        if (strncmp(text, subjects[i], strlen(subjects[i])) == 0) {
            return true;
        }
    }
    return false;
}

void hvhost_faults_open(struct hvhost *host)
{
    struct hvhost_bus_faults *faults = &host->faults;
    fault_plan_initialise(&faults->plan, host->options.seed);
    message_faults_initialise(&faults->messages, &host->machine, &faults->plan);
    packet_faults_initialise(&faults->packets, &faults->plan);
}

void hvhost_faults_close(struct hvhost *host)
{
    message_faults_free(&host->faults.messages);
    packet_faults_free(&host->faults.packets);
}

bool hvhost_filter_post(void *context, const void *payload, size_t size, uint32_t *status)
{
    struct hvhost *host = context;
    return host->faults.plan.count == 0 ||
           message_faults_post(&host->faults.messages, payload, size, status);
}

bool hvhost_filter_message(void *context, uint32_t processor, uint32_t sint, const void *message,
                           size_t size)
{
    struct hvhost *host = context;
    return host->faults.plan.count == 0 ||
           message_faults_send(&host->faults.messages, processor, sint, message, size);
}

void hvhost_faults_channel(struct hvhost *host, uint32_t id, struct host_channel *channel)
{
    struct hvhost_bus_faults *faults = &host->faults;
    if (faults->plan.count > 0 && faults->filtered[id] != channel) {
        host_channel_set_filter(channel, &faults->packets.filter);
        faults->filtered[id] = channel;
    }
}

/* What is held for a channel that has closed must not be sent when its time comes. */
static void forget_closed_channels(struct hvhost *host)
{
    struct hvhost_bus_faults *faults = &host->faults;
    for (uint32_t id = 0; id < HVHOST_CHANNELS; id++) {
        struct host_channel *known = faults->filtered[id];
        if (known == NULL) {
            continue;
        }
        struct host_channel *now = vmbus_server_channel(host->machine.server, id);
        if (now != known || strcmp(host_channel_state_name(now), "open") != 0) {
            packet_faults_channel_closed(&faults->packets, known);
            faults->filtered[id] = NULL;
        }
    }
}

void hvhost_faults_run(struct hvhost *host, uint64_t now)
{
    struct hvhost_bus_faults *faults = &host->faults;
    if (faults->plan.count == 0) {
        return;
    }
    message_faults_run(&faults->messages, now);
    forget_closed_channels(host);
    faults->packet_deadline = packet_faults_run(&faults->packets, now);
    if (faults->packets.rescind != NULL) {
        struct host_channel *channel = faults->packets.rescind;
        faults->packets.rescind = NULL;
        host_device_unplug(host_channel_primary(channel));
    }
}

uint64_t hvhost_faults_deadline(const struct hvhost *host)
{
    if (host->faults.plan.count == 0) {
        return UINT64_MAX;
    }
    uint64_t messages = message_faults_deadline(&host->faults.messages);
    return messages < host->faults.packet_deadline ? messages : host->faults.packet_deadline;
}

/* ---- All of them ---- */

int hvhost_set_fault(struct hvhost *host, const char *text, char *error, size_t error_size)
{
    const char *problem = text;
    int result;
    if (is_bus_fault(text)) {
        result = fault_plan_add(&host->faults.plan, text, &problem);
        if (result == -EINVAL) {
            snprintf(error, error_size, "not a rule from here on: %s", problem);
            return result;
        }
    } else {
        result = strncmp(text, "disk.", 5) == 0 ? set_disk_fault(host, text + 5)
                 : strncmp(text, "scsi.sense=", 11) == 0 ? set_sense_fault(host, text)
                                                         : set_scsi_fault(host, text);
    }
    if (result != 0) {
        snprintf(error, error_size, "%s",
                 result == -EINVAL ? "no such fault, or no such value of it; hvhost --help has them"
                                   : strerror(-result));
    }
    return result;
}

void hvhost_clear_faults(struct hvhost *host)
{
    clear_storage_faults(host);
    fault_plan_initialise(&host->faults.plan, host->options.seed);
}
