/* SPDX-License-Identifier: BSD-3-Clause */
/* PCI functions without a bus: an owner that writes down what they want, and guest RAM. */
#ifndef TESTS_HOST_PCI_RIG_H
#define TESTS_HOST_PCI_RIG_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/disk/disk_engine.h"
#include "host/guest_memory.h"
#include "host/pci/description.h"

enum { RIG_RAM = 4 << 20, RIG_MESSAGES = 64 };

struct rig {
    struct pci_function *function;
    struct disk_engine *disks;
    struct guest_memory memory;
    uint8_t *ram; /* at guest-physical 0 */
    struct { uint64_t address; uint32_t data; } messages[RIG_MESSAGES];
    unsigned message_count, decoding_changes, violations;
    char rule[128];
};

static inline void rig_message(void *context, struct pci_function *function, uint64_t address,
                               uint32_t data)
{
    struct rig *rig = context;
    rig->messages[rig->message_count % RIG_MESSAGES].address = address;
    rig->messages[rig->message_count++ % RIG_MESSAGES].data = data;
}

static inline void rig_decoding_changed(void *context, struct pci_function *function)
{
    ((struct rig *)context)->decoding_changes++;
}

static inline void rig_violation(void *context, struct pci_function *function, const char *rule)
{
    struct rig *rig = context;
    rig->violations++;
    snprintf(rig->rule, sizeof(rig->rule), "%s", rule);
}

/* The first function of a description, in a machine with RAM. */
static inline struct rig *rig_create(const char *text)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    struct pci_description description;
    char error[512] = "";
    rig->disks = disk_engine_new();
    assert_non_null(rig->disks);
    const struct pci_resources resources = {.disks = rig->disks};
    if (pci_describe(text, &resources, &description, error, sizeof(error)) != 0) {
        fail_msg("%s", error);
    }
    assert_int_equal(description.function_count, 1);
    rig->function = description.functions[0];
    rig->function->owner =
        (struct pci_owner){rig, rig_decoding_changed, rig_message, rig_violation};
    rig->ram = aligned_alloc(GUEST_PAGE_SIZE, RIG_RAM);
    memset(rig->ram, 0, RIG_RAM);
    guest_memory_initialise(&rig->memory);
    assert_int_equal(guest_memory_add(&rig->memory, 0, RIG_RAM, rig->ram), 0);
    rig->function->memory = &rig->memory;
    return rig;
}

static inline void rig_free(struct rig *rig)
{
    pci_function_free(rig->function);
    disk_engine_free(rig->disks);
    free(rig->ram);
    free(rig);
}

/* Lets the disk do what it was asked to. */
static inline void rig_run_disk(struct rig *rig)
{
    while (disk_engine_busy(rig->disks)) {
        disk_engine_submit(rig->disks);
        disk_engine_run(rig->disks, 0);
    }
}

static inline void rig_enable(struct rig *rig)
{
    pci_config_write(rig->function, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

/* One violation more than at the last look, of a rule that contains `part`. */
static inline void rig_expect_violation(struct rig *rig, const char *part)
{
    assert_int_equal(rig->violations, 1);
    if (strstr(rig->rule, part) == NULL) {
        fail_msg("the rule was '%s', not '%s'", rig->rule, part);
    }
    rig->violations = 0;
}

/* Turns MSI-X on, with address 0xfee00000 + 16 * vector and data 0x40 + vector. */
static inline void rig_enable_msix(struct rig *rig)
{
    struct pci_function *function = rig->function;
    const struct pci_msix *msix = &function->msix;
    for (unsigned i = 0; i < msix->count; i++) {
        const uint64_t at = msix->table_offset + 16 * i;
        pci_region_write(function, msix->table_region, at, 4, 0xfee00000 + 16 * i);
        pci_region_write(function, msix->table_region, at + 4, 4, 0);
        pci_region_write(function, msix->table_region, at + 8, 4, 0x40 + i);
        pci_region_write(function, msix->table_region, at + 12, 4, 0);
    }
    pci_config_write(function, function->msix_offset + PCI_MSIX_CONTROL, 2, PCI_MSIX_ENABLE);
}

static inline void rig_expect_message(struct rig *rig, unsigned vector)
{
    assert_true(rig->message_count > 0);
    const unsigned last = (rig->message_count - 1) % RIG_MESSAGES;
    assert_int_equal(rig->messages[last].address, 0xfee00000 + 16 * vector);
    assert_int_equal(rig->messages[last].data, 0x40 + vector);
}

#endif
