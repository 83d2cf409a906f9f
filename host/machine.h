/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hypervisor and VMBus of one virtual machine, connected: control messages travel through SynIC
 * slots, signals through event flags. What remains for the owner is to forward the exits of the
 * virtual processors (host/hypervisor/hypervisor.h) and to plug devices (host/vmbus/device.h).
 */
#ifndef HOST_MACHINE_H
#define HOST_MACHINE_H

#include "host/hypervisor/hypervisor.h"
#include "host/vmbus/server.h"

/* The owner's side; see struct hypervisor_operations and struct vmbus_server_operations. */
struct host_machine_operations {
    void (*raise_vector)(void *context, uint32_t processor, uint8_t vector, bool auto_eoi);
    void (*wake_device)(void *context, struct host_channel *channel);
    void (*timers_changed)(void *context); /* optional */
    void (*reset)(void *context); /* the owner calls host_machine_reset() now or soon */
    void (*crashed)(void *context, const uint64_t parameters[HV_CRASH_PARAMETER_COUNT],
                    uint64_t control, const char *message);
    host_violation_function *violation; /* optional */
    uint32_t (*retarget_interrupt)(void *context,
                                   const struct hypervisor_retarget *retarget); /* optional */

    /*
     * Optional, a test bench's hands (host/faults/message_faults.h). They decide on a
     * HvCallPostMessage before the server sees it, and on a control message before the guest sees
     * it. False: taken over or lost; for a post, *status is what the guest is told.
     */
    bool (*filter_post)(void *context, const void *payload, size_t size, uint32_t *status);
    bool (*filter_message)(void *context, uint32_t processor, uint32_t sint, const void *message,
                           size_t size);
};

struct host_machine {
    struct hypervisor *hypervisor;
    struct vmbus_server *server;
    const struct host_machine_operations *operations;
    void *context;
};

/*
 * `operations` and `context` must outlive the machine. VMBus versions are the release's. Returns 0,
 * -EINVAL (number of processors) or -ENOMEM.
 */
int host_machine_initialise(struct host_machine *machine,
                            const struct hypervisor_configuration *configuration,
                            const struct host_machine_operations *operations, void *context);

/* Frees both parts; the devices are the caller's and must be quiet. */
void host_machine_free(struct host_machine *machine);

/* Power-on state: all channels closed, all MSRs at their reset values. Devices stay plugged. */
void host_machine_reset(struct host_machine *machine);

/* Delivers a control message past filter_message. Results as send_message of the server. */
int host_machine_deliver(struct host_machine *machine, uint32_t processor, uint32_t sint,
                         const void *message, size_t size);

#endif
