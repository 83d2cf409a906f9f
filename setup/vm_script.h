/* SPDX-License-Identifier: BSD-3-Clause */
/* The PowerShell script that creates the virtual machine. It is printed, never run. */
#ifndef MACHV_SETUP_VM_SCRIPT_H
#define MACHV_SETUP_VM_SCRIPT_H

#include <stdint.h>

#include "setup/data/support.h"
#include "setup/text.h"

enum { VM_DEVICES_MAX = 8, VM_BARS_MAX = 6 };

/* A PCI device to hand to the VM. */
struct vm_device {
    const char *location;       /* "PCIROOT(0)#PCI(0100)#PCI(0000)" */
    uint64_t bars[VM_BARS_MAX]; /* sizes in bytes */
    size_t bar_count;
};

struct vm_options {
    struct target target;
    bool client; /* the host is a Windows client, not a Server */
    const char *name;
    const char *folder;      /* on the Windows host; NULL: Hyper-V's own */
    const char *efi_disk;    /* VHDX on the host */
    const char *system_disk; /* made when it does not exist; NULL: in `folder` */
    const char *installer;   /* VHDX, or NULL */
    const char *network;     /* switch name */
    unsigned memory_mib;     /* 0: what the macOS needs */
    unsigned processors;     /* 0: 2 */
    unsigned disk_gib;
    unsigned width; /* screen, 0: leave */
    unsigned height;
    struct vm_device devices[VM_DEVICES_MAX];
    size_t device_count;
};

/* Why such a VM cannot be made; NULL when it can. */
const char *vm_refusal(const struct vm_options *options);

/* Appends the script. Every value that comes from the user stands in single quotes. */
void vm_script(const struct vm_options *options, struct text *script);

/* MMIO space for the devices in MiB: what must be below 4 GiB, and what above (twice the sum of the
 * large BARs, which must be aligned to their size; Microsoft, "Plan for deploying devices by using
 * Discrete Device Assignment"). */
void vm_mmio_space(const struct vm_options *options, unsigned *low_mib, unsigned *high_mib);

/* "16M", "256M", "8G", "4K" to bytes; 0 when it is not a power of two of at least 4 KiB. */
uint64_t vm_bar_size(const char *text);

#endif
