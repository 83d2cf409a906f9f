/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupts that the host made for the functions of a bus. */
#include "kext/pci/interrupts.h"

#include "kext/core/shared_memory.h"

#define PROCESSORS_PER_BANK 64u

int interrupts_add(struct interrupts *interrupts, uint32_t slot, uint32_t vector,
                   const struct vpci_message_interrupt *message)
{
    for (uint32_t i = 0; i < INTERRUPTS_MAXIMUM; i++) {
        struct interrupt_group *group = &interrupts->group[i];

        if (group->used)
            continue;
        *group = (struct interrupt_group){ true, slot, vector, *message };
        interrupts->made++;
        return 0;
    }
    return HV_ERROR_NO_RESOURCES;
}

bool interrupts_take(struct interrupts *interrupts, uint32_t slot, struct interrupt_group *group)
{
    for (uint32_t i = 0; i < INTERRUPTS_MAXIMUM; i++) {
        if (!interrupts->group[i].used || interrupts->group[i].slot != slot)
            continue;
        *group = interrupts->group[i];
        interrupts->group[i].used = false;
        interrupts->deleted++;
        return true;
    }
    return false;
}

uint32_t interrupts_messages(struct config *config, const struct config_port *port)
{
    uint32_t offset = config_find_capability(config, port, PCI_CAPABILITY_MSIX), control;

    if (offset != 0) {
        control = config_read(config, port, offset + PCI_MSIX_CONTROL, 2);
        return (control & PCI_MSIX_COUNT) + 1;
    }
    offset = config_find_capability(config, port, PCI_CAPABILITY_MSI);
    if (offset == 0)
        return 0;
    control = config_read(config, port, offset + PCI_MSI_CONTROL, 2);
    return 1u << (control >> PCI_MSI_CAPABLE_SHIFT & 7);
}

uint32_t interrupts_vectors(uint32_t messages)
{
    uint32_t vectors = messages != 0;

    while (vectors != 0 && 2 * vectors <= messages && 2 * vectors <= VPCI_VECTORS_MAXIMUM)
        vectors *= 2;
    return vectors;
}

uint32_t interrupts_make_retarget(struct retarget_input *input, uint64_t device,
                                  const struct interrupt_group *group, uint32_t index,
                                  uint32_t processor, uint32_t *variable)
{
    memset(input, 0, sizeof *input);
    input->call.partition = HV_PARTITION_SELF;
    input->call.device = device;
    input->call.source = HV_INTERRUPT_SOURCE_MSI;
    input->call.address = (uint32_t)group->message.address;
    input->call.data = group->message.data + index;
    input->call.vector = group->vector + index;
    if (processor < PROCESSORS_PER_BANK) {
        input->call.processors = UINT64_C(1) << processor;
        *variable = 0;
        return sizeof input->call;
    }
    input->call.flags = HV_INTERRUPT_PROCESSOR_SET;
    input->call.processors = HV_PROCESSOR_SET_SPARSE;
    input->valid_banks = UINT64_C(1) << (processor / PROCESSORS_PER_BANK);
    input->bank = UINT64_C(1) << (processor % PROCESSORS_PER_BANK);
    *variable = 2;                      /* the mask of banks, and one bank */
    return sizeof *input;
}
