/* SPDX-License-Identifier: BSD-3-Clause */
/* Configuration space of one function as macOS sees it. The ids come from the host's relations,
 * base addresses and the memory-enable bit are kept here, and everything else is the function's
 * own, behind the window. No I/O Kit in here; calls are serialised by the caller, interrupts off.
 *
 * Hosts read base addresses and the command register back wrongly, ignore writes to base addresses
 * while memory is enabled, and need seconds for each change of it when ranges are large. So base
 * addresses are written to the host only when memory is about to be enabled, and only if they have
 * changed; a probe with all ones never reaches the host.
 *
 * Sources: Linux pci-hyperv (_hv_pcifront_read_config), OpenVMM vpci_client. */
#ifndef KEXT_PCI_CONFIG_H
#define KEXT_PCI_CONFIG_H

#include "kext/pci/bars.h"
#include "protocol/vpci.h"

/* The function behind the window: natural accesses of 1, 2 or 4 bytes within a dword, offset below
 * PCI_CONFIG_EXTENDED_SIZE. */
struct config_port {
    void *context;
    uint32_t (*read)(void *context, uint32_t slot, uint32_t offset, uint32_t size);
    void (*write)(void *context, uint32_t slot, uint32_t offset, uint32_t size, uint32_t value);
};

struct config {
    struct vpci_function function;
    struct bars bars;
    bool memory_enabled;                /* as macOS has it */
    bool bars_changed;                  /* the function does not have them yet */
    uint32_t rom_enable;                /* bit 0 of the ROM's register */
    bool has_siblings;                  /* other functions in the slot: macOS looks for them only
                                         * if the header of function 0 says so */
};

/* Begins with the function's identity and its base addresses, placed already. The function has no
 * base address of ours yet and decodes no memory. */
void config_begin(struct config *config, const struct vpci_function *function,
                  const struct bars *bars);

/* Reads 1, 2 or 4 bytes; all ones where there is nothing: an offset beyond the end, or an access
 * across a dword. */
uint32_t config_read(struct config *config, const struct config_port *port, uint32_t offset,
                     uint32_t size);

/* Writes 1, 2 or 4 bytes; dropped where that is not possible. */
void config_write(struct config *config, const struct config_port *port, uint32_t offset,
                  uint32_t size, uint32_t value);

/* Turns memory and bus mastering off at the function, before its resources are released. */
void config_quiesce(struct config *config, const struct config_port *port);

/* The offset of a capability, below 0x100; 0 if there is none. A chain that loops ends. */
uint32_t config_find_capability(struct config *config, const struct config_port *port, uint8_t id);

#endif
