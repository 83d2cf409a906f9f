/* SPDX-License-Identifier: BSD-3-Clause */
/* Hypercall statuses, the schedule of retries, and finding the hypervisor. */
#include "kext/core/hypercall.h"
#include "kext/core/identity.h"
#include "tests/unit/kext-core/engines.h"

static void a_slowed_down_guest_tries_again(void **state)
{
    static const uint16_t again[] = { HV_STATUS_INVALID_CONNECTION_ID,
                                      HV_STATUS_INSUFFICIENT_BUFFERS,
                                      HV_STATUS_INSUFFICIENT_MEMORY, HV_STATUS_TIMEOUT,
                                      HV_STATUS_NO_RESOURCES };

    for (size_t i = 0; i < COUNT_OF(again); i++)
        assert_int_equal(hypercall_post_verdict(again[i], false), HYPERCALL_RETRY);
    assert_int_equal(hypercall_post_verdict(HV_STATUS_SUCCESS, false), HYPERCALL_DONE);
}

static void every_other_status_is_final(void **state)
{
    static const uint16_t final[] = { HV_STATUS_INVALID_HYPERCALL_CODE,
                                      HV_STATUS_INVALID_HYPERCALL_INPUT,
                                      HV_STATUS_INVALID_ALIGNMENT, HV_STATUS_INVALID_PARAMETER,
                                      HV_STATUS_ACCESS_DENIED, HV_STATUS_OPERATION_DENIED,
                                      HV_STATUS_INVALID_PORT_ID, HV_STATUS_INVALID_VP_STATE,
                                      HV_STATUS_INVALID_SYNIC_STATE, 0xFFFF };

    for (size_t i = 0; i < COUNT_OF(final); i++) {
        assert_int_equal(hypercall_post_verdict(final[i], false), HYPERCALL_FATAL);
        assert_int_equal(hypercall_signal_verdict(final[i]), HYPERCALL_FATAL);
    }
}

static void an_unknown_connection_is_final_during_the_first_contact_only(void **state)
{
    assert_int_equal(hypercall_post_verdict(HV_STATUS_INVALID_CONNECTION_ID, true),
                     HYPERCALL_FATAL);
    assert_int_equal(hypercall_post_verdict(HV_STATUS_INSUFFICIENT_BUFFERS, true),
                     HYPERCALL_RETRY);
    assert_int_equal(hypercall_signal_verdict(HV_STATUS_INVALID_CONNECTION_ID), HYPERCALL_FATAL);
}

static void delays_double_up_to_the_limit_and_end_with_the_budget(void **state)
{
    struct hypercall_retry retry = { 0 };
    uint32_t delay = 0, total = 0, expected = 1;

    while (hypercall_retry_next(&retry, &delay) == 0) {
        assert_int_equal(delay, expected);
        if (expected < HYPERCALL_RETRY_DELAY_MAXIMUM_US)
            expected *= 2;
        total += delay;
    }
    assert_int_equal(expected, HYPERCALL_RETRY_DELAY_MAXIMUM_US);
    assert_true(total <= HYPERCALL_RETRY_BUDGET_US);
    assert_true(total > HYPERCALL_RETRY_BUDGET_US - 2 * HYPERCALL_RETRY_DELAY_MAXIMUM_US);
    assert_int_equal(hypercall_retry_next(&retry, &delay), HV_ERROR_TIMED_OUT);
}

static void a_posted_block_shows_nothing_of_what_was_there(void **state)
{
    struct hv_post_message block;
    static const uint8_t zero[240];

    memset(&block, 0xA5, sizeof block);
    assert_int_equal(hypercall_fill_post(&block, 1, "hello", 5), 0);
    assert_int_equal(block.connection_id, 1);
    assert_int_equal(block.reserved, 0);
    assert_int_equal(block.message_type, HV_MESSAGE_TYPE_VMBUS);
    assert_int_equal(block.payload_size, 5);
    assert_memory_equal(block.payload, "hello", 5);
    assert_memory_equal(block.payload + 5, zero, 235);
    assert_int_equal(hypercall_fill_post(&block, 1, zero, 241), HV_ERROR_TOO_LARGE);
    assert_int_equal(hypercall_fill_post(&block, 1, zero, 240), 0);
}

static void the_guest_os_id_is_never_zero(void **state)
{
    assert_int_not_equal(hypercall_guest_os_id(0, 0), 0);
    assert_int_equal(hypercall_guest_os_id(22, 5), UINT64_C(22) << 32 | 5 << 24);
    assert_int_equal(hypercall_guest_os_id(0xFFFFFF16, 0) >> 40, 0);
}

/* ---- Identity -------------------------------------------------------------------------------- */

static struct processor_cpuid leaf_1, leaves[5];

static void fake_cpuid(uint32_t leaf, uint32_t subleaf, struct processor_cpuid *result)
{
    if (leaf == 1) {
        *result = leaf_1;
        return;
    }
    assert_in_range(leaf, HV_CPUID_VENDOR, HV_CPUID_RECOMMENDATIONS);
    *result = leaves[leaf - HV_CPUID_VENDOR];
}

static int be_hyper_v(void **state)
{
    leaf_1.ecx = HV_CPUID_1_ECX_HYPERVISOR;
    leaves[0] = (struct processor_cpuid){ HV_CPUID_ISOLATION, HV_VENDOR_EBX, HV_VENDOR_ECX,
                                          HV_VENDOR_EDX };
    leaves[1] = (struct processor_cpuid){ HV_INTERFACE_HV1, 0, 0, 0 };
    leaves[2] = (struct processor_cpuid){ 20348, 10 << 16, 0, 0 };
    leaves[3] = (struct processor_cpuid){
        HV_PRIVILEGE_HYPERCALL | HV_PRIVILEGE_SYNIC | HV_PRIVILEGE_VP_INDEX,
        HV_PRIVILEGE_POST_MESSAGES | HV_PRIVILEGE_SIGNAL_EVENTS, 0, HV_FEATURE_CRASH_MSRS };
    leaves[4] = (struct processor_cpuid){ HV_RECOMMEND_NO_AUTO_EOI, 0, 0, 0 };
    return 0;
}

static void hyper_v_is_recognised(void **state)
{
    struct identity identity;

    assert_int_equal(identity_read(&identity, fake_cpuid), 0);
    assert_int_equal(identity.build, 20348);
    assert_int_equal(identity.major, 10);
    assert_int_equal(identity.features, HV_FEATURE_CRASH_MSRS);
    assert_int_equal(identity.recommendations, HV_RECOMMEND_NO_AUTO_EOI);
    leaves[0].ebx = 0;                      /* what the vendor calls itself does not matter */
    assert_int_equal(identity_read(&identity, fake_cpuid), 0);
}

static void other_machines_are_not(void **state)
{
    struct identity identity;

    leaf_1.ecx = 0;
    assert_int_equal(identity_read(&identity, fake_cpuid), HV_ERROR_NOT_FOUND);
    be_hyper_v(NULL);
    leaves[0].eax = HV_CPUID_RECOMMENDATIONS;
    assert_int_equal(identity_read(&identity, fake_cpuid), HV_ERROR_NOT_FOUND);
    be_hyper_v(NULL);
    leaves[0].eax = 0xFFFFFFFF;
    assert_int_equal(identity_read(&identity, fake_cpuid), HV_ERROR_NOT_FOUND);
    be_hyper_v(NULL);
    leaves[1].eax = 0x4B4D564B;
    assert_int_equal(identity_read(&identity, fake_cpuid), HV_ERROR_NOT_FOUND);
}

static void each_privilege_that_vmbus_needs_is_insisted_on(void **state)
{
    static const uint32_t low[] = { HV_PRIVILEGE_HYPERCALL, HV_PRIVILEGE_SYNIC,
                                    HV_PRIVILEGE_VP_INDEX };
    static const uint32_t high[] = { HV_PRIVILEGE_POST_MESSAGES, HV_PRIVILEGE_SIGNAL_EVENTS };
    struct identity identity;

    for (size_t i = 0; i < COUNT_OF(low); i++) {
        be_hyper_v(NULL);
        leaves[3].eax &= ~low[i];
        assert_int_equal(identity_read(&identity, fake_cpuid), HV_ERROR_NOT_SUPPORTED);
    }
    for (size_t i = 0; i < COUNT_OF(high); i++) {
        be_hyper_v(NULL);
        leaves[3].ebx &= ~high[i];
        assert_int_equal(identity_read(&identity, fake_cpuid), HV_ERROR_NOT_SUPPORTED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slowed_down_guest_tries_again),
        cmocka_unit_test(every_other_status_is_final),
        cmocka_unit_test(an_unknown_connection_is_final_during_the_first_contact_only),
        cmocka_unit_test(delays_double_up_to_the_limit_and_end_with_the_budget),
        cmocka_unit_test(a_posted_block_shows_nothing_of_what_was_there),
        cmocka_unit_test(the_guest_os_id_is_never_zero),
        cmocka_unit_test_setup(hyper_v_is_recognised, be_hyper_v),
        cmocka_unit_test_setup(other_machines_are_not, be_hyper_v),
        cmocka_unit_test_setup(each_privilege_that_vmbus_needs_is_insisted_on, be_hyper_v),
    };

    return cmocka_run_group_tests_name("hypercall", tests, NULL, NULL);
}
