/* SPDX-License-Identifier: BSD-3-Clause */
/* The PCI bus towards the guest: versions, relations, D0, the window, ejection, removal. */
#include "tests/unit/host-pci/vpci_rig.h"

#define TWO_FUNCTIONS \
    "{\"functions\":[{\"model\":\"test\",\"serial\":7},{\"model\":\"network\",\"slot\":2," \
    "\"function\":1,\"numa-node\":3}]}"

static const uint32_t versions[] = {VPCI_VERSION_1_1, VPCI_VERSION_1_2, VPCI_VERSION_1_3,
                                    VPCI_VERSION_1_4};
enum { VERSIONS = sizeof(versions) / sizeof(versions[0]) };

/* ---- Versions ---- */

static void each_host_takes_its_versions(void **state)
{
    for (unsigned most = 0; most < VERSIONS; most++) {
        for (unsigned least = 0; least <= most; least++) {
            struct rig *rig = rig_create("{}", versions[least], versions[most]);
            assert_int_equal(rig_agree(rig, VPCI_VERSION_1_0), VPCI_STATUS_REVISION_MISMATCH);
            assert_int_equal(rig_agree(rig, 0x00020000), VPCI_STATUS_REVISION_MISMATCH);
            for (int i = VERSIONS - 1; i >= 0; i--) {
                const bool is_taken = i <= (int)most && i >= (int)least;
                const uint32_t status = rig_agree(rig, versions[i]);
                if (is_taken) {
                    assert_int_equal(status, VPCI_STATUS_SUCCESS);
                    break;
                }
                assert_int_equal(status, VPCI_STATUS_REVISION_MISMATCH);
            }
            assert_int_equal(rig->bench->violations, 0);
            rig_free(rig);
        }
    }
}

static void the_reply_names_the_highest_version(void **state)
{
    struct rig *rig = rig_create("{}", VPCI_VERSION_1_1, VPCI_VERSION_1_3);
    const uint32_t query[3] = {VPCI_QUERY_PROTOCOL_VERSION, VPCI_VERSION_1_1, 0};
    struct received packet;
    struct vpci_version_reply reply;
    assert_int_equal(rig_call(rig, query, sizeof(query), &packet), VPCI_STATUS_SUCCESS);
    memcpy(&reply, packet.bytes, sizeof(reply));
    assert_int_equal(reply.version, VPCI_VERSION_1_3); /* not what was asked for */
    rig_free(rig);
}

static void nothing_is_said_before_a_version(void **state)
{
    static const uint32_t types[] = {VPCI_QUERY_BUS_RELATIONS, VPCI_D0_ENTRY, VPCI_D0_EXIT,
                                     VPCI_QUERY_REQUIREMENTS, VPCI_RESOURCES_ASSIGNED,
                                     VPCI_CREATE_INTERRUPT, VPCI_RESOURCES_RELEASED};
    struct rig *rig = rig_create("{}", VPCI_VERSION_1_1, VPCI_VERSION_1_4);
    struct received packet;
    uint8_t message[256] = {0};
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        memcpy(message, &types[i], sizeof(types[i]));
        assert_int_equal(rig_call(rig, message, sizeof(message), &packet), VPCI_STATUS_BAD_DATA);
        bench_expect_violation(rig->bench, "belongs to the version");
    }
    rig_expect_ranges(rig, "");
    assert_int_equal(rig_agree(rig, VPCI_VERSION_1_4), VPCI_STATUS_SUCCESS);
    assert_int_equal(rig_agree(rig, VPCI_VERSION_1_4), VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "until one is agreed on");
    assert_int_equal(rig_enter_d0(rig), VPCI_STATUS_SUCCESS);
    rig_free(rig);
}

/* ---- Relations ---- */

static void relations_list_the_functions(void **state)
{
    for (unsigned i = 0; i < VERSIONS; i++) {
        const bool has_nodes = versions[i] >= VPCI_VERSION_1_3;
        const size_t size = has_nodes ? sizeof(struct vpci_function_2)
                                      : sizeof(struct vpci_function);
        struct rig *rig = rig_create(TWO_FUNCTIONS, VPCI_VERSION_1_1, VPCI_VERSION_1_4);
        const struct vpci_header query = {VPCI_QUERY_BUS_RELATIONS};
        struct vpci_function_2 function;
        struct vpci_bus_relations head;
        uint8_t event[8 + 2 * sizeof(function)];
        assert_int_equal(rig_agree(rig, versions[i]), VPCI_STATUS_SUCCESS);
        rig_put(rig, &query, sizeof(query), false);
        rig_expect_event(rig, has_nodes ? VPCI_BUS_RELATIONS_2 : VPCI_BUS_RELATIONS, event,
                         8 + 2 * size);
        memcpy(&head, event, sizeof(head));
        assert_int_equal(head.count, 2);
        memcpy(&function, event + 8, size);
        assert_int_equal(function.function.vendor, 0x1234);
        assert_int_equal(function.function.base_class, 0xff);
        assert_int_equal(function.function.slot, 0);
        assert_int_equal(function.function.serial, 7);
        memcpy(&function, event + 8 + size, size);
        assert_int_equal(function.function.device, 0x10d3);
        assert_int_equal(function.function.slot, VPCI_SLOT(2, 1));
        if (has_nodes) {
            assert_int_equal(function.flags, VPCI_FUNCTION_NUMA_VALID);
            assert_int_equal(function.numa_node, 3);
        }
        rig_expect_nothing(rig);
        rig_free(rig);
    }
}

static void who_wants_a_completion_of_the_query_gets_an_empty_one(void **state)
{
    struct rig *rig = rig_create("{}", VPCI_VERSION_1_1, VPCI_VERSION_1_4);
    const struct vpci_header query = {VPCI_QUERY_BUS_RELATIONS};
    struct received packet;
    rig_agree(rig, VPCI_VERSION_1_2);
    const uint64_t id = rig_put(rig, &query, sizeof(query), true);
    rig_expect_event(rig, VPCI_BUS_RELATIONS, NULL, 0);
    assert_true(rig_take(rig, &packet));
    assert_int_equal(packet.header.type, VMBUS_PACKET_COMPLETION);
    assert_int_equal(packet.header.transaction_id, id);
    assert_int_equal(packet.size, 0);
    rig_free(rig);
}

static void an_empty_bus_has_relations_too(void **state)
{
    struct rig *rig = rig_create("{\"functions\":[]}", VPCI_VERSION_1_1, VPCI_VERSION_1_4);
    const struct vpci_header query = {VPCI_QUERY_BUS_RELATIONS};
    struct vpci_bus_relations head;
    rig_agree(rig, VPCI_VERSION_1_4);
    rig_put(rig, &query, sizeof(query), false);
    rig_expect_event(rig, VPCI_BUS_RELATIONS_2, &head, sizeof(head));
    assert_int_equal(head.count, 0);
    rig_free(rig);
}

/* ---- D0 and the window ---- */

static void d0_entry_is_answered_once_the_window_is_there(void **state)
{
    struct rig *rig = rig_create("{}", VPCI_VERSION_1_1, VPCI_VERSION_1_4);
    const struct vpci_d0_entry entry = {VPCI_D0_ENTRY, 0, window_gpa};
    const struct vpci_slot_message requirements = {VPCI_QUERY_REQUIREMENTS, 0};
    struct received packet;
    rig_agree(rig, VPCI_VERSION_1_3);
    rig->hold = true;
    rig_put(rig, &entry, sizeof(entry), true);
    rig_expect_ranges(rig, "trap f8000000+2000\n");
    rig_expect_event(rig, VPCI_BUS_RELATIONS_2, NULL, 0); /* again, before the answer */
    rig_put(rig, &requirements, sizeof(requirements), true);
    rig_expect_nothing(rig);
    rig_answer(rig, 0);
    assert_true(rig_take(rig, &packet));
    assert_int_equal(packet.header.type, VMBUS_PACKET_COMPLETION);
    assert_memory_equal(packet.bytes, "\0\0\0\0", 4);
    assert_true(rig_take(rig, &packet)); /* and then what came behind it */
    assert_int_equal(packet.size, 32); /* 28, padded */
    rig_free(rig);
}

static void a_window_that_cannot_be_is_refused(void **state)
{
    struct rig *rig = rig_create("{}", VPCI_VERSION_1_1, VPCI_VERSION_1_4);
    struct vpci_d0_entry entry = {VPCI_D0_ENTRY, 0, window_gpa + 8};
    struct received packet;
    rig_agree(rig, VPCI_VERSION_1_1);
    assert_int_equal(rig_call(rig, &entry, sizeof(entry), &packet), VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "page-aligned");
    entry.window = UINT64_MAX & ~0xfffull;
    assert_int_equal(rig_call(rig, &entry, sizeof(entry), &packet), VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "page-aligned");
    rig_expect_ranges(rig, "");
    rig->result = -EEXIST;
    assert_int_equal(rig_enter_d0(rig), VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "where nothing else is");
    rig->result = 0;
    rig->status = -EINVAL; /* the monitor says no */
    assert_int_equal(rig_enter_d0(rig), VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "where nothing else is");
    rig->status = 0;
    assert_int_equal(rig_enter_d0(rig), VPCI_STATUS_SUCCESS);
    assert_int_equal(rig_read_config(rig, 0, 2), 0x1234);
    rig_free(rig);
}

static void the_first_d0_entry_may_fail(void **state)
{
    struct rig *rig = rig_create("{\"first-d0-entry-fails\":true}", VPCI_VERSION_1_1,
                                 VPCI_VERSION_1_4);
    const struct vpci_slot_message released = {VPCI_RESOURCES_RELEASED, 0};
    const struct vpci_header exit = {VPCI_D0_EXIT};
    struct received packet;
    rig_agree(rig, VPCI_VERSION_1_4);
    assert_int_equal(rig_enter_d0(rig), VPCI_STATUS_UNSUCCESSFUL);
    rig_put(rig, &released, sizeof(released), false);
    assert_int_equal(rig_call(rig, &exit, sizeof(exit), &packet), VPCI_STATUS_SUCCESS);
    assert_int_equal(rig_enter_d0(rig), VPCI_STATUS_SUCCESS);
    assert_int_equal(rig->bench->violations, 0);
    rig_free(rig);
}

static void the_window_follows_the_guest(void **state)
{
    struct rig *rig = rig_running("{}", VPCI_VERSION_1_4);
    const struct vpci_d0_entry elsewhere = {VPCI_D0_ENTRY, 0, 0xf9000000};
    const struct vpci_header exit = {VPCI_D0_EXIT};
    struct received packet;
    rig_put(rig, &elsewhere, sizeof(elsewhere), true);
    rig_expect_ranges(rig, "untrap f8000000+2000\ntrap f9000000+2000\n");
    rig_expect_event(rig, VPCI_BUS_RELATIONS_2, NULL, 0);
    assert_true(rig_take(rig, &packet));
    rig_put(rig, &elsewhere, sizeof(elsewhere), true); /* it is there already */
    rig_expect_ranges(rig, "");
    rig_expect_event(rig, VPCI_BUS_RELATIONS_2, NULL, 0);
    assert_true(rig_take(rig, &packet));
    assert_int_equal(rig_call(rig, &exit, sizeof(exit), &packet), VPCI_STATUS_SUCCESS);
    rig_expect_ranges(rig, "untrap f9000000+2000\n");
    assert_int_equal(rig_call(rig, &exit, sizeof(exit), &packet), VPCI_STATUS_SUCCESS);
    rig_expect_ranges(rig, "");
    rig_free(rig);
}

static void the_selector_chooses_the_function(void **state)
{
    struct rig *rig = rig_running(TWO_FUNCTIONS, VPCI_VERSION_1_2);
    struct virtual_device *device = rig->device;
    assert_int_equal(rig_read_config(rig, 0, 4), 0x6d761234);
    device->operations->write(device, DEVICE_SPACE_MEMORY, window_gpa, 4, VPCI_SLOT(2, 1));
    assert_int_equal(rig_read_config(rig, 0, 4), 0x10d38086);
    assert_int_equal(rig_read_config(rig, 2, 2), 0x10d3);
    assert_int_equal(rig_read_config(rig, 3, 1), 0x10);
    device->operations->write(device, DEVICE_SPACE_MEMORY, window_gpa, 4, 1);
    assert_int_equal(rig_read_config(rig, 0, 4), 0xffffffff);
    rig_write_config(rig, PCI_COMMAND, 2, 0xffff); /* goes nowhere */
    device->operations->write(device, DEVICE_SPACE_MEMORY, window_gpa, 4, 0);
    assert_int_equal(rig_read_config(rig, PCI_COMMAND, 2), 0);
    assert_int_equal(rig->bench->violations, 0);
    rig_free(rig);
}

static void accesses_of_the_window_have_rules(void **state)
{
    static const struct { uint64_t offset; uint32_t size; } cases[] = {
        {0, 4}, {4, 4}, {0x1000, 8}, {0x1002, 4}, {0x1003, 2}, {0x1ffe, 4},
    };
    struct rig *rig = rig_running("{}", VPCI_VERSION_1_2);
    struct virtual_device *device = rig->device;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint64_t value =
            device->operations->read(device, DEVICE_SPACE_MEMORY, window_gpa + cases[i].offset,
                                     cases[i].size);
        assert_int_equal(value, cases[i].size == 8 ? UINT64_MAX
                                                   : (1ull << 8 * cases[i].size) - 1);
        bench_expect_violation(rig->bench, "is read within a dword");
        if (cases[i].offset != 0) {
            device->operations->write(device, DEVICE_SPACE_MEMORY, window_gpa + cases[i].offset,
                                      cases[i].size, 1);
            bench_expect_violation(rig->bench, "is written within a dword");
        }
        assert_int_equal(rig_read_config(rig, 0, 2), 0x1234);
    }
    device->operations->write(device, DEVICE_SPACE_MEMORY, window_gpa, 2, 1);
    bench_expect_violation(rig->bench, "is written within a dword");
    rig_free(rig);
}

/* ---- Regions ---- */

static void regions_come_and_go_with_the_command_register(void **state)
{
    struct rig *rig = rig_running("{\"model\":\"test\"}", VPCI_VERSION_1_4);
    struct virtual_device *device = rig->device;
    rig_write_config(rig, PCI_BAR(0), 4, 0xf8100000);
    rig_write_config(rig, PCI_BAR(2), 4, 0xe0000000);
    rig_write_config(rig, PCI_BAR(3), 4, 0xf);
    rig_write_config(rig, PCI_BAR(4), 4, 0xf8200000);
    rig_expect_ranges(rig, "");
    rig_write_config(rig, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    rig_expect_ranges(rig, "trap f8100000+1000\nmap fe0000000+10000\ntrap f8200000+1000\n");
    assert_int_equal(device->operations->read(device, DEVICE_SPACE_MEMORY, 0xf8100000, 4),
                     0x3130766d);
    device->operations->write(device, DEVICE_SPACE_MEMORY, 0xf8100004, 4, 5);
    assert_int_equal(device->operations->read(device, DEVICE_SPACE_MEMORY, 0xf8100004, 4), ~5u);
    assert_int_equal(device->operations->read(device, DEVICE_SPACE_MEMORY, 0xf8300000, 4),
                     0xffffffff);
    rig_write_config(rig, PCI_COMMAND, 2, 0);
    rig_expect_ranges(rig, "untrap f8100000+1000\nunmap fe0000000+10000\nuntrap f8200000+1000\n");
    rig_free(rig);
}

static void a_region_that_cannot_be_is_reported_and_the_next_is_there(void **state)
{
    struct rig *rig = rig_running("{\"bars\":[{\"size\":\"4K\"}],\"rom\":{\"size\":\"4K\"}}",
                                  VPCI_VERSION_1_4);
    rig_write_config(rig, PCI_BAR(0), 4, 0x1000); /* RAM, the monitor says */
    rig->status = -EINVAL;
    rig_write_config(rig, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    bench_expect_violation(rig->bench, "where nothing else is");
    rig->status = 0;
    rig_write_config(rig, PCI_COMMAND, 2, 0);
    rig_expect_ranges(rig, "map 1000+1000\n"); /* nobody has to take it away */
    rig_write_config(rig, PCI_BAR(0), 4, 0xf8100000);
    rig_write_config(rig, PCI_ROM_BAR, 4, 0xf8200000 | PCI_ROM_ENABLE);
    rig_write_config(rig, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    rig_expect_ranges(rig, "map f8100000+1000\nmap ro f8200000+1000\n");
    rig_free(rig);
}

/* The hypervisor maps whole pages: a small BAR has one for itself. */
static void a_small_bar_begins_a_page(void **state)
{
    struct rig *rig = rig_running("{\"bars\":[{\"size\":\"256\",\"trapped\":true}]}",
                                  VPCI_VERSION_1_4);
    struct virtual_device *device = rig->device;
    rig_write_config(rig, PCI_BAR(0), 4, 0xf8100100);
    rig_write_config(rig, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    bench_expect_violation(rig->bench, "begins at a page");
    rig_expect_ranges(rig, "");
    rig_write_config(rig, PCI_COMMAND, 2, 0);
    rig_write_config(rig, PCI_BAR(0), 4, 0xf8100000);
    rig_write_config(rig, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    rig_expect_ranges(rig, "trap f8100000+1000\n");
    assert_int_equal(device->operations->read(device, DEVICE_SPACE_MEMORY, 0xf8100100, 4),
                     0xffffffff);
    rig_write_config(rig, PCI_COMMAND, 2, 0);
    rig_expect_ranges(rig, "untrap f8100000+1000\n");
    rig_free(rig);
}

static void the_monitors_end_is_no_fault_of_the_guest(void **state)
{
    struct rig *rig = rig_running("{\"bars\":[{\"size\":\"4K\"}]}", VPCI_VERSION_1_4);
    rig->hold = true;
    rig_write_config(rig, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    rig_answer(rig, -ENOTCONN);
    assert_int_equal(rig->bench->violations, 0);
    rig->hold = false;
    rig_free(rig);
}

/* ---- Ejection and removal ---- */

static void an_ejected_function_goes_when_the_guest_says_so(void **state)
{
    struct rig *rig = rig_running(TWO_FUNCTIONS, VPCI_VERSION_1_4);
    const struct vpci_ejection_complete complete = {VPCI_EJECTION_COMPLETE, 0, 0};
    struct vpci_slot_message eject;
    struct vpci_bus_relations relations;
    rig_write_config(rig, PCI_BAR(0), 4, 0xf8100000);
    rig_write_config(rig, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    rig->ranges[0] = '\0';
    assert_int_equal(vpci_eject(rig->bus, 5, rig->now_ns), -ENOENT);
    assert_int_equal(vpci_eject(rig->bus, 0, rig->now_ns), 0);
    assert_int_equal(vpci_eject(rig->bus, 0, rig->now_ns), -EALREADY);
    rig_pump(rig);
    rig_expect_event(rig, VPCI_EJECT, &eject, sizeof(eject));
    assert_int_equal(eject.slot, 0);
    assert_int_equal(rig_read_config(rig, 0, 2), 0x1234); /* still there */
    rig_put(rig, &complete, sizeof(complete), false);
    rig_expect_event(rig, VPCI_BUS_RELATIONS_2, &relations, sizeof(relations));
    assert_int_equal(relations.count, 1);
    assert_int_equal(rig_read_config(rig, 0, 2), 0xffff);
    rig_expect_ranges(rig, "untrap f8100000+1000\nunmap 0+10000\nuntrap 0+1000\n");
    /* A second time there is nothing to complete. */
    rig_put(rig, &complete, sizeof(complete), false);
    bench_expect_violation(rig->bench, "names a slot that has a function");
    const struct vpci_ejection_complete other = {VPCI_EJECTION_COMPLETE, VPCI_SLOT(2, 1), 0};
    rig_put(rig, &other, sizeof(other), false);
    bench_expect_violation(rig->bench, "that was asked for");
    rig_expect_nothing(rig);
    rig_free(rig);
}

static void the_last_function_takes_the_bus_with_it(void **state)
{
    struct rig *rig = rig_running("{}", VPCI_VERSION_1_4);
    const struct vpci_ejection_complete complete = {VPCI_EJECTION_COMPLETE, 0, 0};
    vpci_eject(rig->bus, 0, rig->now_ns);
    rig_pump(rig);
    rig_expect_event(rig, VPCI_EJECT, NULL, 0);
    assert_false(vpci_is_gone(rig->bus));
    rig->bench->text[0] = '\0';
    rig_put(rig, &complete, sizeof(complete), false);
    assert_non_null(strstr(rig->bench->text, "rescind"));
    rig_expect_ranges(rig, "untrap f8000000+2000\n");
    bench_channel_message(rig->bench, VMBUS_MESSAGE_RELID_RELEASED, CHANNEL);
    assert_true(vpci_is_gone(rig->bus));
    rig_free(rig);
}

static void a_guest_that_does_not_answer_has_60_seconds(void **state)
{
    const uint64_t second = 1000000000ull;
    struct rig *rig = rig_running("{}", VPCI_VERSION_1_4);
    rig->now_ns = 5 * second;
    assert_int_equal(rig->device->operations->deadline_ns(rig->device), UINT64_MAX);
    vpci_eject(rig->bus, 0, rig->now_ns);
    assert_int_equal(rig->device->operations->deadline_ns(rig->device), 65 * second);
    rig->now_ns = 65 * second - 1;
    rig_pump(rig);
    rig_expect_event(rig, VPCI_EJECT, NULL, 0);
    assert_int_equal(rig_read_config(rig, 0, 2), 0x1234);
    rig->now_ns++;
    rig->bench->text[0] = '\0';
    rig->device->operations->run(rig->device, rig->now_ns);
    assert_non_null(strstr(rig->bench->text, "rescind"));
    rig_free(rig);
}

static void a_function_without_a_driver_goes_at_once(void **state)
{
    struct rig *rig = rig_create(TWO_FUNCTIONS, VPCI_VERSION_1_1, VPCI_VERSION_1_4);
    struct vpci_bus_relations relations;
    const struct vpci_header query = {VPCI_QUERY_BUS_RELATIONS};
    assert_int_equal(vpci_eject(rig->bus, 0, 0), -ENOTCONN);
    assert_int_equal(vpci_remove(rig->bus, 0), -ENOENT);
    rig_agree(rig, VPCI_VERSION_1_1);
    rig_pump(rig);
    rig_put(rig, &query, sizeof(query), false);
    rig_expect_event(rig, VPCI_BUS_RELATIONS, &relations, sizeof(relations));
    assert_int_equal(relations.count, 1);
    rig_free(rig);
}

static void a_surprise_is_a_relations_event_without_it(void **state)
{
    struct rig *rig = rig_running(TWO_FUNCTIONS, VPCI_VERSION_1_1);
    struct vpci_bus_relations relations;
    assert_int_equal(vpci_remove(rig->bus, VPCI_SLOT(2, 1)), 0);
    rig_pump(rig);
    rig_expect_event(rig, VPCI_BUS_RELATIONS, &relations, sizeof(relations));
    assert_int_equal(relations.count, 1);
    const struct vpci_slot_message requirements = {VPCI_QUERY_REQUIREMENTS, VPCI_SLOT(2, 1)};
    struct received packet;
    assert_int_equal(rig_call(rig, &requirements, sizeof(requirements), &packet),
                     VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "names a slot that has a function");
    rig_free(rig);
}

static void a_function_comes_back_once_the_guest_knows_that_it_went(void **state)
{
    struct rig *rig = rig_running(TWO_FUNCTIONS, VPCI_VERSION_1_1);
    struct {
        struct vpci_bus_relations list;
        struct vpci_function functions[2];
    } relations;
    assert_int_equal(vpci_restore(rig->bus, VPCI_SLOT(2, 1)), -EEXIST);
    assert_int_equal(vpci_restore(rig->bus, VPCI_SLOT(3, 0)), -ENOENT);
    assert_int_equal(vpci_remove(rig->bus, VPCI_SLOT(2, 1)), 0);
    assert_int_equal(vpci_restore(rig->bus, VPCI_SLOT(2, 1)), -EBUSY);
    rig_pump(rig);
    rig_expect_event(rig, VPCI_BUS_RELATIONS, &relations, sizeof(relations.list));
    assert_int_equal(relations.list.count, 1);
    assert_int_equal(vpci_restore(rig->bus, VPCI_SLOT(2, 1)), 0);
    rig_pump(rig);
    rig_expect_event(rig, VPCI_BUS_RELATIONS, &relations, sizeof(relations));
    assert_int_equal(relations.list.count, 2);
    const struct vpci_slot_message requirements = {VPCI_QUERY_REQUIREMENTS, VPCI_SLOT(2, 1)};
    struct received packet;
    assert_int_equal(rig_call(rig, &requirements, sizeof(requirements), &packet),
                     VPCI_STATUS_SUCCESS);
    rig_free(rig);
}

static void a_bus_that_went_with_its_function_does_not_come_back(void **state)
{
    struct rig *rig = rig_running("{\"model\":\"test\"}", VPCI_VERSION_1_1);
    assert_int_equal(vpci_remove(rig->bus, 0), 0);
    rig_pump(rig);
    assert_int_equal(vpci_restore(rig->bus, 0), -ENOENT);
    rig_free(rig);
}

/* Before a version, after it, in D0, with regions shown, with an answer due. */
static void a_bus_is_rescinded_at_any_moment(void **state)
{
    for (unsigned moment = 0; moment < 5; moment++) {
        struct rig *rig = rig_create("{\"model\":\"test\"}", VPCI_VERSION_1_1, VPCI_VERSION_1_4);
        if (moment >= 1) {
            rig_agree(rig, VPCI_VERSION_1_4);
        }
        if (moment == 2 || moment == 3) {
            rig_enter_d0(rig);
            rig_write_config(rig, PCI_COMMAND, 2, moment == 3 ? PCI_COMMAND_MEMORY : 0);
        }
        if (moment == 4) {
            const struct vpci_d0_entry entry = {VPCI_D0_ENTRY, 0, window_gpa};
            rig->hold = true;
            rig_put(rig, &entry, sizeof(entry), true);
        }
        rig->device->operations->unplug(rig->device);
        bench_channel_message(rig->bench, VMBUS_MESSAGE_RELID_RELEASED, CHANNEL);
        rig->device->operations->run(rig->device, rig->now_ns);
        assert_int_equal(vpci_is_gone(rig->bus), moment != 4);
        rig_answer(rig, 0);
        assert_true(vpci_is_gone(rig->bus));
        assert_int_equal(rig->bench->violations, 0);
        rig->hold = false;
        rig_free(rig);
    }
}

static void a_closed_bus_is_as_new(void **state)
{
    struct rig *rig = rig_running("{\"model\":\"test\"}", VPCI_VERSION_1_4);
    struct received packet;
    rig_write_config(rig, PCI_BAR(0), 4, 0xf8100000);
    rig_write_config(rig, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    rig->ranges[0] = '\0';
    bench_channel_message(rig->bench, VMBUS_MESSAGE_CLOSE_CHANNEL, CHANNEL);
    rig_expect_ranges(rig, "untrap f8000000+2000\nuntrap f8100000+1000\nunmap 0+10000\n"
                           "untrap 0+1000\n");
    memset(bench_page(rig->bench, bench_ring_page(CHANNEL)), 0, 4 * HV_PAGE_SIZE);
    bench_teardown(rig->bench, CHANNEL, 100 + CHANNEL);
    bench_open_channel(rig->bench, CHANNEL);
    rig_pump(rig);
    assert_false(rig_take(rig, &packet));
    assert_int_equal(rig_agree(rig, VPCI_VERSION_1_4), VPCI_STATUS_SUCCESS);
    assert_int_equal(rig_enter_d0(rig), VPCI_STATUS_SUCCESS);
    assert_int_equal(rig_read_config(rig, PCI_BAR(0), 4), 0);
    rig_free(rig);
}

/* A device that still writes to guest memory: the guest gets its rings back when that is over. */
static void a_busy_device_holds_up_the_close(void **state)
{
    enum { CONFIGURATION = 0x14, SHUTDOWN = 1 << 14 };
    struct rig *rig = rig_running("{\"model\":\"nvme\",\"disk\":\"memory:1M\"}", VPCI_VERSION_1_4);
    rig_write_config(rig, PCI_BAR(0), 4, 0xf8100000);
    rig_write_config(rig, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    rig->device->operations->write(rig->device, DEVICE_SPACE_MEMORY, 0xf8100000 + CONFIGURATION, 4,
                                   SHUTDOWN); /* flushes the disk */
    bench_channel_message(rig->bench, VMBUS_MESSAGE_CLOSE_CHANNEL, CHANNEL);
    rig->bench->text[0] = '\0';
    bench_teardown(rig->bench, CHANNEL, 100 + CHANNEL);
    rig->device->operations->run(rig->device, rig->now_ns);
    bench_expect(rig->bench, "");
    while (disk_engine_busy(rig->disks)) {
        disk_engine_run(rig->disks, 0);
    }
    rig->device->operations->run(rig->device, rig->now_ns);
    assert_non_null(strstr(rig->bench->text, "torndown"));
    memset(bench_page(rig->bench, bench_ring_page(CHANNEL)), 0, 4 * HV_PAGE_SIZE);
    bench_open_channel(rig->bench, CHANNEL);
    rig_pump(rig);
    assert_int_equal(rig_agree(rig, VPCI_VERSION_1_4), VPCI_STATUS_SUCCESS);
    rig_free(rig);
}

/* ---- What hosts say besides ---- */

static void blocks_are_read_as_written_and_invalidated(void **state)
{
    struct rig *rig = rig_running("{}", VPCI_VERSION_1_4);
    struct vpci_write_block write = {VPCI_WRITE_BLOCK, 5, 0, 7, "seventh"};
    struct vpci_read_block read = {VPCI_READ_BLOCK, 5, 0, 12};
    struct vpci_invalidate_block invalidate;
    struct received packet;
    assert_int_equal(rig_call(rig, &write, 16 + 7, &packet), VPCI_STATUS_SUCCESS);
    assert_int_equal(rig_call(rig, &read, sizeof(read), &packet), VPCI_STATUS_SUCCESS);
    assert_memory_equal(packet.bytes + 4, "seventh\0\0\0\0\0", 12);
    read.size = 129;
    assert_int_equal(rig_call(rig, &read, sizeof(read), &packet), VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "a block is one of 64");
    read = (struct vpci_read_block){VPCI_READ_BLOCK, 64, 0, 1};
    assert_int_equal(rig_call(rig, &read, sizeof(read), &packet), VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "a block is one of 64");
    write.size = 128;
    assert_int_equal(rig_call(rig, &write, 16 + 7, &packet), VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "as many bytes of a block");
    write.slot = 1;
    assert_int_equal(rig_call(rig, &write, sizeof(write), &packet), VPCI_STATUS_BAD_DATA);
    bench_expect_violation(rig->bench, "names a slot");
    write.slot = 0;
    assert_int_equal(rig_call(rig, &write, sizeof(write), &packet), VPCI_STATUS_SUCCESS);
    assert_int_equal(vpci_invalidate_blocks(rig->bus, 9, 1), -ENOENT);
    assert_int_equal(vpci_invalidate_blocks(rig->bus, 0, 1ull << 63 | 1), 0);
    vpci_invalidate(rig->bus);
    rig_pump(rig);
    rig_expect_event(rig, VPCI_INVALIDATE_BLOCK, &invalidate, sizeof(invalidate));
    assert_int_equal(invalidate.blocks, 1ull << 63 | 1);
    rig_expect_event(rig, VPCI_INVALIDATE_BUS, NULL, 0);
    rig_expect_nothing(rig);
    rig_free(rig);
}

/* A ring that has no room: nothing is lost, and nothing is taken before its answer can go. */
static void a_full_ring_makes_the_guest_wait(void **state)
{
    struct rig *rig = rig_running("{}", VPCI_VERSION_1_4);
    const struct vpci_slot_message requirements = {VPCI_QUERY_REQUIREMENTS, 0};
    struct received packet;
    unsigned sent = 0, taken = 0;
    for (; sent < 120; sent++) { /* 32 bytes each; answers of 56 fill the ring */
        rig_put(rig, &requirements, sizeof(requirements), true);
    }
    vpci_invalidate(rig->bus);
    rig_pump(rig);
    uint64_t last = 0;
    while (rig_take(rig, &packet)) {
        if (packet.header.type == VMBUS_PACKET_COMPLETION) {
            assert_true(packet.header.transaction_id > last);
            last = packet.header.transaction_id;
            taken++;
        }
        rig_pump(rig);
    }
    assert_int_equal(taken, sent);
    assert_int_equal(rig->bench->violations, 0);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_host_takes_its_versions),
        cmocka_unit_test(the_reply_names_the_highest_version),
        cmocka_unit_test(nothing_is_said_before_a_version),
        cmocka_unit_test(relations_list_the_functions),
        cmocka_unit_test(who_wants_a_completion_of_the_query_gets_an_empty_one),
        cmocka_unit_test(an_empty_bus_has_relations_too),
        cmocka_unit_test(d0_entry_is_answered_once_the_window_is_there),
        cmocka_unit_test(a_window_that_cannot_be_is_refused),
        cmocka_unit_test(the_first_d0_entry_may_fail),
        cmocka_unit_test(the_window_follows_the_guest),
        cmocka_unit_test(the_selector_chooses_the_function),
        cmocka_unit_test(accesses_of_the_window_have_rules),
        cmocka_unit_test(regions_come_and_go_with_the_command_register),
        cmocka_unit_test(a_region_that_cannot_be_is_reported_and_the_next_is_there),
        cmocka_unit_test(a_small_bar_begins_a_page),
        cmocka_unit_test(the_monitors_end_is_no_fault_of_the_guest),
        cmocka_unit_test(an_ejected_function_goes_when_the_guest_says_so),
        cmocka_unit_test(the_last_function_takes_the_bus_with_it),
        cmocka_unit_test(a_guest_that_does_not_answer_has_60_seconds),
        cmocka_unit_test(a_function_without_a_driver_goes_at_once),
        cmocka_unit_test(a_surprise_is_a_relations_event_without_it),
        cmocka_unit_test(a_function_comes_back_once_the_guest_knows_that_it_went),
        cmocka_unit_test(a_bus_that_went_with_its_function_does_not_come_back),
        cmocka_unit_test(a_bus_is_rescinded_at_any_moment),
        cmocka_unit_test(a_closed_bus_is_as_new),
        cmocka_unit_test(a_busy_device_holds_up_the_close),
        cmocka_unit_test(blocks_are_read_as_written_and_invalidated),
        cmocka_unit_test(a_full_ring_makes_the_guest_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
