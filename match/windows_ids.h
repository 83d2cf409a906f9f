/* SPDX-License-Identifier: BSD-3-Clause */
/* Identifiers that Windows gives PCI functions (Microsoft: "Identifiers for PCI Devices"; order of
 * list B as the PCI bus driver of Windows 2000 and later builds it). */
#ifndef MACHV_MATCH_WINDOWS_IDS_H
#define MACHV_MATCH_WINDOWS_IDS_H

#include "match/device_record.h"

enum { WINDOWS_ID_SIZE = 96, WINDOWS_IDS_MAX = 12 };

/* The fields of one "PCI\VEN_..." id. */
struct windows_pci_id {
    bool has_vendor;
    bool has_device;
    bool has_subsystem;
    bool has_revision;
    bool has_express_type;
    unsigned class_digits; /* 0, 4, 6 */
    unsigned vendor;
    unsigned device;
    unsigned subsystem; /* the eight digits: device << 16 | vendor */
    unsigned revision;
    unsigned class; /* as many digits as there are */
    unsigned express_type;
};

/* Reads "PCI\VEN_8086&DEV_15B8..." (the prefix may be absent, an instance behind a last backslash
 * is cut off). Returns false with a reason in `why` (`why_size` bytes): a field of the wrong width,
 * an unknown or repeated one. */
bool windows_pci_id_parse(const char *text, struct windows_pci_id *id, char *why, size_t why_size);
/* Writes it back in the canonical form, fields in the order VEN DEV SUBSYS REV CC DT. */
void windows_pci_id_format(const struct windows_pci_id *id, char text[WINDOWS_ID_SIZE]);
/* Is this a combination that Windows generates for some function? */
bool windows_pci_id_is_generated(const struct windows_pci_id *id);

enum windows_list { WINDOWS_LIST_B, WINDOWS_LIST_A };

struct windows_ids {
    char hardware[WINDOWS_IDS_MAX][WINDOWS_ID_SIZE];
    char compatible[WINDOWS_IDS_MAX][WINDOWS_ID_SIZE];
    size_t hardware_count;
    size_t compatible_count;
    bool incomplete; /* ids that need fields which the record lacks were left out */
};

/* All ids of a device in order of preference. `express_type` is the PCI Express device type for DT_
 * ids, or negative for none. ACPI and VMBus devices get the ids of their enumerators. */
void windows_ids_generate(const struct device_record *record, enum windows_list list,
                          int express_type, struct windows_ids *ids);

#endif
