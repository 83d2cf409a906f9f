/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A scripted guest on top of the scripted monitor: it sets up the SynIC, connects to VMBus, opens
 * channels and does storage requests, one at a time or many. Plain and trusting; it asserts.
 */
#ifndef TESTS_HOST_SERVER_GUEST_H
#define TESTS_HOST_SERVER_GUEST_H

#include "protocol/storvsc.h"
#include "protocol/vmbus.h"
#include "tests/unit/host-server/monitor.h"
#include "tests/unit/host-vmbus/guest_ring.h"

enum {
    GUEST_VECTOR = 0x61,
    GUEST_OFFERS_MAX = 32,
    GUEST_RING_PAGES = 8,            /* data pages each way */
    GUEST_RAM = 16 << 20,
    GUEST_BUFFERS = 8 << 20,         /* where a test's buffers start in RAM */
};

struct guest_offer {
    struct guid class_id, instance_id;
    uint32_t channel_id, connection_id;
    uint16_t sub_channel;
};

/* An open channel. */
struct guest_channel {
    struct guest_offer offer;
    struct guest_ring to_host, to_guest;
    uint64_t transaction_id;
};

struct guest {
    struct monitor monitor;
    struct guest_offer offers[GUEST_OFFERS_MAX];
    unsigned offer_count;
    uint32_t vmbus_version;
    uint32_t next_ring_page, next_gpadl;
};

/* Attaches to a host at `path` and starts, with SynIC and hypercall page set up. */
void guest_start(struct guest *guest, const char *path, uint32_t processors);

/* SynIC and hypercall page alone: after a reset. */
void guest_set_up(struct guest *guest);

/* Waits for the next control message from the host; returns its size. */
size_t guest_message(struct guest *guest, void *message, size_t size);
/* HvCallPostMessage; returns its status. */
uint64_t guest_post(struct guest *guest, const void *message, size_t size);

/* INITIATE_CONTACT; true if the host takes this version. */
bool guest_contact(struct guest *guest, uint32_t version);
/* REQUEST_OFFERS, and all offers collected. */
void guest_collect_offers(struct guest *guest);
const struct guest_offer *guest_find_offer(const struct guest *guest, const struct guid *class_id,
                                           unsigned number);

void guest_open(struct guest *guest, const struct guest_offer *offer,
                struct guest_channel *channel);

/* Puts a packet into the ring and signals if the rule says so. */
void guest_send(struct guest *guest, struct guest_channel *channel, uint16_t type, uint16_t flags,
                uint64_t transaction_id, const void *payload, size_t size);
/* Waits for the next packet; returns its total length. */
uint32_t guest_receive(struct guest *guest, struct guest_channel *channel, void *packet,
                       uint32_t capacity);

/* ---- Storage ---- */

/* The handshake; `version` must be one that the host takes. */
void guest_storage_start(struct guest *guest, struct guest_channel *channel, uint16_t version,
                         struct storvsc_properties *properties);

/* Sends an SRB whose buffer (if size > 0) is at `gpa`. Returns its transaction id. */
uint64_t guest_srb(struct guest *guest, struct guest_channel *channel, uint8_t lun,
                   const uint8_t *cdb, uint8_t cdb_length, uint8_t direction, uint64_t gpa,
                   uint32_t size);

/* Waits for one completion; returns its transaction id. */
uint64_t guest_completion(struct guest *guest, struct guest_channel *channel,
                          struct storvsc_packet *packet);

/* One request and its completion; returns the SRB status. */
uint8_t guest_execute(struct guest *guest, struct guest_channel *channel, uint8_t lun,
                      const uint8_t *cdb, uint8_t cdb_length, uint8_t direction, uint64_t gpa,
                      uint32_t size, struct storvsc_packet *packet);

/* READ(10) or WRITE(10) of 512-byte blocks; asserts success. */
void guest_blocks(struct guest *guest, struct guest_channel *channel, uint8_t lun, bool write,
                  uint32_t lba, uint16_t count, uint64_t gpa);

#endif
