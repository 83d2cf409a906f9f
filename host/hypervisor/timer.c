/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Synthetic timers: four a processor, one-shot (absolute reference time) or periodic (period),
 * expiring as a message on a SINT or, in direct mode, as an interrupt vector.
 */
#include <string.h>

#include "host/hypervisor/state.h"

static uint32_t timer_sint(const struct synthetic_timer *timer)
{
    return (uint32_t)(timer->config >> HV_TIMER_SINT_SHIFT) & (HV_SYNIC_SINT_COUNT - 1);
}

/* Arms or stops the timer according to its registers. */
static void update(struct hypervisor *hypervisor, struct synthetic_timer *timer, uint64_t now)
{
    timer->message_waiting = false;
    timer->armed = (timer->config & HV_TIMER_ENABLE) != 0 && timer->count != 0;
    if (!timer->armed) {
        return;
    }
    timer->expiry = timer->count;
    if ((timer->config & HV_TIMER_PERIODIC) != 0) {
        timer->expiry = now + timer->count < now ? UINT64_MAX : now + timer->count;
    }
    if (hypervisor->operations->timers_changed != NULL) {
        hypervisor->operations->timers_changed(hypervisor->context);
    }
}

/* A timer that cannot be delivered anywhere is not enabled: SINT 0 means none, and direct mode
 * takes a vector of 16 and above on a host that has it. */
static bool deliverable(const struct hypervisor *hypervisor, uint64_t config)
{
    if ((config & HV_TIMER_DIRECT) == 0) {
        return (config >> HV_TIMER_SINT_SHIFT & (HV_SYNIC_SINT_COUNT - 1)) != 0;
    }
    return (hypervisor_features(hypervisor) & HV_FEATURE_DIRECT_TIMERS) != 0 &&
           (config >> HV_TIMER_VECTOR_SHIFT & 0xFF) >= HV_SINT_VECTOR_MINIMUM;
}

int timer_read_msr(struct hypervisor *hypervisor, uint32_t processor, uint32_t msr,
                   uint64_t *value)
{
    const struct synthetic_timer *timer =
        &hypervisor->processors[processor].timers[(msr - HV_MSR_STIMER0_CONFIG) / 2];
    bool is_config = (msr - HV_MSR_STIMER0_CONFIG) % 2 == 0;
    *value = is_config ? timer->config : timer->count;
    return HYPERVISOR_NO_FAULT;
}

int timer_write_msr(struct hypervisor *hypervisor, uint32_t processor, uint32_t msr,
                    uint64_t value, uint64_t now)
{
    const uint64_t defined = HV_TIMER_ENABLE | HV_TIMER_PERIODIC | HV_TIMER_LAZY |
                             HV_TIMER_AUTO_ENABLE | HV_TIMER_DIRECT |
                             UINT64_C(0xFF) << HV_TIMER_VECTOR_SHIFT |
                             UINT64_C(0xF) << HV_TIMER_SINT_SHIFT;
    struct synthetic_timer *timer =
        &hypervisor->processors[processor].timers[(msr - HV_MSR_STIMER0_CONFIG) / 2];
    if ((msr - HV_MSR_STIMER0_CONFIG) % 2 == 0) {
        timer->config = value & defined;
        if ((timer->config & HV_TIMER_ENABLE) != 0 && !deliverable(hypervisor, timer->config)) {
            hypervisor_violation(hypervisor, "WRMSR STIMER_CONFIG", "running",
                                 "an enabled timer has a SINT that is not 0, or a vector");
            timer->config &= ~HV_TIMER_ENABLE;
        }
    } else {
        timer->count = value;
        if (value == 0) {
            timer->config &= ~HV_TIMER_ENABLE;
        } else if ((timer->config & HV_TIMER_AUTO_ENABLE) != 0 &&
                   deliverable(hypervisor, timer->config)) {
            timer->config |= HV_TIMER_ENABLE;
        }
    }
    update(hypervisor, timer, now);
    return HYPERVISOR_NO_FAULT;
}

/* Sends the expiry message. Returns false if the slot is taken. */
static bool send_message(struct hypervisor *hypervisor, uint32_t processor, unsigned index,
                         uint64_t now)
{
    struct synthetic_timer *timer = &hypervisor->processors[processor].timers[index];
    struct synic_message message = {
        .type = HV_MESSAGE_TYPE_TIMER_EXPIRED,
        .size = sizeof(struct hv_timer_message),
    };
    const struct hv_timer_message payload = {
        .timer_index = index,
        .expiration_time = timer->message_expiry,
        .delivery_time = now,
    };
    memcpy(message.payload, &payload, sizeof(payload));
    return synic_deliver(hypervisor, processor, timer_sint(timer), &message);
}

void timer_retry(struct hypervisor *hypervisor, uint32_t processor, uint32_t sint, uint64_t now)
{
    for (unsigned i = 0; i < HV_TIMER_COUNT; i++) {
        struct synthetic_timer *timer = &hypervisor->processors[processor].timers[i];
        if (timer->message_waiting && timer_sint(timer) == sint &&
            send_message(hypervisor, processor, i, now)) {
            timer->message_waiting = false;
        }
    }
}

static void expire(struct hypervisor *hypervisor, uint32_t processor, unsigned index,
                   uint64_t now)
{
    struct synthetic_timer *timer = &hypervisor->processors[processor].timers[index];
    uint64_t expired_at = timer->expiry;
    if ((timer->config & HV_TIMER_PERIODIC) != 0) {
        /* Periods that were slept through are not made up for. */
        timer->expiry += ((now - timer->expiry) / timer->count + 1) * timer->count;
    } else {
        timer->armed = false;
        timer->config &= ~HV_TIMER_ENABLE;
    }
    if ((timer->config & HV_TIMER_DIRECT) != 0) {
        hypervisor->operations->raise_vector(
            hypervisor->context, processor,
            (uint8_t)(timer->config >> HV_TIMER_VECTOR_SHIFT & 0xFF), false);
        return;
    }
    if (!timer->message_waiting) {
        timer->message_expiry = expired_at;
        timer->message_waiting = !send_message(hypervisor, processor, index, now);
    }
}

void hypervisor_run_timers(struct hypervisor *hypervisor, uint64_t now)
{
    for (uint32_t processor = 0; processor < hypervisor->configuration.processors; processor++) {
        for (unsigned i = 0; i < HV_TIMER_COUNT; i++) {
            const struct synthetic_timer *timer = &hypervisor->processors[processor].timers[i];
            if (timer->armed && timer->expiry <= now) {
                expire(hypervisor, processor, i, now);
            }
        }
    }
}

uint64_t hypervisor_next_deadline(const struct hypervisor *hypervisor)
{
    uint64_t deadline = HYPERVISOR_NO_DEADLINE;
    for (uint32_t processor = 0; processor < hypervisor->configuration.processors; processor++) {
        for (unsigned i = 0; i < HV_TIMER_COUNT; i++) {
            const struct synthetic_timer *timer = &hypervisor->processors[processor].timers[i];
            if (timer->armed && timer->expiry < deadline) {
                deadline = timer->expiry;
            }
        }
    }
    return deadline;
}
