/* SPDX-License-Identifier: BSD-3-Clause */
/* A hypervisor on a test bench: two processors, 64 pages of RAM, every request written down. */
#ifndef TESTS_HOST_HYPERVISOR_BENCH_H
#define TESTS_HOST_HYPERVISOR_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/hypervisor/hypervisor.h"

enum {
    RAM_PAGES = 64,
    MESSAGE_PAGE = 10, /* SIMP of processor 0; processor 1 has the next page */
    EVENT_PAGE = 20,   /* SIEFP */
    HYPERCALL_PAGE = 30,
    INPUT_PAGE = 40,
    VECTOR = 0xF3,
};

struct bench {
    uint8_t *ram;
    struct guest_memory memory;
    struct hypervisor *hypervisor;
    uint64_t now;
    uint32_t post_status;  /* what the message port answers */
    unsigned ports_ready;
    unsigned violations;
    char rule[128];
    char text[4096]; /* lines: vectors, posted messages, signals, reset, crash */
};

struct bench *bench_create(const char *release, uint32_t abilities);
void bench_free(struct bench *bench);
/* SIMP, SIEFP, SINT2 (VECTOR, unmasked), SCONTROL of a processor, as a guest does it. */
void bench_enable_synic(struct bench *bench, uint32_t processor);
/* GUEST_OS_ID and the hypercall page. */
void bench_enable_hypercalls(struct bench *bench);

uint64_t bench_read(struct bench *bench, uint32_t processor, uint32_t msr);
void bench_write(struct bench *bench, uint32_t processor, uint32_t msr, uint64_t value);
/* Expect #GP. */
void bench_read_fails(struct bench *bench, uint32_t msr);
void bench_write_fails(struct bench *bench, uint32_t msr, uint64_t value);

void bench_expect(struct bench *bench, const char *expected);
void bench_expect_violation(struct bench *bench, const char *part);

uint8_t *bench_page(struct bench *bench, unsigned page);
/* Slot `sint` of a processor's message page. */
struct hv_message *bench_slot(struct bench *bench, uint32_t processor, uint32_t sint);

#endif
