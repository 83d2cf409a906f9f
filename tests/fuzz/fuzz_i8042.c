/* SPDX-License-Identifier: BSD-3-Clause */
/* Fuzz target: a guest that writes anything to the keyboard controller while keys are typed, and
 * the PS/2 engines of the driver on whatever comes back. Each two bytes are an action. */
#include <stdlib.h>
#include <string.h>

#include "host/platform/i8042.h"
#include "kext/input/ps2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SETUP_ACTIONS = 22 };

struct fuzz {
    struct i8042 i8042;
    struct ps2_keyboard keyboard;
    struct ps2_setup setup;
};

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void check(const struct i8042 *i8042)
{
    require(i8042->key_count <= I8042_KEYS && i8042->first_key < I8042_KEYS);
    require(i8042->keyboard.count <= I8042_REPLIES && i8042->mouse.count <= I8042_REPLIES);
    require(!(i8042_line(i8042, I8042_KEYBOARD_LINE) && i8042_line(i8042, I8042_MOUSE_LINE)));
}

static void driver_reads(struct fuzz *fuzz, uint8_t status)
{
    struct ps2_result result;
    ps2_keyboard_receive(&fuzz->keyboard, status, i8042_read(&fuzz->i8042, I8042_DATA_PORT),
                         &result);
    require(result.event_count <= PS2_EVENTS_MAXIMUM);
    for (unsigned i = 0; i < result.event_count; i++) {
        require(result.events[i].make_code <= 0xf2);
    }
    if (result.send != PS2_NOTHING_TO_SEND) {
        i8042_write(&fuzz->i8042, I8042_DATA_PORT, (uint8_t)result.send);
    }
}

static void driver_sets_up(struct fuzz *fuzz)
{
    struct ps2_action action = ps2_setup_next(&fuzz->setup);
    const uint8_t status = i8042_read(&fuzz->i8042, I8042_COMMAND_PORT);
    switch (action.kind) {
    case PS2_WRITE_COMMAND:
        i8042_write(&fuzz->i8042, I8042_COMMAND_PORT, action.byte);
        break;
    case PS2_WRITE_DATA:
        i8042_write(&fuzz->i8042, I8042_DATA_PORT, action.byte);
        break;
    case PS2_DRAIN:
        i8042_read(&fuzz->i8042, I8042_DATA_PORT);
        break;
    case PS2_AWAIT:
        if ((status & PS2_STATUS_OUTPUT) != 0) {
            ps2_setup_answer(&fuzz->setup, i8042_read(&fuzz->i8042, I8042_DATA_PORT));
        } else {
            ps2_setup_timed_out(&fuzz->setup);
        }
        break;
    default:
        ps2_setup_begin(&fuzz->setup);
        break;
    }
}

static void act(struct fuzz *fuzz, uint8_t action, uint8_t value)
{
    switch (action % 6) {
    case 0:
        i8042_write(&fuzz->i8042, I8042_COMMAND_PORT, value);
        break;
    case 1:
        i8042_write(&fuzz->i8042, I8042_DATA_PORT, value);
        break;
    case 2:
        i8042_put_keys(&fuzz->i8042, &value, 1);
        break;
    case 3:
        driver_reads(fuzz, i8042_read(&fuzz->i8042, I8042_COMMAND_PORT) | (value & 0xc0));
        break;
    case 4:
        driver_sets_up(fuzz);
        break;
    default: {
        int byte = ps2_keyboard_set_lights(&fuzz->keyboard, value & 1, value & 2);
        if (byte != PS2_NOTHING_TO_SEND) {
            i8042_write(&fuzz->i8042, I8042_DATA_PORT, (uint8_t)byte);
        }
        break;
    }
    }
    check(&fuzz->i8042);
}

/* After everything the set-up of a controller that was reset still works. */
static void finish(struct fuzz *fuzz)
{
    i8042_reset(&fuzz->i8042);
    ps2_setup_begin(&fuzz->setup);
    for (unsigned i = 0; i < SETUP_ACTIONS; i++) {
        driver_sets_up(fuzz);
    }
    require(ps2_setup_next(&fuzz->setup).kind == PS2_DONE);
    require(fuzz->i8042.is_scanning);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz fuzz;
    memset(&fuzz, 0, sizeof(fuzz));
    i8042_reset(&fuzz.i8042);
    ps2_keyboard_begin(&fuzz.keyboard);
    ps2_setup_begin(&fuzz.setup);
    for (size_t i = 0; i + 1 < size; i += 2) {
        act(&fuzz, data[i], data[i + 1]);
    }
    finish(&fuzz);
    return 0;
}
