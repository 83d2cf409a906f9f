/* SPDX-License-Identifier: BSD-3-Clause */
/* Hypercalls: the checks that all share, the two that VMBus is made of, and PCI's. */
#include <string.h>

#include "host/hypervisor/state.h"

enum { CONNECTION_ID_BITS = 0xFFFFFF, HEADER_WORDS = 0x3FF };

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
                             unsigned header_words)
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
                             unsigned header_words)
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

/* ---- HvCallRetargetDeviceInterrupt ---- */

/* A processor set behind the fixed part: the lowest processor in it, or UINT32_MAX. */
static uint32_t first_of_set(struct hypervisor *hypervisor, uint64_t gpa, unsigned words)
{
    uint64_t set[1 + HV_PROCESSOR_SET_BANKS];
    if (words < 1 || words > sizeof(set) / sizeof(set[0]) ||
        read_input(hypervisor, gpa, set, words * sizeof(set[0])) != HV_STATUS_SUCCESS) {
        return UINT32_MAX;
    }
    unsigned next = 1; /* of the banks, which come for the bits of the mask, in order */
    for (unsigned bank = 0; bank < HV_PROCESSOR_SET_BANKS && next < words; bank++) {
        if ((set[0] >> bank & 1) == 0) {
            continue;
        }
        if (set[next] != 0) {
            return bank * 64 + (unsigned)__builtin_ctzll(set[next]);
        }
        next++;
    }
    return UINT32_MAX;
}

/* The lowest of the processors that the call names, or UINT32_MAX. */
static uint32_t first_processor(struct hypervisor *hypervisor,
                                const struct hv_retarget_interrupt *block, uint64_t rest,
                                unsigned header_words)
{
    if ((block->flags & HV_INTERRUPT_PROCESSOR_SET) == 0) {
        return block->processors != 0 && header_words == 0
                   ? (uint32_t)__builtin_ctzll(block->processors)
                   : UINT32_MAX;
    }
    if (block->processors == HV_PROCESSOR_SET_ALL) {
        return 0;
    }
    return block->processors == HV_PROCESSOR_SET_SPARSE
               ? first_of_set(hypervisor, rest, header_words)
               : UINT32_MAX;
}

static uint32_t retarget_interrupt(struct hypervisor *hypervisor, bool fast, uint64_t input,
                                   unsigned header_words)
{
    struct hv_retarget_interrupt block;
    const uint32_t known = HV_INTERRUPT_MULTICAST | HV_INTERRUPT_PROCESSOR_SET;
    if (hypervisor->operations->retarget_interrupt == NULL) {
        return HV_STATUS_INVALID_HYPERCALL_CODE;
    }
    if (fast) {
        return HV_STATUS_INVALID_HYPERCALL_INPUT;
    }
    uint32_t status = read_input(hypervisor, input, &block, sizeof(block));
    if (status != HV_STATUS_SUCCESS) {
        return status;
    }
    if (block.partition != HV_PARTITION_SELF || block.source != HV_INTERRUPT_SOURCE_MSI ||
        (block.flags & ~known) != 0 || block.vector > UINT8_MAX) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    const struct hypervisor_retarget retarget = {
        .device = block.device,
        .address = block.address,
        .data = block.data,
        .vector = (uint8_t)block.vector,
        .processor = first_processor(hypervisor, &block, input + sizeof(block), header_words),
    };
    if (retarget.processor >= hypervisor->configuration.processors) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    return hypervisor->operations->retarget_interrupt(hypervisor->context, &retarget);
}

/* ---- All of them ---- */

/* The guest says that it has been waiting for a lock: nothing to do about it here. */
static uint32_t notify_long_spin_wait(struct hypervisor *hypervisor, bool fast, uint64_t input,
                                      unsigned header_words)
{
    return HV_STATUS_SUCCESS;
}

/* Simple calls: no repetitions, no output, and most without a variable header. */
static const struct {
    uint16_t code;
    const char *name;
    uint32_t (*call)(struct hypervisor *hypervisor, bool fast, uint64_t input,
                     unsigned header_words);
    bool has_header; /* it may have a variable header */
} calls[] = {
    {HV_CALL_NOTIFY_LONG_SPIN_WAIT, "HvNotifyLongSpinWait", notify_long_spin_wait, false},
    {HV_CALL_POST_MESSAGE, "HvPostMessage", post_message, false},
    {HV_CALL_SIGNAL_EVENT, "HvSignalEvent", signal_event, false},
    {HV_CALL_RETARGET_DEVICE_INTERRUPT, "HvRetargetDeviceInterrupt", retarget_interrupt, true},
};

/* Statuses that say "try again", or that the guest cannot know better. */
static bool guest_is_to_blame(uint32_t status)
{
    switch (status) {
    case HV_STATUS_INVALID_HYPERCALL_INPUT:
    case HV_STATUS_INVALID_ALIGNMENT:
    case HV_STATUS_INVALID_PARAMETER:
    case HV_STATUS_INVALID_DEVICE_ID:
        return true;
    default:
        return false;
    }
}

static uint32_t dispatch(struct hypervisor *hypervisor, uint64_t control, uint64_t input)
{
    const uint64_t not_simple = HV_HYPERCALL_NESTED |
                                HV_HYPERCALL_REP_MASK << HV_HYPERCALL_REP_COUNT_SHIFT |
                                HV_HYPERCALL_REP_MASK << HV_HYPERCALL_REP_START_SHIFT;
    const unsigned header_words = control >> HV_HYPERCALL_HEADER_SHIFT & HEADER_WORDS;
    uint16_t code = (uint16_t)(control & HV_HYPERCALL_CODE_MASK);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (calls[i].code != code) {
            continue;
        }
        uint32_t status = HV_STATUS_INVALID_HYPERCALL_INPUT;
        if ((control & (HV_HYPERCALL_RESERVED | not_simple)) == 0 &&
            (header_words == 0 || calls[i].has_header)) {
            status = calls[i].call(hypervisor, (control & HV_HYPERCALL_FAST) != 0, input,
                                   header_words);
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
    return dispatch(hypervisor, control, input);
}
