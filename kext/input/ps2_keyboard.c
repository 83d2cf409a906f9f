/* SPDX-License-Identifier: BSD-3-Clause */
/* What a PS/2 keyboard sends, in scan code set 1. */
#include "kext/input/ps2.h"

#include "kext/core/shared_memory.h"

#define EXTENDED       0xE0u
#define EXTENDED_TWICE 0xE1u
#define HANJA          0xF1u            /* these two have no break code, and the top bit set */
#define HANGUL         0xF2u
#define BREAK          0x80u
#define ACKNOWLEDGE    0xFAu
#define RESEND         0xFEu
#define LOST           0xFFu            /* keys were lost; 00 too */

#define SET_LIGHTS     0xEDu
#define LIGHT_NUM      0x02u
#define LIGHT_CAPS     0x04u
#define TRIES_MAXIMUM  3u

void ps2_keyboard_begin(struct ps2_keyboard *keyboard)
{
    memset(keyboard, 0, sizeof *keyboard);
}

/* ---- commands ---- */

static int start_command(struct ps2_keyboard *keyboard)
{
    keyboard->command[0] = SET_LIGHTS;
    keyboard->command[1] = keyboard->wanted;
    keyboard->lights_wanted = false;
    keyboard->command_sent = 1;
    keyboard->tries = 1;
    return keyboard->command[0];
}

static int end_command(struct ps2_keyboard *keyboard)
{
    keyboard->command_sent = 0;
    return keyboard->lights_wanted ? start_command(keyboard) : PS2_NOTHING_TO_SEND;
}

/* The keyboard answers a byte of the command that is under way. */
static int handle_answer(struct ps2_keyboard *keyboard, uint8_t byte)
{
    if (keyboard->command_sent == 0)
        return PS2_NOTHING_TO_SEND;     /* to nothing */
    if (byte == RESEND) {
        if (keyboard->tries++ < TRIES_MAXIMUM)
            return keyboard->command[keyboard->command_sent - 1];
        keyboard->counters.refused++;
        return end_command(keyboard);
    }
    if (keyboard->command_sent == sizeof keyboard->command)
        return end_command(keyboard);
    keyboard->tries = 1;
    return keyboard->command[keyboard->command_sent++];
}

int ps2_keyboard_set_lights(struct ps2_keyboard *keyboard, bool caps_lock, bool num_lock)
{
    keyboard->wanted = (uint8_t)((caps_lock ? LIGHT_CAPS : 0) | (num_lock ? LIGHT_NUM : 0));
    keyboard->lights_wanted = true;
    return keyboard->command_sent != 0 ? PS2_NOTHING_TO_SEND : start_command(keyboard);
}

/* ---- keys ---- */

static void put(struct ps2_result *result, uint8_t code, uint32_t flags)
{
    result->events[result->event_count++] =
        (struct keyboard_event){ .type = KEYBOARD_EVENT, .make_code = code, .flags = flags };
}

static void handle_code(struct ps2_keyboard *keyboard, uint8_t byte, struct ps2_result *result)
{
    uint32_t flags = byte & BREAK ? KEYBOARD_EVENT_BREAK : 0;

    if (keyboard->prefix == 0 && (byte == HANJA || byte == HANGUL)) {
        put(result, byte, 0);
        put(result, byte, KEYBOARD_EVENT_BREAK);
        return;
    }
    if (keyboard->prefix != 0)
        flags |= keyboard->prefix == EXTENDED ? KEYBOARD_EVENT_E0 : KEYBOARD_EVENT_E1;
    keyboard->prefix = 0;
    put(result, (uint8_t)(byte & ~BREAK), flags);
}

void ps2_keyboard_receive(struct ps2_keyboard *keyboard, uint8_t status, uint8_t byte,
                          struct ps2_result *result)
{
    *result = (struct ps2_result){ .send = PS2_NOTHING_TO_SEND };
    keyboard->counters.bytes++;
    if (status & (PS2_STATUS_MOUSE | PS2_STATUS_ERRORS)) {
        keyboard->counters.foreign++;
    } else if (byte == ACKNOWLEDGE || byte == RESEND) {
        result->send = handle_answer(keyboard, byte);
    } else if (byte == 0 || byte == LOST) {
        keyboard->counters.overruns++;
        keyboard->prefix = 0;
        result->overrun = true;
    } else if (byte == EXTENDED || byte == EXTENDED_TWICE) {
        keyboard->prefix = byte;
    } else {
        handle_code(keyboard, byte, result);
    }
}
