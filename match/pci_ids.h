/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of vendors, devices, subsystems and classes out of the list pci.ids (format: comments in
 * the file itself, https://pci-ids.ucw.cz). */
#ifndef MACHV_MATCH_PCI_IDS_H
#define MACHV_MATCH_PCI_IDS_H

#include "match/problems.h"

#include <stdint.h>

struct pci_ids;

enum { PCI_IDS_SIZE_MAX = 32 << 20 };

/* Reads a list of `size` bytes; lines that fit no form are reported with `place` and skipped.
 * Returns NULL when memory is out or the text is larger than PCI_IDS_SIZE_MAX. */
struct pci_ids *pci_ids_parse(const char *text, size_t size, const char *place,
                              struct problems *problems);
/* The same for a file; NULL also when it cannot be read (errno says why). */
struct pci_ids *pci_ids_load(const char *path, struct problems *problems);
void pci_ids_free(struct pci_ids *ids);

/* Each returns a borrowed name, or NULL. `ids` may be NULL. */
const char *pci_ids_vendor(const struct pci_ids *ids, unsigned vendor);
const char *pci_ids_device(const struct pci_ids *ids, unsigned vendor, unsigned device);
const char *pci_ids_subsystem(const struct pci_ids *ids, unsigned vendor, unsigned device,
                              unsigned subsystem_vendor, unsigned subsystem);
/* `class` has 8, 16 or 24 bits: base class, sub-class, programming interface. */
const char *pci_ids_class(const struct pci_ids *ids, unsigned class, unsigned bits);

/* Calls `visit` for each known sub-class of a base class. */
void pci_ids_sub_classes(const struct pci_ids *ids, unsigned base,
                         void (*visit)(void *context, unsigned sub_class), void *context);

#endif
