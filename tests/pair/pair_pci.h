/* SPDX-License-Identifier: BSD-3-Clause */
/* PCI busses of a pair's host: their windows and BARs appear in the guest's address space at once.
 * Freestanding types only, so that kernel-side test files can include it. */
#ifndef TESTS_PAIR_PAIR_PCI_H
#define TESTS_PAIR_PAIR_PCI_H

#include <stdbool.h>
#include <stdint.h>

struct pair_host;
struct virtual_device;

/* Offers a bus to the running guest, described as hvhost --pci takes it. NULL and a line: it is no
 * such description. pair_options.pci has those that are there from the start. */
struct virtual_device *pair_pci_plug(struct pair_host *host, const char *description);
/* The bus of that index among those that were made. */
struct virtual_device *pair_pci_bus(unsigned index);

/* The function in slot 0: asked back; taken away without asking. With the last one goes its bus. */
bool pair_pci_eject(struct virtual_device *bus);
bool pair_pci_remove(struct virtual_device *bus);
/* Puts it back, if the bus has stayed and the guest knows that it went. */
bool pair_pci_restore(struct virtual_device *bus);
/* Tells the guest to look at the bus again. */
void pair_pci_invalidate(struct virtual_device *bus);
/* The whole bus goes (RESCIND). */
void pair_pci_unplug(struct virtual_device *bus);
/* The guest has let go of it; then it may be forgotten. */
bool pair_pci_is_gone(const struct virtual_device *bus);
void pair_pci_forget(struct pair_host *host, struct virtual_device *bus);

/* Of its channel, of the version agreed on, of all messages that its functions sent. */
uint32_t pair_pci_channel(const struct virtual_device *bus);
uint32_t pair_pci_version(const struct virtual_device *bus);
uint64_t pair_pci_messages(const struct virtual_device *bus);
/* How many interrupts the guest has, and the processors that they go to (a bit each). */
unsigned pair_pci_targets(const struct virtual_device *bus, uint64_t *processors);
/* Ranges of the guest's address space that busses have now. */
unsigned pair_pci_ranges(void);

/* ---- for pair_host.c ---- */

struct virtual_device *pair_pci_new(const char *description);
uint64_t pair_pci_read(uint64_t address, uint32_t size);
void pair_pci_write(uint64_t address, uint32_t size, uint64_t value);
struct hypervisor_retarget;
uint32_t pair_pci_retarget(void *context, const struct hypervisor_retarget *retarget);

#endif
