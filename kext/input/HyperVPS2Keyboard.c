/* SPDX-License-Identifier: BSD-3-Clause */
/* HyperVPS2Keyboard: the keyboard of a generation 1 machine, for hosts that have no synthetic one
 * (before Windows Server 2012), and before that one is up. On the ACPI device of the controller,
 * which is brought up here as well. */
#include "abi/IOInterruptEventSource.h"
#include "abi/IOWorkLoop.h"
#include "abi/kpi/iolib.h"
#include "abi/runtime.h"
#include "kext/core/boot_arguments.h"
#include "kext/core/errors.h"
#include "kext/core/log.h"
#include "kext/core/processor.h"
#include "kext/input/adb_keyboard.h"
#include "kext/input/keymap.h"
#include "kext/input/ps2.h"

#define POLL_US           10u
#define ANSWER_POLLS      20000u        /* 0.2 s for one byte */
#define BYTES_A_TURN      256u          /* then others on the work loop have a turn */

static const char who[] = "HyperVPS2Keyboard";

struct HyperVPS2Keyboard {
    IOHIKeyboard super;
    IOWorkLoop *work_loop;
    IOInterruptEventSource *source;
    struct ps2_keyboard ps2;            /* these two on the work loop */
    struct keyboard keyboard;
    struct adb_caps_lock caps_lock_key;
    volatile bool caps_lock, num_lock, lights_changed;
    uint8_t keymap[KEYMAP_BYTES_MAXIMUM];
    uint32_t keymap_length;
};
typedef struct HyperVPS2Keyboard HyperVPS2Keyboard;

/* ---- Ports
 * ----------------------------------------------------------------------------------- */

/* Waits until (status & mask) == value. Returns false at the time-out. */
static bool await_status(uint8_t mask, uint8_t value)
{
    for (uint32_t i = 0; i < ANSWER_POLLS; i++) {
        if ((processor_in8(PS2_COMMAND_PORT) & mask) == value)
            return true;
        IODelay(POLL_US);
    }
    return false;
}

static bool write_port(uint16_t port, uint8_t byte)
{
    if (!await_status(PS2_STATUS_INPUT_BUSY, 0))
        return false;
    processor_out8(port, byte);
    return true;
}

static void drain(void)
{
    for (uint32_t i = 0; i < BYTES_A_TURN; i++) {
        if (!(processor_in8(PS2_COMMAND_PORT) & PS2_STATUS_OUTPUT))
            return;
        processor_in8(PS2_DATA_PORT);
        IODelay(POLL_US);
    }
}

static void perform(struct ps2_setup *setup, const struct ps2_action *action)
{
    switch (action->kind) {
    case PS2_WRITE_COMMAND:
    case PS2_WRITE_DATA:
        if (!write_port(action->kind == PS2_WRITE_DATA ? PS2_DATA_PORT : PS2_COMMAND_PORT,
                        action->byte))
            ps2_setup_timed_out(setup);
        break;
    case PS2_DRAIN:
        drain();
        break;
    default:
        if (await_status(PS2_STATUS_OUTPUT, PS2_STATUS_OUTPUT))
            ps2_setup_answer(setup, processor_in8(PS2_DATA_PORT));
        else
            ps2_setup_timed_out(setup);
        break;
    }
}

static int bring_up(void)
{
    struct ps2_setup setup;
    struct ps2_action action;

    ps2_setup_begin(&setup);
    for (;;) {
        action = ps2_setup_next(&setup);
        if (action.kind == PS2_DONE)
            return 0;
        if (action.kind == PS2_FAILED)
            break;
        perform(&setup, &action);
    }
    hv_log(who, "no keyboard at ports 0x60 and 0x64 (step %u)", ps2_setup_step(&setup));
    return HV_ERROR_IO;
}

/* ---- Keys
 * ------------------------------------------------------------------------------------ */

static void release_keys(HyperVPS2Keyboard *self)
{
    struct keyboard_change change;

    while (keyboard_release_next(&self->keyboard, &change))
        adb_dispatch(&self->super, &self->caps_lock_key, &change);
}

static void handle_byte(HyperVPS2Keyboard *self, uint8_t status, uint8_t byte)
{
    struct keyboard_change changes[KEYBOARD_CHANGES_MAXIMUM];
    struct ps2_result result;

    ps2_keyboard_receive(&self->ps2, status, byte, &result);
    if (result.overrun)
        release_keys(self);
    for (uint32_t i = 0; i < result.event_count; i++) {
        int count = keyboard_key(&self->keyboard, &result.events[i], changes);

        for (int j = 0; j < count; j++)
            adb_dispatch(&self->super, &self->caps_lock_key, &changes[j]);
    }
    if (result.send != PS2_NOTHING_TO_SEND)
        write_port(PS2_DATA_PORT, (uint8_t)result.send);
}

static void send_lights(HyperVPS2Keyboard *self)
{
    int byte;

    self->lights_changed = false;
    byte = ps2_keyboard_set_lights(&self->ps2, self->caps_lock, self->num_lock);
    if (byte != PS2_NOTHING_TO_SEND)
        write_port(PS2_DATA_PORT, (uint8_t)byte);
}

/* The line is edge-triggered: what is not read now brings no other interrupt. */
static void interrupted(OSObject *owner, IOInterruptEventSource *source, int32_t count)
{
    HyperVPS2Keyboard *self = (HyperVPS2Keyboard *)owner;
    uint8_t status;

    if (self->lights_changed)
        send_lights(self);
    for (uint32_t i = 0; i < BYTES_A_TURN; i++) {
        status = processor_in8(PS2_COMMAND_PORT);
        if (!(status & PS2_STATUS_OUTPUT))
            return;
        handle_byte(self, status, processor_in8(PS2_DATA_PORT));
    }
    IOInterruptEventSource_interruptOccurred(source, NULL, NULL, 0);
}

/* ---- IOService
 * ------------------------------------------------------------------------------- */

static int listen(HyperVPS2Keyboard *self, IOService *provider)
{
    self->work_loop = IOWorkLoop_workLoop();
    self->source =
        IOInterruptEventSource_interruptEventSource((OSObject *)self, interrupted, provider, 0);
    if (self->work_loop == NULL || self->source == NULL ||
        IOWorkLoop_addEventSource(self->work_loop, (IOEventSource *)self->source) !=
            kIOReturnSuccess)
        return HV_ERROR_NO_RESOURCES;
    IOEventSource_enable((IOEventSource *)self->source);
    /* What came before the line was heard. */
    IOInterruptEventSource_interruptOccurred(self->source, NULL, NULL, 0);
    return 0;
}

static void stop_listening(HyperVPS2Keyboard *self)
{
    if (self->work_loop != NULL && self->source != NULL)
        IOWorkLoop_removeEventSource(self->work_loop, (IOEventSource *)self->source);
    iokit_release_clear(self->source);
    iokit_release_clear(self->work_loop);
    release_keys(self);
}

static bool keyboard_start(IOService *me, IOService *provider)
{
    const struct keyboard_options options = adb_keyboard_options();
    HyperVPS2Keyboard *self = (HyperVPS2Keyboard *)me;
    struct keyboard_protocol_request unused;
    int error;

    if (boot_argument_given("-hvps2kbdoff") || bring_up() != 0)
        return false;
    keyboard_begin(&self->keyboard, &options, &unused);
    ps2_keyboard_begin(&self->ps2);
    self->keymap_length = keymap_build(self->keymap);
    if (!IOHIKeyboard_super_start(&self->super, provider))
        return false;
    error = listen(self, provider);
    if (error == 0)
        return true;
    hv_log(who, "no interrupt (error %d)", error);
    stop_listening(self);
    IOHIKeyboard_super_stop(&self->super, provider);
    return false;
}

static void keyboard_stop(IOService *me, IOService *provider)
{
    stop_listening((HyperVPS2Keyboard *)me);
    IOHIKeyboard_super_stop(&((HyperVPS2Keyboard *)me)->super, provider);
}

/* ---- What IOHIKeyboard asks
 * ------------------------------------------------------------------ */

static const uint8_t *default_keymap(IOHIKeyboard *me, uint32_t *length)
{
    HyperVPS2Keyboard *self = (HyperVPS2Keyboard *)me;

    *length = self->keymap_length;
    return self->keymap;
}

/* Any thread may ask: the work loop does it. */
static void change_lights(HyperVPS2Keyboard *self)
{
    self->lights_changed = true;
    if (self->source != NULL)
        IOInterruptEventSource_interruptOccurred(self->source, NULL, NULL, 0);
}

static void set_caps_lock(IOHIKeyboard *me, bool on)
{
    HyperVPS2Keyboard *self = (HyperVPS2Keyboard *)me;

    if (!adb_means_light(&self->caps_lock_key))
        return;
    self->caps_lock = on;
    change_lights(self);
}

static void set_num_lock(IOHIKeyboard *me, bool on)
{
    ((HyperVPS2Keyboard *)me)->num_lock = on;
    change_lights((HyperVPS2Keyboard *)me);
}

IOKIT_CLASS(17, HyperVPS2Keyboard, IOHIKeyboard,
            .start = keyboard_start,
            .stop = keyboard_stop,
            .deviceType = adb_device_type,
            .interfaceID = adb_interface_id,
            .maxKeyCodes = adb_max_key_codes,
            .defaultKeymapOfLength = default_keymap,
            .setAlphaLockFeedback = set_caps_lock,
            .setNumLockFeedback = set_num_lock)
