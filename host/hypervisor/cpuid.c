/* SPDX-License-Identifier: BSD-3-Clause */
/* CPUID: who the hypervisor is and what it lets its guest do. */
#include "host/hypervisor/state.h"

enum { DEFAULT_PHYSICAL_ADDRESS_BITS = 39 };

static bool able(const struct hypervisor *hypervisor, uint32_t ability)
{
    return (hypervisor->configuration.monitor_abilities & ability) != 0;
}

uint32_t hypervisor_privileges_low(const struct hypervisor *hypervisor)
{
    uint32_t privileges = hypervisor->configuration.release->cpuid.privileges_low;
    if (able(hypervisor, HYPERVISOR_MONITOR_FREQUENCIES)) {
        privileges |= HV_PRIVILEGE_FREQUENCIES;
    }
    if (able(hypervisor, HYPERVISOR_MONITOR_APIC_MSRS)) {
        privileges |= HV_PRIVILEGE_APIC;
    }
    return privileges;
}

uint32_t hypervisor_privileges_high(const struct hypervisor *hypervisor)
{
    return hypervisor->configuration.release->cpuid.privileges_high;
}

uint32_t hypervisor_features(const struct hypervisor *hypervisor)
{
    uint32_t features = hypervisor->configuration.release->cpuid.features;
    if (able(hypervisor, HYPERVISOR_MONITOR_FREQUENCIES)) {
        features |= HV_FEATURE_FREQUENCIES;
    }
    return features;
}

static uint32_t recommendations(const struct hypervisor *hypervisor)
{
    uint32_t bits = hypervisor->configuration.release->cpuid.recommendations;
    if (able(hypervisor, HYPERVISOR_MONITOR_APIC_MSRS)) {
        bits |= HV_RECOMMEND_APIC_MSRS;
    }
    if (able(hypervisor, HYPERVISOR_MONITOR_TLB_HYPERCALLS)) {
        bits |= HV_RECOMMEND_REMOTE_FLUSH_HYPERCALL | HV_RECOMMEND_CLUSTER_IPI |
                HV_RECOMMEND_EX_PROCESSOR_MASKS;
    }
    return bits;
}

struct hypervisor_cpuid hypervisor_read_cpuid(const struct hypervisor *hypervisor, uint32_t leaf)
{
    const struct host_release_cpuid *release = &hypervisor->configuration.release->cpuid;
    struct hypervisor_cpuid result = {0};
    if (leaf > release->highest_leaf) {
        return result;
    }
    switch (leaf) {
    case HV_CPUID_VENDOR:
        result = (struct hypervisor_cpuid){release->highest_leaf, HV_VENDOR_EBX, HV_VENDOR_ECX,
                                           HV_VENDOR_EDX};
        break;
    case HV_CPUID_INTERFACE:
        result.eax = HV_INTERFACE_HV1;
        break;
    case HV_CPUID_VERSION:
        result.eax = release->build;
        result.ebx = (uint32_t)release->major << 16 | release->minor;
        break;
    case HV_CPUID_FEATURES:
        result.eax = hypervisor_privileges_low(hypervisor);
        result.ebx = hypervisor_privileges_high(hypervisor);
        result.edx = hypervisor_features(hypervisor);
        break;
    case HV_CPUID_RECOMMENDATIONS:
        result.eax = recommendations(hypervisor);
        result.ebx = HV_SPIN_COUNT_NEVER;
        result.ecx = hypervisor->configuration.physical_address_bits != 0
                         ? hypervisor->configuration.physical_address_bits
                         : DEFAULT_PHYSICAL_ADDRESS_BITS;
        break;
    case HV_CPUID_LIMITS:
        result.eax = release->maximum_processors;
        result.ebx = release->maximum_processors;
        break;
    case HV_CPUID_HARDWARE:
        result.eax = HV_HARDWARE_SLAT | HV_HARDWARE_MSR_BITMAPS;
        break;
    default:
        break;
    }
    return result;
}
