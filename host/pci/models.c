/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of models. */
#include "host/pci/models.h"

#include <string.h>

const struct pci_model pci_plain = {
    .name = "plain",
    .summary = "an identity, with the BARs and capabilities of the description and no life",
    .identity = {.vendor = 0x1234, .device = 0x6d70, .subsystem_vendor = 0x1234,
                 .class_code = 0xff0000},
};

static const struct pci_model *const models[] = {
    &pci_test_device, &pci_nvme, &pci_network_card, &pci_graphics_card, &pci_plain,
};

const struct pci_model *pci_model_find(const char *name)
{
    for (unsigned i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        if (strcmp(models[i]->name, name) == 0) {
            return models[i];
        }
    }
    return NULL;
}
