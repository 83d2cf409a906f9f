/* SPDX-License-Identifier: BSD-3-Clause */
/* IOPCI2PCIBridge.c - bridges below bridges, of which there are none here: hosts pass functions
 * through, each below a bus of its own. A driver for one is told so and dropped; whatever else of
 * the class is called panics by its name. */
#include "abi/IOPCI2PCIBridge.h"

#include "xnu/families/pci/pci_private.h"
#include "xnu/machine/log.h"

void IOPCI2PCIBridge__free(IOPCI2PCIBridge *me)
{
    IOPCIBridge_super_free((IOPCIBridge *)me);
}

IOService *IOPCI2PCIBridge__probe(IOPCI2PCIBridge *me, IOService *provider, int32_t *score)
{
    machine_log("%s: no driver for %s: this kernel looks for nothing behind PCI-to-PCI bridges",
                object_class_name(me), IORegistryEntry_getName(entry_of(provider), NULL));
    return NULL;
}
