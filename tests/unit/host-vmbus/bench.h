/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A VMBus server on a test bench: a little guest RAM, one recording device, and every message to
 * the guest written down as a line of text, so that a test compares what it expects word by word.
 */
#ifndef TESTS_HOST_VMBUS_BENCH_H
#define TESTS_HOST_VMBUS_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/vmbus/device.h"
#include "host/vmbus/filter.h"
#include "host/vmbus/server.h"

enum {
    BENCH_RAM_PAGES = 9000, /* enough for the longest GPADL */
    BENCH_PROCESSORS = 4,
    BENCH_TEXT = 65536,
    /* Guest pages: rings at RING_PAGE (2 rings of 2 pages), the rest as tests like. */
    RING_PAGE = 16,
    INTERRUPT_PAGE = 2,
    MONITOR_PAGE_1 = 3,
    MONITOR_PAGE_2 = 4,
};

/* A device that writes down what it is told. */
struct bench_device {
    struct bench *bench;
    struct host_channel *primary;
    int open_result;       /* what `opened` returns */
    int gpadl_result;      /* what `gpadl_created` returns */
    bool keep_channels;    /* `closed` does not release; the test does */
    bool keep_gpadls;      /* `gpadl_torn_down` does not release */
    struct host_gpadl *last_gpadl;
    struct host_channel *last_closed;
    void (*ready)(struct bench_device *device, struct host_channel *channel);
};

struct bench {
    uint8_t *ram;
    struct guest_memory memory;
    struct vmbus_server *server;
    struct bench_device device;
    unsigned room;         /* messages that may still be delivered before "no buffer" */
    unsigned violations;
    char rule[128];        /* the rule last broken */
    char text[BENCH_TEXT]; /* lines: messages, device calls, signals, wakes */
};

/* A bench whose server accepts versions up to `highest`. */
struct bench *bench_create(uint32_t highest);
void bench_free(struct bench *bench);

/* Plugs the bench's device: class SCSI, instance data1 = `instance`, up to 4 sub-channels. */
void bench_plug(struct bench *bench);
/* The same with another device of the caller's. */
int bench_plug_device(struct bench *bench, struct bench_device *device, uint32_t instance,
                      uint16_t offer_flags, bool monitored);

/* Compares what was written down since the last time with `expected`, and forgets it. */
#define bench_expect(bench, expected) bench_expect_at(bench, expected, __FILE__, __LINE__)
void bench_expect_at(struct bench *bench, const char *expected, const char *file, int line);

/* One violation more than at the last look, of a rule that contains `part`. */
#define bench_expect_violation(bench, part) \
    bench_expect_violation_at(bench, part, __FILE__, __LINE__)
void bench_expect_violation_at(struct bench *bench, const char *part, const char *file, int line);

uint8_t *bench_page(struct bench *bench, unsigned page);

/* ---- The guest's messages ---- */

uint32_t bench_post(struct bench *bench, const void *message, size_t size);
void bench_contact(struct bench *bench, uint32_t version);
/* Contact, REQUEST_OFFERS, and all answers forgotten. */
void bench_connect(struct bench *bench, uint32_t version);
/* A message with nothing but a channel id (CLOSE, RELID_RELEASED), or only a header. */
void bench_channel_message(struct bench *bench, uint32_t type, uint32_t channel_id);
void bench_header_message(struct bench *bench, uint32_t type);
/* A GPADL of consecutive pages, sent in as many messages as it needs; returns their number. */
unsigned bench_gpadl(struct bench *bench, uint32_t channel_id, uint32_t gpadl_id,
                     unsigned first_page, unsigned pages);
void bench_teardown(struct bench *bench, uint32_t channel_id, uint32_t gpadl_id);
/* OPEN with the ring GPADL's second half for the host -> guest ring. */
void bench_open(struct bench *bench, uint32_t channel_id, uint32_t gpadl_id,
                uint32_t downstream_offset, uint32_t target_vp);
/* A ring GPADL (id 100 + channel) of 4 pages at RING_PAGE + 8 * channel, and OPEN; all answers
 * forgotten. */
void bench_open_channel(struct bench *bench, uint32_t channel_id);
unsigned bench_ring_page(uint32_t channel_id);

#endif
