/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SynIC: interrupt sources, message slots with the queues behind them, event flags.
 *
 * A message goes into its slot when the slot's type is 0; type is written last. If the slot is
 * taken, the pending bit is set in it and the message waits in its port's queue; the guest, having
 * emptied the slot and seen the bit, writes EOM (or ends an interrupt at its APIC), and the next
 * message is delivered.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/hypervisor/state.h"

void synic_reset(struct hypervisor_processor *state)
{
    atomic_store(&state->control, 0);
    atomic_store(&state->event_page, 0);
    for (unsigned i = 0; i < HV_SYNIC_SINT_COUNT; i++) {
        atomic_store(&state->sint[i], HV_SINT_RESET_VALUE);
        state->queues[i].first = 0;
        state->queues[i].count = 0;
        state->queues[i].refused = false;
    }
    state->event_register = 0;
    state->message_register = 0;
    state->message_page = NULL;
}

void synic_release(struct hypervisor_processor *state)
{
    for (unsigned i = 0; i < HV_SYNIC_SINT_COUNT; i++) {
        free(state->queues[i].buffers);
        state->queues[i].buffers = NULL;
    }
}

/* ---- Delivery ---- */

static void interrupt(struct hypervisor *hypervisor, uint32_t processor, uint64_t sint)
{
    if ((sint & HV_SINT_POLLING) == 0) {
        hypervisor->operations->raise_vector(hypervisor->context, processor,
                                             (uint8_t)(sint & HV_SINT_VECTOR),
                                             (sint & HV_SINT_AUTO_EOI) != 0);
    }
}

bool synic_deliver(struct hypervisor *hypervisor, uint32_t processor, uint32_t sint_index,
                   const struct synic_message *message)
{
    struct hypervisor_processor *state = &hypervisor->processors[processor];
    uint64_t sint = atomic_load(&state->sint[sint_index]);
    if ((atomic_load(&state->control) & HV_SCONTROL_ENABLE) == 0 || state->message_page == NULL ||
        (sint & HV_SINT_MASKED) != 0) {
        return false;
    }
    uint8_t *slot = state->message_page + sint_index * sizeof(struct hv_message);
    uint32_t *type = (uint32_t *)(void *)slot;
    uint8_t *flags = slot + offsetof(struct hv_message, message_flags);
    if (__atomic_load_n(type, __ATOMIC_ACQUIRE) != HV_MESSAGE_TYPE_NONE) {
        __atomic_or_fetch(flags, HV_MESSAGE_FLAG_PENDING, __ATOMIC_SEQ_CST);
        /* The guest clears the type and then looks for the bit: if it did so in between, it may
         * have missed the bit, but then the slot is free now. */
        if (__atomic_load_n(type, __ATOMIC_SEQ_CST) != HV_MESSAGE_TYPE_NONE) {
            return false;
        }
    }
    struct hv_message copy = {.payload_size = (uint8_t)message->size, .sender = message->sender};
    memcpy(copy.payload, message->payload, message->size);
    memcpy(slot + sizeof(*type), (uint8_t *)&copy + sizeof(*type), sizeof(copy) - sizeof(*type));
    __atomic_store_n(type, message->type, __ATOMIC_RELEASE);
    interrupt(hypervisor, processor, sint);
    return true;
}

/* Delivers from a queue as long as the slot is free: at most one, as nobody empties it meanwhile,
 * but for a guest that runs on another thread. The rest waits with the pending bit set. */
static void drain_queue(struct hypervisor *hypervisor, uint32_t processor, uint32_t sint)
{
    struct synic_queue *queue = &hypervisor->processors[processor].queues[sint];
    while (queue->count > 0 &&
           synic_deliver(hypervisor, processor, sint, &queue->buffers[queue->first])) {
        queue->first = (queue->first + 1) % HV_MESSAGE_BUFFERS;
        queue->count--;
    }
    if (queue->refused && queue->count < HV_MESSAGE_BUFFERS) {
        queue->refused = false;
        hypervisor->operations->port_ready(hypervisor->context, processor, sint);
    }
}

void synic_retry(struct hypervisor *hypervisor, uint32_t processor, uint64_t now)
{
    for (uint32_t sint = 0; sint < HV_SYNIC_SINT_COUNT; sint++) {
        drain_queue(hypervisor, processor, sint);
        timer_retry(hypervisor, processor, sint, now);
    }
}

bool hypervisor_port_full(struct hypervisor *hypervisor, uint32_t processor, uint32_t sint)
{
    if (processor >= hypervisor->configuration.processors || sint >= HV_SYNIC_SINT_COUNT) {
        return false;
    }
    struct synic_queue *queue = &hypervisor->processors[processor].queues[sint];
    if (queue->buffers == NULL) {
        queue->buffers = calloc(HV_MESSAGE_BUFFERS, sizeof(*queue->buffers));
    }
    bool full = queue->buffers == NULL || queue->count == HV_MESSAGE_BUFFERS;
    queue->refused |= full;
    return full;
}

int hypervisor_post_to_guest(struct hypervisor *hypervisor, uint32_t processor, uint32_t sint,
                             uint32_t message_type, uint64_t sender, const void *payload,
                             size_t size)
{
    if (processor >= hypervisor->configuration.processors || sint >= HV_SYNIC_SINT_COUNT ||
        size > HV_MESSAGE_PAYLOAD_MAXIMUM || message_type == HV_MESSAGE_TYPE_NONE) {
        return -EINVAL;
    }
    if (hypervisor_port_full(hypervisor, processor, sint)) {
        return -EAGAIN;
    }
    struct synic_queue *queue = &hypervisor->processors[processor].queues[sint];
    struct synic_message *message =
        &queue->buffers[(queue->first + queue->count) % HV_MESSAGE_BUFFERS];
    message->type = message_type;
    message->size = (uint32_t)size;
    message->sender = sender;
    memcpy(message->payload, payload, size);
    queue->count++;
    drain_queue(hypervisor, processor, sint);
    return 0;
}

uint32_t hypervisor_signal_guest(struct hypervisor *hypervisor, uint32_t processor, uint32_t sint,
                                 uint16_t flag)
{
    if (processor >= hypervisor->configuration.processors) {
        return HV_STATUS_INVALID_VP_INDEX;
    }
    if (sint >= HV_SYNIC_SINT_COUNT || flag >= HV_EVENT_FLAGS_PER_SINT) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    struct hypervisor_processor *state = &hypervisor->processors[processor];
    uint64_t value = atomic_load(&state->sint[sint]);
    struct hv_event_flag_page *page = (struct hv_event_flag_page *)atomic_load(&state->event_page);
    if ((atomic_load(&state->control) & HV_SCONTROL_ENABLE) == 0 || page == NULL ||
        (value & HV_SINT_MASKED) != 0) {
        return HV_STATUS_INVALID_SYNIC_STATE;
    }
    uint32_t bit = 1u << flag % 32;
    uint32_t before = __atomic_fetch_or(&page->sints[sint].words[flag / 32], bit,
                                        __ATOMIC_SEQ_CST);
    if ((before & bit) == 0) {
        interrupt(hypervisor, processor, value);
    }
    return HV_STATUS_SUCCESS;
}

/* ---- Registers ---- */

/* A page register: returns #GP if it is enabled on something that is not a page of RAM. */
static int write_page_register(struct hypervisor *hypervisor, const char *name, uint64_t value,
                               uint8_t **page)
{
    *page = NULL;
    if ((value & HV_MSR_PAGE_ENABLE) != 0) {
        *page = guest_memory_page(hypervisor->configuration.memory, value >> HV_PAGE_SHIFT);
        if (*page == NULL) {
            hypervisor_violation(hypervisor, name, "running", "the page is guest RAM");
            return HYPERVISOR_RAISE_GP;
        }
    }
    return HYPERVISOR_NO_FAULT;
}

static int write_sint(struct hypervisor *hypervisor, struct hypervisor_processor *state,
                      uint32_t index, uint64_t value)
{
    const uint64_t defined =
        HV_SINT_VECTOR | HV_SINT_MASKED | HV_SINT_AUTO_EOI | HV_SINT_POLLING;
    if ((value & HV_SINT_VECTOR) < HV_SINT_VECTOR_MINIMUM &&
        (value & (HV_SINT_MASKED | HV_SINT_POLLING)) == 0) {
        hypervisor_violation(hypervisor, "WRMSR SINT", "running", "the vector is 16 or above");
        return HYPERVISOR_RAISE_GP;
    }
    atomic_store(&state->sint[index], value & defined);
    return HYPERVISOR_NO_FAULT;
}

int synic_read_msr(struct hypervisor *hypervisor, uint32_t processor, uint32_t msr,
                   uint64_t *value)
{
    struct hypervisor_processor *state = &hypervisor->processors[processor];
    if (msr >= HV_MSR_SINT0 && msr <= HV_MSR_SINT15) {
        *value = atomic_load(&state->sint[msr - HV_MSR_SINT0]);
        return HYPERVISOR_NO_FAULT;
    }
    switch (msr) {
    case HV_MSR_SCONTROL:
        *value = atomic_load(&state->control);
        return HYPERVISOR_NO_FAULT;
    case HV_MSR_SVERSION:
        *value = HV_SYNIC_VERSION;
        return HYPERVISOR_NO_FAULT;
    case HV_MSR_SIEFP:
        *value = state->event_register;
        return HYPERVISOR_NO_FAULT;
    case HV_MSR_SIMP:
        *value = state->message_register;
        return HYPERVISOR_NO_FAULT;
    case HV_MSR_EOM:
        *value = 0;
        return HYPERVISOR_NO_FAULT;
    default:
        return HYPERVISOR_RAISE_GP;
    }
}

static int write_register(struct hypervisor *hypervisor, struct hypervisor_processor *state,
                          uint32_t msr, uint64_t value)
{
    uint8_t *page;
    int result = HYPERVISOR_NO_FAULT;
    if (msr >= HV_MSR_SINT0 && msr <= HV_MSR_SINT15) {
        return write_sint(hypervisor, state, msr - HV_MSR_SINT0, value);
    }
    switch (msr) {
    case HV_MSR_SCONTROL:
        atomic_store(&state->control, value & HV_SCONTROL_ENABLE);
        break;
    case HV_MSR_SIEFP:
        result = write_page_register(hypervisor, "WRMSR SIEFP", value, &page);
        if (result == HYPERVISOR_NO_FAULT) {
            state->event_register = value;
            atomic_store(&state->event_page, (uintptr_t)page);
        }
        break;
    case HV_MSR_SIMP:
        result = write_page_register(hypervisor, "WRMSR SIMP", value, &page);
        if (result == HYPERVISOR_NO_FAULT) {
            state->message_register = value;
            state->message_page = page;
        }
        break;
    case HV_MSR_EOM:
        break;
    default: /* SVERSION, and what does not exist */
        result = HYPERVISOR_RAISE_GP;
        break;
    }
    return result;
}

int synic_write_msr(struct hypervisor *hypervisor, uint32_t processor, uint32_t msr,
                    uint64_t value, uint64_t now)
{
    int result = write_register(hypervisor, &hypervisor->processors[processor], msr, value);
    if (result == HYPERVISOR_NO_FAULT) {
        /* EOM asks for it; and after any other write what waited may be deliverable. */
        synic_retry(hypervisor, processor, now);
    }
    return result;
}
