/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A whole machine on a test bench: hypervisor and VMBus, with a guest that uses MSRs, hypercalls,
 * message slots and event flags, and an echoing device. Everything runs when machine_step() says.
 */
#ifndef TESTS_HOST_VMBUS_MACHINE_BENCH_H
#define TESTS_HOST_VMBUS_MACHINE_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/faults/message_faults.h"
#include "host/faults/packet_faults.h"
#include "host/machine.h"
#include "tests/unit/host-vmbus/guest_ring.h"

enum { MACHINE_RAM_PAGES = 256, MACHINE_RING_PAGE = 64, MACHINE_GPADL = 0xE1 };

struct machine_bench {
    uint8_t *ram;
    struct guest_memory memory;
    struct host_machine machine;
    struct fault_plan plan;
    struct message_faults message_faults;
    struct packet_faults packet_faults;
    uint64_t now;
    struct host_channel *device_channel;
    bool woken;
    bool device_open;
    bool device_removed;
    unsigned vectors, resets, violations;
    struct guest_ring to_host, to_guest;
};

/* A machine of this release with the echo device plugged, SynIC and hypercalls enabled. */
struct machine_bench *machine_create(const char *release);
void machine_free(struct machine_bench *bench);

/* Adds a fault in words; it must be valid. */
void machine_fault(struct machine_bench *bench, const char *rule);

/* Time passes: faults let go what they hold, and the device runs if it was woken. */
void machine_step(struct machine_bench *bench, uint64_t time);

/* HvCallPostMessage on connection 1; the status. */
uint32_t machine_post(struct machine_bench *bench, const void *message, size_t size);
/* Takes the next control message; its type, or 0 if there is none. */
uint32_t machine_take(struct machine_bench *bench, void *message, size_t *size);
/* Takes messages and expects their types, in this order, and then none; ends with 0. */
void machine_expect(struct machine_bench *bench, ...);

/* The guest's steps. */
void machine_contact(struct machine_bench *bench);
void machine_request_offers(struct machine_bench *bench);
void machine_gpadl(struct machine_bench *bench);
void machine_open(struct machine_bench *bench);
/* All of them, with their answers taken. */
void machine_connect(struct machine_bench *bench);
/* Sends a request with this id over the ring and signals; machine_step() makes it be served. */
void machine_request(struct machine_bench *bench, uint64_t id);
/* Takes a completion; its id, or 0. `*length`: of the packet, without trailer. */
uint64_t machine_completion(struct machine_bench *bench, uint32_t *length);

#endif
