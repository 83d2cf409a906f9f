/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds out by CPUID whether this machine is a Hyper-V guest. */
#include "kext/core/identity.h"

#include "kext/core/errors.h"
#include "kext/core/shared_memory.h"

int identity_read(struct identity *identity, identity_cpuid cpuid)
{
    const uint32_t needed = HV_PRIVILEGE_HYPERCALL | HV_PRIVILEGE_SYNIC | HV_PRIVILEGE_VP_INDEX;
    const uint32_t needed_high = HV_PRIVILEGE_POST_MESSAGES | HV_PRIVILEGE_SIGNAL_EVENTS;
    struct processor_cpuid leaf;

    memset(identity, 0, sizeof *identity);
    cpuid(1, 0, &leaf);
    if ((leaf.ecx & HV_CPUID_1_ECX_HYPERVISOR) == 0)
        return HV_ERROR_NOT_FOUND;
    cpuid(HV_CPUID_VENDOR, 0, &leaf);
    if (leaf.eax < HV_CPUID_MINIMUM_LEAF || leaf.eax > HV_CPUID_LAST)
        return HV_ERROR_NOT_FOUND;
    identity->maximum_leaf = leaf.eax;
    cpuid(HV_CPUID_INTERFACE, 0, &leaf);
    if (leaf.eax != HV_INTERFACE_HV1)
        return HV_ERROR_NOT_FOUND;
    cpuid(HV_CPUID_VERSION, 0, &leaf);
    identity->build = leaf.eax;
    identity->major = HV_VERSION_MAJOR(leaf.ebx);
    identity->minor = HV_VERSION_MINOR(leaf.ebx);
    cpuid(HV_CPUID_FEATURES, 0, &leaf);
    identity->privileges = leaf.eax;
    identity->privileges_high = leaf.ebx;
    identity->features = leaf.edx;
    cpuid(HV_CPUID_RECOMMENDATIONS, 0, &leaf);
    identity->recommendations = leaf.eax;
    if ((identity->privileges & needed) != needed ||
        (identity->privileges_high & needed_high) != needed_high)
        return HV_ERROR_NOT_SUPPORTED;
    return 0;
}
