/* SPDX-License-Identifier: BSD-3-Clause */
/* A storage controller on a real VMBus server with memory disks behind it, and a guest of bytes. */
#ifndef TESTS_UNIT_HOST_DEVICES_STORVSC_RIG_H
#define TESTS_UNIT_HOST_DEVICES_STORVSC_RIG_H

#include "tests/unit/host-vmbus/bench.h"
#include "tests/unit/host-vmbus/guest_ring.h"

#include "host/devices/storvsc.h"
#include "host/disk/disk.h"
#include "host/disk/disk_engine.h"
#include "protocol/scsi.h"

enum { CHANNEL = 1, BUFFER_PAGE = 400, BUFFER = BUFFER_PAGE * 4096, DISK = 1 << 20 };

struct rig {
    struct bench *bench;
    struct disk_engine *engine;
    struct storvsc *controller;
    struct disk *disk; /* LUN 0 */
    uint64_t now_ns;
    uint64_t id;
    uint32_t packet_size;
};

extern const uint8_t test_unit_ready[16];

struct guest_ring ring_to_host(struct rig *rig, uint32_t channel);
struct guest_ring ring_to_guest(struct rig *rig, uint32_t channel);
/* What the host's loop does, until nothing is left to do. */
void pump(struct rig *rig);
/* A controller with a memory disk at LUN 0, its primary channel open. NULL: default settings. */
struct rig *rig_create(uint16_t version, struct storvsc_settings *settings);
void rig_free(struct rig *rig);
/* A packet into the guest's ring. */
void put(struct rig *rig, uint32_t channel, uint16_t type, uint16_t flags, uint64_t id,
         const void *head, uint32_t head_size, const void *payload, uint32_t size);
/* In-band on the primary channel; returns its transaction id. */
uint64_t put_packet(struct rig *rig, const struct storvsc_packet *packet);
/* Takes one packet; true if there was one. */
bool take(struct rig *rig, uint32_t channel, struct vmbus_packet_header *header,
          struct storvsc_packet *packet);
/* The next packet is the completion of this id. */
void expect_completion(struct rig *rig, uint64_t id, struct storvsc_packet *packet);
/* One initialisation message and its good answer. */
void control(struct rig *rig, uint32_t operation, uint16_t word);
/* begin, version, properties, end */
void handshake(struct rig *rig, uint16_t version);
/* Puts an SRB; the buffer is `size` bytes at `gpa`, described as one range. */
uint64_t put_srb_on(struct rig *rig, uint32_t channel, uint8_t lun, const uint8_t *cdb,
                    uint8_t direction, uint64_t gpa, uint32_t size);
uint64_t put_srb(struct rig *rig, uint8_t lun, const uint8_t *cdb, uint8_t direction,
                 uint64_t gpa, uint32_t size);
void rw_cdb(uint8_t cdb[16], bool write, uint32_t lba, uint16_t count);
/* One SRB from start to end. */
struct storvsc_packet execute(struct rig *rig, uint8_t lun, const uint8_t *cdb,
                              uint8_t direction, uint64_t gpa, uint32_t size);

#endif
