/* SPDX-License-Identifier: BSD-3-Clause */
/* The built-in platform: what start-up tells it about the machine. */
#ifndef MACHV_XNU_IOKIT_PLATFORM_H
#define MACHV_XNU_IOKIT_PLATFORM_H

#include "abi/IOService.h"
#include "abi/structures.h"

#include "xnu/iokit/machine_description.h"

/* The boot-time screen, as getConsoleInfo gives it. */
struct platform_console {
    PE_Video video; /* all zero: there is none */
    /* setConsoleInfo was called: new values (may be NULL) and kPE... operation. May be NULL. */
    void (*changed)(void *context, const PE_Video *video, uint32_t operation);
    void *context;
};

/* Before the platform starts; copied. */
void platform_set_console(const struct platform_console *console);
/* The machine whose nubs the platform makes; borrowed for ever. */
void platform_set_machine(const struct machine_description *machine);
const struct machine_description *platform_machine(void);

/* Makes the root of all services for the machine and attaches it; it is registered separately. */
IOService *platform_make_root(void);

/* Creates the nubs below the platform expert, in the order of the description, and registers
 * them. */
void platform_create_nubs(IOService *platform);

#endif
