/* SPDX-License-Identifier: BSD-3-Clause */
/* machv's test device: copies by DMA, interrupts on demand. Registers: docs/pci.md. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/pci/models.h"
#include "protocol/pci_test_device.h"

enum { BURST_MAXIMUM = 65536, REGISTER = 4 };

struct test_device {
    uint32_t echo, status, offset, length, vector, checksum;
    uint64_t address; /* of the copy's other end */
    uint64_t copies;
};

static struct test_device *state_of(const struct pci_function *function)
{
    return function->state;
}

static uint8_t *buffer_of(const struct pci_function *function)
{
    return function->regions[PCI_TEST_BUFFER_BAR].memory;
}

/* ---- Copies ---- */

static int copy(struct pci_function *function, uint32_t command)
{
    struct test_device *device = state_of(function);
    if (device->length == 0 || device->length > PCI_TEST_BUFFER_SIZE ||
        device->offset > PCI_TEST_BUFFER_SIZE - device->length) {
        return -ERANGE;
    }
    uint8_t *at = buffer_of(function) + device->offset;
    int result = command == PCI_TEST_COMMAND_IN
                     ? pci_dma_read(function, device->address, at, device->length)
                     : pci_dma_write(function, device->address, at, device->length);
    device->checksum = 0;
    for (uint32_t i = 0; result == 0 && i < device->length; i++) {
        device->checksum += at[i];
    }
    return result;
}

static void run_command(struct pci_function *function, uint32_t command)
{
    struct test_device *device = state_of(function);
    switch (command) {
    case PCI_TEST_COMMAND_IN:
    case PCI_TEST_COMMAND_OUT:
        device->copies++;
        device->status = PCI_TEST_STATUS_DONE;
        if (copy(function, command) != 0) {
            device->status |= PCI_TEST_STATUS_FAILED;
            pci_violation(function, "the test device copies between its buffer and guest RAM");
        }
        pci_interrupt(function, device->vector);
        break;
    case PCI_TEST_COMMAND_CLEAR:
        memset(buffer_of(function), 0, PCI_TEST_BUFFER_SIZE);
        function->interrupts = 0;
        device->status = 0;
        break;
    default:
        pci_violation(function, "the test device has commands 1 to 3");
        break;
    }
}

static void burst(struct pci_function *function, uint32_t value)
{
    uint32_t count = value >> 8;
    if (count > BURST_MAXIMUM) {
        count = BURST_MAXIMUM;
    }
    for (uint32_t i = 0; i < count; i++) {
        pci_interrupt(function, value & 0xff);
    }
}

/* ---- Registers ---- */

static uint64_t read_register(struct pci_function *function, unsigned region, uint64_t offset,
                              unsigned size)
{
    const struct test_device *device = state_of(function);
    if (region != PCI_TEST_REGISTERS_BAR || size < REGISTER || offset % size != 0) {
        return UINT64_MAX;
    }
    switch (offset) {
    case PCI_TEST_IDENTITY:
        return PCI_TEST_IDENTITY_VALUE;
    case PCI_TEST_ECHO:
        return ~device->echo;
    case PCI_TEST_STATUS:
        return device->status;
    case PCI_TEST_COPY_ADDRESS:
        return device->address;
    case PCI_TEST_COPY_ADDRESS + REGISTER:
        return device->address >> 32;
    case PCI_TEST_COPY_OFFSET:
        return device->offset;
    case PCI_TEST_COPY_LENGTH:
        return device->length;
    case PCI_TEST_COPY_VECTOR:
        return device->vector;
    case PCI_TEST_INTERRUPTS:
        return function->interrupts;
    case PCI_TEST_CHECKSUM:
        return device->checksum;
    default:
        return 0;
    }
}

static void write_register(struct pci_function *function, unsigned region, uint64_t offset,
                           unsigned size, uint64_t value)
{
    struct test_device *device = state_of(function);
    const uint32_t low = (uint32_t)value;
    if (region != PCI_TEST_REGISTERS_BAR || size < REGISTER || offset % size != 0 ||
        (size > REGISTER && offset != PCI_TEST_COPY_ADDRESS)) {
        pci_violation(function, "the test device's registers are written in 4 bytes");
        return;
    }
    switch (offset) {
    case PCI_TEST_ECHO:
        device->echo = low;
        break;
    case PCI_TEST_COMMAND:
        run_command(function, low);
        break;
    case PCI_TEST_COPY_ADDRESS:
        device->address = size > REGISTER ? value : (device->address & ~0xffffffffull) | low;
        break;
    case PCI_TEST_COPY_ADDRESS + REGISTER:
        device->address = (device->address & 0xffffffffull) | value << 32;
        break;
    case PCI_TEST_COPY_OFFSET:
        device->offset = low;
        break;
    case PCI_TEST_COPY_LENGTH:
        device->length = low;
        break;
    case PCI_TEST_COPY_VECTOR:
        device->vector = low;
        break;
    case PCI_TEST_RAISE:
        pci_interrupt(function, low);
        break;
    case PCI_TEST_BURST:
        burst(function, low);
        break;
    default:
        pci_violation(function, "the test device has no such register to write");
        break;
    }
}

/* ---- Life ---- */

static void reset(struct pci_function *function)
{
    *state_of(function) = (struct test_device){.vector = PCI_TEST_VECTOR_NONE};
    memset(buffer_of(function), 0, PCI_TEST_BUFFER_SIZE);
}

static void describe(const struct pci_function *function, struct json_object *to)
{
    json_object_object_add(to, "copies", json_object_new_uint64(state_of(function)->copies));
}

static void release(struct pci_function *function)
{
    free(function->state);
}

static const struct pci_model_operations operations = {
    .read = read_register,
    .write = write_register,
    .reset = reset,
    .describe = describe,
    .free = release,
};

static int make(struct pci_function *function, struct json_object *members,
                const struct pci_resources *resources, char *error, size_t error_size)
{
    int result = pci_add_region(function, PCI_TEST_REGISTERS_BAR, PCI_TEST_REGISTERS_SIZE, false,
                                false, true);
    if (result == 0) {
        result = pci_add_region(function, PCI_TEST_BUFFER_BAR, PCI_TEST_BUFFER_SIZE, true, true,
                                false);
    }
    if (result == 0) {
        result = pci_add_region(function, PCI_TEST_MSIX_BAR, PCI_TEST_MSIX_SIZE, false, false,
                                true);
    }
    if (result == 0) {
        result = pci_add_msix(function, PCI_TEST_VECTORS, PCI_TEST_MSIX_BAR, 0, PCI_TEST_MSIX_BAR,
                              PCI_TEST_MSIX_PENDING);
    }
    if (result == 0) {
        result = pci_add_msi(function, PCI_TEST_VECTORS);
    }
    function->state = result == 0 ? calloc(1, sizeof(struct test_device)) : NULL;
    if (function->state == NULL) {
        result = result != 0 ? result : -ENOMEM;
        snprintf(error, error_size, "the test device cannot be made: %s", strerror(-result));
        return result;
    }
    function->operations = &operations;
    return 0;
}

const struct pci_model pci_test_device = {
    .name = "test",
    .summary = "machv's test device: copies by DMA, interrupts by MSI-X",
    .identity = {.vendor = PCI_TEST_VENDOR, .device = PCI_TEST_DEVICE,
                 .subsystem_vendor = PCI_TEST_VENDOR, .subsystem = 1,
                 .class_code = PCI_TEST_BASE_CLASS << 16},
    .make = make,
};
