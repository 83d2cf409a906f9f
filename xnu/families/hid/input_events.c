/* SPDX-License-Identifier: BSD-3-Clause */
/* input_events.c - the event system's place: a client of each keyboard, or what newer releases have
 * in between (IOHIDKeyboardEventDevice.c), and the writing down of what comes; and what pointers
 * report. */
#include "xnu/families/hid/input_events.h"

#include "xnu/bsd/format.h"
#include "xnu/families/hid/key_layout.h"
#include "xnu/families/hid/keyboard_event_device.h"
#include "xnu/families/hid/keyboard_private.h"
#include "xnu/families/hid/typed_text.h"
#include "xnu/libkern/class.h"
#include "xnu/libkern/release.h"
#include "xnu/machine/input_log.h"
#include "xnu/machine/log.h"

enum { LINE_MAX = 128, CHARACTER_SET_ASCII = 0 };

struct InputClient {
    IOService super;
    struct typed_text text;
};
typedef struct InputClient InputClient;

static const struct input_observer *_Atomic observer;
static const struct layout *_Atomic chosen;

void key_layout_choose(const struct layout *layout)
{
    chosen = layout;
}

void input_events_observe(const struct input_observer *new_observer)
{
    observer = new_observer;
}

static void write_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void write_line(const char *format, ...)
{
    char line[LINE_MAX];
    va_list arguments;

    va_start(arguments, format);
    int length = format_string(line, sizeof line, format, arguments);
    va_end(arguments);
    machine_input_log_write(line, length < LINE_MAX ? (size_t)length : LINE_MAX - 1);
}

static void tell_typed(uint32_t character)
{
    const struct input_observer *current = observer;

    if (current && character)
        current->typed(character);
}

/* ---- keys ----------------------------------------------------------------------------------- */

static uint32_t typed_character(struct typed_text *text, uint32_t key, uint32_t flags,
                                uint32_t character)
{
    const struct layout *layout = chosen;
    bool shift = flags & KEY_FLAG_SHIFT, option = flags & KEY_FLAG_OPTION;

    if (layout)
        return typed_text_layout_key(text, layout, key, character, shift, option,
                                     flags & KEY_FLAG_CAPS_LOCK);
    return character ? typed_text_key(text, key, character, shift, option) : 0;
}

void input_events_opened(const IOService *keyboard)
{
    write_line("keyboard opened %s", object_class_name(keyboard));
}

void input_events_closed(const IOService *keyboard)
{
    write_line("keyboard closed %s", object_class_name(keyboard));
}

void input_events_flags(uint32_t flags)
{
    write_line("flags 0x%x", flags);
}

void input_events_key_up(uint32_t key, uint32_t flags)
{
    write_line("key up 0x%02x flags 0x%x", key, flags);
}

void input_events_key_down(struct typed_text *text, uint32_t key, uint32_t flags, uint32_t set,
                           uint32_t character)
{
    uint32_t typed = 0;

    if (!(flags & (KEY_FLAG_CONTROL | KEY_FLAG_COMMAND)))
        typed = typed_character(text, key, flags, set == CHARACTER_SET_ASCII ? character : 0);
    tell_typed(typed);
    if (typed)
        write_line("key down 0x%02x flags 0x%x char U+%04X", key, flags, typed);
    else
        write_line("key down 0x%02x flags 0x%x", key, flags);
}

void input_events_special(uint32_t flavor, bool down)
{
    write_line("special %u %s", flavor, down ? "down" : "up");
}

/* ---- what the keyboard calls, in the order of its events, up to macOS 10.11 ------------------ */

static void key_event(OSObject *target, uint32_t type, uint32_t flags, uint32_t key,
                      uint32_t character, uint32_t set, uint32_t original, uint32_t original_set,
                      uint32_t keyboard_type, bool repeat, uint64_t time)
{
    InputClient *me = (InputClient *)target;

    if (type == KEY_EVENT_FLAGS_CHANGED)
        input_events_flags(flags);
    else if (type == KEY_EVENT_UP)
        input_events_key_up(key, flags);
    else
        input_events_key_down(&me->text, key, flags, set, character);
}

static void special_event(OSObject *target, uint32_t type, uint32_t flags, uint32_t key,
                          uint32_t flavor, uint64_t guid, bool repeat, uint64_t time)
{
    input_events_special(flavor, type == KEY_EVENT_DOWN);
}

static void flags_event(OSObject *target, uint32_t flags)
{
}

/* ---- the client ----------------------------------------------------------------------------- */

static bool client_start(IOService *me, IOService *provider)
{
    IOHIKeyboard *keyboard = (IOHIKeyboard *)provider;

    if (!IOService_super_start(me, provider) ||
        !IOHIKeyboard_open_service_number_function_function_function(
            keyboard, me, 0, key_event, special_event, flags_event))
        return false;
    input_events_opened(provider);
    return true;
}

static bool client_will_terminate(IOService *me, IOService *provider, uint32_t options)
{
    IOService_close(provider, me, 0);
    input_events_closed(provider);
    return IOService_super_willTerminate(me, provider, options);
}

KERNEL_CLASS(11, InputClient, IOService,
             .start = client_start,
             .willTerminate = client_will_terminate)

static bool add_client(IOService *keyboard)
{
    IOService *client = object_new(&InputClient_gMetaClass);
    bool started = false;

    if (client == NULL)
        return false;
    if (IORegistryEntry_init_dictionary((IORegistryEntry *)client, NULL) &&
        IOService_attach(client, keyboard)) {
        started = IOService_start(client, keyboard);
        if (!started)
            IOService_detach(client, keyboard);
    }
    object_release(client);
    return started;
}

void input_events_add_keyboard(IOHIKeyboard *keyboard)
{
    if (!(release_behaviour()->keyboard_event_device ? keyboard_event_device_add(keyboard)
                                                     : add_client((IOService *)keyboard)))
        machine_log("%s: the keyboard cannot be opened", object_class_name(keyboard));
}

/* ---- pointers ------------------------------------------------------------------------------- */

enum { PAGE_DESKTOP = 0x01, PAGE_BUTTON = 0x09, PAGE_CONSUMER = 0x0c, USAGE_X = 0x30,
       USAGE_Y = 0x31, USAGE_WHEEL = 0x38, USAGE_PAN = 0x238, BUTTONS_MAX = 32 };

void input_events_add_pointer(const char *name)
{
    write_line("pointer opened %s", name);
}

static void take_button(struct pointer_state *pointer, uint16_t usage, int32_t value)
{
    if (usage == 0 || usage > BUTTONS_MAX)
        return;
    uint32_t bit = 1u << (usage - 1);
    pointer->buttons = value ? pointer->buttons | bit : pointer->buttons & ~bit;
}

/* The range of a relative axis stays zero: nobody knows where the pointer is. */
static void take_axis(int32_t *axis, const struct report_field *field, int32_t value,
                      int32_t *minimum, int32_t *maximum)
{
    *minimum = field->is_relative ? 0 : field->minimum;
    *maximum = field->is_relative ? 0 : field->maximum;
    *axis = field->is_relative ? (int32_t)((uint32_t)*axis + (uint32_t)value) : value;
}

static void tell_pointed(const struct pointer_state *pointer, const struct pointer_range *range)
{
    const struct input_observer *current = observer;

    if (current)
        current->pointed(pointer, range);
}

void input_events_pointer(struct pointer_state *pointer, const struct report_fields *fields,
                          const uint8_t *report, uint32_t length)
{
    int32_t wheel = 0, horizontal = 0, value;
    struct pointer_range range = { 0 };

    for (uint32_t i = 0; i < fields->count; i++) {
        const struct report_field *field = &fields->fields[i];

        if (!report_field_value(fields, field, report, length, &value))
            continue;
        if (field->page == PAGE_BUTTON)
            take_button(pointer, field->usage, value);
        else if (field->page == PAGE_DESKTOP && field->usage == USAGE_X)
            take_axis(&pointer->x, field, value, &range.minimum_x, &range.maximum_x);
        else if (field->page == PAGE_DESKTOP && field->usage == USAGE_Y)
            take_axis(&pointer->y, field, value, &range.minimum_y, &range.maximum_y);
        else if (field->page == PAGE_DESKTOP && field->usage == USAGE_WHEEL)
            wheel = value;
        else if (field->page == PAGE_CONSUMER && field->usage == USAGE_PAN)
            horizontal = value;
    }
    if (wheel || horizontal)
        write_line("pointer x %d y %d buttons 0x%x wheel %d horizontal %d", pointer->x, pointer->y,
                   pointer->buttons, wheel, horizontal);
    else
        write_line("pointer x %d y %d buttons 0x%x", pointer->x, pointer->y, pointer->buttons);
    tell_pointed(pointer, &range);
}
