/* SPDX-License-Identifier: BSD-3-Clause */
/* The protocol's engine, fed by a host written by hand. */
#include "tests/unit/kext-pci/engine_test.h"

#include "kext/pci/vpci.h"

static struct vpci vpci;
static struct vpci_event event;

static void begin(uint32_t version)
{
    vpci_begin(&vpci, version);
    assert_int_equal(vpci_version_answer(&vpci, &(struct vpci_version_reply){ 0, 0x10003 }, 8), 0);
    assert_int_equal(vpci.version, version);
}

/* ---- versions ---- */

static int answer_version(uint32_t status)
{
    const struct vpci_version_reply reply = { status, VPCI_VERSION_1_3 };

    return vpci_version_answer(&vpci, &reply, sizeof reply);
}

static void versions_are_proposed_from_the_newest_down(void **state)
{
    static const uint32_t wanted[] = { VPCI_VERSION_1_4, VPCI_VERSION_1_3, VPCI_VERSION_1_2,
                                       VPCI_VERSION_1_1 };
    struct vpci_query_version message;

    (void)state;
    vpci_begin(&vpci, VPCI_VERSION_1_4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(vpci_make_version(&vpci, &message), 0);
        assert_int_equal(message.type, VPCI_QUERY_PROTOCOL_VERSION);
        assert_int_equal(message.version, wanted[i]);
        assert_int_equal(answer_version(VPCI_STATUS_REVISION_MISMATCH), HV_ERROR_NOT_SUPPORTED);
    }
    assert_int_equal(vpci_make_version(&vpci, &message), HV_ERROR_NOT_SUPPORTED);
    vpci_begin(&vpci, VPCI_VERSION_1_2); /* asked not to go higher */
    assert_int_equal(vpci.version, VPCI_VERSION_1_2);
    vpci_begin(&vpci, 0);
    assert_int_equal(vpci_make_version(&vpci, &message), HV_ERROR_NOT_SUPPORTED);
}

static void an_accepted_version_is_the_one_that_was_asked_for(void **state)
{
    (void)state;
    vpci_begin(&vpci, VPCI_VERSION_1_4);
    assert_int_equal(answer_version(VPCI_STATUS_SUCCESS), 0);
    assert_int_equal(vpci.version, VPCI_VERSION_1_4); /* whatever the answer says */
    vpci_begin(&vpci, VPCI_VERSION_1_4);
    assert_int_equal(vpci_version_answer(&vpci, "\1\0\0\0", 4), 0); /* no failure, and short */
}

static void the_attempt_after_one_that_failed_begins_anew(void **state)
{
    struct vpci_query_version message;

    (void)state;
    vpci_begin(&vpci, VPCI_VERSION_1_4);
    while (vpci_make_version(&vpci, &message) == 0)
        answer_version(VPCI_STATUS_REVISION_MISMATCH);
    begin(VPCI_VERSION_1_4);
    begin(VPCI_VERSION_1_2);
    begin(VPCI_VERSION_1_4);            /* nor does one that succeeded keep the next one lower */
}

static void other_answers_end_the_negotiation(void **state)
{
    (void)state;
    vpci_begin(&vpci, VPCI_VERSION_1_4);
    assert_int_equal(answer_version(VPCI_STATUS_BAD_DATA), HV_ERROR_REFUSED);
    assert_int_equal(vpci_version_answer(&vpci, "\0\0\0", 3), HV_ERROR_MALFORMED);
    assert_int_equal(vpci.counters.malformed, 1);
    assert_int_equal(answer_version(VPCI_STATUS_SUCCESS), 0);
}

/* ---- relations ---- */

static uint8_t list[4096];
static uint32_t list_length;

static void begin_list(bool second, uint32_t count)
{
    const struct vpci_bus_relations header = { second ? VPCI_BUS_RELATIONS_2 : VPCI_BUS_RELATIONS,
                                               count };

    memcpy(list, &header, sizeof header);
    list_length = sizeof header;
}

static void list_function(bool second, uint32_t slot, uint16_t device, uint32_t serial)
{
    const struct vpci_function_2 function = {
        .function = { .vendor = 0x1414, .device = device, .slot = slot, .serial = serial },
        .flags = VPCI_FUNCTION_NUMA_VALID, .numa_node = 1,
    };

    memcpy(list + list_length, &function, sizeof function);
    list_length += second ? sizeof function : (uint32_t)sizeof function.function;
}

static int receive(void)
{
    return vpci_receive(&vpci, list, list_length, &event);
}

static void one_function(bool second)
{
    begin_list(second, 1);
    list_function(second, 0, 0x5353, 7);
    assert_int_equal(receive(), 0);
}

static void both_forms_of_the_list_are_read(void **state)
{
    (void)state;
    for (int second = 0; second < 2; second++) {
        begin(second ? VPCI_VERSION_1_3 : VPCI_VERSION_1_1);
        begin_list(second, 2);
        list_function(second, 0, 0x5353, 7);
        list_function(second, VPCI_SLOT(3, 1), 0x1234, 8);
        assert_int_equal(receive(), 0);
        assert_int_equal(event.kind, VPCI_EVENT_CHANGED);
        assert_int_equal(vpci_function_at(&vpci, 0)->description.device, 0x5353);
        assert_int_equal(vpci_function_at(&vpci, VPCI_SLOT(3, 1))->description.serial, 8);
        assert_null(vpci_function_at(&vpci, 1));
    }
}

static void the_same_list_again_changes_nothing(void **state)
{
    (void)state;
    begin(VPCI_VERSION_1_4);
    one_function(true);
    one_function(true);
    assert_int_equal(event.kind, VPCI_EVENT_NONE);
    assert_int_equal(vpci.counters.relations, 2);
    assert_int_equal(vpci_function_at(&vpci, 0)->state, VPCI_FUNCTION_LISTED);
}

static void an_empty_list_is_news_the_first_time(void **state)
{
    (void)state;
    begin(VPCI_VERSION_1_4);
    begin_list(true, 0);
    assert_int_equal(receive(), 0);
    assert_true(vpci.listed && event.kind == VPCI_EVENT_CHANGED);
    assert_int_equal(receive(), 0);
    assert_int_equal(event.kind, VPCI_EVENT_NONE);
}

static void a_function_that_is_not_listed_any_more_is_gone(void **state)
{
    (void)state;
    begin(VPCI_VERSION_1_4);
    one_function(true);
    begin_list(true, 0);
    assert_int_equal(receive(), 0);
    assert_int_equal(event.kind, VPCI_EVENT_CHANGED);
    assert_int_equal(vpci_function_at(&vpci, 0)->state, VPCI_FUNCTION_GONE);
    assert_ptr_equal(vpci_function_in(&vpci, VPCI_FUNCTION_GONE), vpci_function_at(&vpci, 0));
}

static void another_device_in_the_slot_replaces_the_first(void **state)
{
    (void)state;
    begin(VPCI_VERSION_1_4);
    one_function(true);
    begin_list(true, 1);
    list_function(true, 0, 0x5353, 8); /* another serial number */
    assert_int_equal(receive(), 0);
    assert_int_equal(vpci_function_at(&vpci, 0)->state, VPCI_FUNCTION_GONE);
    vpci_function_at(&vpci, 0)->state = VPCI_FUNCTION_NONE; /* removed */
    assert_int_equal(receive(), 0);
    assert_int_equal(vpci_function_at(&vpci, 0)->state, VPCI_FUNCTION_LISTED);
    assert_int_equal(vpci_function_at(&vpci, 0)->description.serial, 8);
}

static void lists_longer_than_their_packet_are_dropped(void **state)
{
    static const uint32_t counts[] = { 2, 3, 0x0ccccccd, 0x80000000, UINT32_MAX };

    (void)state;
    for (int second = 0; second < 2; second++)
        for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
            begin(VPCI_VERSION_1_4);
            begin_list(second, counts[i]);
            list_function(second, 0, 0x5353, 7);
            assert_int_equal(receive(), HV_ERROR_MALFORMED);
            assert_false(vpci.listed);
            assert_int_equal(vpci.counters.malformed, 1);
            one_function(second);
            assert_int_equal(event.kind, VPCI_EVENT_CHANGED);
        }
}

static void more_functions_than_a_bus_has_are_left_out(void **state)
{
    (void)state;
    begin(VPCI_VERSION_1_4);
    begin_list(false, VPCI_BUS_FUNCTIONS + 4);
    for (uint32_t i = 0; i < VPCI_BUS_FUNCTIONS + 2; i++)
        list_function(false, i, 0x5353, i);
    list_function(false, 0, 1, 1);             /* a slot for the second time */
    list_function(false, VPCI_SLOTS, 1, 1);    /* no slot */
    assert_int_equal(receive(), 0);
    assert_int_equal(vpci.counters.ignored_functions, 4);
    assert_non_null(vpci_function_at(&vpci, VPCI_BUS_FUNCTIONS - 1));
    assert_null(vpci_function_at(&vpci, VPCI_SLOTS));
    one_function(true);
    assert_int_equal(vpci_function_at(&vpci, 0)->state, VPCI_FUNCTION_GONE); /* another serial */
}

/* ---- other events ---- */

static int receive_slot(uint32_t type, uint32_t slot)
{
    const struct vpci_slot_message message = { type, slot };

    return vpci_receive(&vpci, &message, sizeof message, &event);
}

static void an_eject_counts_once(void **state)
{
    (void)state;
    begin(VPCI_VERSION_1_4);
    one_function(true);
    assert_int_equal(receive_slot(VPCI_EJECT, 1), HV_ERROR_UNEXPECTED);
    assert_int_equal(receive_slot(VPCI_EJECT, UINT32_MAX), HV_ERROR_UNEXPECTED);
    assert_int_equal(receive_slot(VPCI_EJECT, 0), 0);
    assert_int_equal(event.kind, VPCI_EVENT_CHANGED);
    assert_int_equal(vpci_function_at(&vpci, 0)->state, VPCI_FUNCTION_EJECTING);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(receive_slot(VPCI_EJECT, 0), 0);
        assert_int_equal(event.kind, VPCI_EVENT_NONE);
    }
    assert_int_equal(vpci.counters.repeated_ejects, 3);
    one_function(true); /* still listed: nothing new */
    assert_int_equal(vpci_function_at(&vpci, 0)->state, VPCI_FUNCTION_EJECTING);
    begin_list(true, 0);
    assert_int_equal(receive(), 0);
    assert_int_equal(vpci_function_at(&vpci, 0)->state, VPCI_FUNCTION_GONE);
}

static void invalidations_make_the_guest_ask_again(void **state)
{
    struct vpci_header header;

    (void)state;
    begin(VPCI_VERSION_1_4);
    one_function(true);
    vpci_make_header(&header, VPCI_INVALIDATE_BUS);
    assert_int_equal(vpci_receive(&vpci, &header, sizeof header, &event), 0);
    assert_int_equal(event.kind, VPCI_EVENT_ASK_AGAIN);
    assert_int_equal(receive_slot(VPCI_INVALIDATE_DEVICE, 0), 0);
    assert_int_equal(event.kind, VPCI_EVENT_ASK_AGAIN);
    assert_int_equal(receive_slot(VPCI_INVALIDATE_DEVICE, 9), HV_ERROR_UNEXPECTED);
}

static void block_invalidations_carry_their_mask(void **state)
{
    struct vpci_invalidate_block message = { VPCI_INVALIDATE_BLOCK, 0, UINT64_C(1) << 63 };

    (void)state;
    begin(VPCI_VERSION_1_4);
    one_function(true);
    assert_int_equal(vpci_receive(&vpci, &message, sizeof message, &event), 0);
    assert_true(event.kind == VPCI_EVENT_BLOCKS && event.blocks == UINT64_C(1) << 63);
    assert_int_equal(vpci_receive(&vpci, &message, 15, &event), HV_ERROR_MALFORMED);
    message.slot = 4;
    assert_int_equal(vpci_receive(&vpci, &message, sizeof message, &event), HV_ERROR_UNEXPECTED);
    assert_int_equal(event.kind, VPCI_EVENT_NONE);
}

static void short_and_unknown_packets_are_dropped(void **state)
{
    static const uint32_t types[] = { VPCI_BUS_RELATIONS, VPCI_BUS_RELATIONS_2, VPCI_EJECT,
                                      VPCI_INVALIDATE_DEVICE, VPCI_INVALIDATE_BLOCK };
    uint8_t packet[8];

    (void)state;
    begin(VPCI_VERSION_1_4);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        for (uint32_t length = 0; length < 8; length++) {
            memcpy(packet, &types[i], 4);
            assert_int_equal(vpci_receive(&vpci, packet, length, &event), HV_ERROR_MALFORMED);
        }
    assert_int_equal(vpci.counters.malformed, 40);
    assert_int_equal(receive_slot(VPCI_QUERY_STOP, 0), HV_ERROR_UNEXPECTED);
    assert_int_equal(receive_slot(0, 0), HV_ERROR_UNEXPECTED);
    assert_int_equal(vpci.counters.unexpected, 2);
    one_function(true);
    assert_int_equal(event.kind, VPCI_EVENT_CHANGED);
}

/* ---- interrupts ---- */

static union vpci_create_message create;

static int make_create(uint32_t version, uint32_t vector, uint32_t count, uint32_t processors,
                       uint32_t last)
{
    uint32_t list_of[VPCI_PROCESSORS_MAXIMUM + 1] = { 0 }, size = 0;
    struct vpci_target target = { vector, count, list_of, processors };
    int error;

    if (processors > 0 && processors <= VPCI_PROCESSORS_MAXIMUM)
        list_of[processors - 1] = last;
    begin(version);
    error = vpci_make_create(&vpci, &create, &size, 0x22, &target);
    return error != 0 ? error : (int)size;
}

static void interrupts_are_asked_for_in_the_versions_form(void **state)
{
    (void)state;
    assert_int_equal(make_create(VPCI_VERSION_1_1, 0x70, 4, 1, 63), 24);
    assert_int_equal(create.v1.type, VPCI_CREATE_INTERRUPT);
    assert_int_equal(create.v1.slot, 0x22);
    assert_int_equal(create.v1.interrupt.vector_count, 4);
    assert_true(create.v1.interrupt.processors == UINT64_C(1) << 63);
    assert_int_equal(make_create(VPCI_VERSION_1_2, 0x70, 1, 2, 200), 80);
    assert_int_equal(create.v2.type, VPCI_CREATE_INTERRUPT_2);
    assert_int_equal(create.v2.interrupt.processor_count, 2);
    assert_int_equal(create.v2.interrupt.processors[1], 200);
    assert_int_equal(make_create(VPCI_VERSION_1_3, 0x70, 1, 32, 1), 80);
    assert_int_equal(make_create(VPCI_VERSION_1_4, 0xe0, 32, 1, 3), 84);
    assert_int_equal(create.v3.type, VPCI_CREATE_INTERRUPT_3);
    assert_int_equal(create.v3.slot, 0x22);
    assert_int_equal(create.v3.interrupt.vector, 0xe0);
    assert_int_equal(create.v3.interrupt.processors[0], 3);
}

static void targets_that_cannot_be_are_not_asked_for(void **state)
{
    (void)state;
    assert_int_equal(make_create(VPCI_VERSION_1_1, 0x70, 1, 1, 64), HV_ERROR_INVALID);
    assert_int_equal(make_create(VPCI_VERSION_1_4, 0x70, 0, 1, 0), HV_ERROR_INVALID);
    assert_int_equal(make_create(VPCI_VERSION_1_4, 0x70, 3, 1, 0), HV_ERROR_INVALID);
    assert_int_equal(make_create(VPCI_VERSION_1_4, 0x70, 64, 1, 0), HV_ERROR_INVALID);
    assert_int_equal(make_create(VPCI_VERSION_1_4, 0xff, 2, 1, 0), HV_ERROR_INVALID);
    assert_int_equal(make_create(VPCI_VERSION_1_4, 0x100, 1, 1, 0), HV_ERROR_INVALID);
    assert_int_equal(make_create(VPCI_VERSION_1_4, 0x70, 1, 0, 0), HV_ERROR_INVALID);
    assert_int_equal(make_create(VPCI_VERSION_1_4, 0x70, 1, 33, 0), HV_ERROR_INVALID);
    assert_int_equal(make_create(VPCI_VERSION_1_4, 0x70, 1, 1, 0x10000), HV_ERROR_INVALID);
}

static void answers_to_a_creation_are_checked(void **state)
{
    struct vpci_create_interrupt_reply reply = { .message = { .vector_count = 2, .data = 5,
                                                              .address = 0xfee00000 } };
    struct vpci_message_interrupt message;
    struct vpci_delete_interrupt delete;

    (void)state;
    begin(VPCI_VERSION_1_4);
    assert_int_equal(vpci_take_interrupt(&vpci, &reply, sizeof reply, 2, &message), 0);
    vpci_make_delete(&delete, 0x22, &message);
    assert_int_equal(delete.type, VPCI_DELETE_INTERRUPT);
    assert_memory_equal(&delete.message, &reply.message, sizeof reply.message);
    assert_int_equal(vpci_take_interrupt(&vpci, &reply, sizeof reply, 4, &message),
                     HV_ERROR_MALFORMED);
    for (uint32_t length = 0; length < sizeof reply; length++)
        assert_int_equal(vpci_take_interrupt(&vpci, &reply, length, 2, &message),
                         HV_ERROR_MALFORMED);
    reply.status = VPCI_STATUS_NO_RESOURCES;
    assert_int_equal(vpci_take_interrupt(&vpci, &reply, 4, 2, &message), HV_ERROR_REFUSED);
    reply.status = 0;
    assert_int_equal(vpci_take_interrupt(&vpci, &reply, sizeof reply, 2, &message), 0);
}

/* ---- resources ---- */

static void assignments_are_zero_and_have_room(void **state)
{
    static const uint32_t cases[][2] = {
        { VPCI_VERSION_1_1, VPCI_RESOURCES_ASSIGNED },
        { VPCI_VERSION_1_2, VPCI_RESOURCES_ASSIGNED_2 },
        { VPCI_VERSION_1_3, VPCI_RESOURCES_ASSIGNED_2 },
        { VPCI_VERSION_1_4, VPCI_RESOURCES_ASSIGNED_3 },
    };
    uint8_t message[VPCI_ASSIGNED_SIZE];
    struct vpci_resources_assigned header;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        begin(cases[i][0]);
        memset(message, 0xff, sizeof message);
        vpci_make_assigned(&vpci, message, 0x21);
        memcpy(&header, message, sizeof header);
        assert_int_equal(header.type, cases[i][1]);
        assert_int_equal(header.slot, 0x21);
        for (size_t at = 8; at < sizeof message; at++)
            assert_int_equal(message[at], 0);
    }
    assert_int_equal(sizeof message, 216);
}

static void requirements_are_read_whole_or_not(void **state)
{
    struct vpci_requirements_reply reply = { .bars = { 0xfffff000, 2, 3, 4, 5, 0xffff000c } };
    uint32_t masks[VPCI_BARS] = { 0 };

    (void)state;
    begin(VPCI_VERSION_1_4);
    for (uint32_t length = 0; length < sizeof reply; length++)
        assert_int_equal(vpci_take_requirements(&vpci, &reply, length, masks), HV_ERROR_MALFORMED);
    assert_int_equal(masks[0], 0);
    assert_int_equal(vpci_take_requirements(&vpci, &reply, sizeof reply, masks), 0);
    assert_int_equal(masks[0], 0xfffff000);
    assert_int_equal(masks[5], 0xffff000c);
    reply.status = VPCI_STATUS_BAD_DATA;
    assert_int_equal(vpci_take_requirements(&vpci, &reply, 4, masks), HV_ERROR_REFUSED);
}

static void the_simple_messages_are_as_the_host_knows_them(void **state)
{
    struct vpci_d0_entry entry;
    struct vpci_ejection_complete complete;

    (void)state;
    begin(VPCI_VERSION_1_4);
    vpci_make_d0_entry(&entry, UINT64_C(0xf8002000));
    assert_true(entry.type == VPCI_D0_ENTRY && entry.reserved == 0 && entry.window == 0xf8002000);
    vpci_make_ejection_complete(&complete, 0x21);
    assert_true(complete.type == VPCI_EJECTION_COMPLETE && complete.slot == 0x21);
    assert_int_equal(vpci_take_status(&vpci, "\0\0\0", 3), HV_ERROR_MALFORMED);
    assert_int_equal(vpci_take_status(&vpci, "\1\0\0\0", 4), 0);
    assert_int_equal(vpci_take_status(&vpci, "\1\0\0\x80", 4), HV_ERROR_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_proposed_from_the_newest_down),
        cmocka_unit_test(an_accepted_version_is_the_one_that_was_asked_for),
        cmocka_unit_test(the_attempt_after_one_that_failed_begins_anew),
        cmocka_unit_test(other_answers_end_the_negotiation),
        cmocka_unit_test(both_forms_of_the_list_are_read),
        cmocka_unit_test(the_same_list_again_changes_nothing),
        cmocka_unit_test(an_empty_list_is_news_the_first_time),
        cmocka_unit_test(a_function_that_is_not_listed_any_more_is_gone),
        cmocka_unit_test(another_device_in_the_slot_replaces_the_first),
        cmocka_unit_test(lists_longer_than_their_packet_are_dropped),
        cmocka_unit_test(more_functions_than_a_bus_has_are_left_out),
        cmocka_unit_test(an_eject_counts_once),
        cmocka_unit_test(invalidations_make_the_guest_ask_again),
        cmocka_unit_test(block_invalidations_carry_their_mask),
        cmocka_unit_test(short_and_unknown_packets_are_dropped),
        cmocka_unit_test(interrupts_are_asked_for_in_the_versions_form),
        cmocka_unit_test(targets_that_cannot_be_are_not_asked_for),
        cmocka_unit_test(answers_to_a_creation_are_checked),
        cmocka_unit_test(assignments_are_zero_and_have_room),
        cmocka_unit_test(requirements_are_read_whole_or_not),
        cmocka_unit_test(the_simple_messages_are_as_the_host_knows_them),
    };

    return RUN(tests);
}
