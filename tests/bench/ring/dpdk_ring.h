/* SPDX-License-Identifier: BSD-3-Clause */
/* The ring code of DPDK's VMBus bus driver, as a baseline: its functions are global in the static
 * library but its header is not installed, so they are declared here again. */
#ifndef TESTS_BENCH_RING_DPDK_RING_H
#define TESTS_BENCH_RING_DPDK_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct vmbus_br {
    void *vbr;
    uint32_t dsize;
    uint32_t windex;
};

void vmbus_br_setup(struct vmbus_br *br, void *buf, unsigned int blen);
int vmbus_txbr_write(struct vmbus_br *tbr, const struct iovec iov[], int iovlen, bool *need_sig);
int vmbus_rxbr_peek(const struct vmbus_br *rbr, void *data, size_t dlen);
int vmbus_rxbr_read(struct vmbus_br *rbr, void *data, size_t dlen, size_t skip);

#endif
