/* SPDX-License-Identifier: BSD-3-Clause */
/* A PCI bus for people: what hvctl pci list says. */
#include <json-c/json.h>
#include <stdio.h>

#include "host/devices/vpci_internal.h"

static void add_text(struct json_object *to, const char *name, const char *text)
{
    json_object_object_add(to, name, json_object_new_string(text));
}

static const char *state_text(const struct vpci *bus, const struct vpci_slot *slot)
{
    if (slot->state != VPCI_PRESENT || bus->primary == NULL) {
        return slot->state == VPCI_EJECTING ? "ejecting" : "removed";
    }
    uint64_t address;
    for (unsigned i = 0; i < PCI_BARS; i++) {
        if (pci_region_address(slot->function, i, &address)) {
            return "in use";
        }
    }
    return slot->is_assigned ? "assigned" : "present";
}

static struct json_object *describe_bars(const struct pci_function *function)
{
    struct json_object *list = json_object_new_array();
    static const char *const names[PCI_REGIONS] = {"BAR 0", "BAR 1", "BAR 2", "BAR 3",
                                                   "BAR 4", "BAR 5", "ROM"};
    char text[112];
    for (unsigned i = 0; i < PCI_REGIONS; i++) {
        const struct pci_region *region = &function->regions[i];
        if (region->size != 0) {
            const bool is_small = region->size < 1024;
            snprintf(text, sizeof(text), "%s: %llu %s, %s%s, at 0x%llx", names[i],
                     (unsigned long long)region->size >> (is_small ? 0 : 10),
                     is_small ? "bytes" : "KiB",
                     region->is_port      ? "ports"
                     : region->is_64_bit ? "64 bits"
                                         : "32 bits",
                     region->is_prefetchable ? ", prefetchable" : "",
                     (unsigned long long)pci_bar_address(function, i));
            json_object_array_add(list, json_object_new_string(text));
        }
    }
    return list;
}

static struct json_object *describe_slot(const struct vpci *bus, const struct vpci_slot *slot)
{
    struct json_object *to = json_object_new_object();
    const struct pci_function *function = slot->function;
    struct pci_identity identity;
    char text[32];
    pci_get_identity(function, &identity);
    snprintf(text, sizeof(text), "%02x.%x", VPCI_SLOT_DEVICE(function->slot),
             VPCI_SLOT_FUNCTION(function->slot));
    add_text(to, "slot", text);
    add_text(to, "model", function->model);
    snprintf(text, sizeof(text), "%04x:%04x", identity.vendor, identity.device);
    add_text(to, "id", text);
    snprintf(text, sizeof(text), "%06x", identity.class_code);
    add_text(to, "class", text);
    add_text(to, "state", state_text(bus, slot));
    json_object_object_add(to, "bars", describe_bars(function));
    json_object_object_add(to, "interrupts_created", json_object_new_int((int)slot->target_count));
    json_object_object_add(to, "messages", json_object_new_uint64(function->interrupts));
    if (function->operations != NULL && function->operations->describe != NULL) {
        function->operations->describe(function, to);
    }
    return to;
}

void vpci_describe(struct virtual_device *device, struct json_object *to)
{
    const struct vpci *bus = (const struct vpci *)device;
    char text[GUID_TEXT_SIZE] = "none";
    struct json_object *list = json_object_new_array();
    add_text(to, "name", bus->name);
    if (bus->version != 0) {
        snprintf(text, sizeof(text), "1.%u", bus->version & 0xffff);
    }
    add_text(to, "version", text);
    guid_format(&bus->settings.instance, text);
    add_text(to, "instance", text);
    json_object_object_add(to, "interrupts", json_object_new_uint64(bus->counters.interrupts));
    json_object_object_add(to, "dropped", json_object_new_uint64(bus->counters.dropped));
    json_object_object_add(to, "config_reads", json_object_new_uint64(bus->counters.config_reads));
    json_object_object_add(to, "config_writes",
                           json_object_new_uint64(bus->counters.config_writes));
    json_object_object_add(to, "unsupported", json_object_new_uint64(bus->counters.unsupported));
    for (unsigned i = 0; i < bus->slot_count; i++) {
        json_object_array_add(list, describe_slot(bus, &bus->slots[i]));
    }
    json_object_object_add(to, "functions", list);
}
