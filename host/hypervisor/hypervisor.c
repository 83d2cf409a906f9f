/* SPDX-License-Identifier: BSD-3-Clause */
/* The hypervisor of one virtual machine: making it, resetting it. */
#include "host/hypervisor/hypervisor.h"

#include <stdlib.h>
#include <string.h>

#include "host/hypervisor/state.h"

struct hypervisor *hypervisor_create(const struct hypervisor_configuration *configuration,
                                     const struct hypervisor_operations *operations,
                                     void *context)
{
    if (configuration->processors == 0 ||
        configuration->processors > HYPERVISOR_PROCESSORS_MAX) {
        return NULL;
    }
    struct hypervisor *hypervisor = calloc(1, sizeof(*hypervisor));
    if (hypervisor == NULL) {
        return NULL;
    }
    hypervisor->processors = calloc(configuration->processors, sizeof(*hypervisor->processors));
    if (hypervisor->processors == NULL) {
        free(hypervisor);
        return NULL;
    }
    hypervisor->configuration = *configuration;
    hypervisor->operations = operations;
    hypervisor->context = context;
    hypervisor_reset(hypervisor);
    return hypervisor;
}

void hypervisor_free(struct hypervisor *hypervisor)
{
    if (hypervisor == NULL) {
        return;
    }
    for (uint32_t i = 0; i < hypervisor->configuration.processors; i++) {
        synic_release(&hypervisor->processors[i]);
    }
    free(hypervisor->processors);
    free(hypervisor);
}

void hypervisor_reset(struct hypervisor *hypervisor)
{
    hypervisor->guest_os_id = 0;
    hypervisor->hypercall_register = 0;
    hypervisor->reference_tsc_register = 0;
    memset(hypervisor->crash_parameters, 0, sizeof(hypervisor->crash_parameters));
    for (uint32_t i = 0; i < hypervisor->configuration.processors; i++) {
        struct hypervisor_processor *state = &hypervisor->processors[i];
        synic_reset(state);
        memset(state->timers, 0, sizeof(state->timers));
        state->assist_register = 0;
    }
}

void hypervisor_end_of_interrupt(struct hypervisor *hypervisor, uint32_t processor, uint64_t now)
{
    if (processor < hypervisor->configuration.processors) {
        synic_retry(hypervisor, processor, now);
    }
}

void hypervisor_add_runtime(struct hypervisor *hypervisor, uint32_t processor, uint64_t time)
{
    if (processor < hypervisor->configuration.processors) {
        hypervisor->processors[processor].runtime += time;
    }
}

void hypervisor_violation(struct hypervisor *hypervisor, const char *message, const char *state,
                          const char *rule)
{
    atomic_fetch_add(&hypervisor->violations, 1);
    if (hypervisor->operations->violation != NULL) {
        const struct host_violation violation = {message, state, rule, 0};
        hypervisor->operations->violation(hypervisor->context, &violation);
    }
}

uint64_t hypervisor_violations(const struct hypervisor *hypervisor)
{
    return atomic_load(&hypervisor->violations);
}
