/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest crashes: tells the host, which shows it to the administrator. */
#include "abi/kpi/platform.h"
#include "kext/core/controller.h"
#include "kext/core/hypercall.h"
#include "kext/core/processor.h"
#include "kext/core/vmbus.h"

/* The parameters have no fixed meaning; Windows and Linux send codes of their own. Ours: guest OS
 * id, Darwin version, hypervisor build seen, 0, 0. */
static void report(const HyperVController *controller)
{
    const uint64_t parameters[HV_CRASH_PARAMETER_COUNT] = {
        hypercall_guest_os_id((uint32_t)version_major, (uint32_t)version_minor),
        (uint64_t)(uint32_t)version_major << 32 | (uint32_t)version_minor << 16 |
            (uint32_t)version_revision,
        controller->identity.build,
    };

    if ((controller->identity.features & HV_FEATURE_CRASH_MSRS) == 0)
        return;
    for (uint32_t i = 0; i < HV_CRASH_PARAMETER_COUNT; i++)
        processor_write_msr(HV_MSR_CRASH_P(i), parameters[i]);
    processor_write_msr(HV_MSR_CRASH_CTL, HV_CRASH_NOTIFY);
}

void controller_crash(HyperVController *controller)
{
    if (controller->bus != NULL)
        vmbus_crash_unload((HyperVVMBus *)controller->bus);
    report(controller);
}
