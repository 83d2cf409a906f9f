/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages about functions: requirements, resources, power, interrupts; each layout and refusal. */
#include "tests/unit/host-pci/vpci_rig.h"

#include "protocol/hypervisor.h"

#define TEST_DEVICE "{\"model\":\"test\"}"

/* A create-interrupt message of each layout. */
struct create {
    uint8_t bytes[88];
    size_t size;
};

static struct create create_message(unsigned layout, uint32_t slot, uint32_t vector,
                                    unsigned count, uint32_t processor)
{
    struct create create = {.size = 0};
    if (layout == 1) {
        const struct vpci_create_interrupt message = {
            VPCI_CREATE_INTERRUPT, slot,
            {(uint8_t)vector, VPCI_DELIVERY_FIXED, (uint16_t)count, 0, 1ull << processor}};
        create.size = sizeof(message);
        memcpy(create.bytes, &message, sizeof(message));
    } else if (layout == 2) {
        const struct vpci_create_interrupt_2 message = {
            VPCI_CREATE_INTERRUPT_2, slot,
            {(uint8_t)vector, VPCI_DELIVERY_FIXED, (uint16_t)count, 1, {(uint16_t)processor}, 0}};
        create.size = sizeof(message) - 2; /* as Linux sends it */
        memcpy(create.bytes, &message, create.size);
    } else {
        const struct vpci_create_interrupt_3 message = {
            VPCI_CREATE_INTERRUPT_3, slot,
            {vector, VPCI_DELIVERY_FIXED, 0, (uint16_t)count, 1, {(uint16_t)processor}, 0}};
        create.size = sizeof(message) - 2;
        memcpy(create.bytes, &message, create.size);
    }
    return create;
}

static uint32_t create_interrupt(struct rig *rig, unsigned layout, uint32_t vector, unsigned count,
                                 uint32_t processor, struct vpci_message_interrupt *message)
{
    const struct create create = create_message(layout, 0, vector, count, processor);
    struct received packet;
    struct vpci_create_interrupt_reply reply;
    const uint32_t status = rig_call(rig, create.bytes, create.size, &packet);
    if (status == VPCI_STATUS_SUCCESS && message != NULL) {
        assert_int_equal(packet.size, sizeof(reply));
        memcpy(&reply, packet.bytes, sizeof(reply));
        *message = reply.message;
    }
    return status;
}

static uint32_t delete_interrupt(struct rig *rig, const struct vpci_message_interrupt *message)
{
    const struct vpci_delete_interrupt request = {VPCI_DELETE_INTERRUPT, 0, *message};
    struct received packet;
    return rig_call(rig, &request, sizeof(request), &packet);
}

/* The device sends a message with vector 0 of MSI-X. */
static void fire(struct rig *rig, uint64_t address, uint32_t data)
{
    struct virtual_device *device = rig->device;
    const uint64_t table = 0xf8200000, registers = 0xf8100000;
    const uint16_t control =
        (uint16_t)rig_read_config(rig, PCI_CAPABILITIES, 1) + PCI_MSIX_CONTROL;
    rig_write_config(rig, PCI_BAR(0), 4, (uint32_t)registers);
    rig_write_config(rig, PCI_BAR(4), 4, (uint32_t)table);
    rig_write_config(rig, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    rig_write_config(rig, control, 2, PCI_MSIX_ENABLE);
    device->operations->write(device, DEVICE_SPACE_MEMORY, table, 8, address);
    device->operations->write(device, DEVICE_SPACE_MEMORY, table + 8, 8, data);
    device->operations->write(device, DEVICE_SPACE_MEMORY, registers + 0x24, 4, 0);
}

/* ---- Interrupts ---- */

static void interrupts_are_created_in_each_layout(void **state)
{
    static const struct { uint32_t version; unsigned layout; } cases[] = {
        {VPCI_VERSION_1_1, 1}, {VPCI_VERSION_1_2, 1}, {VPCI_VERSION_1_2, 2}, {VPCI_VERSION_1_3, 2},
        {VPCI_VERSION_1_4, 1}, {VPCI_VERSION_1_4, 2}, {VPCI_VERSION_1_4, 3},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig *rig = rig_running(TEST_DEVICE, cases[i].version);
        struct vpci_message_interrupt message;
        assert_int_equal(create_interrupt(rig, cases[i].layout, 0x51, 1, 3, &message),
                         VPCI_STATUS_SUCCESS);
        assert_int_equal(message.vector_count, 1);
        fire(rig, message.address, message.data);
        assert_int_equal(rig->interrupts, 1);
        assert_int_equal(rig->processor, 3);
        assert_int_equal(rig->vector, 0x51);
        assert_int_equal(delete_interrupt(rig, &message), VPCI_STATUS_SUCCESS);
        fire(rig, message.address, message.data);
        assert_int_equal(rig->interrupts, 1);
        assert_int_equal(rig->bench->violations, 0);
        rig_free(rig);
    }
}

static void newer_layouts_need_newer_versions(void **state)
{
    static const struct { uint32_t version; unsigned layout; } cases[] = {
        {VPCI_VERSION_1_1, 2}, {VPCI_VERSION_1_1, 3}, {VPCI_VERSION_1_2, 3}, {VPCI_VERSION_1_3, 3},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig *rig = rig_running(TEST_DEVICE, cases[i].version);
        assert_int_equal(create_interrupt(rig, cases[i].layout, 0x51, 1, 0, NULL),
                         VPCI_STATUS_BAD_DATA);
        bench_expect_violation(rig->bench, "belongs to the version");
        assert_int_equal(create_interrupt(rig, cases[i].layout - 1u > 1 &&
                                                       cases[i].version > VPCI_VERSION_1_1
                                                   ? 2 : 1, 0x51, 1, 0, NULL),
                         VPCI_STATUS_SUCCESS);
        rig_free(rig);
    }
}

static void several_messages_share_an_address(void **state)
{
    struct rig *rig = rig_running(TEST_DEVICE, VPCI_VERSION_1_4);
    struct vpci_message_interrupt one, eight;
    assert_int_equal(create_interrupt(rig, 3, 0x30, 1, 0, &one), VPCI_STATUS_SUCCESS);
    assert_int_equal(create_interrupt(rig, 3, 0x40, 8, 2, &eight), VPCI_STATUS_SUCCESS);
    assert_int_equal(eight.vector_count, 8);
    assert_int_equal(eight.data % 8, 0);
    assert_int_not_equal(eight.data, one.data);
    fire(rig, eight.address, eight.data + 7);
    assert_int_equal(rig->vector, 0x47);
    assert_int_equal(rig->processor, 2);
    assert_int_equal(delete_interrupt(rig, &eight), VPCI_STATUS_SUCCESS);
    assert_int_equal(delete_interrupt(rig, &eight), VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "that is deleted was created");
    fire(rig, one.address, one.data);
    assert_int_equal(rig->vector, 0x30);
    rig_free(rig);
}

static void interrupts_that_cannot_be_are_refused(void **state)
{
    static const struct { uint32_t vector; unsigned count; uint32_t processor; } cases[] = {
        {15, 1, 0}, {0x51, 3, 0}, {0x51, 64, 0}, {0xff, 2, 0}, {0x51, 1, RIG_PROCESSORS},
    };
    for (unsigned layout = 1; layout <= 3; layout++) {
        struct rig *rig = rig_running(TEST_DEVICE, VPCI_VERSION_1_4);
        for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            assert_int_equal(create_interrupt(rig, layout, cases[i].vector, cases[i].count,
                                              cases[i].processor, NULL),
                             VPCI_STATUS_BAD_DATA);
            bench_expect_violation(rig->bench, "an interrupt has vectors");
            assert_int_equal(create_interrupt(rig, layout, 0x51, 1, 0, NULL),
                             VPCI_STATUS_SUCCESS);
        }
        assert_int_equal(create_interrupt(rig, layout, 0, 0, 0, NULL), VPCI_STATUS_SUCCESS);
        rig_free(rig);
    }
}

static void lists_and_masks_of_processors_have_rules(void **state)
{
    struct rig *rig = rig_running(TEST_DEVICE, VPCI_VERSION_1_4);
    struct vpci_create_interrupt mask = {VPCI_CREATE_INTERRUPT, 0, {0x51, 0, 1, 0, UINT64_MAX}};
    struct vpci_create_interrupt_2 list = {VPCI_CREATE_INTERRUPT_2, 0,
                                           {0x51, 0, 1, 2, {3, 1}, 0}};
    struct received packet;
    assert_int_equal(rig_call(rig, &mask, sizeof(mask), &packet), VPCI_STATUS_SUCCESS);
    mask.interrupt.processors = 0;
    assert_int_equal(rig_call(rig, &mask, sizeof(mask), &packet), VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "processors that exist");
    mask.interrupt.processors = 1ull << 63;
    assert_int_equal(rig_call(rig, &mask, sizeof(mask), &packet), VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "processors that exist");
    assert_int_equal(rig_call(rig, &list, sizeof(list), &packet), VPCI_STATUS_SUCCESS);
    list.interrupt.processor_count = 0;
    assert_int_equal(rig_call(rig, &list, sizeof(list), &packet), VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "processors that exist");
    list.interrupt.processor_count = 33;
    assert_int_equal(rig_call(rig, &list, sizeof(list), &packet), VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "processors that exist");
    list.interrupt.processor_count = 2;
    list.interrupt.processors[1] = RIG_PROCESSORS;
    assert_int_equal(rig_call(rig, &list, sizeof(list), &packet), VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "processors that exist");
    list.interrupt.processors[1] = 0;
    list.interrupt.delivery_mode = 2;
    assert_int_equal(rig_call(rig, &list, sizeof(list), &packet), VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "a mode");
    list.interrupt.delivery_mode = VPCI_DELIVERY_LOWEST;
    assert_int_equal(rig_call(rig, &list, sizeof(list), &packet), VPCI_STATUS_SUCCESS);
    rig_free(rig);
}

static void a_function_has_494_messages(void **state)
{
    struct rig *rig = rig_running(TEST_DEVICE, VPCI_VERSION_1_4);
    struct vpci_message_interrupt message;
    for (unsigned i = 0; i < 494; i++) {
        assert_int_equal(create_interrupt(rig, 3, 0x51, 1, 0, &message), VPCI_STATUS_SUCCESS);
    }
    assert_int_equal(create_interrupt(rig, 3, 0x51, 1, 0, NULL), VPCI_STATUS_NO_RESOURCES);
    assert_int_equal(delete_interrupt(rig, &message), VPCI_STATUS_SUCCESS);
    assert_int_equal(create_interrupt(rig, 3, 0x51, 1, 0, NULL), VPCI_STATUS_SUCCESS);
    assert_int_equal(rig->bench->violations, 0);
    rig_free(rig);
}

static void messages_that_nobody_gave_out_are_reported(void **state)
{
    struct rig *rig = rig_running(TEST_DEVICE, VPCI_VERSION_1_4);
    struct vpci_message_interrupt message;
    assert_int_equal(create_interrupt(rig, 3, 0x51, 1, 0, &message), VPCI_STATUS_SUCCESS);
    fire(rig, message.address + 4, message.data);
    bench_expect_violation(rig->bench, "that the host gave out");
    fire(rig, message.address, 512);
    bench_expect_violation(rig->bench, "that the host gave out");
    assert_int_equal(rig->interrupts, 0);
    fire(rig, message.address, message.data);
    assert_int_equal(rig->interrupts, 1);
    rig_free(rig);
}

static void interrupts_are_retargeted(void **state)
{
    struct rig *rig = rig_running(TEST_DEVICE, VPCI_VERSION_1_4);
    struct vpci_message_interrupt message;
    const uint64_t id = 0x12345678; /* of the instance's second and third part, function 0 */
    assert_int_equal(create_interrupt(rig, 3, 0x51, 1, 0, &message), VPCI_STATUS_SUCCESS);
    const uint32_t address = (uint32_t)message.address, data = message.data;
    assert_true(vpci_has_device(rig->bus, id));
    assert_false(vpci_has_device(rig->bus, id + 1));
    assert_int_equal(vpci_retarget(rig->bus, id + 1, address, data, 0x60, 2),
                     HV_STATUS_INVALID_DEVICE_ID);
    assert_int_equal(vpci_retarget(rig->bus, id, address + 4, data, 0x60, 2),
                     HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(vpci_retarget(rig->bus, id, address, data + 1, 0x60, 2),
                     HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(vpci_retarget(rig->bus, id, address, 0xffffffff, 0x60, 2),
                     HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(vpci_retarget(rig->bus, id, address, data, 15, 2),
                     HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(vpci_retarget(rig->bus, id, address, data, 0x60, RIG_PROCESSORS),
                     HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(vpci_retarget(rig->bus, id, address, data, 0x60, 2), HV_STATUS_SUCCESS);
    fire(rig, message.address, message.data);
    assert_int_equal(rig->vector, 0x60);
    assert_int_equal(rig->processor, 2);
    rig_free(rig);
}

/* ---- Requirements, resources, power ---- */

static void requirements_are_the_masks(void **state)
{
    struct rig *rig = rig_running(TEST_DEVICE, VPCI_VERSION_1_2);
    const struct vpci_slot_message query = {VPCI_QUERY_REQUIREMENTS, 0};
    const uint32_t expected[VPCI_BARS] = {
        0xfffff000, 0, 0xffff0000 | PCI_BAR_64 | PCI_BAR_PREFETCHABLE, 0xffffffff, 0xfffff000, 0};
    struct received packet;
    assert_int_equal(rig_call(rig, &query, sizeof(query), &packet), VPCI_STATUS_SUCCESS);
    assert_memory_equal(packet.bytes + 4, expected, sizeof(expected));
    rig_free(rig);
}

static void ports_are_required_told_and_not_assigned(void **state)
{
    struct rig *rig = rig_running("{\"bars\":[{\"ports\":16}]}", VPCI_VERSION_1_4);
    const struct vpci_slot_message query = {VPCI_QUERY_REQUIREMENTS, 0};
    const struct vpci_query_resources resources = {.type = VPCI_QUERY_RESOURCES};
    struct vpci_requirements_reply masks;
    struct vpci_resources_reply reply;
    struct received packet;
    assert_int_equal(rig_call(rig, &query, sizeof(query), &packet), VPCI_STATUS_SUCCESS);
    memcpy(&masks, packet.bytes, sizeof(masks));
    assert_int_equal(masks.bars[0], 0xfffffff0 | PCI_BAR_PORT);
    rig_call(rig, &resources, sizeof(resources), &packet);
    memcpy(&reply, packet.bytes, sizeof(reply));
    assert_int_equal(reply.bars[0].type, VPCI_RESOURCE_PORT);
    uint8_t message[216] = {0};
    struct vpci_resources_assigned assigned = {.type = VPCI_RESOURCES_ASSIGNED_3};
    assigned.bars[0] = (struct vpci_resource){VPCI_RESOURCE_MEMORY, 0, 0, 0xf8100000, 16, 0};
    memcpy(message, &assigned, sizeof(assigned));
    assert_int_equal(rig_call(rig, message, sizeof(message), &packet), VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "a resource is memory");
    rig_free(rig);
}

static struct vpci_resources_assigned assigned_nothing(uint32_t type)
{
    return (struct vpci_resources_assigned){.type = type};
}

/* With room for one entry of the largest kind, as a good guest sends it. */
static uint32_t assign(struct rig *rig, const struct vpci_resources_assigned *assigned,
                       struct received *packet)
{
    uint8_t message[sizeof(*assigned) + VPCI_ASSIGNED_ENTRY_3] = {0};
    memcpy(message, assigned, sizeof(*assigned));
    return rig_call(rig, message, sizeof(message), packet);
}

static void assigned_zeros_put_the_bars_at_zero(void **state)
{
    static const struct { uint32_t version, type; } cases[] = {
        {VPCI_VERSION_1_1, VPCI_RESOURCES_ASSIGNED},
        {VPCI_VERSION_1_2, VPCI_RESOURCES_ASSIGNED_2},
        {VPCI_VERSION_1_3, VPCI_RESOURCES_ASSIGNED_2},
        {VPCI_VERSION_1_4, VPCI_RESOURCES_ASSIGNED_3},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig *rig = rig_running(TEST_DEVICE, cases[i].version);
        const struct vpci_resources_assigned nothing = assigned_nothing(cases[i].type);
        struct received packet;
        rig_write_config(rig, PCI_BAR(0), 4, 0xf8100000);
        assert_int_equal(assign(rig, &nothing, &packet), VPCI_STATUS_SUCCESS);
        assert_int_equal(packet.size, sizeof(struct vpci_resources_assigned_reply));
        assert_int_equal(rig_read_config(rig, PCI_BAR(0), 4), 0);
        /* BARs that are in use stay where they are. */
        rig_write_config(rig, PCI_BAR(0), 4, 0xf8100000);
        rig_write_config(rig, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
        assert_int_equal(assign(rig, &nothing, &packet), VPCI_STATUS_SUCCESS);
        assert_int_equal(rig_read_config(rig, PCI_BAR(0), 4), 0xf8100000);
        assert_int_equal(rig->bench->violations, 0);
        rig_free(rig);
    }
}

static void assigned_addresses_are_taken_and_told(void **state)
{
    struct rig *rig = rig_running(TEST_DEVICE, VPCI_VERSION_1_4);
    const struct vpci_query_resources query = {.type = VPCI_QUERY_RESOURCES};
    struct vpci_resources_assigned assigned = assigned_nothing(VPCI_RESOURCES_ASSIGNED_2);
    struct vpci_resources_reply reply;
    struct received packet;
    assigned.bars[0] = (struct vpci_resource){VPCI_RESOURCE_MEMORY, 0, 0, 0xf8100000, 0x1000, 0};
    assigned.bars[2] = (struct vpci_resource){VPCI_RESOURCE_MEMORY_LARGE, 0,
                                              VPCI_RESOURCE_UNIT_256, 0xfe0000000, 0x100, 0};
    assert_int_equal(assign(rig, &assigned, &packet), VPCI_STATUS_SUCCESS);
    assert_memory_equal(packet.bytes + 8, assigned.bars, sizeof(assigned.bars));
    assert_int_equal(rig_read_config(rig, PCI_BAR(0), 4), 0xf8100000);
    assert_int_equal(rig_read_config(rig, PCI_BAR(3), 4), 0xf);
    rig_call(rig, &query, sizeof(query), &packet);
    memcpy(&reply, packet.bytes, sizeof(reply));
    assert_int_equal(reply.version, 1);
    assert_int_equal(reply.count, VPCI_BARS);
    assert_int_equal(reply.bars[2].address, 0xfe0000000);
    assert_int_equal(reply.bars[2].length, 0x10000);
    assert_int_equal(reply.bars[1].type, VPCI_RESOURCE_NONE);
    rig_free(rig);
}

static void resources_that_do_not_fit_are_refused(void **state)
{
    static const struct { unsigned bar; struct vpci_resource resource; } cases[] = {
        {0, {VPCI_RESOURCE_MEMORY, 0, 0, 0xf8100800, 0x1000, 0}},   /* crooked */
        {0, {VPCI_RESOURCE_MEMORY, 0, 0, 0x100000000, 0x1000, 0}},  /* too high */
        {0, {VPCI_RESOURCE_MEMORY, 0, 0, 0xf8100000, 0x1001, 0}},   /* too long */
        {0, {VPCI_RESOURCE_MEMORY_LARGE, 0, VPCI_RESOURCE_UNIT_4G, 0xf8100000, 1, 0}},
        {0, {VPCI_RESOURCE_MEMORY_LARGE, 0, VPCI_RESOURCE_UNIT_64K, 0xf8100000, 1, 0}},
        {0, {VPCI_RESOURCE_PORT, 0, 0, 0x1000, 0x10, 0}},
        {1, {VPCI_RESOURCE_MEMORY, 0, 0, 0xf8100000, 0x1000, 0}},   /* no such BAR */
        {3, {VPCI_RESOURCE_MEMORY, 0, 0, 0xf8100000, 0x1000, 0}},   /* an upper half */
    };
    struct rig *rig = rig_running(TEST_DEVICE, VPCI_VERSION_1_4);
    const struct vpci_resources_assigned nothing = assigned_nothing(VPCI_RESOURCES_ASSIGNED_2);
    struct received packet;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vpci_resources_assigned assigned = nothing;
        assigned.bars[cases[i].bar] = cases[i].resource;
        assert_int_equal(assign(rig, &assigned, &packet), VPCI_STATUS_BAD_DATA);
        bench_expect_violation(rig->bench, "a resource is memory");
        assert_int_equal(assign(rig, &nothing, &packet), VPCI_STATUS_SUCCESS);
    }
    /* No room for an entry, and fewer entries than it says. */
    assert_int_equal(rig_call(rig, &nothing, sizeof(nothing), &packet), VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "have room");
    struct vpci_resources_assigned many = nothing;
    many.interrupt_count = 2;
    assert_int_equal(assign(rig, &many, &packet), VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "have room");
    many.interrupt_count = UINT32_MAX;
    assert_int_equal(assign(rig, &many, &packet), VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "have room");
    rig_free(rig);
}

static void interrupts_may_be_assigned_at_once(void **state)
{
    for (unsigned layout = 1; layout <= 3; layout++) {
        static const uint32_t types[] = {0, VPCI_RESOURCES_ASSIGNED, VPCI_RESOURCES_ASSIGNED_2,
                                         VPCI_RESOURCES_ASSIGNED_3};
        static const size_t entries[] = {0, 16, 72, 80}, answered[] = {0, 16, 72, 72};
        struct rig *rig = rig_running(TEST_DEVICE, VPCI_VERSION_1_4);
        uint8_t message[136 + 2 * 80] = {0};
        struct vpci_resources_assigned head = assigned_nothing(types[layout]);
        struct vpci_message_interrupt created;
        struct received packet;
        head.interrupt_count = 2;
        memcpy(message, &head, sizeof(head));
        for (unsigned i = 0; i < 2; i++) {
            const struct create create = create_message(layout, 0, 0x70 + i, 1, i);
            memcpy(message + 136 + i * entries[layout], create.bytes + 8, create.size - 8);
        }
        assert_int_equal(rig_call(rig, message, 136 + 2 * entries[layout], &packet),
                         VPCI_STATUS_SUCCESS);
        assert_int_equal(packet.size, 136 + 2 * answered[layout]);
        memcpy(&created, packet.bytes + 136 + answered[layout], sizeof(created));
        fire(rig, created.address, created.data);
        assert_int_equal(rig->vector, 0x71);
        assert_int_equal(rig->processor, 1);
        /* One that cannot be: none is created. */
        message[136 + entries[layout]] = 0;
        assert_int_equal(rig_call(rig, message, 136 + 2 * entries[layout], &packet),
                         VPCI_STATUS_BAD_DATA);
        bench_expect_violation(rig->bench, "an interrupt has vectors");
        rig_free(rig);
    }
}

static void released_resources_are_gone(void **state)
{
    struct rig *rig = rig_running(TEST_DEVICE, VPCI_VERSION_1_4);
    const struct vpci_slot_message released = {VPCI_RESOURCES_RELEASED, 0};
    struct vpci_message_interrupt message;
    assert_int_equal(create_interrupt(rig, 3, 0x51, 1, 0, &message), VPCI_STATUS_SUCCESS);
    fire(rig, message.address, message.data);
    rig->ranges[0] = '\0';
    rig_put(rig, &released, sizeof(released), false);
    rig_expect_nothing(rig);
    rig_expect_ranges(rig, "untrap f8100000+1000\nunmap 0+10000\nuntrap f8200000+1000\n");
    assert_int_equal(rig_read_config(rig, PCI_BAR(0), 4), 0);
    fire(rig, message.address, message.data);
    assert_int_equal(rig->interrupts, 1);
    rig_free(rig);
}

static void power_states_switch_decoding(void **state)
{
    struct rig *rig = rig_running("{\"bars\":[{\"size\":\"4K\"}]}", VPCI_VERSION_1_1);
    struct vpci_power_state power = {VPCI_POWER_STATE, 0, VPCI_POWER_D0};
    struct received packet;
    rig_write_config(rig, PCI_BAR(0), 4, 0xf8100000);
    assert_int_equal(rig_call(rig, &power, sizeof(power), &packet), VPCI_STATUS_SUCCESS);
    rig_expect_ranges(rig, "map f8100000+1000\n");
    power.state = VPCI_POWER_D3;
    assert_int_equal(rig_call(rig, &power, sizeof(power), &packet), VPCI_STATUS_SUCCESS);
    rig_expect_ranges(rig, "unmap f8100000+1000\n");
    power.state = 2;
    assert_int_equal(rig_call(rig, &power, sizeof(power), &packet), VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "D0 or D3");
    power = (struct vpci_power_state){VPCI_POWER_STATE, 1, VPCI_POWER_D0};
    assert_int_equal(rig_call(rig, &power, sizeof(power), &packet), VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "names a slot");
    rig_free(rig);
}

/* ---- Messages that are none ---- */

static void short_and_unknown_messages_are_refused(void **state)
{
    static const struct { uint32_t type; size_t minimum; } messages[] = {
        {VPCI_POWER_STATE, 12}, {VPCI_QUERY_REQUIREMENTS, 8}, {VPCI_QUERY_RESOURCES, 8},
        {VPCI_D0_ENTRY, 16}, {VPCI_READ_BLOCK, 16}, {VPCI_WRITE_BLOCK, 16},
        {VPCI_EJECTION_COMPLETE, 8}, {VPCI_RESOURCES_ASSIGNED, 136},
        {VPCI_RESOURCES_ASSIGNED_2, 136}, {VPCI_RESOURCES_ASSIGNED_3, 136},
        {VPCI_RESOURCES_RELEASED, 8}, {VPCI_CREATE_INTERRUPT, 24}, {VPCI_CREATE_INTERRUPT_2, 78},
        {VPCI_CREATE_INTERRUPT_3, 82}, {VPCI_DELETE_INTERRUPT, 24},
        {VPCI_DELETE_INTERRUPT_2, 24},
    };
    struct rig *rig = rig_running(TEST_DEVICE, VPCI_VERSION_1_4);
    uint8_t message[256] = {0};
    struct received packet;
    for (unsigned i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        const size_t size = (messages[i].minimum - 1) / 8 * 8; /* it arrives padded to 8 */
        memcpy(message, &messages[i].type, 4);
        assert_int_equal(rig_call(rig, message, size, &packet), VPCI_STATUS_BAD_DATA);
        bench_expect_violation(rig->bench,
                               size == 0 ? "is one that guests send" : "as its type asks for");
        rig_put(rig, message, size, false); /* nobody wants to know: nothing comes */
        rig_expect_nothing(rig);
        rig->bench->violations = 0;
    }
    static const uint32_t unknown[] = {0, VPCI_BUS_RELATIONS, VPCI_EJECT, VPCI_INVALIDATE_BUS,
                                       0x4249001f, 0xffffffff};
    for (unsigned i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        memcpy(message, &unknown[i], 4);
        assert_int_equal(rig_call(rig, message, sizeof(message), &packet), VPCI_STATUS_BAD_DATA);
        bench_expect_violation(rig->bench, "is one that guests send");
    }
    static const uint32_t later[] = {VPCI_QUERY_STOP, VPCI_REENABLE, VPCI_QUERY_STOP_FAILED,
                                     VPCI_RESET_DEVICE};
    for (unsigned i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
        memcpy(message, &later[i], 4);
        assert_int_equal(rig_call(rig, message, sizeof(message), &packet),
                         VPCI_STATUS_NOT_SUPPORTED);
        assert_int_equal(rig_described(rig, "unsupported"), i + 1);
    }
    assert_int_equal(create_interrupt(rig, 3, 0x51, 1, 0, NULL), VPCI_STATUS_SUCCESS);
    assert_int_equal(rig->bench->violations, 0);
    rig_free(rig);
}

static void messages_about_empty_slots_are_refused(void **state)
{
    static const uint32_t types[] = {
        VPCI_QUERY_REQUIREMENTS, VPCI_QUERY_RESOURCES, VPCI_RESOURCES_ASSIGNED_2,
        VPCI_RESOURCES_RELEASED, VPCI_CREATE_INTERRUPT, VPCI_DELETE_INTERRUPT,
        VPCI_EJECTION_COMPLETE,
    };
    static const uint32_t slots[] = {1, 32, 256, 0xffffffff};
    struct rig *rig = rig_running(TEST_DEVICE, VPCI_VERSION_1_4);
    struct received packet;
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        for (unsigned j = 0; j < sizeof(slots) / sizeof(slots[0]); j++) {
            uint8_t message[256] = {0};
            memcpy(message, &types[i], 4);
            memcpy(message + 4, &slots[j], 4);
            assert_int_equal(rig_call(rig, message, sizeof(message), &packet),
                             VPCI_STATUS_BAD_DATA);
            bench_expect_violation(rig->bench, "names a slot that has a function");
        }
    }
    assert_int_equal(create_interrupt(rig, 1, 0x51, 1, 0, NULL), VPCI_STATUS_SUCCESS);
    rig_free(rig);
}

static void packets_of_another_kind_are_skipped(void **state)
{
    struct rig *rig = rig_running(TEST_DEVICE, VPCI_VERSION_1_4);
    struct guest_ring ring = rig_ring(rig, false);
    guest_ring_put_words(&ring, VMBUS_PACKET_COMPLETION, 0, 77, 2, 0);
    rig_pump(rig);
    bench_expect_violation(rig->bench, "in-band packet");
    assert_int_equal(create_interrupt(rig, 3, 0x51, 1, 0, NULL), VPCI_STATUS_SUCCESS);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interrupts_are_created_in_each_layout),
        cmocka_unit_test(newer_layouts_need_newer_versions),
        cmocka_unit_test(several_messages_share_an_address),
        cmocka_unit_test(interrupts_that_cannot_be_are_refused),
        cmocka_unit_test(lists_and_masks_of_processors_have_rules),
        cmocka_unit_test(a_function_has_494_messages),
        cmocka_unit_test(messages_that_nobody_gave_out_are_reported),
        cmocka_unit_test(interrupts_are_retargeted),
        cmocka_unit_test(requirements_are_the_masks),
        cmocka_unit_test(ports_are_required_told_and_not_assigned),
        cmocka_unit_test(assigned_zeros_put_the_bars_at_zero),
        cmocka_unit_test(assigned_addresses_are_taken_and_told),
        cmocka_unit_test(resources_that_do_not_fit_are_refused),
        cmocka_unit_test(interrupts_may_be_assigned_at_once),
        cmocka_unit_test(released_resources_are_gone),
        cmocka_unit_test(power_states_switch_decoding),
        cmocka_unit_test(short_and_unknown_messages_are_refused),
        cmocka_unit_test(messages_about_empty_slots_are_refused),
        cmocka_unit_test(packets_of_another_kind_are_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
