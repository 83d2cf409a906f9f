/* SPDX-License-Identifier: BSD-3-Clause */
/* NVMe admin commands: queues, identification, features. */
#include <stdio.h>
#include <string.h>

#include "host/guest_memory.h"
#include "host/pci/nvme_internal.h"

enum { DESCRIPTOR_EUI64 = 1, EUI64_SIZE = 8, LOG_ERRORS = 1, LOG_HEALTH = 2, LOG_FIRMWARE = 3 };

static uint16_t refuse(uint16_t status)
{
    return status | NVME_DO_NOT_RETRY;
}

/* ---- Queues ---- */

static uint16_t queue_numbers(const struct nvme_request *request, uint32_t *number,
                              uint32_t *entries)
{
    *number = request->command.cdw10 & 0xffff;
    *entries = (request->command.cdw10 >> 16) + 1;
    if (*number == 0 || *number > request->controller->queue_count) {
        return refuse(NVME_INVALID_QUEUE);
    }
    if (*entries < 2 || *entries > NVME_ENTRIES_MAXIMUM) {
        return refuse(NVME_INVALID_QUEUE_SIZE);
    }
    if ((request->command.cdw11 & NVME_QUEUE_CONTIGUOUS) == 0) {
        return refuse(NVME_INVALID_FIELD);
    }
    return request->command.prp1 % NVME_PAGE != 0 ? refuse(NVME_INVALID_PRP_OFFSET)
                                                  : NVME_SUCCESS;
}

static uint16_t create_completion_queue(struct nvme_request *request)
{
    struct nvme *controller = request->controller;
    const uint32_t vector = request->command.cdw11 >> 16;
    uint32_t number, entries;
    uint16_t status = queue_numbers(request, &number, &entries);
    if (status != NVME_SUCCESS) {
        return status;
    }
    if (controller->completion[number].exists) {
        return refuse(NVME_INVALID_QUEUE);
    }
    if (vector >= pci_vectors(controller->function)) {
        return refuse(NVME_INVALID_VECTOR);
    }
    struct nvme_completion_queue *queue = &controller->completion[number];
    *queue = (struct nvme_completion_queue){
        .exists = true,
        .wants_interrupts = (request->command.cdw11 & NVME_QUEUE_INTERRUPTS) != 0,
        .phase = NVME_COMPLETION_PHASE,
        .vector = (uint16_t)vector,
        .entries = entries,
        .base = request->command.prp1,
        .full_last = &queue->full_first,
    };
    return NVME_SUCCESS;
}

static uint16_t create_submission_queue(struct nvme_request *request)
{
    struct nvme *controller = request->controller;
    const uint32_t completion = request->command.cdw11 >> 16;
    uint32_t number, entries;
    uint16_t status = queue_numbers(request, &number, &entries);
    if (status != NVME_SUCCESS) {
        return status;
    }
    if (controller->submission[number].exists) {
        return refuse(NVME_INVALID_QUEUE);
    }
    if (completion == 0 || completion >= NVME_QUEUES ||
        !controller->completion[completion].exists) {
        return refuse(NVME_INVALID_COMPLETION_QUEUE);
    }
    controller->submission[number] = (struct nvme_submission_queue){
        .exists = true,
        .completion_queue = (uint16_t)completion,
        .entries = entries,
        .base = request->command.prp1,
    };
    return NVME_SUCCESS;
}

/* What its commands still do with the disk is completed as usual. */
static uint16_t delete_submission_queue(struct nvme_request *request)
{
    const uint32_t number = request->command.cdw10 & 0xffff;
    if (number == 0 || number >= NVME_QUEUES || !request->controller->submission[number].exists) {
        return refuse(NVME_INVALID_QUEUE);
    }
    request->controller->submission[number].exists = false;
    return NVME_SUCCESS;
}

static uint16_t delete_completion_queue(struct nvme_request *request)
{
    struct nvme *controller = request->controller;
    const uint32_t number = request->command.cdw10 & 0xffff;
    if (number == 0 || number >= NVME_QUEUES || !controller->completion[number].exists) {
        return refuse(NVME_INVALID_QUEUE);
    }
    for (unsigned i = 1; i < NVME_QUEUES; i++) {
        if (controller->submission[i].exists &&
            controller->submission[i].completion_queue == number) {
            return refuse(NVME_QUEUE_NOT_EMPTY);
        }
    }
    nvme_drop_waiting(&controller->completion[number]);
    controller->completion[number].exists = false;
    return NVME_SUCCESS;
}

/* ---- Data for the guest ---- */

/* Copies to where the command's PRPs say. */
static uint16_t give(struct nvme_request *request, const void *data, size_t size)
{
    uint16_t status;
    const uint8_t *from = data;
    const unsigned count = nvme_map(request, size, &status);
    for (unsigned i = 0; i < count; i++) {
        memcpy(request->vector[i].iov_base, from, request->vector[i].iov_len);
        from += request->vector[i].iov_len;
    }
    return status;
}

/* Texts are padded with spaces and have no end. */
static void set_text(char *to, size_t size, const char *text)
{
    const size_t length = strlen(text);
    memset(to, ' ', size);
    memcpy(to, text, length < size ? length : size);
}

static uint16_t identify_controller(struct nvme_request *request)
{
    struct nvme *controller = request->controller;
    struct nvme_identify_controller data = {
        .vendor = pci_get16(controller->function, PCI_VENDOR_ID),
        .subsystem_vendor = pci_get16(controller->function, PCI_SUBSYSTEM_VENDOR),
        .arbitration_burst = 6,
        .transfer_maximum = NVME_TRANSFER_SHIFT,
        .controller_id = 1,
        .version = NVME_VERSION_1_4,
        .controller_type = 1,
        .abort_limit = 3,
        .async_event_limit = NVME_EVENTS_MAXIMUM - 1,
        .firmware_updates = 0x3, /* one slot, read-only */
        .submission_entry_sizes = 0x66,
        .completion_entry_sizes = 0x44,
        .namespaces = 1,
        .optional_io = NVME_OPTIONAL_DATASET_MANAGEMENT | NVME_OPTIONAL_WRITE_ZEROES,
        .volatile_write_cache = 1,
    };
    set_text(data.serial, sizeof(data.serial), controller->serial);
    set_text(data.model, sizeof(data.model), "machv NVMe disk");
    set_text(data.firmware, sizeof(data.firmware), "1.0");
    snprintf(data.subsystem_name, sizeof(data.subsystem_name), "nqn.2026-01.machv:nvme:%s",
             controller->serial);
    return give(request, &data, sizeof(data));
}

static uint16_t identify_namespace(struct nvme_request *request)
{
    const struct disk_geometry *geometry = &request->controller->disk->geometry;
    struct nvme_identify_namespace data = {
        .size = geometry->size / geometry->block_size,
        .capacity = geometry->size / geometry->block_size,
        .used = geometry->size / geometry->block_size,
        .deallocated_reads = geometry->can_discard ? 1 : 0,
    };
    if (request->command.namespace_id != NVME_NAMESPACE) {
        return refuse(NVME_INVALID_NAMESPACE);
    }
    data.block_formats[0].block_shift = (uint8_t)__builtin_ctz(geometry->block_size);
    return give(request, &data, sizeof(data));
}

static uint16_t identify_list(struct nvme_request *request)
{
    uint32_t list[NVME_IDENTIFY_SIZE / 4] = {0};
    if (request->command.namespace_id < NVME_NAMESPACE) {
        list[0] = NVME_NAMESPACE;
    }
    return give(request, list, sizeof(list));
}

/* An EUI-64 made of the serial number: the same at each start. */
static uint16_t identify_descriptors(struct nvme_request *request)
{
    uint8_t data[NVME_IDENTIFY_SIZE] = {DESCRIPTOR_EUI64, EUI64_SIZE};
    uint64_t hash = 0xcbf29ce484222325ull;
    if (request->command.namespace_id != NVME_NAMESPACE) {
        return refuse(NVME_INVALID_NAMESPACE);
    }
    for (const char *c = request->controller->serial; *c != '\0'; c++) {
        hash = (hash ^ (uint8_t)*c) * 0x100000001b3ull;
    }
    memcpy(data + 4, &hash, sizeof(hash));
    return give(request, data, sizeof(data));
}

static uint16_t identify(struct nvme_request *request)
{
    switch (request->command.cdw10 & 0xff) {
    case NVME_IDENTIFY_NAMESPACE:
        return identify_namespace(request);
    case NVME_IDENTIFY_CONTROLLER:
        return identify_controller(request);
    case NVME_IDENTIFY_NAMESPACES:
        return identify_list(request);
    case NVME_IDENTIFY_DESCRIPTORS:
        return identify_descriptors(request);
    default:
        return refuse(NVME_INVALID_FIELD);
    }
}

/* Logs are there and empty: no errors, healthy, one firmware. */
static uint16_t get_log_page(struct nvme_request *request)
{
    const uint32_t page = request->command.cdw10 & 0xff;
    const uint64_t words = (request->command.cdw10 >> 16 |
                            (uint64_t)(request->command.cdw11 & 0xffff) << 16) + 1;
    uint8_t data[NVME_PAGE] = {0};
    if (page < LOG_ERRORS || page > LOG_FIRMWARE) {
        return refuse(NVME_INVALID_LOG_PAGE);
    }
    if (words * 4 > sizeof(data)) {
        return refuse(NVME_INVALID_FIELD);
    }
    if (page == LOG_HEALTH) {
        pci_put16(data, 1, 300); /* kelvin */
        data[3] = 100;           /* spare, in per cent */
    } else if (page == LOG_FIRMWARE) {
        data[0] = 1;
        set_text((char *)data + 8, 8, "1.0");
    }
    return give(request, data, words * 4);
}

/* ---- Features ---- */

static uint16_t set_queues(struct nvme_request *request)
{
    struct nvme *controller = request->controller;
    const uint32_t most = NVME_QUEUES - 1;
    uint32_t submission = (request->command.cdw11 & 0xffff) + 1;
    uint32_t completion = (request->command.cdw11 >> 16) + 1;
    if (submission > 0xffff || completion > 0xffff) {
        return refuse(NVME_INVALID_FIELD);
    }
    submission = submission < most ? submission : most;
    completion = completion < most ? completion : most;
    controller->queue_count = submission > completion ? submission : completion;
    request->result = (submission - 1) | (completion - 1) << 16;
    return NVME_SUCCESS;
}

static bool is_feature(uint32_t feature)
{
    return feature == NVME_FEATURE_ARBITRATION || feature == NVME_FEATURE_POWER ||
           feature == NVME_FEATURE_TEMPERATURE || feature == NVME_FEATURE_ERRORS ||
           feature == NVME_FEATURE_WRITE_CACHE || feature == NVME_FEATURE_COALESCING ||
           feature == NVME_FEATURE_ASYNC_EVENTS;
}

static uint16_t set_features(struct nvme_request *request)
{
    const uint32_t feature = request->command.cdw10 & 0xff;
    if (feature == NVME_FEATURE_QUEUES) {
        return set_queues(request);
    }
    if (!is_feature(feature)) {
        return refuse(NVME_INVALID_FIELD);
    }
    request->controller->features[feature] = request->command.cdw11;
    if (feature == NVME_FEATURE_WRITE_CACHE) {
        request->controller->write_cache = (request->command.cdw11 & 1) != 0;
    }
    return NVME_SUCCESS;
}

static uint16_t get_features(struct nvme_request *request)
{
    const struct nvme *controller = request->controller;
    const uint32_t feature = request->command.cdw10 & 0xff;
    if (feature == NVME_FEATURE_QUEUES) {
        request->result = (controller->queue_count - 1) * 0x10001u;
        return NVME_SUCCESS;
    }
    if (!is_feature(feature)) {
        return refuse(NVME_INVALID_FIELD);
    }
    request->result = feature == NVME_FEATURE_WRITE_CACHE ? controller->write_cache
                                                          : controller->features[feature];
    return NVME_SUCCESS;
}

/* ---- The rest ---- */

/* Commands are not aborted: bit 0 says so, which is allowed. */
static uint16_t abort_command(struct nvme_request *request)
{
    request->result = 1;
    return NVME_SUCCESS;
}

static const struct {
    uint8_t opcode;
    uint16_t (*run)(struct nvme_request *request); /* an NVMe status */
} commands[] = {
    {NVME_DELETE_SUBMISSION_QUEUE, delete_submission_queue},
    {NVME_CREATE_SUBMISSION_QUEUE, create_submission_queue},
    {NVME_GET_LOG_PAGE, get_log_page},
    {NVME_DELETE_COMPLETION_QUEUE, delete_completion_queue},
    {NVME_CREATE_COMPLETION_QUEUE, create_completion_queue},
    {NVME_IDENTIFY, identify},
    {NVME_ABORT, abort_command},
    {NVME_SET_FEATURES, set_features},
    {NVME_GET_FEATURES, get_features},
};

/* An event request waits for an event, and none ever happens here. */
static void wait_for_event(struct nvme_request *request)
{
    struct nvme *controller = request->controller;
    if (controller->event_count == NVME_EVENTS_MAXIMUM) {
        nvme_complete(request, refuse(NVME_TOO_MANY_EVENTS));
        return;
    }
    controller->event_count++;
    nvme_drop(request);
}

void nvme_admin_command(struct nvme_request *request)
{
    if (request->command.opcode == NVME_ASYNC_EVENT) {
        wait_for_event(request);
        return;
    }
    for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (commands[i].opcode == request->command.opcode) {
            nvme_complete(request, commands[i].run(request));
            return;
        }
    }
    nvme_complete(request, refuse(NVME_INVALID_OPCODE));
}
