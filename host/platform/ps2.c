/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys -> scan codes -> the keyboard controller, and its ports and lines. */
#include "host/platform/ps2.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "host/platform/i8042.h"
#include "host/platform/us_keys.h"
#include "protocol/keyboard.h"
#include "protocol/utf16.h"

enum {
    CODES = 128,
    PREFIXES = 3,       /* none, E0, E1 */
    BYTES_A_KEY = 2,    /* at most, for one change of a key */
    BREAK = 0x80,
    HANJA = 0xf1, HANGUL = 0xf2, /* without a break code */
};

struct ps2 {
    struct virtual_device device; /* first */
    const struct device_machine *machine;
    struct i8042 i8042;
    bool held[PREFIXES][CODES];
    unsigned held_count;
    uint64_t keys, refused;
    bool levels[2];               /* of the keyboard's and the mouse's line, as last said */
};

/* ---- Lines ---- */

enum { LINES = 2 };

static const unsigned lines[LINES] = {I8042_KEYBOARD_LINE, I8042_MOUSE_LINE};

static void set_line(struct ps2 *ps2, unsigned i, bool level)
{
    if (level != ps2->levels[i] && ps2->machine != NULL) {
        ps2->levels[i] = level;
        ps2->machine->line(ps2->machine->context, lines[i], level);
    }
}

static void publish_lines(struct ps2 *ps2)
{
    for (unsigned i = 0; i < LINES; i++) {
        set_line(ps2, i, i8042_line(&ps2->i8042, lines[i]));
    }
}

/* Reading a byte ends its interrupt; the next byte is one of its own. */
static void lower_lines(struct ps2 *ps2)
{
    for (unsigned i = 0; i < LINES; i++) {
        set_line(ps2, i, false);
    }
}

/* ---- Keys ---- */

/* The bytes of one change; their number. */
static unsigned encode(struct keyboard_key key, bool down, uint8_t bytes[BYTES_A_KEY])
{
    const uint8_t code = (uint8_t)(down ? key.code : key.code | BREAK); /* 0xf1: has the bit */
    unsigned count = 0;
    if (key.prefix != 0) {
        bytes[count++] = key.prefix == KEYBOARD_EVENT_E0 ? 0xe0 : 0xe1;
    }
    bytes[count++] = code;
    return count;
}

/* These two are pressed and never held: they have no break code. */
static bool has_no_break(struct keyboard_key key)
{
    return key.code == HANJA || key.code == HANGUL;
}

/* Codes whose break code would be a prefix, one of those two, or an answer. */
static bool is_ambiguous(uint16_t code)
{
    return code == 0x60 || code == 0x61 || code == 0x71 || code == 0x72 || code == 0x7a ||
           code == 0x7e || code == 0x7f;
}

static bool is_key(struct keyboard_key key)
{
    if (has_no_break(key)) {
        return key.prefix == 0;
    }
    return key.code > 0 && key.code < CODES && !is_ambiguous(key.code) &&
           (key.prefix == 0 || key.prefix == KEYBOARD_EVENT_E0 || key.prefix == KEYBOARD_EVENT_E1);
}

/* Of a key that can be held. */
static bool *held_flag(struct ps2 *ps2, struct keyboard_key key)
{
    const unsigned prefix = key.prefix == KEYBOARD_EVENT_E0 ? 1 : key.prefix != 0 ? 2 : 0;
    return &ps2->held[prefix][key.code];
}

static void put(struct ps2 *ps2, struct keyboard_key key, bool down)
{
    uint8_t bytes[BYTES_A_KEY];
    const unsigned count = encode(key, down, bytes);
    i8042_put_keys(&ps2->i8042, bytes, count);
    ps2->keys++;
}

/* Room for `changes` more, and for the release of every key that is down. */
static int room_for(struct ps2 *ps2, size_t changes)
{
    int result = 0;
    if (!ps2_is_ready(&ps2->device)) {
        result = -ENOTCONN;
    } else if ((ps2->held_count + changes) * BYTES_A_KEY > i8042_room(&ps2->i8042)) {
        result = -EAGAIN;
    }
    ps2->refused += result != 0;
    return result;
}

static void press(struct ps2 *ps2, struct keyboard_key key)
{
    if (!has_no_break(key)) {
        bool *held = held_flag(ps2, key);
        ps2->held_count += !*held;
        *held = true;
    }
    put(ps2, key, true);
}

static void release(struct ps2 *ps2, struct keyboard_key key)
{
    if (has_no_break(key)) {
        return;
    }
    bool *held = held_flag(ps2, key);
    if (*held) {
        *held = false;
        ps2->held_count--;
        put(ps2, key, false);
    }
}

bool ps2_is_ready(const struct virtual_device *device)
{
    return ((const struct ps2 *)device)->i8042.is_scanning;
}

bool ps2_is_held(const struct virtual_device *device, struct keyboard_key key)
{
    return is_key(key) && !has_no_break(key) && *held_flag((struct ps2 *)(uintptr_t)device, key);
}

bool ps2_caps_lock(const struct virtual_device *device)
{
    return (((const struct ps2 *)device)->i8042.lights & I8042_LIGHT_CAPS_LOCK) != 0;
}

int ps2_press(struct virtual_device *device, struct keyboard_key key, bool down)
{
    struct ps2 *ps2 = (struct ps2 *)device;
    int result = 0;
    if (!is_key(key)) {
        return -EINVAL;
    }
    if (!down) {
        release(ps2, key);
        result = ps2_is_ready(device) ? 0 : -ENOTCONN;
    } else if ((result = room_for(ps2, 2)) == 0) {
        press(ps2, key);
    }
    publish_lines(ps2);
    return result;
}

void ps2_release_all(struct virtual_device *device)
{
    static const uint32_t prefixes[PREFIXES] = {0, KEYBOARD_EVENT_E0, KEYBOARD_EVENT_E1};
    struct ps2 *ps2 = (struct ps2 *)device;
    for (unsigned prefix = 0; prefix < PREFIXES; prefix++) {
        for (unsigned code = 0; code < CODES; code++) {
            release(ps2, (struct keyboard_key){(uint16_t)code, prefixes[prefix]});
        }
    }
    publish_lines(ps2);
}

static void type_character(struct ps2 *ps2, uint8_t code, bool shift)
{
    const struct keyboard_key key = {.code = code};
    const struct keyboard_key shift_key = {.code = US_KEY_SHIFT};
    if (shift) {
        put(ps2, shift_key, true);
    }
    put(ps2, key, true);
    put(ps2, key, false);
    if (shift) {
        put(ps2, shift_key, false);
    }
}

int ps2_type(struct virtual_device *device, const char *text)
{
    struct ps2 *ps2 = (struct ps2 *)device;
    size_t characters = 0;
    uint8_t code;
    bool shift;
    for (const char *at = text; *at != '\0'; characters++) {
        if (!us_key_of_character(utf8_take(&at), &code, &shift)) {
            return -EILSEQ;
        }
    }
    int result = room_for(ps2, 4 * characters);
    while (result == 0 && *text != '\0') {
        us_key_of_character(utf8_take(&text), &code, &shift);
        type_character(ps2, code, shift);
    }
    publish_lines(ps2);
    return result;
}

/* ---- The virtual device ---- */

static void ps2_attach(struct virtual_device *device, const struct device_machine *machine)
{
    ((struct ps2 *)device)->machine = machine;
}

static int ps2_plug(struct virtual_device *device, struct vmbus_server *server)
{
    return 0;
}

static int ps2_power_on(struct virtual_device *device)
{
    const struct device_machine *machine = ((struct ps2 *)device)->machine;
    int result = machine->trap(machine->context, device, DEVICE_SPACE_PORT, I8042_DATA_PORT, 1,
                               true);
    return result != 0 ? result
                       : machine->trap(machine->context, device, DEVICE_SPACE_PORT,
                                       I8042_COMMAND_PORT, 1, true);
}

static void ps2_reset(struct virtual_device *device)
{
    struct ps2 *ps2 = (struct ps2 *)device;
    i8042_reset(&ps2->i8042);
    memset(ps2->held, 0, sizeof(ps2->held));
    ps2->held_count = 0;
    publish_lines(ps2);
}

static uint64_t ps2_read(struct virtual_device *device, enum device_space space, uint64_t address,
                         uint32_t size)
{
    struct ps2 *ps2 = (struct ps2 *)device;
    const uint8_t value = i8042_read(&ps2->i8042, (uint16_t)address);
    if (address == I8042_DATA_PORT) {
        lower_lines(ps2);
    }
    publish_lines(ps2);
    return value;
}

static void ps2_write(struct virtual_device *device, enum device_space space, uint64_t address,
                      uint32_t size, uint64_t value)
{
    struct ps2 *ps2 = (struct ps2 *)device;
    i8042_write(&ps2->i8042, (uint16_t)address, (uint8_t)value);
    publish_lines(ps2);
    if (ps2->i8042.reset_wanted) {
        ps2->i8042.reset_wanted = false;
        ps2->machine->reset(ps2->machine->context);
    }
}

static void ps2_describe(struct virtual_device *device, struct json_object *to)
{
    const struct ps2 *ps2 = (const struct ps2 *)device;
    json_object_object_add(to, "ready", json_object_new_boolean(ps2_is_ready(device)));
    json_object_object_add(to, "keys", json_object_new_uint64(ps2->keys));
    json_object_object_add(to, "refused", json_object_new_uint64(ps2->refused));
    json_object_object_add(to, "waiting", json_object_new_int((int)ps2->i8042.key_count));
    json_object_object_add(to, "held", json_object_new_int((int)ps2->held_count));
    if (ps2->i8042.lights_said) {
        json_object_object_add(to, "lights", json_object_new_int(ps2->i8042.lights));
    }
}

static void ps2_free(struct virtual_device *device)
{
    free(device);
}

static const struct virtual_device_operations operations = {
    .kind = "ps2",
    .attach = ps2_attach,
    .plug = ps2_plug,
    .power_on = ps2_power_on,
    .reset = ps2_reset,
    .read = ps2_read,
    .write = ps2_write,
    .describe = ps2_describe,
    .free = ps2_free,
};

struct virtual_device *ps2_new(void)
{
    struct ps2 *ps2 = calloc(1, sizeof(*ps2));
    if (ps2 == NULL) {
        return NULL;
    }
    ps2->device.operations = &operations;
    i8042_reset(&ps2->i8042);
    return &ps2->device;
}
