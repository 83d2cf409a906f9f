/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The PC's keyboard controller with the keyboard and the mouse behind it, as a generation 1 machine
 * has it: ports 0x60 and 0x64, lines 1 and 12. Only the model: nobody is called; after each call
 * the owner looks at i8042_line() and `reset_wanted`.
 *
 * The keyboard sends scan code set 1 whatever the translation bit says. The mouse answers as one
 * with two buttons and never moves: every Hyper-V has a synthetic one.
 *
 * Facts: OpenVMM's i8042 for what Hyper-V answers; Intel 8042 and IBM PS/2 Technical Reference.
 */
#ifndef HOST_PLATFORM_I8042_H
#define HOST_PLATFORM_I8042_H

#include <stdbool.h>
#include <stdint.h>

#include "host/platform/ps2_mouse.h"

enum {
    I8042_DATA_PORT = 0x60,
    I8042_COMMAND_PORT = 0x64, /* read: status */
    I8042_KEYBOARD_LINE = 1,
    I8042_MOUSE_LINE = 12,
    I8042_KEYS = 8192,  /* bytes of typed keys that may wait for the guest */
    I8042_REPLIES = 16, /* bytes that one device may owe the guest */
    I8042_RAM = 32,
};

enum { I8042_LIGHT_CAPS_LOCK = 4 };

enum i8042_source { I8042_CONTROLLER, I8042_KEYBOARD, I8042_MOUSE };

struct i8042_replies {
    uint8_t bytes[I8042_REPLIES];
    unsigned first, count;
};

struct i8042 {
    uint8_t ram[I8042_RAM];        /* byte 0: the configuration */
    uint8_t command;               /* of the controller, waiting for its data byte; 0: none */
    bool last_was_command;         /* the last write went to the command port */
    uint8_t output;                /* what the data port gives */
    bool is_full;
    enum i8042_source source;      /* of `output` */
    struct i8042_replies keyboard, mouse;
    uint8_t keyboard_command;      /* waiting for its data byte; 0: none */
    struct ps2_mouse mouse_state;
    uint8_t last_sent;             /* by the keyboard, for its resend command */
    bool in_sequence;              /* the last key byte was a prefix: the rest comes next */
    bool is_scanning;              /* the guest has enabled the keyboard since the reset */
    uint8_t lights;                /* bit 0 scroll lock, 1 num lock, 2 caps lock */
    bool lights_said;
    uint8_t keys[I8042_KEYS];
    unsigned first_key, key_count;
    bool reset_wanted;             /* the guest pulled the reset line; the owner clears it */
};

/* As after power on. */
void i8042_reset(struct i8042 *i8042);

/* Accesses of the guest; any port of the two, any value. */
uint8_t i8042_read(struct i8042 *i8042, uint16_t port);
void i8042_write(struct i8042 *i8042, uint16_t port, uint8_t value);

/* Level of line I8042_KEYBOARD_LINE or I8042_MOUSE_LINE. */
bool i8042_line(const struct i8042 *i8042, unsigned line);

/* How many more key bytes may be put. */
unsigned i8042_room(const struct i8042 *i8042);

/* The keyboard sends these bytes, all of which there must be room for. */
void i8042_put_keys(struct i8042 *i8042, const uint8_t *bytes, unsigned count);

#endif
