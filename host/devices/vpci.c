/* SPDX-License-Identifier: BSD-3-Clause */
/* A PCI bus as a virtual device: offer, channel, functions that come and go with it. */
#include "host/devices/vpci.h"

#include <errno.h>
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

int vpci_restore(struct vpci *bus, uint32_t number)
{
    struct vpci_slot *slot = bus->slots;
    while (slot < bus->slots + bus->slot_count && slot->function->slot != number) {
        slot++;
    }
    if (slot == bus->slots + bus->slot_count || bus->primary == NULL) {
        return -ENOENT;
    }
    if (slot->state != VPCI_GONE) {
        return -EEXIST;
    }
    if (bus->relations_due) {
        return -EBUSY;
    }
    slot->state = VPCI_PRESENT;
    slot->is_assigned = false;
    bus->relations_due = bus->version != 0;
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
    bus->d0_refused = bus->relations_due = bus->invalidate_due = false;
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
    if (bus->channel != NULL && !bus->is_closing && vpci_has_events(bus)) {
        vpci_send_due(bus);
        host_channel_flush(bus->channel);
    }
    end_closing(bus);
    if (bus->slot_count > 0 && is_empty(bus)) {
        unplug(bus);
    }
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
