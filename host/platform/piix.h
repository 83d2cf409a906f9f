/* SPDX-License-Identifier: BSD-3-Clause */
/* The PCI bus of a generation 1 machine: Intel's 440BX and PIIX4, and Microsoft's VGA adapter. What
 * Hyper-V shows of them to a guest that uses its synthetic devices: configuration space. The IDE
 * function has no drives behind its ports; IDE disks are on VMBus. */
#ifndef HOST_PLATFORM_PIIX_H
#define HOST_PLATFORM_PIIX_H

#include "host/devices/virtual_device.h"
#include "host/platform/pci_ports.h"

enum { PIIX_FUNCTIONS = 5 };

/* The functions as after firmware has set them up. */
void piix_reset(struct pci_ports_function functions[PIIX_FUNCTIONS]);

/* The virtual device; NULL when memory is short. */
struct virtual_device *piix_new(void);

#endif
