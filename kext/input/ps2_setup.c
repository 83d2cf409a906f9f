/* SPDX-License-Identifier: BSD-3-Clause */
/* Bringing the PS/2 controller and its keyboard up, as a list of steps. */
#include "kext/input/ps2.h"

#include "kext/core/shared_memory.h"

#define CONFIGURATION_KEYBOARD_LINE 0x01u
#define CONFIGURATION_MOUSE_LINE    0x02u
#define CONFIGURATION_KEYBOARD_OFF  0x10u
#define CONFIGURATION_MOUSE_OFF     0x20u
#define CONFIGURATION_TRANSLATE     0x40u       /* to scan code set 1 */

#define UNEXPECTED_MAXIMUM 32u          /* keys that were on their way */

enum step_kind {
    COMMAND, DATA, DRAIN,
    EXPECT,                             /* exactly this byte; others before it are dropped */
    CONFIGURATION,                      /* the byte is the configuration */
    QUIET_CONFIGURATION,                /* written: no interrupts */
    LOUD_CONFIGURATION                  /* written: keyboard interrupts */
};

/* Interrupts of the keyboard begin last: until then its answers are waited for. The self-test may
 * have put the configuration back, so it is read again. */
static const struct {
    uint8_t kind, byte;
} steps[] = {
    { COMMAND, 0xAD },                  /* keyboard off */
    { COMMAND, 0xA7 },                  /* mouse off */
    { DRAIN, 0 },
    { COMMAND, 0x20 }, { CONFIGURATION, 0 },
    { COMMAND, 0x60 }, { QUIET_CONFIGURATION, 0 },
    { COMMAND, 0xAA }, { EXPECT, 0x55 },        /* controller's self-test */
    { COMMAND, 0xAB }, { EXPECT, 0x00 },        /* keyboard port's test */
    { COMMAND, 0x20 }, { CONFIGURATION, 0 },
    { COMMAND, 0x60 }, { QUIET_CONFIGURATION, 0 },
    { COMMAND, 0xAE },                  /* keyboard on */
    { DATA, 0xF6 }, { EXPECT, 0xFA },   /* defaults */
    { DATA, 0xF4 }, { EXPECT, 0xFA },   /* send keys */
    { COMMAND, 0x60 }, { LOUD_CONFIGURATION, 0 },
};

#define STEPS (sizeof steps / sizeof *steps)

void ps2_setup_begin(struct ps2_setup *setup)
{
    memset(setup, 0, sizeof *setup);
}

static uint8_t quiet(const struct ps2_setup *setup)
{
    return (uint8_t)((setup->configuration | CONFIGURATION_MOUSE_OFF | CONFIGURATION_TRANSLATE) &
                     ~(CONFIGURATION_KEYBOARD_LINE | CONFIGURATION_MOUSE_LINE |
                       CONFIGURATION_KEYBOARD_OFF));
}

struct ps2_action ps2_setup_next(struct ps2_setup *setup)
{
    uint8_t byte;

    if (setup->failed)
        return (struct ps2_action){ PS2_FAILED, 0 };
    if (setup->step == STEPS)
        return (struct ps2_action){ PS2_DONE, 0 };
    byte = steps[setup->step].byte;
    switch (steps[setup->step].kind) {
    case EXPECT:
    case CONFIGURATION:
        return (struct ps2_action){ PS2_AWAIT, 0 };
    case COMMAND:
        setup->step++;
        return (struct ps2_action){ PS2_WRITE_COMMAND, byte };
    case DRAIN:
        setup->step++;
        return (struct ps2_action){ PS2_DRAIN, 0 };
    case DATA:
        setup->step++;
        return (struct ps2_action){ PS2_WRITE_DATA, byte };
    case QUIET_CONFIGURATION:
        setup->step++;
        return (struct ps2_action){ PS2_WRITE_DATA, quiet(setup) };
    default:
        setup->step++;
        return (struct ps2_action){ PS2_WRITE_DATA, quiet(setup) | CONFIGURATION_KEYBOARD_LINE };
    }
}

void ps2_setup_answer(struct ps2_setup *setup, uint8_t byte)
{
    if (setup->step == STEPS)
        return;
    if (steps[setup->step].kind == CONFIGURATION) {
        setup->configuration = byte;
        setup->step++;
    } else if (steps[setup->step].kind == EXPECT) {
        if (steps[setup->step].byte == byte)
            setup->step++;
        else if (++setup->unexpected > UNEXPECTED_MAXIMUM)
            setup->failed = true;
    }
}

void ps2_setup_timed_out(struct ps2_setup *setup)
{
    setup->failed = true;
}

uint32_t ps2_setup_step(const struct ps2_setup *setup)
{
    return setup->step;
}
