/* SPDX-License-Identifier: BSD-3-Clause */
/* The PS/2 mouse behind the keyboard controller: it has two buttons, answers all commands, and
 * never moves. Facts: IBM PS/2 Technical Reference, "Mouse"; Linux's psmouse asks for all of it. */
#ifndef HOST_PLATFORM_PS2_MOUSE_H
#define HOST_PLATFORM_PS2_MOUSE_H

#include <stdbool.h>
#include <stdint.h>

enum { PS2_MOUSE_ANSWER = 4 };

struct ps2_mouse {
    uint8_t command;      /* waiting for its data byte; 0: none */
    uint8_t flags;        /* as its status shows them */
    uint8_t resolution;   /* 0 to 3: 1, 2, 4, 8 counts a millimetre */
    uint8_t rate;         /* reports a second */
    bool is_echoing;
};

/* As after power on. */
void ps2_mouse_reset(struct ps2_mouse *mouse);

/* The guest sends it a byte. Returns how many bytes it answers with. */
unsigned ps2_mouse_write(struct ps2_mouse *mouse, uint8_t value, uint8_t answer[PS2_MOUSE_ANSWER]);

#endif
