/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames to the host: small ones are gathered in a section of the send buffer, several a message;
 * larger ones are copied to memory of their own that the host reads in place. */
#include "kext/network/HyperVNetwork.h"

#include "abi/kpi/libkern.h"

enum { RESUME_SECTIONS = 8 /* free ones before a stalled queue goes on */ };

/* ---- memory ---- */

static void give_back(struct HyperVNetwork *self, const struct network_request *request)
{
    IOLockLock(self->send_lock);
    if (request->kind == NETWORK_REQUEST_SECTION)
        send_sections_give(&self->sections, request->index);
    else
        self->large[request->index].taken = false;
    IOLockUnlock(self->send_lock);
}

static uint32_t take_section(struct HyperVNetwork *self)
{
    uint32_t section;

    IOLockLock(self->send_lock);
    section = send_sections_take(&self->sections);
    self->stalled |= section == SEND_SECTION_NONE;
    IOLockUnlock(self->send_lock);
    return section;
}

static struct network_large *take_large(struct HyperVNetwork *self)
{
    struct network_large *found = NULL;

    IOLockLock(self->send_lock);
    for (uint32_t i = 0; i < NETWORK_LARGE_MAX && found == NULL; i++)
        if (!self->large[i].taken)
            found = &self->large[i];
    if (found != NULL)
        found->taken = true;
    else
        self->stalled = true;
    IOLockUnlock(self->send_lock);
    return found;
}

static void note_stall(struct HyperVNetwork *self)
{
    IOLockLock(self->send_lock);
    self->stalled = true;
    IOLockUnlock(self->send_lock);
}

/* ---- messages ---- */

/* Writes an RNDIS packet to memory that the host can read: header, the head that replaces the
 * frame's own, the rest. Returns its bytes. */
static uint32_t write_packet(mbuf_t packet, const struct network_plan *plan,
                             const uint8_t *header, uint32_t length, uint8_t *to)
{
    memcpy(to, header, length);
    memcpy(to + length, plan->head, plan->head_length);
    mbuf_copydata(packet, plan->body, plan->transmit.length - plan->head_length,
                  to + length + plan->head_length);
    return length + plan->transmit.length;
}

/* Puts a message into the ring. HV_ERROR_FULL: nothing has changed. */
static int append(struct network_queue *queue, const struct gpa_range *range, uint32_t section,
                  uint32_t bytes, struct network_request *request)
{
    struct nvsp_message message;
    const struct ring_piece piece = { &message, sizeof message };
    int error = queue->channel == NULL ? HV_ERROR_GONE : device_channel_begin(queue->channel);

    if (error != 0)
        return error;
    nvs_rndis_message(NVSP_CHANNEL_DATA, section, bytes, &message);
    error = range != NULL ? device_channel_append_gpa_direct(queue->channel, range, 1, &piece, 1,
                                                             request)
                          : device_channel_append_request(queue->channel, &piece, 1, request);
    device_channel_commit(queue->channel);
    return error;
}

/* ---- sections; the queue's lock is held ---- */

/* Sends what was gathered. HV_ERROR_FULL: it stays; with another error it is lost. */
static int send_gathered(struct network_queue *queue)
{
    struct HyperVNetwork *self = queue->adapter;
    struct network_request *request;
    int error;

    if (queue->section == SEND_SECTION_NONE)
        return 0;
    request = &self->section_requests[queue->section];
    error = append(queue, NULL, queue->section, queue->batch.used, request);
    if (error == HV_ERROR_FULL) {
        note_stall(self); /* so that network_resume is not idle */
        return error;
    }
    if (error != 0) {
        self->counters.transmit_errors += queue->batch.packets;
        give_back(self, request);
    }
    queue->section = SEND_SECTION_NONE;
    return error;
}

static int begin_section(struct network_queue *queue)
{
    struct HyperVNetwork *self = queue->adapter;
    uint32_t section = take_section(self);

    if (section == SEND_SECTION_NONE)
        return HV_ERROR_FULL;
    queue->section = section;
    queue->batch = (struct batch){
        .bytes = self->send.bytes + (size_t)section * self->nvs.section_size,
    };
    return 0;
}

static int gather(struct network_queue *queue, mbuf_t packet, const struct network_plan *plan,
                  const uint8_t *header, uint32_t header_length)
{
    const struct batch_limits *limits = &queue->adapter->limits;
    uint32_t bytes = header_length + plan->transmit.length;
    int error = 0;

    if (queue->section != SEND_SECTION_NONE && !batch_has_room(&queue->batch, limits, bytes))
        error = send_gathered(queue);
    if (error == 0 && queue->section == SEND_SECTION_NONE)
        error = begin_section(queue);
    if (error == 0)
        write_packet(packet, plan, header, header_length, batch_add(&queue->batch, limits, bytes));
    return error;
}

/* ---- memory of their own; the queue's lock is held ---- */

static int send_in_place(struct network_queue *queue, mbuf_t packet,
                         const struct network_plan *plan, const uint8_t *header,
                         uint32_t header_length)
{
    uint64_t pages[NETWORK_LARGE_BYTES / 4096];
    struct gpa_range range = { .offset = 0, .page_numbers = pages };
    struct network_large *large;
    int error = send_gathered(queue); /* what came before goes first */

    if (error != 0)
        return error;
    large = take_large(queue->adapter);
    if (large == NULL)
        return HV_ERROR_FULL;
    range.length = write_packet(packet, plan, header, header_length, large->memory.bytes);
    for (uint32_t i = 0; i < gpa_range_pages(&range); i++)
        pages[i] = dma_memory_page_number(&large->memory, i);
    error = append(queue, &range, NVSP_NO_SECTION, 0, &large->request);
    if (error != 0)
        give_back(queue->adapter, &large->request);
    if (error == HV_ERROR_FULL)
        note_stall(queue->adapter);
    return error;
}

int network_send(struct network_queue *queue, mbuf_t packet, const struct network_plan *plan)
{
    uint8_t header[RNDIS_TRANSMIT_HEADER_MAX];
    uint32_t length = rndis_packet_header(header, &plan->transmit);
    bool fits = length + plan->transmit.length <= queue->adapter->nvs.section_size;
    int error;

    IOLockLock(queue->lock);
    error = fits ? gather(queue, packet, plan, header, length)
                 : send_in_place(queue, packet, plan, header, length);
    IOLockUnlock(queue->lock);
    return error;
}

static void flush_queue(struct network_queue *queue)
{
    IOLockLock(queue->lock);
    send_gathered(queue);
    IOLockUnlock(queue->lock);
}

void network_flush(struct HyperVNetwork *self)
{
    for (uint32_t i = 0; i < self->queue_count; i++)
        if (self->queues[i]->section != SEND_SECTION_NONE)
            flush_queue(self->queues[i]);
}

/* ---- the channels' side ---- */

void network_resume(struct HyperVNetwork *self)
{
    bool resume;

    IOLockLock(self->send_lock);
    resume = self->stalled && self->sections.free_count >= RESUME_SECTIONS;
    if (resume)
        self->stalled = false;
    IOLockUnlock(self->send_lock);
    if (!resume)
        return;
    network_flush(self);
    if (self->queue != NULL)
        IOOutputQueue_service(self->queue, 0);
}

void network_completion(void *owner, struct device_channel *channel, void *context, int error,
                        const struct packet_view *packet)
{
    struct network_queue *queue = owner;
    struct HyperVNetwork *self = queue->adapter;
    struct network_request *request = context;

    (void)channel;
    if (error == 0 &&
        !nvs_send_succeeded(&queue->nvs_counters, packet->data, packet->length)) {
        if (hv_log_now(++queue->counters.transmit_refused))
            network_log(self, "the host did not take a message");
    }
    if (request->kind == NETWORK_REQUEST_CONTROL)
        network_control_carried(self);
    else
        give_back(self, request);
}

void network_room(void *owner, struct device_channel *channel)
{
    struct network_queue *queue = owner;

    (void)channel;
    network_acknowledge(queue);
    if (queue->adapter->send_lock != NULL)
        network_resume(queue->adapter);
}

/* ---- life ---- */

bool network_send_init(struct HyperVNetwork *self)
{
    send_sections_init(&self->sections, self->nvs.section_count);
    self->section_requests = IOMalloc(SEND_SECTIONS_MAX * sizeof *self->section_requests);
    if (self->section_requests == NULL)
        return false;
    for (uint32_t i = 0; i < SEND_SECTIONS_MAX; i++)
        self->section_requests[i] = (struct network_request){ NETWORK_REQUEST_SECTION, i };
    for (uint32_t i = 0; i < NETWORK_LARGE_MAX; i++) {
        self->large[i].request = (struct network_request){ NETWORK_REQUEST_LARGE, i };
        if (dma_memory_allocate(&self->large[i].memory, NETWORK_LARGE_BYTES, false) != 0)
            return false;
    }
    self->send_lock = IOLockAlloc();
    return self->send_lock != NULL;
}

void network_send_free(struct HyperVNetwork *self)
{
    for (uint32_t i = 0; i < NETWORK_LARGE_MAX; i++)
        dma_memory_free(&self->large[i].memory);
    if (self->section_requests != NULL)
        IOFree(self->section_requests, SEND_SECTIONS_MAX * sizeof *self->section_requests);
    self->section_requests = NULL;
    if (self->send_lock != NULL)
        IOLockFree(self->send_lock);
    self->send_lock = NULL;
}
