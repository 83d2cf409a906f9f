/* SPDX-License-Identifier: BSD-3-Clause */
/* The PS/2 keyboard's engines: how the controller is brought up, and bytes in, keys out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kext/input/ps2.h"

/* ---- bringing it up: a controller that answers as told ---- */

#define ANSWERS 64
#define NO_ANSWER 0x100

struct conversation {
    uint8_t commands[32], data[32];
    unsigned command_count, data_count, drains;
    const uint16_t *answers;
    unsigned answer_count, answered;
};

static enum ps2_action_kind talk(struct conversation *conversation)
{
    struct ps2_setup setup;

    ps2_setup_begin(&setup);
    for (unsigned i = 0; i < 200; i++) {
        struct ps2_action action = ps2_setup_next(&setup);

        switch (action.kind) {
        case PS2_WRITE_COMMAND:
            conversation->commands[conversation->command_count++] = action.byte;
            break;
        case PS2_WRITE_DATA:
            conversation->data[conversation->data_count++] = action.byte;
            break;
        case PS2_DRAIN:
            conversation->drains++;
            break;
        case PS2_AWAIT:
            if (conversation->answered == conversation->answer_count ||
                conversation->answers[conversation->answered] == NO_ANSWER)
                ps2_setup_timed_out(&setup);
            else
                ps2_setup_answer(&setup, (uint8_t)conversation->answers[conversation->answered++]);
            break;
        default:
            assert_int_equal(ps2_setup_next(&setup).kind, action.kind);     /* and stays so */
            return action.kind;
        }
    }
    fail_msg("the set-up never ends");
    return PS2_FAILED;
}

static const uint16_t good[] = { 0x47, 0x55, 0x00, 0x77, 0xFA, 0xFA };
#define GOOD_COUNT (sizeof good / sizeof *good)

static void the_controller_is_brought_up(void **state)
{
    static const uint8_t commands[] = { 0xAD, 0xA7, 0x20, 0x60, 0xAA,
                                        0xAB, 0x20, 0x60, 0xAE, 0x60 };
    /* Mouse off, translation on, keyboard interrupts only at the end. */
    static const uint8_t data[] = { 0x64, 0x64, 0xF6, 0xF4, 0x65 };
    struct conversation conversation = { .answers = good, .answer_count = GOOD_COUNT };

    (void)state;
    assert_int_equal(talk(&conversation), PS2_DONE);
    assert_int_equal(conversation.command_count, sizeof commands);
    assert_memory_equal(conversation.commands, commands, sizeof commands);
    assert_int_equal(conversation.data_count, sizeof data);
    assert_memory_equal(conversation.data, data, sizeof data);
    assert_int_equal(conversation.drains, 1);
}

static void keys_on_their_way_do_not_disturb(void **state)
{
    static const uint16_t answers[] = { 0x47, 0x1E, 0x9E, 0x55, 0x00, 0x77, 0xE0, 0x48, 0xFA, 0x1E,
                                        0xFA };
    struct conversation conversation = { .answers = answers,
                                         .answer_count = sizeof answers / sizeof *answers };

    (void)state;
    assert_int_equal(talk(&conversation), PS2_DONE);
}

static void silence_at_any_step_ends_it(void **state)
{
    (void)state;
    for (unsigned at = 0; at < GOOD_COUNT; at++) {
        uint16_t answers[GOOD_COUNT];
        struct conversation conversation = { .answers = answers, .answer_count = GOOD_COUNT };

        memcpy(answers, good, sizeof good);
        answers[at] = NO_ANSWER;
        assert_int_equal(talk(&conversation), PS2_FAILED);
        assert_int_equal(conversation.answered, at);
    }
}

static void a_failed_self_test_is_no_keyboard(void **state)
{
    uint16_t answers[ANSWERS];
    struct conversation conversation = { .answers = answers, .answer_count = ANSWERS };

    (void)state;
    for (unsigned i = 0; i < ANSWERS; i++)
        answers[i] = 0xFC;
    assert_int_equal(talk(&conversation), PS2_FAILED);
    assert_true(conversation.answered < ANSWERS);
}

static void a_late_answer_changes_nothing(void **state)
{
    struct ps2_setup setup;

    (void)state;
    ps2_setup_begin(&setup);
    ps2_setup_answer(&setup, 0x55);         /* nobody asked */
    assert_int_equal(ps2_setup_step(&setup), 0);
    assert_int_equal(ps2_setup_next(&setup).byte, 0xAD);
}

/* ---- at work ---- */

static struct ps2_result result;

static void receive(struct ps2_keyboard *keyboard, uint8_t byte)
{
    ps2_keyboard_receive(keyboard, PS2_STATUS_OUTPUT, byte, &result);
}

static void expect_key(uint16_t code, uint32_t flags)
{
    assert_int_equal(result.event_count, 1);
    assert_int_equal(result.events[0].type, KEYBOARD_EVENT);
    assert_int_equal(result.events[0].make_code, code);
    assert_int_equal(result.events[0].flags, flags);
    assert_int_equal(result.send, PS2_NOTHING_TO_SEND);
    assert_false(result.overrun);
}

static void every_code_goes_down_and_up(void **state)
{
    struct ps2_keyboard keyboard;

    (void)state;
    ps2_keyboard_begin(&keyboard);
    for (unsigned code = 1; code < 0x60; code++) {   /* from there on breaks look like prefixes */
        receive(&keyboard, (uint8_t)code);
        expect_key((uint16_t)code, 0);
        receive(&keyboard, (uint8_t)(code | 0x80));
        expect_key((uint16_t)code, KEYBOARD_EVENT_BREAK);
        receive(&keyboard, 0xE0);
        assert_int_equal(result.event_count, 0);
        receive(&keyboard, (uint8_t)code);
        expect_key((uint16_t)code, KEYBOARD_EVENT_E0);
        receive(&keyboard, 0xE0);
        receive(&keyboard, (uint8_t)(code | 0x80));
        expect_key((uint16_t)code, KEYBOARD_EVENT_E0 | KEYBOARD_EVENT_BREAK);
    }
}

static void pause_is_e1_and_two_codes(void **state)
{
    struct ps2_keyboard keyboard;

    (void)state;
    ps2_keyboard_begin(&keyboard);
    receive(&keyboard, 0xE1);
    receive(&keyboard, 0x1D);
    expect_key(0x1D, KEYBOARD_EVENT_E1);
    receive(&keyboard, 0x45);
    expect_key(0x45, 0);
}

static void korean_keys_have_no_break_code(void **state)
{
    struct ps2_keyboard keyboard;

    (void)state;
    ps2_keyboard_begin(&keyboard);
    receive(&keyboard, 0xF2);
    assert_int_equal(result.event_count, 2);
    assert_int_equal(result.events[0].make_code, 0xF2);
    assert_int_equal(result.events[0].flags, 0);
    assert_int_equal(result.events[1].make_code, 0xF2);
    assert_int_equal(result.events[1].flags, KEYBOARD_EVENT_BREAK);
}

static void bytes_of_the_mouse_and_broken_ones_are_dropped(void **state)
{
    static const uint8_t statuses[] = { 0x21, 0x41, 0x81, 0xFF };
    struct ps2_keyboard keyboard;

    (void)state;
    ps2_keyboard_begin(&keyboard);
    receive(&keyboard, 0xE0);
    for (unsigned i = 0; i < sizeof statuses; i++) {
        ps2_keyboard_receive(&keyboard, statuses[i], 0x1E, &result);
        assert_int_equal(result.event_count, 0);
    }
    assert_int_equal(keyboard.counters.foreign, sizeof statuses);
    receive(&keyboard, 0x4B);               /* the key that had begun */
    expect_key(0x4B, KEYBOARD_EVENT_E0);
}

static void lost_keys_are_told_and_end_a_prefix(void **state)
{
    static const uint8_t bytes[] = { 0x00, 0xFF };
    struct ps2_keyboard keyboard;

    (void)state;
    ps2_keyboard_begin(&keyboard);
    for (unsigned i = 0; i < sizeof bytes; i++) {
        receive(&keyboard, 0xE0);
        receive(&keyboard, bytes[i]);
        assert_true(result.overrun);
        assert_int_equal(result.event_count, 0);
        receive(&keyboard, 0x1E);
        expect_key(0x1E, 0);
    }
    assert_int_equal(keyboard.counters.overruns, sizeof bytes);
}

/* ---- lights ---- */

static void lights_are_set_between_keys(void **state)
{
    struct ps2_keyboard keyboard;

    (void)state;
    ps2_keyboard_begin(&keyboard);
    assert_int_equal(ps2_keyboard_set_lights(&keyboard, true, false), 0xED);
    receive(&keyboard, 0x1E);               /* typed meanwhile */
    expect_key(0x1E, 0);
    receive(&keyboard, 0xFA);
    assert_int_equal(result.send, 0x04);
    receive(&keyboard, 0xFA);
    assert_int_equal(result.send, PS2_NOTHING_TO_SEND);
    assert_int_equal(ps2_keyboard_set_lights(&keyboard, true, true), 0xED);     /* the next works */
}

static void lights_that_change_meanwhile_follow(void **state)
{
    struct ps2_keyboard keyboard;

    (void)state;
    ps2_keyboard_begin(&keyboard);
    assert_int_equal(ps2_keyboard_set_lights(&keyboard, true, false), 0xED);
    assert_int_equal(ps2_keyboard_set_lights(&keyboard, false, false), PS2_NOTHING_TO_SEND);
    assert_int_equal(ps2_keyboard_set_lights(&keyboard, false, true), PS2_NOTHING_TO_SEND);
    receive(&keyboard, 0xFA);
    assert_int_equal(result.send, 0x04);
    receive(&keyboard, 0xFA);
    assert_int_equal(result.send, 0xED);
    receive(&keyboard, 0xFA);
    assert_int_equal(result.send, 0x02);
    receive(&keyboard, 0xFA);
    assert_int_equal(result.send, PS2_NOTHING_TO_SEND);
}

static void a_byte_is_sent_three_times_and_then_given_up(void **state)
{
    struct ps2_keyboard keyboard;

    (void)state;
    ps2_keyboard_begin(&keyboard);
    assert_int_equal(ps2_keyboard_set_lights(&keyboard, true, false), 0xED);
    receive(&keyboard, 0xFE);
    assert_int_equal(result.send, 0xED);
    receive(&keyboard, 0xFE);
    assert_int_equal(result.send, 0xED);
    receive(&keyboard, 0xFE);
    assert_int_equal(result.send, PS2_NOTHING_TO_SEND);
    assert_int_equal(keyboard.counters.refused, 1);
    assert_int_equal(ps2_keyboard_set_lights(&keyboard, false, false), 0xED);
}

static void answers_to_nothing_are_nothing(void **state)
{
    struct ps2_keyboard keyboard;

    (void)state;
    ps2_keyboard_begin(&keyboard);
    for (unsigned i = 0; i < 10; i++) {
        receive(&keyboard, i % 2 ? 0xFA : 0xFE);
        assert_int_equal(result.send, PS2_NOTHING_TO_SEND);
        assert_int_equal(result.event_count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_controller_is_brought_up),
        cmocka_unit_test(keys_on_their_way_do_not_disturb),
        cmocka_unit_test(silence_at_any_step_ends_it),
        cmocka_unit_test(a_failed_self_test_is_no_keyboard),
        cmocka_unit_test(a_late_answer_changes_nothing),
        cmocka_unit_test(every_code_goes_down_and_up),
        cmocka_unit_test(pause_is_e1_and_two_codes),
        cmocka_unit_test(korean_keys_have_no_break_code),
        cmocka_unit_test(bytes_of_the_mouse_and_broken_ones_are_dropped),
        cmocka_unit_test(lost_keys_are_told_and_end_a_prefix),
        cmocka_unit_test(lights_are_set_between_keys),
        cmocka_unit_test(lights_that_change_meanwhile_follow),
        cmocka_unit_test(a_byte_is_sent_three_times_and_then_given_up),
        cmocka_unit_test(answers_to_nothing_are_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
