/* SPDX-License-Identifier: BSD-3-Clause */
/* Hypercalls: the checks that all share, and the two that VMBus is made of. */
#include <string.h>

#include "host/hypervisor/state.h"

enum { CONNECTION_ID_BITS = 0xFFFFFF };

bool hypervisor_hypercalls_enabled(const struct hypervisor *hypervisor)
{
    return (hypervisor->hypercall_register & HV_MSR_PAGE_ENABLE) != 0;
}

/* Copies the input block of a slow call. Returns an HV_STATUS_* code. */
static uint32_t read_input(const struct hypervisor *hypervisor, uint64_t gpa, void *block,
                           size_t size)
{
    if (gpa % 8 != 0 || gpa % HV_PAGE_SIZE + size > HV_PAGE_SIZE) {
        return HV_STATUS_INVALID_ALIGNMENT;
    }
    bool overlaid = hypervisor_hypercalls_enabled(hypervisor) &&
                    gpa >> HV_PAGE_SHIFT == hypervisor->hypercall_register >> HV_PAGE_SHIFT;
    if (overlaid || guest_memory_read(hypervisor->configuration.memory, gpa, block, size) < 0) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    return HV_STATUS_SUCCESS;
}

static uint32_t post_message(struct hypervisor *hypervisor, bool fast, uint64_t input,
                             uint64_t output)
{
    struct hv_post_message block;
    if ((hypervisor_privileges_high(hypervisor) & HV_PRIVILEGE_POST_MESSAGES) == 0) {
        return HV_STATUS_ACCESS_DENIED;
    }
    if (fast) {
        return HV_STATUS_INVALID_HYPERCALL_INPUT;
    }
    uint32_t status = read_input(hypervisor, input, &block, sizeof(block));
    if (status != HV_STATUS_SUCCESS) {
        return status;
    }
    if (block.payload_size > HV_MESSAGE_PAYLOAD_MAXIMUM ||
        block.message_type == HV_MESSAGE_TYPE_NONE ||
        (block.message_type & HV_MESSAGE_TYPE_HYPERVISOR) != 0) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    return hypervisor->operations->post_message(
        hypervisor->context, block.connection_id & CONNECTION_ID_BITS, block.message_type,
        block.payload, block.payload_size);
}

static uint32_t signal_event(struct hypervisor *hypervisor, bool fast, uint64_t input,
                             uint64_t output)
{
    struct hv_signal_event block;
    if ((hypervisor_privileges_high(hypervisor) & HV_PRIVILEGE_SIGNAL_EVENTS) == 0) {
        return HV_STATUS_ACCESS_DENIED;
    }
    if (fast) {
        memcpy(&block, &input, sizeof(block));
    } else {
        uint32_t status = read_input(hypervisor, input, &block, sizeof(block));
        if (status != HV_STATUS_SUCCESS) {
            return status;
        }
    }
    if (block.flag_number >= HV_EVENT_FLAGS_PER_SINT) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    return hypervisor->operations->signal_event(
        hypervisor->context, block.connection_id & CONNECTION_ID_BITS, block.flag_number);
}

/* The guest says that it has been waiting for a lock: nothing to do about it here. */
static uint32_t notify_long_spin_wait(struct hypervisor *hypervisor, bool fast, uint64_t input,
                                      uint64_t output)
{
    return HV_STATUS_SUCCESS;
}

/* Simple calls: no repetitions, no variable header. */
static const struct {
    uint16_t code;
    const char *name;
    uint32_t (*call)(struct hypervisor *hypervisor, bool fast, uint64_t input, uint64_t output);
} calls[] = {
    {HV_CALL_NOTIFY_LONG_SPIN_WAIT, "HvNotifyLongSpinWait", notify_long_spin_wait},
    {HV_CALL_POST_MESSAGE, "HvPostMessage", post_message},
    {HV_CALL_SIGNAL_EVENT, "HvSignalEvent", signal_event},
};

/* Statuses that say "try again", or that the guest cannot know better. */
static bool guest_is_to_blame(uint32_t status)
{
    switch (status) {
    case HV_STATUS_INVALID_HYPERCALL_INPUT:
    case HV_STATUS_INVALID_ALIGNMENT:
    case HV_STATUS_INVALID_PARAMETER:
        return true;
    default:
        return false;
    }
}

static uint32_t dispatch(struct hypervisor *hypervisor, uint64_t control, uint64_t input,
                         uint64_t output)
{
    const uint64_t not_simple = UINT64_C(0x3FF) << HV_HYPERCALL_HEADER_SHIFT |
                                HV_HYPERCALL_NESTED |
                                HV_HYPERCALL_REP_MASK << HV_HYPERCALL_REP_COUNT_SHIFT |
                                HV_HYPERCALL_REP_MASK << HV_HYPERCALL_REP_START_SHIFT;
    uint16_t code = (uint16_t)(control & HV_HYPERCALL_CODE_MASK);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (calls[i].code != code) {
            continue;
        }
        uint32_t status = HV_STATUS_INVALID_HYPERCALL_INPUT;
        if ((control & (HV_HYPERCALL_RESERVED | not_simple)) == 0) {
            status = calls[i].call(hypervisor, (control & HV_HYPERCALL_FAST) != 0, input, output);
        }
        if (guest_is_to_blame(status)) {
            hypervisor_violation(hypervisor, calls[i].name, "running",
                                 "a hypercall's control, addresses and parameters are valid");
        }
        return status;
    }
    hypervisor_violation(hypervisor, "hypercall", "running", "the call code exists");
    return HV_STATUS_INVALID_HYPERCALL_CODE;
}

uint64_t hypervisor_hypercall(struct hypervisor *hypervisor, uint32_t processor, uint64_t control,
                              uint64_t input, uint64_t output)
{
    if (processor >= hypervisor->configuration.processors) {
        return HV_STATUS_INVALID_VP_INDEX;
    }
    if (!hypervisor_hypercalls_enabled(hypervisor)) {
        hypervisor_violation(hypervisor, "hypercall", "no hypercall page",
                             "the hypercall page is enabled before it is called");
        return HV_STATUS_OPERATION_DENIED;
    }
    return dispatch(hypervisor, control, input, output);
}
