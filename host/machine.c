/* SPDX-License-Identifier: BSD-3-Clause */
/* Hypervisor and VMBus server, plugged into each other. */
#include "host/machine.h"

#include <errno.h>
#include <string.h>

/* What the guest finds as the sender of VMBus messages; it has no meaning to it. */
enum { VMBUS_PORT_ID = 1 };

/* ---- From the hypervisor ---- */

static void raise_vector(void *context, uint32_t processor, uint8_t vector, bool auto_eoi)
{
    struct host_machine *machine = context;
    machine->operations->raise_vector(machine->context, processor, vector, auto_eoi);
}

static uint32_t post_message(void *context, uint32_t connection_id, uint32_t message_type,
                             const void *payload, size_t size)
{
    struct host_machine *machine = context;
    if (message_type != HV_MESSAGE_TYPE_VMBUS) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    uint32_t status = HV_STATUS_SUCCESS;
    if (machine->operations->filter_post != NULL &&
        !machine->operations->filter_post(machine->context, payload, size, &status)) {
        return status;
    }
    return vmbus_server_post_message(machine->server, connection_id, payload, size);
}

static uint32_t signal_event(void *context, uint32_t connection_id, uint16_t flag)
{
    struct host_machine *machine = context;
    return vmbus_server_signal_event(machine->server, connection_id, flag);
}

static void port_ready(void *context, uint32_t processor, uint32_t sint)
{
    struct host_machine *machine = context;
    vmbus_server_port_ready(machine->server);
}

static void timers_changed(void *context)
{
    struct host_machine *machine = context;
    if (machine->operations->timers_changed != NULL) {
        machine->operations->timers_changed(machine->context);
    }
}

static void reset(void *context)
{
    struct host_machine *machine = context;
    machine->operations->reset(machine->context);
}

static void crashed(void *context, const uint64_t parameters[HV_CRASH_PARAMETER_COUNT],
                    uint64_t control, const char *message)
{
    struct host_machine *machine = context;
    machine->operations->crashed(machine->context, parameters, control, message);
}

static uint32_t retarget_interrupt(void *context, const struct hypervisor_retarget *retarget)
{
    struct host_machine *machine = context;
    return machine->operations->retarget_interrupt != NULL
               ? machine->operations->retarget_interrupt(machine->context, retarget)
               : HV_STATUS_INVALID_DEVICE_ID;
}

static void violation(void *context, const struct host_violation *what)
{
    struct host_machine *machine = context;
    if (machine->operations->violation != NULL) {
        machine->operations->violation(machine->context, what);
    }
}

static const struct hypervisor_operations hypervisor_side = {
    .raise_vector = raise_vector,
    .post_message = post_message,
    .signal_event = signal_event,
    .port_ready = port_ready,
    .timers_changed = timers_changed,
    .reset = reset,
    .crashed = crashed,
    .retarget_interrupt = retarget_interrupt,
    .violation = violation,
};

/* ---- From the VMBus server ---- */

int host_machine_deliver(struct host_machine *machine, uint32_t processor, uint32_t sint,
                         const void *message, size_t size)
{
    return hypervisor_post_to_guest(machine->hypervisor, processor, sint, HV_MESSAGE_TYPE_VMBUS,
                                    VMBUS_PORT_ID, message, size);
}

static int send_message(void *context, uint32_t processor, uint32_t sint, const void *message,
                        size_t size)
{
    struct host_machine *machine = context;
    if (hypervisor_port_full(machine->hypervisor, processor, sint)) {
        return -EAGAIN; /* before the filter, which is to see each message once */
    }
    if (machine->operations->filter_message != NULL &&
        !machine->operations->filter_message(machine->context, processor, sint, message, size)) {
        return 0;
    }
    return host_machine_deliver(machine, processor, sint, message, size);
}

static uint32_t signal_guest(void *context, uint32_t processor, uint32_t sint, uint16_t flag)
{
    struct host_machine *machine = context;
    return hypervisor_signal_guest(machine->hypervisor, processor, sint, flag);
}

static void wake_device(void *context, struct host_channel *channel)
{
    struct host_machine *machine = context;
    machine->operations->wake_device(machine->context, channel);
}

static const struct vmbus_server_operations server_side = {
    .send_message = send_message,
    .signal_guest = signal_guest,
    .wake_device = wake_device,
    .violation = violation,
};

/* ---- The whole ---- */

int host_machine_initialise(struct host_machine *machine,
                            const struct hypervisor_configuration *configuration,
                            const struct host_machine_operations *operations, void *context)
{
    const struct vmbus_server_configuration server_configuration = {
        .memory = configuration->memory,
        .processors = configuration->processors,
        .highest_version = configuration->release->versions.vmbus,
        .feature_flags = VMBUS_SERVER_FEATURES,
    };
    memset(machine, 0, sizeof(*machine));
    if (configuration->processors == 0 ||
        configuration->processors > HYPERVISOR_PROCESSORS_MAX) {
        return -EINVAL;
    }
    machine->operations = operations;
    machine->context = context;
    machine->hypervisor = hypervisor_create(configuration, &hypervisor_side, machine);
    machine->server = vmbus_server_create(&server_configuration, &server_side, machine);
    if (machine->hypervisor == NULL || machine->server == NULL) {
        host_machine_free(machine);
        return -ENOMEM;
    }
    return 0;
}

void host_machine_free(struct host_machine *machine)
{
    vmbus_server_free(machine->server);
    hypervisor_free(machine->hypervisor);
    machine->server = NULL;
    machine->hypervisor = NULL;
}

void host_machine_reset(struct host_machine *machine)
{
    vmbus_server_reset(machine->server);
    hypervisor_reset(machine->hypervisor);
}
