/* SPDX-License-Identifier: BSD-3-Clause */
/* The keyboard controller's registers and commands. */
#include "host/platform/i8042.h"

#include <string.h>

#define STATUS_FULL 0x01u
#define STATUS_COMMAND 0x08u
#define STATUS_UNLOCKED 0x10u
#define STATUS_MOUSE 0x20u

#define CONFIGURATION_KEYBOARD_LINE 0x01u
#define CONFIGURATION_MOUSE_LINE 0x02u
#define CONFIGURATION_SYSTEM 0x04u /* the same bit in the status */
#define CONFIGURATION_KEYBOARD_OFF 0x10u
#define CONFIGURATION_MOUSE_OFF 0x20u
#define CONFIGURATION_RESET 0x47u

#define OUTPUT_PORT_RUN 0x01u /* clear: the processors are reset */
#define OUTPUT_PORT_A20 0x02u

#define ACKNOWLEDGE 0xfau
#define RESEND 0xfeu
#define SELF_TEST_PASSED 0xaau

/* Of the controller. */
enum {
    READ_RAM = 0x20, READ_RAM_LAST = 0x3f, WRITE_RAM = 0x60, WRITE_RAM_LAST = 0x7f,
    AMI_VERSION = 0xa1, TEST_PASSWORD = 0xa4, MOUSE_OFF = 0xa7, MOUSE_ON = 0xa8, TEST_MOUSE = 0xa9,
    SELF_TEST = 0xaa, TEST_KEYBOARD = 0xab, KEYBOARD_OFF = 0xad, KEYBOARD_ON = 0xae,
    READ_INPUT_PORT = 0xc0, READ_OUTPUT_PORT = 0xd0, WRITE_OUTPUT_PORT = 0xd1,
    WRITE_AS_KEYBOARD = 0xd2, WRITE_AS_MOUSE = 0xd3, WRITE_TO_MOUSE = 0xd4, PULSE = 0xf0,
};

/* Of the keyboard. */
enum {
    SET_LIGHTS = 0xed, ECHO = 0xee, SET_CODES = 0xf0, IDENTIFY = 0xf2, SET_RATE = 0xf3,
    ENABLE = 0xf4, DISABLE = 0xf5, SET_DEFAULTS = 0xf6, ALL_KEYS_FIRST = 0xf7,
    ONE_KEY_FIRST = 0xfb, ONE_KEY_LAST = 0xfd, SEND_AGAIN = 0xfe, RESET = 0xff,
};

/* ---- What waits to be read ---- */

static void reply(struct i8042_replies *replies, uint8_t byte)
{
    if (replies->count < I8042_REPLIES) {
        replies->bytes[(replies->first + replies->count) % I8042_REPLIES] = byte;
        replies->count++;
    }
}

static uint8_t take_reply(struct i8042_replies *replies)
{
    const uint8_t byte = replies->bytes[replies->first];
    replies->first = (replies->first + 1) % I8042_REPLIES;
    replies->count--;
    return byte;
}

static uint8_t take_key(struct i8042 *i8042)
{
    const uint8_t byte = i8042->keys[i8042->first_key];
    i8042->first_key = (i8042->first_key + 1) % I8042_KEYS;
    i8042->key_count--;
    i8042->in_sequence = byte == 0xe0 || byte == 0xe1;
    return byte;
}

static void put_output(struct i8042 *i8042, uint8_t byte, enum i8042_source source)
{
    i8042->output = byte;
    i8042->source = source;
    i8042->is_full = true;
}

static void put_from_keyboard(struct i8042 *i8042, uint8_t byte)
{
    i8042->last_sent = byte;
    put_output(i8042, byte, I8042_KEYBOARD);
}

/* The mouse goes first; the keyboard answers before it sends keys, but not within one. */
static void fill_output(struct i8042 *i8042)
{
    const bool keyboard_on = (i8042->ram[0] & CONFIGURATION_KEYBOARD_OFF) == 0;
    if (i8042->is_full) {
        return;
    }
    if (i8042->mouse.count > 0 && (i8042->ram[0] & CONFIGURATION_MOUSE_OFF) == 0) {
        put_output(i8042, take_reply(&i8042->mouse), I8042_MOUSE);
    } else if (i8042->keyboard.count > 0 && keyboard_on &&
               !(i8042->in_sequence && i8042->key_count > 0)) {
        put_from_keyboard(i8042, take_reply(&i8042->keyboard));
    } else if (i8042->key_count > 0 && keyboard_on) {
        put_from_keyboard(i8042, take_key(i8042));
    }
}

/* ---- The devices ---- */

static void reset_keyboard(struct i8042 *i8042)
{
    i8042->is_scanning = false;
    i8042->keyboard_command = 0;
    i8042->in_sequence = false;
    i8042->key_count = 0;
}

static bool takes_data(uint8_t command)
{
    return command == SET_LIGHTS || command == SET_CODES || command == SET_RATE ||
           (command >= ONE_KEY_FIRST && command <= ONE_KEY_LAST);
}

static void keyboard_data(struct i8042 *i8042, uint8_t value)
{
    if (i8042->keyboard_command == SET_LIGHTS) {
        i8042->lights = value & 7;
        i8042->lights_said = true;
    }
    i8042->keyboard_command = 0;
    reply(&i8042->keyboard, ACKNOWLEDGE);
}

static void identify_keyboard(struct i8042 *i8042)
{
    reply(&i8042->keyboard, ACKNOWLEDGE);
    reply(&i8042->keyboard, 0xab); /* as a keyboard behind a translating controller says it */
    reply(&i8042->keyboard, 0x41);
}

static void keyboard_command(struct i8042 *i8042, uint8_t value)
{
    i8042->keyboard_command = takes_data(value) ? value : 0;
    switch (value) {
    case ECHO:
        reply(&i8042->keyboard, ECHO);
        break;
    case IDENTIFY:
        identify_keyboard(i8042);
        break;
    case SEND_AGAIN:
        reply(&i8042->keyboard, i8042->last_sent);
        break;
    case RESET:
    case ENABLE:
    case DISABLE:
    case SET_DEFAULTS:
        reset_keyboard(i8042);
        i8042->is_scanning = value == ENABLE;
        reply(&i8042->keyboard, ACKNOWLEDGE);
        if (value == RESET) {
            reply(&i8042->keyboard, SELF_TEST_PASSED);
        }
        break;
    default:
        reply(&i8042->keyboard,
              takes_data(value) || (value >= ALL_KEYS_FIRST && value <= ONE_KEY_LAST) ? ACKNOWLEDGE
                                                                                      : RESEND);
        break;
    }
}

static void write_keyboard(struct i8042 *i8042, uint8_t value)
{
    i8042->ram[0] &= (uint8_t)~CONFIGURATION_KEYBOARD_OFF;
    if (i8042->keyboard_command != 0 && value < SET_LIGHTS) {
        keyboard_data(i8042, value);
    } else {
        keyboard_command(i8042, value);
    }
}

static void write_mouse(struct i8042 *i8042, uint8_t value)
{
    uint8_t answer[PS2_MOUSE_ANSWER];
    const unsigned count = ps2_mouse_write(&i8042->mouse_state, value, answer);
    i8042->ram[0] &= (uint8_t)~CONFIGURATION_MOUSE_OFF;
    for (unsigned i = 0; i < count; i++) {
        reply(&i8042->mouse, answer[i]);
    }
}

/* ---- The controller ---- */

static void answer(struct i8042 *i8042, uint8_t byte)
{
    put_output(i8042, byte, I8042_CONTROLLER);
}

static void set_configuration(struct i8042 *i8042, uint8_t set, uint8_t clear)
{
    i8042->ram[0] = (uint8_t)((i8042->ram[0] | set) & ~clear);
}

static void test_controller(struct i8042 *i8042)
{
    i8042->ram[0] |= CONFIGURATION_SYSTEM;
    answer(i8042, 0x55);
}

static bool is_data_command(uint8_t command)
{
    return (command >= WRITE_RAM && command <= WRITE_RAM_LAST) ||
           (command >= WRITE_OUTPUT_PORT && command <= WRITE_TO_MOUSE);
}

static void write_command(struct i8042 *i8042, uint8_t value)
{
    i8042->command = is_data_command(value) ? value : 0;
    if (value >= READ_RAM && value <= READ_RAM_LAST) {
        answer(i8042, i8042->ram[value - READ_RAM]);
        return;
    }
    switch (value) {
    case AMI_VERSION:
    case TEST_MOUSE:
    case TEST_KEYBOARD:
        answer(i8042, 0);
        break;
    case TEST_PASSWORD:
        answer(i8042, 0xf1); /* there is none */
        break;
    case MOUSE_OFF:
        set_configuration(i8042, CONFIGURATION_MOUSE_OFF, 0);
        break;
    case MOUSE_ON:
        set_configuration(i8042, 0, CONFIGURATION_MOUSE_OFF);
        break;
    case SELF_TEST:
        test_controller(i8042);
        break;
    case KEYBOARD_OFF:
        set_configuration(i8042, CONFIGURATION_KEYBOARD_OFF, 0);
        break;
    case KEYBOARD_ON:
        set_configuration(i8042, 0, CONFIGURATION_KEYBOARD_OFF);
        break;
    case READ_INPUT_PORT:
        answer(i8042, 0x80); /* unlocked */
        break;
    case READ_OUTPUT_PORT:
        answer(i8042, OUTPUT_PORT_RUN | OUTPUT_PORT_A20);
        break;
    default:
        if (value >= PULSE && (value & OUTPUT_PORT_RUN) == 0) {
            i8042->reset_wanted = true;
        }
        break;
    }
}

static void write_data(struct i8042 *i8042, uint8_t value)
{
    const uint8_t command = i8042->command;
    i8042->command = 0;
    switch (command) {
    case 0:
        write_keyboard(i8042, value);
        break;
    case WRITE_OUTPUT_PORT:
        i8042->reset_wanted |= (value & OUTPUT_PORT_RUN) == 0;
        break;
    case WRITE_AS_KEYBOARD:
        put_output(i8042, value, I8042_KEYBOARD);
        break;
    case WRITE_AS_MOUSE:
        put_output(i8042, value, I8042_MOUSE);
        break;
    case WRITE_TO_MOUSE:
        write_mouse(i8042, value);
        break;
    default:
        i8042->ram[command - WRITE_RAM] = value;
        break;
    }
}

/* ---- From outside ---- */

void i8042_reset(struct i8042 *i8042)
{
    memset(i8042, 0, sizeof(*i8042));
    ps2_mouse_reset(&i8042->mouse_state);
    i8042->ram[0] = CONFIGURATION_RESET;
}

uint8_t i8042_read(struct i8042 *i8042, uint16_t port)
{
    if (port == I8042_COMMAND_PORT) {
        return (uint8_t)((i8042->is_full ? STATUS_FULL : 0) |
                         (i8042->ram[0] & CONFIGURATION_SYSTEM) |
                         (i8042->last_was_command ? STATUS_COMMAND : 0) | STATUS_UNLOCKED |
                         (i8042->source == I8042_MOUSE ? STATUS_MOUSE : 0));
    }
    const uint8_t value = i8042->output;
    i8042->is_full = false;
    fill_output(i8042);
    return value;
}

void i8042_write(struct i8042 *i8042, uint16_t port, uint8_t value)
{
    i8042->last_was_command = port == I8042_COMMAND_PORT;
    if (port == I8042_COMMAND_PORT) {
        write_command(i8042, value);
    } else {
        write_data(i8042, value);
    }
    fill_output(i8042);
}

bool i8042_line(const struct i8042 *i8042, unsigned line)
{
    if (!i8042->is_full) {
        return false;
    }
    return line == I8042_KEYBOARD_LINE ? i8042->source == I8042_KEYBOARD &&
                                             (i8042->ram[0] & CONFIGURATION_KEYBOARD_LINE) != 0
                                       : i8042->source == I8042_MOUSE &&
                                             (i8042->ram[0] & CONFIGURATION_MOUSE_LINE) != 0;
}

unsigned i8042_room(const struct i8042 *i8042)
{
    return I8042_KEYS - i8042->key_count;
}

void i8042_put_keys(struct i8042 *i8042, const uint8_t *bytes, unsigned count)
{
    for (unsigned i = 0; i < count && i8042->key_count < I8042_KEYS; i++) {
        i8042->keys[(i8042->first_key + i8042->key_count) % I8042_KEYS] = bytes[i];
        i8042->key_count++;
    }
    fill_output(i8042);
}
