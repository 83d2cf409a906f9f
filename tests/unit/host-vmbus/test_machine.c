/* SPDX-License-Identifier: BSD-3-Clause */
/* Hypervisor, VMBus and a device together, as a guest sees them. */
#include <string.h>

#include "tests/unit/host-vmbus/machine_bench.h"

static void a_guest_connects_opens_and_exchanges_packets(void **state)
{
    struct machine_bench *bench = machine_create("2019");
    machine_connect(bench);
    for (uint64_t id = 1; id <= 3; id++) {
        machine_request(bench, id);
    }
    machine_step(bench, 0);
    assert_int_equal(bench->vectors, 1);
    uint32_t length;
    for (uint64_t id = 1; id <= 3; id++) {
        assert_int_equal(machine_completion(bench, &length), id);
        assert_int_equal(length, 16 + 32);
    }
    assert_int_equal(machine_completion(bench, &length), 0);
    assert_int_equal(bench->violations, 0);
    machine_free(bench);
}

static void more_messages_than_buffers_arrive_all_and_in_order(void **state)
{
    enum { GPADLS = 100 };
    struct machine_bench *bench = machine_create("2019");
    machine_connect(bench);
    for (uint32_t id = 1; id <= GPADLS; id++) {
        const uint32_t header[] = {VMBUS_MESSAGE_GPADL_HEADER, 0, 1, id, 16 | 1 << 16,
                                   4096, 0, 100, 0};
        assert_int_equal(machine_post(bench, header, sizeof(header)), HV_STATUS_SUCCESS);
    }
    for (uint32_t id = 1; id <= GPADLS; id++) {
        struct vmbus_message_gpadl_created created;
        size_t size;
        assert_int_equal(machine_take(bench, &created, &size), VMBUS_MESSAGE_GPADL_CREATED);
        assert_int_equal(size, sizeof(created));
        assert_int_equal(created.gpadl_id, id);
        assert_int_equal(created.status, 0);
    }
    machine_expect(bench, 0);
    machine_free(bench);
}

static void other_message_types_and_ports_are_refused(void **state)
{
    struct machine_bench *bench = machine_create("2012r2");
    struct hv_post_message block = {.connection_id = VMBUS_CONNECTION_MESSAGE, .message_type = 2,
                                    .payload_size = 8};
    memcpy(bench->ram + 20 * HV_PAGE_SIZE, &block, sizeof(block));
    assert_int_equal(hypervisor_hypercall(bench->machine.hypervisor, 0, HV_CALL_POST_MESSAGE,
                                          20 * HV_PAGE_SIZE, 0), HV_STATUS_INVALID_PARAMETER);
    block.message_type = HV_MESSAGE_TYPE_VMBUS;
    block.connection_id = VMBUS_CONNECTION_MULTI_CLIENT;
    memcpy(bench->ram + 20 * HV_PAGE_SIZE, &block, sizeof(block));
    assert_int_equal(hypervisor_hypercall(bench->machine.hypervisor, 0, HV_CALL_POST_MESSAGE,
                                          20 * HV_PAGE_SIZE, 0), HV_STATUS_INVALID_CONNECTION_ID);
    machine_free(bench);
}

static void a_reset_by_the_guest_closes_everything(void **state)
{
    struct machine_bench *bench = machine_create("2019");
    machine_connect(bench);
    assert_int_equal(
        hypervisor_write_msr(bench->machine.hypervisor, 0, HV_MSR_RESET, HV_RESET_NOW, 0),
        HYPERVISOR_NO_FAULT);
    assert_int_equal(bench->resets, 1);
    assert_false(bench->device_open);
    assert_false(vmbus_server_connected(bench->machine.server));
    assert_false(hypervisor_hypercalls_enabled(bench->machine.hypervisor));
    machine_free(bench);
}

static void the_release_decides_on_the_vmbus_version(void **state)
{
    struct machine_bench *bench = machine_create("2012");
    machine_contact(bench); /* 3.0 */
    struct vmbus_message_version_response response;
    size_t size;
    assert_int_equal(machine_take(bench, &response, &size), VMBUS_MESSAGE_VERSION_RESPONSE);
    assert_int_equal(response.version_supported, 0);
    machine_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_connects_opens_and_exchanges_packets),
        cmocka_unit_test(more_messages_than_buffers_arrive_all_and_in_order),
        cmocka_unit_test(other_message_types_and_ports_are_refused),
        cmocka_unit_test(a_reset_by_the_guest_closes_everything),
        cmocka_unit_test(the_release_decides_on_the_vmbus_version),
    };
    return cmocka_run_group_tests_name("host machine", tests, NULL, NULL);
}
