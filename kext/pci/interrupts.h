/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupts that the host made for the functions of a bus: what exists, so that it can be deleted,
 * how many a function may have, and where each goes. No I/O Kit in here; calls are serialised by
 * the caller.
 *
 * Sources: Linux pci-hyperv, TLFS (HvCallRetargetDeviceInterrupt), IOPCIFamily for how many vectors
 * macOS takes. */
#ifndef KEXT_PCI_INTERRUPTS_H
#define KEXT_PCI_INTERRUPTS_H

#include "kext/pci/config.h"
#include "kext/pci/vpci.h"
#include "protocol/hypervisor.h"

#define INTERRUPTS_MAXIMUM 64u          /* groups, of one bus */

struct interrupt_group {
    bool used;
    uint32_t slot;
    uint32_t vector;                    /* the first */
    struct vpci_message_interrupt message;
};

struct interrupts {
    struct interrupt_group group[INTERRUPTS_MAXIMUM];
    uint64_t made;                      /* groups, ever */
    uint64_t deleted;
};

/* Remembers what the host made. HV_ERROR_NO_RESOURCES: delete it again. */
int interrupts_add(struct interrupts *interrupts, uint32_t slot, uint32_t vector,
                   const struct vpci_message_interrupt *message);

/* Takes one group of the slot out, to be deleted at the host. Returns false if there is none. */
bool interrupts_take(struct interrupts *interrupts, uint32_t slot, struct interrupt_group *group);

/* How many messages the function can send, 0: it cannot. */
uint32_t interrupts_messages(struct config *config, const struct config_port *port);

/* How many vectors to offer macOS for so many messages: a power of two, at most
 * VPCI_VECTORS_MAXIMUM, the number that one request can make. */
uint32_t interrupts_vectors(uint32_t messages);

/* HvCallRetargetDeviceInterrupt for message `index` of a group, to one virtual processor. */
struct retarget_input {
    struct hv_retarget_interrupt call;
    uint64_t valid_banks;               /* with HV_INTERRUPT_PROCESSOR_SET */
    uint64_t bank;
};

/* Fills it in. Returns the bytes of the input; `*variable` is the number of 8-byte words in the
 * variable header. Processors above 63 need a set. */
uint32_t interrupts_make_retarget(struct retarget_input *input, uint64_t device,
                                  const struct interrupt_group *group, uint32_t index,
                                  uint32_t processor, uint32_t *variable);

#endif
