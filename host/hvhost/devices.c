/* SPDX-License-Identifier: BSD-3-Clause */
/* Which virtual devices the machine has. A new kind of device gets a row in `makers`. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/devices/heartbeat.h"
#include "host/hvhost/hvhost.h"
#include "host/platform/piix.h"

/* ---- One function a kind: makes what the options and the release want ---- */

void hvhost_add_device(struct hvhost *host, struct virtual_device *device)
{
    struct virtual_device **link = &host->devices;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = device;
}

void hvhost_drop_device(struct hvhost *host, struct virtual_device *device)
{
    struct virtual_device **link = &host->devices;
    while (*link != device) {
        link = &(*link)->next;
    }
    *link = device->next;
    device->operations->free(device);
}

static int make_heartbeat(struct hvhost *host)
{
    const struct host_release_versions *versions = &host->release.versions;
    if (versions->heartbeat == 0) {
        return 0;
    }
    host->heartbeat = heartbeat_new(versions->framework, versions->heartbeat);
    if (host->heartbeat == NULL) {
        return -ENOMEM;
    }
    hvhost_add_device(host, host->heartbeat);
    return 0;
}

/* host_release counts versions as major << 16 | minor, the storage protocol as major << 8. */
uint16_t hvhost_storvsc_version(const struct hvhost *host)
{
    uint32_t version = host->release.versions.storvsc;
    return STORVSC_VERSION(version >> 16, version & 0xff);
}

struct storvsc *hvhost_new_controller(struct hvhost *host, struct storvsc_settings *settings)
{
    settings->echo_address = host->options.echo_address;
    settings->seed = host->options.seed + 1000 + settings->order;
    struct storvsc *controller = storvsc_new(settings);
    if (controller != NULL) {
        hvhost_add_device(host, storvsc_device(controller));
    }
    return controller;
}

/* Controllers up to the highest that a disk names; one at least, for disks added later. */
static int make_scsi_controllers(struct hvhost *host)
{
    static const struct guid first_instance =
        GUID_INIT(0xf8b3781a, 0x1e82, 0x4818, 0xa1, 0xc3, 0x63, 0xd8, 0x06, 0xec, 0x15, 0xbb);
    int highest = 0;
    for (unsigned i = 0; i < host->options.disk_count; i++) {
        if (host->options.disks[i].controller > highest) {
            highest = host->options.disks[i].controller;
        }
    }
    for (int i = 0; i <= highest; i++) {
        struct storvsc_settings settings;
        storvsc_default_settings(hvhost_storvsc_version(host), &settings);
        settings.instance = first_instance;
        settings.instance.data1 += (uint32_t)i;
        settings.order = (uint32_t)i;
        host->controllers[i] = hvhost_new_controller(host, &settings);
        if (host->controllers[i] == NULL) {
            return -ENOMEM;
        }
    }
    return 0;
}

/* What a generation 1 machine has of a PC, besides the keyboard. */
static int make_chipset(struct hvhost *host)
{
    if (host->options.generation != 1) {
        return 0;
    }
    struct virtual_device *piix = piix_new();
    if (piix == NULL) {
        return -ENOMEM;
    }
    hvhost_add_device(host, piix);
    return 0;
}

static const struct {
    const char *kind;
    int (*make)(struct hvhost *host);
} makers[] = {
    {"chipset", make_chipset},
    {"heartbeat", make_heartbeat},
    {"services", hvhost_make_services},
    {"scsi", make_scsi_controllers},
};

/* ---- All of them ---- */

/* What the user has named to be at their other ends: there is more that can be wrong. */
static int make_what_is_connected(struct hvhost *host)
{
    char error[256] = "";
    int result = hvhost_make_console(host, error, sizeof(error));
    if (result == 0) {
        result = hvhost_make_networks(host, error, sizeof(error));
    }
    if (result != 0) {
        fprintf(stderr, "hvhost: %s\n", error[0] != '\0' ? error : strerror(-result));
    }
    return result;
}

int hvhost_make_devices(struct hvhost *host)
{
    char error[1024];
    unsigned controller, lun;
    for (unsigned i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
        int result = makers[i].make(host);
        if (result != 0) {
            fprintf(stderr, "hvhost: device %s: %s\n", makers[i].kind, strerror(-result));
            return result;
        }
    }
    int connected = make_what_is_connected(host);
    if (connected != 0) {
        return connected;
    }
    for (unsigned i = 0; i < host->options.disk_count; i++) {
        int result = hvhost_add_disk(host, &host->options.disks[i], &controller, &lun, error,
                                     sizeof(error));
        if (result != 0) {
            fprintf(stderr, "hvhost: %s\n", error);
            return result;
        }
    }
    int made = hvhost_make_pci(host);
    if (made != 0) {
        return made;
    }
    for (unsigned i = 0; i < host->options.fault_count; i++) {
        if (hvhost_set_fault(host, host->options.faults[i], error, sizeof(error)) != 0) {
            fprintf(stderr, "hvhost: --faults %s: %s\n", host->options.faults[i], error);
            host->exit_code = HVHOST_EXIT_USAGE;
            return -EINVAL;
        }
    }
    return 0;
}

int hvhost_plug_devices(struct hvhost *host)
{
    for (struct virtual_device *device = host->devices; device != NULL; device = device->next) {
        if (hvhost_service_is_off(host, device)) {
            continue;
        }
        if (device->operations->attach != NULL) {
            device->operations->attach(device, &host->services);
        }
        int result = device->operations->plug(device, host->machine.server);
        if (result != 0) {
            return result;
        }
    }
    return 0;
}

int hvhost_power_on_devices(struct hvhost *host)
{
    for (struct virtual_device *device = host->devices; device != NULL; device = device->next) {
        int result = device->operations->power_on != NULL ? device->operations->power_on(device)
                                                          : 0;
        if (result != 0) {
            return result;
        }
    }
    return 0;
}

void hvhost_reset_devices(struct hvhost *host)
{
    for (struct virtual_device *device = host->devices; device != NULL; device = device->next) {
        if (device->operations->reset != NULL) {
            device->operations->reset(device);
        }
    }
}

/* What was made last may use what was made before. */
static void free_from_the_end(struct virtual_device *device)
{
    if (device != NULL) {
        free_from_the_end(device->next);
        device->operations->free(device);
    }
}

void hvhost_free_devices(struct hvhost *host)
{
    free_from_the_end(host->devices);
    host->devices = NULL;
}
