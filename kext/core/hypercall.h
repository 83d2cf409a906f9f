/* SPDX-License-Identifier: BSD-3-Clause */
/* What to do about the status of a hypercall, and how long to wait between attempts.
 *
 * Sources: the TLFS; retry sets of Linux (hv_post_message) and mu_msvm; Azure's use of TIMEOUT is
 * told by OpenVMM. */
#ifndef KEXT_CORE_HYPERCALL_H
#define KEXT_CORE_HYPERCALL_H

#include "protocol/hypervisor.h"

enum hypercall_verdict {
    HYPERCALL_DONE,
    HYPERCALL_RETRY,        /* the host is short of buffers or slows the guest down */
    HYPERCALL_FATAL
};

/* Verdict on HvCallPostMessage. While the first contact is being made (`first_contact`), an
 * unknown connection id means what it says and is fatal; later it means "slow down". */
enum hypercall_verdict hypercall_post_verdict(uint16_t status, bool first_contact);

/* Verdict on HvCallSignalEvent. */
enum hypercall_verdict hypercall_signal_verdict(uint16_t status);

#define HYPERCALL_RETRY_DELAY_MAXIMUM_US 4096u
#define HYPERCALL_RETRY_BUDGET_US        10000000u

/* Waiting between the attempts of one call; zero-initialise for each call. */
struct hypercall_retry {
    uint32_t attempts;
    uint32_t waited;        /* microseconds in all */
};

/* Says how many microseconds to wait before the next attempt: 1, 2, 4 ... up to the maximum.
 * Returns 0 with `*delay`, or HV_ERROR_TIMED_OUT when the budget is used up. */
int hypercall_retry_next(struct hypercall_retry *retry, uint32_t *delay);

/* Fills a PostMessage block: `payload_size` bytes (at most HV_MESSAGE_PAYLOAD_MAXIMUM), the rest
 * zero, so that nothing of the guest's memory leaks. Returns 0 or HV_ERROR_TOO_LARGE. */
int hypercall_fill_post(struct hv_post_message *block, uint32_t connection_id,
                        const void *payload, uint32_t payload_size);

/* The guest's name for the hypervisor, from the Darwin version (any value but 0 will do). */
uint64_t hypercall_guest_os_id(uint32_t major, uint32_t minor);

#endif
