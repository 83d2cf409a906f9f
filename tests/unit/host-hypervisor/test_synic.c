/* SPDX-License-Identifier: BSD-3-Clause */
/* SynIC: message slots, the queue behind them, EOM, event flags, and the timers. */
#include <errno.h>
#include <string.h>

#include "tests/unit/host-hypervisor/bench.h"

static int setup(void **state)
{
    struct bench *bench = bench_create("2019", 0);
    bench_enable_synic(bench, 0);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    bench_free(*state);
    return 0;
}

static int post(struct bench *bench, uint32_t processor, uint8_t mark)
{
    const uint8_t payload[20] = {mark, 1, 2, 3};
    return hypervisor_post_to_guest(bench->hypervisor, processor, HV_SINT_VMBUS,
                                    HV_MESSAGE_TYPE_VMBUS, 0x77, payload, sizeof(payload));
}

/* As a guest takes a message: copy, free the slot, look at the bit. */
static int take(struct bench *bench)
{
    struct hv_message *slot = bench_slot(bench, 0, HV_SINT_VMBUS);
    if (slot->message_type == HV_MESSAGE_TYPE_NONE) {
        return -1;
    }
    int mark = slot->payload[0];
    slot->message_type = HV_MESSAGE_TYPE_NONE;
    if ((slot->message_flags & HV_MESSAGE_FLAG_PENDING) != 0) {
        bench_write(bench, 0, HV_MSR_EOM, 0);
    }
    return mark;
}

static void a_message_is_put_into_its_slot_and_interrupts(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(post(bench, 0, 9), 0);
    bench_expect(bench, "vector f3 vp 0\n");
    const struct hv_message *slot = bench_slot(bench, 0, HV_SINT_VMBUS);
    assert_int_equal(slot->message_type, HV_MESSAGE_TYPE_VMBUS);
    assert_int_equal(slot->payload_size, 20);
    assert_int_equal(slot->message_flags, 0);
    assert_int_equal(slot->sender, 0x77);
    assert_int_equal(slot->payload[0], 9);
}

static void sixteen_messages_wait_and_no_more(void **state)
{
    struct bench *bench = *state;
    for (unsigned i = 0; i < 1 + HV_MESSAGE_BUFFERS; i++) { /* one is in the slot */
        assert_int_equal(post(bench, 0, (uint8_t)i), 0);
    }
    assert_int_equal(post(bench, 0, 99), -EAGAIN);
    bench_expect(bench, "vector f3 vp 0\n");
    assert_int_equal(bench->ports_ready, 0);
    for (unsigned i = 0; i < 1 + HV_MESSAGE_BUFFERS; i++) {
        assert_int_equal(take(bench), (int)i);
        assert_int_equal(bench->ports_ready, 1);
    }
    assert_int_equal(take(bench), -1);
    assert_int_equal(post(bench, 0, 100), 0);
    assert_int_equal(take(bench), 100);
}

static void the_last_message_has_no_pending_bit(void **state)
{
    struct bench *bench = *state;
    post(bench, 0, 1);
    const struct hv_message *slot = bench_slot(bench, 0, HV_SINT_VMBUS);
    assert_int_equal(slot->message_flags, 0);
    post(bench, 0, 2);
    assert_int_equal(slot->message_flags, HV_MESSAGE_FLAG_PENDING);
    assert_int_equal(take(bench), 1);
    assert_int_equal(slot->payload[0], 2);
    assert_int_equal(slot->message_flags, 0);
}

static void without_eom_the_next_message_waits_for_another_occasion(void **state)
{
    struct bench *bench = *state;
    post(bench, 0, 1);
    post(bench, 0, 2);
    struct hv_message *slot = bench_slot(bench, 0, HV_SINT_VMBUS);
    slot->message_type = HV_MESSAGE_TYPE_NONE; /* a guest that forgets EOM */
    assert_int_equal(slot->message_type, HV_MESSAGE_TYPE_NONE);
    hypervisor_end_of_interrupt(bench->hypervisor, 0, 0);
    assert_int_equal(slot->payload[0], 2);
    post(bench, 0, 3);
    slot->message_type = HV_MESSAGE_TYPE_NONE;
    post(bench, 0, 4); /* the next post is an occasion too, and keeps the order */
    assert_int_equal(slot->payload[0], 3);
}

static void messages_wait_while_the_synic_cannot_deliver(void **state)
{
    const struct {
        uint32_t msr;
        uint64_t off, on;
    } switches[] = {
        {HV_MSR_SCONTROL, 0, HV_SCONTROL_ENABLE},
        {HV_MSR_SIMP, 0, MESSAGE_PAGE << 12 | 1},
        {HV_MSR_SINT(HV_SINT_VMBUS), HV_SINT_MASKED | VECTOR, VECTOR},
    };
    for (unsigned i = 0; i < 3; i++) {
        struct bench *bench = bench_create("2019", 0);
        bench_enable_synic(bench, 0);
        bench_write(bench, 0, switches[i].msr, switches[i].off);
        assert_int_equal(post(bench, 0, 5), 0);
        bench_expect(bench, "");
        assert_int_equal(take(bench), -1);
        bench_write(bench, 0, switches[i].msr, switches[i].on);
        bench_expect(bench, "vector f3 vp 0\n");
        assert_int_equal(take(bench), 5);
        bench_free(bench);
    }
}

static void impossible_messages_are_refused(void **state)
{
    struct bench *bench = *state;
    uint8_t payload[241] = {0};
    struct hypervisor *hypervisor = bench->hypervisor;
    assert_int_equal(hypervisor_post_to_guest(hypervisor, 2, 2, 1, 0, payload, 8), -EINVAL);
    assert_int_equal(hypervisor_post_to_guest(hypervisor, 0, 16, 1, 0, payload, 8), -EINVAL);
    assert_int_equal(hypervisor_post_to_guest(hypervisor, 0, 2, 0, 0, payload, 8), -EINVAL);
    assert_int_equal(hypervisor_post_to_guest(hypervisor, 0, 2, 1, 0, payload, 241), -EINVAL);
    assert_int_equal(hypervisor_post_to_guest(hypervisor, 0, 2, 1, 0, payload, 240), 0);
}

static void processors_have_slots_of_their_own(void **state)
{
    struct bench *bench = *state;
    bench_enable_synic(bench, 1);
    post(bench, 1, 6);
    bench_expect(bench, "vector f3 vp 1\n");
    assert_int_equal(bench_slot(bench, 0, HV_SINT_VMBUS)->message_type, HV_MESSAGE_TYPE_NONE);
    assert_int_equal(bench_slot(bench, 1, HV_SINT_VMBUS)->payload[0], 6);
}

static void sint_bits_are_honoured(void **state)
{
    struct bench *bench = *state;
    bench_write(bench, 0, HV_MSR_SINT(2), VECTOR | HV_SINT_AUTO_EOI);
    post(bench, 0, 1);
    bench_expect(bench, "vector f3 vp 0 auto-eoi\n");
    take(bench);
    bench_write(bench, 0, HV_MSR_SINT(2), VECTOR | HV_SINT_POLLING);
    post(bench, 0, 2);
    bench_expect(bench, "");
    assert_int_equal(take(bench), 2);
    bench_write_fails(bench, HV_MSR_SINT(2), 15);
    bench_expect_violation(bench, "16 or above");
    bench_write(bench, 0, HV_MSR_SINT(2), HV_SINT_MASKED);
    bench_write(bench, 0, HV_MSR_SINT(2), UINT64_MAX);
    assert_int_equal(bench_read(bench, 0, HV_MSR_SINT(2)),
                     HV_SINT_VECTOR | HV_SINT_MASKED | HV_SINT_AUTO_EOI | HV_SINT_POLLING);
}

static void pages_must_be_ram(void **state)
{
    struct bench *bench = *state;
    bench_write_fails(bench, HV_MSR_SIMP, (uint64_t)RAM_PAGES << 12 | 1);
    bench_expect_violation(bench, "guest RAM");
    bench_write_fails(bench, HV_MSR_SIEFP, UINT64_C(0xFFFFFFFFFFFFF001));
    bench_expect_violation(bench, "guest RAM");
    assert_int_equal(bench_read(bench, 0, HV_MSR_SIMP), MESSAGE_PAGE << 12 | 1);
    assert_int_equal(bench_read(bench, 0, HV_MSR_SVERSION), HV_SYNIC_VERSION);
    assert_int_equal(bench_read(bench, 0, HV_MSR_EOM), 0);
}

/* ---- Event flags ---- */

static void an_event_flag_interrupts_on_0_to_1_only(void **state)
{
    struct bench *bench = *state;
    uint8_t *flags = bench_page(bench, EVENT_PAGE) + HV_SINT_VMBUS * 256;
    assert_int_equal(hypervisor_signal_guest(bench->hypervisor, 0, 2, 9), HV_STATUS_SUCCESS);
    bench_expect(bench, "vector f3 vp 0\n");
    assert_int_equal(flags[1], 2);
    assert_int_equal(hypervisor_signal_guest(bench->hypervisor, 0, 2, 9), HV_STATUS_SUCCESS);
    bench_expect(bench, "");
    assert_int_equal(hypervisor_signal_guest(bench->hypervisor, 0, 2, 2047), HV_STATUS_SUCCESS);
    assert_int_equal(flags[255], 0x80);
    bench_expect(bench, "vector f3 vp 0\n");
    flags[1] = 0;
    assert_int_equal(hypervisor_signal_guest(bench->hypervisor, 0, 2, 9), HV_STATUS_SUCCESS);
    bench_expect(bench, "vector f3 vp 0\n");
}

static void an_event_that_cannot_be_delivered_sets_no_flag(void **state)
{
    struct bench *bench = *state;
    struct hypervisor *hypervisor = bench->hypervisor;
    const uint8_t *flags = bench_page(bench, EVENT_PAGE) + HV_SINT_VMBUS * 256;
    bench_write(bench, 0, HV_MSR_SINT(2), HV_SINT_MASKED | VECTOR);
    assert_int_equal(hypervisor_signal_guest(hypervisor, 0, 2, 1), HV_STATUS_INVALID_SYNIC_STATE);
    bench_write(bench, 0, HV_MSR_SINT(2), VECTOR);
    bench_write(bench, 0, HV_MSR_SCONTROL, 0);
    assert_int_equal(hypervisor_signal_guest(hypervisor, 0, 2, 1), HV_STATUS_INVALID_SYNIC_STATE);
    bench_write(bench, 0, HV_MSR_SCONTROL, 1);
    bench_write(bench, 0, HV_MSR_SIEFP, 0);
    assert_int_equal(hypervisor_signal_guest(hypervisor, 0, 2, 1), HV_STATUS_INVALID_SYNIC_STATE);
    assert_int_equal(hypervisor_signal_guest(hypervisor, 2, 2, 1), HV_STATUS_INVALID_VP_INDEX);
    assert_int_equal(hypervisor_signal_guest(hypervisor, 0, 16, 1), HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(hypervisor_signal_guest(hypervisor, 0, 2, 2048),
                     HV_STATUS_INVALID_PARAMETER);
    assert_int_equal(flags[0], 0);
    bench_expect(bench, "");
}

/* ---- Timers ---- */

static uint64_t message_config(uint64_t bits)
{
    return bits | (uint64_t)HV_SINT_TIMER << HV_TIMER_SINT_SHIFT;
}

static void run_until(struct bench *bench, uint64_t now)
{
    bench->now = now;
    hypervisor_run_timers(bench->hypervisor, now);
}

static struct hv_timer_message timer_message(struct bench *bench)
{
    struct hv_timer_message message;
    struct hv_message *slot = bench_slot(bench, 0, HV_SINT_TIMER);
    assert_int_equal(slot->message_type, HV_MESSAGE_TYPE_TIMER_EXPIRED);
    assert_int_equal(slot->payload_size, sizeof(message));
    memcpy(&message, slot->payload, sizeof(message));
    slot->message_type = HV_MESSAGE_TYPE_NONE;
    return message;
}

static void a_one_shot_timer_expires_once_as_a_message(void **state)
{
    struct bench *bench = *state;
    bench_write(bench, 0, HV_MSR_SINT(HV_SINT_TIMER), VECTOR);
    assert_int_equal(hypervisor_next_deadline(bench->hypervisor), HYPERVISOR_NO_DEADLINE);
    bench_write(bench, 0, HV_MSR_STIMER_CONFIG(2), message_config(HV_TIMER_AUTO_ENABLE));
    bench_write(bench, 0, HV_MSR_STIMER_COUNT(2), 1000);
    assert_true(bench_read(bench, 0, HV_MSR_STIMER_CONFIG(2)) & HV_TIMER_ENABLE);
    assert_int_equal(hypervisor_next_deadline(bench->hypervisor), 1000);
    run_until(bench, 999);
    bench_expect(bench, "");
    run_until(bench, 1005);
    bench_expect(bench, "vector f3 vp 0\n");
    struct hv_timer_message message = timer_message(bench);
    assert_int_equal(message.timer_index, 2);
    assert_int_equal(message.expiration_time, 1000);
    assert_int_equal(message.delivery_time, 1005);
    assert_false(bench_read(bench, 0, HV_MSR_STIMER_CONFIG(2)) & HV_TIMER_ENABLE);
    assert_int_equal(hypervisor_next_deadline(bench->hypervisor), HYPERVISOR_NO_DEADLINE);
    run_until(bench, 5000);
    bench_expect(bench, "");
}

static void a_time_in_the_past_expires_at_once(void **state)
{
    struct bench *bench = *state;
    bench->now = 5000;
    bench_write(bench, 0, HV_MSR_SINT(HV_SINT_TIMER), VECTOR);
    bench_write(bench, 0, HV_MSR_STIMER_CONFIG(0), message_config(HV_TIMER_AUTO_ENABLE));
    bench_write(bench, 0, HV_MSR_STIMER_COUNT(0), 10);
    assert_int_equal(hypervisor_next_deadline(bench->hypervisor), 10);
    run_until(bench, 5000);
    assert_int_equal(timer_message(bench).expiration_time, 10);
}

static void a_periodic_timer_goes_on_and_makes_up_for_nothing(void **state)
{
    struct bench *bench = *state;
    bench->now = 100;
    bench_write(bench, 0, HV_MSR_SINT(HV_SINT_TIMER), VECTOR);
    bench_write(bench, 0, HV_MSR_STIMER_COUNT(0), 1000);
    bench_write(bench, 0, HV_MSR_STIMER_CONFIG(0),
                message_config(HV_TIMER_ENABLE | HV_TIMER_PERIODIC));
    assert_int_equal(hypervisor_next_deadline(bench->hypervisor), 1100);
    run_until(bench, 1100);
    assert_int_equal(timer_message(bench).expiration_time, 1100);
    run_until(bench, 5150); /* 2100, 3100, 4100, 5100 were slept through */
    assert_int_equal(timer_message(bench).expiration_time, 2100);
    assert_int_equal(hypervisor_next_deadline(bench->hypervisor), 6100);
    bench_write(bench, 0, HV_MSR_STIMER_COUNT(0), 0);
    assert_false(bench_read(bench, 0, HV_MSR_STIMER_CONFIG(0)) & HV_TIMER_ENABLE);
    assert_int_equal(hypervisor_next_deadline(bench->hypervisor), HYPERVISOR_NO_DEADLINE);
}

static void an_expiry_waits_for_a_slot_that_is_taken(void **state)
{
    struct bench *bench = *state;
    bench_write(bench, 0, HV_MSR_SINT(HV_SINT_TIMER), VECTOR);
    for (unsigned i = 0; i < 2; i++) {
        bench_write(bench, 0, HV_MSR_STIMER_CONFIG(i), message_config(HV_TIMER_AUTO_ENABLE));
        bench_write(bench, 0, HV_MSR_STIMER_COUNT(i), 100 + i);
    }
    run_until(bench, 200);
    bench_expect(bench, "vector f3 vp 0\n");
    assert_int_equal(bench_slot(bench, 0, HV_SINT_TIMER)->message_flags, HV_MESSAGE_FLAG_PENDING);
    assert_int_equal(timer_message(bench).timer_index, 0);
    bench->now = 300;
    bench_write(bench, 0, HV_MSR_EOM, 0);
    bench_expect(bench, "vector f3 vp 0\n");
    struct hv_timer_message message = timer_message(bench);
    assert_int_equal(message.timer_index, 1);
    assert_int_equal(message.expiration_time, 101);
    assert_int_equal(message.delivery_time, 300);
}

static void a_direct_timer_interrupts_without_a_message(void **state)
{
    struct bench *bench = *state;
    uint64_t config = HV_TIMER_DIRECT | HV_TIMER_ENABLE | UINT64_C(0xED) << HV_TIMER_VECTOR_SHIFT;
    bench_write(bench, 0, HV_MSR_STIMER_CONFIG(0), config);
    bench_write(bench, 0, HV_MSR_STIMER_COUNT(0), 50);
    run_until(bench, 50);
    bench_expect(bench, "vector ed vp 0\n");
    struct bench *old = bench_create("2016", 0); /* a host without direct mode */
    bench_write(old, 0, HV_MSR_STIMER_CONFIG(0), config);
    assert_false(bench_read(old, 0, HV_MSR_STIMER_CONFIG(0)) & HV_TIMER_ENABLE);
    bench_expect_violation(old, "enabled timer");
    bench_free(old);
}

static void a_timer_without_sint_is_not_enabled(void **state)
{
    struct bench *bench = *state;
    bench_write(bench, 0, HV_MSR_STIMER_COUNT(3), 50);
    bench_write(bench, 0, HV_MSR_STIMER_CONFIG(3), HV_TIMER_ENABLE);
    bench_expect_violation(bench, "enabled timer");
    assert_int_equal(hypervisor_next_deadline(bench->hypervisor), HYPERVISOR_NO_DEADLINE);
    assert_int_equal(bench_read(bench, 0, HV_MSR_STIMER_COUNT(3)), 50);
}

int main(void)
{
#define SYNIC_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        SYNIC_TEST(a_message_is_put_into_its_slot_and_interrupts),
        SYNIC_TEST(sixteen_messages_wait_and_no_more),
        SYNIC_TEST(the_last_message_has_no_pending_bit),
        SYNIC_TEST(without_eom_the_next_message_waits_for_another_occasion),
        cmocka_unit_test(messages_wait_while_the_synic_cannot_deliver),
        SYNIC_TEST(impossible_messages_are_refused),
        SYNIC_TEST(processors_have_slots_of_their_own),
        SYNIC_TEST(sint_bits_are_honoured),
        SYNIC_TEST(pages_must_be_ram),
        SYNIC_TEST(an_event_flag_interrupts_on_0_to_1_only),
        SYNIC_TEST(an_event_that_cannot_be_delivered_sets_no_flag),
        SYNIC_TEST(a_one_shot_timer_expires_once_as_a_message),
        SYNIC_TEST(a_time_in_the_past_expires_at_once),
        SYNIC_TEST(a_periodic_timer_goes_on_and_makes_up_for_nothing),
        SYNIC_TEST(an_expiry_waits_for_a_slot_that_is_taken),
        SYNIC_TEST(a_direct_timer_interrupts_without_a_message),
        SYNIC_TEST(a_timer_without_sint_is_not_enabled),
    };
    return cmocka_run_group_tests_name("hypervisor synic", tests, NULL, NULL);
}
