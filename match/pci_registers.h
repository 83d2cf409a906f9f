/* SPDX-License-Identifier: BSD-3-Clause */
/* IOPCIMatch and its relatives: lists of values and masks against configuration registers
 * (IOPCIFamily IOPCIBridge.cpp: matchKeys, pciMatchNub; xnu strtoul). */
#ifndef MACHV_MATCH_PCI_REGISTERS_H
#define MACHV_MATCH_PCI_REGISTERS_H

#include "match/personality.h"

/* A configuration snapshot. A bit that is clear in `known` was not in the record. */
struct pci_registers {
    uint32_t id;             /* offset 0x00: device << 16 | vendor */
    uint32_t class_revision; /* offset 0x08: class << 8 | revision */
    uint32_t subsystem;      /* offset 0x2c: device << 16 | vendor; 0 when there is none */
    uint32_t known_id;
    uint32_t known_class_revision;
    uint32_t known_subsystem;
};

struct pci_value {
    uint64_t value;
    uint64_t mask;
    size_t start; /* position in the list's text */
    size_t end;
};

/* Takes the value that begins at `*position` of `text`, moves `*position` behind it. Returns false
 * where the list ends. `default_mask` holds when no '&' follows; without digits after '&' the mask
 * is 0. Numbers are 64 bit from macOS 11, cut to 32 before. */
bool pci_next_value(const char *text, size_t *position, uint64_t default_mask, unsigned release,
                    struct pci_value *value);

/* All PCI keys of `personality` against `registers`: IOPCIMatch, IOPCIPrimaryMatch,
 * IOPCISecondaryMatch, IOPCIClassMatch in this order, every one that is present must hold. A value
 * that is no string is answered with MATCH_NO: the kernel would read it as one. */
enum match_answer pci_match_registers(const struct plist *personality,
                                      const struct pci_registers *registers,
                                      const struct match_rules *rules);

/* The first of these keys whose value is no string, or NULL. */
const char *pci_bad_key(const struct plist *personality);

#endif
