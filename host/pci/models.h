/* SPDX-License-Identifier: BSD-3-Clause */
/* The kinds of PCI function there are: a file each, and a row in models.c. */
#ifndef HOST_PCI_MODELS_H
#define HOST_PCI_MODELS_H

#include "host/pci/pci_function.h"

struct disk;
struct disk_engine;

/* What a model may need from the machine. */
struct pci_resources {
    struct disk_engine *disks;
};

struct pci_model {
    const char *name;     /* as a description says it */
    const char *summary;  /* for people */
    struct pci_identity identity;
    /*
     * Adds regions, capabilities, operations and state to a new function. `members` is its JSON
     * object. Returns 0 or a negative errno and one line in `error`. NULL: nothing to add.
     */
    int (*make)(struct pci_function *function, struct json_object *members,
                const struct pci_resources *resources, char *error, size_t error_size);
    const char *const *members; /* names only this model understands, NULL at the end; or NULL */
};

/* NULL: there is none of this name. */
const struct pci_model *pci_model_find(const char *name);

extern const struct pci_model pci_test_device;   /* test_device.c */
extern const struct pci_model pci_nvme;          /* nvme.c */
extern const struct pci_model pci_network_card;  /* network_card.c */
extern const struct pci_model pci_graphics_card; /* graphics_card.c */
/* Where an NVMe controller has its disk, so that a filter can be put in front; NULL: no NVMe. */
struct disk **pci_nvme_disk(struct pci_function *function);
extern const struct pci_model pci_plain;         /* models.c: what the description says alone */

#endif
