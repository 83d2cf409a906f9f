/* SPDX-License-Identifier: BSD-3-Clause */
/* Assigned PCI functions of the machine: --pci, and what hvctl does to them. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/devices/vpci.h"
#include "host/disk/disk_faults.h"
#include "host/hvhost/hvhost.h"

/* ---- Making them ---- */

void hvhost_reap_pci(struct hvhost *host)
{
    for (unsigned i = 0; host->buses_made > 0 && i < HVHOST_PCI_MAX; i++) {
        if (host->buses[i] != NULL && vpci_is_gone(host->buses[i])) {
            hvhost_event(host, "pci-gone", NULL, "%s", vpci_name(host->buses[i]));
            hvhost_drop_device(host, vpci_device(host->buses[i]));
            host->buses[i] = NULL;
        }
    }
}

/* The place of the bus with this name; HVHOST_PCI_MAX: there is none. NULL: a free place. */
static unsigned place_of(const struct hvhost *host, const char *name)
{
    unsigned i = 0;
    while (i < HVHOST_PCI_MAX &&
           (name == NULL ? host->buses[i] != NULL
                         : host->buses[i] == NULL ||
                               strcmp(vpci_name(host->buses[i]), name) != 0)) {
        i++;
    }
    return i;
}

/* What the description leaves open. Each bus gets device ids of its own. */
static void complete_description(struct hvhost *host, struct pci_description *description)
{
    static const struct guid first_instance =
        GUID_INIT(0x6d616368, 0x0100, 0x4000, 0xa0, 0x5d, 0x50, 0x43, 0x49, 0x30, 0x30, 0x30);
    const uint32_t number = host->buses_made++;
    if (description->name[0] == '\0') {
        snprintf(description->name, sizeof(description->name), "pci%u", number);
    }
    if (!description->has_instance) {
        description->instance = first_instance;
        description->instance.data1 += number;
        description->instance.data2 = (uint16_t)(first_instance.data2 + number);
    }
    for (unsigned i = 0; i < description->function_count; i++) {
        struct pci_function *function = description->functions[i];
        if (function->serial == 0) {
            function->serial = description->instance.data1 + i;
        }
    }
}

static int choose_versions(const struct hvhost *host, const struct pci_description *description,
                           struct vpci_settings *settings, char *error, size_t error_size)
{
    const uint32_t newest = host->release.versions.pci;
    settings->version_min =
        description->version_min != 0 ? description->version_min : VPCI_VERSION_1_1;
    settings->version_max = description->version_max != 0 ? description->version_max : newest;
    if (settings->version_max > newest || settings->version_min > settings->version_max) {
        snprintf(error, error_size, "%s speaks versions 1.1 to 1.%u of virtual PCI",
                 host->release.title, newest & 0xffff);
        return -EINVAL;
    }
    return 0;
}

static int make_bus(struct hvhost *host, struct pci_description *description, struct vpci **bus,
                    char *error, size_t error_size)
{
    const unsigned place = place_of(host, NULL);
    struct vpci_settings settings = {
        .order = host->buses_made,
        .first_d0_fails = description->first_d0_fails,
        .functions = description->functions,
        .function_count = description->function_count,
    };
    if (place == HVHOST_PCI_MAX) {
        snprintf(error, error_size, "there can be %d PCI buses", HVHOST_PCI_MAX);
        return -ENOSPC;
    }
    int result = choose_versions(host, description, &settings, error, error_size);
    if (result != 0) {
        return result;
    }
    complete_description(host, description);
    if (place_of(host, description->name) != HVHOST_PCI_MAX) {
        snprintf(error, error_size, "there is a PCI bus with the name %s", description->name);
        return -EEXIST;
    }
    settings.name = description->name;
    settings.instance = description->instance;
    *bus = vpci_new(&settings);
    if (*bus == NULL) {
        snprintf(error, error_size, "out of memory");
        return -ENOMEM;
    }
    description->function_count = 0; /* taken */
    host->buses[place] = *bus;
    hvhost_add_device(host, vpci_device(*bus));
    return 0;
}

/* A bus of a description; *bus is in the list of devices, not plugged. */
static int add_bus(struct hvhost *host, const char *text, struct vpci **bus, char *error,
                   size_t error_size)
{
    const struct pci_resources resources = {.disks = host->disks};
    struct pci_description description;
    if (host->release.versions.pci == 0) {
        snprintf(error, error_size, "%s assigns no PCI functions to machines",
                 host->release.title);
        return -EOPNOTSUPP;
    }
    int result = pci_describe(text, &resources, &description, error, error_size);
    if (result == 0) {
        result = make_bus(host, &description, bus, error, error_size);
        pci_description_free(&description);
    }
    return result;
}

int hvhost_make_pci(struct hvhost *host)
{
    char error[1024];
    struct vpci *bus;
    for (unsigned i = 0; i < host->options.pci_count; i++) {
        int result = add_bus(host, host->options.pci[i], &bus, error, sizeof(error));
        if (result != 0) {
            fprintf(stderr, "hvhost: --pci: %s\n", error);
            return result;
        }
    }
    return 0;
}

uint32_t hvhost_retarget_interrupt(void *context, const struct hypervisor_retarget *retarget)
{
    struct hvhost *host = context;
    for (unsigned i = 0; i < HVHOST_PCI_MAX; i++) {
        if (host->buses[i] != NULL && vpci_has_device(host->buses[i], retarget->device)) {
            return vpci_retarget(host->buses[i], retarget->device, retarget->address,
                                 retarget->data, retarget->vector, retarget->processor);
        }
    }
    return HV_STATUS_INVALID_DEVICE_ID;
}

/* ---- Faults ---- */

/* Calls `each` with the place of each NVMe controller's disk, as long as it returns 0. */
static int for_each_disk(struct hvhost *host, const char *text,
                         int (*each)(struct disk **disk, const char *text, uint64_t seed))
{
    int result = 0;
    for (unsigned i = 0; i < HVHOST_PCI_MAX; i++) {
        struct pci_function *function;
        for (unsigned j = 0; result == 0 && host->buses[i] != NULL &&
                             (function = vpci_function(host->buses[i], j)) != NULL; j++) {
            struct disk **disk = pci_nvme_disk(function);
            if (disk != NULL) {
                result = each(disk, text, host->options.seed + 2000 + i * PCI_FUNCTIONS_MAX + j);
            }
        }
    }
    return result;
}

static int set_fault(struct disk **disk, const char *text, uint64_t seed)
{
    struct disk_fault_settings settings = {0};
    struct disk_fault_counters counters;
    if (!disk_is_faulty(*disk)) {
        struct disk *filter = disk_faults_open(*disk, &settings, seed);
        if (filter == NULL) {
            return -ENOMEM;
        }
        *disk = filter;
    }
    disk_faults_get(*disk, &settings, &counters);
    disk_faults_parse(text, &settings);
    disk_faults_set(*disk, &settings);
    return 0;
}

static int clear_faults(struct disk **disk, const char *text, uint64_t seed)
{
    static const struct disk_fault_settings none;
    if (disk_is_faulty(*disk)) {
        disk_faults_set(*disk, &none);
        disk_faults_release_lost(*disk);
    }
    return 0;
}

int hvhost_set_pci_disk_fault(struct hvhost *host, const char *text)
{
    return for_each_disk(host, text, set_fault);
}

void hvhost_clear_pci_disk_faults(struct hvhost *host)
{
    for_each_disk(host, NULL, clear_faults);
}

/* ---- hvctl ---- */

/* "name", and "slot" if only one of its functions is meant. */
struct address {
    struct vpci *bus;
    bool has_slot;
    uint32_t slot;
};

/* False: the ticket has been refused. */
static bool find_addressed(struct hvhost *host, struct json_object *arguments,
                           struct control_ticket *ticket, struct address *address)
{
    struct json_object *value;
    const char *name = hvhost_text_of(arguments, "name");
    const unsigned place = name != NULL ? place_of(host, name) : HVHOST_PCI_MAX;
    if (place == HVHOST_PCI_MAX) {
        control_refuse(ticket, -ENOENT, "there is no PCI bus %s; hvctl pci list names them",
                       name != NULL ? name : "without a name");
        return false;
    }
    *address = (struct address){.bus = host->buses[place]};
    if (json_object_object_get_ex(arguments, "slot", &value)) {
        address->has_slot = true;
        address->slot = (uint32_t)json_object_get_int64(value);
    }
    return true;
}

static void refuse_slot(struct control_ticket *ticket, const struct address *address)
{
    control_refuse(ticket, -ENOENT, "PCI bus %s has no function in slot %02x.%x",
                   vpci_name(address->bus), VPCI_SLOT_DEVICE(address->slot),
                   VPCI_SLOT_FUNCTION(address->slot));
}

void hvhost_verb_pci_list(struct hvhost *host, struct json_object *arguments,
                          struct control_ticket *ticket)
{
    struct json_object *list = json_object_new_array();
    for (unsigned i = 0; i < HVHOST_PCI_MAX; i++) {
        if (host->buses[i] != NULL) {
            struct json_object *object = json_object_new_object();
            struct virtual_device *device = vpci_device(host->buses[i]);
            device->operations->describe(device, object);
            json_object_array_add(list, object);
        }
    }
    struct json_object *result = json_object_new_object();
    json_object_object_add(result, "buses", list);
    control_answer(ticket, result);
}

static int plug(struct hvhost *host, struct vpci *bus)
{
    struct virtual_device *device = vpci_device(bus);
    if (!host->machine_made) {
        return 0; /* with all others, when the monitor attaches */
    }
    device->operations->attach(device, &host->services);
    return device->operations->plug(device, host->machine.server);
}

static void forget(struct hvhost *host, struct vpci *bus)
{
    for (unsigned i = 0; i < HVHOST_PCI_MAX; i++) {
        if (host->buses[i] == bus) {
            host->buses[i] = NULL;
        }
    }
    hvhost_drop_device(host, vpci_device(bus));
}

void hvhost_verb_pci_add(struct hvhost *host, struct json_object *arguments,
                         struct control_ticket *ticket)
{
    char error[1024];
    struct vpci *bus;
    const char *text = hvhost_text_of(arguments, "description");
    if (text == NULL) {
        control_refuse(ticket, -EINVAL, "pci-add needs \"description\", a text as for --pci");
        return;
    }
    int result = add_bus(host, text, &bus, error, sizeof(error));
    if (result != 0) {
        control_refuse(ticket, result, "%s", error);
        return;
    }
    result = plug(host, bus);
    if (result != 0) {
        control_refuse(ticket, result, "PCI bus %s cannot be added: %s", vpci_name(bus),
                       result == -EEXIST ? "the guest has not let go of its instance yet"
                                         : strerror(-result));
        forget(host, bus);
        return;
    }
    hvhost_event(host, "pci-added", NULL, "%s", vpci_name(bus));
    struct json_object *answer = json_object_new_object();
    json_object_object_add(answer, "name", json_object_new_string(vpci_name(bus)));
    control_answer(ticket, answer);
}

/* Surprise: of a function, or of the bus with all there is on it. */
void hvhost_verb_pci_remove(struct hvhost *host, struct json_object *arguments,
                            struct control_ticket *ticket)
{
    struct address address;
    if (!find_addressed(host, arguments, ticket, &address)) {
        return;
    }
    if (address.has_slot && vpci_remove(address.bus, address.slot) != 0) {
        refuse_slot(ticket, &address);
        return;
    }
    hvhost_event(host, "pci-removed", NULL, "%s", vpci_name(address.bus));
    struct virtual_device *device = vpci_device(address.bus);
    if (!address.has_slot) {
        device->operations->unplug(device);
    }
    if (!host->machine_made && !address.has_slot) {
        forget(host, address.bus);
    }
    control_answer(ticket, NULL);
}

void hvhost_verb_pci_restore(struct hvhost *host, struct json_object *arguments,
                             struct control_ticket *ticket)
{
    struct address address;
    if (!find_addressed(host, arguments, ticket, &address)) {
        return;
    }
    const int result = vpci_restore(address.bus, address.slot);
    if (result == -ENOENT) {
        refuse_slot(ticket, &address);
    } else if (result != 0) {
        control_refuse(ticket, result, "the function in slot %02x.%x of PCI bus %s %s",
                       VPCI_SLOT_DEVICE(address.slot), VPCI_SLOT_FUNCTION(address.slot),
                       vpci_name(address.bus),
                       result == -EEXIST ? "is there: eject or remove it first"
                                         : "has only just gone: try again");
    } else {
        hvhost_event(host, "pci-restored", NULL, "%s", vpci_name(address.bus));
        control_answer(ticket, NULL);
    }
}

void hvhost_verb_pci_eject(struct hvhost *host, struct json_object *arguments,
                           struct control_ticket *ticket)
{
    struct address address;
    if (!find_addressed(host, arguments, ticket, &address)) {
        return;
    }
    switch (vpci_eject(address.bus, address.slot, host->now_ns)) {
    case -ENOENT:
        refuse_slot(ticket, &address);
        return;
    case -EALREADY:
        control_refuse(ticket, -EALREADY, "PCI bus %s: the guest has been asked and has 60 seconds",
                       vpci_name(address.bus));
        return;
    default:
        hvhost_event(host, "pci-eject", NULL, "%s", vpci_name(address.bus));
        control_answer(ticket, NULL);
    }
}

void hvhost_verb_pci_invalidate(struct hvhost *host, struct json_object *arguments,
                                struct control_ticket *ticket)
{
    struct address address;
    struct json_object *blocks;
    if (!find_addressed(host, arguments, ticket, &address)) {
        return;
    }
    if (!json_object_object_get_ex(arguments, "blocks", &blocks)) {
        vpci_invalidate(address.bus);
    } else if (vpci_invalidate_blocks(address.bus, address.slot,
                                      json_object_get_uint64(blocks)) != 0) {
        refuse_slot(ticket, &address);
        return;
    }
    control_answer(ticket, NULL);
}
