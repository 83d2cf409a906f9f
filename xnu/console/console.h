/* SPDX-License-Identifier: BSD-3-Clause */
/* console.h - what a person at the screen sees of the machine as long as nobody else draws: a
 * title, the kernel's log, the pointer, and what is typed. It draws on firmware's picture first,
 * then on the framebuffer that a driver offers, in each of its modes. A thread of its own draws, at
 * most fifty times a second, and sleeps while nothing happens.
 *
 * One console a machine. Freestanding types only; functions are for kernel threads and may
 * block. */
#ifndef XNU_CONSOLE_CONSOLE_H
#define XNU_CONSOLE_CONSOLE_H

#include <stdbool.h>

#include "xnu/families/graphics/framebuffer.h"

struct console_options {
    const char *title;                  /* copied; 79 characters are taken */
    struct framebuffer_picture boot;    /* firmware's; pixels NULL: there is none */
};

/* Takes the places of framebuffer_observe() and input_events_observe(). 0 or -ENOMEM. */
int console_start(const struct console_options *options);
/* No pixel is written after this has returned. Nothing happens if it does not run. */
void console_stop(void);

/* Leaves the screen to somebody else (no pixel is written after this has returned), or takes it
 * back and draws all of it. */
void console_pause(bool paused);

#endif
