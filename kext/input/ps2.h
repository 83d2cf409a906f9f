/* SPDX-License-Identifier: BSD-3-Clause */
/* The PS/2 keyboard of a generation 1 machine: how its controller is brought up, and what the bytes
 * that come from it mean. No I/O Kit and no ports in here; calls are serialised by the caller.
 *
 * Sources: Intel 8042 data sheet, IBM PS/2 Technical Reference, Linux i8042 and atkbd. */
#ifndef KEXT_INPUT_PS2_H
#define KEXT_INPUT_PS2_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/keyboard.h"

#define PS2_DATA_PORT    0x60u
#define PS2_COMMAND_PORT 0x64u          /* reading: the status */

/* Bits of the status. */
#define PS2_STATUS_OUTPUT     0x01u     /* a byte waits at the data port */
#define PS2_STATUS_INPUT_BUSY 0x02u     /* the controller has not taken the last byte yet */
#define PS2_STATUS_MOUSE      0x20u     /* the byte is the mouse's */
#define PS2_STATUS_ERRORS     0xC0u     /* time-out, parity: the byte is nothing */

/* ---- Bringing it up
 * -------------------------------------------------------------------------- */

enum ps2_action_kind {
    PS2_WRITE_COMMAND,                  /* `byte` to the command port */
    PS2_WRITE_DATA,                     /* `byte` to the data port */
    PS2_DRAIN,                          /* read the data port until nothing waits there */
    PS2_AWAIT,                          /* wait for a byte and hand it to ps2_setup_answer */
    PS2_DONE,
    PS2_FAILED
};

struct ps2_action {
    enum ps2_action_kind kind;
    uint8_t byte;
};

struct ps2_setup {
    uint32_t step;
    uint32_t unexpected;                /* bytes other than the one that is waited for */
    uint8_t configuration;              /* of the controller */
    bool failed;
};

void ps2_setup_begin(struct ps2_setup *setup);

/* What to do next. After PS2_AWAIT it is the same again until an answer is given; after PS2_DONE
 * or PS2_FAILED always. */
struct ps2_action ps2_setup_next(struct ps2_setup *setup);

/* The byte that came, or that none came in time. */
void ps2_setup_answer(struct ps2_setup *setup, uint8_t byte);
void ps2_setup_timed_out(struct ps2_setup *setup);

/* Number of the step that failed, for the log. */
uint32_t ps2_setup_step(const struct ps2_setup *setup);

/* ---- At work
 * --------------------------------------------------------------------------------- */

#define PS2_NOTHING_TO_SEND (-1)
#define PS2_EVENTS_MAXIMUM  2u

struct ps2_counters {
    uint64_t bytes;
    uint64_t foreign;                   /* the mouse's, or with a transmission error */
    uint64_t overruns;                  /* the keyboard has lost keys */
    uint64_t refused;                   /* commands that the keyboard did not take */
};

struct ps2_keyboard {
    uint8_t prefix;                     /* E0 or E1 came, 0: neither */
    uint8_t command[2];                 /* being sent: set lights, the lights */
    uint8_t command_sent;               /* bytes of it that are out; 0: none is under way */
    uint8_t tries;
    bool lights_wanted;                 /* others, meanwhile */
    uint8_t wanted;
    struct ps2_counters counters;
};

/* What a byte caused. */
struct ps2_result {
    struct keyboard_event events[PS2_EVENTS_MAXIMUM];   /* as the synthetic keyboard reports keys */
    uint32_t event_count;
    int send;                           /* byte to write to the data port, or PS2_NOTHING_TO_SEND */
    bool overrun;                       /* keys were lost: those that are down have to go up */
};

void ps2_keyboard_begin(struct ps2_keyboard *keyboard);

/* A byte of the data port, with the status that was read before it. */
void ps2_keyboard_receive(struct ps2_keyboard *keyboard, uint8_t status, uint8_t byte,
                          struct ps2_result *result);

/* Sets the lights; returns the byte to write to the data port now, or PS2_NOTHING_TO_SEND while
 * others are being set: these follow. */
int ps2_keyboard_set_lights(struct ps2_keyboard *keyboard, bool caps_lock, bool num_lock);

#endif
