/* SPDX-License-Identifier: BSD-3-Clause */
/* PCI: the layout of configuration space, of BARs, of the capabilities that virtual functions have,
 * and of the MSI-X table.
 *
 * Source: PCI Local Bus 3.0, PCI Express Base; register names as in common drivers. */
#ifndef PROTOCOL_PCI_H
#define PROTOCOL_PCI_H

#include "protocol/wire.h"

#define PCI_CONFIG_SIZE          256u
#define PCI_CONFIG_EXTENDED_SIZE 4096u

/* ---- Header type 0 ---- */

#define PCI_VENDOR_ID         0x00u
#define PCI_DEVICE_ID         0x02u
#define PCI_COMMAND           0x04u
#define PCI_STATUS            0x06u
#define PCI_REVISION_ID       0x08u
#define PCI_PROGRAMMING       0x09u
#define PCI_SUBCLASS          0x0au
#define PCI_BASE_CLASS        0x0bu
#define PCI_CACHE_LINE_SIZE   0x0cu
#define PCI_LATENCY_TIMER     0x0du
#define PCI_HEADER_TYPE       0x0eu
#define PCI_BIST              0x0fu
#define PCI_BAR(index)        (0x10u + 4 * (index))
#define PCI_SUBSYSTEM_VENDOR  0x2cu
#define PCI_SUBSYSTEM_ID      0x2eu
#define PCI_ROM_BAR           0x30u
#define PCI_CAPABILITIES      0x34u
#define PCI_INTERRUPT_LINE    0x3cu
#define PCI_INTERRUPT_PIN     0x3du
#define PCI_HEADER_END        0x40u

#define PCI_BARS              6u
#define PCI_VENDOR_NONE       0xffffu

#define PCI_COMMAND_PORTS     0x0001u
#define PCI_COMMAND_MEMORY    0x0002u
#define PCI_COMMAND_MASTER    0x0004u
#define PCI_COMMAND_NO_INTX   0x0400u

#define PCI_STATUS_CAPABILITIES 0x0010u

#define PCI_HEADER_MULTIFUNCTION 0x80u

/* BARs: bits that are fixed. */
#define PCI_BAR_PORT          0x1u
#define PCI_BAR_64            0x4u
#define PCI_BAR_TYPE          0x6u
#define PCI_BAR_PREFETCHABLE  0x8u
#define PCI_BAR_ATTRIBUTES    0xfu      /* memory */
#define PCI_BAR_PORT_ATTRIBUTES 0x3u
#define PCI_ROM_ENABLE        0x1u
#define PCI_ROM_ATTRIBUTES    0x7ffu

/* ---- Capabilities: id, offset of the next ---- */

#define PCI_CAPABILITY_POWER  0x01u
#define PCI_CAPABILITY_MSI    0x05u
#define PCI_CAPABILITY_VENDOR 0x09u
#define PCI_CAPABILITY_EXPRESS 0x10u
#define PCI_CAPABILITY_MSIX   0x11u

#define PCI_POWER_SIZE        8u
#define PCI_POWER_CONTROL     4u        /* offset in the capability */
#define PCI_POWER_STATE       0x0003u   /* D0 .. D3 */
#define PCI_POWER_NO_RESET    0x0008u

#define PCI_MSI_CONTROL       2u        /* offsets in the capability */
#define PCI_MSI_ADDRESS       4u
#define PCI_MSI_ADDRESS_HIGH  8u        /* with PCI_MSI_64; the data follow the address */
#define PCI_MSI_DATA_32       8u
#define PCI_MSI_DATA_64       12u
#define PCI_MSI_SIZE_32       10u
#define PCI_MSI_SIZE_64       14u
#define PCI_MSI_ENABLE        0x0001u
#define PCI_MSI_CAPABLE_SHIFT 1         /* 3 bits: log2 of the messages it can have */
#define PCI_MSI_ENABLED_SHIFT 4         /* 3 bits: log2 of the messages it was given */
#define PCI_MSI_64            0x0080u

#define PCI_MSIX_SIZE         12u
#define PCI_MSIX_CONTROL      2u        /* offsets in the capability */
#define PCI_MSIX_TABLE        4u
#define PCI_MSIX_PENDING      8u
#define PCI_MSIX_COUNT        0x07ffu   /* messages - 1 */
#define PCI_MSIX_MASK_ALL     0x4000u
#define PCI_MSIX_ENABLE       0x8000u
#define PCI_MSIX_BAR          0x7u      /* of the table's and pending bits' location */
#define PCI_MSIX_VECTORS_MAXIMUM 2048u

struct pci_msix_entry {
    uint64_t address;
    uint32_t data;
    uint32_t control;                   /* PCI_MSIX_ENTRY_* */
} WIRE_PACKED;
WIRE_SIZE(struct pci_msix_entry, 16);
WIRE_OFFSET(struct pci_msix_entry, control, 12);

#define PCI_MSIX_ENTRY_MASKED 0x1u

#define PCI_EXPRESS_SIZE      60u       /* version 2 */
#define PCI_EXPRESS_FLAGS     2u        /* version in bits 0 - 3, port type in 4 - 7 */
#define PCI_EXPRESS_ENDPOINT  0x0u
#define PCI_EXPRESS_INTEGRATED 0x9u     /* an endpoint of the root complex */

#endif
