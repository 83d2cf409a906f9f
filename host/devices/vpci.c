/* SPDX-License-Identifier: BSD-3-Clause */
/* A PCI bus as a virtual device: offer, channel, what the host says on its own account. */
#include "host/devices/vpci.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/devices/vpci_internal.h"
#include "protocol/vmbus_classes.h"

static const uint64_t ejection_limit_ns = 60000000000ull;

struct vpci_slot *vpci_find(struct vpci *bus, uint32_t slot)
{
    for (unsigned i = 0; i < bus->slot_count; i++) {
        if (bus->slots[i].function->slot == slot && bus->slots[i].state != VPCI_GONE) {
            return &bus->slots[i];
        }
    }
    return NULL;
}

struct vpci_slot *vpci_slot_of(struct vpci *bus, const struct pci_function *function)
{
    for (unsigned i = 0; i < bus->slot_count; i++) {
        if (bus->slots[i].function == function) {
            return &bus->slots[i];
        }
    }
    return NULL;
}

void vpci_violation(struct vpci *bus, const char *rule)
{
    if (bus->channel != NULL) {
        host_channel_violation(bus->channel, rule);
    }
}

/* ---- What functions want ---- */

static void decoding_changed(void *context, struct pci_function *function)
{
    struct vpci *bus = context;
    struct vpci_slot *slot = vpci_slot_of(bus, function);
    if (slot != NULL) {
        vpci_update_ranges(bus, slot);
    }
}

static void function_violation(void *context, struct pci_function *function, const char *rule)
{
    vpci_violation(context, rule);
}

/* ---- What the host says: each returns false if the ring has no room now ---- */

static bool send(struct vpci *bus, const void *message, size_t size)
{
    return host_channel_send_bytes(bus->channel, message, size) != -EAGAIN;
}

static struct vpci_function_2 describe_function(const struct pci_function *function)
{
    struct pci_identity identity;
    pci_get_identity(function, &identity);
    return (struct vpci_function_2){
        .function = {
            .vendor = identity.vendor,
            .device = identity.device,
            .revision = identity.revision,
            .programming_interface = (uint8_t)identity.class_code,
            .subclass = (uint8_t)(identity.class_code >> 8),
            .base_class = (uint8_t)(identity.class_code >> 16),
            .subsystem_vendor = identity.subsystem_vendor,
            .subsystem = identity.subsystem,
            .slot = function->slot,
            .serial = function->serial,
        },
        .flags = function->numa_node >= 0 ? VPCI_FUNCTION_NUMA_VALID : 0,
        .numa_node = function->numa_node >= 0 ? (uint16_t)function->numa_node : 0,
    };
}

static bool send_relations(struct vpci *bus)
{
    const bool has_nodes = bus->version >= VPCI_VERSION_1_3;
    const size_t size = has_nodes ? sizeof(struct vpci_function_2) : sizeof(struct vpci_function);
    uint8_t message[sizeof(struct vpci_bus_relations) +
                    PCI_FUNCTIONS_MAX * sizeof(struct vpci_function_2)];
    struct vpci_bus_relations head = {
        .type = has_nodes ? VPCI_BUS_RELATIONS_2 : VPCI_BUS_RELATIONS};
    uint8_t *to = message + sizeof(head);
    for (unsigned i = 0; i < bus->slot_count; i++) {
        if (bus->slots[i].state != VPCI_GONE) {
            const struct vpci_function_2 function = describe_function(bus->slots[i].function);
            memcpy(to, &function, size);
            to += size;
            head.count++;
        }
    }
    memcpy(message, &head, sizeof(head));
    if (!send(bus, message, (size_t)(to - message))) {
        return false;
    }
    bus->relations_due = false;
    bus->counters.relations++;
    return true;
}

static bool send_slot_events(struct vpci *bus, struct vpci_slot *slot)
{
    if (slot->eject_due) {
        const struct vpci_slot_message eject = {VPCI_EJECT, slot->function->slot};
        if (!send(bus, &eject, sizeof(eject))) {
            return false;
        }
        slot->eject_due = false;
    }
    if (slot->invalid_blocks != 0) {
        const struct vpci_invalidate_block invalidate = {
            VPCI_INVALIDATE_BLOCK, slot->function->slot, slot->invalid_blocks};
        if (!send(bus, &invalidate, sizeof(invalidate))) {
            return false;
        }
        slot->invalid_blocks = 0;
    }
    return true;
}

static bool send_answer(struct vpci *bus)
{
    struct vpci_answer *due = &bus->answer;
    if (due->waits_for_ranges && bus->requests != NULL) {
        return false;
    }
    if (bus->d0_refused) { /* the window could not be had */
        const uint32_t status = VPCI_STATUS_BAD_DATA;
        memcpy(due->bytes, &status, sizeof(status));
        bus->d0_refused = false;
    }
    const struct iovec piece = {due->bytes, due->size};
    if (host_channel_complete(bus->channel, due->transaction_id, &piece, 1) == -EAGAIN) {
        return false;
    }
    due->is_due = false;
    return true;
}

static bool has_events(const struct vpci *bus)
{
    bool any = bus->relations_due || bus->invalidate_due;
    for (unsigned i = 0; i < bus->slot_count; i++) {
        any = any || bus->slots[i].eject_due || bus->slots[i].invalid_blocks != 0;
    }
    return any && bus->version != 0;
}

/* Everything that is due. False: something has to wait, and the guest's packets with it. */
static bool send_all(struct vpci *bus)
{
    if (bus->version != 0) {
        if (bus->relations_due && !send_relations(bus)) {
            return false;
        }
        for (unsigned i = 0; i < bus->slot_count; i++) {
            if (!send_slot_events(bus, &bus->slots[i])) {
                return false;
            }
        }
        const struct vpci_header invalidate = {VPCI_INVALIDATE_BUS};
        if (bus->invalidate_due && !send(bus, &invalidate, sizeof(invalidate))) {
            return false;
        }
        bus->invalidate_due = false;
    }
    return !bus->answer.is_due || send_answer(bus);
}

void vpci_serve(struct vpci *bus)
{
    struct host_packet packet;
    bus->is_serving = true;
    while (bus->channel != NULL && send_all(bus) &&
           host_channel_receive(bus->channel, &packet) == 1) {
        if (packet.type == VMBUS_PACKET_IN_BAND) {
            vpci_message(bus, &packet);
        } else {
            vpci_violation(bus, "a PCI message is an in-band packet");
        }
    }
    bus->is_serving = false;
}

/* ---- Functions that go ---- */

static bool is_empty(const struct vpci *bus)
{
    for (unsigned i = 0; i < bus->slot_count; i++) {
        if (bus->slots[i].state != VPCI_GONE) {
            return false;
        }
    }
    return true;
}

void vpci_slot_gone(struct vpci *bus, struct vpci_slot *slot)
{
    slot->state = VPCI_GONE;
    slot->eject_due = false;
    pci_function_reset(slot->function); /* takes its regions away */
    vpci_delete_all_interrupts(slot);
    bus->relations_due = bus->version != 0; /* who has not asked yet gets to know later */
}

static void unplug(struct vpci *bus)
{
    struct host_channel *primary = bus->primary;
    if (primary != NULL) {
        bus->primary = NULL;
        host_device_unplug(primary);
    }
}

int vpci_eject(struct vpci *bus, uint32_t number, uint64_t now_ns)
{
    struct vpci_slot *slot = vpci_find(bus, number);
    if (slot == NULL) {
        return -ENOENT;
    }
    if (slot->state == VPCI_EJECTING) {
        return -EALREADY;
    }
    if (bus->version == 0) {
        vpci_slot_gone(bus, slot);
        return -ENOTCONN;
    }
    slot->state = VPCI_EJECTING;
    slot->eject_due = true;
    slot->eject_deadline_ns = now_ns + ejection_limit_ns;
    return 0;
}

int vpci_remove(struct vpci *bus, uint32_t number)
{
    struct vpci_slot *slot = vpci_find(bus, number);
    if (slot == NULL) {
        return -ENOENT;
    }
    vpci_slot_gone(bus, slot);
    return 0;
}

int vpci_invalidate_blocks(struct vpci *bus, uint32_t number, uint64_t blocks)
{
    struct vpci_slot *slot = vpci_find(bus, number);
    if (slot == NULL) {
        return -ENOENT;
    }
    slot->invalid_blocks |= blocks;
    return 0;
}

void vpci_invalidate(struct vpci *bus)
{
    bus->invalidate_due = true;
}

/* ---- The channel ---- */

static int opened(void *device, struct host_channel *channel,
                  const struct vmbus_open_request *request)
{
    struct vpci *bus = device;
    bus->channel = channel;
    for (unsigned i = 0; i < bus->slot_count; i++) {
        bus->slots[i].function->memory = host_channel_memory(channel);
    }
    return 0;
}

static bool is_busy(const struct vpci *bus)
{
    for (unsigned i = 0; i < bus->slot_count; i++) {
        const struct pci_function *function = bus->slots[i].function;
        if (function->operations != NULL && function->operations->is_busy != NULL &&
            function->operations->is_busy(function)) {
            return true;
        }
    }
    return false;
}

/* Once no device writes to guest memory any more the guest may have its pages back. */
static void end_closing(struct vpci *bus)
{
    if (bus->is_closing && !is_busy(bus)) {
        struct host_channel *channel = bus->channel;
        bus->is_closing = false;
        bus->channel = NULL;
        host_channel_released(channel);
    }
}

/* As if the guest had released all and left D0; and the functions forget everything. */
static void closed(void *device, struct host_channel *channel)
{
    struct vpci *bus = device;
    vpci_hide_window(bus);
    for (unsigned i = 0; i < bus->slot_count; i++) {
        struct vpci_slot *slot = &bus->slots[i];
        pci_function_reset(slot->function);
        vpci_delete_all_interrupts(slot);
        slot->is_assigned = slot->eject_due = false;
        if (slot->state == VPCI_EJECTING) {
            slot->state = VPCI_GONE; /* it let go in its own way */
        }
    }
    bus->version = bus->selected = 0;
    bus->in_d0 = bus->d0_refused = bus->relations_due = bus->invalidate_due = false;
    bus->answer.is_due = false;
    bus->is_closing = true;
    end_closing(bus);
}

static void ready(void *device, struct host_channel *channel)
{
    vpci_serve(device);
}

static void removed(void *device)
{
    ((struct vpci *)device)->is_removed = true;
}

static const struct vmbus_device_operations bus_operations = {
    .name = "vpci", .opened = opened, .closed = closed, .ready = ready, .removed = removed};

/* ---- The virtual device ---- */

static void vpci_attach(struct virtual_device *device, const struct device_machine *machine)
{
    struct vpci *bus = (struct vpci *)device;
    bus->machine = machine;
    vpci_forget_requests(bus); /* a new machine shows nothing */
    bus->window.is_asked = false;
    for (unsigned i = 0; i < bus->slot_count; i++) {
        memset(bus->slots[i].ranges, 0, sizeof(bus->slots[i].ranges));
    }
}

static int vpci_plug(struct virtual_device *device, struct vmbus_server *server)
{
    struct vpci *bus = (struct vpci *)device;
    const struct vmbus_device_offer offer = {
        .class_id = VMBUS_CLASS_PCI,
        .instance_id = bus->settings.instance,
        .flags = VMBUS_OFFER_ENUMERATE_INTERFACE,
        .order = bus->settings.order,
    };
    return host_device_plug(server, &offer, &bus_operations, bus, &bus->primary);
}

static void vpci_unplug(struct virtual_device *device)
{
    unplug((struct vpci *)device);
}

static uint64_t vpci_deadline_ns(struct virtual_device *device)
{
    const struct vpci *bus = (const struct vpci *)device;
    uint64_t deadline = UINT64_MAX;
    for (unsigned i = 0; i < bus->slot_count; i++) {
        const struct vpci_slot *slot = &bus->slots[i];
        if (slot->state == VPCI_EJECTING && slot->eject_deadline_ns < deadline) {
            deadline = slot->eject_deadline_ns;
        }
    }
    return deadline;
}

static void vpci_run(struct virtual_device *device, uint64_t now_ns)
{
    struct vpci *bus = (struct vpci *)device;
    for (unsigned i = 0; i < bus->slot_count; i++) {
        struct vpci_slot *slot = &bus->slots[i];
        if (slot->state == VPCI_EJECTING && slot->eject_deadline_ns <= now_ns) {
            vpci_slot_gone(bus, slot);
        }
    }
    if (bus->channel != NULL && !bus->is_closing && has_events(bus)) {
        send_all(bus);
        host_channel_flush(bus->channel);
    }
    end_closing(bus);
    if (bus->slot_count > 0 && is_empty(bus)) {
        unplug(bus);
    }
}

/* ---- For people ---- */

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

static void vpci_describe(struct virtual_device *device, struct json_object *to)
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
    for (unsigned i = 0; i < bus->slot_count; i++) {
        json_object_array_add(list, describe_slot(bus, &bus->slots[i]));
    }
    json_object_object_add(to, "functions", list);
}

/* ---- Life ---- */

static void vpci_free(struct virtual_device *device)
{
    struct vpci *bus = (struct vpci *)device;
    for (unsigned i = 0; i < bus->slot_count; i++) {
        pci_function_free(bus->slots[i].function);
    }
    vpci_forget_requests(bus);
    free(bus);
}

static const struct virtual_device_operations operations = {
    .kind = "pci",
    .attach = vpci_attach,
    .plug = vpci_plug,
    .unplug = vpci_unplug,
    .deadline_ns = vpci_deadline_ns,
    .run = vpci_run,
    .range_ready = vpci_range_ready,
    .read = vpci_space_read,
    .write = vpci_space_write,
    .describe = vpci_describe,
    .free = vpci_free,
};

struct vpci *vpci_new(const struct vpci_settings *settings)
{
    struct vpci *bus =
        calloc(1, sizeof(*bus) + settings->function_count * sizeof(bus->slots[0]));
    if (bus == NULL) {
        return NULL;
    }
    bus->device.operations = &operations;
    bus->settings = *settings;
    bus->settings.functions = NULL;
    bus->settings.name = NULL;
    snprintf(bus->name, sizeof(bus->name), "%s", settings->name);
    bus->slot_count = settings->function_count;
    for (unsigned i = 0; i < bus->slot_count; i++) {
        bus->slots[i].function = settings->functions[i];
        settings->functions[i]->owner = (struct pci_owner){
            bus, decoding_changed, vpci_deliver, function_violation};
    }
    return bus;
}

struct virtual_device *vpci_device(struct vpci *bus)
{
    return &bus->device;
}

const char *vpci_name(const struct vpci *bus)
{
    return bus->name;
}

struct pci_function *vpci_function(struct vpci *bus, unsigned index)
{
    return index < bus->slot_count ? bus->slots[index].function : NULL;
}

bool vpci_is_gone(const struct vpci *bus)
{
    return bus->is_removed && bus->requests == NULL && !is_busy(bus);
}
