/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames to the host: into a section of the send buffer, or, if larger, into memory of their own that the host reads
 * in place. Checksums and TCP segmentation are the host's work. */
#include "kext/network/HyperVNetwork.h"

#include "abi/kpi/libkern.h"
#include "kext/network/headers.h"

enum {
    CHECKSUM_FAMILY_TCPIP = 1, /* IONetworkController's kChecksumFamilyTCPIP */
    CHECKSUM_TRANSPORT = MBUF_CSUM_REQ_TCP | MBUF_CSUM_REQ_UDP | MBUF_CSUM_REQ_TCPIPV6 | MBUF_CSUM_REQ_UDPIPV6,
    RESUME_SECTIONS = 8,       /* free ones before a stalled queue goes on */
};

/* ---- what has to be done to a frame ---- */

/* The first bytes of the frame, which may be changed, and what the host is to do. */
struct plan {
    struct rndis_transmit transmit;
    uint32_t head_length;      /* bytes of `head` that replace the frame's */
    uint32_t body;             /* where in the frame the rest begins */
    struct headers headers;    /* of a frame to be segmented */
    uint32_t segment_size;
    uint8_t head[HEADERS_MAX];
};

static uint32_t segment_size(mbuf_t packet, bool *ipv6)
{
#if ABI_OLDEST >= 1006 && !defined(__i386__)
    mbuf_tso_request_flags_t request = 0;
    uint32_t size = 0;

    if (mbuf_get_tso_requested(packet, &request, &size) == 0 &&
        (request & (MBUF_TSO_IPV4 | MBUF_TSO_IPV6)) != 0) {
        *ipv6 = (request & MBUF_TSO_IPV6) != 0;
        return size;
    }
#endif
    (void)packet;
    *ipv6 = false;
    return 0;
}

static void read_head(mbuf_t packet, struct plan *plan)
{
    plan->head_length = plan->transmit.length < HEADERS_MAX ? plan->transmit.length : HEADERS_MAX;
    plan->body = plan->head_length;
    mbuf_copydata(packet, 0, plan->head_length, plan->head);
}

static bool plan_checksum(struct HyperVNetwork *self, mbuf_t packet, struct plan *plan)
{
    struct headers headers;
    uint32_t demand = 0;

    IONetworkController_getChecksumDemand((IONetworkController *)self, packet, CHECKSUM_FAMILY_TCPIP, &demand, NULL,
                                          NULL);
    if ((demand & (MBUF_CSUM_REQ_IP | CHECKSUM_TRANSPORT)) == 0)
        return true;
    read_head(packet, plan);
    if (headers_find(plan->head, plan->head_length, &headers) != 0)
        return (demand & CHECKSUM_TRANSPORT) == 0;
    plan->transmit.has_checksum = true;
    plan->transmit.checksum = headers.ipv6 ? RNDIS_TX_CHECKSUM_IPV6 : RNDIS_TX_CHECKSUM_IPV4;
    if ((demand & MBUF_CSUM_REQ_IP) != 0 && !headers.ipv6)
        plan->transmit.checksum |= RNDIS_TX_CHECKSUM_IP_HEADER;
    if ((demand & (MBUF_CSUM_REQ_TCP | MBUF_CSUM_REQ_TCPIPV6)) != 0)
        plan->transmit.checksum |= RNDIS_TX_CHECKSUM_TCP;
    if ((demand & (MBUF_CSUM_REQ_UDP | MBUF_CSUM_REQ_UDPIPV6)) != 0)
        plan->transmit.checksum |= RNDIS_TX_CHECKSUM_UDP;
    plan->transmit.checksum |= (uint32_t)headers.transport << RNDIS_TX_CHECKSUM_HEADER_SHIFT;
    return true;
}

static bool plan_segmentation(mbuf_t packet, uint32_t size, bool ipv6, struct plan *plan)
{
    struct headers *headers = &plan->headers;

    read_head(packet, plan);
    if (headers_find(plan->head, plan->head_length, headers) != 0 || headers->ipv6 != ipv6 ||
        headers_prepare_segmentation(plan->head, plan->head_length, headers) != 0)
        return false;
    plan->head_length = plan->body = headers_tcp_length(plan->head, plan->head_length, headers);
    plan->segment_size = size;
    plan->transmit.has_lso = true;
    plan->transmit.lso = (size & RNDIS_LSO_MSS_MASK) | (uint32_t)headers->transport << RNDIS_LSO_HEADER_SHIFT |
                         RNDIS_LSO_V2 | (ipv6 ? RNDIS_LSO_IPV6 : 0);
    return plan->head_length != 0;
}

/* False: the frame cannot be sent at all. */
static bool make_plan(struct HyperVNetwork *self, mbuf_t packet, struct plan *plan)
{
    uint32_t tag = 0, size;
    bool ipv6;

    plan->head_length = plan->body = 0;
    plan->transmit = (struct rndis_transmit){ .length = (uint32_t)mbuf_pkthdr_len(packet) };
    if (plan->transmit.length < 14)
        return false;
    if (IOEthernetController_getVlanTagDemand((IOEthernetController *)self, packet, &tag)) {
        plan->transmit.has_vlan = true;
        plan->transmit.vlan_tag = (uint16_t)tag;
    }
    size = segment_size(packet, &ipv6);
    if (size != 0)
        return plan->transmit.length <= NETWORK_LARGE_BYTES - RNDIS_TRANSMIT_HEADER_MAX &&
               plan_segmentation(packet, size, ipv6, plan);
    return plan->transmit.length <= self->mtu && plan_checksum(self, packet, plan);
}

/* Writes the RNDIS message to memory that the host can read. Returns its bytes. */
static uint32_t write_message(mbuf_t packet, const struct plan *plan, uint8_t *to)
{
    uint8_t header[RNDIS_TRANSMIT_HEADER_MAX];
    uint32_t length = rndis_packet_header(header, &plan->transmit);

    memcpy(to, header, length);
    if (plan->head_length != 0)
        memcpy(to + length, plan->head, plan->head_length);
    mbuf_copydata(packet, plan->body, plan->transmit.length - plan->head_length, to + length + plan->head_length);
    return length + plan->transmit.length;
}

/* ---- the two ways; 0, HV_ERROR_FULL (nothing is left taken) or another error ---- */

static void give_back(struct HyperVNetwork *self, const struct network_request *request)
{
    IOLockLock(self->send_lock);
    if (request->kind == NETWORK_REQUEST_SECTION)
        send_sections_give(&self->sections, request->index);
    else
        self->large[request->index].taken = false;
    IOLockUnlock(self->send_lock);
}

static int append(struct HyperVNetwork *self, const struct gpa_range *range, uint32_t section, uint32_t bytes,
                  struct network_request *request)
{
    struct nvsp_message message;
    const struct ring_piece piece = { &message, sizeof message };
    int error = device_channel_begin(self->channel);

    if (error == 0) {
        nvs_rndis_message(NVSP_CHANNEL_DATA, section, bytes, &message);
        error = range != NULL ? device_channel_append_gpa_direct(self->channel, range, 1, &piece, 1, request)
                              : device_channel_append_request(self->channel, &piece, 1, request);
        device_channel_commit(self->channel);
    }
    if (error != 0)
        give_back(self, request);
    return error;
}

static int send_in_section(struct HyperVNetwork *self, mbuf_t packet, const struct plan *plan)
{
    uint32_t section, bytes;

    IOLockLock(self->send_lock);
    section = send_sections_take(&self->sections);
    self->stalled |= section == SEND_SECTION_NONE;
    IOLockUnlock(self->send_lock);
    if (section == SEND_SECTION_NONE)
        return HV_ERROR_FULL;
    bytes = write_message(packet, plan, self->send.bytes + (size_t)section * self->nvs.section_size);
    return append(self, NULL, section, bytes, &self->section_requests[section]);
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

static int send_in_place(struct HyperVNetwork *self, mbuf_t packet, const struct plan *plan)
{
    uint64_t pages[NETWORK_LARGE_BYTES / 4096];
    struct gpa_range range = { .offset = 0, .page_numbers = pages };
    struct network_large *large = take_large(self);

    if (large == NULL)
        return HV_ERROR_FULL;
    range.length = write_message(packet, plan, large->memory.bytes);
    for (uint32_t i = 0; i < gpa_range_pages(&range); i++)
        pages[i] = dma_memory_page_number(&large->memory, i);
    return append(self, &range, NVSP_NO_SECTION, 0, &large->request);
}

static int send_planned(struct HyperVNetwork *self, mbuf_t packet, const struct plan *plan)
{
    return plan->transmit.length + RNDIS_TRANSMIT_HEADER_MAX <= self->nvs.section_size
               ? send_in_section(self, packet, plan) : send_in_place(self, packet, plan);
}

/* A frame with more than the host cuts goes in parts, each a frame to be cut. If there is room for the first ones
 * only, all are sent again later: TCP drops what it has. */
static int send_parts(struct HyperVNetwork *self, mbuf_t packet, const struct plan *whole)
{
    uint32_t most = whole->headers.ipv6 ? self->offload.lso_ipv6 : self->offload.lso_ipv4;
    uint32_t head = whole->head_length, payload = whole->transmit.length - head;
    uint32_t part, segments;
    int error = 0;

    if (most <= head + whole->segment_size)
        return HV_ERROR_INVALID;
    segments = (most - head) / whole->segment_size;
    part = segments * whole->segment_size;
    for (uint32_t done = 0; done < payload && error == 0; done += part) {
        uint32_t length = payload - done < part ? payload - done : part;
        struct plan plan = *whole;

        headers_advance(plan.head, &plan.headers, done, done / whole->segment_size, done + length == payload);
        plan.transmit.length = head + length;
        plan.body = head + done;
        error = send_planned(self, packet, &plan);
    }
    return error;
}

/* ---- the networking family's side ---- */

uint32_t network_output_packet(IONetworkController *me, mbuf_t packet, void *parameter)
{
    struct HyperVNetwork *self = (struct HyperVNetwork *)me;
    struct plan plan;
    int error = HV_ERROR_INVALID;

    (void)parameter;
    if (self->channel != NULL && !self->gone && make_plan(self, packet, &plan)) {
        error = plan.transmit.has_lso ? send_parts(self, packet, &plan) : send_planned(self, packet, &plan);
        if (error == HV_ERROR_FULL) {
            IOLockLock(self->send_lock);
            self->stalled = true;
            IOLockUnlock(self->send_lock);
            self->counters.transmit_stalls++;
            return kIOReturnOutputStall; /* the queue keeps it until network_resume */
        }
    }
    if (error == 0) {
        self->counters.transmit_frames++;
        self->counters.transmit_bytes += plan.transmit.length;
        self->counters.transmit_segmented += plan.transmit.has_lso;
    } else {
        self->counters.transmit_errors++;
    }
    IONetworkController_freePacket(me, packet, 0);
    return error == 0 ? kIOReturnOutputSuccess : kIOReturnOutputDropped;
}

void network_resume(struct HyperVNetwork *self)
{
    bool resume;

    IOLockLock(self->send_lock);
    resume = self->stalled && self->sections.free_count >= RESUME_SECTIONS;
    if (resume)
        self->stalled = false;
    IOLockUnlock(self->send_lock);
    if (resume && self->queue != NULL)
        IOOutputQueue_service(self->queue, 0);
}

/* ---- the channel's side ---- */

void network_completion(void *owner, struct device_channel *channel, void *context, int error,
                        const struct packet_view *packet)
{
    struct HyperVNetwork *self = owner;
    struct network_request *request = context;

    (void)channel;
    if (error == 0 && !nvs_send_succeeded(&self->nvs, packet->data, packet->length)) {
        if (hv_log_now(++self->counters.transmit_errors))
            network_log(self, "the host did not take a message");
    }
    if (request->kind == NETWORK_REQUEST_CONTROL)
        network_control_carried(self);
    else
        give_back(self, request);
}

void network_room(void *owner, struct device_channel *channel)
{
    (void)channel;
    network_acknowledge(owner);
    network_resume(owner);
}

/* ---- memory ---- */

bool network_transmit_init(struct HyperVNetwork *self)
{
    send_sections_init(&self->sections, self->nvs.section_count);
    self->send_lock = IOLockAlloc();
    self->section_requests = IOMalloc(SEND_SECTIONS_MAX * sizeof *self->section_requests);
    if (self->send_lock == NULL || self->section_requests == NULL)
        return false;
    for (uint32_t i = 0; i < SEND_SECTIONS_MAX; i++)
        self->section_requests[i] = (struct network_request){ NETWORK_REQUEST_SECTION, i };
    for (uint32_t i = 0; i < NETWORK_LARGE_MAX; i++) {
        self->large[i].request = (struct network_request){ NETWORK_REQUEST_LARGE, i };
        if (dma_memory_allocate(&self->large[i].memory, NETWORK_LARGE_BYTES, false) != 0)
            return false;
    }
    return true;
}

void network_transmit_free(struct HyperVNetwork *self)
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
