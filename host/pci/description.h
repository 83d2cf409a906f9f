/* SPDX-License-Identifier: BSD-3-Clause */
/* PCI functions from a JSON description: docs/pci.md has the members. */
#ifndef HOST_PCI_DESCRIPTION_H
#define HOST_PCI_DESCRIPTION_H

#include "host/pci/models.h"
#include "protocol/wire.h"

enum { PCI_FUNCTIONS_MAX = 8, PCI_NAME_MAX = 32 };

/* A bus: what one --pci describes. */
struct pci_description {
    char name[PCI_NAME_MAX];  /* "" if it says none */
    bool has_instance;
    struct guid instance;
    uint32_t version_min, version_max; /* VPCI_VERSION_*, 0: as the release has it */
    bool first_d0_fails;
    struct pci_function *functions[PCI_FUNCTIONS_MAX]; /* owned until taken */
    unsigned function_count;
};

/*
 * `text` is JSON if it begins with '{', else the name of a file with JSON in it. Returns 0, or a
 * negative errno and one line in `error`; then nothing is left behind.
 */
int pci_describe(const char *text, const struct pci_resources *resources,
                 struct pci_description *description, char *error, size_t error_size);

/* Frees the functions that are still there. */
void pci_description_free(struct pci_description *description);

#endif
