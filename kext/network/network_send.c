/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames to the host: small ones are gathered in a section of the send buffer, several a message;
 * larger ones the host reads where they are. */
#include "kext/network/HyperVNetwork.h"

#include "abi/kpi/libkern.h"
#include "abi/kpi/threads.h"
#include "abi/kpi/time.h"

enum {
    RESUME_SECTIONS = 8, /* free ones before a stalled queue goes on */
    PAGE_BYTES = 4096,
};

/* ---- memory ---- */

static void give_back(struct HyperVNetwork *self, const struct network_request *request)
{
    struct network_large *large;
    mbuf_t body = NULL;

    IOLockLock(self->send_lock);
    if (request->kind == NETWORK_REQUEST_SECTION) {
        send_sections_give(&self->sections, request->index);
    } else {
        large = &self->large[request->index];
        body = large->body;
        large->body = NULL;
        large->taken = false;
    }
    if (self->draining)
        IOLockWakeup(self->send_lock, &self->draining, false);
    IOLockUnlock(self->send_lock);
    if (body != NULL)
        mbuf_freem(body);
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
static int append(struct network_queue *queue, const struct gpa_range *ranges, uint32_t count,
                  uint32_t section, uint32_t bytes, struct network_request *request)
{
    struct nvsp_message message;
    const struct ring_piece piece = { &message, sizeof message };
    int error = queue->channel == NULL ? HV_ERROR_GONE : device_channel_begin(queue->channel);

    if (error != 0)
        return error;
    nvs_rndis_message(NVSP_CHANNEL_DATA, section, bytes, &message);
    error = count != 0 ? device_channel_append_gpa_direct(queue->channel, ranges, count, &piece, 1,
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
    error = append(queue, NULL, 0, queue->section, queue->batch.used, request);
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

/* ---- in place; the queue's lock is held ---- */

/* Where a frame's bytes are: a range a page, as hosts know it from other guests. */
struct network_places {
    struct gpa_range ranges[PACKET_GPA_RANGES_MAXIMUM];
    uint64_t pages[PACKET_GPA_RANGES_MAXIMUM];
    uint32_t count;
};

static bool add_place(struct network_places *places, uint64_t page, uint32_t offset,
                      uint32_t length)
{
    if (places->count == PACKET_GPA_RANGES_MAXIMUM)
        return false;
    places->pages[places->count] = page;
    places->ranges[places->count] = (struct gpa_range){ length, offset,
                                                        &places->pages[places->count] };
    places->count++;
    return true;
}

static bool add_bytes(struct network_places *places, uint8_t *data, size_t length)
{
    while (length != 0) {
        uint64_t physical = mbuf_data_to_physical(data);
        uint32_t offset = (uint32_t)(physical & (PAGE_BYTES - 1));
        size_t part = length < PAGE_BYTES - offset ? length : PAGE_BYTES - offset;

        if (physical == 0 || !add_place(places, physical / PAGE_BYTES, offset, (uint32_t)part))
            return false;
        data += part;
        length -= part;
    }
    return true;
}

/* `length` bytes of a chain from `skip` on. False: it has not as many, they are in too many places,
 * or one of these has no physical address. */
static bool add_chain(struct network_places *places, mbuf_t chain, size_t skip, size_t length)
{
    for (; chain != NULL && length != 0; chain = mbuf_next(chain)) {
        size_t skipped = skip < mbuf_len(chain) ? skip : mbuf_len(chain);
        size_t left = mbuf_len(chain) - skipped, part = left < length ? left : length;

        if (!add_bytes(places, (uint8_t *)mbuf_data(chain) + skipped, part))
            return false;
        skip -= skipped;
        length -= part;
    }
    return length == 0;
}

/* Headers in our memory, the body as it is: the packet itself, or, of a part, mbufs that share its
 * memory. False: it has to be copied. */
static bool place_body(struct network_large *large, mbuf_t packet, const struct network_plan *plan,
                       const uint8_t *header, uint32_t header_length, struct network_places *places)
{
    uint32_t body = plan->transmit.length - plan->head_length;

    places->count = 0;
    large->body = packet;
    if (plan->part &&
        mbuf_copym(packet, plan->body, body, MBUF_DONTWAIT, &large->body) != 0) {
        large->body = NULL;
        return false;
    }
    memcpy(large->memory.bytes, header, header_length);
    memcpy(large->memory.bytes + header_length, plan->head, plan->head_length);
    if (add_place(places, dma_memory_page_number(&large->memory, 0), 0,
                  header_length + plan->head_length) &&
        add_chain(places, large->body, plan->part ? 0 : plan->body, body))
        return true;
    if (plan->part)
        mbuf_freem(large->body);
    large->body = NULL;
    return false;
}

/* All of it copied to our memory. */
static void place_copy(struct network_large *large, mbuf_t packet, const struct network_plan *plan,
                       const uint8_t *header, uint32_t header_length, struct network_places *places)
{
    uint32_t length = write_packet(packet, plan, header, header_length, large->memory.bytes);

    places->count = 0;
    for (uint32_t done = 0; done < length; done += PAGE_BYTES)
        add_place(places, dma_memory_page_number(&large->memory, done / PAGE_BYTES), 0,
                  length - done < PAGE_BYTES ? length - done : PAGE_BYTES);
}

static int send_in_place(struct network_queue *queue, mbuf_t packet,
                         const struct network_plan *plan, const uint8_t *header,
                         uint32_t header_length)
{
    struct network_places places;
    struct network_large *large;
    bool kept;
    int error = send_gathered(queue); /* what came before goes first */

    if (error != 0)
        return error;
    large = take_large(queue->adapter);
    if (large == NULL)
        return HV_ERROR_FULL;
    if (!place_body(large, packet, plan, header, header_length, &places))
        place_copy(large, packet, plan, header, header_length, &places);
    kept = large->body == packet; /* asked now: once it is sent, the host may be done with it */
    error = append(queue, places.ranges, places.count, NVSP_NO_SECTION, 0, &large->request);
    if (error != 0) {
        if (kept)
            large->body = NULL; /* the caller's again */
        give_back(queue->adapter, &large->request);
    }
    if (error == HV_ERROR_FULL)
        note_stall(queue->adapter);
    return error == 0 && kept ? NETWORK_SENT_KEPT : error;
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

/* ---- waiting for the end ---- */

static bool all_is_back(const struct HyperVNetwork *self)
{
    for (uint32_t i = 0; i < NETWORK_LARGE_MAX; i++)
        if (self->large[i].taken)
            return false;
    return self->sections.free_count == self->sections.count;
}

void network_drain(struct HyperVNetwork *self)
{
    bool in_time = true;
    uint64_t deadline;

    clock_interval_to_deadline(NETWORK_ANSWER_MILLISECONDS, kMillisecondScale, &deadline);
    IOLockLock(self->send_lock);
    self->draining = true;
    while (in_time && !self->gone && !device_is_gone(self->device) && !all_is_back(self))
        in_time = IOLockSleepDeadline(self->send_lock, &self->draining, deadline, THREAD_UNINT) !=
                  THREAD_TIMED_OUT;
    self->draining = false;
    IOLockUnlock(self->send_lock);
}

/* ---- the channels' side ---- */

/* Some sections, so that the queue does not stall at once again; a host with few gets along. */
static bool enough_sections(const struct send_sections *sections)
{
    uint32_t wanted = sections->count < 2 * RESUME_SECTIONS ? 1 : RESUME_SECTIONS;

    return sections->free_count >= wanted;
}

void network_resume(struct HyperVNetwork *self)
{
    bool resume;

    IOLockLock(self->send_lock);
    resume = self->stalled && enough_sections(&self->sections);
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
    else if (error == 0 || request->kind == NETWORK_REQUEST_SECTION)
        give_back(self, request);
    /* A frame that the host may be reading still is given back when the channel is closed. */
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
    for (uint32_t i = 0; i < NETWORK_LARGE_MAX; i++) {
        if (self->large[i].body != NULL)
            mbuf_freem(self->large[i].body);
        self->large[i] = (struct network_large){ .memory = self->large[i].memory };
        dma_memory_free(&self->large[i].memory);
    }
    if (self->section_requests != NULL)
        IOFree(self->section_requests, SEND_SECTIONS_MAX * sizeof *self->section_requests);
    self->section_requests = NULL;
    if (self->send_lock != NULL)
        IOLockFree(self->send_lock);
    self->send_lock = NULL;
    self->stalled = false;
}
