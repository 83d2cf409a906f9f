/* SPDX-License-Identifier: BSD-3-Clause */
/* The PS/2 mouse's commands. */
#include "host/platform/ps2_mouse.h"

enum {
    SCALE_1 = 0xe6, SCALE_2 = 0xe7, SET_RESOLUTION = 0xe8, READ_STATUS = 0xe9, STREAM = 0xea,
    READ_MOVES = 0xeb, END_ECHOES = 0xec, ECHOES = 0xee, ON_REQUEST = 0xf0, IDENTIFY = 0xf2,
    SET_RATE = 0xf3, ENABLE = 0xf4, DISABLE = 0xf5, SET_DEFAULTS = 0xf6, RESET = 0xff,
};

enum { ACKNOWLEDGE = 0xfa, REFUSE = 0xfe, SELF_TEST_PASSED = 0xaa, PLAIN_MOUSE = 0 };

enum { SCALED = 0x10, ENABLED = 0x20, REMOTE = 0x40 };
enum { DEFAULT_RESOLUTION = 2, DEFAULT_RATE = 100, LAST_RESOLUTION = 3, LAST_RATE = 200 };
enum { ALWAYS_SET = 0x08 }; /* in the first byte of a report */

void ps2_mouse_reset(struct ps2_mouse *mouse)
{
    *mouse = (struct ps2_mouse){.resolution = DEFAULT_RESOLUTION, .rate = DEFAULT_RATE};
}

static unsigned take_data(struct ps2_mouse *mouse, uint8_t value, uint8_t *answer)
{
    const bool is_rate = mouse->command == SET_RATE;
    if (value > (is_rate ? LAST_RATE : LAST_RESOLUTION)) {
        answer[0] = REFUSE; /* and it waits for a better one */
        return 1;
    }
    *(is_rate ? &mouse->rate : &mouse->resolution) = value;
    mouse->command = 0;
    answer[0] = ACKNOWLEDGE;
    return 1;
}

static void set_flag(struct ps2_mouse *mouse, uint8_t flag, bool on)
{
    mouse->flags = (uint8_t)(on ? mouse->flags | flag : mouse->flags & ~flag);
}

/* False: it knows no such command. Those of keyboards alone are among them, which is how drivers
 * tell the two apart. */
static bool obey(struct ps2_mouse *mouse, uint8_t value)
{
    switch (value) {
    case RESET:
    case SET_DEFAULTS:
        ps2_mouse_reset(mouse);
        return true;
    case ENABLE:
    case DISABLE:
        set_flag(mouse, ENABLED, value == ENABLE);
        return true;
    case SCALE_1:
    case SCALE_2:
        set_flag(mouse, SCALED, value == SCALE_2);
        return true;
    case STREAM:
    case ON_REQUEST:
        set_flag(mouse, REMOTE, value == ON_REQUEST);
        return true;
    case SET_RESOLUTION:
    case SET_RATE:
        mouse->command = value;
        return true;
    case ECHOES:
    case END_ECHOES:
        mouse->is_echoing = value == ECHOES;
        return true;
    default:
        return value == IDENTIFY || value == READ_STATUS || value == READ_MOVES;
    }
}

/* What follows the acknowledgement. */
static unsigned data_of(const struct ps2_mouse *mouse, uint8_t value, uint8_t *data)
{
    switch (value) {
    case READ_STATUS:
        data[0] = mouse->flags;
        data[1] = mouse->resolution;
        data[2] = mouse->rate;
        return 3;
    case READ_MOVES:
        data[0] = ALWAYS_SET;
        data[1] = data[2] = 0;
        return 3;
    case IDENTIFY:
        data[0] = PLAIN_MOUSE;
        return 1;
    case RESET:
        data[0] = SELF_TEST_PASSED;
        data[1] = PLAIN_MOUSE;
        return 2;
    default:
        return 0;
    }
}

unsigned ps2_mouse_write(struct ps2_mouse *mouse, uint8_t value, uint8_t answer[PS2_MOUSE_ANSWER])
{
    if (mouse->is_echoing && value != END_ECHOES && value != RESET) {
        answer[0] = value;
        return 1;
    }
    if (mouse->command != 0 && value < SCALE_1) {
        return take_data(mouse, value, answer);
    }
    mouse->command = 0;
    if (!obey(mouse, value)) {
        answer[0] = REFUSE;
        return 1;
    }
    answer[0] = ACKNOWLEDGE;
    return 1 + data_of(mouse, value, answer + 1);
}
