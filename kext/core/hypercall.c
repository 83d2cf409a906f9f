/* SPDX-License-Identifier: BSD-3-Clause */
/* What to do about the status of a hypercall, and how long to wait between attempts. */
#include "kext/core/hypercall.h"

#include "kext/core/errors.h"
#include "kext/core/shared_memory.h"

enum hypercall_verdict hypercall_post_verdict(uint16_t status, bool first_contact)
{
    switch (status) {
    case HV_STATUS_SUCCESS:
        return HYPERCALL_DONE;
    case HV_STATUS_INVALID_CONNECTION_ID:
        return first_contact ? HYPERCALL_FATAL : HYPERCALL_RETRY;
    case HV_STATUS_INSUFFICIENT_MEMORY:
    case HV_STATUS_INSUFFICIENT_BUFFERS:
    case HV_STATUS_NO_RESOURCES:
    case HV_STATUS_TIMEOUT:
        return HYPERCALL_RETRY;
    default:
        return HYPERCALL_FATAL;
    }
}

enum hypercall_verdict hypercall_signal_verdict(uint16_t status)
{
    switch (status) {
    case HV_STATUS_SUCCESS:
        return HYPERCALL_DONE;
    case HV_STATUS_INSUFFICIENT_MEMORY:
        return HYPERCALL_RETRY;
    default:
        return HYPERCALL_FATAL;
    }
}

int hypercall_retry_next(struct hypercall_retry *retry, uint32_t *delay)
{
    uint32_t next = HYPERCALL_RETRY_DELAY_MAXIMUM_US;

    if (retry->attempts < 12)
        next = 1u << retry->attempts;
    if (retry->waited + next > HYPERCALL_RETRY_BUDGET_US)
        return HV_ERROR_TIMED_OUT;
    retry->attempts++;
    retry->waited += next;
    *delay = next;
    return 0;
}

int hypercall_fill_post(struct hv_post_message *block, uint32_t connection_id,
                        const void *payload, uint32_t payload_size)
{
    if (payload_size > sizeof block->payload)
        return HV_ERROR_TOO_LARGE;
    memset(block, 0, sizeof *block);
    block->connection_id = connection_id;
    block->message_type = HV_MESSAGE_TYPE_VMBUS;
    block->payload_size = payload_size;
    memcpy(block->payload, payload, payload_size);
    return 0;
}

uint64_t hypercall_guest_os_id(uint32_t major, uint32_t minor)
{
    uint64_t id = (uint64_t)(major & 0xFF) << HV_GUEST_OS_MAJOR_SHIFT |
                  (uint64_t)(minor & 0xFF) << HV_GUEST_OS_MINOR_SHIFT;

    return id != 0 ? id : UINT64_C(1) << HV_GUEST_OS_MAJOR_SHIFT;
}
