/* SPDX-License-Identifier: BSD-3-Clause */
/* Event flags and message slots: the test is the hypervisor. */
#include "kext/core/event_flags.h"
#include "kext/core/message_slot.h"
#include "kext/core/synic_sint.h"
#include "tests/unit/kext-core/engines.h"

static uint32_t seen[64], seen_count;

static void note(void *context, uint32_t flag)
{
    assert_ptr_equal(context, seen);
    seen[seen_count++] = flag;
}

static void every_flag_is_found_once_and_cleared(void **state)
{
    static struct hv_event_flags flags;
    static const uint32_t set[] = { 0, 1, 31, 32, 63, 1000, 2016, 2047 };

    memset(&flags, 0, sizeof flags);
    for (size_t i = 0; i < COUNT_OF(set); i++)
        flags.words[set[i] / 32] |= 1u << set[i] % 32;
    seen_count = 0;
    assert_int_equal(event_flags_take(&flags, note, seen), COUNT_OF(set));
    assert_memory_equal(seen, set, sizeof set);
    assert_int_equal(event_flags_take(&flags, note, seen), 0);
    for (size_t i = 0; i < HV_EVENT_FLAG_WORDS; i++)
        assert_int_equal(flags.words[i], 0);
}

static void the_interrupt_page_is_scanned_up_to_the_highest_old_channel(void **state)
{
    static uint32_t page[1024];
    static const uint32_t expected[] = { 5, 255 };

    memset(page, 0, sizeof page);
    page[0] = 1u << 5;
    page[7] = 1u << 31;
    page[8] = 1;                                    /* 256: no such channel before 2.4 */
    seen_count = 0;
    assert_int_equal(event_flags_take_page(page, note, seen), 2);
    assert_memory_equal(seen, expected, sizeof expected);
    assert_int_equal(page[0] | page[7], 0);
    event_flags_set_page(page, 255);
    event_flags_set_page(page, VMBUS_CHANNEL_MAXIMUM);
    event_flags_set_page(page, VMBUS_CHANNEL_MAXIMUM + 1);      /* does nothing */
    assert_int_equal(page[512 + 7], 1u << 31);
    assert_int_equal(page[512 + 63], 1u << 31);
}

static struct hv_message_page page;
static struct hv_message *const slot = &page.slots[HV_SINT_VMBUS];

static int empty_slot(void **state)
{
    memset(&page, 0, sizeof page);
    return 0;
}

static void deliver(uint8_t size, uint8_t flags)
{
    memset(slot, size, sizeof *slot);
    slot->payload_size = size;
    slot->message_flags = flags;
    slot->message_type = HV_MESSAGE_TYPE_VMBUS;
}

static void an_empty_slot_gives_nothing(void **state)
{
    struct hv_message copy;

    assert_false(message_slot_take(slot, &copy));
    assert_false(message_slot_release(slot, HV_MESSAGE_TYPE_VMBUS));
}

static void a_message_is_copied_and_the_slot_freed(void **state)
{
    struct hv_message copy;

    deliver(12, 0);
    assert_true(message_slot_take(slot, &copy));
    assert_int_equal(copy.payload_size, 12);
    assert_int_equal(copy.payload[11], 12);
    assert_int_equal(slot->message_type, HV_MESSAGE_TYPE_VMBUS);    /* not before it is released */
    assert_false(message_slot_release(slot, copy.message_type));
    assert_int_equal(slot->message_type, HV_MESSAGE_TYPE_NONE);
}

static void a_pending_message_needs_the_end_of_message(void **state)
{
    struct hv_message copy;

    deliver(12, 0);
    assert_true(message_slot_take(slot, &copy));
    slot->message_flags = HV_MESSAGE_FLAG_PENDING;      /* set after we looked */
    assert_true(message_slot_release(slot, copy.message_type));
}

static void a_message_that_another_path_released_is_not_released_again(void **state)
{
    deliver(12, HV_MESSAGE_FLAG_PENDING);
    assert_true(message_slot_release(slot, HV_MESSAGE_TYPE_VMBUS));
    assert_false(message_slot_release(slot, HV_MESSAGE_TYPE_VMBUS));
    slot->message_type = HV_MESSAGE_TYPE_TIMER_EXPIRED;
    assert_false(message_slot_release(slot, HV_MESSAGE_TYPE_VMBUS));
    assert_int_equal(slot->message_type, HV_MESSAGE_TYPE_TIMER_EXPIRED);
}

static void an_impossible_size_is_cut_to_nothing(void **state)
{
    struct hv_message copy;

    deliver(241, 0);
    assert_true(message_slot_take(slot, &copy));
    assert_int_equal(copy.payload_size, 0);
    deliver(240, 0);
    assert_true(message_slot_take(slot, &copy));
    assert_int_equal(copy.payload_size, 240);
}

static void the_queue_keeps_order_and_says_when_it_is_full(void **state)
{
    static struct message_queue queue;
    struct hv_message *room, copy;

    memset(&queue, 0, sizeof queue);
    queue.head = queue.tail = 0xFFFFFFF0u;              /* the counters run over on the way */
    assert_false(message_queue_get(&queue, &copy));
    for (uint32_t i = 0; i < MESSAGE_QUEUE_SIZE; i++) {
        room = message_queue_room(&queue);
        assert_non_null(room);
        room->sender = i;
        message_queue_put(&queue);
    }
    assert_null(message_queue_room(&queue));
    for (uint32_t i = 0; i < MESSAGE_QUEUE_SIZE; i++) {
        assert_true(message_queue_get(&queue, &copy));
        assert_int_equal(copy.sender, i);
        assert_non_null(message_queue_room(&queue));
    }
    assert_false(message_queue_get(&queue, &copy));
}

static void auto_eoi_is_what_the_hypervisor_does_not_advise_against(void **state)
{
    (void)state;
    assert_int_equal(synic_sint(0x45, 0), 0x45 | HV_SINT_AUTO_EOI);
    assert_int_equal(synic_sint(0x45, HV_RECOMMEND_RELAXED_TIMING), 0x45 | HV_SINT_AUTO_EOI);
    assert_int_equal(synic_sint(0xFF, HV_RECOMMEND_NO_AUTO_EOI), 0xFF);
    assert_int_equal(synic_sint(0xFF, UINT32_MAX), 0xFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flag_is_found_once_and_cleared),
        cmocka_unit_test(the_interrupt_page_is_scanned_up_to_the_highest_old_channel),
        cmocka_unit_test_setup(an_empty_slot_gives_nothing, empty_slot),
        cmocka_unit_test_setup(a_message_is_copied_and_the_slot_freed, empty_slot),
        cmocka_unit_test_setup(a_pending_message_needs_the_end_of_message, empty_slot),
        cmocka_unit_test_setup(a_message_that_another_path_released_is_not_released_again,
                               empty_slot),
        cmocka_unit_test_setup(an_impossible_size_is_cut_to_nothing, empty_slot),
        cmocka_unit_test(the_queue_keeps_order_and_says_when_it_is_full),
        cmocka_unit_test(auto_eoi_is_what_the_hypervisor_does_not_advise_against),
    };

    return cmocka_run_group_tests_name("synic", tests, NULL, NULL);
}
