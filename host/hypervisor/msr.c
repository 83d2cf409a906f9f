/* SPDX-License-Identifier: BSD-3-Clause */
/* Synthetic MSRs: who may touch which, and the ones that belong to no other file. */
#include <string.h>

#include "host/hypervisor/state.h"

enum { REFERENCE_TSC_HEADER_SIZE = offsetof(struct hv_reference_tsc_page, unused) };

/* The privilege that a register needs; 0: there is no such register. */
static uint32_t privilege_of(uint32_t msr)
{
    if (msr >= HV_MSR_SCONTROL && msr <= HV_MSR_SINT15) {
        return HV_PRIVILEGE_SYNIC;
    }
    if (msr >= HV_MSR_STIMER0_CONFIG && msr <= HV_MSR_STIMER_COUNT(HV_TIMER_COUNT - 1)) {
        return HV_PRIVILEGE_SYNTHETIC_TIMERS;
    }
    switch (msr) {
    case HV_MSR_GUEST_OS_ID:
    case HV_MSR_HYPERCALL:
        return HV_PRIVILEGE_HYPERCALL;
    case HV_MSR_VP_INDEX:
        return HV_PRIVILEGE_VP_INDEX;
    case HV_MSR_RESET:
        return HV_PRIVILEGE_RESET;
    case HV_MSR_VP_RUNTIME:
        return HV_PRIVILEGE_VP_RUNTIME;
    case HV_MSR_TIME_REF_COUNT:
        return HV_PRIVILEGE_TIME_REF_COUNT;
    case HV_MSR_REFERENCE_TSC:
        return HV_PRIVILEGE_REFERENCE_TSC;
    case HV_MSR_TSC_FREQUENCY:
    case HV_MSR_APIC_FREQUENCY:
        return HV_PRIVILEGE_FREQUENCIES;
    case HV_MSR_EOI:
        return HV_PRIVILEGE_APIC;
    case HV_MSR_VP_ASSIST_PAGE:
        /* Linux (hv_cpu_init) writes it without looking at the APIC privilege, which a monitor
         * whose local APIC we cannot reach does not get. */
        return HV_PRIVILEGE_HYPERCALL;
    case HV_MSR_GUEST_IDLE:
        return HV_PRIVILEGE_GUEST_IDLE;
    default:
        return 0;
    }
}

static bool is_crash_register(uint32_t msr)
{
    return msr >= HV_MSR_CRASH_P0 && msr <= HV_MSR_CRASH_CTL;
}

static bool may_access(const struct hypervisor *hypervisor, uint32_t msr)
{
    if (is_crash_register(msr)) {
        return (hypervisor_features(hypervisor) & HV_FEATURE_CRASH_MSRS) != 0;
    }
    return (hypervisor_privileges_low(hypervisor) & privilege_of(msr)) != 0;
}

/* ---- Reading ---- */

static int read_crash(const struct hypervisor *hypervisor, uint32_t msr, uint64_t *value)
{
    *value = msr == HV_MSR_CRASH_CTL ? HV_CRASH_NOTIFY | HV_CRASH_MESSAGE
                                     : hypervisor->crash_parameters[msr - HV_MSR_CRASH_P0];
    return HYPERVISOR_NO_FAULT;
}

static int read_plain(const struct hypervisor *hypervisor, uint32_t processor, uint32_t msr,
                      uint64_t now, uint64_t *value)
{
    const struct hypervisor_processor *state = &hypervisor->processors[processor];
    switch (msr) {
    case HV_MSR_GUEST_OS_ID:
        *value = hypervisor->guest_os_id;
        break;
    case HV_MSR_HYPERCALL:
        *value = hypervisor->hypercall_register;
        break;
    case HV_MSR_VP_INDEX:
        *value = processor;
        break;
    case HV_MSR_VP_RUNTIME:
        *value = state->runtime;
        break;
    case HV_MSR_TIME_REF_COUNT:
        *value = now;
        break;
    case HV_MSR_REFERENCE_TSC:
        *value = hypervisor->reference_tsc_register;
        break;
    case HV_MSR_TSC_FREQUENCY:
        *value = hypervisor->configuration.tsc_frequency;
        break;
    case HV_MSR_APIC_FREQUENCY:
        *value = hypervisor->configuration.apic_frequency;
        break;
    case HV_MSR_VP_ASSIST_PAGE:
        *value = state->assist_register;
        break;
    case HV_MSR_RESET:
    case HV_MSR_GUEST_IDLE: /* the monitor halts the processor around this read */
        *value = 0;
        break;
    default:
        return HYPERVISOR_RAISE_GP;
    }
    return HYPERVISOR_NO_FAULT;
}

int hypervisor_read_msr(struct hypervisor *hypervisor, uint32_t processor, uint32_t msr,
                        uint64_t now, uint64_t *value)
{
    if (processor >= hypervisor->configuration.processors || !may_access(hypervisor, msr)) {
        return HYPERVISOR_RAISE_GP;
    }
    if (is_crash_register(msr)) {
        return read_crash(hypervisor, msr, value);
    }
    switch (privilege_of(msr)) {
    case HV_PRIVILEGE_SYNIC:
        return synic_read_msr(hypervisor, processor, msr, value);
    case HV_PRIVILEGE_SYNTHETIC_TIMERS:
        return timer_read_msr(hypervisor, processor, msr, value);
    default:
        return read_plain(hypervisor, processor, msr, now, value);
    }
}

/* ---- Writing ---- */

static void write_guest_os_id(struct hypervisor *hypervisor, uint64_t value)
{
    hypervisor->guest_os_id = value;
    if (value == 0) {
        hypervisor->hypercall_register &= ~HV_MSR_PAGE_ENABLE;
    }
}

static int write_hypercall(struct hypervisor *hypervisor, uint64_t value)
{
    if ((hypervisor->hypercall_register & HV_MSR_HYPERCALL_LOCKED) != 0) {
        hypervisor_violation(hypervisor, "WRMSR HYPERCALL", "locked",
                             "a locked register is left alone until reset");
        return HYPERVISOR_RAISE_GP;
    }
    if ((hypervisor_features(hypervisor) & HV_FEATURE_HYPERCALL_LOCK) == 0) {
        value &= ~HV_MSR_HYPERCALL_LOCKED;
    }
    if ((value & HV_MSR_PAGE_ENABLE) != 0 && hypervisor->guest_os_id == 0) {
        hypervisor_violation(hypervisor, "WRMSR HYPERCALL", "no guest OS id",
                             "GUEST_OS_ID is written before the hypercall page is enabled");
        value &= ~HV_MSR_PAGE_ENABLE;
    }
    if ((value & HV_MSR_PAGE_ENABLE) != 0 &&
        guest_memory_page(hypervisor->configuration.memory, value >> HV_PAGE_SHIFT) == NULL) {
        hypervisor_violation(hypervisor, "WRMSR HYPERCALL", "running", "the page is guest RAM");
        return HYPERVISOR_RAISE_GP;
    }
    hypervisor->hypercall_register = value;
    return HYPERVISOR_NO_FAULT;
}

/* The page says "sequence 0": the guest is to read the counter. */
static int write_reference_tsc(struct hypervisor *hypervisor, uint64_t value)
{
    if ((value & HV_MSR_PAGE_ENABLE) != 0) {
        uint8_t *page = guest_memory_page(hypervisor->configuration.memory,
                                          value >> HV_PAGE_SHIFT);
        if (page == NULL) {
            hypervisor_violation(hypervisor, "WRMSR REFERENCE_TSC", "running",
                                 "the page is guest RAM");
            return HYPERVISOR_RAISE_GP;
        }
        memset(page, 0, REFERENCE_TSC_HEADER_SIZE);
    }
    hypervisor->reference_tsc_register = value;
    return HYPERVISOR_NO_FAULT;
}

static int write_crash(struct hypervisor *hypervisor, uint32_t msr, uint64_t value)
{
    if (msr != HV_MSR_CRASH_CTL) {
        hypervisor->crash_parameters[msr - HV_MSR_CRASH_P0] = value;
        return HYPERVISOR_NO_FAULT;
    }
    if ((value & HV_CRASH_NOTIFY) == 0) {
        return HYPERVISOR_NO_FAULT;
    }
    char text[HV_CRASH_MESSAGE_MAXIMUM + 1] = "";
    uint64_t size = hypervisor->crash_parameters[4];
    if ((value & HV_CRASH_MESSAGE) != 0) {
        if (size > HV_CRASH_MESSAGE_MAXIMUM ||
            guest_memory_read(hypervisor->configuration.memory, hypervisor->crash_parameters[3],
                              text, (size_t)size) < 0) {
            hypervisor_violation(hypervisor, "WRMSR CRASH_CTL", "running",
                                 "the crash message is at most 4096 bytes of guest RAM");
            size = 0;
        }
        text[size] = '\0';
    }
    hypervisor->operations->crashed(hypervisor->context, hypervisor->crash_parameters, value,
                                    text);
    return HYPERVISOR_NO_FAULT;
}

static int write_plain(struct hypervisor *hypervisor, uint32_t processor, uint32_t msr,
                       uint64_t value, uint64_t now)
{
    switch (msr) {
    case HV_MSR_GUEST_OS_ID:
        write_guest_os_id(hypervisor, value);
        return HYPERVISOR_NO_FAULT;
    case HV_MSR_HYPERCALL:
        return write_hypercall(hypervisor, value);
    case HV_MSR_REFERENCE_TSC:
        return write_reference_tsc(hypervisor, value);
    case HV_MSR_RESET:
        if ((value & HV_RESET_NOW) != 0) {
            hypervisor->operations->reset(hypervisor->context);
        }
        return HYPERVISOR_NO_FAULT;
    case HV_MSR_EOI:
        hypervisor_end_of_interrupt(hypervisor, processor, now);
        return HYPERVISOR_NO_FAULT;
    case HV_MSR_VP_ASSIST_PAGE:
        hypervisor->processors[processor].assist_register = value;
        return HYPERVISOR_NO_FAULT;
    default: /* the read-only ones */
        return HYPERVISOR_RAISE_GP;
    }
}

int hypervisor_write_msr(struct hypervisor *hypervisor, uint32_t processor, uint32_t msr,
                         uint64_t value, uint64_t now)
{
    if (processor >= hypervisor->configuration.processors || !may_access(hypervisor, msr)) {
        return HYPERVISOR_RAISE_GP;
    }
    if (is_crash_register(msr)) {
        return write_crash(hypervisor, msr, value);
    }
    switch (privilege_of(msr)) {
    case HV_PRIVILEGE_SYNIC:
        return synic_write_msr(hypervisor, processor, msr, value, now);
    case HV_PRIVILEGE_SYNTHETIC_TIMERS:
        return timer_write_msr(hypervisor, processor, msr, value, now);
    default:
        return write_plain(hypervisor, processor, msr, value, now);
    }
}
