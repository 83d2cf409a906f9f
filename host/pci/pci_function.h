/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A PCI function of the host: configuration space, regions (BARs and expansion ROM) that are memory
 * or a model's registers, MSI and MSI-X, and the model that gives it a life of its own.
 *
 * It knows no bus: what it wants of the world it asks of its owner (host/devices/vpci.h). It owns
 * no thread and no clock; one thread makes all calls.
 *
 * Facts: PCI Local Bus 3.0, chapter 6; how Hyper-V treats BARs: docs/pci.md.
 */
#ifndef HOST_PCI_PCI_FUNCTION_H
#define HOST_PCI_PCI_FUNCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/pci.h"

struct guest_memory;
struct json_object;
struct pci_function;

enum {
    PCI_ROM = PCI_BARS, /* its index among the regions */
    PCI_REGIONS,
    PCI_PAGE = 4096,
    PCI_REGION_SIZE_MINIMUM = 16,
    PCI_ROM_SIZE_MINIMUM = 2048,
    PCI_PORTS_MAXIMUM = 256,
};
#define PCI_REGION_SIZE_MAXIMUM (UINT64_C(1) << 36)

struct pci_identity {
    uint16_t vendor, device, subsystem_vendor, subsystem;
    uint8_t revision;
    uint32_t class_code; /* base << 16 | sub << 8 | programming interface */
};

/* A BAR or the expansion ROM. */
struct pci_region {
    uint64_t size;       /* a power of two; 0: there is none */
    bool is_64_bit, is_prefetchable;
    bool is_port;        /* ports, which Hyper-V assigns to nobody: they are never decoded */
    bool is_trapped;     /* accesses come to the model; else it is memory */
    int descriptor;      /* memory: the file behind it; else -1 */
    uint8_t *memory;     /* memory: pci_region_span() bytes, shared with the guest */
};

/* What the function's owner does for it. */
struct pci_owner {
    void *context;
    /* pci_region_address() of some region is another than it was. */
    void (*decoding_changed)(void *context, struct pci_function *function);
    /* The function writes an interrupt message. */
    void (*message)(void *context, struct pci_function *function, uint64_t address, uint32_t data);
    /* The guest's driver broke a rule of the device. */
    void (*violation)(void *context, struct pci_function *function, const char *rule);
};

/* What a kind of device does. Every operation may be NULL. */
struct pci_model_operations {
    /* Accesses in a trapped region, except its MSI-X table; size is 1, 2, 4 or 8. */
    uint64_t (*read)(struct pci_function *function, unsigned region, uint64_t offset,
                     unsigned size);
    void (*write)(struct pci_function *function, unsigned region, uint64_t offset, unsigned size,
                  uint64_t value);
    /* Back to power-on, as far as the model goes. What is in flight ends; see is_busy. */
    void (*reset)(struct pci_function *function);
    /* True while the device may still touch guest memory. */
    bool (*is_busy)(const struct pci_function *function);
    void (*describe)(const struct pci_function *function, struct json_object *to);
    void (*free)(struct pci_function *function);
};

struct pci_msix {
    unsigned count; /* 0: none */
    unsigned table_region, pending_region;
    uint32_t table_offset, pending_offset;
    struct pci_msix_entry *entries;
    uint64_t *pending; /* bits */
};

struct pci_function {
    const struct pci_model_operations *operations;
    const char *model; /* static text */
    void *state;       /* the model's */
    struct pci_owner owner;
    const struct guest_memory *memory; /* for DMA; NULL while there is none */
    uint32_t slot;     /* VPCI_SLOT() */
    uint32_t serial;
    int numa_node;     /* or -1 */
    struct pci_region regions[PCI_REGIONS];
    struct pci_msix msix;
    uint8_t config[PCI_CONFIG_EXTENDED_SIZE];
    uint8_t writable[PCI_CONFIG_EXTENDED_SIZE]; /* a bit a bit of config */
    uint8_t msi_offset, msix_offset, power_offset; /* of the capabilities; 0: none */
    uint8_t capability_end; /* where the next capability goes */
    uint8_t last_capability;
    uint64_t interrupts; /* messages sent */
};

/* ---- Building one: what the description and the model do ---- */

/* A function with this identity and nothing else, or NULL when memory is short. */
struct pci_function *pci_function_new(const struct pci_identity *identity);

/* `operations->free`, then everything else. NULL is allowed. */
void pci_function_free(struct pci_function *function);

void pci_set_identity(struct pci_function *function, const struct pci_identity *identity);
void pci_get_identity(const struct pci_function *function, struct pci_identity *identity);

/*
 * Adds a region; memory behind one that is not trapped is made here, as zeros. Index PCI_ROM: the
 * expansion ROM, 32 bits, read-only for the guest. Returns 0, -EINVAL (not a power of two, too
 * small, too large for its width, a 64-bit BAR in the last register), -EEXIST (the register is
 * taken) or another errno.
 */
int pci_add_region(struct pci_function *function, unsigned index, uint64_t size, bool is_64_bit,
                   bool is_prefetchable, bool is_trapped);

/* A BAR of ports: 4 to 256. A guest that finds one has to leave it alone. Results as above. */
int pci_add_ports(struct pci_function *function, unsigned index, unsigned count);

/* Bytes that a region takes where it appears: the hypervisor maps whole pages. */
uint64_t pci_region_span(const struct pci_region *region);

/* Add a capability. Return 0, -EEXIST (it has one), -ENOSPC or -EINVAL (numbers out of range). */
int pci_add_power(struct pci_function *function);
int pci_add_express(struct pci_function *function);
int pci_add_msi(struct pci_function *function, unsigned messages); /* 1, 2, 4 ... 32 */
/* The table and the pending bits have to lie in trapped regions, and apart. */
int pci_add_msix(struct pci_function *function, unsigned messages, unsigned table_region,
                 uint32_t table_offset, unsigned pending_region, uint32_t pending_offset);

/* ---- The guest's side ---- */

/* Power-on: command off, BARs at 0, interrupts off, the model reset. */
void pci_function_reset(struct pci_function *function);

/* size 1, 2 or 4, within a dword of the 4 KiB; the caller checks. */
uint32_t pci_config_read(const struct pci_function *function, unsigned offset, unsigned size);
void pci_config_write(struct pci_function *function, unsigned offset, unsigned size,
                      uint32_t value);

/* What a probe of BAR `index` (0 - 5) with all ones reads; 0: unimplemented. */
uint32_t pci_bar_mask(const struct pci_function *function, unsigned index);
/* Where a BAR points, whether or not it is decoded. Both halves; for the first register of one. */
uint64_t pci_bar_address(const struct pci_function *function, unsigned index);
/*
 * Sets a BAR's address, both halves, decoding or not. Returns 0 or -EINVAL (no such BAR, address
 * not a multiple of its size, or too large for it).
 */
int pci_set_bar_address(struct pci_function *function, unsigned index, uint64_t address);

/* True and *address: the region appears there at present. */
bool pci_region_address(const struct pci_function *function, unsigned region, uint64_t *address);
void pci_set_memory_enable(struct pci_function *function, bool on);

/* Accesses in a trapped region. */
uint64_t pci_region_read(struct pci_function *function, unsigned region, uint64_t offset,
                         unsigned size);
void pci_region_write(struct pci_function *function, unsigned region, uint64_t offset,
                      unsigned size, uint64_t value);

/* ---- For models ---- */

bool pci_is_master(const struct pci_function *function);

/*
 * Copies between the device and guest memory. Return 0, -EACCES (bus mastering is off) or -EFAULT
 * (not RAM).
 */
int pci_dma_read(const struct pci_function *function, uint64_t gpa, void *to, size_t size);
int pci_dma_write(const struct pci_function *function, uint64_t gpa, const void *from,
                  size_t size);

/* Interrupts with a vector from 0 on; a masked one becomes pending, without MSI all are lost. */
void pci_interrupt(struct pci_function *function, unsigned vector);
/* How many vectors the device has by MSI-X or else MSI. */
unsigned pci_vectors(const struct pci_function *function);

void pci_violation(struct pci_function *function, const char *rule);

/* ---- Between the files of this folder ---- */

static inline uint16_t pci_get16(const struct pci_function *function, unsigned offset)
{
    return (uint16_t)(function->config[offset] | function->config[offset + 1] << 8);
}

static inline uint32_t pci_get32(const struct pci_function *function, unsigned offset)
{
    return pci_get16(function, offset) | (uint32_t)pci_get16(function, offset + 2) << 16;
}

void pci_put16(uint8_t *bytes, unsigned offset, uint16_t value);
void pci_put32(uint8_t *bytes, unsigned offset, uint32_t value);

/* pci_interrupts.c */
void pci_interrupts_reset(struct pci_function *function);
/* The guest wrote to configuration space: a mask may have gone. */
void pci_interrupts_changed(struct pci_function *function);
/* True: the access is one to the MSI-X table or the pending bits, and done. */
bool pci_msix_read(struct pci_function *function, unsigned region, uint64_t offset, unsigned size,
                   uint64_t *value);
bool pci_msix_write(struct pci_function *function, unsigned region, uint64_t offset, unsigned size,
                    uint64_t value);

#endif
