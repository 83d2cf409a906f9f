/* SPDX-License-Identifier: BSD-3-Clause */
/* Hypercalls: every status that a guest can be given. */
#include <string.h>

#include "tests/unit/host-hypervisor/bench.h"

enum { INPUT = INPUT_PAGE * HV_PAGE_SIZE };

static int setup(void **state)
{
    struct bench *bench = bench_create("2019", 0);
    bench_enable_hypercalls(bench);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    bench_free(*state);
    return 0;
}

static uint32_t call(struct bench *bench, uint64_t control, uint64_t input)
{
    uint64_t result = hypervisor_hypercall(bench->hypervisor, 0, control, input, 0);
    assert_int_equal(result >> 16, 0);
    return (uint32_t)result;
}

static struct hv_post_message *good_message(struct bench *bench)
{
    struct hv_post_message *block = (void *)bench_page(bench, INPUT_PAGE);
    memset(block, 0, sizeof(*block));
    block->connection_id = 1;
    block->message_type = HV_MESSAGE_TYPE_VMBUS;
    block->payload_size = 8;
    return block;
}

static void no_call_works_without_the_page(void **state)
{
    struct bench *bench = *state;
    bench_write(bench, 0, HV_MSR_HYPERCALL, 0);
    assert_int_equal(call(bench, HV_CALL_SIGNAL_EVENT | HV_HYPERCALL_FAST, 0x2001),
                     HV_STATUS_OPERATION_DENIED);
    bench_expect(bench, "");
    bench_expect_violation(bench, "enabled before");
}

static void a_message_is_posted(void **state)
{
    struct bench *bench = *state;
    struct hv_post_message *block = good_message(bench);
    assert_int_equal(call(bench, HV_CALL_POST_MESSAGE, INPUT), HV_STATUS_SUCCESS);
    bench_expect(bench, "post 1 type 1 size 8\n");
    block->payload_size = 0;
    assert_int_equal(call(bench, HV_CALL_POST_MESSAGE, INPUT), HV_STATUS_SUCCESS);
    block->payload_size = 240;
    block->connection_id = 0xFF000004; /* the top eight bits do not count */
    assert_int_equal(call(bench, HV_CALL_POST_MESSAGE, INPUT), HV_STATUS_SUCCESS);
    bench_expect(bench, "post 1 type 1 size 0\npost 4 type 1 size 240\n");
}

static void the_ports_status_is_given_to_the_guest_and_is_no_violation(void **state)
{
    struct bench *bench = *state;
    const uint32_t statuses[] = {HV_STATUS_INVALID_CONNECTION_ID, HV_STATUS_INSUFFICIENT_BUFFERS,
                                 HV_STATUS_INSUFFICIENT_MEMORY, HV_STATUS_TIMEOUT};
    good_message(bench);
    for (unsigned i = 0; i < 4; i++) {
        bench->post_status = statuses[i];
        assert_int_equal(call(bench, HV_CALL_POST_MESSAGE, INPUT), statuses[i]);
    }
    assert_int_equal(bench->violations, 0);
}

static void bad_messages_are_refused_and_the_next_good_one_works(void **state)
{
    struct bench *bench = *state;
    for (unsigned i = 0; i < 4; i++) {
        struct hv_post_message *block = good_message(bench);
        switch (i) {
        case 0: block->payload_size = 241; break;
        case 1: block->payload_size = 0xFFFFFFFF; break;
        case 2: block->message_type = HV_MESSAGE_TYPE_NONE; break;
        case 3: block->message_type = HV_MESSAGE_TYPE_TIMER_EXPIRED; break;
        }
        assert_int_equal(call(bench, HV_CALL_POST_MESSAGE, INPUT), HV_STATUS_INVALID_PARAMETER);
        bench_expect(bench, "");
        bench_expect_violation(bench, "valid");
    }
    good_message(bench);
    assert_int_equal(call(bench, HV_CALL_POST_MESSAGE, INPUT), HV_STATUS_SUCCESS);
}

static void input_blocks_are_aligned_in_one_page_of_ram(void **state)
{
    struct bench *bench = *state;
    memcpy(bench_page(bench, HYPERCALL_PAGE), good_message(bench),
           sizeof(struct hv_post_message));
    assert_int_equal(call(bench, HV_CALL_POST_MESSAGE, INPUT + 4), HV_STATUS_INVALID_ALIGNMENT);
    assert_int_equal(call(bench, HV_CALL_POST_MESSAGE, INPUT + 4096 - 248),
                     HV_STATUS_INVALID_ALIGNMENT);
    assert_int_equal(call(bench, HV_CALL_POST_MESSAGE, RAM_PAGES * HV_PAGE_SIZE),
                     HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(call(bench, HV_CALL_POST_MESSAGE, UINT64_C(0xFFFFFFFFFFFFF000)),
                     HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(call(bench, HV_CALL_POST_MESSAGE, HYPERCALL_PAGE * HV_PAGE_SIZE),
                     HV_STATUS_INVALID_PARAMETER); /* what lies under the overlay is not RAM */
    bench_expect(bench, "");
    assert_int_equal(bench->violations, 5);
}

static void events_are_signalled_fast_and_slow(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(call(bench, HV_CALL_SIGNAL_EVENT | HV_HYPERCALL_FAST, 0x2001),
                     HV_STATUS_SUCCESS);
    const struct hv_signal_event block = {.connection_id = 0x2002, .flag_number = 3};
    memcpy(bench_page(bench, INPUT_PAGE), &block, sizeof(block));
    assert_int_equal(call(bench, HV_CALL_SIGNAL_EVENT, INPUT), HV_STATUS_SUCCESS);
    assert_int_equal(call(bench, HV_CALL_SIGNAL_EVENT, INPUT + 1), HV_STATUS_INVALID_ALIGNMENT);
    bench_expect(bench, "event 2001 flag 0\nevent 2002 flag 3\n");
    assert_int_equal(call(bench, HV_CALL_SIGNAL_EVENT | HV_HYPERCALL_FAST,
                          (uint64_t)HV_EVENT_FLAGS_PER_SINT << HV_SIGNAL_FLAG_SHIFT),
                     HV_STATUS_INVALID_PARAMETER);
}

static void malformed_controls_are_refused(void **state)
{
    struct bench *bench = *state;
    const uint64_t extra[] = {UINT64_C(1) << 17, UINT64_C(1) << 27, UINT64_C(1) << 31,
                              UINT64_C(1) << 32, UINT64_C(1) << 44, UINT64_C(1) << 48,
                              UINT64_C(1) << 60};
    for (unsigned i = 0; i < sizeof(extra) / sizeof(extra[0]); i++) {
        assert_int_equal(call(bench, HV_CALL_SIGNAL_EVENT | HV_HYPERCALL_FAST | extra[i], 1),
                         HV_STATUS_INVALID_HYPERCALL_INPUT);
    }
    good_message(bench);
    assert_int_equal(call(bench, HV_CALL_POST_MESSAGE | HV_HYPERCALL_FAST, INPUT),
                     HV_STATUS_INVALID_HYPERCALL_INPUT);
    bench_expect(bench, "");
}

static void unknown_calls_are_refused(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(call(bench, 0, 0), HV_STATUS_INVALID_HYPERCALL_CODE);
    assert_int_equal(call(bench, 0xFFFF, 0), HV_STATUS_INVALID_HYPERCALL_CODE);
    assert_int_equal(call(bench, HV_CALL_FLUSH_VIRTUAL_ADDRESS_SPACE, 0),
                     HV_STATUS_INVALID_HYPERCALL_CODE);
    assert_int_equal(bench->violations, 3);
    assert_int_equal(call(bench, HV_CALL_NOTIFY_LONG_SPIN_WAIT | HV_HYPERCALL_FAST, 1),
                     HV_STATUS_SUCCESS);
    assert_int_equal(hypervisor_hypercall(bench->hypervisor, 2, HV_CALL_POST_MESSAGE, 0, 0),
                     HV_STATUS_INVALID_VP_INDEX);
}

/* ---- HvCallRetargetDeviceInterrupt; the bench has processors 0 and 1 ---- */

static struct hv_retarget_interrupt *good_retarget(struct bench *bench)
{
    struct hv_retarget_interrupt *block = (void *)bench_page(bench, INPUT_PAGE);
    memset(block, 0, HV_PAGE_SIZE);
    *block = (struct hv_retarget_interrupt){
        .partition = HV_PARTITION_SELF,
        .device = 0x12345678,
        .source = HV_INTERRUPT_SOURCE_MSI,
        .address = 0xfee00000,
        .data = 7,
        .vector = 0x51,
        .processors = 2,
    };
    return block;
}

static void an_interrupt_is_retargeted_to_a_mask(void **state)
{
    struct bench *bench = *state;
    struct hv_retarget_interrupt *block = good_retarget(bench);
    assert_int_equal(call(bench, HV_CALL_RETARGET_DEVICE_INTERRUPT, INPUT), HV_STATUS_SUCCESS);
    bench_expect(bench, "retarget 12345678 fee00000:7 to vector 51 vp 1\n");
    block->processors = 3;
    block->flags = HV_INTERRUPT_MULTICAST;
    assert_int_equal(call(bench, HV_CALL_RETARGET_DEVICE_INTERRUPT, INPUT), HV_STATUS_SUCCESS);
    bench_expect(bench, "retarget 12345678 fee00000:7 to vector 51 vp 0\n");
}

static void an_interrupt_is_retargeted_to_a_set(void **state)
{
    struct bench *bench = *state;
    struct hv_retarget_interrupt *block = good_retarget(bench);
    uint64_t *set = (uint64_t *)(void *)(block + 1);
    const uint64_t header = UINT64_C(1) << HV_HYPERCALL_HEADER_SHIFT;
    block->flags = HV_INTERRUPT_PROCESSOR_SET;
    block->processors = HV_PROCESSOR_SET_SPARSE;
    set[0] = 1;
    set[1] = 2;
    assert_int_equal(call(bench, HV_CALL_RETARGET_DEVICE_INTERRUPT | 2 * header, INPUT),
                     HV_STATUS_SUCCESS);
    bench_expect(bench, "retarget 12345678 fee00000:7 to vector 51 vp 1\n");
    block->processors = HV_PROCESSOR_SET_ALL;
    assert_int_equal(call(bench, HV_CALL_RETARGET_DEVICE_INTERRUPT, INPUT), HV_STATUS_SUCCESS);
    bench_expect(bench, "retarget 12345678 fee00000:7 to vector 51 vp 0\n");
}

static void sets_that_name_nobody_are_refused(void **state)
{
    static const struct { unsigned words; uint64_t set[4]; } cases[] = {
        {0, {0}},
        {1, {1}},              /* a bank that does not come */
        {2, {1, 0}},           /* nobody in it */
        {2, {1, 4}},           /* processor 2 does not exist */
        {2, {1ull << 63, 1}},  /* nor does 4032 */
        {3, {3, 0, 1}},        /* nor does 64 */
        {1023, {1, 1}},        /* over the end of the page */
    };
    struct bench *bench = *state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hv_retarget_interrupt *block = good_retarget(bench);
        block->flags = HV_INTERRUPT_PROCESSOR_SET;
        block->processors = HV_PROCESSOR_SET_SPARSE;
        memcpy(block + 1, cases[i].set, sizeof(cases[i].set));
        const uint64_t control = HV_CALL_RETARGET_DEVICE_INTERRUPT |
                                 (uint64_t)cases[i].words << HV_HYPERCALL_HEADER_SHIFT;
        assert_int_equal(call(bench, control, INPUT), HV_STATUS_INVALID_PARAMETER);
        bench_expect_violation(bench, "parameters are valid");
        good_retarget(bench);
        assert_int_equal(call(bench, HV_CALL_RETARGET_DEVICE_INTERRUPT, INPUT),
                         HV_STATUS_SUCCESS);
        bench_expect(bench, "retarget 12345678 fee00000:7 to vector 51 vp 1\n");
    }
}

static void retargeting_has_rules(void **state)
{
    struct bench *bench = *state;
    struct hv_retarget_interrupt bad[6];
    for (unsigned i = 0; i < 6; i++) {
        bad[i] = *good_retarget(bench);
    }
    bad[0].partition = 1;
    bad[1].source = 2;
    bad[2].flags = HV_INTERRUPT_PROXY;
    bad[3].vector = 256;
    bad[4].processors = 0;
    bad[5].processors = 4;
    for (unsigned i = 0; i < 6; i++) {
        memcpy(bench_page(bench, INPUT_PAGE), &bad[i], sizeof(bad[i]));
        assert_int_equal(call(bench, HV_CALL_RETARGET_DEVICE_INTERRUPT, INPUT),
                         HV_STATUS_INVALID_PARAMETER);
        bench_expect_violation(bench, "parameters are valid");
    }
    good_retarget(bench)->device = 0xbad;
    assert_int_equal(call(bench, HV_CALL_RETARGET_DEVICE_INTERRUPT, INPUT),
                     HV_STATUS_INVALID_DEVICE_ID);
    bench_expect_violation(bench, "parameters are valid");
    good_retarget(bench);
    assert_int_equal(call(bench, HV_CALL_RETARGET_DEVICE_INTERRUPT | HV_HYPERCALL_FAST, INPUT),
                     HV_STATUS_INVALID_HYPERCALL_INPUT);
    assert_int_equal(call(bench, HV_CALL_RETARGET_DEVICE_INTERRUPT, INPUT + 4),
                     HV_STATUS_INVALID_ALIGNMENT);
    assert_int_equal(call(bench, HV_CALL_RETARGET_DEVICE_INTERRUPT, INPUT + HV_PAGE_SIZE - 48),
                     HV_STATUS_INVALID_ALIGNMENT);
    assert_int_equal(bench->violations, 3);
    /* A variable header belongs to the calls that have one. */
    assert_int_equal(call(bench, HV_CALL_SIGNAL_EVENT | UINT64_C(1) << HV_HYPERCALL_HEADER_SHIFT,
                          INPUT),
                     HV_STATUS_INVALID_HYPERCALL_INPUT);
}

int main(void)
{
#define CALL_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CALL_TEST(no_call_works_without_the_page),
        CALL_TEST(a_message_is_posted),
        CALL_TEST(the_ports_status_is_given_to_the_guest_and_is_no_violation),
        CALL_TEST(bad_messages_are_refused_and_the_next_good_one_works),
        CALL_TEST(input_blocks_are_aligned_in_one_page_of_ram),
        CALL_TEST(events_are_signalled_fast_and_slow),
        CALL_TEST(malformed_controls_are_refused),
        CALL_TEST(unknown_calls_are_refused),
        CALL_TEST(an_interrupt_is_retargeted_to_a_mask),
        CALL_TEST(an_interrupt_is_retargeted_to_a_set),
        CALL_TEST(sets_that_name_nobody_are_refused),
        CALL_TEST(retargeting_has_rules),
    };
    return cmocka_run_group_tests_name("hypervisor hypercalls", tests, NULL, NULL);
}
