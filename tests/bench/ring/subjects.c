/* SPDX-License-Identifier: BSD-3-Clause */
/* The ring engine of this project and the one of DPDK, as subjects of the bench. */
#include "tests/bench/ring/subjects.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kext/core/ring_receive.h"
#include "kext/core/ring_transmit.h"
#include "tests/bench/ring/dpdk_ring.h"

/* What the DPDK object wants from the rest of DPDK. */
size_t rte_mem_page_size(void);
void __rte_panic(const char *function, const char *format, ...) __attribute__((noreturn));

size_t rte_mem_page_size(void)
{
    return (size_t)getpagesize();
}

void __rte_panic(const char *function, const char *format, ...)
{
    (void)function;
    (void)format;
    abort();
}

/* ---- machv ----------------------------------------------------------------------------------- */

static struct ring_transmit transmit __attribute__((aligned(128)));
static struct ring_receive receive __attribute__((aligned(128)));

static void machv_setup(void *memory)
{
    if (ring_transmit_init(&transmit, memory, RING_PAGES) != 0 ||
        ring_receive_init(&receive, memory, RING_PAGES) != 0)
        abort();
}

static bool machv_send(const void *payload, uint32_t length)
{
    const struct ring_packet packet = { .type = VMBUS_PACKET_IN_BAND, .transaction_id = 1 };
    const struct ring_piece piece = { payload, length };

    return ring_transmit_append(&transmit, &packet, &piece, 1) == 0;
}

static bool machv_publish(void)
{
    return ring_transmit_publish(&transmit);
}

static bool machv_receive(void *buffer, uint32_t capacity)
{
    uint32_t length;

    return ring_receive_next(&receive, buffer, capacity, &length) == 0;
}

static void machv_release(void)
{
    ring_receive_publish(&receive);
}

const struct subject subject_machv = {
    "machv", machv_setup, machv_send, machv_publish, machv_receive, machv_release,
};

/* ---- DPDK: every packet is published by itself ----------------------------------------------- */

static struct vmbus_br dpdk_tx __attribute__((aligned(128)));
static struct vmbus_br dpdk_rx __attribute__((aligned(128)));
static bool dpdk_signal;

static void dpdk_setup(void *memory)
{
    memset(memory, 0, 4096);
    vmbus_br_setup(&dpdk_tx, memory, RING_PAGES * 4096);
    vmbus_br_setup(&dpdk_rx, memory, RING_PAGES * 4096);
}

/* As rte_vmbus_chan_send does: header, data, padding to 8 bytes. */
static bool dpdk_send(const void *payload, uint32_t length)
{
    static const uint64_t zero;
    uint32_t padded = (length + 7) & ~7u;
    struct vmbus_packet_header header = {
        .type = VMBUS_PACKET_IN_BAND,
        .data_offset8 = sizeof header / 8,
        .length8 = (uint16_t)((sizeof header + padded) / 8),
        .transaction_id = 1,
    };
    const struct iovec iov[3] = {
        { &header, sizeof header },
        { (void *)(uintptr_t)payload, length },
        { (void *)(uintptr_t)&zero, padded - length },
    };

    return vmbus_txbr_write(&dpdk_tx, iov, 3, &dpdk_signal) == 0;
}

static bool dpdk_publish(void)
{
    bool signal = dpdk_signal;

    dpdk_signal = false;
    return signal;
}

/* As rte_vmbus_chan_recv_raw does: look at the header, then take the whole packet. */
static bool dpdk_receive(void *buffer, uint32_t capacity)
{
    struct vmbus_packet_header header;

    if (vmbus_rxbr_peek(&dpdk_rx, &header, sizeof header) != 0 || header.length8 * 8u > capacity)
        return false;
    return vmbus_rxbr_read(&dpdk_rx, buffer, header.length8 * 8u, 0) == 0;
}

static void dpdk_release(void)
{
}

const struct subject subject_dpdk = {
    "dpdk", dpdk_setup, dpdk_send, dpdk_publish, dpdk_receive, dpdk_release,
};
