/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An NVMe controller with one namespace, a disk of host/disk: its registers and its life.
 *
 * Facts: NVM Express Base Specification 1.4; what Linux's nvme driver asks for.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/disk/disk_faults.h"
#include "host/disk/disk_open.h"
#include "host/pci/description_internal.h"
#include "host/pci/nvme_internal.h"

enum {
    REGISTERS = 0, REGISTERS_SIZE = 0x4000,
    MSIX_TABLE = 0x2000, MSIX_PENDING = 0x3000,
    DOORBELLS_END = 0x2000,
    TIMEOUT = 20, /* of CAPABILITIES: 10 s */
    SHUTDOWN_COMPLETE = 2 << 2, SHUTDOWN_UNDER_WAY = 1 << 2,
    ENTRY_SIZES = 6 << NVME_CONFIGURATION_SUBMISSION_SHIFT |
                  4 << NVME_CONFIGURATION_COMPLETION_SHIFT,
    ENTRY_SIZES_MASK = 0xff << NVME_CONFIGURATION_SUBMISSION_SHIFT,
    FIXED_MASK = 0x3ff0, /* of CONFIGURATION: command set, page size, arbitration: all 0 */
};

static struct nvme *state_of(const struct pci_function *function)
{
    return function->state;
}

/* ---- Enabling ---- */

/* What is in flight with the disk is let go of: its completions belong to another life. */
static void disable(struct nvme *controller)
{
    controller->is_ready = controller->is_fatal = controller->is_shut_down = false;
    controller->generation++;
    controller->event_count = 0;
    controller->queue_count = NVME_QUEUES - 1;
    nvme_queues_reset(controller);
    if (controller->disk != NULL && disk_is_faulty(controller->disk)) {
        disk_faults_release_lost(controller->disk); /* a reset ends what a fault holds back */
    }
}

static void enable(struct nvme *controller)
{
    const uint32_t submission = (controller->queue_sizes & 0xfff) + 1;
    const uint32_t completion = (controller->queue_sizes >> 16 & 0xfff) + 1;
    const uint32_t sizes = controller->configuration & ENTRY_SIZES_MASK;
    if (submission < 2 || completion < 2 || controller->admin_submission % NVME_PAGE != 0 ||
        controller->admin_completion % NVME_PAGE != 0 ||
        (controller->configuration & FIXED_MASK) != 0 ||
        (sizes != 0 && sizes != ENTRY_SIZES)) {
        controller->is_fatal = true;
        pci_violation(controller->function,
                      "an NVMe controller is enabled with queues, pages of 4 KiB and NVM commands");
        return;
    }
    controller->submission[0] = (struct nvme_submission_queue){
        .exists = true, .entries = submission, .base = controller->admin_submission};
    struct nvme_completion_queue *queue = &controller->completion[0];
    *queue = (struct nvme_completion_queue){
        .exists = true, .wants_interrupts = true, .phase = NVME_COMPLETION_PHASE,
        .entries = completion, .base = controller->admin_completion,
        .full_last = &queue->full_first};
    controller->is_ready = true;
}

static void configure(struct nvme *controller, uint32_t value)
{
    const bool was_enabled = (controller->configuration & NVME_CONFIGURATION_ENABLE) != 0;
    const bool is_enabled = (value & NVME_CONFIGURATION_ENABLE) != 0;
    controller->configuration = value;
    if (!was_enabled && is_enabled) {
        enable(controller);
    } else if (was_enabled && !is_enabled) {
        disable(controller);
    }
    const bool is_shut_down = (value & NVME_CONFIGURATION_SHUTDOWN) != 0;
    if (is_shut_down && !controller->is_shut_down) {
        nvme_flush(controller);
    }
    controller->is_shut_down = is_shut_down;
}

/* Ready until the disk has let go of guest memory: then a driver may take it back. */
static uint32_t status_of(const struct nvme *controller)
{
    uint32_t status = controller->is_fatal ? NVME_STATUS_FATAL : 0;
    if (controller->is_ready ||
        ((controller->configuration & NVME_CONFIGURATION_ENABLE) == 0 &&
         controller->in_flight > 0)) {
        status |= NVME_STATUS_READY;
    }
    if (controller->is_shut_down) {
        status |= controller->in_flight == 0 ? SHUTDOWN_COMPLETE : SHUTDOWN_UNDER_WAY;
    }
    return status;
}

/* ---- Registers ---- */

static uint64_t read_register(const struct nvme *controller, uint64_t offset)
{
    switch (offset) {
    case NVME_CAPABILITIES:
        return (NVME_ENTRIES_MAXIMUM - 1) | NVME_CAPABILITIES_CONTIGUOUS |
               (uint64_t)TIMEOUT << NVME_CAPABILITIES_TIMEOUT_SHIFT | NVME_CAPABILITIES_NVM;
    case NVME_VERSION:
        return NVME_VERSION_1_4;
    case NVME_CONFIGURATION:
        return controller->configuration;
    case NVME_STATUS:
        return status_of(controller);
    case NVME_ADMIN_QUEUE_SIZES:
        return controller->queue_sizes;
    case NVME_ADMIN_SUBMISSION:
        return controller->admin_submission;
    case NVME_ADMIN_COMPLETION:
        return controller->admin_completion;
    default:
        return 0;
    }
}

/* Registers of 8 bytes may be read in halves. */
static uint64_t nvme_read(struct pci_function *function, unsigned region, uint64_t offset,
                          unsigned size)
{
    const bool upper = offset == NVME_CAPABILITIES + 4 || offset == NVME_ADMIN_SUBMISSION + 4 ||
                       offset == NVME_ADMIN_COMPLETION + 4;
    if (region != REGISTERS || size < 4 || offset % 4 != 0) {
        return 0;
    }
    return upper ? read_register(state_of(function), offset - 4) >> 32
                 : read_register(state_of(function), offset);
}

static void set_half(uint64_t *reg, bool upper, unsigned size, uint64_t value)
{
    if (size == 8) {
        *reg = value;
    } else if (upper) {
        *reg = (*reg & 0xffffffffull) | value << 32;
    } else {
        *reg = (*reg & ~0xffffffffull) | (uint32_t)value;
    }
}

static void write_register(struct nvme *controller, uint64_t offset, unsigned size,
                           uint64_t value)
{
    switch (offset) {
    case NVME_INTERRUPT_SET:
    case NVME_INTERRUPT_CLEAR:
        break; /* not with MSI-X */
    case NVME_CONFIGURATION:
        configure(controller, (uint32_t)value);
        break;
    case NVME_ADMIN_QUEUE_SIZES:
        controller->queue_sizes = (uint32_t)value;
        break;
    case NVME_ADMIN_SUBMISSION:
    case NVME_ADMIN_SUBMISSION + 4:
        set_half(&controller->admin_submission, offset != NVME_ADMIN_SUBMISSION, size, value);
        break;
    case NVME_ADMIN_COMPLETION:
    case NVME_ADMIN_COMPLETION + 4:
        set_half(&controller->admin_completion, offset != NVME_ADMIN_COMPLETION, size, value);
        break;
    default:
        pci_violation(controller->function, "an NVMe register that is written is writable");
        break;
    }
}

static void nvme_write(struct pci_function *function, unsigned region, uint64_t offset,
                       unsigned size, uint64_t value)
{
    struct nvme *controller = state_of(function);
    if (region != REGISTERS || size < 4 || offset % 4 != 0) {
        pci_violation(function, "NVMe registers are written in 4 or 8 bytes");
    } else if (offset < NVME_DOORBELLS) {
        write_register(controller, offset, size, value);
    } else if (offset < DOORBELLS_END && controller->is_ready) {
        nvme_doorbell(controller, offset - NVME_DOORBELLS, (uint32_t)value);
    } else {
        pci_violation(function, "NVMe doorbells are rung while the controller is ready");
    }
}

/* ---- Life ---- */

static void nvme_reset(struct pci_function *function)
{
    struct nvme *controller = state_of(function);
    disable(controller);
    controller->configuration = controller->queue_sizes = 0;
    controller->admin_submission = controller->admin_completion = 0;
    controller->write_cache = true;
    memset(controller->features, 0, sizeof(controller->features));
}

static bool nvme_is_busy(const struct pci_function *function)
{
    return state_of(function)->in_flight > 0;
}

static void nvme_describe(const struct pci_function *function, struct json_object *to)
{
    const struct nvme *controller = state_of(function);
    unsigned queues = 0;
    for (unsigned i = 1; i < NVME_QUEUES; i++) {
        queues += controller->submission[i].exists;
    }
    json_object_object_add(to, "disk", json_object_new_string(controller->disk->name));
    json_object_object_add(to, "queues", json_object_new_int((int)queues));
    json_object_object_add(to, "commands", json_object_new_uint64(controller->counters.commands));
    json_object_object_add(to, "reads", json_object_new_uint64(controller->counters.reads));
    json_object_object_add(to, "writes", json_object_new_uint64(controller->counters.writes));
    json_object_object_add(to, "errors", json_object_new_uint64(controller->counters.errors));
}

/* Nothing is in flight: see is_busy. */
static void nvme_free(struct pci_function *function)
{
    struct nvme *controller = state_of(function);
    nvme_queues_reset(controller);
    disk_close(controller->disk);
    free(controller);
}

static const struct pci_model_operations operations = {
    .read = nvme_read,
    .write = nvme_write,
    .reset = nvme_reset,
    .is_busy = nvme_is_busy,
    .describe = nvme_describe,
    .free = nvme_free,
};

struct disk **pci_nvme_disk(struct pci_function *function)
{
    return function->operations == &operations ? &state_of(function)->disk : NULL;
}

static int open_disk(struct nvme *controller, struct json_object *members,
                     const struct pci_resources *resources, char *error, size_t error_size)
{
    struct json_object *value;
    struct disk_options options = {.path = pci_text(members, "disk"), .block_size = 512};
    const char *format = pci_text(members, "format");
    if (options.path == NULL) {
        snprintf(error, error_size, "model nvme needs \"disk\": a file, or \"memory:64M\"");
        return -EINVAL;
    }
    const bool has_format = json_object_object_get_ex(members, "format", &value);
    if (has_format &&
        (format == NULL || disk_format_from_text(format, &options.format) != 0)) {
        snprintf(error, error_size, "\"format\" is raw, vhd, vhdx, qcow2, vmdk or vdi");
        return -EINVAL;
    }
    if (json_object_object_get_ex(members, "read-only", &value)) {
        options.read_only = json_object_get_boolean(value);
        if (!json_object_is_type(value, json_type_boolean)) {
            snprintf(error, error_size, "\"read-only\" is true or false");
            return -EINVAL;
        }
    }
    if (json_object_object_get_ex(members, "block-size", &value)) {
        options.block_size = (uint32_t)json_object_get_int(value);
        if (options.block_size != 512 && options.block_size != 4096) {
            snprintf(error, error_size, "\"block-size\" is 512 or 4096");
            return -EINVAL;
        }
    }
    return disk_open(resources->disks, &options, &controller->disk, error, error_size);
}

static int add_parts(struct pci_function *function)
{
    int result = pci_add_region(function, REGISTERS, REGISTERS_SIZE, true, false, true);
    if (result == 0) {
        result = pci_add_power(function);
    }
    if (result == 0) {
        result = pci_add_express(function);
    }
    if (result == 0) {
        result = pci_add_msix(function, NVME_QUEUES, REGISTERS, MSIX_TABLE, REGISTERS,
                              MSIX_PENDING);
    }
    return result;
}

static int make(struct pci_function *function, struct json_object *members,
                const struct pci_resources *resources, char *error, size_t error_size)
{
    struct nvme *controller = calloc(1, sizeof(*controller));
    int result = controller != NULL ? add_parts(function) : -ENOMEM;
    if (result != 0) {
        snprintf(error, error_size, "the NVMe controller cannot be made: %s", strerror(-result));
        free(controller);
        return result;
    }
    const char *serial = pci_text(members, "serial-number");
    snprintf(controller->serial, sizeof(controller->serial), "%s",
             serial != NULL ? serial : "MACHV0001");
    result = open_disk(controller, members, resources, error, error_size);
    if (result != 0) {
        free(controller);
        return result;
    }
    controller->function = function;
    nvme_queues_reset(controller);
    function->state = controller;
    function->operations = &operations;
    return 0;
}

static const char *const members[] = {"disk", "format", "read-only", "block-size",
                                      "serial-number", NULL};

const struct pci_model pci_nvme = {
    .name = "nvme",
    .summary = "an NVMe controller with a disk",
    .identity = {.vendor = 0x1414, .device = 0xb111, .subsystem_vendor = 0x1414, .subsystem = 1,
                 .class_code = 0x010802},
    .make = make,
    .members = members,
};
