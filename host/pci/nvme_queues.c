/* SPDX-License-Identifier: BSD-3-Clause */
/* NVMe queues: doorbells, fetching commands, putting completions. */
#include <stdlib.h>
#include <string.h>

#include "host/pci/nvme_internal.h"

/* ---- Completions ---- */

static bool is_full(const struct nvme_completion_queue *queue)
{
    return (queue->tail + 1) % queue->entries == queue->head;
}

static void put(struct nvme *controller, struct nvme_completion_queue *queue,
                const struct nvme_request *request)
{
    struct nvme_completion entry = {
        .result = request->result,
        .submission_head = request->submission_head,
        .submission_queue = request->submission_queue,
        .id = request->command.id,
        .status = (uint16_t)(request->status << 1 | queue->phase),
    };
    const uint64_t at = queue->base + queue->tail * sizeof(entry);
    /* The phase tells the guest that the rest is there: it is written last. */
    const size_t last = offsetof(struct nvme_completion, id);
    if (pci_dma_write(controller->function, at, &entry, last) != 0 ||
        pci_dma_write(controller->function, at + last, (uint8_t *)&entry + last,
                      sizeof(entry) - last) != 0) {
        controller->is_fatal = true;
        pci_violation(controller->function, "an NVMe completion queue is RAM, and the bus master");
        return;
    }
    queue->tail = (queue->tail + 1) % queue->entries;
    if (queue->tail == 0) {
        queue->phase ^= NVME_COMPLETION_PHASE;
    }
}

void nvme_drop(struct nvme_request *request)
{
    free(request->ranges);
    free(request);
}

void nvme_drop_waiting(struct nvme_completion_queue *queue)
{
    while (queue->full_first != NULL) {
        struct nvme_request *request = queue->full_first;
        queue->full_first = request->next;
        nvme_drop(request);
    }
    queue->full_last = &queue->full_first;
}

void nvme_complete(struct nvme_request *request, uint16_t status)
{
    struct nvme *controller = request->controller;
    struct nvme_completion_queue *queue = &controller->completion[request->completion_queue];
    request->status = status;
    controller->counters.errors += status != NVME_SUCCESS;
    if (request->generation != controller->generation || !queue->exists) {
        nvme_drop(request); /* the queue that it belonged to is gone */
        return;
    }
    if (is_full(queue)) {
        request->next = NULL;
        *queue->full_last = request;
        queue->full_last = &request->next;
        return;
    }
    put(controller, queue, request);
    nvme_drop(request);
    if (queue->wants_interrupts) {
        pci_interrupt(controller->function, queue->vector);
    }
}

/* ---- Commands ---- */

static void take_command(struct nvme *controller, unsigned number,
                         const struct nvme_command *command)
{
    const struct nvme_submission_queue *queue = &controller->submission[number];
    struct nvme_request *request = calloc(1, sizeof(*request));
    if (request == NULL) {
        controller->is_fatal = true; /* nobody could be told */
        return;
    }
    request->controller = controller;
    request->command = *command;
    request->submission_queue = (uint16_t)number;
    request->submission_head = (uint16_t)queue->head;
    request->completion_queue = queue->completion_queue;
    request->generation = controller->generation;
    controller->counters.commands++;
    if ((command->flags & NVME_FLAGS_SGL) != 0) {
        nvme_complete(request, NVME_INVALID_FIELD | NVME_DO_NOT_RETRY);
    } else if (number == 0) {
        nvme_admin_command(request);
    } else {
        nvme_io_command(request);
    }
}

/* A command may delete its own queue or, by a fault, end the controller: look again each time. */
static void fetch(struct nvme *controller, unsigned number)
{
    struct nvme_submission_queue *queue = &controller->submission[number];
    while (queue->exists && !controller->is_fatal && queue->head != queue->tail) {
        struct nvme_command command;
        if (pci_dma_read(controller->function, queue->base + queue->head * sizeof(command),
                         &command, sizeof(command)) != 0) {
            controller->is_fatal = true;
            pci_violation(controller->function,
                          "an NVMe submission queue is RAM, and the bus master");
            return;
        }
        queue->head = (queue->head + 1) % queue->entries;
        take_command(controller, number, &command);
    }
}

/* ---- Doorbells ---- */

static void ring_submission(struct nvme *controller, unsigned number, uint32_t tail)
{
    struct nvme_submission_queue *queue = &controller->submission[number];
    if (!queue->exists || tail >= queue->entries) {
        pci_violation(controller->function,
                      "an NVMe tail doorbell belongs to a queue, and lies in it");
        return;
    }
    queue->tail = tail;
    fetch(controller, number);
}

/* Whether the guest has taken entries that were there. */
static bool is_plausible_head(const struct nvme_completion_queue *queue, uint32_t head)
{
    const uint32_t waiting = (queue->tail + queue->entries - queue->head) % queue->entries;
    const uint32_t taken = (head + queue->entries - queue->head) % queue->entries;
    return head < queue->entries && taken <= waiting;
}

static void ring_completion(struct nvme *controller, unsigned number, uint32_t head)
{
    struct nvme_completion_queue *queue = &controller->completion[number];
    if (!queue->exists || !is_plausible_head(queue, head)) {
        pci_violation(controller->function,
                      "an NVMe head doorbell belongs to a queue, and to entries that were put");
        return;
    }
    queue->head = head;
    bool any = false;
    while (queue->full_first != NULL && !is_full(queue) && !controller->is_fatal) {
        struct nvme_request *request = queue->full_first;
        queue->full_first = request->next;
        if (queue->full_first == NULL) {
            queue->full_last = &queue->full_first;
        }
        put(controller, queue, request);
        nvme_drop(request);
        any = true;
    }
    if (queue->wants_interrupts && (any || queue->head != queue->tail)) {
        pci_interrupt(controller->function, queue->vector);
    }
}

void nvme_doorbell(struct nvme *controller, uint64_t offset, uint32_t value)
{
    const uint64_t number = offset / 8;
    if (number >= NVME_QUEUES || offset % 4 != 0) {
        pci_violation(controller->function, "an NVMe doorbell belongs to a queue");
    } else if (offset % 8 == 0) {
        ring_submission(controller, (unsigned)number, value);
    } else {
        ring_completion(controller, (unsigned)number, value);
    }
}

void nvme_queues_reset(struct nvme *controller)
{
    for (unsigned i = 0; i < NVME_QUEUES; i++) {
        if (controller->completion[i].full_last != NULL) {
            nvme_drop_waiting(&controller->completion[i]);
        }
        controller->submission[i] = (struct nvme_submission_queue){0};
        controller->completion[i] = (struct nvme_completion_queue){0};
        controller->completion[i].full_last = &controller->completion[i].full_first;
    }
}
