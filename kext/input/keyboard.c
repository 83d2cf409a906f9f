/* SPDX-License-Identifier: BSD-3-Clause */
/* The synthetic keyboard's engine. */
#include "kext/input/keyboard.h"

#include "kext/core/shared_memory.h"

#define SCAN_CONTROL  0x1Du
#define SCAN_NUM_LOCK 0x45u

/* Keys that change what a stroke types. */
static const uint8_t modifier_keys[] = {
    ADB_LEFT_SHIFT,   ADB_RIGHT_SHIFT,   ADB_LEFT_OPTION,  ADB_RIGHT_OPTION,
    ADB_LEFT_CONTROL, ADB_RIGHT_CONTROL, ADB_LEFT_COMMAND, ADB_RIGHT_COMMAND,
};

struct output {
    struct keyboard_change *changes;
    uint32_t count;
};

static bool is_down(const struct keyboard *keyboard, uint8_t key)
{
    return (keyboard->down[key / 8] >> (key % 8) & 1) != 0;
}

static void set_down(struct keyboard *keyboard, uint8_t key, bool down)
{
    uint8_t bit = (uint8_t)(1u << (key % 8));

    keyboard->down[key / 8] =
        (uint8_t)(down ? keyboard->down[key / 8] | bit : keyboard->down[key / 8] & ~bit);
}

static void put(struct output *output, uint8_t key, bool down)
{
    if (output->count < KEYBOARD_CHANGES_MAXIMUM)
        output->changes[output->count++] = (struct keyboard_change){ key, down };
}

void keyboard_begin(struct keyboard *keyboard, const struct keyboard_options *options,
                    struct keyboard_protocol_request *request)
{
    memset(keyboard, 0, sizeof *keyboard);
    keyboard->options = *options;
    keyboard->layout = key_layout_default();
    *request =
        (struct keyboard_protocol_request){ KEYBOARD_PROTOCOL_REQUEST, KEYBOARD_VERSION_1_0 };
}

void keyboard_use_layout(struct keyboard *keyboard, const struct key_layout *layout)
{
    keyboard->layout = layout;
}

/* ---- keys ---- */

static uint8_t swapped(const struct keyboard *keyboard, uint8_t key)
{
    if (keyboard->options.swap_option_command) {
        switch (key) {
        case ADB_LEFT_OPTION:   return ADB_LEFT_COMMAND;
        case ADB_LEFT_COMMAND:  return ADB_LEFT_OPTION;
        case ADB_RIGHT_OPTION:  return ADB_RIGHT_COMMAND;
        case ADB_RIGHT_COMMAND: return ADB_RIGHT_OPTION;
        }
    }
    if (keyboard->options.swap_iso_keys && (key == ADB_SECTION || key == ADB_GRAVE))
        return key == ADB_SECTION ? ADB_GRAVE : ADB_SECTION;
    return key;
}

static int change_key(struct keyboard *keyboard, uint8_t key, bool down, struct output *output)
{
    if (key == ADB_NONE) {
        keyboard->counters.unknown_keys++;
        return HV_ERROR_NOT_SUPPORTED;
    }
    key = swapped(keyboard, key);
    if (is_down(keyboard, key) == down) {
        keyboard->counters.repeats += down;
        return 0;
    }
    set_down(keyboard, key, down);
    put(output, key, down);
    return 0;
}

/* Pause is E1 1D 45: the first half is swallowed, and the second is no Num Lock then. */
static int handle_key(struct keyboard *keyboard, const struct keyboard_event *event,
                      struct output *output)
{
    bool is_pause = keyboard->is_pause_begun && event->make_code == SCAN_NUM_LOCK;
    bool e1 = (event->flags & KEYBOARD_EVENT_E1) != 0;
    bool down = (event->flags & KEYBOARD_EVENT_BREAK) == 0;

    keyboard->is_pause_begun = e1 && event->make_code == SCAN_CONTROL;
    if (keyboard->is_pause_begun)
        return 0;
    if (is_pause)
        return change_key(keyboard, ADB_PAUSE, down, output);
    return change_key(keyboard,
                      e1 ? ADB_NONE
                         : scan_code_to_adb(event->make_code, event->flags & KEYBOARD_EVENT_E0),
                      down, output);
}

/* ---- text ---- */

/* Modifiers that a stroke may want, in the order in which they go down. */
static const struct {
    uint8_t modifier, key;
} stroke_modifiers[] = {
    { KEY_LAYOUT_SHIFT, ADB_LEFT_SHIFT },
    { KEY_LAYOUT_OPTION, ADB_LEFT_OPTION },
};
#define STROKE_MODIFIERS (sizeof stroke_modifiers / sizeof *stroke_modifiers)

/* Those of `before` that are not wanted any more go up, then the others of `after` down. */
static void change_modifiers(uint8_t before, uint8_t after, struct output *output)
{
    uint32_t i;

    for (i = STROKE_MODIFIERS; i-- > 0;)
        if (before & ~after & stroke_modifiers[i].modifier)
            put(output, stroke_modifiers[i].key, false);
    for (i = 0; i < STROKE_MODIFIERS; i++)
        if (after & ~before & stroke_modifiers[i].modifier)
            put(output, stroke_modifiers[i].key, true);
}

static void put_held(const struct keyboard *keyboard, uint8_t key, bool down, struct output *output)
{
    if (is_down(keyboard, key))
        put(output, key, down);
}

/* The strokes, each with exactly its modifiers, whatever is held. A modifier that the next stroke
 * wants, too, stays down: hexadecimal digits count only while Option is. */
static void put_strokes(struct keyboard *keyboard, const struct key_stroke *strokes,
                        uint32_t count, struct output *output)
{
    uint8_t modifiers = 0;

    for (uint32_t i = 0; i < count; i++) {
        put_held(keyboard, strokes[i].key, false, output);
        set_down(keyboard, strokes[i].key, false);
        change_modifiers(modifiers, strokes[i].modifiers, output);
        modifiers = strokes[i].modifiers;
        put(output, strokes[i].key, true);
        put(output, strokes[i].key, false);
    }
    change_modifiers(modifiers, 0, output);
}

static int type_character(struct keyboard *keyboard, uint32_t character, struct output *output)
{
    struct key_stroke strokes[KEY_STROKES_MAXIMUM];
    uint32_t count = key_layout_strokes(keyboard->layout, character, strokes);
    uint32_t i;

    if (count == 0) {
        keyboard->counters.unknown_characters++;
        return HV_ERROR_NOT_SUPPORTED;
    }
    for (i = 0; i < sizeof modifier_keys; i++)
        put_held(keyboard, modifier_keys[i], false, output);
    put_strokes(keyboard, strokes, count, output);
    for (i = 0; i < sizeof modifier_keys; i++)
        put_held(keyboard, modifier_keys[i], true, output);
    return 0;
}

/* Acts when a unit comes; its release says nothing new. Of a pair only the second half does
 * something. */
static int handle_unit(struct keyboard *keyboard, const struct keyboard_event *event,
                       struct output *output)
{
    uint32_t unit = event->make_code, high = keyboard->high_surrogate;

    if (event->flags & KEYBOARD_EVENT_BREAK)
        return 0;
    keyboard->high_surrogate = 0;
    if (unit >= 0xD800 && unit < 0xDC00) {
        keyboard->high_surrogate = (uint16_t)unit;
        return 0;
    }
    if (unit == '\n')                   /* it follows a return */
        return 0;
    if (unit >= 0xDC00 && unit < 0xE000)
        unit = high == 0 ? 0xFFFD : 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00);
    return type_character(keyboard, unit, output);
}

/* ---- messages ---- */

static int handle_response(struct keyboard *keyboard, const void *message, uint32_t length)
{
    struct keyboard_protocol_response response;

    if (length < sizeof response || keyboard->state != KEYBOARD_ASKED)
        return HV_ERROR_MALFORMED;
    memcpy(&response, message, sizeof response);
    keyboard->state = response.status & KEYBOARD_ACCEPTED ? KEYBOARD_READY : KEYBOARD_REFUSED;
    return keyboard->state == KEYBOARD_READY ? 0 : HV_ERROR_REFUSED;
}

static int handle_event(struct keyboard *keyboard, const void *message, uint32_t length,
                        struct output *output)
{
    struct keyboard_event event;

    if (length < sizeof event || keyboard->state != KEYBOARD_READY)
        return HV_ERROR_MALFORMED;
    memcpy(&event, message, sizeof event);
    keyboard->counters.events++;
    return event.flags & KEYBOARD_EVENT_UNICODE ? handle_unit(keyboard, &event, output)
                                                : handle_key(keyboard, &event, output);
}

int keyboard_receive(struct keyboard *keyboard, const void *message, uint32_t length,
                     struct keyboard_change changes[KEYBOARD_CHANGES_MAXIMUM])
{
    struct output output = { changes, 0 };
    uint32_t type = 0;
    int error = HV_ERROR_MALFORMED;

    if (length >= sizeof type)
        memcpy(&type, message, sizeof type);
    if (type == KEYBOARD_PROTOCOL_RESPONSE)
        error = handle_response(keyboard, message, length);
    else if (type == KEYBOARD_EVENT)
        error = handle_event(keyboard, message, length, &output);
    if (error == HV_ERROR_MALFORMED)
        keyboard->counters.malformed++;
    return error != 0 ? error : (int)output.count;
}

int keyboard_key(struct keyboard *keyboard, const struct keyboard_event *event,
                 struct keyboard_change changes[KEYBOARD_CHANGES_MAXIMUM])
{
    struct output output = { changes, 0 };
    int error;

    keyboard->counters.events++;
    error = handle_key(keyboard, event, &output);
    return error != 0 ? error : (int)output.count;
}

bool keyboard_release_next(struct keyboard *keyboard, struct keyboard_change *change)
{
    uint8_t key;

    for (key = 0; key < ADB_CODES; key++)
        if (is_down(keyboard, key)) {
            set_down(keyboard, key, false);
            *change = (struct keyboard_change){ key, false };
            return true;
        }
    return false;
}

void keyboard_indicators(bool caps_lock, bool num_lock, struct keyboard_set_indicators *message)
{
    message->type = KEYBOARD_SET_INDICATORS;
    message->indicators = (uint16_t)((caps_lock ? KEYBOARD_INDICATOR_CAPS_LOCK : 0) |
                                     (num_lock ? KEYBOARD_INDICATOR_NUM_LOCK : 0));
    message->reserved = 0;
}
