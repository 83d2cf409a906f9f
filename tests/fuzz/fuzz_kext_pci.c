/* SPDX-License-Identifier: BSD-3-Clause */
/* Fuzz target: what a hostile host and boot loader can send to the PCI engines. Each step is a
 * kind, two length bytes and as many bytes: an event, an answer, probe masks with accesses to the
 * configuration space behind them, or a buffer of device properties. What the engines accept must
 * keep their promises. */
#include <stdlib.h>
#include <string.h>

#include "kext/pci/device_properties.h"
#include "kext/pci/interrupts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct guid class_id = GUID_INIT(0x44c4f61d, 0x4444, 0x4400, 0x9d, 0x52, 0x80, 0x2e,
                                              0x27, 0xed, 0xe1, 0x9f);
static const struct guid instance_id = GUID_INIT(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void event(struct vpci *vpci, const uint8_t *data, uint32_t length)
{
    struct vpci before = *vpci;
    struct vpci_event event;
    uint32_t i, j;

    if (vpci_receive(vpci, data, length, &event) != 0) {
        require(event.kind == VPCI_EVENT_NONE);
        require(memcmp(before.functions, vpci->functions, sizeof before.functions) == 0);
    }
    for (i = 0; i < VPCI_BUS_FUNCTIONS; i++)
        for (j = 0; j < i; j++)
            require(vpci->functions[i].state == VPCI_FUNCTION_NONE ||
                    vpci->functions[j].state == VPCI_FUNCTION_NONE ||
                    vpci->functions[i].description.slot != vpci->functions[j].description.slot);
}

static void answer(struct vpci *vpci, const uint8_t *data, uint32_t length)
{
    struct vpci_message_interrupt interrupt;
    uint32_t masks[VPCI_BARS];

    if (vpci_take_interrupt(vpci, data, length, 4, &interrupt) == 0)
        require(interrupt.vector_count == 4);
    (void)vpci_take_requirements(vpci, data, length, masks);
    if (vpci_version_answer(vpci, data, length) == HV_ERROR_NOT_SUPPORTED && vpci->version == 0)
        vpci_begin(vpci, VPCI_VERSION_1_4);
}

/* A function whose every byte is one of the input. */
struct function {
    const uint8_t *data;
    uint32_t length;
};

static uint32_t read(void *context, uint32_t slot, uint32_t offset, uint32_t size)
{
    const struct function *function = context;
    uint32_t value = 0;

    require(offset % 4 + size <= 4 && offset + size <= PCI_CONFIG_EXTENDED_SIZE);
    for (uint32_t i = 0; i < size && function->length > 0; i++)
        value |= (uint32_t)function->data[(offset + i) % function->length] << 8 * i;
    return value + slot;
}

static void write(void *context, uint32_t slot, uint32_t offset, uint32_t size, uint32_t value)
{
    (void)context;
    (void)slot;
    (void)value;
    require(offset % 4 + size <= 4 && offset + size <= PCI_CONFIG_EXTENDED_SIZE);
}

static void place(struct bars *bars)
{
    uint8_t order[BARS_COUNT];
    uint32_t count = bars_placing_order(bars, order), i;

    for (i = 0; i < count; i++) {
        const struct bar *bar = &bars->bar[order[i]];

        require(bar->present && (bar->size & (bar->size - 1)) == 0);
        require(bar->size >= BAR_SIZE_MINIMUM && bar->size <= BAR_SIZE_MAXIMUM);
        require(i == 0 || bars->bar[order[i - 1]].size >= bar->size);
        require(bars_place(bars, order[i], bar->size) == 0);
    }
}

static void accesses(const uint8_t *data, uint32_t length)
{
    struct function function = { data, length };
    const struct config_port port = { &function, read, write };
    struct vpci_function description = { .slot = 0 };
    struct config config;
    struct bars bars;
    uint32_t masks[PCI_BARS + 1];

    if (length < sizeof masks)
        return;
    memcpy(masks, data, sizeof masks);
    bars_read(&bars, masks, masks[PCI_BARS]);
    place(&bars);
    config_begin(&config, &description, &bars);
    for (; length >= 7; data += 7, length -= 7) {
        uint32_t offset = (uint32_t)data[0] | (uint32_t)(data[1] & 0x1f) << 8, value;

        memcpy(&value, data + 3, sizeof value);
        config.has_siblings = (data[1] & 0x80) != 0;
        if (data[2] & 0x80)
            config_write(&config, &port, offset, data[2] & 7, value);
        else
            (void)config_read(&config, &port, offset, data[2] & 7);
    }
    require(interrupts_vectors(interrupts_messages(&config, &port)) <= VPCI_VECTORS_MAXIMUM);
}

static void properties(const uint8_t *data, uint32_t length)
{
    struct device_properties list;
    struct device_property property;
    int error = device_properties_find(data, length, &class_id, &instance_id, &list);

    while (error == 0) {
        error = device_properties_next(&list, &property);
        if (error == 0)
            require(property.value >= data && property.value + property.length <= data + length &&
                    strlen(property.name) < sizeof property.name);
    }
}

static void step(struct vpci *vpci, uint8_t kind, const uint8_t *data, uint32_t length)
{
    uint8_t *copy = malloc(length ? length : 1);        /* so that reading beyond it shows */

    memcpy(copy, data, length);
    switch (kind % 4) {
    case 0: event(vpci, copy, length); break;
    case 1: answer(vpci, copy, length); break;
    case 2: accesses(copy, length); break;
    case 3: properties(copy, length); break;
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vpci vpci;

    vpci_begin(&vpci, VPCI_VERSION_1_4);
    while (size >= 3) {
        uint8_t kind = data[0];
        uint32_t length = (uint32_t)data[1] | (uint32_t)(data[2] & 7) << 8;

        data += 3;
        size -= 3;
        if (length > size)
            length = (uint32_t)size;
        step(&vpci, kind, data, length);
        data += length;
        size -= length;
    }
    return 0;
}
