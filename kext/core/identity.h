/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds out by CPUID whether this machine is a Hyper-V guest, and what the hypervisor offers. */
#ifndef KEXT_CORE_IDENTITY_H
#define KEXT_CORE_IDENTITY_H

#include <stdbool.h>

#include "kext/core/processor.h"
#include "protocol/hypervisor.h"

struct identity {
    uint32_t maximum_leaf;
    uint32_t build;                 /* version major.minor.build */
    uint32_t major;
    uint32_t minor;
    uint32_t privileges;            /* HV_PRIVILEGE_* of FEATURES EAX */
    uint32_t privileges_high;       /* HV_PRIVILEGE_* of FEATURES EBX */
    uint32_t features;              /* HV_FEATURE_* */
    uint32_t recommendations;       /* HV_RECOMMEND_* */
};

typedef void (*identity_cpuid)(uint32_t leaf, uint32_t subleaf, struct processor_cpuid *result);

/* Asks `cpuid`. Returns 0; HV_ERROR_NOT_FOUND if there is no hypervisor with the interface "Hv#1"
 * (what the vendor calls itself does not matter); HV_ERROR_NOT_SUPPORTED if it does not offer what
 * VMBus needs: hypercalls, SynIC, posting messages and signalling events. */
int identity_read(struct identity *identity, identity_cpuid cpuid);

#endif
