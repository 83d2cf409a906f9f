/* SPDX-License-Identifier: BSD-3-Clause */
/* The synthetic keyboard's engine: messages of the host -> keys that go down and up. No I/O Kit in
 * here; calls are serialised by the caller.
 *
 * Sources: Linux hyperv-keyboard, FreeBSD hv_kbd, OpenVMM uidevices. */
#ifndef KEXT_INPUT_KEYBOARD_H
#define KEXT_INPUT_KEYBOARD_H

#include "kext/core/errors.h"
#include "kext/input/key_layout.h"
#include "kext/input/scan_codes.h"
#include "protocol/keyboard.h"

/* A change of one key. */
struct keyboard_change {
    uint8_t key;                        /* ADB code, below ADB_CODES */
    bool is_down;
};

/* The most that one message can cause: all modifiers away, eight strokes, whose keys may be down,
 * with Option, all back. */
#define KEYBOARD_CHANGES_MAXIMUM 48u

enum keyboard_state {
    KEYBOARD_ASKED,                     /* the host has not answered yet */
    KEYBOARD_READY,
    KEYBOARD_REFUSED                    /* the host does not speak this version */
};

struct keyboard_options {
    bool swap_option_command;           /* Alt is Command, as on a Mac's keyboard by place */
    bool swap_iso_keys;                 /* the keys left of 1 and left of Z change places */
};

struct keyboard_counters {
    uint64_t events;
    uint64_t repeats;                   /* typematic, dropped: macOS repeats keys itself */
    uint64_t unknown_keys;
    uint64_t unknown_characters;        /* not on the layout */
    uint64_t malformed; /* too short, of an unknown type, or before the host agreed */
};

struct keyboard {
    enum keyboard_state state;
    struct keyboard_options options;
    const struct key_layout *layout;    /* for text; not owned */
    uint8_t down[ADB_CODES / 8];        /* as reported to the system */
    bool is_pause_begun;                /* E1 1D came; 45 is the rest */
    uint16_t high_surrogate;
    struct keyboard_counters counters;
};

/* Begins anew, with the U.S. layout, and fills in the first message, to be sent when the channel
 * is open. */
void keyboard_begin(struct keyboard *keyboard, const struct keyboard_options *options,
                    struct keyboard_protocol_request *request);

/* Text is typed on that layout from now on; it must live as long as it is in use. */
void keyboard_use_layout(struct keyboard *keyboard, const struct key_layout *layout);

/* Handles one message of `length` bytes (private memory). `changes` gets what the system is to be
 * told, in order; returns how many, at most KEYBOARD_CHANGES_MAXIMUM. HV_ERROR_MALFORMED,
 * HV_ERROR_REFUSED (the host does not agree), HV_ERROR_NOT_SUPPORTED (a key or character unknown):
 * nothing changed. */
int keyboard_receive(struct keyboard *keyboard, const void *message, uint32_t length,
                     struct keyboard_change changes[KEYBOARD_CHANGES_MAXIMUM]);

/* Handles the event of one key, whatever the state of the protocol: for keyboards that have none.
 * Returns as keyboard_receive, and never HV_ERROR_REFUSED or HV_ERROR_MALFORMED. */
int keyboard_key(struct keyboard *keyboard, const struct keyboard_event *event,
                 struct keyboard_change changes[KEYBOARD_CHANGES_MAXIMUM]);

/* The next key that is down goes up. False: none was. For the end of the channel. */
bool keyboard_release_next(struct keyboard *keyboard, struct keyboard_change *change);

/* The indicators' message. */
void keyboard_indicators(bool caps_lock, bool num_lock, struct keyboard_set_indicators *message);

#endif
