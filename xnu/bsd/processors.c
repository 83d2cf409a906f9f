/* SPDX-License-Identifier: BSD-3-Clause */
/* processors.c - processors, rendezvous, interrupt state, model specific registers. */
#include "xnu/bsd/kpi.h"
#include "xnu/bsd/platform.h"
#include "xnu/machine/machine.h"
#include "xnu/machine/traps.h"

#include "abi/kpi/machine.h"

KPI_DATA(unsigned, real_ncpus) = 1;

KPI(int, cpu_number, (void))
{
    return (int)machine_processor_number();
}

KPI(int, ml_get_max_cpus, (void))
{
    return (int)machine_processor_count();
}

KPI(int, ml_get_apicid, (uint32_t processor))
{
    return (int)processor;               /* virtual processors have their number as APIC id */
}

KPI(boolean_t, ml_set_interrupts_enabled, (boolean_t enabled))
{
    return machine_interrupts_set_enabled(enabled != 0);
}

KPI(boolean_t, ml_get_interrupts_enabled, (void))
{
    return machine_interrupts_enabled();
}

KPI(boolean_t, ml_at_interrupt_context, (void))
{
    return machine_at_interrupt_context();
}

KPI(boolean_t, preemption_enabled, (void))
{
    return machine_preemption_enabled();
}

KPI(void, _disable_preemption, (void))
{
    machine_preemption_disable();
}

KPI(void, _enable_preemption, (void))
{
    machine_preemption_enable();
}

KPI(void, mp_rendezvous_no_intrs, (void (*action)(void *), void *argument))
{
    machine_rendezvous(action, argument);
}

/* Each of the three functions is finished on all processors before the next begins. */
KPI(void, mp_rendezvous, (void (*setup)(void *), void (*action)(void *), void (*teardown)(void *),
                          void *argument))
{
    if (setup)
        machine_rendezvous(setup, argument);
    if (action)
        machine_rendezvous(action, argument);
    if (teardown)
        machine_rendezvous(teardown, argument);
}

struct processors_call {
    uint64_t mask;
    void (*action)(void *);
    void *argument;
    unsigned count;
};

static void call_if_selected(void *argument)
{
    struct processors_call *call = argument;

    if (call->mask >> machine_processor_number() & 1) {
        __atomic_fetch_add(&call->count, 1, __ATOMIC_RELAXED);
        call->action(call->argument);
    }
}

/* The asynchronous mode is served like the synchronous one: the caller cannot tell. */
KPI(unsigned, mp_cpus_call, (uint64_t mask, int mode, void (*action)(void *), void *argument))
{
    struct processors_call call = { mask, action, argument, 0 };

    machine_rendezvous(call_if_selected, &call);
    return call.count;
}

/* 0, or non-zero where the instruction would fault. */
KPI(int, rdmsr_carefully, (uint32_t index, uint32_t *low, uint32_t *high))
{
    uint64_t value;

    if (!machine_rdmsr(index, &value))
        return 1;
    *low = (uint32_t)value;
    *high = (uint32_t)(value >> 32);
    return 0;
}

/* The 8259 and the local APIC are the machine's: interrupts are acknowledged before the handler
 * runs. */
KPI(void, lapic_end_of_interrupt, (void))
{
}
